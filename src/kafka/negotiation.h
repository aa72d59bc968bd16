/* Which version of each API a broker and we have in common. */
#ifndef KAFKA_NEGOTIATION_H
#define KAFKA_NEGOTIATION_H

#include <koa/error.h>

#include "kafka/messages/api_versions.h"

/* In which a connection says hello. 5 only adds whom the asker expects, and would cost one more
 * round trip with every broker before 4.4. */
enum { KOA_KAFKA_HELLO_VERSION = 4 };

enum { KOA_KAFKA_API_LIMIT = 64 }; /* rows of koa_kafka_apis that are kept apart */

struct koa_kafka_version_range {
    int16_t minimum, maximum; /* the broker's; -1: it does not have the API */
};

/* One row per API of koa_kafka_apis. */
struct koa_kafka_versions {
    struct koa_kafka_version_range rows[KOA_KAFKA_API_LIMIT];
};

void koa_kafka_versions_clear(struct koa_kafka_versions *versions);
void koa_kafka_versions_learn(struct koa_kafka_versions *versions,
                              const struct koa_kafka_api_versions_response *answer);
/* The highest common version. KOA_ERR_UNSUPPORTED says both ranges. */
KOA_MUST_USE enum koa_err koa_kafka_versions_choose(const struct koa_kafka_versions *versions,
                                                    int16_t api_key, int16_t *ret_version,
                                                    struct koa_error *reterr);
/* The same, or -1. */
int16_t koa_kafka_versions_get(const struct koa_kafka_versions *versions, int16_t api_key);
/* The version in which to ask again after UNSUPPORTED_VERSION; 0 when the answer names none. */
int16_t koa_kafka_hello_version(const struct koa_kafka_api_versions_response *answer);

#endif
