/* Consumer groups through whole cycles, in virtual time: each row of the table of edge cases that
 * other monitors get wrong. */
#include <stdio.h>
#include <string.h>

#include "kit/kit.h"

#include "base/memory.h"
#include "fake_cluster.h"
#include "kafka/error_code.h"

enum { INTERVAL_MS = 15000, TIMEOUT_MS = 10000 };

#define EXPECT_CONDITIONS(commit, expected)                                                        \
    assert_int_equal((commit).conditions, (unsigned) (expected))

static void set_up(struct fake_cluster *fake)
{
    fake_set_up(fake);
    fake_add_groups(fake);
}

static void lag_is_log_end_minus_commit(void **state)
{
    struct fake_cluster fake;
    struct koa_snapshot_group group;
    struct koa_snapshot_group_topic topic;

    (void) state;
    set_up(&fake);
    (void) fake_cycle(&fake);
    assert_int_equal(koa_snapshot_group_count(fake.snapshot), 2);
    group = fake_group(&fake, "shop");
    assert_string_equal(group.state, "Stable");
    assert_string_equal(group.protocol, "range");
    assert_int_equal(group.coordinator, 2);
    assert_int_equal(group.members, 2);
    assert_int_equal(group.idle_members, 1);
    assert_int_equal(group.lag, 10 + 0 + 50);
    assert_int_equal(group.lag_max, 50);
    assert_int_equal(group.topics, 2);
    assert_false(group.is_stale);
    assert_null(group.error);
    topic = fake_group_topic(&fake, "shop", "orders");
    assert_int_equal(topic.lag, 10);
    assert_int_equal(topic.committed, 290);
    assert_true(topic.has_assigned);
    assert_int_equal(topic.assigned, 2);
    /* Partition 2 of a topic that the group reads has no commit: counted, never -1. */
    assert_int_equal(topic.conditions[KOA_CONDITION_NO_COMMIT], 1);
    assert_int_equal(fake_commit(&fake, "shop", "orders", 0).lag, 10);
    assert_int_equal(fake_commit(&fake, "shop", "pay", 1).lag, 50);
    EXPECT_CONDITIONS(fake_commit(&fake, "shop", "orders", 0), 0);
    assert_int_equal(fake_group(&fake, "audit").lag, 50);
    assert_int_equal(fake_group(&fake, "audit").members, 0);
    fake_tear_down(&fake);
}

static void a_commit_beyond_the_end_lags_nothing_and_says_so(void **state)
{
    struct fake_cluster fake;
    struct koa_snapshot_commit commit;

    (void) state;
    set_up(&fake);
    fake.groups[1].commits[0].offset = 400;
    (void) fake_cycle(&fake);
    commit = fake_commit(&fake, "audit", "orders", 2);
    assert_true(commit.has_lag);
    assert_int_equal(commit.lag, 0);
    EXPECT_CONDITIONS(commit, 1U << KOA_CONDITION_ABOVE_END);
    fake_tear_down(&fake);
}

static void a_commit_below_the_start_counts_what_was_deleted_and_says_so(void **state)
{
    struct fake_cluster fake;
    struct koa_snapshot_commit commit;

    (void) state;
    set_up(&fake);
    fake.topics[2].partitions[2].start = 280;
    (void) fake_cycle(&fake);
    commit = fake_commit(&fake, "audit", "orders", 2);
    assert_int_equal(commit.lag, 50);
    EXPECT_CONDITIONS(commit, 1U << KOA_CONDITION_BELOW_START);
    assert_true(fake_group_topic(&fake, "audit", "orders").has_retention);
    fake_tear_down(&fake);
}

static void commits_of_a_deleted_topic_have_no_lag(void **state)
{
    struct fake_cluster fake;
    struct koa_snapshot_commit commit;

    (void) state;
    set_up(&fake);
    fake.topics[0].name = NULL;
    (void) fake_cycle(&fake);
    commit = fake_commit(&fake, "shop", "pay", 1);
    assert_false(commit.has_lag);
    assert_int_equal(commit.offset, 10);
    EXPECT_CONDITIONS(commit, 1U << KOA_CONDITION_TOPIC_GONE);
    assert_true(fake_group_topic(&fake, "shop", "pay").is_gone);
    assert_false(fake_group_topic(&fake, "shop", "pay").has_lag);
    assert_int_equal(fake_group(&fake, "shop").lag, 10);
    fake_tear_down(&fake);
}

static void a_topic_that_is_not_watched_is_not_gone(void **state)
{
    struct fake_cluster fake;

    (void) state;
    set_up(&fake);
    fake.groups[1].commits[1] = (struct fake_commit){"__internal", 0, 1, 0};
    (void) fake_cycle(&fake);
    assert_int_equal(fake_group(&fake, "audit").topics, 1);
    fake_tear_down(&fake);
}

static void a_leaderless_partition_keeps_its_lag_as_stale(void **state)
{
    struct fake_cluster fake;
    struct koa_snapshot_commit commit;

    (void) state;
    set_up(&fake);
    (void) fake_cycle(&fake);
    fake.topics[2].partitions[2].leader = -1;
    (void) fake_cycle(&fake);
    commit = fake_commit(&fake, "audit", "orders", 2);
    assert_int_equal(commit.lag, 50);
    EXPECT_CONDITIONS(commit, 1U << KOA_CONDITION_LEADERLESS | 1U << KOA_CONDITION_STALE);
    fake_tear_down(&fake);
}

static void a_frozen_coordinator_makes_its_own_groups_stale_and_no_others(void **state)
{
    struct fake_cluster fake;

    (void) state;
    set_up(&fake);
    (void) fake_cycle(&fake);
    fake.modes[3] = FAKE_IS_FROZEN;
    fake.groups[0].commits[0].offset = 95;
    fake.now.ms += INTERVAL_MS;
    assert_int_equal(fake_cycle(&fake), TIMEOUT_MS);
    assert_int_equal(fake_commit(&fake, "shop", "orders", 0).lag, 5);
    assert_false(fake_group(&fake, "shop").is_stale);
    assert_true(fake_group(&fake, "audit").is_stale);
    assert_int_equal(fake_group(&fake, "audit").age_ms, INTERVAL_MS + TIMEOUT_MS);
    assert_int_equal(fake_group(&fake, "audit").lag, 50);
    assert_non_null(fake_group(&fake, "audit").error);
    /* From now on nobody waits for it. */
    fake.now.ms += INTERVAL_MS;
    assert_int_equal(fake_cycle(&fake), 0);
    assert_false(fake_group(&fake, "shop").is_stale);
    assert_true(fake_group(&fake, "audit").is_stale);
    assert_false(fake_broker(&fake, 3).is_up);
    fake.modes[3] = FAKE_ANSWERS;
    (void) fake_cycle(&fake);
    (void) fake_cycle(&fake);
    assert_false(fake_group(&fake, "audit").is_stale);
    assert_true(fake_broker(&fake, 3).is_up);
    fake_tear_down(&fake);
}

static void what_a_dead_coordinator_owed_ends_after_ten_intervals(void **state)
{
    struct fake_cluster fake;

    (void) state;
    set_up(&fake);
    (void) fake_cycle(&fake);
    fake.modes[3] = FAKE_REFUSES;
    for (int i = 0; i < 10; i++) {
        fake.now.ms += INTERVAL_MS;
        (void) fake_cycle(&fake);
        assert_true(fake_has_group(&fake, "audit"));
    }
    fake.now.ms += INTERVAL_MS;
    (void) fake_cycle(&fake);
    assert_false(fake_has_group(&fake, "audit"));
    assert_true(fake_has_group(&fake, "shop"));
    fake_tear_down(&fake);
}

static void a_deleted_group_is_gone_at_once(void **state)
{
    struct fake_cluster fake;

    (void) state;
    set_up(&fake);
    (void) fake_cycle(&fake);
    fake.groups[1].name = NULL;
    (void) fake_cycle(&fake);
    assert_false(fake_has_group(&fake, "audit"));
    fake_tear_down(&fake);
}

static void a_coordinator_that_loads_its_groups_keeps_them(void **state)
{
    struct fake_cluster fake;

    (void) state;
    set_up(&fake);
    (void) fake_cycle(&fake);
    fake.list_error[3] = KOA_KAFKA_COORDINATOR_LOAD_IN_PROGRESS;
    (void) fake_cycle(&fake);
    assert_true(fake_group(&fake, "audit").is_stale);
    assert_true(fake_broker(&fake, 3).is_up);
    fake_tear_down(&fake);
}

static void a_group_that_two_brokers_list_is_one_and_asked_where_it_is(void **state)
{
    struct fake_cluster fake;

    (void) state;
    set_up(&fake);
    fake.groups[1].other = 1; /* comes first, and is not its coordinator */
    (void) fake_cycle(&fake);
    assert_int_equal(koa_snapshot_group_count(fake.snapshot), 2);
    assert_int_equal(fake_group(&fake, "audit").lag, 50);
    assert_false(fake_group(&fake, "audit").is_stale);
    assert_int_equal(fake_group(&fake, "audit").coordinator, 3);
    assert_null(fake_group(&fake, "audit").error);
    fake_tear_down(&fake);
}

static void a_group_that_moved_away_keeps_its_commits_and_says_why(void **state)
{
    struct fake_cluster fake;

    (void) state;
    set_up(&fake);
    (void) fake_cycle(&fake);
    fake.groups[1].coordinator = 1;
    fake.groups[1].lister = 3; /* does not know yet */
    (void) fake_cycle(&fake);
    assert_int_equal(fake_group(&fake, "audit").lag, 50);
    assert_true(fake_group(&fake, "audit").is_stale);
    KIT_EXPECT_CONTAINS("error", "NOT_COORDINATOR", fake_group(&fake, "audit").error);
    fake_tear_down(&fake);
}

static void a_group_without_the_right_is_shown_with_the_reason(void **state)
{
    struct fake_cluster fake;

    (void) state;
    set_up(&fake);
    fake.groups[1].error = KOA_KAFKA_GROUP_AUTHORIZATION_FAILED;
    (void) fake_cycle(&fake);
    assert_false(fake_group(&fake, "audit").has_lag);
    KIT_EXPECT_CONTAINS("error", "GROUP_AUTHORIZATION_FAILED", fake_group(&fake, "audit").error);
    assert_int_equal(fake_group(&fake, "shop").lag, 60);
    fake_tear_down(&fake);
}

static void groups_are_asked_for_in_batches(void **state)
{
    static char names[FAKE_GROUPS][16];
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    for (int i = 0; i < 35; i++) {
        (void) snprintf(names[i], sizeof(names[i]), "g-%02d", i);
        fake.groups[i] = (struct fake_group){
            .name = names[i], .coordinator = 2, .commits = {{"orders", 0, i, 0}}};
    }
    (void) fake_cycle(&fake);
    assert_int_equal(fake.asked[2][KOA_KAFKA_OFFSET_FETCH], 4);
    assert_int_equal(fake.asked[2][KOA_KAFKA_DESCRIBE_GROUPS], 4);
    assert_int_equal(fake.fetched_in_one, 10);
    for (int i = 0; i < 35; i++)
        assert_int_equal(fake_group(&fake, names[i]).lag, 100 - i);
    fake_tear_down(&fake);
}

static void old_brokers_are_asked_for_one_group_at_a_time(void **state)
{
    static char names[FAKE_GROUPS][16];
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    fake.offset_fetch_version = 7;
    for (int i = 0; i < 35; i++) {
        (void) snprintf(names[i], sizeof(names[i]), "g-%02d", i);
        fake.groups[i] = (struct fake_group){
            .name = names[i], .coordinator = 2, .commits = {{"orders", 0, i, 0}}};
    }
    (void) fake_cycle(&fake);
    assert_int_equal(fake.asked[2][KOA_KAFKA_OFFSET_FETCH], 35);
    for (int i = 0; i < 35; i++)
        assert_int_equal(fake_group(&fake, names[i]).lag, 100 - i);
    fake_tear_down(&fake);
}

static void groups_of_the_consumer_protocol_are_described_by_their_own_api(void **state)
{
    struct fake_cluster fake;
    struct koa_snapshot_group group;

    (void) state;
    set_up(&fake);
    fake.groups[1].type = "consumer";
    fake.groups[1].members = 3;
    fake.groups[1].assigned = "pay";
    (void) fake_cycle(&fake);
    group = fake_group(&fake, "audit");
    assert_int_equal(group.type, KOA_GROUP_CONSUMER);
    assert_string_equal(group.state, "Reconciling");
    assert_string_equal(group.protocol, "uniform");
    assert_int_equal(group.members, 3);
    assert_int_equal(group.idle_members, 2);
    assert_int_equal(group.lag, 50);
    /* Assigned without a commit: a row of its own. */
    assert_int_equal(fake_group_topic(&fake, "audit", "pay").assigned, 3);
    assert_int_equal(fake_group_topic(&fake, "audit", "pay").commits, 0);
    assert_int_equal(fake_group_topic(&fake, "audit", "pay").conditions[KOA_CONDITION_NO_COMMIT],
                     3);
    assert_int_equal(fake.asked[3][KOA_KAFKA_DESCRIBE_GROUPS], 0);
    fake_tear_down(&fake);
}

static void share_groups_lag_as_their_coordinator_counts(void **state)
{
    struct fake_cluster fake;

    (void) state;
    set_up(&fake);
    fake.groups[1].type = "share";
    fake.groups[1].commits[0].lag = 7; /* acknowledged in between: less than end minus start */
    (void) fake_cycle(&fake);
    assert_int_equal(fake_group(&fake, "audit").type, KOA_GROUP_SHARE);
    assert_int_equal(fake_commit(&fake, "audit", "orders", 2).lag, 7);
    fake.groups[1].commits[0].lag = -1; /* older brokers do not tell */
    (void) fake_cycle(&fake);
    assert_int_equal(fake_commit(&fake, "audit", "orders", 2).lag, 50);
    fake_tear_down(&fake);
}

static void a_commit_at_an_open_transaction_says_so(void **state)
{
    struct fake_cluster fake;

    (void) state;
    set_up(&fake);
    fake.topics[2].partitions[2].stable = 250;
    (void) fake_cycle(&fake);
    EXPECT_CONDITIONS(fake_commit(&fake, "audit", "orders", 2),
                      1U << KOA_CONDITION_OPEN_TRANSACTION);
    EXPECT_CONDITIONS(fake_commit(&fake, "shop", "orders", 0), 0);
    /* It ends between two slow cycles: what is open is asked for in each. */
    fake.topics[2].partitions[2].stable = 0;
    fake.now.ms += INTERVAL_MS;
    (void) fake_cycle(&fake);
    EXPECT_CONDITIONS(fake_commit(&fake, "audit", "orders", 2), 0);
    fake_tear_down(&fake);
}

static void names_of_any_bytes_are_shown_and_asked_for_as_they_are(void **state)
{
    struct fake_cluster fake;

    (void) state;
    set_up(&fake);
    fake.groups[1].name = "a\xff\x01z";
    (void) fake_cycle(&fake);
    assert_int_equal(fake_group(&fake, "a\\xff\\x01z").lag, 50);
    fake_tear_down(&fake);
}

/* As Kafka has it, and as it is shown: no two alike, or they would be one series. */
static const struct {
    const char *name, *shown;
} shown_names[] = {
    {"", "\\x"},
    {"\\x", "\\x5cx"},
    {"\xff", "\\xff"},
    {"\\xff", "\\x5cxff"},
    {"\\x5cxff", "\\x5cx5cxff"},
    {"\\\xff", "\\x5c\\xff"},
    {"\xff\xff", "\\xff\\xff"},
    {"\\xff\xff", "\\x5cxff\\xff"},
    {"\xff\\xff", "\\xff\\x5cxff"},
    {"C:\\temp", "C:\\temp"},
    {"a/b c%2F?d", "a/b c%2F?d"},
    {"two\nlines", "two\nlines"},
    {"\xd0\xb6", "\xd0\xb6"},
    {"\xd0\xb6\xd0", "\\xd0\\xb6\\xd0"},
};

static void no_two_names_are_shown_as_the_same(void **state)
{
    struct fake_cluster fake;

    (void) state;
    set_up(&fake);
    for (size_t i = 0; i < KOA_ARRAY_COUNT(shown_names); i++) {
        fake.groups[i] = (struct fake_group){.name = shown_names[i].name,
                                             .coordinator = 2,
                                             .commits = {{"orders", 0, (int64_t) i, 0}}};
    }
    for (int cycle = 0; cycle < 3; cycle++) {
        (void) fake_cycle(&fake);
        assert_int_equal(koa_snapshot_group_count(fake.snapshot), KOA_ARRAY_COUNT(shown_names));
        for (size_t i = 0; i < KOA_ARRAY_COUNT(shown_names); i++) {
            KIT_EXPECT_INT(shown_names[i].shown, 100 - (int) i,
                           fake_group(&fake, shown_names[i].shown).lag);
            for (size_t j = 0; j < i; j++) {
                KIT_EXPECT(shown_names[i].shown,
                           strcmp(shown_names[i].shown, shown_names[j].shown) != 0);
            }
        }
        if (cycle == 1)
            fake.modes[2] =
                FAKE_IS_FROZEN; /* what is kept of the cycle before has the same names */
        fake.now.ms += INTERVAL_MS;
    }
    fake_tear_down(&fake);
}

static void a_failed_cycle_shows_every_group_as_stale(void **state)
{
    struct fake_cluster fake;

    (void) state;
    set_up(&fake);
    (void) fake_cycle(&fake);
    for (size_t i = 0; i <= FAKE_BROKERS; i++)
        fake.modes[i] = FAKE_REFUSES;
    (void) fake_cycle(&fake);
    assert_true(fake_group(&fake, "shop").is_stale);
    assert_int_equal(fake_group(&fake, "shop").conditions[KOA_CONDITION_STALE], 3);
    EXPECT_CONDITIONS(fake_commit(&fake, "audit", "orders", 2), 1U << KOA_CONDITION_STALE);
    for (size_t i = 0; i <= FAKE_BROKERS; i++)
        fake.modes[i] = FAKE_ANSWERS;
    (void) fake_cycle(&fake);
    (void) fake_cycle(&fake);
    assert_false(fake_group(&fake, "shop").is_stale);
    fake_tear_down(&fake);
}

static void memory_that_runs_out_costs_one_cycle_at_most(void **state)
{
    (void) state;
    for (int64_t allocations = 0; allocations < 150; allocations++) {
        struct fake_cluster fake;

        set_up(&fake);
        (void) fake_cycle(&fake);
        koa_memory_fail_after(allocations);
        (void) fake_cycle(&fake);
        koa_memory_fail_after(-1);
        assert_int_equal(fake.cycles, 2);
        (void) fake_cycle(&fake);
        assert_int_equal(fake_group(&fake, "shop").lag, 60);
        assert_int_equal(fake_group(&fake, "audit").lag, 50);
        fake_tear_down(&fake);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lag_is_log_end_minus_commit),
        cmocka_unit_test(a_commit_beyond_the_end_lags_nothing_and_says_so),
        cmocka_unit_test(a_commit_below_the_start_counts_what_was_deleted_and_says_so),
        cmocka_unit_test(commits_of_a_deleted_topic_have_no_lag),
        cmocka_unit_test(a_topic_that_is_not_watched_is_not_gone),
        cmocka_unit_test(a_leaderless_partition_keeps_its_lag_as_stale),
        cmocka_unit_test(a_frozen_coordinator_makes_its_own_groups_stale_and_no_others),
        cmocka_unit_test(what_a_dead_coordinator_owed_ends_after_ten_intervals),
        cmocka_unit_test(a_deleted_group_is_gone_at_once),
        cmocka_unit_test(a_coordinator_that_loads_its_groups_keeps_them),
        cmocka_unit_test(a_group_that_two_brokers_list_is_one_and_asked_where_it_is),
        cmocka_unit_test(a_group_that_moved_away_keeps_its_commits_and_says_why),
        cmocka_unit_test(a_group_without_the_right_is_shown_with_the_reason),
        cmocka_unit_test(groups_are_asked_for_in_batches),
        cmocka_unit_test(old_brokers_are_asked_for_one_group_at_a_time),
        cmocka_unit_test(groups_of_the_consumer_protocol_are_described_by_their_own_api),
        cmocka_unit_test(share_groups_lag_as_their_coordinator_counts),
        cmocka_unit_test(a_commit_at_an_open_transaction_says_so),
        cmocka_unit_test(names_of_any_bytes_are_shown_and_asked_for_as_they_are),
        cmocka_unit_test(no_two_names_are_shown_as_the_same),
        cmocka_unit_test(a_failed_cycle_shows_every_group_as_stale),
        cmocka_unit_test(memory_that_runs_out_costs_one_cycle_at_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
