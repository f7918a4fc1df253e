"""The tests of TCP-ENO: options, negotiation, and streams that stay plain."""

import tables
from captures import ACK, PSH, SYN, Flow, Sealed, eno, smtcp
from shown import Shown, check, equal, fields, save

def test_options():
    packets = []
    for i, r in enumerate(tables.OPTIONS):
        flow = Flow(("192.0.2.1", 1000 + i))
        packets.append(flow.seg("A", b"", [eno.option(bytes.fromhex(
            r["body"]))], SYN))
    pcap, _ = save("options", packets)
    what = {"tep": "eno.tep", "global": "eno.global", "length": "eno.length",
            "data": "eno.tep.data", "kx": "eno.smtcp.kx",
            "id": "eno.resume.id", "nonce": "eno.resume.nonce"}
    names = list(what.values()) + ["eno." + x for x in tables.REMARKS]
    rows = fields(pcap, names)
    for want, got in zip(tables.OPTIONS, rows):
        shown = {k: ";".join(got[n]) for k, n in what.items()}
        shown["remarks"] = " ".join(x for x in tables.REMARKS
                                    if got["eno." + x])
        shown["body"] = want["body"]
        equal("option " + want["body"], shown, want)
    equal("all options", len(rows), len(tables.OPTIONS))


def test_bits():
    packets = [Flow(("192.0.2.1", 2000 + g)).seg(
        "A", b"", [eno.option(bytes([g, 0x23]))], SYN) for g in range(32)]
    rows = fields(save("bits", packets)[0],
                  ["eno.global.a", "eno.global.b", "eno.global.z"])
    equal("bits of the global suboption",
          [(r["eno.global.a"], r["eno.global.b"], r["eno.global.z"])
           for r in rows],
          [([str(g >> 1 & 1)], [str(g & 1)], ["0x%02x" % (g >> 2)])
           for g in range(32)])
    packets = [Flow(("192.0.2.1", 2100 + o)).seg(
        "A", b"", [eno.option(b"\xa0SM" + bytes([o]))], SYN)
        for o in range(0, 256, 5)]
    rows = fields(save("bits-o", packets)[0],
                  ["eno.smtcp.r", "eno.smtcp.s", "eno.smtcp.kx", "eno.tep.v"])
    equal("bits of the octet o",
          [tuple(r[n] for n in ("eno.smtcp.r", "eno.smtcp.s", "eno.smtcp.kx",
                                "eno.tep.v")) for r in rows],
          [([str(o >> 7)], [str(o >> 6 & 1)], [str(o & 63)], ["1"])
           for o in range(0, 256, 5)])


def test_forms():
    two = [eno.option(b"\x23"), eno.option(b"\x21")]
    flow, join = Flow(), Flow(("192.0.2.3", 1))
    packets = [flow.seg("A", b"", two, SYN),
               flow.seg("A", b"", [eno.option(b"")]),
               flow.seg("A", b"", [eno.option(b"\x23")]),
               join.seg("A", b"", [smtcp.join_syn(1, b"1234", b"5678"),
                                   eno.option(b"\x23")], SYN),
               flow.seg("A", b"", []),
               Flow(("192.0.2.4", 1)).seg("A", b"", [], SYN)]
    rows = fields(save("forms", packets)[0],
                  ["eno.form", "eno.twice", "eno.contents", "eno.with_join"])
    equal("forms", [tuple("".join(v) for v in r.values()) for r in rows],
          [("SYNSYN", "1", "", ""), ("non-SYN", "", "", ""),
           ("non-SYN", "", "1", ""), ("SYN", "", "", "1"),
           ("", "", "", ""), ("", "", "", "")])


def test_negotiation():
    packets = []
    for i, (a, b, _) in enumerate(tables.NEGOTIATIONS):
        flow = Flow(("192.0.2.1", 3000 + i))
        opts = [[] if x is None else [eno.option(bytes.fromhex(x))]
                for x in (a, b)]
        packets += flow.open(*opts, [eno.option(b"")])
    rows = fields(save("negotiation", packets)[0],
                  ["eno.negotiated", "eno.resumed", "eno.none"])[1::3]
    for (a, b, want), r in zip(tables.NEGOTIATIONS, rows):
        got = "".join(r["eno.negotiated"]) + (
            " resumed" if r["eno.resumed"] == ["1"] else "")
        equal("negotiation %s, %s" % (a, b), got, want)
        check("negotiation %s, %s: or none" % (a, b),
              bool(r["eno.none"]) == (want == ""), r)
    # both send a SYN, and the one with b=1 is host B
    flow = Flow(("192.0.2.1", 3900))
    packets = [flow.seg("A", b"", [eno.option(b"\x01\x23")], SYN),
               flow.seg("B", b"", [eno.option(b"\x23")], SYN)]
    rows = fields(save("crossing", packets)[0], ["eno.negotiated"])
    equal("simultaneous open", rows[1]["eno.negotiated"], ["0x23"])
    flow = Flow(("192.0.2.1", 3901))
    packets = flow.open([eno.option(b"\x23")], [eno.option(b"\x01\x23")])
    rows = fields(save("third", packets)[0], ["eno.missing"])
    equal("third ACK without ENO", rows[2]["eno.missing"], ["1"])


def test_plain():
    """Streams that are not sealed stay as they were."""
    request = b"GET / HTTP/1.1\r\nHost: example.net\r\n\r\n"
    packets = []
    for i, (a, b, third) in enumerate((
            ([eno.option(b"\x23")], [], []),
            ([eno.option(b"\x23")], [eno.option(b"\x01\x23")], []),
            ([], [], []))):
        flow = Flow(("192.0.2.1", 5000 + i), ("192.0.2.2", 80))
        packets += flow.open(a, b, third)
        packets.append(flow.seg("A", request, [], ACK | PSH))
    rows = fields(save("plain", packets)[0], ["http.host"])
    equal("plain HTTP is HTTP", [r["http.host"] for r in rows
                                 if r["http.host"]], [["example.net"]] * 3)
    # and what is sealed is not taken for HTTP
    s, f = Sealed(), Flow(("192.0.2.1", 5555), ("192.0.2.2", 80))
    packets = s.handshake(f)
    at, x = s.seal("A", request)
    packets.append(f.seg("A", x, [s.dss("A", at, f.nxt["A"], len(x))]))
    pcap, keys = save("sealed-http", packets, s.log)
    equal("sealed HTTP", len(fields(pcap, ["http"], "-Y", "http",
                                    log=keys)), 0)
    equal("sealed HTTP is opened", Shown(pcap, keys).text("A"), request)


TESTS = (test_options, test_bits, test_forms, test_negotiation, test_plain)
