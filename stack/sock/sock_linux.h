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
	LX_SO_DEBUG = 1,
	LX_SO_REUSEADDR,
	LX_SO_TYPE,
	LX_SO_ERROR,
	LX_SO_DONTROUTE,
	LX_SO_BROADCAST,
	LX_SO_SNDBUF,
	LX_SO_RCVBUF,
	LX_SO_KEEPALIVE,
	LX_SO_OOBINLINE,
	LX_SO_NO_CHECK,
	LX_SO_PRIORITY,
	LX_SO_LINGER,
	LX_SO_BSDCOMPAT,
	LX_SO_REUSEPORT,
	LX_SO_PASSCRED,
	LX_SO_RCVLOWAT = 18,
	LX_SO_SNDLOWAT,
	LX_SO_BINDTODEVICE = 25,
	LX_SO_DETACH_FILTER = 27,
	LX_SO_TIMESTAMP = 29,
	LX_SO_ACCEPTCONN,
	LX_SO_SNDBUFFORCE = 32,
	LX_SO_RCVBUFFORCE,
	LX_SO_TIMESTAMPNS = 35,
	LX_SO_MARK,
	LX_SO_TIMESTAMPING,
	LX_SO_PROTOCOL,
	LX_SO_DOMAIN,
	LX_SO_RXQ_OVFL,
	LX_SO_WIFI_STATUS,
	LX_SO_PEEK_OFF,
	LX_SO_NOFCS,
	LX_SO_LOCK_FILTER,
	LX_SO_SELECT_ERR_QUEUE,
	LX_SO_BUSY_POLL,
	LX_SO_MAX_PACING_RATE,
	LX_SO_INCOMING_CPU = 49,
	LX_SO_CNX_ADVICE = 53,
	LX_SO_NAPI_ID = 56,
	LX_SO_ZEROCOPY = 60,
	LX_SO_TXTIME,
	LX_SO_BINDTOIFINDEX,
	LX_SO_TIMESTAMP_NEW,
	LX_SO_TIMESTAMPNS_NEW,
	LX_SO_TIMESTAMPING_NEW,
	LX_SO_DETACH_REUSEPORT_BPF = 68,
	LX_SO_PREFER_BUSY_POLL,
	LX_SO_BUSY_POLL_BUDGET,
	LX_SO_BUF_LOCK = 72,
	LX_SO_RESERVE_MEM,
	LX_SO_TXREHASH,
	LX_SO_RCVMARK,
	LX_SO_RCVPRIORITY = 82,
};

/* SO_BUF_LOCK */
#define LX_SNDBUF_LOCK 1
#define LX_RCVBUF_LOCK 2

#define LX_IFNAMSIZ 16

enum {
	LX_TCP_NODELAY = 1,
	LX_TCP_MAXSEG,
	LX_TCP_CORK,
	LX_TCP_KEEPIDLE,
	LX_TCP_KEEPINTVL,
	LX_TCP_KEEPCNT,
	LX_TCP_SYNCNT,
	LX_TCP_LINGER2,
	LX_TCP_DEFER_ACCEPT,
	LX_TCP_WINDOW_CLAMP,
	LX_TCP_INFO,
	LX_TCP_QUICKACK,
	LX_TCP_CONGESTION,
	LX_TCP_MD5SIG,
	LX_TCP_THIN_LINEAR_TIMEOUTS = 16,
	LX_TCP_THIN_DUPACK,
	LX_TCP_USER_TIMEOUT,
	LX_TCP_REPAIR,
	LX_TCP_REPAIR_QUEUE,
	LX_TCP_QUEUE_SEQ,
	LX_TCP_REPAIR_OPTIONS,
	LX_TCP_FASTOPEN,
	LX_TCP_TIMESTAMP,
	LX_TCP_NOTSENT_LOWAT,
	LX_TCP_CC_INFO,
	LX_TCP_SAVE_SYN,
	LX_TCP_SAVED_SYN,
	LX_TCP_REPAIR_WINDOW,
	LX_TCP_FASTOPEN_CONNECT,
	LX_TCP_ULP,
	LX_TCP_MD5SIG_EXT,
	LX_TCP_FASTOPEN_KEY,
	LX_TCP_FASTOPEN_NO_COOKIE,
	LX_TCP_ZEROCOPY_RECEIVE,
	LX_TCP_INQ,
	LX_TCP_TX_DELAY,
	LX_TCP_IS_MPTCP = 43,
	LX_TCP_RTO_MAX_MS,
	LX_TCP_RTO_MIN_US,
	LX_TCP_DELACK_MAX_US,
};

#define LX_TCP_CA_NAME_MAX 16
#define LX_TCP_FASTOPEN_KEY_LEN 16

enum {
	LX_IP_TOS = 1,
	LX_IP_TTL,
	LX_IP_OPTIONS = 4,
	LX_IP_ROUTER_ALERT,
	LX_IP_RECVOPTS,
	LX_IP_RETOPTS,
	LX_IP_PKTINFO,
	LX_IP_PKTOPTIONS,
	LX_IP_MTU_DISCOVER,
	LX_IP_RECVERR,
	LX_IP_RECVTTL,
	LX_IP_RECVTOS,
	LX_IP_MTU,
	LX_IP_FREEBIND,
	LX_IP_PASSSEC = 18,
	LX_IP_TRANSPARENT,
	LX_IP_ORIGDSTADDR,
	LX_IP_MINTTL,
	LX_IP_CHECKSUM = 23,
	LX_IP_BIND_ADDRESS_NO_PORT,
	LX_IP_RECVFRAGSIZE,
	LX_IP_RECVERR_RFC4884,
	LX_IP_MULTICAST_IF = 32,
	LX_IP_MULTICAST_TTL,
	LX_IP_MULTICAST_LOOP,
	LX_IP_ADD_MEMBERSHIP,
	LX_IP_DROP_MEMBERSHIP,
	LX_IP_MULTICAST_ALL = 49,
	LX_IP_UNICAST_IF,
	LX_IP_LOCAL_PORT_RANGE,
};

enum {
	LX_IPV6_ADDRFORM = 1,
	LX_IPV6_2292PKTINFO,
	LX_IPV6_2292HOPOPTS,
	LX_IPV6_2292DSTOPTS,
	LX_IPV6_2292RTHDR,
	LX_IPV6_2292PKTOPTIONS,
	LX_IPV6_2292HOPLIMIT = 8,
	LX_IPV6_FLOWINFO = 11,
	LX_IPV6_UNICAST_HOPS = 16,
	LX_IPV6_MULTICAST_IF,
	LX_IPV6_MULTICAST_HOPS,
	LX_IPV6_MULTICAST_LOOP,
	LX_IPV6_JOIN_GROUP,
	LX_IPV6_LEAVE_GROUP,
	LX_IPV6_MTU_DISCOVER = 23,
	LX_IPV6_MTU,
	LX_IPV6_RECVERR,
	LX_IPV6_V6ONLY,
	LX_IPV6_MULTICAST_ALL = 29,
	LX_IPV6_ROUTER_ALERT_ISOLATE,
	LX_IPV6_RECVERR_RFC4884,
	LX_IPV6_FLOWINFO_SEND = 33,
	LX_IPV6_RECVPKTINFO = 49,
	LX_IPV6_RECVHOPLIMIT = 51,
	LX_IPV6_RECVHOPOPTS = 53,
	LX_IPV6_HOPOPTS,
	LX_IPV6_RTHDRDSTOPTS,
	LX_IPV6_RECVRTHDR,
	LX_IPV6_RTHDR,
	LX_IPV6_RECVDSTOPTS,
	LX_IPV6_DSTOPTS,
	LX_IPV6_RECVPATHMTU,
	LX_IPV6_DONTFRAG = 62,
	LX_IPV6_RECVTCLASS = 66,
	LX_IPV6_TCLASS,
	LX_IPV6_AUTOFLOWLABEL = 70,
	LX_IPV6_ADDR_PREFERENCES = 72,
	LX_IPV6_MINHOPCOUNT,
	LX_IPV6_RECVORIGDSTADDR,
	LX_IPV6_TRANSPARENT,
	LX_IPV6_UNICAST_IF,
	LX_IPV6_RECVFRAGSIZE,
	LX_IPV6_FREEBIND,
};

/* IP_MTU_DISCOVER */
enum {
	LX_PMTUDISC_DONT,  /* may be fragmented on its way; nothing is learnt */
	LX_PMTUDISC_WANT,
	LX_PMTUDISC_DO,
	LX_PMTUDISC_PROBE, /* as large as the device takes, not fragmented */
	LX_PMTUDISC_INTERFACE, /* likewise, reports never believed */
	LX_PMTUDISC_OMIT,      /* likewise, may be fragmented */
};

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
#define LX_TCPI_OPT_ECN        8

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
	uint32_t received_ce; /* Linux 6.17 on: accurate ECN */
	uint32_t delivered_e1_bytes, delivered_e0_bytes, delivered_ce_bytes;
	uint32_t received_e1_bytes, received_e0_bytes, received_ce_bytes;
	uint16_t accecn_fail_mode, accecn_opt_seen;
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

_Static_assert(sizeof(struct lx_tcp_info) == 280, "layout of struct tcp_info");
_Static_assert(sizeof(struct lx_mptcp_crypt_info) == 56,
	       "layout in mptcp-shim(7)");
_Static_assert(sizeof(struct lx_mptcp_info) == 96,
	       "layout of struct mptcp_info");

#endif
