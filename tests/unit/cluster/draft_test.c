/* What is believed of a broker's answer. */
#include "cluster/draft.h"

#include <string.h>

#include "kit/kit.h"

#include "base/str.h"
#include "cluster/roster.h"

static struct koa_name_filter *make_filter(const char *include, const char *exclude)
{
    struct koa_name_filter_opts opts = {.include = &include,
                                        .include_count = include != NULL ? 1 : 0,
                                        .exclude = &exclude,
                                        .exclude_count = exclude != NULL ? 1 : 0};
    struct koa_name_filter *filter;
    struct koa_error error;

    assert_int_equal(koa_name_filter_create(&opts, &filter, &error), KOA_OK);
    return filter;
}

static const struct {
    const char *name, *include, *exclude, *topic;
    bool passes;
} filters[] = {
    {"nothing given passes all", NULL, NULL, "orders", true},
    {"all passes all", ".*", NULL, "orders", true},
    {"an expression covers the whole name", "order", NULL, "orders", false},
    {"at its start, too", "rders", NULL, "orders", false},
    {"alternatives are anchored together", "orders|pay", NULL, "payments", false},
    {"exclude wins", ".*", "ord.*", "orders", false},
    {"exclude is anchored", NULL, "ord", "orders", true},
};

static void topics_are_filtered_by_anchored_expressions(void **state)
{
    (void) state;
    KIT_EACH (c, filters) {
        struct koa_name_filter *filter = make_filter(c->include, c->exclude);

        KIT_EXPECT_INT(c->name, c->passes, koa_name_filter_passes(filter, c->topic));
        koa_name_filter_destroy(filter);
    }
}

static void a_bad_expression_is_named(void **state)
{
    const char *bad = "orders(";
    const char *foreign = "orders-\\d+";
    const char *fine = "orders[\\d]\\.\\w+\\\\d";
    struct koa_name_filter_opts opts = {.exclude = &bad, .exclude_count = 1};
    struct koa_name_filter *filter = NULL;
    struct koa_error error;

    (void) state;
    assert_int_equal(koa_name_filter_create(&opts, &filter, &error), KOA_ERR_INVALID);
    KIT_EXPECT_CONTAINS("text", "'orders('", error.text);
    assert_null(filter);
    opts.exclude = &foreign; /* would match "orders-ddd" */
    assert_int_equal(koa_name_filter_create(&opts, &filter, &error), KOA_ERR_INVALID);
    KIT_EXPECT_CONTAINS("text", "write [0-9]", error.text);
    opts.exclude = &fine;
    assert_int_equal(koa_name_filter_create(&opts, &filter, &error), KOA_OK);
    koa_name_filter_destroy(filter);
}

static void names_that_break_the_rules_and_repetitions_are_left_out(void **state)
{
    static char longest[250];
    struct koa_kafka_metadata_partition partitions[] = {
        {.partition_index = 1, .leader_id = 1},  {.partition_index = -5, .leader_id = 1},
        {.partition_index = 0, .leader_id = 1},  {.partition_index = 1, .leader_id = 2},
        {.partition_index = 70, .leader_id = 1},
    };
    struct koa_kafka_metadata_topic topics[] = {
        {.name = KOA_STR("b"), .partitions = {.rows = partitions, .count = 5}},
        {.name = KOA_STR("a")},
        {.name = KOA_STR("b"), .partitions = {.rows = partitions, .count = 5}},
        {.name = KOA_STR("")},
        {.name = {.data = NULL}},
        {.name = KOA_STR("\xff\xfe")},
        {.name = KOA_STR("nul\0inside")},
        {.name = {.data = longest, .size = sizeof(longest)}},
        {.name = KOA_STR("forbidden"), .error_code = 29},
    };
    struct koa_kafka_metadata_response metadata = {
        .topics = {.rows = topics, .count = KOA_ARRAY_COUNT(topics)}};
    struct koa_name_filter *filter = make_filter(NULL, NULL);
    struct koa_snapshot *draft = koa_snapshot_create("prod");
    struct koa_error error;
    size_t at;

    (void) state;
    memset(longest, 'x', sizeof(longest));
    assert_int_equal(koa_draft_metadata(draft, filter, &metadata, &error), KOA_OK);
    assert_int_equal(draft->topic_count, 2);
    assert_string_equal(draft->topics[0].name, "a");
    assert_string_equal(draft->topics[1].name, "b");
    assert_int_equal(draft->topics[1].count, 3);
    assert_int_equal(draft->partition_count, 3);
    assert_true(koa_snapshot_find_partition(draft, &draft->topics[1], 70, &at));
    assert_false(koa_snapshot_find_partition(draft, &draft->topics[1], 2, &at));
    assert_false(koa_snapshot_find_partition(draft, &draft->topics[1], -5, &at));
    koa_snapshot_unref(draft);
    koa_name_filter_destroy(filter);
}

/* Room is counted of all that was told, and filled with what is kept. */
static void in_sync_ids_are_told_whatever_their_number(void **state)
{
    int32_t three[] = {3, 1, 2};
    int32_t two[] = {2, 3};
    int32_t five[] = {1, 2, 3, 4, 5};
    struct koa_kafka_metadata_partition partitions[] = {
        {.partition_index = 3,
         .replica_nodes = {.rows = five, .count = 5},
         .isr_nodes = {.rows = five, .count = 5}},
        {.partition_index = 0,
         .replica_nodes = {.rows = three, .count = 3},
         .isr_nodes = {.rows = two, .count = 2}},
        {.partition_index = 0,
         .replica_nodes = {.rows = three, .count = 3},
         .isr_nodes = {.rows = two, .count = 2}},
        {.partition_index = 1,
         .replica_nodes = {.rows = two, .count = 2},
         .isr_nodes = {.rows = five, .count = 5}},
        {.partition_index = -1,
         .replica_nodes = {.rows = five, .count = 5},
         .isr_nodes = {.rows = two, .count = 2}},
        {.partition_index = 2},
        {.partition_index = 4, .replica_nodes = {.rows = three, .count = 3}},
        {.partition_index = 5, .isr_nodes = {.rows = two, .count = 2}},
    };
    static const struct {
        const char *name;
        int32_t replicas, in_sync, last_in_sync;
    } expected[] = {
        {"fewer, and told twice", 3, 2, 3},
        {"more than there are replicas", 2, 5, 5},
        {"nothing at all", 0, 0, 0},
        {"all", 5, 5, 5},
        {"none", 3, 0, 0},
        {"without replicas", 0, 2, 3},
    };
    struct koa_kafka_metadata_topic topic = {
        .name = KOA_STR("a"),
        .partitions = {.rows = partitions, .count = KOA_ARRAY_COUNT(partitions)}};
    struct koa_kafka_metadata_response metadata = {.topics = {.rows = &topic, .count = 1}};
    struct koa_name_filter *filter = make_filter(NULL, NULL);
    struct koa_snapshot *draft = koa_snapshot_create("prod");
    struct koa_error error;

    (void) state;
    assert_int_equal(koa_draft_metadata(draft, filter, &metadata, &error), KOA_OK);
    assert_int_equal(draft->partition_count, KOA_ARRAY_COUNT(expected));
    for (size_t i = 0; i < KOA_ARRAY_COUNT(expected); i++) {
        struct koa_snapshot_partition row;
        const int32_t *ids = koa_snapshot_in_sync_ids(draft, 0, i);

        koa_snapshot_partition(draft, 0, i, &row);
        KIT_EXPECT_INT(expected[i].name, expected[i].replicas, row.replicas);
        KIT_EXPECT_INT(expected[i].name, expected[i].in_sync, row.in_sync);
        if (row.in_sync > 0)
            KIT_EXPECT_INT(expected[i].name, expected[i].last_in_sync, ids[row.in_sync - 1]);
    }
    koa_snapshot_unref(draft);
    koa_name_filter_destroy(filter);
}

static void only_the_leader_is_believed(void **state)
{
    struct koa_kafka_metadata_partition partition = {.leader_id = 1};
    struct koa_kafka_metadata_topic topic = {.name = KOA_STR("a"),
                                             .partitions = {.rows = &partition, .count = 1}};
    struct koa_kafka_metadata_response metadata = {.topics = {.rows = &topic, .count = 1}};
    struct koa_kafka_list_offsets_partition row = {.offset = 42};
    struct koa_kafka_list_offsets_topic rows = {.name = KOA_STR("a"),
                                                .partitions = {.rows = &row, .count = 1}};
    struct koa_kafka_list_offsets_response answer = {.topics = {.rows = &rows, .count = 1}};
    struct koa_name_filter *filter = make_filter(NULL, NULL);
    struct koa_snapshot *draft = koa_snapshot_create("prod");
    struct koa_error error;
    int16_t code = 0;

    (void) state;
    assert_int_equal(koa_draft_metadata(draft, filter, &metadata, &error), KOA_OK);
    assert_int_equal(koa_draft_offsets(draft, &answer, 2, KOA_DRAFT_END, &code), 0);
    assert_int_equal(draft->partitions.flags[0] & KOA_PARTITION_HAS_END, 0);
    row.offset = -1; /* no such offset: unknown, never a number */
    (void) koa_draft_offsets(draft, &answer, 1, KOA_DRAFT_END, &code);
    assert_int_equal(draft->partitions.flags[0] & KOA_PARTITION_HAS_END, 0);
    row.error_code = 6;
    assert_int_equal(koa_draft_offsets(draft, &answer, 1, KOA_DRAFT_END, &code), 1);
    assert_int_equal(code, 6);
    row = (struct koa_kafka_list_offsets_partition){.offset = 42};
    (void) koa_draft_offsets(draft, &answer, 1, KOA_DRAFT_END, &code);
    assert_int_equal(draft->partitions.end[0], 42);
    koa_snapshot_unref(draft);
    koa_name_filter_destroy(filter);
}

/* Brokers before 2.8 tell no ids of topics: a log that ends before it started is another one. */
static void what_is_beyond_the_end_is_not_carried_over(void **state)
{
    struct koa_kafka_metadata_partition partition = {.leader_id = 1};
    struct koa_kafka_metadata_topic topic = {.name = KOA_STR("a"),
                                             .partitions = {.rows = &partition, .count = 1}};
    struct koa_kafka_metadata_response metadata = {.topics = {.rows = &topic, .count = 1}};
    struct koa_kafka_list_offsets_partition row = {.offset = 42};
    struct koa_kafka_list_offsets_topic rows = {.name = KOA_STR("a"),
                                                .partitions = {.rows = &row, .count = 1}};
    struct koa_kafka_list_offsets_response answer = {.topics = {.rows = &rows, .count = 1}};
    struct koa_draft_limits keep = {.end_ms = 1000, .start_ms = 1000};
    struct koa_name_filter *filter = make_filter(NULL, NULL);
    struct koa_snapshot *previous = koa_snapshot_create("prod");
    struct koa_error error;
    int16_t code = 0;

    (void) state;
    assert_int_equal(koa_draft_metadata(previous, filter, &metadata, &error), KOA_OK);
    for (int kind = KOA_DRAFT_END; kind <= KOA_DRAFT_STABLE; kind++)
        (void) koa_draft_offsets(previous, &answer, 1, (enum koa_draft_offset) kind, &code);
    for (int64_t end = 41; end <= 42; end++) {
        struct koa_snapshot *draft = koa_snapshot_create("prod");
        uint8_t *flags;

        assert_int_equal(koa_draft_metadata(draft, filter, &metadata, &error), KOA_OK);
        koa_draft_carry_histories(draft, previous);
        row.offset = end;
        (void) koa_draft_offsets(draft, &answer, 1, KOA_DRAFT_END, &code);
        koa_draft_carry_over(draft, previous, keep);
        flags = draft->partitions.flags;
        KIT_EXPECT_INT("start", end == 42, (*flags & KOA_PARTITION_HAS_START) != 0);
        KIT_EXPECT_INT("stable", end == 42, (*flags & KOA_PARTITION_HAS_STABLE) != 0);
        koa_snapshot_unref(draft);
    }
    koa_snapshot_unref(previous);
    koa_name_filter_destroy(filter);
}

static void more_brokers_than_the_limit_are_left_out(void **state)
{
    static struct koa_kafka_metadata_broker brokers[KOA_ROSTER_LIMIT + 5];
    struct koa_kafka_metadata_response metadata = {
        .brokers = {.rows = brokers, .count = KOA_ARRAY_COUNT(brokers)}};
    struct koa_roster roster = {.rows = NULL};

    (void) state;
    for (size_t i = 0; i < KOA_ARRAY_COUNT(brokers); i++) {
        brokers[i] = (struct koa_kafka_metadata_broker){
            .node_id = (int32_t) (KOA_ARRAY_COUNT(brokers) - i), .host = KOA_STR("\xff")};
    }
    assert_false(koa_roster_update(&roster, &metadata, (struct koa_mono){.ms = 5}));
    assert_int_equal(roster.count, KOA_ROSTER_LIMIT);
    for (size_t i = 1; i < roster.count; i++)
        assert_true(roster.rows[i - 1].id < roster.rows[i].id);
    assert_string_equal(roster.rows[0].host, "?");
    koa_roster_deinit(&roster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topics_are_filtered_by_anchored_expressions),
        cmocka_unit_test(a_bad_expression_is_named),
        cmocka_unit_test(names_that_break_the_rules_and_repetitions_are_left_out),
        cmocka_unit_test(in_sync_ids_are_told_whatever_their_number),
        cmocka_unit_test(only_the_leader_is_believed),
        cmocka_unit_test(what_is_beyond_the_end_is_not_carried_over),
        cmocka_unit_test(more_brokers_than_the_limit_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
