#!/usr/bin/env python3
"""gen.py DIR - packet scripts of the tables: states and mptcp, all orders of
five segments, all pairs of two segments that may overlap; for plain TCP, over
IPv6 too, and for Multipath TCP; the orders and overlaps also for a stream with
tcpcrypt and for SMTCP.  What is expected comes from the tables, or from the few lines of
RECEIVER below; nothing here knows the stack."""
import itertools
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SHORT = {"SS": "SYN-SENT", "SR": "SYN-RECEIVED", "ES": "ESTABLISHED",
         "F1": "FIN-WAIT-1", "F2": "FIN-WAIT-2", "CW": "CLOSE-WAIT",
         "CL": "CLOSING", "LA": "LAST-ACK", "TW": "TIME-WAIT"}
# segment: flags without ACK, payload, octets of sequence space
KINDS = {"syn": ("S", 0, 1), "synfin": ("SF", 0, 2), "syndata": ("S", 100, 101),
         "synack": ("S", 0, 1), "ack": ("", 0, 0), "none": ("", 0, 0),
         "rst": ("R", 0, 0), "rstack": ("R", 0, 0), "fin": ("F", 0, 1),
         "data": ("P", 100, 100), "datafin": ("FP", 100, 101)}


INC = os.path.join(HERE, "../pkt/inc")
FRAME = 20  # octets of a frame that are not data


def lines(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as f:
        return f.read().splitlines()


def prologue(proto, state):
    """its lines with what it includes, and its numbers"""
    out, first = [], None
    here = f"{proto}/{state}.pkt"
    if not os.path.exists(os.path.join(HERE, here)):
        here = os.path.join(INC, state + ".pkt")
    for text in lines(here):
        first = first or text
        m = re.match(r"include (\S+)", text)
        out += prologue(proto, m[1])[0] if m else [text]
    num = {k: int(v) for k, v in re.findall(r"\b(una|nxt|rcv|dsn) (\d+)", first)}
    num["socket"] = "socket s" in first
    return out, num


def table(name):
    """rows of (segment, seq, ack, [cells], notes), and the columns"""
    columns, rows = None, []
    for text in lines(name):
        if " | " not in text:
            continue
        left, right = text.split(" | ", 1)
        if left.split()[0] == "segment":
            columns = right.split()
            continue
        cells = right.split()
        rows.append((*left.split(), cells[:len(columns)]))
        assert len(cells) >= len(columns), text
    return rows, columns


def seq_text(where, kind, num):
    """the place as the script says it, and as a number where it has one"""
    length, space = KINDS[kind][1:]
    rcv = num["rcv"]
    n = {"irs": 0, "again": rcv - 1, "left": rcv, "across": rcv - 50,
         "old": rcv - (space or 50) if length else rcv - 50,
         "inside": rcv + 1000}.get(where)
    if n is not None:
        return str(n), n
    back = {"right": max(space, 1), "over": 50, "edge": 0, "outside": -1}[where]
    return f"edge{-back:+d}", None


def ack_of(where, num):
    una, nxt = num["una"], num["nxt"]
    if where == "inside":
        return una + 400 if nxt > una + 400 else None
    return {"ancient": una - 60001, "old": una - 400, "una": una,
            "nxt": nxt, "beyond": nxt + 1}[where]


def mptcp_options(state, kind, seq, num):
    """what an MPTCP peer has in such a segment"""
    if kind.startswith("syn"):
        return "mss 500, mpcapable" + (" key" if kind == "synack" else "")
    if state == "SYN-RECEIVED" and kind in ("ack", "fin", "data", "datafin"):
        return "mpcapable keys" + (" len 100" if "data" in kind else "")
    if "data" in kind and seq is not None and "dsn" in num:
        return f"dss ack 1 dsn {seq + num['dsn']} ssn {seq} len 100"
    return ""


TS = {"old": 900, "same": 1000, "new": 2000}


def with_ts(out):
    """the peer's packets have timestamps, all the same"""
    def one(text):
        if not re.match(r"(\+\S+ )?< ", text):
            return text
        echo = "0" if re.search(r"< S ", text) else "ecr"
        opts = f"nop, nop, ts 1000 {echo}"
        if text.endswith(">"):
            return f"{text[:-1]}, {opts}>"
        return f"{text} <{opts}>"
    return [one(text) for text in out]


def ts_option(flags, stamp):
    if stamp in (None, "none"):
        return ""
    return f"nop, nop, ts {TS[stamp]} {'0' if flags[0] == 'S' and '.' not in flags else 'ecr'}"


def over_v6(out):
    """the same between IPv6 addresses"""
    return [re.sub(r"10\.0\.0\.(\d):", r"[2001:db8::\1]:", text)
            .replace("10.0.0.1/24", "2001:db8::1/64")
            .replace("listen 80", "listen 80 6") for text in out]


def case(proto, state, row, cell, stamp=None):
    kind, seq_at, ack_at = row[:3]
    out, num = prologue(proto, state)
    if stamp:
        out = with_ts(out)
    flags, length, space = KINDS[kind]
    seq, seq_n = seq_text(seq_at, kind, num)
    ack = None if ack_at == "-" else ack_of(ack_at, num)
    assert ack_at == "-" or ack is not None, (state, row)
    flags = flags + ("." if ack is not None else "") or "-"
    opts = mptcp_options(state, kind, seq_n, num) if proto == "mptcp" else \
        "mss 500" if "S" in flags else ""
    out.append(f"< {flags} seq {seq}" + (f" ack {ack}" if ack is not None else "")
               + " win 60000" + (f" len {length}" if length else "")
               + f" <{', '.join(x for x in (opts, ts_option(flags, stamp)) if x)}>")
    m = re.fullmatch(r"(-|A(?:\d+|s)?|S|RA?)(?:>([A-Z0-9]+))?(?:!([A-Z0]+))?", cell)
    assert m, (row, cell)
    reply, to, err = m.groups()
    if reply == "S" or reply == "As":
        assert seq_n is not None or seq.startswith("edge")
    want_ack = f" ack {seq_n + 1}" if seq_n is not None else ""
    if reply == "S":
        out.append(f"> S. seq 0{want_ack}")
    elif reply == "As":
        out.append(f"> . seq {num['nxt']}{want_ack}")
    elif reply == "R":
        out.append(f"> R seq {ack}")
    elif reply == "RA":
        out.append("> R. seq 0" + (f" ack {seq_n + space}" if seq_n is not None else ""))
    elif reply[0] == "A":
        n = int(reply[1:] or 0)
        # an acknowledgement of what is new may be delayed (RFC 1122 4.2.3.2)
        out.append(("+0~0.1 " if n else "") + f"> . seq {num['nxt']} ack {num['rcv'] + n}")
    out.append("+0.05 nothing")
    out.append(f"state f0 {SHORT.get(to, to) if to else state.replace('SIMULTANEOUS', 'SYN-RECEIVED')}")
    if num["socket"]:
        out.append(f"error s {err or '0'}")
    return out


# --- RECEIVER: RFC 9293 3.10.7.4, RFC 2018 4, RFC 2883 4 ----------------------

class Receiver:
    """octets that came, and what its acknowledgement must say"""

    def __init__(self, nxt):
        self.nxt, self.have, self.recent, self.fin = nxt, set(), [], None

    def blocks(self):
        """runs of octets above nxt"""
        runs, at = [], sorted(x for x in self.have if x >= self.nxt)
        for x in at:
            if runs and runs[-1][1] == x:
                runs[-1][1] = x + 1
            else:
                runs.append([x, x + 1])
        return [tuple(r) for r in runs]

    def segment(self, lo, hi):
        """(was in order and alone, duplicate range or None)"""
        held = any(x > self.nxt for x in self.have)
        dup = [x for x in range(lo, hi) if x < self.nxt or x in self.have]
        in_order = lo <= self.nxt < hi and not held
        self.have |= set(range(lo, hi))
        while self.nxt in self.have:
            self.nxt += 1
        self.recent.insert(0, (lo, hi))
        first = None
        if dup:
            end = dup[0]
            while end in dup:
                end += 1
            first = (dup[0], end)
        return in_order and not dup, first

    def sack(self):
        """blocks, that of the newest segment first (RFC 2018 4)"""
        out, blocks = [], self.blocks()
        for lo, hi in self.recent:
            for b in blocks:
                if b[0] < hi and lo < b[1] and b not in out:
                    out.append(b)
        # a FIN has a sequence number, too
        return [(lo, hi + 1) if hi == self.fin else (lo, hi)
                for lo, hi in out]


class Stream:
    """what a peer says from rcv on, in so many octets"""

    def __init__(self, proto, total, fin=False):
        self.proto, self.total, self.fin = proto, total, fin
        self.out, num = prologue(proto, "receive")
        self.first, self.ours = num["rcv"], num["nxt"]
        self.rx = Receiver(self.first)
        self.sealed = proto in ("sealed", "smtcp")
        if self.sealed:
            end = " fin" if fin and proto == "sealed" else ""
            self.out.append(f"peer says frame {total - FRAME}{end}")

    def data_ack(self):
        """a frame counts when it is whole"""
        if self.sealed and self.rx.nxt < self.first + self.total:
            return self.first
        return self.rx.nxt

    def segment(self, lo, hi):
        """octets of this place arrive; what is acknowledged then"""
        last = self.fin and hi == self.total
        lo, hi = self.first + lo, self.first + hi
        opts = {"mptcp": f"dss ack {self.ours} dsn {lo} ssn {lo} len {hi - lo}",
                "smtcp": f"dss ack {self.ours} dsn {self.first} "
                         f"ssn {self.first} len {self.total}"}
        self.out.append(f"< {'F' if last else ''}P. seq {lo} ack {self.ours} "
                        f"len {hi - lo} win 512 <{opts.get(self.proto, '')}>")
        in_order, dup = self.rx.segment(lo, hi)
        if last:
            self.rx.fin = hi
        over = self.fin and self.rx.fin and self.rx.nxt == self.rx.fin
        if over:
            self.rx.fin = None
        self.acknowledged(in_order, dup, over)
        return over

    def acknowledged(self, in_order, dup, over):
        blocks = ([dup] if dup else []) + self.rx.sack()
        opts = []
        if blocks:
            opts.append("sack " + " ".join(f"{a}-{b}" for a, b in blocks))
        elif not in_order:
            opts.append("-sack")
        if self.proto in ("mptcp", "smtcp"):
            opts.append(f"dss ack {self.data_ack()}")
        self.out.append(("+0~0.2 " if in_order else "")
                        + f"> . seq {self.ours} ack {self.rx.nxt + bool(over)}"
                        + f" <{', '.join(opts)}>")

    def readable(self):
        """what the program has then"""
        n = self.rx.nxt - self.first
        if self.sealed:
            n = n - FRAME if n == self.total else 0
        return n


def order(proto, perm, fin):
    """five segments of 100 octets in this order, the last one perhaps with FIN"""
    s = Stream(proto, 500, fin)
    for i in perm:
        s.segment(100 * i, 100 * i + 100)
        s.out.append(f"readable s {s.readable()}")
        if s.rx.nxt < s.first + 500:
            s.out.append("noeof s")
    s.out.append(f"read s {s.readable()}")
    if fin:
        s.out.append("state f0 CLOSE-WAIT")
    # the end of a subflow is none of the data's (RFC 8684 3.3.3)
    s.out.append("eof s" if fin and proto in ("tcp", "sealed") else "noeof s")
    return s.out


def overlap(proto, a, b, hole):
    """two segments, places in hundreds of octets; then everything once more"""
    total = 100 * (5 + hole)
    s = Stream(proto, total)
    for lo, hi in (a, b):
        s.segment(100 * (lo + hole), 100 * (hi + hole))
    s.segment(0, total)
    return s.out + [f"readable s {s.readable()}", f"read s {s.readable()}"]


# --- all of them -------------------------------------------------------------------

def put(folder, name, what, text):
    with open(os.path.join(folder, name + ".pkt"), "w", encoding="utf-8") as f:
        f.write("\n".join([f"# {what}"] + text) + "\n")


def overrides():
    """mptcp.states: (segment, seq, ack, state) to cell"""
    out = {}
    for text in lines("mptcp.states"):
        m = re.match(r"(\w+) +(\w+) +(\S+) +([A-Z0-9-]+) +(\S+) +(\w)$", text)
        if m:
            out[m[1], m[2], m[3], m[4]] = m[5]
    return out


def states(folder, name):
    rows, columns = table(name)
    other, used = overrides(), set()
    for row in rows:
        stamp = row[3] if len(row) > 4 else None
        for state, cell in zip(columns, row[-1]):
            if cell == ".":
                continue
            what = f"{state}: {' '.join(row[:-1])}: {cell}"
            case_name = "_".join((state, *row[:-1])).replace("_-", "_none")
            put(folder, f"tcp_{case_name}", what,
                case("tcp", state, row, cell, stamp))
            if not stamp:
                put(folder, f"v6_{case_name}", what + ", IPv6",
                    over_v6(case("tcp", state, row, cell)))
            key = (*row[:3], state)
            if key in other:
                used.add(key)
                cell = other[key]
            if not os.path.exists(f"{HERE}/mptcp/{state}.pkt"):
                continue
            if row[2] == "inside" and \
               ack_of("inside", prologue("mptcp", state)[1]) is None:
                continue
            put(folder, f"mptcp_{case_name}", what + ", MPTCP",
                case("mptcp", state, row, cell, stamp))
    return set(other) - used


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    for f in os.listdir(folder):
        os.unlink(os.path.join(folder, f))
    left = states(folder, "states") & states(folder, "states.ts")
    if left:
        sys.exit(f"mptcp.states: no such row: {left}")
    spans = list(itertools.combinations(range(5), 2))
    for proto in ("tcp", "mptcp", "sealed", "smtcp"):
        for perm in itertools.permutations(range(5)):
            for fin in (False, True):
                name = "".join(str(i + 1) for i in perm) + ("F" if fin else "")
                put(folder, f"{proto}_order_{name}",
                    f"RFC 9293 3.10.7.4, RFC 2018 4: five segments in the order {name}",
                    order(proto, perm, fin))
        for a, b in itertools.product(spans, spans):
            for hole in (0, 1):
                name = f"{a[0]}{a[1]}_{b[0]}{b[1]}" + ("_hole" if hole else "")
                put(folder, f"{proto}_overlap_{name}",
                    "RFC 9293 3.10.7.4, RFC 2883 4: two segments overlap",
                    overlap(proto, a, b, hole))


main()
