/* The collector on the simulated cluster, bytes between them and virtual time: what lag means at
 * the edges where other tools are wrong, and what brokers that misbehave cost. */
#include "cluster/collector.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cluster/name_filter.h"
#include "kit/kit.h"
#include "sim/events.h"
#include "sim_kit.h"

enum { INTERVAL_MS = 15000, TIMEOUT_MS = 5000, PENDING_MAX = 256 };

/* A request on its way. */
struct pending {
    struct koa_kafka_request *request;
    struct koa_mono due;
    enum koa_err err; /* how it ends; KOA_OK: with the answer */
    struct koa_kafka_request_header header;
    struct koa_buf bytes;
};

struct watch {
    struct sim_kit kit;
    struct koa_collector *collector;
    struct koa_name_filter *filter;
    struct pending pending[PENDING_MAX];
    size_t pending_count;
    struct koa_snapshot *snapshot;
    int64_t cycle_ms; /* how long the last one took */
};

/* ---- between them */

static struct koa_mono tell_mono(void *context)
{
    return ((struct watch *) context)->kit.question.now;
}

static struct koa_wall tell_wall(void *context)
{
    return ((struct watch *) context)->kit.question.wall;
}

static int16_t version_of(void *context, int32_t broker, int16_t api_key)
{
    const struct watch *watch = context;
    const struct koa_kafka_api *api = koa_kafka_api_find(api_key);
    int16_t minimum;
    int16_t maximum;

    (void) broker;
    if (!koa_sim_version_range(watch->kit.model->version, api_key, &minimum, &maximum))
        return -1;
    return api->highest_asked > 0 && api->highest_asked < maximum ? api->highest_asked : maximum;
}

/* What becomes of a request is known at once; when it is told, is not yet. */
static void put_through(struct watch *watch, int32_t broker, struct pending *pending)
{
    const struct koa_sim_node *node = koa_sim_model_node(watch->kit.model, broker);
    struct koa_buf request = {.limit = 1 << 20};

    if (node->is_dead) {
        pending->err = KOA_ERR_IO;
        return;
    }
    pending->err = KOA_ERR_TIMEOUT;
    pending->due = pending->request->deadline;
    if (node->is_frozen)
        return;
    assert_int_equal(
        koa_kafka_frame_request(&pending->header, pending->request->body, &request, NULL), KOA_OK);
    watch->kit.question.broker = broker;
    pending->bytes.limit = 16 << 20;
    koa_arena_reset(watch->kit.question.arena);
    if (koa_sim_answer(&watch->kit.question, (struct koa_str){request.data + 4, request.size - 4},
                       &pending->bytes, NULL) != KOA_OK) {
        pending->err = KOA_ERR_CLOSED;
        pending->due = watch->kit.question.now;
    } else if (pending->bytes.size > 0) {
        pending->err = KOA_OK;
        pending->due = koa_mono_add_ms(watch->kit.question.now, node->latency_ms);
        if (pending->due.ms >= pending->request->deadline.ms) {
            pending->err = KOA_ERR_TIMEOUT;
            pending->due = pending->request->deadline;
        }
    }
    koa_buf_deinit(&request);
}

static void submit(void *context, int32_t broker, struct koa_kafka_request *request)
{
    struct watch *watch = context;
    struct pending *pending = &watch->pending[watch->pending_count];

    assert_true(watch->pending_count < PENDING_MAX);
    watch->pending_count++;
    *pending = (struct pending){
        .request = request,
        .due = watch->kit.question.now,
        .header = {.api_key = request->api_key,
                   .api_version = version_of(watch, broker, request->api_key),
                   .client_id = KOA_STR("test")},
    };
    if (pending->header.api_version < 0) {
        pending->err = KOA_ERR_UNSUPPORTED;
    } else {
        /* The server of the configuration is the first broker. */
        put_through(watch, broker < 0 ? 1 : broker, pending);
    }
}

static void set_brokers(void *context, const struct koa_kafka_address *brokers, size_t count)
{
    (void) context, (void) brokers, (void) count;
}

static void take_snapshot(void *context, struct koa_snapshot *snapshot,
                          const struct koa_collector_report *report)
{
    struct watch *watch = context;

    koa_snapshot_unref(watch->snapshot);
    watch->snapshot = snapshot;
    watch->cycle_ms = report->duration_ms;
}

/* Ends the one that is due first. */
static void end_next(struct watch *watch)
{
    struct koa_arena *arena = koa_arena_create(64 << 20);
    struct koa_kafka_answer answer = {.was_sent = true};
    struct koa_error error;
    struct pending ended;
    size_t first = 0;
    void *body;

    assert_non_null(arena);
    for (size_t i = 1; i < watch->pending_count; i++) {
        if (watch->pending[i].due.ms < watch->pending[first].due.ms)
            first = i;
    }
    ended = watch->pending[first];
    watch->pending_count--;
    memmove(&watch->pending[first], &watch->pending[first + 1],
            (watch->pending_count - first) * sizeof(watch->pending[0]));
    if (ended.due.ms > watch->kit.question.now.ms)
        sim_kit_advance(&watch->kit, ended.due.ms - watch->kit.question.now.ms);
    answer.api = koa_kafka_api_find(ended.header.api_key);
    answer.version = ended.header.api_version;
    body = koa_arena_alloc(arena, 1, answer.api->response->size);
    if (ended.err == KOA_OK) {
        ended.err = koa_kafka_open_response(
            &ended.header, (struct koa_str){ended.bytes.data + 4, ended.bytes.size - 4}, arena,
            body, &error);
        answer.body = body;
    } else {
        (void) koa_fail(&error, ended.err, "the broker does not answer");
    }
    if (ended.err != KOA_OK) {
        answer.error = &error;
        answer.body = NULL;
    }
    ended.request->done(ended.request->context, ended.request, &answer);
    koa_buf_deinit(&ended.bytes);
    koa_arena_destroy(arena);
}

/* ---- the watch */

static const struct koa_collector_ops ops = {
    .mono = tell_mono,
    .wall = tell_wall,
    .submit = submit,
    .version = version_of,
    .set_brokers = set_brokers,
    .finished = take_snapshot,
};

static void set_up(struct watch *watch, enum koa_sim_version version)
{
    struct koa_collector_opts opts = {.name = "sim",
                                      .bootstrap_count = 1,
                                      .interval_ms = INTERVAL_MS,
                                      .slow_interval_ms = INTERVAL_MS,
                                      .request_timeout_ms = TIMEOUT_MS,
                                      .batch = 500,
                                      .ops = &ops,
                                      .context = watch};

    memset(watch, 0, sizeof(*watch));
    sim_kit_set_up(&watch->kit, version);
    assert_int_equal(koa_name_filter_create(&(struct koa_name_filter_opts){.what = "topics"},
                                            &watch->filter, NULL),
                     KOA_OK);
    opts.filter = watch->filter;
    assert_int_equal(koa_collector_create(&opts, &watch->collector, NULL), KOA_OK);
}

static void tear_down(struct watch *watch)
{
    koa_collector_cancel(watch->collector);
    while (watch->pending_count > 0)
        end_next(watch);
    koa_collector_destroy(watch->collector);
    koa_name_filter_destroy(watch->filter);
    koa_snapshot_unref(watch->snapshot);
    sim_kit_tear_down(&watch->kit);
}

static void cycle(struct watch *watch)
{
    int64_t began_ms = watch->kit.question.now.ms;

    assert_true(koa_collector_begin(watch->collector));
    while (koa_collector_is_busy(watch->collector)) {
        assert_true(watch->pending_count > 0);
        end_next(watch);
    }
    began_ms += INTERVAL_MS - watch->kit.question.now.ms;
    if (began_ms > 0)
        sim_kit_advance(&watch->kit, began_ms);
}

static void cycles(struct watch *watch, int count)
{
    for (int i = 0; i < count; i++)
        cycle(watch);
}

static size_t group_index(const struct watch *watch, const char *name, size_t *ret_count)
{
    size_t found = SIZE_MAX;

    *ret_count = 0;
    for (size_t i = 0; i < koa_snapshot_group_count(watch->snapshot); i++) {
        struct koa_snapshot_group row;

        koa_snapshot_group(watch->snapshot, i, &row);
        if (koa_text_equal(row.name, name)) {
            ++*ret_count;
            found = i;
        }
    }
    return found;
}

static struct koa_snapshot_group group(const struct watch *watch, const char *name)
{
    struct koa_snapshot_group row;
    size_t count;
    size_t index = group_index(watch, name, &count);

    KIT_EXPECT_INT(name, 1, count);
    koa_snapshot_group(watch->snapshot, index, &row);
    return row;
}

/* The commit for partition 0 of a topic, or of the group's first topic. */
static struct koa_snapshot_commit commit(const struct watch *watch, const char *name,
                                         const char *topic)
{
    struct koa_snapshot_commit row;
    size_t count;
    size_t index = group_index(watch, name, &count);
    struct koa_snapshot_group_topic told;
    size_t at = 0;

    KIT_EXPECT_INT(name, 1, count);
    koa_snapshot_group_topic(watch->snapshot, index, 0, &told);
    while (topic != NULL && !koa_text_equal(told.name, topic))
        koa_snapshot_group_topic(watch->snapshot, index, ++at, &told);
    koa_snapshot_commit(watch->snapshot, index, at, 0, &row);
    return row;
}

static bool holds(const struct koa_snapshot_commit *row, enum koa_condition condition)
{
    return (row->conditions & 1U << condition) != 0;
}

/* ---- lag at the edges */

/* A group that has read everything of a topic that nobody writes to any more. */
static void prepare_reader(struct watch *watch)
{
    set_up(watch, KOA_SIM_KAFKA_4_X);
    sim_kit_do(&watch->kit,
               "scenario:\n"
               "  - {at: 0s, do: write, topic: orders, rate: 0}\n"
               "  - {at: 0s, do: create_group, group: reader, topic: orders, lag: 0s}\n");
    sim_kit_advance(&watch->kit, 20000);
}

static void every_group_is_there_with_its_lag(void **state)
{
    struct watch watch;

    (void) state;
    set_up(&watch, KOA_SIM_KAFKA_4_X);
    cycles(&watch, 2);
    KIT_EXPECT_INT("groups", 10, koa_snapshot_group_count(watch.snapshot));
    for (size_t i = 0; i < koa_snapshot_group_count(watch.snapshot); i++) {
        struct koa_snapshot_group row;

        koa_snapshot_group(watch.snapshot, i, &row);
        KIT_EXPECT(row.name, row.error == NULL && !row.is_stale);
        KIT_EXPECT(row.name, row.has_lag && row.lag >= 0);
        KIT_EXPECT(row.name, row.has_members);
    }
    KIT_EXPECT_INT("consumer members", 2, group(&watch, "search-indexer").members);
    KIT_EXPECT_INT("share members", 2, group(&watch, "notifications").members);
    KIT_EXPECT_INT("streams members", 2, group(&watch, "sessionizer").members);
    tear_down(&watch);
}

static void a_group_without_members_is_still_there(void **state)
{
    struct koa_snapshot_group row;
    struct watch watch;

    (void) state;
    set_up(&watch, KOA_SIM_KAFKA_4_X);
    cycle(&watch);
    row = group(&watch, "nightly-export");
    KIT_EXPECT_TEXT("state", "Empty", row.state);
    KIT_EXPECT("lags", row.has_lag && row.lag > 0);
    KIT_EXPECT("one that only commits too", group(&watch, "backup-tool").has_lag);
    tear_down(&watch);
}

static void a_partition_without_commit_is_a_condition_and_no_number(void **state)
{
    struct koa_snapshot_group row;
    struct watch watch;

    (void) state;
    set_up(&watch, KOA_SIM_KAFKA_4_X);
    cycle(&watch);
    row = group(&watch, "fraud-detection");
    KIT_EXPECT_INT("one", 1, row.conditions[KOA_CONDITION_NO_COMMIT]);
    KIT_EXPECT("the others count", row.has_lag && row.lag >= 0);
    tear_down(&watch);
}

static void a_commit_beyond_the_end_lags_nothing(void **state)
{
    struct koa_snapshot_commit row;
    struct watch watch;

    (void) state;
    prepare_reader(&watch);
    sim_kit_do(&watch.kit,
               "scenario:\n"
               "  - {at: 0s, do: delete_topic, topic: orders}\n"
               "  - {at: 1ms, do: create_topic, topic: orders, partitions: 4, rate: 0}\n");
    sim_kit_advance(&watch.kit, 1);
    cycle(&watch);
    row = commit(&watch, "reader", "orders");
    KIT_EXPECT("condition", holds(&row, KOA_CONDITION_ABOVE_END));
    KIT_EXPECT_INT("lag", 0, row.lag);
    tear_down(&watch);
}

static void a_commit_below_the_start_lags_what_was_written(void **state)
{
    struct koa_snapshot_commit row;
    struct watch watch;

    (void) state;
    prepare_reader(&watch);
    sim_kit_do(&watch.kit, "scenario:\n"
                           "  - {at: 0s, do: stall_group, group: reader}\n"
                           "  - {at: 1ms, do: write, topic: orders, messages: 1000}\n"
                           "  - {at: 2ms, do: delete_records, topic: orders, keep: 10}\n");
    sim_kit_advance(&watch.kit, 2);
    cycles(&watch, 2);
    row = commit(&watch, "reader", "orders");
    KIT_EXPECT("condition", holds(&row, KOA_CONDITION_BELOW_START));
    KIT_EXPECT_INT("end minus commit, as Kafka's tool counts", 1000, row.lag);
    KIT_EXPECT_INT("what is left", 10, row.end_offset - row.start_offset);
    tear_down(&watch);
}

static void commits_of_a_deleted_topic_have_no_lag(void **state)
{
    struct koa_snapshot_commit row;
    struct watch watch;

    (void) state;
    prepare_reader(&watch);
    cycle(&watch);
    sim_kit_do(&watch.kit, "scenario: [{at: 0s, do: delete_topic, topic: orders}]");
    cycles(&watch, 2);
    row = commit(&watch, "reader", "orders");
    KIT_EXPECT("condition", holds(&row, KOA_CONDITION_TOPIC_GONE));
    KIT_EXPECT("no lag", !row.has_lag);
    KIT_EXPECT("nor has the group", !group(&watch, "reader").has_lag);
    tear_down(&watch);
}

static void an_open_transaction_is_a_condition_until_it_ends(void **state)
{
    struct koa_snapshot_commit row;
    struct watch watch;

    (void) state;
    prepare_reader(&watch);
    sim_kit_do(&watch.kit,
               "scenario: [{at: 0s, do: begin_transaction, topic: orders, partition: 0}]");
    cycles(&watch, 2);
    row = commit(&watch, "reader", "orders");
    KIT_EXPECT_INT("what may not be read yet", 1, row.lag);
    KIT_EXPECT("condition", holds(&row, KOA_CONDITION_OPEN_TRANSACTION));
    sim_kit_do(&watch.kit,
               "scenario: [{at: 0s, do: end_transaction, topic: orders, partition: 0}]");
    cycles(&watch, 8);
    row = commit(&watch, "reader", "orders");
    KIT_EXPECT("over", !holds(&row, KOA_CONDITION_OPEN_TRANSACTION));
    KIT_EXPECT_INT("the marker", 1, row.lag);
    KIT_EXPECT("is known for one", holds(&row, KOA_CONDITION_MARKERS_ONLY));
    tear_down(&watch);
}

static void ends_are_never_older_than_commits(void **state)
{
    struct watch watch;

    (void) state;
    set_up(&watch, KOA_SIM_KAFKA_4_X);
    sim_kit_do(&watch.kit,
               "scenario:\n"
               "  - {at: 0s, do: slow_broker, latency: 700ms}\n"
               "  - {at: 0s, do: write, rate: 10000}\n"
               "  - {at: 0s, do: create_group, group: reader, topic: orders, lag: 0s}\n");
    for (int i = 0; i < 10; i++) {
        cycle(&watch);
        for (size_t g = 0; g < koa_snapshot_group_count(watch.snapshot); g++) {
            struct koa_snapshot_group row;

            koa_snapshot_group(watch.snapshot, g, &row);
            KIT_EXPECT_INT(row.name, 0, row.conditions[KOA_CONDITION_ABOVE_END]);
            KIT_EXPECT(row.name, row.lag >= 0);
        }
    }
    tear_down(&watch);
}

static void a_group_of_two_coordinators_is_one_group(void **state)
{
    struct watch watch;
    char events[200];

    (void) state;
    set_up(&watch, KOA_SIM_KAFKA_4_X);
    cycle(&watch);
    (void) sim_kit_turn_to(&watch.kit, "billing");
    (void) snprintf(events, sizeof(events),
                    "scenario: [{at: 0s, do: move_coordinator, group: billing, to: %d, "
                    "listed_twice: 1m}]",
                    watch.kit.question.broker % SIM_KIT_BROKERS + 1);
    sim_kit_do(&watch.kit, events);
    for (int i = 0; i < 6; i++) {
        cycle(&watch);
        KIT_EXPECT("once, with lag", group(&watch, "billing").has_lag);
    }
    KIT_EXPECT("fresh in the end", !group(&watch, "billing").is_stale);
    tear_down(&watch);
}

static void a_partition_without_leader_keeps_what_was_known(void **state)
{
    struct koa_snapshot_commit row;
    struct watch watch;

    (void) state;
    prepare_reader(&watch);
    cycle(&watch);
    sim_kit_do(&watch.kit, "scenario: [{at: 0s, do: lose_leader, topic: orders, partition: 0}]");
    cycle(&watch);
    row = commit(&watch, "reader", "orders");
    KIT_EXPECT("condition", holds(&row, KOA_CONDITION_LEADERLESS));
    sim_kit_do(&watch.kit, "scenario: [{at: 0s, do: elect_preferred}]");
    cycles(&watch, 2);
    row = commit(&watch, "reader", "orders");
    KIT_EXPECT("over", !holds(&row, KOA_CONDITION_LEADERLESS) && row.has_lag);
    tear_down(&watch);
}

/* ---- brokers that misbehave */

struct trouble {
    const char *name;
    const char *events; /* what happens to broker 2 */
    bool is_over;       /* by itself, within a minute: what it owed moves to the others */
};

/* Groups by whether broker 2 coordinates them. */
static void expect_groups(const struct watch *watch, const char *name, bool is_stale)
{
    size_t owed = 0;

    for (size_t i = 0; i < watch->kit.model->group_count; i++) {
        const struct koa_sim_group *it = &watch->kit.model->groups[i];
        struct koa_snapshot_group row = group(watch, it->plan.name.data);
        bool is_owed = koa_sim_slot_of(it->plan.name) % SIM_KIT_BROKERS + 1 == 2;

        owed += is_owed;
        if (is_owed && is_stale) {
            KIT_EXPECT(name, row.is_stale && row.age_ms > 0);
        } else {
            KIT_EXPECT(name, !row.is_stale);
        }
    }
    KIT_EXPECT("broker 2 has groups, and so have others",
               owed > 0 && owed < watch->kit.model->group_count);
}

static void one_broker_s_trouble_is_its_own(void **state)
{
    static const struct trouble troubles[] = {
        {"frozen", "{at: 0s, do: freeze_broker, broker: 2, failover: 1h}", false},
        {"dead", "{at: 0s, do: kill_broker, broker: 2, failover: 1h}", false},
        {"replaced", "{at: 0s, do: kill_broker, broker: 2, failover: 9s}", true},
        {"slow", "{at: 0s, do: slow_broker, broker: 2, latency: 20s}", false},
        {"garbage", "{at: 0s, do: answer_garbage, broker: 2}", false},
        {"silence", "{at: 0s, do: answer_nothing, broker: 2}", false},
        {"closing", "{at: 0s, do: answer_close, broker: 2}", false},
        {"error of listing",
         "{at: 0s, do: answer_error, api: list_groups, broker: 2, "
         "error: COORDINATOR_LOAD_IN_PROGRESS}",
         false},
        {"error of commits",
         "{at: 0s, do: answer_error, api: offset_fetch, broker: 2, "
         "error: COORDINATOR_LOAD_IN_PROGRESS}",
         false},
    };

    (void) state;
    KIT_EACH (trouble, troubles) {
        struct watch watch;
        char events[300];
        struct koa_snapshot_group before;

        set_up(&watch, KOA_SIM_KAFKA_4_X);
        cycles(&watch, 2);
        expect_groups(&watch, trouble->name, false);
        before = group(&watch, "billing");
        (void) snprintf(events, sizeof(events), "scenario: [%s]", trouble->events);
        sim_kit_do(&watch.kit, events);
        cycles(&watch, 5);
        KIT_EXPECT(trouble->name, koa_snapshot_error(watch.snapshot) == NULL);
        KIT_EXPECT(trouble->name, watch.cycle_ms <= 3 * TIMEOUT_MS);
        KIT_EXPECT_INT(trouble->name, 10, koa_snapshot_group_count(watch.snapshot));
        if (trouble->is_over) {
            for (size_t i = 0; i < koa_snapshot_group_count(watch.snapshot); i++) {
                struct koa_snapshot_group row;

                koa_snapshot_group(watch.snapshot, i, &row);
                KIT_EXPECT(row.name, !row.is_stale);
            }
        } else {
            expect_groups(&watch, trouble->name, true);
        }
        KIT_EXPECT(trouble->name, group(&watch, "billing").topics == before.topics);
        tear_down(&watch);
    }
}

static void what_was_broken_is_fresh_again(void **state)
{
    struct watch watch;

    (void) state;
    set_up(&watch, KOA_SIM_KAFKA_4_X);
    cycle(&watch);
    sim_kit_do(&watch.kit, "scenario:\n"
                           "  - {at: 0s, do: freeze_broker, broker: 2, failover: 9s}\n"
                           "  - {at: 60s, do: thaw_broker, broker: 2}\n"
                           "  - {at: 60s, do: elect_preferred}\n");
    cycles(&watch, 8);
    for (size_t i = 0; i < koa_snapshot_group_count(watch.snapshot); i++) {
        struct koa_snapshot_group row;

        koa_snapshot_group(watch.snapshot, i, &row);
        KIT_EXPECT(row.name, !row.is_stale);
        KIT_EXPECT_INT(row.name, 0, row.conditions[KOA_CONDITION_STALE]);
    }
    tear_down(&watch);
}

static void each_version_of_kafka_is_understood(void **state)
{
    (void) state;
    for (int version = 0; version < KOA_SIM_VERSION_COUNT; version++) {
        const char *name = koa_sim_version_name((enum koa_sim_version) version);
        struct watch watch;

        set_up(&watch, (enum koa_sim_version) version);
        cycles(&watch, 2);
        KIT_EXPECT_INT(name, 10, koa_snapshot_group_count(watch.snapshot));
        for (size_t i = 0; i < koa_snapshot_group_count(watch.snapshot); i++) {
            struct koa_snapshot_group row;

            koa_snapshot_group(watch.snapshot, i, &row);
            KIT_EXPECT(name, row.has_lag && row.has_members && row.error == NULL);
        }
        tear_down(&watch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_group_is_there_with_its_lag),
        cmocka_unit_test(a_group_without_members_is_still_there),
        cmocka_unit_test(a_partition_without_commit_is_a_condition_and_no_number),
        cmocka_unit_test(a_commit_beyond_the_end_lags_nothing),
        cmocka_unit_test(a_commit_below_the_start_lags_what_was_written),
        cmocka_unit_test(commits_of_a_deleted_topic_have_no_lag),
        cmocka_unit_test(an_open_transaction_is_a_condition_until_it_ends),
        cmocka_unit_test(ends_are_never_older_than_commits),
        cmocka_unit_test(a_group_of_two_coordinators_is_one_group),
        cmocka_unit_test(a_partition_without_leader_keeps_what_was_known),
        cmocka_unit_test(one_broker_s_trouble_is_its_own),
        cmocka_unit_test(what_was_broken_is_fresh_again),
        cmocka_unit_test(each_version_of_kafka_is_understood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
