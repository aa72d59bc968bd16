/* The whole room over real TCP: loop, client and collector against the simulated cluster, and what
 * the metrics source shows of it. */
#include "cluster/cluster.h"

#include <stdio.h>
#include <string.h>

#include "kit/kit.h"
#include "kit/loop_kit.h"
#include "kit/series_kit.h"

#include "base/buf.h"
#include "loop/clock.h"
#include "metrics/registry.h"
#include "sim/simulation.h"

enum { BROKERS = 3, TOPICS = 4, PARTITIONS = 150 };

struct fixture {
    struct kit_loop kit;
    struct koa_simulation *simulation;
    struct koa_metrics *metrics;
    struct koa_cluster *cluster;
    struct kit_gate published;
};

static void on_published(void *context, const char *cluster)
{
    struct fixture *f = context;

    assert_string_equal(cluster, "prod");
    kit_gate_pass(&f->published);
}

static void make_cluster(struct fixture *f, const char *server, int64_t interval_ms)
{
    struct koa_cluster_opts opts = {.name = "prod",
                                    .bootstrap_servers = &server,
                                    .bootstrap_count = 1,
                                    .interval_ms = interval_ms,
                                    .request_timeout_ms = 5000,
                                    .slow_interval_ms = 60000,
                                    .resolver = f->kit.resolver,
                                    .metrics = f->metrics,
                                    .published = on_published,
                                    .context = f};
    struct koa_error error;

    if (koa_cluster_create(f->kit.loop, &opts, &f->cluster, &error) != KOA_OK)
        fail_msg("%s", error.text);
}

static void set_up(struct fixture *f)
{
    struct koa_metrics_opts metrics = {.ticks_ns = koa_clock_ticks_ns};
    struct koa_simulation_opts opts = {
        .brokers = BROKERS, .topics = TOPICS, .partitions = PARTITIONS, .seed = 7};
    struct koa_error error;
    char server[64];

    *f = (struct fixture){.published = KIT_GATE_INIT};
    kit_loop_start(&f->kit, 0);
    assert_int_equal(koa_metrics_create(&metrics, &f->metrics, &error), KOA_OK);
    if (koa_simulation_start(&opts, &f->simulation, &error) != KOA_OK)
        fail_msg("%s", error.text);
    (void) snprintf(server, sizeof(server), "%s", koa_simulation_bootstrap(f->simulation));
    *strchr(server, ',') = '\0';
    make_cluster(f, server, 3600000);
}

static void tear_down(struct fixture *f)
{
    koa_cluster_stop(f->cluster);
    koa_cluster_unref(f->cluster);
    koa_simulation_stop(f->simulation);
    kit_loop_end(&f->kit);
    koa_metrics_destroy(f->metrics);
}

static void a_cluster_is_collected_over_tcp(void **state)
{
    struct koa_snapshot_partition partition;
    struct koa_snapshot_topic topic;
    struct koa_snapshot *snapshot;
    int64_t partitions = 0;
    struct fixture f;

    (void) state;
    set_up(&f);
    assert_null(koa_cluster_snapshot(f.cluster));
    koa_cluster_start(f.cluster);
    kit_gate_wait(&f.published, 1);
    snapshot = koa_cluster_snapshot(f.cluster);
    KIT_EXPECT_TEXT("error", NULL, koa_snapshot_error(snapshot));
    assert_int_equal(koa_snapshot_broker_count(snapshot), BROKERS);
    assert_int_equal(koa_snapshot_topic_count(snapshot), TOPICS);
    for (size_t i = 0; i < TOPICS; i++) {
        koa_snapshot_topic(snapshot, i, &topic);
        for (int32_t j = 0; j < topic.partitions; j++) {
            koa_snapshot_partition(snapshot, i, (size_t) j, &partition);
            assert_true(partition.has_end_offset && partition.has_start_offset);
            assert_true(partition.end_offset >= partition.start_offset);
            assert_false(partition.is_stale);
        }
        partitions += topic.partitions;
    }
    assert_int_equal(partitions, PARTITIONS);
    for (size_t i = 0; i < BROKERS; i++) {
        struct koa_snapshot_broker broker;

        koa_snapshot_broker(snapshot, i, &broker);
        assert_true(broker.is_up);
    }
    koa_snapshot_unref(snapshot);
    tear_down(&f);
}

static void a_refresh_is_one_more_cycle_even_while_one_is_under_way(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f);
    koa_cluster_refresh(f.cluster); /* not started: nothing */
    koa_cluster_start(f.cluster);
    koa_cluster_refresh(f.cluster);
    kit_gate_wait(&f.published, 2);
    koa_cluster_refresh(f.cluster);
    kit_gate_wait(&f.published, 3);
    tear_down(&f);
}

static void brokers_that_die_are_told_and_the_data_stays(void **state)
{
    struct koa_snapshot *snapshot;
    struct fixture f;

    (void) state;
    set_up(&f);
    koa_cluster_start(f.cluster);
    kit_gate_wait(&f.published, 1);
    koa_simulation_stop(f.simulation);
    f.simulation = NULL;
    koa_cluster_refresh(f.cluster);
    kit_gate_wait(&f.published, 2);
    snapshot = koa_cluster_snapshot(f.cluster);
    assert_non_null(koa_snapshot_error(snapshot));
    assert_int_equal(koa_snapshot_topic_count(snapshot), TOPICS);
    koa_snapshot_unref(snapshot);
    tear_down(&f);
}

/* Counts samples of a source by family name; checks what must hold for all. */
static size_t count_samples(const struct koa_metrics_source *source, const char *family)
{
    static struct koa_metrics_cursor cursor;
    static struct koa_batch batch;
    const struct koa_family_view *last = NULL;
    size_t count = 0;

    cursor = (struct koa_metrics_cursor){.pinned = NULL};
    source->begin(source, &cursor);
    while (source->next(source, &cursor, &batch)) {
        kit_expect_batch(&batch);
        for (size_t i = 0; i < batch.count; i++) {
            const struct koa_sample *sample = &batch.samples[i];

            last = sample->family;
            assert_true(last->help.size > 0);
            count += last->name.size == strlen(family) &&
                             memcmp(last->name.data, family, last->name.size) == 0
                         ? 1
                         : 0;
        }
    }
    source->end(source, &cursor);
    assert_null(cursor.pinned);
    return count;
}

static const struct {
    const char *family;
    size_t per_cluster;
} expected[] = {
    {"kafka_brokers", 1},
    {"kafka_broker_info", BROKERS},
    {"kafka_topic_partitions", TOPICS},
    {"kafka_topic_partition_current_offset", PARTITIONS},
    {"kafka_topic_partition_oldest_offset", PARTITIONS},
    {"kafka_topic_partition_leader", PARTITIONS},
    {"kafka_topic_partition_under_replicated_partition", PARTITIONS},
    {"kafka_ops_cluster_topics", 1},
    {"kafka_ops_cluster_info", 1},
    {"kafka_ops_broker_up", BROKERS},
    {"kafka_ops_cluster_partitions_leaderless", 1},
};

static void the_source_shows_every_cluster_family_by_family(void **state)
{
    struct koa_metrics_source *source;
    struct koa_cluster *clusters[2];
    struct koa_error error;
    struct fixture f;

    (void) state;
    set_up(&f);
    clusters[0] = clusters[1] = f.cluster;
    assert_int_equal(koa_clusters_source_create(clusters, 2, &source, &error), KOA_OK);
    assert_int_equal(count_samples(source, "kafka_brokers"), 0); /* nothing is known yet */
    koa_cluster_start(f.cluster);
    kit_gate_wait(&f.published, 1);
    KIT_EACH (c, expected) {
        KIT_EXPECT_INT(c->family, 2 * c->per_cluster, count_samples(source, c->family));
    }
    koa_clusters_source_destroy(source);
    tear_down(&f);
}

static void the_collector_counts_its_own_work(void **state)
{
    const struct koa_metrics_source *registry;
    struct fixture f;

    (void) state;
    set_up(&f);
    koa_cluster_start(f.cluster);
    registry = koa_metrics_source(f.metrics);
    assert_int_equal(count_samples(registry, "kafka_ops_collector_overruns_total"), 1);
    kit_gate_wait(&f.published, 1);
    /* Of every broker before it counts, and of the servers that it begins with. */
    assert_int_equal(count_samples(registry, "kafka_ops_kafka_reconnects_total"), BROKERS + 1);
    assert_int_equal(count_samples(registry, "kafka_ops_kafka_throttle_seconds_total"),
                     BROKERS + 1);
    assert_int_equal(count_samples(registry, "kafka_ops_collector_up"), 1);
    assert_int_equal(count_samples(registry, "kafka_ops_collector_cycle_duration_seconds"), 5);
    assert_true(count_samples(registry, "kafka_ops_kafka_requests_total") >= 5);
    assert_int_equal(count_samples(registry, "kafka_ops_topics_total"), 1);
    /* Of a cluster that is not watched any more nothing looks up, or grows old. */
    koa_cluster_stop(f.cluster);
    assert_int_equal(count_samples(registry, "kafka_ops_collector_up"), 0);
    assert_int_equal(count_samples(registry, "kafka_ops_collector_data_age_seconds"), 0);
    assert_int_equal(count_samples(registry, "kafka_ops_collector_last_success_timestamp_seconds"),
                     0);
    assert_int_equal(count_samples(registry, "kafka_ops_collector_stale_brokers"), 0);
    tear_down(&f);
}

static void a_stop_in_the_middle_of_a_cycle_leaves_nothing_behind(void **state)
{
    (void) state;
    for (int i = 0; i < 5; i++) {
        struct fixture f;

        set_up(&f);
        koa_cluster_start(f.cluster);
        koa_cluster_stop(f.cluster);
        koa_cluster_stop(f.cluster);
        koa_cluster_refresh(f.cluster);
        tear_down(&f);
    }
}

static const struct {
    const char *name, *server, *text;
} unreadable[] = {
    {"no port", "kafka-1", "'kafka-1' is no Kafka server"},
    {"an empty host", ":9092", "must be host:port"},
    {"a port that is none", "kafka-1:http", "1 to 65535"},
    {"a port too large", "kafka-1:65536", "1 to 65535"},
    {"IPv6 without brackets", "::1:9092", "must be host:port"},
};

static void a_server_that_cannot_be_read_is_named(void **state)
{
    struct kit_loop kit;

    (void) state;
    kit_loop_start(&kit, 0);
    KIT_EACH (c, unreadable) {
        struct koa_cluster_opts opts = {.name = "prod",
                                        .bootstrap_servers = &c->server,
                                        .bootstrap_count = 1,
                                        .interval_ms = 1000,
                                        .request_timeout_ms = 1000,
                                        .slow_interval_ms = 1000,
                                        .resolver = kit.resolver};
        struct koa_cluster *cluster = NULL;
        struct koa_error error;

        KIT_EXPECT_INT(c->name, KOA_ERR_INVALID,
                       koa_cluster_create(kit.loop, &opts, &cluster, &error));
        KIT_EXPECT_CONTAINS(c->name, c->text, error.text);
        assert_null(cluster);
    }
    kit_loop_end(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cluster_is_collected_over_tcp),
        cmocka_unit_test(a_refresh_is_one_more_cycle_even_while_one_is_under_way),
        cmocka_unit_test(brokers_that_die_are_told_and_the_data_stays),
        cmocka_unit_test(the_source_shows_every_cluster_family_by_family),
        cmocka_unit_test(the_collector_counts_its_own_work),
        cmocka_unit_test(a_stop_in_the_middle_of_a_cycle_leaves_nothing_behind),
        cmocka_unit_test(a_server_that_cannot_be_read_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
