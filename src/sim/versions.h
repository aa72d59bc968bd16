/* Which APIs, in which versions, a broker of a Kafka version has. */
#ifndef SIM_VERSIONS_H
#define SIM_VERSIONS_H

#include <koa/base.h>

#include "sim/group.h"

enum koa_sim_version {
    KOA_SIM_KAFKA_4_X, /* the newest */
    KOA_SIM_KAFKA_4_0,
    KOA_SIM_KAFKA_3_9,
    KOA_SIM_KAFKA_2_8,
    KOA_SIM_VERSION_COUNT
};

/* "4.x", "4.0", "3.9", "2.8". */
const char *koa_sim_version_name(enum koa_sim_version version);
/* False: no such version. */
bool koa_sim_version_find(const char *name, enum koa_sim_version *ret_version);
/* False: such a broker does not have the API. Only versions that our tables know. */
bool koa_sim_version_range(enum koa_sim_version version, int16_t api_key, int16_t *ret_minimum,
                           int16_t *ret_maximum);
bool koa_sim_version_has_type(enum koa_sim_version version, enum koa_sim_group_type type);

#endif
