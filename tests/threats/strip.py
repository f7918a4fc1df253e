#!/usr/bin/env python3
"""T24, T25, T38: in the middle of path 1, takes options from the handshake or
changes them, and reads what passes.

usage: strip.py TUN EDIT REPORT    until SIGTERM; makes REPORT.up
"""

import json
import select
import signal
import sys
import time

import stream
import wire


def is_syn(seg):
    return seg.flags & wire.SYN and not seg.flags & wire.ACK


def is_synack(seg):
    return seg.flags & wire.SYN and seg.flags & wire.ACK


def is_later(seg):
    return not seg.flags & wire.SYN


def eno(opt):
    return opt[0] == wire.ENO


def capable(opt):
    return opt[0] == wire.MPTCP and opt[2] >> 4 == wire.CAPABLE


def mapping(opt):
    return opt[0] == wire.MPTCP and opt[2] >> 4 == wire.DSS


def gone(_):
    return None


def version0(opt):
    """MP_CAPABLE of version 0, with a key, as its SYN has one."""
    return bytes([wire.MPTCP, 12, 0, opt[3]]) + b"attacker"


def other_hash(opt):
    """Asks for a cryptographic algorithm that nobody has (flag G for H)."""
    return opt[:3] + bytes([opt[3] & ~1 | 2]) + opt[4:]


def only_tcpcrypt(opt):
    """The SYN's offer without SMTCP: what stands before a0."""
    at = opt.index(0xa0)
    return bytes([wire.ENO, at]) + opt[2:at]


def other_tep(opt):
    """The answer names plain tcpcrypt in place of SMTCP."""
    return bytes([wire.ENO, 4, opt[2], 0x23])


def aware(opt):
    """The application-aware bit of an option that came without one."""
    at = next((i for i in range(2, len(opt)) if opt[i] < 0x20), 0)
    if not at:
        return bytes([wire.ENO, len(opt) + 1, 2]) + opt[2:]
    return opt[:at] + bytes([opt[at] ^ 2]) + opt[at + 1:]


EDITS = {
    "nothing": [],
    "capable-syn": [(is_syn, capable, gone)],
    "capable-synack": [(is_synack, capable, gone)],
    "eno-syn": [(is_syn, eno, gone)],
    "eno-synack": [(is_synack, eno, gone)],
    "eno-ack": [(is_later, eno, gone)],
    "dss": [(is_later, mapping, gone)],
    "both-syn": [(is_syn, capable, gone), (is_syn, eno, gone)],
    "version0": [(is_syn, capable, version0)],
    "hash": [(is_syn, capable, other_hash)],
    "tcpcrypt-syn": [(is_syn, eno, only_tcpcrypt)],
    "tcpcrypt-synack": [(is_synack, eno, other_tep)],
    "aware-synack": [(is_synack, eno, aware)],
}


def edit(seg, rules):
    """How many options were changed or taken."""
    n = 0
    for when, what, how in rules:
        if not when(seg):
            continue
        opts = []
        for opt in seg.opts:
            new = how(opt) if what(opt) else opt
            n += new != opt
            if new:
                opts.append(new)
        seg.opts = opts
    return n


def main():
    dev, name, out = sys.argv[1:4]
    tun = wire.tun(dev)
    report = {"edited": 0, "read": 0, "payload": 0, "resets": 0,
              "reset_reasons": []}
    going = [True]
    signal.signal(signal.SIGTERM, lambda *_: going.clear())
    open(out + ".up", "w").close()
    end = time.monotonic() + 30
    while going and time.monotonic() < end:
        if not select.select([tun], [], [], 0.1)[0]:
            continue
        pkt = tun.read(65535)
        seg = wire.Segment.parse(pkt)
        if not seg:
            continue
        n = edit(seg, EDITS[name])
        report["edited"] += n
        report["payload"] += len(seg.data)
        report["read"] += stream.readable(seg.data)
        if seg.flags & wire.RST:
            report["resets"] += 1
            report["reset_reasons"].append(seg.rst_reason())
        tun.write(seg.pack() if n else pkt)
    with open(out, "w", encoding="ascii") as f:
        json.dump(report, f)


main()
