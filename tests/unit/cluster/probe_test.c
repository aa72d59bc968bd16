/* The end-to-end probe against a log of its own, in virtual time. */
#include "cluster/probe.h"

#include <string.h>

#include "kit/kit.h"

#include "base/buf.h"
#include "base/str.h"
#include "kafka/error_code.h"
#include "kafka/messages/create_topics.h"
#include "kafka/messages/fetch.h"
#include "kafka/messages/metadata.h"
#include "kafka/messages/produce.h"
#include "kafka/record_batch.h"

enum { BROKERS = 3, RECORDS = 64, INTERVAL_MS = 1000, TIMEOUT_MS = 10000 };

/* One partition a broker; `values[i]` is the record at offset i. */
struct log {
    char keys[RECORDS][24], values[RECORDS][24];
    int64_t count;
};

struct fixture {
    struct koa_mono now;
    struct koa_cluster_probe *probe;
    bool has_topic;
    bool is_frozen[BROKERS + 1];
    int16_t produce_error, create_error;
    bool swallows; /* acknowledges, and keeps something else */
    bool doubles;  /* keeps each message twice */
    struct log logs[BROKERS + 1];
    size_t created, layouts;
    size_t planned; /* partitions that were asked for */
    int32_t first_replica[BROKERS + 1];
    size_t events[KOA_PROBE_FAILED + 1];
    double seconds;
    int64_t delay_ms; /* of an acknowledgement */
    struct koa_kafka_request *stuck;
};

static struct koa_mono mono(void *context)
{
    return ((struct fixture *) context)->now;
}

static struct koa_wall wall(void *context)
{
    return (struct koa_wall){.ms = 1700000000000 + ((struct fixture *) context)->now.ms};
}

static void answer(struct koa_kafka_request *request, const void *body)
{
    struct koa_kafka_answer done = {
        .body = body, .api = koa_kafka_api_find(request->api_key), .was_sent = true};

    request->done(request->context, request, &done);
}

static void answer_layout(struct fixture *f, struct koa_kafka_request *request)
{
    struct koa_kafka_metadata_broker brokers[BROKERS];
    struct koa_kafka_metadata_partition partitions[BROKERS];
    struct koa_kafka_metadata_topic topic = {.partitions = {.rows = partitions}};
    struct koa_kafka_metadata_response body = {.brokers = {.rows = brokers, .count = BROKERS},
                                               .topics = {.rows = &topic, .count = 1}};

    memset(partitions, 0, sizeof(partitions));
    f->layouts++;
    for (int32_t i = 0; i < BROKERS; i++) {
        brokers[i] = (struct koa_kafka_metadata_broker){
            .node_id = i + 1, .host = KOA_STR("kafka"), .port = 9092};
        partitions[i].partition_index = i;
        partitions[i].leader_id = i + 1;
    }
    topic.error_code = f->has_topic ? 0 : KOA_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    topic.partitions.count = f->has_topic ? BROKERS : 0;
    answer(request, &body);
}

static void answer_creation(struct fixture *f, struct koa_kafka_request *request)
{
    const struct koa_kafka_create_topics_request *asked = request->body;
    struct koa_kafka_create_topics_topic topic = {.error_code = f->create_error};
    struct koa_kafka_create_topics_response body = {.topics = {.rows = &topic, .count = 1}};

    f->created++;
    f->planned = asked->topics.rows[0].assignments.count;
    for (size_t i = 0; i < f->planned; i++)
        f->first_replica[i] = asked->topics.rows[0].assignments.rows[i].broker_ids.rows[0];
    f->has_topic = f->create_error == 0;
    answer(request, &body);
}

static void append(struct log *log, struct koa_str key, struct koa_str value)
{
    assert_true(log->count < RECORDS);
    (void) koa_str_copy(log->keys[log->count], sizeof(log->keys[0]), key);
    (void) koa_str_copy(log->values[log->count++], sizeof(log->values[0]), value);
}

static void keep(struct fixture *f, struct log *log, struct koa_str bytes)
{
    struct koa_kafka_record_batch batch;
    struct koa_kafka_record record;
    struct koa_error error;
    bool is_found = false;

    assert_int_equal(koa_kafka_record_batch_next(&bytes, &batch, &is_found, &error), KOA_OK);
    assert_true(is_found);
    assert_int_equal(koa_kafka_record_next(&batch, &record, &is_found, &error), KOA_OK);
    append(log, f->swallows ? KOA_STR("other") : record.key, record.value);
    if (f->doubles)
        append(log, record.key, record.value);
}

static void answer_produce(struct fixture *f, struct koa_kafka_request *request, int32_t broker)
{
    const struct koa_kafka_produce_request *asked = request->body;
    struct koa_kafka_produce_partition partition = {
        .index = asked->topic_data.rows[0].partition_data.rows[0].index,
        .error_code = f->produce_error,
        .base_offset = f->logs[broker].count};
    struct koa_kafka_produce_topic topic = {
        .partition_responses = {.rows = &partition, .count = 1}};
    struct koa_kafka_produce_response body = {.responses = {.rows = &topic, .count = 1}};

    assert_int_equal(asked->acks, -1);
    if (f->produce_error == 0)
        keep(f, &f->logs[broker], asked->topic_data.rows[0].partition_data.rows[0].records);
    f->now.ms += f->delay_ms;
    answer(request, &body);
}

static void answer_fetch(struct fixture *f, struct koa_kafka_request *request, int32_t broker)
{
    const struct koa_kafka_fetch_request *asked = request->body;
    const struct log *log = &f->logs[broker];
    int64_t offset = asked->topics.rows[0].partitions.rows[0].fetch_offset;
    struct koa_kafka_fetch_partition partition = {.high_watermark = log->count};
    struct koa_kafka_fetch_topic topic = {.partitions = {.rows = &partition, .count = 1}};
    struct koa_kafka_fetch_response body = {.responses = {.rows = &topic, .count = 1}};
    struct koa_buf buf = {.limit = 65536};
    struct koa_error error;

    if (offset > log->count)
        partition.error_code = KOA_KAFKA_OFFSET_OUT_OF_RANGE;
    for (int64_t i = offset; i < log->count; i++) {
        struct koa_kafka_record record = {.key = koa_str_from(log->keys[i]),
                                          .value = koa_str_from(log->values[i])};
        size_t at = buf.size;

        assert_int_equal(koa_kafka_record_batch_encode(&record, 1, &buf, &error), KOA_OK);
        for (unsigned b = 0; b < 8; b++) /* the base offset is outside the checksum */
            buf.data[at + b] = (char) ((uint64_t) i >> (56 - 8 * b));
    }
    partition.records = (struct koa_str){.data = buf.data, .size = buf.size};
    answer(request, &body);
    koa_buf_deinit(&buf);
}

static void submit(void *context, int32_t broker, struct koa_kafka_request *request)
{
    struct fixture *f = context;

    if (broker > 0 && f->is_frozen[broker]) {
        f->stuck = request;
    } else if (request->api_key == KOA_KAFKA_METADATA) {
        answer_layout(f, request);
    } else if (request->api_key == KOA_KAFKA_CREATE_TOPICS) {
        answer_creation(f, request);
    } else if (request->api_key == KOA_KAFKA_PRODUCE) {
        answer_produce(f, request, broker);
    } else {
        answer_fetch(f, request, broker);
    }
}

static void set_brokers(void *context, const struct koa_kafka_address *brokers, size_t count)
{
    (void) context, (void) brokers;
    assert_int_equal(count, BROKERS);
}

static void happened(void *context, const struct koa_probe_news *news)
{
    struct fixture *f = context;

    assert_int_equal(news->broker, news->partition + 1);
    f->events[news->event]++;
    f->seconds = news->seconds;
}

static void set_up(struct fixture *f)
{
    static const struct koa_cluster_probe_ops ops = {.mono = mono,
                                                     .wall = wall,
                                                     .submit = submit,
                                                     .set_brokers = set_brokers,
                                                     .happened = happened};
    struct koa_cluster_probe_opts opts = {.cluster = "prod",
                                          .topic = "__probe",
                                          .agent = "0123456789abcdef",
                                          .bootstrap_count = 1,
                                          .request_timeout_ms = TIMEOUT_MS,
                                          .ops = &ops,
                                          .context = f};
    struct koa_error error;

    memset(f, 0, sizeof(*f));
    f->now.ms = 1000;
    f->has_topic = true;
    assert_int_equal(koa_cluster_probe_create(&opts, &f->probe, &error), KOA_OK);
}

static void tick(struct fixture *f, int times)
{
    for (int i = 0; i < times; i++) {
        koa_cluster_probe_tick(f->probe);
        f->now.ms += INTERVAL_MS;
    }
}

static void end_stuck(struct fixture *f, enum koa_err code, const char *text)
{
    struct koa_kafka_request *request = f->stuck;
    struct koa_error error;
    struct koa_kafka_answer done = {.error = &error, .api = koa_kafka_api_find(request->api_key)};

    f->stuck = NULL;
    (void) koa_fail(&error, code, "%s", text);
    request->done(request->context, request, &done);
}

static struct koa_snapshot_probe row_of(const struct fixture *f, int32_t partition)
{
    struct koa_snapshot *snapshot = koa_snapshot_create("prod");
    struct koa_snapshot_probe row = {.partition = -1};

    assert_true(koa_cluster_probe_fill(f->probe, snapshot));
    assert_true(koa_snapshot_has_probe(snapshot));
    for (size_t i = 0; i < koa_snapshot_probe_count(snapshot); i++) {
        koa_snapshot_probe(snapshot, i, &row);
        if (row.partition == partition)
            break;
    }
    row.error = row.error != NULL ? "an error" : NULL; /* its text ends with the snapshot */
    koa_snapshot_unref(snapshot);
    return row;
}

static void tear_down(struct fixture *f)
{
    koa_cluster_probe_cancel(f->probe);
    if (f->stuck != NULL)
        end_stuck(f, KOA_ERR_CANCELLED, "the test is over");
    koa_cluster_probe_destroy(f->probe);
}

static void each_message_comes_back_from_each_broker(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f);
    tick(&f, 5);
    assert_int_equal(f.events[KOA_PROBE_PRODUCED], 5 * BROKERS);
    assert_int_equal(f.events[KOA_PROBE_RECEIVED], 5 * BROKERS);
    assert_int_equal(
        f.events[KOA_PROBE_LOST] + f.events[KOA_PROBE_DUPLICATED] + f.events[KOA_PROBE_FAILED], 0);
    assert_int_equal(f.logs[2].count, 5);
    assert_int_equal(f.layouts, 1);
    assert_null(row_of(&f, 1).error);
    assert_int_equal(row_of(&f, 1).leader, 2);
    assert_int_equal(row_of(&f, 1).success_time.ms, 1700000000000 + f.now.ms - INTERVAL_MS);
    tear_down(&f);
}

static void round_trips_are_measured(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f);
    f.delay_ms = 250;
    tick(&f, 1);
    assert_true(f.seconds > 0.249 && f.seconds < 0.251);
    assert_true(row_of(&f, 0).round_trip_seconds > 0.249);
    tear_down(&f);
}

static void a_missing_topic_is_created_with_a_partition_on_each_broker(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f);
    f.has_topic = false;
    tick(&f, 4);
    assert_int_equal(f.created, 1);
    assert_int_equal(f.planned, BROKERS);
    for (int32_t i = 0; i < BROKERS; i++)
        assert_int_equal(f.first_replica[i], i + 1);
    assert_true(f.events[KOA_PROBE_RECEIVED] >= BROKERS);
    tear_down(&f);
}

static void a_topic_that_may_not_be_created_is_tried_again_later(void **state)
{
    struct fixture f;
    struct koa_snapshot *snapshot;

    (void) state;
    set_up(&f);
    f.has_topic = false;
    f.create_error = KOA_KAFKA_TOPIC_AUTHORIZATION_FAILED;
    tick(&f, 3);
    assert_int_equal(f.created, 1);
    snapshot = koa_snapshot_create("prod");
    assert_true(koa_cluster_probe_fill(f.probe, snapshot));
    KIT_EXPECT_CONTAINS("error", "TOPIC_AUTHORIZATION_FAILED", koa_snapshot_probe_error(snapshot));
    koa_snapshot_unref(snapshot);
    tick(&f, 20);
    assert_in_range(f.created, 2, 3);
    f.create_error = 0;
    tick(&f, 15);
    assert_true(f.events[KOA_PROBE_RECEIVED] > 0);
    tear_down(&f);
}

static void a_frozen_broker_fails_its_own_messages_only(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f);
    tick(&f, 1);
    f.is_frozen[2] = true;
    tick(&f, 10);
    end_stuck(&f, KOA_ERR_TIMEOUT, "no answer within 10000 ms");
    assert_int_equal(f.events[KOA_PROBE_FAILED], 1);
    assert_int_equal(f.events[KOA_PROBE_RECEIVED], BROKERS + 10 * (BROKERS - 1));
    assert_int_equal(row_of(&f, 1).failures, 1);
    assert_non_null(row_of(&f, 1).error);
    f.is_frozen[2] = false;
    tick(&f, 2);
    assert_int_equal(row_of(&f, 1).failures, 0);
    assert_null(row_of(&f, 1).error);
    tear_down(&f);
}

static void a_message_that_was_acknowledged_and_is_not_there_is_lost(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f);
    tick(&f, 1);
    f.swallows = true;
    tick(&f, 1);
    assert_int_equal(f.events[KOA_PROBE_LOST], BROKERS);
    assert_int_equal(row_of(&f, 0).lost, 1);
    f.swallows = false;
    tick(&f, 3);
    assert_int_equal(f.events[KOA_PROBE_LOST], BROKERS);
    assert_int_equal(row_of(&f, 0).failures, 0);
    tear_down(&f);
}

static void a_log_that_was_cut_loses_what_stood_there(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f);
    tick(&f, 4);
    for (size_t i = 1; i <= BROKERS; i++)
        f.logs[i].count = 1; /* unclean election: the acknowledged messages are gone */
    tick(&f, 3);
    assert_int_equal(f.events[KOA_PROBE_LOST], 0); /* they had been read */
    assert_int_equal(row_of(&f, 0).failures, 0);
    tear_down(&f);
}

static void a_message_that_comes_twice_is_counted(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f);
    f.doubles = true;
    tick(&f, 3);
    assert_true(f.events[KOA_PROBE_DUPLICATED] >= BROKERS + BROKERS);
    assert_int_equal(f.events[KOA_PROBE_RECEIVED], 3 * BROKERS);
    tear_down(&f);
}

static void a_refused_message_is_a_failure_and_the_leaders_are_looked_up_again(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f);
    tick(&f, 1);
    f.produce_error = KOA_KAFKA_NOT_LEADER_OR_FOLLOWER;
    tick(&f, 2);
    assert_int_equal(f.events[KOA_PROBE_FAILED], 2 * BROKERS);
    assert_int_equal(f.layouts, 2);
    f.produce_error = 0;
    tick(&f, 1);
    assert_int_equal(row_of(&f, 0).failures, 0);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_message_comes_back_from_each_broker),
        cmocka_unit_test(round_trips_are_measured),
        cmocka_unit_test(a_missing_topic_is_created_with_a_partition_on_each_broker),
        cmocka_unit_test(a_topic_that_may_not_be_created_is_tried_again_later),
        cmocka_unit_test(a_frozen_broker_fails_its_own_messages_only),
        cmocka_unit_test(a_message_that_was_acknowledged_and_is_not_there_is_lost),
        cmocka_unit_test(a_log_that_was_cut_loses_what_stood_there),
        cmocka_unit_test(a_message_that_comes_twice_is_counted),
        cmocka_unit_test(a_refused_message_is_a_failure_and_the_leaders_are_looked_up_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
