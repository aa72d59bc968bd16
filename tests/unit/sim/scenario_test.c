/* What can happen to a simulated cluster, played under virtual time: groups, errors, wrong answers,
 * and how a scenario is read. */
#include "sim/scenario.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "kafka/messages/describe_quorum.h"
#include "kafka/messages/find_coordinator.h"
#include "kafka/messages/list_groups.h"
#include "kafka/messages/metadata.h"
#include "kafka/messages/offset_fetch.h"
#include "kit/kit.h"
#include "sim/events.h"
#include "sim_kit.h"

/* Rows and sum of what a group has committed. */
static int64_t commits(struct sim_kit *kit, int16_t version, const char *name, size_t *ret_rows)
{
    struct koa_kafka_offset_fetch_request_group group = {.group_id = koa_str_from(name),
                                                         .member_epoch = -1};
    struct koa_kafka_offset_fetch_request request = {0};
    struct koa_kafka_offset_fetch_response response;
    int64_t total = 0;

    (void) sim_kit_turn_to(kit, name);
    request.groups.rows = &group;
    request.groups.count = 1;
    sim_kit_ask(kit, KOA_KAFKA_OFFSET_FETCH, version, &request, &response);
    KIT_EXPECT_INT(name, 0, response.groups.rows[0].error_code);
    *ret_rows = 0;
    for (size_t t = 0; t < response.groups.rows[0].topics.count; t++) {
        const struct koa_kafka_offset_fetch_topic *topic = &response.groups.rows[0].topics.rows[t];

        for (size_t p = 0; p < topic->partitions.count; p++, ++*ret_rows)
            total += topic->partitions.rows[p].committed_offset;
    }
    return total;
}

static void commits_outlive_their_topic(void **state)
{
    struct koa_sim_group *group;
    struct koa_sim_span span;
    struct sim_kit kit;
    char events[200];
    size_t rows;
    size_t rows_by_id;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    group = sim_kit_turn_to(&kit, "billing");
    span = koa_sim_model_span(kit.model, group->plan.first, group->plan.count);
    (void) snprintf(events, sizeof(events), "scenario: [{at: 0s, do: delete_topic, topic: %s}]",
                    span.topic->name.data);
    sim_kit_do(&kit, events);
    KIT_EXPECT("gone", koa_sim_model_find(kit.model, span.topic->name) == NULL);
    (void) commits(&kit, 9, "billing", &rows);
    (void) commits(&kit, 10, "billing", &rows_by_id);
    KIT_EXPECT_INT("by name", group->plan.count, rows);
    KIT_EXPECT_INT("by id", group->plan.count - span.count, rows_by_id);
    (void) snprintf(events, sizeof(events),
                    "scenario: [{at: 0s, do: create_topic, topic: %s, partitions: 4, rate: 0}]",
                    span.topic->name.data);
    sim_kit_do(&kit, events);
    (void) commits(&kit, 9, "billing", &rows);
    KIT_EXPECT_INT("of the old one", group->plan.count, rows);
    KIT_EXPECT_INT(
        "the new one is empty", 0,
        koa_sim_partition_end(
            &kit.model->partitions[koa_sim_model_find(kit.model, span.topic->name)->first],
            koa_sim_question_ms(&kit.question)));
    sim_kit_tear_down(&kit);
}

static void groups_stand_still_and_catch_up(void **state)
{
    struct koa_sim_group *group;
    struct sim_kit kit;
    int64_t before;
    int64_t behind;
    size_t rows;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    group = sim_kit_turn_to(&kit, "billing");
    sim_kit_do(&kit, "scenario: [{at: 0s, do: stall_group, group: billing}]");
    before = commits(&kit, 9, "billing", &rows);
    sim_kit_advance(&kit, 600000);
    KIT_EXPECT_INT("stands", before, commits(&kit, 9, "billing", &rows));
    sim_kit_do(&kit, "scenario: [{at: 0s, do: set_speed, group: billing, speed: 11}]");
    sim_kit_advance(&kit, 50000);
    behind = commits(&kit, 9, "billing", &rows);
    KIT_EXPECT("runs", behind > before);
    sim_kit_advance(&kit, 60000);
    for (size_t i = 0; i < group->plan.count; i++) {
        const struct koa_sim_partition *partition = &kit.model->partitions[group->plan.first + i];
        int64_t now_ms = koa_sim_question_ms(&kit.question);

        KIT_EXPECT("has caught up", koa_sim_group_commit(kit.model, group, i, now_ms) >=
                                        koa_sim_partition_end(partition, now_ms - 10000));
    }
    sim_kit_do(&kit, "scenario: [{at: 0s, do: kill_members, group: billing}]");
    KIT_EXPECT_TEXT("without members", "Empty",
                    koa_sim_group_state(group, koa_sim_question_ms(&kit.question)));
    before = commits(&kit, 9, "billing", &rows);
    sim_kit_advance(&kit, 600000);
    KIT_EXPECT_INT("stands again", before, commits(&kit, 9, "billing", &rows));
    sim_kit_do(&kit, "scenario:\n"
                     "  - {at: 0s, do: set_members, group: billing, members: 5}\n"
                     "  - {at: 0s, do: rebalance, group: billing, lasts: 3s}\n");
    KIT_EXPECT_TEXT("meanwhile", "PreparingRebalance",
                    koa_sim_group_state(group, koa_sim_question_ms(&kit.question)));
    sim_kit_advance(&kit, 3000);
    KIT_EXPECT_TEXT("then", "Stable",
                    koa_sim_group_state(group, koa_sim_question_ms(&kit.question)));
    sim_kit_tear_down(&kit);
}

static size_t times_listed(struct sim_kit *kit, const char *name)
{
    size_t count = 0;

    for (int32_t broker = 1; broker <= SIM_KIT_BROKERS; broker++) {
        struct koa_kafka_list_groups_request request = {0};
        struct koa_kafka_list_groups_response response;

        kit->question.broker = broker;
        sim_kit_ask(kit, KOA_KAFKA_LIST_GROUPS, 3, &request, &response);
        for (size_t i = 0; i < response.groups.count; i++)
            count += koa_str_equal_text(response.groups.rows[i].group_id, name);
    }
    return count;
}

static void a_group_is_listed_twice_while_its_coordinator_moves(void **state)
{
    struct koa_sim_group *group;
    struct sim_kit kit;
    char events[200];
    int32_t to;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    group = sim_kit_turn_to(&kit, "reporting");
    to = kit.question.broker % SIM_KIT_BROKERS + 1;
    (void) snprintf(events, sizeof(events),
                    "scenario: [{at: 0s, do: move_coordinator, group: reporting, to: %d, "
                    "listed_twice: 10s}]",
                    to);
    sim_kit_do(&kit, events);
    KIT_EXPECT_INT("for a while", 2, times_listed(&kit, "reporting"));
    KIT_EXPECT_INT("the new one answers", to, kit.model->slots[group->slot].coordinator);
    sim_kit_advance(&kit, 10000);
    KIT_EXPECT_INT("then once", 1, times_listed(&kit, "reporting"));
    sim_kit_do(&kit, "scenario:\n"
                     "  - {at: 0s, do: delete_group, group: reporting}\n"
                     "  - {at: 1s, do: create_group, group: \"nëw \\x01\", type: consumer, topic: "
                     "orders}\n");
    KIT_EXPECT_INT("deleted", 0, times_listed(&kit, "reporting"));
    sim_kit_advance(&kit, 1000);
    KIT_EXPECT_INT("created", 1, times_listed(&kit, "n\xc3\xabw \x01"));
    sim_kit_tear_down(&kit);
}

static void a_frozen_voter_falls_behind(void **state)
{
    struct koa_kafka_describe_quorum_request_partition partition = {0};
    struct koa_kafka_describe_quorum_request_topic topic = {.topic_name =
                                                                KOA_STR("__cluster_metadata")};
    struct koa_kafka_describe_quorum_request request = {0};
    struct koa_kafka_describe_quorum_response response;
    const struct koa_kafka_describe_quorum_partition *told;
    struct sim_kit kit;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    topic.partitions.rows = &partition;
    topic.partitions.count = 1;
    request.topics.rows = &topic;
    request.topics.count = 1;
    sim_kit_do(&kit, "scenario: [{at: 0s, do: freeze_broker, broker: 3}]");
    sim_kit_advance(&kit, 60000);
    sim_kit_ask(&kit, KOA_KAFKA_DESCRIBE_QUORUM, 2, &request, &response);
    told = &response.topics.rows[0].partitions.rows[0];
    KIT_EXPECT_INT("voters", 3, told->current_voters.count);
    KIT_EXPECT("behind", told->current_voters.rows[2].log_end_offset < told->high_watermark - 100);
    KIT_EXPECT("a minute ago",
               told->current_voters.rows[2].last_fetch_timestamp <= kit.question.wall.ms - 60000);
    sim_kit_tear_down(&kit);
}

static void errors_are_answered_as_often_as_told(void **state)
{
    struct koa_kafka_metadata_request request = {0};
    struct koa_kafka_metadata_response response;
    struct koa_kafka_find_coordinator_request find = {.key = KOA_STR("billing")};
    struct koa_kafka_find_coordinator_response found;
    struct sim_kit kit;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    sim_kit_do(&kit, "scenario:\n"
                     "  - {at: 0s, do: answer_error, api: metadata, error: REQUEST_TIMED_OUT, "
                     "times: 1}\n"
                     "  - {at: 0s, do: answer_error, api: find_coordinator, error: 15}\n");
    /* Before version 13 there is no place but the topics' own. */
    sim_kit_ask(&kit, KOA_KAFKA_METADATA, 12, &request, &response);
    KIT_EXPECT_INT("once", 7, response.topics.rows[0].error_code);
    sim_kit_ask(&kit, KOA_KAFKA_METADATA, 12, &request, &response);
    KIT_EXPECT_INT("not again", 0, response.topics.rows[0].error_code);
    for (int i = 0; i < 3; i++) {
        sim_kit_ask(&kit, KOA_KAFKA_FIND_COORDINATOR, 3, &find, &found);
        KIT_EXPECT_INT("every time", 15, found.error_code);
    }
    sim_kit_do(&kit, "scenario: [{at: 0s, do: answer_well}]");
    sim_kit_ask(&kit, KOA_KAFKA_FIND_COORDINATOR, 3, &find, &found);
    KIT_EXPECT_INT("until told otherwise", 0, found.error_code);
    sim_kit_tear_down(&kit);
}

static void answers_go_wrong_as_told(void **state)
{
    const struct koa_kafka_request_header header = {.api_key = KOA_KAFKA_METADATA,
                                                    .api_version = 12};
    struct koa_kafka_metadata_request request = {0};
    struct koa_kafka_metadata_response response;
    struct koa_str frame;
    struct sim_kit kit;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    sim_kit_do(&kit, "scenario: [{at: 0s, do: answer_garbage, times: 1}]");
    assert_int_equal(sim_kit_send(&kit, KOA_KAFKA_METADATA, 12, &request, &frame), KOA_OK);
    KIT_EXPECT("garbage", koa_kafka_open_response(&header, frame, kit.question.arena, &response,
                                                  NULL) != KOA_OK);
    sim_kit_do(&kit, "scenario: [{at: 0s, do: answer_length, times: 1}]");
    assert_int_equal(sim_kit_send(&kit, KOA_KAFKA_METADATA, 12, &request, &frame), KOA_OK);
    KIT_EXPECT("length", memcmp(kit.response.data, "\x7f\xff\xff\xff", 4) == 0);
    sim_kit_do(&kit, "scenario: [{at: 0s, do: answer_nothing, broker: 1, times: 1}]");
    kit.question.broker = 2;
    sim_kit_ask(&kit, KOA_KAFKA_METADATA, 12, &request, &response);
    kit.question.broker = 1;
    assert_int_equal(sim_kit_send(&kit, KOA_KAFKA_METADATA, 12, &request, &frame), KOA_OK);
    KIT_EXPECT_INT("nothing", 0, kit.response.size);
    sim_kit_do(&kit, "scenario: [{at: 0s, do: answer_close, api: metadata, times: 1}]");
    KIT_EXPECT_INT("close", KOA_ERR_CLOSED,
                   sim_kit_send(&kit, KOA_KAFKA_METADATA, 12, &request, &frame));
    sim_kit_ask(&kit, KOA_KAFKA_METADATA, 12, &request, &response);
    sim_kit_tear_down(&kit);
}

struct mistake {
    const char *text;
    const char *said;
};

static void mistakes_are_told_with_their_place(void **state)
{
    static const struct mistake mistakes[] = {
        {"scenario:\n  - {at: 1s, do: kil_broker, broker: 1}\n", "did you mean 'kill_broker'"},
        {"scenario:\n  - {at: 1s, do: kill_broker, brokr: 1}\n", "did you mean 'broker'"},
        {"scenario:\n  - {at: 1s, do: kill_broker}\n", "test:2:"},
        {"scenario:\n  - {do: elect_preferred}\n", "scenario[0].at"},
        {"scenario:\n  - {at: 1s}\n", "scenario[0].do"},
        {"scenario:\n  - {at: 1s, do: answer_garbage, api: offsets}\n", "offset_fetch"},
        {"scenario:\n  - {at: 1s, do: answer_error, error: OOPS}\n", "NOT_COORDINATOR"},
        {"scenario: 7\n", "list of events"},
        {"events: []\n", "list of events"},
        {"- 1\n", "mapping"},
        {"scenario: []\nmore: 1\n", "unknown"},
        {"scenario: [7]\n", "must be an event"},
        {"scenario: [{", "test:"},
    };

    (void) state;
    KIT_EACH (mistake, mistakes) {
        struct koa_buf errors = {.limit = 65536};
        struct koa_sim_scenario *scenario = NULL;
        struct koa_error error;

        KIT_EXPECT_INT(mistake->text, KOA_ERR_PARSE,
                       koa_sim_scenario_parse(koa_str_from(mistake->text), "test", &errors,
                                              &scenario, &error));
        KIT_EXPECT_CONTAINS(mistake->text, mistake->said, koa_buf_text(&errors));
        koa_buf_deinit(&errors);
    }
}

static void count_failures(void *context, const struct koa_sim_event *event,
                           const struct koa_error *error)
{
    (void) event, (void) error;
    ++*(size_t *) context;
}

static void what_cannot_happen_is_left_out_and_the_rest_goes_on(void **state)
{
    static const char text[] = "scenario:\n"
                               "  - {at: 1s, do: kill_broker, broker: 9}\n"
                               "  - {at: 1s, do: delete_topic, topic: nope}\n"
                               "  - {at: 1s, do: stall_group, group: nope}\n"
                               "  - {at: 1s, do: move_leader, topic: orders, partition: 77}\n"
                               "  - {at: 2s, do: close_connections, every: 10s}\n";
    struct koa_buf errors = {.limit = 65536};
    struct koa_sim_scenario *scenario = NULL;
    struct sim_kit kit;
    size_t failures = 0;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    assert_int_equal(koa_sim_scenario_parse(koa_str_from(text), "test", &errors, &scenario, NULL),
                     KOA_OK);
    assert_int_equal(koa_sim_scenario_play(scenario, kit.model, NULL), KOA_OK);
    KIT_EXPECT_INT("done", 4,
                   koa_sim_events_run(kit.model, koa_mono_add_ms(kit.model->began, 32000),
                                      count_failures, &failures));
    KIT_EXPECT_INT("left out", 4, failures);
    KIT_EXPECT_INT("again and again", 4, kit.model->nodes[0].hang_ups);
    sim_kit_tear_down(&kit);
    koa_sim_scenario_destroy(scenario);
}

static void keep_error(void *context, const struct koa_sim_event *event,
                       const struct koa_error *error)
{
    (void) event;
    *(struct koa_error *) context = *error;
}

static void a_group_stops_reading_four_topics_and_no_fifth(void **state)
{
    struct koa_error errors[KOA_SIM_LEFT_MAX + 1] = {{.text = ""}};
    struct sim_kit kit;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    assert_int_equal(kit.model->topic_count, KOA_ARRAY_COUNT(errors));
    kit.model->groups[0].plan.first = 0; /* reads all */
    kit.model->groups[0].plan.count = kit.model->partition_count;
    for (size_t t = 0; t < KOA_ARRAY_COUNT(errors); t++) {
        struct koa_sim_scenario *scenario = NULL;
        struct koa_buf buf = {.limit = 65536};

        koa_buf_printf(&buf, "scenario: [{at: 0s, do: unsubscribe, group: %s, topic: %s}]",
                       kit.model->groups[0].plan.name.data, kit.model->topics[t].name.data);
        assert_int_equal(
            koa_sim_scenario_parse(koa_str_from(koa_buf_text(&buf)), "test", NULL, &scenario, NULL),
            KOA_OK);
        assert_int_equal(koa_sim_scenario_play(scenario, kit.model, NULL), KOA_OK);
        (void) koa_sim_events_run(kit.model, kit.model->began, keep_error, &errors[t]);
        koa_sim_scenario_destroy(scenario);
        koa_buf_deinit(&buf);
    }
    for (size_t t = 0; t < KOA_SIM_LEFT_MAX; t++)
        KIT_EXPECT_TEXT("four", "", errors[t].text);
    KIT_EXPECT_CONTAINS("the limit is told", "has stopped reading 4 topics already",
                        errors[KOA_SIM_LEFT_MAX].text);
    sim_kit_tear_down(&kit);
}

static void every_action_has_words_for_the_document(void **state)
{
    struct koa_buf buf = {.limit = 1 << 20};

    (void) state;
    koa_sim_scenario_document(&buf);
    for (const struct koa_sim_action *const *table = koa_sim_actions; *table != NULL; table++) {
        for (const struct koa_sim_action *action = *table; action->name != NULL; action++)
            KIT_EXPECT_CONTAINS(action->name, action->help, koa_buf_text(&buf));
    }
    koa_buf_deinit(&buf);
}

static void a_file_may_say_how_large_the_cluster_is(void **state)
{
    struct koa_sim_scenario *scenario = NULL;
    struct koa_buf errors = {.limit = 65536};

    (void) state;
    assert_int_equal(
        koa_sim_scenario_parse(
            KOA_STR("cluster: {brokers: 5, groups: 0, latency: 5ms, kafka_version: 3.9}\n"), "test",
            &errors, &scenario, NULL),
        KOA_OK);
    KIT_EXPECT("it says", scenario->has_size && scenario->count == 0);
    KIT_EXPECT_INT("brokers", 5, scenario->size.brokers);
    KIT_EXPECT_INT("none", 0, scenario->size.groups);
    KIT_EXPECT_INT("latency", 5, scenario->size.latency_ms);
    KIT_EXPECT_INT("version", KOA_SIM_KAFKA_3_9, scenario->size.version);
    KIT_EXPECT_INT("what it does not say", 20, scenario->size.topics);
    koa_sim_scenario_destroy(scenario);
    assert_int_equal(koa_sim_scenario_parse(KOA_STR("cluster: {brokers: 500, sead: 1}\n"), "test",
                                            &errors, &scenario, NULL),
                     KOA_ERR_PARSE);
    KIT_EXPECT_CONTAINS("too many", "cluster.brokers", koa_buf_text(&errors));
    KIT_EXPECT_CONTAINS("unknown", "seed", koa_buf_text(&errors));
    koa_buf_deinit(&errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits_outlive_their_topic),
        cmocka_unit_test(groups_stand_still_and_catch_up),
        cmocka_unit_test(a_group_is_listed_twice_while_its_coordinator_moves),
        cmocka_unit_test(a_frozen_voter_falls_behind),
        cmocka_unit_test(errors_are_answered_as_often_as_told),
        cmocka_unit_test(answers_go_wrong_as_told),
        cmocka_unit_test(mistakes_are_told_with_their_place),
        cmocka_unit_test(what_cannot_happen_is_left_out_and_the_rest_goes_on),
        cmocka_unit_test(a_group_stops_reading_four_topics_and_no_fifth),
        cmocka_unit_test(every_action_has_words_for_the_document),
        cmocka_unit_test(a_file_may_say_how_large_the_cluster_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
