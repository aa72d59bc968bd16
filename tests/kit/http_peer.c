/* A blocking server of a few lines: nothing here is shared with the code under test. */
#include "kit/kit.h"

#include "base/str.h"
#include "kit/http_peer.h"
#include "loop/thread.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUESTS_SIZE = 65536, TRICKLE_MS = 5 };

struct kit_http_peer {
    enum kit_http_manner manner;
    char *answer;
    SSL_CTX *tls;
    int listener;
    int port;
    int wake[2]; /* its writing end closed: ends */
    pthread_t thread;
    pthread_mutex_t mutex;
    int connections;
    char requests[REQUESTS_SIZE];
    size_t size;
};

struct connection {
    struct kit_http_peer *peer;
    int descriptor;
    SSL *tls; /* NULL: plain */
};

/* False at the end of the test or of the connection. */
static bool wait_for(struct connection *connection, short events, int timeout_ms)
{
    struct pollfd waiting[2] = {
        {.fd = connection->peer->wake[0], .events = POLLIN},
        {.fd = connection->descriptor, .events = events},
    };

    return poll(waiting, 2, timeout_ms) >= 0 && waiting[0].revents == 0 &&
           !(waiting[1].revents & (POLLERR | POLLHUP));
}

static bool send_bytes(struct connection *connection, const char *data, size_t size)
{
    if (!wait_for(connection, POLLOUT, -1))
        return false;
    if (connection->tls != NULL)
        return SSL_write(connection->tls, data, (int) size) > 0;
    return send(connection->descriptor, data, size, MSG_NOSIGNAL) == (ssize_t) size;
}

static bool send_text(struct connection *connection, const char *text)
{
    return send_bytes(connection, text, strlen(text));
}

static ssize_t receive(struct connection *connection, char *data, size_t size)
{
    if (connection->tls != NULL)
        return SSL_read(connection->tls, data, (int) size);
    if (!wait_for(connection, POLLIN, -1))
        return 0;
    return recv(connection->descriptor, data, size, 0);
}

static bool is_whole(const char *request)
{
    const char *end = strstr(request, "\r\n\r\n");
    const char *length = strcasestr(request, "content-length:");
    size_t body = length != NULL ? strtoul(length + 15, NULL, 10) : 0;

    return end != NULL && strlen(end + 4) >= body;
}

static void read_request(struct connection *connection)
{
    struct kit_http_peer *peer = connection->peer;
    size_t begin = peer->size;

    while (!is_whole(peer->requests + begin) && peer->size < REQUESTS_SIZE - 1) {
        ssize_t got =
            receive(connection, peer->requests + peer->size, REQUESTS_SIZE - 1 - peer->size);

        if (got <= 0)
            return;
        peer->size += (size_t) got;
        peer->requests[peer->size] = '\0';
    }
}

static void behave(struct connection *connection)
{
    static const char block[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n";
    struct kit_http_peer *peer = connection->peer;
    char byte;

    if (peer->manner == KIT_HTTP_CLOSES)
        return;
    read_request(connection);
    switch (peer->manner) {
    case KIT_HTTP_ANSWERS:
        (void) send_text(connection, peer->answer);
        break;
    case KIT_HTTP_HANGS:
        while (receive(connection, &byte, 1) > 0)
            continue;
        break;
    case KIT_HTTP_TRICKLES:
        (void) send_text(connection, "HTTP/1.1 200 OK\r\nX-Slow: ");
        while (send_text(connection, "a") && wait_for(connection, 0, TRICKLE_MS))
            continue;
        break;
    case KIT_HTTP_FLOODS_BODY:
        (void) send_text(connection, peer->answer);
        while (send_bytes(connection, block, sizeof(block) - 1))
            continue;
        break;
    case KIT_HTTP_FLOODS_HEADERS:
        (void) send_text(connection, "HTTP/1.1 200 OK\r\n");
        while (send_text(connection, "X-Many: 0123456789abcdef0123456789abcdef0123456789\r\n"))
            continue;
        break;
    case KIT_HTTP_CLOSES:
        break;
    }
}

static void serve(struct kit_http_peer *peer, int descriptor)
{
    struct connection connection = {.peer = peer, .descriptor = descriptor};

    (void) pthread_mutex_lock(&peer->mutex);
    peer->connections++;
    (void) pthread_mutex_unlock(&peer->mutex);
    if (peer->tls != NULL) {
        connection.tls = SSL_new(peer->tls);
        (void) SSL_set_fd(connection.tls, descriptor);
        if (SSL_accept(connection.tls) == 1) {
            behave(&connection);
            (void) SSL_shutdown(connection.tls);
        }
        SSL_free(connection.tls);
    } else {
        behave(&connection);
    }
    (void) close(descriptor);
}

static void *run_peer(void *context)
{
    struct kit_http_peer *peer = context;
    struct pollfd waiting[2] = {
        {.fd = peer->wake[0], .events = POLLIN},
        {.fd = peer->listener, .events = POLLIN},
    };

    while (poll(waiting, 2, -1) >= 0 && waiting[0].revents == 0) {
        int descriptor = accept(peer->listener, NULL, NULL);

        if (descriptor >= 0)
            serve(peer, descriptor);
    }
    return NULL;
}

struct kit_http_peer *kit_http_peer_start(enum kit_http_manner manner, const char *answer,
                                          const char *cert_file, const char *key_file)
{
    struct kit_http_peer *peer = calloc(1, sizeof(*peer));
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);

    assert_non_null(peer);
    peer->manner = manner;
    peer->answer = strdup(answer != NULL ? answer : "");
    (void) pthread_mutex_init(&peer->mutex, NULL);
    if (cert_file != NULL) {
        peer->tls = SSL_CTX_new(TLS_server_method());
        assert_int_equal(1, SSL_CTX_use_certificate_file(peer->tls, cert_file, SSL_FILETYPE_PEM));
        assert_int_equal(1, SSL_CTX_use_PrivateKey_file(peer->tls, key_file, SSL_FILETYPE_PEM));
    }
    assert_int_equal(0, pipe(peer->wake));
    peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(0, bind(peer->listener, (struct sockaddr *) &address, size));
    assert_int_equal(0, listen(peer->listener, 16));
    assert_int_equal(0, getsockname(peer->listener, (struct sockaddr *) &address, &size));
    peer->port = ntohs(address.sin_port);
    /* Without signals: OpenSSL writes to connections that the other side has closed. */
    assert_int_equal(0, koa_thread_start(&peer->thread, run_peer, peer));
    return peer;
}

int kit_http_peer_port(const struct kit_http_peer *peer)
{
    return peer->port;
}

int kit_http_peer_connections(struct kit_http_peer *peer)
{
    int result;

    (void) pthread_mutex_lock(&peer->mutex);
    result = peer->connections;
    (void) pthread_mutex_unlock(&peer->mutex);
    return result;
}

void kit_http_peer_end(struct kit_http_peer *peer, char *requests, size_t size)
{
    (void) close(peer->wake[1]);
    (void) pthread_join(peer->thread, NULL);
    if (requests != NULL)
        (void) koa_str_copy(requests, size, koa_str_from(peer->requests));
    (void) close(peer->wake[0]);
    (void) close(peer->listener);
    SSL_CTX_free(peer->tls);
    (void) pthread_mutex_destroy(&peer->mutex);
    free(peer->answer);
    free(peer);
}
