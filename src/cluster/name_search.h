/* Rows in the order of their names' bytes. */
#ifndef CLUSTER_NAME_SEARCH_H
#define CLUSTER_NAME_SEARCH_H

#include "base/str.h"

typedef struct koa_str koa_name_at_fn(const void *rows, size_t index);

/* The index of the row with that name; `count` when there is none. */
size_t koa_name_search(const void *rows, size_t count, koa_name_at_fn *name_at,
                       struct koa_str name);

#endif
