#!/usr/bin/python3
"""Recomputes the vectors of tcpcrypt_vectors.json and of man/smtcp.7.

The page's own text is read, so what is tested is what is published.
Prints "N passed, N failed"; each vector counts once.
"""

import hashlib
import json
import os
import re
import socket
import sys

import eno
import kdf
import smtcp
import tcpcrypt

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(HERE, "..", "..", "man", "smtcp.7")
DATA = bytes.fromhex("474554202f20485454502f312e300d0a0d0a")
PASSED = FAILED = 0
UNUSED = set()
RFC7748 = {
    kdf.X25519: ("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba5"
             "1db92c2a",
             "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98e"
             "aa9b4e6a",
             "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27"
             "ff88e0eb",
             "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e14"
             "6f882b4f",
             "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c"
             "1e161742"),
    kdf.X448: ("9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28d"
             "d9c9baf574a9419744897391006382a6f127ab1d9ac2d8c0a598726b",
             "9b08f7cc31b7e3e67d22d5aea121074a273bd2b83de09c63faa73d2c"
             "22c5d9bbc836647241d953d40c5b12da88120d53177f80e532c41fa0",
             "1c306a7ac2a0e2e0990b294470cba339e6453772b075811d8fad0d1d"
             "6927c120bb5ee8972b0d3e21374c9c921b09d1b0366f10b65173992d",
             "3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b430"
             "27d8b972fc3e34fb4232a13ca706dcb57aec3dae07bdc1c67bf33609",
             "07fff4181ac6cc95ec1c16a94a0f74d12da232ce40a77552281d282b"
             "b60c0b56fd2464c335543936521c24403085d59a449a5037514a879d"),
}


def check(name, want, got):
    global PASSED, FAILED
    if isinstance(want, str):
        want = bytes.fromhex(want.replace(" ", ""))
    if want == got:
        PASSED += 1
    else:
        FAILED += 1
        show = got.hex() if isinstance(got, bytes) else got
        print("FAILED %s\n  want %s\n  got  %s" % (name, want, show))


# RFC 5869 A.1 and RFC 7748 6.1: the ground the rest stands on.

def rfc_vectors():
    prk = kdf.extract(bytes(range(13)), b"\x0b" * 22)
    check("RFC 5869 A.1 PRK", "077709362c2e32df0ddc3f0dc47bba63"
          "90b6c73bb50f9c3122ec844ad7c2b3e5", prk)
    check("RFC 5869 A.1 OKM", "3cb25f25faacd57a90434f64d0362f2a"
          "2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
          kdf.cprf(prk, bytes(range(0xf0, 0xfa)), 42))
    for kx, (a, pub_a, b, pub_b, secret) in RFC7748.items():
        alice, bob = (kdf.Kex(kx, bytes.fromhex(x)) for x in (a, b))
        check("RFC 7748 6 public A", pub_a, alice.public)
        check("RFC 7748 6 public B", pub_b, bob.public)
        check("RFC 7748 6 secret A", secret, alice.shared(bob.public))
        check("RFC 7748 6 secret B", secret, bob.shared(alice.public))


# tcpcrypt

def frame_of(sched, vec, where):
    sealer = tcpcrypt.Sealer(sched, vec["sender"], False)
    if vec["gen"]:
        sealer.advance(vec["gen"])
    data, extra = vec["args"]
    check(where + " nonce", vec["nonce"], sealer.aead.nonce(vec["offset"]))
    raw = sealer.seal(vec["offset"], bytes.fromhex(data),
                      extra.get("fin", False), extra.get("urg"))
    check(where, vec["frame"], raw)
    frame = tcpcrypt.Opener(sched, vec["sender"], False).verify(
        vec["offset"], raw)
    check(where + " opened", (data, extra.get("urg"),
                              extra.get("fin", False)),
          (frame.data.hex(), frame.urgent, frame.fin))


def traffic_of(sched, vec, name, role, gen):
    key = sched.traffic(role, gen)
    check(name + " K", vec["K"], key[:sched.key_len])
    check(name + " NR", vec["NR"], key[sched.key_len:])


def tcpcrypt_fresh(name, v):
    raw = {k: bytes.fromhex(x) for k, x in v.items() if isinstance(x, str)}
    offers = eno.offers(raw["eno_A"][2:])
    kx = raw["Init1"] and offers[0].kxs[0]
    check(name + " ENO B", v["eno_B"],
          eno.option(b"\1" + eno.sub_tcpcrypt(kx)))
    got = eno.answer(raw["eno_B"][2:], [kx], [], None)
    check(name + " negotiated", 0x20 + kx, got.tep)
    aeads, nonce_a, pub_a = tcpcrypt.parse_init1(raw["Init1"], kx)
    aead, nonce_b, pub_b = tcpcrypt.parse_init2(raw["Init2"], kx)
    check(name + " N_A", v["N_A"], nonce_a)
    check(name + " N_B", v["N_B"], nonce_b)
    check(name + " Pub_A", v["Pub_A"], pub_a)
    check(name + " Pub_B", v["Pub_B"], pub_b)
    check(name + " Init1", v["Init1"],
          tcpcrypt.build_init1(aeads, nonce_a, pub_a))
    check(name + " Init2", v["Init2"],
          tcpcrypt.build_init2(aead, nonce_b, pub_b))
    prk = kdf.extract(nonce_a, raw["eno_A"] + raw["eno_B"] + raw["Init1"] +
                      raw["Init2"] + raw["ES"])
    check(name + " PRK", v["PRK_ss0"], prk)
    sched = kdf.Schedule(prk, b"", 0x20 + kx, aead)
    check(name + " session id", v["session_id_0"], sched.session_id)
    check(name + " mk0", v["mk0"], sched.mk(0))
    check(name + " mk1", v["mk1"], sched.mk(1))
    for role, key in (("A", "k_ab"), ("B", "k_ba")):
        for gen in (0, 1):
            field = "%s_gen%d" % (key, gen)
            traffic_of(sched, v[field], name + " " + field, role, gen)
    for part in ("frames_off0", "frames_offInit"):
        for i, vec in enumerate(v[part]):
            frame_of(sched, vec, "%s %s[%d]" % (name, part, i))
    vec = v["rekey_frame_A_off0"]
    sealer = tcpcrypt.Sealer(sched, "A", False)
    sealer.advance(1)
    check(name + " rekey nonce", vec["nonce"],
          sealer.aead.nonce(vec["offset"]))
    check(name + " rekey frame", vec["frame"],
          sealer.seal(vec["offset"], b"", rekey=True))
    return sched, kx


def tcpcrypt_resumed(name, r, sched, kx):
    name += " resumed"
    nonces = bytes.fromhex(r["nonce_a"]), bytes.fromhex(r["nonce_b"])
    ss1 = sched.next_ss
    ident = kdf.resume_id(ss1)
    check(name + " ss1", r["ss1"], ss1)
    check(name + " id", r["resume_id"], ident)
    sub_a = eno.sub_tcpcrypt(kx, (ident[:9], nonces[0]))
    sub_b = eno.sub_tcpcrypt(kx, (ident[9:], nonces[1]))
    check(name + " suboption A", r["subopt_A"], sub_a)
    check(name + " suboption B", r["subopt_B"], sub_b)
    check(name + " ENO A", r["eno_A_example"], eno.option(sub_a))
    check(name + " ENO B", r["eno_B_example"], eno.option(b"\1" + sub_b))
    got = eno.answer(b"\1" + sub_b, [kx], [], (0x20 + kx, kx, ident[9:]))
    check(name + " answer", nonces[1], got.nonce)
    offer = eno.offers(sub_a)[0]
    check(name + " offer", (ident[:9], nonces[0]), (offer.ident, offer.nonce))
    again = kdf.Schedule(ss1, nonces[0] + nonces[1], 0xa0 + kx, sched.aead)
    check(name + " mk0", r["mk0"], again.mk(0))
    check(name + " session id", r["session_id_1"], again.session_id)
    check(name + " ss2", r["ss2"], again.next_ss)
    traffic_of(again, r["k_ab"], name + " k_ab", "A", 0)
    traffic_of(again, r["k_ba"], name + " k_ba", "B", 0)
    frame = tcpcrypt.Opener(again, "A", False).verify(
        0, bytes.fromhex(r["frame_A_off0"]))
    check(name + " frame", r["frame_A_off0"],
          tcpcrypt.Sealer(again, "A", False).seal(0, frame.data))


def tcpcrypt_vectors():
    with open(os.path.join(HERE, "tcpcrypt_vectors.json")) as f:
        vectors = json.load(f)
    for name, v in vectors.items():
        if isinstance(v, dict):
            sched, kx = tcpcrypt_fresh(name, v)
            tcpcrypt_resumed(name, v["resume_1"], sched, kx)
    for v in vectors["eno_parse"]:
        got = eno.parse(bytes.fromhex(v["body"]))
        if got is not None:
            got = [got[0], [[g, x, d.hex()] for g, x, d in got[1]]]
        check("eno_parse " + v["body"], v["result"], got)


# smtcp(7)

def read_page():
    """{title: [(name, value text)]} of the section TEST VECTORS."""
    with open(PAGE) as f:
        text = f.read().split(".Sh TEST VECTORS\n")[1]
    title, inside, out = "Common", False, {}
    items = []
    for line in text.splitlines():
        if line.startswith(".Ss "):
            title = line[4:]
        elif line.startswith(".Bd"):
            inside = True
        elif line.startswith(".Ed"):
            inside = False
        elif inside:
            name, value = line[:24].strip(), line[24:].strip()
            if line[:24].strip() and not value or \
                    not line.startswith(" ") and len(line) > 24 and \
                    line[23] != " ":
                items = out.setdefault(title, [])
                if re.fullmatch(r"[A-Za-z0-9-]+", line.strip()):
                    title = line.strip()
                    continue
                items.append([line.strip(), ""])
            elif name:
                out.setdefault(title, []).append([name, value])
            else:
                out[title][-1][1] += value
    return out


FRAME_NAME = re.compile(r"([AB]), offset (\d+): (.*)")


def smtcp_frame(where, name, want, sched, offset, what):
    sender = name[0]
    sealer = tcpcrypt.Sealer(sched, sender, True)
    named = re.search(r"generation (\d+)$", what)
    rekey = what.startswith("rekey")
    gen = int(named[1]) if named else 1 if rekey else 0
    if gen:
        sealer.advance(gen)
    data, urgent = b"", None
    if what.startswith("data"):
        data = DATA
    elif what.startswith('"urgent"'):
        data, urgent = b"urgent", 5
    raw = sealer.seal(offset, data, what == "FINp", urgent, rekey)
    check(where, want, raw)
    opener = tcpcrypt.Opener(sched, sender, True)
    if gen > 1:
        opener.gen = gen - 1
    frame = opener.verify(offset, raw)
    check(where + " opened", (data, urgent, what == "FINp", gen),
          (frame.data, frame.urgent, frame.fin, frame.gen))
    return sealer.aead.nonce(offset)


def common_values(items):
    c = dict(items)
    key_a, key_b = bytes.fromhex(c["Key-A"]), bytes.fromhex(c["Key-B"])
    tokens = c["Token-A, Token-B"].split()
    for name, key, token in (("A", key_a, tokens[0]), ("B", key_b,
                                                       tokens[1])):
        got = smtcp.token_idsn(key)
        check("Token-" + name, token, got[0])
        check("IDSN-" + name, c["IDSN-" + name], got[1].to_bytes(8, "big"))
    syn, synack = smtcp.mp_capable(), smtcp.mp_capable(key_b)
    check("MP_CAPABLE, SYN", c["MP_CAPABLE, SYN"], syn)
    check("MP_CAPABLE, SYN/ACK", c["MP_CAPABLE, SYN/ACK"], synack)
    c["mpc"] = syn + synack + key_a + key_b
    check("mpc_transcript", c["mpc_transcript"], c["mpc"])
    check("data of frames", c["data of frames"], DATA)
    return c


def smtcp_session(title, items, c, base, mpc):
    """One section; base has the values it takes over from another."""
    v = dict(base)
    v.update({re.sub(r", \d+ octets$", "", n): x for n, x in items})
    eno_a, eno_b = (bytes.fromhex(v["ENO of " + r]) for r in "AB")
    resumed = "sn[1]" in dict(items)
    tep_octet = 0xa0
    if resumed:
        sn = hashlib.sha256(eno_a + eno_b + mpc).digest()
        check(title + " sn[1]", v["sn[1]"], sn)
        sched = kdf.Schedule(base["sched"].next_ss, sn, tep_octet,
                             kdf.AES128)
        check(title + " ss[1]", v["ss[1]"], sched.ss)
        resume_enos(title, v, kdf.resume_id(sched.ss))
    else:
        kx = eno.answer(eno_b[2:], [], eno.offers(eno_a[2:])[0].kxs,
                        None).kxs[0]
        keys = [kdf.Kex(kx, x) for x in privates(kx, c)]
        s_bit = eno.smtcp_data(eno.parse(eno_a[2:])[1])[0] & eno.S_BIT
        if kx == kdf.X448:
            sub_a = bytes([0x21, 0x24, 0x23]) + eno.sub_smtcp(
                [kdf.X25519, kdf.X448, kdf.P256])
        else:
            sub_a = b"\x23" + eno.sub_smtcp([kx | s_bit])
        check(title + " ENO A", v["ENO of A"], eno.option(sub_a))
        check(title + " ENO B", v["ENO of B"],
              eno.option(b"\1" + eno.sub_smtcp([kx | s_bit])))
        aead = base["aead"]
        init1 = tcpcrypt.build_init1(
            [kdf.AES128, kdf.AES256, kdf.CHACHA],
            bytes.fromhex(c["N_A"]), keys[0].public)
        init2 = tcpcrypt.build_init2(aead, bytes.fromhex(c["N_B"]),
                                     keys[1].public)
        es = keys[0].shared(keys[1].public)
        check(title + " ES both ways", es, keys[1].shared(keys[0].public))
        for name, got in (("Init1", init1), ("Init2", init2), ("ES", es)):
            if name in v:
                check(title + " " + name, v[name], got)
        prk = kdf.extract(bytes.fromhex(c["N_A"]), eno_a + eno_b + mpc +
                          init1 + init2 + es)
        check(title + " PRK", v["PRK = ss[0]"], prk)
        sched = kdf.Schedule(prk, b"", tep_octet, aead)
    smtcp_values(title, items, c, sched, 1 if resumed else 0)
    v["sched"] = sched
    return v


def privates(kx, c):
    """The private keys: as on the page, or those that go on as they do."""
    if kx in (kdf.X25519, kdf.P256):
        return [bytes.fromhex(c["private key of " + r]) for r in "AB"]
    if kx == kdf.X448:
        return [bytes(range(x, x + 56)) for x in (0x20, 0x60)]
    return [b"\0" + bytes(range(x + 1, x + 66)) for x in (0x20, 0x60)]


def resume_enos(title, v, ident):
    o = eno.smtcp_data(eno.parse(bytes.fromhex(v["ENO of A"])[2:])[1])[0]
    nonce = {"resumed": b"", "nonce_b of 3": bytes(range(0xe0, 0xe3)),
             "resumed, single stream": bytes(range(0xe0, 0xe8))}[title]
    o &= eno.S_BIT
    sub_a = eno.sub_smtcp([o | kdf.X25519],
                          (ident[:9], bytes.fromhex("d0d1d2d3d4d5d6d7")))
    sub_b = eno.sub_smtcp([o | kdf.X25519], (ident[9:], nonce))
    check(title + " ENO A", v["ENO of A"], eno.option(b"\x23" + sub_a))
    check(title + " ENO B", v["ENO of B"], eno.option(b"\1" + sub_b))
    check(title + " offer", ident[:9],
          eno.offers(b"\x23" + sub_a)[0].ident)
    check(title + " answer", nonce,
          eno.answer(b"\1" + sub_b, [], [kdf.X25519],
                     (0x20, kdf.X25519, ident[9:])).nonce)


def smtcp_values(title, items, c, sched, i):
    r_a, r_b = (bytes.fromhex(x) for x in c["R-A, R-B of joins"].split())
    addr = socket.inet_aton("192.0.2.7")
    mac_a = smtcp.join_hmac(sched.sk_a, sched.sk_b, r_a, r_b)
    mac_b = smtcp.join_hmac(sched.sk_b, sched.sk_a, r_b, r_a)
    token_b = smtcp.token_idsn(bytes.fromhex(c["Key-B"]))[0]
    keys = bytes.fromhex(c["Key-A"] + c["Key-B"])
    known = {
        "ss[%d]" % (i + 1): sched.next_ss,
        "session_id": sched.session_id, "sk": sched.sk,
        "resume[%d]" % (i + 1): kdf.resume_id(sched.next_ss),
        "HMAC-A in third ACK": mac_a[:20], "HMAC-B in SYN/ACK": mac_b[:8],
        "MP_JOIN, SYN": smtcp.join_syn(2, token_b, r_a),
        "MP_JOIN, SYN/ACK": smtcp.join_synack(0, mac_b, r_b),
        "MP_JOIN, third ACK": smtcp.join_ack(mac_a),
        "ADD_ADDR from A": smtcp.add_addr(sched.sk_a, sched.sk_b, 7, addr),
        "ADD_ADDR from B": smtcp.add_addr(sched.sk_b, sched.sk_a, 7, addr),
        "MP_FASTCLOSE by A": smtcp.fastclose(sched.fc_b),
        "MP_FASTCLOSE by B": smtcp.fastclose(sched.fc_a),
        "third ACK, MP_CAPABLE": smtcp.mp_capable(keys, 79),
    }
    for j in range(5):
        known["mk[%d]" % j] = sched.mk(j)
        known["k_ab[%d]" % j] = sched.traffic("A", j)
        known["k_ba[%d]" % j] = sched.traffic("B", j)
    nonce = None
    for name, want in items:
        where = title + ": " + name
        frame = FRAME_NAME.fullmatch(name)
        if frame:
            nonce = smtcp_frame(where, name, want, sched,
                                int(frame[2]), frame[3])
        elif name == "its nonce":
            check(where, want, nonce)
        elif name in known:
            check(where, want, known[name])
        elif not re.match(r"ENO of|Init[12],|ES$|PRK|sn\[|ss\[1\]$|or, in",
                          name):
            UNUSED.add(where)


def add_addrs(items, sched):
    v4, v6 = socket.inet_aton("192.0.2.7"), \
        socket.inet_pton(socket.AF_INET6, "2001:db8::7")
    for name, want in items:
        who, form = re.fullmatch("from ([AB]), (.*)", name).groups()
        keys = (sched.sk_a, sched.sk_b) if who == "A" else \
            (sched.sk_b, sched.sk_a)
        addr, port = {"IPv4, port": (v4, 8080), "IPv6": (v6, None),
                      "IPv6, port": (v6, 8080)}[form]
        check("ADD_ADDR " + name, want,
              smtcp.add_addr(*keys, 7, addr, port))


def smtcp_vectors():
    page = read_page()
    c = common_values(page.pop("Common"))
    mpc = c["mpc"]
    aes = {"aead": kdf.AES128}
    both_s = smtcp_session("with S", page.pop(
        "Fresh session, AES-128-GCM, both hosts with S"), c, aes, mpc)
    plain = smtcp_session("without S", page.pop(
        "Fresh session, AES-128-GCM, without S"), c, aes, mpc)
    enos = {k: plain[k] for k in ("ENO of A", "ENO of B")}
    single = smtcp_session("single stream", page.pop(
        "The same over a single TCP stream"), c, dict(enos, **aes), b"")
    for name, aead in (("AES-256-GCM", kdf.AES256),
                       ("ChaCha20-Poly1305", kdf.CHACHA)):
        smtcp_session(name, page.pop(name), c, dict(enos, aead=aead), mpc)
    smtcp_session("P-256", page.pop("Fresh session, P-256"), c, aes, mpc)
    smtcp_session("resumed", page.pop("Resumed session"), c,
                  {"sched": both_s["sched"]}, mpc)
    smtcp_session("Curve448", page.pop(
        "Fresh session, Curve448, several octets o"), c, aes, mpc)
    smtcp_session("P-521", page.pop("Fresh session, P-521"), c, aes, mpc)
    flagged = bytearray(mpc)
    flagged[3] |= 0x80
    flagged[7] |= 0x80
    smtcp_session("flag A", page.pop("Fresh session, flag A set"), c, aes,
                  bytes(flagged))
    smtcp_values("single rekey", page.pop(
        "Rekeying over a single TCP stream"), c, single["sched"], 0)
    smtcp_values("phases", page.pop("Phases 3 and 0"), c, plain["sched"], 0)
    smtcp_session("nonce_b of 3", page.pop("Resumed session, nonce_b of 3"),
                  c, {"sched": plain["sched"]}, mpc)
    smtcp_session("resumed, single stream", page.pop(
        "Resumed session over a single TCP stream"), c,
        {"sched": single["sched"]}, b"")
    add_addrs(page.pop("ADD_ADDR with port, and of IPv6"), plain["sched"])
    for title in page:
        if page[title]:
            UNUSED.add(title)


def main():
    rfc_vectors()
    tcpcrypt_vectors()
    smtcp_vectors()
    for name in sorted(UNUSED):
        print("not recomputed: " + name)
    print("%d passed, %d failed" % (PASSED, FAILED + len(UNUSED)))
    return 1 if FAILED or UNUSED else 0


if __name__ == "__main__":
    sys.exit(main())
