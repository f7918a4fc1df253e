#!/usr/bin/env python3
"""The figures: every one a ratio measured alternately in one run, median of ROUNDS.

ping, bulk, peer, eight, churn, wrk, loss, memory, scale, calls
       the transport against the kernel's: transport.py
sealed encrypted connections against plain ones, ours at both ends, and against
       TLS over kernel TCP: sealed.py
mptcp  two paths of 100 Mbit/s to the kernel's Multipath TCP, each way and each
       address family, against the payload ceiling: what the link rate leaves
       for payload given the headers and options that the frames really carry

Prints a table and writes build/bench.json.  Everything happens in network
namespaces that are removed at the end.
"""
import atexit
import collections
import json
import os
import signal
import socket
import statistics
import struct
import subprocess
import sys
import time

import sealed
import transport

ROUNDS = int(os.environ.get("ROUNDS", "5"))
SECS = int(os.environ.get("SECS", "3"))
ONLY = [w for w in os.environ.get("ONLY", "").split(",") if w]
RATE = 100e6  # of each link, bits of Ethernet frames per second
TOPO = f"mpb{os.getpid()}"
os.environ["MPTCP_CRYPT_MEMORY"] = "off"  # nothing in the user's files
os.environ["XFER_CC"] = "cubic"  # the same everywhere; it is our default
BUILD = os.environ.get("B", "build")
RUN = f"{BUILD}/mptcp-run"
XFER = f"{BUILD}/bench/xfer"
PIPE = f"{BUILD}/bench/pipe"
ETH = 14
procs = []
rows = []
result = {"rounds": ROUNDS, "seconds": SECS, "figures": {}}


def sh(cmd, check=True):
    return subprocess.run(cmd, shell=True, check=check, text=True, capture_output=True)


def ns_exec(ns, cmd):
    return ["ip", "netns", "exec", f"{TOPO}-{ns}"] + cmd


def start(ns, cmd, **kw):
    p = subprocess.Popen(ns_exec(ns, cmd), text=True, start_new_session=True, **kw)
    procs.append(p)
    return p


def stop(p):
    if p.poll() is None:
        os.killpg(p.pid, signal.SIGKILL)
    p.wait()
    if p in procs:
        procs.remove(p)


def out_json(ns, cmd, timeout=60):
    r = subprocess.run(ns_exec(ns, cmd), text=True, capture_output=True, timeout=timeout)
    if r.returncode:
        raise RuntimeError(f"{' '.join(cmd)}: exit {r.returncode}: {r.stderr.strip()}")
    return json.loads(r.stdout)


def clean():
    for p in list(procs):
        stop(p)
    for line in sh("ip netns list", check=False).stdout.split("\n"):
        name = line.split(" ")[0]
        if name.startswith(TOPO + "-"):
            pids = sh(f"ip netns pids {name}", check=False).stdout.split()
            for pid in pids:
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            sh(f"ip netns del {name}", check=False)


def progress(text):
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)
    else:
        print(text, flush=True)


def row(name, value, wanted, better, detail):
    ok = value >= wanted if better == "more" else value <= wanted
    sign = ">=" if better == "more" else "<="
    rows.append((name, f"{value:.3f}", f"{sign} {wanted}", "yes" if ok else "NO", detail))
    result["figures"][name] = {"value": value, "wanted": wanted, "better": better, "reached": ok,
                               "detail": detail}


# --- two hosts and a cable between them ---------------------------------------

def direct_up():
    for n in "cs":
        sh(f"ip netns add {TOPO}-{n}")
        sh(f"ip -n {TOPO}-{n} link set lo up")
        sh(f"ip netns exec {TOPO}-{n} sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0")
        # or the kernel looks for a free port most of the time (700 connections a second, not 25,000)
        sh(f"ip netns exec {TOPO}-{n} sysctl -qw net.ipv4.tcp_tw_reuse=1 'net.ipv4.ip_local_port_range=1024 65535'")
    sh(f"ip link add v netns {TOPO}-c type veth peer name v netns {TOPO}-s")
    sh(f"ip -n {TOPO}-c addr add 10.3.0.1/24 dev v; ip -n {TOPO}-s addr add 10.3.0.2/24 dev v")
    sh(f"ip -n {TOPO}-c link set v up; ip -n {TOPO}-s link set v up")
    sh(f"ip -n {TOPO}-c route add 10.8.1.0/24 via 10.3.0.2; ip -n {TOPO}-s route add 10.7.1.0/24 via 10.3.0.1")


PLAIN = ["--mptcp", "off", "--crypt", "off"]
TUN_C = ["--tun", "bp1,addr=10.7.1.2/24,peer=10.7.1.1"]
TUN_S = ["--tun", "bq1,addr=10.8.1.2/24,peer=10.8.1.1"]


def wait_gone(ns, dev):
    for _ in range(200):
        if sh(f"ip -n {TOPO}-{ns} link show {dev}", check=False).returncode:
            return
        time.sleep(0.1)
    raise RuntimeError(f"{dev} stays")


def pair_ours(cmd, mode=PLAIN, more=(), serve=(XFER, "serve", "0.0.0.0", "7000"), out=out_json):
    """starts our server, runs the client cmd against it"""
    srv = start("s", [RUN] + mode + TUN_S + ["--"] + list(serve))
    try:
        for i in range(50):
            time.sleep(0.1)
            try:
                return out("c", [RUN, "--wait"] + mode + TUN_C + list(more) + ["--"] + cmd)
            except RuntimeError as e:
                last = e
                if "refused" not in str(e) and "timed out" not in str(e):
                    raise
        raise last
    finally:
        sh(f"ip netns pids {TOPO}-s | xargs -r kill -9", check=False)
        stop(srv)
        wait_gone("s", "bq1")
        wait_gone("c", "bp1")


def server_ours(cmd, mode, serve, out):
    """our server, a client of the kernel's"""
    srv = start("s", [RUN] + mode + TUN_S + ["--"] + list(serve))
    try:
        time.sleep(1.5)
        return out("c", cmd)
    finally:
        sh(f"ip netns pids {TOPO}-s | xargs -r kill -9", check=False)
        stop(srv)
        wait_gone("s", "bq1")


def pair_kernel(cmd, serve=(XFER, "serve", "10.3.0.2", "7000"), out=out_json):
    srv = start("s", list(serve))
    try:
        time.sleep(0.3)
        return out("c", cmd)
    finally:
        stop(srv)


def pipe_run():
    sh(f"ip -n {TOPO}-c tuntap add dev bp1 mode tun vnet_hdr; ip -n {TOPO}-c addr add 10.7.1.1/24 dev bp1; ip -n {TOPO}-c link set bp1 up")
    sh(f"ip -n {TOPO}-s tuntap add dev bq1 mode tun vnet_hdr; ip -n {TOPO}-s addr add 10.8.1.1/24 dev bq1; ip -n {TOPO}-s link set bq1 up")
    rx = start("s", [PIPE, "recv", "bq1"], stdout=subprocess.PIPE)
    tx = start("c", [PIPE, "send", "bp1", str(SECS)])
    text, _ = rx.communicate(timeout=SECS + 30)
    stop(tx)
    stop(rx)
    sh(f"ip -n {TOPO}-c link del bp1; ip -n {TOPO}-s link del bq1")
    return json.loads(text)


def gbit(d):
    return d["bytes"] * 8 / d["seconds"] / 1e9


# --- two paths of 100 Mbit/s ----------------------------------------------------

def topo(what):
    sh(f"bash -c '. tests/lib/topo.sh; TOPO={TOPO} topo_c={TOPO}-c topo_s={TOPO}-s; {what}'")


TUNS = {
    4: ["--tun", "mp1,addr=10.7.1.2/24,peer=10.7.1.1", "--tun", "mp2,addr=10.7.2.2/24,peer=10.7.2.1"],
    6: ["--tun", "mp1,addr=fd07:1::2/64,peer=fd07:1::1", "--tun", "mp2,addr=fd07:2::2/64,peer=fd07:2::1"],
}
HOST = {4: "10.9.0.1", 6: "fd09::1"}


class Frames:
    """Headers of the data segments as they leave a router: what a frame of a
    full segment spends on IP, TCP and options."""

    def __init__(self, dev):
        ns = os.open(f"/run/netns/{TOPO}-r1", os.O_RDONLY)
        own = os.open("/proc/self/ns/net", os.O_RDONLY)
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(ns, 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")
        self.s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.s.bind((dev, 0))
        self.s.setblocking(False)
        if libc.setns(own, 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")
        os.close(ns)
        os.close(own)

    def header_len(self):
        seen = collections.Counter()
        while True:
            try:
                f = self.s.recv(200)
            except BlockingIOError:
                break
            kind = struct.unpack("!H", f[12:14])[0]
            if kind == 0x0800 and f[23] == 6:
                ip = (f[14] & 15) * 4
                payload = struct.unpack("!H", f[16:18])[0] - ip
            elif kind == 0x86dd and f[20] == 6:
                ip = 40
                payload = struct.unpack("!H", f[18:20])[0]
            else:
                continue
            tcp = (f[14 + ip + 12] >> 4) * 4
            if payload - tcp > 1000:
                seen[ip + tcp] += 1
        self.s.close()
        if not seen:
            raise RuntimeError("no data segment seen at the router")
        return seen.most_common(1)[0][0]


def after_join(d):
    """octets per second from 1 s after the start (the join follows the first
    data by one round trip) to the end, the last, partial step left out"""
    t = d["timeline"]
    first = 21
    last = len(t) - 2
    return (t[last] - t[first]) / ((last - first) * 0.05)


def mptcp_once(family, way):
    frames = Frames("c" if way == "down" else "s")
    d = out_json("c", [RUN, "--mptcp", "require", "--wait"] + TUNS[family] +
                 ["--", XFER, way, HOST[family], "7000", str(max(SECS, 5))])
    header = frames.header_len()
    ceiling = 2 * RATE / 8 * (1500 - header) / (1500 + ETH)
    return after_join(d) / ceiling, header


def figure_mptcp():
    for family in 4, 6:
        srv = start("s", ["mptcpize", "run", XFER, "serve", HOST[family], "7000"])
        time.sleep(0.5)
        for way in "down", "up":
            got, header = [], 0
            for i in range(ROUNDS):
                progress(f"Multipath TCP, IPv{family} {way}, round {i + 1} of {ROUNDS}")
                r, header = mptcp_once(family, way)
                got.append(r)
            result.setdefault("mptcp", {})[f"ipv{family} {way}"] = got
            row(f"two paths, IPv{family} {way}load / ceiling", statistics.median(got), 0.97, "more",
                f"{header} octets of headers in 1500; runs {', '.join(f'{g:.3f}' for g in got)}")
        stop(srv)
        sh(f"ip netns pids {TOPO}-s | xargs -r kill -9", check=False)


def main():
    atexit.register(clean)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if not ONLY or set(ONLY) & {"sealed", *transport.FIGURES}:
        direct_up()
        for name, figure in transport.FIGURES.items():
            if not ONLY or name in ONLY:
                figure(sys.modules[__name__])
        if not ONLY or "sealed" in ONLY:
            sealed.figures(sys.modules[__name__])
        clean()
    if not ONLY or "mptcp" in ONLY:
        topo("topo_up && topo_rate 100mbit")
        sh(f"ip netns exec {TOPO}-s ip mptcp limits set subflows 8 add_addr_accepted 8")
        figure_mptcp()
    progress("")
    width = max(len(r[0]) for r in rows)
    print(f"\n{'figure':{width}}  {'value':>7}  {'wanted':>8}  reached")
    for name, value, wanted, ok, detail in rows:
        print(f"{name:{width}}  {value:>7}  {wanted:>8}  {ok:7}  {detail}")
    with open(f"{BUILD}/bench.json", "w") as f:
        json.dump(result, f, indent=1)
    return 0 if all(r[3] == "yes" for r in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
