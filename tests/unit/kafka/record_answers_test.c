/* What real brokers answered to produce and fetch, captured by tests/vectors/kafka/capture.py. */
#include <string.h>

#include "answer_kit.h"
#include "kit/kit.h"

#include "kafka/error_code.h"
#include "kafka/messages/fetch.h"
#include "kafka/messages/produce.h"
#include "kafka/record_batch.h"

static void look_at_produced(const struct answer *answer)
{
    const struct koa_kafka_produce_response *body = answer->body;
    const struct koa_kafka_produce_partition *partition =
        &body->responses.rows[0].partition_responses.rows[0];

    KIT_EXPECT_INT(answer->name, 0, partition->error_code);
    KIT_EXPECT_INT(answer->name, 3 * (answer->version - 3), partition->base_offset);
    KIT_EXPECT_INT(answer->name, -1, partition->log_append_time_ms);
    KIT_EXPECT(answer->name, partition->current_leader == NULL);
}

static void look_at_moved_produce(const struct answer *answer)
{
    const struct koa_kafka_produce_response *body = answer->body;
    const struct koa_kafka_produce_partition *partition =
        &body->responses.rows[0].partition_responses.rows[0];

    KIT_EXPECT_INT(answer->name, KOA_KAFKA_NOT_LEADER_OR_FOLLOWER, partition->error_code);
    KIT_EXPECT_INT(answer->name, body->node_endpoints.rows[0].node_id,
                   partition->current_leader->leader_id);
    KIT_EXPECT(answer->name, answer_is(body->node_endpoints.rows[0].host, "127.0.0.1"));
}

static void look_at_moved_fetch(const struct answer *answer)
{
    const struct koa_kafka_fetch_response *body = answer->body;
    const struct koa_kafka_fetch_partition *partition = &body->responses.rows[0].partitions.rows[0];

    KIT_EXPECT_INT(answer->name, KOA_KAFKA_NOT_LEADER_OR_FOLLOWER, partition->error_code);
    KIT_EXPECT_INT(answer->name, body->node_endpoints.rows[0].node_id,
                   partition->current_leader->leader_id);
    KIT_EXPECT(answer->name, partition->diverging_epoch == NULL && partition->snapshot_id == NULL);
}

static void records_are_taken_by_their_leader_alone(void **state)
{
    (void) state;
    answer_each_version("2.8.2/produce-v#", 3, 9, look_at_produced);
    answer_each_version("4.4.0/produce-v#", 3, 13, look_at_produced);
    answer_each_version("4.4.0/produce-v#-moved", 13, 13, look_at_moved_produce);
    answer_each_version("4.4.0/fetch-v#-moved", 18, 18, look_at_moved_fetch);
    answer_each_version("3.9.2/fetch-v#-moved", 17, 17, look_at_moved_fetch);
}

/* The batches of payments: plain, gzip, a committed and an aborted transaction, an open one. */
static const struct {
    int64_t base, last;
    int count;
    bool is_packed, is_transactional, is_control;
} batches[] = {
    {0, 0, 1, false, false, false},  {1, 20, 20, true, false, false},
    {21, 22, 2, false, true, false}, {23, 23, 1, false, true, true},
    {24, 25, 2, false, true, false}, {26, 26, 1, false, true, true},
    {27, 27, 1, false, true, false},
};

static void expect_records(const struct answer *answer, struct koa_kafka_record_batch *batch)
{
    struct koa_kafka_record record;
    bool found = true;

    if (batch->compression != KOA_KAFKA_UNCOMPRESSED) {
        KIT_EXPECT_INT(answer->name, KOA_ERR_UNSUPPORTED,
                       koa_kafka_record_next(batch, &record, &found, NULL));
        return;
    }
    for (int32_t i = 0; i < batch->record_count; i++) {
        KIT_EXPECT_INT(answer->name, KOA_OK, koa_kafka_record_next(batch, &record, &found, NULL));
        KIT_EXPECT(answer->name, found && record.offset == batch->base_offset + i);
        KIT_EXPECT(answer->name, batch->is_control || record.key.data[0] == 'k');
        KIT_EXPECT(answer->name, record.timestamp_ms > INT64_C(1600000000000));
    }
    KIT_EXPECT_INT(answer->name, KOA_OK, koa_kafka_record_next(batch, &record, &found, NULL));
    KIT_EXPECT(answer->name, !found);
}

static void look_at_fetched(const struct answer *answer)
{
    const struct koa_kafka_fetch_response *body = answer->body;
    const struct koa_kafka_fetch_partition *payments = &body->responses.rows[0].partitions.rows[0];
    bool is_committed = strstr(answer->name, "committed") != NULL;
    /* read_committed ends where the open transaction begins. */
    size_t expected = KOA_ARRAY_COUNT(batches) - (is_committed ? 1 : 0);
    struct koa_str bytes = payments->records;
    struct koa_kafka_record_batch batch;
    bool found = true;

    KIT_EXPECT_INT(answer->name, 2, body->responses.count);
    KIT_EXPECT_INT(answer->name, 27, payments->last_stable_offset);
    KIT_EXPECT_INT(answer->name, 28, payments->high_watermark);
    KIT_EXPECT_INT(answer->name, is_committed ? 1 : 0, payments->aborted_transactions.count);
    for (size_t i = 0; i < expected; i++) {
        KIT_EXPECT_INT(answer->name, KOA_OK,
                       koa_kafka_record_batch_next(&bytes, &batch, &found, NULL));
        KIT_EXPECT(answer->name, found);
        KIT_EXPECT_INT(answer->name, batches[i].base, batch.base_offset);
        KIT_EXPECT_INT(answer->name, batches[i].last, batch.last_offset);
        KIT_EXPECT_INT(answer->name, batches[i].count, batch.record_count);
        KIT_EXPECT_INT(answer->name, batches[i].is_packed ? KOA_KAFKA_GZIP : 0, batch.compression);
        KIT_EXPECT(answer->name, batches[i].is_transactional == batch.is_transactional);
        KIT_EXPECT(answer->name, batches[i].is_control == batch.is_control);
        expect_records(answer, &batch);
    }
    KIT_EXPECT_INT(answer->name, KOA_OK, koa_kafka_record_batch_next(&bytes, &batch, &found, NULL));
    KIT_EXPECT(answer->name, !found && bytes.size == 0);
}

static void records_come_back_with_their_markers(void **state)
{
    (void) state;
    answer_each_version("2.8.2/fetch-v#", 4, 12, look_at_fetched);
    answer_each_version("2.8.2/fetch-v#-committed", 4, 12, look_at_fetched);
    answer_each_version("3.9.2/fetch-v#", 4, 17, look_at_fetched);
    answer_each_version("4.4.0/fetch-v#", 4, 18, look_at_fetched);
    answer_each_version("4.4.0/fetch-v#-committed", 4, 18, look_at_fetched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_taken_by_their_leader_alone),
        cmocka_unit_test(records_come_back_with_their_markers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
