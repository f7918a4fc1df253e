/* sock_linux.h - Linux's numbers for socket options (uapi asm-generic/socket.h,
 * linux/tcp.h, in.h, in6.h, mptcp.h), as the programs above speak them.  The
 * core includes no system header of the network.
 */
#ifndef SOCK_SOCK_LINUX_H
#define SOCK_SOCK_LINUX_H

#include <stdint.h>

enum {
	LX_IPPROTO_IP = 0,
	LX_SOL_SOCKET = 1,
	LX_IPPROTO_TCP = 6,
	LX_IPPROTO_IPV6 = 41,
	LX_SOL_MPTCP = 284,
};

enum {
	LX_AF_INET = 2,
	LX_AF_INET6 = 10,
	LX_SOCK_STREAM = 1,
};

enum {
	LX_SO_REUSEADDR = 2,
	LX_SO_TYPE = 3,
	LX_SO_ERROR = 4,
	LX_SO_BROADCAST = 6,
	LX_SO_SNDBUF = 7,
	LX_SO_RCVBUF = 8,
	LX_SO_KEEPALIVE = 9,
	LX_SO_OOBINLINE = 10,
	LX_SO_LINGER = 13,
	LX_SO_REUSEPORT = 15,
	LX_SO_RCVLOWAT = 18,
	LX_SO_SNDLOWAT = 19,
	LX_SO_ACCEPTCONN = 30,
	LX_SO_PROTOCOL = 38,
	LX_SO_DOMAIN = 39,
};

enum {
	LX_TCP_NODELAY = 1,
	LX_TCP_MAXSEG = 2,
	LX_TCP_CORK = 3,
	LX_TCP_KEEPIDLE = 4,
	LX_TCP_KEEPINTVL = 5,
	LX_TCP_KEEPCNT = 6,
	LX_TCP_SYNCNT = 7,
	LX_TCP_LINGER2 = 8,
	LX_TCP_DEFER_ACCEPT = 9,
	LX_TCP_WINDOW_CLAMP = 10,
	LX_TCP_INFO = 11,
	LX_TCP_QUICKACK = 12,
	LX_TCP_CONGESTION = 13,
	LX_TCP_USER_TIMEOUT = 18,
	LX_TCP_IS_MPTCP = 43,
};

#define LX_TCP_CA_NAME_MAX 16

enum {
	LX_IP_TOS = 1,
	LX_IP_TTL = 2,
	LX_IP_OPTIONS = 4,
	LX_IP_MTU_DISCOVER = 10,
	LX_IP_MTU = 14,
	LX_IP_BIND_ADDRESS_NO_PORT = 24,
};

enum {
	LX_IPV6_UNICAST_HOPS = 16,
	LX_IPV6_MTU_DISCOVER = 23,
	LX_IPV6_MTU = 24,
	LX_IPV6_V6ONLY = 26,
	LX_IPV6_TCLASS = 67,
};

#define LX_PMTUDISC_WANT 1
#define LX_PMTUDISC_DO   2
#define LX_PMTUDISC_MAX  5

#define LX_MPTCP_INFO    1

/* Options of encryption at SOL_MPTCP: ours, far above whatever Linux may ever
 * number; documented in mptcp-shim(7), which is all that programs have. */
enum {
	LX_MPTCP_PRIVATE = 0x4d500000,
	LX_MPTCP_SESSION_ID = LX_MPTCP_PRIVATE + 1,
	LX_MPTCP_CRYPT_INFO,
	LX_MPTCP_CRYPT_REKEY,
	LX_MPTCP_CRYPT_FORGET,
	LX_MPTCP_CRYPT_AWARE,
	LX_MPTCP_CRYPT_RESUME,
	LX_MPTCP_CRYPT_KEEP,
	LX_MPTCP_CRYPT_PASSIVE,
};

#define LX_MPTCP_PRIVATE_MASK 0xffff0000u

/* LX_MPTCP_CRYPT_AWARE */
enum {
	LX_AWARE_OFF,
	LX_AWARE_ON,   /* the application-aware bit */
	LX_AWARE_ONLY, /* and no encryption with a peer that has it not */
};

/* mode of struct lx_mptcp_crypt_info */
enum {
	LX_CRYPT_TCPCRYPT = 1,
	LX_CRYPT_SMTCP = 2,
};

/* its flags */
#define LX_CRYPT_RESUMED    1u
#define LX_CRYPT_PEER_AWARE 2u
#define LX_CRYPT_PEER_END   4u /* the authentic end of its data was received */

struct lx_mptcp_crypt_info {
	uint8_t mode;
	uint8_t role; /* 'A', 'B' */
	uint8_t kx;   /* TEP of RFC 8548: 0x21 P-256 .. 0x24 Curve448 */
	uint8_t flags;
	uint16_t cipher; /* of RFC 8548: 1, 2, 0x10 */
	uint16_t reserved;
	uint64_t tx_generation, rx_generation; /* rekeyings */
	uint64_t tx_frames, rx_frames;
	uint64_t tx_bytes, rx_bytes; /* of data */
};

struct lx_linger {
	int32_t onoff;
	int32_t linger;
};

#define LX_TCPI_OPT_TIMESTAMPS 1
#define LX_TCPI_OPT_SACK       2
#define LX_TCPI_OPT_WSCALE     4

/* tcpi_state: Linux's numbers */
enum {
	LX_TCP_ESTABLISHED = 1,
	LX_TCP_SYN_SENT,
	LX_TCP_SYN_RECV,
	LX_TCP_FIN_WAIT1,
	LX_TCP_FIN_WAIT2,
	LX_TCP_TIME_WAIT,
	LX_TCP_CLOSE,
	LX_TCP_CLOSE_WAIT,
	LX_TCP_LAST_ACK,
	LX_TCP_LISTEN,
	LX_TCP_CLOSING,
};

/* struct tcp_info; times in microseconds unless said */
struct lx_tcp_info {
	uint8_t state, ca_state, retransmits, probes, backoff, options;
	uint8_t wscale; /* low nibble: peer's, high: ours */
	uint8_t flags;
	uint32_t rto, ato, snd_mss, rcv_mss;
	uint32_t unacked, sacked, lost, retrans, fackets; /* segments */
	uint32_t last_data_sent, last_ack_sent;           /* milliseconds ago */
	uint32_t last_data_recv, last_ack_recv;
	uint32_t pmtu, rcv_ssthresh, rtt, rttvar;
	uint32_t snd_ssthresh, snd_cwnd; /* segments */
	uint32_t advmss, reordering, rcv_rtt, rcv_space, total_retrans;
	uint64_t pacing_rate, max_pacing_rate;
	uint64_t bytes_acked, bytes_received;
	uint32_t segs_out, segs_in, notsent_bytes, min_rtt;
	uint32_t data_segs_in, data_segs_out;
	uint64_t delivery_rate, busy_time, rwnd_limited, sndbuf_limited;
	uint32_t delivered, delivered_ce;
	uint64_t bytes_sent, bytes_retrans;
	uint32_t dsack_dups, reord_seen, rcv_ooopack, snd_wnd, rcv_wnd, rehash;
	uint16_t total_rto, total_rto_recoveries;
	uint32_t total_rto_time;
};

#define LX_MPTCP_FLAG_FALLBACK   1u
#define LX_MPTCP_FLAG_REMOTE_KEY 2u

/* struct mptcp_info */
struct lx_mptcp_info {
	uint8_t subflows, add_addr_signal, add_addr_accepted, subflows_max;
	uint8_t add_addr_signal_max, add_addr_accepted_max;
	uint32_t flags, token;
	uint64_t write_seq, snd_una, rcv_nxt;
	uint8_t local_addr_used, local_addr_max, csum_enabled;
	uint32_t retransmits;
	uint64_t bytes_retrans, bytes_sent, bytes_received, bytes_acked;
	uint8_t subflows_total, reserved[3];
	uint32_t last_data_sent, last_data_recv, last_ack_recv;
};

_Static_assert(sizeof(struct lx_tcp_info) == 248, "layout of struct tcp_info");
_Static_assert(sizeof(struct lx_mptcp_crypt_info) == 56,
	       "layout in mptcp-shim(7)");
_Static_assert(sizeof(struct lx_mptcp_info) == 96,
	       "layout of struct mptcp_info");

#endif
