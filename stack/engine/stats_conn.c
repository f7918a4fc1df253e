#include "stack/engine/stats_conn.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stack/engine/crypt_use.h"

/* --- sampling ------------------------------------------------------------- */

static uint64_t moved(const struct mp_info *info)
{
	return info->bytes_sent + info->bytes_received;
}

struct stats_seen *stats_conn_find(struct stats_seen *all,
				   const struct mp_info *info)
{
	for (unsigned i = 0; i < STATS_SEEN_MAX; i++) {
		if (all[i].used && tuple_eq(&all[i].t, &info->sub[0].t)) {
			return &all[i];
		}
	}
	return NULL;
}

struct stats_seen *stats_conn_add(struct stats_seen *all,
				  const struct mp_info *info,
				  struct instant now)
{
	for (unsigned i = 0; i < STATS_SEEN_MAX; i++) {
		if (!all[i].used) {
			all[i] = (struct stats_seen){
				.used = true,
				.t = info->sub[0].t,
				.first = now,
				.last = now,
				.base = moved(info),
				.bytes = moved(info),
			};
			return &all[i];
		}
	}
	return NULL;
}

void stats_conn_sample(struct stats_seen *seen, const struct mp_info *info,
		       struct instant now)
{
	uint64_t n = moved(info);

	if (n == seen->bytes) {
		if (n == seen->base) {
			seen->first = now; /* nothing has moved yet */
		}
		return;
	}
	seen->bytes = n;
	seen->last = now;
}

/* octets a second times 8 while data moved; 0: not known */
static uint64_t goodput(const struct stats_seen *seen)
{
	double s;

	if (!seen || seen->last.ns <= seen->first.ns) {
		return 0;
	}
	s = (double)instant_since(seen->last, seen->first) / (double)NANOS_S;
	return (uint64_t)((double)(seen->bytes - seen->base) * 8 / s);
}

/* --- text ----------------------------------------------------------------- */

static void endpoint(struct json *j, const char *key, const struct endpoint *e)
{
	char text[ENDPOINT_TEXT_MAX];

	json_text(j, key, endpoint_text(e, text));
}

/* it was, also when it has ended since: a round trip was measured */
static bool was_established(const struct mp_sub_info *s)
{
	return s->established || s->bytes_sent || s->bytes_received ||
	       s->tcp.srtt;
}

/* the figures of TCP_INFO, in octets and microseconds; the two times are those
 * of the last event */
static void transport(struct json *j, const struct tcp_info_core *t)
{
	json_bool(j, "ecn", t->ecn);
	json_uint(j, "timeouts", t->rtos);
	json_uint(j, "segments_sent", t->segs_out);
	json_uint(j, "segments_received", t->segs_in);
	json_uint(j, "out_of_order", t->ooo_in);
	json_uint(j, "srtt_us", (uint64_t)(t->srtt / NANOS_US));
	json_uint(j, "rttvar_us", (uint64_t)(t->rttvar / NANOS_US));
	json_uint(j, "min_rtt_us", (uint64_t)(t->min_rtt / NANOS_US));
	json_uint(j, "rcv_rtt_us", (uint64_t)(t->rcv_rtt / NANOS_US));
	json_uint(j, "rto_us", (uint64_t)(t->rto / NANOS_US));
	json_uint(j, "cwnd", t->cwnd);
	json_uint(j, "mss", t->mss);
	json_uint(j, "delivery_rate_bps", t->delivery_rate * 8);
	json_uint(j, "pacing_rate_bps", t->pacing_rate * 8);
	json_uint(j, "busy_us", (uint64_t)(t->chrono.busy / NANOS_US));
	json_uint(j, "window_limited_us",
		  (uint64_t)(t->chrono.window / NANOS_US));
	json_text(j, "congestion", t->cc);
}

static void subflow(struct json *j, const struct mp_sub_info *s)
{
	json_object(j, NULL);
	json_uint(j, "path", s->path);
	endpoint(j, "local", &s->t.local);
	endpoint(j, "remote", &s->t.remote);
	json_bool(j, "established", was_established(s));
	json_bool(j, "closed", s->closed);
	json_bool(j, "backup", s->backup);
	json_bool(j, "stale", s->stale);
	json_uint(j, "bytes_sent", s->bytes_sent);
	json_uint(j, "bytes_received", s->bytes_received);
	json_uint(j, "bytes_reinjected", s->bytes_reinjected);
	json_uint(j, "retransmissions", s->tcp.retrans);
	transport(j, &s->tcp);
	json_end(j, '}');
}

static void encryption(struct json *j, const struct mp_info *info)
{
	const struct crypt_info *c = &info->crypt;
	char id[CRYPT_USE_ID];

	if (!info->sealed) {
		json_raw(j, "encryption", "null", 4);
		return;
	}
	json_object(j, "encryption");
	crypt_use_id(info, id);
	json_text(j, "session_id", *id ? id : NULL);
	json_text(j, "role", c->role_b ? "B" : "A");
	json_text(j, "key_exchange", crypt_use_kx(c->kx));
	json_text(j, "cipher", crypt_use_cipher(c->aead));
	json_bool(j, "resumed", c->resumed);
	json_bool(j, "peer_aware", c->peer_aware);
	json_uint(j, "frames_sent", c->tx_frames);
	json_uint(j, "frames_received", c->rx_frames);
	json_uint(j, "data_sent", c->tx_bytes);
	json_uint(j, "data_received", c->rx_bytes);
	json_uint(j, "rekeyings_sent", c->tx_gen);
	json_uint(j, "rekeyings_received", c->rx_gen);
	json_end(j, '}');
}

/* name and sentence of why there is no encryption */
static void clear(struct json *j, const struct mp_info *info)
{
	const char *why = crypt_use_why(info);

	json_text(j, "clear", why ? crypt_reason_name(info->why_clear) : NULL);
	json_text(j, "clear_text", why);
}

void stats_conn_json(struct json *j, const char *key,
		     const struct mp_info *info, const struct stats_seen *seen,
		     bool closed)
{
	bool plain = info->mode == MP_MODE_TCP;

	json_object(j, key);
	endpoint(j, "local", &info->sub[0].t.local);
	endpoint(j, "remote", &info->sub[0].t.remote);
	json_text(j, "mode", mp_info_mode(info));
	json_text(j, "fallback",
		  plain ? mp_reason_name(info->why_plain) : NULL);
	json_text(j, "fallback_text",
		  plain ? mp_reason_text(info->why_plain) : NULL);
	clear(j, info);
	json_bool(j, "weaker", info->weaker);
	encryption(j, info);
	json_bool(j, "passive", info->passive);
	json_bool(j, "closed", closed);
	json_bool(j, "checksum", info->checksum);
	json_uint(j, "bytes_sent", info->bytes_sent);
	json_uint(j, "bytes_received", info->bytes_received);
	json_uint(j, "bytes_reinjected", info->bytes_reinjected);
	json_uint(j, "send_buffer", info->sndbuf);
	json_uint(j, "receive_buffer", info->rcvbuf);
	json_uint(j, "goodput_bps", goodput(seen));
	json_array(j, "subflows");
	for (unsigned i = 0; i < info->n_subs; i++) {
		subflow(j, &info->sub[i]);
	}
	json_end(j, ']');
	json_end(j, '}');
}

/* "smtcp, 2 subflows"; "plain TCP: ..."; "tcpcrypt, no Multipath TCP: ...";
 * "mptcp, 1 subflow, not encrypted: no ENO option in the SYN" */
static void mode(const struct mp_info *info, char *buf, size_t n)
{
	const char *why = crypt_use_why(info);
	unsigned subs = 0;
	size_t used;

	for (unsigned i = 0; i < info->n_subs; i++) {
		subs += was_established(&info->sub[i]);
	}
	if (info->mode == MP_MODE_PENDING) {
		snprintf(buf, n, "no connection%s%s", why ? ": " : "",
			 why ? why : "");
		return;
	}
	if (info->mode == MP_MODE_MPTCP) {
		snprintf(buf, n, "%s, %u subflow%s", mp_info_mode(info), subs,
			 subs == 1 ? "" : "s");
	} else {
		snprintf(buf, n, "%s: %s",
			 info->sealed ? "tcpcrypt, no Multipath TCP" :
					"plain TCP",
			 mp_reason_text(info->why_plain));
	}
	used = strlen(buf);
	/* who switched it off need not be told */
	if (why && info->why_clear != CRYPT_OFF_CONF) {
		snprintf(buf + used, n - used, "%s not encrypted: %s",
			 info->mode == MP_MODE_MPTCP ? "," : ";", why);
	}
}

const char *stats_conn_line(const struct mp_info *info, char *buf, size_t n)
{
	char l[ENDPOINT_TEXT_MAX], r[ENDPOINT_TEXT_MAX], how[320];

	mode(info, how, sizeof(how));
	snprintf(buf, n, "%s %s %s %s, sent %" PRIu64 ", received %" PRIu64,
		 endpoint_text(&info->sub[0].t.local, l),
		 info->passive ? "<" : ">",
		 endpoint_text(&info->sub[0].t.remote, r), how,
		 info->bytes_sent, info->bytes_received);
	return buf;
}
