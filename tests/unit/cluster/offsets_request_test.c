#include "cluster/offsets_request.h"

#include <stdio.h>

#include "kit/kit.h"

#include "base/str.h"
#include "cluster/broker_order.h"
#include "cluster/draft.h"

enum { TOPICS = 40, PARTITIONS = 300 };

/* 40 topics of 300 partitions, led by brokers 5, 7 and 9 in turn; each tenth has no leader. */
static struct koa_snapshot *make_draft(void)
{
    static struct koa_kafka_metadata_topic topics[TOPICS];
    static struct koa_kafka_metadata_partition partitions[TOPICS][PARTITIONS];
    static char names[TOPICS][16];
    struct koa_kafka_metadata_response metadata = {.topics = {.rows = topics, .count = TOPICS}};
    struct koa_snapshot *draft = koa_snapshot_create("prod");
    struct koa_name_filter_opts all = {.include_count = 0};
    struct koa_name_filter *filter;
    struct koa_error error;

    for (int32_t i = 0; i < TOPICS; i++) {
        (void) snprintf(names[i], sizeof(names[i]), "topic-%02d", TOPICS - i);
        topics[i].name = koa_str_from(names[i]);
        topics[i].partitions.rows = partitions[i];
        topics[i].partitions.count = PARTITIONS;
        for (int32_t j = 0; j < PARTITIONS; j++) {
            partitions[i][j] = (struct koa_kafka_metadata_partition){
                .partition_index = j, .leader_id = j % 10 == 9 ? -1 : 5 + 2 * (j % 3)};
        }
    }
    assert_int_equal(koa_name_filter_create(&all, &filter, &error), KOA_OK);
    assert_int_equal(koa_draft_metadata(draft, filter, &metadata, &error), KOA_OK);
    koa_name_filter_destroy(filter);
    return draft;
}

static void every_led_partition_is_asked_for_once_from_its_leader(void **state)
{
    static const int32_t brokers[] = {5, 6, 7, 9};
    struct koa_snapshot *draft = make_draft();
    struct koa_arena *arena = koa_arena_create(64 << 20);
    static int asked[TOPICS * PARTITIONS];
    struct koa_broker_order order;

    (void) state;
    assert_true(koa_broker_order_make(arena, draft->partitions.leader, draft->partition_count,
                                      (struct koa_broker_ids){brokers, 4}, &order));
    assert_int_equal(order.first[1], order.first[2]); /* broker 6 leads nothing */
    for (size_t b = 0; b < 4; b++) {
        size_t count = order.first[b + 1] - order.first[b];
        const struct koa_kafka_list_offsets_request *request = koa_offsets_request_make(
            arena, draft, order.order + order.first[b], count,
            (struct koa_offsets_wanted){.timestamp = KOA_KAFKA_OFFSET_START});

        for (size_t i = 0; i < request->topics.count; i++) {
            const struct koa_kafka_list_offsets_request_topic *topic = &request->topics.rows[i];
            const struct koa_topic_row *row = koa_snapshot_find_topic(draft, topic->name);

            assert_non_null(row);
            for (size_t j = 0; j < topic->partitions.count; j++) {
                size_t at = 0;

                assert_true(koa_snapshot_find_partition(
                    draft, row, topic->partitions.rows[j].partition_index, &at));
                assert_int_equal(draft->partitions.leader[at], brokers[b]);
                assert_int_equal(topic->partitions.rows[j].timestamp, KOA_KAFKA_OFFSET_START);
                asked[at]++;
            }
        }
    }
    for (size_t at = 0; at < draft->partition_count; at++)
        assert_int_equal(asked[at], draft->partitions.leader[at] < 0 ? 0 : 1);
    koa_arena_destroy(arena);
    koa_snapshot_unref(draft);
}

static void memory_that_is_out_is_told(void **state)
{
    static const int32_t brokers[] = {5, 7, 9};
    struct koa_snapshot *draft = make_draft();
    struct koa_arena *arena = koa_arena_create(64);
    struct koa_broker_order order;

    (void) state;
    assert_false(koa_broker_order_make(arena, draft->partitions.leader, draft->partition_count,
                                       (struct koa_broker_ids){brokers, 3}, &order));
    koa_arena_destroy(arena);
    koa_snapshot_unref(draft);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_led_partition_is_asked_for_once_from_its_leader),
        cmocka_unit_test(memory_that_is_out_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
