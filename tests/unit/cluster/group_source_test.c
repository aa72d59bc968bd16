/* What the source shows of groups, and what it does not: over snapshots from tables. */
#include "cluster/group_source.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "kit/kit.h"
#include "kit/series_kit.h"
#include "kit/snapshot_kit.h"
#include "metrics/catalog.h"

enum { TEXT_LIMIT = 1 << 20 };

static const struct kit_partition partitions[] = {
    {.topic = "orders", .id = 0, .start = 0, .end = 1000},
    {.topic = "orders", .id = 1, .start = 0, .end = 500},
    {.topic = "pay", .id = 0, .end = -1},
};

static const struct kit_group groups[] = {
    {.name = "shop", .members = 3},
    {.name = "audit", .members = -1, .coordinator = -1, .state = ""},
    {.name = "shared", .type = KOA_GROUP_SHARE, .members = 4},
};

static const struct kit_commit commits[] = {
    {"shop", "orders", 0, 900, 0}, {"shop", "orders", 1, 501, 0},   {"shop", "pay", 0, 7, 0},
    {"audit", "gone", 5, 12, 0},   {"shared", "orders", 0, 990, 0},
};

static const struct kit_group_topic history[] = {
    {.group = "shop",
     .topic = "orders",
     .still_ms = 500,
     .consumption_rate = 0.1,
     .lag_velocity = -2.25,
     .catch_up_seconds = 44.4444,
     .retention_ratio = 0.0666666,
     .lag_seconds = 1.5,
     .lag_quality = KOA_LAG_AT_LEAST,
     .assigned = 2,
     .flags = KOA_GROUP_TOPIC_HAS_ASSIGNED | KOA_GROUP_TOPIC_HAS_RATES |
              KOA_GROUP_TOPIC_HAS_CATCH_UP | KOA_GROUP_TOPIC_HAS_RETENTION},
};

static const struct kit_snapshot spec = {.partitions = partitions,
                                         .partition_count = KOA_ARRAY_COUNT(partitions),
                                         .groups = groups,
                                         .group_count = KOA_ARRAY_COUNT(groups),
                                         .group_topics = history,
                                         .group_topic_count = KOA_ARRAY_COUNT(history),
                                         .commits = commits,
                                         .commit_count = KOA_ARRAY_COUNT(commits)};

static void print_sample(const struct koa_sample *sample, struct koa_buf *text)
{
    char number[KOA_NUM_TEXT_SIZE];

    koa_buf_append(text, sample->family->name.data, sample->family->name.size);
    for (size_t i = 0; i < sample->label_count; i++) {
        koa_buf_printf(text, "%c%.*s=%.*s", i == 0 ? '{' : ',', (int) sample->labels[i].name.size,
                       sample->labels[i].name.data, (int) sample->labels[i].value.size,
                       sample->labels[i].value.data);
    }
    (void) koa_format_double(sample->value, number);
    koa_buf_printf(text, "} %s\n", number);
}

/* All samples, through batches that begin with `taken` places in use. */
static void print_all(const struct koa_snapshot *snapshot, size_t taken, struct koa_buf *text)
{
    static struct koa_group_walk walk;
    static struct koa_batch batch;
    struct koa_label_view none = {KOA_STR("a"), KOA_STR("b")};
    struct koa_family_view other = {.name = KOA_STR("other"), .help = KOA_STR("Other.")};

    koa_buf_clear(text);
    for (size_t i = 0; i < KOA_GROUP_FAMILIES; i++) {
        struct koa_family_view view = koa_catalog_view(koa_catalog_find(koa_group_family_name(i)));
        bool is_done = false;

        walk.place = (struct koa_group_place){.group = 0};
        while (!is_done) {
            for (batch.count = 0; batch.count < taken; batch.count++) {
                batch.samples[batch.count] =
                    (struct koa_sample){.family = &other, .labels = &none, .label_count = 1};
            }
            is_done = koa_group_family_fill(i, &view, snapshot, &walk, &batch);
            kit_expect_batch(&batch);
            for (size_t j = taken; j < batch.count; j++)
                print_sample(&batch.samples[j], text);
        }
    }
    assert_false(text->failed);
}

#define SHOP "cluster=prod,consumergroup=shop"
static const char all[] =
    "kafka_consumergroup_current_offset{cluster=prod,consumergroup=audit,partition=5,topic=gone} "
    "12\n"
    "kafka_consumergroup_current_offset{" SHOP ",partition=0,topic=orders} 900\n"
    "kafka_consumergroup_current_offset{" SHOP ",partition=1,topic=orders} 501\n"
    "kafka_consumergroup_current_offset{" SHOP ",partition=0,topic=pay} 7\n"
    "kafka_consumergroup_lag{" SHOP ",partition=0,topic=orders} 100\n"
    "kafka_consumergroup_lag{" SHOP ",partition=1,topic=orders} 0\n"
    "kafka_consumergroup_current_offset_sum{cluster=prod,consumergroup=audit,topic=gone} 12\n"
    "kafka_consumergroup_current_offset_sum{" SHOP ",topic=orders} 1401\n"
    "kafka_consumergroup_current_offset_sum{" SHOP ",topic=pay} 7\n"
    "kafka_consumergroup_lag_sum{" SHOP ",topic=orders} 100\n"
    "kafka_consumergroup_members{" SHOP "} 3\n"
    "kafka_ops_consumergroup_state{" SHOP ",state=Stable} 1\n"
    "kafka_ops_consumergroup_info{cluster=prod,consumergroup=audit,coordinator=,protocol=range,"
    "type=classic} 1\n"
    "kafka_ops_consumergroup_info{" SHOP ",coordinator=1,protocol=range,type=classic} 1\n"
    "kafka_ops_consumergroup_lag_max{" SHOP "} 100\n"
    "kafka_ops_consumergroup_lag_sum_all_topics{" SHOP "} 100\n"
    "kafka_ops_consumergroup_partition_condition{cluster=prod,condition=topic_gone,"
    "consumergroup=audit} 1\n"
    "kafka_ops_consumergroup_partition_condition{cluster=prod,condition=above_log_end,"
    "consumergroup=shop} 1\n"
    "kafka_ops_consumergroup_members_idle{" SHOP "} 0\n"
    "kafka_ops_consumergroup_topic_assigned_partitions{" SHOP ",topic=orders} 2\n"
    "kafka_ops_consumergroup_last_progress_timestamp_seconds{" SHOP ",topic=orders} 999999.5\n"
    "kafka_ops_consumergroup_lag_seconds{" SHOP ",topic=orders} 1.5\n"
    "kafka_ops_consumergroup_lag_quality{" SHOP ",quality=at_least,topic=orders} 1\n"
    "kafka_ops_consumergroup_lag_velocity{" SHOP ",topic=orders} -2.25\n"
    "kafka_ops_consumergroup_consumption_rate{" SHOP ",topic=orders} 0.1\n"
    "kafka_ops_consumergroup_catch_up_seconds{" SHOP ",topic=orders} 44.444\n"
    "kafka_ops_consumergroup_retention_ratio{" SHOP ",topic=orders} 0.066667\n"
    "kafka_ops_sharegroup_lag{cluster=prod,partition=0,sharegroup=shared,topic=orders} 10\n"
    "kafka_ops_sharegroup_topic_lag{cluster=prod,sharegroup=shared,topic=orders} 10\n"
    "kafka_ops_sharegroup_lag_sum_all_topics{cluster=prod,sharegroup=shared} 10\n"
    "kafka_ops_sharegroup_members{cluster=prod,sharegroup=shared} 4\n"
    "kafka_ops_sharegroup_state{cluster=prod,sharegroup=shared,state=Stable} 1\n";

static void what_is_known_is_shown_and_nothing_else(void **state)
{
    struct koa_snapshot *snapshot = kit_snapshot(&spec);
    struct koa_buf text = {.limit = TEXT_LIMIT};

    (void) state;
    print_all(snapshot, 0, &text);
    KIT_EXPECT_TEXT("all", all, koa_buf_text(&text));
    koa_buf_deinit(&text);
    koa_snapshot_unref(snapshot);
}

static void the_place_in_a_batch_changes_nothing(void **state)
{
    struct koa_snapshot *snapshot = kit_snapshot(&spec);
    struct koa_buf text = {.limit = TEXT_LIMIT};

    (void) state;
    for (size_t taken = 1; taken < 4; taken++) {
        print_all(snapshot, KOA_BATCH_SAMPLES - taken, &text);
        KIT_EXPECT_TEXT("all", all, koa_buf_text(&text));
    }
    koa_buf_deinit(&text);
    koa_snapshot_unref(snapshot);
}

static size_t count_lines(const char *text, const char *part)
{
    size_t count = 0;

    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
        count++;
    return count;
}

static void granularity_leaves_out_what_is_finer(void **state)
{
    struct koa_snapshot *snapshot = kit_snapshot(&spec);
    struct koa_buf text = {.limit = TEXT_LIMIT};

    (void) state;
    snapshot->granularity = KOA_GRANULARITY_TOPIC;
    print_all(snapshot, 0, &text);
    assert_int_equal(count_lines(koa_buf_text(&text), "partition="), 0);
    assert_int_equal(count_lines(koa_buf_text(&text), "topic="), 13);
    KIT_EXPECT_CONTAINS("share", "sharegroup_topic_lag{", koa_buf_text(&text));
    snapshot->granularity = KOA_GRANULARITY_GROUP;
    print_all(snapshot, 0, &text);
    assert_int_equal(count_lines(koa_buf_text(&text), "topic="), 0);
    assert_int_equal(count_lines(koa_buf_text(&text), "consumergroup=shop"), 7);
    assert_int_equal(count_lines(koa_buf_text(&text), "sharegroup=shared"), 3);
    KIT_EXPECT_CONTAINS("share", "sharegroup_lag_sum_all_topics{", koa_buf_text(&text));
    koa_buf_deinit(&text);
    koa_snapshot_unref(snapshot);
}

static void a_cycle_that_learned_nothing_shows_all_as_stale(void **state)
{
    struct koa_snapshot *base = kit_snapshot(&spec);
    struct koa_snapshot *snapshot = kit_snapshot(&spec);
    struct koa_buf text = {.limit = TEXT_LIMIT};

    (void) state;
    snapshot->base = base;
    print_all(snapshot, 0, &text);
    KIT_EXPECT_CONTAINS("stale", "{cluster=prod,condition=stale,consumergroup=shop} 3\n",
                        koa_buf_text(&text));
    koa_buf_deinit(&text);
    koa_snapshot_unref(snapshot);
}

static void many_commits_come_once_each_whatever_the_batches(void **state)
{
    enum { COUNT = 1000 };
    static struct kit_partition wide[COUNT];
    static struct kit_commit read[COUNT];
    struct kit_snapshot large = spec;
    struct koa_buf text = {.limit = TEXT_LIMIT};
    struct koa_snapshot *snapshot;

    (void) state;
    for (int32_t i = 0; i < COUNT; i++) {
        wide[i] = (struct kit_partition){.topic = i % 2 == 0 ? "even" : "odd", .id = i, .end = i};
        read[i] = (struct kit_commit){"shop", wide[i].topic, i, 0, 0};
    }
    large.partitions = wide;
    large.partition_count = COUNT;
    large.commits = read;
    large.commit_count = COUNT;
    snapshot = kit_snapshot(&large);
    print_all(snapshot, 0, &text);
    assert_int_equal(count_lines(koa_buf_text(&text), "kafka_consumergroup_lag{"), COUNT);
    for (int32_t i = 0; i < COUNT; i++) {
        char line[128];

        (void) snprintf(line, sizeof(line),
                        "kafka_consumergroup_lag{" SHOP ",partition=%d,topic=%s} %d\n", (int) i,
                        wide[i].topic, (int) i);
        KIT_EXPECT_INT(line, 1, count_lines(koa_buf_text(&text), line));
    }
    koa_buf_deinit(&text);
    koa_snapshot_unref(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_known_is_shown_and_nothing_else),
        cmocka_unit_test(the_place_in_a_batch_changes_nothing),
        cmocka_unit_test(granularity_leaves_out_what_is_finer),
        cmocka_unit_test(a_cycle_that_learned_nothing_shows_all_as_stale),
        cmocka_unit_test(many_commits_come_once_each_whatever_the_batches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
