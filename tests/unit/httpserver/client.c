#include "unit/httpserver/client.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "kit/kit.h"

int client_connect(const char *url, bool may_fail)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    const char *host = strstr(url, "://") + 3;
    char name[64];
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void) koa_str_copy(name, sizeof(name),
                        (struct koa_str){.data = host, .size = strcspn(host, ":")});
    address.sin_port = htons((uint16_t) strtol(strchr(host, ':') + 1, NULL, 10));
    assert_int_equal(1, inet_pton(AF_INET, name, &address.sin_addr));
    if (connect(descriptor, (struct sockaddr *) &address, sizeof(address)) != 0) {
        (void) close(descriptor);
        if (!may_fail)
            fail_msg("cannot connect to '%s'", url);
        return -1;
    }
    return descriptor;
}

void client_send(int descriptor, const char *bytes, size_t size)
{
    /* The server may have answered and closed already: that shows in the reply. */
    while (size > 0) {
        ssize_t count = send(descriptor, bytes, size, MSG_NOSIGNAL);

        if (count <= 0)
            return;
        bytes += count;
        size -= (size_t) count;
    }
}

void client_send_text(int descriptor, const char *text)
{
    client_send(descriptor, text, strlen(text));
}

/* Appends what comes; false at the end of the connection. */
static bool read_more(int descriptor, struct reply *reply)
{
    struct pollfd polled = {.fd = descriptor, .events = POLLIN};
    ssize_t count;

    if (poll(&polled, 1, CLIENT_PATIENCE_MS) != 1)
        fail_msg("no answer within %d ms; so far: '%s'", CLIENT_PATIENCE_MS, reply->text);
    reply->text = realloc(reply->text, reply->size + 65536 + 1);
    count = recv(descriptor, reply->text + reply->size, 65536, 0);
    if (count > 0)
        reply->size += (size_t) count;
    reply->text[reply->size] = '\0';
    return count > 0;
}

const char *reply_header(const struct reply *reply, const char *name)
{
    static char value[512];
    size_t size = strlen(name);

    for (const char *line = strstr(reply->text, "\r\n");
         line != NULL && strncmp(line, "\r\n\r\n", 4) != 0; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, size) != 0 || line[2 + size] != ':')
            continue;
        line += 2 + size + 1;
        line += strspn(line, " ");
        (void) koa_str_copy(value, sizeof(value),
                            (struct koa_str){.data = line, .size = strcspn(line, "\r")});
        return value;
    }
    return NULL;
}

/* Joins chunks in place; false when the last one is not there yet. */
static bool join_chunks(struct reply *reply)
{
    char *from = reply->text + (reply->body - reply->text);
    char *end = reply->text + reply->size;
    char *to = from;
    size_t total = 0;

    for (int pass = 0; pass < 2; pass++) {
        for (char *at = from;;) {
            char *line = memmem(at, (size_t) (end - at), "\r\n", 2);
            size_t size;

            if (line == NULL)
                return false;
            size = strtoul(at, NULL, 16);
            if ((size_t) (end - line) < 2 + size + 2)
                return false;
            if (size == 0)
                break;
            if (pass == 1) {
                memmove(to, line + 2, size);
                to += size;
                total += size;
            }
            at = line + 2 + size + 2;
        }
    }
    reply->body_size = total;
    return true;
}

static bool is_whole(struct reply *reply, bool is_head, bool is_ended)
{
    const char *length = reply_header(reply, "Content-Length");
    const char *coding;

    reply->body_size = reply->size - (size_t) (reply->body - reply->text);
    if (is_head)
        return true;
    if (length != NULL)
        return reply->body_size >= strtoul(length, NULL, 10);
    coding = reply_header(reply, "Transfer-Encoding");
    if (coding != NULL && strcmp(coding, "chunked") == 0)
        return join_chunks(reply);
    return is_ended;
}

struct reply client_read(int descriptor, bool is_head)
{
    struct reply reply = {.text = calloc(1, 1)};
    const char *connection;
    bool is_ended = false;

    while (strstr(reply.text, "\r\n\r\n") == NULL) {
        if (!read_more(descriptor, &reply))
            return reply;
    }
    reply.status = (int) strtol(reply.text + 9, NULL, 10);
    for (;;) {
        reply.body = strstr(reply.text, "\r\n\r\n") + 4;
        if (is_whole(&reply, is_head, is_ended) || is_ended)
            break;
        is_ended = !read_more(descriptor, &reply);
    }
    connection = reply_header(&reply, "Connection");
    reply.closes = connection != NULL && strcasecmp(connection, "close") == 0;
    return reply;
}

void reply_deinit(struct reply *reply)
{
    free(reply->text);
}

bool client_is_closed(int descriptor, int patience_ms)
{
    char dropped[4096];
    struct pollfd polled = {.fd = descriptor, .events = POLLIN};

    while (poll(&polled, 1, patience_ms) == 1) {
        if (recv(descriptor, dropped, sizeof(dropped), 0) <= 0)
            return true;
    }
    return false;
}

struct reply client_ask(const char *url, const char *bytes, size_t size)
{
    int descriptor = client_connect(url, false);
    struct reply reply;

    client_send(descriptor, bytes, size);
    reply = client_read(descriptor, size >= 5 && memcmp(bytes, "HEAD ", 5) == 0);
    (void) close(descriptor);
    return reply;
}

struct reply client_get(const char *url, const char *path, const char *headers)
{
    char text[4096];

    (void) snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", path,
                    headers);
    return client_ask(url, text, strlen(text));
}
