#include "kit/kit.h"

#include <string.h>

#include "base/str.h"
#include "metrics/catalog.h"
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
    while (rest.size > 0)
        KIT_EXPECT(row->name, koa_label_name_valid(koa_str_split(rest, ',', &rest)));
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
        cmocka_unit_test(the_committed_page_is_what_the_table_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
