#!/usr/bin/env python3
"""T07, second part: from a host of its own, joins a connection with the keys
that eavesdrop.py wrote, reads what is sent to it and adds octets of its own.

usage: join.py TUN ADDR KNOWN REPORT
"""

import json
import os
import select
import sys
import time

import stream
import wire

DELAY = 0.15    # the keys are used after the handshake was left alone
ENOUGH = 400000  # octets read; then the subflow is closed as if it had failed
PATIENCE = 6.0
QUIET = 0.4     # nothing more comes: the same


class Join:
    def __init__(self, dev, addr, known):
        self.dev, self.addr, self.known = dev, addr, known
        self.key_a = bytes.fromhex(known["key_a"])
        self.key_b = bytes.fromhex(known["key_b"])
        self.port = 20000 + os.getpid() % 20000
        self.token, self.idsn_b = wire.key_hash(self.key_b)
        self.idsn_a = wire.key_hash(self.key_a)[1]
        self.seq = self.iss = int.from_bytes(os.urandom(4), "big")
        self.rcv = 0
        self.rand = os.urandom(4)
        self.pieces = {}
        self.payload = self.injected = 0
        self.later = {}
        self.peer_iss, self.ack_opt = 0, b""
        self.report = {"synack": False, "hmac_b_right": False,
                       "accepted": False, "rst": False, "rst_reason": None,
                       "payload": 0, "read": 0, "injected": 0}

    def send(self, flags, opts=(), data=b""):
        seg = wire.Segment(self.addr, self.port, self.known["server"],
                           self.known["port"], self.seq, self.rcv, flags,
                           opts=opts, data=data)
        self.dev.write(seg.pack())
        self.seq += len(data) + (1 if flags & wire.SYN else 0)

    def receive(self, until):
        """The next segment of this subflow, or None when time is up."""
        while True:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.dev], [], [], left)[0]:
                return None
            seg = wire.Segment.parse(self.dev.read(65535))
            if seg and seg.dport == self.port and seg.dst == self.addr:
                if seg.flags & wire.RST:
                    self.report.update(rst=True, rst_reason=seg.rst_reason())
                return seg

    def open(self):
        """The three segments of MP_JOIN; False: no SYN/ACK."""
        syn = bytes([wire.MPTCP, 12, wire.JOIN << 4, 77]) + self.token
        opts = [bytes([wire.MSS, 4, 5, 0x78]), bytes([wire.WSCALE, 3, 7]),
                syn + self.rand]
        for _ in range(3):
            self.seq = self.iss
            self.send(wire.SYN, opts)
            seg = self.receive(time.monotonic() + 0.7)
            if seg:
                break
        answer = seg.mptcp(wire.JOIN) if seg else None
        if not seg or not seg.flags & wire.SYN or not answer:
            return False
        self.report["synack"] = True
        self.peer_iss, self.rcv = seg.seq, seg.seq + 1
        rand_b = answer[12:16]
        right = wire.join_hmac(self.key_b, self.key_a, rand_b, self.rand)
        self.report["hmac_b_right"] = right[:8] == answer[4:12]
        mine = wire.join_hmac(self.key_a, self.key_b, self.rand, rand_b)
        self.ack_opt = bytes([wire.MPTCP, 24, wire.JOIN << 4, 0]) + mine[:20]
        self.send(wire.ACK, [self.ack_opt])
        return True

    def take(self, seg):
        """In order to the subflow; what it carries goes where DSS says."""
        self.later[seg.seq] = seg
        while self.rcv % (1 << 32) in self.later:
            seg = self.later.pop(self.rcv % (1 << 32))
            self.rcv += len(seg.data)
            self.payload += len(seg.data)
            dss = seg.mapping()
            if not dss or dss.dsn is None or not dss.ssn:
                continue
            first = wire.near(dss.dsn, self.idsn_b + 1 + self.payload)
            into = (seg.seq - self.peer_iss - dss.ssn) % (1 << 32)
            at = (first + into - self.idsn_b - 1) % (1 << 64)
            self.pieces[at] = seg.data

    def data_ack(self):
        """One that says nothing new: what was read stays the client's due."""
        return bytes([wire.MPTCP, 12, wire.DSS << 4, 3]) + \
            ((self.idsn_b + 1) % (1 << 64)).to_bytes(8, "big")

    def inject(self, dss):
        """A record of ours where the server waits for the client's next."""
        dsn = wire.near(dss.ack, self.idsn_a + 1)
        at = (dsn - self.idsn_a - 1) % (1 << 64)
        data = stream.record("c", at // stream.RECORD, stream.EVIL)
        ssn = (self.seq - self.iss) % (1 << 32)
        self.send(wire.ACK | wire.PSH, [wire.dss(dsn, ssn, len(data))], data)
        self.injected += len(data)

    def live(self):
        """Reads, acknowledges and injects, until enough or reset."""
        end = time.monotonic() + PATIENCE
        while self.payload < ENOUGH:
            quiet = time.monotonic() + QUIET
            seg = self.receive(min(quiet, end) if self.payload else end)
            if not seg:
                break
            if seg.flags & wire.RST:
                return
            if seg.flags & wire.SYN:
                self.send(wire.ACK, [self.ack_opt])
                continue
            self.report["accepted"] = True
            if seg.data:
                self.take(seg)
                self.send(wire.ACK, [self.data_ack()])
            dss = seg.mapping()
            if dss and dss.ack and not self.injected:
                self.inject(dss)
        time.sleep(0.05)
        self.send(wire.RST | wire.ACK)

    def result(self):
        """Octets whose place in the stream and content are right."""
        read = sum(len(d) for at, d in self.pieces.items()
                   if stream.octets("s", at, len(d)) == d)
        self.report.update(payload=self.payload, read=read,
                           injected=self.injected)
        return self.report


def main():
    dev, addr, path, out = sys.argv[1:5]
    tun = wire.tun(dev)
    end = time.monotonic() + 20
    while not os.path.exists(path) and time.monotonic() < end:
        time.sleep(0.005)
    with open(path, encoding="ascii") as f:
        known = json.load(f)
    time.sleep(DELAY)
    join = Join(tun, addr, known)
    if join.open():
        join.live()
    with open(out, "w", encoding="ascii") as f:
        json.dump(join.result(), f)


main()
