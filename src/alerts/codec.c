/* Version, kind, then fixed fields and counted text, all little-endian. */
#include "alerts/codec.h"

#include <string.h>

#include "base/arena.h"
#include "base/memory.h"

enum { KIND_TRANSITION = 0, KIND_STATE = 1 };
enum { FLAG_VALUE = 1, FLAG_THRESHOLD = 2, FLAG_CLEARING = 4, FLAG_BLIND = 8, FLAGS_ALL = 15 };

/* A zeroed one with `at` and `left` set reads; after the first failure everything is zero. */
struct reader {
    const unsigned char *at;
    size_t left;
    bool failed;
    struct koa_arena *arena;
};

static void put_u64(struct koa_buf *buf, uint64_t number)
{
    unsigned char bytes[8];

    for (size_t i = 0; i < sizeof(bytes); i++, number >>= 8)
        bytes[i] = (unsigned char) (number & 0xff);
    koa_buf_append(buf, bytes, sizeof(bytes));
}

static void put_double(struct koa_buf *buf, double number)
{
    uint64_t bits;

    memcpy(&bits, &number, sizeof(bits));
    put_u64(buf, bits);
}

static void put_text(struct koa_buf *buf, const char *text)
{
    size_t size = text != NULL ? strlen(text) : 0;

    put_u64(buf, size);
    koa_buf_append(buf, text, size);
}

static void put_labels(struct koa_buf *buf, const struct koa_labels *labels)
{
    put_u64(buf, labels->count);
    for (size_t i = 0; i < labels->count; i++) {
        put_text(buf, labels->rows[i].name);
        put_text(buf, labels->rows[i].value);
    }
}

void koa_alert_encode(const struct koa_alert_phase *phase, const struct koa_alert_record *record,
                      struct koa_buf *buf)
{
    unsigned flags = (record->has_value ? FLAG_VALUE : 0) |
                     (record->has_threshold ? FLAG_THRESHOLD : 0) |
                     (phase != NULL && phase->is_clearing ? FLAG_CLEARING : 0) |
                     (phase != NULL && phase->is_blind ? FLAG_BLIND : 0);
    unsigned char head[5] = {
        KOA_ALERT_CODEC_VERSION,       phase != NULL ? KIND_STATE : KIND_TRANSITION,
        (unsigned char) flags,         (unsigned char) record->severity,
        (unsigned char) record->state,
    };

    koa_buf_append(buf, head, sizeof(head));
    if (phase != NULL) {
        put_u64(buf, (uint64_t) phase->since.ms);
        put_u64(buf, (uint64_t) phase->seen.ms);
        put_u64(buf, (uint64_t) phase->entered.ms);
    }
    put_u64(buf, record->identity);
    put_u64(buf, (uint64_t) record->number);
    put_u64(buf, (uint64_t) record->transition);
    put_u64(buf, (uint64_t) record->starts_at.ms);
    put_u64(buf, (uint64_t) record->ends_at.ms);
    put_u64(buf, (uint64_t) record->at.ms);
    put_double(buf, record->value);
    put_double(buf, record->threshold);
    put_text(buf, record->rule);
    put_text(buf, record->message);
    put_labels(buf, &record->labels);
    put_labels(buf, &record->annotations);
}

static const unsigned char *take(struct reader *reader, size_t size)
{
    const unsigned char *at = reader->at;

    if (reader->failed || size > reader->left) {
        reader->failed = true;
        return NULL;
    }
    reader->at += size;
    reader->left -= size;
    return at;
}

static uint64_t take_u64(struct reader *reader)
{
    const unsigned char *bytes = take(reader, 8);
    uint64_t number = 0;

    for (int i = 7; bytes != NULL && i >= 0; i--)
        number = number << 8 | bytes[i];
    return number;
}

/* Times far outside any calendar would overflow when they are subtracted. */
static int64_t take_ms(struct reader *reader)
{
    static const int64_t limit = INT64_C(1) << 50;
    uint64_t bits = take_u64(reader);
    int64_t ms;

    memcpy(&ms, &bits, sizeof(ms));
    if (ms > limit || ms < -limit) {
        reader->failed = true;
        return 0;
    }
    return ms;
}

static double take_double(struct reader *reader)
{
    uint64_t bits = take_u64(reader);
    double number;

    memcpy(&number, &bits, sizeof(number));
    return number;
}

static const char *take_text(struct reader *reader)
{
    uint64_t size = take_u64(reader);
    const unsigned char *bytes = take(reader, size < SIZE_MAX ? (size_t) size : SIZE_MAX);
    const char *text = NULL;

    if (bytes != NULL && memchr(bytes, '\0', (size_t) size) == NULL)
        text = koa_arena_strndup(reader->arena, (const char *) bytes, (size_t) size);
    reader->failed |= text == NULL;
    return text;
}

static void take_labels(struct reader *reader, struct koa_labels *ret_labels)
{
    uint64_t count = take_u64(reader);
    struct koa_label *rows;

    /* Each takes at least two counts. */
    if (reader->failed || count > reader->left / 16) {
        reader->failed = true;
        return;
    }
    rows = koa_arena_alloc(reader->arena, (size_t) count + 1, sizeof(*rows));
    if (rows == NULL) {
        reader->failed = true;
        return;
    }
    for (size_t i = 0; i < count && !reader->failed; i++) {
        rows[i].name = take_text(reader);
        rows[i].value = take_text(reader);
    }
    *ret_labels = (struct koa_labels){.rows = rows, .count = (size_t) count};
}

static void take_phase(struct reader *reader, unsigned flags, struct koa_alert_phase *ret_phase)
{
    ret_phase->is_clearing = (flags & FLAG_CLEARING) != 0;
    ret_phase->is_blind = (flags & FLAG_BLIND) != 0;
    ret_phase->since.ms = take_ms(reader);
    ret_phase->seen.ms = take_ms(reader);
    ret_phase->entered.ms = take_ms(reader);
}

static void take_record(struct reader *reader, unsigned flags, struct koa_alert_record *record)
{
    record->has_value = (flags & FLAG_VALUE) != 0;
    record->has_threshold = (flags & FLAG_THRESHOLD) != 0;
    record->identity = take_u64(reader);
    record->number = take_ms(reader);
    record->transition = (int32_t) (take_u64(reader) & INT32_MAX);
    record->starts_at.ms = take_ms(reader);
    record->ends_at.ms = take_ms(reader);
    record->at.ms = take_ms(reader);
    record->value = take_double(reader);
    record->threshold = take_double(reader);
    record->rule = take_text(reader);
    record->message = take_text(reader);
    take_labels(reader, &record->labels);
    take_labels(reader, &record->annotations);
    reader->failed |= record->number < 0;
}

/* Version, kind, flags, severity, state: whether they can be what this version wrote. */
static enum koa_err check_head(const unsigned char head[5], bool wants_phase,
                               struct koa_error *reterr)
{
    if (head[0] != KOA_ALERT_CODEC_VERSION) {
        return koa_fail(reterr, KOA_ERR_UNSUPPORTED, "saved alert of version %d; this is %d",
                        head[0], KOA_ALERT_CODEC_VERSION);
    }
    if (head[1] != (wants_phase ? KIND_STATE : KIND_TRANSITION) || head[2] > FLAGS_ALL ||
        head[3] >= KOA_SEVERITY_COUNT || head[4] >= KOA_ALERT_STATE_COUNT ||
        head[4] == KOA_ALERT_INACTIVE)
        return koa_fail(reterr, KOA_ERR_PARSE, "saved alert is damaged at its head");
    return KOA_OK;
}

enum koa_err koa_alert_decode(struct koa_str bytes, struct koa_alert_phase *ret_phase,
                              struct koa_alert_record **ret_record, struct koa_error *reterr)
{
    struct reader reader = {.at = (const unsigned char *) bytes.data, .left = bytes.size};
    KOA_AUTO(koa_arena) *arena = NULL;
    const unsigned char *head = NULL;
    struct koa_alert_record record = {0};
    struct koa_alert_phase phase = {0};
    struct koa_alert_record *made;
    enum koa_err err;

    if (bytes.size <= KOA_ALERT_BYTES_LIMIT)
        head = take(&reader, 5);
    if (head == NULL) {
        return koa_fail(reterr, KOA_ERR_PARSE, "saved alert of %zu bytes cannot be one",
                        bytes.size);
    }
    err = check_head(head, ret_phase != NULL, reterr);
    if (err != KOA_OK)
        return err;
    /* Text and rows of pointers: never more than this for what fits into the limit above. */
    arena = koa_arena_create((size_t) 4 * KOA_ALERT_BYTES_LIMIT);
    if (arena == NULL)
        return koa_require_memory(arena, reterr);
    reader.arena = arena;
    record.severity = (enum koa_severity) head[3];
    record.state = (enum koa_alert_state) head[4];
    phase.state = record.state;
    if (ret_phase != NULL)
        take_phase(&reader, head[2], &phase);
    take_record(&reader, head[2], &record);
    if (reader.failed || reader.left > 0)
        return koa_fail(reterr, KOA_ERR_PARSE, "saved alert is damaged near its end");
    made = koa_alert_record_create(&record);
    if (made == NULL)
        return koa_require_memory(made, reterr);
    *ret_record = made;
    if (ret_phase != NULL)
        *ret_phase = phase;
    return KOA_OK;
}
