/* Kafka's numbers for what went wrong, with their names. */
#ifndef KAFKA_ERROR_CODE_H
#define KAFKA_ERROR_CODE_H

#include <koa/base.h>

/* Those that this side treats apart, and those that an operator meets most. */
enum koa_kafka_error {
    KOA_KAFKA_NO_ERROR = 0,
    KOA_KAFKA_UNKNOWN_TOPIC_OR_PARTITION = 3,
    KOA_KAFKA_LEADER_NOT_AVAILABLE = 5,
    KOA_KAFKA_NOT_LEADER_OR_FOLLOWER = 6,
    KOA_KAFKA_REPLICA_NOT_AVAILABLE = 9,
    KOA_KAFKA_TOPIC_AUTHORIZATION_FAILED = 29,
    KOA_KAFKA_UNSUPPORTED_VERSION = 35,
    KOA_KAFKA_INVALID_REQUEST = 42,
    KOA_KAFKA_UNKNOWN_TOPIC_ID = 100
};

/* "NOT_LEADER_OR_FOLLOWER" and so on; "UNKNOWN_ERROR" for numbers outside the table. Never NULL. */
const char *koa_kafka_error_name(int16_t code);

#endif
