/* One SQLite file of rows: the blocking part of the store. Counted, because a write that hangs
 * keeps it beyond the store's end. One thread at a time. */
#ifndef STORE_DATABASE_H
#define STORE_DATABASE_H

#include <koa/error.h>
#include <koa/time.h>

#include "base/log.h"
#include "base/published.h"
#include "store/store.h"

struct koa_database;

/* One change. `table`, `key` and `bytes` are owned by whoever made it. */
enum koa_change_type { KOA_CHANGE_PUT, KOA_CHANGE_DELETE, KOA_CHANGE_TRIM };
struct koa_change {
    enum koa_change_type type;
    const char *table;
    struct koa_str key;
    struct koa_wall time;
    struct koa_str bytes;
    int64_t keep; /* of a trim */
};

/* `path` NULL: in memory. A damaged file is moved aside, said in the log, and a new one is begun.
 * KOA_ERR_IO when the disk is full or refuses, KOA_ERR_STORE otherwise. */
KOA_MUST_USE enum koa_err koa_database_create(const char *path, struct koa_wall now,
                                              struct koa_log *log,
                                              struct koa_database **ret_database,
                                              struct koa_error *reterr);
struct koa_database *koa_database_ref(struct koa_database *database);
void koa_database_unref(struct koa_database *database);

/* All or nothing, on disk when it returns. */
KOA_MUST_USE enum koa_err koa_database_begin(struct koa_database *database,
                                             struct koa_error *reterr);
KOA_MUST_USE enum koa_err koa_database_change(struct koa_database *database,
                                              const struct koa_change *change,
                                              struct koa_error *reterr);
KOA_MUST_USE enum koa_err koa_database_commit(struct koa_database *database,
                                              struct koa_error *reterr);
void koa_database_rollback(struct koa_database *database);

KOA_MUST_USE enum koa_err koa_database_scan(struct koa_database *database, const char *table,
                                            koa_store_row_fn *row, void *context,
                                            struct koa_error *reterr);
/* Writes a row of a table of its own and reads it back. */
KOA_MUST_USE enum koa_err koa_database_probe(struct koa_database *database, struct koa_wall now,
                                             struct koa_error *reterr);

/* What a probe needs of its store. `database` is a reference of the caller's. */
struct koa_store_parts {
    struct koa_workers *workers;
    struct koa_loop *loop;
    struct koa_database *database;
};
struct koa_store_parts koa_store_parts(struct koa_store *store);

/* DIRECTORY/lock with this process's id. `*ret_descriptor` holds the lock until it is closed.
 * KOA_ERR_STATE: another process holds it, named by its id. KOA_ERR_IO: the directory cannot be
 * made or written. */
KOA_MUST_USE enum koa_err koa_directory_lock(const char *directory, int *ret_descriptor,
                                             struct koa_error *reterr);

#endif
