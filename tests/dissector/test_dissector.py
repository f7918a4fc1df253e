#!/usr/bin/python3
"""test_dissector.py DIR [NAME...] - the Wireshark dissector against the witness

Captures and key logs are written to DIR; tshark reads them with
tools/tcpcrypt.lua.  Names choose tests.
"""

import os
import random
import shutil
import subprocess
import sys
import time

import tables
import test_eno
from captures import (ACK, PSH, Flow, Sealed, Talk, eno, kdf, log_line, peer,
                      smtcp, tcp, tcpcrypt, test_self)
from shown import (COUNT, DIR, HERE, SCRIPT, VECTORS, Shown, at_once, check,
                   equal, fields, good_talk, path, save, tshark)

# sessions

def talks():
    """(name, mode that is shown, Talk)"""
    for mode, shown in (("tcpcrypt", "tcpcrypt"), ("smtcp", "SMTCP")):
        for kx in test_self.KXS:
            yield "%s kx %d" % (mode, kx), shown, Talk(mode, kxs=[kx])
        for aead in test_self.AEADS:
            yield "%s aead %d" % (mode, aead), shown, \
                Talk(mode, aeads=[aead], frame=1500)
            yield "%s aead %d rough" % (mode, aead), shown, \
                Talk(mode, aeads=[aead], rough=aead, frame=2500, rekey=2,
                     backlog=8000)
        yield mode + " rekeyed", shown, Talk(
            mode, (60000, 50000), rekey=2, frame=1000, backlog=8000)
        yield mode + " empty", shown, Talk(mode, (0, 0))
        yield mode + " single octets", shown, Talk(mode, (60, 0), frame=1)
    yield "single stream", "SMTCP, single stream", \
        Talk("smtcp", mptcp=False, rekey=2, frame=1200, backlog=8000)
    yield "single stream rough", "SMTCP, single stream", \
        Talk("smtcp", mptcp=False, rough=9, rekey=2, frame=1200)
    yield "largest frames", "SMTCP", Talk("smtcp", (90000, 90000),
                                          frame=16364)


def test_sessions():
    for name, mode, talk in talks():
        pcap, keys = save("session", talk.packets, talk.log)
        shown = Shown(pcap, keys)
        good_talk(name, talk, shown, mode)
        equal(name + ": Init1 and Init2",
              (shown.count("init1"), shown.count("init2")), (1, 1))


def test_passes():
    """The second pass, in which packets are visited again, shows the same."""
    for mode in ("tcpcrypt", "smtcp"):
        talk = Talk(mode, rough=4, frame=2500, rekey=2, backlog=8000)
        pcap, keys = save("passes", talk.packets, talk.log)
        once, twice = Shown(pcap, keys), Shown(pcap, keys, ["-2"])
        good_talk(mode + ", two passes", talk, twice,
                  "SMTCP" if mode == "smtcp" else "tcpcrypt")
        equal(mode + ": both passes", at_once(once.rows),
              at_once(twice.rows))
        # without a filter tshark fills in fields on the second pass only
        lines = [tshark(pcap, *more, log=keys).count("decrypted]")
                 for more in ([], ["-2"])]
        equal(mode + ": lines of both passes", lines[0], lines[1])
        check(mode + ": lines", lines[0] > 10, lines)
        env = Shown(pcap, env={"MPTCP_KEYLOG": keys})
        equal(mode + ": log by the environment", env.rows, once.rows)
        pdml = tshark(pcap, "-T", "pdml", log=keys)
        equal(mode + ": PDML", pdml.count('name="tcpcrypt.frame"'),
              sum(len(r["tcpcrypt.frame.offset"]) for r in once.rows))


def test_resumed():
    for mode in ("tcpcrypt", "smtcp"):
        secrets = tcpcrypt.Secrets(), tcpcrypt.Secrets()
        packets, log, all_talks = [], "", []
        for i in range(3):
            talk = Talk(mode, (3000 + i, 4000), secrets=secrets, resume=True,
                        rekey=2, frame=500, backlog=1500)
            # three connections by the same ports need not be told apart
            packets += [move(p, 40000 + i) for p in talk.packets]
            log += talk.log
            all_talks.append(talk)
        pcap, keys = save("resumed", packets, log)
        shown = Shown(pcap, keys)
        for i, talk in enumerate(all_talks):
            equal("resumed %s %d" % (mode, i), talk.a.resumed, i > 0)
            good_talk("resumed %s %d" % (mode, i), talk, shown,
                      "SMTCP" if mode == "smtcp" else "tcpcrypt", str(i))
        equal(mode + " resumed: Init1", shown.count("init1"), 1)


def move(packet, port):
    """The same packet with another port of the client."""
    seg = tcp.unpack(packet)
    seg.sport, seg.dport = (port if x == 40000 else x
                            for x in (seg.sport, seg.dport))
    return seg.pack()


def test_role_swap():
    """In a resumed session host A may seal with k_ba."""
    flow, sealed = Flow(), Sealed()
    a, b = (eno.option(bytes.fromhex(x)) for x in
            ("a3" + tables.ID9 + tables.N8, "01a3" + tables.ID9))
    sched = sealed.sched
    packets = flow.open([a], [b], [eno.option(b"")])
    for role in "BA":
        frame = tcpcrypt.Sealer(sched, "B" if role == "A" else "A",
                                False).seal(0, b"from " + role.encode())
        packets.append(flow.seg(role, frame, [], ACK | PSH))
    log = log_line(a, kdf.AES128, sched.mks[0], sched.session_id, "ba")
    shown = Shown(*save("swap", packets, log))
    equal("ba in the key log", (shown.text("A"), shown.text("B")),
          (b"from A", b"from B"))
    log = log_line(a, kdf.AES128, sched.mks[0], sched.session_id, "ab")
    shown = Shown(*save("swap2", packets, log))
    equal("ab would be wrong", (shown.count("bad_tag"),
                                shown.count("decrypted")), (2, 0))


def test_vectors():
    """The RFC's formulas by another model, with urgent data."""
    sections, now = {}, None
    with open(VECTORS, encoding="ascii") as f:
        for line in f.read().splitlines():
            if line.startswith("["):
                now = sections.setdefault(line[1:-1], {})
            elif line and not line.startswith("#"):
                key, _, value = line.partition(" ")
                now[key] = value
    ran = 0
    for name, v in sections.items():
        if "frames_offInit.0" not in v or "mk0" not in v:
            continue
        ran += 1
        flow = Flow()
        a, b, one, two = (bytes.fromhex(v[k]) for k in
                          ("eno_A", "eno_B", "Init1", "Init2"))
        packets = flow.open([a], [b], [eno.option(b"")])
        packets += [flow.seg("A", one, [eno.option(b"")]),
                    flow.seg("B", two)]
        want = {"A": {}, "B": {}}
        for i in range(4):
            w, gen, at, flags, urgent, data, _, raw = \
                v["frames_offInit.%d" % i].split()
            packets.append(flow.seg(w, bytes.fromhex(raw)))
            want[w][int(at)] = (int(gen), bool(int(flags) & 1),
                                b"" if data == "-" else bytes.fromhex(data))
        log = log_line(one[9 + 2 * one[8]:][:32], int.from_bytes(
            two[8:10], "big"), bytes.fromhex(v["mk0"]),
            bytes.fromhex(v["session_id_0"]))
        pcap, keys = save("vector", packets, log)
        shown = Shown(pcap, keys)
        for role in "AB":
            equal("vector %s, %s" % (name, role), shown.frames(role),
                  want[role])
        rows = fields(pcap, ["tcpcrypt.urgent"], log=keys)
        equal("vector %s: urgent" % name,
              [r["tcpcrypt.urgent"] for r in rows if r["tcpcrypt.urgent"]],
              [["258"]])
    check("vectors", ran >= 3, ran)


# SMTCP over several subflows

def two_paths():
    """Packets and text of a connection of two subflows, with all there is."""
    s, f = Sealed(), Flow()
    g = Flow(("198.51.100.1", 40001), isn=(7, 0xffffffff))
    packets = s.handshake(f)
    text = {"A": b"", "B": b""}

    def put(role, data, **more):
        text[role] += data
        return s.seal(role, data, **more)

    def on(flow, role, frames, offset, fin=False, wide=True, cuts=1):
        raw = b"".join(frames)
        ssn = flow.nxt[role]
        o = s.dss(role, offset, ssn, len(raw) + fin, fin, wide)
        size = -(-len(raw) // cuts)
        return [flow.seg(role, raw[i:i + size], [o] if i == 0 else [])
                for i in range(0, len(raw), size)]
    at, x = put("B", b"")
    packets += on(f, "B", [x], at)
    at, x = put("A", b"")
    packets += on(f, "A", [x], at) + s.join(g)
    # a burst of 60 KB in one packet, of four frames
    first, frames = None, []
    for i in range(4):
        at, x = put("A", peer.octets("burst%d" % i, 15000))
        first = at if first is None else first
        frames.append(x)
    packets += on(g, "A", frames, first, cuts=1)
    # in pieces, out of order, over both, with 4-octet numbers
    at1, x1 = put("A", peer.octets("x1", 5000))
    at2, x2 = put("A", peer.octets("x2", 4000))
    one, two = on(f, "A", [x1], at1, wide=False, cuts=4), \
        on(g, "A", [x2], at2, cuts=3)
    packets += [two[0], one[0], two[2], one[3], one[1], two[1], one[2],
                one[1]]
    # the segment with the mapping comes behind one without
    at, x = put("A", peer.octets("late", 3000))
    late = on(g, "A", [x], at, cuts=3)
    packets += [late[1], late[0], late[2]]
    # sent again elsewhere, grouped otherwise
    again = on(g, "A", [x1, x2], at1, cuts=2)
    packets += again
    # one octet altered on one path, then rekeyed, then right on the other
    at3, x3 = put("A", b"third" * 100)
    bad = x3[:9] + bytes([x3[9] ^ 1]) + x3[10:]
    packets += on(g, "A", [bad], at3)
    at4, x4 = put("A", b"fourth", rekey=True)
    packets += on(g, "A", [x4], at4)
    packets += on(f, "A", [x3], at3)
    at5, x5 = put("B", peer.octets("x5", 3000))
    at6, x6 = put("B", b"", rekey=True)
    packets += on(g, "B", [x6], at6) + on(f, "B", [x5], at5)
    at7, x7 = put("B", b"end", fin=True)
    packets += on(g, "B", [x7], at7, fin=True)
    at8, x8 = put("A", b"end", fin=True)
    packets += on(f, "A", [x8], at8, fin=True)
    return packets, s.log, text


def test_two_paths():
    packets, log, text = two_paths()
    pcap, keys = save("paths", packets, log)
    shown = Shown(pcap, keys)
    for role in "AB":
        check("two paths: text of " + role, shown.text(role) == text[role],
              (len(shown.text(role)), len(text[role])))
        f = shown.frames(role)
        equal("two paths: FINp of " + role,
              [at for at in f if f[at][1]], [max(f, default=None)])
        equal("two paths: generations of " + role,
              {g for g, _, _ in f.values()}, {0, 1})
    equal("two paths: the altered frame", shown.count("bad_tag"), 1)
    equal("two paths: one connection",
          {tuple(r["tcpcrypt.stream"]) for r in shown.rows}, {("0",)})
    for bad in ("rule", "sealed_twice", "bad_frame", "lost", "not_opened"):
        equal("two paths: no " + bad, shown.count(bad), 0)
    again = fields(pcap, ["tcpcrypt.frame.first_in"], log=keys)
    equal("two paths: frames seen again",
          sum(len(r["tcpcrypt.frame.first_in"]) for r in again), 2)
    twice = Shown(pcap, keys, ["-2"])
    equal("two paths: second pass", at_once(twice.rows),
          at_once(shown.rows))
    rows = fields(pcap, ["frame.number"], "-Y",
                  "tcpcrypt.frame.clen > 15000", log=keys)
    equal("filter by clen", len(rows), 1)
    # other octets at a place that had some
    s, f = Sealed(), Flow()
    packets = s.handshake(f)
    for data in (b"one", b"two"):
        at = len(s.init["A"])
        s.end["A"] = at
        at, x = s.seal("A", data)
        packets.append(f.seg("A", x, [s.dss("A", at, f.nxt["A"], len(x))]))
    shown = Shown(*save("sealed-twice", packets, s.log))
    equal("sealed twice", shown.count("sealed_twice"), 1)


def test_wrapped():
    """Data sequence numbers whose lower half wraps, of 8 and of 4 octets."""
    key = next(k for k in (i.to_bytes(8, "big") for i in range(1 << 20))
               if smtcp.token_idsn(k)[1] & 0xffffffff > 0xffff0000)
    for wide in (True, False):
        s, f = Sealed(key_a=key), Flow()
        packets, text = s.handshake(f), b""
        for i in range(20):
            data = peer.octets(str(i), 7000)
            text += data
            at, x = s.seal("A", data)
            packets.append(f.seg("A", x, [s.dss("A", at, f.nxt["A"], len(x),
                                                wide=wide)]))
        shown = Shown(*save("wrapped", packets, s.log))
        equal("data sequence numbers wrap", (shown.text("A") == text,
                                             shown.count("bad_tag")),
              (True, 0))


def test_overlap():
    """A segment that begins before the stream does."""
    s, f = Sealed(), Flow()
    packets = s.handshake(f)
    one = s.init["A"]
    packets[2] = f.seg("A", b"x" + one, [smtcp.mp_capable(s.keys, len(one)),
                                         eno.option(b"")], rel=0)
    at, x = s.seal("A", b"data")
    at2, y = s.seal("A", b"more")
    packets += [f.seg("A", x, [s.dss("A", at, 80, len(x))]),
                f.seg("A", x + y, [s.dss("A", at2, 80 + len(x), len(y))],
                      rel=80)]
    pcap, keys = save("overlap", packets, s.log)
    equal("overlap: text", Shown(pcap, keys).text("A"), b"datamore")
    rows = fields(pcap, ["tcpcrypt.init.nonce", "tcpcrypt.frame.ciphertext"],
                  log=keys)
    equal("overlap: nonce", rows[2]["tcpcrypt.init.nonce"],
          [one[15:47].hex()])
    equal("overlap: frames", [r["tcpcrypt.frame.ciphertext"]
                              for r in rows[4:]],
          [[x[3:].hex()], [y[3:].hex()]])


def test_plugin():
    """As plugins, where Wireshark loads each file of the folder."""
    talk = Talk("smtcp", (10, 10))
    pcap, keys = save("plugin", talk.packets, talk.log)
    out = subprocess.run(["tshark", "-G", "folders"], capture_output=True,
                         check=True).stdout.decode()
    where = next(line.split("\t")[1] for line in out.splitlines()
                 if line.startswith("Personal Lua Plugins:"))
    own = where.startswith(os.path.abspath(DIR[0]) + os.sep)
    check("run.sh keeps this user's plugins away", own, where)
    if not own:
        return
    shutil.rmtree(where, ignore_errors=True)
    for name in ("tcpcrypt.lua", "tcpcrypt"):
        source = os.path.join(os.path.dirname(SCRIPT), name)
        to = os.path.join(where, name)
        os.makedirs(where, exist_ok=True)
        (shutil.copytree if os.path.isdir(source) else shutil.copy)(source, to)
    run = subprocess.run(["tshark", "-r", pcap, "-o", "tcpcrypt.keylog:" +
                          keys, "-Y", "tcpcrypt.decrypted"],
                         capture_output=True, check=False)
    shutil.rmtree(where)
    text = (run.stdout + run.stderr).decode()
    equal("as plugins", (run.returncode, text.count("10 octets decrypted"),
                         "Lua" in text), (0, 2, False))


def test_mapping_rules():
    s, f = Sealed(), Flow()
    packets = s.handshake(f)
    at, x = s.seal("A", b"whole")
    at2, y = s.seal("A", b"cut by its mapping")
    packets += [f.seg("A", x + y, [s.dss("A", at, f.nxt["A"],
                                         len(x + y) - 4)])]
    at, z = s.seal("B", b"tail")
    packets += [f.seg("B", z + b"\0\0", [s.dss("B", at, f.nxt["B"],
                                              len(z) + 2)])]
    shown = Shown(*save("mapping", packets, s.log))
    equal("mapping not of whole frames", (shown.count("bad_frame"),
                                          shown.text("A"), shown.text("B")),
          (2, b"whole", b"tail"))
    # rules that verified frames break
    for name, frames in (
            ("behind FINp", ((b"a", {"fin": True}), (b"b", {}))),
            ("rekey twice", ((b"a", {"rekey": True}), (b"b", {}))),):
        s, f = Sealed(), Flow()
        packets = s.handshake(f)
        for data, more in frames:
            if name == "rekey twice" and not more:
                s.sealer["A"].gen -= 1
                more = {"rekey": True}
            at, x = s.seal("A", data, **more)
            packets.append(f.seg("A", x, [s.dss("A", at, f.nxt["A"],
                                                len(x))]))
        shown = Shown(*save("rule", packets, s.log))
        equal(name, (shown.count("rule"), shown.text("A")), (1, b"ab"))


def test_fallback():
    """DSS stripped: the identity mapping, with the frames of SMTCP."""
    for name, where in (("A's others", test_self.later((0,))),
                        ("B's others", test_self.later((1,))),
                        ("all others", test_self.later((0, 1))),
                        ("SYN", test_self.syn), ("SYN/ACK", test_self.synack)):
        talk = Talk("smtcp", rekey=2, frame=1000, backlog=5000,
                    change=test_self.stripper(smtcp.KIND, where))
        pcap, keys = save("fallback", talk.packets, talk.log)
        shown = Shown(pcap, keys)
        for role in "AB":
            equal("without MPTCP from %s: %s" % (name, role),
                  shown.text(role) == talk.sent[role], True)
        equal("without MPTCP from %s" % name, shown.count("bad_tag"), 0)


# keys

def test_keys():
    for mode in ("tcpcrypt", "smtcp"):
        talk = Talk(mode, (5000, 5000), frame=1000)
        other = Talk(mode, (10, 10))
        pcap, keys = save("keys", talk.packets, talk.log)
        n = Shown(pcap, keys).count("verified")
        for name, log, why in (
                ("none", None, "no key log"),
                ("other", other.log, "not in the key log"),
                ("garbage", "TCPCRYPT_MK0 zz\n\n#\n\0\xff" * 50 + "TCPCRYPT",
                 "not in the key log")):
            path2 = None
            if log is not None:
                path2 = path("keys2")
                with open(path2, "w", encoding="latin1") as f:
                    f.write(log)
            shown = Shown(pcap, path2)
            equal("%s, log %s" % (mode, name),
                  (shown.count("decrypted"), shown.count("bad_tag"),
                   shown.count("not_opened"), shown.first("not_opened")[0]),
                  (0, 0, n, why))
        shown = Shown(pcap, path("no-such-file"))
        check("%s, log not there" % mode, "cannot be read" in
              shown.first("not_opened")[0], shown.first("not_opened"))
        # an altered mk0: all tags are wrong
        parts = talk.log.split()
        other = "00" if parts[4][:2] != "00" else "01"
        wrong = " ".join(parts[:4] + [other + parts[4][2:], parts[5]]) + "\n"
        wrong_keys = save("keys3", [], wrong)[1]
        shown = Shown(pcap, wrong_keys)
        equal("%s, wrong log" % mode,
              (shown.count("decrypted"), shown.count("bad_tag")), (0, n))
        # both, and twice: the right one is found
        for text in (wrong + talk.log, talk.log + wrong, talk.log * 2,
                     talk.log.rstrip(), talk.log.upper().replace(
                         " AB ", " ab ")):
            shown = Shown(pcap, save("keys4", [], text)[1])
            equal("%s, log of %d lines" % (mode, text.count("\n")),
                  (shown.text("A") == talk.sent["A"], shown.count("bad_tag")),
                  (True, 0))
        unknown = " ".join(parts[:2] + ["0077"] + parts[3:]) + "\n"
        shown = Shown(pcap, save("keys5", [], unknown)[1])
        equal("%s, unknown cipher" % mode, shown.first("not_opened")[0],
              "cipher 0x0077 is not known")


def test_growing():
    """A key log that grows while the capture is read."""
    talk = Talk("smtcp", (3000, 3000), frame=500)
    pcap, keys = save("growing", talk.packets, "")
    with open(pcap, "rb") as f:
        octets = f.read()
    half = 24 + sum(16 + len(p) for p in talk.packets[:8])
    cmd = ["tshark", "-l", "-n", "-X", "lua_script:" + SCRIPT, "-r", "-",
           "-o", "tcpcrypt.keylog:" + keys, "-T", "fields", "-e",
           "tcpcrypt.verified", "-e", "tcpcrypt.not_opened"]
    with subprocess.Popen(cmd, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as run:
        run.stdin.write(octets[:half])
        run.stdin.flush()
        # until it has missed the keys once
        while b"not in" not in run.stdout.readline():
            check("key log: tshark runs", run.poll() is None)
            if run.poll() is not None:
                return
        with open(keys, "w", encoding="ascii") as f:
            f.write(talk.log)
        time.sleep(1.1)
        run.stdin.write(octets[half:])
        run.stdin.close()
        rest = run.stdout.read().decode()
    check("key log: read again when it has grown",
          rest.count("1") >= 5 and "not in" not in
          "".join(rest.splitlines(True)[6:]), rest)


# captures that are not whole

def test_incomplete():
    for mode in ("tcpcrypt", "smtcp"):
        talk = Talk(mode, frame=1200)
        for snap in (60, 100, 200, 900):
            shown = Shown(*save("snap", talk.packets, talk.log, snap=snap))
            equal("%s cut at %d" % (mode, snap), shown.count("bad_tag"), 0)
        # without the SYNs: the Init message shows that it is one
        shown = Shown(*save("nosyn", talk.packets[2:], talk.log))
        for role in "AB":
            equal("%s without SYNs, %s" % (mode, role),
                  shown.text(role) == talk.sent[role], True)
        shown = Shown(*save("noinit", talk.packets[:2] + talk.packets[6:],
                            talk.log))
        equal("%s without Init" % mode,
              (shown.count("decrypted"), shown.count("bad_tag")), (0, 0))
        # every 17th packet is missing
        packets = [p for i, p in enumerate(talk.packets) if i % 17 != 16]
        shown = Shown(*save("holes", packets, talk.log))
        for role in "AB":
            frames = shown.frames(role)
            want = talk.sent[role]
            whole = sum(len(x[2]) for x in frames.values())
            for _, _, data in frames.values():
                check("%s with holes" % mode, data in want)
            if mode == "smtcp":
                # each mapping stands for itself
                check("SMTCP goes on behind holes, %s" % role,
                      whole > len(want) * 2 // 3, whole)
        equal("%s with holes: no wrong tags" % mode,
              shown.count("bad_tag"), 0)


def test_single_nosyn():
    """TEP 0x20 on a single stream: only the key log tells that it is that."""
    for rekey in (0, 2):
        talk = Talk("smtcp", mptcp=False, rekey=rekey, frame=1200,
                    backlog=5000)
        shown = Shown(*save("single", talk.packets[2:], talk.log))
        for role in "AB":
            equal("single stream without SYNs, %d, %s" % (rekey, role),
                  shown.text(role) == talk.sent[role], True)
        equal("single stream without SYNs, %d: mode" % rekey,
              shown.rows[-1]["tcpcrypt.mode"], ["SMTCP, single stream"])


def test_many():
    """Many connections at once, their packets mixed."""
    lists, log, want = [], "", {}
    for i in range(120):
        mode = ("smtcp", "tcpcrypt")[i % 2]
        if i < 12:
            talk = Talk(mode, (700 + i, 300), aeads=[test_self.AEADS[i % 3]],
                        frame=400)
            base = talk
            log += talk.log
            lists.append([move(p, 41000 + i) for p in talk.packets])
            want[str(i)] = talk.sent["A"]
        else:
            # the others never get keys
            lists.append([move(p, 41000 + i) for p in base.packets[:12]])
    packets = []
    while any(lists):
        for one in lists:
            if one:
                packets.append(one.pop(0))
    shown = Shown(*save("many", packets, log))
    for stream, text in want.items():
        equal("many, %s" % stream, shown.text("A", stream) == text, True)


def test_rubbish():
    """Whatever is in the packets: no error of Lua."""
    rnd = random.Random(5)
    sources = [two_paths()[:2]]
    for mode in ("tcpcrypt", "smtcp"):
        talk = Talk(mode, (4000, 3000), frame=700, rekey=2, backlog=3000)
        sources.append((talk.packets, talk.log))
    packets, log = [], ""
    for turn in range(40):
        source, line = sources[turn % len(sources)]
        log += line
        for p in source[:60]:
            kind = rnd.random()
            p = bytearray(p)
            if kind < 0.1:
                continue
            if kind < 0.5:
                for _ in range(rnd.randrange(1, 4)):
                    at = rnd.randrange(20, min(len(p), 120))
                    p[at] = rnd.randrange(256)
            elif kind < 0.55:
                p = p[:rnd.randrange(20, len(p))]
            p[12:16] = bytes([10, 0, turn, p[15]])
            p[16:20] = bytes([10, 0, turn, p[19]])
            packets.append(bytes(p))
            if rnd.random() < 0.05:
                packets.append(packets[rnd.randrange(len(packets))])
    pcap, keys = save("rubbish", packets, log)
    for more in ([], ["-2"], ["-V"]):
        text = tshark(pcap, *more, log=keys)
        check("rubbish %s" % more, len(text) > 1000)
    shown = Shown(pcap, keys)
    equal("rubbish", shown.count("internal"), 0)
    check("some of it is decrypted", shown.count("decrypted") > 20)


def test_ciphers():
    """AEADs by themselves, with octets that make the largest carries."""
    rnd = random.Random(2)
    lines = ["return {"]
    for aead, (size, cls) in kdf.AEADS.items():
        for n in list(range(0, 70)) + [255, 256, 257, 1400, 16364, 65518]:
            full = n % 7 == 0
            key, nonce, head, text = (
                b"\xff" * k if full and k != 12 else rnd.randbytes(k)
                for k in (size, 12, n % 20, n))
            lines.append('{ %d, "%s", "%s", "%s", "%s", "%s" },' % (
                aead, key.hex(), nonce.hex(), head.hex(),
                cls(key).encrypt(nonce, text, head).hex(), text.hex()))
    with open(path("aeads.lua"), "w", encoding="ascii") as f:
        f.write("\n".join(lines + ["}\n"]))
    out = subprocess.run(
        ["tshark", "-X", "lua_script:" + os.path.join(HERE, "aeads.lua"),
         "-X", "lua_script1:" + os.path.dirname(SCRIPT),
         "-X", "lua_script1:" + path("aeads.lua"), "-r",
         save("none", [])[0]], capture_output=True, check=False)
    text = (out.stdout + out.stderr).decode()
    check("AEADs", "%d right" % (len(lines) - 1) in text and
          "wrong" not in text, text)


TESTS = test_eno.TESTS + (
    test_sessions, test_passes, test_resumed, test_role_swap, test_vectors,
    test_two_paths, test_wrapped, test_overlap, test_mapping_rules,
    test_fallback, test_keys, test_growing, test_incomplete,
    test_single_nosyn, test_many, test_rubbish, test_ciphers, test_plugin)


def main():
    DIR[0] = sys.argv[1]
    names = sys.argv[2:]
    for t in TESTS:
        if not names or t.__name__[5:] in names:
            t()
    print("dissector: %d passed, %d failed" % (COUNT[True], COUNT[False]))
    return 1 if COUNT[False] or not COUNT[True] else 0


if __name__ == "__main__":
    sys.exit(main())
