/* Logs as clients see them: offsets by end, start and time, transactions, what is written and read.
 */
#include <string.h>

#include "base/str.h"
#include "kafka/error_code.h"
#include "kafka/messages/create_topics.h"
#include "kafka/messages/fetch.h"
#include "kafka/messages/list_offsets.h"
#include "kafka/messages/produce.h"
#include "kafka/record_batch.h"
#include "kit/kit.h"
#include "sim_kit.h"

enum { READ_COMMITTED = 1, VERSION = 10 };

/* Offset and more of orders-0, from its leader. */
static struct koa_kafka_list_offsets_partition offset(struct sim_kit *kit, int8_t isolation,
                                                      int64_t timestamp)
{
    struct koa_kafka_list_offsets_request_partition partition = {.current_leader_epoch = -1,
                                                                 .timestamp = timestamp};
    struct koa_kafka_list_offsets_request_topic topic = {.name = KOA_STR("orders")};
    struct koa_kafka_list_offsets_request request = {.replica_id = -1,
                                                     .isolation_level = isolation};
    struct koa_kafka_list_offsets_response response;

    topic.partitions.rows = &partition;
    topic.partitions.count = 1;
    request.topics.rows = &topic;
    request.topics.count = 1;
    kit->question.broker = kit->model->partitions[0].leader;
    sim_kit_ask(kit, KOA_KAFKA_LIST_OFFSETS, VERSION, &request, &response);
    return response.topics.rows[0].partitions.rows[0];
}

static void a_time_finds_the_first_message_since_then(void **state)
{
    struct koa_kafka_list_offsets_partition told;
    struct koa_kafka_list_offsets_partition again;
    struct sim_kit kit;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    sim_kit_do(&kit, "scenario: [{at: 0s, do: write, topic: orders, rate: 2}]");
    sim_kit_advance(&kit, 60000);
    for (int64_t ago_ms = 50000; ago_ms > 1000; ago_ms -= 777) {
        int64_t asked = kit.question.wall.ms - ago_ms;

        told = offset(&kit, 0, asked);
        KIT_EXPECT_INT("no error", 0, told.error_code);
        KIT_EXPECT("at or after", told.timestamp >= asked && told.timestamp < asked + 1000);
        again = offset(&kit, 0, told.timestamp);
        KIT_EXPECT_INT("its own time finds it", told.offset, again.offset);
        again = offset(&kit, 0, told.timestamp + 1);
        KIT_EXPECT_INT("a moment later the next one", told.offset + 1, again.offset);
    }
    told = offset(&kit, 0, kit.question.wall.ms + 60000);
    KIT_EXPECT_INT("nothing in the future", -1, told.offset);
    KIT_EXPECT_INT("and no time", -1, told.timestamp);
    told = offset(&kit, 0, 0);
    again = offset(&kit, 0, KOA_KAFKA_OFFSET_START);
    KIT_EXPECT_INT("the oldest", again.offset, told.offset);
    told = offset(&kit, 0, -3);
    again = offset(&kit, 0, KOA_KAFKA_OFFSET_END);
    KIT_EXPECT_INT("the newest", again.offset - 1, told.offset);
    KIT_EXPECT("has a time", told.timestamp > 0 && told.timestamp <= kit.question.wall.ms);
    sim_kit_tear_down(&kit);
}

static void twice_the_same_partition_is_an_error_and_so_is_a_wrong_epoch(void **state)
{
    struct koa_kafka_list_offsets_request_partition rows[] = {
        {.partition_index = 0, .current_leader_epoch = -1, .timestamp = -1},
        {.partition_index = 1, .current_leader_epoch = 99, .timestamp = -1},
        {.partition_index = 0, .current_leader_epoch = -1, .timestamp = -2},
    };
    struct koa_kafka_list_offsets_request_topic topic = {.name = KOA_STR("orders")};
    struct koa_kafka_list_offsets_request request = {.replica_id = -1};
    struct koa_kafka_list_offsets_response response;
    const struct koa_kafka_list_offsets_partition *told;
    struct sim_kit kit;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    sim_kit_do(&kit, "scenario: [{at: 0s, do: move_leader, topic: orders, to: 2}]");
    kit.question.broker = 2;
    topic.partitions.rows = rows;
    topic.partitions.count = 3;
    request.topics.rows = &topic;
    request.topics.count = 1;
    sim_kit_ask(&kit, KOA_KAFKA_LIST_OFFSETS, VERSION, &request, &response);
    told = response.topics.rows[0].partitions.rows;
    KIT_EXPECT_INT("first", KOA_KAFKA_INVALID_REQUEST, told[0].error_code);
    KIT_EXPECT_INT("epoch", KOA_KAFKA_UNKNOWN_LEADER_EPOCH, told[1].error_code);
    KIT_EXPECT_INT("second", KOA_KAFKA_INVALID_REQUEST, told[2].error_code);
    sim_kit_tear_down(&kit);
}

/* Reads orders-0 at an offset; `waits` as told by the broker. */
static struct koa_kafka_fetch_partition fetch(struct sim_kit *kit, int64_t from, bool *waits)
{
    struct koa_kafka_fetch_request_partition partition = {.fetch_offset = from,
                                                          .log_start_offset = -1,
                                                          .current_leader_epoch = -1,
                                                          .last_fetched_epoch = -1,
                                                          .partition_max_bytes = 65536};
    struct koa_kafka_fetch_request_topic topic = {.topic = KOA_STR("orders")};
    struct koa_kafka_fetch_request request = {.replica_id = -1,
                                              .max_wait_ms = 500,
                                              .min_bytes = 1,
                                              .max_bytes = 65536,
                                              .session_epoch = -1};
    struct koa_kafka_fetch_response response;
    struct koa_kafka_fetch_partition told = {.error_code = -1};
    struct koa_str frame;

    topic.partitions.rows = &partition;
    topic.partitions.count = 1;
    request.topics.rows = &topic;
    request.topics.count = 1;
    *waits = false;
    kit->question.ret_waits = waits;
    kit->question.broker = kit->model->partitions[0].leader;
    if (kit->question.waited_ms == 0) {
        assert_int_equal(sim_kit_send(kit, KOA_KAFKA_FETCH, 12, &request, &frame), KOA_OK);
        if (*waits) {
            KIT_EXPECT_INT("nothing goes out", 0, kit->response.size);
            return told;
        }
    }
    sim_kit_ask(kit, KOA_KAFKA_FETCH, 12, &request, &response);
    return response.responses.rows[0].partitions.rows[0];
}

static void a_transaction_holds_readers_back_until_its_marker(void **state)
{
    struct koa_kafka_record_batch batch;
    struct koa_kafka_fetch_partition read;
    struct koa_sim_group *group;
    struct koa_str bytes;
    struct sim_kit kit;
    int64_t stable;
    int64_t end;
    bool waits;
    bool found;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    sim_kit_do(&kit, "scenario:\n"
                     "  - {at: 0s, do: write, topic: orders, rate: 0}\n"
                     "  - {at: 0s, do: create_group, group: reader, topic: orders}\n");
    sim_kit_advance(&kit, 60000);
    sim_kit_do(&kit, "scenario: [{at: 0s, do: begin_transaction, topic: orders, partition: 0}]");
    sim_kit_advance(&kit, 60000);
    group = sim_kit_turn_to(&kit, "reader");
    stable = offset(&kit, READ_COMMITTED, KOA_KAFKA_OFFSET_END).offset;
    end = offset(&kit, 0, KOA_KAFKA_OFFSET_END).offset;
    KIT_EXPECT_INT("one message is not committed", end - 1, stable);
    KIT_EXPECT_INT("the group waits", stable,
                   koa_sim_group_commit(kit.model, group, 0, koa_sim_question_ms(&kit.question)));
    sim_kit_do(&kit, "scenario: [{at: 0s, do: end_transaction, topic: orders, partition: 0}]");
    sim_kit_advance(&kit, 60000);
    stable = offset(&kit, READ_COMMITTED, KOA_KAFKA_OFFSET_END).offset;
    KIT_EXPECT_INT("the marker took an offset", end + 1, stable);
    KIT_EXPECT_INT("and remains", end,
                   koa_sim_group_commit(kit.model, group, 0, koa_sim_question_ms(&kit.question)));
    read = fetch(&kit, end, &waits);
    bytes = read.records;
    assert_int_equal(koa_kafka_record_batch_next(&bytes, &batch, &found, NULL), KOA_OK);
    KIT_EXPECT("one batch", found && bytes.size == 0);
    KIT_EXPECT("of a marker", batch.is_control);
    KIT_EXPECT_INT("at", end, batch.base_offset);
    sim_kit_tear_down(&kit);
}

static void compaction_leaves_holes_and_the_newest(void **state)
{
    struct koa_kafka_list_offsets_partition first;
    struct koa_kafka_record_batch batch;
    struct koa_kafka_fetch_partition read;
    struct koa_str bytes;
    struct sim_kit kit;
    int64_t last = -1;
    int64_t end;
    int records = 0;
    bool waits;
    bool found;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    sim_kit_do(&kit, "scenario:\n"
                     "  - {at: 0s, do: write, topic: orders, rate: 0, messages: 1000}\n"
                     "  - {at: 1ms, do: compact, topic: orders, keep: 0.02}\n"
                     "  - {at: 2ms, do: write, topic: orders, messages: 3}\n"
                     "  - {at: 3ms, do: compact, topic: orders, keep: 0.1}\n");
    sim_kit_advance(&kit, 3);
    end = offset(&kit, 0, KOA_KAFKA_OFFSET_END).offset;
    read = fetch(&kit, end - 1003, &waits);
    bytes = read.records;
    for (;;) {
        assert_int_equal(koa_kafka_record_batch_next(&bytes, &batch, &found, NULL), KOA_OK);
        if (!found)
            break;
        KIT_EXPECT("offsets rise", batch.base_offset > last);
        last = batch.last_offset;
        records += (int) (batch.last_offset - batch.base_offset + 1);
    }
    /* One in 50, and the newest; the second time leaves no more. */
    KIT_EXPECT("one in fifty", records >= 20 && records <= 22);
    KIT_EXPECT_INT("up to the newest", end - 1, last);
    first = offset(&kit, 0, kit.question.wall.ms - 3);
    KIT_EXPECT_INT("a time finds what is left", 0, first.offset % 50);
    sim_kit_tear_down(&kit);
}

static void what_is_written_is_read_back(void **state)
{
    const struct koa_kafka_record record = {.timestamp_ms = 77, .value = KOA_STR("a probe")};
    struct koa_kafka_produce_request_partition partition = {0};
    struct koa_kafka_produce_request_topic topic = {.name = KOA_STR("orders")};
    struct koa_kafka_produce_request request = {.acks = -1};
    struct koa_kafka_produce_response response;
    struct koa_kafka_record_batch batch;
    struct koa_kafka_record found_record;
    struct koa_kafka_fetch_partition read;
    struct koa_buf bytes = {.limit = 65536};
    struct koa_str frame;
    struct sim_kit kit;
    int64_t end;
    bool waits;
    bool found;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    sim_kit_do(&kit, "scenario: [{at: 0s, do: write, topic: orders, rate: 0}]");
    end = offset(&kit, 0, KOA_KAFKA_OFFSET_END).offset;
    (void) fetch(&kit, end, &waits);
    KIT_EXPECT("a reader waits for news", waits);
    assert_int_equal(koa_kafka_record_batch_encode(&record, 1, &bytes, NULL), KOA_OK);
    partition.records = (struct koa_str){bytes.data, bytes.size};
    topic.partition_data.rows = &partition;
    topic.partition_data.count = 1;
    request.topic_data.rows = &topic;
    request.topic_data.count = 1;
    sim_kit_ask(&kit, KOA_KAFKA_PRODUCE, 9, &request, &response);
    KIT_EXPECT_INT("offset", end,
                   response.responses.rows[0].partition_responses.rows[0].base_offset);
    read = fetch(&kit, end, &waits);
    KIT_EXPECT("which came", !waits);
    assert_int_equal(koa_kafka_record_batch_next(&read.records, &batch, &found, NULL), KOA_OK);
    assert_int_equal(koa_kafka_record_next(&batch, &found_record, &found, NULL), KOA_OK);
    KIT_EXPECT("content", found && koa_str_equal_text(found_record.value, "a probe"));
    KIT_EXPECT_INT("place", end, found_record.offset);
    kit.question.waited_ms = 500;
    read = fetch(&kit, end + 1, &waits);
    KIT_EXPECT_INT("after the wait, nothing", 0, read.records.size);
    KIT_EXPECT_INT("is no error", 0, read.error_code);
    kit.question.waited_ms = 0;
    read = fetch(&kit, end + 2, &waits);
    KIT_EXPECT_INT("beyond the end", KOA_KAFKA_OFFSET_OUT_OF_RANGE, read.error_code);
    read = fetch(&kit, end - 5, &waits);
    assert_int_equal(koa_kafka_record_batch_next(&read.records, &batch, &found, NULL), KOA_OK);
    KIT_EXPECT_INT("older ones are made up", end - 5, batch.base_offset);
    KIT_EXPECT_INT("up to what was written", end - 1, batch.last_offset);
    bytes.data[bytes.size - 1] ^= 1;
    sim_kit_ask(&kit, KOA_KAFKA_PRODUCE, 9, &request, &response);
    KIT_EXPECT_INT("a wrong checksum", KOA_KAFKA_CORRUPT_MESSAGE,
                   response.responses.rows[0].partition_responses.rows[0].error_code);
    request.acks = 0;
    assert_int_equal(sim_kit_send(&kit, KOA_KAFKA_PRODUCE, 9, &request, &frame), KOA_OK);
    KIT_EXPECT_INT("who wants no answer gets none", 0, kit.response.size);
    koa_buf_deinit(&bytes);
    sim_kit_tear_down(&kit);
}

static void many_batches_take_no_more_memory_than_their_limit(void **state)
{
    static char value[100000];
    const struct koa_kafka_record record = {.value = {value, sizeof(value)}};
    struct koa_kafka_produce_request_partition partition = {0};
    struct koa_kafka_produce_request_topic topic = {.name = KOA_STR("orders")};
    struct koa_kafka_produce_request request = {.acks = -1};
    struct koa_kafka_produce_response response;
    struct koa_kafka_fetch_partition read;
    struct koa_kafka_record_batch batch;
    struct koa_buf bytes = {.limit = 1 << 20};
    struct sim_kit kit;
    int64_t end;
    bool waits;
    bool found;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    end = offset(&kit, 0, KOA_KAFKA_OFFSET_END).offset;
    assert_int_equal(koa_kafka_record_batch_encode(&record, 1, &bytes, NULL), KOA_OK);
    partition.records = (struct koa_str){bytes.data, bytes.size};
    topic.partition_data.rows = &partition;
    topic.partition_data.count = 1;
    request.topic_data.rows = &topic;
    request.topic_data.count = 1;
    for (int i = 0; i < 100; i++) {
        sim_kit_ask(&kit, KOA_KAFKA_PRODUCE, 9, &request, &response);
        KIT_EXPECT_INT("taken", 0,
                       response.responses.rows[0].partition_responses.rows[0].error_code);
    }
    read = fetch(&kit, end, &waits);
    assert_int_equal(koa_kafka_record_batch_next(&read.records, &batch, &found, NULL), KOA_OK);
    KIT_EXPECT("the oldest bytes are forgotten, its offset is not",
               found && batch.base_offset == end && batch.last_offset > end);
    koa_buf_deinit(&bytes);
    sim_kit_tear_down(&kit);
}

struct topic_case {
    const char *name;
    int32_t partitions;
    int16_t replicas;
    int16_t error;
};

static void topics_are_made_by_the_rules(void **state)
{
    static const struct topic_case cases[] = {
        {"probe", 3, 3, 0},
        {"probe", 3, 3, KOA_KAFKA_TOPIC_ALREADY_EXISTS},
        {"defaults", -1, -1, 0},
        {"none", 0, 1, KOA_KAFKA_INVALID_PARTITIONS},
        {"wide", 1, 4, KOA_KAFKA_INVALID_REPLICATION_FACTOR},
        {"sl/ash", 1, 1, KOA_KAFKA_INVALID_TOPIC_EXCEPTION},
        {"", 1, 1, KOA_KAFKA_INVALID_TOPIC_EXCEPTION},
        {"large", 9999999, 1, KOA_KAFKA_INVALID_PARTITIONS},
    };
    struct sim_kit kit;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    KIT_EACH (c, cases) {
        struct koa_kafka_create_topics_request_topic topic = {.name = koa_str_from(c->name),
                                                              .num_partitions = c->partitions,
                                                              .replication_factor = c->replicas};
        struct koa_kafka_create_topics_request request = {.timeout_ms = 1000};
        struct koa_kafka_create_topics_response response;

        request.topics.rows = &topic;
        request.topics.count = 1;
        sim_kit_ask(&kit, KOA_KAFKA_CREATE_TOPICS, 7, &request, &response);
        KIT_EXPECT_INT(c->name, c->error, response.topics.rows[0].error_code);
    }
    sim_kit_tear_down(&kit);
}

static void deleted_messages_leave_commits_below_the_start(void **state)
{
    struct sim_kit kit;
    struct koa_kafka_list_offsets_partition end;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    sim_kit_do(&kit, "scenario: [{at: 0s, do: delete_records, topic: orders, keep: 2}]");
    end = offset(&kit, 0, KOA_KAFKA_OFFSET_END);
    KIT_EXPECT_INT("start", end.offset - 2, offset(&kit, 0, KOA_KAFKA_OFFSET_START).offset);
    sim_kit_tear_down(&kit);
}

static void a_log_with_many_changes_only_grows_and_keeps_its_past(void **state)
{
    struct koa_sim_partition partition = {.rate = 10, .base = 72000, .leader = 1};
    int64_t an_hour_ago = koa_sim_partition_end(&partition, -3600000);
    int64_t before = 0;
    int64_t written = 0;

    (void) state;
    for (int64_t i = 0; i < 40; i++) {
        /* Rates from 0 to 30 a second, a second each. */
        assert_true(koa_sim_partition_write(&partition, i * 1000, 5, (double) (i % 4) * 10));
        written += 5 + i % 4 * 10;
    }
    KIT_EXPECT_INT("the past", an_hour_ago, koa_sim_partition_end(&partition, -3600000));
    KIT_EXPECT_INT("all is there", 72000 + written, koa_sim_partition_end(&partition, 40000));
    for (int64_t at_ms = -7200000; at_ms < 50000; at_ms += 97) {
        int64_t end = koa_sim_partition_end(&partition, at_ms);

        KIT_EXPECT("never shrinks", end >= before);
        before = end;
    }
    koa_sim_partition_deinit(&partition);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_finds_the_first_message_since_then),
        cmocka_unit_test(twice_the_same_partition_is_an_error_and_so_is_a_wrong_epoch),
        cmocka_unit_test(a_transaction_holds_readers_back_until_its_marker),
        cmocka_unit_test(compaction_leaves_holes_and_the_newest),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(many_batches_take_no_more_memory_than_their_limit),
        cmocka_unit_test(topics_are_made_by_the_rules),
        cmocka_unit_test(a_log_with_many_changes_only_grows_and_keeps_its_past),
        cmocka_unit_test(deleted_messages_leave_commits_below_the_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
