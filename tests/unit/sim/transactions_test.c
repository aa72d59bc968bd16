/* Lag and transactions: markers that nobody reads, messages that nobody may read yet, and the
 * checks that must not take either for trouble. The collector on the simulated cluster, virtual
 * time. */
#include <koa/check.h>
#include <stdio.h>

#include "base/str.h"
#include "kafka/messages/fetch.h"
#include "kafka/messages/list_offsets.h"
#include "kit/check_kit.h"
#include "kit/kit.h"
#include "watch_kit.h"

enum { READ_COMMITTED = 1 };

/* ---- transaction markers */

/* What the collector fetched of orders-0, where the reader stands. */
struct fetches {
    int64_t commit;
    int count;
};

static void see_fetch(void *context, int32_t broker, const struct koa_kafka_request *request)
{
    struct fetches *fetches = context;
    const struct koa_kafka_fetch_request *body = request->body;

    (void) broker;
    if (request->api_key != KOA_KAFKA_FETCH)
        return;
    KIT_EXPECT_INT("one place at a time", 1, body->topics.count);
    KIT_EXPECT("where the tail stands", koa_str_equal_text(body->topics.rows[0].topic, "orders"));
    KIT_EXPECT_INT("partition", 0, body->topics.rows[0].partitions.rows[0].partition);
    fetches->count += body->topics.rows[0].partitions.rows[0].fetch_offset == fetches->commit;
}

struct tail {
    const char *name;
    const char *events; /* at the end of orders-0 */
    int64_t lag;
    int looks; /* Fetches within 12 cycles: one after 4 still cycles, again after 8 */
    bool is_markers_only;
};

static const struct tail tails[] = {
    {"a marker", "{at: 1ms, do: end_transaction, topic: orders, partition: 0}", 1, 1, true},
    {"two markers",
     "{at: 1ms, do: end_transaction, topic: orders, partition: 0}, "
     "{at: 2ms, do: end_transaction, topic: orders, partition: 0}",
     2, 1, true},
    {"three are not looked at",
     "{at: 1ms, do: end_transaction, topic: orders, partition: 0}, "
     "{at: 2ms, do: end_transaction, topic: orders, partition: 0}, "
     "{at: 3ms, do: end_transaction, topic: orders, partition: 0}",
     3, 0, false},
    {"a message",
     "{at: 0s, do: stall_group, group: reader}, "
     "{at: 1ms, do: write, topic: orders, partition: 0, messages: 1}",
     1, 2, false},
    {"a message and its marker",
     "{at: 0s, do: stall_group, group: reader}, "
     "{at: 1ms, do: begin_transaction, topic: orders, partition: 0}, "
     "{at: 2ms, do: end_transaction, topic: orders, partition: 0}",
     2, 2, false},
    {"a marker, and compaction took the message before it",
     "{at: 0s, do: stall_group, group: reader}, "
     "{at: 1ms, do: begin_transaction, topic: orders, partition: 0}, "
     "{at: 2ms, do: end_transaction, topic: orders, partition: 0}, "
     "{at: 3ms, do: compact, topic: orders, keep: 0.0001}",
     2, 1, true},
    {"many messages",
     "{at: 0s, do: stall_group, group: reader}, "
     "{at: 1ms, do: write, topic: orders, partition: 0, messages: 500}",
     500, 0, false},
};

static void prepare_tail(struct watch *watch, const struct tail *tail)
{
    char events[500];

    sim_watch_set_up_reader(watch);
    sim_watch_cycles(watch, 2);
    (void) snprintf(events, sizeof(events), "scenario: [%s]", tail->events);
    sim_kit_do(&watch->kit, events);
    sim_kit_advance(&watch->kit, 10);
}

static void markers_are_found_by_one_look_at_a_short_still_tail(void **state)
{
    (void) state;
    KIT_EACH (tail, tails) {
        struct fetches fetches = {.count = 0};
        struct koa_snapshot_commit row;
        struct watch watch;

        prepare_tail(&watch, tail);
        watch.saw = see_fetch;
        watch.seer = &fetches;
        for (int cycle = 1; cycle <= 12; cycle++) {
            sim_watch_cycle(&watch);
            row = sim_watch_commit(&watch, "reader", "orders");
            fetches.commit = row.offset;
            KIT_EXPECT_INT(tail->name, tail->lag, row.lag);
            if (cycle <= 5) /* it moved in the first one, and stood in four */
                KIT_EXPECT_INT(tail->name, 0, fetches.count);
            KIT_EXPECT_INT(tail->name, tail->is_markers_only && cycle > 5,
                           sim_watch_holds(&row, KOA_CONDITION_MARKERS_ONLY));
        }
        KIT_EXPECT_INT(tail->name, tail->looks, fetches.count);
        sim_watch_tear_down(&watch);
    }
}

static void markers_are_over_when_a_message_follows(void **state)
{
    struct koa_snapshot_commit row;
    struct watch watch;

    (void) state;
    prepare_tail(&watch, &tails[0]);
    sim_watch_cycles(&watch, 6);
    row = sim_watch_commit(&watch, "reader", "orders");
    KIT_EXPECT("markers", sim_watch_holds(&row, KOA_CONDITION_MARKERS_ONLY));
    sim_kit_do(&watch.kit, "scenario:\n"
                           "  - {at: 0s, do: stall_group, group: reader}\n"
                           "  - {at: 1ms, do: write, topic: orders, partition: 0, messages: 1}\n");
    sim_kit_advance(&watch.kit, 1);
    sim_watch_cycles(&watch, 12);
    row = sim_watch_commit(&watch, "reader", "orders");
    KIT_EXPECT("a message lags", !sim_watch_holds(&row, KOA_CONDITION_MARKERS_ONLY));
    KIT_EXPECT_INT("behind the marker", 2, row.lag);
    sim_watch_tear_down(&watch);
}

/* The checks that look at lag, with limits that a remainder breaks: more than a message, or any
 * that waits longer than a second. */
static void expect_checks(const struct watch *watch, const char *name, enum koa_status expected)
{
    static const struct koa_setting of_messages[] = {{"include", "reader"}, {"critical", "1"}};
    static const struct koa_setting of_time[] = {{"include", "reader"}, {"critical_time", "1s"}};
    static const struct koa_setting of_standing[] = {{"include", "reader"}, {"for", "1s"}};
    static const struct {
        const struct koa_check_ops *ops;
        const struct koa_setting *settings;
    } checks[] = {
        {&koa_check_consumer_lag, of_messages},
        {&koa_check_consumer_lag, of_time},
        {&koa_check_consumer_stalled, of_standing},
    };

    KIT_EACH (check, checks) {
        int64_t tail_lag = sim_watch_commit(watch, "reader", "orders").lag;
        const struct koa_settings settings = {.rows = check->settings, .count = 2};
        struct koa_verdict verdict;

        if (check->settings == of_messages && tail_lag <= 1)
            continue;
        kit_check_judge(check->ops, &settings, watch->snapshot, watch->kit.question.wall, &verdict);
        KIT_EXPECT_TEXT(name, koa_status_name(expected), koa_status_name(verdict.status));
        koa_verdict_deinit(&verdict);
    }
}

static void markers_only_are_out_of_the_checks_verdicts(void **state)
{
    (void) state;
    KIT_EACH (tail, tails) {
        struct watch watch;

        prepare_tail(&watch, tail);
        sim_watch_cycles(&watch, 8);
        expect_checks(&watch, tail->name,
                      tail->is_markers_only ? KOA_STATUS_HEALTHY : KOA_STATUS_UNHEALTHY);
        sim_watch_tear_down(&watch);
    }
}

/* ---- last stable offset, read_committed */

static void an_open_transaction_is_a_condition_until_it_ends(void **state)
{
    struct koa_snapshot_commit row;
    struct watch watch;

    (void) state;
    sim_watch_set_up_reader(&watch);
    sim_kit_do(&watch.kit,
               "scenario: [{at: 0s, do: begin_transaction, topic: orders, partition: 0}]");
    sim_watch_cycles(&watch, 2);
    row = sim_watch_commit(&watch, "reader", "orders");
    KIT_EXPECT_INT("what may not be read yet", 1, row.lag);
    KIT_EXPECT("condition", sim_watch_holds(&row, KOA_CONDITION_OPEN_TRANSACTION));
    sim_kit_do(&watch.kit,
               "scenario: [{at: 0s, do: end_transaction, topic: orders, partition: 0}]");
    sim_watch_cycles(&watch, 8);
    row = sim_watch_commit(&watch, "reader", "orders");
    KIT_EXPECT("over", !sim_watch_holds(&row, KOA_CONDITION_OPEN_TRANSACTION));
    KIT_EXPECT_INT("the marker", 1, row.lag);
    KIT_EXPECT("is known for one", sim_watch_holds(&row, KOA_CONDITION_MARKERS_ONLY));
    sim_watch_tear_down(&watch);
}

static void see_isolation(void *context, int32_t broker, const struct koa_kafka_request *request)
{
    const struct koa_kafka_list_offsets_request *body = request->body;
    bool *is_asked = context;

    (void) broker;
    if (request->api_key == KOA_KAFKA_LIST_OFFSETS)
        *is_asked = *is_asked || body->isolation_level == READ_COMMITTED;
}

/* Lag goes to the end of the log, as Kafka's own tool counts; the last stable offset is told beside
 * it, and what lies behind it is out of the checks' verdicts. */
static void the_last_stable_offset_is_asked_for_and_told(void **state)
{
    struct koa_snapshot_partition partition;
    struct koa_snapshot_topic told = {.name = ""};
    struct koa_snapshot_commit row;
    struct watch watch;
    bool is_asked = false;
    size_t topic = 0;

    (void) state;
    sim_watch_set_up_reader(&watch);
    watch.saw = see_isolation;
    watch.seer = &is_asked;
    sim_watch_cycle(&watch);
    expect_checks(&watch, "before", KOA_STATUS_HEALTHY);
    sim_kit_do(&watch.kit, "scenario:\n"
                           "  - {at: 0s, do: begin_transaction, topic: orders, partition: 0}\n"
                           "  - {at: 1ms, do: write, topic: orders, partition: 0, messages: 40}\n");
    sim_watch_cycles(&watch, 12);
    KIT_EXPECT("with isolation_level 1", is_asked);
    row = sim_watch_commit(&watch, "reader", "orders");
    KIT_EXPECT_INT("to the end", 41, row.lag);
    KIT_EXPECT("condition", sim_watch_holds(&row, KOA_CONDITION_OPEN_TRANSACTION));
    while (!koa_text_equal(told.name, "orders"))
        koa_snapshot_topic(watch.snapshot, topic++, &told);
    topic--;
    koa_snapshot_partition(watch.snapshot, topic, 0, &partition);
    KIT_EXPECT("open", partition.has_stable_offset && partition.has_open_transaction);
    KIT_EXPECT_INT("stable", row.offset, partition.stable_offset);
    KIT_EXPECT_INT("end", row.offset + 41, partition.end_offset);
    koa_snapshot_partition(watch.snapshot, topic, 1, &partition);
    KIT_EXPECT("the next has none", partition.has_stable_offset && !partition.has_open_transaction);
    expect_checks(&watch, "open", KOA_STATUS_HEALTHY);
    sim_watch_tear_down(&watch);
}

/* One that reads uncommitted messages too lags nothing of an open transaction's; one that stands
 * before the transaction lags what it could read. */
static void before_an_open_transaction_lag_counts(void **state)
{
    struct koa_snapshot_commit row;
    struct watch watch;

    (void) state;
    sim_watch_set_up_reader(&watch);
    sim_watch_cycle(&watch);
    sim_kit_do(&watch.kit, "scenario:\n"
                           "  - {at: 0s, do: stall_group, group: reader}\n"
                           "  - {at: 1ms, do: write, topic: orders, partition: 0, messages: 5}\n"
                           "  - {at: 2ms, do: begin_transaction, topic: orders, partition: 0}\n");
    sim_kit_advance(&watch.kit, 2);
    sim_watch_cycles(&watch, 4);
    row = sim_watch_commit(&watch, "reader", "orders");
    KIT_EXPECT_INT("all", 6, row.lag);
    KIT_EXPECT("it could read", !sim_watch_holds(&row, KOA_CONDITION_OPEN_TRANSACTION));
    expect_checks(&watch, "before a transaction", KOA_STATUS_UNHEALTHY);
    sim_watch_tear_down(&watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markers_are_found_by_one_look_at_a_short_still_tail),
        cmocka_unit_test(markers_are_over_when_a_message_follows),
        cmocka_unit_test(markers_only_are_out_of_the_checks_verdicts),
        cmocka_unit_test(an_open_transaction_is_a_condition_until_it_ends),
        cmocka_unit_test(the_last_stable_offset_is_asked_for_and_told),
        cmocka_unit_test(before_an_open_transaction_lag_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
