/* tcp_hdr.h - TCP header and options (RFC 9293 3.1, 7323, 2018), both ways
 *
 * tcp_hdr_parse() turns a validated IP payload into a struct tcp_seg.  It has
 * no protocol control flow.  Options of impossible length end option parsing
 * (what came before stands) and set opts.malformed.
 */
#ifndef WIRE_TCP_HDR_H
#define WIRE_TCP_HDR_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/bytes.h"
#include "stack/base/pkt.h"
#include "stack/wire/eno_opt.h"
#include "stack/wire/ip_hdr.h"
#include "stack/wire/mp_opt.h"

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20
#define TCP_ECE 0x40
#define TCP_CWR 0x80

#define TCP_HDR_LEN     20
#define TCP_HDR_OPT_MAX 40
#define TCP_HDR_SACK_MAX 4
#define TCP_HDR_TFO_MIN 4 /* octets of a Fast Open cookie (RFC 7413 4.1.1) */
#define TCP_HDR_TFO_MAX 16

/* one SACK block or 32-bit sequence range, [lo, hi) */
struct range32 {
	uint32_t lo, hi;
};

struct tcp_opts {
	bool malformed;
	bool has_mss, has_wscale, sack_perm, has_ts;
	bool has_tfo;    /* Fast Open; of a wrong length: as none */
	uint8_t tfo_len; /* of the cookie, 0: asked for */
	uint8_t wscale; /* as sent, may exceed 14 */
	uint8_t n_sack;
	uint16_t mss;
	uint32_t ts_val, ts_ecr;
	struct range32 sack[TCP_HDR_SACK_MAX];
	struct mp_opts mp; /* mp.have == 0: no MPTCP option */
	struct eno_opt_seen eno; /* points into the packet */
	const uint8_t *tfo; /* with tfo_len; likewise */
};

struct tcp_seg {
	struct tuple t; /* local = destination, remote = source */
	uint32_t seq, ack;
	uint16_t wnd; /* unscaled, as on the wire */
	uint16_t urg;
	uint8_t flags;
	uint8_t tos; /* of the IP header: ECN */
	uint32_t label; /* IPv6 flow label, or 0 */
	uint8_t ttl;
	uint16_t dev; /* path index it arrived on */
	uint32_t len; /* payload octets */
	const uint8_t *data;
	struct pkt *pkt; /* holds data; the caller's reference */
	struct tcp_opts opts;
};

enum tcp_hdr_status {
	TCP_HDR_OK,
	TCP_HDR_SHORT, /* shorter than the header, or than doff says */
	TCP_HDR_DOFF,  /* data offset below 5 */
	TCP_HDR_CKSUM,
};

/* csum_ok: trust the checksum (virtio header vouched for it).
 * Sets t, seq .. data; dev and pkt are the caller's. */
enum tcp_hdr_status tcp_hdr_parse(const struct ip_hdr *ip, bool csum_ok,
				  struct tcp_seg *out);
void tcp_hdr_parse_opts(const uint8_t *p, uint32_t n, struct tcp_opts *out);

/* sequence space the segment occupies: payload plus SYN and FIN */
static inline uint32_t tcp_seg_len(const struct tcp_seg *s)
{
	return s->len + ((s->flags & TCP_SYN) != 0) +
	       ((s->flags & TCP_FIN) != 0);
}

/* The fixed 20 octets; doff is set for opt_len octets of options to follow
 * (multiple of 4), checksum field zero. */
struct tcp_hdr {
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t wnd, urg;
};

void tcp_hdr_emit(struct wr *w, const struct tcp_hdr *h, unsigned opt_len);

/* single options, unpadded; nothing is written without room */
unsigned tcp_hdr_emit_mss(struct wr *w, uint16_t mss);
unsigned tcp_hdr_emit_wscale(struct wr *w, uint8_t shift);
unsigned tcp_hdr_emit_sack_perm(struct wr *w);
unsigned tcp_hdr_emit_ts(struct wr *w, uint32_t val, uint32_t ecr);
/* Fast Open with a cookie of n octets, or a request (0) */
unsigned tcp_hdr_emit_tfo(struct wr *w, const uint8_t *cookie, uint8_t n);
/* as many of n blocks as fit, at least one or nothing */
unsigned tcp_hdr_emit_sack(struct wr *w, const struct range32 *b, unsigned n);
/* NOPs up to a multiple of 4 */
void tcp_hdr_pad(struct wr *w);

/* Completes the checksum of a packet made of IP header (ip_len octets), TCP
 * header and options, and payload pieces: in full, or (partial) only the
 * pseudo-header sum as virtio's NEEDS_CSUM wants it. */
void tcp_hdr_finish(uint8_t *ip, unsigned ip_len, unsigned tcp_len,
		    const struct iov *v, unsigned n_iov, bool partial);

#endif
