"""What tshark shows with tools/tcpcrypt.lua, and how tests count."""

import os
import re
import subprocess

from captures import write_pcap

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPT = os.path.join(HERE, "../../tools/tcpcrypt.lua")
VECTORS = os.path.join(HERE, "../vectors/tcpcrypt.txt")
DIR = ["."]
COUNT = {True: 0, False: 0}
LUA_ERROR = re.compile(r"Lua:|Lua Error|lua\.error|stack traceback|"
                       r"error of this dissector")


def check(name, good, detail=""):
    COUNT[bool(good)] += 1
    if not good:
        print("FAILED %s %s" % (name, str(detail)[:700]))


def equal(name, got, want):
    check(name, got == want, "\n  got  %s\n  want %s" % (got, want))


def path(name):
    return os.path.join(DIR[0], name)


def tshark(pcap, *args, log=None, env=None):
    """What tshark prints; a complaint of Lua is a failure of the test."""
    cmd = ["tshark", "-n", "-X", "lua_script:" + SCRIPT, "-r", pcap]
    if log is not None:
        cmd += ["-o", "tcpcrypt.keylog:" + log]
    run = subprocess.run(cmd + list(args), capture_output=True, check=False,
                         env=dict(os.environ, **(env or {})))
    text = run.stdout.decode(errors="replace")
    err = run.stderr.decode(errors="replace")
    bad = LUA_ERROR.search(text + err)
    if run.returncode or bad:
        check("%s: no error" % pcap, False,
              [run.returncode, bad and bad.group(), err])
    return text


def fields(pcap, names, *args, **more):
    """A list of dicts, one for each packet; values are lists of strings."""
    cmd = ["-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E",
           "aggregator=;"]
    for n in names:
        cmd += ["-e", n]
    out = []
    for line in tshark(pcap, *cmd, *args, **more).splitlines():
        values = line.split("\t")
        out.append({n: v.split(";") if v else []
                    for n, v in zip(names, values)})
    return out


FRAME = ("frame.number", "tcpcrypt.stream", "tcpcrypt.role",
         "tcpcrypt.frame.offset", "tcpcrypt.frame.generation",
         "tcpcrypt.verified", "tcpcrypt.decrypted.len",
         "tcpcrypt.flags.finp", "tcpcrypt.decrypted", "tcpcrypt.session_id",
         "tcpcrypt.mode", "tcpcrypt.not_opened", "tcpcrypt.init1",
         "tcpcrypt.init2", "tcpcrypt.bad_tag", "tcpcrypt.rule",
         "tcpcrypt.sealed_twice", "tcpcrypt.bad_frame", "tcpcrypt.lost",
         "tcpcrypt.internal", "tcpcrypt.frame.clen")


def at_once(rows):
    """Without what only later packets tell."""
    return [{k: v for k, v in r.items() if k != "tcpcrypt.session_id"}
            for r in rows]


class Shown:
    """What tshark shows of a capture."""

    def __init__(self, pcap, log=None, args=(), env=None):
        self.rows = fields(pcap, FRAME, "-Y", "tcpcrypt", *args, log=log,
                           env=env)

    def frames(self, role, stream="0"):
        """By offset: (generation, FINp, data)."""
        out = {}
        for r in self.rows:
            if r["tcpcrypt.role"] != [role] or \
                    r["tcpcrypt.stream"] != [stream]:
                continue
            data = iter(r["tcpcrypt.decrypted"])
            opened = zip(r["tcpcrypt.decrypted.len"],
                         r["tcpcrypt.flags.finp"])
            for at, gen, good in zip(r["tcpcrypt.frame.offset"],
                                     r["tcpcrypt.frame.generation"],
                                     r["tcpcrypt.verified"]):
                if good != "1":
                    continue
                size, fin = next(opened)
                text = bytes.fromhex(next(data)) if size != "0" else b""
                assert len(text) == int(size)
                out[int(at)] = (int(gen), fin == "1", text)
        return out

    def text(self, role, stream="0"):
        f = self.frames(role, stream)
        return b"".join(f[at][2] for at in sorted(f))

    def count(self, name):
        return sum(len(r["tcpcrypt." + name]) for r in self.rows)

    def first(self, name):
        return next((r["tcpcrypt." + name] for r in self.rows
                     if r["tcpcrypt." + name]), None)


def save(name, packets, log="", **more):
    write_pcap(path(name + ".pcap"), packets, **more)
    with open(path(name + ".keys"), "w", encoding="ascii") as f:
        f.write(log)
    return path(name + ".pcap"), path(name + ".keys")


def good_talk(name, talk, shown, mode, stream="0"):
    for role in "AB":
        check("%s: text of %s" % (name, role),
              shown.text(role, stream) == talk.sent[role],
              (len(shown.text(role, stream)), len(talk.sent[role])))
        f = shown.frames(role, stream)
        equal("%s: FINp of %s" % (name, role),
              [at for at in f if f[at][1]], [max(f, default=None)])
        peer_of = talk.b if role == "A" else talk.a
        equal("%s: generation of %s" % (name, role),
              max((g for g, _, _ in f.values()), default=None), peer_of.opener.gen)
    rows = [r for r in shown.rows if r["tcpcrypt.stream"] == [stream]]
    equal(name + ": mode", {m for r in rows for m in r["tcpcrypt.mode"][:1]},
          {mode})
    equal(name + ": session id", {x for r in rows
                                  for x in r["tcpcrypt.session_id"]},
          {talk.a.sched.session_id.hex()})
    for bad in ("bad_tag", "rule", "sealed_twice", "bad_frame", "lost",
                "not_opened", "internal"):
        equal("%s: no %s" % (name, bad), shown.count(bad), 0)
