"""Captures, key logs and what is in them, made with tests/witness.

The witness shares no code with the dissector nor with the stack.
"""

import os
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../witness"))

import eno  # noqa: E402
import kdf  # noqa: E402
import peer  # noqa: E402
import smtcp  # noqa: E402
import tcp  # noqa: E402
import tcpcrypt  # noqa: E402
import test_self  # noqa: E402

LINKTYPE_RAW = 101
SYN, ACK, PSH, FIN, RST = tcp.SYN, tcp.ACK, tcp.PSH, tcp.FIN, tcp.RST


def write_pcap(name, packets, snap=None):
    """packets: a list of octets, in order, a millisecond apart."""
    with open(name, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0,
                            snap or 262144, LINKTYPE_RAW))
        for i, p in enumerate(packets):
            cut = p[:snap] if snap else p
            f.write(struct.pack("<IIII", 1700000000 + i // 1000,
                                i % 1000 * 1000, len(cut), len(p)) + cut)


def log_line(ident, aead, mk0, session_id, way="ab"):
    return "TCPCRYPT_MK0 %s %04x %s %s %s\n" % (
        ident.hex(), aead, way, mk0.hex(), session_id.hex())


def line_of(host):
    """The key log line of a witness endpoint."""
    if host.resumed:
        ident = host.eno_a
    else:
        ident = host.nonce if host.active else host.peer_nonce
    return log_line(ident, host.sched.aead, host.sched.mks[0],
                    host.sched.session_id)


class Tap(test_self.Channel):
    """A channel that keeps what passes; lost says what to keep of it."""

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.seen = []

    def add(self, at, direction, seg):
        super().add(at, direction, seg)
        self.seen.append((at, len(self.seen), seg.pack()))

    def packets(self):
        return [p for _, _, p in sorted(self.seen)]


class Talk:
    """One connection of two witnesses; what each of them sent."""

    def __init__(self, mode, sizes=(20000, 30000), rough=None, backlog=None,
                 change=None, **more):
        self.a, self.b = test_self.pair(mode, sizes, **more)
        if backlog:
            self.a.BACKLOG = self.b.BACKLOG = backlog
        tap = Tap(rough or 0, rough is not None, change)
        self.reports = test_self.run(self.a, self.b, tap)
        self.packets = tap.packets()
        self.sent = {"A": peer.octets("0", sizes[0]),
                     "B": peer.octets("1", sizes[1])}
        self.log = line_of(self.a)
        assert not self.reports[0]["error"], self.reports
        assert line_of(self.b) == self.log


class Flow:
    """A TCP connection whose segments are written by hand."""

    def __init__(self, a=("192.0.2.1", 40000), b=("192.0.2.2", 7000),
                 isn=(0xfffff000, 5000)):
        self.ends = {"A": a, "B": b}
        self.isn = dict(zip("AB", isn))
        self.nxt = {"A": 0, "B": 0}
        self.got = {"A": 0, "B": 0}

    def seg(self, role, data=b"", opts=(), flags=ACK, rel=None):
        """The octets of a packet; rel 0 is the SYN."""
        to = "B" if role == "A" else "A"
        rel = self.nxt[role] if rel is None else rel
        size = len(data) + bool(flags & (SYN | FIN))
        self.nxt[role] = max(self.nxt[role], rel + size)
        return tcp.Segment(*self.ends[role], *self.ends[to],
                           self.isn[role] + rel,
                           self.isn[to] + self.nxt[to] if flags & ACK else 0,
                           flags, 65535, opts, data).pack()

    def open(self, opts_a, opts_b, opts_third=()):
        return [self.seg("A", b"", opts_a, SYN),
                self.seg("B", b"", opts_b, SYN | ACK),
                self.seg("A", b"", opts_third)]


class Sealed:
    """The streams of a fresh SMTCP session, sealed by the witness."""

    def __init__(self, kx=kdf.X25519, aead=kdf.AES128, magic=1, key_a=None):
        self.eno_a = eno.option(b"\x23" + eno.sub_smtcp([kx]))
        self.eno_b = eno.option(b"\x01" + eno.sub_smtcp([kx]))
        self.key = {"A": key_a or bytes(range(magic, magic + 8)),
                    "B": bytes(range(magic + 16, magic + 24))}
        self.idsn = {r: smtcp.token_idsn(self.key[r])[1] for r in "AB"}
        self.mpc_a = smtcp.mp_capable()
        self.mpc_b = smtcp.mp_capable(self.key["B"])
        self.keys = self.key["A"] + self.key["B"]
        a = kdf.Kex(kx, bytes([magic] * (56 if kx == 4 else 32)))
        b = kdf.Kex(kx, bytes([magic + 1] * (56 if kx == 4 else 32)))
        nonce = bytes([magic] * 32)
        self.init = {"A": tcpcrypt.build_init1([1, 2, 16], nonce, a.public),
                     "B": tcpcrypt.build_init2(aead, bytes(32), b.public)}
        prk = kdf.extract(nonce, self.eno_a + self.eno_b + self.mpc_a +
                          self.mpc_b + self.keys + self.init["A"] +
                          self.init["B"] + a.shared(b.public))
        self.sched = kdf.Schedule(prk, b"", 0xa0, aead)
        self.sealer = {r: tcpcrypt.Sealer(self.sched, r, True) for r in "AB"}
        self.end = {r: len(self.init[r]) for r in "AB"}
        self.log = log_line(nonce, aead, self.sched.mks[0],
                            self.sched.session_id)

    def seal(self, role, data, **more):
        """(offset, frame), the next one of the stream."""
        at = self.end[role]
        if more.get("rekey"):
            self.sealer[role].advance(self.sealer[role].gen + 1)
        frame = self.sealer[role].seal(at, data, **more)
        self.end[role] += len(frame)
        return at, frame

    def dss(self, role, offset, ssn, length, fin=False, wide=True):
        dsn = (self.idsn[role] + 1 + offset) & smtcp.MASK64
        if wide:
            return smtcp.dss(0, (dsn, ssn, length, fin))
        return bytes([30, 14, smtcp.DSS << 4, 0x04]) + struct.pack(
            "!IIH", dsn & 0xffffffff, ssn, length)

    def handshake(self, flow, data_level=True):
        """Packets up to Init2."""
        out = [flow.seg("A", b"", [self.mpc_a, self.eno_a], SYN),
               flow.seg("B", b"", [self.mpc_b, self.eno_b], SYN | ACK)]
        one, two = self.init["A"], self.init["B"]
        out += [flow.seg("A", one, [smtcp.mp_capable(self.keys, len(one)),
                                    eno.option(b"")], ACK | PSH),
                flow.seg("B", two, [self.dss("B", 0, 1, len(two))],
                         ACK | PSH)]
        return out

    def join(self, flow):
        token = smtcp.token_idsn(self.key["B"])[0]
        mac = bytes(32)
        return flow.open([smtcp.join_syn(1, token, b"\1\2\3\4")],
                         [smtcp.join_synack(1, mac, b"\4\3\2\1")],
                         [smtcp.join_ack(mac)])
