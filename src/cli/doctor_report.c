/* Findings in words. Decides nothing but the words. */
#include "cli/doctor_report.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/json_write.h"
#include "base/str.h"

static const char *const state_words[CLI_STATE_COUNT] = {
    [CLI_STATE_OK] = "ok",          [CLI_STATE_MISSING] = "missing", [CLI_STATE_ABSENT] = "absent",
    [CLI_STATE_UNTOLD] = "unknown", [CLI_STATE_UNUSED] = "not used",
};

static const char *grant_word(enum cli_grant grant)
{
    switch (grant) {
    case CLI_GRANT_GIVEN:
        return "given";
    case CLI_GRANT_REFUSED:
        return "refused";
    case CLI_GRANT_OFF:
        return "off";
    case CLI_GRANT_UNTOLD:
        break;
    }
    return "unknown";
}

const char *cli_cause_word(const struct koa_error *error)
{
    bool is_name = strstr(error->text, "cannot resolve") != NULL;

    switch ((int) error->code) {
    case KOA_ERR_NOT_FOUND:
        return is_name ? "dns" : "unknown";
    case KOA_ERR_IO:
        return error->foreign == ECONNREFUSED ? "refused" : "network";
    case KOA_ERR_TIMEOUT:
        return is_name ? "dns" : "timeout";
    case KOA_ERR_TLS:
        return "tls";
    case KOA_ERR_AUTH:
        return "authentication";
    default:
        return koa_err_name(error->code);
    }
}

/* The first server that answered is the one that an administrator reaches too. */
static const char *bootstrap(const struct cli_report *report, const struct cli_report_opts *opts)
{
    for (size_t i = 0; i < report->server_count; i++) {
        if (report->servers[i].has_answered)
            return opts->servers[i];
    }
    return report->server_count > 0 ? opts->servers[0] : "HOST:PORT";
}

void cli_acl_line(const struct cli_report *report, const struct cli_report_opts *opts,
                  const struct cli_right *right, struct koa_buf *buf)
{
    koa_buf_append_text(buf, "kafka-acls --bootstrap-server ");
    cli_shell_word(koa_str_from(bootstrap(report, opts)), buf);
    koa_buf_append_text(buf, opts->is_secured ? " --command-config admin.properties" : "");
    koa_buf_append_text(buf, " --add --allow-principal ");
    cli_shell_word(koa_str_from(opts->principal), buf);
    koa_buf_printf(buf, " --operation %s ", cli_operation_name(right->operation));
    cli_right_write(right, koa_str_from(opts->probe_topic), buf);
}

/* Whether an earlier feature lacks the same right. */
static bool is_told(const struct cli_report *report, size_t feature, const struct cli_right *right)
{
    for (size_t i = 0; i < feature; i++) {
        for (size_t j = 0; cli_features[i].rights[j].resource != CLI_RESOURCE_NONE; j++) {
            const struct cli_right *other = &cli_features[i].rights[j];

            if (report->results[i].findings[j].grant == CLI_GRANT_REFUSED &&
                other->operation == right->operation && other->resource == right->resource)
                return true;
        }
    }
    return false;
}

typedef void line_fn(const char *line, void *context);

/* Each line once. */
static void each_line(const struct cli_report *report, const struct cli_report_opts *opts,
                      bool is_optional, line_fn *take, void *context)
{
    for (size_t i = 0; i < cli_feature_count; i++) {
        const struct cli_right *right = cli_features[i].rights;

        if ((cli_features[i].weight == CLI_OPTIONAL) != is_optional)
            continue;
        for (size_t j = 0; right[j].resource != CLI_RESOURCE_NONE; j++) {
            struct koa_buf line = {.limit = 4096};

            if (report->results[i].findings[j].grant != CLI_GRANT_REFUSED ||
                is_told(report, i, &right[j]))
                continue;
            cli_acl_line(report, opts, &right[j], &line);
            take(koa_buf_text(&line), context);
            koa_buf_deinit(&line);
        }
    }
}

/* ---- for a terminal */

static void print_line(const char *line, void *context)
{
    koa_buf_printf(context, "  %s\n", line);
}

static bool has_lines(const struct cli_report *report, bool is_optional)
{
    for (size_t i = 0; i < cli_feature_count; i++) {
        for (size_t j = 0; j < CLI_RIGHT_LIMIT; j++) {
            if ((cli_features[i].weight == CLI_OPTIONAL) == is_optional &&
                report->results[i].findings[j].grant == CLI_GRANT_REFUSED)
                return true;
        }
    }
    return false;
}

static void print_lines(const struct cli_report *report, const struct cli_report_opts *opts,
                        struct koa_buf *buf)
{
    if (has_lines(report, false)) {
        koa_buf_append_text(buf, "\nTo be added by an administrator:\n");
        each_line(report, opts, false, print_line, buf);
    }
    if (has_lines(report, true)) {
        koa_buf_append_text(buf, "\nOptional:\n");
        each_line(report, opts, true, print_line, buf);
    }
    if ((has_lines(report, false) || has_lines(report, true)) && !opts->principal_is_known) {
        koa_buf_append_text(buf, "\nOnly the brokers know this client's principal: put it in the "
                                 "place of User:NAME, or use --principal.\n");
    }
}

static void print_finding(const struct cli_report *report, const struct cli_right *right,
                          const struct cli_finding *finding, struct koa_buf *buf)
{
    static const char *const resources[] = {[CLI_RESOURCE_NONE] = "",
                                            [CLI_RESOURCE_TOPIC] = "topics",
                                            [CLI_RESOURCE_GROUP] = "groups",
                                            [CLI_RESOURCE_CLUSTER] = "the cluster",
                                            [CLI_RESOURCE_PROBE_TOPIC] = "the probe's topic"};

    if (finding->grant == CLI_GRANT_GIVEN || finding->grant == CLI_GRANT_OFF)
        return;
    koa_buf_printf(buf, "             %s on %s: %s", cli_operation_name(right->operation),
                   resources[right->resource],
                   finding->grant == CLI_GRANT_REFUSED ? "refused" : "cannot be told");
    if (finding->grant == CLI_GRANT_REFUSED && finding->topics_without > 0) {
        koa_buf_printf(buf, ", on %zu of the %zu topics that are visible ('%s')",
                       finding->topics_without, report->topic_count, finding->example);
    }
    if (finding->grant == CLI_GRANT_UNTOLD && finding->why.code != KOA_OK)
        koa_buf_printf(buf, ": %s", finding->why.text);
    koa_buf_append_char(buf, '\n');
}

static void print_feature(const struct cli_report *report, size_t index, struct koa_buf *buf)
{
    const struct cli_feature *feature = &cli_features[index];
    const struct cli_result *result = &report->results[index];
    bool is_wanted = result->state != CLI_STATE_UNUSED;

    koa_buf_printf(buf, "  %-8s  %-24s  %s%s\n", state_words[result->state], feature->name,
                   feature->purpose, feature->weight == CLI_OPTIONAL ? " (optional)" : "");
    for (size_t i = 0; is_wanted && i < report->broker_count; i++) {
        const struct cli_broker *broker = &report->brokers[i];

        for (const struct cli_need *need = feature->needs;
             broker->contact.has_answered && need->since != NULL; need++) {
            struct koa_error error;

            if (cli_broker_lacks(broker, need, &error) != KOA_OK) {
                koa_buf_printf(buf, "             broker %" PRId32 ": %s (since Kafka %s)\n",
                               broker->id, error.text, need->since);
            }
        }
    }
    if (!is_wanted || result->state == CLI_STATE_ABSENT)
        return;
    for (size_t i = 0; feature->rights[i].resource != CLI_RESOURCE_NONE; i++)
        print_finding(report, &feature->rights[i], &result->findings[i], buf);
}

static void print_contacts(const struct cli_report *report, const struct cli_report_opts *opts,
                           struct koa_buf *buf)
{
    for (size_t i = 0; i < report->server_count; i++) {
        const struct cli_contact *server = &report->servers[i];

        if (!server->has_answered) {
            koa_buf_printf(buf, "  server %s  %s: %s\n", opts->servers[i],
                           cli_cause_word(&server->error), server->error.text);
        }
    }
    for (size_t i = 0; i < report->broker_count; i++) {
        const struct cli_broker *broker = &report->brokers[i];

        koa_buf_printf(buf, "  broker %" PRId32 "  %s:%d  ", broker->id, broker->host,
                       broker->port);
        if (!broker->contact.has_answered) {
            koa_buf_printf(buf, "%s: %s\n", cli_cause_word(&broker->contact.error),
                           broker->contact.error.text);
        } else if (broker->release != NULL) {
            koa_buf_printf(buf, "Kafka %s or newer\n", broker->release);
        } else {
            koa_buf_append_text(buf, "Kafka before 2.8\n");
        }
    }
}

static void print_cluster(const struct cli_report *report, const struct cli_report_opts *opts,
                          struct koa_buf *buf)
{
    koa_buf_printf(buf, "Cluster %s%s%s: ", opts->cluster,
                   report->cluster_id[0] != '\0' ? ", id " : "", report->cluster_id);
    if (!report->is_connected) {
        koa_buf_append_text(buf, "cannot be reached\n");
        print_contacts(report, opts, buf);
        return;
    }
    koa_buf_printf(buf, "%zu brokers, %zu of them reachable, %s\n", report->broker_count,
                   report->reachable_count,
                   report->reachable_count == 0 ? "mode unknown"
                   : report->has_quorum         ? "KRaft"
                                                : "ZooKeeper");
    print_contacts(report, opts, buf);
    koa_buf_printf(buf, "  as %s%s, it shows %zu topics and %zu groups\n", opts->principal,
                   opts->principal_is_known ? "" : " (a guess)", report->topic_count,
                   report->group_count);
    if (report->has_clock) {
        koa_buf_printf(buf,
                       "  its clock (the quorum leader's) is %" PRId64
                       " ms %s of this machine's, give or take %" PRId64 " ms\n",
                       report->clock_difference_ms < 0 ? -report->clock_difference_ms
                                                       : report->clock_difference_ms,
                       report->clock_difference_ms < 0 ? "behind" : "ahead",
                       report->clock_error_ms);
    } else {
        koa_buf_append_text(buf, "  its clock cannot be told\n");
    }
}

/* Names and words come from brokers: none of them may steer a terminal. */
static void tame(struct koa_buf *buf, size_t start)
{
    for (size_t i = start; i < buf->size; i++) {
        unsigned char byte = (unsigned char) buf->data[i];

        if ((byte < ' ' && byte != '\n') || byte == 0x7F)
            buf->data[i] = '?';
    }
}

void cli_report_print(const struct cli_report *report, const struct cli_report_opts *opts,
                      struct koa_buf *buf)
{
    size_t start = buf->size;

    print_cluster(report, opts, buf);
    if (report->is_connected) {
        koa_buf_append_text(buf, "\nFeatures:\n");
        for (size_t i = 0; i < cli_feature_count; i++)
            print_feature(report, i, buf);
        print_lines(report, opts, buf);
        koa_buf_printf(buf, "\n%s\n",
                       cli_report_is_well(report)
                           ? "All is well."
                           : "Something is missing, out of reach or not to be told.");
    }
    tame(buf, start);
}

/* ---- as JSON */

static void write_contact(const struct cli_contact *contact, struct koa_json *json)
{
    koa_json_bool(json, "reachable", contact->has_answered);
    koa_json_text(json, "cause", contact->has_answered ? NULL : cli_cause_word(&contact->error));
    koa_json_text(json, "error", contact->has_answered ? NULL : contact->error.text);
}

static void write_contacts(const struct cli_report *report, const struct cli_report_opts *opts,
                           struct koa_json *json)
{
    koa_json_list(json, "servers");
    for (size_t i = 0; i < report->server_count; i++) {
        koa_json_object(json, NULL);
        koa_json_text(json, "server", opts->servers[i]);
        write_contact(&report->servers[i], json);
        koa_json_object_end(json);
    }
    koa_json_list_end(json);
    koa_json_list(json, "brokers");
    for (size_t i = 0; i < report->broker_count; i++) {
        const struct cli_broker *broker = &report->brokers[i];

        koa_json_object(json, NULL);
        koa_json_int(json, "id", broker->id);
        koa_json_text(json, "host", broker->host);
        koa_json_int(json, "port", broker->port);
        write_contact(&broker->contact, json);
        koa_json_text(json, "kafka_version", broker->release);
        koa_json_object_end(json);
    }
    koa_json_list_end(json);
}

static void write_apis(const struct cli_report *report, const struct cli_feature *feature,
                       struct koa_json *json)
{
    koa_json_list(json, "apis");
    for (const struct cli_need *need = feature->needs; need->since != NULL; need++) {
        koa_json_object(json, NULL);
        koa_json_text(json, "name", koa_kafka_api_find(need->api_key)->name);
        koa_json_int(json, "key", need->api_key);
        koa_json_int(json, "version", need->version);
        koa_json_text(json, "since", need->since);
        koa_json_list(json, "lacking");
        for (size_t i = 0; i < report->broker_count; i++) {
            const struct cli_broker *broker = &report->brokers[i];
            struct koa_error error;

            if (!broker->contact.has_answered || cli_broker_lacks(broker, need, &error) == KOA_OK)
                continue;
            koa_json_object(json, NULL);
            koa_json_int(json, "broker", broker->id);
            koa_json_text(json, "error", error.text);
            koa_json_object_end(json);
        }
        koa_json_list_end(json);
        koa_json_object_end(json);
    }
    koa_json_list_end(json);
}

static void write_rights(const struct cli_report *report, const struct cli_report_opts *opts,
                         size_t index, struct koa_json *json)
{
    static const char *const resources[] = {[CLI_RESOURCE_NONE] = NULL,
                                            [CLI_RESOURCE_TOPIC] = "topic",
                                            [CLI_RESOURCE_GROUP] = "group",
                                            [CLI_RESOURCE_CLUSTER] = "cluster",
                                            [CLI_RESOURCE_PROBE_TOPIC] = "topic"};
    const struct cli_right *right = cli_features[index].rights;

    koa_json_list(json, "rights");
    for (size_t i = 0; right[i].resource != CLI_RESOURCE_NONE; i++) {
        const struct cli_finding *finding = &report->results[index].findings[i];
        struct koa_buf line = {.limit = 4096};
        bool is_refused = finding->grant == CLI_GRANT_REFUSED;

        if (is_refused)
            cli_acl_line(report, opts, &right[i], &line);
        koa_json_object(json, NULL);
        koa_json_text(json, "operation", cli_operation_name(right[i].operation));
        koa_json_text(json, "resource", resources[right[i].resource]);
        koa_json_text(json, "state", grant_word(finding->grant));
        koa_json_text(json, "error",
                      finding->grant == CLI_GRANT_UNTOLD && finding->why.code != KOA_OK
                          ? finding->why.text
                          : NULL);
        koa_json_int(json, "topics_without", (int64_t) finding->topics_without);
        koa_json_text(json, "command", is_refused ? koa_buf_text(&line) : NULL);
        koa_json_object_end(json);
        koa_buf_deinit(&line);
    }
    koa_json_list_end(json);
}

static void write_line(const char *line, void *context)
{
    koa_json_text(context, NULL, line);
}

static void write_features(const struct cli_report *report, const struct cli_report_opts *opts,
                           struct koa_json *json)
{
    koa_json_list(json, "features");
    for (size_t i = 0; report->is_connected && i < cli_feature_count; i++) {
        koa_json_object(json, NULL);
        koa_json_text(json, "name", cli_features[i].name);
        koa_json_text(json, "purpose", cli_features[i].purpose);
        koa_json_bool(json, "optional", cli_features[i].weight == CLI_OPTIONAL);
        koa_json_text(json, "state", state_words[report->results[i].state]);
        write_apis(report, &cli_features[i], json);
        write_rights(report, opts, i, json);
        koa_json_object_end(json);
    }
    koa_json_list_end(json);
    koa_json_list(json, "commands");
    each_line(report, opts, false, write_line, json);
    koa_json_list_end(json);
    koa_json_list(json, "optional_commands");
    each_line(report, opts, true, write_line, json);
    koa_json_list_end(json);
}

void cli_report_json(const struct cli_report *report, const struct cli_report_opts *opts,
                     struct koa_buf *buf)
{
    struct koa_json json = {.buf = buf};
    const char *mode = report->has_quorum ? "kraft" : "zookeeper";

    koa_json_object(&json, NULL);
    koa_json_text(&json, "cluster", opts->cluster);
    koa_json_text(&json, "cluster_id", report->cluster_id[0] != '\0' ? report->cluster_id : NULL);
    koa_json_text(&json, "result",
                  !report->is_connected        ? "unreachable"
                  : cli_report_is_well(report) ? "ok"
                                               : "missing");
    koa_json_text(&json, "mode", report->reachable_count > 0 ? mode : NULL);
    koa_json_text(&json, "principal", opts->principal);
    koa_json_bool(&json, "principal_is_known", opts->principal_is_known);
    koa_json_int(&json, "visible_topics", (int64_t) report->topic_count);
    koa_json_int(&json, "visible_groups", (int64_t) report->group_count);
    if (report->has_clock) {
        koa_json_int(&json, "clock_difference_ms", report->clock_difference_ms);
        koa_json_int(&json, "clock_error_ms", report->clock_error_ms);
    } else {
        koa_json_null(&json, "clock_difference_ms");
        koa_json_null(&json, "clock_error_ms");
    }
    write_contacts(report, opts, &json);
    write_features(report, opts, &json);
    koa_json_time(&json, "timestamp", opts->now);
    koa_json_object_end(&json);
    koa_buf_append_char(buf, '\n');
}
