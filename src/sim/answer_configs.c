/* Configurations of topics and brokers as a real broker lists them: name, value, where it comes
 * from and its type. A few differ from topic to topic, the rest are Kafka's defaults. */
#include "sim/answer_configs.h"

#include <inttypes.h>

#include "base/num.h"
#include "base/str.h"
#include "kafka/error_code.h"
#include "kafka/messages/describe_configs.h"
#include "sim/answer_metadata.h"

/* As on the wire. */
enum { SOURCE_TOPIC = 1, SOURCE_STATIC_BROKER = 4, SOURCE_DEFAULT = 5 };
enum {
    TYPE_BOOLEAN = 1,
    TYPE_STRING = 2,
    TYPE_INT = 3,
    TYPE_SHORT = 4,
    TYPE_LONG = 5,
    TYPE_DOUBLE = 6,
    TYPE_LIST = 7,
    TYPE_PASSWORD = 9
};

struct row {
    const char *name;
    const char *value; /* NULL: it depends, or is not told */
    int8_t type;
    bool is_static; /* of brokers: from server.properties */
    bool is_read_only;
};

static const struct row topic_rows[] = {
    {"cleanup.policy", NULL, TYPE_LIST, false, false},
    {"compression.type", "producer", TYPE_STRING, false, false},
    {"delete.retention.ms", "86400000", TYPE_LONG, false, false},
    {"file.delete.delay.ms", "60000", TYPE_LONG, false, false},
    {"flush.messages", "9223372036854775807", TYPE_LONG, false, false},
    {"flush.ms", "9223372036854775807", TYPE_LONG, false, false},
    {"index.interval.bytes", "4096", TYPE_INT, false, false},
    {"max.compaction.lag.ms", "9223372036854775807", TYPE_LONG, false, false},
    {"max.message.bytes", "1048588", TYPE_INT, false, false},
    {"message.timestamp.type", "CreateTime", TYPE_STRING, false, false},
    {"min.cleanable.dirty.ratio", "0.5", TYPE_DOUBLE, false, false},
    {"min.compaction.lag.ms", "0", TYPE_LONG, false, false},
    {"min.insync.replicas", NULL, TYPE_INT, false, false},
    {"preallocate", "false", TYPE_BOOLEAN, false, false},
    {"retention.bytes", "-1", TYPE_LONG, false, false},
    {"retention.ms", NULL, TYPE_LONG, false, false},
    {"segment.bytes", "1073741824", TYPE_INT, false, false},
    {"segment.index.bytes", "10485760", TYPE_INT, false, false},
    {"segment.jitter.ms", "0", TYPE_LONG, false, false},
    {"segment.ms", "604800000", TYPE_LONG, false, false},
    {"unclean.leader.election.enable", "false", TYPE_BOOLEAN, false, false},
};

static const struct row broker_rows[] = {
    {"auto.create.topics.enable", "true", TYPE_BOOLEAN, false, true},
    {"background.threads", "10", TYPE_INT, false, false},
    {"broker.id", NULL, TYPE_INT, true, true},
    {"broker.rack", NULL, TYPE_STRING, true, true},
    {"compression.type", "producer", TYPE_STRING, false, false},
    {"default.replication.factor", "3", TYPE_INT, true, true},
    {"delete.topic.enable", "true", TYPE_BOOLEAN, false, true},
    {"group.initial.rebalance.delay.ms", "3000", TYPE_INT, false, true},
    {"log.cleanup.policy", "delete", TYPE_LIST, false, false},
    {"log.dirs", "/var/lib/kafka/data-0,/var/lib/kafka/data-1", TYPE_STRING, true, true},
    {"log.retention.hours", "1", TYPE_INT, true, true},
    {"log.segment.bytes", "1073741824", TYPE_INT, false, false},
    {"message.max.bytes", "1048588", TYPE_INT, false, false},
    {"min.insync.replicas", "2", TYPE_INT, true, false},
    {"node.id", NULL, TYPE_INT, true, true},
    {"num.io.threads", "8", TYPE_INT, false, false},
    {"num.network.threads", "3", TYPE_INT, false, false},
    {"num.partitions", "1", TYPE_INT, false, true},
    {"offsets.retention.minutes", "10080", TYPE_INT, false, true},
    {"offsets.topic.num.partitions", "50", TYPE_INT, false, true},
    {"offsets.topic.replication.factor", "3", TYPE_SHORT, false, true},
    {"process.roles", "broker,controller", TYPE_LIST, true, true},
    {"ssl.keystore.password", NULL, TYPE_PASSWORD, true, false},
    {"unclean.leader.election.enable", "false", TYPE_BOOLEAN, false, false},
};

/* One resource of a request. */
struct look {
    const struct koa_sim_question *question;
    const struct koa_kafka_describe_configs_request *asked;
    const struct koa_kafka_describe_configs_resource *resource;
    const struct koa_sim_topic *topic; /* NULL: a broker */
    const struct row *rows;
    size_t row_count;
    int64_t broker;
};

static struct koa_str number_text(const struct look *look, int64_t number)
{
    return koa_str_from(koa_arena_printf(look->question->arena, "%" PRId64, number));
}

static struct koa_str topic_value(const struct look *look, const char *name, int8_t *ret_source)
{
    const struct koa_sim_model *model = look->question->cluster->model;
    int32_t replicas = model->partitions[look->topic->first].replica_count;

    *ret_source = SOURCE_TOPIC;
    if (koa_text_equal(name, "retention.ms"))
        return number_text(look, KOA_SIM_RETENTION_MS);
    if (koa_text_equal(name, "min.insync.replicas")) {
        if (replicas == 1)
            *ret_source = SOURCE_DEFAULT;
        return replicas > 1 ? KOA_STR("2") : KOA_STR("1");
    }
    if (look->topic->is_compacted)
        return KOA_STR("compact,delete");
    *ret_source = SOURCE_DEFAULT;
    return KOA_STR("delete");
}

static struct koa_str broker_value(const struct look *look, const char *name, int8_t *ret_source)
{
    *ret_source = SOURCE_STATIC_BROKER;
    if (koa_text_equal(name, "broker.rack"))
        return koa_sim_rack_of((int32_t) look->broker);
    return number_text(look, look->broker);
}

static bool fill_entry(const struct look *look, const struct row *row,
                       struct koa_kafka_describe_configs_entry *entry)
{
    entry->name = koa_str_from(row->name);
    entry->config_type = row->type;
    entry->read_only = row->is_read_only;
    entry->config_source = row->is_static ? SOURCE_STATIC_BROKER : SOURCE_DEFAULT;
    if (row->type == TYPE_PASSWORD) {
        entry->is_sensitive = true;
    } else if (row->value != NULL) {
        entry->value = koa_str_from(row->value);
    } else {
        entry->value = look->topic != NULL ? topic_value(look, row->name, &entry->config_source)
                                           : broker_value(look, row->name, &entry->config_source);
    }
    if (!look->asked->include_synonyms)
        return true;
    if (!KOA_SIM_ROWS(look->question->arena, entry->synonyms, 1))
        return false;
    entry->synonyms.rows[0] = (struct koa_kafka_describe_configs_synonym){
        .name = entry->name, .value = entry->value, .source = entry->config_source};
    return true;
}

static bool is_asked(const struct look *look, const char *name)
{
    for (size_t i = 0; i < look->resource->configuration_keys.count; i++) {
        if (koa_str_equal_text(look->resource->configuration_keys.rows[i], name))
            return true;
    }
    return look->resource->configuration_keys.rows == NULL;
}

static bool fill_entries(const struct look *look, struct koa_kafka_describe_configs_result *result)
{
    bool fits = KOA_SIM_ROWS(look->question->arena, result->configs, look->row_count);

    result->configs.count = 0;
    for (size_t i = 0; i < look->row_count && fits; i++) {
        if (is_asked(look, look->rows[i].name))
            fits = fill_entry(look, &look->rows[i], &result->configs.rows[result->configs.count++]);
    }
    return fits;
}

static bool describe(struct look *look, struct koa_kafka_describe_configs_result *result)
{
    const struct koa_sim_model *model = look->question->cluster->model;
    struct koa_str name = look->resource->resource_name;

    result->resource_type = look->resource->resource_type;
    result->resource_name = name;
    look->topic = NULL;
    if (look->resource->resource_type == KOA_KAFKA_RESOURCE_TOPIC) {
        look->topic = koa_sim_model_find(model, name);
        look->rows = topic_rows;
        look->row_count = KOA_ARRAY_COUNT(topic_rows);
        if (look->topic == NULL) {
            result->error_code = KOA_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
            return true;
        }
        return fill_entries(look, result);
    }
    /* A broker tells of itself alone; an empty name stands for what all have been told, which is
     * nothing. */
    if (look->resource->resource_type != KOA_KAFKA_RESOURCE_BROKER || name.size == 0)
        return true;
    look->rows = broker_rows;
    look->row_count = KOA_ARRAY_COUNT(broker_rows);
    if (koa_parse_int(name, 1, model->broker_count, &look->broker) != KOA_OK ||
        look->broker != look->question->broker) {
        result->error_code = KOA_KAFKA_INVALID_REQUEST;
        result->error_message = koa_str_from(koa_arena_printf(
            look->question->arena, "Unexpected broker id, expected %d, but received %.*s",
            look->question->broker, (int) name.size, name.data));
        return true;
    }
    return fill_entries(look, result);
}

bool koa_sim_answer_describe_configs(const struct koa_sim_question *question, int16_t version,
                                     const void *request, void *response)
{
    const struct koa_kafka_describe_configs_request *asked = request;
    struct koa_kafka_describe_configs_response *body = response;
    struct look look = {.question = question, .asked = asked};
    bool fits = KOA_SIM_ROWS(question->arena, body->results, asked->resources.count);

    (void) version;
    for (size_t i = 0; i < asked->resources.count && fits; i++) {
        look.resource = &asked->resources.rows[i];
        fits = describe(&look, &body->results.rows[i]);
    }
    return fits;
}
