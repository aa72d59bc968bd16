#include "sim_kit.h"

#include "base/str.h"
#include "kafka/codec.h"
#include "kit/kit.h"
#include "sim/events.h"

enum { ARENA_LIMIT = 64 << 20, FRAME_LIMIT = 16 << 20, WALL_MS = 1700000000 };

void sim_kit_set_up(struct sim_kit *kit, enum koa_sim_version version)
{
    sim_kit_set_up_with_seed(kit, version, 1);
}

void sim_kit_set_up_with_seed(struct sim_kit *kit, enum koa_sim_version version, uint64_t seed)
{
    const struct koa_sim_model_opts opts = {.brokers = SIM_KIT_BROKERS,
                                            .topics = 5,
                                            .partitions = 17,
                                            .groups = 10,
                                            .group_partitions = 40,
                                            .members = 2,
                                            .version = version,
                                            .seed = seed,
                                            .now = {5000}};

    *kit = (struct sim_kit){.ports = {9092, 9093, 9094},
                            .request = {.limit = FRAME_LIMIT},
                            .response = {.limit = FRAME_LIMIT}};
    assert_int_equal(koa_sim_model_create(&opts, &kit->model, NULL), KOA_OK);
    kit->cluster =
        (struct koa_sim_cluster){.model = kit->model, .host = "127.0.0.1", .ports = kit->ports};
    kit->question = (struct koa_sim_question){.cluster = &kit->cluster,
                                              .broker = 1,
                                              .now = opts.now,
                                              .wall = {WALL_MS},
                                              .arena = koa_arena_create(ARENA_LIMIT)};
    assert_non_null(kit->question.arena);
}

void sim_kit_tear_down(struct sim_kit *kit)
{
    koa_arena_destroy(kit->question.arena);
    koa_sim_model_destroy(kit->model);
    koa_sim_scenario_destroy(kit->scenario);
    koa_buf_deinit(&kit->request);
    koa_buf_deinit(&kit->response);
}

static void expect_no_failure(void *context, const struct koa_sim_event *event,
                              const struct koa_error *error)
{
    (void) context;
    fail_msg("%s: %s", event->action->name, error->text);
}

void sim_kit_advance(struct sim_kit *kit, int64_t duration_ms)
{
    kit->question.now.ms += duration_ms;
    kit->question.wall.ms += duration_ms;
    (void) koa_sim_events_run(kit->model, kit->question.now, expect_no_failure, NULL);
}

void sim_kit_do(struct sim_kit *kit, const char *events)
{
    struct koa_buf errors = {.limit = FRAME_LIMIT};
    struct koa_sim_scenario *scenario = NULL;

    if (koa_sim_scenario_parse(koa_str_from(events), "test", &errors, &scenario, NULL) != KOA_OK)
        fail_msg("%s", koa_buf_text(&errors));
    koa_sim_scenario_destroy(kit->scenario);
    kit->scenario = scenario;
    for (size_t i = 0; i < scenario->count; i++)
        scenario->events[i].at_ms += koa_sim_question_ms(&kit->question);
    assert_int_equal(koa_sim_scenario_play(scenario, kit->model, NULL), KOA_OK);
    koa_buf_deinit(&errors);
    sim_kit_advance(kit, 0);
}

enum koa_err sim_kit_send(struct sim_kit *kit, int16_t key, int16_t version, const void *body,
                          struct koa_str *ret_frame)
{
    struct koa_kafka_request_header header = {
        .api_key = key, .api_version = version, .correlation_id = 7, .client_id = KOA_STR("test")};
    enum koa_err err;

    koa_buf_clear(&kit->request);
    koa_buf_clear(&kit->response);
    assert_int_equal(koa_kafka_frame_request(&header, body, &kit->request, NULL), KOA_OK);
    err = koa_sim_answer(&kit->question,
                         (struct koa_str){kit->request.data + 4, kit->request.size - 4},
                         &kit->response, NULL);
    if (err == KOA_OK && kit->response.size >= 4) {
        *ret_frame = (struct koa_str){kit->response.data + 4, kit->response.size - 4};
    } else {
        *ret_frame = KOA_STR("");
    }
    return err;
}

void sim_kit_ask(struct sim_kit *kit, int16_t key, int16_t version, const void *body,
                 void *ret_body)
{
    const struct koa_kafka_request_header header = {.api_key = key, .api_version = version};
    struct koa_str frame;
    struct koa_error error;

    assert_int_equal(sim_kit_send(kit, key, version, body, &frame), KOA_OK);
    if (koa_kafka_open_response(&header, frame, kit->question.arena, ret_body, &error) != KOA_OK)
        fail_msg("%s", error.text);
}

struct koa_sim_group *sim_kit_turn_to(struct sim_kit *kit, const char *name)
{
    struct koa_sim_group *group = koa_sim_model_find_group(kit->model, koa_str_from(name));

    if (group == NULL) {
        fail_msg("there is no group %s", name);
        return NULL; /* not reached */
    }
    kit->question.broker = kit->model->slots[group->slot].coordinator;
    return group;
}
