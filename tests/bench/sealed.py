"""Figures of encryption: everything sealed against the same thing plain, in
turns; `b` is run.py, whose pairs of namespaces and programs are used."""
import json
import os
import subprocess

from transport import CLEAR, SMTCP, median, ratio, show, turns

FILE_MB = 400


def bulk(b):
    """sealed bulk / plain TCP: one connection, uploading, ours at both ends
    octets added per octet, %: by Init messages, frame headers and tags"""
    added, stats = [], f"{b.tmp()}/stats.json"
    cmd = [b.XFER, "up", "10.8.1.2", "7000", str(b.SECS)]

    def smtcp():
        d = b.pair_ours(cmd, SMTCP, ["--stats-json", stats])
        with open(stats) as f:
            c = json.load(f)["connections"][-1]
        if c["mode"] != "smtcp":
            raise RuntimeError(f"mode {c['mode']} in place of smtcp")
        added.append(100 * (c["bytes_sent"] / c["encryption"]["data_sent"] - 1))
        return b.gbit(d)
    got = turns(b, "sealed bulk", {
        "tcp": lambda: b.gbit(b.pair_ours(cmd)),
        "mptcp": lambda: b.gbit(b.pair_ours(cmd, CLEAR)),
        "smtcp": smtcp,
    })
    b.result["runs"]["octets added per octet, %"] = added
    b.row("sealed bulk / plain TCP", ratio(got, "smtcp", "tcp"), 0.55, "more", show(got, "Gbit/s"))
    b.row("octets added per octet, %", median(added), 0.3, "less",
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
    """sealed bulk / HTTPS: the first row's SMTCP against curl and nginx over kernel TCP, TLS 1.3, AES-128-GCM
    sealed HTTP / HTTPS: the same curl and nginx under mptcp-run, without TLS, in place of xfer"""
    tmp = b.tmp()
    curl = ["curl", "-sSk", "-w", "%{speed_download}", "-o", "/dev/null"]
    os.mkdir(f"{tmp}/www")
    os.chmod(tmp, 0o755)
    with open(f"{tmp}/www/file", "wb") as f:
        for _ in range(FILE_MB):
            f.write(os.urandom(1 << 20))
    b.sh(f"openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=bench -days 2 -keyout {tmp}/key -out {tmp}/cert")
    tls = nginx_conf(tmp, "10.3.0.2:7000", True)
    plain = nginx_conf(tmp, "7000", False)
    got = turns(b, "against HTTPS", {
        "https": lambda: b.pair_kernel(curl + ["https://10.3.0.2:7000/file"], tls, curl_gbit(b)),
        "smtcp": lambda: b.pair_ours(curl + ["http://10.8.1.2:7000/file"], SMTCP, serve=plain,
                                     out=curl_gbit(b)),
    })
    os.unlink(f"{tmp}/www/file")
    tls_gbit = median(got["https"])
    b.row("sealed bulk / HTTPS, curl from nginx", sealed_bulk / tls_gbit, 1.0, "more",
          f"sealed bulk {sealed_bulk:.1f}, TLS 1.3 AES-128-GCM over kernel TCP {tls_gbit:.1f} Gbit/s")
    b.row("sealed HTTP / HTTPS, both curl from nginx", ratio(got, "smtcp", "https"), 1.0, "more",
          f"ours {median(got['smtcp']):.1f}, TLS 1.3 over kernel TCP {tls_gbit:.1f} Gbit/s")


# --- short connections, small requests --------------------------------------------------

def rates(b):
    """connections, fresh keys and resumed / plain: connect, 64 octets each way, close, 16 at once; all with
    Multipath TCP"""
    tool = f"{b.BUILD}/bench/churn"

    def rate(mode):
        def once():
            d = b.pair_ours([tool, "run", "10.8.1.2", "7000", str(b.SECS), "16"], mode,
                            serve=(tool, "serve", "0.0.0.0", "7000"))
            if d["errors"]:
                raise RuntimeError(f"{d['errors']} connections failed")
            return d["per_second"]
        return once
    got = turns(b, "connections per second", {
        "plain": rate(CLEAR), "fresh": rate(SMTCP + ["--crypt-resume", "off"]), "resumed": rate(SMTCP)})
    detail = show(got, "a second, 16 at once", 0)
    b.row("connections, fresh keys / plain", ratio(got, "fresh", "plain"), 0.4, "more", detail)
    b.row("connections, resumed / plain", ratio(got, "resumed", "plain"), 0.8, "more", detail)


def requests(b):
    """64-octet round trip: sealed / plain: ours at both ends, median of 20,000; both with Multipath TCP"""
    cmd = [b.XFER, "ping", "10.8.1.2", "7000", "20000", "64"]
    got = turns(b, "64-octet requests", {
        "sealed": lambda: b.pair_ours(cmd, SMTCP)["median_us"],
        "plain": lambda: b.pair_ours(cmd, CLEAR)["median_us"]})
    b.row("64-octet round trip: sealed / plain", ratio(got, "sealed", "plain"), 1.15, "less", show(got, "us"))


PARTS = bulk, https, rates, requests


def figures(b):
    sealed_bulk = bulk(b)
    https(b, sealed_bulk)
    rates(b)
    requests(b)
