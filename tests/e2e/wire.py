#!/usr/bin/python3
"""wire.py tcp|mptcp|smtcp CAPTURE N - what tshark says of a capture of one host

Each connection carried N octets or more one way or the other.  What Multipath
TCP says in it (RFC 8684) is computed anew from the keys.

wire.py offload-off DEVICE - sums and segments are the system's work
"""

import array
import collections
import fcntl
import hashlib
import hmac
import socket
import struct
import subprocess
import sys

# the names tshark has for them, and ours
FIELDS = {
    "at": "frame.number", "stream": "tcp.stream", "to": "tcp.dstport",
    "flags": "tcp.flags", "len": "tcp.len", "ip_sum": "ip.checksum.status",
    "sum": "tcp.checksum.status", "malformed": "_ws.malformed",
    "severity": "_ws.expert.severity", "message": "_ws.expert.message",
    "kinds": "tcp.option_kind", "conn": "mptcp.stream",
}
MISSING = "mptcp.dss.missing_mapping"
WRONG = ("tcp.analysis.lost_segment", "tcp.analysis.ack_lost_segment",
         "mptcp.dss.infinite_mapping", MISSING,
         "mptcp.connection.echoed_key_mismatch")
OPTION = ("subtype", "version", "sendkey", "recvkey", "recvtok", "sendrand",
          "sendtrunchmac", "sendhmac", "rawdataseqno", "datalvllen",
          "datafin.flag", "dseqn8.flag")
FIELDS.update({f: f for f in WRONG})
FIELDS.update({f: "tcp.options.mptcp." + f for f in OPTION})
WARNING = 0x600000
# it counts NOPs that have an MPTCP option between them; a busy machine answers
# late, and what was probed for comes twice
HARMLESS = ("NOP in a row", "No mapping available", "D-SACK", "completely full")
SYN, ACK = 2, 16
CAPABLE, JOIN = "0", "1"
ENO = "69"


def offload_off(device):
    """ETHTOOL_STSO, _SGSO, _SSG, _STXCSUM: all to 0"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for command in (0x1f, 0x24, 0x19, 0x17):
            value = array.array("I", [command, 0])
            fcntl.ioctl(s, 0x8946, struct.pack("16sP", device.encode(),
                                               value.buffer_info()[0]))


def want(ok, *why):
    if not ok:
        print("wire:", *why)
        sys.exit(1)


def packets(capture):
    out = subprocess.run(
        ["tshark", "-r", capture, "-T", "fields", "-E", "separator=/t", "-E", "aggregator=|",
         "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
         "-o", "mptcp.analyze_mappings:TRUE",
         "-d", "tcp.port==80,data", "-d", "tcp.port==7000,data", "-Y",
         "tcp and not icmp and not icmpv6"] +
        [a for f in FIELDS.values() for a in ("-e", f)],
        check=True, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL).stdout
    return [dict(zip(FIELDS, line.split("\t"))) for line in out.splitlines()]


def sound(p):
    """nothing that tshark objects to"""
    at = "packet " + p["at"]
    want(not p["malformed"], at, "is malformed")
    want(p["sum"] == "1", at, "TCP checksum", p["sum"])
    want(p["ip_sum"] in ("", "1"), at, "IP checksum", p["ip_sum"])
    for f in WRONG:
        # where there is nothing to be mapped, tshark misses it
        want(not p[f] or (f == MISSING and p["len"] == "0"), at, f)
    bad = [m for s, m in zip(p["severity"].split("|"), p["message"].split("|"))
           if s and int(s) >= WARNING and not any(h in m for h in HARMLESS)]
    want(not bad, at, *bad)


def number(text):
    return int(text, 16) if text.startswith("0x") else int(text)


def octets(text, n):
    """of a number, or of hexadecimal digits"""
    if len(text.replace(":", "")) == 2 * n and not text.startswith("0x"):
        return bytes.fromhex(text.replace(":", ""))
    return number(text).to_bytes(n, "big")


def with_option(rows, subtype):
    return [p for p in rows if subtype in p["subtype"].split("|")]


def handshake(rows):
    """the keys of who opened it and of the other: RFC 8684 3.1"""
    rows = with_option(rows, CAPABLE)
    want(len(rows) >= 3, "no handshake")
    syn, synack, third = rows[:3]
    want({p["version"] for p in rows if p["version"]} == {"1"}, "version")
    want(not syn["sendkey"], "a key in the SYN")
    a, b = third["sendkey"], synack["sendkey"]
    want(a and b and third["recvkey"] == b, "keys", a, b)
    return octets(a, 8), octets(b, 8)


def digest(key):
    return hashlib.sha256(key).digest()


def join(rows, keys, clear):
    """RFC 8684 3.2: the token of who is joined, and both HMACs.  Where frames
    are sealed those are not made of keys that could be seen (smtcp(7))."""
    syn, synack, third = rows[:3]
    token = int.from_bytes(digest(keys[1])[:4], "big")
    want(number(syn["recvtok"]) == token, "token", syn["at"])
    a, b = (octets(p["sendrand"], 4) for p in (syn, synack))
    for p, key, text, field, n in (
            (synack, keys[1] + keys[0], b + a, "sendtrunchmac", 8),
            (third, keys[0] + keys[1], a + b, "sendhmac", 20)):
        mac = hmac.new(key, text, "sha256").digest()[:n]
        want((octets(p[field], n) == mac) == clear, field, p["at"])


def mapped(rows, key):
    """what one side maps, from its initial number on and without a gap: how
    much, and whether it says that this is all"""
    first = int.from_bytes(digest(key)[-8:], "big") + 1
    maps, end = [], False
    for p in rows:
        if p["datalvllen"]:
            short = p["dseqn8.flag"] not in ("1", "True")
            # MP_CAPABLE's data are the first
            at = number(p["rawdataseqno"] or str(first)) - first
            fin = p["datafin.flag"] in ("1", "True")
            maps.append((at % (1 << 32 if short else 1 << 64),
                         number(p["datalvllen"]) - fin))
            end |= fin
    done = 0
    for at, n in sorted(maps):
        want(at <= done, "a gap in the mappings:", done, at)
        done = max(done, at + n)
    return done, end


def multipath(rows, least, clear):
    streams = collections.defaultdict(list)
    for p in rows:
        streams[p["stream"]].append(p)
    keys = handshake(rows)
    # some addresses cannot reach some others: a SYN, and no more
    joined = [s for s in (with_option(r, JOIN) for r in streams.values())
              if len(s) >= 3]
    want(joined, "no join")
    server = rows[0]["to"]
    for s in joined:
        join(s, keys if s[0]["to"] == server else keys[::-1], clear)
    sums = [mapped([p for p in rows if (p["to"] == server) == up], key)
            for up, key in ((True, keys[0]), (False, keys[1]))]
    want(max(n for n, _ in sums) >= least, "mapped", sums)
    want(all(end for _, end in sums), "no DATA_FIN", sums)


def main():
    if sys.argv[1] == "offload-off":
        offload_off(sys.argv[2])
        return
    kind, capture, least = sys.argv[1], sys.argv[2], int(sys.argv[3])
    rows = packets(capture)
    want(len(rows) > 400, "packets:", len(rows))
    conn = {p["stream"]: p["conn"] for p in rows if p["conn"]}
    for p in rows:
        sound(p)
        # what TIME-WAIT still says has no option
        p["conn"] = conn.get(p["stream"], "")
        want((kind == "tcp") == (not p["conn"]),
             "packet", p["at"], "mptcp.stream:", p["conn"])
        if int(p["flags"], 16) & (SYN | ACK) == SYN:
            want((ENO in p["kinds"].split("|")) ==
                 (kind == "smtcp" and p["subtype"] == CAPABLE), "ENO", p["at"])
    if kind == "tcp":
        want(sum(int(p["len"]) for p in rows) > least, "too little")
        return
    for c in {p["conn"] for p in rows}:
        multipath([p for p in rows if p["conn"] == c], least, kind != "smtcp")


if __name__ == "__main__":
    main()
