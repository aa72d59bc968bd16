#include "kit/rule_kit.h"

#include "alerts/alert_set.h"
#include "alerts/observations.h"
#include "base/arena.h"
#include "base/buf.h"
#include "config/options.h"
#include "config/yaml.h"
#include "kit/kit.h"

static struct koa_observations observations;
static struct koa_buf seen = {.limit = 1 << 20};

/* Rows and structs that one set of settings fills. */
struct target {
    const struct koa_option *common_rows;
    void *common;
    const struct koa_option *own_rows;
    void *own;
};

/* False and `reterr` when anything is wrong with them. */
static bool load(const struct target *target, const struct koa_settings *settings,
                 struct koa_arena *arena, struct koa_error *reterr)
{
    static const struct koa_option none[] = {{0}};
    const struct koa_option *tables[] = {target->common_rows,
                                         target->own_rows != NULL ? target->own_rows : none, NULL};
    void *targets[] = {target->common, target->own};
    struct koa_config_errors errors = {.arena = arena};
    struct koa_options_opts opts = {
        .tables = tables, .targets = targets, .path = "", .arena = arena, .errors = &errors};
    struct koa_buf buf = {.limit = 65536};
    const struct koa_node *node = koa_node_from_settings(settings, "settings", arena, &errors);
    bool is_loaded = koa_options_load(&opts, node) && errors.count == 0;

    if (!is_loaded) {
        koa_config_errors_print(&errors, &buf);
        (void) koa_fail(reterr, KOA_ERR_PARSE, "%s", koa_buf_text(&buf));
    }
    koa_buf_deinit(&buf);
    return is_loaded;
}

/* The given settings and a name. */
static struct koa_settings *with_name(const struct koa_settings *settings, const char *name,
                                      struct koa_arena *arena)
{
    size_t count = settings != NULL ? settings->count : 0;
    struct koa_setting *rows = koa_arena_alloc(arena, count + 1, sizeof(*rows));
    struct koa_settings *all = koa_arena_alloc(arena, 1, sizeof(*all));

    rows[0] = (struct koa_setting){"name", name};
    for (size_t i = 0; i < count; i++)
        rows[i + 1] = settings->rows[i];
    *all = (struct koa_settings){.rows = rows, .count = count + 1};
    return all;
}

struct koa_rule *kit_rule_make(const struct koa_rule_ops *ops, const struct koa_settings *settings,
                               struct koa_error *reterr)
{
    struct koa_arena *arena = koa_arena_create(1 << 20);
    struct koa_rule_settings *common = koa_arena_alloc(arena, 1, sizeof(*common));
    void *config = koa_arena_alloc(arena, 1, ops->config_size + 1);
    struct koa_rule_spec spec = {.ops = ops, .settings = common, .config = config, .arena = arena};
    struct target target = {koa_rule_options, common, ops->options, config};
    struct koa_rule *rule = NULL;

    if (!load(&target, with_name(settings, "rule", arena), arena, reterr)) {
        koa_arena_destroy(arena);
        return NULL;
    }
    return koa_rule_create(&spec, &rule, reterr) == KOA_OK ? rule : NULL;
}

struct koa_notifier *kit_notifier_make(const struct koa_notifier_ops *ops,
                                       const struct koa_settings *settings,
                                       struct koa_error *reterr)
{
    struct koa_arena *arena = koa_arena_create(1 << 20);
    struct koa_notifier_settings *common = koa_arena_alloc(arena, 1, sizeof(*common));
    void *config = koa_arena_alloc(arena, 1, ops->config_size + 1);
    struct koa_notifier_spec spec = {
        .ops = ops, .settings = common, .config = config, .arena = arena};
    struct target target = {koa_notifier_options, common, ops->options, config};
    struct koa_notifier *notifier = NULL;

    if (!load(&target, with_name(settings, "notifier", arena), arena, reterr)) {
        koa_arena_destroy(arena);
        return NULL;
    }
    return koa_notifier_create(&spec, &notifier, reterr) == KOA_OK ? notifier : NULL;
}

static void describe(const struct koa_alert_record *record)
{
    koa_buf_printf(&seen, "%s%s {", seen.size > 0 ? "; " : "", koa_alert_state_name(record->state));
    for (size_t i = 0; i < record->labels.count; i++) {
        koa_buf_printf(&seen, "%s%s=%s", i > 0 ? "," : "", record->labels.rows[i].name,
                       record->labels.rows[i].value);
    }
    koa_buf_printf(&seen, "} %s", record->message);
}

const char *kit_rule_look(struct koa_rule *rule, struct koa_view *view)
{
    struct koa_alert_policy policy = {.settings = rule->spec.settings};
    struct koa_alert_clock clock = {.running = view->mono, .wall = view->now};
    const struct koa_alert *alert;

    view->memory = &rule->memory;
    if (observations.rows == NULL)
        assert_int_equal(koa_observations_init(&observations, 2000, NULL), KOA_OK);
    assert_true(koa_observations_begin(&observations, koa_rule_name(rule), rule->alerts, 2000));
    rule->spec.ops->evaluate(rule->spec.config, rule->spec.context, view, &observations);
    koa_alert_set_apply(rule->alerts, &policy, &observations, &clock);
    koa_buf_clear(&seen);
    if (observations.is_missing || !observations.is_fresh)
        koa_buf_printf(&seen, "missing: %s", observations.problem);
    for (size_t at = 0; (alert = koa_alert_set_next(rule->alerts, &at)) != NULL;) {
        if (alert->phase.state == KOA_ALERT_PENDING || alert->phase.state == KOA_ALERT_FIRING)
            describe(alert->record);
    }
    return koa_buf_text(&seen);
}

static void expect_described(const char *name, const char *help, const struct koa_option *options)
{
    KIT_EXPECT("has a name", name != NULL && name[0] != '\0');
    KIT_EXPECT(name, help != NULL && help[0] != '\0');
    for (const struct koa_option *row = options; row != NULL && row->type != KOA_OPTION_NONE;
         row++) {
        KIT_EXPECT(name, row->key != NULL);
        KIT_EXPECT(row->key, row->help != NULL && row->help[0] != '\0');
    }
}

/* Nothing to look at is not "all is well": a firing alert would end by it. */
static void expect_blindness(const struct koa_rule_ops *ops, struct koa_rule *rule)
{
    struct koa_view nothing = {.now.ms = 1764000000000, .mono.ms = 5};

    KIT_EXPECT_CONTAINS(ops->name, "missing: ", kit_rule_look(rule, &nothing));
    KIT_EXPECT("says why", observations.problem[0] != '\0');
    KIT_EXPECT_INT("sees nothing", 0, observations.looked);
    nothing.mono.ms += 60000;
    KIT_EXPECT_CONTAINS("again", "missing: ", kit_rule_look(rule, &nothing));
}

void kit_rule_contract(const struct koa_rule_ops *ops, const struct koa_settings *settings)
{
    struct koa_error error = {0};
    struct koa_rule *rule;

    KIT_EXPECT(ops->name, ops->struct_size == sizeof(*ops));
    KIT_EXPECT(ops->name, ops->evaluate != NULL);
    expect_described(ops->name, ops->help, ops->options);
    rule = kit_rule_make(ops, settings, &error);
    KIT_EXPECT_TEXT(ops->name, "", error.text);
    expect_blindness(ops, rule);
    koa_rule_destroy(rule);
    /* Made and ended without an evaluation. */
    koa_rule_destroy(kit_rule_make(ops, settings, &error));
    KIT_EXPECT("an unknown setting is refused",
               kit_rule_make(ops, KOA_SETTINGS({"no_such_setting", "1"}), &error) == NULL);
}

void kit_notifier_contract(const struct koa_notifier_ops *ops, const struct koa_settings *settings)
{
    struct koa_error error = {0};
    struct koa_notifier *notifier;

    KIT_EXPECT(ops->name, ops->struct_size == sizeof(*ops));
    KIT_EXPECT(ops->name, (ops->send == NULL) != (ops->start == NULL));
    expect_described(ops->name, ops->help, ops->options);
    notifier = kit_notifier_make(ops, settings, &error);
    KIT_EXPECT_TEXT(ops->name, "", error.text);
    koa_notifier_unref(notifier);
    KIT_EXPECT("an unknown setting is refused",
               kit_notifier_make(ops, KOA_SETTINGS({"no_such_setting", "1"}), &error) == NULL);
}
