/* Log lines on their way to a descriptor: formatted by the caller's thread into a bounded buffer,
 * written by a thread of its own, because a pipe may be full, a terminal stopped, a disk dead. */
#include "loop/log_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json_write.h"
#include "base/memory.h"
#include "loop/clock.h"
#include "loop/uv_loop.h"

enum {
    BUFFER_LIMIT = 128 * 1024, /* of what waits; as much again is being written */
    DROPPED_LINE_SIZE = 512,   /* room for the line that says how many were lost */
    DESTROY_WAIT_MS = 1000,
    STUCK_LOOK_MS = 100, /* how often a writer that cannot write looks whether it shall end */
};

struct koa_log_writer {
    int descriptor;
    bool is_socket;
    bool is_journal; /* understands a "<4>" before each line */
    atomic_int format;
    struct koa_limit_stats stats;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    struct koa_buf waiting;
    int64_t dropped; /* since the last line that said so */
    bool is_ending;
    bool has_ended;      /* the thread touches nothing any more */
    bool is_left_behind; /* the thread frees this */
    struct koa_mono end_by;
    pthread_t thread;

    struct koa_buf writing; /* the thread's own */
};

/* ---- formats */

/* One line stays one line, whatever it quotes. */
static void append_clean(struct koa_buf *buf, const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char byte = (unsigned char) *at;

        if (byte == '\n') {
            koa_buf_append_text(buf, "\\n");
        } else if (byte < 0x20 || byte == 0x7f) {
            koa_buf_printf(buf, "\\x%02x", (unsigned) byte);
        } else {
            koa_buf_append_char(buf, *at);
        }
    }
}

static void append_text_line(struct koa_buf *buf, const struct koa_log_line *line)
{
    char time[KOA_TIME_TEXT_SIZE];

    koa_wall_format(line->time, time);
    koa_buf_printf(buf, "%s %s %s %s: ", time, koa_log_level_name(line->level), line->component,
                   line->event);
    append_clean(buf, line->text);
}

static void append_json_line(struct koa_buf *buf, const struct koa_log_line *line)
{
    struct koa_json json = {.buf = buf};

    koa_json_object(&json, NULL);
    koa_json_time(&json, "timestamp", line->time);
    koa_json_text(&json, "level", koa_log_level_name(line->level));
    koa_json_text(&json, "component", line->component);
    koa_json_text(&json, "event", line->event);
    koa_json_text(&json, "message", line->text);
    koa_json_object_end(&json);
}

static void append_line(struct koa_log_writer *writer, struct koa_buf *buf,
                        const struct koa_log_line *line)
{
    /* RFC 5424 severities, in the order of enum koa_log_level. */
    static const int severities[KOA_LOG_LEVEL_COUNT] = {3, 4, 5, 6, 7};

    if (writer->is_journal)
        koa_buf_printf(buf, "<%d>", severities[line->level]);
    if (atomic_load_explicit(&writer->format, memory_order_relaxed) == KOA_LOG_FORMAT_JSON) {
        append_json_line(buf, line);
    } else {
        append_text_line(buf, line);
    }
    koa_buf_append_char(buf, '\n');
}

void koa_log_writer_sink(void *context, const struct koa_log_line *line)
{
    struct koa_log_writer *writer = context;
    size_t before;

    (void) pthread_mutex_lock(&writer->mutex);
    before = writer->waiting.size;
    append_line(writer, &writer->waiting, line);
    if (writer->waiting.failed) {
        writer->waiting.failed = false;
        writer->waiting.size = before;
        if (writer->waiting.data != NULL)
            writer->waiting.data[before] = '\0';
        writer->dropped++;
        (void) atomic_fetch_add(&writer->stats.dropped, 1);
    }
    atomic_store(&writer->stats.used, (int_fast64_t) writer->waiting.size);
    (void) pthread_cond_signal(&writer->changed);
    (void) pthread_mutex_unlock(&writer->mutex);
}

/* ---- the thread */

static bool must_give_up(struct koa_log_writer *writer)
{
    bool result;

    (void) pthread_mutex_lock(&writer->mutex);
    result = writer->is_ending && koa_mono_diff_ms(koa_clock_mono(), writer->end_by) >= 0;
    (void) pthread_mutex_unlock(&writer->mutex);
    return result;
}

/* The descriptor may be shared with other processes, so it is not made non-blocking: a pipe that
 * poll() calls writable takes PIPE_BUF bytes without blocking. */
static ssize_t write_some(struct koa_log_writer *writer, const char *data, size_t size)
{
    if (size > PIPE_BUF)
        size = PIPE_BUF;
    if (writer->is_socket)
        return send(writer->descriptor, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    return write(writer->descriptor, data, size);
}

/* Returns how much was written: less than `size` when the descriptor takes nothing any more, or the
 * writer must end. */
static size_t write_all(struct koa_log_writer *writer, const char *data, size_t size)
{
    size_t done = 0;

    /* poll() passes over a negative number in silence. */
    while (done < size && writer->descriptor >= 0) {
        struct pollfd waiting = {.fd = writer->descriptor, .events = POLLOUT};
        int ready = poll(&waiting, 1, STUCK_LOOK_MS);
        ssize_t written;

        if (must_give_up(writer))
            break;
        if (ready <= 0)
            continue;
        written = write_some(writer, data + done, size - done);
        if (written < 0 && errno != EAGAIN && errno != EINTR)
            break;
        done += written > 0 ? (size_t) written : 0;
    }
    return done;
}

static void write_taken(struct koa_log_writer *writer)
{
    const char *text = koa_buf_text(&writer->writing);
    size_t size = writer->writing.size;
    int64_t lost = 0;

    for (size_t at = write_all(writer, text, size); at < size; at++)
        lost += text[at] == '\n';
    (void) atomic_fetch_add(&writer->stats.dropped, lost);
    koa_buf_clear(&writer->writing);
}

static void append_dropped(struct koa_log_writer *writer, int64_t dropped)
{
    char text[96];
    struct koa_log_line line = {
        .time = koa_clock_wall(),
        .level = KOA_LOG_WARNING,
        .component = "loop",
        .event = "log.dropped",
        .text = text,
    };

    (void) snprintf(text, sizeof(text),
                    "%" PRId64 " log lines were lost because their reader did not keep up",
                    dropped);
    writer->writing.limit = BUFFER_LIMIT + DROPPED_LINE_SIZE;
    append_line(writer, &writer->writing, &line);
    writer->writing.limit = BUFFER_LIMIT;
}

/* False when there is nothing more to write and the writer shall end. */
static bool take_waiting(struct koa_log_writer *writer)
{
    struct koa_buf empty = writer->writing;
    int64_t dropped;
    bool has_more;

    (void) pthread_mutex_lock(&writer->mutex);
    while (writer->waiting.size == 0 && writer->dropped == 0 && !writer->is_ending)
        (void) pthread_cond_wait(&writer->changed, &writer->mutex);
    has_more = writer->waiting.size > 0 || writer->dropped > 0;
    writer->writing = writer->waiting;
    writer->waiting = empty;
    dropped = writer->dropped;
    writer->dropped = 0;
    atomic_store(&writer->stats.used, 0);
    (void) pthread_mutex_unlock(&writer->mutex);
    if (dropped > 0)
        append_dropped(writer, dropped);
    return has_more;
}

static void free_writer(struct koa_log_writer *writer)
{
    koa_buf_deinit(&writer->waiting);
    koa_buf_deinit(&writer->writing);
    (void) pthread_cond_destroy(&writer->changed);
    (void) pthread_mutex_destroy(&writer->mutex);
    koa_free(writer);
}

static void *run_thread(void *context)
{
    struct koa_log_writer *writer = context;
    bool is_left_behind;

    koa_thread_set_name("log");
    while (take_waiting(writer))
        write_taken(writer);
    (void) pthread_mutex_lock(&writer->mutex);
    writer->has_ended = true;
    is_left_behind = writer->is_left_behind;
    (void) pthread_cond_broadcast(&writer->changed);
    (void) pthread_mutex_unlock(&writer->mutex);
    if (is_left_behind)
        free_writer(writer);
    return NULL;
}

/* ---- life */

/* systemd names the journal's socket as "device:inode". */
static bool is_the_journal(const struct stat *status)
{
    const char *named = getenv("JOURNAL_STREAM"); /* NOLINT(concurrency-mt-unsafe): read at start */
    char actual[48];

    (void) snprintf(actual, sizeof(actual), "%ju:%ju", (uintmax_t) status->st_dev,
                    (uintmax_t) status->st_ino);
    return named != NULL && strcmp(named, actual) == 0;
}

enum koa_err koa_log_writer_create(int descriptor, enum koa_log_format format,
                                   struct koa_log_writer **ret_writer, struct koa_error *reterr)
{
    struct koa_log_writer *writer = koa_calloc(1, sizeof(*writer));
    enum koa_err err = koa_require_memory(writer, reterr);
    struct stat status = {0};
    int error;

    if (err != KOA_OK)
        return err;
    writer->descriptor = descriptor;
    /* A descriptor that is closed already takes no lines, and that is all. */
    if (fstat(descriptor, &status) == 0) {
        writer->is_socket = S_ISSOCK(status.st_mode);
        writer->is_journal = is_the_journal(&status);
    }
    koa_log_writer_set_format(writer, format);
    writer->waiting.limit = BUFFER_LIMIT;
    writer->writing.limit = BUFFER_LIMIT;
    writer->stats.name = "log_buffer_bytes";
    writer->stats.limit = BUFFER_LIMIT;
    (void) pthread_mutex_init(&writer->mutex, NULL);
    koa_condition_init(&writer->changed);
    error = koa_thread_start(&writer->thread, run_thread, writer);
    if (error != 0) {
        free_writer(writer);
        return koa_fail_errno(reterr, KOA_ERR_IO, error, "cannot start the thread of the log");
    }
    *ret_writer = writer;
    return KOA_OK;
}

void koa_log_writer_destroy(struct koa_log_writer *writer)
{
    pthread_t thread;
    struct koa_mono until;
    bool has_ended;

    if (writer == NULL)
        return;
    (void) pthread_mutex_lock(&writer->mutex);
    thread = writer->thread;
    writer->is_ending = true;
    writer->end_by = koa_mono_add_ms(koa_clock_mono(), DESTROY_WAIT_MS);
    /* A thread in poll() ends by itself shortly after; one inside write() is left behind. */
    until = koa_mono_add_ms(writer->end_by, 3 * (int64_t) STUCK_LOOK_MS);
    (void) pthread_cond_broadcast(&writer->changed);
    while (!writer->has_ended && koa_condition_wait_until(&writer->changed, &writer->mutex, until))
        continue;
    has_ended = writer->has_ended;
    writer->is_left_behind = !has_ended;
    (void) pthread_mutex_unlock(&writer->mutex);
    if (!has_ended) {
        (void) pthread_detach(thread);
        return;
    }
    (void) pthread_join(thread, NULL);
    free_writer(writer);
}

void koa_log_writer_set_format(struct koa_log_writer *writer, enum koa_log_format format)
{
    atomic_store_explicit(&writer->format, (int) format, memory_order_relaxed);
}

struct koa_limit_stats *koa_log_writer_stats(struct koa_log_writer *writer)
{
    return &writer->stats;
}
