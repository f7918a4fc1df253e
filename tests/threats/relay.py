#!/usr/bin/env python3
"""T08, T10: what is led to this program goes on from an address of its own, as
through a NAT, so that the server's answers come here too.  It reads what
passes, and alters an octet of each subflow, with a correct TCP checksum.

usage: relay.py TUN PORT ALIAS REPORT [SERVER]   until SIGTERM; makes REPORT.up

What comes for PORT at ALIAS goes to PORT at SERVER.
"""

import json
import select
import signal
import sys
import time

import stream
import wire

AFTER = 60000   # octets of a subflow that pass before one is altered
ALTERED_MAX = 3


class Flow:
    """One subflow: whose it is, and what it carried towards the client."""

    def __init__(self, client):
        self.client = client
        self.payload = 0
        self.altered = False


class Relay:
    def __init__(self, port, alias, server):
        self.port, self.alias, self.server = port, alias, server
        self.flows = {}
        self.report = {"joins": 0, "payload": 0, "payload_up": 0, "read": 0,
                       "altered": 0, "plaintext_altered": 0, "resets": 0,
                       "reset_reasons": []}

    def alter(self, flow, seg):
        """A word the attacker knows, or else any octet."""
        self.report["altered"] += 1
        flow.altered = True
        if stream.WORD in seg.data:
            self.report["plaintext_altered"] += 1
            seg.data = seg.data.replace(stream.WORD, stream.EVIL, 1)
        else:
            at = len(seg.data) // 2
            seg.data = seg.data[:at] + bytes([seg.data[at] ^ 0x20]) + \
                seg.data[at + 1:]

    def look(self, seg):
        """Notes what can be seen from outside."""
        if seg.flags & wire.RST:
            self.report["resets"] += 1
            self.report["reset_reasons"].append(seg.rst_reason())
        self.report["read"] += stream.readable(seg.data)

    def up(self, seg):
        if seg.flags & wire.SYN and seg.mptcp(wire.JOIN) and \
                seg.sport not in self.flows:
            self.flows[seg.sport] = Flow(seg.src)
            self.report["joins"] += 1
        if seg.sport not in self.flows:
            return None
        self.look(seg)
        self.report["payload_up"] += len(seg.data)
        seg.src = self.alias
        if self.server:
            seg.dst = self.server
        return seg

    def down(self, seg):
        flow = self.flows.get(seg.dport)
        if not flow or seg.dst != self.alias:
            return None
        self.look(seg)
        self.report["payload"] += len(seg.data)
        flow.payload += len(seg.data)
        if len(seg.data) > 200 and flow.payload > AFTER and \
                not flow.altered and self.report["altered"] < ALTERED_MAX:
            self.alter(flow, seg)
        seg.dst = flow.client
        if self.server:
            seg.src = self.alias
        return seg

    def packet(self, pkt):
        seg = wire.Segment.parse(pkt)
        if seg and seg.dport == self.port:
            return self.up(seg)
        return self.down(seg) if seg and seg.sport == self.port else None


def main():
    dev, port, alias, out = sys.argv[1:5]
    tun = wire.tun(dev)
    relay = Relay(int(port), alias, sys.argv[5] if len(sys.argv) > 5 else "")
    going = [True]
    signal.signal(signal.SIGTERM, lambda *_: going.clear())
    open(out + ".up", "w").close()
    end = time.monotonic() + 30
    while going and time.monotonic() < end:
        if select.select([tun], [], [], 0.1)[0]:
            seg = relay.packet(tun.read(65535))
            if seg:
                tun.write(seg.pack())
    with open(out, "w", encoding="ascii") as f:
        json.dump(relay.report, f)


main()
