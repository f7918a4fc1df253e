/* tcp_ports.h - how many connections have each local port
 *
 * Whoever looks for a free port asks here first, so that a search does not
 * visit every connection for every port.  A page of counters is made with the
 * first of its ports and goes with the last.
 */
#ifndef TCP_TCP_PORTS_H
#define TCP_TCP_PORTS_H

#include <stdbool.h>
#include <stdint.h>

struct mem;

#define TCP_PORTS_PAGES 256u

struct tcp_ports_page; /* private */

struct tcp_ports {
	struct mem *mem;
	struct tcp_ports_page *page[TCP_PORTS_PAGES];
};

void tcp_ports_init(struct tcp_ports *p, struct mem *mem);
void tcp_ports_fini(struct tcp_ports *p); /* whatever is counted */
bool tcp_ports_add(struct tcp_ports *p, uint16_t port); /* false: no memory */
void tcp_ports_del(struct tcp_ports *p, uint16_t port); /* was added */
uint32_t tcp_ports_count(const struct tcp_ports *p, uint16_t port);

#endif
