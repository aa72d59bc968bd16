/* DescribeLogDirs (35): the folders of one broker and the bytes of each partition in them. Null
 * topics ask for all. */
#ifndef KAFKA_MESSAGES_DESCRIBE_LOG_DIRS_H
#define KAFKA_MESSAGES_DESCRIBE_LOG_DIRS_H

#include "kafka/field.h"

struct koa_kafka_describe_log_dirs_request_topic {
    struct koa_str topic;
    KOA_KAFKA_ARRAY(int32_t) partitions;
};

struct koa_kafka_describe_log_dirs_request {
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_log_dirs_request_topic) topics; /* null: all */
};

struct koa_kafka_describe_log_dirs_partition {
    int64_t partition_size; /* bytes */
    int64_t offset_lag;     /* messages behind the high watermark */
    int32_t partition_index;
    bool is_future_key; /* it will replace the replica in another folder */
};

struct koa_kafka_describe_log_dirs_topic {
    struct koa_str name;
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_log_dirs_partition) partitions;
};

struct koa_kafka_describe_log_dirs_result {
    struct koa_str log_dir;
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_log_dirs_topic) topics;
    int64_t total_bytes;  /* 4+; of the file system; -1: not told */
    int64_t usable_bytes; /* 4+; likewise */
    int16_t error_code;
    bool is_cordoned; /* 5+; takes no new partitions (KIP-1066) */
};

struct koa_kafka_describe_log_dirs_response {
    int32_t throttle_time_ms;
    int16_t error_code; /* 3+ */
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_log_dirs_result)
    results; /* empty without the right to ask, before 3 */
};

extern const struct koa_kafka_message koa_kafka_describe_log_dirs_request;
extern const struct koa_kafka_message koa_kafka_describe_log_dirs_response;

#endif
