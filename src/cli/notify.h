/* The service manager's notification socket: sd_notify(3) without libsystemd. */
#ifndef CLI_NOTIFY_H
#define CLI_NOTIFY_H

#include <koa/base.h>

/* Sends `state` ("READY=1", "RELOADING=1", "STOPPING=1", "WATCHDOG=1", "STATUS=...") to the socket
 * named in NOTIFY_SOCKET; without one nothing happens. Main thread. */
void cli_notify(const char *state);

/* Half of the watchdog's period when the manager wants WATCHDOG=1 regularly, else -1. */
int64_t cli_notify_watchdog_ms(void);

#endif
