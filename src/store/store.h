/* Durable state: rows of (table, key, time, bytes). It knows nobody's types. SQLite on a worker of
 * its own key; the callers' thread never waits. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <koa/base.h>
#include <koa/error.h>
#include <koa/time.h>

#include "base/limit.h"
#include "base/log.h"
#include "loop/loop.h"
#include "loop/worker.h"

struct koa_store;

enum {
    /* Rows that may wait to be written. A later write of the same row takes the place of one that
     * waits, so this is the number of different rows that change while a disk is away. */
    KOA_STORE_QUEUE = 10000,
    /* One row's bytes; more is refused. */
    KOA_STORE_ROW_BYTES = 1024 * 1024
};

struct koa_store_opts {
    const char *directory; /* created (mode 0700) when missing; NULL: state lives in memory */
    struct koa_workers *workers;
    struct koa_loop *loop; /* `done` callbacks run here */
    struct koa_log *log;
};

/* Opens DIRECTORY/state.db and locks it against a second agent (KOA_ERR_STATE names the holder's
 * pid). When the directory cannot be written the state lives in memory: KOA_OK, one warning, and
 * koa_store_problem() says why. A damaged file is moved aside and named in the log. Blocks: before
 * the loop starts only. */
KOA_MUST_USE enum koa_err koa_store_create(const struct koa_store_opts *opts,
                                           struct koa_store **ret_store, struct koa_error *reterr);
/* After the loop has stopped, or on its thread. Waits at most `timeout_ms` for what is queued, then
 * says in the log how much was lost. `done` callbacks do not run any more. NULL is nothing. */
void koa_store_destroy(struct koa_store *store, int64_t timeout_ms);

/* False while all is durable; else true, and `text` says why it is not ("/var/lib/x: Permission
 * denied; state lives in memory"). Any thread. */
bool koa_store_problem(struct koa_store *store, char *text, size_t size);
/* Path of the database file, "" in memory. */
const char *koa_store_path(const struct koa_store *store);

/* Loop's thread. Writes are copied and queued in order, and committed in groups. `done` runs on the
 * loop once the row is on disk, with NULL, or when it never will be: a full queue refuses the write
 * (KOA_ERR_LIMIT, counted), a newer write of the row has replaced it (KOA_ERR_CANCELLED). While the
 * disk is full or away, writes wait and are tried again. */
typedef void koa_store_done_fn(void *context, const struct koa_error *error); /* NULL: success */
struct koa_store_row {
    struct koa_str key;
    struct koa_wall time;
    struct koa_str bytes;
    koa_store_done_fn *done; /* may be NULL */
    void *context;
};
void koa_store_put(struct koa_store *store, const char *table, const struct koa_store_row *row);
void koa_store_delete(struct koa_store *store, const char *table, struct koa_str key);
/* Keeps the newest `keep` rows of the table by time, then key. */
void koa_store_trim(struct koa_store *store, const char *table, int64_t keep);

/* Blocking, before the loop starts: all rows of a table, by time then key. */
typedef void koa_store_row_fn(void *context, struct koa_str key, struct koa_wall time,
                              struct koa_str bytes);
KOA_MUST_USE enum koa_err koa_store_scan(struct koa_store *store, const char *table,
                                         koa_store_row_fn *row, void *context,
                                         struct koa_error *reterr);

/* Loop's thread. Writes a row and reads it back, for the database check: `done` runs once on the
 * loop, at the latest after `deadline_ms`. Returns a handle for koa_store_probe_cancel(), or NULL
 * and `reterr`: then `done` does not run. */
struct koa_store_probe;
KOA_MUST_USE struct koa_store_probe *koa_store_probe_start(struct koa_store *store,
                                                           int64_t deadline_ms,
                                                           koa_store_done_fn *done, void *context,
                                                           struct koa_error *reterr);
/* `done` does not run. Not after it has run. */
void koa_store_probe_cancel(struct koa_store_probe *probe);

/* Blocking, on a worker: opens another SQLite file for reading and runs a query, so that a missing,
 * locked or damaged file shows. Never makes or changes it: it is not ours. Waits up to
 * `timeout_ms` for a lock. */
KOA_MUST_USE enum koa_err koa_sqlite_probe(const char *path, int64_t timeout_ms,
                                           struct koa_error *reterr);

struct koa_limit_stats *koa_store_stats(struct koa_store *store); /* rows that wait */

#endif
