#include "kit/kit.h"

#include <string.h>

#include "base/str.h"
#include "metrics/catalog.h"
#include "metrics/query.h"
#include "metrics/series_key.h"

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text);

    return size >= strlen(end) && strcmp(text + size - strlen(end), end) == 0;
}

static void check_row(const struct koa_metric_row *row)
{
    struct koa_str rest = koa_str_from(row->labels);
    bool is_known = koa_text_equal(row->name, "kafka_ops_topics_total") ||
                    koa_text_equal(row->name, "kafka_ops_clusters_total");

    KIT_EXPECT(row->name, koa_metric_name_valid(row->name));
    KIT_EXPECT(row->name, row->help[0] != '\0' && ends_with(row->help, "."));
    KIT_EXPECT("total marks counters",
               is_known || ends_with(row->name, "_total") == (row->type == KOA_COUNTER));
    KIT_EXPECT("seconds say so", row->unit != NULL || strstr(row->name, "seconds") == NULL);
    KIT_EXPECT("bytes say so", row->unit != NULL || strstr(row->name, "bytes") == NULL);
    while (rest.size > 0) {
        struct koa_str values;
        struct koa_str name = koa_str_split(koa_str_split(rest, ',', &rest), '=', &values);

        KIT_EXPECT(row->name, koa_label_name_valid(name));
        KIT_EXPECT("known values are of counters", values.size == 0 || row->type == KOA_COUNTER);
    }
    KIT_EXPECT("first row of that name", koa_catalog_find(row->name) == row);
}

static void every_row_follows_the_naming_rules(void **state)
{
    (void) state;
    for (size_t i = 0; i < koa_catalog_own_count; i++)
        check_row(&koa_catalog_own[i]);
    for (size_t i = 0; i < koa_catalog_kafka_count; i++) {
        check_row(&koa_catalog_kafka[i]);
        KIT_EXPECT_CONTAINS(koa_catalog_kafka[i].name, "cluster", koa_catalog_kafka[i].labels);
    }
    KIT_EXPECT("unknown", koa_catalog_find("nothing") == NULL);
}

static void the_tables_can_be_declared_together(void **state)
{
    const struct koa_metrics_opts opts = {0};
    struct koa_metrics *metrics;
    struct koa_error error;

    (void) state;
    assert_int_equal(koa_metrics_create(&opts, &metrics, &error), KOA_OK);
    KIT_EXPECT_INT("own", KOA_OK,
                   koa_metrics_declare(metrics, koa_catalog_own, koa_catalog_own_count, &error));
    KIT_EXPECT_INT(
        "Kafka's", KOA_OK,
        koa_metrics_reserve_rows(metrics, koa_catalog_kafka, koa_catalog_kafka_count, &error));
    KIT_EXPECT_INT("own again", KOA_OK,
                   koa_metrics_declare(metrics, koa_catalog_own, koa_catalog_own_count, &error));
    KIT_EXPECT_INT(
        "Kafka's names are not for the registry", KOA_ERR_EXISTS,
        koa_metrics_declare(metrics, koa_catalog_kafka, koa_catalog_kafka_count, &error));
    koa_metrics_set(metrics, "kafka_brokers", 3, KOA_NO_LABELS);
    KIT_EXPECT_INT("by name neither", 1, atomic_load(&koa_metrics_stats(metrics)->dropped));
    koa_metrics_destroy(metrics);
}

static struct koa_metrics *create_declared(void)
{
    const struct koa_metrics_opts opts = {0};
    struct koa_metrics *metrics = NULL;
    struct koa_error error;

    assert_int_equal(koa_metrics_create(&opts, &metrics, &error), KOA_OK);
    assert_int_equal(koa_metrics_declare(metrics, koa_catalog_own, koa_catalog_own_count, &error),
                     KOA_OK);
    return metrics;
}

/* -1: there is no such series. */
static double value_of(struct koa_metrics *metrics, const char *name,
                       const struct koa_labels *labels)
{
    const struct koa_metrics_source *rows[] = {koa_metrics_source(metrics)};
    const struct koa_metrics_sources sources = {rows, 1};
    double value;

    return koa_query_get(&sources, name, labels, &value) ? value : -1;
}

static void count_series(void *context, const struct koa_sample *sample, double value)
{
    (void) sample;
    (void) value;
    ++*(size_t *) context;
}

static size_t series_of(struct koa_metrics *metrics, const char *name)
{
    const struct koa_metrics_source *rows[] = {koa_metrics_source(metrics)};
    const struct koa_metrics_sources sources = {rows, 1};
    size_t found = 0;
    size_t count = 0;

    assert_int_equal(koa_query_each(&sources, name, count_series, &count, &found), KOA_OK);
    return count;
}

static const struct {
    const char *name;
    size_t declared, with_check, with_notifier, with_broker;
} starts[] = {
    {"process_cpu_seconds_total", 1, 1, 1, 1},
    {"kafka_ops_errors_total", 3, 3, 3, 3},
    {"kafka_ops_http_rejected_requests_total", 26, 26, 26, 26},
    {"kafka_ops_series_dropped_total", 5, 5, 5, 5},
    {"kafka_ops_health_check_runs_total", 0, 4, 4, 4},
    {"kafka_ops_notifications_total", 0, 0, 5, 5},
    {"kafka_ops_notification_dead_letters_total", 0, 0, 1, 1},
    {"kafka_ops_kafka_reconnects_total", 0, 0, 0, 1},
    {"kafka_ops_kafka_throttle_seconds_total", 0, 0, 0, 1},
    /* Not of labels that nobody knows, of labels that are not given, nor of gauges. */
    {"kafka_ops_requests_total", 0, 0, 0, 0},
    {"kafka_ops_kafka_requests_total", 0, 0, 0, 0},
    {"kafka_ops_probe_lost_total", 0, 0, 0, 0},
    {"kafka_ops_collector_overruns_total", 0, 0, 0, 0},
    {"kafka_ops_alert_evaluations_total", 0, 0, 0, 0},
    {"kafka_ops_queue_dropped_total", 0, 0, 0, 0},
    {"kafka_ops_health_status", 0, 0, 0, 0},
    {"kafka_ops_notification_queue_length", 0, 0, 0, 0},
};

static void counters_with_known_labels_start_at_zero(void **state)
{
    struct koa_metrics *metrics = create_declared();

    (void) state;
    KIT_EACH (c, starts)
        KIT_EXPECT_INT(c->name, c->declared, series_of(metrics, c->name));
    koa_metrics_start(metrics, KOA_LABELS({"check", "disk"}));
    KIT_EACH (c, starts)
        KIT_EXPECT_INT(c->name, c->with_check, series_of(metrics, c->name));
    koa_metrics_start(metrics, KOA_LABELS({"notifier", "hook"}));
    KIT_EACH (c, starts)
        KIT_EXPECT_INT(c->name, c->with_notifier, series_of(metrics, c->name));
    koa_metrics_start(metrics, KOA_LABELS({"broker", "1"}, {"cluster", "main"}));
    KIT_EACH (c, starts)
        KIT_EXPECT_INT(c->name, c->with_broker, series_of(metrics, c->name));
    KIT_EXPECT_INT("none was refused", 0, atomic_load(&koa_metrics_stats(metrics)->dropped));
    koa_metrics_start(NULL, KOA_LABELS({"check", "disk"}));
    koa_metrics_destroy(metrics);
}

static void a_start_makes_every_combination_and_takes_nothing_back(void **state)
{
    static const char *const statuses[] = {"healthy", "degraded", "unhealthy", "unknown"};
    static const char runs[] = "kafka_ops_health_check_runs_total";
    struct koa_metrics *metrics = create_declared();

    (void) state;
    koa_metrics_count(metrics, runs, 3, KOA_LABELS({"check", "disk"}, {"status", "degraded"}));
    koa_metrics_start(metrics, KOA_LABELS({"check", "disk"}));
    koa_metrics_start(metrics, KOA_LABELS({"check", "disk"}));
    for (size_t i = 0; i < KOA_ARRAY_COUNT(statuses); i++) {
        KIT_EXPECT_DOUBLE(
            statuses[i], i == 1 ? 3 : 0,
            value_of(metrics, runs, KOA_LABELS({"check", "disk"}, {"status", statuses[i]})));
    }
    KIT_EXPECT_DOUBLE("both labels known", 0,
                      value_of(metrics, "kafka_ops_errors_total",
                               KOA_LABELS({"component", "http"}, {"type", "505"})));
    KIT_EXPECT_INT("no more", KOA_ARRAY_COUNT(statuses), series_of(metrics, runs));
    koa_metrics_destroy(metrics);
}

static void the_committed_page_is_what_the_table_says(void **state)
{
    struct koa_buf buf = {.limit = (size_t) 1024 * 1024};
    char *committed = kit_read_file("docs/metrics.md", NULL);

    (void) state;
    koa_catalog_write_markdown(&buf);
    KIT_EXPECT_TEXT("docs/metrics.md: write it again with kafka-ops-agent docs metrics", committed,
                    koa_buf_text(&buf));
    koa_free(committed);
    koa_buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_follows_the_naming_rules),
        cmocka_unit_test(the_tables_can_be_declared_together),
        cmocka_unit_test(counters_with_known_labels_start_at_zero),
        cmocka_unit_test(a_start_makes_every_combination_and_takes_nothing_back),
        cmocka_unit_test(the_committed_page_is_what_the_table_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
