/* yield.h - "somebody waits for this TUN device": one stack asks another to
 * cut its grace short
 *
 * The keeper of a stack listens on an abstract socket named after each of its
 * devices (abstract names, as devices, are per network namespace).  A start
 * that finds the device held says so there; the holder's engine then ends as
 * soon as no known process of its run is alive and nothing is held or owed,
 * without waiting for processes that it has not heard of yet.
 */
#ifndef ENGINE_YIELD_H
#define ENGINE_YIELD_H

#include <stdbool.h>

int yield_listen(const char *device); /* descriptor, -1: name taken or so */
void yield_ask(const char *device);
/* takes what arrived: true when a process of our user, or root, asks */
bool yield_asked(int fd);

#endif
