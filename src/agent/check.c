/* A configuration without an agent: read, built, printed and thrown away. And docs/config.md. */
#include "agent/check.h"

#include <stdlib.h>
#include <string.h>

#include "agent/composition.h"
#include "builtin/builtin.h"
#include "config/options.h"

enum { ROWS_LIMIT = 64 }; /* of one table; the longest has a quarter of it */

static const char *read_variable(void *context, const char *name)
{
    (void) context;
    return getenv(name); // NOLINT(concurrency-mt-unsafe): one thread only
}

/* What an item of a list was read with: common rows, then the type's (may be NULL). */
struct printed {
    const struct koa_option *common;
    const void *settings;
    const struct koa_option *options;
    const void *config;
};

/* The dash takes the place of the item's first indent. */
static void print_item(const struct printed *item, int indent, struct koa_buf *buf)
{
    size_t start = buf->size;

    koa_options_print(item->common, item->settings, indent + 1, buf);
    if (item->options != NULL)
        koa_options_print(item->options, item->config, indent + 1, buf);
    if (!buf->failed && buf->size > start)
        buf->data[start + (size_t) indent * 2] = '-';
}

/* All rows but the one called `key`, if there is one. */
static void copy_rows(const struct koa_option *rows, const char *key, struct koa_option *copy)
{
    size_t count = 0;

    for (; rows != NULL && rows->type != KOA_OPTION_NONE && count < ROWS_LIMIT; rows++) {
        if (key == NULL || strcmp(rows->key, key) != 0)
            copy[count++] = *rows;
    }
    copy[count] = (struct koa_option){0};
}

static bool has_row(const struct koa_option *rows, const char *key)
{
    for (; rows != NULL && rows->type != KOA_OPTION_NONE; rows++) {
        if (strcmp(rows->key, key) == 0)
            return true;
    }
    return false;
}

/* `critical` is the flag of every check and a limit of some types; a file has room for one of them.
 * The flag is said when it is not what it is by default. */
static void print_check(const struct koa_check_unit *unit, struct koa_buf *buf)
{
    static const char shared[] = "critical";
    bool is_shared = has_row(unit->ops->options, shared);
    struct koa_option common[ROWS_LIMIT + 1];
    struct koa_option own[ROWS_LIMIT + 1];

    copy_rows(koa_check_common_options, is_shared && unit->common.critical ? shared : NULL, common);
    copy_rows(unit->ops->options, is_shared && !unit->common.critical ? shared : NULL, own);
    print_item(&(struct printed){common, &unit->common, own, unit->config}, 1, buf);
}

/* Follows `alerting`, the last section of the rest. */
static void print_build(const struct koa_agent_build *build, struct koa_buf *buf)
{
    koa_buf_append_text(buf, build->rule_count > 0 ? "  rules:\n" : "  rules: []\n");
    for (size_t i = 0; i < build->rule_count; i++) {
        const struct koa_rule_spec *spec = &build->rules[i]->spec;

        print_item(
            &(struct printed){koa_rule_options, spec->settings, spec->ops->options, spec->config},
            2, buf);
    }
    koa_buf_append_text(buf, build->notifier_count > 0 ? "  notifiers:\n" : "  notifiers: []\n");
    for (size_t i = 0; i < build->notifier_count; i++) {
        const struct koa_notifier_spec *spec = &build->notifiers[i]->spec;

        print_item(&(struct printed){koa_notifier_options, spec->settings, spec->ops->options,
                                     spec->config},
                   2, buf);
    }
    koa_buf_append_text(buf, build->check_count > 0 ? "checks:\n" : "checks: []\n");
    for (size_t i = 0; i < build->check_count; i++)
        print_check(build->checks[i], buf);
}

bool koa_configuration_check(const char *file, struct koa_buf *text, struct koa_buf *warnings)
{
    struct koa_configuration_opts opts = {
        .file = file, .getenv = read_variable, .judge = koa_agent_judge_with_defaults};
    KOA_AUTO(koa_configuration) *configuration = NULL;
    struct koa_configuration_errors errors;
    struct koa_agent_build build = {.use_defaults = true};
    bool is_right = koa_configuration_load(&opts, &configuration, &errors, NULL) == KOA_OK;

    if (is_right) {
        build.configuration = configuration;
        build.errors = &errors.list;
        is_right = koa_agent_build(&build);
    }
    if (is_right) {
        koa_configuration_print(configuration, text);
        print_build(&build, text);
    } else {
        koa_config_errors_print(&errors.list, text);
    }
    koa_config_errors_print(&errors.warnings, warnings);
    koa_agent_build_deinit(&build);
    koa_configuration_errors_deinit(&errors);
    return is_right;
}

static void document_type(const char *name, const char *help, const struct koa_option *options,
                          struct koa_buf *buf)
{
    koa_buf_printf(buf, "\n### `type: %s`\n\n%s.\n", name, help);
    if (options == NULL)
        return;
    koa_buf_append_char(buf, '\n');
    koa_options_document(options, buf);
}

void koa_configuration_document(struct koa_buf *buf)
{
    koa_buf_append_text(
        buf,
        "# Configuration\n\n"
        "Written by `kafka-ops-agent docs config` from the program's own rows.\n\n"
        "The file is YAML, and optional: `--config FILE`. Durations are `500ms`, `30s`, `1m30s`, "
        "`24h` (a bare\nnumber is seconds), sizes `64KiB`, `10MiB`. `${NAME}` and "
        "`${NAME:-default}` are replaced inside values,\nafter parsing; `$${` stands for a "
        "plain `${`. Each secret is also taken from the file that its key with\n`_file` "
        "names. A flag wins over the environment, that over the file, the file over the "
        "default. A bad\nfile never replaces a good one.\n\n"
        "`KAFKA_BOOTSTRAP_SERVERS=host:port,...` and `--bootstrap` define one cluster named "
        "`default`.\n"
        "`HEALTH_CHECK_TIMEOUT` alone is a default: a check's own `timeout` wins.\n\n");
    koa_options_document(koa_configuration_options, buf);
    koa_buf_append_text(
        buf, "\n## Checks\n\nItems of `checks`. `database`, `kafka`, `disk_space` and "
             "`memory` exist unless named with `enabled: false`.\nEvery check takes:\n\n");
    koa_options_document(koa_check_common_options, buf);
    for (size_t i = 0; koa_builtin_checks[i] != NULL; i++) {
        document_type(koa_builtin_checks[i]->name, koa_builtin_checks[i]->help,
                      koa_builtin_checks[i]->options, buf);
    }
    koa_buf_append_text(
        buf, "\n## Rules\n\nItems of `alerting.rules`. `system_unhealthy`, "
             "`system_degraded`, `high_error_rate` and `high_request_count`\nexist unless "
             "named with `enabled: false`. Every rule takes:\n\n");
    koa_options_document(koa_rule_options, buf);
    for (size_t i = 0; koa_builtin_rules[i] != NULL; i++) {
        document_type(koa_builtin_rules[i]->name, koa_builtin_rules[i]->help,
                      koa_builtin_rules[i]->options, buf);
    }
    koa_buf_append_text(
        buf, "\n## Notifiers\n\nItems of `alerting.notifiers`. `log` exists unless named with "
             "`enabled: false`. Every notifier takes:\n\n");
    koa_options_document(koa_notifier_options, buf);
    for (size_t i = 0; koa_builtin_notifiers[i] != NULL; i++) {
        document_type(koa_builtin_notifiers[i]->name, koa_builtin_notifiers[i]->help,
                      koa_builtin_notifiers[i]->options, buf);
    }
}
