/* Packs an alert's picture into one block, so that the last reader frees it on any thread. */
#include "alerts/record.h"

#include <string.h>

#include "base/memory.h"

static size_t text_size(const char *text)
{
    return (text != NULL ? strlen(text) : 0) + 1;
}

static size_t labels_text_size(const struct koa_labels *labels)
{
    size_t size = 0;

    for (size_t i = 0; i < labels->count; i++)
        size += text_size(labels->rows[i].name) + text_size(labels->rows[i].value);
    return size;
}

static const char *pack_text(char **end, const char *text)
{
    size_t size = text_size(text);
    char *copy = *end;

    memcpy(copy, text != NULL ? text : "", size);
    *end += size;
    return copy;
}

static void pack_labels(struct koa_labels *target, struct koa_label **rows, char **end,
                        const struct koa_labels *from)
{
    struct koa_label *first = *rows;

    for (size_t i = 0; i < from->count; i++) {
        first[i].name = pack_text(end, from->rows[i].name);
        first[i].value = pack_text(end, from->rows[i].value);
    }
    *target = (struct koa_labels){.rows = from->count > 0 ? first : NULL, .count = from->count};
    *rows += from->count;
}

static void destroy(struct koa_object *object)
{
    koa_free(KOA_CONTAINER_OF(object, struct koa_alert_record, object));
}

struct koa_alert_record *koa_alert_record_create(const struct koa_alert_record *from)
{
    size_t rows_count = from->labels.count + from->annotations.count;
    size_t rows_size = rows_count * sizeof(struct koa_label);
    size_t size = sizeof(*from) + rows_size + text_size(from->rule) + text_size(from->message) +
                  labels_text_size(&from->labels) + labels_text_size(&from->annotations);
    struct koa_alert_record *record = koa_calloc(1, size);
    struct koa_label *rows;
    char *end;

    if (record == NULL)
        return NULL;
    *record = *from;
    koa_object_init(&record->object, destroy);
    rows = (struct koa_label *) (void *) (record + 1);
    end = (char *) (rows + rows_count);
    record->rule = pack_text(&end, from->rule);
    record->message = pack_text(&end, from->message);
    pack_labels(&record->labels, &rows, &end, &from->labels);
    pack_labels(&record->annotations, &rows, &end, &from->annotations);
    return record;
}

struct koa_alert_record *koa_alert_record_ref(struct koa_alert_record *record)
{
    koa_object_ref(&record->object);
    return record;
}

void koa_alert_record_unref(struct koa_alert_record *record)
{
    if (record != NULL)
        koa_object_unref(&record->object);
}
