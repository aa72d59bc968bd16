/* What lag means at the edges where other tools are wrong, each case with the collector on the
 * simulated cluster, bytes between them and virtual time. Transactions are transactions_test.c's
 * matter. */
#include <stdio.h>

#include "base/str.h"
#include "kit/kit.h"
#include "watch_kit.h"

/* ---- partition without commit, topic has some commit */

static void a_partition_without_commit_is_a_condition_and_no_number(void **state)
{
    struct koa_snapshot_group row;
    struct watch watch;

    (void) state;
    sim_watch_set_up(&watch, KOA_SIM_KAFKA_4_X);
    sim_watch_cycle(&watch);
    row = sim_watch_group(&watch, "fraud-detection");
    KIT_EXPECT_INT("one", 1, row.conditions[KOA_CONDITION_NO_COMMIT]);
    KIT_EXPECT("the others count", row.has_lag && row.lag >= 0);
    sim_watch_tear_down(&watch);
}

static void a_partition_without_commit_enters_no_sum(void **state)
{
    struct koa_snapshot_group row;
    struct watch watch;
    int64_t lag = 0;
    size_t commits = 0;

    (void) state;
    sim_watch_set_up(&watch, KOA_SIM_KAFKA_4_X);
    sim_watch_cycle(&watch);
    row = sim_watch_group(&watch, "fraud-detection");
    for (size_t t = 0; t < row.topics; t++) {
        struct koa_snapshot_group_topic topic;
        int64_t committed = 0;
        size_t group = 0;

        while (true) {
            koa_snapshot_group(watch.snapshot, group, &row);
            if (koa_text_equal(row.name, "fraud-detection"))
                break;
            group++;
        }
        koa_snapshot_group_topic(watch.snapshot, group, t, &topic);
        for (size_t i = 0; i < topic.commits; i++) {
            struct koa_snapshot_commit commit;

            koa_snapshot_commit(watch.snapshot, group, t, i, &commit);
            KIT_EXPECT(topic.name, commit.offset >= 0 && commit.has_lag && commit.lag >= 0);
            committed += commit.offset;
            lag += commit.lag;
        }
        KIT_EXPECT_INT("sum of the commits there are", committed, topic.committed);
        commits += topic.commits;
    }
    KIT_EXPECT_INT("one of four partitions has none", 3, commits);
    KIT_EXPECT_INT("sum of the lags there are", lag, row.lag);
    sim_watch_tear_down(&watch);
}

/* ---- commit beyond log end */

static void a_commit_beyond_the_end_lags_nothing(void **state)
{
    struct koa_snapshot_commit row;
    struct watch watch;

    (void) state;
    sim_watch_set_up_reader(&watch);
    sim_kit_do(&watch.kit,
               "scenario:\n"
               "  - {at: 0s, do: delete_topic, topic: orders}\n"
               "  - {at: 1ms, do: create_topic, topic: orders, partitions: 4, rate: 0}\n");
    sim_kit_advance(&watch.kit, 1);
    sim_watch_cycle(&watch);
    row = sim_watch_commit(&watch, "reader", "orders");
    KIT_EXPECT("condition", sim_watch_holds(&row, KOA_CONDITION_ABOVE_END));
    KIT_EXPECT_INT("lag", 0, row.lag);
    sim_watch_tear_down(&watch);
}

static void a_commit_beyond_the_end_lags_no_time(void **state)
{
    struct watch watch;

    (void) state;
    sim_watch_set_up_reader(&watch);
    sim_watch_cycles(&watch, 3);
    sim_kit_do(&watch.kit,
               "scenario:\n"
               "  - {at: 0s, do: delete_topic, topic: orders}\n"
               "  - {at: 1ms, do: create_topic, topic: orders, partitions: 4, rate: 1}\n");
    for (int i = 0; i < 8; i++) {
        struct koa_snapshot_group_topic topic;

        sim_watch_cycle(&watch);
        topic = sim_watch_group_topic(&watch, "reader", "orders");
        if (i == 0)
            continue; /* the old topic was still there when it began */
        KIT_EXPECT_INT("condition", 4, topic.conditions[KOA_CONDITION_ABOVE_END]);
        KIT_EXPECT_INT("messages", 0, topic.lag);
        KIT_EXPECT_DOUBLE("no time, and never less", 0, topic.lag_seconds);
        KIT_EXPECT_INT("and that is sure", KOA_LAG_EXACT, topic.lag_quality);
    }
    sim_watch_tear_down(&watch);
}

/* ---- topic deleted and made anew under its name, between two cycles */

/* Only the first cycle asks for starts and last stable offsets: what it learned of the old topic is
 * nothing of the new one. */
static void a_topic_made_anew_has_nothing_of_the_old_one(void **state)
{
    struct koa_snapshot_partition partition;
    struct watch watch;
    size_t topic = 0;

    (void) state;
    sim_watch_set_up_quick(&watch, KOA_SIM_KAFKA_4_X, 500);
    sim_kit_do(&watch.kit, "scenario:\n"
                           "  - {at: 0s, do: create_topic, topic: anew, partitions: 1, rate: 0}\n"
                           "  - {at: 1ms, do: write, topic: anew, messages: 1000}\n"
                           "  - {at: 2ms, do: delete_records, topic: anew, keep: 10}\n");
    sim_kit_advance(&watch.kit, 2);
    sim_watch_cycle(&watch);
    sim_kit_do(&watch.kit, "scenario:\n"
                           "  - {at: 0s, do: delete_topic, topic: anew}\n"
                           "  - {at: 1ms, do: create_topic, topic: anew, partitions: 1, rate: 0}\n"
                           "  - {at: 2ms, do: write, topic: anew, messages: 2000}\n");
    sim_kit_advance(&watch.kit, 2);
    sim_watch_cycle(&watch);
    while (true) {
        struct koa_snapshot_topic row;

        koa_snapshot_topic(watch.snapshot, topic, &row);
        if (koa_text_equal(row.name, "anew"))
            break;
        topic++;
    }
    koa_snapshot_partition(watch.snapshot, topic, 0, &partition);
    KIT_EXPECT_INT("end", 2000, partition.end_offset);
    KIT_EXPECT("no start of the old one", !partition.has_start_offset);
    KIT_EXPECT("no last stable offset either", !partition.has_stable_offset);
    sim_watch_tear_down(&watch);
}

/* ---- commit below log start */

static void a_commit_below_the_start_lags_what_was_written(void **state)
{
    struct koa_snapshot_commit row;
    struct watch watch;

    (void) state;
    sim_watch_set_up_reader(&watch);
    sim_kit_do(&watch.kit, "scenario:\n"
                           "  - {at: 0s, do: stall_group, group: reader}\n"
                           "  - {at: 1ms, do: write, topic: orders, messages: 1000}\n"
                           "  - {at: 2ms, do: delete_records, topic: orders, keep: 10}\n");
    sim_kit_advance(&watch.kit, 2);
    sim_watch_cycles(&watch, 2);
    row = sim_watch_commit(&watch, "reader", "orders");
    KIT_EXPECT("condition", sim_watch_holds(&row, KOA_CONDITION_BELOW_START));
    KIT_EXPECT_INT("end minus commit, as Kafka's tool counts", 1000, row.lag);
    KIT_EXPECT_INT("what is left", 10, row.end_offset - row.start_offset);
    sim_watch_tear_down(&watch);
}

struct old_commit {
    const char *name;
    int cycles_before; /* that saw the log before its messages were written */
    enum koa_lag_quality quality;
};

/* Messages of half an hour ago, nearly all of them deleted since: the one that would be read next
 * is gone, and with it its time. */
static void a_commit_below_the_start_lags_no_years(void **state)
{
    static const struct old_commit cases[] = {
        {"the log was watched: its history tells", 2, KOA_LAG_INTERPOLATED},
        {"it was not: at least as old as what is left", 0, KOA_LAG_AT_LEAST},
    };

    (void) state;
    KIT_EACH (row, cases) {
        struct koa_snapshot_group_topic topic;
        struct watch watch;

        sim_watch_set_up_reader(&watch);
        sim_kit_do(&watch.kit, "scenario: [{at: 0s, do: stall_group, group: reader}]");
        sim_watch_cycles(&watch, row->cycles_before);
        sim_kit_do(&watch.kit, "scenario:\n"
                               "  - {at: 0s, do: write, topic: orders, messages: 1000}\n"
                               "  - {at: 1m, do: delete_records, topic: orders, keep: 10}\n");
        for (int i = 0; i < 120; i++) {
            if (row->cycles_before > 0) {
                sim_watch_cycle(&watch);
            } else {
                sim_kit_advance(&watch.kit, WATCH_INTERVAL_MS);
            }
        }
        for (int i = 0; i < 6; i++) {
            sim_watch_cycle(&watch);
            topic = sim_watch_group_topic(&watch, "reader", "orders");
            KIT_EXPECT(row->name, topic.conditions[KOA_CONDITION_BELOW_START] == 4);
            if (topic.lag_quality == KOA_LAG_UNKNOWN)
                KIT_EXPECT_INT(row->name, 0, i);
        }
        KIT_EXPECT_TEXT(row->name, koa_lag_quality_name(row->quality),
                        koa_lag_quality_name(topic.lag_quality));
        KIT_EXPECT(row->name, topic.lag_seconds > 1750 && topic.lag_seconds < 1950);
        sim_watch_tear_down(&watch);
    }
}

/* ---- topic deleted, commits remain */

static void commits_of_a_deleted_topic_have_no_lag(void **state)
{
    struct koa_snapshot_commit row;
    struct watch watch;

    (void) state;
    sim_watch_set_up_reader(&watch);
    sim_watch_cycle(&watch);
    sim_kit_do(&watch.kit, "scenario: [{at: 0s, do: delete_topic, topic: orders}]");
    sim_watch_cycles(&watch, 2);
    row = sim_watch_commit(&watch, "reader", "orders");
    KIT_EXPECT("condition", sim_watch_holds(&row, KOA_CONDITION_TOPIC_GONE));
    KIT_EXPECT("no lag", !row.has_lag);
    KIT_EXPECT("nor has the group", !sim_watch_group(&watch, "reader").has_lag);
    sim_watch_tear_down(&watch);
}

/* ---- group with no members */

static void a_group_without_members_is_still_there(void **state)
{
    struct koa_snapshot_group row;
    struct watch watch;

    (void) state;
    sim_watch_set_up(&watch, KOA_SIM_KAFKA_4_X);
    sim_watch_cycle(&watch);
    row = sim_watch_group(&watch, "nightly-export");
    KIT_EXPECT_TEXT("state", "Empty", row.state);
    KIT_EXPECT("lags", row.has_lag && row.lag > 0);
    KIT_EXPECT("one that only commits too", sim_watch_group(&watch, "backup-tool").has_lag);
    sim_watch_tear_down(&watch);
}

static void a_group_that_loses_its_members_stays_and_lags(void **state)
{
    struct koa_snapshot_group before;
    struct koa_snapshot_group row;
    struct watch watch;

    (void) state;
    sim_watch_set_up(&watch, KOA_SIM_KAFKA_4_X);
    sim_watch_cycle(&watch);
    before = sim_watch_group(&watch, "billing");
    sim_kit_do(&watch.kit, "scenario: [{at: 0s, do: kill_members, group: billing}]");
    sim_watch_cycles(&watch, 8);
    row = sim_watch_group(&watch, "billing");
    KIT_EXPECT_TEXT("state", "Empty", row.state);
    KIT_EXPECT("members are known to be none", row.has_members && row.members == 0);
    KIT_EXPECT("lags more and more", row.has_lag && row.lag > before.lag);
    sim_watch_tear_down(&watch);
}

/* ---- old topic no longer consumed */

/* A group with members that reads two topics at least, and the last of them. */
static void find_reader_of_two(const struct watch *watch, struct koa_snapshot_group *ret_group,
                               struct koa_snapshot_group_topic *ret_topic)
{
    *ret_group = (struct koa_snapshot_group){.name = ""};
    *ret_topic = (struct koa_snapshot_group_topic){.name = ""};
    for (size_t i = 0; i < koa_snapshot_group_count(watch->snapshot); i++) {
        koa_snapshot_group(watch->snapshot, i, ret_group);
        if (ret_group->topics < 2 || ret_group->members == 0 ||
            ret_group->type != KOA_GROUP_CONSUMER)
            continue;
        koa_snapshot_group_topic(watch->snapshot, i, ret_group->topics - 1, ret_topic);
        return;
    }
    fail_msg("no group reads two topics");
}

static void a_topic_no_longer_consumed_is_shown_until_its_commits_expire(void **state)
{
    struct koa_snapshot_group_topic before;
    struct koa_snapshot_group_topic row;
    struct koa_snapshot_group group;
    struct watch watch;
    char events[300];
    char topic[64];
    char name[64];
    size_t topics;

    (void) state;
    sim_watch_set_up(&watch, KOA_SIM_KAFKA_4_X);
    sim_watch_cycles(&watch, 2);
    find_reader_of_two(&watch, &group, &before);
    (void) koa_str_copy(name, sizeof(name), koa_str_from(group.name));
    (void) koa_str_copy(topic, sizeof(topic), koa_str_from(before.name));
    topics = group.topics;
    KIT_EXPECT("read", before.has_assigned && before.assigned > 0);
    (void) snprintf(events, sizeof(events),
                    "scenario:\n"
                    "  - {at: 0s, do: write, topic: %s, rate: 20}\n"
                    "  - {at: 0s, do: unsubscribe, group: %s, topic: %s}\n",
                    topic, name, topic);
    sim_kit_do(&watch.kit, events);
    sim_watch_cycles(&watch, 2);
    before = sim_watch_group_topic(&watch, name, topic);
    sim_watch_cycles(&watch, 8);
    row = sim_watch_group_topic(&watch, name, topic);
    KIT_EXPECT("nobody has it", row.has_assigned && row.assigned == 0);
    KIT_EXPECT_INT("its commits stand", before.committed, row.committed);
    KIT_EXPECT_INT("since", before.progress_time.ms, row.progress_time.ms);
    KIT_EXPECT("its lag grows", row.has_lag && row.lag > before.lag + 8 * 15 * 20 / 2);
    group = sim_watch_group(&watch, name);
    KIT_EXPECT("and is the group's", group.lag >= row.lag);
    KIT_EXPECT("which reads on", group.members > 0 && koa_text_equal(group.state, "Stable"));
    sim_kit_advance(&watch.kit, KOA_SIM_OFFSETS_RETENTION_MS);
    sim_watch_cycles(&watch, 2);
    group = sim_watch_group(&watch, name);
    KIT_EXPECT_INT("forgotten as Kafka forgets it", topics - 1, group.topics);
    KIT_EXPECT("the rest is there", group.has_lag && !group.is_stale);
    sim_watch_tear_down(&watch);
}

/* ---- compaction holes */

/* A group that stopped at the end of a log; 100000 messages a minute later; then compaction, which
 * leaves one in a hundred. */
static void set_up_holes(struct watch *watch, int64_t before_ms)
{
    sim_watch_set_up_reader(watch);
    sim_kit_do(&watch->kit, "scenario:\n"
                            "  - {at: 0s, do: write, topic: orders, rate: 10}\n"
                            "  - {at: 10m, do: write, topic: orders, rate: 0}\n"
                            "  - {at: 11m, do: stall_group, group: reader}\n"
                            "  - {at: 12m, do: write, topic: orders, messages: 100000}\n");
    for (int i = 0; i < 12; i++)
        sim_kit_advance(&watch->kit, 60000);
    while (before_ms > 0) {
        sim_watch_cycle(watch);
        before_ms -= WATCH_INTERVAL_MS;
    }
}

/* Offsets that compaction took away lag like any other, as Kafka's own tool counts; the log's bytes
 * tell what is really there. */
static void compaction_holes_count_as_lag(void **state)
{
    struct koa_snapshot_commit before;
    struct koa_snapshot_commit row;
    struct koa_snapshot_topic log;
    struct watch watch;
    int64_t bytes;

    (void) state;
    set_up_holes(&watch, 60000);
    before = sim_watch_commit(&watch, "reader", "orders");
    bytes = sim_watch_topic(&watch, "orders").log_bytes;
    KIT_EXPECT_INT("before", 100000, before.lag);
    sim_kit_do(&watch.kit, "scenario: [{at: 0s, do: compact, topic: orders, keep: 0.01}]");
    sim_watch_cycles(&watch, 8);
    row = sim_watch_commit(&watch, "reader", "orders");
    KIT_EXPECT_INT("end minus commit", 100000, row.lag);
    KIT_EXPECT_INT("the end stays", before.end_offset, row.end_offset);
    KIT_EXPECT("the start stays before it", row.start_offset < row.offset);
    KIT_EXPECT_INT("that is no condition", 0, row.conditions);
    log = sim_watch_topic(&watch, "orders");
    KIT_EXPECT("the disk tells", log.has_log_bytes && log.log_bytes < bytes / 50);
    sim_watch_tear_down(&watch);
}

/* The message that would be read next may be gone. Then the lag in seconds lies between that of the
 * last message left before it and that of the next one, and does not claim to be exact. */
static void compaction_holes_keep_lag_in_time_between_what_is_left(void **state)
{
    static const struct {
        const char *name;
        int64_t watched_ms; /* before the compaction */
    } cases[] = {{"watched before", 60000}, {"found like that", 0}};

    (void) state;
    KIT_EACH (row, cases) {
        struct koa_snapshot_group_topic topic;
        struct watch watch;

        set_up_holes(&watch, row->watched_ms);
        sim_kit_do(&watch.kit, "scenario: [{at: 0s, do: compact, topic: orders, keep: 0.01}]");
        sim_watch_cycles(&watch, 40);
        topic = sim_watch_group_topic(&watch, "reader", "orders");
        KIT_EXPECT_TEXT(row->name, "interpolated", koa_lag_quality_name(topic.lag_quality));
        /* Ten minutes since the next one; two more, and ten seconds, since the last one. */
        KIT_EXPECT(row->name, topic.lag_seconds * 1000 > 595000 + (double) row->watched_ms);
        KIT_EXPECT(row->name, topic.lag_seconds * 1000 < 735000 + (double) row->watched_ms);
        sim_watch_tear_down(&watch);
    }
}

/* ---- race between end offset and commit reads */

static void ends_are_never_older_than_commits(void **state)
{
    struct watch watch;

    (void) state;
    sim_watch_set_up(&watch, KOA_SIM_KAFKA_4_X);
    sim_kit_do(&watch.kit,
               "scenario:\n"
               "  - {at: 0s, do: slow_broker, latency: 700ms}\n"
               "  - {at: 0s, do: write, rate: 10000}\n"
               "  - {at: 0s, do: create_group, group: reader, topic: orders, lag: 0s}\n");
    for (int i = 0; i < 10; i++) {
        sim_watch_cycle(&watch);
        for (size_t g = 0; g < koa_snapshot_group_count(watch.snapshot); g++) {
            struct koa_snapshot_group row;

            koa_snapshot_group(watch.snapshot, g, &row);
            KIT_EXPECT_INT(row.name, 0, row.conditions[KOA_CONDITION_ABOVE_END]);
            KIT_EXPECT(row.name, row.lag >= 0);
        }
    }
    sim_watch_tear_down(&watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_partition_without_commit_is_a_condition_and_no_number),
        cmocka_unit_test(a_partition_without_commit_enters_no_sum),
        cmocka_unit_test(a_commit_beyond_the_end_lags_nothing),
        cmocka_unit_test(a_commit_beyond_the_end_lags_no_time),
        cmocka_unit_test(a_topic_made_anew_has_nothing_of_the_old_one),
        cmocka_unit_test(a_commit_below_the_start_lags_what_was_written),
        cmocka_unit_test(a_commit_below_the_start_lags_no_years),
        cmocka_unit_test(commits_of_a_deleted_topic_have_no_lag),
        cmocka_unit_test(a_group_without_members_is_still_there),
        cmocka_unit_test(a_group_that_loses_its_members_stays_and_lags),
        cmocka_unit_test(a_topic_no_longer_consumed_is_shown_until_its_commits_expire),
        cmocka_unit_test(compaction_holes_count_as_lag),
        cmocka_unit_test(compaction_holes_keep_lag_in_time_between_what_is_left),
        cmocka_unit_test(ends_are_never_older_than_commits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
