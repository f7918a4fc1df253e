#!/usr/bin/env python3
"""T07, first part: listens on a router's link until it has seen the keys of
one MPTCP handshake, writes them to a file, and leaves.  It never sends.

usage: eavesdrop.py IFACE PORT OUT      makes OUT.up when it listens
"""

import json
import os
import socket
import sys

import wire


def main():
    iface, port, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    ear = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    ear.bind((iface, 0x0800))
    ear.settimeout(20)
    open(path + ".up", "w").close()
    while True:
        seg = wire.Segment.parse(ear.recv(65535))
        if not seg or seg.dport != port or seg.flags & (wire.SYN | wire.RST):
            continue
        opt = seg.mptcp(wire.CAPABLE)
        if opt and len(opt) >= 20:
            break
    known = {"client": seg.src, "server": seg.dst, "port": seg.dport,
             "key_a": opt[4:12].hex(), "key_b": opt[12:20].hex()}
    with open(path + ".new", "w", encoding="ascii") as out:
        json.dump(known, out)
    os.rename(path + ".new", path)


main()
