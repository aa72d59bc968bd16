/* Cuts the byte stream into frames and answers them in order, as a broker does: one at a time. */
#include "sim/session.h"

#include "base/buf.h"
#include "base/memory.h"
#include "loop/clock.h"

enum {
    LENGTH_SIZE = 4,
    FRAME_LIMIT = 16 << 20,  /* of a request: 100,000 partitions are about 2 MB */
    ANSWER_LIMIT = 64 << 20, /* Metadata of 200,000 partitions is about 12 MB */
    ARENA_LIMIT = 256 << 20,
};

struct session {
    struct koa_list_node node;
    struct koa_sim_broker *broker;
    struct koa_stream *stream;
    struct koa_buf input;
};

static void close_session(struct session *session)
{
    koa_list_remove(&session->node);
    koa_stream_destroy(session->stream);
    koa_buf_deinit(&session->input);
    koa_free(session);
}

static bool answer_frame(struct session *session, struct koa_str frame)
{
    KOA_AUTO(koa_arena) *arena = koa_arena_create(ARENA_LIMIT);
    struct koa_buf answer = {.limit = ANSWER_LIMIT};
    struct koa_error error;
    enum koa_err err = koa_require_memory(arena, &error);

    if (err == KOA_OK) {
        struct koa_sim_question question = {
            .cluster = session->broker->cluster,
            .broker = session->broker->id,
            .now = koa_clock_mono(),
            .wall = koa_clock_wall(),
            .arena = arena,
        };

        err = koa_sim_answer(&question, frame, &answer, &error);
    }
    if (err == KOA_OK)
        err = koa_stream_write(session->stream, (struct koa_str){answer.data, answer.size}, &error);
    koa_buf_deinit(&answer);
    if (err != KOA_OK)
        koa_log_info(session->broker->log, "session.close",
                     "broker %d, client %s: %s; closing the connection", session->broker->id,
                     koa_stream_peer(session->stream), error.text);
    return err == KOA_OK;
}

static size_t read_length(const char *bytes)
{
    const unsigned char *digits = (const unsigned char *) bytes;

    return (size_t) digits[0] << 24 | (size_t) digits[1] << 16 | (size_t) digits[2] << 8 |
           digits[3];
}

/* False: the connection is of no use any more. */
static bool answer_frames(struct session *session)
{
    struct koa_buf *input = &session->input;
    size_t at = 0;
    bool goes_on = true;

    while (goes_on && input->size - at >= LENGTH_SIZE) {
        size_t size = read_length(input->data + at);

        if (size > FRAME_LIMIT)
            return false;
        if (input->size - at - LENGTH_SIZE < size)
            break;
        goes_on = answer_frame(session, (struct koa_str){input->data + at + LENGTH_SIZE, size});
        at += LENGTH_SIZE + size;
    }
    koa_buf_consume(input, at);
    return goes_on && !input->failed;
}

static void on_received(void *context, struct koa_str bytes)
{
    struct session *session = context;

    koa_buf_append(&session->input, bytes.data, bytes.size);
    if (!answer_frames(session))
        close_session(session);
}

static void on_closed(void *context, const struct koa_error *error)
{
    (void) error; /* clients come and go */
    close_session(context);
}

static const struct koa_stream_events events = {.received = on_received, .closed = on_closed};

void koa_sim_session_accept(struct koa_sim_broker *broker, struct koa_stream *stream)
{
    struct session *session = koa_calloc(1, sizeof(*session));

    if (session == NULL) {
        koa_stream_destroy(stream);
        return;
    }
    session->broker = broker;
    session->stream = stream;
    session->input.limit = FRAME_LIMIT + LENGTH_SIZE + 65536;
    koa_list_push_back(&broker->sessions, &session->node);
    koa_stream_serve(stream, &events, session);
}

void koa_sim_sessions_close(struct koa_sim_broker *broker)
{
    struct koa_list_node *node;

    while ((node = koa_list_pop_front(&broker->sessions)) != NULL)
        close_session(KOA_CONTAINER_OF(node, struct session, node));
}
