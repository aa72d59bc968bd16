/* What changes slowly, of the fake cluster. */
#include <string.h>

#include "kit/kit.h"

#include "base/buf.h"
#include "base/str.h"
#include "fake_cluster.h"
#include "kafka/error_code.h"
#include "kafka/messages/describe_configs.h"
#include "kafka/messages/describe_log_dirs.h"
#include "kafka/messages/describe_quorum.h"
#include "kafka/messages/fetch.h"
#include "kafka/messages/list_partition_reassignments.h"
#include "kafka/record_batch.h"

static int16_t code_of(const struct fake_cluster *fake)
{
    return fake->lacks_rights ? KOA_KAFKA_CLUSTER_AUTHORIZATION_FAILED : 0;
}

static void answer_log_dirs(struct fake_cluster *fake, struct koa_kafka_request *request,
                            int32_t broker)
{
    struct koa_kafka_describe_log_dirs_partition partition = {.partition_size =
                                                                  fake->log_dirs[broker].size};
    struct koa_kafka_describe_log_dirs_topic topic = {
        .name =
            koa_str_from(fake->log_dirs[broker].topic != NULL ? fake->log_dirs[broker].topic : ""),
        .partitions = {.rows = &partition, .count = 1}};
    struct koa_kafka_describe_log_dirs_result result = {
        .error_code = fake->log_dirs[broker].error,
        .log_dir =
            koa_str_from(fake->log_dirs[broker].path != NULL ? fake->log_dirs[broker].path : ""),
        .topics = {.rows = &topic, .count = 1},
        .total_bytes = fake->log_dirs[broker].total,
        .usable_bytes = fake->log_dirs[broker].usable};
    struct koa_kafka_describe_log_dirs_response answer = {
        .error_code = code_of(fake),
        .results = {.rows = &result,
                    .count = fake->log_dirs[broker].path != NULL && !fake->lacks_rights ? 1 : 0}};

    fake_end_with(request, &answer);
}

static void answer_configs(struct fake_cluster *fake, struct koa_kafka_request *request)
{
    const struct koa_kafka_describe_configs_request *asked = request->body;
    struct koa_kafka_describe_configs_entry entry = {
        .name = KOA_STR("min.insync.replicas"),
        .value = koa_str_from(fake->min_isr != NULL ? fake->min_isr : "")};
    struct koa_kafka_describe_configs_result results[FAKE_TOPICS];
    struct koa_kafka_describe_configs_response answer = {
        .results = {.rows = results, .count = asked->resources.count}};

    for (size_t i = 0; i < asked->resources.count; i++) {
        results[i] = (struct koa_kafka_describe_configs_result){
            .error_code = fake->lacks_rights ? KOA_KAFKA_TOPIC_AUTHORIZATION_FAILED : 0,
            .resource_name = asked->resources.rows[i].resource_name,
            .configs = {.rows = &entry, .count = 1}};
    }
    fake_end_with(request, &answer);
}

static void answer_quorum(struct fake_cluster *fake, struct koa_kafka_request *request)
{
    struct koa_kafka_describe_quorum_replica voters[FAKE_BROKERS];
    struct koa_kafka_describe_quorum_partition partition = {
        .leader_id = 2,
        .leader_epoch = 7,
        .current_voters = {.rows = voters, .count = FAKE_BROKERS}};
    struct koa_kafka_describe_quorum_topic topic = {.partitions = {.rows = &partition, .count = 1}};
    struct koa_kafka_describe_quorum_response answer = {.error_code = code_of(fake),
                                                        .topics = {.rows = &topic, .count = 1}};

    for (int32_t i = 0; i < FAKE_BROKERS; i++) {
        voters[i] = (struct koa_kafka_describe_quorum_replica){
            .replica_id = i + 1,
            .log_end_offset = fake->voter_ends[i + 1],
            .last_fetch_timestamp = i == 1 ? -1 : 1700000000000};
    }
    fake_end_with(request, &answer);
}

static void answer_reassignments(struct fake_cluster *fake, struct koa_kafka_request *request)
{
    struct koa_kafka_list_partition_reassignments_partition partitions[FAKE_PARTITIONS] = {
        {.partition_index = 0}};
    struct koa_kafka_list_partition_reassignments_topic topic = {
        .name = KOA_STR("orders"), .partitions = {.rows = partitions, .count = fake->reassigning}};
    struct koa_kafka_list_partition_reassignments_response answer = {
        .error_code = code_of(fake),
        .topics = {.rows = &topic, .count = fake->reassigning > 0 ? 1 : 0}};

    fake_end_with(request, &answer);
}

static uint32_t crc32c(const unsigned char *bytes, size_t size)
{
    uint32_t sum = UINT32_MAX;

    for (size_t i = 0; i < size; i++) {
        sum ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            sum = (sum & 1) != 0 ? sum >> 1 ^ 0x82f63b78U : sum >> 1;
    }
    return ~sum;
}

/* A batch of one record at `offset`; with the control bit it is a transaction's marker. */
static void make_batch(struct koa_buf *buf, int64_t offset, bool is_control)
{
    struct koa_kafka_record record = {.value = KOA_STR("value")};
    unsigned char bytes[256];
    struct koa_error error;
    size_t size;
    uint32_t sum;

    assert_int_equal(koa_kafka_record_batch_encode(&record, 1, buf, &error), KOA_OK);
    size = buf->size;
    assert_true(size < sizeof(bytes));
    memcpy(bytes, buf->data, size);
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (unsigned char) ((uint64_t) offset >> (56 - 8 * i));
    if (is_control)
        bytes[22] |= 0x20;
    sum = crc32c(bytes + 21, size - 21);
    for (unsigned i = 0; i < 4; i++)
        bytes[17 + i] = (unsigned char) (sum >> (24 - 8 * i));
    koa_buf_clear(buf);
    koa_buf_append(buf, bytes, size);
}

static void answer_fetch(struct fake_cluster *fake, struct koa_kafka_request *request)
{
    const struct koa_kafka_fetch_request *asked = request->body;
    struct koa_kafka_fetch_partition partition = {
        .high_watermark = fake->topics[2].partitions[2].end, .error_code = fake->fetch_error};
    struct koa_kafka_fetch_topic topic = {.partitions = {.rows = &partition, .count = 1}};
    struct koa_kafka_fetch_response answer = {.responses = {.rows = &topic, .count = 1}};
    struct koa_buf buf = {.limit = 4096};

    fake->fetches++;
    make_batch(&buf, asked->topics.rows[0].partitions.rows[0].fetch_offset, fake->has_markers);
    partition.records = (struct koa_str){.data = buf.data, .size = buf.size};
    fake_end_with(request, &answer);
    koa_buf_deinit(&buf);
}

bool fake_answer_state(struct fake_cluster *fake, struct koa_kafka_request *request, int32_t broker)
{
    switch (request->api_key) {
    case KOA_KAFKA_DESCRIBE_LOG_DIRS:
        answer_log_dirs(fake, request, broker);
        return true;
    case KOA_KAFKA_DESCRIBE_CONFIGS:
        answer_configs(fake, request);
        return true;
    case KOA_KAFKA_LIST_PARTITION_REASSIGNMENTS:
        answer_reassignments(fake, request);
        return true;
    case KOA_KAFKA_FETCH:
        answer_fetch(fake, request);
        return true;
    case KOA_KAFKA_DESCRIBE_QUORUM:
        answer_quorum(fake, request);
        return true;
    default:
        return false;
    }
}
