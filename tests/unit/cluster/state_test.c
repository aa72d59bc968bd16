/* What changes slowly, through whole cycles in virtual time. */
#include <string.h>

#include "kit/kit.h"

#include "base/str.h"
#include "cluster/state.h"
#include "fake_cluster.h"
#include "kafka/error_code.h"
#include "kafka/messages/describe_log_dirs.h"
#include "kafka/messages/describe_quorum.h"

enum { INTERVAL_MS = 15000, SLOW_MS = 60000, GIB = 1 << 30 };

static void set_up(struct fake_cluster *fake)
{
    static const char *const paths[] = {NULL, "/var/kafka-a", "/var/kafka-b", "/var/kafka-c"};

    fake_set_up(fake);
    for (size_t i = 1; i <= FAKE_BROKERS; i++) {
        fake->log_dirs[i].path = paths[i];
        fake->log_dirs[i].topic = "orders";
        fake->log_dirs[i].size = (int64_t) i * 1000;
        fake->log_dirs[i].total = 2 * (int64_t) GIB;
        fake->log_dirs[i].usable = GIB;
        fake->voter_ends[i] = 500 + (int64_t) i; /* the leader is broker 2: 502 */
    }
    fake->min_isr = "2";
}

static struct koa_snapshot_topic topic_of(const struct fake_cluster *fake, const char *name)
{
    struct koa_snapshot_topic topic = {.name = NULL};

    for (size_t i = 0; i < koa_snapshot_topic_count(fake->snapshot); i++) {
        koa_snapshot_topic(fake->snapshot, i, &topic);
        if (koa_text_equal(topic.name, name))
            return topic;
    }
    fail_msg("no topic %s", name);
    return topic;
}

static struct koa_snapshot_log_dir log_dir_of(const struct fake_cluster *fake, int32_t broker)
{
    struct koa_snapshot_log_dir log_dir = {.broker = -1};

    for (size_t i = 0; i < koa_snapshot_log_dir_count(fake->snapshot); i++) {
        koa_snapshot_log_dir(fake->snapshot, i, &log_dir);
        if (log_dir.broker == broker)
            return log_dir;
    }
    fail_msg("no log dir of broker %d", broker);
    return log_dir;
}

static void a_slow_cycle_learns_it_all(void **state)
{
    struct fake_cluster fake;
    struct koa_snapshot_quorum quorum;
    struct koa_snapshot_voter voter;

    (void) state;
    set_up(&fake);
    fake.reassigning = 2;
    fake.topics[2].partitions[1].leader = -1; /* in sync: 1 of 3 */
    (void) fake_cycle(&fake);
    assert_int_equal(koa_snapshot_log_dir_count(fake.snapshot), 3);
    assert_string_equal(log_dir_of(&fake, 2).path, "/var/kafka-b");
    assert_int_equal(log_dir_of(&fake, 2).size, 2000);
    assert_true(log_dir_of(&fake, 2).has_space);
    assert_int_equal(log_dir_of(&fake, 2).usable, GIB);
    assert_null(log_dir_of(&fake, 2).error);
    assert_true(topic_of(&fake, "orders").has_log_bytes);
    assert_int_equal(topic_of(&fake, "orders").log_bytes, 6000);
    assert_int_equal(topic_of(&fake, "pay").log_bytes, 0);
    assert_int_equal(topic_of(&fake, "orders").min_isr, 2);
    assert_int_equal(topic_of(&fake, "orders").under_min_isr, 1);
    assert_int_equal(topic_of(&fake, "orders").at_min_isr, 0);
    assert_int_equal(topic_of(&fake, "orders").reassigning, 2);
    assert_int_equal(topic_of(&fake, "pay").reassigning, 0);
    assert_true(koa_snapshot_quorum(fake.snapshot, &quorum));
    assert_int_equal(quorum.leader, 2);
    assert_int_equal(quorum.epoch, 7);
    assert_int_equal(quorum.replicas, 3);
    koa_snapshot_voter(fake.snapshot, 0, &voter);
    assert_int_equal(voter.lag, 1);
    assert_true(voter.has_fetch_time);
    koa_snapshot_voter(fake.snapshot, 2, &voter);
    assert_int_equal(voter.lag, 0);
    assert_string_equal(koa_snapshot_mode(fake.snapshot), "kraft");
    fake_tear_down(&fake);
}

static void cycles_between_two_slow_ones_share_it(void **state)
{
    struct fake_cluster fake;

    (void) state;
    set_up(&fake);
    (void) fake_cycle(&fake);
    fake.min_isr = "4"; /* of three replicas, all in sync: brokers cap it */
    for (int i = 0; i < 3; i++) {
        fake.now.ms += INTERVAL_MS;
        (void) fake_cycle(&fake);
        assert_int_equal(fake.asked[1][KOA_KAFKA_DESCRIBE_LOG_DIRS], 1);
        assert_int_equal(topic_of(&fake, "orders").min_isr, 2);
        assert_int_equal(topic_of(&fake, "orders").log_bytes, 6000);
    }
    fake.now.ms += INTERVAL_MS;
    (void) fake_cycle(&fake);
    assert_int_equal(fake.asked[1][KOA_KAFKA_DESCRIBE_LOG_DIRS], 2);
    assert_int_equal(topic_of(&fake, "orders").min_isr, 4);
    assert_int_equal(topic_of(&fake, "orders").under_min_isr, 0);
    assert_int_equal(topic_of(&fake, "orders").at_min_isr, 0);
    fake_tear_down(&fake);
}

static void a_dead_broker_keeps_its_log_dirs_with_their_age(void **state)
{
    struct fake_cluster fake;

    (void) state;
    set_up(&fake);
    (void) fake_cycle(&fake);
    fake.modes[2] = FAKE_REFUSES;
    fake.log_dirs[1].size = 5000;
    fake.now.ms += SLOW_MS;
    (void) fake_cycle(&fake);
    assert_int_equal(log_dir_of(&fake, 2).size, 2000);
    assert_int_equal(log_dir_of(&fake, 2).age_ms, SLOW_MS);
    assert_int_equal(log_dir_of(&fake, 1).size, 5000);
    assert_int_equal(log_dir_of(&fake, 1).age_ms, 0);
    /* A sum that lacks one broker is not shown as the whole: the last one stays. */
    assert_int_equal(topic_of(&fake, "orders").log_bytes, 6000);
    /* Nor in the cycles that do not ask it any more; and not for ever. */
    fake.now.ms += SLOW_MS;
    (void) fake_cycle(&fake);
    assert_int_equal(topic_of(&fake, "orders").log_bytes, 6000);
    for (int i = 0; i < 10; i++) {
        fake.now.ms += SLOW_MS;
        (void) fake_cycle(&fake);
    }
    assert_false(topic_of(&fake, "orders").has_log_bytes);
    fake.modes[2] = FAKE_ANSWERS;
    fake.now.ms += SLOW_MS;
    (void) fake_cycle(&fake); /* which finds that it answers */
    fake.now.ms += SLOW_MS;
    (void) fake_cycle(&fake);
    assert_true(topic_of(&fake, "orders").has_log_bytes);
    assert_int_equal(topic_of(&fake, "orders").log_bytes, 10000);
    fake_tear_down(&fake);
}

/* The cluster has counted the broker out: it is not listed, its replicas are offline. */
static void bytes_of_a_topic_that_lacks_replicas_are_not_its_sum(void **state)
{
    struct fake_cluster fake;

    (void) state;
    set_up(&fake);
    (void) fake_cycle(&fake);
    fake.is_listed[2] = false;
    fake.now.ms += SLOW_MS;
    (void) fake_cycle(&fake);
    assert_int_equal(topic_of(&fake, "orders").log_bytes, 6000);
    fake_tear_down(&fake);
}

static void a_silent_controller_costs_what_it_alone_knows(void **state)
{
    struct fake_cluster fake;
    struct koa_snapshot_quorum quorum;

    (void) state;
    set_up(&fake);
    (void) fake_cycle(&fake);
    fake.is_controller_frozen = true;
    fake.now.ms += SLOW_MS;
    assert_int_equal(fake_cycle(&fake), 0); /* nobody waits for it */
    for (int32_t id = 1; id <= FAKE_BROKERS; id++)
        assert_true(fake_broker(&fake, id).is_up);
    assert_true(koa_snapshot_quorum(fake.snapshot, &quorum)); /* as it was */
    assert_int_equal(quorum.leader, 2);
    assert_int_equal(log_dir_of(&fake, 2).age_ms, 0);
    fake_tear_down(&fake);
}

static void an_offline_log_dir_says_why(void **state)
{
    struct fake_cluster fake;

    (void) state;
    set_up(&fake);
    fake.log_dirs[3].error = 57; /* LOG_DIR_NOT_FOUND */
    fake.log_dirs[3].total = fake.log_dirs[3].usable = -1;
    (void) fake_cycle(&fake);
    assert_string_equal(log_dir_of(&fake, 3).error, "LOG_DIR_NOT_FOUND");
    assert_false(log_dir_of(&fake, 3).has_space);
    fake_tear_down(&fake);
}

static void without_the_rights_it_is_absent_and_nothing_else_is(void **state)
{
    struct fake_cluster fake;
    struct koa_snapshot_quorum quorum;

    (void) state;
    set_up(&fake);
    fake.lacks_rights = true;
    (void) fake_cycle(&fake);
    assert_null(koa_snapshot_error(fake.snapshot));
    assert_int_equal(koa_snapshot_log_dir_count(fake.snapshot), 0);
    assert_false(topic_of(&fake, "orders").has_log_bytes);
    assert_false(topic_of(&fake, "orders").has_min_isr);
    assert_false(topic_of(&fake, "orders").has_reassigning);
    assert_false(koa_snapshot_quorum(fake.snapshot, &quorum));
    assert_string_equal(koa_snapshot_mode(fake.snapshot), "");
    assert_int_equal(fake_partition(&fake, "orders", 0).end_offset, 100);
    fake_tear_down(&fake);
}

static void a_cluster_with_zookeeper_has_no_quorum(void **state)
{
    struct fake_cluster fake;
    struct koa_snapshot_quorum quorum;

    (void) state;
    set_up(&fake);
    fake.has_zookeeper = true;
    (void) fake_cycle(&fake);
    assert_false(koa_snapshot_quorum(fake.snapshot, &quorum));
    assert_string_equal(koa_snapshot_mode(fake.snapshot), "zookeeper");
    fake_tear_down(&fake);
}

static void a_failed_cycle_keeps_it(void **state)
{
    struct fake_cluster fake;

    (void) state;
    set_up(&fake);
    (void) fake_cycle(&fake);
    for (size_t i = 0; i <= FAKE_BROKERS; i++)
        fake.modes[i] = FAKE_REFUSES;
    fake.now.ms += INTERVAL_MS;
    (void) fake_cycle(&fake);
    assert_int_equal(log_dir_of(&fake, 1).size, 1000);
    assert_int_equal(topic_of(&fake, "orders").min_isr, 2);
    fake_tear_down(&fake);
}

/* A broker that tells things twice: two rows of one name would be one series with two values. */
static void what_is_told_twice_is_there_once(void **state)
{
    struct koa_kafka_describe_log_dirs_topic topics[] = {{.name = KOA_STR("orders")},
                                                         {.name = KOA_STR("orders")}};
    struct koa_kafka_describe_log_dirs_partition sizes[] = {{.partition_size = 10},
                                                            {.partition_size = 30}};
    struct koa_kafka_describe_log_dirs_result results[] = {
        {.log_dir = KOA_STR("/a"), .topics = {.rows = &topics[0], .count = 1}},
        {.log_dir = KOA_STR("\xff")},
        {.log_dir = KOA_STR("/a"), .topics = {.rows = &topics[1], .count = 1}},
        {.log_dir = KOA_STR("\xfe")},
    };
    struct koa_kafka_describe_log_dirs_response dirs = {
        .results = {.rows = results, .count = KOA_ARRAY_COUNT(results)}};
    struct koa_kafka_describe_quorum_replica voters[] = {
        {.replica_id = 2, .log_end_offset = 7},
        {.replica_id = 1, .log_end_offset = 5},
        {.replica_id = 2, .log_end_offset = 9},
    };
    struct koa_kafka_describe_quorum_replica observers[] = {{.replica_id = 1, .log_end_offset = 3},
                                                            {.replica_id = 1, .log_end_offset = 4}};
    struct koa_kafka_describe_quorum_partition partition = {
        .leader_id = 2,
        .current_voters = {.rows = voters, .count = KOA_ARRAY_COUNT(voters)},
        .observers = {.rows = observers, .count = KOA_ARRAY_COUNT(observers)}};
    struct koa_kafka_describe_quorum_topic log = {.partitions = {.rows = &partition, .count = 1}};
    struct koa_kafka_describe_quorum_response quorum = {.topics = {.rows = &log, .count = 1}};
    struct fake_cluster fake;
    struct koa_state *learned;

    (void) state;
    set_up(&fake);
    (void) fake_cycle(&fake);
    learned = koa_state_create(fake.snapshot);
    assert_non_null(learned);
    for (size_t i = 0; i < KOA_ARRAY_COUNT(topics); i++) {
        topics[i].partitions.rows = &sizes[i];
        topics[i].partitions.count = 1;
    }
    assert_true(koa_state_take_log_dirs(learned, 1, 0, &dirs));
    assert_true(koa_state_take_quorum(learned, &quorum));
    assert_true(koa_state_finish(learned, NULL, 0, 0));
    assert_int_equal(learned->log_dir_count, 2);
    assert_string_equal(learned->log_dirs[0].path, "/a");
    assert_int_equal(learned->log_dirs[0].size, 30);
    assert_string_equal(learned->log_dirs[1].path, "?");
    assert_int_equal(learned->voter_count, 3);
    assert_int_equal(learned->voters[0].id, 1);
    assert_int_equal(learned->voters[0].lag, 4);
    assert_int_equal(learned->voters[1].id, 2);
    assert_int_equal(learned->voters[1].log_end, 9);
    assert_int_equal(learned->voters[1].lag, 0);
    assert_false(learned->voters[2].is_voter);
    koa_state_unref(learned);
    fake_tear_down(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_cycle_learns_it_all),
        cmocka_unit_test(what_is_told_twice_is_there_once),
        cmocka_unit_test(cycles_between_two_slow_ones_share_it),
        cmocka_unit_test(a_dead_broker_keeps_its_log_dirs_with_their_age),
        cmocka_unit_test(bytes_of_a_topic_that_lacks_replicas_are_not_its_sum),
        cmocka_unit_test(a_silent_controller_costs_what_it_alone_knows),
        cmocka_unit_test(an_offline_log_dir_says_why),
        cmocka_unit_test(without_the_rights_it_is_absent_and_nothing_else_is),
        cmocka_unit_test(a_cluster_with_zookeeper_has_no_quorum),
        cmocka_unit_test(a_failed_cycle_keeps_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
