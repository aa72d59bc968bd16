/* What `lag` prints, over snapshots from tables. */
#include "cli/lag_table.h"

#include <string.h>

#include "base/json_read.h"
#include "base/str.h"
#include "kit/kit.h"
#include "kit/snapshot_kit.h"

static const struct kit_partition partitions[] = {
    {.topic = "orders", .id = 0, .end = 1234567},
    {.topic = "orders", .id = 11, .end = 500},
    {.topic = "pay", .id = 0, .leader = -1, .end = -1},
};

static const struct kit_group groups[] = {
    {.name = "shop", .members = 3},
    {.name = "a\x1b[2J\xc2\x9b\xc3\xa9",
     .state = "Empty",
     .stale_for_ms = 9000,
     .error = "broker 2: timed out"},
    {.name = "bare", .state = "", .members = -1},
};

static const struct kit_commit commits[] = {
    {"shop", "orders", 0, 567, 0},
    {"shop", "orders", 11, 501, 0},
    {"shop", "pay", 0, 7, 0},
    {"a\x1b[2J\xc2\x9b\xc3\xa9", "gone", 3, 9, 0},
};

static const struct kit_group_topic history[] = {
    {.group = "shop", .topic = "orders", .lag_seconds = 61.26, .lag_quality = KOA_LAG_AT_LEAST},
};

static const struct kit_snapshot spec = {.partitions = partitions,
                                         .partition_count = KOA_ARRAY_COUNT(partitions),
                                         .groups = groups,
                                         .group_count = KOA_ARRAY_COUNT(groups),
                                         .group_topics = history,
                                         .group_topic_count = KOA_ARRAY_COUNT(history),
                                         .commits = commits,
                                         .commit_count = KOA_ARRAY_COUNT(commits),
                                         .brokers_down = 1};

static const struct {
    const char *name;
    struct cli_lag_opts opts;
    const char *expected;
} tables[] = {
    {"partitions",
     {KOA_GROUP_ORDER_NAME, false, false},
     "GROUP              STATE   TOPIC   PARTITION  COMMITTED      END      LAG  CONDITIONS\n"
     "a\\x1b[2J\\xc2\\x9b\xc3\xa9  Empty   gone            3          9        -        -  "
     "topic_gone,stale\n"
     "bare               -       -               -          -        -        -  -\n"
     "shop               Stable  orders          0        567  1234567  1234000  -\n"
     "shop               Stable  orders         11        501      500        0  "
     "above_log_end\n"
     "shop               Stable  pay             0          7        -        -  leaderless\n"
     "3 groups, lag 1234000\n"},
    {"topics, the largest lag first",
     {KOA_GROUP_ORDER_LAG, true, true},
     "GROUP              TYPE     STATE   MEMBERS  TOPIC         LAG        MAX  SECONDS  "
     "CONDITIONS\n"
     "shop               classic  Stable        3  orders  1,234,000  1,234,000   >=61.3  "
     "above_log_end:1\n"
     "shop               classic  Stable        3  pay             -          -        -  "
     "leaderless:1\n"
     "a\\x1b[2J\\xc2\\x9b\xc3\xa9  classic  Empty         0  gone            -          -    "
     "    -  topic_gone:1,stale:1\n"
     "bare               classic  -             -  -               -          -        -  -\n"
     "3 groups, lag 1,234,000\n"},
};

static void a_table_is_aligned_and_safe_for_a_terminal(void **state)
{
    struct koa_snapshot *snapshot = kit_snapshot(&spec);

    (void) state;
    KIT_EACH (c, tables) {
        struct koa_buf text = {.limit = 65536};

        cli_lag_table(snapshot, &c->opts, &text);
        KIT_EXPECT_TEXT(c->name, c->expected, koa_buf_text(&text));
        koa_buf_deinit(&text);
    }
    koa_snapshot_unref(snapshot);
}

static void a_long_name_widens_its_own_row_only(void **state)
{
    static char name[3001];
    const struct kit_group long_groups[] = {{.name = name, .state = "Empty"},
                                            {.name = "b", .state = "Empty"}};
    const struct kit_snapshot long_spec = {.groups = long_groups, .group_count = 2};
    struct cli_lag_opts opts = {.order = KOA_GROUP_ORDER_NAME};
    struct koa_buf text = {.limit = 1 << 20};
    struct koa_snapshot *snapshot;
    size_t longest = 0;
    struct koa_str rest;

    (void) state;
    memset(name, 'a', sizeof(name) - 1);
    snapshot = kit_snapshot(&long_spec);
    cli_lag_table(snapshot, &opts, &text);
    rest = koa_str_from(koa_buf_text(&text));
    while (rest.size > 0) {
        struct koa_str line = koa_str_split(rest, '\n', &rest);

        if (line.data[0] != 'a' && line.size > longest)
            longest = line.size;
    }
    assert_in_range(longest, 100, 200);
    koa_buf_deinit(&text);
    koa_snapshot_unref(snapshot);
}

static void without_groups_there_is_a_heading_and_a_sum(void **state)
{
    struct koa_snapshot *snapshot = kit_snapshot(&(struct kit_snapshot){.brokers = 1});
    struct koa_buf text = {.limit = 65536};

    (void) state;
    cli_lag_table(snapshot, &(struct cli_lag_opts){.thousands = true}, &text);
    KIT_EXPECT_TEXT("none",
                    "GROUP  STATE  TOPIC  PARTITION  COMMITTED  END  LAG  CONDITIONS\n"
                    "0 groups, lag 0\n",
                    koa_buf_text(&text));
    koa_buf_deinit(&text);
    koa_snapshot_unref(snapshot);
}

static void json_is_one_line_of_what_the_endpoint_has(void **state)
{
    struct koa_snapshot *snapshot = kit_snapshot(&spec);
    struct koa_buf text = {.limit = 65536};
    KOA_AUTO(koa_json_value) *value = NULL;
    const struct koa_json_value *list;

    (void) state;
    cli_lag_json(snapshot, &(struct cli_lag_opts){.order = KOA_GROUP_ORDER_LAG}, &text);
    KIT_EXPECT_INT("one line", '\n', text.data[text.size - 1]);
    assert_int_equal(
        koa_json_parse((struct koa_str){.data = text.data, .size = text.size}, &value, NULL),
        KOA_OK);
    list = koa_json_get(value, "groups");
    assert_int_equal(koa_json_count(list), 3);
    KIT_EXPECT_TEXT("first", "shop",
                    koa_json_value_text(koa_json_get(koa_json_at(list, 0), "name")));
    assert_int_equal(koa_json_count(koa_json_get(koa_json_at(list, 0), "topic_list")), 2);
    koa_buf_deinit(&text);
    koa_snapshot_unref(snapshot);
}

static void what_could_not_be_asked_is_named(void **state)
{
    struct koa_snapshot *snapshot = kit_snapshot(&spec);
    struct koa_buf text = {.limit = 65536};

    (void) state;
    assert_int_equal(cli_lag_problems(snapshot, &text), 2);
    KIT_EXPECT_TEXT("problems",
                    "broker 3 at kafka:9094: refused\n"
                    "group a\\x1b[2J\\xc2\\x9b\xc3\xa9: broker 2: timed out\n",
                    koa_buf_text(&text));
    koa_buf_deinit(&text);
    koa_snapshot_unref(snapshot);
}

static void without_memory_it_says_so(void **state)
{
    struct koa_snapshot *snapshot = kit_snapshot(&spec);
    bool ok = false;

    (void) state;
    KIT_FOR_EACH_ALLOC_FAILURE (ok) {
        struct koa_buf text = {.limit = 65536};

        cli_lag_table(snapshot, &(struct cli_lag_opts){.thousands = true}, &text);
        ok = !text.failed;
        koa_buf_deinit(&text);
    }
    koa_snapshot_unref(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_aligned_and_safe_for_a_terminal),
        cmocka_unit_test(a_long_name_widens_its_own_row_only),
        cmocka_unit_test(without_groups_there_is_a_heading_and_a_sum),
        cmocka_unit_test(json_is_one_line_of_what_the_endpoint_has),
        cmocka_unit_test(what_could_not_be_asked_is_named),
        cmocka_unit_test(without_memory_it_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
