"""What TCP-ENO options say, by RFC 8547 4.1 to 4.5 and smtcp(7) SIGNAL."""

# contents of the option in a SYN, and what must be shown: global suboptions,
# length octets, TEPs, data of TEPs, key agreements of SMTCP, resumption id and
# nonce, and which remarks
ID9, N8 = "c8fdf5ead11dd89134", "d0d1d2d3d4d5d6d7"


def row(body, tep="", glob="", length="", data="", kx="", ident="", nonce="",
        remarks=""):
    return {"body": body, "tep": tep, "global": glob, "length": length,
            "data": data, "kx": kx, "id": ident, "nonce": nonce,
            "remarks": remarks}


OPTIONS = (
    row("23", "0x23"),
    row("2321", "0x23;0x21"),
    row("0123", "0x23", "0x01"),
    row("1f23", "0x23", "0x1f"),
    row("010223", "0x23", "0x01;0x02", remarks="global.repeated"),
    row("", remarks="vacuous"),
    row("01", "", "0x01", remarks="vacuous"),
    row("7f", "0x7f"),
    # data to the end, and with a length octet
    row("a3" + ID9 + N8, "0x23", data=ID9 + N8, ident=ID9, nonce=N8),
    row("90a3" + ID9 + N8 + "21", "0x23;0x21", "", "17", ID9 + N8, "", ID9,
        N8),
    row("88a3" + ID9 + "22", "0x23;0x22", "", "9", ID9, "", ID9),
    row("80f0ee", "0x70", "", "1", "ee"),
    row("9ff0" + "ab" * 32, "0x70", "", "32", "ab" * 32),
    # v without enough, and with too much, for resumption
    row("a3" + ID9[:-2], "0x23", data=ID9[:-2], remarks="resume.bad"),
    row("a3" + ID9 + N8 + "d8", "0x23", data=ID9 + N8 + "d8",
        remarks="resume.bad"),
    row("a3", "0x23", remarks="resume.bad"),
    # ill-formed
    row("80", "", "", "1", remarks="ill_formed"),
    row("80a3", "", "", "1", remarks="ill_formed"),
    row("81a3ee", "", "", "2", remarks="ill_formed"),
    row("2180", "0x21", "", "1", remarks="ill_formed"),
    row("80019f", "", "", "1", remarks="ill_formed"),
    row("802323", "", "", "1", remarks="ill_formed"),
    row("8081a3ee", "", "", "1", remarks="ill_formed"),
    row("809fee", "", "", "1", remarks="ill_formed"),
    # SMTCP
    row("23a0534d03", "0x23;0x20", data="534d03", kx="3"),
    row("23a0534d0403", "0x23;0x20", data="534d0403", kx="4;3"),
    row("82a0534d0323", "0x20;0x23", "", "3", "534d03", "3"),
    row("23a0534d43", "0x23;0x20", data="534d43", kx="3"),
    row("23a0534d83" + ID9 + N8, "0x23;0x20", data="534d83" + ID9 + N8,
        kx="3", ident=ID9, nonce=N8),
    row("01a0534dc3" + ID9, "0x20", "0x01", data="534dc3" + ID9, kx="3",
        ident=ID9),
    row("a0534d83" + ID9[2:], "0x20", data="534d83" + ID9[2:], kx="3",
        remarks="resume.bad"),
    row("a0534e03", "0x20", data="534e03", remarks="smtcp.other"),
    row("a0534d", "0x20", data="534d", remarks="smtcp.other"),
    row("20", "0x20"),
    row("82a0534d03a0534d04", "0x20;0x20", "", "3", "534d03;534d04", "3;4",
        remarks="tep.repeated"),
    row("82a0534d03a0585803", "0x20;0x20", "", "3", "534d03;585803", "3",
        remarks="smtcp.other"),
    row("2323", "0x23;0x23", remarks="tep.repeated"),
)
REMARKS = ("ill_formed", "twice", "contents", "vacuous", "global.repeated",
           "tep.repeated", "smtcp.other", "resume.bad", "with_join")

RES_A, RES_B = "83" + ID9 + N8, "83" + "4fdc26b0eff4b0ce2a" + "a1a2a3"

# SYN, SYN/ACK (None: without the option), the TEP and "resumed", or ""
NEGOTIATIONS = (
    ("23", "0123", "0x23"),
    ("2321", "0121", "0x21"),
    ("2321", "012123", "0x23"),
    ("2321", "012321", "0x21"),
    ("21", "0123", ""),
    ("23", "012325", "0x23"),
    ("23", "01", ""),
    ("", "0123", ""),
    ("23", None, ""),
    (None, "0123", ""),
    ("23", "23", ""),
    ("23", "0023", ""),
    ("23", "0223", ""),
    ("0123", "0123", ""),
    ("0223", "0323", "0x23"),
    ("23", "012380", ""),
    ("2380", "0123", ""),
    ("23a0534d03", "01a0534d03", "0x20"),
    ("23a0534d0403", "01a0534d03", "0x20"),
    ("23a0534d0403", "01a0534d04", "0x20"),
    ("23a0534d03", "01a0534d04", ""),
    ("23a0534d03", "01a0534d0303", ""),
    ("23a0534d03", "0123", "0x23"),
    ("23a0534d03", "0123a0534d04", "0x23"),
    ("23a0585803", "01a0585803", ""),
    ("23a0534d43", "01a0534d03", "0x20"),
    ("23a0534d03", "01a0534d" + RES_B, ""),
    ("23a0534d" + RES_A, "01a0534d" + RES_B, "0x20 resumed"),
    ("23a0534d" + RES_A, "01a0534d83" + ID9, "0x20 resumed"),
    ("23a0534d" + RES_A, "01a0534d03", "0x20"),
    ("23a0534d" + RES_A, "01a0534d83" + ID9[2:], ""),
    ("23a0534d" + RES_A, "01a0534d" + RES_A + "00", ""),
    ("a3" + ID9 + N8, "01a3" + ID9 + N8, "0x23 resumed"),
    ("a3" + ID9 + N8, "0123", "0x23"),
    ("a3" + ID9 + N8, "01a3" + ID9[2:], "0x23"),
    ("2323", "0123", ""),
    ("23", "012323", ""),
    ("30", "0130", ""),
)
