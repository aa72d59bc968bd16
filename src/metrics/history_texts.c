/* Keeps each name and each set of labels of the history once, however many points and families have
 * it. When something is no longer needed is the history's decision. */
#include "metrics/history_texts.h"

#include <string.h>

#include "base/memory.h"
#include "base/str.h"

enum {
    FAMILIES_LIMIT = 20000,
    LABELS_LIMIT = 4000000, /* the registry's and a large cluster's */
    KEY_LIMIT = 1024 * 1024,
    MAP_BYTES = 64, /* about what a map's entry takes */
};

bool koa_history_texts_init(struct koa_history_texts *texts)
{
    *texts = (struct koa_history_texts){.families = koa_map_create(FAMILIES_LIMIT),
                                        .labels = koa_map_create_borrowing(LABELS_LIMIT),
                                        .key.limit = KEY_LIMIT};
    return texts->families != NULL && texts->labels != NULL;
}

static void forget_family(void *value)
{
    koa_history_family_unref(value);
}

static void forget_labels(void *value)
{
    koa_history_labels_unref(value);
}

void koa_history_texts_deinit(struct koa_history_texts *texts)
{
    koa_map_destroy(texts->labels, forget_labels);
    koa_map_destroy(texts->families, forget_family);
    koa_buf_deinit(&texts->key);
}

/* Copies `text` to `*at` and moves on. */
static struct koa_str copy_text(char **at, struct koa_str text)
{
    struct koa_str copy = {*at, text.size};

    if (text.size > 0)
        memcpy(*at, text.data, text.size);
    *at += text.size;
    return copy;
}

static struct koa_history_family *make_family(const struct koa_family_view *view)
{
    size_t size =
        sizeof(struct koa_history_family) + view->name.size + view->help.size + view->unit.size;
    struct koa_history_family *family = koa_calloc(1, size);
    char *at = (char *) (family + 1);

    if (family == NULL)
        return NULL;
    atomic_init(&family->references, 1);
    family->bytes = size + view->name.size + MAP_BYTES;
    family->view.type = view->type;
    family->view.name = copy_text(&at, view->name);
    family->view.help = copy_text(&at, view->help);
    family->view.unit = copy_text(&at, view->unit);
    return family;
}

struct koa_history_family *koa_history_get_family(struct koa_history_texts *texts,
                                                  const struct koa_family_view *view)
{
    struct koa_history_family *family;
    struct koa_str key;

    koa_buf_clear(&texts->key);
    koa_buf_append_char(&texts->key, (char) view->type);
    koa_buf_append(&texts->key, view->name.data, view->name.size);
    if (texts->key.failed)
        return NULL;
    key = (struct koa_str){texts->key.data, texts->key.size};
    family = koa_map_find(texts->families, key);
    if (family != NULL)
        return family;
    family = make_family(view);
    if (family == NULL)
        return NULL;
    if (koa_map_put(texts->families, key, family, NULL) != KOA_OK) {
        koa_history_family_unref(family);
        return NULL;
    }
    texts->bytes += (int64_t) family->bytes;
    return family;
}

static void append_text(struct koa_buf *key, struct koa_str text)
{
    uint32_t size = (uint32_t) text.size; /* KEY_LIMIT is below */

    koa_buf_append(key, &size, sizeof(size));
    koa_buf_append(key, text.data, text.size);
}

/* The text that `append_text` put at `*at`. */
static struct koa_str take_text(const char **at)
{
    struct koa_str text;
    uint32_t size;

    memcpy(&size, *at, sizeof(size));
    text = (struct koa_str){*at + sizeof(size), size};
    *at += sizeof(size) + size;
    return text;
}

static struct koa_history_labels *make_labels(struct koa_str key, size_t count)
{
    size_t size =
        sizeof(struct koa_history_labels) + count * sizeof(struct koa_label_view) + key.size;
    struct koa_history_labels *labels = koa_calloc(1, size);
    const char *at;
    char *text;

    if (labels == NULL)
        return NULL;
    atomic_init(&labels->references, 1);
    labels->bytes = size + MAP_BYTES;
    labels->count = count;
    text = (char *) (labels->views + count);
    labels->key = copy_text(&text, key);
    at = labels->key.data + sizeof(uint32_t); /* behind their number */
    for (size_t i = 0; i < count; i++) {
        labels->views[i].name = take_text(&at);
        labels->views[i].value = take_text(&at);
    }
    return labels;
}

struct koa_history_labels *koa_history_get_labels(struct koa_history_texts *texts,
                                                  const struct koa_sample *sample)
{
    uint32_t count = (uint32_t) sample->label_count;
    struct koa_history_labels *labels;
    struct koa_str key;

    koa_buf_clear(&texts->key);
    koa_buf_append(&texts->key, &count, sizeof(count)); /* so that no labels are a key too */
    for (size_t i = 0; i < sample->label_count; i++) {
        append_text(&texts->key, sample->labels[i].name);
        append_text(&texts->key, sample->labels[i].value);
    }
    if (texts->key.failed)
        return NULL;
    key = (struct koa_str){texts->key.data, texts->key.size};
    labels = koa_map_find(texts->labels, key);
    if (labels == NULL) {
        labels = make_labels(key, sample->label_count);
        if (labels == NULL)
            return NULL;
        if (koa_map_put(texts->labels, labels->key, labels, NULL) != KOA_OK) {
            koa_history_labels_unref(labels);
            return NULL;
        }
        texts->bytes += (int64_t) labels->bytes;
    }
    atomic_fetch_add_explicit(&labels->references, 1, memory_order_relaxed);
    return labels;
}

static void forget_if_unused(struct koa_history_texts *texts, struct koa_history_labels *labels)
{
    if (atomic_load_explicit(&labels->references, memory_order_acquire) > 1)
        return;
    texts->bytes -= (int64_t) labels->bytes;
    (void) koa_map_remove(texts->labels, labels->key);
    koa_history_labels_unref(labels);
}

void koa_history_drop_labels(struct koa_history_texts *texts, struct koa_history_labels *labels)
{
    koa_history_labels_unref(labels);
    forget_if_unused(texts, labels);
}

void koa_history_sweep_labels(struct koa_history_texts *texts)
{
    size_t at = 0;
    void *value;

    while (koa_map_next(texts->labels, &at, NULL, &value))
        forget_if_unused(texts, value);
}

struct koa_str koa_history_take_untold(struct koa_history_texts *texts)
{
    size_t at = 0;
    void *value;

    while (texts->untold > 0 && koa_map_next(texts->families, &at, NULL, &value)) {
        struct koa_history_family *family = value;

        if (family->left_out_for > 0 && !family->is_told) {
            family->is_told = true;
            texts->untold--;
            return family->view.name;
        }
    }
    texts->untold = 0;
    return (struct koa_str){0};
}

void koa_history_admit_all(struct koa_history_texts *texts)
{
    size_t at = 0;
    void *value;

    while (koa_map_next(texts->families, &at, NULL, &value))
        ((struct koa_history_family *) value)->left_out_for = 0;
}
