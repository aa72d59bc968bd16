/* One datagram per state. A manager that does not listen is no reason to stop. */
#include "cli/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/num.h"
#include "base/str.h"
#include "loop/clock.h"

static const char *variable(const char *name)
{
    /* Main thread; the program never changes its environment. */
    return getenv(name); // NOLINT(concurrency-mt-unsafe)
}

void cli_notify(const char *state)
{
    const char *path = variable("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char message[128];
    size_t size;
    int descriptor;

    if (path == NULL || (path[0] != '/' && path[0] != '@') ||
        strlen(path) >= sizeof(address.sun_path))
        return;
    /* RELOADING=1 must carry the time, so that the manager can order it (sd_notify(3)). */
    (void) snprintf(message, sizeof(message), "%s\nMONOTONIC_USEC=%lld", state,
                    (long long) koa_clock_ticks_ns() / 1000);
    memcpy(address.sun_path, path, strlen(path));
    size = offsetof(struct sockaddr_un, sun_path) + strlen(path);
    if (path[0] == '@')
        address.sun_path[0] = '\0'; /* the abstract name space */
    descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return;
    (void) sendto(descriptor, message, strlen(message), MSG_NOSIGNAL,
                  (const struct sockaddr *) (const void *) &address, (socklen_t) size);
    (void) close(descriptor);
}

int64_t cli_notify_watchdog_ms(void)
{
    const char *period = variable("WATCHDOG_USEC");
    int64_t period_us;

    if (period == NULL ||
        koa_parse_int(koa_str_from(period), 2000, INT64_MAX, &period_us) != KOA_OK)
        return -1;
    return period_us / 2000;
}
