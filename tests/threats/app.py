#!/usr/bin/env python3
"""A program under attack: sends a stream, checks the one it receives.

usage: app.py serve|call ADDR PORT REPORT EXPECT STEP...

A STEP is N@SECONDS, N records and a pause after each; eof, wait for the end
of what comes in; or tSECONDS, a pause.  The write side is shut after the last.
EXPECT is the number of records that the peer sends.  REPORT becomes one JSON
object when the connection is over; `serve` makes REPORT.up when it listens.
"""

import errno
import json
import socket
import sys
import threading
import time

import stream

LIMIT = 20.0


def send(sock, who, steps, ended, report):
    index = 0
    try:
        for step in steps:
            if step == "eof":
                ended.wait(LIMIT)
            elif step[0] == "t":
                time.sleep(float(step[1:]))
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


def receive(sock, report):
    data = bytearray()
    try:
        while True:
            piece = sock.recv(65536)
            if not piece:
                report["eof"] = True
                break
            data += piece
    except OSError as e:
        report["error"] = errno.errorcode.get(e.errno, str(e))
    return bytes(data)


def judge(data, who, expect, report):
    """What arrived, beside what was sent."""
    want = stream.octets(who, 0, max(expect, len(data)))
    same = data == want[:len(data)]
    report.update(received=len(data), expected=expect,
                  right=same and len(data) == expect,
                  evil=data.count(stream.EVIL))
    if not same:
        at = next(i for i, (a, b) in enumerate(zip(data, want)) if a != b)
        report.update(first_wrong=at, found="".join(chr(b) if 32 <= b < 127 else "."
                                     for b in data[at:at + 17]))


def connection(role, addr, port, path):
    """The connection, and the listener: the kernel takes joins by it."""
    if role == "call":
        return socket.create_connection((addr, port), timeout=LIMIT), None
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.bind((addr, port))
    door.listen(4)
    open(path + ".up", "w").close()
    door.settimeout(LIMIT)
    return door.accept()[0], door


def main():
    role, addr, port, path, expect = sys.argv[1:6]
    me, peer = ("s", "c") if role == "serve" else ("c", "s")
    report = {"eof": False, "error": None, "send_error": None,
              "received": 0, "evil": 0, "right": False}
    try:
        sock, _door = connection(role, addr, int(port), path)
        sock.settimeout(LIMIT)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ended = threading.Event()
        sender = threading.Thread(target=send, args=(
            sock, me, sys.argv[6:], ended, report))
        sender.start()
        data = receive(sock, report)
        ended.set()
        sender.join()
        judge(data, peer, int(expect) * stream.RECORD, report)
        sock.close()
    except OSError as e:
        report["error"] = errno.errorcode.get(e.errno, str(e))
    with open(path, "w", encoding="ascii") as out:
        json.dump(report, out)


main()
