/* Signals as a queue: blocked in every thread, taken by the main thread only. The library installs
 * no handler. */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <koa/base.h>

/* A reader of our output may go away: then the write's error is enough. */
void cli_signals_ignore_pipe(void);

/* Before any thread starts: SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2 are only taken by
 * cli_signals_wait(). */
void cli_signals_block(void);

/* The next of them, or 0 when none came within `timeout_ms` (-1: waits for ever). */
int cli_signals_wait(int64_t timeout_ms);

#endif
