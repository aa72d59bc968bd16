/* What the tests of the engine share: rules that a test commands, a notifier that a test answers,
 * states in a real store, and a clock of their own. */
#ifndef ALERTS_ENGINE_BENCH_H
#define ALERTS_ENGINE_BENCH_H

#include "alerts/engine.h"
#include "alerts/render.h"
#include "kit/kit.h"

struct bench {
    struct koa_timers timers;
    struct koa_alerts *alerts;
    char *directory;
    struct koa_loop *loop;
    struct koa_workers *workers;
    struct koa_store *store;
};

extern int64_t now_ms;
extern char world[64];          /* what the test's rules see */
extern struct koa_buf told;     /* what the notifier was told, a line each */
extern enum koa_outcome answer; /* what it answers */

struct koa_rule_settings settings_of(const char *name);
struct koa_rule *make_rule(const struct koa_rule_settings *settings, bool is_configured);
struct koa_notifier *make_notifier(const char *name);
int set_up(void **state);
int tear_down(void **state);
void add_rule(struct bench *bench, const struct koa_rule_settings *settings);
void look(struct bench *bench, const char *seen);
void pass(struct bench *bench, int64_t ms);
const char *render(struct bench *bench, struct koa_buf *buf,
                   void (*write)(struct koa_json *json, const struct koa_alert_board *board));
void with_store(struct bench *bench);
void restart(struct bench *bench, int64_t downtime_ms);
void open_alerts(struct bench *bench);
void close_store(struct bench *bench);
void open_store(struct bench *bench);

void expect_history(struct bench *bench, const char *name, const char *expected);

#define ENGINE_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

#endif
