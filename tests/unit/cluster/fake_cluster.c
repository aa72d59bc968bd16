#include "fake_cluster.h"

#include <string.h>

#include "kit/kit.h"

#include "base/str.h"
#include "kafka/messages/describe_cluster.h"
#include "kafka/messages/list_offsets.h"
#include "kafka/messages/metadata.h"

enum { INTERVAL_MS = 15000, SLOW_MS = 60000, TIMEOUT_MS = 10000 };

static struct koa_mono fake_mono(void *context)
{
    return ((struct fake_cluster *) context)->now;
}

static struct koa_wall fake_wall(void *context)
{
    return (struct koa_wall){.ms = 1700000000000 + ((struct fake_cluster *) context)->now.ms};
}

static size_t index_of(int32_t broker)
{
    return broker < 0 ? 0 : (size_t) broker;
}

static enum fake_mode mode_of(const struct fake_cluster *fake, int32_t broker)
{
    return fake->server_count > 1 && broker < 0 ? fake->servers[-1 - broker]
                                                : fake->modes[index_of(broker)];
}

static void end_with_error(struct koa_kafka_request *request, enum koa_err code, const char *text)
{
    struct koa_error error;
    struct koa_kafka_answer answer = {.error = &error, .api = koa_kafka_api_find(request->api_key)};

    (void) koa_fail(&error, code, "%s", text);
    request->done(request->context, request, &answer);
}

void fake_end_with(struct koa_kafka_request *request, const void *body)
{
    struct koa_kafka_answer answer = {
        .body = body, .api = koa_kafka_api_find(request->api_key), .was_sent = true};

    request->done(request->context, request, &answer);
}

static int32_t replicas[] = {1, 2, 3};

/* Not in order, as brokers do it. */
static void describe_partitions(const struct fake_topic *from, int32_t *gone, size_t gone_count,
                                struct koa_kafka_metadata_topic *topic)
{
    for (int32_t i = FAKE_PARTITIONS - 1; i >= 0; i--) {
        int32_t leader = from->partitions[i].leader;
        struct koa_kafka_metadata_partition *partition;

        if (leader == 0)
            continue;
        partition = &topic->partitions.rows[topic->partitions.count++];
        *partition = (struct koa_kafka_metadata_partition){
            .partition_index = i,
            .leader_id = leader,
            .replica_nodes = {.rows = replicas, .count = 3},
            .isr_nodes = {.rows = replicas + (leader > 0 ? 0 : 1), .count = leader > 0 ? 3 : 1}};
        partition->offline_replicas.rows = gone;
        partition->offline_replicas.count = gone_count;
    }
}

static void answer_metadata(struct fake_cluster *fake, struct koa_kafka_request *request)
{
    int32_t gone[KOA_ARRAY_COUNT(replicas)];
    size_t gone_count = 0;
    struct koa_kafka_metadata_broker brokers[FAKE_BROKERS];
    struct koa_kafka_metadata_topic topics[FAKE_TOPICS];
    struct koa_kafka_metadata_partition partitions[FAKE_TOPICS][FAKE_PARTITIONS];
    struct koa_kafka_metadata_response response = {.error_code = fake->metadata_error,
                                                   .cluster_id = koa_str_from(fake->cluster_id),
                                                   .controller_id = 2};

    memset(topics, 0, sizeof(topics));
    memset(partitions, 0, sizeof(partitions));
    for (int32_t id = 1; id <= FAKE_BROKERS; id++) {
        if (fake->is_listed[id]) {
            brokers[response.brokers.count++] = (struct koa_kafka_metadata_broker){
                .node_id = id, .host = KOA_STR("kafka"), .port = 9091 + id};
        }
    }
    for (size_t i = 0; i < KOA_ARRAY_COUNT(replicas); i++) {
        if (!fake->is_listed[replicas[i]])
            gone[gone_count++] = replicas[i];
    }
    for (size_t i = 0; i < FAKE_TOPICS; i++) {
        struct koa_kafka_metadata_topic *topic = &topics[response.topics.count];

        if (fake->topics[i].name == NULL)
            continue;
        topic->name = koa_str_from(fake->topics[i].name);
        topic->partitions.rows = partitions[response.topics.count++];
        describe_partitions(&fake->topics[i], gone, gone_count, topic);
    }
    response.brokers.rows = brokers;
    response.topics.rows = topics;
    fake_end_with(request, &response);
}

static const struct fake_topic *find_topic(const struct fake_cluster *fake, struct koa_str name)
{
    for (size_t i = 0; i < FAKE_TOPICS; i++) {
        if (fake->topics[i].name != NULL && koa_str_equal_text(name, fake->topics[i].name))
            return &fake->topics[i];
    }
    return NULL;
}

/* The first record at or after `timestamp`. */
static void answer_time(const struct fake_partition *partition, int64_t timestamp,
                        struct koa_kafka_list_offsets_partition *answer)
{
    int64_t offset = partition->start;

    while (offset < partition->end &&
           partition->first_ms + offset * partition->every_ms < timestamp)
        offset++;
    if (offset == partition->end)
        return;
    answer->offset = offset;
    answer->timestamp = partition->first_ms + offset * partition->every_ms;
}

static struct koa_kafka_list_offsets_partition
answer_partition(const struct fake_topic *topic,
                 const struct koa_kafka_list_offsets_request_partition *asked, int32_t broker,
                 bool is_stable)
{
    const struct fake_partition *partition =
        topic != NULL ? &topic->partitions[asked->partition_index] : NULL;
    bool is_untold = partition != NULL && partition->stable < 0 && is_stable &&
                     asked->timestamp == KOA_KAFKA_OFFSET_END;
    struct koa_kafka_list_offsets_partition answer = {.partition_index = asked->partition_index,
                                                      .offset = -1};

    if (partition == NULL) {
        answer.error_code = 3;
    } else if (partition->leader != broker || is_untold) {
        answer.error_code = 6;
    } else if (partition->error != 0) {
        answer.error_code = partition->error;
    } else if (asked->timestamp >= 0) {
        answer_time(partition, asked->timestamp, &answer);
    } else if (asked->timestamp == KOA_KAFKA_OFFSET_START) {
        answer.offset = partition->start;
    } else {
        answer.offset = is_stable && partition->stable > 0 ? partition->stable : partition->end;
    }
    return answer;
}

static void answer_offsets(struct fake_cluster *fake, struct koa_kafka_request *request,
                           int32_t broker)
{
    const struct koa_kafka_list_offsets_request *asked = request->body;
    struct koa_kafka_list_offsets_topic topics[FAKE_TOPICS];
    struct koa_kafka_list_offsets_partition partitions[FAKE_TOPICS][FAKE_PARTITIONS];
    struct koa_kafka_list_offsets_response response = {
        .topics = {.rows = topics, .count = asked->topics.count}};

    for (size_t i = 0; i < asked->topics.count; i++) {
        size_t at = fake->reverses_answers ? asked->topics.count - 1 - i : i;
        const struct koa_kafka_list_offsets_request_topic *topic = &asked->topics.rows[at];

        topics[i].name = topic->name;
        topics[i].partitions.rows = partitions[i];
        topics[i].partitions.count = topic->partitions.count;
        for (size_t j = 0; j < topic->partitions.count; j++) {
            size_t from = fake->reverses_answers ? topic->partitions.count - 1 - j : j;

            partitions[i][j] =
                answer_partition(find_topic(fake, topic->name), &topic->partitions.rows[from],
                                 broker, asked->isolation_level == 1);
        }
    }
    fake_end_with(request, &response);
}

static void answer_one(struct fake_cluster *fake, struct koa_kafka_request *request, int32_t broker)
{
    struct koa_kafka_describe_cluster_response description = {.controller_id = 3};

    if (mode_of(fake, broker) == FAKE_REFUSES) {
        end_with_error(request, KOA_ERR_IO, "Connection refused");
    } else if (mode_of(fake, broker) == FAKE_LOCKS_OUT) {
        end_with_error(request, KOA_ERR_AUTH, "wrong password");
    } else if (request->api_key == KOA_KAFKA_METADATA && fake->lacks_metadata) {
        end_with_error(request, KOA_ERR_UNSUPPORTED, "the broker does not offer metadata");
    } else if (request->api_key == KOA_KAFKA_METADATA) {
        answer_metadata(fake, request);
    } else if (request->api_key == KOA_KAFKA_LIST_OFFSETS) {
        answer_offsets(fake, request, broker);
    } else if (request->api_key == KOA_KAFKA_DESCRIBE_CLUSTER && fake->lacks_describe_cluster) {
        end_with_error(request, KOA_ERR_UNSUPPORTED, "the broker does not offer describe_cluster");
    } else if (request->api_key == KOA_KAFKA_DESCRIBE_QUORUM && fake->has_zookeeper) {
        end_with_error(request, KOA_ERR_UNSUPPORTED, "the broker does not offer describe_quorum");
    } else if (!fake_answer_groups(fake, request, broker)) {
        fake_end_with(request, &description);
    }
}

static void fake_submit(void *context, int32_t broker, struct koa_kafka_request *request)
{
    struct fake_cluster *fake = context;
    const struct koa_kafka_list_offsets_request *offsets = request->body;

    fake->asked[index_of(broker)][request->api_key]++;
    if (request->api_key == KOA_KAFKA_LIST_OFFSETS &&
        offsets->topics.rows[0].partitions.rows[0].timestamp == KOA_KAFKA_OFFSET_START)
        fake->starts_asked++;
    if (request->api_key == KOA_KAFKA_LIST_OFFSETS &&
        offsets->topics.rows[0].partitions.rows[0].timestamp >= 0)
        fake->times_asked++;
    if (mode_of(fake, broker) == FAKE_AT_ONCE) {
        answer_one(fake, request, broker);
        return;
    }
    assert_true(fake->pending_count < FAKE_PENDING);
    fake->pending[fake->pending_count].broker = broker;
    fake->pending[fake->pending_count++].request = request;
}

static int16_t fake_version(void *context, int32_t broker, int16_t api_key)
{
    const struct fake_cluster *fake = context;

    (void) broker;
    if (api_key == KOA_KAFKA_OFFSET_FETCH)
        return fake->offset_fetch_version;
    return 0;
}

static void fake_set_brokers(void *context, const struct koa_kafka_address *brokers, size_t count)
{
    struct fake_cluster *fake = context;

    (void) brokers;
    fake->named = count;
}

static void fake_finished(void *context, struct koa_snapshot *snapshot,
                          const struct koa_collector_report *report)
{
    struct fake_cluster *fake = context;

    koa_snapshot_unref(fake->snapshot);
    fake->snapshot = snapshot;
    fake->report = *report;
    fake->cycles++;
}

void fake_answer(struct fake_cluster *fake)
{
    bool goes_on = true;

    while (goes_on) {
        goes_on = false;
        for (size_t i = 0; i < fake->pending_count && !goes_on; i++) {
            int32_t broker = fake->pending[i].broker;
            struct koa_kafka_request *request = fake->pending[i].request;
            bool is_passed_on = request->api_key == KOA_KAFKA_DESCRIBE_QUORUM ||
                                request->api_key == KOA_KAFKA_LIST_PARTITION_REASSIGNMENTS;
            bool is_frozen = mode_of(fake, broker) == FAKE_IS_FROZEN ||
                             (fake->is_controller_frozen && is_passed_on);

            if (is_frozen && fake->now.ms < request->deadline.ms)
                continue;
            memmove(&fake->pending[i], &fake->pending[i + 1],
                    (--fake->pending_count - i) * sizeof(fake->pending[0]));
            if (is_frozen) {
                end_with_error(request, KOA_ERR_TIMEOUT, "no answer within 10000 ms");
            } else {
                answer_one(fake, request, broker);
            }
            goes_on = true;
        }
    }
}

int64_t fake_cycle(struct fake_cluster *fake)
{
    struct koa_mono began = fake->now;

    assert_true(koa_collector_begin(fake->collector));
    while (koa_collector_is_busy(fake->collector)) {
        struct koa_mono due = {.ms = INT64_MAX};

        fake_answer(fake);
        for (size_t i = 0; i < fake->pending_count; i++) {
            if (fake->pending[i].request->deadline.ms < due.ms)
                due = fake->pending[i].request->deadline;
        }
        if (koa_collector_is_busy(fake->collector)) {
            assert_true(fake->pending_count > 0);
            fake->now = due;
        }
    }
    return koa_mono_diff_ms(fake->now, began);
}

void fake_set_up(struct fake_cluster *fake)
{
    fake_set_up_with_servers(fake, 1);
}

void fake_set_up_with_servers(struct fake_cluster *fake, size_t count)
{
    static const struct koa_collector_ops ops = {.mono = fake_mono,
                                                 .wall = fake_wall,
                                                 .submit = fake_submit,
                                                 .version = fake_version,
                                                 .set_brokers = fake_set_brokers,
                                                 .finished = fake_finished};
    static const char *const exclude[] = {"__.*"};
    struct koa_name_filter_opts filter = {.exclude = exclude, .exclude_count = 1};
    struct koa_collector_opts opts = {.name = "prod",
                                      .bootstrap_count = count,
                                      .interval_ms = INTERVAL_MS,
                                      .slow_interval_ms = SLOW_MS,
                                      .request_timeout_ms = TIMEOUT_MS,
                                      .batch = 10,
                                      .ops = &ops,
                                      .context = fake};
    struct koa_error error;

    memset(fake, 0, sizeof(*fake));
    fake->server_count = count;
    fake->now.ms = 1000000;
    fake->cluster_id = "id-1";
    fake->offset_fetch_version = 9;
    for (size_t i = 1; i <= FAKE_BROKERS; i++)
        fake->is_listed[i] = true;
    fake->topics[0] = (struct fake_topic){.name = "pay", .partitions = {{1, 50, 5}, {1, 60, 6}}};
    fake->topics[1] = (struct fake_topic){.name = "__internal", .partitions = {{1, 1, 1}}};
    fake->topics[2] = (struct fake_topic){.name = "orders",
                                          .partitions = {{1, 100, 1}, {2, 200, 2}, {3, 300, 3}}};
    assert_int_equal(koa_name_filter_create(&filter, &fake->filter, &error), KOA_OK);
    opts.filter = fake->filter;
    assert_int_equal(koa_collector_create(&opts, &fake->collector, &error), KOA_OK);
}

void fake_tear_down(struct fake_cluster *fake)
{
    koa_collector_cancel(fake->collector);
    for (size_t i = 0; i < fake->pending_count; i++)
        end_with_error(fake->pending[i].request, KOA_ERR_CANCELLED, "the test is over");
    koa_collector_destroy(fake->collector);
    koa_name_filter_destroy(fake->filter);
    koa_snapshot_unref(fake->snapshot);
}

struct koa_snapshot_partition fake_partition(const struct fake_cluster *fake, const char *topic,
                                             int32_t id)
{
    struct koa_snapshot_partition partition = {.id = -1};

    for (size_t i = 0; i < koa_snapshot_topic_count(fake->snapshot); i++) {
        struct koa_snapshot_topic row;

        koa_snapshot_topic(fake->snapshot, i, &row);
        for (int32_t j = 0; koa_text_equal(row.name, topic) && j < row.partitions; j++) {
            koa_snapshot_partition(fake->snapshot, i, (size_t) j, &partition);
            if (partition.id == id)
                return partition;
        }
    }
    fail_msg("no partition %d of %s", id, topic);
    return partition;
}

struct koa_snapshot_broker fake_broker(const struct fake_cluster *fake, int32_t id)
{
    struct koa_snapshot_broker broker = {.id = -1};

    for (size_t i = 0; i < koa_snapshot_broker_count(fake->snapshot); i++) {
        koa_snapshot_broker(fake->snapshot, i, &broker);
        if (broker.id == id)
            return broker;
    }
    fail_msg("no broker %d", id);
    return broker;
}
