/* The table of features, and what one right's error code says. */
#include "cli/doctor_features.h"

#include "kafka/error_code.h"

#define DESCRIBE_TOPIC                                                                             \
    {                                                                                              \
        CLI_OPERATION_DESCRIBE, CLI_RESOURCE_TOPIC                                                 \
    }
#define DESCRIBE_GROUP                                                                             \
    {                                                                                              \
        CLI_OPERATION_DESCRIBE, CLI_RESOURCE_GROUP                                                 \
    }
#define NO_RIGHT                                                                                   \
    {                                                                                              \
        CLI_OPERATION_DESCRIBE, CLI_RESOURCE_NONE                                                  \
    }
#define DESCRIBE_CLUSTER                                                                           \
    {                                                                                              \
        CLI_OPERATION_DESCRIBE, CLI_RESOURCE_CLUSTER                                               \
    }

const struct cli_feature cli_features[] = {
    {"metadata",
     "topics, partitions, their leaders and replicas",
     CLI_REQUIRED,
     {{KOA_KAFKA_METADATA, 1, "0.10.0"}},
     {DESCRIBE_TOPIC},
     &cli_question_metadata},
    {"brokers",
     "brokers that are registered, the fenced ones too",
     CLI_IF_OFFERED,
     {{KOA_KAFKA_DESCRIBE_CLUSTER, 0, "2.8"}},
     {NO_RIGHT},
     NULL},
    {"groups",
     "consumer groups, their states and members",
     CLI_REQUIRED,
     {{KOA_KAFKA_LIST_GROUPS, 0, "0.9"}, {KOA_KAFKA_DESCRIBE_GROUPS, 0, "0.9"}},
     {DESCRIBE_GROUP},
     &cli_question_groups},
    {"consumer_protocol_groups",
     "groups of the newer consumer protocol (KIP-848)",
     CLI_IF_OFFERED,
     {{KOA_KAFKA_CONSUMER_GROUP_DESCRIBE, 0, "3.7"}},
     {DESCRIBE_GROUP},
     &cli_question_consumer_group_describe},
    {"share_groups",
     "share groups (KIP-932)",
     CLI_IF_OFFERED,
     {{KOA_KAFKA_SHARE_GROUP_DESCRIBE, 0, "4.0"}},
     {DESCRIBE_GROUP},
     &cli_question_share_group_describe},
    {"streams_groups",
     "streams groups (KIP-1071)",
     CLI_IF_OFFERED,
     {{KOA_KAFKA_STREAMS_GROUP_DESCRIBE, 0, "4.1"}},
     {DESCRIBE_GROUP},
     &cli_question_streams_group_describe},
    {"commits",
     "what groups have committed: half of every lag",
     CLI_REQUIRED,
     {{KOA_KAFKA_OFFSET_FETCH, 2, "0.10.2"}},
     {DESCRIBE_GROUP, DESCRIBE_TOPIC},
     &cli_question_commits},
    {"share_offsets",
     "where share groups read",
     CLI_IF_OFFERED,
     {{KOA_KAFKA_DESCRIBE_SHARE_GROUP_OFFSETS, 0, "4.1"}},
     {DESCRIBE_GROUP, DESCRIBE_TOPIC},
     &cli_question_share_offsets},
    {"log_ends",
     "ends of partitions: the other half of every lag",
     CLI_REQUIRED,
     {{KOA_KAFKA_LIST_OFFSETS, 1, "0.10.1"}},
     {DESCRIBE_TOPIC},
     &cli_question_end},
    {"log_starts",
     "starts of partitions: commits below them, the share of the log that a lag takes",
     CLI_REQUIRED,
     {{KOA_KAFKA_LIST_OFFSETS, 1, "0.10.1"}},
     {DESCRIBE_TOPIC},
     &cli_question_start},
    {"last_stable_offsets",
     "open transactions, so that a lag behind one is not taken for a slow consumer",
     CLI_REQUIRED,
     {{KOA_KAFKA_LIST_OFFSETS, 2, "0.11"}},
     {DESCRIBE_TOPIC},
     &cli_question_stable},
    {"time_lag",
     "lag in seconds, by looking offsets up by time",
     CLI_REQUIRED,
     {{KOA_KAFKA_LIST_OFFSETS, 1, "0.10.1"}},
     {DESCRIBE_TOPIC},
     &cli_question_time},
    {"transaction_markers",
     "a lag of markers only, by reading one batch where a lag of 1 or 2 does not move",
     CLI_OPTIONAL,
     {{KOA_KAFKA_FETCH, 4, "0.11"}},
     {{CLI_OPERATION_READ, CLI_RESOURCE_TOPIC}},
     &cli_question_fetch_topic},
    {"topic_settings",
     "min.insync.replicas and retention of each topic",
     CLI_REQUIRED,
     {{KOA_KAFKA_DESCRIBE_CONFIGS, 1, "1.1"}},
     {{CLI_OPERATION_DESCRIBE_CONFIGS, CLI_RESOURCE_TOPIC}},
     &cli_question_configs},
    {"log_dirs",
     "log dirs, their sizes and errors",
     CLI_REQUIRED,
     {{KOA_KAFKA_DESCRIBE_LOG_DIRS, 1, "2.0"}},
     {DESCRIBE_CLUSTER},
     &cli_question_log_dirs},
    {"reassignments",
     "replicas that move between brokers",
     CLI_REQUIRED,
     {{KOA_KAFKA_LIST_PARTITION_REASSIGNMENTS, 0, "2.4"}},
     {DESCRIBE_CLUSTER},
     &cli_question_reassignments},
    {"quorum",
     "the controllers' quorum; clusters with ZooKeeper have none",
     CLI_IF_OFFERED,
     {{KOA_KAFKA_DESCRIBE_QUORUM, 0, "3.0"}},
     {DESCRIBE_CLUSTER},
     &cli_question_quorum},
    {"probe_topic",
     "the end-to-end probe makes its topic where it is not there",
     CLI_IF_PROBING,
     {{KOA_KAFKA_CREATE_TOPICS, 2, "0.11"}},
     {{CLI_OPERATION_CREATE, CLI_RESOURCE_PROBE_TOPIC}},
     &cli_question_creation},
    {"probe_produce",
     "the probe writes its messages",
     CLI_IF_PROBING,
     {{KOA_KAFKA_PRODUCE, 3, "0.11"}},
     {{CLI_OPERATION_WRITE, CLI_RESOURCE_PROBE_TOPIC}},
     &cli_question_produce},
    {"probe_fetch",
     "the probe reads them back",
     CLI_IF_PROBING,
     {{KOA_KAFKA_FETCH, 4, "0.11"}},
     {{CLI_OPERATION_READ, CLI_RESOURCE_PROBE_TOPIC}},
     &cli_question_fetch_probe},
    {0},
};
const size_t cli_feature_count = KOA_ARRAY_COUNT(cli_features) - 1;

enum cli_grant cli_grant_of(int16_t code)
{
    switch (code) {
    case KOA_KAFKA_TOPIC_AUTHORIZATION_FAILED:
    case KOA_KAFKA_GROUP_AUTHORIZATION_FAILED:
    case KOA_KAFKA_CLUSTER_AUTHORIZATION_FAILED:
        return CLI_GRANT_REFUSED;
    case KOA_KAFKA_UNSUPPORTED_VERSION:
        return CLI_GRANT_OFF;
    case KOA_KAFKA_NO_ERROR:
    case KOA_KAFKA_UNKNOWN_TOPIC_OR_PARTITION:
    case KOA_KAFKA_LEADER_NOT_AVAILABLE:
    case KOA_KAFKA_NOT_LEADER_OR_FOLLOWER:
    case KOA_KAFKA_COORDINATOR_LOAD_IN_PROGRESS:
    case KOA_KAFKA_COORDINATOR_NOT_AVAILABLE:
    case KOA_KAFKA_NOT_COORDINATOR:
    case KOA_KAFKA_TOPIC_ALREADY_EXISTS:
    case KOA_KAFKA_INVALID_REPLICATION_FACTOR:
    case KOA_KAFKA_POLICY_VIOLATION:
    case KOA_KAFKA_GROUP_ID_NOT_FOUND:
        return CLI_GRANT_GIVEN; /* the rights come first */
    default:
        return CLI_GRANT_UNTOLD;
    }
}
