/* What follows from commits and ends over several cycles: movement, rates, seconds, markers. */
#include "kit/kit.h"

#include "fake_cluster.h"
#include "kafka/error_code.h"

enum { INTERVAL_MS = 15000 };

#define EXPECT_CONDITIONS(commit, expected)                                                        \
    assert_int_equal((commit).conditions, (unsigned) (expected))

static void set_up(struct fake_cluster *fake)
{
    fake_set_up(fake);
    fake_add_groups(fake);
}

static void progress_is_the_last_time_a_commit_moved_or_nothing_lagged(void **state)
{
    struct fake_cluster fake;
    int64_t first;

    (void) state;
    set_up(&fake);
    (void) fake_cycle(&fake);
    first = fake_group_topic(&fake, "audit", "orders").progress_time.ms;
    assert_int_equal(first, koa_snapshot_time(fake.snapshot).ms);
    for (int i = 0; i < 4; i++) {
        fake.now.ms += INTERVAL_MS;
        (void) fake_cycle(&fake);
        assert_int_equal(fake_group_topic(&fake, "audit", "orders").progress_time.ms, first);
    }
    fake.groups[1].commits[0].offset++;
    fake.now.ms += INTERVAL_MS;
    (void) fake_cycle(&fake);
    assert_int_equal(fake_group_topic(&fake, "audit", "orders").progress_time.ms,
                     first + INT64_C(5) * INTERVAL_MS);
    fake_tear_down(&fake);
}

static void rates_follow_the_last_minutes(void **state)
{
    struct fake_cluster fake;
    struct koa_snapshot_group_topic topic;

    (void) state;
    set_up(&fake);
    (void) fake_cycle(&fake);
    assert_false(fake_group_topic(&fake, "audit", "orders").has_rates);
    for (int i = 0; i < 40; i++) {
        fake.now.ms += INTERVAL_MS;
        fake.topics[2].partitions[2].end += 150; /* 10 a second */
        fake.groups[1].commits[0].offset += 120; /* 8 a second */
        (void) fake_cycle(&fake);
    }
    topic = fake_group_topic(&fake, "audit", "orders");
    assert_true(topic.has_rates);
    assert_true(topic.consumption_rate > 7.99 && topic.consumption_rate < 8.01);
    assert_true(topic.lag_velocity > 1.99 && topic.lag_velocity < 2.01);
    assert_true(topic.production_rate > 9.99 && topic.production_rate < 10.01);
    assert_false(topic.has_catch_up);
    for (int i = 0; i < 40; i++) {
        fake.now.ms += INTERVAL_MS;
        fake.groups[1].commits[0].offset += 15; /* 1 a second, nothing new */
        (void) fake_cycle(&fake);
    }
    topic = fake_group_topic(&fake, "audit", "orders");
    assert_true(topic.has_catch_up);
    assert_true(topic.catch_up_seconds > (double) topic.lag * 0.99 &&
                topic.catch_up_seconds < (double) topic.lag * 1.01);
    fake_tear_down(&fake);
}

static void lag_in_seconds_comes_from_what_was_seen(void **state)
{
    struct fake_cluster fake;
    struct koa_snapshot_group_topic topic;

    (void) state;
    set_up(&fake);
    fake.groups[0].name = NULL;
    fake.groups[1].commits[0].offset = 300; /* at the end */
    (void) fake_cycle(&fake);
    topic = fake_group_topic(&fake, "audit", "orders");
    assert_int_equal(topic.lag_quality, KOA_LAG_EXACT);
    assert_true(topic.lag_seconds < 0.001);
    for (int i = 0; i < 20; i++) {
        fake.now.ms += INTERVAL_MS;
        fake.topics[2].partitions[2].end += 15; /* 1 a second; the group stands */
        (void) fake_cycle(&fake);
    }
    topic = fake_group_topic(&fake, "audit", "orders");
    assert_int_equal(topic.lag, 300);
    assert_int_equal(topic.lag_quality, KOA_LAG_INTERPOLATED);
    assert_true(topic.lag_seconds > 299 && topic.lag_seconds < 301);
    assert_int_equal(fake.times_asked, 0); /* nobody had to be asked */
    fake_tear_down(&fake);
}

static void lag_from_before_the_start_is_asked_for_and_closed_in(void **state)
{
    struct fake_cluster fake;
    struct koa_snapshot_group_topic topic;
    int64_t now_ms;
    double truth;

    (void) state;
    set_up(&fake);
    fake.groups[0].name = NULL;
    /* 100,000 records, one a second, the last one now; the group waits at the first tenth. */
    now_ms = 1700000000000 + fake.now.ms;
    fake.topics[2].partitions[2] = (struct fake_partition){
        .leader = 3, .end = 100000, .first_ms = now_ms - INT64_C(100000) * 1000, .every_ms = 1000};
    fake.groups[1].commits[0].offset = 10000;
    (void) fake_cycle(&fake);
    assert_int_equal(fake_group_topic(&fake, "audit", "orders").lag_quality, KOA_LAG_UNKNOWN);
    for (int i = 0; i < 12; i++) {
        fake.now.ms += INTERVAL_MS;
        (void) fake_cycle(&fake);
    }
    truth = 90000 + 12 * INTERVAL_MS / 1000.0;
    topic = fake_group_topic(&fake, "audit", "orders");
    assert_true(topic.lag_quality == KOA_LAG_INTERPOLATED || topic.lag_quality == KOA_LAG_EXACT);
    assert_true(topic.lag_seconds > truth * 0.95 && topic.lag_seconds < truth * 1.05);
    assert_in_range(fake.times_asked, 2, 8);
    fake_tear_down(&fake);
}

/* A commit one below an end that no consumer can pass. */
static void wait_at_marker(struct fake_cluster *fake, bool has_markers)
{
    set_up(fake);
    fake->groups[0].name = NULL;
    fake->groups[1].commits[0].offset = 299;
    fake->has_markers = has_markers;
    /* A record a second, the last one now. */
    fake->topics[2].partitions[2].first_ms = 1700000000000 + fake->now.ms - INT64_C(299) * 1000;
    fake->topics[2].partitions[2].every_ms = 1000;
    for (int i = 0; i < 5; i++) {
        (void) fake_cycle(fake);
        fake->now.ms += INTERVAL_MS;
        assert_int_equal(fake->fetches, 0);
    }
    (void) fake_cycle(fake);
}

static void a_lag_of_markers_is_looked_at_once_and_says_so(void **state)
{
    struct fake_cluster fake;

    (void) state;
    wait_at_marker(&fake, true);
    for (int i = 0; i < 30; i++) {
        assert_int_equal(fake.fetches, 1);
        EXPECT_CONDITIONS(fake_commit(&fake, "audit", "orders", 2),
                          1U << KOA_CONDITION_MARKERS_ONLY);
        assert_int_equal(fake_commit(&fake, "audit", "orders", 2).lag, 1);
        fake.now.ms += INTERVAL_MS;
        (void) fake_cycle(&fake);
    }
    fake.topics[2].partitions[2].end = 301; /* a message behind it */
    (void) fake_cycle(&fake);
    EXPECT_CONDITIONS(fake_commit(&fake, "audit", "orders", 2), 0);
    fake_tear_down(&fake);
}

enum { MARKERS = 1U << KOA_CONDITION_MARKERS_ONLY, OPEN = 1U << KOA_CONDITION_OPEN_TRANSACTION };

/* A partition whose rest cannot be read, beside one that may lag itself. */
struct unreadable {
    const char *name;
    int64_t behind;           /* messages of the other partition; one a second */
    int64_t stable;           /* last stable offset; the end is 300, the commit 299 */
    double at_least, at_most; /* seconds that may be read, after 20 cycles */
    unsigned condition;       /* 0: none */
    bool is_open;             /* by an open transaction, else by markers */
    bool is_old;              /* the first partition's rest is messages: then it is older */
};

static const struct unreadable unreadables[] = {
    {"markers", 0, 0, 0, 0, MARKERS, false, false},
    {"markers, and another partition lags", 100, 0, 290, 310, MARKERS, false, false},
    {"an open transaction", 0, 299, 0, 0, OPEN, true, true},
    {"an open transaction, and another partition lags", 100, 299, 290, 310, OPEN, true, true},
    {"in an open transaction: it reads what is not committed", 0, 298, 370, 382, 0, true, true},
};

static void markers_do_not_age_and_what_waits_is_told_apart(void **state)
{
    (void) state;
    KIT_EACH (row, unreadables) {
        struct koa_snapshot_group_topic topic;
        struct fake_cluster fake;
        int64_t now_ms;

        wait_at_marker(&fake, !row->is_open);
        fake.topics[2].partitions[2].stable = row->stable;
        fake.groups[1].commits[1] = (struct fake_commit){"orders", 0, 100, 0};
        (void) fake_cycle(&fake);
        for (int i = 0; i < 20; i++) {
            fake.now.ms += INTERVAL_MS;
            fake.topics[2].partitions[0].end += row->behind > 0 ? 15 : 0;
            (void) fake_cycle(&fake);
        }
        now_ms = koa_snapshot_time(fake.snapshot).ms;
        topic = fake_group_topic(&fake, "audit", "orders");
        EXPECT_CONDITIONS(fake_commit(&fake, "audit", "orders", 2), row->condition);
        KIT_EXPECT_INT(row->name, row->behind > 0 ? 301 : 1, topic.lag);
        KIT_EXPECT(row->name, topic.readable_seconds >= row->at_least);
        KIT_EXPECT(row->name, topic.readable_seconds <= row->at_most);
        KIT_EXPECT(row->name, topic.readable_quality != KOA_LAG_UNKNOWN);
        KIT_EXPECT(row->name, topic.lag_quality != KOA_LAG_UNKNOWN);
        if (row->is_old) {
            KIT_EXPECT(row->name, topic.lag_seconds > 370 && topic.lag_seconds < 382);
        } else {
            KIT_EXPECT_DOUBLE(row->name, topic.readable_seconds, topic.lag_seconds);
        }
        KIT_EXPECT_INT(row->name, row->at_least < 1, topic.progress_time.ms == now_ms);
        fake_tear_down(&fake);
    }
}

/* One partition is at its end, the other lags since nobody knows when. */
static void at_least_nothing_is_unknown(void **state)
{
    struct koa_snapshot_group_topic topic;
    struct fake_cluster fake;

    (void) state;
    set_up(&fake);
    fake.groups[0].name = NULL;
    fake.groups[1].commits[1] =
        (struct fake_commit){"orders", 0, fake.topics[2].partitions[0].end, 0};
    (void) fake_cycle(&fake);
    topic = fake_group_topic(&fake, "audit", "orders");
    assert_true(topic.lag > 0);
    assert_int_equal(topic.lag_quality, KOA_LAG_UNKNOWN);
    assert_int_equal(fake_group(&fake, "audit").lag_quality, KOA_LAG_UNKNOWN);
    fake.now.ms += INTERVAL_MS;
    (void) fake_cycle(&fake);
    topic = fake_group_topic(&fake, "audit", "orders");
    assert_int_not_equal(topic.lag_quality, KOA_LAG_UNKNOWN);
    assert_true(topic.lag_seconds > 0);
    fake_tear_down(&fake);
}

/* A reader of committed messages goes on with the last stable offset; that this was not told again
 * makes it no reader of others. */
static void a_stable_offset_of_before_proves_nothing(void **state)
{
    struct fake_cluster fake;

    (void) state;
    set_up(&fake);
    fake.topics[2].partitions[2].stable = 250;
    (void) fake_cycle(&fake);
    EXPECT_CONDITIONS(fake_commit(&fake, "audit", "orders", 2), OPEN);
    fake.topics[2].partitions[2].stable = -1;
    fake.groups[1].commits[0].offset = 260;
    fake.now.ms += INTERVAL_MS;
    (void) fake_cycle(&fake);
    EXPECT_CONDITIONS(fake_commit(&fake, "audit", "orders", 2), OPEN);
    fake.topics[2].partitions[2].stable = 250;
    fake.now.ms += INTERVAL_MS;
    (void) fake_cycle(&fake);
    EXPECT_CONDITIONS(fake_commit(&fake, "audit", "orders", 2), 0);
    fake_tear_down(&fake);
}

static void a_lag_of_messages_is_looked_at_ever_more_rarely(void **state)
{
    struct fake_cluster fake;

    (void) state;
    wait_at_marker(&fake, false);
    for (int i = 0; i < 300; i++) {
        EXPECT_CONDITIONS(fake_commit(&fake, "audit", "orders", 2), 0);
        fake.now.ms += INTERVAL_MS;
        (void) fake_cycle(&fake);
    }
    assert_int_equal(fake.fetches, 6); /* after 4, 8, ... 128 cycles */
    fake_tear_down(&fake);
}

static void without_the_right_to_read_a_lag_stays_as_it_is(void **state)
{
    struct fake_cluster fake;

    (void) state;
    set_up(&fake);
    fake.fetch_error = KOA_KAFKA_TOPIC_AUTHORIZATION_FAILED;
    fake.has_markers = true;
    fake.groups[1].commits[0].offset = 299;
    for (int i = 0; i < 8; i++)
        (void) fake_cycle(&fake);
    EXPECT_CONDITIONS(fake_commit(&fake, "audit", "orders", 2), 0);
    assert_int_equal(fake_commit(&fake, "audit", "orders", 2).lag, 1);
    fake_tear_down(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lag_of_markers_is_looked_at_once_and_says_so),
        cmocka_unit_test(markers_do_not_age_and_what_waits_is_told_apart),
        cmocka_unit_test(at_least_nothing_is_unknown),
        cmocka_unit_test(a_stable_offset_of_before_proves_nothing),
        cmocka_unit_test(a_lag_of_messages_is_looked_at_ever_more_rarely),
        cmocka_unit_test(without_the_right_to_read_a_lag_stays_as_it_is),
        cmocka_unit_test(progress_is_the_last_time_a_commit_moved_or_nothing_lagged),
        cmocka_unit_test(rates_follow_the_last_minutes),
        cmocka_unit_test(lag_in_seconds_comes_from_what_was_seen),
        cmocka_unit_test(lag_from_before_the_start_is_asked_for_and_closed_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
