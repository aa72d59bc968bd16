/* The program's signals: what they mean is decided by the command that takes them. */
#include "cli/signals.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

static sigset_t taken_signals(void)
{
    sigset_t set;

    (void) sigemptyset(&set);
    (void) sigaddset(&set, SIGTERM);
    (void) sigaddset(&set, SIGINT);
    (void) sigaddset(&set, SIGHUP);
    (void) sigaddset(&set, SIGUSR1);
    (void) sigaddset(&set, SIGUSR2);
    return set;
}

void cli_signals_ignore_pipe(void)
{
    (void) sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
}

void cli_signals_block(void)
{
    sigset_t set = taken_signals();

    (void) pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int cli_signals_wait(int64_t timeout_ms)
{
    sigset_t set = taken_signals();
    struct timespec timeout = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000};
    int found;

    do {
        found = timeout_ms < 0 ? sigwaitinfo(&set, NULL) : sigtimedwait(&set, NULL, &timeout);
    } while (found < 0 && errno == EINTR); /* by SIGCONT; the time starts anew */
    return found > 0 ? found : 0;
}
