"""Figures of the transport: ours against the kernel's TCP, in turns, and beside
both what one could use instead; `b` is run.py, whose pairs of namespaces and
programs are used.  Every figure is also measured sealed where both ends are
ours; its wanted ratio is that of the figures of encryption."""
import collections
import contextlib
import json
import os
import re
import resource
import socket
import statistics
import subprocess
import time

SMTCP = ["--crypt", "require"]
CLEAR = ["--crypt", "off"]  # Multipath TCP with one path


def median(values):
    return statistics.median(values)


def ratio(got, over, under):
    return median(o / u for o, u in zip(got[over], got[under]))


def turns(b, what, runs, beside=()):
    """each of runs once per round, in turns, and of beside in the first
    rounds; the figures by name"""
    got = collections.defaultdict(list)
    for i in range(b.ROUNDS):
        b.progress(f"{what}, round {i + 1} of {b.ROUNDS}")
        for name, run in {**runs, **(dict(beside) if i < b.BESIDE else {})}.items():
            got[name].append(run())
    b.result["runs"][what] = dict(got)
    return got


def rows_beside(b, what, got, names, unit, over="kernel"):
    """rows without a target: what one could use instead, and references"""
    for name in names:
        b.row(f"{what}: {name} / {over}", ratio(got, name, over), None, None,
              f"{name} {median(got[name]):.1f} {unit}")


def show(got, unit, digits=1, names=None):
    return ", ".join(f"{k} {median(got[k]):.{digits}f}" for k in names or got) + f" {unit}"


def xfer(b, what, host, *more):
    return [b.XFER, what, host, "7000", str(b.SECS), *more]


# --- bulk --------------------------------------------------------------------------------

def to_kernel(b, cmd, mode):
    """our client, the kernel's server"""
    srv = b.start("s", [b.XFER, "serve", "10.3.0.2", "7000"])
    try:
        b.wait_listening("s", 7000)
        return b.out_json("c", [b.RUN] + mode + b.TUN_C + ["--"] + cmd)
    finally:
        b.kill_in(f"{b.TOPO}-c")
        b.stop(srv)
        b.wait_gone("c", "bp1")


def kernel_mptcp(b):
    return b.gbit(b.pair_kernel(["mptcpize", "run"] + xfer(b, "down", "10.3.0.2"),
                                b.KERNEL_MPTCP + [b.XFER, "serve", "10.3.0.2", "7000"]))


def socats(b):
    """a socat on each host, as a proxy would stand there"""
    near = b.start("c", ["socat", "-b", "262144", "TCP-LISTEN:7001,fork,reuseaddr", "TCP:10.3.0.2:7002"])
    far = b.start("s", ["socat", "-b", "262144", "TCP-LISTEN:7002,fork,reuseaddr", "TCP:10.3.0.2:7000"])
    try:
        b.wait_listening("c", 7001)
        b.wait_listening("s", 7002)
        return b.gbit(b.pair_kernel([b.XFER, "down", "10.3.0.1", "7001", str(b.SECS)]))
    finally:
        b.stop(near)
        b.stop(far)


def relayed(b, what, n, *how):
    """xfer's client behind an AF_UNIX socket and a process that moves octets"""
    rel = b.start("c", [b.RELAY, "@bench", "10.3.0.2", "7000", *how], stdin=subprocess.PIPE,
                  stdout=subprocess.PIPE)
    try:
        if rel.stdout.readline() != "ready\n":
            raise RuntimeError("relay: does not start")
        return b.pair_kernel([b.XFER, what, "@bench", "7000", str(n)])
    finally:
        b.stop(rel)


@contextlib.contextmanager
def with_device(b, ns, dev, addr):
    b.device(ns, dev, addr)
    try:
        yield
    finally:
        b.no_device(ns, dev)


def lwip(b, what, n):
    """lwIP's client, the kernel's server"""
    with with_device(b, "c", "bp1", "10.7.1.1"):
        return b.pair_kernel([b.LWIP, "bp1", "10.7.1.2", what, "10.3.0.2", "7000", str(n)])


def lwip_pair(b, what, n):
    with with_device(b, "c", "bp1", "10.7.1.1"), with_device(b, "s", "bq1", "10.8.1.1"):
        srv = b.start("s", [b.LWIP, "bq1", "10.8.1.2", "serve", "7000"])
        try:
            return b.when_up(lambda: b.out_json(
                "c", [b.LWIP, "bp1", "10.7.1.2", what, "10.8.1.2", "7000", str(n)]))
        finally:
            b.stop(srv)


def bulk(b):
    """bulk: ours / least of kernel and pipe: one connection, downloading, ours at both ends; kernel TCP over
    the veth; the pipe: the same hops as ours, two processes and two TUN devices, without TCP
    bulk sealed / ours plain: the same with SMTCP
    bulk: pipe / kernel: the limit that the design has where there is no TCP
    bulk: kernel MPTCP, socat relays, lwIP / kernel: what one could use in place of ours, at both ends;
    lwIP as Debian has it, over TUN in the program's own process: no offload, window and segments as shown"""
    beside = {
        "kernel MPTCP": lambda: kernel_mptcp(b),
        "socat relays": lambda: socats(b),
        "lwIP": lambda: b.gbit(lwip_pair(b, "down", b.SECS)),
    }
    got = turns(b, "bulk", {
        "ours": lambda: b.gbit(b.pair_ours(xfer(b, "down", "10.8.1.2"))),
        "kernel": lambda: b.gbit(b.pair_kernel(xfer(b, "down", "10.3.0.2"))),
        "pipe": lambda: b.gbit(b.pipe_run()),
        "sealed": lambda: b.gbit(b.pair_ours(xfer(b, "down", "10.8.1.2"), SMTCP)),
    }, beside)
    got["least"] = [min(k, p) for k, p in zip(got["kernel"], got["pipe"])]
    b.row("bulk: ours / least of kernel and pipe", ratio(got, "ours", "least"), 0.8, "more",
          show(got, "Gbit/s", names=("ours", "kernel", "pipe")))
    b.row("bulk sealed / ours plain", ratio(got, "sealed", "ours"), 0.55, "more",
          show(got, "Gbit/s", names=("sealed",)))
    rows_beside(b, "bulk", got, ("pipe", "kernel MPTCP", "socat relays"), "Gbit/s")
    limits = b.out_json("c", [b.LWIP, "limits"])
    rows_beside(b, "bulk", got, ("lwIP",), f"Gbit/s, window {limits['window']}, send buffer "
                f"{limits['send_buffer']}, segments of {limits['mss']}")
    b.result["lwip"] = limits


def one_end(b):
    """bulk, kernel peer, download and upload / kernel: our client, the kernel's server
    ... ours / relay: the same against the best that any stack in a process of its own can do: xfer,
    an AF_UNIX socket, a process that only moves octets (256 KiB at a time; the better of read/write and
    splice), kernel TCP over the same veth
    ... relay, relay by splice / kernel: what is left of kernel TCP with such a process in between; the
    kernel's own socket copies twice, this four times
    ... lwIP / kernel: lwIP's client, the kernel's server"""
    for way in "down", "up":
        what = f"bulk, kernel peer, {way}load"
        got = turns(b, what, {
            "ours": lambda: b.gbit(to_kernel(b, xfer(b, way, "10.3.0.2"), b.PLAIN)),
            "kernel": lambda: b.gbit(b.pair_kernel(xfer(b, way, "10.3.0.2"))),
            "relay": lambda: b.gbit(relayed(b, way, b.SECS)),
            "relay by splice": lambda: b.gbit(relayed(b, way, b.SECS, "splice")),
        }, {"lwIP": lambda: b.gbit(lwip(b, way, b.SECS))})
        got["best relay"] = [max(r, s) for r, s in zip(got["relay"], got["relay by splice"])]
        b.row(f"{what} / kernel", ratio(got, "ours", "kernel"), 0.9, "more",
              show(got, "Gbit/s", names=("ours", "kernel")))
        rows_beside(b, what, got, ("ours",), "Gbit/s", over="best relay")
        rows_beside(b, what, got, ("relay", "relay by splice", "lwIP"), "Gbit/s")


def eight(b):
    """8 bulk connections / 1: all octets of eight at once, ours at both ends; and sealed"""
    got = turns(b, "eight connections", {
        name + n: (lambda mode=mode, n=n: b.gbit(
            b.pair_ours([b.XFER, "many", "10.8.1.2", "7000", str(b.SECS), n], mode)))
        for name, mode in (("", b.PLAIN), ("sealed ", SMTCP)) for n in ("8", "1")})
    b.row("8 bulk connections / 1", ratio(got, "8", "1"), 0.95, "more", show(got, "Gbit/s"))
    b.row("8 bulk connections / 1, sealed", ratio(got, "sealed 8", "sealed 1"), 0.95, "more", "")


# --- small things ------------------------------------------------------------------------

@contextlib.contextmanager
def one_processor():
    """what is started meanwhile has one processor, all of it the same"""
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(mine)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, mine)


def ping(b):
    """1-byte round trip: ours / kernel: ours at both ends, median of 20,000; and sealed / ours
    ... one end: our client, the kernel's server; relay, lwIP: as in peer
    ... on one processor: programs and stacks all on the same, so that nothing depends on which of two the
    scheduler chooses for each of them: what the code on the way costs"""
    def us(run, host, **kw):
        return lambda: run([b.XFER, "ping", host, "7000", "20000"], **kw)["median_us"]
    runs = {
        "ours": us(b.pair_ours, "10.8.1.2"),
        "kernel": us(b.pair_kernel, "10.3.0.2"),
        "sealed": us(b.pair_ours, "10.8.1.2", mode=SMTCP),
    }
    got = turns(b, "round trip", runs, {
        "one end": lambda: to_kernel(b, [b.XFER, "ping", "10.3.0.2", "7000", "20000"], b.PLAIN)["median_us"],
        "relay": lambda: relayed(b, "ping", 20000)["median_us"],
        "lwIP": lambda: lwip(b, "ping", 20000)["median_us"],
    })
    b.row("1-byte round trip: ours / kernel", ratio(got, "ours", "kernel"), 2.0, "less",
          show(got, "us", names=("ours", "kernel")))
    b.row("1-byte round trip: sealed / ours", ratio(got, "sealed", "ours"), 1.15, "less",
          show(got, "us", names=("sealed",)))
    rows_beside(b, "1-byte round trip", got, ("one end", "relay", "lwIP"), "us")
    with one_processor():
        got = turns(b, "round trip on one processor", runs)
    rows_beside(b, "1-byte round trip on one processor", got, ("ours",), f"us, kernel {median(got['kernel']):.1f}")
    rows_beside(b, "1-byte round trip on one processor", got, ("sealed",), "us", over="ours")


def churn(b):
    """connect, echo, close: ours / kernel: connections a second, 64 octets each way on each, 16 at once, ours
    at both ends; sealed / ours: sealed ones resume a session"""
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
    """HTTP requests, 64 kept alive: ours / kernel: wrk of the kernel's against nginx under mptcp-run
    HTTP requests: both ends sealed / not: wrk under mptcp-run, too"""
    tmp = b.tmp()
    cmd = ["wrk", "-t", "1", "-c", "64", "-d", f"{b.SECS}s"]
    serve, out = nginx(tmp, "7000"), wrk_rate(b)

    def ours():
        return b.server_ours(cmd + ["http://10.8.1.2:7000/"], b.PLAIN, serve, out)
    got = turns(b, "wrk", {
        "ours": ours,
        "kernel": lambda: b.pair_kernel(cmd + ["http://10.3.0.2:7000/"], nginx(tmp, "10.3.0.2:7000"), out),
        "both ends": lambda: b.pair_ours(cmd + ["http://10.8.1.2:7000/"], CLEAR, serve=serve, out=out),
        "both sealed": lambda: b.pair_ours(cmd + ["http://10.8.1.2:7000/"], SMTCP, serve=serve, out=out),
    })
    b.row("HTTP requests, 64 kept alive: ours / kernel", ratio(got, "ours", "kernel"), 0.5, "more",
          show(got, "a second", 0))
    b.row("HTTP requests: both ends sealed / not", ratio(got, "both sealed", "both ends"), 0.55, "more", "")


# --- loss ----------------------------------------------------------------------------------

def loss(b):
    """1 % loss, 20 ms, cubic: ours / kernel: a download over an emulated link of 100 Mbit/s, each round with
    another series of losses, the same for all; ours at both ends; and sealed / ours"""
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
            for ns in "cs":
                b.congestion(f"{b.TOPO}-{ns}")
            return b.gbit(run()) * 1000
        finally:
            b.stop(em)
            b.sh(f"ip -n {b.TOPO}-c route replace 10.8.1.0/24 via 10.3.0.2;"
                 f"ip -n {b.TOPO}-s route replace 10.7.1.0/24 via 10.3.0.1")
            for ns in "cs":
                b.congestion(f"{b.TOPO}-{ns}")
            b.wait_gone("c", "em")

    def ours(mode):
        return lambda: link(lambda: b.pair_ours(
            [b.XFER, "down", "10.8.1.2", "7000", str(b.LOSS_SECS)], mode + ["--congestion", "cubic"]))

    def kernel():
        seed[0] += 1
        return link(lambda: b.pair_kernel([b.XFER, "down", "10.4.0.2", "7000", str(b.LOSS_SECS)],
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
    """processor time of all threads, to the nanosecond (stat counts in ticks)"""
    used = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as f:
            used += int(f.read().split()[0])
    return used / 1e9


def held(b, mode, client, n, rest=0):
    """KiB per connection of the accepting stack process; seconds of processor
    time that it used in rest seconds of rest"""
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
        time.sleep(rest)
        used = cpu_s(pid) - used
        b.stop(cl)
        return (after - before) / n, used
    finally:
        for ns in "cs":
            b.kill_in(f"{b.TOPO}-{ns}")
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
    """KiB per idle connection, core: of the accepting stack in virtual time, 100,000 connections
    KiB per idle connection, stack process: growth of its resident memory; as many as descriptors allow
    processor time in 5 s of rest: of that process, with those connections"""
    b.progress("memory of resting connections")
    modes = "plain", "mptcp", "sealed"
    core = dict(zip(modes, b.core_json(*(["idle", "100000", m] for m in modes))))
    b.result["memory_core"] = core
    kib = {m: d["accepted"] / 1024 for m, d in core.items()}
    rest = sum(d["timers"] + d["packets"] for d in core.values())
    b.row("KiB per idle connection, core, 100,000", kib["plain"], 4, "less",
          f"Multipath TCP {kib['mptcp']:.2f}, sealed {kib['sealed']:.2f} and {core['sealed']['libcrypto'] / 1024:.2f} "
          f"of libcrypto; {rest} timers and packets in ten minutes of rest")
    plain, used = held(b, b.PLAIN, [], b.HOLD, rest=5)
    multi, _ = held(b, CLEAR, ["mptcpize", "run"], min(b.HOLD, 5000))
    sealed, _ = held(b, SMTCP, [b.RUN] + SMTCP + b.TUN_C + ["--"], min(b.HOLD, 5000))
    b.result["memory_process"] = {"plain": plain, "mptcp": multi, "sealed": sealed, "cpu_s": used}
    b.row("KiB per idle connection, stack process", plain, 4, "less",
          f"{b.HOLD} of them; Multipath TCP {multi:.2f}, sealed {sealed:.2f} with what libcrypto holds; kernel "
          f"memory of the AF_UNIX pair {unix_pair_kib():.1f}")
    b.row("processor time in 5 s of rest, s", used, 0.01, "less", f"{b.HOLD} connections")


def scale(b):
    """demultiplexer, timer armed, timer fired: 100,000 connections / 10: what the structures cost; active are
    ten of them, and beside it all, in random order, which asks the processor's caches, too"""
    b.progress("timers and lookups")
    d, = b.core_json(["scale"])
    b.result["scale_ns"] = d
    low, high = d["10"], d["100000"]
    for what, name in ("lookup", "demultiplexer"), ("arm", "timer armed"), ("fire", "timer fired"):
        b.row(f"{name}, 100,000 connections / 10", high[what] / low[what], 1.5, "less",
              f"{low[what]:.0f} and {high[what]:.0f} ns, ten active; all active, in random order "
              f"{high['cold ' + what]:.0f} ns")


def calls(b):
    """system calls per MB: io_uring / epoll: of the stack process of the client, uploading, ours at both ends"""
    stats = f"{b.tmp()}/stats"

    def per_mb(io, mode):
        def once():
            # a count: a second is enough
            d = b.pair_ours([b.XFER, "up", "10.8.1.2", "7000", "1"], mode, ["--io", io, "--stats-json", stats])
            with open(stats) as f:
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
