/* Whole outages, in virtual time. */
#include "cluster/collector.h"

#include <string.h>

#include "kit/kit.h"

#include "cluster/draft.h"
#include "cluster/roster.h"
#include "fake_cluster.h"

enum { INTERVAL_MS = 15000, TIMEOUT_MS = 10000 };

static void a_cycle_learns_everything(void **state)
{
    struct fake_cluster fake;
    struct koa_snapshot_topic topic;

    (void) state;
    fake_set_up(&fake);
    assert_int_equal(fake_cycle(&fake), 0);
    assert_int_equal(fake.cycles, 1);
    assert_null(koa_snapshot_error(fake.snapshot));
    assert_string_equal(koa_snapshot_cluster_id(fake.snapshot), "id-1");
    assert_int_equal(koa_snapshot_broker_count(fake.snapshot), 3);
    assert_int_equal(koa_snapshot_topic_count(fake.snapshot), 2);
    koa_snapshot_topic(fake.snapshot, 0, &topic);
    assert_string_equal(topic.name, "orders"); /* sorted, and __internal left out */
    for (int32_t id = 1; id <= 3; id++) {
        assert_true(fake_broker(&fake, id).is_up);
        assert_int_equal(fake_broker(&fake, id).replicas, 5);
        assert_int_equal(fake_partition(&fake, "orders", id - 1).end_offset, id * 100);
        assert_int_equal(fake_partition(&fake, "orders", id - 1).start_offset, id);
    }
    assert_int_equal(fake_broker(&fake, 1).leaders, 3);
    assert_true(fake_broker(&fake, 3).is_controller); /* DescribeCluster's word, not Metadata's */
    assert_int_equal(fake.named, 3);
    assert_false(fake_partition(&fake, "orders", 0).is_stale);
    assert_true(fake_partition(&fake, "orders", 0).is_leader_preferred);
    assert_false(fake_partition(&fake, "orders", 1).is_leader_preferred);
    fake_tear_down(&fake);
}

static void answers_are_matched_by_name_and_index(void **state)
{
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    fake.reverses_answers = true;
    (void) fake_cycle(&fake);
    assert_int_equal(fake_partition(&fake, "pay", 0).end_offset, 50);
    assert_int_equal(fake_partition(&fake, "pay", 1).end_offset, 60);
    assert_int_equal(fake_partition(&fake, "orders", 0).end_offset, 100);
    fake_tear_down(&fake);
}

static void answers_that_come_inside_the_call_are_no_different(void **state)
{
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    for (size_t i = 0; i <= FAKE_BROKERS; i++)
        fake.modes[i] = FAKE_AT_ONCE;
    assert_true(koa_collector_begin(fake.collector));
    assert_false(koa_collector_is_busy(fake.collector));
    assert_int_equal(fake_partition(&fake, "orders", 2).end_offset, 300);
    fake_tear_down(&fake);
}

static void starts_are_asked_for_every_slow_interval_only(void **state)
{
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    for (int i = 0; i < 8; i++) {
        (void) fake_cycle(&fake);
        assert_true(fake_partition(&fake, "pay", 0).has_start_offset);
        fake.now.ms += INTERVAL_MS;
    }
    assert_int_equal(fake.starts_asked, 2 * 3);
    fake_tear_down(&fake);
}

static void a_frozen_broker_costs_its_own_data_and_one_deadline(void **state)
{
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    (void) fake_cycle(&fake);
    fake.now.ms += INTERVAL_MS;
    fake.modes[2] = FAKE_IS_FROZEN;
    fake.topics[2].partitions[0].end = 111;
    fake.topics[2].partitions[1].end = 222;
    assert_int_equal(fake_cycle(&fake), TIMEOUT_MS);
    assert_null(koa_snapshot_error(fake.snapshot));
    assert_int_equal(fake_partition(&fake, "orders", 0).end_offset, 111);
    assert_false(fake_partition(&fake, "orders", 0).is_stale);
    assert_int_equal(fake_partition(&fake, "orders", 1).end_offset, 200);
    assert_true(fake_partition(&fake, "orders", 1).is_stale);
    assert_int_equal(fake_partition(&fake, "orders", 1).offset_age_ms, INTERVAL_MS + TIMEOUT_MS);
    assert_false(fake_broker(&fake, 2).is_up);
    KIT_EXPECT_CONTAINS("error", "no answer within", fake_broker(&fake, 2).error);
    assert_int_equal(fake.report.stale_brokers, 1);
    fake_tear_down(&fake);
}

static void a_frozen_broker_is_not_asked_for_metadata_twice(void **state)
{
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    (void) fake_cycle(&fake); /* by the configuration's server */
    (void) fake_cycle(&fake); /* by broker 1 */
    assert_int_equal(fake.asked[1][KOA_KAFKA_METADATA], 1);
    fake.modes[1] = FAKE_IS_FROZEN;
    assert_int_equal(fake_cycle(&fake), TIMEOUT_MS);
    assert_int_equal(fake.asked[1][KOA_KAFKA_METADATA], 2);
    assert_int_equal(fake_cycle(&fake), 0); /* nor waited for: it is pinged meanwhile */
    assert_int_equal(fake.asked[1][KOA_KAFKA_METADATA], 2);
    assert_int_equal(fake.asked[1][KOA_KAFKA_API_VERSIONS], 1);
    fake_tear_down(&fake);
}

static void stale_offsets_end_after_ten_intervals(void **state)
{
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    (void) fake_cycle(&fake);
    fake.modes[2] = FAKE_REFUSES;
    for (int i = 1; i <= KOA_OFFSET_KEEP_CYCLES; i++) {
        fake.now.ms += INTERVAL_MS;
        (void) fake_cycle(&fake);
        assert_true(fake_partition(&fake, "orders", 1).has_end_offset);
    }
    fake.now.ms += INTERVAL_MS;
    (void) fake_cycle(&fake);
    assert_false(fake_partition(&fake, "orders", 1).has_end_offset);
    assert_true(fake_partition(&fake, "orders", 0).has_end_offset);
    fake_tear_down(&fake);
}

static void a_broker_that_returns_is_whole_again_at_once(void **state)
{
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    (void) fake_cycle(&fake);
    fake.modes[2] = FAKE_REFUSES;
    (void) fake_cycle(&fake);
    assert_false(fake_broker(&fake, 2).is_up);
    fake.modes[2] = FAKE_ANSWERS;
    (void) fake_cycle(&fake);
    assert_true(fake_broker(&fake, 2).is_up);
    assert_null(fake_broker(&fake, 2).error);
    assert_false(fake_partition(&fake, "orders", 1).is_stale);
    assert_int_equal(fake.report.stale_brokers, 0);
    fake_tear_down(&fake);
}

static void a_broker_that_is_no_longer_listed_is_remembered_for_an_hour(void **state)
{
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    (void) fake_cycle(&fake);
    fake.is_listed[3] = false;
    fake.topics[2].partitions[2].leader = 1; /* KRaft moves the leader, too */
    fake.now.ms += INTERVAL_MS;
    (void) fake_cycle(&fake);
    assert_int_equal(fake.named, 2);
    assert_false(fake_broker(&fake, 3).is_up);
    KIT_EXPECT_CONTAINS("error", "does not list it", fake_broker(&fake, 3).error);
    assert_int_equal(fake_broker(&fake, 3).age_ms, INTERVAL_MS);
    fake.now.ms += KOA_ROSTER_KEEP_MS;
    (void) fake_cycle(&fake);
    assert_int_equal(koa_snapshot_broker_count(fake.snapshot), 2);
    fake_tear_down(&fake);
}

static void a_leader_that_moved_during_the_cycle_leaves_the_last_value(void **state)
{
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    (void) fake_cycle(&fake);
    fake.now.ms += INTERVAL_MS;
    fake.topics[2].partitions[1].error = 6;
    (void) fake_cycle(&fake);
    assert_int_equal(fake_partition(&fake, "orders", 1).end_offset, 200);
    assert_true(fake_partition(&fake, "orders", 1).is_stale);
    assert_true(fake_broker(&fake, 2).is_up);
    fake.topics[2].partitions[1] = (struct fake_partition){.leader = 3, .end = 250};
    (void) fake_cycle(&fake);
    assert_int_equal(fake_partition(&fake, "orders", 1).end_offset, 250);
    assert_int_equal(fake_partition(&fake, "orders", 1).leader, 3);
    assert_false(fake_partition(&fake, "orders", 1).is_stale);
    fake_tear_down(&fake);
}

static void a_leaderless_partition_is_not_asked_for_and_keeps_its_value_as_stale(void **state)
{
    struct koa_snapshot_partition partition;
    struct koa_snapshot_topic topic;
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    (void) fake_cycle(&fake);
    fake.topics[2].partitions[1].leader = -1;
    (void) fake_cycle(&fake);
    partition = fake_partition(&fake, "orders", 1);
    assert_int_equal(partition.leader, -1);
    assert_true(partition.is_stale);
    assert_int_equal(partition.in_sync, 1);
    assert_int_equal(koa_snapshot_in_sync_ids(fake.snapshot, 0, 1)[0], 2);
    assert_int_equal(koa_snapshot_in_sync_ids(fake.snapshot, 0, 2)[2], 3); /* all are */
    koa_snapshot_topic(fake.snapshot, 0, &topic);
    assert_int_equal(topic.leaderless, 1);
    assert_int_equal(topic.under_replicated, 1);
    assert_true(fake_broker(&fake, 2).is_up); /* leads nothing, and was asked for its groups */
    assert_int_equal(fake.asked[2][KOA_KAFKA_LIST_OFFSETS], 3);
    fake_tear_down(&fake);
}

static void a_topic_that_vanished_is_gone_at_once(void **state)
{
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    (void) fake_cycle(&fake);
    fake.topics[0].name = NULL;
    (void) fake_cycle(&fake);
    assert_int_equal(koa_snapshot_topic_count(fake.snapshot), 1);
    fake.topics[0].name = "pay";
    fake.topics[0].partitions[0].error = 3;
    (void) fake_cycle(&fake);
    assert_false(fake_partition(&fake, "pay", 0).has_end_offset); /* not the old topic's */
    fake_tear_down(&fake);
}

static void a_cluster_that_is_down_keeps_its_data_with_the_reason(void **state)
{
    struct koa_wall good;
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    (void) fake_cycle(&fake);
    good = koa_snapshot_good_time(fake.snapshot);
    for (size_t i = 0; i <= FAKE_BROKERS; i++)
        fake.modes[i] = FAKE_REFUSES;
    for (int i = 1; i <= KOA_OFFSET_KEEP_CYCLES; i++) {
        fake.now.ms += INTERVAL_MS;
        (void) fake_cycle(&fake);
        assert_true(fake.report.has_failed);
        assert_string_equal(koa_snapshot_error(fake.snapshot), "Connection refused");
        assert_int_equal(koa_snapshot_good_time(fake.snapshot).ms, good.ms);
        assert_int_equal(fake_partition(&fake, "orders", 1).end_offset, 200);
        assert_true(fake_partition(&fake, "orders", 1).is_stale);
        assert_int_equal(fake_partition(&fake, "orders", 1).offset_age_ms,
                         (int64_t) i * INTERVAL_MS);
        assert_false(fake_broker(&fake, 1).is_up);
        assert_int_equal(fake_broker(&fake, 1).leaders, 3);
    }
    fake.now.ms += INTERVAL_MS;
    (void) fake_cycle(&fake);
    assert_false(fake_partition(&fake, "orders", 1).has_end_offset);
    for (size_t i = 0; i <= FAKE_BROKERS; i++)
        fake.modes[i] = FAKE_ANSWERS;
    (void) fake_cycle(&fake);
    assert_null(koa_snapshot_error(fake.snapshot));
    assert_true(fake_partition(&fake, "orders", 1).has_end_offset);
    fake_tear_down(&fake);
}

static void a_cluster_that_never_answered_is_told_as_such(void **state)
{
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    fake.modes[0] = FAKE_IS_FROZEN;
    assert_int_equal(fake_cycle(&fake), TIMEOUT_MS);
    assert_non_null(koa_snapshot_error(fake.snapshot));
    assert_int_equal(koa_snapshot_good_time(fake.snapshot).ms, 0);
    assert_int_equal(koa_snapshot_broker_count(fake.snapshot), 0);
    fake_tear_down(&fake);
}

static void servers_that_are_frozen_cost_nothing_while_one_answers(void **state)
{
    for (size_t well = 0; well < FAKE_SERVERS; well++) {
        struct fake_cluster fake;

        fake_set_up_with_servers(&fake, FAKE_SERVERS);
        for (size_t i = 0; i < FAKE_SERVERS; i++)
            fake.servers[i] = i == well ? FAKE_ANSWERS : FAKE_IS_FROZEN;
        assert_int_equal(fake_cycle(&fake), 0);
        assert_null(koa_snapshot_error(fake.snapshot));
        assert_int_equal(fake_partition(&fake, "orders", 2).end_offset, 300);
        assert_int_equal(fake.asked[0][KOA_KAFKA_API_VERSIONS], FAKE_SERVERS);
        assert_int_equal(fake.asked[0][KOA_KAFKA_METADATA], 1);
        /* The calls that are left end as failures of nobody, long after. */
        fake.now.ms += TIMEOUT_MS;
        fake_answer(&fake);
        assert_int_equal(fake_cycle(&fake), 0);
        assert_int_equal(fake.asked[0][KOA_KAFKA_API_VERSIONS], FAKE_SERVERS);
        fake_tear_down(&fake);
    }
    (void) state;
}

static void servers_that_all_keep_silent_cost_one_deadline(void **state)
{
    struct fake_cluster fake;

    (void) state;
    fake_set_up_with_servers(&fake, FAKE_SERVERS);
    for (size_t i = 0; i < FAKE_SERVERS; i++)
        fake.servers[i] = FAKE_IS_FROZEN;
    assert_int_equal(fake_cycle(&fake), TIMEOUT_MS);
    KIT_EXPECT_CONTAINS("error", "no answer within", koa_snapshot_error(fake.snapshot));
    for (size_t i = 0; i < FAKE_SERVERS; i++)
        fake.servers[i] = FAKE_REFUSES;
    assert_int_equal(fake_cycle(&fake), 0);
    assert_string_equal(koa_snapshot_error(fake.snapshot), "Connection refused");
    for (size_t i = 0; i < FAKE_SERVERS; i++)
        fake.servers[i] = FAKE_AT_ONCE;
    assert_int_equal(fake_cycle(&fake), 0);
    assert_null(koa_snapshot_error(fake.snapshot));
    fake_tear_down(&fake);
}

static void every_server_that_answered_is_asked_before_a_cycle_fails(void **state)
{
    struct fake_cluster fake;

    (void) state;
    fake_set_up_with_servers(&fake, FAKE_SERVERS);
    fake.metadata_error = 29;
    assert_int_equal(fake_cycle(&fake), 0);
    assert_true(fake.report.has_failed);
    assert_int_equal(fake.asked[0][KOA_KAFKA_METADATA], FAKE_SERVERS); /* and none twice */
    fake_tear_down(&fake);
}

/* A call that a frozen server has not answered is not made again, and counts when it is. */
static void a_call_may_outlive_its_cycle(void **state)
{
    struct fake_cluster fake;

    (void) state;
    fake_set_up_with_servers(&fake, 2);
    fake.servers[0] = FAKE_IS_FROZEN;
    fake.metadata_error = 29;
    assert_true(koa_collector_begin(fake.collector));
    fake_answer(&fake);
    fake.now.ms += TIMEOUT_MS - 1;
    fake_answer(&fake);
    assert_true(koa_collector_is_busy(fake.collector)); /* the other one may still do better */
    fake.servers[0] = FAKE_ANSWERS;
    fake.metadata_error = 0;
    fake_answer(&fake);
    assert_false(koa_collector_is_busy(fake.collector));
    assert_null(koa_snapshot_error(fake.snapshot));
    fake_tear_down(&fake);
}

/* Brokers that were up are asked first; when they have taken all the time there is, no server is
 * called whose answer could not be used. */
static void servers_are_not_called_when_the_time_is_over(void **state)
{
    struct fake_cluster fake;

    (void) state;
    fake_set_up_with_servers(&fake, FAKE_SERVERS);
    assert_int_equal(fake_cycle(&fake), 0);
    for (size_t i = 0; i <= FAKE_BROKERS; i++)
        fake.modes[i] = FAKE_IS_FROZEN;
    for (size_t i = 0; i < FAKE_SERVERS; i++)
        fake.servers[i] = FAKE_IS_FROZEN;
    assert_int_equal(fake_cycle(&fake), INT64_C(3) * TIMEOUT_MS);
    assert_true(fake.report.has_failed);
    assert_int_equal(fake.asked[0][KOA_KAFKA_API_VERSIONS], FAKE_SERVERS);
    /* Then they come first. */
    fake.servers[1] = FAKE_ANSWERS;
    assert_true(koa_collector_begin(fake.collector));
    fake_answer(&fake);
    assert_int_equal(fake.asked[0][KOA_KAFKA_API_VERSIONS], 2 * FAKE_SERVERS);
    assert_int_equal(fake.asked[0][KOA_KAFKA_METADATA], 2);
    fake.now.ms += TIMEOUT_MS;
    fake_answer(&fake);
    assert_false(koa_collector_is_busy(fake.collector));
    assert_null(koa_snapshot_error(fake.snapshot));
    fake_tear_down(&fake);
}

static void what_can_be_mended_is_told_rather_than_silence(void **state)
{
    for (size_t locked = 0; locked < FAKE_SERVERS; locked++) {
        struct koa_snapshot_cycle cycle;
        struct fake_cluster fake;

        fake_set_up_with_servers(&fake, FAKE_SERVERS);
        for (size_t i = 0; i < FAKE_SERVERS; i++)
            fake.servers[i] = i == locked ? FAKE_LOCKS_OUT : FAKE_IS_FROZEN;
        assert_int_equal(fake_cycle(&fake), TIMEOUT_MS);
        assert_string_equal(koa_snapshot_error(fake.snapshot), "wrong password");
        koa_snapshot_cycle(fake.snapshot, &cycle);
        assert_int_equal(cycle.errors, FAKE_SERVERS);
        /* What was told of one cycle says nothing of the next. */
        fake.servers[locked] = FAKE_REFUSES;
        assert_int_equal(fake_cycle(&fake), TIMEOUT_MS);
        KIT_EXPECT_CONTAINS("error", "no answer within", koa_snapshot_error(fake.snapshot));
        fake_tear_down(&fake);
    }
    (void) state;
}

static void metadata_that_is_refused_is_a_failed_cycle(void **state)
{
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    fake.metadata_error = 29;
    (void) fake_cycle(&fake);
    assert_true(fake.report.has_failed);
    KIT_EXPECT_CONTAINS("error", "TOPIC_AUTHORIZATION_FAILED", koa_snapshot_error(fake.snapshot));
    fake_tear_down(&fake);
}

/* The listener of a KRaft controller, say. */
static void servers_without_metadata_are_told_as_such(void **state)
{
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    fake.lacks_metadata = true;
    (void) fake_cycle(&fake);
    assert_true(fake.report.has_failed);
    KIT_EXPECT_CONTAINS("error", "does not offer metadata", koa_snapshot_error(fake.snapshot));
    fake_tear_down(&fake);
}

static void a_frozen_cluster_ends_its_cycle_within_a_bound(void **state)
{
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    (void) fake_cycle(&fake);
    for (size_t i = 0; i <= FAKE_BROKERS; i++)
        fake.modes[i] = FAKE_IS_FROZEN;
    assert_true(fake_cycle(&fake) <= INT64_C(3) * TIMEOUT_MS);
    assert_true(fake.report.has_failed);
    fake_tear_down(&fake);
}

static void a_broker_without_describe_cluster_is_no_fault(void **state)
{
    struct koa_snapshot_cycle cycle;
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    fake.lacks_describe_cluster = true;
    (void) fake_cycle(&fake);
    koa_snapshot_cycle(fake.snapshot, &cycle);
    assert_int_equal(cycle.errors, 0);
    assert_true(cycle.requests > 4);
    assert_int_equal(koa_snapshot_controller(fake.snapshot), 2);
    fake_tear_down(&fake);
}

static void cycles_never_overlap(void **state)
{
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    assert_true(koa_collector_begin(fake.collector));
    assert_false(koa_collector_begin(fake.collector));
    fake_answer(&fake);
    assert_int_equal(fake.cycles, 1);
    assert_true(koa_collector_begin(fake.collector));
    fake_tear_down(&fake);
}

static void another_cluster_behind_the_same_servers_inherits_nothing(void **state)
{
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    (void) fake_cycle(&fake);
    fake.cluster_id = "id-2";
    fake.modes[2] = FAKE_REFUSES;
    (void) fake_cycle(&fake);
    assert_false(fake_partition(&fake, "orders", 1).has_end_offset);
    fake_tear_down(&fake);
}

static void a_published_snapshot_outlives_later_cycles(void **state)
{
    struct koa_snapshot *kept;
    struct koa_snapshot_partition partition;
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    (void) fake_cycle(&fake);
    for (size_t i = 0; i <= FAKE_BROKERS; i++)
        fake.modes[i] = FAKE_REFUSES;
    (void) fake_cycle(&fake); /* shares the columns of the first */
    kept = fake.snapshot;
    koa_object_ref(&kept->object);
    for (size_t i = 0; i <= FAKE_BROKERS; i++)
        fake.modes[i] = FAKE_ANSWERS;
    fake.topics[2].partitions[0].end = 999;
    (void) fake_cycle(&fake);
    fake_tear_down(&fake);
    koa_snapshot_partition(kept, 0, 0, &partition);
    assert_int_equal(partition.end_offset, 100);
    koa_snapshot_unref(kept);
}

static void memory_that_runs_out_ends_a_cycle_and_the_next_one_is_whole(void **state)
{
    (void) state;
    for (int64_t allocations = 0; allocations < 120; allocations++) {
        struct fake_cluster fake;

        fake_set_up(&fake);
        (void) fake_cycle(&fake);
        koa_memory_fail_after(allocations);
        (void) fake_cycle(&fake);
        koa_memory_fail_after(-1);
        assert_int_equal(fake.cycles, 2);
        (void) fake_cycle(&fake);
        assert_null(koa_snapshot_error(fake.snapshot));
        assert_int_equal(fake_partition(&fake, "orders", 2).end_offset, 300);
        assert_false(fake_partition(&fake, "orders", 2).is_stale);
        fake_tear_down(&fake);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cycle_learns_everything),
        cmocka_unit_test(answers_are_matched_by_name_and_index),
        cmocka_unit_test(answers_that_come_inside_the_call_are_no_different),
        cmocka_unit_test(starts_are_asked_for_every_slow_interval_only),
        cmocka_unit_test(a_frozen_broker_costs_its_own_data_and_one_deadline),
        cmocka_unit_test(a_frozen_broker_is_not_asked_for_metadata_twice),
        cmocka_unit_test(stale_offsets_end_after_ten_intervals),
        cmocka_unit_test(a_broker_that_returns_is_whole_again_at_once),
        cmocka_unit_test(a_broker_that_is_no_longer_listed_is_remembered_for_an_hour),
        cmocka_unit_test(a_leader_that_moved_during_the_cycle_leaves_the_last_value),
        cmocka_unit_test(a_leaderless_partition_is_not_asked_for_and_keeps_its_value_as_stale),
        cmocka_unit_test(a_topic_that_vanished_is_gone_at_once),
        cmocka_unit_test(a_cluster_that_is_down_keeps_its_data_with_the_reason),
        cmocka_unit_test(a_cluster_that_never_answered_is_told_as_such),
        cmocka_unit_test(servers_that_are_frozen_cost_nothing_while_one_answers),
        cmocka_unit_test(servers_that_all_keep_silent_cost_one_deadline),
        cmocka_unit_test(every_server_that_answered_is_asked_before_a_cycle_fails),
        cmocka_unit_test(a_call_may_outlive_its_cycle),
        cmocka_unit_test(servers_are_not_called_when_the_time_is_over),
        cmocka_unit_test(what_can_be_mended_is_told_rather_than_silence),
        cmocka_unit_test(metadata_that_is_refused_is_a_failed_cycle),
        cmocka_unit_test(servers_without_metadata_are_told_as_such),
        cmocka_unit_test(a_frozen_cluster_ends_its_cycle_within_a_bound),
        cmocka_unit_test(a_broker_without_describe_cluster_is_no_fault),
        cmocka_unit_test(cycles_never_overlap),
        cmocka_unit_test(another_cluster_behind_the_same_servers_inherits_nothing),
        cmocka_unit_test(a_published_snapshot_outlives_later_cycles),
        cmocka_unit_test(memory_that_runs_out_ends_a_cycle_and_the_next_one_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
