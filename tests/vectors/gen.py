#!/usr/bin/env python3
"""gen.py suites > suites.txt - vectors for tcpcrypt (RFC 8548), SMTCP (smtcp(7))
gen.py page > page.txt - those at the end of smtcp(7); gen.py mdoc: as they stand
there; gen.py check: are the files and the page what this makes?

A model of the key schedule and of frames that shares no code with the stack;
it needs the Python package cryptography.  Suites are each TEP with each AEAD,
fresh and resumed, plain and SMTCP.  Private keys and nonces are fixed patterns.
"""
import contextlib
import hashlib
import hmac
import io
import os
import socket
import struct
import sys

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


def suites():
    print("# made by gen.py: name and octets; frame.N: offset and octets; "
          "- is empty")
    for kx in TEPS:
        for aead in AEADS:
            suite(kx, aead, False)
            suite(kx, aead, True)


# --- the page ------------------------------------------------------------

DATA = b"GET / HTTP/1.0\r\n\r\n"
NONCE_A, NONCE_B = bytes(range(0xD0, 0xD8)), bytes(range(0xE0, 0xE8))


class Section:
    """lines: (name in the file, name on the page, octets)"""

    def __init__(self, tag, title, text):
        self.tag, self.title, self.text, self.lines = tag, title, text, []
        self.n_frames = 0

    def add(self, name, page, value):
        self.lines.append((name, page, value.hex()))

    def hide(self, *names):
        """these are on the page already"""
        self.lines = [(n, None if n in names else p, v)
                      for n, p, v in self.lines]

    def frame(self, who, gen, off, key, what):
        data = DATA if what.startswith("data") else b""
        flags = 1 if what == "FINp" else 0
        control = (gen & 3) << 1 | (1 if what.startswith("rekey") else 0)
        f = frame(1, key, off, flags, data, control)
        self.lines.append((f"frame.{self.n_frames} {who} {gen} {off} {flags} "
                           f"{data.hex() or '-'}",
                           f"{who}, offset {off}: {what}", f.hex()))
        self.n_frames += 1
        return off + len(f)


class Session:
    """SMTCP with AES-128-GCM; off: where each side's first frame is"""

    def __init__(self, ss, sn, off_a=0, off_b=0):
        self.ss, self.sn, self.off = ss, sn, {"A": off_a, "B": off_b}
        self.mk = [cprf(ss, b"\x03" + sn, 32)]
        for _ in range(4):
            self.mk.append(cprf(self.mk[-1], b"\x03", 32))
        self.sk = cprf(ss, b"\x10" + sn, 80)

    def key(self, who, gen):
        return cprf(self.mk[gen], b"\x04" if who == "A" else b"\x05", 28)

    def show(self, s, gens=(0,), sk=True):
        for j in gens:
            s.add(f"mk{j}", f"mk[{j}]", self.mk[j])
            s.add(f"k_ab{j}", f"k_ab[{j}]", self.key("A", j))
            s.add(f"k_ba{j}", f"k_ba[{j}]", self.key("B", j))
        s.add("session_id", "session_id",
              b"\xa0" + cprf(self.ss, b"\x02" + self.sn, 32))
        if sk:
            s.add("sk", "sk", self.sk)

    def frames(self, s, *what):
        """each: who, generation, what"""
        for who, gen, kind in what:
            self.off[who] = s.frame(who, gen, self.off[who],
                                    self.key(who, gen), kind)


def fresh(s, kx, mpc, offer=None, full=True):
    """the lines that a fresh session begins with; not full: Init messages are
    on the page already"""
    a, b = pair(kx)
    o = bytes([0x53, 0x4D, kx - 0x20])
    ea = offer or bytes([69, 7, 0x23, 0xA0]) + o
    eb = bytes([69, 7, 1, 0xA0]) + o
    i1, i2 = init1([1, 2, 0x10], a.pub), init2(1, b.pub)
    es = a.agree(b.pub)
    ss = mac(NA, ea + eb + mpc + i1 + i2 + es)
    s.add("eno_A", "ENO of A", ea)
    s.add("eno_B", "ENO of B", eb)
    s.lines.append(("mpc", None, mpc.hex() or "-"))
    for name, v in (("Init1", i1), ("Init2", i2)):
        s.lines.append((name, f"{name}, {len(v)} octets" if full else None,
                        v.hex()))
    s.lines.append(("ES", "ES" if full else None, es.hex()))
    s.add("ss0", "PRK = ss[0]", ss)
    return Session(ss, b"", len(i1), len(i2))


def quiet_fresh(kx, mpc):
    return fresh(Section("", "", ""), kx, mpc)


def resumed(s, first, mpc, nonce_b):
    ss = cprf(first.ss, b"\x01", 32)
    rid = cprf(ss, b"\x06", 18)
    o = bytes([0x53, 0x4D, 0x83])
    ea = bytes([69, 24, 0x23, 0xA0]) + o + rid[:9] + NONCE_A
    eb = bytes([69, 16 + len(nonce_b), 1, 0xA0]) + o + rid[9:] + nonce_b
    sn = hashlib.sha256(ea + eb + mpc).digest()
    s.add("eno_A", "ENO of A", ea)
    s.add("eno_B", "ENO of B", eb)
    s.lines.append(("mpc", None, mpc.hex() or "-"))
    s.add("sn", "sn[1]", sn)
    s.add("ss1", "ss[1]", ss)
    s.lines.append(("resume", None, rid.hex()))
    s.add("ss2", "ss[2]", cprf(ss, b"\x01", 32))
    return Session(ss, sn)


START = ("A", 0, "empty"), ("B", 0, "empty")
CLOSE = ("A", 0, "data"), ("A", 0, "FINp")


def x448_section():
    s = Section("x448", "Fresh session, Curve448, several octets o",
                "A names three key agreements, with plain tcpcrypt before "
                "them.\nPrivate keys are 56 octets, 20 to 57 and 60 to 97.")
    v = fresh(s, 0x24, MPC, bytes.fromhex("450b212423a0534d030401"))
    v.show(s)
    v.frames(s, *START, *CLOSE)
    return s


def p521_section():
    s = Section("p521", "Fresh session, P-521",
                "Private keys are 66 octets, 00 and 21 to 61, 00 and 61 to a1.")
    v = fresh(s, 0x22, MPC)
    v.show(s)
    v.frames(s, *START, *CLOSE)
    return s


def a_section():
    s = Section("flag_a", "Fresh session, flag A set",
                "As without S, but both SYNs have A=1: MP_CAPABLE 1e040181 and "
                "1e0c0181.")
    mpc = bytearray(MPC)
    mpc[3] |= 0x80
    mpc[7] |= 0x80
    v = fresh(s, 0x23, bytes(mpc), full=False)
    v.show(s, sk=False)
    v.frames(s, *START)
    return s


def single_section():
    s = Section("single_rekey", "Rekeying over a single TCP stream",
                "The session of\n.Sx The same over a single TCP stream ,\n"
                "in order of time.")
    v = fresh(s, 0x23, b"", full=False)
    v.show(s, (0, 1), False)
    s.hide("eno_A", "eno_B", "ss0", "session_id",
           *(f"{k}{j}" for k in ("mk", "k_ab", "k_ba") for j in (0, 1)))
    v.frames(s, *START, ("A", 0, "data"), ("A", 1, "rekey"),
             ("B", 1, "rekey"), ("A", 1, "data, generation 1"))
    return s


def phases_section():
    s = Section("phases", "Phases 3 and 0",
                "The session without S, rekeyed four times, in order of time.")
    v = fresh(s, 0x23, MPC, full=False)
    v.show(s, (0, 2, 3, 4), False)
    s.hide("eno_A", "eno_B", "ss0", "session_id", "mk0", "k_ab0", "k_ba0")
    todo = list(START)
    for g in range(1, 5):
        todo += [("A", g, f"rekey, generation {g}"),
                 ("B", g, f"rekey, generation {g}")]
        if g > 2:
            todo.insert(-1, ("A", g, f"data, generation {g}"))
    v.frames(s, *todo)
    return s


def nonce3_section():
    s = Section("nonce_b3", "Resumed session, nonce_b of 3",
                "From the fresh session without S.")
    v = resumed(s, quiet_fresh(0x23, MPC), MPC, NONCE_B[:3])
    v.show(s)
    v.frames(s, *START, *CLOSE)
    return s


def single_resumed_section():
    s = Section("single_resumed", "Resumed session over a single TCP stream",
                "From the session of\n.Sx The same over a single TCP stream ;"
                "\nthere is room for a nonce_b of 8.")
    v = resumed(s, quiet_fresh(0x23, b""), b"", NONCE_B)
    v.show(s)
    v.frames(s, *START, *CLOSE)
    return s


def add_addr_section():
    s = Section("add_addr", "ADD_ADDR with port, and of IPv6",
                "With the keys of the session without S, address id 7:\n"
                "192.0.2.7, 2001:db8::7, port 8080.")
    sk = quiet_fresh(0x23, MPC).sk
    v4 = socket.inet_pton(socket.AF_INET, "192.0.2.7")
    v6 = socket.inet_pton(socket.AF_INET6, "2001:db8::7")
    for name, addr, port in (("IPv4, port", v4, 8080), ("IPv6", v6, 0),
                             ("IPv6, port", v6, 8080)):
        for who, key in (("A", sk[:64]), ("B", sk[32:64] + sk[:32])):
            p = struct.pack("!H", port)
            body = bytes([0x30, 7]) + addr + (p if port else b"")
            body += mac(key, bytes([7]) + addr + p)[-8:]
            tag = name.replace(", ", "_").lower()
            s.add(f"{tag}_{who}", f"from {who}, {name}",
                  bytes([30, 2 + len(body)]) + body)
    return s


def sections():
    return [x448_section(), p521_section(), a_section(), single_section(),
            phases_section(), nonce3_section(), single_resumed_section(),
            add_addr_section()]


def page():
    print("# made by gen.py: name and octets; frame.N: who, generation, "
          "offset, flags,\n# data, and the frame; - is empty")
    for s in sections():
        print(f"\n[{s.tag}]")
        for name, _, value in s.lines:
            print(name, value)


def mdoc():
    for s in sections():
        print(f".Ss {s.title}\n{s.text}\n.Bd -literal")
        for _, name, value in s.lines:
            if name is None:
                continue
            if len(name) >= 24:
                print(name)
                name = ""
            for i in range(0, len(value), 48):
                print(f"{name if i == 0 else '':<24}{value[i:i + 48]}")
        print(".Ed")


def text_of(fn):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        fn()
    return out.getvalue()


def check():
    """0: what is published is what this makes"""
    here = os.path.dirname(os.path.abspath(__file__))
    failed = 0
    for name, fn in (("suites.txt", suites), ("page.txt", page),
                     ("../../man/smtcp.7", mdoc)):
        with open(os.path.join(here, name), encoding="utf-8") as f:
            got = f.read()
        want = text_of(fn)
        # the page has the sections in this order, behind those of another hand
        ok = want in got if fn is mdoc else want == got
        if not ok:
            print(f"{name} differs from what gen.py makes")
        failed += not ok
    print(f"{3 - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    todo = {"suites": suites, "page": page, "mdoc": mdoc, "check": check}
    if len(sys.argv) != 2 or sys.argv[1] not in todo:
        sys.exit("usage: gen.py suites | page | mdoc | check")
    sys.exit(todo[sys.argv[1]]())
