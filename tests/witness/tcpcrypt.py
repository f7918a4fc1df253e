"""tcpcrypt (RFC 8548) over a single TCP stream: messages, frames, endpoint.

TEP 0x20 of smtcp(7) uses the same messages and frames, with phases; the
class Crypt runs it too where there is no Multipath TCP.
"""

import os
import struct

from cryptography.exceptions import InvalidTag

import eno
import kdf
import tcp

INIT1 = bytes.fromhex("15101a0e")
INIT2 = bytes.fromhex("097105e0")
REKEY = 0x01
PHASE_SHIFT = 1
FINP, URGP, SIG = 0x01, 0x02, 0x04
TAG = 16
CLEN_MIN = 17
CLEN_MAX_SMTCP = 16381
CLEN_MAX = 65535
INIT_MAX = 2048
FRAME_OVERHEAD = 20


class Bad(Exception):
    """Octets of the peer that end the connection; str is the reason."""


class BadFrame(Bad):
    """A frame that does not verify."""


def build_init1(aeads, nonce, public):
    body = bytes([len(aeads)]) + b"".join(a.to_bytes(2, "big")
                                          for a in aeads) + nonce + public
    return INIT1 + (8 + len(body)).to_bytes(4, "big") + body


def build_init2(aead, nonce, public):
    body = aead.to_bytes(2, "big") + nonce + public
    return INIT2 + (8 + len(body)).to_bytes(4, "big") + body


def init_length(buf, magic):
    """Length M of the message at the start of buf, None if unknown yet."""
    if buf[:4] != magic[:len(buf)]:
        raise Bad("init-magic")
    if len(buf) < 8:
        return None
    size = int.from_bytes(buf[4:8], "big")
    if size > INIT_MAX or size < 9:
        raise Bad("init-length")
    return size


def parse_init1(msg, kx):
    """(ciphers, nonce, public key); octets behind the key are ignored."""
    end = 9 + 2 * msg[8]
    if len(msg) < end + 32:
        raise Bad("init-length")
    aeads = [int.from_bytes(msg[i:i + 2], "big") for i in range(9, end, 2)]
    return aeads, msg[end:end + 32], kdf.cut_public(kx, msg[end + 32:])


def parse_init2(msg, kx):
    if len(msg) < 42:
        raise Bad("init-length")
    return int.from_bytes(msg[8:10], "big"), msg[10:42], \
        kdf.cut_public(kx, msg[42:])


class Frame:
    def __init__(self, offset, size, gen, rekey):
        self.offset, self.end = offset, offset + size
        self.gen, self.rekey = gen, rekey
        self.fin, self.urgent, self.data = False, None, b""


def frame_size(head, phases):
    """Octets of the frame that begins with head, of 3 octets."""
    clen = int.from_bytes(head[1:3], "big")
    if clen < CLEN_MIN or clen > (CLEN_MAX_SMTCP if phases else CLEN_MAX):
        raise BadFrame("clen")
    return 3 + clen


class Sealer:
    def __init__(self, sched, role, phases):
        self.sched, self.role, self.phases = sched, role, phases
        self.gen = 0
        self.aead = kdf.Aead(sched.aead, sched.traffic(role, 0))

    def advance(self, gen):
        self.gen = gen
        self.aead = kdf.Aead(self.sched.aead,
                             self.sched.traffic(self.role, gen))

    def seal(self, offset, data, fin=False, urgent=None, rekey=False):
        flags = (FINP if fin else 0) | (URGP if urgent is not None else 0)
        plain = bytes([flags])
        if urgent is not None:
            plain += urgent.to_bytes(2, "big")
        plain += data
        control = REKEY if rekey else 0
        if self.phases:
            control |= (self.gen % 4) << PHASE_SHIFT
        head = struct.pack("!BH", control, len(plain) + TAG)
        return head + self.aead.seal(offset, head, plain)


class Opener:
    """Verifies frames in any order, and checks their order afterwards."""

    def __init__(self, sched, sender, phases):
        self.sched, self.sender, self.phases = sched, sender, phases
        self.gen = 0
        self.order_gen = 0
        self.ordered = 0
        self.fin = False

    def generation(self, control):
        if not self.phases:
            return self.gen + (control & REKEY)
        phase = control >> PHASE_SHIFT & 3
        for gen in (self.gen, self.gen + 1, self.gen - 1):
            if gen >= 0 and gen % 4 == phase:
                return gen
        raise BadFrame("phase")

    def verify(self, offset, raw):
        gen = self.generation(raw[0])
        aead = kdf.Aead(self.sched.aead, self.sched.traffic(self.sender, gen))
        try:
            plain = aead.open(offset, raw[:3], raw[3:])
        except InvalidTag:
            raise BadFrame("tag") from None
        self.gen = max(self.gen, gen)
        frame = Frame(offset, len(raw), gen, bool(raw[0] & REKEY))
        flags, rest = plain[0], plain[1:]
        if flags & SIG and self.phases:
            raise Bad("sig")
        if flags & URGP:
            if len(rest) < 2:
                raise Bad("urgent-length")
            frame.urgent = int.from_bytes(rest[:2], "big")
            rest = rest[2:]
        frame.fin = bool(flags & FINP)
        frame.data = rest
        return frame

    def order(self, frame):
        """frame is the next one in the order of the stream."""
        if self.fin:
            raise Bad("behind-finp")
        if frame.gen != self.order_gen + frame.rekey:
            raise Bad("rekey-order")
        self.order_gen = frame.gen
        self.ordered += 1
        self.fin = frame.fin


class Secret:
    def __init__(self, tep, kx, aead, ss):
        self.tep, self.kx, self.aead, self.ss = tep, kx, aead, ss
        self.busy = False
        self.ident = kdf.resume_id(ss)


class Secrets:
    """Session secrets of one process and one role."""

    def __init__(self):
        self.items = []

    def add(self, secret):
        self.items.append(secret)

    def drop(self, secret):
        self.items = [s for s in self.items if s is not secret]

    def newest(self, teps):
        for secret in reversed(self.items):
            if secret.tep in teps:
                return secret
        return None

    def find(self, tep, kx, first_half):
        for s in self.items:
            if (s.tep, s.kx) == (tep, kx) and not s.busy and \
                    s.ident[:eno.ID_HALF] == first_half:
                return s
        return None


class Config:
    """What a connection shall do; see peer.py for the meaning."""

    def __init__(self, mode="tcpcrypt", kxs=(kdf.X25519,),
                 aeads=(kdf.AES128, kdf.AES256, kdf.CHACHA), send=b"",
                 rekey=0, frame=4000, secrets=None, resume=False, keep=False,
                 mptcp=True, also_tcpcrypt=True):
        self.mode, self.kxs, self.aeads = mode, list(kxs), list(aeads)
        self.send, self.rekey, self.frame = send, rekey, frame
        self.secrets = Secrets() if secrets is None else secrets
        self.resume, self.keep, self.mptcp = resume, keep, mptcp
        self.also_tcpcrypt = also_tcpcrypt


class Crypt(tcp.Endpoint):
    NONCE_B = 8
    BACKLOG = 65536

    def __init__(self, cfg, active, now):
        super().__init__(cfg, active, now)
        self.role = "A" if active else "B"
        self.tep = self.kx = self.aead = None
        self.secret = self.kex = None
        self.enabled = self.resumed = False
        self.keyed = self.confirmed = False
        self.eno_a = self.eno_b = b""
        self.nonce_a = self.nonce_b = b""
        self.init1 = self.init2 = b""
        self.sched = self.sealer = self.opener = None
        self.trials = []
        self.inbuf, self.in_off = b"", 0
        self.snd_off = 0
        self.gen_frames = self.sealed = 0
        self.gen_first_end = None
        self.answer_rekey = False
        self.fin_sealed = False
        self.own_offer = None

    # negotiation

    def teps(self):
        """TEPs this host takes, the best last."""
        out = [0x20 + kx for kx in reversed(self.cfg.kxs)]
        if self.cfg.mode == "smtcp":
            out = (out if self.cfg.also_tcpcrypt else []) + [eno.SMTCP_TEP]
        return out

    def syn_opts(self):
        if self.active and not self.eno_a:
            self.offer()
        mine = self.eno_a if self.active else self.eno_b
        return [mine] if mine else []

    def offer(self):
        cfg = self.cfg
        secret = cfg.secrets.newest(self.teps()[-1:] if cfg.mode == "smtcp"
                                    else self.teps()) if cfg.resume else None
        resume = None
        if secret is not None:
            self.secret = secret
            cfg.secrets.drop(secret)
            self.nonce_a = os.urandom(8)
            resume = (secret.ident[:eno.ID_HALF], self.nonce_a)
        crypt = smtcp = b""
        for tep in self.teps():
            mine = resume if secret is not None and tep == secret.tep \
                else None
            if tep == eno.SMTCP_TEP:
                kxs = [secret.kx] if mine else cfg.kxs
                smtcp = eno.sub_smtcp(kxs, mine)
            else:
                sub = eno.sub_tcpcrypt(tep - 0x20, mine)
                # A suboption with data takes the rest of the option.
                crypt = crypt + sub if mine else sub + crypt
        self.eno_a = eno.option(crypt + smtcp)

    def on_syn(self, seg):
        """Role B: choose, and make the answer for the SYN/ACK."""
        options = seg.opt(eno.KIND)
        if len(options) != 1:
            return
        got = {o.tep: o for o in eno.offers(options[0][2:])}
        for tep in reversed(self.teps()):
            if tep in got and self.accept(got[tep]):
                self.eno_a = options[0]
                return

    def accept(self, offer):
        secret = None
        if offer.ident is not None and self.cfg.resume:
            secret = self.cfg.secrets.find(offer.tep, offer.kxs[0],
                                           offer.ident)
        kxs = [k for k in self.cfg.kxs if k in offer.kxs]
        if not kxs and secret is None:
            return False
        self.tep, self.kx = offer.tep, secret.kx if secret else kxs[0]
        resume = None
        if secret is not None:
            self.secret, secret.busy, self.resumed = secret, True, True
            self.nonce_a = offer.nonce
            self.nonce_b = os.urandom(self.nonce_room())
            resume = (secret.ident[eno.ID_HALF:], self.nonce_b)
        if self.tep == eno.SMTCP_TEP:
            sub = eno.sub_smtcp([self.kx], resume)
        else:
            sub = eno.sub_tcpcrypt(self.kx, resume)
        self.eno_b = eno.option(b"\1" + sub)
        return True

    def nonce_room(self):
        return self.NONCE_B

    def on_synack(self, seg):
        options = seg.opt(eno.KIND)
        got = None
        if len(options) == 1:
            crypt = [t - 0x20 for t in self.teps() if t != eno.SMTCP_TEP]
            smtcp = self.cfg.kxs if eno.SMTCP_TEP in self.teps() else []
            resume = None
            if self.secret is not None:
                resume = (self.secret.tep, self.secret.kx,
                          self.secret.ident[eno.ID_HALF:])
                if resume[0] == eno.SMTCP_TEP:
                    smtcp = [resume[1]]
            got = eno.answer(options[0][2:], crypt, smtcp, resume)
        if got is None:
            self.fail("no-encryption")
            return
        self.eno_b = options[0]
        self.tep, self.kx = got.tep, got.kxs[0]
        self.resumed = got.ident is not None
        self.nonce_b = got.nonce
        self.enabled = True
        self.settle_mptcp(seg)
        if self.resumed:
            self.resume_keys()
        else:
            self.kex = kdf.Kex(self.kx)
            self.nonce = os.urandom(32)
            self.init1 = build_init1(self.cfg.aeads, self.nonce,
                                     self.kex.public)
            self.transmit(self.init1)

    def settle_mptcp(self, seg):
        pass

    def on_first_ack(self, seg):
        if self.tep is None or not seg.opt(eno.KIND):
            if self.secret is not None:
                self.secret.busy = False
            self.fail("no-encryption")
            return
        self.enabled = True
        self.settle_mptcp(seg)
        if self.error:
            return
        if self.resumed:
            self.cfg.secrets.drop(self.secret)
            self.resume_keys()

    def seg_opts(self, meta, data):
        if self.active and self.enabled and not self.tcp.got_non_syn:
            return [eno.option(b"")]
        return []

    # keys

    def mpc_transcript(self):
        return b""

    def tep_octet(self):
        v = self.tep == eno.SMTCP_TEP or self.resumed
        return self.tep | (0x80 if v else 0)

    def resume_keys(self):
        self.aead = self.secret.aead
        if self.tep == eno.SMTCP_TEP:
            sn = kdf.hashlib.sha256(self.eno_a + self.eno_b +
                                    self.mpc_transcript()).digest()
        else:
            sn = self.nonce_a + self.nonce_b
        self.use(kdf.Schedule(self.secret.ss, sn, self.tep_octet(),
                              self.aead))

    def fresh_schedule(self, mpc):
        nonce_a = self.nonce if self.active else self.peer_nonce
        prk = kdf.extract(nonce_a, self.eno_a + self.eno_b + mpc +
                          self.init1 + self.init2 + self.es)
        return kdf.Schedule(prk, b"", self.tep_octet(), self.aead)

    def use(self, sched):
        phases = self.tep == eno.SMTCP_TEP
        self.sched = sched
        self.sealer = Sealer(sched, self.role, phases)
        self.opener = Opener(sched, "B" if self.active else "A", phases)
        self.keyed = True
        self.trials = []
        self.cfg.secrets.add(Secret(self.tep, self.kx, self.aead,
                                    sched.next_ss))

    def take_init1(self, msg):
        aeads, self.peer_nonce, public = parse_init1(msg, self.kx)
        common = [a for a in self.cfg.aeads if a in aeads]
        if not common:
            raise Bad("no-cipher")
        self.aead = common[0]
        self.kex = kdf.Kex(self.kx)
        self.es = self.kex.shared(public)
        self.init1 = msg
        self.init2 = build_init2(self.aead, os.urandom(32), self.kex.public)
        self.transmit(self.init2)
        self.use(self.fresh_schedule(self.mpc_transcript()))

    def take_init2(self, msg):
        self.aead, _, public = parse_init2(msg, self.kx)
        if self.aead not in self.cfg.aeads:
            raise Bad("cipher-not-offered")
        self.es = self.kex.shared(public)
        self.init2 = msg
        self.keys_of_a()

    def keys_of_a(self):
        self.use(self.fresh_schedule(self.mpc_transcript()))

    def try_keys(self, offset, raw):
        """The first frame of B decides between transcripts."""
        for mpc in self.trials:
            sched = self.fresh_schedule(mpc)
            try:
                Opener(sched, "B", True).verify(offset, raw)
            except BadFrame:
                continue
            self.mpc_used = mpc
            self.use(sched)
            return
        raise BadFrame("neither-transcript")

    # input

    def on_data(self, rel, data):
        self.inbuf += data
        self.guard(self.read_stream)

    def guard(self, func, *args):
        try:
            func(*args)
        except BadFrame as err:
            self.bad_frame("bad-frame: " + str(err))
        except (Bad, kdf.KeyError_) as err:
            self.fail(str(err), self.rst_opts(1))

    def bad_frame(self, error):
        self.fail(error)

    def rst_opts(self, reason):
        return []

    def want_init(self):
        return not self.resumed and not (self.init2 if self.active
                                         else self.init1)

    def read_stream(self):
        while self.inbuf:
            if self.want_init():
                size = init_length(self.inbuf, INIT2 if self.active
                                   else INIT1)
            elif len(self.inbuf) < 3:
                return
            else:
                size = frame_size(self.inbuf, self.tep == eno.SMTCP_TEP)
            if size is None or len(self.inbuf) < size:
                return
            raw, self.inbuf = self.inbuf[:size], self.inbuf[size:]
            at, self.in_off = self.in_off, self.in_off + size
            if self.want_init():
                (self.take_init2 if self.active else self.take_init1)(raw)
            else:
                self.take_in_order(self.open_frame(at, raw))

    def open_frame(self, offset, raw):
        if self.trials:
            self.try_keys(offset, raw)
        frame = self.opener.verify(offset, raw)
        self.confirmed = True
        if self.opener.gen > self.sealer.gen:
            self.next_generation(self.opener.gen)
            self.answer_rekey = not self.fin_sealed
        return frame

    def take_in_order(self, frame):
        self.opener.order(frame)
        self.deliver(frame.data)
        self.eof = frame.fin

    def on_fin(self):
        if not self.eof:
            self.fail("truncated")

    # output

    def next_generation(self, gen):
        self.sealer.advance(gen)
        self.gen_frames = 0
        self.gen_first_end = None

    def may_rekey(self):
        if not self.cfg.rekey or self.gen_frames < self.cfg.rekey:
            return False
        if self.gen_first_end is None or \
                self.acked() < self.gen_first_end:
            return False
        peer = self.opener
        return peer.fin or (peer.ordered > 0 and
                            peer.order_gen >= self.sealer.gen)

    def acked(self):
        """Stream octets of ours that the peer has for sure."""
        return min(self.tcp.una - 1, self.snd_off)

    def room(self):
        return self.tcp.una + self.tcp.peer_wnd - self.tcp.queue_end

    def widest(self):
        return self.tcp.max_wnd

    def transmit(self, data, fin=False):
        self.tcp.send(data)
        self.snd_off += len(data)

    def pump(self):
        while self.keyed and not self.fin_sealed and not self.tcp.dead:
            if not self.seal_one():
                break
        if self.fin_sealed:
            self.tcp.close()

    def seal_one(self):
        if self.resumed and self.active and self.sealed and \
                not self.tcp.got_non_syn:
            return False
        if self.tcp.queue_end - self.tcp.una > self.BACKLOG:
            return False
        segment = self.tcp.mss - 40
        most = min(self.cfg.frame + FRAME_OVERHEAD, CLEN_MAX_SMTCP + 3,
                   max(segment, self.widest() // 4), self.room())
        if most < FRAME_OVERHEAD or (most == FRAME_OVERHEAD and self.pending):
            return False
        rekey = self.answer_rekey
        if not rekey and self.may_rekey():
            self.next_generation(self.sealer.gen + 1)
            rekey = True
        data = self.pending[:most - FRAME_OVERHEAD]
        self.pending = self.pending[len(data):]
        fin = not self.pending
        raw = self.sealer.seal(self.snd_off, data, fin, None, rekey)
        self.transmit(raw, fin)
        self.answer_rekey = False
        self.gen_frames += 1
        self.sealed += 1
        self.fin_sealed = fin
        if self.gen_first_end is None:
            self.gen_first_end = self.snd_off
        return True

    def report(self):
        out = super().report()
        out.update({
            "role": self.role,
            "mode": self.mode_name(),
            "tep": self.tep,
            "kx": self.kx,
            "aead": self.aead,
            "resumed": self.resumed,
            "session_id": self.sched.session_id.hex() if self.sched else None,
            "confirmed": self.confirmed,
            "sent_generation": self.sealer.gen if self.sealer else None,
            "received_generation": self.opener.gen if self.opener else None,
        })
        return out

    def mode_name(self):
        if self.tep == eno.SMTCP_TEP:
            return "smtcp-single"
        return "tcpcrypt"
