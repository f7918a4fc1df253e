#!/usr/bin/python3
"""Client against server in memory, with a clock that does not wait.

Through a good channel and through one that loses, repeats, delays, cuts and
joins segments; then with octets flipped, ends cut off and options stripped.
"""

import random
import struct
import sys

import eno
import kdf
import peer
import smtcp
import tcp
import tcpcrypt

CLIENT, SERVER = ("192.0.2.1", 40000), ("192.0.2.2", 7000)
KXS = (kdf.X25519, kdf.X448, kdf.P256, kdf.P521)
AEADS = (kdf.AES128, kdf.AES256, kdf.CHACHA)
PASSED = FAILED = 0


class Channel:
    """Two directions; change(direction, segment) may alter or drop."""

    def __init__(self, seed=0, rough=False, change=None):
        self.random = random.Random(seed)
        self.rough = rough
        self.change = change
        self.queue = []
        self.count = 0

    def put(self, now, direction, segs):
        out = []
        for seg in segs:
            seg = tcp.unpack(seg.pack())
            if self.change is not None:
                seg = self.change(direction, seg)
            if seg is not None:
                out.append(seg)
        if self.rough:
            out = self.cut(self.join(out))
        for seg in out:
            delay = 0.01
            if self.rough:
                if self.random.random() < 0.06:
                    continue
                if self.random.random() < 0.05:
                    delay += self.random.random() * 0.1
                if self.random.random() < 0.03:
                    self.add(now + delay + 0.02, direction, seg)
            self.add(now + delay, direction, seg)

    def add(self, at, direction, seg):
        self.count += 1
        self.queue.append((at, self.count, direction, seg.pack()))

    def cut(self, segs):
        out = []
        for seg in segs:
            if len(seg.data) > 1 and self.random.random() < 0.2:
                n = self.random.randrange(1, len(seg.data))
                out.append(self.copy(seg, seg.seq, seg.data[:n],
                                     seg.flags & ~tcp.FIN))
                out.append(self.copy(seg, seg.seq + n, seg.data[n:],
                                     seg.flags))
            else:
                out.append(seg)
        return out

    def join(self, segs):
        """Like segmentation offload: only where the options are equal."""
        out = []
        for seg in segs:
            last = out[-1] if out else None
            if last is not None and last.data and seg.data and \
                    last.opts == seg.opts and last.ack == seg.ack and \
                    (last.seq + len(last.data)) % (1 << 32) == seg.seq and \
                    self.random.random() < 0.5:
                out[-1] = self.copy(last, last.seq, last.data + seg.data,
                                    last.flags | seg.flags)
            else:
                out.append(seg)
        return out

    @staticmethod
    def copy(seg, seq, data, flags):
        return tcp.Segment(seg.src, seg.sport, seg.dst, seg.dport, seq,
                           seg.ack, flags, seg.wnd, seg.opts, data)

    def take(self, now):
        due = sorted(x for x in self.queue if x[0] <= now)
        self.queue = [x for x in self.queue if x[0] > now]
        return due

    def next(self):
        return min((x[0] for x in self.queue), default=None)


def run(client, server, channel, limit=120.0):
    """Both endpoints until they are done; returns their reports."""
    now = 0.0
    a = tcp.Tcp(client, CLIENT, SERVER, True, now)
    b = tcp.Tcp(server, SERVER, CLIENT, False, now)
    while now < limit and not (a.dead and b.dead):
        for _, _, direction, pkt in channel.take(now):
            (b if direction == 0 else a).input(tcp.unpack(pkt), now)
        for conn in (a, b):
            due = conn.next_timer()
            if due is not None and due <= now:
                conn.tick(now)
        channel.put(now, 0, a.out)
        channel.put(now, 1, b.out)
        a.out, b.out = [], []
        times = [t for t in (channel.next(), a.next_timer(),
                             b.next_timer()) if t is not None]
        if not times:
            break
        now = max(min(times), now + 1e-6)
    for conn in (a, b):
        if not conn.dead:
            conn.upper.error = conn.upper.error or "stuck"
    return client.report(), server.report()


def check(name, good, detail=""):
    global PASSED, FAILED
    if good:
        PASSED += 1
    else:
        FAILED += 1
        print("FAILED %s %s" % (name, detail))


def pair(mode, sizes=(30000, 50000), classes=None, **more):
    cls = peer.CLASSES[mode]
    classes = classes or (cls, cls)
    cfgs = []
    for i in (0, 1):
        own = {k: v[i] if isinstance(v, tuple) else v
               for k, v in more.items()}
        cfgs.append(tcpcrypt.Config(mode=mode, send=peer.octets(
            "%d" % i, sizes[i]), **own))
    return classes[0](cfgs[0], True, 0.0), classes[1](cfgs[1], False, 0.0)


def good(name, reports, mode, **fields):
    a, b = reports
    ok = not a["error"] and not b["error"] and a["eof"] and b["eof"] and \
        a["sent_sha256"] == b["received_sha256"] and \
        b["sent_sha256"] == a["received_sha256"] and \
        a["mode"] == b["mode"] == mode and \
        a["session_id"] == b["session_id"] and \
        (mode == "plain" or (a["role"], b["role"]) == ("A", "B")) and \
        all(a[k] == v and b[k] == v for k, v in fields.items())
    check(name, ok, reports)
    return ok


def channels():
    yield "good", Channel()
    for seed in range(4):
        yield "rough %d" % seed, Channel(seed, True)


def test_modes():
    for name, channel in channels():
        good("plain " + name, run(*pair("plain"), channel), "plain")
    for mode in ("tcpcrypt", "smtcp"):
        for kx in KXS:
            for aead in AEADS:
                for name, channel in channels():
                    name = "%s kx %d aead %d %s" % (mode, kx, aead, name)
                    r = run(*pair(mode, kxs=[kx], aeads=[aead], rekey=3,
                                  frame=1500), channel)
                    good(name, r, mode, kx=kx, aead=aead)


def test_resume():
    for mode in ("tcpcrypt", "smtcp"):
        for kx in KXS:
            for aead in AEADS:
                secrets = tcpcrypt.Secrets(), tcpcrypt.Secrets()
                seen = set()
                for i, (name, channel) in enumerate(channels()):
                    name = "resume %d %s kx %d aead %d %s" % (
                        i, mode, kx, aead, name)
                    r = run(*pair(mode, kxs=[kx], aeads=[aead], rekey=4,
                                  secrets=secrets, resume=True), channel)
                    good(name, r, mode, resumed=i > 0, aead=aead)
                    seen.add(r[0]["session_id"])
                check("session ids differ", len(seen) == 5)
        secrets = tcpcrypt.Secrets(), tcpcrypt.Secrets()
        run(*pair(mode, secrets=secrets, resume=True), Channel())
        secrets[1].items.clear()
        r = run(*pair(mode, secrets=secrets, resume=True), Channel())
        good("secret unknown to B, " + mode, r, mode, resumed=False)


def test_sizes():
    for mode in ("plain", "tcpcrypt", "smtcp"):
        for sizes in ((0, 0), (1, 0), (0, 1), (0, 40000), (40000, 0),
                      (200000, 200000)):
            for frame in (1, 16364) if max(sizes) < 100 else (700, 16364):
                for resume in (False, True):
                    secrets = tcpcrypt.Secrets(), tcpcrypt.Secrets()
                    if resume:
                        run(*pair(mode, secrets=secrets, resume=True),
                            Channel())
                    name = "%s sizes %s frame %d" % (mode, sizes, frame)
                    r = run(*pair(mode, sizes, frame=frame, secrets=secrets,
                                  resume=resume), Channel(5, True))
                    good(name, r, mode)


def test_rekey():
    for mode in ("tcpcrypt", "smtcp"):
        for rekey in ((1, 0), (0, 1), (1, 1), (2, 3)):
            for name, channel in channels():
                a, b = pair(mode, (150000, 150000), rekey=rekey, frame=1000)
                a.BACKLOG = b.BACKLOG = 8000
                r = run(a, b, channel)
                name = "rekey %s %s %s" % (mode, rekey, name)
                good(name, r, mode)
                # More than 4 where nothing is lost: all phases come round.
                least = 1 if channel.rough else 5
                check(name + " happened", a.sealer.gen >= least and
                      b.sealer.gen >= least, (a.sealer.gen, b.sealer.gen))
                # Who has sent FINp follows without a frame to show it.
                check(name + " agree", a.sealer.gen == b.sealer.gen or
                      a.fin_sealed and b.fin_sealed)


def test_mixed():
    """What the two hosts can both do is what they use."""
    a, b = pair("smtcp", mptcp=False)
    good("SMTCP offered without MP_CAPABLE", run(a, b, Channel(1, True)),
         "smtcp-single")
    a, b = pair("smtcp", mptcp=(True, False))
    good("SMTCP answered without MP_CAPABLE", run(a, b, Channel()),
         "smtcp-single")
    a, b = pair("smtcp", mptcp=False, rekey=2, frame=900)
    good("SMTCP over a single stream, rekeyed", run(a, b, Channel(2, True)),
         "smtcp-single")
    for x, y in (("smtcp", "tcpcrypt"), ("tcpcrypt", "smtcp")):
        a, b = pair(x)[0], pair(y)[1]
        good("%s to %s" % (x, y), run(a, b, Channel()), "tcpcrypt")
    a, b = pair("smtcp", kxs=([kdf.X448, kdf.X25519], [kdf.P256,
                                                       kdf.X25519]))
    good("common key agreement", run(a, b, Channel()), "smtcp",
         kx=kdf.X25519)
    a, b = pair("smtcp", aeads=([kdf.CHACHA, kdf.AES128], [kdf.AES256,
                                                           kdf.AES128]))
    good("common cipher", run(a, b, Channel()), "smtcp", aead=kdf.AES128)
    for mode in ("tcpcrypt", "smtcp"):
        a, b = pair(mode, aeads=([kdf.CHACHA], [kdf.AES256]))
        r = run(a, b, Channel())
        check("no common cipher", r[1]["error"] == "no-cipher" and
              r[0]["error"] and not r[0]["eof"], r)
        a, b = pair(mode)[0], pair("plain")[1]
        r = run(a, b, Channel())
        check("peer without ENO", r[0]["error"] == "no-encryption", r)


def stripper(kind, where, subtype=None):
    """Drop options of a kind from the segments that where() picks."""
    def change(direction, seg):
        if where(direction, seg):
            seg.opts = [o for o in seg.opts if o[0] != kind or
                        (subtype is not None and o[2] >> 4 != subtype)]
        return seg
    return change


def syn(direction, seg):
    return direction == 0 and bool(seg.flags & tcp.SYN)


def synack(direction, seg):
    return direction == 1 and bool(seg.flags & tcp.SYN)


def later(want):
    def where(direction, seg):
        return direction in want and not seg.flags & tcp.SYN
    return where


def test_stripped():
    cases = (
        ("MP_CAPABLE from SYN", smtcp.KIND, syn, "smtcp-single"),
        ("MP_CAPABLE from SYN/ACK", smtcp.KIND, synack, "smtcp-single"),
        ("MPTCP from A's other segments", smtcp.KIND, later((0,)),
         "smtcp-single"),
        ("MPTCP from B's other segments", smtcp.KIND, later((1,)),
         "smtcp-single"),
        ("MPTCP from all other segments", smtcp.KIND, later((0, 1)),
         "smtcp-single"),
    )
    for name, kind, where, mode in cases:
        r = run(*pair("smtcp", rekey=3), Channel(change=stripper(kind,
                                                                 where)))
        good(name, r, mode)
    for sizes in ((30000, 50000), (30000, 0), (0, 50000)):
        for n, direction in enumerate("AB"):
            name = "DSS from %s's segments, %s" % (direction, sizes)
            r = run(*pair("smtcp", sizes, rekey=3), Channel(change=stripper(
                smtcp.KIND, later((n,)), smtcp.DSS)))
            good(name, r, "smtcp-single")
    r = run(*pair("smtcp"), Channel(change=stripper(eno.KIND, syn)))
    check("ENO from SYN", r[0]["error"] == "no-encryption", r)
    r = run(*pair("smtcp"), Channel(change=stripper(eno.KIND, synack)))
    check("ENO from SYN/ACK", r[0]["error"] == "no-encryption", r)
    r = run(*pair("smtcp"), Channel(change=stripper(eno.KIND, later((0,)))))
    check("ENO from third ACK", r[1]["error"] == "no-encryption" and
          r[0]["error"] and not r[0]["received"], r)
    seen = []

    def late(direction, seg):
        seen.append(seg)
        return len(seen) > 100 and direction == 0
    r = run(*pair("smtcp", (200000, 200000)),
            Channel(change=stripper(smtcp.KIND, late)))
    check("DSS later", r[0]["error"] and r[1]["error"] == "no-mapping", r)


def test_altered():
    """Options of the handshake changed: the first frame is bad."""
    def change_at(where, kind, index):
        def change(direction, seg):
            if where(direction, seg):
                seg.opts = [
                    o if o[0] != kind else o[:index] +
                    bytes([o[index] ^ 0x80]) + o[index + 1:]
                    for o in seg.opts]
            return seg
        return change
    for mode, where, kind, index, name in (
            ("smtcp", syn, smtcp.KIND, 3, "flag A of MP_CAPABLE"),
            ("smtcp", syn, eno.KIND, 2, "TEP in SYN")):
        r = run(*pair(mode), Channel(change=change_at(where, kind, index)))
        check(name, r[0]["error"] and r[1]["error"] and
              not r[0]["received"] and not r[1]["received"], r)


class Flip:
    """Flip a bit of the n-th segment with data of a direction."""

    def __init__(self, direction, n, place):
        self.direction, self.n, self.place = direction, n, place
        self.seen = 0
        self.seq = None

    def __call__(self, direction, seg):
        if direction != self.direction or not seg.data:
            return seg
        self.seen += 1
        if self.seen == self.n:
            self.seq = seg.seq
        if seg.seq == self.seq:
            i = self.place % len(seg.data)
            seg.data = seg.data[:i] + bytes([seg.data[i] ^ 0x10]) + \
                seg.data[i + 1:]
        return seg


def test_flipped():
    for mode in ("tcpcrypt", "smtcp"):
        for direction in (0, 1):
            for n in (2, 3, 5, 9):
                for place in (0, 1, 2, 30, -1):
                    if mode == "tcpcrypt" and place == 1:
                        # A longer clen waits for octets that are no frame.
                        continue
                    flip = Flip(direction, n, place)
                    a, b = pair(mode, frame=1000)
                    r = run(a, b, Channel(change=flip))
                    victim = r[1 - direction]
                    name = "flipped %s %d %d %d" % (mode, direction, n,
                                                    place)
                    start = (a if direction == 0 else b).cfg.send
                    got = (b if direction == 0 else a)
                    check(name, (victim["error"] or "").startswith(
                        "bad-frame") and not victim["eof"], r)
                    check(name + " prefix", tcpcrypt.kdf.hashlib.sha256(
                        start[:got.received]).digest() == got.hash.digest())


class Truncated(tcpcrypt.Crypt):
    """Ends its TCP stream in front of the last frame."""

    def transmit(self, data, fin=False):
        if not fin:
            super().transmit(data, fin)
        else:
            self.snd_off += len(data)


class TruncatedSmtcp(smtcp.Smtcp):
    """Sends a DATA_FIN, and then FIN, without the frame with FINp."""

    def transmit(self, data, fin=False):
        if not fin:
            super().transmit(data, fin)
            return
        self.tcp.need_ack = True
        self.tcp.close()


def test_truncated():
    for mode, cls in (("tcpcrypt", Truncated), ("smtcp", TruncatedSmtcp)):
        for i in (0, 1):
            classes = [peer.CLASSES[mode]] * 2
            classes[i] = cls
            sizes = (9000, 0) if i == 0 else (0, 9000)
            r = run(*pair(mode, sizes, classes, frame=1000), Channel())
            check("truncated %s %d" % (mode, i),
                  r[1 - i]["error"] == "truncated" and not r[1 - i]["eof"] and
                  r[1 - i]["received"] == 8000, r)
    for mode in ("plain", "tcpcrypt", "smtcp"):
        seen = []

        def reset(direction, seg):
            seen.append(seg)
            if len(seen) > 10 and direction == 0:
                seg.flags, seg.data, seg.opts = tcp.RST | tcp.ACK, b"", []
            return seg
        r = run(*pair(mode, (50000, 0)), Channel(change=reset))
        check("reset " + mode, r[1]["error"] == "reset" and not r[1]["eof"],
              r)


def test_fastclose():
    class Closer(smtcp.Smtcp):
        key = None

        def deliver(self, data):
            super().deliver(data)
            if self.received > 5000:
                wire = {"good": self.sched.fc_a, "bad": self.key}
                self.tcp.abort([smtcp.fastclose(wire[self.kind])], "closed")
    for kind, want in (("good", "fastclose"), ("bad", "reset")):
        Closer.kind = kind
        r = run(*pair("smtcp", classes=(smtcp.Smtcp, Closer)), Channel())
        check("fastclose " + kind, r[0]["error"] == want, r)


def main():
    for test in (test_modes, test_resume, test_sizes, test_rekey, test_mixed,
                 test_stripped, test_altered, test_flipped, test_truncated,
                 test_fastclose):
        before = PASSED, FAILED
        test()
        print("%s: %d passed, %d failed" % (
            test.__name__, PASSED - before[0], FAILED - before[1]),
            flush=True)
    print("%d passed, %d failed" % (PASSED, FAILED))
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
