/* libkoa: a monitoring agent inside your program.
 *
 * An agent made without a file has no checks, rules or notifiers but those added, no HTTP listener,
 * and keeps its state in memory. Before koa_agent_start() an agent belongs to one thread; after it
 * every call is safe from any thread. The library installs no signal handler, never prints, exits
 * or aborts, and never lets a broken pipe end its host. */
#ifndef KOA_AGENT_H
#define KOA_AGENT_H

#include <koa/auth.h>
#include <koa/base.h>
#include <koa/check.h>
#include <koa/error.h>
#include <koa/health.h>
#include <koa/log.h>
#include <koa/metrics.h>
#include <koa/notifier.h>
#include <koa/option.h>
#include <koa/rule.h>
#include <koa/snapshot.h>
#include <koa/time.h>
#include <koa/version.h>

#ifdef __cplusplus
extern "C" {
#endif

struct koa_agent;

struct koa_agent_opts {
    size_t struct_size;
    const char *config_file; /* NULL: none. Read again by koa_agent_reload(). */
    /* Outrank the file and the environment; keys with dots: {"web.port", "0"}. NULL: none. */
    const struct koa_settings *settings;
    bool use_environment; /* read the variables of docs/config.md */
    bool use_defaults;    /* the default checks, rules and notifiers, and the HTTP listener */
    koa_log_sink_fn *log; /* NULL: `log_fd`, and with -1 lines are dropped */
    void *log_context;
    /* Called for each error of the configuration during koa_agent_create(), one line each: before
     * the log is opened, so they are not in it. */
    void (*config_error)(void *context, const char *line);
    void *config_error_context;
    int log_fd; /* lines as text or JSON by a thread that never stalls the agent; -1: none.
                   Borrowed. */
};
#define KOA_AGENT_OPTS_INIT                                                                        \
    {                                                                                              \
        .struct_size = sizeof(struct koa_agent_opts), .log_fd = -1                                 \
    }

/* What fails in creating, starting or reloading is written to the agent's log too, once there is
 * one: `is_logged` of the error says so. */

/* Reads the configuration and builds the agent; opens no socket and starts no thread but the log's.
 * All errors of a file come together: `reterr` has the first, `config_error` is told of each. */
KOA_API KOA_MUST_USE enum koa_err koa_agent_create(const struct koa_agent_opts *opts,
                                                   struct koa_agent **ret_agent,
                                                   struct koa_error *reterr);

/* Each takes a name that must be new among its kind, the type, and its settings. `ops` must live as
 * long as the agent. May be called before and after the start, not after the stop. */
KOA_API KOA_MUST_USE enum koa_err koa_agent_add_check(struct koa_agent *agent, const char *name,
                                                      const struct koa_check_ops *ops,
                                                      const struct koa_settings *settings,
                                                      struct koa_error *reterr);
KOA_API KOA_MUST_USE enum koa_err koa_agent_add_rule(struct koa_agent *agent, const char *name,
                                                     const struct koa_rule_ops *ops,
                                                     const struct koa_settings *settings,
                                                     struct koa_error *reterr);
KOA_API KOA_MUST_USE enum koa_err koa_agent_add_notifier(struct koa_agent *agent, const char *name,
                                                         const struct koa_notifier_ops *ops,
                                                         const struct koa_settings *settings,
                                                         struct koa_error *reterr);
/* Before the start only. Asked in the order added, after the configured users and tokens. */
KOA_API KOA_MUST_USE enum koa_err
koa_agent_add_authenticator(struct koa_agent *agent, const struct koa_authenticator *authenticator,
                            struct koa_error *reterr);

/* Starts threads, listener and schedules. Returns when the listener accepts. */
KOA_API KOA_MUST_USE enum koa_err koa_agent_start(struct koa_agent *agent,
                                                  struct koa_error *reterr);

/* Runs every check now (joining runs under way), for at most `timeout_ms`; what has not answered by
 * then keeps its last result. Blocks the caller; NULL when the agent does not run or memory is out.
 * The caller unrefs the board. */
KOA_API struct koa_board *koa_agent_run_checks(struct koa_agent *agent, int64_t timeout_ms);

/* The last published board, or NULL. The caller unrefs it. */
KOA_API struct koa_board *koa_agent_board(struct koa_agent *agent);

/* The registry, as long as the agent lives. */
KOA_API struct koa_metrics *koa_agent_metrics(struct koa_agent *agent);

/* Where HTTP listens: "http://127.0.0.1:8080", or "" without a listener. Borrowed. */
KOA_API const char *koa_agent_url(struct koa_agent *agent);

/* Reads file and environment again and takes the new settings, or changes nothing and fails. */
KOA_API KOA_MUST_USE enum koa_err koa_agent_reload(struct koa_agent *agent,
                                                   struct koa_error *reterr);

/* `component` is a room's name, or NULL for all. */
KOA_API KOA_MUST_USE enum koa_err koa_agent_set_log_level(struct koa_agent *agent,
                                                          const char *component,
                                                          enum koa_log_level level,
                                                          struct koa_error *reterr);

/* Readiness fails, the listener quiesces, suspended requests are answered, streams end, deliveries
 * under way get `timeout_ms`. Blocks. Stopping twice is fine. */
KOA_API void koa_agent_stop(struct koa_agent *agent, int64_t timeout_ms);

/* Stops when needed, then frees. NULL is nothing. */
KOA_API void koa_agent_destroy(struct koa_agent *agent);
KOA_DEFINE_AUTO(koa_agent, koa_agent_destroy)

#ifdef __cplusplus
}
#endif

#endif
