/* Cuts the byte stream into frames and answers them in order, as a broker does: one at a time. */
#include "sim/session.h"

#include "base/buf.h"
#include "base/memory.h"
#include "kafka/frame.h"
#include "loop/clock.h"

enum {
    FRAME_LIMIT = 16 << 20,  /* of a request: 100,000 partitions are about 2 MB */
    ANSWER_LIMIT = 64 << 20, /* Metadata of 200,000 partitions is about 12 MB */
    ARENA_LIMIT = 256 << 20,
};

struct session {
    struct koa_list_node node;
    struct koa_sim_broker *broker;
    struct koa_stream *stream;
    struct koa_kafka_framer framer;
};

static void close_session(struct session *session)
{
    koa_list_remove(&session->node);
    koa_stream_destroy(session->stream);
    koa_kafka_framer_deinit(&session->framer);
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
    if (err != KOA_OK) {
        koa_log_info(session->broker->log, "session.close",
                     "broker %d, client %s: %s; closing the connection", session->broker->id,
                     koa_stream_peer(session->stream), error.text);
    }
    return err == KOA_OK;
}

/* False: the connection is of no use any more. */
static bool answer_frames(struct session *session)
{
    struct koa_str frame;
    struct koa_error error;

    for (;;) {
        if (koa_kafka_framer_next(&session->framer, &frame, &error) != KOA_OK) {
            koa_log_info(session->broker->log, "session.close", "broker %d, client %s: %s",
                         session->broker->id, koa_stream_peer(session->stream), error.text);
            return false;
        }
        if (frame.data == NULL)
            return true;
        if (!answer_frame(session, frame))
            return false;
    }
}

/* The stream may bring more at a time than the framer takes. */
static void on_received(void *context, struct koa_str bytes)
{
    struct session *session = context;
    bool goes_on = true;

    while (bytes.size > 0 && goes_on) {
        size_t size = bytes.size < KOA_KAFKA_FEED_LIMIT ? bytes.size : KOA_KAFKA_FEED_LIMIT;

        goes_on = koa_kafka_framer_feed(&session->framer, (struct koa_str){bytes.data, size},
                                        NULL) == KOA_OK &&
                  answer_frames(session);
        bytes.data += size;
        bytes.size -= size;
    }
    if (!goes_on)
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
    session->framer.limit = FRAME_LIMIT;
    koa_list_push_back(&broker->sessions, &session->node);
    koa_stream_serve(stream, &events, session);
}

void koa_sim_sessions_close(struct koa_sim_broker *broker)
{
    struct koa_list_node *node;

    while ((node = koa_list_pop_front(&broker->sessions)) != NULL)
        close_session(KOA_CONTAINER_OF(node, struct session, node));
}
