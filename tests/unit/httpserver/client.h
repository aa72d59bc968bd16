/* A client that sends exactly the bytes it is given, for tests of the server. */
#ifndef TESTS_HTTPSERVER_CLIENT_H
#define TESTS_HTTPSERVER_CLIENT_H

#include <koa/base.h>

enum { CLIENT_PATIENCE_MS = 10000 }; /* a reply that takes longer fails the test */

/* One answer. `text` is all of it, NUL-ended. */
struct reply {
    int status;  /* 0: the connection ended without one */
    bool closes; /* says Connection: close */
    char *text;
    size_t size;
    const char *body; /* in `text` */
    size_t body_size; /* chunks joined */
};

/* To the host and port of "http://host:port"; fails the test when refused. -1 when `may_fail`. */
int client_connect(const char *url, bool may_fail);
void client_send(int descriptor, const char *bytes, size_t size);
void client_send_text(int descriptor, const char *text);
/* One answer, or status 0 when the connection ends before its head is whole. */
struct reply client_read(int descriptor, bool is_head);
void reply_deinit(struct reply *reply);
/* The value of a header in the answer, copied to a static buffer; NULL when absent. */
const char *reply_header(const struct reply *reply, const char *name);
/* Waits for the end of the connection; drops what comes before. False: it stays. */
bool client_is_closed(int descriptor, int patience_ms);
/* Connects, sends, reads one answer, closes. */
struct reply client_ask(const char *url, const char *bytes, size_t size);
/* The same for a GET with further header lines ("A: b\r\n") or "". */
struct reply client_get(const char *url, const char *path, const char *headers);

#endif
