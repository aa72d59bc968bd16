/* Finds cells by key: a hash table that only grows, so that it is read without a lock. */
#ifndef METRICS_INDEX_H
#define METRICS_INDEX_H

#include <stdatomic.h>

#include "metrics/cell.h"

struct koa_cell_table;

/* Zeroed is empty. */
struct koa_cell_index {
    _Atomic(struct koa_cell_table *) table;
    size_t count;
};

/* Frees the cells too. */
void koa_cell_index_deinit(struct koa_cell_index *index);
/* NULL when absent, or added by another thread a moment ago: look again under the lock. */
struct koa_cell *koa_cell_index_find(const struct koa_cell_index *index, uint64_t hash,
                                     const char *key, size_t size);
/* Under the owner's lock. Makes room for one more cell; false when memory is out. */
KOA_MUST_USE bool koa_cell_index_reserve(struct koa_cell_index *index);
/* Under the owner's lock, after a reserve. */
void koa_cell_index_add(struct koa_cell_index *index, struct koa_cell *cell);

#endif
