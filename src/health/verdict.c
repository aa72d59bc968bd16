/* What a check decided, made fit for publishing while it is told: texts become one bounded line of
 * well-formed UTF-8, values become JSON, and both pass through redaction. Thresholds and deadlines
 * are not known here. */
#include "health/verdict.h"

#include <stdarg.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/memory.h"
#include "base/redact.h"
#include "base/str.h"
#include "loop/clock.h"

enum {
    /* Texts are redacted before they are cut, so that no half of a secret stays. */
    RAW_TEXT_LIMIT = 1024 * 1024,
    DETAILS_COUNT_LIMIT = 256,
    /* Nesting of a host's JSON detail: leaves the writer's depth to the documents around it. */
    DETAIL_DEPTH_LIMIT = 12
};

void koa_verdict_init(struct koa_verdict *verdict, struct koa_mono deadline)
{
    memset(verdict, 0, sizeof(*verdict));
    verdict->deadline = deadline;
}

void koa_verdict_deinit(struct koa_verdict *verdict)
{
    for (size_t i = 0; i < verdict->count; i++) {
        koa_free(verdict->details[i].key);
        koa_free(verdict->details[i].json);
    }
    koa_free(verdict->details);
    verdict->details = NULL;
    verdict->count = verdict->capacity = 0;
}

/* Control characters become blanks and bytes that are no UTF-8 become question marks: the text goes
 * to logs, mails and label values as well as to JSON. */
static void make_printable(char *text)
{
    struct koa_str rest = koa_str_from(text);
    char *at = text;

    while (rest.size > 0) {
        size_t size = koa_utf8_character(rest);

        if (size == 0) {
            *at = '?';
            size = 1;
        } else if ((unsigned char) *at < 0x20 || *at == 0x7f) {
            *at = ' ';
        }
        at += size;
        rest.data += size;
        rest.size -= size;
    }
}

/* The text as the format says, redacted and printable; NULL when it is too long or memory is out.
 */
static char *format_text(const char *format, va_list args) KOA_PRINTF(1, 0);
static char *format_text(const char *format, va_list args)
{
    struct koa_buf buf = {.limit = RAW_TEXT_LIMIT};
    char *text;

    koa_buf_vprintf(&buf, format, args);
    text = buf.size > 0 ? koa_buf_take(&buf) : koa_strdup("");
    koa_buf_deinit(&buf);
    if (text == NULL)
        return NULL;
    koa_redact(text);
    make_printable(text);
    return text;
}

static void decide(struct koa_verdict *verdict, enum koa_status status, const char *format,
                   va_list args) KOA_PRINTF(3, 0);
static void decide(struct koa_verdict *verdict, enum koa_status status, const char *format,
                   va_list args)
{
    KOA_AUTOFREE char *text = format_text(format, args);

    verdict->status = status;
    verdict->is_subjectless = false;
    verdict->is_decided = true;
    (void) koa_str_copy(verdict->text, sizeof(verdict->text),
                        text != NULL ? koa_str_from(text)
                                     : KOA_STR("no memory for the text, or it is over 1 MiB"));
}

void koa_verdict_healthy(struct koa_verdict *verdict, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    decide(verdict, KOA_STATUS_HEALTHY, format, args);
    va_end(args);
}

void koa_verdict_degraded(struct koa_verdict *verdict, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    decide(verdict, KOA_STATUS_DEGRADED, format, args);
    va_end(args);
}

void koa_verdict_unhealthy(struct koa_verdict *verdict, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    decide(verdict, KOA_STATUS_UNHEALTHY, format, args);
    va_end(args);
}

void koa_verdict_unknown(struct koa_verdict *verdict, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    decide(verdict, KOA_STATUS_UNKNOWN, format, args);
    va_end(args);
}

void koa_verdict_subjectless(struct koa_verdict *verdict, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    decide(verdict, KOA_STATUS_UNKNOWN, format, args);
    va_end(args);
    verdict->is_subjectless = true;
}

void koa_verdict_append(struct koa_verdict *verdict, const char *format, ...)
{
    size_t used = strlen(verdict->text);
    KOA_AUTOFREE char *text = NULL;
    va_list args;

    va_start(args, format);
    text = format_text(format, args);
    va_end(args);
    if (text != NULL)
        (void) koa_str_copy(verdict->text + used, sizeof(verdict->text) - used, koa_str_from(text));
}

int64_t koa_verdict_remaining_ms(const struct koa_verdict *verdict)
{
    int64_t remaining_ms = koa_mono_diff_ms(verdict->deadline, koa_clock_mono());

    return remaining_ms > 0 ? remaining_ms : 0;
}

static void write_text(struct koa_json *json, const char *text)
{
    KOA_AUTOFREE char *copy = koa_strdup(text != NULL ? text : "");

    if (copy == NULL) {
        json->buf->failed = true;
        return;
    }
    koa_redact(copy);
    koa_json_text(json, NULL, copy);
}

static void write_number(struct koa_json *json, const struct koa_json_value *value)
{
    int64_t integer;
    double number;

    if (koa_json_value_int(value, &integer)) {
        koa_json_int(json, NULL, integer);
    } else if (koa_json_value_number(value, &number)) {
        koa_json_double(json, NULL, number);
    } else {
        koa_json_null(json, NULL);
    }
}

/* Writes a host's JSON again, value by value: what it holds is redacted as text, before escaping
 * hides a secret's characters, and its form is ours for certain. */
static void write_json(struct koa_json *json, const struct koa_json_value *value, int depth)
{
    bool boolean = false;

    if (depth > DETAIL_DEPTH_LIMIT) {
        koa_json_text(json, NULL, "(nested too deeply)");
        return;
    }
    switch (koa_json_value_type(value)) {
    case KOA_JSON_OBJECT:
        koa_json_object(json, NULL);
        for (const char *key = koa_json_next_key(value, NULL); key != NULL;
             key = koa_json_next_key(value, key)) {
            koa_json_key(json, koa_str_from(key));
            write_json(json, koa_json_get(value, key), depth + 1);
        }
        koa_json_object_end(json);
        break;
    case KOA_JSON_LIST:
        koa_json_list(json, NULL);
        for (size_t i = 0; i < koa_json_count(value); i++)
            write_json(json, koa_json_at(value, i), depth + 1);
        koa_json_list_end(json);
        break;
    case KOA_JSON_TEXT:
        write_text(json, koa_json_value_text(value));
        break;
    case KOA_JSON_NUMBER:
        write_number(json, value);
        break;
    case KOA_JSON_BOOL:
        (void) koa_json_value_bool(value, &boolean);
        koa_json_bool(json, NULL, boolean);
        break;
    case KOA_JSON_NULL:
        koa_json_null(json, NULL);
        break;
    }
}

static void write_json_text(struct koa_json *json, const char *text)
{
    KOA_AUTO(koa_json_value) *root = NULL;

    if (text != NULL && koa_json_parse(koa_str_from(text), &root, NULL) == KOA_OK) {
        write_json(json, root, 0);
    } else {
        write_text(json, text);
    }
}

static char *render_value(const struct koa_value *value, size_t *ret_size)
{
    struct koa_buf buf = {.limit = KOA_VERDICT_DETAILS_LIMIT};
    struct koa_json json = {.buf = &buf};
    char *text;

    switch (value->type) {
    case KOA_VALUE_TYPE_BOOL:
        koa_json_bool(&json, NULL, value->as.boolean);
        break;
    case KOA_VALUE_TYPE_INT:
        koa_json_int(&json, NULL, value->as.integer);
        break;
    case KOA_VALUE_TYPE_DOUBLE:
        koa_json_double(&json, NULL, value->as.number);
        break;
    case KOA_VALUE_TYPE_JSON:
        write_json_text(&json, value->as.text);
        break;
    case KOA_VALUE_TYPE_TEXT:
        write_text(&json, value->as.text);
        break;
    }
    *ret_size = buf.size;
    text = buf.failed ? NULL : koa_buf_take(&buf);
    koa_buf_deinit(&buf);
    return text;
}

static struct koa_verdict_detail *find_detail(struct koa_verdict *verdict, const char *key)
{
    for (size_t i = 0; i < verdict->count; i++) {
        if (strcmp(verdict->details[i].key, key) == 0)
            return &verdict->details[i];
    }
    return NULL;
}

/* Takes `key`, unless it returns NULL. */
static struct koa_verdict_detail *
adopt_detail(struct koa_verdict *verdict,
             char *key) /* NOLINT(readability-non-const-parameter): owned from here */
{
    if (verdict->count == DETAILS_COUNT_LIMIT)
        return NULL;
    if (verdict->count == verdict->capacity) {
        size_t capacity = verdict->capacity == 0 ? 8 : verdict->capacity * 2;
        struct koa_verdict_detail *grown =
            koa_realloc_array(verdict->details, capacity, sizeof(*grown));

        if (grown == NULL)
            return NULL;
        verdict->details = grown;
        verdict->capacity = capacity;
    }
    verdict->details[verdict->count] = (struct koa_verdict_detail){.key = key};
    return &verdict->details[verdict->count++];
}

void koa_verdict_detail(struct koa_verdict *verdict, const char *key, struct koa_value value)
{
    size_t size = 0;
    KOA_AUTOFREE char *name = koa_strdup(key != NULL ? key : "");
    KOA_AUTOFREE char *json = render_value(&value, &size);
    struct koa_verdict_detail *detail;
    size_t replaced;

    if (name == NULL || json == NULL) {
        verdict->dropped++;
        return;
    }
    koa_redact(name);
    detail = find_detail(verdict, name);
    replaced = detail != NULL ? detail->size : 0;
    size += strlen(name);
    if (verdict->bytes - replaced + size > KOA_VERDICT_DETAILS_LIMIT) {
        verdict->dropped++;
        return;
    }
    if (detail == NULL) {
        detail = adopt_detail(verdict, name);
        if (detail == NULL) {
            verdict->dropped++;
            return;
        }
        name = NULL;
    }
    koa_free(detail->json);
    detail->json = KOA_MOVE(json);
    detail->size = size;
    verdict->bytes += size - replaced;
}

void koa_verdict_print_details(const struct koa_verdict *verdict, struct koa_buf *buf)
{
    struct koa_json json = {.buf = buf};

    koa_json_object(&json, NULL);
    for (size_t i = 0; i < verdict->count; i++)
        koa_json_raw(&json, verdict->details[i].key, koa_str_from(verdict->details[i].json));
    if (verdict->dropped > 0)
        koa_json_int(&json, "details_dropped", (int64_t) verdict->dropped);
    koa_json_object_end(&json);
}
