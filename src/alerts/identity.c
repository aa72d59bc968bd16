/* Puts labels in order and computes the fingerprint from them. Two label sets with one fingerprint
 * would be one alert: at 64 bits that takes intent, and whoever can name topics gains only that two
 * of his own alerts merge. */
#include "alerts/identity.h"

#include <string.h>

#include "base/hash.h"
#include "base/str.h"

static const char alertname[] = "alertname";

/* Where `name` is among the first `count` rows, or where it belongs. */
static size_t position(const struct koa_label *rows, size_t count, const char *name,
                       bool *ret_is_there)
{
    size_t at = 0;

    while (at < count && strcmp(rows[at].name, name) < 0)
        at++;
    *ret_is_there = at < count && strcmp(rows[at].name, name) == 0;
    return at;
}

size_t koa_labels_sort(const struct koa_labels *labels,
                       struct koa_label rows[KOA_ALERT_LABELS_LIMIT], bool *cut)
{
    size_t given = labels != NULL ? labels->count : 0;
    size_t count = 0;

    for (size_t i = 0; i < given; i++) {
        const struct koa_label *label = &labels->rows[i];
        bool is_there;
        size_t at;

        if (label->name == NULL || label->value == NULL || label->value[0] == '\0')
            continue;
        at = position(rows, count, label->name, &is_there);
        if (is_there) {
            rows[at] = *label;
        } else if (count == KOA_ALERT_LABELS_LIMIT) {
            *cut = true;
        } else {
            memmove(&rows[at + 1], &rows[at], (count - at) * sizeof(*rows));
            rows[at] = *label;
            count++;
        }
    }
    return count;
}

static const char *copy_text(struct koa_arena *arena, const char *text, bool *cut)
{
    struct koa_str view = koa_str_from(text);
    char *copy;

    if (view.size <= KOA_ALERT_LABEL_BYTES)
        return koa_arena_strdup(arena, text);
    copy = koa_arena_alloc(arena, KOA_ALERT_LABEL_BYTES + 1, 1);
    if (copy != NULL)
        (void) koa_str_copy(copy, KOA_ALERT_LABEL_BYTES + 1, view);
    *cut = true;
    return copy;
}

struct koa_labels *koa_labels_copy(const struct koa_labels *labels, struct koa_arena *arena,
                                   bool *cut)
{
    struct koa_labels *copy = koa_arena_alloc(arena, 1, sizeof(*copy));
    struct koa_label *rows;

    if (copy == NULL || labels->count == 0)
        return copy;
    rows = koa_arena_alloc(arena, labels->count, sizeof(*rows));
    if (rows == NULL)
        return NULL;
    for (size_t i = 0; i < labels->count; i++) {
        rows[i].name = copy_text(arena, labels->rows[i].name, cut);
        rows[i].value = copy_text(arena, labels->rows[i].value, cut);
        if (rows[i].name == NULL || rows[i].value == NULL)
            return NULL;
    }
    copy->rows = rows;
    copy->count = labels->count;
    return copy;
}

static uint64_t add(uint64_t hash, const char *name, const char *value)
{
    static const unsigned char separator = 0xff;

    hash = koa_fnv(hash, name, strlen(name));
    hash = koa_fnv(hash, &separator, 1);
    hash = koa_fnv(hash, value, strlen(value));
    return koa_fnv(hash, &separator, 1);
}

uint64_t koa_alert_identity(const char *rule, const struct koa_labels *sorted)
{
    uint64_t hash = KOA_FNV_START;
    size_t count = sorted != NULL ? sorted->count : 0;
    bool is_named = rule == NULL || rule[0] == '\0';

    for (size_t i = 0; i < count; i++) {
        int order = strcmp(sorted->rows[i].name, alertname);

        if (!is_named && order >= 0) {
            hash = add(hash, alertname, rule);
            is_named = true;
        }
        if (order != 0)
            hash = add(hash, sorted->rows[i].name, sorted->rows[i].value);
    }
    return is_named ? hash : add(hash, alertname, rule);
}

void koa_fingerprint_format(uint64_t identity, char text[KOA_FINGERPRINT_SIZE])
{
    static const char digits[] = "0123456789abcdef";

    for (int i = 15; i >= 0; i--, identity >>= 4)
        text[i] = digits[identity & 15];
    text[KOA_FINGERPRINT_SIZE - 1] = '\0';
}

const char *koa_labels_find(const struct koa_labels *labels, const char *name)
{
    for (size_t i = 0; labels != NULL && i < labels->count; i++) {
        if (strcmp(labels->rows[i].name, name) == 0)
            return labels->rows[i].value;
    }
    return NULL;
}
