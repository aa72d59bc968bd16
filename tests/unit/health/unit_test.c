/* Settings of checks: common and own rows in one go, names, timeouts, and what a reload compares.
 */
#include "health/unit.h"

#include <stdio.h>

#include "config/yaml.h"
#include "kit/check_kit.h"
#include "kit/kit.h"

struct config {
    double critical;
    const char *word;
};

static const struct koa_option options[] = {
    {KOA_NUMBER(struct config, critical), .fallback = "0.9", .help = "a limit"},
    {KOA_TEXT(struct config, word), .fallback = "abc", .help = "a word"},
    {0},
};

static int releases;

static enum koa_err prepare(void *config, struct koa_error *reterr)
{
    const struct config *own = config;

    return own->critical < 0 ? koa_fail(reterr, KOA_ERR_RANGE, "critical below 0") : KOA_OK;
}

static void release(void *config)
{
    (void) config;
    releases++;
}

static void run(const void *config, void *context, struct koa_verdict *verdict)
{
    (void) config;
    (void) context;
    koa_verdict_healthy(verdict, "fine");
}

static void default_name(const void *config, char *name, size_t size)
{
    const struct config *own = config;

    (void) snprintf(name, size, "limit_%s", own->word);
}

static const struct koa_check_ops limit_check = {KOA_OPS_INIT(koa_check_ops),
                                                 .name = "limit",
                                                 .help = "Has a limit",
                                                 .options = options,
                                                 .timeout = "5s",
                                                 .config_size = sizeof(struct config),
                                                 .run = run,
                                                 .prepare = prepare,
                                                 .release = release,
                                                 .default_name = default_name};
static const struct koa_check_ops plain_check = {KOA_OPS_INIT(koa_check_ops), .name = "plain",
                                                 .help = "Has nothing", .run = run};

static const struct {
    const char *name;
    const char *value; /* of critical; NULL: not given */
    double limit;
    bool flag;
} critical_cases[] = {
    {"neither is given", NULL, 0.9, true}, {"a number is the limit", "0.5", 0.5, true},
    {"one is a number", "1", 1, true},     {"false is the flag", "false", 0.9, false},
    {"no is the flag", "no", 0.9, false},  {"true is the flag", "true", 0.9, true},
};

static void a_limit_and_the_flag_may_share_a_name(void **state)
{
    (void) state;
    KIT_EACH (c, critical_cases) {
        KOA_AUTO(koa_check_unit) *unit = kit_check_load(
            &limit_check, NULL,
            c->value != NULL ? KOA_SETTINGS({"critical", c->value}) : KOA_NO_SETTINGS, NULL, 0);

        assert_non_null(unit);
        KIT_EXPECT_DOUBLE(c->name, c->limit, ((const struct config *) unit->config)->critical);
        KIT_EXPECT_INT(c->name, c->flag, unit->common.critical);
        KIT_EXPECT_TEXT(c->name, "abc", ((const struct config *) unit->config)->word);
        KIT_EXPECT_INT(c->name, 15000, unit->common.interval_ms);
    }
}

static struct koa_check_unit *load(const struct koa_check_ops *ops,
                                   const struct koa_settings *settings, bool overrides_types,
                                   char *errors, size_t size)
{
    KOA_AUTO(koa_arena) *arena = koa_arena_create(1 << 20);
    struct koa_config_errors found = {.arena = arena};
    struct koa_buf buf = {.limit = 65536};
    struct koa_check_load_opts opts = {.ops = ops,
                                       .path = "checks[0]",
                                       .default_timeout_ms = 7000,
                                       .overrides_types = overrides_types};
    struct koa_node *node =
        settings != NULL ? koa_node_from_settings(settings, "settings", arena, &found) : NULL;
    struct koa_check_unit *unit = koa_check_unit_load(&opts, node, &found);

    koa_config_errors_print(&found, &buf);
    (void) snprintf(errors, size, "%s", koa_buf_text(&buf));
    koa_buf_deinit(&buf);
    return unit;
}

static const struct {
    const char *name;
    const struct koa_check_ops *ops;
    const char *own;
    bool overrides_types;
    int64_t timeout_ms, max_age_ms;
} timeout_cases[] = {
    {"the type's", &limit_check, NULL, false, 5000, 60000},
    {"HEALTH_CHECK_TIMEOUT where the type has none", &plain_check, NULL, false, 7000, 66000},
    {"HEALTH_CHECK_TIMEOUT, set, outranks the type", &limit_check, NULL, true, 7000, 66000},
    {"the check's own wins", &limit_check, "2s", true, 2000, 51000},
};

static void timeouts_have_an_order(void **state)
{
    char errors[512];

    (void) state;
    KIT_EACH (c, timeout_cases) {
        KOA_AUTO(koa_check_unit) *unit = load(c->ops,
                                              c->own != NULL ? KOA_SETTINGS({"timeout", c->own})
                                                             : KOA_SETTINGS({"enabled", "true"}),
                                              c->overrides_types, errors, sizeof(errors));

        KIT_EXPECT_TEXT(c->name, "", errors);
        KIT_EXPECT_INT(c->name, c->timeout_ms, unit->common.timeout_ms);
        KIT_EXPECT_INT(c->name, c->max_age_ms, unit->common.max_age_ms);
    }
}

static const struct {
    const char *name;
    const char *key, *value;
    const char *text;
} error_cases[] = {
    {"a key nobody knows", "intervall", "1s", "did you mean 'interval'"},
    {"an interval of nothing", "interval", "0s", "interval"},
    {"a threshold of nothing", "failure_threshold", "0", "failure_threshold"},
    {"what prepare refuses", "critical", "-1", "critical below 0"},
    {"a name that fits no URL", "name", "a/b", "must not hold '/'"},
    {"a name that clients take out of a URL", "name", "..", "must not be . or .."},
};

static void mistakes_are_told(void **state)
{
    char errors[512];

    (void) state;
    releases = 0;
    KIT_EACH (c, error_cases) {
        KIT_EXPECT(c->name, load(&limit_check, KOA_SETTINGS({c->key, c->value}), false, errors,
                                 sizeof(errors)) == NULL);
        KIT_EXPECT_CONTAINS(c->name, c->text, errors);
    }
    KIT_EXPECT_INT("what was not prepared is not released", 0, releases);
}

static void a_check_always_has_a_timeout(void **state)
{
    KOA_AUTO(koa_arena) *arena = koa_arena_create(1 << 20);
    struct koa_config_errors found = {.arena = arena};
    const struct koa_check_load_opts opts = {.ops = &plain_check, .path = "checks[0]"};
    KOA_AUTO(koa_check_unit) *unit = koa_check_unit_load(&opts, NULL, &found);

    (void) state;
    assert_non_null(unit);
    assert_int_equal(unit->common.timeout_ms, 30000);
}

static void wrong_ops_are_refused(void **state)
{
    static const struct koa_option taken[] = {
        {.key = "timeout", .type = KOA_OPTION_BOOL, .help = "taken"}, {0}};
    struct koa_check_ops ops = plain_check;
    char errors[512];

    (void) state;
    ops.run = NULL;
    KIT_EXPECT("no function", load(&ops, KOA_NO_SETTINGS, false, errors, sizeof(errors)) == NULL);
    KIT_EXPECT_CONTAINS("no function", "exactly one of", errors);
    ops = plain_check;
    ops.struct_size = 0;
    KIT_EXPECT("no size", load(&ops, KOA_NO_SETTINGS, false, errors, sizeof(errors)) == NULL);
    KIT_EXPECT_CONTAINS("no size", "KOA_OPS_INIT", errors);
    ops = plain_check;
    ops.options = taken;
    ops.config_size = 1;
    KIT_EXPECT("taken key", load(&ops, KOA_NO_SETTINGS, false, errors, sizeof(errors)) == NULL);
    KIT_EXPECT_CONTAINS("taken key", "every check has", errors);
}

static void names_come_from_settings_or_type(void **state)
{
    KOA_AUTO(koa_check_unit) *plain = kit_check_load(&plain_check, NULL, NULL, NULL, 0);
    KOA_AUTO(koa_check_unit) *limit =
        kit_check_load(&limit_check, NULL, KOA_SETTINGS({"word", "x"}), NULL, 0);
    KOA_AUTO(koa_check_unit) *named =
        kit_check_load(&limit_check, NULL, KOA_SETTINGS({"name", "own"}), NULL, 0);

    (void) state;
    KIT_EXPECT_TEXT("type", "plain", plain->common.name);
    KIT_EXPECT_TEXT("made", "limit_x", limit->common.name);
    KIT_EXPECT_TEXT("given", "own", named->common.name);
    KIT_EXPECT_TEXT("type", "limit", named->common.type);
}

static void a_reload_sees_what_changed(void **state)
{
    KOA_AUTO(koa_check_unit) *a =
        kit_check_load(&limit_check, NULL, KOA_SETTINGS({"interval", "60s"}), NULL, 0);
    KOA_AUTO(koa_check_unit) *b =
        kit_check_load(&limit_check, NULL, KOA_SETTINGS({"interval", "1m"}), NULL, 0);
    KOA_AUTO(koa_check_unit) *c = kit_check_load(
        &limit_check, NULL, KOA_SETTINGS({"interval", "1m"}, {"word", "y"}), NULL, 0);
    KOA_AUTO(koa_check_unit) *d =
        kit_check_load(&limit_check, NULL, KOA_SETTINGS({"interval", "2m"}), NULL, 0);

    (void) state;
    KIT_EXPECT("the same in other words", koa_check_unit_equal(a, b));
    KIT_EXPECT("an own setting", !koa_check_unit_equal(b, c));
    KIT_EXPECT("a common setting", !koa_check_unit_equal(b, d));
}

static void survives_lack_of_memory(void **state)
{
    bool ok = false;

    (void) state;
    KIT_FOR_EACH_ALLOC_FAILURE (ok) {
        KOA_AUTO(koa_arena) *arena = koa_arena_create(1 << 20);
        struct koa_config_errors found = {.arena = arena};
        struct koa_check_load_opts opts = {
            .ops = &limit_check, .path = "", .default_timeout_ms = 7000};
        struct koa_check_unit *unit =
            arena != NULL ? koa_check_unit_load(&opts, NULL, &found) : NULL;

        ok = unit != NULL;
        koa_check_unit_unref(unit);
    }
    KIT_EXPECT("reached the end", ok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_and_the_flag_may_share_a_name),
        cmocka_unit_test(timeouts_have_an_order),
        cmocka_unit_test(a_check_always_has_a_timeout),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(wrong_ops_are_refused),
        cmocka_unit_test(names_come_from_settings_or_type),
        cmocka_unit_test(a_reload_sees_what_changed),
        cmocka_unit_test(survives_lack_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
