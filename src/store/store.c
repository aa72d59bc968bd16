/* The queue before the database: what waits, what is written together, what is tried again. At most
 * one group is under way; while it is, everything else waits, so that order is kept. */
#include "store/store.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/str.h"
#include "loop/clock.h"
#include "loop/thread.h"
#include "store/database.h"

enum {
    GROUP_ROWS = 1000,         /* in one transaction: readers of the file wait for milliseconds */
    GROUP_DEADLINE_MS = 30000, /* a disk that hangs longer is reported */
    RETRY_MS = 1000,
    RETRY_LIMIT_MS = 30000,
    PROBLEM_SIZE = 512,
    PATH_SIZE = 4096,
    KEY_SIZE = 512 /* table, type and key of a queued change */
};

static const char worker_key[] = "store";

/* A change that waits, with all it refers to in one block. */
struct queued {
    struct koa_list_node node;
    struct koa_change change;
    koa_store_done_fn *done;
    void *context;
    size_t map_key_size;
    char map_key[KEY_SIZE];
};

/* Changes of one transaction. Outlives the store when a write hangs. */
struct group {
    struct koa_job job;
    struct koa_store *store; /* NULL once the store is gone */
    struct koa_database *database;
    struct koa_list_node rows;
    size_t count;
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    bool has_ended; /* with `error`; under the mutex */
    struct koa_error error;
};

struct koa_store {
    struct koa_store_opts opts;
    struct koa_database *database;
    int lock; /* descriptor, or -1 */
    char path[PATH_SIZE];
    struct koa_list_node queue;
    struct koa_map *latest; /* table, type and key -> struct queued that waits */
    struct group *under_way;
    struct koa_timer retry_timer;
    int64_t retry_ms;
    struct koa_limit_stats stats;
    pthread_mutex_t problem_mutex;
    char problem[PROBLEM_SIZE]; /* of writing; "" while it works */
    char memory_reason[PROBLEM_SIZE];
};

static void write_next(struct koa_store *store);

/* ---- what is wrong ---- */

static void set_problem(struct koa_store *store, const char *text)
{
    (void) pthread_mutex_lock(&store->problem_mutex);
    (void) koa_str_copy(store->problem, sizeof(store->problem), koa_str_from(text));
    (void) pthread_mutex_unlock(&store->problem_mutex);
}

bool koa_store_problem(struct koa_store *store, char *text, size_t size)
{
    const char *problem;
    bool has_problem;

    (void) pthread_mutex_lock(&store->problem_mutex);
    problem = store->problem[0] != '\0' ? store->problem : store->memory_reason;
    has_problem = problem[0] != '\0';
    (void) koa_str_copy(text, size, koa_str_from(problem));
    (void) pthread_mutex_unlock(&store->problem_mutex);
    return has_problem;
}

/* ---- the queue ---- */

static void free_queued(struct queued *queued)
{
    koa_free(queued);
}

static void end_queued(struct queued *queued, const struct koa_error *error)
{
    if (queued->done != NULL)
        queued->done(queued->context, error);
    free_queued(queued);
}

static struct koa_str map_key(const struct queued *queued)
{
    return (struct koa_str){.data = queued->map_key, .size = queued->map_key_size};
}

static void count_waiting(struct koa_store *store)
{
    atomic_store(&store->stats.used, (int_fast64_t) koa_map_count(store->latest));
}

/* One block for the change and its texts; NULL: memory is out. */
static struct queued *copy_change(const struct koa_change *change)
{
    size_t table_size = strlen(change->table) + 1;
    struct queued *queued =
        koa_calloc(1, sizeof(*queued) + table_size + change->key.size + change->bytes.size);
    char *end;
    int head;

    if (queued == NULL)
        return NULL;
    queued->change = *change;
    end = (char *) (queued + 1);
    queued->change.table = memcpy(end, change->table, table_size);
    end += table_size;
    if (change->key.size > 0)
        queued->change.key.data = memcpy(end, change->key.data, change->key.size);
    end += change->key.size;
    if (change->bytes.size > 0)
        queued->change.bytes.data = memcpy(end, change->bytes.data, change->bytes.size);
    /* A trim has a place of its own; a put and a delete of one row replace each other. */
    head = snprintf(queued->map_key, sizeof(queued->map_key), "%c%s/",
                    change->type == KOA_CHANGE_TRIM ? 't' : 'r', change->table);
    queued->map_key_size = (size_t) head;
    memcpy(queued->map_key + head, change->key.data != NULL ? change->key.data : "",
           change->key.size);
    queued->map_key_size += change->key.size;
    return queued;
}

static void refuse(struct koa_store *store, koa_store_done_fn *done, void *context,
                   const struct koa_error *error)
{
    atomic_fetch_add(&store->stats.dropped, 1);
    koa_log_error(store->opts.log, "store.full", "%s; a restart will not know of it", error->text);
    if (done != NULL)
        done(context, error);
}

static void replace(struct koa_store *store, struct queued *old)
{
    struct koa_error error;

    koa_list_remove(&old->node);
    (void) koa_map_remove(store->latest, map_key(old));
    (void) koa_fail(&error, KOA_ERR_CANCELLED, "a newer write of the row took its place");
    end_queued(old, &error);
}

static void enqueue(struct koa_store *store, const struct koa_change *change,
                    koa_store_done_fn *done, void *context)
{
    struct queued *queued = NULL;
    struct koa_error error;
    enum koa_err err = KOA_OK;
    struct queued *old;

    if (strlen(change->table) + change->key.size + 4 > KEY_SIZE ||
        change->bytes.size > KOA_STORE_ROW_BYTES) {
        err = koa_fail(&error, KOA_ERR_LIMIT, "a row of table '%s' is too large to be kept",
                       change->table);
    }
    if (err == KOA_OK) {
        queued = copy_change(change);
        err = koa_require_memory(queued, &error);
    }
    if (err != KOA_OK) {
        refuse(store, done, context, &error);
        return;
    }
    queued->done = done;
    queued->context = context;
    old = koa_map_find(store->latest, map_key(queued));
    if (old != NULL)
        replace(store, old);
    err = koa_map_put(store->latest, map_key(queued), queued, NULL);
    if (err != KOA_OK) {
        (void) koa_fail(&error, err, "%d rows already wait for the state database",
                        KOA_STORE_QUEUE);
        free_queued(queued);
        refuse(store, done, context, &error);
        return;
    }
    koa_list_push_back(&store->queue, &queued->node);
    count_waiting(store);
    write_next(store);
}

void koa_store_put(struct koa_store *store, const char *table, const struct koa_store_row *row)
{
    struct koa_change change = {.type = KOA_CHANGE_PUT,
                                .table = table,
                                .key = row->key,
                                .time = row->time,
                                .bytes = row->bytes};

    enqueue(store, &change, row->done, row->context);
}

void koa_store_delete(struct koa_store *store, const char *table, struct koa_str key)
{
    struct koa_change change = {.type = KOA_CHANGE_DELETE, .table = table, .key = key};

    enqueue(store, &change, NULL, NULL);
}

void koa_store_trim(struct koa_store *store, const char *table, int64_t keep)
{
    struct koa_change change = {
        .type = KOA_CHANGE_TRIM, .table = table, .keep = keep > 0 ? keep : 1};

    enqueue(store, &change, NULL, NULL);
}

/* ---- groups ---- */

static void free_group(struct group *group)
{
    while (!koa_list_is_empty(&group->rows))
        free_queued(KOA_CONTAINER_OF(koa_list_pop_front(&group->rows), struct queued, node));
    koa_database_unref(group->database);
    (void) pthread_cond_destroy(&group->ended);
    (void) pthread_mutex_destroy(&group->mutex);
    koa_free(group);
}

/* Worker's thread. */
static void group_work(struct koa_job *job)
{
    struct group *group = KOA_CONTAINER_OF(job, struct group, job);
    struct koa_error error = {0};
    enum koa_err err = koa_database_begin(group->database, &error);

    KOA_LIST_FOREACH (node, &group->rows) {
        if (err == KOA_OK) {
            err = koa_database_change(group->database,
                                      &KOA_CONTAINER_OF(node, struct queued, node)->change, &error);
        }
    }
    if (err == KOA_OK)
        err = koa_database_commit(group->database, &error);
    if (err != KOA_OK)
        koa_database_rollback(group->database);
    (void) pthread_mutex_lock(&group->mutex);
    error.code = err;
    group->error = error;
    group->has_ended = true;
    (void) pthread_cond_broadcast(&group->ended);
    (void) pthread_mutex_unlock(&group->mutex);
}

static void retry_due(struct koa_timer *timer, struct koa_mono now)
{
    (void) now;
    write_next(KOA_CONTAINER_OF(timer, struct koa_store, retry_timer));
}

static void retry_later(struct koa_store *store, const char *problem)
{
    char text[PROBLEM_SIZE];
    bool is_new;

    store->retry_ms = store->retry_ms == 0 ? RETRY_MS : store->retry_ms * 2;
    if (store->retry_ms > RETRY_LIMIT_MS)
        store->retry_ms = RETRY_LIMIT_MS;
    (void) snprintf(text, sizeof(text), "%.400s; changes wait in memory", problem);
    is_new = store->problem[0] == '\0';
    set_problem(store, text);
    if (is_new)
        koa_log_error(store->opts.log, "store.write", "%s and are tried again", text);
    if (!koa_loop_after(store->opts.loop, &store->retry_timer, store->retry_ms, retry_due)) {
        koa_log_error(store->opts.log, "store.write",
                      "no memory for a timer; the next change tries again");
    }
}

/* The rows go back to the front, in order; a row that has been written anew meanwhile is over. */
static void take_back(struct koa_store *store, struct group *group)
{
    while (!koa_list_is_empty(&group->rows)) {
        struct koa_list_node *last = group->rows.previous;
        struct queued *queued = KOA_CONTAINER_OF(last, struct queued, node);
        struct koa_error error;

        koa_list_remove(last);
        if (koa_map_find(store->latest, map_key(queued)) != NULL) {
            (void) koa_fail(&error, KOA_ERR_CANCELLED, "a newer write of the row took its place");
            end_queued(queued, &error);
        } else if (koa_map_put(store->latest, map_key(queued), queued, NULL) == KOA_OK) {
            koa_list_push_back(store->queue.next, &queued->node);
        } else {
            (void) koa_fail(&error, KOA_ERR_LIMIT, "%d rows already wait for the state database",
                            KOA_STORE_QUEUE);
            refuse(store, queued->done, queued->context, &error);
            free_queued(queued);
        }
    }
    count_waiting(store);
}

static void settle_group(struct koa_store *store, struct group *group)
{
    if (group->error.code != KOA_OK) {
        take_back(store, group);
        retry_later(store, group->error.text);
        return;
    }
    if (store->problem[0] != '\0')
        koa_log_notice(store->opts.log, "store.write", "the state database is written again");
    set_problem(store, "");
    store->retry_ms = 0;
    while (!koa_list_is_empty(&group->rows))
        end_queued(KOA_CONTAINER_OF(koa_list_pop_front(&group->rows), struct queued, node), NULL);
}

/* Rows of an abandoned group belong to the worker that hangs: should it return, they are written
 * before anything else, because the key's next job waits for it. */
static void group_done(struct koa_job *job, bool abandoned)
{
    struct group *group = KOA_CONTAINER_OF(job, struct group, job);
    struct koa_store *store = group->store;

    if (store == NULL)
        return;
    store->under_way = NULL;
    group->store = NULL;
    if (abandoned) {
        retry_later(store, "the disk of the state database does not answer");
        return;
    }
    settle_group(store, group);
    write_next(store);
}

static void group_release(struct koa_job *job)
{
    free_group(KOA_CONTAINER_OF(job, struct group, job));
}

static struct group *make_group(struct koa_store *store)
{
    struct group *group = koa_calloc(1, sizeof(*group));

    if (group == NULL)
        return NULL;
    group->job = (struct koa_job){.work = group_work,
                                  .done = group_done,
                                  .release = group_release,
                                  .deadline_ms = GROUP_DEADLINE_MS};
    group->store = store;
    group->database = koa_database_ref(store->database);
    (void) pthread_mutex_init(&group->mutex, NULL);
    koa_condition_init(&group->ended);
    koa_list_init(&group->rows);
    while (group->count < GROUP_ROWS && !koa_list_is_empty(&store->queue)) {
        struct koa_list_node *node = koa_list_pop_front(&store->queue);

        (void) koa_map_remove(store->latest, map_key(KOA_CONTAINER_OF(node, struct queued, node)));
        koa_list_push_back(&group->rows, node);
        group->count++;
    }
    count_waiting(store);
    return group;
}

static void write_next(struct koa_store *store)
{
    struct koa_error error;
    struct group *group;

    if (store->under_way != NULL || koa_timer_is_armed(&store->retry_timer) ||
        koa_list_is_empty(&store->queue))
        return;
    group = make_group(store);
    if (group == NULL) {
        retry_later(store, "no memory to write the state");
        return;
    }
    if (koa_workers_run(store->opts.workers, store->opts.loop, worker_key, &group->job, &error) !=
        KOA_OK) {
        take_back(store, group);
        free_group(group);
        retry_later(store, error.text);
        return;
    }
    store->under_way = group;
}

/* ---- life ---- */

static enum koa_err open_durable(struct koa_store *store, const char *directory,
                                 struct koa_error *reterr)
{
    enum koa_err err = koa_directory_lock(directory, &store->lock, reterr);
    int length;

    if (err != KOA_OK)
        return err;
    length = snprintf(store->path, sizeof(store->path), "%s/state.db", directory);
    if (length < 0 || (size_t) length >= sizeof(store->path))
        return koa_fail(reterr, KOA_ERR_INVALID, "the path of the state directory is too long");
    return koa_database_create(store->path, koa_clock_wall(), store->opts.log, &store->database,
                               reterr);
}

/* Whatever keeps the directory from being used, an agent without memory of yesterday is better
 * than none; only a second agent on the same state must not run. */
static enum koa_err open_database(struct koa_store *store, struct koa_error *reterr)
{
    const char *directory = store->opts.directory;
    struct koa_error error;
    enum koa_err err;

    if (directory != NULL) {
        err = open_durable(store, directory, &error);
        if (err == KOA_OK)
            return KOA_OK;
        if (err == KOA_ERR_STATE) {
            if (reterr != NULL)
                *reterr = error;
            return err;
        }
        store->path[0] = '\0';
        (void) snprintf(store->memory_reason, sizeof(store->memory_reason),
                        "%.440s; state lives in memory", error.text);
        koa_log_warn(store->opts.log, "store.memory", "%s and ends with this process",
                     store->memory_reason);
    }
    return koa_database_create(NULL, koa_clock_wall(), store->opts.log, &store->database, reterr);
}

static void free_store(struct koa_store *store)
{
    struct koa_list_node *node;

    while (store->queue.next != NULL && (node = koa_list_pop_front(&store->queue)) != NULL)
        free_queued(KOA_CONTAINER_OF(node, struct queued, node));
    koa_map_destroy(store->latest, NULL);
    koa_database_unref(store->database);
    if (store->lock >= 0)
        (void) close(store->lock);
    (void) pthread_mutex_destroy(&store->problem_mutex);
    koa_free(store);
}

enum koa_err koa_store_create(const struct koa_store_opts *opts, struct koa_store **ret_store,
                              struct koa_error *reterr)
{
    struct koa_store *store = koa_calloc(1, sizeof(*store));
    enum koa_err err = koa_require_memory(store, reterr);

    if (err != KOA_OK)
        return err;
    store->opts = *opts;
    store->opts.directory = NULL;
    store->lock = -1;
    store->stats.name = "store_rows";
    store->stats.limit = KOA_STORE_QUEUE;
    (void) pthread_mutex_init(&store->problem_mutex, NULL);
    koa_list_init(&store->queue);
    store->latest = koa_map_create(KOA_STORE_QUEUE);
    err = koa_require_memory(store->latest, reterr);
    if (err == KOA_OK) {
        store->opts.directory = opts->directory;
        err = open_database(store, reterr);
        store->opts.directory = NULL; /* borrowed for the call */
    }
    if (err == KOA_OK) {
        *ret_store = store;
    } else {
        free_store(store);
    }
    return err;
}

/* True once the group has ended; false at the deadline. */
static bool wait_for(struct group *group, struct koa_mono deadline)
{
    bool has_ended;

    (void) pthread_mutex_lock(&group->mutex);
    while (!group->has_ended && koa_condition_wait_until(&group->ended, &group->mutex, deadline))
        continue;
    has_ended = group->has_ended;
    (void) pthread_mutex_unlock(&group->mutex);
    return has_ended;
}

void koa_store_destroy(struct koa_store *store, int64_t timeout_ms)
{
    struct koa_mono deadline;
    bool goes_on = true;
    size_t lost = 0;

    if (store == NULL)
        return;
    deadline = koa_mono_add_ms(koa_clock_mono(), timeout_ms);
    while (goes_on) {
        struct group *group;

        koa_timers_disarm(koa_loop_timers(store->opts.loop), &store->retry_timer);
        write_next(store);
        group = store->under_way;
        if (group == NULL)
            break;
        goes_on = wait_for(group, deadline) && group->error.code == KOA_OK;
        /* From here on the group belongs to its job, which knows no store any more. */
        lost = goes_on ? 0 : group->count;
        group->store = NULL;
        store->under_way = NULL;
    }
    koa_timers_disarm(koa_loop_timers(store->opts.loop), &store->retry_timer);
    lost += koa_map_count(store->latest);
    if (lost > 0) {
        koa_log_error(store->opts.log, "store.stop",
                      "%zu changes could not be written in time; the next start does not know them",
                      lost);
    }
    free_store(store);
}

const char *koa_store_path(const struct koa_store *store)
{
    return store->path;
}

enum koa_err koa_store_scan(struct koa_store *store, const char *table, koa_store_row_fn *row,
                            void *context, struct koa_error *reterr)
{
    return koa_database_scan(store->database, table, row, context, reterr);
}

struct koa_limit_stats *koa_store_stats(struct koa_store *store)
{
    return &store->stats;
}

struct koa_store_parts koa_store_parts(struct koa_store *store)
{
    return (struct koa_store_parts){.workers = store->opts.workers,
                                    .loop = store->opts.loop,
                                    .database = koa_database_ref(store->database)};
}
