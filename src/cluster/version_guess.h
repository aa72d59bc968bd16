/* Which release a broker is, by what it offers: Kafka does not tell. */
#ifndef CLUSTER_VERSION_GUESS_H
#define CLUSTER_VERSION_GUESS_H

#include <koa/base.h>

/* The highest version that a broker and we have in common, or -1. */
typedef int16_t koa_version_fn(void *context, int32_t broker, int16_t api_key);

/* "4.3": the oldest release that offers as much. NULL when it is older than all that are told
 * apart, or nothing is known of the broker. */
const char *koa_version_guess(koa_version_fn *version, void *context, int32_t broker);

#endif
