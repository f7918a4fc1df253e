"""TCP-ENO (RFC 8547): the option, offers and answers.

Option bodies are without kind and length.  A suboption is (glt, v, data).
"""

KIND = 69
SMTCP_TEP = 0x20
SMTCP_MAGIC = b"SM"
R_BIT = 0x80
S_BIT = 0x40
KX_MASK = 0x3f
ID_HALF = 9
NONCE_MAX = 8


def parse(body):
    """Return (global or None, [suboption]), or None if ill-formed (4.4)."""
    glob = None
    subs = []
    i = 0
    while i < len(body):
        octet = body[i]
        i += 1
        v, glt = octet >> 7, octet & 0x7f
        if glt >= 0x20:
            data = body[i:] if v else b""
            subs.append((glt, v, data))
            i += len(data)
        elif not v:
            # Only the first global suboption counts (4.2).
            glob = octet if glob is None else glob
        else:
            n = (octet & 0x1f) + 1
            if i >= len(body) or body[i] < 0xa0 or i + 1 + n > len(body):
                return None
            subs.append((body[i] & 0x7f, 1, body[i + 1:i + 1 + n]))
            i += 1 + n
    return glob, subs


def option(body):
    return bytes([KIND, len(body) + 2]) + body


def sub_smtcp(kxs, resume=None):
    """Suboption 0x20; with resume, (id half, nonce), kxs has one entry."""
    if resume is None:
        return b"\xa0" + SMTCP_MAGIC + bytes(kxs)
    return b"\xa0" + SMTCP_MAGIC + bytes([R_BIT | kxs[0]]) + resume[0] + \
        resume[1]


def sub_tcpcrypt(kx, resume=None):
    if resume is None:
        return bytes([0x20 + kx])
    return bytes([0xa0 + kx]) + resume[0] + resume[1]


def smtcp_data(subs):
    """Data behind "SM" of the one suboption of SMTCP, else None."""
    found = [d for glt, v, d in subs if glt == SMTCP_TEP and v and
             len(d) >= 3 and d[:2] == SMTCP_MAGIC]
    return found[0][2:] if len(found) == 1 else None


class Offer:
    """What a suboption offers or answers: tep, kx list, resumption."""

    def __init__(self, tep, kxs, ident=None, nonce=b""):
        self.tep = tep
        self.kxs = kxs
        self.ident = ident
        self.nonce = nonce


def read_smtcp(data):
    """Offer of A, from the octets behind "SM"; None if not valid."""
    if data[0] & R_BIT:
        kx = data[0] & KX_MASK
        if kx not in (1, 2, 3, 4):
            return None
        rest = data[1:]
        if ID_HALF <= len(rest) <= ID_HALF + NONCE_MAX:
            return Offer(SMTCP_TEP, [kx], rest[:ID_HALF], rest[ID_HALF:])
        return Offer(SMTCP_TEP, [kx])
    # R and S are those of the first octet.
    kxs = [k for k in (o & KX_MASK for o in data) if k in (1, 2, 3, 4)]
    return Offer(SMTCP_TEP, kxs) if kxs else None


def read_tcpcrypt(glt, v, data):
    if v and ID_HALF <= len(data) <= ID_HALF + NONCE_MAX:
        return Offer(glt, [glt - 0x20], data[:ID_HALF], data[ID_HALF:])
    return Offer(glt, [glt - 0x20])


def offers(body):
    """All offers of a SYN with the role of A; [] disables encryption."""
    parsed = parse(body)
    if parsed is None or (parsed[0] or 0) & 1:
        return []
    out = []
    data = smtcp_data(parsed[1])
    if data is not None:
        smtcp = read_smtcp(data)
        out += [smtcp] if smtcp else []
    teps = [glt for glt, _, _ in parsed[1]]
    for glt, v, data in parsed[1]:
        if 0x21 <= glt <= 0x24 and teps.count(glt) == 1:
            out.append(read_tcpcrypt(glt, v, data))
    return out


def answer(body, sent_tcpcrypt, sent_smtcp, resume):
    """What B agreed to, as A sees it, or None.

    sent_tcpcrypt: kx offered as TEP 0x20+kx.  sent_smtcp: kx offered with
    TEP 0x20.  resume: None or (tep, kx, id half expected from B).
    """
    parsed = parse(body)
    if parsed is None or parsed[0] is None or not parsed[0] & 1:
        return None
    chosen = None
    smtcp = smtcp_data(parsed[1])
    teps = [glt for glt, _, _ in parsed[1]]
    for glt, v, data in parsed[1]:
        got = None
        if glt == SMTCP_TEP and smtcp is not None and data[2:] == smtcp:
            got = answer_smtcp(smtcp, sent_smtcp, resume)
        elif 0x21 <= glt <= 0x24 and glt - 0x20 in sent_tcpcrypt and \
                teps.count(glt) == 1:
            got = answer_tcpcrypt(glt, v, data, resume)
        chosen = got or chosen
    return chosen


def answer_smtcp(data, sent, resume):
    kx = data[0] & KX_MASK
    if kx not in sent:
        return None
    if not data[0] & R_BIT:
        return Offer(SMTCP_TEP, [kx]) if len(data) == 1 else None
    rest = data[1:]
    if resume is None or resume[:2] != (SMTCP_TEP, kx):
        return None
    if rest[:ID_HALF] != resume[2] or len(rest) > ID_HALF + NONCE_MAX:
        return None
    return Offer(SMTCP_TEP, [kx], rest[:ID_HALF], rest[ID_HALF:])


def answer_tcpcrypt(glt, v, data, resume):
    if not v:
        return Offer(glt, [glt - 0x20])
    if resume is None or resume[0] != glt or data[:ID_HALF] != resume[2] or \
            len(data) > ID_HALF + NONCE_MAX:
        return None
    return Offer(glt, [glt - 0x20], data[:ID_HALF], data[ID_HALF:])
