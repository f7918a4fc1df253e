"""Key agreement, key schedule and AEADs of RFC 8548 and smtcp(7)."""

import hashlib
import hmac as _hmac

from cryptography.hazmat.primitives.asymmetric import ec, x448, x25519
from cryptography.hazmat.primitives.ciphers.aead import (AESGCM,
                                                         ChaCha20Poly1305)
from cryptography.hazmat.primitives.serialization import (Encoding,
                                                          PublicFormat)

P256, P521, X25519, X448 = 1, 2, 3, 4
AES128, AES256, CHACHA = 0x0001, 0x0002, 0x0010
K_LEN = 32
NONCE_LEN = 12

AEADS = {AES128: (16, AESGCM), AES256: (32, AESGCM),
         CHACHA: (32, ChaCha20Poly1305)}
CURVES = {P256: (ec.SECP256R1, 33), P521: (ec.SECP521R1, 67)}
MODERN = {X25519: (x25519.X25519PrivateKey, x25519.X25519PublicKey, 32),
          X448: (x448.X448PrivateKey, x448.X448PublicKey, 56)}


class KeyError_(Exception):
    """A public key or shared secret that must not be used."""


def hmac(key, msg):
    return _hmac.new(key, msg, hashlib.sha256).digest()


extract = hmac


def cprf(key, const, length):
    out = t = b""
    i = 0
    while len(out) < length:
        i += 1
        t = hmac(key, t + const + bytes([i]))
        out += t
    return out[:length]


class Kex:
    """One ephemeral key pair; public is the encoding on the wire."""

    def __init__(self, kx, private=None):
        self.kx = kx
        if kx in MODERN:
            cls = MODERN[kx][0]
            self.key = cls.from_private_bytes(private) if private else \
                cls.generate()
            self.public = self.key.public_key().public_bytes(
                Encoding.Raw, PublicFormat.Raw)
        else:
            curve, size = CURVES[kx]
            self.key = ec.derive_private_key(
                int.from_bytes(private, "big"), curve()) if private else \
                ec.generate_private_key(curve())
            point = self.key.public_key().public_bytes(
                Encoding.X962, PublicFormat.CompressedPoint)
            assert len(point) == size
            self.public = (size + 2).to_bytes(2, "big") + point

    def shared(self, public):
        try:
            if self.kx in MODERN:
                peer = MODERN[self.kx][1].from_public_bytes(public)
                secret = self.key.exchange(peer)
            else:
                # from_encoded_point checks that the point is on the curve.
                peer = ec.EllipticCurvePublicKey.from_encoded_point(
                    CURVES[self.kx][0](), public[2:])
                secret = self.key.exchange(ec.ECDH(), peer)
        except ValueError as err:
            raise KeyError_(str(err)) from None
        if not any(secret):
            raise KeyError_("all-zero shared secret")
        return secret


def cut_public(kx, buf):
    """The public key at the start of buf, encoded as on the wire."""
    size = MODERN[kx][2] if kx in MODERN else CURVES[kx][1] + 2
    if len(buf) < size:
        raise KeyError_("message too short for its key")
    if kx in CURVES:
        if int.from_bytes(buf[:2], "big") != size or buf[2] not in (2, 3):
            raise KeyError_("key not in compressed form")
    return buf[:size]


class Schedule:
    """All that follows from ss[i] and sn[i]."""

    def __init__(self, ss, sn, tep_octet, aead):
        self.ss = ss
        self.aead = aead
        self.key_len = AEADS[aead][0]
        self.mks = [cprf(ss, b"\x03" + sn, K_LEN)]
        self.session_id = bytes([tep_octet]) + cprf(ss, b"\x02" + sn, K_LEN)
        self.sk = cprf(ss, b"\x10" + sn, 80)
        self.next_ss = cprf(ss, b"\x01", K_LEN)
        self.sk_a, self.sk_b = self.sk[:32], self.sk[32:64]
        self.fc_a, self.fc_b = self.sk[64:72], self.sk[72:]

    def mk(self, j):
        while len(self.mks) <= j:
            self.mks.append(cprf(self.mks[-1], b"\x03", K_LEN))
        return self.mks[j]

    def traffic(self, role, j):
        """Traffic key of generation j for what role "A" or "B" sends."""
        label = b"\x04" if role == "A" else b"\x05"
        return cprf(self.mk(j), label, self.key_len + NONCE_LEN)


def resume_id(ss):
    return cprf(ss, b"\x06", 18)


class Aead:
    """A traffic key at work; offset is that of the frame's first octet."""

    def __init__(self, aead, traffic):
        size, cls = AEADS[aead]
        self.cipher = cls(traffic[:size])
        self.randomizer = int.from_bytes(traffic[size:], "big")

    def nonce(self, offset):
        return (self.randomizer ^ offset).to_bytes(NONCE_LEN, "big")

    def seal(self, offset, head, plain):
        return self.cipher.encrypt(self.nonce(offset), plain, head)

    def open(self, offset, head, sealed):
        return self.cipher.decrypt(self.nonce(offset), sealed, head)
