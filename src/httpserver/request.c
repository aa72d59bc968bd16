/* One request from its first line to the end of its answer: filter, route, guard, login, body,
 * handler. Each of these may end it with an answer; two of them may suspend it. */
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "httpserver/internal.h"

/* Memory that a connection keeps from one request to the next. */
enum { KEPT_BODY_SIZE = 16 << 10 };

static struct koa_http_server *server_of(const struct koa_http_request *request)
{
    return request->connection->server;
}

void koa_http_request_deinit(struct koa_http_request *request)
{
    koa_buf_deinit(&request->raw_target);
    koa_buf_deinit(&request->memory);
    koa_buf_deinit(&request->body);
}

static const struct koa_http_settings *settings_of(const struct koa_http_request *request)
{
    return &request->connection->generation->policy->settings;
}

static void reset(struct koa_http_request *request)
{
    request->stage = KOA_HTTP_STAGE_HEAD;
    request->is_target_long = false;
    request->target.path = "";
    request->target.segment_count = 0;
    request->target.query_count = 0;
    request->match.route = NULL;
    request->match.pattern = NULL;
    request->match.segment_count = 0;
    request->method_name = "other";
    request->method = 0;
    request->scopes = 0;
    request->token = NULL;
    request->status = 0;
    request->is_verdict = false;
    request->raw_target.limit = KOA_HTTP_TARGET_SIZE;
    request->memory.limit = KOA_HTTP_TARGET_MEMORY(KOA_HTTP_TARGET_SIZE);
    request->body.limit = (size_t) settings_of(request)->body_bytes;
    koa_buf_clear(&request->raw_target);
    koa_buf_clear(&request->body);
}

/* The library's URI log callback: the target as it was sent, before it is cut up. */
void *koa_http_request_begin(void *context, const char *uri, struct MHD_Connection *handle)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct koa_http_connection *connection = info != NULL ? info->socket_context : NULL;
    struct koa_http_server *server = context;
    struct koa_http_request *request;
    size_t size = uri != NULL ? strlen(uri) : 0;

    if (connection == NULL)
        return NULL;
    request = &connection->request;
    koa_http_connection_set_phase(connection, KOA_HTTP_PHASE_HEAD);
    reset(request);
    request->started_ns = server->opts.ticks_ns();
    request->is_target_long = size > KOA_HTTP_TARGET_SIZE;
    if (!request->is_target_long)
        koa_buf_append(&request->raw_target, uri, size);
    request->target_end = uri != NULL ? uri + size : NULL;
    return request;
}

/* Where the parser's walk over the head stands. */
struct walk {
    struct koa_http_head *head;
    const char *end; /* of the last piece seen */
    bool checks_layout;
    int64_t size;
};

static enum MHD_Result visit_field(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    struct walk *walk = context;
    struct koa_str name_view = koa_str_from(name);
    struct koa_str value_view = koa_str_from(value != NULL ? value : "");

    (void) kind;
    if (walk->checks_layout) {
        if (!koa_http_gap_is_line_end(walk->end, name) || value == NULL) {
            walk->head->fault = KOA_HTTP_FAULT_LAYOUT;
            return MHD_NO;
        }
        walk->end = value + value_view.size;
    }
    walk->size += (int64_t) (name_view.size + value_view.size + 4);
    return koa_http_head_field(walk->head, name_view, value_view) ? MHD_YES : MHD_NO;
}

/* libmicrohttpd 0.9 cuts the head up where it lies, writing a NUL over each separator. So the
 * pieces must follow one another with nothing but a line end between them; a value that was folded
 * was moved elsewhere, and one with a NUL inside leaves its rest in the gap. From 1.0 on the
 * library, told to be strict, refuses both by itself and lays the head out differently. (Strictness
 * of 0.9 adds only a refusal of blanks in the target, without an answer.) */
bool koa_http_is_layout_known(void)
{
    return strncmp(MHD_get_version(), "0.9.", 4) == 0;
}

/* Behind the last piece there are two line ends, the second one of the empty line, and nothing. */
static bool ends_well(const struct koa_http_request *request, const char *method, const char *end)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        request->connection->handle, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    const char *stop = info != NULL ? method + info->header_size : end;

    return stop >= end + 2 && stop <= end + 4 &&
           memcmp(end, "\0\0\0\0", (size_t) (stop - end)) == 0;
}

static enum koa_http_fault filter_fields(struct koa_http_request *request, const char *method,
                                         const char *version)
{
    struct walk walk = {.head = &request->head,
                        .end = version + strlen(version),
                        .checks_layout = koa_http_is_layout_known()};

    koa_http_head_begin(&request->head);
    if (walk.checks_layout && (request->target_end == NULL || version != request->target_end + 1))
        return KOA_HTTP_FAULT_LAYOUT; /* a NUL in the target */
    (void) MHD_get_connection_values(request->connection->handle, MHD_HEADER_KIND, visit_field,
                                     &walk);
    if (request->head.fault == KOA_HTTP_FAULT_NONE && walk.checks_layout &&
        !ends_well(request, method, walk.end))
        request->head.fault = KOA_HTTP_FAULT_LAYOUT;
    if (request->head.fault == KOA_HTTP_FAULT_NONE &&
        walk.size > settings_of(request)->header_bytes)
        request->head.fault = KOA_HTTP_FAULT_SIZE;
    return koa_http_head_end(&request->head, method, version);
}

static enum koa_http_fault filter_target(struct koa_http_request *request)
{
    struct koa_str raw = {.data = koa_buf_text(&request->raw_target),
                          .size = request->raw_target.size};
    char *memory;

    if (request->is_target_long)
        return KOA_HTTP_FAULT_TARGET_SIZE;
    koa_buf_clear(&request->memory);
    memory = koa_buf_reserve(&request->memory, KOA_HTTP_TARGET_MEMORY(raw.size));
    if (memory == NULL)
        return KOA_HTTP_FAULT_TARGET_SIZE;
    return koa_http_fault_of_target(koa_http_target_parse(raw, memory, &request->target));
}

void koa_http_refuse(struct koa_http_server *server, enum koa_http_fault fault,
                     struct koa_http_response *response)
{
    const struct koa_http_fault_info *info = koa_http_fault_find(fault);
    static const struct {
        int status;
        const char *error;
    } errors[] = {
        {400, "Bad request"},     {411, "Length required"},   {413, "Body too large"},
        {414, "Target too long"}, {431, "Headers too large"}, {505, "Version not supported"},
    };
    const char *error = errors[0].error;

    for (size_t i = 0; i < KOA_ARRAY_COUNT(errors); i++) {
        if (errors[i].status == info->status)
            error = errors[i].error;
    }
    koa_http_response_init(response);
    koa_http_fail(response, info->status, error, "%s", info->text);
    response->closes = true; /* what follows on this connection is not to be trusted */
    koa_http_telemetry_rejected(server->telemetry, info->reason);
}

static enum MHD_Result reject(struct koa_http_request *request, enum koa_http_fault fault)
{
    struct koa_http_response response;

    koa_http_refuse(server_of(request), fault, &response);
    return koa_http_answer(request, &response);
}

/* Browsers let any page send a POST here; nobody else sends these headers. Without credentials
 * only this machine may change anything, and a page that reached us under a foreign name (DNS
 * rebinding) is not this machine. */
static const char *guard_changes(const struct koa_http_request *request)
{
    const struct koa_http_head *head = &request->head;
    bool has_logins = koa_http_has_logins(request);

    if (head->fetch_site != NULL && strcasecmp(head->fetch_site, "cross-site") == 0)
        return "changes are not taken from another site's page";
    if (head->origin != NULL && !koa_http_origin_is_host(head->origin, head->host))
        return "changes are not taken from another origin";
    if (has_logins)
        return NULL;
    if (!request->connection->is_loopback)
        return "without configured credentials changes are taken from this machine only";
    if (head->origin != NULL && (head->host == NULL || !koa_http_host_is_loopback(head->host)))
        return "without configured credentials changes are taken under a loopback name only";
    return NULL;
}

static enum MHD_Result fail(struct koa_http_request *request, int status, const char *error,
                            const char *message)
{
    struct koa_http_response response;

    koa_http_response_init(&response);
    koa_http_fail(&response, status, error, "%s", message);
    return koa_http_answer(request, &response);
}

static enum MHD_Result answer_no_route(struct koa_http_request *request)
{
    struct koa_http_response response;
    char allow[KOA_HTTP_ALLOW_SIZE];

    koa_http_response_init(&response);
    if (request->match.pattern == NULL) {
        koa_http_fail(&response, 404, "Endpoint not found", "no endpoint has the path '%s'",
                      request->target.path);
    } else {
        koa_http_allow_format(request->match.allowed, allow);
        koa_http_fail(&response, 405, "Method not allowed", "'%s' answers %s", request->target.path,
                      allow);
        (void) koa_http_response_header(&response, "Allow", allow);
    }
    return koa_http_answer(request, &response);
}

static enum MHD_Result handle(struct koa_http_request *request)
{
    struct koa_http_response response;
    enum MHD_Result result;

    koa_http_connection_set_phase(request->connection, KOA_HTTP_PHASE_BUSY);
    koa_http_response_init(&response);
    request->match.route->handle(server_of(request)->opts.context, request, &response);
    if (!response.suspended)
        return koa_http_answer(request, &response);
    request->stage = KOA_HTTP_STAGE_WAITS;
    result = MHD_YES;
    koa_http_response_deinit(&response);
    return result;
}

/* After the filter, the route and the login. */
static enum MHD_Result admitted(struct koa_http_request *request)
{
    const char *denial = NULL;

    if (request->match.route == NULL)
        return answer_no_route(request);
    if (request->match.route->changes)
        denial = guard_changes(request);
    if (denial != NULL)
        return fail(request, 403, "Forbidden", denial);
    if (request->head.content_length > settings_of(request)->body_bytes)
        return reject(request, KOA_HTTP_FAULT_BODY_SIZE);
    if (request->head.content_length <= 0)
        return handle(request);
    request->stage = KOA_HTTP_STAGE_BODY;
    koa_http_connection_set_phase(request->connection, KOA_HTTP_PHASE_BODY);
    return MHD_YES;
}

static enum MHD_Result log_in(struct koa_http_request *request)
{
    struct koa_http_response response;

    koa_http_response_init(&response);
    switch (koa_http_authorize(request, &response)) {
    case KOA_HTTP_LOGIN_GRANTED:
        return admitted(request);
    case KOA_HTTP_LOGIN_WAITS:
        request->stage = KOA_HTTP_STAGE_LOGIN;
        koa_http_connection_set_phase(request->connection, KOA_HTTP_PHASE_BUSY);
        return MHD_YES;
    case KOA_HTTP_LOGIN_REFUSED:
        break;
    }
    return koa_http_answer(request, &response);
}

static enum MHD_Result step_head(struct koa_http_request *request, const char *method,
                                 const char *version)
{
    enum koa_http_fault fault = filter_fields(request, method, version);

    request->method = koa_http_method_parse(method);
    request->method_name = koa_http_method_name(request->method);
    if (fault == KOA_HTTP_FAULT_NONE)
        fault = filter_target(request);
    if (fault != KOA_HTTP_FAULT_NONE)
        return reject(request, fault);
    koa_http_router_find(server_of(request)->router, &request->target, request->method,
                         &request->match);
    /* A body is not read before its sender may send one. Without a body the answer has to wait for
     * the library's next call: after one that comes in the first call it ends the connection. */
    if (request->head.content_length > 0)
        return log_in(request);
    request->stage = KOA_HTTP_STAGE_WHOLE;
    return MHD_YES;
}

static enum MHD_Result step_body(struct koa_http_request *request, const char *data, size_t *size)
{
    if (*size == 0)
        return handle(request);
    koa_buf_append(&request->body, data, *size);
    *size = 0;
    /* The length was checked against the limit, so only memory can have run out. */
    return request->body.failed ? MHD_NO : MHD_YES;
}

/* Resumed: a login gives way to the rest, anything else is the answer. */
static enum MHD_Result step_resumed(struct koa_http_request *request)
{
    bool was_login = request->stage == KOA_HTTP_STAGE_LOGIN;
    struct koa_http_response response;

    koa_http_token_take(request, &response);
    if (was_login && response.status == 0) {
        koa_http_response_deinit(&response);
        return admitted(request);
    }
    return koa_http_answer(request, &response);
}

/* NOLINTNEXTLINE(readability-function-size): the library dictates the parameters */
enum MHD_Result koa_http_request_step(void *server, struct MHD_Connection *handle_, const char *url,
                                      const char *method, const char *version,
                                      const char *upload_data, size_t *upload_size, void **context)
{
    struct koa_http_request *request = *context;

    (void) server;
    (void) handle_;
    (void) url;
    if (request == NULL)
        return MHD_NO;
    switch (request->stage) {
    case KOA_HTTP_STAGE_HEAD:
        return step_head(request, method, version);
    case KOA_HTTP_STAGE_WHOLE:
        return log_in(request);
    case KOA_HTTP_STAGE_BODY:
        return step_body(request, upload_data, upload_size);
    case KOA_HTTP_STAGE_LOGIN:
    case KOA_HTTP_STAGE_WAITS:
        return step_resumed(request);
    case KOA_HTTP_STAGE_ANSWERED:
        break;
    }
    *upload_size = 0;
    return MHD_YES;
}

void koa_http_request_end(void *context, struct MHD_Connection *handle_, void **request_context,
                          enum MHD_RequestTerminationCode code)
{
    struct koa_http_server *server = context;
    struct koa_http_request *request = *request_context;
    const union MHD_ConnectionInfo *info;
    struct koa_http_response unused;

    *request_context = NULL;
    if (request == NULL)
        return;
    koa_http_uncork(request);
    /* Resumed, but the client had gone: the library did not ask for the answer any more. */
    if (request->token != NULL) {
        koa_http_token_take(request, &unused);
        koa_http_response_deinit(&unused);
    }
    if (request->status == 0) {
        info = MHD_get_connection_info(handle_, MHD_CONNECTION_INFO_HTTP_STATUS);
        request->status = info != NULL ? (int) info->http_status : 0;
        if (request->status >= 400)
            koa_http_telemetry_rejected(server->telemetry, "malformed");
    }
    if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
        koa_http_connection_set_phase(request->connection, KOA_HTTP_PHASE_IDLE);
    if (request->status != 0) {
        koa_http_telemetry_request(server->telemetry, request,
                                   server->opts.ticks_ns() - request->started_ns);
    }
    if (request->body.capacity > KEPT_BODY_SIZE)
        koa_buf_deinit(&request->body);
}

enum koa_http_method koa_http_request_method(const struct koa_http_request *request)
{
    return (enum koa_http_method) request->method;
}

const char *koa_http_request_path(const struct koa_http_request *request)
{
    return request->target.path;
}

const char *koa_http_request_header(const struct koa_http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection->handle, MHD_HEADER_KIND, name);
}

const char *koa_http_request_query(const struct koa_http_request *request, const char *name)
{
    return koa_http_target_find(&request->target, name);
}

const char *koa_http_request_query_name(const struct koa_http_request *request, size_t index)
{
    return index < request->target.query_count ? request->target.query[index].name : NULL;
}

const char *koa_http_request_segment(const struct koa_http_request *request, size_t index)
{
    return index < request->match.segment_count ? request->match.segments[index] : "";
}

struct koa_str koa_http_request_body(const struct koa_http_request *request)
{
    return (struct koa_str){.data = koa_buf_text(&request->body), .size = request->body.size};
}

unsigned koa_http_request_scopes(const struct koa_http_request *request)
{
    return request->scopes;
}

const char *koa_http_request_peer(const struct koa_http_request *request)
{
    return request->connection->peer;
}
