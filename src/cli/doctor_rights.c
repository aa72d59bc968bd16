/* Rights in words: as kafka-acls wants them, and as docs/permissions.md lists them. */
#include <string.h>

#include "base/str.h"
#include "cli/doctor_features.h"

const char *cli_operation_name(enum cli_operation operation)
{
    switch (operation) {
    case CLI_OPERATION_READ:
        return "Read";
    case CLI_OPERATION_WRITE:
        return "Write";
    case CLI_OPERATION_CREATE:
        return "Create";
    case CLI_OPERATION_DESCRIBE:
        return "Describe";
    case CLI_OPERATION_DESCRIBE_CONFIGS:
        return "DescribeConfigs";
    }
    return "Any";
}

void cli_shell_word(struct koa_str text, struct koa_buf *buf)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.,:/@%+=[]";
    bool is_plain = text.size > 0;

    for (size_t i = 0; i < text.size; i++)
        is_plain = is_plain && text.data[i] != '\0' && strchr(plain, text.data[i]) != NULL;
    if (is_plain) {
        koa_buf_append(buf, text.data, text.size);
        return;
    }
    koa_buf_append_char(buf, '\'');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\'') {
            koa_buf_append_text(buf, "'\\''");
        } else {
            koa_buf_append_char(buf, text.data[i]);
        }
    }
    koa_buf_append_char(buf, '\'');
}

void cli_right_write(const struct cli_right *right, struct koa_str probe_topic, struct koa_buf *buf)
{
    switch (right->resource) {
    case CLI_RESOURCE_TOPIC:
        koa_buf_append_text(buf, "--topic '*'");
        break;
    case CLI_RESOURCE_GROUP:
        koa_buf_append_text(buf, "--group '*'");
        break;
    case CLI_RESOURCE_CLUSTER:
        koa_buf_append_text(buf, "--cluster");
        break;
    case CLI_RESOURCE_PROBE_TOPIC:
        koa_buf_append_text(buf, "--topic ");
        cli_shell_word(probe_topic, buf);
        break;
    case CLI_RESOURCE_NONE:
        break;
    }
}

static const char *resource_words(enum cli_resource resource)
{
    switch (resource) {
    case CLI_RESOURCE_TOPIC:
        return "topics";
    case CLI_RESOURCE_GROUP:
        return "groups";
    case CLI_RESOURCE_CLUSTER:
        return "the cluster";
    case CLI_RESOURCE_PROBE_TOPIC:
        return "its topic";
    case CLI_RESOURCE_NONE:
        break;
    }
    return "";
}

static const char *weight_words(enum cli_weight weight)
{
    switch (weight) {
    case CLI_REQUIRED:
        return "yes";
    case CLI_OPTIONAL:
        return "no";
    case CLI_IF_OFFERED:
        return "where brokers offer it";
    case CLI_IF_PROBING:
        return "with `probe.enabled`";
    }
    return "";
}

static void document_feature(const struct cli_feature *feature, struct koa_buf *buf)
{
    koa_buf_printf(buf, "| `%s` | %s | %s | ", feature->name, feature->purpose,
                   weight_words(feature->weight));
    for (const struct cli_need *need = feature->needs; need->since != NULL; need++) {
        const struct koa_kafka_api *api = koa_kafka_api_find(need->api_key);

        koa_buf_printf(buf, "%s`%s` %d (Kafka %s)", need != feature->needs ? ", " : "", api->name,
                       need->version, need->since);
    }
    koa_buf_append_text(buf, " | ");
    for (const struct cli_right *right = feature->rights; right->resource != CLI_RESOURCE_NONE;
         right++) {
        koa_buf_printf(buf, "%s%s on %s", right != feature->rights ? ", " : "",
                       cli_operation_name(right->operation), resource_words(right->resource));
    }
    koa_buf_append_text(buf,
                        feature->rights[0].resource == CLI_RESOURCE_NONE ? "none |\n" : " |\n");
}

/* Every right of features of one weight, each once. */
static void document_lines(const bool is_wanted[], struct koa_buf *buf)
{
    for (size_t i = 0; i < cli_feature_count; i++) {
        const struct cli_right *right = cli_features[i].rights;

        for (; is_wanted[cli_features[i].weight] && right->resource != CLI_RESOURCE_NONE; right++) {
            struct koa_buf line = {.limit = 256};

            koa_buf_printf(&line, "--operation %s ", cli_operation_name(right->operation));
            cli_right_write(right, KOA_STR("__kafka_ops_probe"), &line);
            koa_buf_append_char(&line, '\n');
            if (strstr(koa_buf_text(buf), koa_buf_text(&line)) == NULL) {
                koa_buf_printf(buf,
                               "kafka-acls --bootstrap-server HOST:PORT --add --allow-principal "
                               "User:NAME %s",
                               koa_buf_text(&line));
            }
            koa_buf_deinit(&line);
        }
    }
}

void cli_permissions_document(struct koa_buf *buf)
{
    koa_buf_append_text(
        buf,
        "# Permissions\n\n"
        "Written by `kafka-ops-agent docs permissions` from the rows that `kafka-ops-agent doctor` "
        "goes through.\n\n"
        "`doctor --bootstrap HOST:PORT` (or `--config FILE`) connects as the agent would, asks one "
        "harmless question for\neach feature, and prints what is missing on which broker with the "
        "exact `kafka-acls` line to add. It changes\nnothing. Exit codes: 0 all is well, 1 "
        "something is missing or could not be told, 2 it could not connect or\nthe flags or the "
        "configuration are not right.\n\n"
        "## Features\n\n"
        "A feature without its right or API is left out; the others go on. Versions are the lowest "
        "that serve, and the\nrelease of Kafka that brought them.\n\n"
        "| feature | what it shows | required | APIs | rights |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < cli_feature_count; i++)
        document_feature(&cli_features[i], buf);
    koa_buf_append_text(buf, "\n## What to add\n\nFor everything but the probe:\n\n```\n");
    document_lines((bool[]){[CLI_REQUIRED] = true,
                            [CLI_OPTIONAL] = false,
                            [CLI_IF_OFFERED] = true,
                            [CLI_IF_PROBING] = false},
                   buf);
    koa_buf_append_text(buf, "```\n\nOptional, for `transaction_markers`:\n\n```\n");
    document_lines((bool[]){[CLI_REQUIRED] = false,
                            [CLI_OPTIONAL] = true,
                            [CLI_IF_OFFERED] = false,
                            [CLI_IF_PROBING] = false},
                   buf);
    koa_buf_append_text(buf, "```\n\nWith `probe.enabled`, for `probe.topic`:\n\n```\n");
    document_lines((bool[]){[CLI_REQUIRED] = false,
                            [CLI_OPTIONAL] = false,
                            [CLI_IF_OFFERED] = false,
                            [CLI_IF_PROBING] = true},
                   buf);
    koa_buf_append_text(
        buf,
        "```\n\n"
        "## What cannot be told\n\n"
        "- Brokers do not tell of topics and groups that a user may not describe: they are as if "
        "they did not exist.\n  `doctor` therefore asks about a topic and a group that are not "
        "there (`__kafka_ops_doctor`): only a right on\n  all names (`'*'`) lets it through. Where "
        "the configuration includes only some topics or groups\n  (`topics.include`, "
        "`groups.include`), it asks about the first of these that it may see.\n"
        "- A rule that denies, or rules that one topic or group has of its own, may hide it all "
        "the same. Of topics that\n  are visible, `doctor` also says how many lack a right.\n"
        "- The principal is `User:` and `sasl.username`. With OAUTHBEARER, with client "
        "certificates, or where brokers map\n  names, only the brokers know it: "
        "`doctor --principal User:NAME`.\n"
        "- Kafka does not tell its release: `doctor` names the oldest that offers as much. The "
        "clock is the quorum\n  leader's; clusters with ZooKeeper do not tell theirs.\n");
}
