/* Sends requests that were made beforehand to one Kafka broker, reads the answers and drops them:
 * the least that any client has to do. The file holds frames, each with its length before it; a
 * length of zero ends a phase, whose answers all come before the next begins. Prints the
 * microseconds and the bytes received of each round. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTION_LIMIT = 16, READ_SIZE = 256 * 1024 };

struct connection {
    int descriptor;
    int is_waiting;
    unsigned char length[4];
    size_t length_read;
    uint32_t left;
};

struct requests {
    unsigned char *bytes;
    size_t size, next;
};

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint32_t number_at(const unsigned char *at)
{
    return (uint32_t) at[0] << 24 | (uint32_t) at[1] << 16 | (uint32_t) at[2] << 8 | at[3];
}

static struct requests load(const char *path)
{
    struct requests requests = {.bytes = NULL};
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;

    if (file < 0 || fstat(file, &status) != 0)
        die(path);
    requests.size = (size_t) status.st_size;
    requests.bytes = malloc(requests.size);
    if (requests.bytes == NULL || read(file, requests.bytes, requests.size) != status.st_size)
        die(path);
    (void) close(file);
    return requests;
}

static int open_connection(const char *host, const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t) strtol(port, NULL, 10))};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;

    if (inet_pton(AF_INET, host, &address.sin_addr) != 1 ||
        connect(descriptor, (struct sockaddr *) &address, sizeof(address)) != 0 ||
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
        die(host);
    return descriptor;
}

/* The next request of the phase; 0 when it has no more. */
static int send_next(struct connection *connection, struct requests *requests)
{
    const unsigned char *frame = requests->bytes + requests->next;
    uint32_t length = requests->next < requests->size ? number_at(frame) : 0;

    if (length == 0)
        return 0;
    if (write(connection->descriptor, frame, length + 4) != (ssize_t) length + 4)
        die("write");
    requests->next += length + 4;
    connection->is_waiting = 1;
    connection->length_read = 0;
    return 1;
}

/* Takes what has come; the answer is whole when `is_waiting` is 0. */
static size_t receive(struct connection *connection)
{
    static unsigned char dropped[READ_SIZE];
    ssize_t size;

    if (connection->length_read < 4) {
        size = read(connection->descriptor, connection->length + connection->length_read,
                    4 - connection->length_read);
        if (size <= 0)
            die("read");
        connection->length_read += (size_t) size;
        if (connection->length_read == 4)
            connection->left = number_at(connection->length);
        return (size_t) size;
    }
    size = read(connection->descriptor, dropped,
                connection->left < READ_SIZE ? connection->left : READ_SIZE);
    if (size <= 0)
        die("read");
    connection->left -= (uint32_t) size;
    connection->is_waiting = connection->left > 0;
    return (size_t) size;
}

static size_t run_phase(struct connection *connections, nfds_t count, struct requests *requests)
{
    struct pollfd waits[CONNECTION_LIMIT];
    size_t bytes = 0;
    int waiting = 0;

    for (nfds_t i = 0; i < count; i++) {
        waiting += send_next(&connections[i], requests);
        waits[i] = (struct pollfd){.fd = connections[i].descriptor, .events = POLLIN};
    }
    while (waiting > 0) {
        if (poll(waits, count, -1) < 0)
            die("poll");
        for (nfds_t i = 0; i < count; i++) {
            if (waits[i].revents == 0)
                continue;
            bytes += receive(&connections[i]);
            if (!connections[i].is_waiting && !send_next(&connections[i], requests))
                waiting--;
        }
    }
    requests->next += 4;
    return bytes;
}

static int64_t now_us(void)
{
    struct timespec time;

    (void) clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t) time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
    struct connection connections[CONNECTION_LIMIT] = {{.descriptor = -1}};
    struct requests requests;
    long count;

    if (argc != 6) {
        (void) fprintf(stderr, "usage: kafka-floor HOST PORT CONNECTIONS ROUNDS FILE\n");
        return 2;
    }
    count = strtol(argv[3], NULL, 10);
    requests = load(argv[5]);
    if (count < 1 || count > CONNECTION_LIMIT)
        return 2;
    for (long i = 0; i < count; i++)
        connections[i].descriptor = open_connection(argv[1], argv[2]);
    for (long round = strtol(argv[4], NULL, 10); round > 0; round--) {
        int64_t began = now_us();
        size_t bytes = 0;

        for (requests.next = 0; requests.next < requests.size;)
            bytes += run_phase(connections, (nfds_t) count, &requests);
        (void) printf("%lld %zu\n", (long long) (now_us() - began), bytes);
    }
    free(requests.bytes);
    return 0;
}
