"""Figures of the transport: ours against the kernel's TCP, in turns, and beside
both what one could use instead; `b` is run.py, whose pairs of namespaces and
programs are used.  Every figure is also measured sealed where both ends are
ours; its wanted ratio is that of the figures of encryption."""
import collections
import json
import os
import re
import resource
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

SMTCP = ["--crypt", "require"]
CLEAR = ["--crypt", "off"]  # Multipath TCP with one path
HOLD = int(os.environ.get("HOLD", "19000"))  # of the 20,000 a process may have
LOSS_SECS = int(os.environ.get("LOSS_SECS", "10"))


def median(values):
    return statistics.median(values)


def ratio(got, over, under):
    return median(o / u for o, u in zip(got[over], got[under]))


def turns(b, what, runs, n=None):
    """each of runs once per round; the figures by name"""
    got = collections.defaultdict(list)
    for i in range(n or b.ROUNDS):
        b.progress(f"{what}, round {i + 1} of {n or b.ROUNDS}")
        for name, run in runs.items():
            got[name].append(run())
    b.result.setdefault("runs", {})[what] = dict(got)
    return got


def show(got, unit, digits=1):
    return ", ".join(f"{k} {median(v):.{digits}f}" for k, v in got.items()) + f" {unit}"


def xfer(b, what, host, *more):
    return [b.XFER, what, host, "7000", str(b.SECS), *more]


# --- bulk --------------------------------------------------------------------------------

def to_kernel(b, cmd, mode, serve=None):
    """our client, the kernel's server"""
    srv = b.start("s", serve or [b.XFER, "serve", "10.3.0.2", "7000"])
    try:
        time.sleep(0.3)
        return b.out_json("c", [b.RUN, "--wait"] + mode + b.TUN_C + ["--"] + cmd)
    finally:
        b.stop(srv)
        b.wait_gone("c", "bp1")


def kernel_mptcp(b):
    return b.gbit(b.pair_kernel(["mptcpize", "run"] + xfer(b, "down", "10.3.0.2"),
                                ["mptcpize", "run", b.XFER, "serve", "10.3.0.2", "7000"]))


def relayed(b):
    """a socat on each host, as a proxy would stand there"""
    near = b.start("c", ["socat", "-b", "262144", "TCP-LISTEN:7001,fork,reuseaddr", "TCP:10.3.0.2:7002"])
    far = b.start("s", ["socat", "-b", "262144", "TCP-LISTEN:7002,fork,reuseaddr", "TCP:10.3.0.2:7000"])
    try:
        cmd = xfer(b, "down", "10.3.0.1")
        cmd[3] = "7001"
        return b.gbit(b.pair_kernel(cmd))
    finally:
        b.stop(near)
        b.stop(far)


def bulk(b):
    got = turns(b, "bulk", {
        "ours": lambda: b.gbit(b.pair_ours(xfer(b, "down", "10.8.1.2"))),
        "kernel": lambda: b.gbit(b.pair_kernel(xfer(b, "down", "10.3.0.2"))),
        "pipe": lambda: b.gbit(b.pipe_run()),
        "sealed": lambda: b.gbit(b.pair_ours(xfer(b, "down", "10.8.1.2"), SMTCP)),
        "kernel MPTCP": lambda: kernel_mptcp(b),
        "socat relays": lambda: relayed(b),
    })
    got["least"] = [min(k, p) for k, p in zip(got["kernel"], got["pipe"])]
    b.row("bulk: ours / least of kernel and pipe", ratio(got, "ours", "least"), 0.8, "more",
          show(got, "Gbit/s"))
    b.row("bulk sealed / ours plain", ratio(got, "sealed", "ours"), 0.55, "more", "")


def one_end(b):
    for way in "down", "up":
        got = turns(b, f"kernel peer, {way}", {
            "ours": lambda: b.gbit(to_kernel(b, xfer(b, way, "10.3.0.2"), b.PLAIN)),
            "kernel": lambda: b.gbit(b.pair_kernel(xfer(b, way, "10.3.0.2"))),
        })
        b.row(f"bulk, kernel peer, {way}load / kernel", ratio(got, "ours", "kernel"), 0.9, "more",
              show(got, "Gbit/s"))


def eight(b):
    got = turns(b, "eight connections", {
        name + n: (lambda mode=mode, n=n: b.gbit(
            b.pair_ours([b.XFER, "many", "10.8.1.2", "7000", str(b.SECS), n], mode)))
        for name, mode in (("", b.PLAIN), ("sealed ", SMTCP)) for n in ("8", "1")})
    b.row("8 bulk connections / 1", ratio(got, "8", "1"), 0.95, "more", show(got, "Gbit/s"))
    b.row("8 bulk connections / 1, sealed", ratio(got, "sealed 8", "sealed 1"), 0.95, "more", "")


# --- small things ------------------------------------------------------------------------

def ping(b):
    def us(run, host, **kw):
        return lambda: run([b.XFER, "ping", host, "7000", "20000"], **kw)["median_us"]
    got = turns(b, "round trip", {
        "ours": us(b.pair_ours, "10.8.1.2"),
        "kernel": us(b.pair_kernel, "10.3.0.2"),
        "sealed": us(b.pair_ours, "10.8.1.2", mode=SMTCP),
        "one end ours": lambda: to_kernel(b, [b.XFER, "ping", "10.3.0.2", "7000", "20000"],
                                          b.PLAIN)["median_us"],
    })
    b.row("1-byte round trip: ours / kernel", ratio(got, "ours", "kernel"), 2.0, "less", show(got, "us"))
    b.row("1-byte round trip: sealed / ours", ratio(got, "sealed", "ours"), 1.15, "less", "")


def churn(b):
    tool = f"{b.BUILD}/bench/churn"

    def rate(run, host, addr, **kw):
        def once():
            d = run([tool, "run", host, "7000", str(b.SECS), "16"],
                    serve=(tool, "serve", addr, "7000"), **kw)
            if d["errors"]:
                raise RuntimeError(f"{d['errors']} connections failed")
            return d["per_second"]
        return once
    got = turns(b, "connections", {
        "ours": rate(b.pair_ours, "10.8.1.2", "0.0.0.0"),
        "kernel": rate(b.pair_kernel, "10.3.0.2", "10.3.0.2"),
        "sealed": rate(b.pair_ours, "10.8.1.2", "0.0.0.0", mode=SMTCP),
    })
    b.row("connect, echo, close: ours / kernel", ratio(got, "ours", "kernel"), 0.5, "more",
          show(got, "a second, 16 at once", 0))
    b.row("connect, echo, close: sealed / ours", ratio(got, "sealed", "ours"), 0.8, "more", "resumed")


def nginx(tmp, listen):
    name = f"{tmp}/nginx-{listen.replace(':', '-')}.conf"
    with open(name, "w") as f:
        f.write(f"""daemon off; master_process off; user root; pid {tmp}/pid; error_log {tmp}/err;
events {{ worker_connections 512; }}
http {{ access_log off; keepalive_requests 100000000; client_body_temp_path {tmp}/b;
  proxy_temp_path {tmp}/p; fastcgi_temp_path {tmp}/f; uwsgi_temp_path {tmp}/u; scgi_temp_path {tmp}/s;
  server {{ listen {listen}; location / {{ return 200 "an answer of some length\\n"; }} }} }}""")
    return ["nginx", "-c", name, "-p", tmp]


def wrk_rate(b):
    def out(ns, cmd):
        r = subprocess.run(b.ns_exec(ns, cmd), text=True, capture_output=True, timeout=120)
        m = re.search(r"Requests/sec:\s*([0-9.]+)", r.stdout)
        if r.returncode or not m or float(m[1]) == 0:
            raise RuntimeError(f"wrk: {r.stderr.strip() or r.stdout.strip()} timed out")
        return float(m[1])
    return out


def wrk(b):
    tmp = tempfile.mkdtemp()
    cmd = ["wrk", "-t", "1", "-c", "64", "-d", f"{b.SECS}s"]
    serve, out = nginx(tmp, "7000"), wrk_rate(b)

    def ours():
        return b.server_ours(cmd + ["http://10.8.1.2:7000/"], b.PLAIN, serve, out)
    try:
        got = turns(b, "wrk", {
            "ours": ours,
            "kernel": lambda: b.pair_kernel(cmd + ["http://10.3.0.2:7000/"],
                                            nginx(tmp, "10.3.0.2:7000"), out),
            "both ends": lambda: b.pair_ours(cmd + ["http://10.8.1.2:7000/"], CLEAR, serve=serve, out=out),
            "both sealed": lambda: b.pair_ours(cmd + ["http://10.8.1.2:7000/"], SMTCP, serve=serve, out=out),
        })
    finally:
        shutil.rmtree(tmp)
    b.row("HTTP requests, 64 kept alive: ours / kernel", ratio(got, "ours", "kernel"), 0.5, "more",
          show(got, "a second", 0))
    b.row("HTTP requests: both ends sealed / not", ratio(got, "both sealed", "both ends"), 0.55, "more", "")


# --- loss ----------------------------------------------------------------------------------

def loss(b):
    seed = [0]

    def link(run):
        """a fresh link with the next seed, the same for each of a round"""
        em = b.start("c", [f"{b.BUILD}/bench/lossy", f"{b.TOPO}-c", f"{b.TOPO}-s", "10000", "10000",
                           "100", str(seed[0])], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            em.stdout.readline()
            b.sh(f"ip -n {b.TOPO}-c addr add 10.4.0.1/30 dev em; ip -n {b.TOPO}-s addr add 10.4.0.2/30 dev em;"
                 f"ip -n {b.TOPO}-c link set em up; ip -n {b.TOPO}-s link set em up;"
                 f"ip -n {b.TOPO}-c route replace 10.8.1.0/24 via 10.4.0.2;"
                 f"ip -n {b.TOPO}-s route replace 10.7.1.0/24 via 10.4.0.1")
            return b.gbit(run()) * 1000
        finally:
            b.stop(em)
            b.sh(f"ip -n {b.TOPO}-c route replace 10.8.1.0/24 via 10.3.0.2;"
                 f"ip -n {b.TOPO}-s route replace 10.7.1.0/24 via 10.3.0.1")
            b.wait_gone("c", "em")

    def ours(mode):
        return lambda: link(lambda: b.pair_ours(
            [b.XFER, "down", "10.8.1.2", "7000", str(LOSS_SECS)], mode + ["--congestion", "cubic"]))

    def kernel():
        seed[0] += 1
        return link(lambda: b.pair_kernel([b.XFER, "down", "10.4.0.2", "7000", str(LOSS_SECS)],
                                          (b.XFER, "serve", "10.4.0.2", "7000")))
    got = turns(b, "1 % loss", {"kernel": kernel, "ours": ours(b.PLAIN), "sealed": ours(SMTCP)})
    b.row("1 % loss, 20 ms, cubic: ours / kernel", ratio(got, "ours", "kernel"), 0.95, "more",
          show(got, "Mbit/s of 100"))
    b.row("1 % loss, 20 ms: sealed / ours", ratio(got, "sealed", "ours"), 0.95, "more", "")


# --- what the stack process holds -------------------------------------------------------------

def stacks(b, ns):
    pids = b.sh(f"ip netns pids {b.TOPO}-{ns}", check=False).stdout.split()
    found = []
    for pid in pids:
        try:
            with open(f"/proc/{pid}/status") as f:
                text = f.read()
        except FileNotFoundError:
            continue
        if re.search(r"^Name:\s+mptcp-stackd", text, re.M):
            found.append((int(re.search(r"^VmRSS:\s+(\d+)", text, re.M)[1]), int(pid)))
    return max(found)  # the keeper is the small one


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as f:
        v = f.read().rsplit(")", 1)[1].split()
    return (int(v[11]) + int(v[12])) / os.sysconf("SC_CLK_TCK")


def held(b, mode, client, n):
    """KiB per connection of the accepting stack process; seconds of processor
    time that it used in 5 seconds of rest"""
    srv = b.start("s", [b.RUN] + mode + b.TUN_S + ["--", f"{b.BUILD}/bench/hold", "serve", "0.0.0.0", "7000"])
    try:
        time.sleep(1)
        before, pid = stacks(b, "s")
        cl = b.start("c", client + [f"{b.BUILD}/bench/hold", "run", "10.8.1.2", "7000", str(n)],
                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if cl.stdout.readline() != "ready\n":
            raise RuntimeError("connections failed")
        time.sleep(4)
        after, _ = stacks(b, "s")
        used = cpu_s(pid)
        time.sleep(5)
        used = cpu_s(pid) - used
        b.stop(cl)
        return (after - before) / n, used
    finally:
        for ns in "cs":
            b.sh(f"ip netns pids {b.TOPO}-{ns} | xargs -r kill -9", check=False)
        b.stop(srv)
        b.wait_gone("s", "bq1")
        b.wait_gone("c", "bp1")


def slab_kib():
    with open("/proc/meminfo") as f:
        return int(re.search(r"^Slab:\s+(\d+)", f.read(), re.M)[1])


def unix_pair_kib(n=4000):
    """kernel memory of one AF_UNIX pair with its two descriptors"""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    found = []
    for _ in range(5):
        before = slab_kib()
        pairs = [socket.socketpair() for _ in range(n)]
        found.append((slab_kib() - before) / n)
        for pair in pairs:
            for s in pair:
                s.close()
        time.sleep(0.3)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return median(found)


def memory(b):
    b.progress("memory of resting connections")
    core = {m: json.loads(b.sh(f"{b.BUILD}/bench/idle 100000 {m}").stdout) for m in ("plain", "mptcp", "sealed")}
    b.result["memory_core"] = core
    kib = {m: d["accepted"] / 1024 for m, d in core.items()}
    rest = sum(d["timers"] + d["packets"] for d in core.values())
    b.row("KiB per idle connection, core, 100,000", kib["plain"], 4, "less",
          f"Multipath TCP {kib['mptcp']:.2f}, sealed {kib['sealed']:.2f} and {core['sealed']['libcrypto'] / 1024:.2f} "
          f"of libcrypto; {rest} timers and packets in ten minutes of rest")
    plain, used = held(b, b.PLAIN, [], HOLD)
    multi, _ = held(b, CLEAR, ["mptcpize", "run"], min(HOLD, 5000))
    sealed, _ = held(b, SMTCP, [b.RUN] + SMTCP + b.TUN_C + ["--"], min(HOLD, 5000))
    b.result["memory_process"] = {"plain": plain, "mptcp": multi, "sealed": sealed, "cpu_s": used}
    b.row("KiB per idle connection, stack process", plain, 4, "less",
          f"{HOLD} of them; Multipath TCP {multi:.2f}, sealed {sealed:.2f} with its cipher contexts; kernel "
          f"memory of the AF_UNIX pair {unix_pair_kib():.1f}")
    b.row("processor time in 5 s of rest, s", used, 0.01, "less", f"{HOLD} connections")


def scale(b):
    b.progress("timers and lookups")
    d = json.loads(b.sh(f"{b.BUILD}/bench/scale").stdout)
    b.result["scale_ns"] = d
    low, high = d["10"], d["100000"]
    for what, name in ("lookup", "demultiplexer"), ("arm", "timer armed"), ("fire", "timer fired"):
        b.row(f"{name}, 100,000 connections / 10", high[what] / low[what], 1.5, "less",
              f"{low[what]:.0f} and {high[what]:.0f} ns, ten active; all active, in random order "
              f"{high['cold ' + what]:.0f} ns")


def calls(b):
    with tempfile.TemporaryDirectory() as tmp:
        def per_mb(io, mode):
            def once():
                d = b.pair_ours(xfer(b, "up", "10.8.1.2"), mode, ["--io", io, "--stats-json", f"{tmp}/s"])
                with open(f"{tmp}/s") as f:
                    return json.load(f)["counters"]["IoSystemCalls"] / (d["bytes"] / 1e6)
            return once
        got = turns(b, "system calls", {
            "uring": per_mb("uring", b.PLAIN), "epoll": per_mb("epoll", b.PLAIN),
            "sealed uring": per_mb("uring", SMTCP), "sealed epoll": per_mb("epoll", SMTCP)})
    b.row("system calls per MB: io_uring / epoll", ratio(got, "uring", "epoll"), 1.0, "less",
          show(got, "per MB", 2))
    b.row("system calls per MB, sealed: io_uring / epoll", ratio(got, "sealed uring", "sealed epoll"), 1.0,
          "less", "")


FIGURES = {"ping": ping, "bulk": bulk, "peer": one_end, "eight": eight, "churn": churn, "wrk": wrk,
           "loss": loss, "memory": memory, "scale": scale, "calls": calls}
