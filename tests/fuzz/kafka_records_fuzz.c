/* The bytes are the records of a Fetch answer: batches, and the records in those that can be read.
 */
#include "base/memory.h"
#include "kafka/record_batch.h"

/* NOLINTNEXTLINE(readability-identifier-naming): the fuzzer calls it by this name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_records(struct koa_kafka_record_batch *batch)
{
    struct koa_kafka_record record;
    bool found = true;

    while (koa_kafka_record_next(batch, &record, &found, NULL) == KOA_OK && found)
        KOA_ASSERT(record.offset >= batch->base_offset && record.offset <= batch->last_offset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct koa_str bytes = {.data = (const char *) data, .size = size};
    struct koa_kafka_record_batch batch = {
        .format = 2, .last_offset = INT32_MAX, .records = bytes, .records_left = INT32_MAX};
    size_t left = size;
    bool found = true;

    read_records(&batch);
    while (koa_kafka_record_batch_next(&bytes, &batch, &found, NULL) == KOA_OK && found) {
        KOA_ASSERT(bytes.size < left);
        left = bytes.size;
        read_records(&batch);
    }
    return 0;
}
