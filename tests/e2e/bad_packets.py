#!/usr/bin/env python3
"""Writes malformed packets to a TUN device's kernel side (AF_PACKET): the stack
reads them as they are, without a virtio header that vouches for a checksum.

usage: bad_packets.py DEV SRC DST PORT     (IPv4 addresses)
"""
import random
import socket
import struct
import sys

dev, src, dst, port = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
S, D = socket.inet_aton(src), socket.inet_aton(dst)
out = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)


def send(packet, proto=0x0800):
    out.sendto(packet, (dev, proto))


def cksum(b):
    if len(b) & 1:
        b += b"\0"
    s = sum(struct.unpack(f"!{len(b) // 2}H", b))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def ip4(payload, proto=6, ihl=5, total=None, frag=0, version=4, fix=True, a=S, b=D):
    h = bytearray(struct.pack("!BBHHHBBH4s4s", version << 4 | ihl, 0,
                              total if total is not None else 20 + len(payload), 7, frag, 64, proto, 0, a, b))
    h[10:12] = struct.pack("!H", cksum(bytes(h)) if fix else 0x1234)
    return bytes(h) + payload


def tcp(flags=2, sport=5555, seq=1, ack=0, opts=b"", doff=None, payload=b"", fix=True, a=S, b=D):
    opts = opts + b"\0" * (-len(opts) % 4)
    d = doff if doff is not None else 5 + len(opts) // 4
    h = bytearray(struct.pack("!HHIIBBHHH", sport, port, seq, ack, d << 4, flags, 1000, 0, 0) + opts + payload)
    pseudo = a + b + struct.pack("!HH", 6, len(h))
    h[16:18] = struct.pack("!H", cksum(pseudo + bytes(h)) if fix else 0x4321)
    return bytes(h)


def icmp(kind, body, fix=True):
    h = bytearray(struct.pack("!BBHI", kind, 3, 0, 0) + body)
    h[2:4] = struct.pack("!H", cksum(bytes(h)) if fix else 0x1111)
    return bytes(h)


good = ip4(tcp())
for n in range(1, 20):
    send(good[:n])                                  # shorter than an IP header
for n in range(20, 40):
    send(good[:n])                                  # ... than it says
send(ip4(tcp(), version=5))
send(ip4(tcp(), ihl=4))
send(ip4(tcp(), ihl=15))
send(ip4(tcp(), total=19))
send(ip4(tcp(), total=65535))
send(ip4(tcp(), fix=False))                         # IPv4 header checksum
send(ip4(tcp(fix=False)))                           # TCP checksum
send(ip4(tcp(), frag=0x2000))                       # first fragment
send(ip4(tcp(), frag=0x0010))                       # a later one
for d in range(5):
    send(ip4(tcp(doff=d)))
send(ip4(tcp(doff=15)))
send(ip4(tcp()[:12]))
send(ip4(tcp(), proto=17))
send(ip4(tcp(), proto=255))
send(ip4(tcp(b=socket.inet_aton("198.51.100.1")), b=socket.inet_aton("198.51.100.1")))
send(ip4(tcp(a=socket.inet_aton("224.0.0.1")), a=socket.inet_aton("224.0.0.1")))
send(ip4(tcp(a=D), a=D))                            # from ourselves
send(ip4(icmp(3, good[:28], fix=False), proto=1))
send(ip4(icmp(3, good[:10]), proto=1))
send(ip4(icmp(3, ip4(tcp(sport=port), a=D, b=S)[:28]), proto=1))
for opts in (b"\x02\x00", b"\x02\x01", b"\x02\x28\x05\xb4", b"\x1e\x02", b"\x1e\x00\x00\x00", b"\x1e\x04\x01\x00",
             b"\x1e\x0c\x00\x81" + b"k" * 8, b"\x1e\x0c\x10\x02" + b"t" * 4 + b"n" * 4, b"\x1e\x03\x00",
             b"\x08\x0a\0\0\0\1\0\0\0\0" * 4, b"\x05\x0a" + b"\xff" * 8, b"\xfe\x28" + b"z" * 38):
    for flags in (0x02, 0x10, 0x12, 0x14, 0x11, 0x00, 0xff):
        send(ip4(tcp(flags=flags, opts=opts, sport=random.randrange(1024, 65535))))
v6 = struct.pack("!IHBB16s16s", 6 << 28, 8, 0, 64, socket.inet_pton(socket.AF_INET6, "fd07:1::1"),
                 socket.inet_pton(socket.AF_INET6, "fd07:1::2"))
send(v6 + b"\x00\x00" + b"\1\4\0\0\0\0" , 0x86dd)    # hop-by-hop for ever
send(v6 + b"\x2c\xff" + b"\0" * 6, 0x86dd)
send(v6[:30], 0x86dd)


def ip6(body, proto=6):
    return struct.pack("!IHBB", 6 << 28, len(body), proto, 64) + v6[8:40] + body


A6, B6 = v6[8:24], v6[24:40]


def tcp6(fix=True, payload=b""):
    h = bytearray(tcp(payload=payload))
    h[16:18] = b"\0\0"
    pseudo = A6 + B6 + struct.pack("!IHBB", len(h), 0, 0, 6)
    h[16:18] = struct.pack("!H", cksum(pseudo + bytes(h)) if fix else 0x4321)
    return bytes(h)


def frag6(off, more, body, ident, nxt=6):
    return ip6(struct.pack("!BBHI", nxt, 0, off | more, ident) + body, 44)


whole = tcp6(payload=b"x" * 100)
for n in range(1, 48):
    send(ip6(tcp6())[:n], 0x86dd)
send(ip6(tcp6(fix=False)), 0x86dd)
send(ip6(tcp6(), 17), 0x86dd)
send(ip6(b"\x06\0\x9e\4\0\0\0\0" + tcp6(), 60), 0x86dd)   # an option that must be known
send(ip6(b"\x06\0\0\1\0\0\0\0" + tcp6(), 43), 0x86dd)      # a routing header
send(frag6(0, 1, whole[:48], 1), 0x86dd)
send(frag6(40, 0, whole[40:], 1), 0x86dd)                     # overlaps
send(frag6(0, 1, whole[:47], 2), 0x86dd)                      # not by eights
send(frag6(0, 1, whole[:16], 3), 0x86dd)                      # no TCP header
send(frag6(0xfff8, 0, b"y" * 100, 4), 0x86dd)                 # too long
for i in range(300):
    send(frag6(8 * i, 1, b"z" * 1000, 100 + i), 0x86dd)       # never whole
send(frag6(48, 0, whole[48:], 5), 0x86dd)
send(frag6(0, 1, whole[:48], 5), 0x86dd)                      # a right one
rng = random.Random(4)
for _ in range(3000):
    p = bytearray(ip4(tcp(flags=rng.randrange(256), seq=rng.getrandbits(32), ack=rng.getrandbits(32),
                          opts=rng.randbytes(rng.randrange(41)), payload=rng.randbytes(rng.randrange(200)))))
    for _ in range(rng.randrange(4)):
        p[rng.randrange(len(p))] ^= 1 << rng.randrange(8)
    send(bytes(p[:rng.randrange(1, len(p) + 1)]) if rng.random() < .3 else bytes(p))
