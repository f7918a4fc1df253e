#!/usr/bin/env python3
"""The figures: every one a ratio measured alternately in one run, median of ROUNDS.

  run.sh [FIGURE...]    some of them (make bench ONLY=bulk,ping does the same)

Prints a table, and writes it with the value of every run to build/bench.json.
Ends with 1 where a wanted value was not reached.  Everything happens in network
namespaces, which are removed at the end and when it is interrupted.  All sides
use cubic.  From the environment:

  ROUNDS=5      of each figure; what stands beside without a target, 3 at most
  SECS=3        of each bulk run
  LOSS_SECS=10  of each run with loss
  HOLD=19000    connections at rest
  B=build       where the programs are
"""
import atexit
import collections
import json
import os
import re
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import sealed
import transport


def whole(name, default):
    text = os.environ.get(name, str(default))
    if not re.fullmatch("[1-9][0-9]{0,6}", text):
        sys.exit(f"{name}={text}: not a whole number above 0")
    return int(text)


ROUNDS = whole("ROUNDS", 5)
SECS = whole("SECS", 3)
LOSS_SECS = whole("LOSS_SECS", 10)
HOLD = whole("HOLD", 19000)  # of the 20,000 descriptors a process may have
BESIDE = min(ROUNDS, 3)  # rounds of what has no target
RATE = 100e6  # of each link, bits of Ethernet frames per second
TOPO = f"mpb{os.getpid()}"
CC = "cubic"  # our default; the kernel's by the route: congestion() below
KERNEL_MPTCP = ["env", f"XFER_CC={CC}", "mptcpize", "run"]
os.environ["MPTCP_CRYPT_MEMORY"] = "off"  # nothing in the user's files
BUILD = os.environ.get("B", "build")
RUN = f"{BUILD}/mptcp-run"
XFER = f"{BUILD}/bench/xfer"
PIPE = f"{BUILD}/bench/pipe"
RELAY = f"{BUILD}/bench/relay"
LWIP = f"{BUILD}/bench/lwip"
ETH = 14
procs = []
rows = []
result = {"rounds": ROUNDS, "seconds": SECS, "figures": {}, "runs": {}}
state = {"ending": False, "tmp": None, "from": time.monotonic()}


def sh(cmd, check=True):
    r = subprocess.run(cmd, shell=True, text=True, capture_output=True)
    if r.returncode and check and not state["ending"]:
        raise RuntimeError(f"{cmd}: exit {r.returncode}: {r.stderr.strip()}")
    return r


def tmp():
    """a folder for a figure's files, in memory; clean() removes it"""
    if not state["tmp"]:
        state["tmp"] = tempfile.mkdtemp(prefix=TOPO, dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        os.chmod(state["tmp"], 0o755)
    return tempfile.mkdtemp(dir=state["tmp"])


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


def core_json(*cmds):
    """programs that measure the core alone, in no namespace; at once, where
    time is not what they measure"""
    ps = [subprocess.Popen([f"{BUILD}/bench/{cmd[0]}"] + cmd[1:], text=True, start_new_session=True,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE) for cmd in cmds]
    procs.extend(ps)
    found = []
    for p, cmd in zip(ps, cmds):
        out, err = p.communicate()
        if p.returncode:
            raise RuntimeError(f"{' '.join(cmd)}: exit {p.returncode}: {err.strip()}")
        procs.remove(p)
        found.append(json.loads(out))
    return found


def kill_in(ns):
    sh(f"ip netns pids {ns} | xargs -r kill -9", check=False)


def namespaces():
    names = [line.split(" ")[0] for line in sh("ip netns list", check=False).stdout.split("\n")]
    return [n for n in names if n.startswith(TOPO + "-")]


def clean():
    for p in list(procs):
        stop(p)
    # again, for what a command cut short may still have made
    for _ in range(2):
        for ns in namespaces():
            kill_in(ns)
            sh(f"ip netns del {ns}", check=False)
        time.sleep(0.1)
    if state["tmp"]:
        shutil.rmtree(state["tmp"], ignore_errors=True)
        state["tmp"] = None


def interrupted(signum, _frame):
    """ends the run where it is; clean() comes at exit, and once"""
    for s in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        signal.signal(s, signal.SIG_IGN)
    state["ending"] = True
    progress("")
    print("interrupted, removing the namespaces", file=sys.stderr)
    sys.exit(128 + signum)


def progress(text):
    took = int(time.monotonic() - state["from"])
    text = text and f"{took // 60:2}:{took % 60:02}  {text}"
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)
    elif text:
        print(text, flush=True)


def row(name, value, wanted, better, detail):
    """a line of the table; wanted None: stands beside the others, no target"""
    if wanted is None:
        rows.append((name, f"{value:.3f}", "-", "", detail))
        result["figures"][name] = {"value": value, "detail": detail}
        return
    ok = value >= wanted if better == "more" else value <= wanted
    sign = ">=" if better == "more" else "<="
    rows.append((name, f"{value:.3f}", f"{sign} {wanted}", "yes" if ok else "NO", detail))
    result["figures"][name] = {"value": value, "wanted": wanted, "better": better, "reached": ok,
                               "detail": detail}


# --- two hosts and a cable between them ---------------------------------------

def congestion(ns, family=4):
    """the kernel's congestion control there: by its routes, because what a
    namespace may choose by sysctl, and what a program's sockets had before, is
    the host's affair"""
    for r in sh(f"ip -n {ns} -{family} route show table all").stdout.strip().split("\n"):
        local = r.startswith("local") and (family == 6 or "127." in r)
        if r and not local and not re.match("broadcast|multicast|anycast|ff00", r):
            sh(f"ip -n {ns} -{family} route change {r} congctl {CC}")


def congestion_check():
    """that the kernel does as told, both ends of a connection"""
    srv = start("s", [XFER, "serve", "10.3.0.2", "7000"])
    wait_listening("s", 7000)
    cl = start("c", [XFER, "ping", "10.3.0.2", "7000", "10000000"])
    time.sleep(0.2)
    for ns in "cs":
        text = sh(f"ip netns exec {TOPO}-{ns} ss -Htin state established").stdout
        if not re.search(rf"\b{CC}\b", text):
            raise RuntimeError(f"the kernel does not use {CC}: {text.strip()}")
    stop(cl)
    stop(srv)


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
    for n in "cs":
        congestion(f"{TOPO}-{n}")
    congestion_check()


PLAIN = ["--mptcp", "off", "--crypt", "off"]
TUN_C = ["--tun", "bp1,addr=10.7.1.2/24,peer=10.7.1.1"]
TUN_S = ["--tun", "bq1,addr=10.8.1.2/24,peer=10.8.1.1"]


def wait_gone(ns, dev):
    for _ in range(200):
        if state["ending"] or sh(f"ip -n {TOPO}-{ns} link show {dev}", check=False).returncode:
            return
        time.sleep(0.1)
    raise RuntimeError(f"{dev} stays")


def wait_up(ns, dev):
    """or the first SYN is lost, and the next comes a second later"""
    for _ in range(100):
        if "LOWER_UP" in sh(f"ip -n {TOPO}-{ns} link show {dev}", check=False).stdout:
            return
        time.sleep(0.05)
    raise RuntimeError(f"{dev} does not come up")


def wait_listening(ns, port):
    """of the kernel's; ours are not seen by ss"""
    for _ in range(100):
        if sh(f"ip netns exec {TOPO}-{ns} ss -Hltn 'sport = :{port}'").stdout:
            return
        time.sleep(0.05)
    raise RuntimeError(f"nobody listens on port {port}")


def when_up(run):
    """again until the server can be reached"""
    for _ in range(50):
        time.sleep(0.1)
        try:
            return run()
        except RuntimeError as e:
            last = e
            if not re.search("refused|timed out|unreachable|[Nn]o route", str(e)):
                raise
    raise last


def pair_ours(cmd, mode=PLAIN, more=(), serve=(XFER, "serve", "0.0.0.0", "7000"), out=out_json):
    """starts our server, runs the client cmd against it; what the client has
    measured is over with it, so the stacks are not waited for, but for what
    one of them writes at its end"""
    wait = ["--wait"] if more else []
    srv = start("s", [RUN] + mode + TUN_S + ["--"] + list(serve))
    try:
        wait_up("s", "bq1")
        return when_up(lambda: out("c", [RUN] + wait + mode + TUN_C + list(more) + ["--"] + cmd))
    finally:
        kill_in(f"{TOPO}-s")
        kill_in(f"{TOPO}-c")
        stop(srv)
        wait_gone("s", "bq1")
        wait_gone("c", "bp1")


def server_ours(cmd, mode, serve, out):
    """our server, a client of the kernel's"""
    srv = start("s", [RUN] + mode + TUN_S + ["--"] + list(serve))
    try:
        wait_up("s", "bq1")
        return when_up(lambda: out("c", cmd))
    finally:
        kill_in(f"{TOPO}-s")
        stop(srv)
        wait_gone("s", "bq1")


def pair_kernel(cmd, serve=(XFER, "serve", "10.3.0.2", "7000"), out=out_json):
    srv = start("s", list(serve))
    try:
        wait_listening("s", 7000)
        return out("c", cmd)
    finally:
        stop(srv)


def device(ns, dev, addr, *how):
    """a TUN device for a program that does not make its own"""
    sh(f"ip -n {TOPO}-{ns} tuntap add dev {dev} mode tun {' '.join(how)} && "
       f"ip -n {TOPO}-{ns} addr add {addr}/24 dev {dev} && ip -n {TOPO}-{ns} link set {dev} up")


def no_device(ns, dev):
    sh(f"ip -n {TOPO}-{ns} link del {dev}")


def pipe_run():
    device("c", "bp1", "10.7.1.1", "vnet_hdr")
    device("s", "bq1", "10.8.1.1", "vnet_hdr")
    rx = start("s", [PIPE, "recv", "bq1"], stdout=subprocess.PIPE)
    tx = start("c", [PIPE, "send", "bp1", str(SECS)])
    text, _ = rx.communicate(timeout=SECS + 30)
    stop(tx)
    stop(rx)
    no_device("c", "bp1")
    no_device("s", "bq1")
    return json.loads(text)


def gbit(d):
    if not d["seconds"]:
        raise RuntimeError("nothing arrived")
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


def two_paths():
    """two paths / ceiling: our client over two links of 100 Mbit/s against the kernel's Multipath TCP, as
    part of what the links leave for payload given the headers and options the frames really carry"""
    topo("topo_up && topo_rate 100mbit")
    congestion(f"{TOPO}-s")
    congestion(f"{TOPO}-s", 6)
    sh(f"ip netns exec {TOPO}-s ip mptcp limits set subflows 8 add_addr_accepted 8")
    for family in 4, 6:
        srv = start("s", KERNEL_MPTCP + [XFER, "serve", HOST[family], "7000"])
        wait_listening("s", 7000)
        for way in "down", "up":
            what = f"two paths, IPv{family} {way}load / ceiling"
            got, header = [], 0
            for i in range(ROUNDS):
                progress(f"{what}, round {i + 1} of {ROUNDS}")
                r, header = mptcp_once(family, way)
                got.append(r)
            result["runs"][what] = got
            row(what, statistics.median(got), 0.97, "more", f"{header} octets of headers in 1500")
        stop(srv)
        kill_in(f"{TOPO}-s")


FIGURES = {**transport.FIGURES, "sealed": sealed.figures, "mptcp": two_paths}


def explain():
    print(__doc__)
    for name, figure in FIGURES.items():
        text = "\n".join(f.__doc__ for f in sealed.PARTS) if name == "sealed" else figure.__doc__
        print(f"{name}\n    " + re.sub(r"\n\s*", "\n    ", text.strip()))


def table():
    progress("")
    width = max(len(r[0]) for r in rows)
    print(f"\n{'figure':{width}}  {'value':>7}  {'wanted':>8}  reached")
    for name, value, wanted, ok, detail in rows:
        print(f"{name:{width}}  {value:>7}  {wanted:>8}  {ok:7}  {detail}".rstrip())
    took = int(time.monotonic() - state["from"])
    print(f"\n{took // 60} min {took % 60} s, {ROUNDS} rounds of {SECS} s; every run: {BUILD}/bench.json; "
          "what a row means: tests/bench/run.sh --help")
    result["took"] = took
    with open(f"{BUILD}/bench.json", "w") as f:
        json.dump(result, f, indent=1)


def timed(name, figure):
    begun = time.monotonic()
    figure()
    result.setdefault("took_by_figure", {})[name] = round(time.monotonic() - begun, 1)


def main():
    if set(sys.argv[1:]) & {"-h", "--help"}:
        explain()
        return 0
    only = sys.argv[1:] or [w for w in os.environ.get("ONLY", "").split(",") if w] or list(FIGURES)
    unknown = set(only) - set(FIGURES)
    if unknown:
        sys.exit(f"{', '.join(sorted(unknown))}: no such figure; there are {', '.join(FIGURES)}")
    atexit.register(clean)
    for s in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        signal.signal(s, interrupted)
    if set(only) - {"mptcp"}:
        direct_up()
        for name, figure in FIGURES.items():
            if name in only and name != "mptcp":
                timed(name, lambda: figure(sys.modules[__name__]))
        clean()
    if "mptcp" in only:
        timed("mptcp", two_paths)
    table()
    return 0 if all(r[3] != "NO" for r in rows) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, subprocess.TimeoutExpired, OSError) as e:
        sys.exit(f"bench: {e}")
