/* ApiVersions (18): which APIs and versions a broker speaks. Its response header is always version
 * 0, and its request in a version the broker does not know is answered in version 0 (KIP-511). */
#ifndef KAFKA_MESSAGES_API_VERSIONS_H
#define KAFKA_MESSAGES_API_VERSIONS_H

#include "kafka/field.h"

struct koa_kafka_api_versions_request {
    struct koa_str client_software_name;    /* 3+ */
    struct koa_str client_software_version; /* 3+ */
    struct koa_str cluster_id;              /* 5+; null: any. Whom the asker expects to answer */
    int32_t node_id;                        /* 5+; -1: any */
};

struct koa_kafka_api_range {
    int16_t api_key;
    int16_t min_version;
    int16_t max_version;
};

struct koa_kafka_feature {
    struct koa_str name;
    int16_t min_version;
    int16_t max_version;
};

struct koa_kafka_finalized_feature {
    struct koa_str name;
    int16_t max_version_level;
    int16_t min_version_level;
};

struct koa_kafka_api_versions_response {
    int16_t error_code;
    KOA_KAFKA_ARRAY(struct koa_kafka_api_range) api_keys;
    int32_t throttle_time_ms;                                               /* 1+ */
    KOA_KAFKA_ARRAY(struct koa_kafka_feature) supported_features;           /* 3+, tag 0 */
    int64_t finalized_features_epoch;                                       /* 3+, tag 1 */
    KOA_KAFKA_ARRAY(struct koa_kafka_finalized_feature) finalized_features; /* 3+, tag 2 */
    bool zk_migration_ready;                                                /* 3+, tag 3 */
};

extern const struct koa_kafka_message koa_kafka_api_versions_request;
extern const struct koa_kafka_message koa_kafka_api_versions_response;

#endif
