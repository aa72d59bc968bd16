/* Brokers, topics and the quorum as JSON, over snapshots from tables. */
#include "api/state_view.h"

#include "base/buf.h"
#include "kit/kit.h"
#include "kit/snapshot_kit.h"

static const struct kit_partition partitions[] = {
    {.topic = "a", .id = 0, .replicas = 3, .out_of_sync = 1, .start = 5, .end = 9, .is_moved = 1},
    {.topic = "b", .id = 0, .leader = -1, .replicas = 2, .out_of_sync = 2, .end = -1},
};

static struct koa_log_dir_row log_dirs[] = {
    {.broker = 0, .path = "/of/a/broker/that/is/gone"},
    {.broker = 1, .path = "/data/0", .size = 10, .total = 100, .usable = 20, .learned_ms = 9998500},
    {.broker = 1, .path = "/data/1", .error = "Disk error", .total = -1, .usable = -1},
    {.broker = 3, .path = "/data/0", .size = 7, .total = -1, .usable = -1},
};

static struct koa_voter_row voters[] = {
    {.id = 3, .is_voter = true, .log_end = 50, .last_fetch_ms = 100000},
    {.id = 2, .is_voter = true, .log_end = -1, .last_fetch_ms = -1},
    {.id = 9, .log_end = 50, .last_fetch_ms = 100000},
};

static const struct kit_state slow_state = {.min_isr = 2,
                                            .reassigning = 1,
                                            .bytes = 4096,
                                            .log_dirs = log_dirs,
                                            .log_dir_count = KOA_ARRAY_COUNT(log_dirs),
                                            .voters = voters,
                                            .voter_count = KOA_ARRAY_COUNT(voters)};

static struct koa_snapshot *make(const struct kit_state *state)
{
    return kit_snapshot(&(struct kit_snapshot){
        .partitions = partitions, .partition_count = KOA_ARRAY_COUNT(partitions), .state = state});
}

static void expect_topic(const char *name, const struct koa_snapshot *snapshot, size_t index,
                         const char *expected)
{
    struct koa_buf buf = {.limit = 4096};
    struct koa_json json = {.buf = &buf};
    struct koa_snapshot_topic topic;

    koa_snapshot_topic(snapshot, index, &topic);
    koa_json_object(&json, NULL);
    koa_state_view_write_topic(&json, &topic);
    koa_state_view_write_partitions(&json, snapshot, index, topic.partitions);
    koa_json_object_end(&json);
    KIT_EXPECT_TEXT(name, expected, koa_buf_text(&buf));
    koa_buf_deinit(&buf);
}

static void a_topic_tells_what_is_known(void **state)
{
    struct koa_snapshot *snapshot = make(&slow_state);

    (void) state;
    expect_topic("known", snapshot, 0,
                 "{\"name\":\"a\",\"is_internal\":false,\"partitions\":1,\"leaderless\":0,"
                 "\"under_replicated\":1,\"offline_replicas\":0,\"min_isr\":2,"
                 "\"under_min_isr\":0,\"at_min_isr\":1,\"reassigning\":1,"
                 "\"non_preferred_leaders\":1,\"log_bytes\":4096,\"partition_list\":[{\"id\":0,"
                 "\"leader\":1,\"replicas\":3,\"replica_ids\":[2,3,4],\"in_sync\":2,"
                 "\"in_sync_ids\":[2,3],"
                 "\"is_leader_preferred\":false,\"start_offset\":5,\"end_offset\":9,"
                 "\"last_stable_offset\":null,\"has_open_transaction\":false,"
                 "\"is_stale\":false,\"offset_age_seconds\":0}]}");
    koa_snapshot_unref(snapshot);
    snapshot = make(NULL);
    snapshot->partitions.stable[1] = 4;
    snapshot->partitions.flags[1] |= KOA_PARTITION_HAS_STABLE | KOA_PARTITION_IS_OPEN;
    expect_topic(
        "not asked yet", snapshot, 1,
        "{\"name\":\"b\",\"is_internal\":false,\"partitions\":1,\"leaderless\":1,"
        "\"under_replicated\":1,\"offline_replicas\":0,\"min_isr\":null,"
        "\"under_min_isr\":null,\"at_min_isr\":null,\"reassigning\":null,"
        "\"non_preferred_leaders\":0,\"log_bytes\":null,\"partition_list\":[{\"id\":0,"
        "\"leader\":null,\"replicas\":2,\"replica_ids\":[1,2],\"in_sync\":0,\"in_sync_ids\":[],"
        "\"is_leader_preferred\":false,\"start_offset\":null,\"end_offset\":null,"
        "\"last_stable_offset\":4,\"has_open_transaction\":true,"
        "\"is_stale\":false,\"offset_age_seconds\":null}]}");
    koa_snapshot_unref(snapshot);
}

/* Each hurts more than all of the rows below it. */
static const struct {
    const char *name;
    struct koa_snapshot_topic topic;
} ranks[] = {
    {"one without a leader", {.leaderless = 1}},
    {"many that refuse writes", {.under_min_isr = 900, .under_replicated = 5000}},
    {"one with an offline replica", {.with_offline_replicas = 1}},
    {"many that are under-replicated", {.under_replicated = 5000, .at_min_isr = 5000}},
    {"one that is", {.under_replicated = 1}},
    {"at the edge", {.at_min_isr = 1, .reassigning = 1}},
    {"moving", {.reassigning = 1, .non_preferred = 5000}},
    {"led by another", {.non_preferred = 1}},
    {"all is well", {.partitions = 100000}},
};

static void what_hurts_most_weighs_most(void **state)
{
    (void) state;
    for (size_t i = 1; i < KOA_ARRAY_COUNT(ranks); i++) {
        KIT_EXPECT_INT(ranks[i].name, 1,
                       koa_state_view_weigh(&ranks[i - 1].topic) >
                           koa_state_view_weigh(&ranks[i].topic));
    }
    KIT_EXPECT_INT("nothing", 0, koa_state_view_weigh(&ranks[KOA_ARRAY_COUNT(ranks) - 1].topic));
}

static void a_broker_lists_its_own_log_dirs(void **state)
{
    struct koa_snapshot *snapshot = make(&slow_state);
    struct koa_buf buf = {.limit = 4096};
    struct koa_json json = {.buf = &buf};

    (void) state;
    koa_json_object(&json, NULL);
    KIT_EXPECT_INT("count", 3, koa_state_view_write_brokers(&json, snapshot));
    koa_json_object_end(&json);
    KIT_EXPECT_CONTAINS(
        "first",
        "\"log_dirs\":[{\"path\":\"/data/0\",\"error\":null,\"size_bytes\":10,"
        "\"total_bytes\":100,\"usable_bytes\":20,\"age_seconds\":1.5},{\"path\":\"/data/1\","
        "\"error\":\"Disk error\",\"size_bytes\":0,\"total_bytes\":null,\"usable_bytes\":null,"
        "\"age_seconds\":10000}]},{\"id\":2,",
        koa_buf_text(&buf));
    KIT_EXPECT_CONTAINS("second", "\"error\":null,\"log_dirs\":[]},{\"id\":3,", koa_buf_text(&buf));
    KIT_EXPECT_CONTAINS("third",
                        "\"log_dirs\":[{\"path\":\"/data/0\",\"error\":null,"
                        "\"size_bytes\":7,",
                        koa_buf_text(&buf));
    koa_buf_deinit(&buf);
    koa_snapshot_unref(snapshot);
}

static void expect_cluster(const char *name, const struct koa_snapshot *snapshot,
                           const char *expected)
{
    struct koa_troubles counts = {.partitions = 0};
    struct koa_buf buf = {.limit = 4096};
    struct koa_json json = {.buf = &buf};

    if (snapshot != NULL)
        koa_troubles_count(snapshot, &counts);
    koa_json_object(&json, NULL);
    koa_state_view_write_troubles(&json, &counts);
    koa_state_view_write_quorum(&json, snapshot);
    koa_json_object_end(&json);
    KIT_EXPECT_TEXT(name, expected, koa_buf_text(&buf));
    koa_buf_deinit(&buf);
}

static void a_cluster_sums_up_and_names_silent_voters(void **state)
{
    struct koa_snapshot *snapshot = make(&slow_state);

    (void) state;
    expect_cluster("known", snapshot,
                   "{\"partitions_leaderless\":1,\"partitions_under_replicated\":2,"
                   "\"partitions_with_offline_replicas\":0,"
                   "\"partitions_with_non_preferred_leader\":1,\"partitions_under_min_isr\":1,"
                   "\"partitions_at_min_isr\":1,\"partitions_reassigning\":1,"
                   "\"log_dirs_offline\":1,\"log_dirs_max_usage_percent\":80,"
                   "\"mode\":\"kraft\",\"version_guess\":null,\"quorum\":{\"leader\":3,\"epoch\":7,"
                   "\"voters\":[{\"id\":3,\"lag\":0,\"last_fetch\":\"1970-01-01T00:01:40.000Z\","
                   "\"is_lagging\":false},{\"id\":2,\"lag\":null,\"last_fetch\":null,"
                   "\"is_lagging\":true}]}}");
    koa_snapshot_unref(snapshot);
    expect_cluster("before the first cycle", NULL,
                   "{\"partitions_leaderless\":0,\"partitions_under_replicated\":0,"
                   "\"partitions_with_offline_replicas\":0,"
                   "\"partitions_with_non_preferred_leader\":0,"
                   "\"partitions_under_min_isr\":null,\"partitions_at_min_isr\":null,"
                   "\"partitions_reassigning\":null,\"log_dirs_offline\":null,"
                   "\"log_dirs_max_usage_percent\":null,\"mode\":null,\"version_guess\":null,"
                   "\"quorum\":null}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_topic_tells_what_is_known),
        cmocka_unit_test(what_hurts_most_weighs_most),
        cmocka_unit_test(a_broker_lists_its_own_log_dirs),
        cmocka_unit_test(a_cluster_sums_up_and_names_silent_voters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
