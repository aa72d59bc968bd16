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
/* Waits at most `timeout_ms` for what is queued. */
void koa_store_destroy(struct koa_store *store, int64_t timeout_ms);

/* NULL while durable; else why it is not ("/var/lib/x: Permission denied; state lives in memory").
 * Copied into `text`. Any thread. */
bool koa_store_problem(struct koa_store *store, char *text, size_t size);
/* Path of the database file, "" in memory. */
const char *koa_store_path(const struct koa_store *store);

/* Loop's thread. Writes are copied and queued in order, and committed in groups. `done` (may be
 * NULL) runs once they are on disk or have failed. A full queue (10,000 rows) drops the write,
 * which fails with KOA_ERR_LIMIT and is counted. */
typedef void koa_store_done_fn(void *context, const struct koa_error *error); /* NULL: success */
void koa_store_put(struct koa_store *store, const char *table, struct koa_str key,
                   struct koa_wall time, struct koa_str bytes, koa_store_done_fn *done,
                   void *context);
void koa_store_delete(struct koa_store *store, const char *table, struct koa_str key);
/* Keeps the newest `keep` rows of the table by time. */
void koa_store_trim(struct koa_store *store, const char *table, int64_t keep);

/* Blocking, before the loop starts: all rows of a table, by time then key. */
typedef void koa_store_row_fn(void *context, struct koa_str key, struct koa_wall time,
                              struct koa_str bytes);
KOA_MUST_USE enum koa_err koa_store_scan(struct koa_store *store, const char *table,
                                         koa_store_row_fn *row, void *context,
                                         struct koa_error *reterr);
struct koa_limit_stats *koa_store_stats(struct koa_store *store);

#endif
