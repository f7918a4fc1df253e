#!/usr/bin/python3
"""live.py DIR - captures of two stacks, as tests/e2e/t_dissector.sh made them

DIR has c.pcapng (two connections, the second one resumed), t.pcapng (plain
tcpcrypt), keys, and srv/file, which was fetched each time.
"""

import os
import sys

from shown import COUNT, Shown, check, equal, fields

BAD = ("bad_tag", "rule", "sealed_twice", "bad_frame", "lost", "not_opened",
       "internal")


def fetched(name, shown, stream, want):
    request, answer = (shown.text(r, stream) for r in "AB")
    check(name + ": request", request.startswith(b"GET /file HTTP/1."),
          request[:80])
    head, _, body = answer.partition(b"\r\n\r\n")
    check(name + ": answer", head.startswith(b"HTTP/1.0 200 OK"), head[:80])
    check(name + ": the file", body == want, (len(body), len(want)))
    for role in "AB":
        f = shown.frames(role, stream)
        equal("%s: FINp of %s" % (name, role),
              [at for at in f if f[at][1]], [max(f, default=None)])


def main():
    def path(name):
        return os.path.join(sys.argv[1], name)
    with open(path("srv/file"), "rb") as f:
        want = f.read()
    for capture, log in (("c.pcapng", "keys"), ("c.pcapng", "server.keys"),
                         ("server.pcapng", "keys")):
        name = "%s, %s" % (capture, log)
        shown = Shown(path(capture), path(log))
        for stream in "01":
            fetched(name + ", " + stream, shown, stream, want)
            generations = {x[0] for x in shown.frames("B", stream).values()}
            if stream == "0":
                check(name + ": rekeyed", len(generations) >= 3, generations)
        modes = {r["tcpcrypt.mode"][0] for r in shown.rows
                 if r["tcpcrypt.stream"] in (["0"], ["1"])}
        equal(name + ": mode", modes, {"SMTCP"})
        equal(name + ": one key exchange, one resumed",
              len([r for r in shown.rows if r["tcpcrypt.init1"] and
                   r["tcpcrypt.stream"] in (["0"], ["1"])]), 1)
        if capture == "c.pcapng":
            for bad in BAD:
                equal("%s: %s" % (name, bad), shown.count(bad), 0)
    rows = fields(path("c.pcapng"), ("frame.interface_name",
                                     "tcpcrypt.stream"),
                  "-Y", "tcpcrypt.decrypted", log=path("keys"))
    equal("frames on both interfaces",
          {r["frame.interface_name"][0] for r in rows}, {"mp1", "mp2"})
    shown = Shown(path("t.pcapng"), path("keys"))
    fetched("tcpcrypt", shown, "0", want)
    equal("tcpcrypt: mode", {r["tcpcrypt.mode"][0] for r in shown.rows},
          {"tcpcrypt"})
    for bad in BAD:
        equal("tcpcrypt: " + bad, shown.count(bad), 0)
    print("%d passed, %d failed" % (COUNT[True], COUNT[False]))
    return 1 if COUNT[False] else 0


if __name__ == "__main__":
    sys.exit(main())
