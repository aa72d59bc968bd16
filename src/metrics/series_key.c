/* Builds and checks the keys of series. By-name calls pass here every time, so the common key (few
 * labels, plain text) is copied once into the struct's own room and nothing is allocated. */
#include "metrics/series_key.h"

#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/str.h"
#include "metrics/registry.h"

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

bool koa_label_name_valid(struct koa_str name)
{
    if (name.size == 0 || name.size > KOA_METRIC_NAME_LIMIT)
        return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
              (c >= '0' && c <= '9' && i > 0)))
            return false;
    }
    return true;
}

bool koa_metric_name_valid(const char *name)
{
    size_t i;

    if (name == NULL || name[0] == '\0')
        return false;
    for (i = 0; name[i] != '\0'; i++) {
        if (i == KOA_METRIC_NAME_LIMIT ||
            (name[i] != ':' && !koa_label_name_valid((struct koa_str){&name[i], 1}) &&
             !(i > 0 && name[i] >= '0' && name[i] <= '9')))
            return false;
    }
    return true;
}

/* Puts `rows` in order of names; leaves out labels without a value. */
static enum koa_err sort_labels(const struct koa_labels *labels,
                                const struct koa_label *sorted[KOA_METRIC_LABELS_LIMIT],
                                size_t *ret_count)
{
    size_t count = 0;

    for (size_t i = 0; labels != NULL && i < labels->count; i++) {
        const struct koa_label *label = &labels->rows[i];
        size_t at = count;

        if (label->value == NULL || label->value[0] == '\0')
            continue;
        if (label->name == NULL)
            return KOA_ERR_INVALID;
        if (count == KOA_METRIC_LABELS_LIMIT)
            return KOA_ERR_LIMIT;
        for (; at > 0 && strcmp(label->name, sorted[at - 1]->name) < 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = label;
        count++;
    }
    *ret_count = count;
    return KOA_OK;
}

/* Copies `value`, each byte that is not UTF-8 replaced. Returns the end. */
static char *copy_value(char *target, struct koa_str value)
{
    size_t at = 0;

    while (at < value.size) {
        size_t length = koa_utf8_character((struct koa_str){value.data + at, value.size - at});

        if (length > 0) {
            memcpy(target, value.data + at, length);
            target += length;
            at += length;
        } else {
            memcpy(target, replacement, sizeof(replacement) - 1);
            target += sizeof(replacement) - 1;
            at++;
        }
    }
    return target;
}

/* The part of `value` that is kept: cut at the limit, not inside a character. */
static struct koa_str cut_value(const char *value)
{
    size_t size = strnlen(value, KOA_LABEL_VALUE_LIMIT + 1);

    if (size > KOA_LABEL_VALUE_LIMIT) {
        size = KOA_LABEL_VALUE_LIMIT;
        for (int back = 0; back < 3 && ((unsigned char) value[size] & 0xc0) == 0x80; back++)
            size--;
    }
    return (struct koa_str){value, size};
}

static bool is_plain(struct koa_str value)
{
    unsigned char bits = 0;

    for (size_t i = 0; i < value.size; i++)
        bits |= (unsigned char) value.data[i];
    return bits < 0x80;
}

static bool make_room(struct koa_series_key *key, size_t size)
{
    key->data = key->room;
    if (size > sizeof(key->room))
        key->data = koa_calloc(size, 1);
    return key->data != NULL;
}

enum koa_err koa_series_key_init(struct koa_series_key *key, const char *name,
                                 const struct koa_labels *labels)
{
    const struct koa_label *sorted[KOA_METRIC_LABELS_LIMIT];
    struct koa_str values[KOA_METRIC_LABELS_LIMIT];
    size_t count = 0;
    size_t size;
    char *end;
    enum koa_err err;

    key->data = NULL;
    err = sort_labels(labels, sorted, &count);
    if (err != KOA_OK)
        return err;
    key->name_size = strnlen(name, KOA_METRIC_NAME_LIMIT + 1);
    key->label_count = count;
    size = key->name_size + 1;
    for (size_t i = 0; i < count; i++) {
        values[i] = cut_value(sorted[i]->value);
        size += strnlen(sorted[i]->name, KOA_METRIC_NAME_LIMIT + 1) + 2 +
                values[i].size * (is_plain(values[i]) ? 1 : 3);
    }
    if (!make_room(key, size))
        return KOA_ERR_NOMEM;
    memcpy(key->data, name, key->name_size);
    end = key->data + key->name_size;
    *end++ = '\0';
    for (size_t i = 0; i < count; i++) {
        size_t name_size = strnlen(sorted[i]->name, KOA_METRIC_NAME_LIMIT + 1);

        memcpy(end, sorted[i]->name, name_size);
        end += name_size;
        *end++ = '\0';
        end = copy_value(end, values[i]);
        *end++ = '\0';
    }
    key->size = (size_t) (end - key->data);
    return KOA_OK;
}

void koa_series_key_deinit(struct koa_series_key *key)
{
    if (key->data != key->room)
        koa_free(key->data);
    key->data = NULL;
}

uint64_t koa_series_key_hash(const struct koa_series_key *key)
{
    return koa_hash(key->data, key->size);
}

bool koa_series_key_labels_valid(const struct koa_series_key *key, bool has_buckets)
{
    const char *previous = "";
    const char *at = key->data + key->name_size + 1;

    for (size_t i = 0; i < key->label_count; i++) {
        size_t size = strlen(at);

        if (!koa_label_name_valid((struct koa_str){at, size}) || strncmp(at, "__", 2) == 0 ||
            strcmp(at, previous) == 0 || (has_buckets && strcmp(at, "le") == 0))
            return false;
        previous = at;
        at += size + 1;
        at += strlen(at) + 1;
    }
    return true;
}
