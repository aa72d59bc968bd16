/* `verify`: calls every endpoint of a running agent and checks status, headers and the shape of the
 * JSON. What must be there is a table; a new endpoint is a row. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/fetch.h"
#include "cli/shape.h"

enum {
    REQUEST_TIMEOUT_MS = 20000,
    PROBLEM_SIZE = 256,
    PATH_LIMIT = 8192,
    SILENT_LIMIT = 3, /* requests in a row without an answer: nobody is there, or nobody will be */
};

struct expectation {
    const char *path;
    const char *accept;
    int statuses[2]; /* allowed ones */
    const char *content_type;
    const char *shape;  /* of cli/shape.h */
    const char *starts; /* of a body that is not JSON */
};

#define HEALTH_SHAPE "overall_status:t summary:o checks:l timestamp:T"
#define ALERTS_SHAPE                                                                               \
    "active_count:n total_rules:n severity_counts:o last_check:T? active_alerts:l timestamp:T"
#define ERROR_SHAPE "error:t message:t timestamp:T"
#define METRICS_SHAPE "counters:o gauges:o histograms:o timers:o timestamp:T"

static const struct expectation expectations[] = {
    {"/health", NULL, {200, 503}, "application/json", HEALTH_SHAPE, NULL},
    {"/health/ready", NULL, {200, 503}, "application/json", "status:t reason:t timestamp:T", NULL},
    {"/health/live", NULL, {200}, "application/json", "status:t timestamp:T", NULL},
    {"/health/checks", NULL, {200}, "application/json", "checks:l total_count:n timestamp:T", NULL},
    {"/health/history?limit=5",
     NULL,
     {200},
     "application/json",
     "history:l count:n timestamp:T",
     NULL},
    {"/health/checks/no-such-check", NULL, {404}, "application/json", ERROR_SHAPE, NULL},
    {"/metrics", NULL, {200}, "application/json", METRICS_SHAPE, NULL},
    {"/metrics", "text/plain", {200}, "text/plain", NULL, "# HELP"},
    {"/metrics/prometheus", NULL, {200}, "text/plain", NULL, "# HELP"},
    {"/metrics/prometheus",
     "application/openmetrics-text",
     {200},
     "application/openmetrics-text",
     NULL,
     "# "},
    {"/metrics/history?limit=5",
     NULL,
     {200},
     "application/json",
     "history:l count:n timestamp:T",
     NULL},
    {"/metrics/history?limit=many", NULL, {400}, "application/json", ERROR_SHAPE, NULL},
    {"/alerts", NULL, {200}, "application/json", ALERTS_SHAPE, NULL},
    {"/alerts/history?limit=5",
     NULL,
     {200},
     "application/json",
     "history:l count:n timestamp:T",
     NULL},
    {"/alerts/0000000000000000", NULL, {404}, "application/json", ERROR_SHAPE, NULL},
    {"/rules", NULL, {200}, "application/json", "rules:l count:n timestamp:T", NULL},
    {"/status",
     NULL,
     {200, 503},
     "application/json",
     "overall_status:t health:o metrics_summary:o alerts:o timestamp:T",
     NULL},
    {"/info",
     NULL,
     {200},
     "application/json",
     "service:t version:t revision:t platform:t hostname:t pid:n uptime_seconds:n components:o "
     "timestamp:T",
     NULL},
    {"/clusters", NULL, {200}, "application/json", "clusters:l count:n timestamp:T", NULL},
    {"/clusters/no-such-cluster", NULL, {404}, "application/json", ERROR_SHAPE, NULL},
    {"/", NULL, {200}, "application/json", "service:t version:t endpoints:l timestamp:T", NULL},
    {"/", "text/html", {200}, "text/html", NULL, "<!DOCTYPE html>"},
    {"/no-such-path", NULL, {404}, "application/json", ERROR_SHAPE, NULL},
    {"/health/", NULL, {404}, "application/json", ERROR_SHAPE, NULL},
};

struct run {
    struct cli_fetcher *fetcher;
    int passed, failed;
    int silent; /* without an answer, in a row */
};

static bool check_body(const struct expectation *expected, const struct cli_answer *answer,
                       char *problem)
{
    KOA_AUTO(koa_json_value) *root = NULL;
    struct koa_error error;

    if (expected->starts != NULL) {
        if (strncmp(koa_buf_text(&answer->body), expected->starts, strlen(expected->starts)) == 0)
            return true;
        (void) snprintf(problem, PROBLEM_SIZE, "the body does not start with '%s'",
                        expected->starts);
        return false;
    }
    if (koa_json_parse((struct koa_str){.data = answer->body.data, .size = answer->body.size},
                       &root, &error) != KOA_OK) {
        (void) snprintf(problem, PROBLEM_SIZE, "not JSON: %.200s", error.text);
        return false;
    }
    return cli_shape_fits(expected->shape, root, problem, PROBLEM_SIZE);
}

static bool check_answer(const struct expectation *expected, const struct cli_answer *answer,
                         char *problem)
{
    if (answer->status != expected->statuses[0] &&
        (expected->statuses[1] == 0 || answer->status != expected->statuses[1])) {
        (void) snprintf(problem, PROBLEM_SIZE, "status %d is wanted", expected->statuses[0]);
        return false;
    }
    if (strncmp(answer->content_type, expected->content_type, strlen(expected->content_type)) !=
        0) {
        (void) snprintf(problem, PROBLEM_SIZE, "Content-Type is '%s', not '%s'",
                        answer->content_type, expected->content_type);
        return false;
    }
    if (strcmp(answer->cache_control, "no-store") != 0 ||
        strcmp(answer->content_type_options, "nosniff") != 0) {
        (void) snprintf(problem, PROBLEM_SIZE,
                        "Cache-Control: no-store or X-Content-Type-Options: nosniff is missing");
        return false;
    }
    return check_body(expected, answer, problem);
}

static void verify_one(struct run *run, const struct expectation *expected)
{
    const struct cli_answer *answer = NULL;
    struct koa_error error;
    char problem[PROBLEM_SIZE] = "";
    bool is_right;

    if (cli_fetch(run->fetcher, expected->path, expected->accept, &answer, &error) != KOA_OK) {
        is_right = false;
        run->silent++;
        (void) snprintf(problem, sizeof(problem), "%.250s", error.text);
    } else {
        is_right = check_answer(expected, answer, problem);
        run->silent = 0;
    }
    run->passed += is_right ? 1 : 0;
    run->failed += is_right ? 0 : 1;
    (void) printf("%-6s %3d  %7.1f ms  %s%s%s%s%s%s\n", is_right ? "ok" : "FAILED",
                  answer != NULL ? answer->status : 0,
                  answer != NULL ? answer->seconds * 1000 : 0.0, expected->path,
                  expected->accept != NULL ? "  (Accept: " : "",
                  expected->accept != NULL ? expected->accept : "",
                  expected->accept != NULL ? ")" : "", is_right ? "" : ": ", problem);
}

/* The answer as JSON; NULL when it is none: the path's own row has failed already. */
static struct koa_json_value *fetch_json(struct run *run, const char *path)
{
    struct koa_json_value *root = NULL;
    const struct cli_answer *answer;

    if (cli_fetch(run->fetcher, path, NULL, &answer, NULL) == KOA_OK &&
        koa_json_parse((struct koa_str){.data = answer->body.data, .size = answer->body.size},
                       &root, NULL) == KOA_OK)
        return root;
    return NULL;
}

/* Adds "/" and a name as a path's segment. */
static void append_segment(struct koa_buf *path, const char *name)
{
    koa_buf_append_char(path, '/');
    for (const char *at = name != NULL ? name : ""; *at != '\0'; at++) {
        if (isalnum((unsigned char) *at) || strchr("-._~", *at) != NULL) {
            koa_buf_append_char(path, *at);
        } else {
            koa_buf_printf(path, "%%%02X", (unsigned) (unsigned char) *at);
        }
    }
}

/* Each check by its own path, answered from its last result: looking must not load what is watched.
 */
static void verify_checks(struct run *run)
{
    KOA_AUTO(koa_json_value) *root = fetch_json(run, "/health/checks");
    const struct koa_json_value *checks = koa_json_get(root, "checks");

    for (size_t i = 0; i < koa_json_count(checks); i++) {
        const char *name = koa_json_value_text(koa_json_get(koa_json_at(checks, i), "name"));
        struct koa_buf path = {.limit = PATH_LIMIT};
        struct expectation expected = {
            NULL,
            NULL,
            {200, 503},
            "application/json",
            "name:t status:t message:t details:o timestamp:T duration_ms:n",
            NULL};

        koa_buf_append_text(&path, "/health/checks");
        append_segment(&path, name);
        koa_buf_append_text(&path, "?cached=1");
        expected.path = koa_buf_text(&path);
        verify_one(run, &expected);
        koa_buf_deinit(&path);
    }
}

/* What a cluster has below its own path. `item` is the list's first row as a path of its own. */
static const struct {
    const char *tail, *query, *shape, *list, *item_shape;
} below_cluster[] = {
    {"", "",
     "name:t cluster_id:t status:t brokers_online:n brokers_known:n controller_id:n? topics:n "
     "partitions:n groups:n snapshot_age_seconds:n? stale_brokers:l cycle:o "
     "partitions_leaderless:n partitions_under_replicated:n partitions_with_offline_replicas:n "
     "partitions_with_non_preferred_leader:n partitions_under_min_isr:n? partitions_at_min_isr:n? "
     "partitions_reassigning:n? log_dirs_offline:n? log_dirs_max_usage_percent:n? mode:t? "
     "version_guess:t? quorum:o? timestamp:T",
     NULL, NULL},
    {"/brokers", "", "brokers:l count:n timestamp:T", NULL, NULL},
    {"/topics", "?limit=1",
     "topics:l count:n total_count:n next:t? snapshot_age_seconds:n? timestamp:T", "topics",
     "name:t partitions:n leaderless:n under_replicated:n offline_replicas:n min_isr:n? "
     "under_min_isr:n? at_min_isr:n? reassigning:n? non_preferred_leaders:n log_bytes:n? "
     "partition_list:l timestamp:T"},
    {"/groups", "?limit=1",
     "groups:l count:n total_count:n next:t? snapshot_age_seconds:n? timestamp:T", "groups",
     "name:t type:t state:t? members:n? topics:n lag:n? lag_max:n? lag_seconds:n? lag_quality:t "
     "conditions:o is_stale:b age_seconds:n error:t? topic_list:l timestamp:T"},
};

static void verify_below_cluster(struct run *run, struct koa_buf *path, size_t row)
{
    KOA_AUTO(koa_json_value) *root = NULL;
    struct expectation expected = {NULL, NULL, {200}, "application/json", below_cluster[row].shape,
                                   NULL};
    size_t size = path->size;
    const char *name;

    koa_buf_printf(path, "%s%s", below_cluster[row].tail, below_cluster[row].query);
    expected.path = koa_buf_text(path);
    verify_one(run, &expected);
    if (below_cluster[row].list == NULL)
        return;
    root = fetch_json(run, expected.path);
    name = koa_json_value_text(
        koa_json_get(koa_json_at(koa_json_get(root, below_cluster[row].list), 0), "name"));
    if (name == NULL || name[0] == '\0')
        return; /* none, or one that no path can name */
    path->size = size;
    koa_buf_append_text(path, below_cluster[row].tail);
    append_segment(path, name);
    expected.path = koa_buf_text(path);
    expected.shape = below_cluster[row].item_shape;
    verify_one(run, &expected);
}

static void verify_clusters(struct run *run)
{
    KOA_AUTO(koa_json_value) *root = fetch_json(run, "/clusters");
    const struct koa_json_value *clusters = koa_json_get(root, "clusters");

    for (size_t i = 0; i < koa_json_count(clusters); i++) {
        const char *name = koa_json_value_text(koa_json_get(koa_json_at(clusters, i), "name"));

        for (size_t row = 0; row < KOA_ARRAY_COUNT(below_cluster); row++) {
            struct koa_buf path = {.limit = PATH_LIMIT};

            koa_buf_append_text(&path, "/clusters");
            append_segment(&path, name);
            verify_below_cluster(run, &path, row);
            koa_buf_deinit(&path);
        }
    }
}

static int verify(const struct cli_arguments *arguments)
{
    const char *url = cli_value(arguments, "url");
    KOA_AUTO(cli_fetcher) *fetcher = NULL;
    struct run run = {0};
    struct koa_error error;

    if (cli_fetcher_create(
            &(struct cli_fetcher_opts){.url = url != NULL ? url : "http://localhost:8080",
                                       .user = cli_value(arguments, "user"),
                                       .token_file = cli_value(arguments, "token-file"),
                                       .timeout_ms = REQUEST_TIMEOUT_MS},
            &fetcher, &error) != KOA_OK) {
        (void) fprintf(stderr, "kafka-ops-agent verify: %s\n", error.text);
        return CLI_USAGE;
    }
    run.fetcher = fetcher;
    for (size_t i = 0; i < KOA_ARRAY_COUNT(expectations) && run.silent < SILENT_LIMIT; i++)
        verify_one(&run, &expectations[i]);
    if (run.silent < SILENT_LIMIT) {
        verify_checks(&run);
        verify_clusters(&run);
    } else {
        (void) printf("given up: %d requests in a row had no answer\n", run.silent);
    }
    (void) printf("%d passed, %d failed\n", run.passed, run.failed);
    return run.failed == 0 ? CLI_OK : CLI_FAILED;
}

static const struct cli_flag flags[] = {
    {"url", "URL", NULL, "the agent (http://localhost:8080)"},
    {"user", "NAME:PASSWORD", NULL, "HTTP Basic credentials"},
    {"token-file", "FILE", NULL, "file with a bearer token"},
    {0},
};

const struct cli_command cli_verify = {
    .name = "verify",
    .summary = "Call every endpoint of a running agent and check the answers",
    .help = "Prints a line for each request: outcome, status, time, path.\n"
            "Exit codes: 0 every answer is right; 1 one is not, or the agent cannot be reached; 2 "
            "flags\n"
            "are not right.\n",
    .flag_tables = (const struct cli_flag *const[]){flags, NULL},
    .run = verify,
};
