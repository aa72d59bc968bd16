/* Checks under test: a bench that runs them as the engine does, and the suite that every check,
 * ours or a user's, must pass. */
#ifndef KIT_CHECK_KIT_H
#define KIT_CHECK_KIT_H

#include "health/engine.h"
#include "health/verdict.h"
#include "httpclient/client.h"
#include "kit/loop_kit.h"
#include "store/store.h"

struct kit_checks {
    struct kit_loop kit;
    struct koa_http_client *http;
    struct koa_store *store;
    struct koa_metrics *metrics;
    struct koa_health *health;
    koa_health_changed_fn *changed; /* set before kit_checks_start() */
    struct koa_health_snapshots snapshots;
    void *context;
    bool is_started;
};

/* A running engine without checks. `directory` is for the state; NULL: no store. */
void kit_checks_start(struct kit_checks *checks, const char *directory);
/* Ends it, whatever runs, and frees all. */
void kit_checks_end(struct kit_checks *checks);

/* The check with these settings, or NULL and all errors as text in `errors` (may be NULL). */
struct koa_check_unit *kit_check_load(const struct koa_check_ops *ops, const char *name,
                                      const struct koa_settings *settings, char *errors,
                                      size_t size);
/* What a check of the kind `evaluate` says of a snapshot (NULL: none) at `now`. The caller deinits
 * `ret_verdict`, made by koa_verdict_init(). Fails the test when the settings do not load. */
void kit_check_judge(const struct koa_check_ops *ops, const struct koa_settings *settings,
                     const struct koa_snapshot *snapshot, struct koa_wall now,
                     struct koa_verdict *ret_verdict);
/* Loads and adds; fails the test when it cannot. The first run begins at once. */
void kit_checks_add(struct kit_checks *checks, const struct koa_check_ops *ops, const char *name,
                    const struct koa_settings *settings);
/* Runs the check now, or joins its run, and waits. The caller unrefs the board. */
struct koa_board *kit_checks_run(struct kit_checks *checks, const char *name);
/* Adds a check, runs it once and gives back its board: `koa_board_find(board, "check")`. */
struct koa_board *kit_checks_look(struct kit_checks *checks, const struct koa_check_ops *ops,
                                  const struct koa_settings *settings);

/* The contract of include/koa/check.h, on ops and settings that are right: names and help, exactly
 * one function, options that parse with their defaults and refuse unknown keys, a decided verdict
 * with text, and nothing left behind when runs are cancelled. Run it under the sanitizers. */
void koa_check_contract_test(const struct koa_check_ops *ops, const struct koa_settings *settings);

#endif
