/* pcap.h - all packets of all paths into a pcapng file
 *
 * One interface per path, in the order of the paths.  Packets are collected in
 * memory and written in large pieces.  When the file cannot take more, the
 * capture ends with one line; the stack goes on.
 */
#ifndef ENGINE_PCAP_H
#define ENGINE_PCAP_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/pkt.h"
#include "stack/base/time.h"

struct pcap;

/* fd is taken over.  NULL: no memory. */
struct pcap *pcap_new(int fd);
void pcap_interface(struct pcap *p, const char *name);
void pcap_in(struct pcap *p, struct instant now, const struct pkt *pkt);
void pcap_out(struct pcap *p, struct instant now, const struct pkt_out *out);
/* writes what is collected; 0, or the errno that ended the capture (once) */
int pcap_flush(struct pcap *p);
int pcap_free(struct pcap *p); /* flushes; p may be NULL */

#endif
