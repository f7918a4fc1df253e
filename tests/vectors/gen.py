#!/usr/bin/env python3
"""gen.py > suites.txt - vectors for tcpcrypt (RFC 8548) and SMTCP (smtcp(7))

A model of the key schedule and of frames that shares no code with the stack;
it needs the Python package cryptography.  Each TEP with each AEAD, fresh and
resumed, plain and SMTCP.  Private keys and nonces are fixed patterns.
"""
import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.asymmetric import ec, x25519, x448
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY_A = bytes.fromhex("0102030405060708")
KEY_B = bytes.fromhex("1112131415161718")
MPC = (bytes([30, 4, 1, 1]) + bytes([30, 12, 1, 1]) + KEY_B + KEY_A + KEY_B)
AEADS = {1: (AESGCM, 16), 2: (AESGCM, 32), 0x10: (ChaCha20Poly1305, 32)}
NAMES = {1: "aes128gcm", 2: "aes256gcm", 0x10: "chacha20poly1305"}
TEPS = {0x21: "p256", 0x22: "p521", 0x23: "x25519", 0x24: "x448"}
NA, NB = bytes([0xA0] * 32), bytes([0xB0] * 32)


def show(name, value):
    print(name, value.hex() if value else "-")


def mac(key, msg):
    return hmac.new(key, msg, hashlib.sha256).digest()


def cprf(key, const, n):
    t = out = b""
    i = 1
    while len(out) < n:
        t = mac(key, t + const + bytes([i]))
        out += t
        i += 1
    return out[:n]


class Okp:
    def __init__(self, mod, name, first, n):
        cls = getattr(mod, name + "PrivateKey")
        self.peer = getattr(mod, name + "PublicKey")
        self.priv = bytes((first + i) & 255 for i in range(n))
        self.key = cls.from_private_bytes(self.priv)
        self.pub = self.key.public_key().public_bytes(Encoding.Raw,
                                                      PublicFormat.Raw)

    def agree(self, pub):
        return self.key.exchange(self.peer.from_public_bytes(pub))


class Curve:
    def __init__(self, curve, first, n):
        # the top octet is kept below the order's
        self.priv = bytes([0] + [(first + i) & 255 for i in range(1, n)])
        self.curve = curve
        self.key = ec.derive_private_key(int.from_bytes(self.priv, "big"),
                                         curve)
        pt = self.key.public_key().public_bytes(Encoding.X962,
                                                PublicFormat.CompressedPoint)
        self.pub = struct.pack("!H", len(pt) + 2) + pt

    def agree(self, pub):
        peer = ec.EllipticCurvePublicKey.from_encoded_point(self.curve, pub[2:])
        return self.key.exchange(ec.ECDH(), peer)


def pair(tep):
    mk = {0x21: lambda f: Curve(ec.SECP256R1(), f, 32),
          0x22: lambda f: Curve(ec.SECP521R1(), f, 66),
          0x23: lambda f: Okp(x25519, "X25519", f, 32),
          0x24: lambda f: Okp(x448, "X448", f, 56)}[tep]
    return mk(0x20), mk(0x60)


def init1(ciphers, pub):
    body = bytes([len(ciphers)])
    body += b"".join(struct.pack("!H", c) for c in ciphers) + NA + pub
    return struct.pack("!II", 0x15101A0E, 8 + len(body)) + body


def init2(cipher, pub):
    body = struct.pack("!H", cipher) + NB + pub
    return struct.pack("!II", 0x097105E0, 8 + len(body)) + body


def frame(aead, key, off, flags, data, control=0, urgent=None):
    cls, klen = AEADS[aead]
    pt = bytes([flags])
    if urgent is not None:
        pt += struct.pack("!H", urgent)
    pt += data
    ad = bytes([control]) + struct.pack("!H", len(pt) + 16)
    n = (int.from_bytes(key[klen:], "big") ^ off).to_bytes(12, "big")
    return ad + cls(key[:klen]).encrypt(n, pt, ad)


def frames(aead, kab, kba, kab1, off_a, off_b, phase):
    """offset, then the frame: A's four (the last in generation 1), B's one"""
    out = []
    for flags, data, urgent in ((0, b"", None), (0, b"GET / HTTP/1.0", None),
                                (2, b"!", 0)):
        f = frame(aead, kab, off_a, flags, data, 0, urgent)
        out.append((off_a, f))
        off_a += len(f)
    f = frame(aead, kab1, off_a, 1, b"", 1 | (2 if phase else 0))
    out.append((off_a, f))
    out.append((off_b, frame(aead, kba, off_b, 1, b"bye")))
    for i, (off, f) in enumerate(out):
        print(f"frame.{i} {off} {f.hex()}")


def session(tep_byte, ss, sn, aead, off_a, off_b, smtcp):
    klen = AEADS[aead][1] + 12
    mk = cprf(ss, b"\x03" + sn, 32)
    mk1 = cprf(mk, b"\x03", 32)
    kab, kba = cprf(mk, b"\x04", klen), cprf(mk, b"\x05", klen)
    kab1 = cprf(mk1, b"\x04", klen)
    show("mk0", mk)
    show("k_ab0", kab)
    show("k_ba0", kba)
    show("mk1", mk1)
    show("k_ab1", kab1)
    show("k_ba1", cprf(mk1, b"\x05", klen))
    show("session_id", bytes([tep_byte]) + cprf(ss, b"\x02" + sn, 32))
    if smtcp:
        show("sk", cprf(ss, b"\x10" + sn, 80))
    frames(aead, kab, kba, kab1, off_a, off_b, smtcp)


def suite(kx, aead, smtcp):
    a, b = pair(kx)
    es = a.agree(b.pub)
    assert es == b.agree(a.pub)
    name = f"{TEPS[kx]}_{NAMES[aead]}" + ("_smtcp" if smtcp else "")
    print(f"\n[{name}]")
    i1, i2 = init1([1, 2, 0x10], a.pub), init2(aead, b.pub)
    if smtcp:
        o = bytes([0x53, 0x4D, 0x40 | kx - 0x20])
        ea = bytes([69, 6, 0xA0]) + o
        eb = bytes([69, 7, 1, 0xA0]) + o
        mpc, tep_byte = MPC, 0xA0
    else:
        ea, eb = bytes([69, 3, kx]), bytes([69, 4, 1, kx])
        mpc, tep_byte = b"", kx
    for n, v in (("priv_A", a.priv), ("priv_B", b.priv), ("eno_A", ea),
                 ("eno_B", eb), ("mpc", mpc), ("Init1", i1), ("Init2", i2),
                 ("ES", es)):
        show(n, v)
    ss = mac(NA, ea + eb + mpc + i1 + i2 + es)
    show("ss0", ss)
    session(tep_byte, ss, b"", aead, len(i1), len(i2), smtcp)
    ss1 = cprf(ss, b"\x01", 32)
    rid = cprf(ss1, b"\x06", 18)
    print(f"\n[{name}_resumed]")
    na, nb = bytes(range(0xD0, 0xD8)), bytes(range(0xE0, 0xE8))
    if smtcp:
        nb = nb[:3]
        o = bytes([0x53, 0x4D, 0xC0 | kx - 0x20])
        sa, sb = bytes([0xA0]) + o + rid[:9] + na, bytes([0xA0]) + o + rid[9:] + nb
        tep_byte = 0xA0
    else:
        sa, sb = bytes([0x80 | kx]) + rid[:9] + na, bytes([0x80 | kx]) + rid[9:] + nb
        tep_byte = 0x80 | kx
    ea = bytes([69, 2 + len(sa)]) + sa
    eb = bytes([69, 3 + len(sb), 1]) + sb
    sn = hashlib.sha256(ea + eb + mpc).digest() if smtcp else na + nb
    for n, v in (("ss1", ss1), ("resume", rid), ("eno_A", ea), ("eno_B", eb),
                 ("mpc", mpc), ("sn", sn), ("ss2", cprf(ss1, b"\x01", 32))):
        show(n, v)
    session(tep_byte, ss1, sn, aead, 0, 0, smtcp)


print("# made by gen.py: name and octets; frame.N: offset and octets; - is empty")
for kx in TEPS:
    for aead in AEADS:
        suite(kx, aead, False)
        suite(kx, aead, True)
