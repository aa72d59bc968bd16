/* From our response to the library's: common headers, bodies without a copy, streams in chunks. */
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "httpserver/internal.h"

/* What the library holds of a stream until the answer is sent or the client has gone. */
struct stream {
    const struct koa_http_request *request;
    bool is_under_way; /* the first block is sent */
    koa_http_read_fn *read;
    void (*end)(void *context);
    void *context;
};

/* The library cuts a block to what its connection memory holds. */
enum { STREAM_BLOCK_SIZE = 32 << 10 };

/* While it is on, the kernel waits for more and sends large segments: the head goes with the first
 * block, the end with the last. An advice: a failure costs some speed. */
static void set_cork(const struct koa_http_request *request, bool on)
{
    int value = on ? 1 : 0;

    (void) setsockopt(request->connection->descriptor, IPPROTO_TCP, TCP_CORK, &value,
                      sizeof(value));
}

void koa_http_uncork(struct koa_http_request *request)
{
    if (request->is_corked)
        set_cork(request, false);
    request->is_corked = false;
}

static ssize_t read_stream(void *context, uint64_t position, char *target, size_t size)
{
    struct stream *stream = context;
    int64_t count;

    if (atomic_load_explicit(&stream->request->connection->server->refuses, memory_order_relaxed))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    count = stream->read(stream->context, target, size);
    if (count < 0 || (uint64_t) count > size)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    /* The library undoes it once on a new connection, after the first block. */
    if (position > 0 && !stream->is_under_way) {
        set_cork(stream->request, true);
        stream->is_under_way = true;
    }
    return count == 0 ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t) count;
}

static void end_stream(void *context)
{
    struct stream *stream = context;

    if (stream->end != NULL)
        stream->end(stream->context);
    koa_free(stream);
}

static void unref_object(void *object)
{
    koa_object_unref(object);
}

static struct MHD_Response *from_stream(const struct koa_http_request *request,
                                        struct koa_http_response *response)
{
    struct stream *stream = koa_calloc(1, sizeof(*stream));
    struct MHD_Response *made;

    if (stream == NULL)
        return NULL;
    stream->request = request;
    stream->read = response->read;
    stream->end = response->end;
    stream->context = response->stream;
    made = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_SIZE, read_stream,
                                             stream, end_stream);
    if (made == NULL) {
        koa_free(stream);
        return NULL;
    }
    /* For HEAD libmicrohttpd 0.9.75 sends the last chunk of a stream, which the client takes for
     * the start of the next answer; without chunks it sends nothing and ends the connection. */
    if (request->method == KOA_HTTP_HEAD)
        (void) MHD_set_response_options(made, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    response->read = NULL;
    response->end = NULL;
    response->stream = NULL;
    return made;
}

static struct MHD_Response *from_shared(struct koa_http_response *response)
{
    /* The library's parameter is not const; it only reads. */
    union {
        const char *data;
        void *buffer;
    } body = {.data = response->shared_body.data};
    struct MHD_Response *made = MHD_create_response_from_buffer_with_free_callback_cls(
        response->shared_body.size, body.buffer, unref_object, response->shared);

    if (made != NULL)
        response->shared = NULL;
    return made;
}

static struct MHD_Response *from_body(struct koa_http_response *response)
{
    size_t size = response->body.size;
    char *data;
    struct MHD_Response *made;

    if (size == 0)
        return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    data = koa_buf_take(&response->body);
    if (data == NULL)
        return NULL;
    made = MHD_create_response_from_buffer_with_free_callback(size, data, koa_free);
    if (made == NULL)
        koa_free(data);
    return made;
}

static bool add_headers(struct MHD_Response *made, const struct koa_http_response *response,
                        bool closes)
{
    bool ok = MHD_add_response_header(made, MHD_HTTP_HEADER_CONTENT_TYPE, response->content_type) ==
                  MHD_YES &&
              MHD_add_response_header(made, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store") == MHD_YES &&
              MHD_add_response_header(made, "X-Content-Type-Options", "nosniff") == MHD_YES;

    for (size_t i = 0; i < KOA_HTTP_RESPONSE_HEADERS && response->header_name[i] != NULL; i++) {
        ok = ok && MHD_add_response_header(made, response->header_name[i],
                                           response->header_value[i]) == MHD_YES;
    }
    if (closes)
        ok = ok && MHD_add_response_header(made, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES;
    return ok;
}

/* A failure's object lacks its time; a body that did not fit becomes an error of its own. */
void koa_http_response_complete(struct koa_http_server *server, struct koa_http_response *response)
{
    if (response->body.failed) {
        koa_http_fail(response, 500, "Internal error",
                      "the answer is larger than is allowed, or memory is out");
    }
    if (!response->is_failure)
        return;
    response->failure.buf = &response->body; /* the response may have moved since */
    koa_json_time(&response->failure, "timestamp", server->opts.wall());
    koa_json_object_end(&response->failure);
    response->is_failure = false;
}

static struct MHD_Response *make(const struct koa_http_request *request,
                                 struct koa_http_response *response)
{
    if (response->read != NULL)
        return from_stream(request, response);
    if (response->shared != NULL)
        return from_shared(response);
    return from_body(response);
}

enum MHD_Result koa_http_answer(struct koa_http_request *request,
                                struct koa_http_response *response)
{
    struct koa_http_connection *connection = request->connection;
    struct koa_http_server *server = connection->server;
    enum MHD_Result result = MHD_NO;
    bool closes;
    struct MHD_Response *made;

    koa_http_response_complete(server, response);
    if (response->read != NULL && request->method != KOA_HTTP_HEAD) {
        set_cork(request, true);
        request->is_corked = true;
    }
    made = make(request, response);
    closes = response->closes || connection->generation->drains ||
             atomic_load_explicit(&server->quiesced, memory_order_relaxed);
    if (made != NULL && add_headers(made, response, closes)) {
        request->status = response->status;
        request->is_verdict = response->is_verdict;
        result = MHD_queue_response(connection->handle, (unsigned) response->status, made);
    }
    if (made != NULL)
        MHD_destroy_response(made);
    request->stage = KOA_HTTP_STAGE_ANSWERED;
    koa_http_response_deinit(response);
    return result;
}
