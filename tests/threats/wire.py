"""Packets as an attacker reads and forges them: IPv4, TCP, MPTCP options."""

import fcntl
import hashlib
import hmac
import socket
import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
NOP, MSS, WSCALE, STAMPS, MPTCP, ENO = 1, 2, 3, 8, 30, 69
CAPABLE, JOIN, DSS, TCPRST = 0, 1, 2, 8


def csum(data, start=0):
    if len(data) & 1:
        data += b"\0"
    total = start + sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def tun(name):
    """The packets that the kernel routes to a TUN device, as a file."""
    dev = open("/dev/net/tun", "r+b", buffering=0)
    fcntl.ioctl(dev, 0x400454ca, struct.pack("16sH22x", name.encode(), 0x1001))
    return dev


def split_options(raw):
    out = []
    i = 0
    while i < len(raw) and raw[i] != 0:
        if raw[i] == NOP:
            i += 1
            continue
        if i + 1 >= len(raw) or raw[i + 1] < 2 or i + raw[i + 1] > len(raw):
            break
        out.append(bytes(raw[i:i + raw[i + 1]]))
        i += raw[i + 1]
    return out


class Mapping:
    """A DSS option: what it acknowledges, and what it maps."""

    def __init__(self, opt):
        flags = opt[3]
        at = 4
        self.ack = self.dsn = None
        self.sums = False
        if flags & 1:
            size = 8 if flags & 2 else 4
            self.ack = opt[at:at + size]
            at += size
        if flags & 4:
            size = 8 if flags & 8 else 4
            self.dsn = opt[at:at + size]
            at += size
            self.ssn, self.length = struct.unpack("!IH", opt[at:at + 6])
            self.sums = len(opt) >= at + 8


class Segment:
    """One TCP segment over IPv4; opts is a list of whole options."""

    def __init__(self, src, sport, dst, dport, seq=0, ack=0, flags=ACK,
                 wnd=65535, opts=(), data=b""):
        self.src, self.sport, self.dst, self.dport = src, sport, dst, dport
        self.seq, self.ack, self.flags, self.wnd = seq, ack, flags, wnd
        self.opts, self.data = list(opts), data

    @classmethod
    def parse(cls, pkt):
        """Of an IPv4 packet; None when it is not TCP, whole and not cut."""
        if len(pkt) < 40 or pkt[0] >> 4 != 4 or pkt[9] != 6:
            return None
        if struct.unpack("!H", pkt[6:8])[0] & 0x3fff:
            return None
        head = (pkt[0] & 15) * 4
        tcp = pkt[head:struct.unpack("!H", pkt[2:4])[0]]
        if len(tcp) < 20:
            return None
        sport, dport, seq, ack, off, flags, wnd = struct.unpack(
            "!HHIIBBH", tcp[:16])
        off = (off >> 4) * 4
        return cls(socket.inet_ntoa(pkt[12:16]), sport,
                   socket.inet_ntoa(pkt[16:20]), dport, seq, ack, flags, wnd,
                   split_options(tcp[20:off]), bytes(tcp[off:]))

    def pack(self):
        opts = b"".join(self.opts)
        opts += bytes([NOP]) * (-len(opts) % 4)
        head = struct.pack("!HHIIBBHHH", self.sport, self.dport,
                           self.seq & 0xffffffff, self.ack & 0xffffffff,
                           (20 + len(opts)) << 2, self.flags, self.wnd, 0, 0)
        tcp = bytearray(head + opts + self.data)
        src, dst = socket.inet_aton(self.src), socket.inet_aton(self.dst)
        pseudo = src + dst + struct.pack("!HH", 6, len(tcp))
        tcp[16:18] = struct.pack("!H", csum(pseudo + bytes(tcp)))
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0x4000,
                         60, 6, 0, src, dst)
        return ip[:10] + struct.pack("!H", csum(ip)) + ip[12:] + bytes(tcp)

    def opt(self, kind):
        return next((o for o in self.opts if o[0] == kind), None)

    def mptcp(self, subtype):
        return next((o for o in self.opts
                     if o[0] == MPTCP and o[2] >> 4 == subtype), None)

    def mapping(self):
        opt = self.mptcp(DSS)
        return Mapping(opt) if opt else None

    def rst_reason(self):
        opt = self.mptcp(TCPRST)
        return opt[3] if opt and self.flags & RST else None


def dss_sum(dsn, ssn, length, data):
    """The checksum of a mapping (RFC 8684 section 3.3.1)."""
    return csum(dsn.to_bytes(8, "big") + struct.pack("!IHH", ssn, length, 0)
                + data)


def dss(dsn, ssn, length, sums=None, fin=False):
    """A mapping with an 8-octet data sequence number."""
    out = bytes([DSS << 4, 0x1c if fin else 0x0c]) + dsn.to_bytes(8, "big")
    out += struct.pack("!IH", ssn, length)
    if sums is not None:
        out += struct.pack("!H", sums)
    return bytes([MPTCP, len(out) + 2]) + out


def key_hash(key):
    """Token and initial data sequence number that a key stands for."""
    digest = hashlib.sha256(key).digest()
    return digest[:4], int.from_bytes(digest[-8:], "big")


def join_hmac(key_x, key_y, rand_x, rand_y):
    return hmac.digest(key_x + key_y, rand_x + rand_y, "sha256")


def near(raw, ref):
    """The 64-bit number closest to ref that ends in the octets raw."""
    bits = 8 * len(raw)
    half = 1 << (bits - 1)
    diff = (int.from_bytes(raw, "big") - ref + half) % (1 << bits) - half
    return (ref + diff) % (1 << 64)
