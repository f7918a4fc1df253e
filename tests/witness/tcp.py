"""A minimal TCP (RFC 9293) over IPv4, and the plain endpoint over it.

No SACK, timestamps or congestion control beyond a fixed limit on what is in
flight.  Sequence numbers are kept relative to the SYN and never wrap; `rel`
0 is the SYN and 1 the first octet of data.  Times are seconds from callers.
"""

import hashlib
import os
import socket
import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
WINDOW = 65535
IN_FLIGHT = 24
RTO_FIRST = 1.0
RTO_MIN = 0.3
RTO_MAX = 4.0
TRIES = 10
LINGER = 1.0


def csum(data):
    if len(data) & 1:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Segment:
    """One TCP segment; opts is a list of whole options, kind first."""

    def __init__(self, src, sport, dst, dport, seq, ack, flags, wnd=WINDOW,
                 opts=(), data=b""):
        self.src, self.sport, self.dst, self.dport = src, sport, dst, dport
        self.seq, self.ack, self.flags, self.wnd = seq, ack, flags, wnd
        self.opts = list(opts)
        self.data = data

    def opt(self, kind):
        return [o for o in self.opts if o[0] == kind]

    def pack(self):
        opts = b"".join(self.opts)
        opts += b"\1" * (-len(opts) % 4)
        assert len(opts) <= 40, "options do not fit"
        head = struct.pack("!HHIIBBHHH", self.sport, self.dport,
                           self.seq & 0xffffffff, self.ack & 0xffffffff,
                           (20 + len(opts)) << 2, self.flags, self.wnd, 0, 0)
        tcp = head + opts + self.data
        src, dst = socket.inet_aton(self.src), socket.inet_aton(self.dst)
        total = csum(src + dst + struct.pack("!HH", 6, len(tcp)) + tcp)
        tcp = tcp[:16] + struct.pack("!H", total) + tcp[18:]
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0x4000,
                         64, 6, 0, src, dst)
        return ip[:10] + struct.pack("!H", csum(ip)) + ip[12:] + tcp


def split_options(raw):
    out = []
    i = 0
    while i < len(raw) and raw[i] != 0:
        if raw[i] == 1:
            i += 1
            continue
        if i + 1 >= len(raw) or raw[i + 1] < 2 or i + raw[i + 1] > len(raw):
            break
        out.append(bytes(raw[i:i + raw[i + 1]]))
        i += raw[i + 1]
    return out


def unpack(pkt):
    """Segment of an IPv4 packet, or None if it is not a good one for us."""
    if len(pkt) < 40 or pkt[0] >> 4 != 4 or pkt[9] != 6:
        return None
    hlen = (pkt[0] & 15) * 4
    total = struct.unpack("!H", pkt[2:4])[0]
    tcp = pkt[hlen:total]
    if total > len(pkt) or len(tcp) < 20 or csum(pkt[:hlen]):
        return None
    if csum(pkt[12:20] + struct.pack("!HH", 6, len(tcp)) + tcp):
        return None
    sport, dport, seq, ack, off, flags, wnd = struct.unpack("!HHIIBBH",
                                                            tcp[:16])
    off = (off >> 4) * 4
    if off < 20 or off > len(tcp):
        return None
    return Segment(socket.inet_ntoa(pkt[12:16]), sport,
                   socket.inet_ntoa(pkt[16:20]), dport, seq, ack, flags, wnd,
                   split_options(tcp[20:off]), bytes(tcp[off:]))


def near(value, ref, bits=32):
    """The number closest to ref that is value modulo 2^bits."""
    half = 1 << (bits - 1)
    return ref + (value - ref + half) % (1 << bits) - half


class Sent:
    """A segment in flight; meta is the upper's and chooses its options."""

    def __init__(self, rel, data, flags, meta):
        self.rel, self.data, self.flags, self.meta = rel, data, flags, meta
        self.end = rel + len(data) + (1 if flags & (SYN | FIN) else 0)


class Tcp:
    """One connection.  The upper is an Endpoint or a class derived of it."""

    def __init__(self, upper, local, remote, active, now, mss=1400):
        self.upper, self.local, self.remote = upper, local, remote
        upper.tcp = self
        self.active = active
        self.mss = mss
        self.iss = int.from_bytes(os.urandom(4), "big")
        self.irs = None
        self.una = self.nxt = 0
        self.queue_end = 1
        self.queue = []
        self.flight = []
        self.rcv_nxt = 0
        self.ooo = {}
        self.fin_at = None
        self.fin_wanted = self.fin_sent = self.fin_rcvd = False
        self.got_non_syn = False
        self.open = self.dead = False
        self.error = None
        self.peer_wnd, self.peer_shift, self.peer_mss = WINDOW, 0, 536
        self.max_wnd = 0
        self.dups = 0
        self.recover = -1
        self.rto, self.timer, self.tries = RTO_FIRST, None, 0
        self.linger = None
        self.need_ack = False
        self.out = []
        self.now = now
        if active:
            self.emit(Sent(0, b"", SYN, None))

    # output

    def segment(self, rel, data, flags, meta):
        if flags & SYN:
            opts = [struct.pack("!BBH", 2, 4, self.mss), b"\3\3\0"]
            if not self.active and not self.peer_scales:
                opts.pop()
            opts += self.upper.syn_opts()
        else:
            opts = self.upper.seg_opts(meta, data)
        if self.irs is not None:
            flags |= ACK
        ack = (self.irs + self.rcv_nxt) if self.irs is not None else 0
        self.need_ack = False
        self.out.append(Segment(self.local[0], self.local[1], self.remote[0],
                                self.remote[1], self.iss + rel, ack, flags,
                                WINDOW, opts, data))

    def emit(self, sent):
        self.flight.append(sent)
        self.nxt = max(self.nxt, sent.end)
        self.segment(sent.rel, sent.data, sent.flags, sent.meta)
        if self.timer is None:
            self.timer = self.now + self.rto

    def send(self, data, meta=None):
        """Queue octets; a segment never holds octets of two calls."""
        self.queue.append([self.queue_end, data, meta])
        self.queue_end += len(data)

    def close(self):
        self.fin_wanted = True

    def abort(self, opts=(), error=None):
        if self.dead:
            return
        self.out.append(Segment(self.local[0], self.local[1], self.remote[0],
                                self.remote[1], self.iss + self.nxt,
                                (self.irs or 0) + self.rcv_nxt, RST | ACK, 0,
                                opts))
        self.die(error)

    def die(self, error):
        self.dead = True
        self.timer = self.linger = None
        self.error = self.error or error

    def in_flight_limit(self):
        limit = self.una + IN_FLIGHT * self.mss
        if not self.upper.owns_window():
            limit = min(limit, self.una + self.peer_wnd)
        return limit

    def flush(self):
        """Send what may be sent; called after everything that happens."""
        if self.dead:
            return
        self.upper.pump()
        while self.open and self.queue and not self.dead:
            rel, data, meta = self.queue[0]
            size = min(self.mss, self.peer_mss) - 40
            room = self.in_flight_limit() - self.nxt
            if room <= 0:
                break
            part = data[:min(size, room)]
            last = len(part) == len(data)
            self.emit(Sent(rel, part, PSH if last else 0, meta))
            self.queue[0] = [rel + len(part), data[len(part):], meta]
            if last:
                self.queue.pop(0)
        if self.open and self.fin_wanted and not self.queue and \
                not self.fin_sent:
            self.fin_sent = True
            self.emit(Sent(self.queue_end, b"", FIN, None))
        if self.need_ack:
            self.segment(self.nxt, b"", 0, None)
        if self.queue and self.timer is None and self.open:
            self.timer = self.now + self.rto
        self.check_done()

    def check_done(self):
        if self.fin_sent and self.fin_rcvd and not self.flight and \
                self.linger is None:
            self.linger = self.now + LINGER

    # timers

    def next_timer(self):
        times = [t for t in (self.timer, self.linger, self.upper.timer())
                 if t is not None]
        return None if self.dead or not times else min(times)

    def tick(self, now):
        self.now = now
        if self.dead:
            return
        if self.linger is not None and now >= self.linger:
            self.die(None)
            return
        self.upper.tick(now)
        if self.timer is not None and now >= self.timer:
            self.tries += 1
            self.rto = min(self.rto * 2, RTO_MAX)
            self.timer = None
            if self.tries > TRIES:
                self.upper.fail("timeout")
                return
            if self.flight:
                self.recover = self.nxt
                self.resend()
            elif self.queue:
                # A window probe without data: its answer has the window.
                self.segment(self.nxt - 1, b"", 0, None)
                self.timer = now + self.rto
        self.flush()

    def resend(self):
        sent = self.flight[0]
        self.segment(sent.rel, sent.data, sent.flags, sent.meta)
        self.timer = self.now + self.rto

    # input

    def input(self, seg, now):
        self.now = now
        if self.dead:
            return
        if self.irs is None:
            self.input_syn(seg)
        else:
            self.input_open(seg)
        self.flush()

    def take_syn(self, seg):
        self.irs = seg.seq
        self.rcv_nxt = 1
        self.peer_wnd = self.max_wnd = seg.wnd
        for o in seg.opt(2):
            self.peer_mss = struct.unpack("!H", o[2:4])[0]
        scale = seg.opt(3)
        self.peer_scales = bool(scale)
        self.peer_shift = min(scale[0][2], 14) if scale else 0

    def input_syn(self, seg):
        if not self.active:
            if seg.flags & (SYN | ACK | RST) == SYN:
                self.take_syn(seg)
                self.upper.on_syn(seg)
                self.emit(Sent(0, b"", SYN, None))
            return
        ok = seg.flags & ACK and near(seg.ack - self.iss, 1) == 1
        if ok and seg.flags & RST:
            self.upper.fail("refused")
            self.die("refused")
        elif ok and seg.flags & SYN:
            self.take_syn(seg)
            self.una = 1
            self.flight.clear()
            self.timer, self.tries, self.rto = None, 0, RTO_MIN
            self.open = True
            self.need_ack = True
            self.upper.on_synack(seg)

    def input_open(self, seg):
        rel = near(seg.seq - self.irs, self.rcv_nxt)
        if seg.flags & SYN:
            if self.open:
                self.need_ack = True
            elif rel == 0 and self.flight:
                self.resend()
            return
        if rel > self.rcv_nxt + WINDOW or rel < self.rcv_nxt - (1 << 24):
            self.need_ack = True
            return
        if seg.flags & RST:
            if rel >= self.rcv_nxt:
                self.upper.on_reset(seg)
                self.die("reset")
            return
        if not seg.flags & ACK:
            return
        if not self.open:
            if near(seg.ack - self.iss, 1) < 1:
                return
            self.open = True
            self.upper.on_first_ack(seg)
        self.got_non_syn = True
        if not self.dead:
            self.take_ack(seg)
            self.upper.on_segment(seg, rel)
        if not self.dead:
            self.take_data(seg, rel)

    def take_ack(self, seg):
        ack = near(seg.ack - self.iss, self.una)
        if ack > self.nxt:
            self.need_ack = True
            return
        wnd = seg.wnd << self.peer_shift
        if ack >= self.una:
            changed = wnd != self.peer_wnd
            self.peer_wnd = wnd
            self.max_wnd = max(self.max_wnd, wnd)
        if ack > self.una:
            self.una = ack
            self.flight = [s for s in self.flight if s.end > ack]
            self.tries, self.rto, self.dups = 0, RTO_MIN, 0
            self.timer = self.now + self.rto if self.flight else None
            if self.flight and ack < self.recover:
                self.resend()
        elif ack == self.una and self.flight and not seg.data and \
                not changed:
            self.dups += 1
            if self.dups == 3 and self.una >= self.recover:
                self.recover = self.nxt
                self.resend()

    def take_data(self, seg, rel):
        if seg.flags & FIN:
            self.fin_at = rel + len(seg.data)
        if seg.data or seg.flags & FIN or rel < self.rcv_nxt:
            self.need_ack = True
        if seg.data and rel + len(seg.data) > self.rcv_nxt:
            old = self.ooo.get(rel, b"")
            if len(seg.data) > len(old):
                self.ooo[rel] = seg.data
        while not self.dead:
            first = min(self.ooo, default=None)
            if first is None or first > self.rcv_nxt:
                break
            data = self.ooo.pop(first)[self.rcv_nxt - first:]
            if data:
                at = self.rcv_nxt
                self.rcv_nxt += len(data)
                self.upper.on_data(at, data)
        if not self.dead and not self.fin_rcvd and \
                self.fin_at == self.rcv_nxt:
            self.fin_rcvd = True
            self.rcv_nxt += 1
            self.upper.on_fin()


class Endpoint:
    """Plain TCP: sends cfg.send, hashes what comes, reports."""

    def __init__(self, cfg, active, now):
        self.cfg = cfg
        self.active = active
        self.tcp = None
        self.started = now
        self.pending = cfg.send
        self.received = 0
        self.hash = hashlib.sha256()
        self.eof = False
        self.error = None
        self.keep = [] if cfg.keep else None

    # what Tcp calls

    def syn_opts(self):
        return []

    def seg_opts(self, meta, data):
        return []

    def on_syn(self, seg):
        pass

    def on_synack(self, seg):
        pass

    def on_first_ack(self, seg):
        pass

    def on_segment(self, seg, rel):
        pass

    def owns_window(self):
        return False

    def timer(self):
        return None

    def tick(self, now):
        pass

    def pump(self):
        if self.tcp.open and self.pending:
            self.tcp.send(self.pending)
            self.pending = b""
        if self.tcp.open and not self.pending:
            self.tcp.close()

    def on_data(self, rel, data):
        self.deliver(data)

    def on_fin(self):
        self.eof = True

    def on_reset(self, seg):
        # A reset behind the end of both directions takes nothing away.
        if not (self.eof and self.tcp.fin_sent and not self.tcp.flight):
            self.error = self.error or "reset"

    # common

    def deliver(self, data):
        self.received += len(data)
        self.hash.update(data)
        if self.keep is not None:
            self.keep.append(data)

    def fail(self, error, opts=()):
        """Abort with RST; the first error is the one that is reported."""
        self.error = self.error or error
        self.tcp.abort(opts, error)

    def report(self):
        return {
            "role": "active" if self.active else "passive",
            "mode": "plain",
            "session_id": None,
            "sent": len(self.cfg.send),
            "sent_sha256": hashlib.sha256(self.cfg.send).hexdigest(),
            "received": self.received,
            "received_sha256": self.hash.hexdigest(),
            "eof": self.eof,
            "error": self.error,
        }
