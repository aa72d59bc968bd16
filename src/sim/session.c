/* Cuts the byte stream into frames and answers them in order, as a broker does: one at a time. An
 * answer may be held back for the network's time; a request that waits for news holds up those
 * behind it on its own connection, and nobody else. */
#include "sim/session.h"

#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "kafka/frame.h"
#include "loop/clock.h"

enum {
    FRAME_LIMIT = 16 << 20,  /* of a request: 100,000 partitions are about 2 MB */
    ANSWER_LIMIT = 64 << 20, /* Metadata of 200,000 partitions is about 12 MB */
    DELAYED_LIMIT = 128 << 20,
    BACKLOG_LIMIT = 1 << 20, /* one turn's worth of bytes: then the stream is paused */
    LOOK_AGAIN_MS = 5,       /* how soon a request that waits is asked again */
};

/* An answer on its way. */
struct delayed {
    struct koa_list_node node;
    struct koa_mono due;
    struct koa_buf bytes;
};

struct session {
    struct koa_list_node node;
    struct koa_sim_broker *broker;
    struct koa_stream *stream;
    struct koa_kafka_framer framer;
    struct koa_buf backlog; /* came while a request waited or the broker was frozen */
    struct koa_str held;    /* the frame that waits; NULL data: none */
    struct koa_mono held_since;
    struct koa_timer again; /* of the frame that waits */
    struct koa_list_node delayed;
    size_t delayed_bytes;
    struct koa_timer sending; /* the next answer on its way arrives */
};

static void free_delayed(struct session *session, struct delayed *delayed)
{
    session->delayed_bytes -= delayed->bytes.size;
    koa_buf_deinit(&delayed->bytes);
    koa_free(delayed);
}

static void close_session(struct session *session)
{
    struct koa_timers *timers = koa_loop_timers(session->broker->loop);
    struct koa_list_node *node;

    koa_list_remove(&session->node);
    koa_timers_disarm(timers, &session->again);
    koa_timers_disarm(timers, &session->sending);
    while ((node = koa_list_pop_front(&session->delayed)) != NULL)
        free_delayed(session, KOA_CONTAINER_OF(node, struct delayed, node));
    koa_stream_destroy(session->stream);
    koa_kafka_framer_deinit(&session->framer);
    koa_buf_deinit(&session->backlog);
    koa_free(session);
}

/* ---- sending */

static enum koa_err send_due(struct session *session, struct koa_mono now,
                             struct koa_error *reterr);

static void on_sending(struct koa_timer *timer, struct koa_mono now)
{
    struct session *session = KOA_CONTAINER_OF(timer, struct session, sending);
    struct koa_error error;

    if (send_due(session, now, &error) != KOA_OK)
        close_session(session);
}

static enum koa_err send_due(struct session *session, struct koa_mono now, struct koa_error *reterr)
{
    while (!koa_list_is_empty(&session->delayed)) {
        struct delayed *delayed = KOA_CONTAINER_OF(session->delayed.next, struct delayed, node);
        enum koa_err err;

        if (session->broker->is_frozen)
            return KOA_OK;
        if (delayed->due.ms > now.ms) {
            return koa_timers_arm(koa_loop_timers(session->broker->loop), &session->sending,
                                  delayed->due, on_sending)
                       ? KOA_OK
                       : koa_require_memory(NULL, reterr);
        }
        koa_list_remove(&delayed->node);
        err = koa_stream_write(session->stream,
                               (struct koa_str){delayed->bytes.data, delayed->bytes.size}, reterr);
        free_delayed(session, delayed);
        if (err != KOA_OK)
            return err;
    }
    return KOA_OK;
}

/* Takes the bytes of `answer`. */
static enum koa_err send_answer(struct session *session, struct koa_buf *answer,
                                struct koa_mono now, struct koa_error *reterr)
{
    const struct koa_sim_model *model = session->broker->cluster->model;
    int64_t latency_ms = model->nodes[session->broker->id - 1].latency_ms;
    struct delayed *delayed;

    if (answer->size == 0)
        return KOA_OK;
    if (latency_ms == 0 && koa_list_is_empty(&session->delayed)) {
        return koa_stream_write(session->stream, (struct koa_str){answer->data, answer->size},
                                reterr);
    }
    if (session->delayed_bytes + answer->size > DELAYED_LIMIT) {
        return koa_fail(reterr, KOA_ERR_LIMIT, "%zu bytes of answers are on their way",
                        session->delayed_bytes);
    }
    delayed = koa_calloc(1, sizeof(*delayed));
    if (delayed == NULL)
        return koa_require_memory(delayed, reterr);
    delayed->bytes = *answer;
    *answer = (struct koa_buf){.limit = answer->limit};
    delayed->due = koa_mono_add_ms(now, latency_ms);
    session->delayed_bytes += delayed->bytes.size;
    koa_list_push_back(&session->delayed, &delayed->node);
    return send_due(session, now, reterr);
}

/* ---- answering */

static void log_end(const struct session *session, const struct koa_error *error)
{
    koa_log_info(session->broker->log, "session.close",
                 "broker %d, client %s: %s; closing the connection", session->broker->id,
                 koa_stream_peer(session->stream), error->text);
}

static void on_again(struct koa_timer *timer, struct koa_mono now);

/* Waits, and takes nothing more from the peer meanwhile. */
static enum koa_err hold(struct session *session, struct koa_str frame, struct koa_mono now,
                         struct koa_error *reterr)
{
    if (session->held.data == NULL)
        session->held_since = now;
    session->held = frame;
    koa_stream_pause(session->stream, true);
    return koa_timers_arm(koa_loop_timers(session->broker->loop), &session->again,
                          koa_mono_add_ms(now, LOOK_AGAIN_MS), on_again)
               ? KOA_OK
               : koa_require_memory(NULL, reterr);
}

static enum koa_err answer_frame(struct session *session, struct koa_str frame,
                                 struct koa_error *reterr)
{
    struct koa_sim_broker *broker = session->broker;
    struct koa_buf answer = {.limit = ANSWER_LIMIT};
    bool waits = false;
    struct koa_sim_question question = {
        .cluster = broker->cluster,
        .broker = broker->id,
        .now = koa_clock_mono(),
        .wall = koa_clock_wall(),
        .arena = broker->arena,
        .ret_waits = &waits,
    };
    enum koa_err err;

    if (session->held.data != NULL) {
        question.waited_ms = koa_mono_diff_ms(question.now, session->held_since);
        /* It has waited, however little: a fault it meets once. */
        if (question.waited_ms == 0)
            question.waited_ms = 1;
    }
    err = koa_sim_answer(&question, frame, &answer, reterr);
    koa_arena_reset(broker->arena);
    if (err == KOA_OK && waits) {
        err = hold(session, frame, question.now, reterr);
    } else if (err == KOA_OK) {
        session->held = (struct koa_str){0};
        err = send_answer(session, &answer, question.now, reterr);
    }
    koa_buf_deinit(&answer);
    return err;
}

/* Answers every whole frame; stops where one waits. */
static enum koa_err answer_frames(struct session *session, struct koa_error *reterr)
{
    struct koa_str frame;
    enum koa_err err = KOA_OK;

    while (err == KOA_OK && session->held.data == NULL) {
        err = koa_kafka_framer_next(&session->framer, &frame, reterr);
        if (err == KOA_OK && frame.data == NULL)
            break;
        if (err == KOA_OK)
            err = answer_frame(session, frame, reterr);
    }
    return err;
}

/* Bytes may be more than the framer takes at a time. What cannot be looked at yet is kept. */
static enum koa_err take_bytes(struct session *session, struct koa_str bytes,
                               struct koa_error *reterr)
{
    enum koa_err err = KOA_OK;

    while (bytes.size > 0 && err == KOA_OK && session->held.data == NULL &&
           !session->broker->is_frozen) {
        size_t size = bytes.size < KOA_KAFKA_FEED_LIMIT ? bytes.size : KOA_KAFKA_FEED_LIMIT;

        err = koa_kafka_framer_feed(&session->framer, (struct koa_str){bytes.data, size}, reterr);
        if (err == KOA_OK)
            err = answer_frames(session, reterr);
        bytes.data += size;
        bytes.size -= size;
    }
    if (err == KOA_OK && bytes.size > 0) {
        koa_buf_append(&session->backlog, bytes.data, bytes.size);
        err = koa_buf_status(&session->backlog, "bytes of a client that waits", reterr);
    }
    return err;
}

/* After a wait or a thaw: what is in the framer, then what came meanwhile. */
static enum koa_err go_on(struct session *session, struct koa_error *reterr)
{
    struct koa_buf bytes = session->backlog;
    enum koa_err err = answer_frames(session, reterr);

    session->backlog = (struct koa_buf){.limit = BACKLOG_LIMIT};
    if (err == KOA_OK)
        err = take_bytes(session, (struct koa_str){bytes.data, bytes.size}, reterr);
    koa_buf_deinit(&bytes);
    koa_stream_pause(session->stream, session->held.data != NULL || session->broker->is_frozen);
    return err;
}

static void on_again(struct koa_timer *timer, struct koa_mono now)
{
    struct session *session = KOA_CONTAINER_OF(timer, struct session, again);
    struct koa_error error;
    enum koa_err err;

    (void) now;
    if (session->broker->is_frozen)
        return;
    err = answer_frame(session, session->held, &error);
    if (err == KOA_OK && session->held.data == NULL)
        err = go_on(session, &error);
    if (err != KOA_OK) {
        log_end(session, &error);
        close_session(session);
    }
}

/* ---- the stream */

static void on_received(void *context, struct koa_str bytes)
{
    struct session *session = context;
    struct koa_error error;

    if (take_bytes(session, bytes, &error) != KOA_OK) {
        log_end(session, &error);
        close_session(session);
    }
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
    session->backlog.limit = BACKLOG_LIMIT;
    koa_list_init(&session->delayed);
    koa_list_push_back(&broker->sessions, &session->node);
    koa_stream_serve(stream, &events, session);
    if (broker->is_frozen)
        koa_stream_pause(stream, true);
}

void koa_sim_sessions_close(struct koa_sim_broker *broker)
{
    while (!koa_list_is_empty(&broker->sessions))
        close_session(KOA_CONTAINER_OF(broker->sessions.next, struct session, node));
}

static enum koa_err thaw(struct session *session, struct koa_error *reterr)
{
    struct koa_mono now = koa_loop_now(session->broker->loop);
    enum koa_err err = send_due(session, now, reterr);

    if (err == KOA_OK && session->held.data != NULL)
        return hold(session, session->held, now, reterr);
    return err == KOA_OK ? go_on(session, reterr) : err;
}

void koa_sim_sessions_freeze(struct koa_sim_broker *broker, bool is_frozen)
{
    broker->is_frozen = is_frozen;
    KOA_LIST_FOREACH (node, &broker->sessions) {
        struct session *session = KOA_CONTAINER_OF(node, struct session, node);
        struct koa_error error;

        if (is_frozen) {
            koa_stream_pause(session->stream, true);
        } else if (thaw(session, &error) != KOA_OK) {
            log_end(session, &error);
            close_session(session);
        }
    }
}
