/* Queues, attempts and outcomes: asynchronous notifiers under virtual time, blocking ones on real
 * workers. */
#include "alerts/dispatch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alerts/backoff.h"
#include "alerts/notification.h"
#include "base/arena.h"
#include "base/buf.h"
#include "kit/kit.h"
#include "kit/loop_kit.h"
#include "loop/clock.h"

static int64_t now_ms;

static struct koa_mono mono(void)
{
    return (struct koa_mono){.ms = now_ms};
}

static struct koa_wall wall(void)
{
    return (struct koa_wall){.ms = INT64_C(1764000000000) + now_ms};
}

/* ---- a notifier that keeps what it was given until the test says how it went ---- */

static struct koa_delivery *held;
static int started, cancelled;
static char last_key[64];
static int last_attempt;

static void cancel(void *context)
{
    (void) context;
    cancelled++;
    held = NULL;
}

static void start(const void *config, struct koa_delivery *delivery)
{
    const struct koa_notification *note = koa_delivery_notification(delivery);

    (void) config;
    held = delivery;
    started++;
    last_attempt = koa_notification_attempt(note);
    (void) snprintf(last_key, sizeof(last_key), "%s", koa_notification_idempotency_key(note));
    koa_delivery_on_cancel(delivery, cancel, NULL);
}

static const struct koa_notifier_ops holding = {KOA_OPS_INIT(koa_notifier_ops), .name = "holding",
                                                .help = "Holds", .start = start};

static void finish(enum koa_outcome outcome, int64_t retry_after_ms)
{
    struct koa_delivery *delivery = held;

    assert_non_null(delivery);
    held = NULL;
    koa_delivery_finish(delivery, outcome, retry_after_ms, "password of mine");
}

static struct koa_timers timers;
static struct koa_dispatch *dispatch;

static int set_up(void **state)
{
    struct koa_dispatch_opts opts = {.timers = &timers, .mono = mono, .wall = wall};

    (void) state;
    now_ms = 1000;
    held = NULL;
    started = cancelled = 0;
    return koa_dispatch_create(&opts, &dispatch, NULL) != KOA_OK;
}

static int tear_down(void **state)
{
    (void) state;
    koa_dispatch_destroy(dispatch);
    koa_timers_deinit(&timers);
    return 0;
}

static struct koa_notifier *make(const struct koa_notifier_ops *ops,
                                 const struct koa_notifier_settings *settings)
{
    struct koa_arena *arena = koa_arena_create(4096);
    struct koa_notifier_settings *copy = koa_arena_alloc(arena, 1, sizeof(*copy));
    struct koa_notifier_spec spec = {
        .ops = ops, .settings = copy, .arena = arena, .is_configured = true};
    struct koa_notifier *notifier = NULL;

    *copy = *settings;
    assert_int_equal(koa_notifier_create(&spec, &notifier, NULL), KOA_OK);
    return notifier;
}

static struct koa_notifier_settings settings_of(const char *name)
{
    return (struct koa_notifier_settings){.name = name,
                                          .min_severity = KOA_SEVERITY_INFO,
                                          .send_resolved = true,
                                          .timeout_ms = 5000,
                                          .max_attempts = 3};
}

static void put(const char *name)
{
    struct koa_notifier_settings settings = settings_of(name);

    assert_int_equal(koa_dispatch_put(dispatch, make(&holding, &settings), NULL), KOA_OK);
}

static void send_alert(enum koa_severity severity, enum koa_alert_state alert_state)
{
    struct koa_alert_record from = {.identity = 1,
                                    .transition = 1,
                                    .severity = severity,
                                    .state = alert_state,
                                    .rule = "rule",
                                    .message = "m",
                                    .starts_at.ms = 42};
    struct koa_alert_record *record = koa_alert_record_create(&from);

    assert_non_null(record);
    koa_dispatch_send(dispatch, record);
    koa_alert_record_unref(record);
}

static void fire(void)
{
    send_alert(KOA_SEVERITY_CRITICAL, KOA_ALERT_FIRING);
}

static void pass(int64_t ms)
{
    now_ms += ms;
    (void) koa_timers_run(&timers, mono());
}

/* Outcomes of the ledger, oldest first. */
static void expect_ledger(const char *name, const char *expected)
{
    struct koa_buf text = {.limit = 65536};
    struct koa_ledger_view *view;

    pass(100);
    view = koa_dispatch_ledger(dispatch);
    assert_non_null(view);
    for (size_t i = 0; i < view->count; i++) {
        koa_buf_printf(&text, "%s%s:%d", i > 0 ? " " : "",
                       koa_ledger_outcome_name(view->rows[i].outcome), view->rows[i].attempt);
    }
    KIT_EXPECT_TEXT(name, expected, koa_buf_text(&text));
    koa_object_unref(&view->object);
    koa_buf_deinit(&text);
}

static void one_after_the_other(void **state)
{
    (void) state;
    put("n");
    fire();
    fire();
    KIT_EXPECT_INT("only the first", 1, started);
    finish(KOA_DELIVERED, -1);
    KIT_EXPECT_INT("then the second", 2, started);
    finish(KOA_UNDELIVERABLE, -1);
    KIT_EXPECT_INT("empty", 0, koa_dispatch_pending(dispatch));
    expect_ledger("both", "delivered:1 undeliverable:1");
}

static void a_slow_receiver_delays_only_itself(void **state)
{
    (void) state;
    put("slow");
    put("other");
    fire();
    KIT_EXPECT_INT("both began", 2, started);
    finish(KOA_DELIVERED, -1);
    KIT_EXPECT_INT("one is under way", 1, koa_dispatch_busy(dispatch));
}

static void the_same_key_for_every_attempt(void **state)
{
    char first[64];

    (void) state;
    put("n");
    fire();
    KIT_EXPECT_TEXT("key", "0000000000000001-42-1", last_key);
    (void) snprintf(first, sizeof(first), "%s", last_key);
    finish(KOA_RETRY_LATER, -1);
    pass(1000);
    KIT_EXPECT_TEXT("same", first, last_key);
    KIT_EXPECT_INT("second", 2, last_attempt);
}

static void the_receivers_wish_is_honoured(void **state)
{
    (void) state;
    put("n");
    fire();
    finish(KOA_RETRY_LATER, 30000);
    pass(29999);
    KIT_EXPECT_INT("not before", 1, started);
    pass(1);
    KIT_EXPECT_INT("then", 2, started);
}

static void a_timeout_is_a_failed_attempt(void **state)
{
    (void) state;
    put("n");
    fire();
    pass(4999);
    KIT_EXPECT_INT("in time", 0, cancelled);
    pass(1);
    KIT_EXPECT_INT("cancelled", 1, cancelled);
    expect_ledger("retried", "retrying:1");
    pass(1000);
    pass(5000);
    pass(2000);
    pass(5000);
    KIT_EXPECT_INT("three attempts", 3, started);
    expect_ledger("given up", "given_up:3");
}

static void severities_and_resolutions_are_chosen(void **state)
{
    struct koa_notifier_settings settings = settings_of("n");

    (void) state;
    settings.min_severity = KOA_SEVERITY_WARNING;
    settings.send_resolved = false;
    assert_int_equal(koa_dispatch_put(dispatch, make(&holding, &settings), NULL), KOA_OK);
    send_alert(KOA_SEVERITY_INFO, KOA_ALERT_FIRING);
    KIT_EXPECT_INT("below", 0, koa_dispatch_pending(dispatch));
    send_alert(KOA_SEVERITY_CRITICAL, KOA_ALERT_RESOLVED);
    KIT_EXPECT_INT("resolved", 0, koa_dispatch_pending(dispatch));
    send_alert(KOA_SEVERITY_WARNING, KOA_ALERT_FIRING);
    KIT_EXPECT_INT("wanted", 1, koa_dispatch_pending(dispatch));
}

static void a_full_queue_drops_the_oldest_that_waits(void **state)
{
    struct koa_ledger_view *view;
    size_t dropped = 0;

    (void) state;
    put("n");
    for (int i = 0; i < KOA_DISPATCH_QUEUE + 5; i++)
        fire();
    KIT_EXPECT_INT("bounded", KOA_DISPATCH_QUEUE, koa_dispatch_pending(dispatch));
    finish(KOA_DELIVERED, -1);
    pass(100);
    view = koa_dispatch_ledger(dispatch);
    assert_non_null(view);
    for (size_t i = 0; i < view->count; i++)
        dropped += view->rows[i].outcome == KOA_LEDGER_DROPPED;
    KIT_EXPECT_INT("as many rows as the ledger has", KOA_LEDGER_ROWS, view->count);
    KIT_EXPECT("the newest is there", view->rows[view->count - 1].outcome == KOA_LEDGER_WAITING);
    KIT_EXPECT("some were dropped", dropped <= 5);
    koa_object_unref(&view->object);
}

static void a_removed_notifier_is_cancelled(void **state)
{
    (void) state;
    put("n");
    fire();
    fire();
    KIT_EXPECT("removed", koa_dispatch_remove(dispatch, "n"));
    KIT_EXPECT("not twice", !koa_dispatch_remove(dispatch, "n"));
    KIT_EXPECT_INT("cancelled", 1, cancelled);
    expect_ledger("both are dead letters", "dropped:1 dropped:0");
}

static void a_replaced_notifier_keeps_the_queue(void **state)
{
    (void) state;
    put("n");
    fire();
    fire();
    put("n");
    finish(KOA_DELIVERED, -1);
    KIT_EXPECT_INT("the second goes to the new one", 2, started);
    finish(KOA_DELIVERED, -1);
    expect_ledger("both", "delivered:1 delivered:1");
}

static void secrets_stay_out_of_the_ledger(void **state)
{
    struct koa_notifier_settings settings = settings_of("n");
    struct koa_ledger_view *view;

    (void) state;
    assert_int_equal(koa_dispatch_put(dispatch, make(&holding, &settings), NULL), KOA_OK);
    fire();
    koa_delivery_finish(held, KOA_UNDELIVERABLE, -1,
                        "http://u:hunter22@host/?token=abcdef said no");
    held = NULL;
    pass(100);
    view = koa_dispatch_ledger(dispatch);
    assert_non_null(view);
    KIT_EXPECT("password", strstr(view->rows[0].text, "hunter22") == NULL);
    KIT_EXPECT("token", strstr(view->rows[0].text, "abcdef") == NULL);
    koa_object_unref(&view->object);
}

static const struct {
    const char *name;
    int attempt;
    int64_t retry_after_ms;
    uint32_t random;
    int64_t wait_ms;
} backoffs[] = {
    {"first", 1, -1, 0, 1000},
    {"second", 2, -1, 0, 2000},
    {"half at most is taken away", 1, -1, 500, 500},
    {"and never more", 1, -1, 501, 1000},
    {"it ends at five minutes", 20, -1, 0, 300000},
    {"far beyond", 2000000000, -1, 0, 300000},
    {"the receiver asks for more", 1, 60000, 0, 60000},
    {"the receiver asks for less", 5, 10, 0, 16000},
    {"the receiver asks for a year", 1, INT64_C(31536000000), 0, 3600000},
};

static void waits_grow(void **state)
{
    (void) state;
    KIT_EACH (c, backoffs)
        KIT_EXPECT_INT(c->name, c->wait_ms,
                       koa_backoff_ms(c->attempt, c->retry_after_ms, c->random));
}

/* ---- `send` on workers ---- */

static struct kit_gate sending = KIT_GATE_INIT;
static struct kit_gate may_return = KIT_GATE_INIT;
static bool hangs;

static enum koa_outcome send_blocking(const void *config, void *context,
                                      const struct koa_notification *note)
{
    (void) config;
    (void) context;
    kit_gate_pass(&sending);
    if (hangs)
        kit_gate_wait(&may_return, 1);
    return koa_notification_attempt(note) == 1 ? KOA_RETRY_LATER : KOA_DELIVERED;
}

static const struct koa_notifier_ops blocking = {KOA_OPS_INIT(koa_notifier_ops), .name = "blocking",
                                                 .help = "Blocks", .send = send_blocking};

static struct kit_loop loop;

static void open_on_loop(void *message)
{
    struct koa_dispatch_opts opts = {.services = {.loop = loop.loop},
                                     .workers = loop.workers,
                                     .timers = koa_loop_timers(loop.loop),
                                     .mono = koa_clock_mono,
                                     .wall = koa_clock_wall};
    struct koa_notifier_settings settings = settings_of("b");

    settings.timeout_ms = *(int64_t *) message;
    assert_int_equal(koa_dispatch_create(&opts, &dispatch, NULL), KOA_OK);
    assert_int_equal(koa_dispatch_put(dispatch, make(&blocking, &settings), NULL), KOA_OK);
    fire();
}

static void close_on_loop(void *message)
{
    (void) message;
    koa_dispatch_destroy(dispatch);
    dispatch = NULL;
}

static bool nothing_waits(void *context)
{
    (void) context;
    return koa_dispatch_pending(dispatch) == 0;
}

static bool first_attempt_failed(void *context)
{
    struct koa_ledger_view *view = koa_dispatch_ledger(dispatch);
    bool has_failed = view != NULL && view->count == 1 &&
                      view->rows[0].outcome == KOA_LEDGER_RETRYING &&
                      strstr(view->rows[0].text, "timed out") != NULL;

    (void) context;
    if (view != NULL)
        koa_object_unref(&view->object);
    return has_failed;
}

static void a_blocking_notifier_is_tried_again(void **state)
{
    int64_t timeout_ms = 5000;

    (void) state;
    hangs = false;
    kit_loop_start(&loop, 0);
    kit_loop_call(&loop, open_on_loop, &timeout_ms);
    kit_loop_run_until(&loop, nothing_waits, NULL);
    KIT_EXPECT_INT("two attempts", 2, kit_gate_count(&sending));
    kit_loop_call(&loop, close_on_loop, NULL);
    kit_loop_end(&loop);
}

/* The thread hangs, the dispatcher does not; all ends while it still hangs. */
static void a_hung_notifier_is_left_behind(void **state)
{
    int64_t timeout_ms = 100;

    (void) state;
    hangs = true;
    kit_loop_start(&loop, 0);
    kit_loop_call(&loop, open_on_loop, &timeout_ms);
    kit_loop_run_until(&loop, first_attempt_failed, NULL);
    kit_loop_call(&loop, close_on_loop, NULL);
    kit_gate_pass(&may_return);
    kit_loop_end(&loop);
}

#define DISPATCH_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DISPATCH_TEST(one_after_the_other),
        DISPATCH_TEST(a_slow_receiver_delays_only_itself),
        DISPATCH_TEST(the_same_key_for_every_attempt),
        DISPATCH_TEST(the_receivers_wish_is_honoured),
        DISPATCH_TEST(a_timeout_is_a_failed_attempt),
        DISPATCH_TEST(severities_and_resolutions_are_chosen),
        DISPATCH_TEST(a_full_queue_drops_the_oldest_that_waits),
        DISPATCH_TEST(a_removed_notifier_is_cancelled),
        DISPATCH_TEST(a_replaced_notifier_keeps_the_queue),
        DISPATCH_TEST(secrets_stay_out_of_the_ledger),
        cmocka_unit_test(waits_grow),
        cmocka_unit_test(a_blocking_notifier_is_tried_again),
        cmocka_unit_test(a_hung_notifier_is_left_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
