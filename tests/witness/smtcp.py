"""SMTCP (smtcp(7)) with one subflow: MP_CAPABLE, DSS, DATA_ACK, DATA_FIN."""

import hashlib
import os
import struct

import eno
import kdf
import tcpcrypt
from tcp import near

KIND = 30
MP_CAPABLE, MP_JOIN, DSS, ADD_ADDR, FASTCLOSE, TCPRST = 0, 1, 2, 3, 7, 8
MASK64 = (1 << 64) - 1
DATA_RTO = 1.0


def token_idsn(key):
    digest = hashlib.sha256(key).digest()
    return digest[:4], int.from_bytes(digest[24:], "big")


def mp_capable(keys=b"", length=None):
    body = b"\x01\x01" + keys
    if length is not None:
        body += length.to_bytes(2, "big")
    return bytes([KIND, 2 + len(body)]) + body


def capable(seg, size):
    """The MP_CAPABLE of version 1 with this length in seg, or None."""
    for o in seg.opt(KIND):
        if len(o) in size and o[2] == 0x01 and o[3] & 1 and not o[3] & 0x40:
            return o
    return None


def dss(ack, mapping=None):
    """mapping is (dsn, ssn, length, fin); numbers always with 8 octets."""
    flags = 0x03 if ack is not None else 0
    body = b"" if ack is None else struct.pack("!Q", ack)
    if mapping is not None:
        flags |= 0x0c | (0x10 if mapping[3] else 0)
        body += struct.pack("!QIH", mapping[0], mapping[1], mapping[2])
    return bytes([KIND, 4 + len(body), DSS << 4, flags]) + body


def parse_dss(o, ref_ack, ref_dsn):
    """(ack or None, mapping or None); 4-octet numbers made near to refs."""
    flags, i = o[3], 4
    ack = mapping = None
    try:
        if flags & 1:
            size = 8 if flags & 2 else 4
            ack = int.from_bytes(o[i:i + size], "big")
            if size == 4:
                ack = near(ack, ref_ack) & MASK64
            i += size
        if flags & 4:
            size = 8 if flags & 8 else 4
            dsn = int.from_bytes(o[i:i + size], "big")
            if size == 4:
                dsn = near(dsn, ref_dsn) & MASK64
            ssn, length = struct.unpack_from("!IH", o, i + size)
            mapping = (dsn, ssn, length, bool(flags & 0x10))
    except struct.error:
        return None, None
    return ack, mapping


def tcprst(reason, transient):
    return bytes([KIND, 4, TCPRST << 4 | (1 if transient else 0), reason])


def fastclose(key):
    return bytes([KIND, 12, FASTCLOSE << 4, 0]) + key


def join_hmac(sk_x, sk_y, r_x, r_y):
    return kdf.hmac(sk_x + sk_y, r_x + r_y)


def join_syn(addr_id, token, rand, backup=False):
    return bytes([KIND, 12, MP_JOIN << 4 | backup, addr_id]) + token + rand


def join_synack(addr_id, mac, rand):
    return bytes([KIND, 16, MP_JOIN << 4, addr_id]) + mac[:8] + rand


def join_ack(mac):
    return bytes([KIND, 24, MP_JOIN << 4, 0]) + mac[:20]


def add_addr(sk_x, sk_y, addr_id, addr, port=None):
    body = addr if port is None else addr + port.to_bytes(2, "big")
    mac = kdf.hmac(sk_x + sk_y, bytes([addr_id]) + addr +
                   (port or 0).to_bytes(2, "big"))
    return bytes([KIND, 12 + len(body), ADD_ADDR << 4, addr_id]) + body + \
        mac[-8:]


class Map:
    """Octets gathered for one mapping; rel is the first one's place."""

    def __init__(self, offset, rel, length, fin):
        self.offset, self.rel, self.length = offset, rel, length - fin
        self.fin = fin
        self.whole = length
        self.data = b""


class Smtcp(tcpcrypt.Crypt):
    def __init__(self, cfg, active, now):
        super().__init__(cfg, active, now)
        self.mp = False
        self.mp_lost = False
        self.key = os.urandom(8)
        self.peer_key = None
        self.mpc_a = self.mpc_b = b""
        self.mpc_used = b""
        self.maps = []
        self.unmapped = None
        self.held = {}
        self.rcv_off = 0
        self.peer_fin_at = None
        self.data_fin_in = False
        self.got_dss = self.got_ack = False
        self.una_off = 0
        self.data_fin_acked = self.fin_alone = False
        self.data_wnd = self.max_data_wnd = 0
        self.unacked = []
        self.data_timer = None
        self.first_map = True
        self.inf_mark = None
        self.bare = False
        self.fires = 0

    # negotiation

    def syn_opts(self):
        opts = super().syn_opts()
        if self.active and self.cfg.mptcp:
            self.mpc_a = mp_capable()
            opts.insert(0, self.mpc_a)
        elif not self.active and self.mpc_b:
            opts.insert(0, self.mpc_b)
        return opts

    def on_syn(self, seg):
        option = capable(seg, (4,))
        if option is not None and self.cfg.mptcp:
            self.mpc_a = option
        super().on_syn(seg)
        if self.tep == eno.SMTCP_TEP and self.mpc_a:
            self.mpc_b = mp_capable(self.key)

    def nonce_room(self):
        return 3 if self.tep == eno.SMTCP_TEP and self.mpc_a else 8

    def settle_mptcp(self, seg):
        if self.tep != eno.SMTCP_TEP:
            return
        if self.active:
            option = capable(seg, (12,))
            if option is not None and self.mpc_a:
                self.mpc_b = option
                self.mp = True
                self.peer_key = option[4:12]
        elif self.mpc_b:
            option = capable(seg, (20, 22, 24))
            if option is not None and option[12:20] == self.key:
                self.mp = True
                self.peer_key = option[4:12]
            elif self.resumed:
                # The peer counts on Key-A in the session's transcript.
                self.fail("resume-without-key")
                return
        if self.mp:
            self.tx_idsn = token_idsn(self.key)[1]
            self.rx_idsn = token_idsn(self.peer_key)[1]
            self.mpc_used = self.transcript32()
            self.data_wnd = self.max_data_wnd = self.tcp.peer_wnd if \
                self.active else seg.wnd << self.tcp.peer_shift

    def transcript32(self):
        if self.active:
            return self.mpc_a + self.mpc_b + self.key + self.peer_key
        return self.mpc_a + self.mpc_b + self.peer_key + self.key

    def mpc_transcript(self):
        return self.mpc_used

    def keys_of_a(self):
        if self.mp_lost:
            # The path may have taken the options from either direction.
            self.trials = [self.transcript32(), b""]
        else:
            super().keys_of_a()

    # data level

    def owns_window(self):
        return self.mp and not self.mp_lost

    def data_ack(self):
        return (self.rx_idsn + 1 + self.rcv_off + self.data_fin_in) & MASK64

    def keys_ab(self):
        return self.key + self.peer_key

    def seg_opts(self, meta, data):
        opts = super().seg_opts(meta, data)
        if not self.owns_window():
            if self.inf_mark is not None and self.tcp.una <= self.inf_mark:
                # "This is the identity", until data sent since is there.
                at = self.tcp.una
                opts.insert(0, dss(None, ((self.tx_idsn + at) & MASK64, at,
                                          0, False)))
            return opts
        if meta is not None and meta[4]:
            return [mp_capable(self.keys_ab(), meta[2])] + opts
        if self.active and not self.tcp.got_non_syn:
            return [mp_capable(self.keys_ab())] + opts
        mapping = meta[:4] if meta is not None and data else None
        if mapping is None and self.fin_sealed and not self.data_fin_acked \
                and not self.tcp.queue:
            dsn = (self.tx_idsn + 1 + self.snd_off) & MASK64
            mapping = (dsn, 0, 1, True)
        return [dss(self.data_ack(), mapping)] + opts

    def transmit(self, data, fin=False):
        if not self.owns_window():
            super().transmit(data, fin)
            return
        first = self.first_map and self.active
        self.first_map = False
        self.unacked.append((self.snd_off, data, fin))
        self.map_out(self.snd_off, data, fin, first)
        self.snd_off += len(data)

    def map_out(self, offset, data, fin, first):
        dsn = (self.tx_idsn + 1 + offset) & MASK64
        self.tcp.send(data, (dsn, self.tcp.queue_end, len(data) + fin, fin,
                             first and not fin))
        if first and fin:
            # MP_CAPABLE has no F flag: the DATA_FIN goes alone.
            dsn, ssn, length, fin, _ = self.tcp.queue[-1][2]
            self.tcp.queue[-1][2] = (dsn, ssn, length - 1, False, True)
            self.fin_alone = True

    def acked(self):
        return self.una_off if self.owns_window() else super().acked()

    def room(self):
        if not self.owns_window():
            return super().room()
        return self.una_off + self.data_wnd - self.snd_off

    def widest(self):
        return max(self.tcp.max_wnd, self.max_data_wnd)

    def fall_back(self):
        self.mp_lost = True
        self.inf_mark = self.tcp.queue_end
        self.data_timer = None
        # Stream octets go on where the mappings ended.
        self.inbuf = b"".join(m.data for m in self.maps)
        self.in_off = self.rcv_off
        self.maps = []

    def on_segment(self, seg, rel):
        if not self.owns_window():
            return
        # MP_CAPABLE leaves no room for a DATA_ACK and shows as well that
        # options arrive.
        seen_ack = capable(seg, (20, 22, 24)) is not None
        for o in seg.opt(KIND):
            kind = o[2] >> 4
            if kind == DSS and len(o) >= 4:
                seen_ack |= self.take_dss(o, seg, rel)
            elif kind == FASTCLOSE and len(o) == 12:
                self.take_fastclose(o)
            elif kind == MP_CAPABLE and len(o) in (22, 24) and seg.data:
                length = struct.unpack("!H", o[20:22])[0]
                self.add_map(0, 1, length, False)
        self.bare = not seen_ack
        if seen_ack:
            self.fires = 0
        elif not self.got_ack and not self.tcp.dead and not self.mp_lost:
            # Relative to the first octet of the stream until a DATA_ACK.
            self.data_wnd = seg.wnd << self.tcp.peer_shift
            if self.tcp.una > 1:
                self.fall_back()

    def take_dss(self, o, seg, rel):
        ack, mapping = parse_dss(o, self.tx_idsn + 1 + self.una_off,
                                 self.rx_idsn + 1 + self.rcv_off)
        if ack is not None:
            self.take_ack(ack, seg.wnd << self.tcp.peer_shift)
        if mapping is None:
            return ack is not None
        self.got_dss = True
        dsn, ssn, length, fin = mapping
        if length == 0:
            # It counts, as nothing is joined here, where it is the identity;
            # Init2 under it leaves the transcript open.
            if (dsn - self.rx_idsn - ssn) & 0xffffffff == 0:
                self.fall_back()
            return True
        offset = near(dsn - self.rx_idsn - 1, self.rcv_off, 64)
        if fin:
            self.peer_fin_at = offset + length - 1
            self.check_data_fin()
            self.tcp.need_ack = True
        if seg.data and length > fin:
            self.add_map(offset, ssn, length, fin)
        return ack is not None

    def take_ack(self, ack, wnd):
        off = near(ack - self.tx_idsn - 1, self.una_off, 64)
        if off > self.snd_off + self.fin_sealed:
            return
        self.got_ack = True
        if off >= self.una_off:
            self.data_wnd = wnd
            self.max_data_wnd = max(self.max_data_wnd, wnd)
        if off > self.una_off or (off > self.snd_off and
                                  not self.data_fin_acked):
            self.data_fin_acked = off > self.snd_off
            self.una_off = min(off, self.snd_off)
            self.unacked = [u for u in self.unacked
                            if u[0] + len(u[1]) > self.una_off]
            self.data_timer = None

    def take_fastclose(self, o):
        if self.sched is None:
            return
        mine = self.sched.fc_a if self.active else self.sched.fc_b
        if o[4:12] == mine:
            self.error = self.error or "fastclose"
            self.tcp.abort((), "fastclose")

    def add_map(self, offset, ssn, length, fin):
        rel = near(ssn, self.tcp.rcv_nxt)
        if length == 0 or rel + length - fin <= self.tcp.rcv_nxt:
            return
        if any(m.rel == rel for m in self.maps):
            return
        self.maps.append(Map(offset, rel, length, fin))

    def on_data(self, rel, data):
        if not self.owns_window():
            super().on_data(rel, data)
            return
        while data and not self.tcp.dead:
            here = [m for m in self.maps if m.rel <= rel < m.rel + m.length]
            if not here:
                self.no_mapping(rel, data)
                return
            mapping = here[0]
            part = data[:mapping.rel + mapping.length - rel]
            mapping.data += part
            rel, data = rel + len(part), data[len(part):]
            if len(mapping.data) == mapping.length:
                self.maps.remove(mapping)
                self.guard(self.take_map, mapping)

    def no_mapping(self, rel, data):
        if not self.got_dss:
            self.fall_back()
            if not self.active and self.want_init():
                self.mpc_used = b""
            super().on_data(rel, data)
            return
        self.error = self.error or "no-mapping"
        self.tcp.abort([tcprst(6, False)], "no-mapping")

    def take_map(self, m):
        if m.offset + m.length <= self.rcv_off:
            return
        if m.offset == 0 and self.want_init():
            size = tcpcrypt.init_length(
                m.data, tcpcrypt.INIT2 if self.active else tcpcrypt.INIT1)
            if size != m.length:
                raise tcpcrypt.Bad("init-mapping")
            self.rcv_off = size
            (self.take_init2 if self.active else self.take_init1)(m.data)
            return
        if not self.keyed:
            raise tcpcrypt.Bad("data-before-init")
        i = 0
        while i < m.length:
            if m.length - i < 3:
                raise tcpcrypt.BadFrame("mapping-end")
            size = tcpcrypt.frame_size(m.data[i:], True)
            if i + size > m.length:
                raise tcpcrypt.BadFrame("mapping-end")
            offset = m.offset + i
            self.take_frame(offset, m.data[i:i + size])
            i += size
        self.drain()

    def take_frame(self, offset, raw):
        end = offset + len(raw)
        old = self.held.get(offset)
        if end <= self.rcv_off or (old is not None and old.end == end):
            return
        frame = self.open_frame(offset, raw)
        if offset < self.rcv_off or any(
                f.offset < end and offset < f.end
                for f in self.held.values()):
            raise tcpcrypt.Bad("overlap")
        self.held[offset] = frame

    def drain(self):
        while self.rcv_off in self.held:
            frame = self.held.pop(self.rcv_off)
            self.rcv_off = frame.end
            self.take_in_order(frame)
        self.check_data_fin()

    def check_data_fin(self):
        if self.eof and self.peer_fin_at == self.rcv_off:
            self.data_fin_in = True

    # ends

    def on_fin(self):
        if not self.eof:
            self.fail("truncated")

    def on_reset(self, seg):
        for o in seg.opt(KIND):
            if o[2] >> 4 == FASTCLOSE and len(o) == 12 and self.mp:
                self.take_fastclose(o)
            elif o[2] >> 4 == TCPRST and len(o) == 4:
                self.error = self.error or "reset: reason %d" % o[3]
        super().on_reset(seg)

    def bad_frame(self, error):
        if not self.owns_window() or not self.confirmed:
            self.fail(error)
            return
        # No other subflow, and none can join: the connection ends with it.
        self.error = self.error or error
        self.tcp.abort([tcprst(6, True)], error)

    def rst_opts(self, reason):
        if not self.owns_window():
            return []
        out = [tcprst(reason, False)]
        if self.sched is not None and (self.active or self.confirmed):
            out.append(fastclose(self.sched.fc_b if self.active
                                 else self.sched.fc_a))
        return out

    def fail(self, error, opts=()):
        super().fail(error, opts or self.rst_opts(1))

    def pump(self):
        if not self.owns_window():
            super().pump()
            return
        while self.keyed and not self.fin_sealed and not self.tcp.dead:
            if not self.seal_one():
                break
        if self.fin_alone and self.una_off == self.snd_off:
            self.fin_alone = False
            self.tcp.need_ack = True
        if self.data_fin_acked and self.data_fin_in:
            self.tcp.close()
        waiting = self.unacked or (self.fin_sealed and
                                   not self.data_fin_acked)
        if (waiting or self.pending) and self.data_timer is None:
            self.data_timer = self.tcp.now + DATA_RTO

    def timer(self):
        return self.data_timer if self.owns_window() else None

    def tick(self, now):
        if self.data_timer is None or now < self.data_timer or \
                not self.owns_window():
            return
        self.data_timer = now + DATA_RTO
        if self.tcp.flight or self.tcp.queue:
            return
        self.fires += 1
        if self.unacked and self.bare and self.fires >= 2:
            # Acknowledged on the subflow, and no DATA_ACK comes any more.
            self.fall_back()
        elif self.unacked:
            # Not mapped again, there is no other subflow: asked for.
            self.tcp.segment(self.tcp.nxt - 1, b"", 0, None)
        else:
            self.tcp.need_ack = True

    def mode_name(self):
        return "smtcp" if self.owns_window() else super().mode_name()
