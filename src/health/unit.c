/* Turns settings into a check: common and own rows are read together, so that a misspelt key is
 * found whoever it was meant for. When and how the check runs is decided elsewhere. */
#include "health/unit.h"

#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "base/num.h"
#include "base/str.h"

enum {
    /* All settings of one check; a configuration file has 4 MiB at most. */
    ARENA_LIMIT = 8 * 1024 * 1024,
    NAME_LIMIT = 128, /* bytes: names stand in URLs, labels and log lines */
    DAY_MS = 86400000,
    HOUR_MS = 3600000,
    DEFAULT_TIMEOUT_MS = 30000 /* HEALTH_CHECK_TIMEOUT of who does not set it */
};

/* The one key that types may have too. */
static const char shared_key[] = "critical";

#define ROW(word, kind, member, ctype)                                                             \
    .key = (word), .type = (kind),                                                                 \
    .offset = KOA_OPTION_OFFSET(struct koa_check_common, member, ctype)

const struct koa_option koa_check_common_options[] = {
    {ROW("name", KOA_OPTION_TEXT, name, const char *),
     .help = "name of the check in answers, metrics and alerts; default: the type's"},
    {ROW("type", KOA_OPTION_TEXT, type, const char *), .help = "what it looks at"},
    {ROW("enabled", KOA_OPTION_BOOL, enabled, bool), .fallback = "true",
     .help = "false removes the check, also one that exists by default"},
    {ROW("interval", KOA_OPTION_DURATION, interval_ms, int64_t), .fallback = "15s", .minimum = 100,
     .maximum = 7.0 * DAY_MS, .help = "time from one run to the next"},
    {ROW("timeout", KOA_OPTION_DURATION, timeout_ms, int64_t), .minimum = 10, .maximum = DAY_MS,
     .help = "a run that takes longer is unhealthy; default: the type's, else "
             "HEALTH_CHECK_TIMEOUT"},
    {ROW("initial_delay", KOA_OPTION_DURATION, initial_delay_ms, int64_t), .fallback = "0s",
     .maximum = DAY_MS, .help = "time from the start to the first run"},
    {ROW("failure_threshold", KOA_OPTION_COUNT, failure_threshold, int64_t), .fallback = "1",
     .minimum = 1, .maximum = 1000, .help = "failures in a row until the check is unhealthy"},
    {ROW("success_threshold", KOA_OPTION_COUNT, success_threshold, int64_t), .fallback = "1",
     .minimum = 1, .maximum = 1000,
     .help = "successes in a row until an unhealthy check is believed"},
    {ROW("degraded_after", KOA_OPTION_DURATION, degraded_after_ms, int64_t), .fallback = "0s",
     .maximum = HOUR_MS, .help = "a healthy answer that took longer is degraded; 0: off"},
    {ROW("max_age", KOA_OPTION_DURATION, max_age_ms, int64_t), .fallback = "0s",
     .maximum = 30.0 * DAY_MS,
     .help = "an older answer counts as unknown; 0: three times interval and timeout"},
    {ROW("critical", KOA_OPTION_BOOL, critical, bool), .fallback = "true",
     .help = "false: unhealthy here only degrades the whole; where the type has a limit "
             "of this name, a number is that"},
    {ROW("cluster", KOA_OPTION_TEXT, cluster, const char *), .fallback = "",
     .help = "for checks on a cluster's snapshot; default: the first"},
    {ROW("groups", KOA_OPTION_TEXTS, groups, struct koa_texts),
     .help = "groups it belongs to; 'readiness' decides /health/ready"},
    {0},
};

static const struct koa_option *find_row(const struct koa_option *rows, const char *key)
{
    for (const struct koa_option *row = rows; row->type != KOA_OPTION_NONE; row++) {
        if (strcmp(row->key, key) == 0)
            return row;
    }
    return NULL;
}

/* What is wrong with the ops struct itself, or NULL: a mistake of the program, not of its user. */
static const char *ops_fault(const struct koa_check_ops *ops)
{
    int functions;

    if (ops->struct_size < sizeof(*ops))
        return "struct_size is not set: use KOA_OPS_INIT(koa_check_ops)";
    if (ops->name == NULL || ops->name[0] == '\0')
        return "the type has no name";
    functions = (ops->run != NULL) + (ops->start != NULL) + (ops->evaluate != NULL);
    if (functions != 1)
        return "exactly one of run, start and evaluate must be set";
    for (const struct koa_option *row = ops->options; row != NULL && row->type != KOA_OPTION_NONE;
         row++) {
        if (strcmp(row->key, shared_key) != 0 &&
            find_row(koa_check_common_options, row->key) != NULL)
            return "one of its options has the name of a setting that every check has";
    }
    return NULL;
}

static const char *name_fault(const char *name)
{
    size_t size = strlen(name);

    if (size == 0 || size > NAME_LIMIT || !koa_utf8_valid(koa_str_from(name)))
        return "must be 1 to 128 bytes of UTF-8";
    for (const char *at = name; *at != '\0'; at++) {
        if ((unsigned char) *at < 0x20 || *at == 0x7f || *at == '/')
            return "must not hold '/' or control characters";
    }
    /* Clients take these out of a path before they send it. */
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ? "must not be . or .." : NULL;
}

/* The name, as decided by the caller, the file or the type, in that order. */
static void choose_name(struct koa_check_unit *unit, const char *given)
{
    char made[NAME_LIMIT + 1] = "";
    const char *name = given != NULL ? given : unit->common.name;

    if (name == NULL || name[0] == '\0') {
        if (unit->ops->default_name != NULL)
            unit->ops->default_name(unit->config, made, sizeof(made));
        name = made[0] != '\0' ? made : unit->ops->name;
    }
    unit->common.name = koa_arena_strdup(unit->arena, name);
    unit->common.type = unit->ops->name;
}

/* A check's own timeout wins; HEALTH_CHECK_TIMEOUT comes next when it was set; then the type's. */
static enum koa_err resolve_times(struct koa_check_unit *unit,
                                  const struct koa_check_load_opts *opts)
{
    struct koa_check_common *common = &unit->common;
    enum koa_err err = KOA_OK;

    if (common->timeout_ms == 0) {
        common->timeout_ms =
            opts->default_timeout_ms > 0 ? opts->default_timeout_ms : DEFAULT_TIMEOUT_MS;
        if (unit->ops->timeout != NULL && !opts->overrides_types)
            err = koa_parse_duration(koa_str_from(unit->ops->timeout), 1000, &common->timeout_ms);
    }
    if (common->max_age_ms == 0)
        common->max_age_ms = 3 * (common->interval_ms + common->timeout_ms);
    return err;
}

/* Types with limits have a `critical` of their own, a number, beside the flag of every check: a
 * word of yes or no is meant for the flag. */
static bool is_flag(const struct koa_node *node)
{
    const struct koa_node *given = node != NULL ? koa_node_get(node, shared_key) : NULL;
    bool flag;

    return given != NULL && given->type == KOA_NODE_SCALAR &&
           (given->value[0] < '0' || given->value[0] > '9') &&
           koa_parse_bool(koa_str_from(given->value), &flag) == KOA_OK;
}

/* `rows` without the shared key; NULL when memory is out. */
static const struct koa_option *hide_shared(const struct koa_option *rows, struct koa_arena *arena)
{
    struct koa_option *copy;
    size_t count = 0;

    while (rows[count].type != KOA_OPTION_NONE)
        count++;
    copy = koa_arena_alloc(arena, count + 1, sizeof(*copy));
    for (size_t i = 0, used = 0; copy != NULL && i < count; i++) {
        if (strcmp(rows[i].key, shared_key) != 0)
            copy[used++] = rows[i];
    }
    return copy;
}

/* What loading one check needs, in one place. */
struct loading {
    const struct koa_option *tables[3];
    void *targets[3];
    struct koa_options_opts opts;
};

/* Gives the member of the hidden row its default. */
static bool load_default(const struct koa_option *rows, void *target,
                         const struct koa_options_opts *opts)
{
    const struct koa_option *row = find_row(rows, shared_key);
    struct koa_option alone[] = {{0}, {0}};

    if (row != NULL)
        alone[0] = *row;
    return koa_options_load_one(alone, target, NULL, opts);
}

/* Takes the shared key from the table that it is not meant for. */
static bool share_key(struct loading *loading, const struct koa_node *node)
{
    size_t hidden = is_flag(node) ? 1 : 0;

    if (find_row(loading->tables[1], shared_key) == NULL)
        return true;
    if (!load_default(loading->tables[hidden], loading->targets[hidden], &loading->opts))
        return false;
    loading->tables[hidden] = hide_shared(loading->tables[hidden], loading->opts.arena);
    return loading->tables[hidden] != NULL;
}

static bool load_rows(struct koa_check_unit *unit, const struct koa_check_load_opts *opts,
                      const struct koa_node *node, struct koa_config_errors *errors)
{
    static const struct koa_option none[] = {{0}};
    struct loading loading = {
        .tables = {koa_check_common_options,
                   unit->ops->options != NULL ? unit->ops->options : none},
        .targets = {&unit->common},
        .opts = {.path = opts->path,
                 .arena = unit->arena,
                 .errors = errors,
                 .read_secret_files = true},
    };

    unit->config = koa_arena_alloc(unit->arena, 1, unit->ops->config_size + 1);
    loading.targets[1] = unit->config;
    loading.opts.tables = loading.tables;
    loading.opts.targets = loading.targets;
    if (unit->config == NULL || !share_key(&loading, node)) {
        koa_config_errors_add(errors, node, opts->path, "no memory for the settings");
        return false;
    }
    return koa_options_load(&loading.opts, node);
}

static bool finish(struct koa_check_unit *unit, const struct koa_check_load_opts *opts,
                   const struct koa_node *node, struct koa_config_errors *errors)
{
    struct koa_error error = {.text = ""};
    const char *fault;

    choose_name(unit, opts->name);
    if (unit->common.name == NULL) {
        koa_config_errors_add(errors, node, opts->path, "no memory for the name");
        return false;
    }
    fault = name_fault(unit->common.name);
    if (fault != NULL) {
        koa_config_errors_add(errors, node, opts->path, "name '%s' %s", unit->common.name, fault);
        return false;
    }
    if (resolve_times(unit, opts) != KOA_OK) {
        koa_config_errors_add(errors, node, opts->path, "check type '%s': its timeout '%s' is none",
                              unit->ops->name, unit->ops->timeout);
        return false;
    }
    if (unit->ops->prepare != NULL) {
        if (unit->ops->prepare(unit->config, &error) != KOA_OK) {
            koa_config_errors_add(errors, node, opts->path, "%s", error.text);
            return false;
        }
    }
    unit->is_prepared = true;
    return true;
}

static void free_unit(struct koa_object *object)
{
    struct koa_check_unit *unit = KOA_CONTAINER_OF(object, struct koa_check_unit, object);

    if (unit->is_prepared && unit->ops->release != NULL)
        unit->ops->release(unit->config);
    koa_arena_destroy(unit->arena);
    koa_free(unit);
}

struct koa_check_unit *koa_check_unit_load(const struct koa_check_load_opts *opts,
                                           const struct koa_node *node,
                                           struct koa_config_errors *errors)
{
    const char *fault = ops_fault(opts->ops);
    struct koa_check_unit *unit;

    if (fault != NULL) {
        koa_config_errors_add(errors, node, opts->path, "check type '%s': %s",
                              opts->ops->name != NULL ? opts->ops->name : "", fault);
        return NULL;
    }
    unit = koa_calloc(1, sizeof(*unit));
    if (unit == NULL) {
        koa_config_errors_add(errors, node, opts->path, "no memory for the check");
        return NULL;
    }
    koa_object_init(&unit->object, free_unit);
    unit->ops = opts->ops;
    unit->context = opts->context;
    unit->is_configured = opts->is_configured;
    unit->arena = koa_arena_create(ARENA_LIMIT);
    if (unit->arena == NULL)
        koa_config_errors_add(errors, node, opts->path, "no memory for the check");
    if (unit->arena == NULL || !load_rows(unit, opts, node, errors) ||
        !finish(unit, opts, node, errors))
        koa_check_unit_unref(KOA_MOVE(unit));
    return unit;
}

void koa_check_unit_ref(struct koa_check_unit *unit)
{
    koa_object_ref(&unit->object);
}

void koa_check_unit_unref(struct koa_check_unit *unit)
{
    if (unit != NULL)
        koa_object_unref(&unit->object);
}

bool koa_check_unit_equal(const struct koa_check_unit *a, const struct koa_check_unit *b)
{
    return a->ops == b->ops && a->context == b->context &&
           koa_options_equal(koa_check_common_options, &a->common, &b->common) &&
           (a->ops->options == NULL || koa_options_equal(a->ops->options, a->config, b->config));
}
