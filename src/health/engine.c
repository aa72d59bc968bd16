/* The set of checks, the board they make together, and the callers who wait for runs. Results that
 * come in the same turn of the loop make one board. */
#include "health/engine.h"

#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "health/checks.h"
#include "health/source.h"
#include "loop/clock.h"

/* Somebody who wants to be told when `pending` runs have ended. */
struct waiter {
    struct koa_list_node node; /* in health->answered once nothing is pending */
    koa_health_ran_fn *done;
    void *context;
    size_t pending;
};

/* A waiter's place at one check. */
struct wait {
    struct koa_list_node node;
    struct waiter *waiter;
};

struct koa_health {
    struct koa_health_opts opts;
    struct koa_health_check_events events;
    struct koa_health_check_opts check_opts;
    struct koa_health_check **checks;
    size_t count, capacity;
    struct koa_published board;
    struct koa_board_history *history;
    struct koa_health_source source;
    struct koa_timer flush_timer;
    struct koa_list_node answered;
    size_t waiting; /* waiters, answered ones included */
    bool is_dirty;  /* a result has changed since the last board */
    bool is_started;
};

/* ---- the board */

static struct koa_board *build_board(struct koa_health *health)
{
    KOA_AUTOFREE struct koa_result_object **rows =
        koa_calloc(health->count + 1, sizeof(struct koa_result_object *));

    if (rows == NULL)
        return NULL;
    for (size_t i = 0; i < health->count; i++)
        rows[i] = health->checks[i]->result;
    return koa_board_create(rows, health->count, koa_clock_wall());
}

static void announce(struct koa_health *health, struct koa_health_check *check,
                     const struct koa_board *board)
{
    const struct koa_result *result = &check->result->result;
    enum koa_status before = check->announced;
    bool is_good_start = before == KOA_STATUS_UNKNOWN && result->status == KOA_STATUS_HEALTHY;

    if (result->status == before)
        return;
    check->announced = result->status;
    if (koa_log_enabled(health->opts.services.log, is_good_start ? KOA_LOG_INFO : KOA_LOG_NOTICE)) {
        koa_log_write(health->opts.services.log, is_good_start ? KOA_LOG_INFO : KOA_LOG_NOTICE,
                      "check.status", "'%s' is %s, was %s: %s", result->name,
                      koa_status_name(result->status), koa_status_name(before), result->message);
    }
    if (health->opts.changed != NULL)
        health->opts.changed(health->opts.context, board, result, before);
}

static void publish(struct koa_health *health)
{
    struct koa_board *board = build_board(health);

    if (board == NULL) {
        koa_log_error(health->opts.services.log, "health.board",
                      "no memory for a new board; the last one stays until the next answer");
        return;
    }
    health->is_dirty = false;
    koa_board_ref(board);
    koa_published_set(&health->board, koa_board_object(board));
    koa_board_history_append(health->history, board);
    for (size_t i = 0; i < health->count; i++)
        announce(health, health->checks[i], board);
    koa_board_unref(board);
}

static void answer(struct koa_health *health)
{
    KOA_AUTO(koa_board) *board = koa_health_board(health);
    struct koa_list_node *node;

    while ((node = koa_list_pop_front(&health->answered)) != NULL) {
        struct waiter *waiter = KOA_CONTAINER_OF(node, struct waiter, node);

        health->waiting--;
        waiter->done(waiter->context, board);
        koa_free(waiter);
    }
}

static void flush(struct koa_health *health)
{
    if (health->is_dirty)
        publish(health);
    for (size_t i = 0; i < health->count; i++)
        koa_health_check_rearm(health->checks[i]);
    answer(health);
}

static void on_flush(struct koa_timer *timer, struct koa_mono now)
{
    (void) now;
    flush(KOA_CONTAINER_OF(timer, struct koa_health, flush_timer));
}

/* The board is made once this turn's answers are in. */
static void flush_soon(struct koa_health *health)
{
    if (!koa_loop_after(health->opts.services.loop, &health->flush_timer, 0, on_flush))
        flush(health);
}

static void on_check_changed(void *context)
{
    struct koa_health *health = context;

    health->is_dirty = true;
    flush_soon(health);
}

static void leave(struct koa_health *health, struct waiter *waiter)
{
    waiter->pending--;
    if (waiter->pending == 0)
        koa_list_push_back(&health->answered, &waiter->node);
}

/* Whoever changed the set finds it on the board when the call returns. */
static void show_set(struct koa_health *health)
{
    if (!health->is_started)
        return;
    health->is_dirty = true;
    flush(health);
}

static void on_check_ended(void *context, struct koa_list_node *waits)
{
    struct koa_health *health = context;
    struct koa_list_node *node;

    while ((node = koa_list_pop_front(waits)) != NULL) {
        struct wait *wait = KOA_CONTAINER_OF(node, struct wait, node);

        leave(health, wait->waiter);
        koa_free(wait);
    }
    flush_soon(health);
}

/* ---- life */

enum koa_err koa_health_create(const struct koa_health_opts *opts, struct koa_health **ret_health,
                               struct koa_error *reterr)
{
    struct koa_health *health = koa_calloc(1, sizeof(*health));
    enum koa_err err = koa_require_memory(health, reterr);

    if (err != KOA_OK)
        return err;
    health->opts = *opts;
    health->events = (struct koa_health_check_events){
        .changed = on_check_changed, .ended = on_check_ended, .context = health};
    health->check_opts = (struct koa_health_check_opts){.services = &health->opts.services,
                                                        .snapshots = &health->opts.snapshots,
                                                        .metrics = opts->metrics,
                                                        .events = &health->events};
    koa_published_init(&health->board);
    koa_list_init(&health->answered);
    koa_health_source_init(&health->source, &health->board, opts->services.workers);
    health->history =
        koa_board_history_create(opts->history != 0 ? opts->history : KOA_BOARD_HISTORY_DEFAULT);
    err = koa_require_memory(health->history, reterr);
    if (err == KOA_OK)
        *ret_health = KOA_MOVE(health);
    koa_health_destroy(health);
    return err;
}

void koa_health_start(struct koa_health *health)
{
    KOA_ASSERT(koa_loop_is_here(health->opts.services.loop));
    health->is_started = true;
    for (size_t i = 0; i < health->count; i++)
        koa_health_check_start(health->checks[i]);
    publish(health);
}

void koa_health_stop(struct koa_health *health)
{
    KOA_ASSERT(koa_loop_is_here(health->opts.services.loop));
    health->is_started = false;
    for (size_t i = 0; i < health->count; i++)
        koa_health_check_stop(health->checks[i]);
    koa_timers_disarm(koa_loop_timers(health->opts.services.loop), &health->flush_timer);
    answer(health);
}

void koa_health_destroy(struct koa_health *health)
{
    if (health == NULL)
        return;
    koa_health_stop(health);
    for (size_t i = 0; i < health->count; i++)
        koa_health_check_destroy(health->checks[i]);
    koa_free(health->checks);
    koa_board_history_destroy(health->history);
    koa_published_deinit(&health->board);
    koa_free(health);
}

/* ---- the set */

static struct koa_health_check *find_check(const struct koa_health *health, const char *name)
{
    for (size_t i = 0; i < health->count; i++) {
        if (strcmp(health->checks[i]->unit->common.name, name) == 0)
            return health->checks[i];
    }
    return NULL;
}

static enum koa_err make_room(struct koa_health *health, struct koa_error *reterr)
{
    size_t capacity = health->capacity == 0 ? 8 : health->capacity * 2;
    struct koa_health_check **grown;

    if (health->count == KOA_HEALTH_CHECKS) {
        return koa_fail(reterr, KOA_ERR_LIMIT, "there are %d checks already, no more are taken",
                        KOA_HEALTH_CHECKS);
    }
    if (health->count < health->capacity)
        return KOA_OK;
    grown = koa_realloc_array(health->checks, capacity, sizeof(struct koa_health_check *));
    if (grown == NULL)
        return koa_require_memory(NULL, reterr);
    health->checks = grown;
    health->capacity = capacity;
    return KOA_OK;
}

enum koa_err koa_health_add(struct koa_health *health, struct koa_check_unit *unit,
                            struct koa_error *reterr)
{
    struct koa_health_check *check;
    enum koa_err err;

    KOA_ASSERT(koa_loop_is_here(health->opts.services.loop));
    if (!unit->common.enabled)
        return KOA_OK;
    if (find_check(health, unit->common.name) != NULL) {
        return koa_fail(reterr, KOA_ERR_EXISTS, "there is a check named '%s' already",
                        unit->common.name);
    }
    err = make_room(health, reterr);
    if (err != KOA_OK)
        return err;
    check = koa_health_check_create(&health->check_opts, unit);
    if (check == NULL)
        return koa_require_memory(NULL, reterr);
    health->checks[health->count++] = check;
    if (health->is_started)
        koa_health_check_start(check);
    show_set(health);
    return KOA_OK;
}

bool koa_health_remove(struct koa_health *health, const char *name)
{
    KOA_ASSERT(koa_loop_is_here(health->opts.services.loop));
    for (size_t i = 0; i < health->count; i++) {
        struct koa_health_check *check = health->checks[i];

        if (strcmp(check->unit->common.name, name) != 0)
            continue;
        memmove(&health->checks[i], &health->checks[i + 1],
                (health->count - i - 1) * sizeof(struct koa_health_check *));
        health->count--;
        koa_health_check_destroy(check);
        show_set(health);
        return true;
    }
    return false;
}

static enum koa_err check_names(struct koa_check_unit *const *units, size_t count,
                                struct koa_error *reterr)
{
    if (count > KOA_HEALTH_CHECKS) {
        return koa_fail(reterr, KOA_ERR_LIMIT, "%zu checks are too many; %d are allowed", count,
                        KOA_HEALTH_CHECKS);
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(units[i]->common.name, units[j]->common.name) == 0) {
                return koa_fail(reterr, KOA_ERR_EXISTS, "two checks are named '%s'",
                                units[i]->common.name);
            }
        }
    }
    return KOA_OK;
}

/* The check that is to stand for `unit`: the present one when nothing about it has changed. */
static struct koa_health_check *check_for(struct koa_health *health, struct koa_check_unit *unit)
{
    struct koa_health_check *old = find_check(health, unit->common.name);
    struct koa_health_check *check;

    if (old != NULL && koa_check_unit_equal(old->unit, unit)) {
        old->is_kept = true;
        return old;
    }
    check = koa_health_check_create(&health->check_opts, unit);
    if (check != NULL && old != NULL)
        check->announced = old->announced;
    return check;
}

/* Ends the checks of `rows` that are not in both sets. */
static void drop_unkept(struct koa_health_check **rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!rows[i]->is_kept)
            koa_health_check_destroy(rows[i]);
    }
}

enum koa_err koa_health_replace(struct koa_health *health, struct koa_check_unit *const *units,
                                size_t count, struct koa_error *reterr)
{
    enum koa_err err = check_names(units, count, reterr);
    struct koa_health_check **rows;
    size_t made = 0;

    KOA_ASSERT(koa_loop_is_here(health->opts.services.loop));
    if (err != KOA_OK)
        return err;
    rows = koa_calloc(count + 1, sizeof(struct koa_health_check *));
    err = koa_require_memory(rows, reterr);
    for (size_t i = 0; i < count && err == KOA_OK; i++) {
        if (!units[i]->common.enabled)
            continue;
        rows[made] = check_for(health, units[i]);
        err = koa_require_memory(rows[made], reterr);
        if (err == KOA_OK)
            made++;
    }
    if (err == KOA_OK) {
        drop_unkept(health->checks, health->count);
        koa_free(health->checks);
        health->checks = KOA_MOVE(rows);
        health->count = made;
        health->capacity = count + 1;
    } else {
        drop_unkept(rows, made);
        koa_free(rows);
    }
    for (size_t i = 0; i < health->count; i++) {
        if (health->is_started && !health->checks[i]->is_started)
            koa_health_check_start(health->checks[i]);
        health->checks[i]->is_kept = false;
    }
    if (err == KOA_OK)
        show_set(health);
    return err;
}

struct koa_check_unit *koa_health_unit(const struct koa_health *health, size_t index)
{
    return index < health->count ? health->checks[index]->unit : NULL;
}

void koa_health_snapshot_published(struct koa_health *health, const char *cluster, bool is_first)
{
    for (size_t i = 0; i < health->count; i++) {
        struct koa_health_check *check = health->checks[i];
        const char *wanted = check->unit->common.cluster;

        if (check->unit->ops->evaluate != NULL &&
            (koa_text_equal(wanted, cluster) || (is_first && wanted[0] == '\0')))
            koa_health_check_snapshot(check);
    }
}

/* ---- run now */

/* Lets `waiter` wait for a run of `check`. */
static enum koa_err wait_for(struct koa_health_check *check, struct waiter *waiter,
                             struct koa_error *reterr)
{
    struct wait *wait = koa_calloc(1, sizeof(*wait));

    if (wait == NULL)
        return koa_require_memory(NULL, reterr);
    wait->waiter = waiter;
    waiter->pending++;
    if (koa_health_check_request(check, &wait->node) == KOA_SCHEDULE_ANSWER) {
        waiter->pending--;
        koa_free(wait);
    }
    return KOA_OK;
}

static enum koa_err run_here(struct koa_health *health, const char *name, koa_health_ran_fn *done,
                             void *context, struct koa_error *reterr)
{
    struct koa_health_check *one = name != NULL ? find_check(health, name) : NULL;
    struct waiter *waiter;
    enum koa_err err = KOA_OK;

    if (!health->is_started)
        return koa_fail(reterr, KOA_ERR_STATE, "checks run between start and stop only");
    if (name != NULL && one == NULL)
        return koa_fail(reterr, KOA_ERR_NOT_FOUND, "there is no check named '%s'", name);
    if (health->waiting >= KOA_HEALTH_WAITERS) {
        return koa_fail(reterr, KOA_ERR_LIMIT, "%d callers wait for checks already",
                        KOA_HEALTH_WAITERS);
    }
    waiter = koa_calloc(1, sizeof(*waiter));
    if (waiter == NULL)
        return koa_require_memory(NULL, reterr);
    health->waiting++;
    *waiter = (struct waiter){.done = done, .context = context, .pending = 1};
    for (size_t i = 0; i < health->count && err == KOA_OK; i++) {
        if (one == NULL || health->checks[i] == one)
            err = wait_for(health->checks[i], waiter, NULL);
    }
    /* Without memory the caller gets what the begun runs bring. */
    leave(health, waiter);
    flush_soon(health);
    return KOA_OK;
}

struct posted_run {
    struct koa_health *health;
    koa_health_ran_fn *done;
    void *context;
    bool is_all;
    char name[];
};

static void answer_posted(void *message)
{
    struct posted_run *posted = message;
    KOA_AUTO(koa_board) *board = koa_health_board(posted->health);

    posted->done(posted->context, board);
    koa_free(posted);
}

static void run_posted(void *message)
{
    struct posted_run *posted = message;

    if (run_here(posted->health, posted->is_all ? NULL : posted->name, posted->done,
                 posted->context, NULL) == KOA_OK) {
        koa_free(posted);
    } else {
        answer_posted(posted);
    }
}

enum koa_err koa_health_run_now(struct koa_health *health, const char *name,
                                koa_health_ran_fn *done, void *context, struct koa_error *reterr)
{
    KOA_AUTO(koa_board) *board = NULL;
    struct posted_run *posted;
    size_t size = name != NULL ? strlen(name) + 1 : 1;

    if (koa_loop_is_here(health->opts.services.loop))
        return run_here(health, name, done, context, reterr);
    board = koa_health_board(health);
    if (name != NULL && koa_board_find(board, name) == NULL)
        return koa_fail(reterr, KOA_ERR_NOT_FOUND, "there is no check named '%s'", name);
    posted = koa_calloc(1, sizeof(*posted) + size);
    if (posted == NULL)
        return koa_require_memory(NULL, reterr);
    posted->health = health;
    posted->done = done;
    posted->context = context;
    posted->is_all = name == NULL;
    if (name != NULL)
        memcpy(posted->name, name, size);
    (void) koa_loop_post(health->opts.services.loop, run_posted, answer_posted, posted);
    return KOA_OK;
}

/* ---- what others read */

struct koa_board *koa_health_board(struct koa_health *health)
{
    return koa_board_from_object(koa_published_get(&health->board));
}

struct koa_board_history *koa_health_history(struct koa_health *health)
{
    return health->history;
}

const struct koa_metrics_source *koa_health_source(struct koa_health *health)
{
    return &health->source.source;
}
