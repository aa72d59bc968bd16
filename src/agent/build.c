/* From configuration nodes to checks, rules and notifiers: finds each one's type, lays what the
 * file says over the defaults, and lets the type's rows read it. All errors are collected. */
#include "agent/composition.h"

#include <stdio.h>

#include "alerts/dispatch.h"
#include "base/memory.h"
#include "base/str.h"
#include "builtin/builtin.h"
#include "config/options.h"

enum {
    ITEM_LIMIT = 1000, /* checks, rules and notifiers each: far beyond what a person reads */
    ARENA_LIMIT = 4 << 20,
    PATH_SIZE = 64,
    NAME_SIZE = 128,
    DEFAULT_CHECK_TIMEOUT_MS = 30000, /* HEALTH_CHECK_TIMEOUT's own default */
};

static const char *scalar(const struct koa_node *node, const char *key)
{
    const struct koa_node *child = node != NULL ? koa_node_get(node, key) : NULL;

    return child != NULL && child->type == KOA_NODE_SCALAR ? child->value : NULL;
}

/* What an item is called, or NULL. */
typedef const char *item_name_fn(const struct koa_node *item);

static const char *item_name(const struct koa_node *item)
{
    return scalar(item, "name");
}

/* A check without a name has that of its type; which one a type makes up is told by the loaded
 * check only. */
static const char *check_name(const struct koa_node *item)
{
    const char *name = item_name(item);
    const char *type = scalar(item, "type");

    if (name != NULL && name[0] != '\0')
        return name;
    for (size_t i = 0; type != NULL && koa_builtin_checks[i] != NULL; i++) {
        if (koa_text_equal(koa_builtin_checks[i]->name, type))
            return koa_builtin_checks[i]->default_name == NULL ? type : NULL;
    }
    return NULL;
}

/* The item of a list that is called `name`, or NULL. */
static const struct koa_node *find_item(const struct koa_node *list, const char *name,
                                        item_name_fn *name_of)
{
    for (const struct koa_node *item = list != NULL ? list->children : NULL; item != NULL;
         item = item->next) {
        if (koa_text_equal(name_of(item), name))
            return item;
    }
    return NULL;
}

static void report_second(const char *name, const struct koa_node *item, const char *path,
                          struct koa_config_errors *errors)
{
    koa_config_errors_add(errors, item, path, "the name '%s' is taken already; names are unique",
                          name);
}

/* Reports a second item of one name; the first is the one that counts. */
static bool is_second(const struct koa_node *list, const struct koa_node *item,
                      item_name_fn *name_of, const char *path, struct koa_config_errors *errors)
{
    const char *name = name_of(item);

    if (name == NULL || find_item(list, name, name_of) == item)
        return false;
    report_second(name, item, path, errors);
    return true;
}

/* Where an item stands that may be one too many. */
struct place {
    const struct koa_node *item; /* NULL: one of the defaults */
    const char *path;
};

static bool has_room(size_t count, size_t limit, const struct place *place,
                     struct koa_config_errors *errors)
{
    if (count < limit)
        return true;
    koa_config_errors_add(errors, place->item, place->path,
                          "is one too many: at most %zu, with those that exist by default", limit);
    return false;
}

static bool is_list(const struct koa_node *node, const char *path, struct koa_config_errors *errors)
{
    if (node == NULL || node->type == KOA_NODE_LIST ||
        (node->type == KOA_NODE_SCALAR && node->value[0] == '\0' && !node->is_quoted))
        return node != NULL;
    koa_config_errors_add(errors, node, path, "must be a list: '- name: ...' for each");
    return false;
}

/* The type of an item: its `type`, else that of the default of its name. */
static const char *item_type(const struct koa_node *item, const char *fallback, const char *path,
                             struct koa_config_errors *errors)
{
    const char *type = scalar(item, "type");

    if (type != NULL)
        return type;
    if (fallback != NULL)
        return fallback;
    koa_config_errors_add(errors, item, path, "`type` is missing");
    return NULL;
}

/* Built-in types by name; one function for each kind because their structs differ. */
#define DEFINE_FIND(noun)                                                                          \
    static const struct koa_##noun##_ops *find_##noun(                                             \
        const char *type, const struct koa_node *item, const char *path,                           \
        struct koa_config_errors *errors)                                                          \
    {                                                                                              \
        const char *words[64] = {NULL};                                                            \
                                                                                                   \
        for (size_t i = 0; koa_builtin_##noun##s[i] != NULL && i + 1 < KOA_ARRAY_COUNT(words);     \
             i++) {                                                                                \
            if (koa_text_equal(koa_builtin_##noun##s[i]->name, type))                              \
                return koa_builtin_##noun##s[i];                                                   \
            words[i] = koa_builtin_##noun##s[i]->name;                                             \
        }                                                                                          \
        koa_options_unknown(errors, koa_node_get(item, "type"), path,                              \
                            &(struct koa_unknown_word){"type", type, words});                      \
        return NULL;                                                                               \
    }
DEFINE_FIND(check)
DEFINE_FIND(rule)
DEFINE_FIND(notifier)
#undef DEFINE_FIND

struct koa_check_load_opts koa_agent_check_opts(const struct koa_configuration *configuration,
                                                const struct koa_check_ops *ops, const char *path)
{
    int64_t timeout_ms = configuration->health.check_timeout;

    return (struct koa_check_load_opts){
        .ops = ops,
        .path = path,
        .default_timeout_ms = timeout_ms > 0 ? timeout_ms : DEFAULT_CHECK_TIMEOUT_MS,
        .overrides_types = timeout_ms > 0,
    };
}

/* The same for a check of file or defaults. */
static struct koa_check_load_opts check_opts(const struct koa_agent_build *build,
                                             const struct koa_check_ops *ops, const char *path)
{
    struct koa_check_load_opts opts = koa_agent_check_opts(build->configuration, ops, path);

    opts.is_configured = true;
    return opts;
}

static bool is_kept(const struct koa_agent_build *build, const char *name)
{
    for (size_t i = 0; i < build->check_count; i++) {
        if (koa_text_equal(build->checks[i]->common.name, name))
            return true;
    }
    return false;
}

static void keep_check(struct koa_agent_build *build, struct koa_check_unit *unit,
                       const struct place *place)
{
    if (unit == NULL)
        return;
    if (is_kept(build, unit->common.name)) {
        report_second(unit->common.name, place->item, place->path, build->errors);
        koa_check_unit_unref(unit);
    } else if (!unit->common.enabled ||
               !has_room(build->check_count, ITEM_LIMIT, place, build->errors)) {
        koa_check_unit_unref(unit);
    } else {
        build->checks[build->check_count++] = unit;
    }
}

static const struct {
    const char *name;
    const struct koa_check_ops *ops;
} default_checks[] = {
    {"database", &koa_check_database},
    {"kafka", &koa_check_kafka},
    {"disk_space", &koa_check_disk_space},
    {"memory", &koa_check_memory},
};

static const char *default_check_type(const struct koa_agent_build *build, const char *name)
{
    for (size_t i = 0; build->use_defaults && i < KOA_ARRAY_COUNT(default_checks); i++) {
        if (koa_text_equal(default_checks[i].name, name))
            return default_checks[i].ops->name;
    }
    return NULL;
}

/* `kafka` for the first cluster, `kafka_{cluster}` for the others. */
static void add_default_checks(struct koa_agent_build *build)
{
    const struct koa_node *list = build->configuration->checks;
    const struct koa_cluster_settings *clusters = build->configuration->clusters.rows;

    for (size_t i = 0; i < KOA_ARRAY_COUNT(default_checks); i++) {
        struct koa_check_load_opts opts = check_opts(build, default_checks[i].ops, "checks");

        opts.name = default_checks[i].name;
        if (find_item(list, opts.name, check_name) == NULL) {
            keep_check(build, koa_check_unit_load(&opts, NULL, build->errors),
                       &(struct place){NULL, "checks"});
        }
    }
    for (size_t i = 1; i < build->configuration->clusters.count; i++) {
        char name[NAME_SIZE];
        struct koa_setting cluster = {.key = "cluster", .value = clusters[i].name};
        struct koa_check_load_opts opts = check_opts(build, &koa_check_kafka, "checks");
        const struct koa_node *node;

        (void) snprintf(name, sizeof(name), "kafka_%s", clusters[i].name);
        opts.name = name;
        if (find_item(list, name, check_name) != NULL)
            continue;
        node = koa_node_from_settings(&(struct koa_settings){.rows = &cluster, .count = 1},
                                      "clusters", build->errors->arena, build->errors);
        keep_check(build, koa_check_unit_load(&opts, node, build->errors),
                   &(struct place){NULL, "clusters"});
    }
}

static void build_checks(struct koa_agent_build *build)
{
    const struct koa_node *list = build->configuration->checks;
    size_t index = 0;

    if (is_list(list, "checks", build->errors)) {
        for (const struct koa_node *item = list->children; item != NULL; item = item->next) {
            char path[PATH_SIZE];
            const struct koa_check_ops *ops = NULL;
            const char *type;

            (void) snprintf(path, sizeof(path), "checks[%zu]", index++);
            if (is_second(list, item, check_name, path, build->errors))
                continue;
            type = item_type(item, default_check_type(build, scalar(item, "name")), path,
                             build->errors);
            if (type != NULL)
                ops = find_check(type, item, path, build->errors);
            if (ops != NULL) {
                struct koa_check_load_opts opts = check_opts(build, ops, path);

                keep_check(build, koa_check_unit_load(&opts, item, build->errors),
                           &(struct place){item, path});
            }
        }
    }
    if (build->use_defaults)
        add_default_checks(build);
}

/* What rules and notifiers share while they are read: their rows, and the arena that they take with
 * them. */
struct loading {
    const struct koa_option *common; /* of `settings` */
    size_t settings_size;
    const struct koa_option *options; /* of `config`; NULL: none */
    size_t config_size;

    struct koa_arena *arena;
    void *settings;
    void *config;
};

/* The node with the name laid over it that was given beside it. */
static const struct koa_node *named_node(const struct koa_agent_item *item, struct koa_arena *arena,
                                         struct koa_config_errors *errors)
{
    const struct koa_setting name = {.key = "name", .value = item->name};
    struct koa_node *over;

    if (item->name == NULL)
        return item->node;
    over = koa_node_from_settings(&(struct koa_settings){.rows = &name, .count = 1}, "settings",
                                  arena, errors);
    return over != NULL ? koa_node_merge(item->node, over, arena) : item->node;
}

static bool read_item(struct loading *loading, const struct koa_agent_item *item,
                      struct koa_config_errors *errors)
{
    static const struct koa_option none[] = {{0}};
    const struct koa_option *const tables[] = {
        loading->common, loading->options != NULL ? loading->options : none, NULL};
    void *const targets[] = {loading->settings, loading->config, NULL};

    return koa_options_load(&(struct koa_options_opts){.tables = tables,
                                                       .targets = targets,
                                                       .path = item->path,
                                                       .arena = loading->arena,
                                                       .errors = errors,
                                                       .read_secret_files = true},
                            named_node(item, loading->arena, errors));
}

/* False after an error; there is no arena then. */
static bool load_item(struct loading *loading, const struct koa_agent_item *item,
                      struct koa_config_errors *errors)
{
    loading->arena = koa_arena_create(ARENA_LIMIT);
    if (loading->arena != NULL) {
        loading->settings = koa_arena_alloc(loading->arena, 1, loading->settings_size);
        loading->config = koa_arena_alloc(loading->arena, 1, loading->config_size + 1);
    }
    if (loading->settings == NULL || loading->config == NULL) {
        koa_config_errors_add(errors, item->node, item->path, "no memory");
    } else if (read_item(loading, item, errors)) {
        return true;
    }
    koa_arena_destroy(loading->arena);
    return false;
}

struct koa_rule *koa_agent_build_rule(const struct koa_rule_ops *ops,
                                      const struct koa_agent_item *item,
                                      struct koa_config_errors *errors)
{
    struct loading loading = {.common = koa_rule_options,
                              .settings_size = sizeof(struct koa_rule_settings),
                              .options = ops->options,
                              .config_size = ops->config_size};
    struct koa_rule *rule = NULL;
    struct koa_error error;

    if (!load_item(&loading, item, errors))
        return NULL;
    ((struct koa_rule_settings *) loading.settings)->type = ops->name;
    if (koa_rule_create(&(struct koa_rule_spec){.ops = ops,
                                                .settings = loading.settings,
                                                .config = loading.config,
                                                .context = item->context,
                                                .arena = loading.arena,
                                                .is_configured = item->is_configured},
                        &rule, &error) != KOA_OK)
        koa_config_errors_add(errors, item->node, item->path, "%s", error.text);
    return rule;
}

struct koa_notifier *koa_agent_build_notifier(const struct koa_notifier_ops *ops,
                                              const struct koa_agent_item *item,
                                              struct koa_config_errors *errors)
{
    struct loading loading = {.common = koa_notifier_options,
                              .settings_size = sizeof(struct koa_notifier_settings),
                              .options = ops->options,
                              .config_size = ops->config_size};
    struct koa_notifier *notifier = NULL;
    struct koa_error error;

    if (!load_item(&loading, item, errors))
        return NULL;
    ((struct koa_notifier_settings *) loading.settings)->type = ops->name;
    if (koa_notifier_create(&(struct koa_notifier_spec){.ops = ops,
                                                        .settings = loading.settings,
                                                        .config = loading.config,
                                                        .context = item->context,
                                                        .arena = loading.arena,
                                                        .is_configured = item->is_configured},
                            &notifier, &error) != KOA_OK)
        koa_config_errors_add(errors, item->node, item->path, "%s", error.text);
    return notifier;
}

static void keep_rule(struct koa_agent_build *build, struct koa_rule *rule,
                      const struct place *place)
{
    if (rule == NULL)
        return;
    if (!rule->spec.settings->enabled ||
        !has_room(build->rule_count, ITEM_LIMIT, place, build->errors)) {
        koa_rule_destroy(rule);
    } else {
        build->rules[build->rule_count++] = rule;
    }
}

/* A default rule, with what the file says of the rule of its name laid over it. */
static void add_default_rule(struct koa_agent_build *build, const struct koa_default_rule *rule)
{
    const struct koa_settings settings = {.rows = rule->rows, .count = rule->count};
    const struct koa_node *said =
        find_item(build->configuration->alerting.rules, rule->name, item_name);
    const struct koa_node *node =
        koa_node_from_settings(&settings, "defaults", build->errors->arena, build->errors);
    const struct koa_rule_ops *ops;

    if (node != NULL && said != NULL)
        node = koa_node_merge(node, said, build->errors->arena);
    ops = node != NULL ? find_rule(scalar(node, "type"), node, "alerting.rules", build->errors)
                       : NULL;
    if (ops != NULL) {
        keep_rule(build,
                  koa_agent_build_rule(ops,
                                       &(struct koa_agent_item){.name = rule->name,
                                                                .node = node,
                                                                .path = "alerting.rules",
                                                                .is_configured = true},
                                       build->errors),
                  &(struct place){said, "alerting.rules"});
    }
}

static bool is_default_rule(const struct koa_agent_build *build, const char *name)
{
    size_t count;
    const struct koa_default_rule *rules = koa_default_rules(&count);

    for (size_t i = 0; build->use_defaults && i < count; i++) {
        if (koa_text_equal(rules[i].name, name))
            return true;
    }
    return false;
}

static void build_rules(struct koa_agent_build *build)
{
    const struct koa_node *list = build->configuration->alerting.rules;
    size_t count;
    const struct koa_default_rule *defaults = koa_default_rules(&count);
    size_t index = 0;

    for (size_t i = 0; build->use_defaults && i < count; i++)
        add_default_rule(build, &defaults[i]);
    if (!is_list(list, "alerting.rules", build->errors))
        return;
    for (const struct koa_node *item = list->children; item != NULL; item = item->next) {
        char path[PATH_SIZE];
        const struct koa_rule_ops *ops = NULL;
        const char *type;

        (void) snprintf(path, sizeof(path), "alerting.rules[%zu]", index++);
        if (is_second(list, item, item_name, path, build->errors) ||
            is_default_rule(build, scalar(item, "name")))
            continue;
        type = item_type(item, NULL, path, build->errors);
        if (type != NULL)
            ops = find_rule(type, item, path, build->errors);
        if (ops != NULL) {
            keep_rule(build,
                      koa_agent_build_rule(ops,
                                           &(struct koa_agent_item){
                                               .node = item, .path = path, .is_configured = true},
                                           build->errors),
                      &(struct place){item, path});
        }
    }
}

static void keep_notifier(struct koa_agent_build *build, struct koa_notifier *notifier,
                          const struct place *place)
{
    if (notifier == NULL)
        return;
    if (!notifier->spec.settings->enabled ||
        !has_room(build->notifier_count, KOA_DISPATCH_NOTIFIERS, place, build->errors)) {
        koa_notifier_unref(notifier);
    } else {
        build->notifiers[build->notifier_count++] = notifier;
    }
}

static void build_notifiers(struct koa_agent_build *build)
{
    static const struct koa_node empty = {.type = KOA_NODE_MAP};
    const struct koa_node *list = build->configuration->alerting.notifiers;
    size_t index = 0;

    if (build->use_defaults && find_item(list, "log", item_name) == NULL) {
        keep_notifier(
            build,
            koa_agent_build_notifier(&koa_notifier_log,
                                     &(struct koa_agent_item){.name = "log",
                                                              .node = &empty,
                                                              .path = "alerting.notifiers",
                                                              .is_configured = true},
                                     build->errors),
            &(struct place){NULL, "alerting.notifiers"});
    }
    if (!is_list(list, "alerting.notifiers", build->errors))
        return;
    for (const struct koa_node *item = list->children; item != NULL; item = item->next) {
        char path[PATH_SIZE];
        const struct koa_notifier_ops *ops = NULL;
        const char *type;

        (void) snprintf(path, sizeof(path), "alerting.notifiers[%zu]", index++);
        if (is_second(list, item, item_name, path, build->errors))
            continue;
        type = item_type(item, koa_text_equal(scalar(item, "name"), "log") ? "log" : NULL, path,
                         build->errors);
        if (type != NULL)
            ops = find_notifier(type, item, path, build->errors);
        if (ops != NULL) {
            keep_notifier(
                build,
                koa_agent_build_notifier(
                    ops,
                    &(struct koa_agent_item){.node = item, .path = path, .is_configured = true},
                    build->errors),
                &(struct place){item, path});
        }
    }
}

bool koa_agent_build(struct koa_agent_build *build)
{
    build->checks = koa_calloc(ITEM_LIMIT, sizeof(void *));
    build->rules = koa_calloc(ITEM_LIMIT, sizeof(void *));
    build->notifiers = koa_calloc(ITEM_LIMIT, sizeof(void *));
    if (build->checks == NULL || build->rules == NULL || build->notifiers == NULL) {
        koa_config_errors_add(build->errors, NULL, "", "no memory");
        return false;
    }
    build_checks(build);
    build_rules(build);
    build_notifiers(build);
    return build->errors->count == 0;
}

void koa_agent_build_deinit(struct koa_agent_build *build)
{
    for (size_t i = 0; i < build->check_count; i++)
        koa_check_unit_unref(build->checks[i]);
    for (size_t i = 0; i < build->rule_count; i++)
        koa_rule_destroy(build->rules[i]);
    for (size_t i = 0; i < build->notifier_count; i++)
        koa_notifier_unref(build->notifiers[i]);
    koa_free(build->checks);
    koa_free(build->rules);
    koa_free(build->notifiers);
}

static void judge(const struct koa_configuration *configuration, bool use_defaults,
                  struct koa_config_errors *errors)
{
    struct koa_agent_build build = {
        .configuration = configuration, .use_defaults = use_defaults, .errors = errors};

    /* Errors are what it is called for; what could be built is thrown away. */
    if (koa_agent_build(&build))
        KOA_ASSERT(errors->count == build.errors->count);
    koa_agent_build_deinit(&build);
}

void koa_agent_judge(const struct koa_configuration *configuration,
                     struct koa_config_errors *errors)
{
    judge(configuration, false, errors);
}

void koa_agent_judge_with_defaults(const struct koa_configuration *configuration,
                                   struct koa_config_errors *errors)
{
    judge(configuration, true, errors);
}
