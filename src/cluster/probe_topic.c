/* Partition i is led by the i-th broker, with copies on the next two. */
#include "cluster/probe_topic.h"

#include "base/memory.h"
#include "base/str.h"

enum { REPLICAS = 3 };

struct koa_probe_topic {
    char *name;
    struct koa_kafka_metadata_request_topic asked;
    struct koa_kafka_metadata_request question;

    int32_t *replicas; /* REPLICAS of each partition */
    struct koa_kafka_create_topics_assignment *assignments;
    struct koa_kafka_create_topics_request_config configs[3];
    struct koa_kafka_create_topics_request_topic planned;
    struct koa_kafka_create_topics_request creation;
};

struct koa_probe_topic *koa_probe_topic_create(const char *name)
{
    struct koa_probe_topic *topic = koa_calloc(1, sizeof(*topic));

    if (topic == NULL)
        return NULL;
    topic->name = koa_strdup(name);
    if (topic->name == NULL) {
        koa_probe_topic_destroy(topic);
        return NULL;
    }
    topic->asked.name = koa_str_from(topic->name);
    topic->question.topics.rows = &topic->asked;
    topic->question.topics.count = 1;
    return topic;
}

void koa_probe_topic_destroy(struct koa_probe_topic *topic)
{
    if (topic == NULL)
        return;
    koa_free(topic->replicas);
    koa_free(topic->assignments);
    koa_free(topic->name);
    koa_free(topic);
}

const struct koa_kafka_metadata_request *
koa_probe_topic_question(const struct koa_probe_topic *topic)
{
    return &topic->question;
}

bool koa_probe_topic_learn(struct koa_probe_topic *topic,
                           const struct koa_kafka_metadata_response *answer)
{
    size_t brokers = answer->brokers.count;
    size_t copies = brokers < REPLICAS ? brokers : REPLICAS;

    koa_free(KOA_MOVE(topic->replicas));
    koa_free(KOA_MOVE(topic->assignments));
    topic->planned.assignments.count = 0;
    if (brokers == 0)
        return false;
    topic->replicas = koa_calloc(brokers * REPLICAS, sizeof(*topic->replicas));
    topic->assignments = koa_calloc(brokers, sizeof(*topic->assignments));
    if (topic->replicas == NULL || topic->assignments == NULL)
        return false;
    for (size_t i = 0; i < brokers; i++) {
        int32_t *ids = &topic->replicas[i * REPLICAS];

        for (size_t j = 0; j < copies; j++)
            ids[j] = answer->brokers.rows[(i + j) % brokers].node_id;
        topic->assignments[i] = (struct koa_kafka_create_topics_assignment){
            .partition_index = (int32_t) i, .broker_ids = {.rows = ids, .count = copies}};
    }
    topic->planned.assignments.rows = topic->assignments;
    topic->planned.assignments.count = brokers;
    return true;
}

const struct koa_kafka_create_topics_request *
koa_probe_topic_creation(struct koa_probe_topic *topic, int64_t timeout_ms)
{
    /* Messages are read at once: an hour is for whoever looks into the topic. */
    topic->configs[0] = (struct koa_kafka_create_topics_request_config){
        .name = KOA_STR("cleanup.policy"), .value = KOA_STR("delete")};
    topic->configs[1] = (struct koa_kafka_create_topics_request_config){
        .name = KOA_STR("retention.ms"), .value = KOA_STR("3600000")};
    topic->configs[2] = (struct koa_kafka_create_topics_request_config){
        .name = KOA_STR("segment.ms"), .value = KOA_STR("3600000")};
    topic->planned.name = koa_str_from(topic->name);
    topic->planned.num_partitions = -1;
    topic->planned.replication_factor = -1;
    topic->planned.configs.rows = topic->configs;
    topic->planned.configs.count = KOA_ARRAY_COUNT(topic->configs);
    topic->creation.topics.rows = &topic->planned;
    topic->creation.topics.count = 1;
    topic->creation.timeout_ms = (int32_t) timeout_ms;
    return &topic->creation;
}
