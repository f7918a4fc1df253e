"""The octets that the two programs under attack exchange.

Anybody who holds some of them can tell whose they are and where they belong:
a stream is records of 500 octets, each with a word that no ciphertext has by
chance, who wrote it, its number, and a filling made from these.
"""

import hashlib
import re

RECORD = 500
WORD = b"CANARY"
EVIL = b"EVIL!!"
HEAD = re.compile(WORD + rb" ([cs]) (\d{8}) ")


def record(who, index, word=WORD):
    """Record `index` of the program at the client ("c") or server ("s")."""
    head = word + b" %s %08d " % (who.encode(), index)
    fill = hashlib.shake_128(head).hexdigest((RECORD - len(head) + 1) // 2)
    return (head + fill.encode())[:RECORD]


def octets(who, start, length):
    """`length` octets of a stream from offset `start` on."""
    first = start // RECORD
    last = (start + length + RECORD - 1) // RECORD
    whole = b"".join(record(who, i) for i in range(first, last))
    return whole[start - first * RECORD:][:length]


def readable(data):
    """How many octets of `data` are plaintext of a stream, beyond doubt."""
    found = 0
    for hit in HEAD.finditer(data):
        rest = data[hit.start():hit.start() + RECORD]
        if record(hit[1].decode(), int(hit[2])).startswith(rest):
            found += len(rest)
    return found
