"""Figures of encryption: everything sealed against the same thing plain, in
turns; `b` is run.py, whose pairs of namespaces and programs are used."""
import collections
import json
import os
import shutil
import statistics
import subprocess
import tempfile

CLEAR = ["--crypt", "off"]  # Multipath TCP with one path, as SMTCP is
SMTCP = ["--crypt", "require"]
FILE_MB = 400


def median(values):
    return statistics.median(values)


def ratio(got, over, under):
    return median(o / u for o, u in zip(got[over], got[under]))


def bulk(b):
    got, added = collections.defaultdict(list), []
    with tempfile.TemporaryDirectory() as tmp:
        stats = f"{tmp}/stats.json"
        for i in range(b.ROUNDS):
            b.progress(f"sealed bulk, round {i + 1} of {b.ROUNDS}")
            cmd = [b.XFER, "up", "10.8.1.2", "7000", str(b.SECS)]
            got["tcp"].append(b.gbit(b.pair_ours(cmd)))
            got["mptcp"].append(b.gbit(b.pair_ours(cmd, CLEAR)))
            d = b.pair_ours(cmd, SMTCP, ["--stats-json", stats])
            got["smtcp"].append(b.gbit(d))
            with open(stats) as f:
                c = json.load(f)["connections"][-1]
            if c["mode"] != "smtcp":
                raise RuntimeError(f"mode {c['mode']} in place of smtcp")
            added.append(c["bytes_sent"] / c["encryption"]["data_sent"] - 1)
    b.result["sealed_bulk_gbit"] = dict(got)
    b.row("sealed bulk / plain TCP", ratio(got, "smtcp", "tcp"), 0.55, "more",
          ", ".join(f"{k} {median(v):.1f}" for k, v in got.items()) + " Gbit/s")
    b.row("octets added per octet, %", 100 * median(added), 0.3, "less",
          "Init, headers and tags of frames; AES-128-GCM")
    return median(got["smtcp"])


# --- against TLS -----------------------------------------------------------------

def nginx_conf(tmp, listen, tls):
    name = f"{tmp}/{'tls' if tls else 'http'}.conf"
    crypto = f"""ssl_certificate {tmp}/cert; ssl_certificate_key {tmp}/key;
        ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;""" if tls else ""
    with open(name, "w") as f:
        f.write(f"""daemon off; master_process off; user root; pid {tmp}/pid; error_log {tmp}/err;
events {{ worker_connections 64; }}
http {{ access_log off; sendfile on; client_body_temp_path {tmp}/b; proxy_temp_path {tmp}/p;
  fastcgi_temp_path {tmp}/f; uwsgi_temp_path {tmp}/u; scgi_temp_path {tmp}/s;
  server {{ listen {listen}{' ssl' if tls else ''}; root {tmp}/www; {crypto} }} }}""")
    return ["nginx", "-c", name, "-p", tmp]


def curl_gbit(b):
    def out(ns, cmd):
        r = subprocess.run(b.ns_exec(ns, cmd), text=True, capture_output=True, timeout=120)
        if r.returncode:
            raise RuntimeError(f"curl: exit {r.returncode}: {r.stderr.strip()}")
        return float(r.stdout) * 8 / 1e9
    return out


def https(b, sealed_bulk):
    tmp = tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    got = collections.defaultdict(list)
    curl = ["curl", "-sSk", "-w", "%{speed_download}", "-o", "/dev/null"]
    try:
        os.chmod(tmp, 0o755)
        os.mkdir(f"{tmp}/www")
        with open(f"{tmp}/www/file", "wb") as f:
            for _ in range(FILE_MB):
                f.write(os.urandom(1 << 20))
        b.sh(f"openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=bench -days 2 -keyout {tmp}/key -out {tmp}/cert")
        tls = nginx_conf(tmp, "10.3.0.2:7000", True)
        plain = nginx_conf(tmp, "7000", False)
        for i in range(b.ROUNDS):
            b.progress(f"against HTTPS, round {i + 1} of {b.ROUNDS}")
            got["https"].append(b.pair_kernel(curl + ["https://10.3.0.2:7000/file"], tls, curl_gbit(b)))
            got["smtcp"].append(b.pair_ours(curl + ["http://10.8.1.2:7000/file"], SMTCP,
                                            serve=plain, out=curl_gbit(b)))
    finally:
        shutil.rmtree(tmp)
    b.result["https_gbit"] = dict(got)
    tls_gbit = median(got["https"])
    b.row("sealed bulk / HTTPS, curl from nginx", sealed_bulk / tls_gbit, 1.0, "more",
          f"sealed bulk {sealed_bulk:.1f}, TLS 1.3 AES-128-GCM over kernel TCP {tls_gbit:.1f} Gbit/s")
    b.row("sealed HTTP / HTTPS, both curl from nginx", ratio(got, "smtcp", "https"), 1.0, "more",
          f"ours {median(got['smtcp']):.1f}, TLS 1.3 over kernel TCP {tls_gbit:.1f} Gbit/s")


# --- short connections, small requests --------------------------------------------------

def rates(b):
    got = collections.defaultdict(list)
    tool = f"{b.BUILD}/bench/churn"
    serve = (tool, "serve", "0.0.0.0", "7000")
    cmd = [tool, "run", "10.8.1.2", "7000", str(b.SECS), "16"]
    for i in range(b.ROUNDS):
        b.progress(f"connections per second, round {i + 1} of {b.ROUNDS}")
        for name, mode in (("plain", CLEAR), ("fresh", SMTCP + ["--crypt-resume", "off"]), ("resumed", SMTCP)):
            d = b.pair_ours(cmd, mode, serve=serve)
            if d["errors"]:
                raise RuntimeError(f"{name}: {d['errors']} connections failed")
            got[name].append(d["per_second"])
    b.result["connections_per_second"] = dict(got)
    detail = ", ".join(f"{k} {median(v):.0f}" for k, v in got.items()) + " a second, 16 at once"
    b.row("connections, fresh keys / plain", ratio(got, "fresh", "plain"), 0.4, "more", detail)
    b.row("connections, resumed / plain", ratio(got, "resumed", "plain"), 0.8, "more", detail)


def requests(b):
    got = collections.defaultdict(list)
    cmd = [b.XFER, "ping", "10.8.1.2", "7000", "20000", "64"]
    for i in range(b.ROUNDS):
        b.progress(f"64-octet requests, round {i + 1} of {b.ROUNDS}")
        got["plain"].append(b.pair_ours(cmd, CLEAR)["median_us"])
        got["sealed"].append(b.pair_ours(cmd, SMTCP)["median_us"])
    b.result["request_us"] = dict(got)
    b.row("64-octet round trip: sealed / plain", ratio(got, "sealed", "plain"), 1.15, "less",
          f"sealed {median(got['sealed']):.1f}, plain {median(got['plain']):.1f} us")


def figures(b):
    sealed_bulk = bulk(b)
    https(b, sealed_bulk)
    rates(b)
    requests(b)
