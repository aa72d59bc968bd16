/* A ring of batches: what a probe wrote a moment ago is there to be read. */
#include "sim/records.h"

#include <string.h>

#include "base/memory.h"

enum {
    BATCHES = 64,         /* of one partition: a probe reads within seconds what it wrote */
    BYTES_LIMIT = 1 << 20 /* of one partition; the newest batch is kept whatever its size */
};

struct entry {
    struct koa_sim_batch batch;
    char *bytes; /* those of the batch */
};

struct koa_sim_records {
    struct entry entries[BATCHES];
    size_t first, count;
    size_t bytes;
};

static struct entry *at(struct koa_sim_records *records, size_t index)
{
    return &records->entries[(records->first + index) % BATCHES];
}

static void drop_first(struct koa_sim_records *records)
{
    struct entry *entry = at(records, 0);

    records->bytes -= entry->batch.bytes.size;
    koa_free(entry->bytes);
    *entry = (struct entry){0};
    records->first = (records->first + 1) % BATCHES;
    records->count--;
}

void koa_sim_records_destroy(struct koa_sim_records *records)
{
    if (records == NULL)
        return;
    while (records->count > 0)
        drop_first(records);
    koa_free(records);
}

bool koa_sim_records_add(struct koa_sim_records **records, const struct koa_sim_batch *batch)
{
    char *copy = koa_strndup(batch->bytes.data, batch->bytes.size);
    struct koa_sim_records *it;

    if (*records == NULL)
        *records = koa_calloc(1, sizeof(**records));
    it = *records;
    if (copy == NULL || it == NULL) {
        koa_free(copy);
        return false;
    }
    while (it->count == BATCHES || (it->count > 0 && it->bytes + batch->bytes.size > BYTES_LIMIT))
        drop_first(it);
    *at(it, it->count++) = (struct entry){
        .batch = {.base_offset = batch->base_offset,
                  .last_offset = batch->last_offset,
                  .bytes = {.data = copy, .size = batch->bytes.size}},
        .bytes = copy,
    };
    it->bytes += batch->bytes.size;
    return true;
}

const struct koa_sim_batch *koa_sim_records_find(const struct koa_sim_records *records,
                                                 int64_t offset)
{
    for (size_t i = 0; records != NULL && i < records->count; i++) {
        const struct koa_sim_batch *batch = &records->entries[(records->first + i) % BATCHES].batch;

        if (batch->last_offset >= offset)
            return batch;
    }
    return NULL;
}
