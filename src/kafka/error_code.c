/* Names of Kafka's error codes, as its protocol guide lists them. */
#include "kafka/error_code.h"

static const char *const names[] = {
    [0] = "NONE",
    [1] = "OFFSET_OUT_OF_RANGE",
    [2] = "CORRUPT_MESSAGE",
    [3] = "UNKNOWN_TOPIC_OR_PARTITION",
    [5] = "LEADER_NOT_AVAILABLE",
    [6] = "NOT_LEADER_OR_FOLLOWER",
    [7] = "REQUEST_TIMED_OUT",
    [8] = "BROKER_NOT_AVAILABLE",
    [9] = "REPLICA_NOT_AVAILABLE",
    [13] = "NETWORK_EXCEPTION",
    [14] = "COORDINATOR_LOAD_IN_PROGRESS",
    [15] = "COORDINATOR_NOT_AVAILABLE",
    [16] = "NOT_COORDINATOR",
    [17] = "INVALID_TOPIC_EXCEPTION",
    [29] = "TOPIC_AUTHORIZATION_FAILED",
    [30] = "GROUP_AUTHORIZATION_FAILED",
    [31] = "CLUSTER_AUTHORIZATION_FAILED",
    [32] = "INVALID_TIMESTAMP",
    [33] = "UNSUPPORTED_SASL_MECHANISM",
    [34] = "ILLEGAL_SASL_STATE",
    [35] = "UNSUPPORTED_VERSION",
    [41] = "NOT_CONTROLLER",
    [42] = "INVALID_REQUEST",
    [43] = "UNSUPPORTED_FOR_MESSAGE_FORMAT",
    [56] = "KAFKA_STORAGE_ERROR",
    [58] = "SASL_AUTHENTICATION_FAILED",
    [74] = "FENCED_LEADER_EPOCH",
    [75] = "UNKNOWN_LEADER_EPOCH",
    [76] = "UNSUPPORTED_COMPRESSION_TYPE",
    [78] = "OFFSET_NOT_AVAILABLE",
    [100] = "UNKNOWN_TOPIC_ID",
    [114] = "MISMATCHED_ENDPOINT_TYPE",
    [115] = "UNSUPPORTED_ENDPOINT_TYPE",
};

const char *koa_kafka_error_name(int16_t code)
{
    if (code < 0 || (size_t) code >= KOA_ARRAY_COUNT(names) || names[code] == NULL)
        return "UNKNOWN_ERROR";
    return names[code];
}
