/* Asks for one path at a fixed rate over connections kept open and prints the 50th and 99th
 * percentile of the time from when a request was due to the end of its answer, in microseconds. A
 * request is due whether or not earlier ones were answered, so a stall counts for all it delays. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_LIMIT = 256, ANSWER_LIMIT = 8192, STALL_NS = 2000000000 };

struct connection {
    int fd;
    int64_t due_ns; /* of the request under way; 0: free */
    size_t size;
    char answer[ANSWER_LIMIT + 1];
};

struct run {
    struct connection connections[CONNECTIONS_LIMIT];
    struct pollfd polls[CONNECTIONS_LIMIT];
    size_t count;
    char request[512];
    int64_t *latencies;
    size_t wanted, sent, answered;
};

static int64_t now_ns(void)
{
    struct timespec now;

    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

static void fail(const char *what)
{
    (void) fprintf(stderr, "paced_client: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int connect_to(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (const struct sockaddr *) &address, sizeof(address)) != 0)
        fail("connect");
    (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

/* Heads name the length of the body: the path asked for is not streamed. */
static bool is_whole(const struct connection *connection)
{
    const char *end = strstr(connection->answer, "\r\n\r\n");
    const char *length = strcasestr(connection->answer, "\r\nContent-Length:");

    return end != NULL && length != NULL &&
           connection->size >=
               (size_t) (end + 4 - connection->answer) + strtoul(length + 17, NULL, 10);
}

static void receive(struct run *run, struct connection *connection)
{
    ssize_t got = recv(connection->fd, connection->answer + connection->size,
                       ANSWER_LIMIT - connection->size, MSG_DONTWAIT);

    if (got <= 0) {
        if (got < 0 && errno == EAGAIN)
            return;
        fail("the server ended a connection");
    }
    connection->size += (size_t) got;
    connection->answer[connection->size] = '\0';
    if (!is_whole(connection))
        return;
    if (strncmp(connection->answer, "HTTP/1.1 200 ", 13) != 0)
        fail("an answer was not 200");
    run->latencies[run->answered++] = now_ns() - connection->due_ns;
    connection->due_ns = 0;
    connection->size = 0;
}

static void send_due(struct run *run, int64_t start_ns, int64_t period_ns)
{
    for (size_t i = 0; i < run->count && run->sent < run->wanted; i++) {
        struct connection *connection = &run->connections[i];
        int64_t due_ns = start_ns + (int64_t) run->sent * period_ns;

        if (connection->due_ns != 0)
            continue;
        if (due_ns > now_ns())
            return;
        connection->due_ns = due_ns;
        run->sent++;
        if (send(connection->fd, run->request, strlen(run->request), MSG_NOSIGNAL) < 0)
            fail("send");
    }
}

static void loop(struct run *run, int64_t period_ns)
{
    int64_t start_ns = now_ns();
    int64_t last_ns = start_ns;

    while (run->answered < run->wanted) {
        size_t before = run->answered;
        int64_t wait_ns;
        struct timespec wait;

        send_due(run, start_ns, period_ns);
        wait_ns = start_ns + (int64_t) run->sent * period_ns - now_ns();
        /* All sent, or every connection is waited for: only answers go on. */
        if (wait_ns <= 0 || run->sent == run->wanted)
            wait_ns = wait_ns <= 0 ? 1000000 : STALL_NS;
        wait = (struct timespec){.tv_sec = wait_ns / 1000000000, .tv_nsec = wait_ns % 1000000000};
        if (ppoll(run->polls, run->count, &wait, NULL) < 0)
            fail("ppoll");
        for (size_t i = 0; i < run->count; i++) {
            if (run->polls[i].revents != 0)
                receive(run, &run->connections[i]);
        }
        if (run->answered > before)
            last_ns = now_ns();
        if (run->sent > run->answered && now_ns() - last_ns > 5 * (int64_t) STALL_NS) {
            errno = ETIMEDOUT;
            fail("no answer");
        }
    }
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *) a;
    int64_t y = *(const int64_t *) b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static struct run run;
    int64_t rate = argc == 6 ? atoll(argv[4]) : 0;

    if (rate <= 0) {
        (void) fprintf(stderr, "usage: paced_client PORT PATH CONNECTIONS RATE COUNT\n");
        return 2;
    }
    run.count = (size_t) atoll(argv[3]);
    run.wanted = (size_t) atoll(argv[5]);
    run.latencies = calloc(run.wanted, sizeof(*run.latencies));
    if (run.count < 1 || run.count > CONNECTIONS_LIMIT || run.wanted < 1 || run.latencies == NULL)
        fail("numbers out of range");
    (void) snprintf(run.request, sizeof(run.request), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n",
                    argv[2]);
    for (size_t i = 0; i < run.count; i++) {
        run.connections[i].fd = connect_to(atoi(argv[1]));
        run.polls[i] = (struct pollfd){.fd = run.connections[i].fd, .events = POLLIN};
    }
    loop(&run, 1000000000 / rate);
    qsort(run.latencies, run.wanted, sizeof(*run.latencies), compare);
    (void) printf("%.1f %.1f\n", (double) run.latencies[run.wanted / 2] / 1000,
                  (double) run.latencies[run.wanted * 99 / 100] / 1000);
    free(run.latencies);
    return 0;
}
