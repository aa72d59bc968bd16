/* Open addressing with linear probing, at most half full. A table that is too small is copied into
 * one twice as large and kept until the end, because a reader may still be in it; all old tables
 * together are no larger than the present one. */
#include "metrics/index.h"

#include <string.h>

#include "base/memory.h"

enum { FIRST_SLOTS = 64 };

struct koa_cell_table {
    struct koa_cell_table *older;
    size_t mask;
    _Atomic(struct koa_cell *) slots[];
};

void koa_cell_index_deinit(struct koa_cell_index *index)
{
    struct koa_cell_table *table = atomic_load(&index->table);

    for (size_t i = 0; table != NULL && i <= table->mask; i++)
        koa_free(atomic_load(&table->slots[i]));
    while (table != NULL) {
        struct koa_cell_table *older = table->older;

        koa_free(table);
        table = older;
    }
    atomic_store(&index->table, NULL);
    index->count = 0;
}

struct koa_cell *koa_cell_index_find(const struct koa_cell_index *index, uint64_t hash,
                                     const char *key, size_t size)
{
    struct koa_cell_table *table = atomic_load_explicit(&index->table, memory_order_acquire);

    if (table == NULL)
        return NULL;
    for (size_t i = hash & table->mask;; i = (i + 1) & table->mask) {
        struct koa_cell *cell = atomic_load_explicit(&table->slots[i], memory_order_acquire);

        if (cell == NULL)
            return NULL;
        if (cell->hash == hash && cell->key_size == size && memcmp(cell->key, key, size) == 0)
            return cell;
    }
}

static void put(struct koa_cell_table *table, struct koa_cell *cell)
{
    size_t i = cell->hash & table->mask;

    while (atomic_load_explicit(&table->slots[i], memory_order_relaxed) != NULL)
        i = (i + 1) & table->mask;
    atomic_store_explicit(&table->slots[i], cell, memory_order_release);
}

bool koa_cell_index_reserve(struct koa_cell_index *index)
{
    struct koa_cell_table *old = atomic_load_explicit(&index->table, memory_order_relaxed);
    size_t slots = old == NULL ? FIRST_SLOTS : (old->mask + 1) * 2;
    struct koa_cell_table *table;

    if (old != NULL && (index->count + 1) * 2 <= old->mask + 1)
        return true;
    table = koa_calloc(1, sizeof(*table) + slots * sizeof(table->slots[0]));
    if (table == NULL)
        return false;
    table->older = old;
    table->mask = slots - 1;
    for (size_t i = 0; old != NULL && i <= old->mask; i++) {
        struct koa_cell *cell = atomic_load_explicit(&old->slots[i], memory_order_relaxed);

        if (cell != NULL)
            put(table, cell);
    }
    atomic_store_explicit(&index->table, table, memory_order_release);
    return true;
}

void koa_cell_index_add(struct koa_cell_index *index, struct koa_cell *cell)
{
    put(atomic_load_explicit(&index->table, memory_order_relaxed), cell);
    index->count++;
}
