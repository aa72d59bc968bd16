/* The probe's topic: who leads it, and how it is created so that every broker leads one partition.
 * Pure. */
#ifndef CLUSTER_PROBE_TOPIC_H
#define CLUSTER_PROBE_TOPIC_H

#include <koa/base.h>

#include "kafka/messages/create_topics.h"
#include "kafka/messages/metadata.h"

struct koa_probe_topic;

/* NULL when memory is out. */
KOA_MUST_USE struct koa_probe_topic *koa_probe_topic_create(const char *name);
void koa_probe_topic_destroy(struct koa_probe_topic *topic); /* NULL is nothing */
/* Metadata of this topic alone; asking never creates it. Valid as long as the topic. */
const struct koa_kafka_metadata_request *
koa_probe_topic_question(const struct koa_probe_topic *topic);
/* Plans one partition for each broker of the answer. False when there is none, or no memory. */
bool koa_probe_topic_learn(struct koa_probe_topic *topic,
                           const struct koa_kafka_metadata_response *answer);
/* The plan, valid until the next koa_probe_topic_learn(). */
const struct koa_kafka_create_topics_request *
koa_probe_topic_creation(struct koa_probe_topic *topic, int64_t timeout_ms);

#endif
