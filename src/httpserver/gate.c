/* Holds each new connection until the head of its first request is there and right, and refuses it
 * otherwise: the library answers malformed heads by itself, in HTML and some of them with two
 * heads, and gives nobody a say. It only peeks, so the library reads the same bytes after it. What
 * comes later on the connection, and anything inside TLS, is the library's to look at first. The
 * acceptor's thread alone. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "httpserver/internal.h"
#include "httpserver/preview.h"

enum {
    EVENTS_A_TURN = 64,
    ANSWER_LIMIT = 4096,
    /* A socket that is closed with bytes unread takes the answer back (RST): so the client has this
     * long to read it and to stop sending. */
    LINGER_MS = 2000,
    DISCARD_SIZE = 1 << 20,
    DISCARDS_A_TURN = 16,
    ANSWER_MEMORY = 1024 /* that the library's memory must have left for the head of an answer */
};

/* A connection that the library does not have yet, or never gets. */
struct visitor {
    struct koa_list_node node;
    struct koa_http_connection *connection;
    struct sockaddr_storage address;
    socklen_t address_size;
    struct koa_mono since;
    size_t seen;     /* bytes that hold no end of a head */
    bool is_watched; /* by epoll */
    bool lingers;    /* refused */
};

struct koa_http_gate {
    struct koa_http_server *server;
    int epoll;
    struct koa_list_node visitors;
    struct koa_buf bytes; /* of the one that is looked at */
    char scratch[KOA_HTTP_TARGET_MEMORY(KOA_HTTP_TARGET_SIZE)];
    /* Of the settings in force. */
    size_t head_limit, memory_limit;
    int64_t timeout_ms;
};

enum koa_err koa_http_gate_create(struct koa_http_server *server, struct koa_http_gate **ret_gate,
                                  struct koa_error *reterr)
{
    struct koa_http_gate *gate = koa_calloc(1, sizeof(*gate));

    if (gate == NULL)
        return koa_require_memory(gate, reterr);
    gate->server = server;
    koa_list_init(&gate->visitors);
    gate->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (gate->epoll < 0) {
        koa_free(gate);
        return koa_fail_errno(reterr, KOA_ERR_IO, errno, "cannot make an epoll descriptor");
    }
    *ret_gate = gate;
    return KOA_OK;
}

int koa_http_gate_descriptor(const struct koa_http_gate *gate)
{
    return gate->epoll;
}

/* Closes the connection. */
static void dismiss(struct visitor *visitor)
{
    int descriptor = visitor->connection->descriptor;

    koa_list_remove(&visitor->node);
    koa_http_connection_drop(visitor->connection);
    (void) close(descriptor);
    koa_free(visitor);
}

void koa_http_gate_destroy(struct koa_http_gate *gate)
{
    if (gate == NULL)
        return;
    while (!koa_list_is_empty(&gate->visitors))
        dismiss(KOA_CONTAINER_OF(gate->visitors.next, struct visitor, node));
    (void) close(gate->epoll);
    koa_buf_deinit(&gate->bytes);
    koa_free(gate);
}

/* Settings may change at any time, and a generation may begin to drain: it would end with those it
 * has never seen. */
static void keep_up(struct koa_http_gate *gate)
{
    struct koa_http_server *server = gate->server;
    const struct koa_http_settings *settings;

    (void) pthread_mutex_lock(&server->mutex);
    settings = &server->policy->settings;
    gate->head_limit = (size_t) settings->header_bytes + KOA_HTTP_TARGET_SIZE;
    gate->memory_limit = koa_http_connection_memory(settings) - ANSWER_MEMORY;
    gate->timeout_ms = settings->header_timeout_ms;
    KOA_LIST_FOREACH (node, &gate->visitors)
        koa_http_connection_rehome_locked(KOA_CONTAINER_OF(node, struct visitor, node)->connection);
    (void) pthread_mutex_unlock(&server->mutex);
}

static void watch(struct koa_http_gate *gate, struct visitor *visitor)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = visitor};

    if (visitor->is_watched)
        return;
    visitor->is_watched = true;
    if (epoll_ctl(gate->epoll, EPOLL_CTL_ADD, visitor->connection->descriptor, &event) != 0)
        dismiss(visitor);
}

static void pass(struct koa_http_gate *gate, struct visitor *visitor)
{
    struct koa_http_connection *connection = visitor->connection;

    if (visitor->is_watched)
        (void) epoll_ctl(gate->epoll, EPOLL_CTL_DEL, connection->descriptor, NULL);
    koa_list_remove(&visitor->node);
    /* Closes the descriptor when it fails, before it has told anybody of the connection. */
    if (MHD_add_connection(connection->generation->daemon, connection->descriptor,
                           (const struct sockaddr *) &visitor->address,
                           visitor->address_size) != MHD_YES)
        koa_http_connection_drop(connection);
    koa_free(visitor);
}

/* False when the client has gone. */
static bool discard_input(int descriptor)
{
    ssize_t count = 1;

    for (int i = 0; i < DISCARDS_A_TURN && count > 0; i++)
        count = recv(descriptor, NULL, DISCARD_SIZE, MSG_TRUNC | MSG_DONTWAIT);
    return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
}

enum { DATE_SIZE = 96 }; /* for the widest numbers that the compiler can think of */

/* RFC 9110 5.6.7 */
static const char *format_date(struct koa_wall now, char text[DATE_SIZE])
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t) (now.ms / 1000);
    struct tm tm = {0};

    (void) gmtime_r(&seconds, &tm);
    (void) snprintf(text, DATE_SIZE, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday],
                    tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                    tm.tm_sec);
    return text;
}

static void write_answer(const struct koa_http_server *server,
                         const struct koa_http_response *response, bool has_body,
                         struct koa_buf *bytes)
{
    char date[DATE_SIZE];

    koa_buf_printf(bytes,
                   "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: %s\r\nCache-Control: no-store\r\n"
                   "X-Content-Type-Options: nosniff\r\nConnection: close\r\n"
                   "Content-Length: %zu\r\n\r\n",
                   response->status, MHD_get_reason_phrase_for((unsigned) response->status),
                   format_date(server->opts.wall(), date), response->content_type,
                   response->body.size);
    if (has_body)
        koa_buf_append(bytes, response->body.data, response->body.size);
}

static void refuse(struct koa_http_gate *gate, struct visitor *visitor, enum koa_http_fault fault,
                   const char *method)
{
    struct koa_http_server *server = gate->server;
    struct koa_http_connection *connection = visitor->connection;
    struct koa_http_request *request = &connection->request;
    struct koa_http_response response;
    struct koa_buf bytes = {.limit = ANSWER_LIMIT};

    koa_http_refuse(server, fault, &response);
    koa_http_response_complete(server, &response);
    request->method = koa_http_method_parse(method);
    request->method_name = koa_http_method_name(request->method);
    request->status = response.status;
    write_answer(server, &response, request->method != KOA_HTTP_HEAD, &bytes);
    koa_http_telemetry_request(server->telemetry, request, 0);
    /* The first bytes of a connection always find room. */
    (void) send(connection->descriptor, koa_buf_text(&bytes), bytes.size,
                MSG_NOSIGNAL | MSG_DONTWAIT);
    (void) shutdown(connection->descriptor, SHUT_WR);
    koa_buf_deinit(&bytes);
    koa_http_response_deinit(&response);
    visitor->lingers = true;
    visitor->since = server->opts.mono();
    if (discard_input(connection->descriptor)) {
        watch(gate, visitor);
    } else {
        dismiss(visitor);
    }
}

/* The head is whole. */
static void judge(struct koa_http_gate *gate, struct visitor *visitor, char *head, size_t size)
{
    struct koa_http_preview preview;
    enum koa_http_fault fault = koa_http_preview(head, size, gate->scratch, &preview);

    if (fault == KOA_HTTP_FAULT_NONE && preview.memory > gate->memory_limit)
        fault = KOA_HTTP_FAULT_SIZE;
    if (fault == KOA_HTTP_FAULT_NONE) {
        pass(gate, visitor);
    } else {
        refuse(gate, visitor, fault, preview.method);
    }
}

static void look(struct koa_http_gate *gate, struct visitor *visitor, bool is_all)
{
    struct koa_str bytes = {0};
    ssize_t count;
    size_t size;

    koa_buf_clear(&gate->bytes);
    gate->bytes.limit = gate->head_limit + 2;
    bytes.data = koa_buf_reserve(&gate->bytes, gate->head_limit + 1);
    if (bytes.data == NULL) {
        koa_http_telemetry_rejected(gate->server->telemetry, "memory");
        dismiss(visitor);
        return;
    }
    count = recv(visitor->connection->descriptor, gate->bytes.data, gate->head_limit + 1,
                 MSG_PEEK | MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        watch(gate, visitor);
        return;
    }
    if (count <= 0) {
        dismiss(visitor);
        return;
    }
    bytes.size = (size_t) count;
    size = koa_http_head_size(bytes, visitor->seen);
    visitor->seen = bytes.size;
    if (size > 0) {
        judge(gate, visitor, gate->bytes.data, size);
    } else if (bytes.size > gate->head_limit) {
        refuse(gate, visitor, koa_http_fault_of_overlong(bytes), "");
    } else if (is_all) {
        dismiss(visitor);
    } else {
        watch(gate, visitor);
    }
}

void koa_http_gate_enter(struct koa_http_gate *gate, struct koa_http_connection *connection,
                         const struct sockaddr_storage *address, socklen_t size)
{
    struct visitor *visitor = koa_calloc(1, sizeof(*visitor));
    int descriptor = connection->descriptor;

    if (visitor == NULL) {
        koa_http_telemetry_rejected(gate->server->telemetry, "memory");
        koa_http_connection_drop(connection);
        (void) close(descriptor);
        return;
    }
    visitor->connection = connection;
    visitor->address = *address;
    visitor->address_size = size;
    visitor->since = gate->server->opts.mono();
    koa_list_push_back(&gate->visitors, &visitor->node);
    keep_up(gate);
    if (connection->generation->certificate != NULL) {
        pass(gate, visitor);
    } else {
        look(gate, visitor, false);
    }
}

static void sweep(struct koa_http_gate *gate, struct koa_mono now)
{
    struct koa_list_node *next;

    for (struct koa_list_node *node = gate->visitors.next; node != &gate->visitors; node = next) {
        struct visitor *visitor = KOA_CONTAINER_OF(node, struct visitor, node);
        int64_t age_ms = koa_mono_diff_ms(now, visitor->since);

        next = node->next;
        if (age_ms < (visitor->lingers ? LINGER_MS : gate->timeout_ms))
            continue;
        if (!visitor->lingers) {
            koa_http_telemetry_rejected(gate->server->telemetry, "header_timeout");
            koa_log_debug(gate->server->opts.log, "http.cut",
                          "connection of %s closed: header_timeout", visitor->connection->peer);
        }
        dismiss(visitor);
    }
}

void koa_http_gate_turn(struct koa_http_gate *gate, struct koa_mono now)
{
    struct epoll_event events[EVENTS_A_TURN];
    int count;

    keep_up(gate);
    count = epoll_wait(gate->epoll, events, EVENTS_A_TURN, 0);
    for (int i = 0; i < count; i++) {
        struct visitor *visitor = events[i].data.ptr;

        if (!visitor->lingers) {
            look(gate, visitor, (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
        } else if (!discard_input(visitor->connection->descriptor)) {
            dismiss(visitor);
        }
    }
    sweep(gate, now);
}
