#!/usr/bin/env python3
"""A program under attack: sends a stream, checks the one it receives.

usage: app.py serve|call ADDR PORT REPORT EXPECT STEP...

A STEP is N@SECONDS, N records and a pause after each; got, wait until all that
is expected was received; or eof, until what comes in has ended.  The write
side is shut after the last.  EXPECT is the number of records that the peer
sends.  REPORT becomes one JSON object when the connection is over; `serve`
makes REPORT.up when it listens.
"""

import errno
import json
import os
import socket
import sys
import threading
import time

import stream

LIMIT = 20.0


def send(sock, who, steps, waits, report):
    index = 0
    try:
        for step in steps:
            if step in waits:
                waits[step].wait(LIMIT)
            else:
                count, pause = step.split("@")
                for _ in range(int(count)):
                    sock.sendall(stream.record(who, index))
                    index += 1
                    if float(pause):
                        time.sleep(float(pause))
        sock.shutdown(socket.SHUT_WR)
    except OSError as e:
        report["send_error"] = errno.errorcode.get(e.errno, str(e))
    report["sent"] = index * stream.RECORD


def receive(sock, expect, waits, report):
    data = bytearray()
    try:
        while True:
            piece = sock.recv(65536)
            if not piece:
                report["eof"] = True
                break
            data += piece
            if len(data) >= expect:
                waits["got"].set()
    except OSError as e:
        report["error"] = errno.errorcode.get(e.errno, str(e))
    for w in waits.values():
        w.set()
    return bytes(data)


def judge(data, who, expect, report):
    """What arrived, beside what was sent."""
    want = stream.octets(who, 0, max(expect, len(data)))
    same = data == want[:len(data)]
    size = stream.RECORD
    report["again"] = sum(data[i:i + size] == want[i - size:i]
                          for i in range(size, len(data), size))
    report.update(received=len(data), expected=expect,
                  right=same and len(data) == expect,
                  evil=data.count(stream.EVIL))
    if not same:
        at = next(i for i, (a, b) in enumerate(zip(data, want)) if a != b)
        seen = data[at:at + 17].decode("ascii", "replace")
        report.update(first_wrong=at, found="".join(
            x if x.isprintable() else "." for x in seen))


def connection(role, addr, port, path):
    """The connection, and the listener: the kernel takes joins by it."""
    sock = socket.socket()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.settimeout(LIMIT)
    if role == "call":
        sock.connect((addr, port))
        return sock, None
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((addr, port))
    sock.listen(4)
    open(path + ".up", "w").close()
    return sock.accept()[0], sock


def main():
    role, addr, port, path = sys.argv[1:5]
    expect = int(sys.argv[5]) * stream.RECORD
    waits = {"eof": threading.Event(), "got": threading.Event()}
    me, peer = ("s", "c") if role == "serve" else ("c", "s")
    report = {"eof": False, "error": None, "send_error": None,
              "received": 0, "evil": 0, "right": False}
    try:
        sock, _door = connection(role, addr, int(port), path)
        report["connected"] = True
        sock.settimeout(LIMIT)
        sender = threading.Thread(target=send, args=(
            sock, me, sys.argv[6:], waits, report))
        sender.start()
        data = receive(sock, expect, waits, report)
        sender.join()
        judge(data, peer, expect, report)
        sock.close()
    except OSError as e:
        report["error"] = errno.errorcode.get(e.errno, str(e))
    with open(path + ".new", "w", encoding="ascii") as out:
        json.dump(report, out)
    os.rename(path + ".new", path)


main()
