/* Decides whether what lags can be read at all. */
#include "cluster/markers.h"

#include "base/str.h"
#include "kafka/record_batch.h"

bool koa_markers_are_due(int64_t lag, unsigned still_cycles)
{
    return lag >= 1 && lag <= KOA_MARKERS_LAG && still_cycles >= KOA_MARKERS_STILL &&
           (still_cycles & (still_cycles - 1)) == 0;
}

void koa_markers_add(struct koa_markers *markers, struct koa_str topic, int32_t partition,
                     int64_t offset)
{
    struct koa_marker *row = &markers->rows[markers->count];

    for (size_t i = 0; i < markers->count; i++) {
        if (markers->rows[i].partition == partition && markers->rows[i].offset == offset &&
            koa_str_equal_text(topic, markers->rows[i].topic))
            return; /* another group waits at the same place */
    }
    if (markers->count == KOA_MARKERS_LIMIT || topic.size > KOA_MARKERS_TOPIC)
        return;
    (void) koa_str_copy(row->topic, sizeof(row->topic), topic);
    row->partition = partition;
    row->offset = offset;
    row->is_only = false;
    markers->count++;
}

bool koa_markers_are_only(const struct koa_markers *markers, struct koa_str topic,
                          int32_t partition, int64_t offset)
{
    for (size_t i = 0; i < markers->count; i++) {
        const struct koa_marker *row = &markers->rows[i];

        if (row->is_only && row->partition == partition && row->offset == offset &&
            koa_str_equal_text(topic, row->topic))
            return true;
    }
    return false;
}

bool koa_markers_read(struct koa_str records, int64_t offset, int64_t end)
{
    int64_t next = offset;
    bool is_found = true;

    while (next < end) {
        struct koa_kafka_record_batch batch;

        if (koa_kafka_record_batch_next(&records, &batch, &is_found, NULL) != KOA_OK || !is_found)
            return false;
        /* The first batch may begin before the offset: then it holds it. */
        if (batch.last_offset < next)
            continue;
        if (!batch.is_control)
            return false;
        next = batch.last_offset + 1;
    }
    return true;
}
