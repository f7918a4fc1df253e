#!/usr/bin/python3
"""A peer over a TUN device: serve or connect, one JSON line a connection."""

import argparse
import fcntl
import hashlib
import json
import os
import random
import select
import struct
import sys
import time

import kdf
import smtcp
import tcp
import tcpcrypt

TUNSETIFF = 0x400454ca
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
TEPS = {"p256": kdf.P256, "p521": kdf.P521, "curve25519": kdf.X25519,
        "curve448": kdf.X448}
AEADS = {"aes128": kdf.AES128, "aes256": kdf.AES256, "chacha": kdf.CHACHA}
CLASSES = {"plain": tcp.Endpoint, "tcpcrypt": tcpcrypt.Crypt,
           "smtcp": smtcp.Smtcp}


def octets(seed, size):
    """Octets that the other side can make too, to compare."""
    out = b""
    i = 0
    while len(out) < size:
        out += hashlib.sha256(b"%s %d" % (seed.encode(), i)).digest()
        i += 1
    return out[:size]


def open_tun(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF,
                struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


class Driver:
    """Moves packets between one device and the connection of the time."""

    def __init__(self, fd, args):
        self.fd, self.args = fd, args
        self.secrets = tcpcrypt.Secrets()
        self.done = []
        self.log = open(args.pcap, "ab", buffering=0) if args.pcap else None
        if self.log and self.log.tell() == 0:
            self.log.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0,
                                       65535, 101))

    def config(self):
        a = self.args
        if a.send_file:
            with open(a.send_file, "rb") as f:
                data = f.read()
        else:
            data = octets(a.seed, a.send)
        return tcpcrypt.Config(
            mode=a.mode, kxs=[TEPS[t] for t in a.tep.split(",")],
            aeads=[AEADS[x] for x in a.aead.split(",")], send=data,
            rekey=a.rekey, frame=a.frame, secrets=self.secrets,
            resume=a.resume, mptcp=not a.no_mptcp, keep=bool(a.output),
            also_tcpcrypt=not a.only_smtcp)

    def endpoint(self, active, now):
        return CLASSES[self.args.mode](self.config(), active, now)

    def trace(self, pkt):
        if self.log:
            now = time.time()
            self.log.write(struct.pack("<IIII", int(now),
                                       int(now % 1 * 1e6), len(pkt),
                                       len(pkt)) + pkt)

    def read(self, timeout):
        """Segments for our address that arrive within timeout."""
        if not select.select([self.fd], [], [], max(timeout, 0))[0]:
            return
        while True:
            try:
                pkt = os.read(self.fd, 65535)
            except BlockingIOError:
                return
            seg = tcp.unpack(pkt)
            if seg is not None and seg.dst == self.args.addr:
                self.trace(pkt)
                yield seg

    def write(self, conn):
        for seg in conn.out:
            pkt = seg.pack()
            self.trace(pkt)
            try:
                os.write(self.fd, pkt)
            except OSError:
                # Lost; the retransmission timer is there for it.
                pass
        conn.out.clear()

    def ours(self, conn, seg):
        return (seg.src, seg.sport) == conn.remote and \
            seg.dport == conn.local[1]

    def run(self, conn, stop_at):
        while not conn.dead and time.monotonic() < stop_at:
            self.write(conn)
            now = time.monotonic()
            due = conn.next_timer()
            wait = min(stop_at - now, 1.0 if due is None else due - now)
            for seg in self.read(wait):
                if self.ours(conn, seg):
                    conn.input(seg, time.monotonic())
                else:
                    self.stray(seg)
            conn.tick(time.monotonic())
        if not conn.dead:
            conn.upper.fail("timeout")
        self.write(conn)
        self.print_report(conn.upper)

    def stray(self, seg):
        pass

    def print_report(self, upper):
        out = upper.report()
        out["seconds"] = round(time.monotonic() - upper.started, 3)
        self.done.append(out)
        if self.args.output and upper.keep is not None:
            with open(self.args.output, "ab") as f:
                f.write(b"".join(upper.keep))
        print(json.dumps(out), flush=True)

    def connect(self):
        a = self.args
        port = random.randrange(32768, 60000)
        for i in range(a.connections):
            now = time.monotonic()
            conn = tcp.Tcp(self.endpoint(True, now), (a.addr, port + i),
                           (a.peer, a.port), True, now, a.mss)
            self.run(conn, now + a.timeout)

    def serve(self):
        a = self.args
        waiting = []
        self.stray = waiting.append
        stop_at = time.monotonic() + a.wait
        while len(self.done) < a.connections and \
                time.monotonic() < stop_at:
            segs, waiting[:] = list(waiting), []
            for seg in segs or self.read(1.0):
                if seg.dport != a.port or \
                        seg.flags & (tcp.SYN | tcp.ACK) != tcp.SYN:
                    continue
                now = time.monotonic()
                conn = tcp.Tcp(self.endpoint(False, now), (a.addr, a.port),
                               (seg.src, seg.sport), False, now, a.mss)
                conn.input(seg, now)
                self.run(conn, now + a.timeout)
                break


def arguments():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("what", choices=("serve", "connect"))
    p.add_argument("--tun", required=True, help="name of the TUN device")
    p.add_argument("--addr", required=True, help="our IPv4 address")
    p.add_argument("--peer", help="address to connect to")
    p.add_argument("--port", type=int, default=7000)
    p.add_argument("--mode", choices=CLASSES, default="smtcp")
    p.add_argument("--tep", default="curve25519",
                   help="key agreements, best first, of: " + " ".join(TEPS))
    p.add_argument("--aead", default="aes128,aes256,chacha",
                   help="ciphers, best first")
    p.add_argument("--connections", type=int, default=1)
    p.add_argument("--resume", action="store_true",
                   help="offer and take resumption from the 2nd one on")
    p.add_argument("--rekey", type=int, default=0, metavar="N",
                   help="initiate rekeying after N frames of a generation")
    p.add_argument("--frame", type=int, default=4000,
                   help="most octets of data in a frame")
    p.add_argument("--no-mptcp", action="store_true",
                   help="TEP 0x20 over a single TCP stream")
    p.add_argument("--only-smtcp", action="store_true",
                   help="neither offer nor take plain tcpcrypt")
    p.add_argument("--send", type=int, default=0, metavar="OCTETS")
    p.add_argument("--seed", default="witness")
    p.add_argument("--send-file")
    p.add_argument("--output", help="append what is received to this file")
    p.add_argument("--mss", type=int, default=1400)
    p.add_argument("--timeout", type=float, default=30.0,
                   help="seconds for one connection")
    p.add_argument("--wait", type=float, default=60.0,
                   help="seconds serve waits for all connections")
    p.add_argument("--linger", type=float, default=tcp.LINGER,
                   help="seconds a connection stays after its end, for what"
                        " the other side may have to repeat")
    p.add_argument("--pcap", help="write what is sent and received")
    args = p.parse_args()
    if args.what == "connect" and not args.peer:
        p.error("connect needs --peer")
    return args


def main():
    args = arguments()
    tcp.LINGER = args.linger
    driver = Driver(open_tun(args.tun), args)
    (driver.serve if args.what == "serve" else driver.connect)()
    bad = [r for r in driver.done if r["error"] or not r["eof"]]
    return 1 if bad or len(driver.done) < args.connections else 0


if __name__ == "__main__":
    sys.exit(main())
