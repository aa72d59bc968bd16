/* Others' readers judge what we write: Debian's promtool, and the parsers of prometheus_client. */
#include "kit/kit.h"

#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/str.h"
#include "export/encoder.h"
#include "metrics/catalog.h"

static const char parse_prometheus[] =
    "import sys\n"
    "from prometheus_client.parser import text_fd_to_metric_families as parse\n"
    "print(sum(len(f.samples) for f in parse(sys.stdin)))\n";
static const char parse_openmetrics[] =
    "import sys\n"
    "from prometheus_client.openmetrics.parser import text_fd_to_metric_families as parse\n"
    "print(sum(len(f.samples) for f in parse(sys.stdin)))\n";

/* All own families, one series each with the labels of the table, and what is hard to write. */
static struct koa_metrics *create_everything(void)
{
    const struct koa_metrics_opts opts = {0};
    struct koa_metrics *metrics = NULL;
    struct koa_error error;

    assert_int_equal(koa_metrics_create(&opts, &metrics, &error), KOA_OK);
    assert_int_equal(koa_metrics_declare(metrics, koa_catalog_own, koa_catalog_own_count, &error),
                     KOA_OK);
    assert_int_equal(
        koa_metrics_declare(metrics, koa_catalog_kafka, koa_catalog_kafka_count, &error), KOA_OK);
    assert_int_equal(koa_metrics_register(
                         metrics,
                         &(struct koa_family){KOA_FAMILY_INIT, .name = "custom_operations",
                                              .help = "A \\, a \" and\na line.", .type = KOA_GAUGE},
                         &error),
                     KOA_OK);
    assert_int_equal(
        koa_metrics_register(metrics,
                             &(struct koa_family){KOA_FAMILY_INIT, .name = "database_query",
                                                  .help = "Queries.", .type = KOA_TIMER},
                             &error),
        KOA_OK);
    koa_metrics_set(metrics, "custom_operations", NAN, KOA_LABELS({"v", "nan"}));
    koa_metrics_set(metrics, "custom_operations", INFINITY, KOA_LABELS({"v", "+"}));
    koa_metrics_set(metrics, "custom_operations", -INFINITY, KOA_LABELS({"v", "-"}));
    koa_metrics_set(metrics, "custom_operations", 1e-300,
                    KOA_LABELS({"v", "\" \\ \n \xe2\x82\xac \xff {},="}));
    koa_metrics_time(metrics, "database_query", 0.2, KOA_NO_LABELS);
    return metrics;
}

static void touch(struct koa_metrics *metrics, const struct koa_metric_row *row)
{
    struct koa_label rows[8];
    struct koa_labels labels = {.rows = rows};
    struct koa_str rest = koa_str_from(row->labels);
    char names[8][64];

    while (rest.size > 0) {
        struct koa_str values;
        struct koa_str name = koa_str_split(koa_str_split(rest, ',', &rest), '=', &values);

        assert_true(koa_str_copy(names[labels.count], 64, name));
        rows[labels.count] = (struct koa_label){names[labels.count], "some value"};
        labels.count++;
    }
    if (row->type == KOA_COUNTER) {
        koa_metrics_count(metrics, row->name, 1.5, &labels);
    } else if (row->type == KOA_GAUGE) {
        koa_metrics_set(metrics, row->name, 1, &labels);
    } else {
        koa_metrics_observe(metrics, row->name, 1, &labels);
    }
}

static void write_metrics(const char *path, enum koa_format format)
{
    struct koa_metrics *metrics = create_everything();
    const struct koa_metrics_source *source = koa_metrics_source(metrics);
    const struct koa_encoder_opts opts = {.format = format,
                                          .sources = {.rows = &source, .count = 1}};
    struct koa_encoder *encoder = NULL;
    struct koa_error error;
    char piece[4096];
    int64_t got;
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    for (size_t i = 0; i < koa_catalog_own_count; i++)
        touch(metrics, &koa_catalog_own[i]);
    for (size_t i = 0; i < koa_catalog_kafka_count; i++)
        touch(metrics, &koa_catalog_kafka[i]);
    assert_int_equal(atomic_load(&koa_metrics_stats(metrics)->dropped), 0);
    assert_int_equal(koa_encoder_create(&opts, &encoder, &error), KOA_OK);
    while ((got = koa_encoder_read(encoder, piece, sizeof(piece))) > 0)
        assert_int_equal(fwrite(piece, 1, (size_t) got, file), got);
    assert_int_equal(got, 0);
    assert_int_equal(fclose(file), 0);
    koa_encoder_destroy(encoder);
    koa_metrics_destroy(metrics);
}

/* Runs a program with a file as input; its output and errors go to another. -1: it is not there. */
static int run(const char *const arguments[], const char *input, const char *output)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status;
    int result;
    char *copies[8] = {0};

    for (size_t i = 0; arguments[i] != NULL; i++)
        copies[i] = strdup(arguments[i]);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    result = posix_spawnp(&pid, copies[0], &actions, NULL, copies, environ);
    posix_spawn_file_actions_destroy(&actions);
    for (size_t i = 0; i < KOA_ARRAY_COUNT(copies); i++)
        free(copies[i]);
    if (result != 0)
        return -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* Under CI a missing judge is a failure, elsewhere a loud skip. */
static void missing(const char *what)
{
    if (getenv("CI") != NULL) // NOLINT(concurrency-mt-unsafe): one thread only
        fail_msg("%s is missing", what);
    print_message("SKIPPED: %s is missing: metrics are not checked by it\n", what);
    skip();
}

static char *read_output(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = calloc(1, 65536);

    assert_non_null(file);
    assert_non_null(text);
    assert_true(fread(text, 1, 65535, file) < 65535);
    (void) fclose(file);
    return text;
}

static void promtool_reports_only_the_names_that_clients_know(void **state)
{
    static const char *const arguments[] = {"promtool", "check", "metrics", NULL};
    static const char *const known[] = {"kafka_ops_topics_total ", "kafka_ops_clusters_total ",
                                        "kafka_consumergroup_lag_sum ",
                                        "kafka_consumergroup_current_offset_sum "};
    char *directory = kit_temporary_directory();
    char input[512];
    char output[512];
    char *text;
    struct koa_str rest;
    int result;
    int findings = 0;

    (void) state;
    snprintf(input, sizeof(input), "%s/metrics", directory);
    snprintf(output, sizeof(output), "%s/output", directory);
    write_metrics(input, KOA_FORMAT_PROMETHEUS);
    result = run(arguments, input, output);
    text = result >= 0 ? read_output(output) : NULL;
    kit_remove_directory(directory);
    if (result < 0 || result == 127) {
        free(text);
        missing("promtool");
        return;
    }
    /* 3: it has found something. */
    KIT_EXPECT_INT(text, 3, result);
    rest = koa_str_from(text);
    while (rest.size > 0) {
        struct koa_str line = koa_str_split(rest, '\n', &rest);

        bool is_known = false;

        KIT_EACH (name, known)
            is_known = is_known || koa_str_starts(line, koa_str_from(*name));
        KIT_EXPECT(text, is_known);
        findings++;
    }
    KIT_EXPECT_INT("all", KOA_ARRAY_COUNT(known), findings);
    free(text);
}

static void judge_with_python(enum koa_format format, const char *program)
{
    const char *const arguments[] = {"/usr/bin/python3", "-c", program, NULL};
    char *directory = kit_temporary_directory();
    char input[512];
    char output[512];
    char *text;
    int result;

    snprintf(input, sizeof(input), "%s/metrics", directory);
    snprintf(output, sizeof(output), "%s/output", directory);
    write_metrics(input, format);
    result = run(arguments, input, output);
    text = result >= 0 ? read_output(output) : NULL;
    kit_remove_directory(directory);
    if (result < 0 || strstr(text, "ModuleNotFoundError") != NULL) {
        free(text);
        missing("python3-prometheus-client");
        return;
    }
    KIT_EXPECT_INT(text, 0, result);
    KIT_EXPECT("it has read samples", strlen(text) >= 3);
    free(text);
}

static void prometheus_client_reads_the_text_format(void **state)
{
    (void) state;
    judge_with_python(KOA_FORMAT_PROMETHEUS, parse_prometheus);
}

static void prometheus_client_reads_openmetrics(void **state)
{
    (void) state;
    judge_with_python(KOA_FORMAT_OPENMETRICS, parse_openmetrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(promtool_reports_only_the_names_that_clients_know),
        cmocka_unit_test(prometheus_client_reads_the_text_format),
        cmocka_unit_test(prometheus_client_reads_openmetrics),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
