/* mp_opt.h - Multipath TCP options (RFC 8684 section 3), kind 30
 *
 * Parsing: mp_opt_parse() takes one option and fills the part of struct
 * mp_opts for its subtype, setting its bit in `have`.  An option of unknown
 * subtype or impossible length is ignored, and its bit set in `bad`.
 * Emitting: one function per subtype, that writes nothing and returns 0 when the
 * writer lacks room.
 * Version 1 formats; version 0 lengths are recognised only to be ignored.
 */
#ifndef WIRE_MP_OPT_H
#define WIRE_MP_OPT_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/bytes.h"

#define MP_OPT_KIND 30

enum mp_opt_subtype {
	MP_OPT_CAPABLE = 0,
	MP_OPT_JOIN = 1,
	MP_OPT_DSS = 2,
	MP_OPT_ADD_ADDR = 3,
	MP_OPT_REMOVE_ADDR = 4,
	MP_OPT_PRIO = 5,
	MP_OPT_FAIL = 6,
	MP_OPT_FASTCLOSE = 7,
	MP_OPT_TCPRST = 8,
};

#define MP_HAVE(subtype) (1u << (subtype))

/* MP_CAPABLE flags (3.1) */
#define MP_CAP_CSUM     0x80 /* A: checksum required */
#define MP_CAP_EXT      0x40 /* B: extensibility */
#define MP_CAP_DENY     0x20 /* C: no join to this address and port */
#define MP_CAP_CRYPTO   0x1f /* D..H */
#define MP_CAP_SHA256   0x01 /* H */

/* MP_CAPABLE, by length: 4 (SYN), 12, 20, 22, 24 */
struct mp_opt_capable {
	uint8_t version; /* low nibble of octet 2 */
	uint8_t flags;
	uint8_t len;     /* of the whole option; tells which fields are set */
	uint64_t key_snd; /* sender's key: from length 12 on */
	uint64_t key_rcv; /* receiver's key: from length 20 on */
	uint16_t data_len; /* length 22 and 24 */
	uint16_t csum;     /* length 24; network value as read big-endian */
};

/* MP_JOIN, by length: 12 (SYN), 16 (SYN/ACK), 24 (ACK) */
struct mp_opt_join {
	uint8_t len;
	bool backup;
	uint8_t addr_id;
	uint32_t token; /* 12 */
	uint32_t nonce; /* 12, 16 */
	uint8_t mac[20]; /* 16: first 8 octets; 24: all 20 */
};

struct mp_opt_dss {
	bool fin, map, ack;
	bool dsn8, ack8; /* as on the wire; meaningful with map, ack */
	bool has_csum;   /* by length */
	bool infinite;   /* map with data_len 0 */
	uint64_t data_ack; /* 32 bits when !ack8: extend before use */
	uint64_t dsn;      /* 32 bits when !dsn8 */
	uint32_t ssn;      /* relative to the subflow's ISN */
	uint16_t data_len;
	uint16_t csum;
};

struct mp_opt_add_addr {
	bool echo;
	uint8_t id;
	struct addr addr;
	uint16_t port; /* 0: none */
	uint8_t mac[8]; /* unless echo */
};

#define MP_OPT_REMOVE_MAX 37 /* what a TCP header can hold */

struct mp_opts {
	uint32_t have; /* MP_HAVE() bits */
	uint32_t bad;  /* malformed, or of a subtype that nobody knows */
	struct mp_opt_capable capable;
	struct mp_opt_join join;
	struct mp_opt_dss dss;
	struct mp_opt_add_addr add_addr;
	uint8_t remove_n, remove_id[MP_OPT_REMOVE_MAX];
	bool prio_backup;
	uint64_t fail_dsn;
	uint64_t fastclose_key;
	bool rst_transient; /* T */
	uint8_t rst_reason;
};

/* MP_TCPRST reasons (3.6) */
enum mp_rst_reason {
	MP_RST_UNSPECIFIED = 0,
	MP_RST_MPTCP = 1,
	MP_RST_RESOURCES = 2,
	MP_RST_PROHIBITED = 3,
	MP_RST_OUTSTANDING = 4,
	MP_RST_PERFORMANCE = 5,
	MP_RST_MIDDLEBOX = 6,
};

/* opt: the whole option, kind and length octets included, len octets */
void mp_opt_parse(const uint8_t *opt, uint8_t len, struct mp_opts *out);

/* octets written, a multiple of nothing; 0: no room */
unsigned mp_opt_emit_capable(struct wr *w, const struct mp_opt_capable *c);
unsigned mp_opt_emit_join(struct wr *w, const struct mp_opt_join *j);
unsigned mp_opt_emit_dss(struct wr *w, const struct mp_opt_dss *d);
unsigned mp_opt_emit_add_addr(struct wr *w, const struct mp_opt_add_addr *a);
unsigned mp_opt_emit_remove(struct wr *w, const uint8_t *ids, unsigned n);
unsigned mp_opt_emit_prio(struct wr *w, bool backup);
unsigned mp_opt_emit_fail(struct wr *w, uint64_t dsn);
unsigned mp_opt_emit_fastclose(struct wr *w, uint64_t key);
unsigned mp_opt_emit_rst(struct wr *w, bool transient, uint8_t reason);

/* octets that mp_opt_emit_dss() would write (fin counts nothing) */
unsigned mp_opt_dss_len(const struct mp_opt_dss *d);

/* DSS checksum (3.3.1): over DSN, SSN, length and the mapped payload, whose
 * partial sum is given (cksum_add over data_sum's octets) */
uint16_t mp_opt_dss_csum(uint64_t dsn, uint32_t ssn, uint16_t data_len,
			 uint64_t data_sum);

/* a 32-bit wire value extended to the 64-bit number nearest to `near` */
uint64_t mp_opt_extend(uint32_t wire, uint64_t near);

#endif
