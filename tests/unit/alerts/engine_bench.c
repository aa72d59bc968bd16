/* Sets the engine up for a test and moves its time. */
#include "engine_bench.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

int64_t now_ms;

static struct koa_mono mono(void)
{
    return (struct koa_mono){.ms = now_ms};
}

static struct koa_wall wall(void)
{
    return (struct koa_wall){.ms = INT64_C(1764000000000) + now_ms};
}

/* What the next evaluations see: subjects "a" to "z" that hold; '?' could not look. */
char world[64];

static void evaluate(const void *config, void *context, const struct koa_view *view,
                     struct koa_observations *observations)
{
    (void) config;
    (void) context;
    (void) view;
    if (strchr(world, '?') != NULL) {
        koa_observations_missing(observations, "the source is stale");
        return;
    }
    koa_observations_fresh(observations);
    for (const char *at = world; *at != '\0'; at++) {
        char name[2] = {*at, '\0'};

        koa_observations_add(observations, true, 15.0, KOA_LABELS({"subject", name}),
                             "%s holds at 15.0", name);
    }
}

static bool threshold(const void *config, double *ret_threshold)
{
    (void) config;
    *ret_threshold = 10.0;
    return true;
}

static const struct koa_rule_ops world_rule = {
    KOA_OPS_INIT(koa_rule_ops), .name = "world",        .help = "What the test says",
    .evaluate = evaluate,       .threshold = threshold,
};

/* Notifications as "firing a, resolved a". */
struct koa_buf told = {.limit = 65536};
enum koa_outcome answer;

static void start(const void *config, struct koa_delivery *delivery)
{
    const struct koa_notification *note = koa_delivery_notification(delivery);
    const struct koa_labels *labels = koa_notification_labels(note);

    (void) config;
    koa_buf_printf(&told, "%s%s %s", told.size > 0 ? ", " : "",
                   koa_alert_state_name(koa_notification_state(note)),
                   labels->count > 0 ? labels->rows[0].value : "-");
    koa_delivery_finish(delivery, answer, -1, "no");
}

static const struct koa_notifier_ops recorder = {
    KOA_OPS_INIT(koa_notifier_ops),
    .name = "recorder",
    .help = "Writes down",
    .start = start,
};

struct koa_rule_settings settings_of(const char *name)
{
    return (struct koa_rule_settings){
        .name = name, .type = "world", .severity = KOA_SEVERITY_CRITICAL, .message = ""};
}

struct koa_rule *make_rule(const struct koa_rule_settings *settings, bool is_configured)
{
    struct koa_arena *arena = koa_arena_create(65536);
    struct koa_rule_settings *copy = koa_arena_alloc(arena, 1, sizeof(*copy));
    struct koa_rule_spec spec = {
        .ops = &world_rule, .settings = copy, .arena = arena, .is_configured = is_configured};
    struct koa_rule *rule = NULL;

    *copy = *settings;
    copy->name = koa_arena_strdup(arena, settings->name);
    assert_int_equal(koa_rule_create(&spec, &rule, NULL), KOA_OK);
    return rule;
}

struct koa_notifier *make_notifier(const char *name)
{
    struct koa_arena *arena = koa_arena_create(65536);
    struct koa_notifier_settings *copy = koa_arena_alloc(arena, 1, sizeof(*copy));
    struct koa_notifier_spec spec = {
        .ops = &recorder, .settings = copy, .arena = arena, .is_configured = true};
    struct koa_notifier *notifier = NULL;

    *copy = (struct koa_notifier_settings){.name = name,
                                           .type = "recorder",
                                           .min_severity = KOA_SEVERITY_INFO,
                                           .send_resolved = true,
                                           .timeout_ms = 1000,
                                           .max_attempts = 3};
    assert_int_equal(koa_notifier_create(&spec, &notifier, NULL), KOA_OK);
    return notifier;
}

void open_alerts(struct bench *bench)
{
    struct koa_alerts_opts opts = {.timers = &bench->timers,
                                   .store = bench->store,
                                   .mono = mono,
                                   .wall = wall,
                                   .interval_ms = 60000,
                                   .history = 100};

    assert_int_equal(koa_alerts_create(&opts, &bench->alerts, NULL), KOA_OK);
    assert_int_equal(koa_alerts_add_notifier(bench->alerts, make_notifier("recorder"), NULL),
                     KOA_OK);
}

int set_up(void **state)
{
    struct bench *bench = koa_calloc(1, sizeof(*bench));

    if (bench == NULL)
        return 1;
    *state = bench;
    now_ms = 1000000;
    world[0] = '\0';
    koa_buf_clear(&told);
    answer = KOA_DELIVERED;
    open_alerts(bench);
    return 0;
}

void close_store(struct bench *bench)
{
    koa_alerts_destroy(bench->alerts);
    bench->alerts = NULL;
    koa_store_destroy(bench->store, 10000);
    koa_workers_destroy(bench->workers, 10000);
    koa_loop_destroy(bench->loop);
    bench->store = NULL;
}

void open_store(struct bench *bench)
{
    struct koa_loop_opts loop = {.name = "test"};
    struct koa_workers_opts workers = {0};
    struct koa_store_opts opts = {.directory = bench->directory};

    assert_int_equal(koa_loop_create(&loop, &bench->loop, NULL), KOA_OK);
    assert_int_equal(koa_workers_create(&workers, &bench->workers, NULL), KOA_OK);
    opts.loop = bench->loop;
    opts.workers = bench->workers;
    assert_int_equal(koa_store_create(&opts, &bench->store, NULL), KOA_OK);
    open_alerts(bench);
    assert_int_equal(koa_alerts_restore(bench->alerts, NULL), KOA_OK);
}

int tear_down(void **state)
{
    struct bench *bench = *state;

    if (bench->store != NULL)
        close_store(bench);
    koa_alerts_destroy(bench->alerts);
    koa_timers_deinit(&bench->timers);
    if (bench->directory != NULL)
        kit_remove_directory(bench->directory);
    koa_free(bench);
    return 0;
}

void add_rule(struct bench *bench, const struct koa_rule_settings *settings)
{
    assert_int_equal(koa_alerts_add_rule(bench->alerts, make_rule(settings, true), NULL), KOA_OK);
}

void look(struct bench *bench, const char *seen)
{
    (void) snprintf(world, sizeof(world), "%s", seen);
    koa_alerts_evaluate(bench->alerts);
}

void pass(struct bench *bench, int64_t ms)
{
    now_ms += ms;
    (void) koa_timers_run(&bench->timers, mono());
}

/* The last picture as JSON text; the caller frees the buffer. */
const char *render(struct bench *bench, struct koa_buf *buf,
                   void (*write)(struct koa_json *json, const struct koa_alert_board *board))
{
    KOA_AUTO(koa_alert_board) *board = koa_alerts_board(bench->alerts);
    struct koa_json json = {.buf = buf};

    koa_buf_clear(buf);
    koa_json_object(&json, NULL);
    write(&json, board);
    koa_json_object_end(&json);
    return koa_buf_text(buf);
}

void with_store(struct bench *bench)
{
    koa_alerts_destroy(bench->alerts);
    bench->directory = kit_temporary_directory();
    open_store(bench);
}

void restart(struct bench *bench, int64_t downtime_ms)
{
    close_store(bench);
    now_ms += downtime_ms;
    open_store(bench);
}

void expect_history(struct bench *bench, const char *name, const char *expected)
{
    struct koa_journal_view *history = koa_alerts_history(bench->alerts);
    struct koa_buf text = {.limit = 4096};

    for (size_t i = 0; history != NULL && i < history->count; i++) {
        koa_buf_printf(&text, "%s%s", i > 0 ? " " : "",
                       koa_alert_state_name(history->rows[i]->state));
    }
    KIT_EXPECT_TEXT(name, expected, koa_buf_text(&text));
    koa_buf_deinit(&text);
    if (history != NULL)
        koa_object_unref(&history->object);
}
