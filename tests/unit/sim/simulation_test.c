/* The simulated cluster as a client sees it, bytes in and bytes out, without sockets. */
#include "sim/answers.h"

#include <string.h>

#include "base/str.h"
#include "kafka/codec.h"
#include "kafka/error_code.h"
#include "kafka/messages/api_versions.h"
#include "kafka/messages/list_offsets.h"
#include "kafka/messages/metadata.h"
#include "kit/kit.h"
#include "kit/vectors.h"
#include "sim/events.h"
#include "sim/scenario.h"

enum { BROKERS = 3, TOPICS = 5, PARTITIONS = 17, GROUPS = 10 };

struct fixture {
    struct koa_sim_model *model;
    int ports[BROKERS];
    struct koa_sim_cluster cluster;
    struct koa_sim_question question;
    struct koa_buf request, response;
};

static void set_up(struct fixture *f)
{
    *f = (struct fixture){
        .ports = {9092, 9093, 9094}, .request = {.limit = 1 << 20}, .response = {.limit = 1 << 20}};
    assert_int_equal(koa_sim_model_create(&(struct koa_sim_model_opts){.brokers = BROKERS,
                                                                       .topics = TOPICS,
                                                                       .partitions = PARTITIONS,
                                                                       .groups = GROUPS,
                                                                       .members = 2,
                                                                       .group_partitions = 40,
                                                                       .seed = 1},
                                          &f->model, NULL),
                     KOA_OK);
    f->cluster =
        (struct koa_sim_cluster){.model = f->model, .host = "127.0.0.1", .ports = f->ports};
    f->question = (struct koa_sim_question){
        .cluster = &f->cluster, .broker = 1, .arena = koa_arena_create(1 << 20)};
}

static void tear_down(struct fixture *f)
{
    koa_arena_destroy(f->question.arena);
    koa_sim_model_destroy(f->model);
    koa_buf_deinit(&f->request);
    koa_buf_deinit(&f->response);
}

/* Asks as a client does and decodes the answer. */
static void ask(struct fixture *f, int16_t key, int16_t version, const void *body, void *ret_body)
{
    struct koa_kafka_request_header header = {
        .api_key = key, .api_version = version, .correlation_id = 7, .client_id = KOA_STR("test")};
    struct koa_error error;

    koa_buf_clear(&f->request);
    koa_buf_clear(&f->response);
    assert_int_equal(koa_kafka_frame_request(&header, body, &f->request, NULL), KOA_OK);
    if (koa_sim_answer(&f->question, (struct koa_str){f->request.data + 4, f->request.size - 4},
                       &f->response, &error) != KOA_OK)
        fail_msg("%s", error.text);
    if (koa_kafka_open_response(&header,
                                (struct koa_str){f->response.data + 4, f->response.size - 4},
                                f->question.arena, ret_body, &error) != KOA_OK)
        fail_msg("%s", error.text);
}

static void metadata_tells_the_whole_model_in_every_version(void **state)
{
    (void) state;
    for (int16_t version = 0; version <= 13; version++) {
        struct koa_kafka_metadata_request request = {0};
        struct koa_kafka_metadata_response response;
        struct fixture f;
        size_t partitions = 0;

        set_up(&f);
        ask(&f, KOA_KAFKA_METADATA, version, &request, &response);
        KIT_EXPECT_INT("brokers", BROKERS, response.brokers.count);
        KIT_EXPECT_INT("topics", TOPICS, response.topics.count);
        for (size_t i = 0; i < response.topics.count; i++)
            partitions += response.topics.rows[i].partitions.count;
        KIT_EXPECT_INT("partitions", PARTITIONS, partitions);
        tear_down(&f);
    }
}

static void only_the_leader_tells_offsets_and_they_move(void **state)
{
    struct koa_kafka_list_offsets_request_partition partition = {
        .partition_index = 0, .current_leader_epoch = -1, .timestamp = KOA_KAFKA_OFFSET_END};
    struct koa_kafka_list_offsets_request_topic topic;
    struct koa_kafka_list_offsets_request request = {.replica_id = -1};
    struct koa_kafka_list_offsets_response response;
    int64_t before;
    struct fixture f;

    (void) state;
    set_up(&f);
    topic = (struct koa_kafka_list_offsets_request_topic){.name = f.model->topics[0].name};
    topic.partitions.rows = &partition;
    topic.partitions.count = 1;
    request.topics.rows = &topic;
    request.topics.count = 1;
    f.question.broker = f.model->partitions[0].leader % BROKERS + 1;
    ask(&f, KOA_KAFKA_LIST_OFFSETS, 5, &request, &response);
    KIT_EXPECT_INT("not the leader", KOA_KAFKA_NOT_LEADER_OR_FOLLOWER,
                   response.topics.rows[0].partitions.rows[0].error_code);
    f.question.broker = f.model->partitions[0].leader;
    ask(&f, KOA_KAFKA_LIST_OFFSETS, 5, &request, &response);
    KIT_EXPECT_INT("the leader", 0, response.topics.rows[0].partitions.rows[0].error_code);
    before = response.topics.rows[0].partitions.rows[0].offset;
    f.question.now.ms += 3600000;
    ask(&f, KOA_KAFKA_LIST_OFFSETS, 10, &request, &response);
    KIT_EXPECT("an hour later there are more",
               response.topics.rows[0].partitions.rows[0].offset > before);
    partition.timestamp = KOA_KAFKA_OFFSET_START;
    ask(&f, KOA_KAFKA_LIST_OFFSETS, 1, &request, &response);
    KIT_EXPECT("the start is not behind the end",
               response.topics.rows[0].partitions.rows[0].offset <= before);
    partition.partition_index = 99;
    ask(&f, KOA_KAFKA_LIST_OFFSETS, 6, &request, &response);
    KIT_EXPECT_INT("no such partition", KOA_KAFKA_UNKNOWN_TOPIC_OR_PARTITION,
                   response.topics.rows[0].partitions.rows[0].error_code);
    tear_down(&f);
}

static void a_newer_api_versions_is_answered_in_version_0(void **state)
{
    /* Length is not part of the frame; key 18, version 99, correlation 7, client id null, and the
     * empty tag block of header version 2. */
    static const char frame[] = "\x00\x12\x00\x63\x00\x00\x00\x07\xff\xff\x00";
    const struct koa_kafka_request_header oldest = {.api_key = KOA_KAFKA_API_VERSIONS};
    struct koa_kafka_api_versions_response response;
    struct fixture f;

    (void) state;
    set_up(&f);
    assert_int_equal(
        koa_sim_answer(&f.question, (struct koa_str){frame, sizeof(frame) - 1}, &f.response, NULL),
        KOA_OK);
    assert_int_equal(
        koa_kafka_open_response(&oldest, (struct koa_str){f.response.data + 4, f.response.size - 4},
                                f.question.arena, &response, NULL),
        KOA_OK);
    KIT_EXPECT_INT("says so", KOA_KAFKA_UNSUPPORTED_VERSION, response.error_code);
    KIT_EXPECT("and what there is", response.api_keys.count > 0);
    tear_down(&f);
}

static void what_no_broker_understands_is_refused(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f);
    KIT_EXPECT("an unknown API",
               koa_sim_answer(&f.question, KOA_STR("\x7f\x00\x00\x00\x00\x00\x00\x07\xff\xff"),
                              &f.response, NULL) != KOA_OK);
    KIT_EXPECT("an unknown version",
               koa_sim_answer(&f.question, KOA_STR("\x00\x03\x00\x63\x00\x00\x00\x07\xff\xff"),
                              &f.response, NULL) != KOA_OK);
    KIT_EXPECT("half a header",
               koa_sim_answer(&f.question, KOA_STR("\x00\x03\x00"), &f.response, NULL) != KOA_OK);
    KIT_EXPECT("nothing", koa_sim_answer(&f.question, KOA_STR(""), &f.response, NULL) != KOA_OK);
    tear_down(&f);
}

static void the_same_seed_makes_the_same_cluster(void **state)
{
    struct fixture a;
    struct fixture b;

    (void) state;
    set_up(&a);
    set_up(&b);
    KIT_EXPECT_TEXT("cluster id", a.model->cluster_id, b.model->cluster_id);
    KIT_EXPECT_INT("offsets", koa_sim_partition_end(&a.model->partitions[3], 5000),
                   koa_sim_partition_end(&b.model->partitions[3], 5000));
    tear_down(&a);
    tear_down(&b);
}

/* The cluster that all vectors are put to. */
static struct fixture of_vectors;
static size_t answered;

/* What clients sent to a real broker, to each broker of the simulated one. */
static void answer_vector(const struct kit_vector *vector)
{
    struct fixture *f = &of_vectors;
    struct koa_kafka_request_header header;
    const struct koa_kafka_api *api;
    struct koa_str body;
    struct koa_error error;
    bool waits;

    if (!vector->is_request ||
        koa_kafka_open_request(vector->frame, &header, &api, &body, NULL) != KOA_OK)
        return;
    f->question.ret_waits = &waits;
    for (f->question.broker = 1; f->question.broker <= BROKERS; f->question.broker++) {
        koa_buf_clear(&f->response);
        koa_arena_reset(f->question.arena);
        if (koa_sim_answer(&f->question, vector->frame, &f->response, &error) != KOA_OK)
            continue;
        answered++;
        /* ApiVersions refuses a version it does not know by an answer in version 0. */
        if (waits || f->response.size == 0 || header.api_version > api->response->maximum)
            continue;
        void *told = koa_arena_alloc(f->question.arena, 1, api->response->size);

        if (koa_kafka_open_response(&header,
                                    (struct koa_str){f->response.data + 4, f->response.size - 4},
                                    f->question.arena, told, &error) != KOA_OK)
            fail_msg("%s: %s", vector->name, error.text);
    }
}

static void what_real_clients_ask_is_answered(void **state)
{
    (void) state;
    set_up(&of_vectors);
    answered = 0;
    kit_vectors(900, answer_vector);
    KIT_EXPECT("most of it", answered > 1000);
    tear_down(&of_vectors);
}

/* Each byte of a request changed, one after the other: answered or refused, in bounded memory. */
static void change_vector(const struct kit_vector *vector)
{
    struct fixture *f = &of_vectors;
    struct koa_error error;
    bool waits;

    if (!vector->is_request)
        return;
    f->question.ret_waits = &waits;
    f->question.broker = 1;
    for (size_t i = 0; i < vector->frame.size; i++) {
        char *byte = vector->bytes + (vector->size - vector->frame.size) + i;
        char kept = *byte;

        *byte = (char) (kept ^ (char) (1 << i % 8));
        koa_buf_clear(&f->response);
        koa_arena_reset(f->question.arena);
        if (koa_sim_answer(&f->question, vector->frame, &f->response, &error) == KOA_OK)
            answered++;
        *byte = kept;
    }
    f->question.ret_waits = NULL;
}

static void what_liars_ask_is_answered_or_refused(void **state)
{
    (void) state;
    set_up(&of_vectors);
    answered = 0;
    kit_vectors(900, change_vector);
    KIT_EXPECT("some of it is a question still", answered > 0);
    tear_down(&of_vectors);
}

static void expect_no_failure(void *context, const struct koa_sim_event *event,
                              const struct koa_error *error)
{
    (void) context;
    fail_msg("%s: %s", event->action->name, error->text);
}

static void an_example_scenario_is_right(void **state)
{
    KOA_AUTOFREE char *text = NULL;
    struct koa_buf errors = {.limit = 65536};
    struct koa_sim_scenario *scenario = NULL;
    struct fixture f;
    size_t size;

    (void) state;
    set_up(&f);
    text = kit_read_file("examples/scenario.yaml", &size);
    if (koa_sim_scenario_parse((struct koa_str){text, size}, "scenario.yaml", &errors, &scenario,
                               NULL) != KOA_OK)
        fail_msg("%s", koa_buf_text(&errors));
    assert_int_equal(koa_sim_scenario_play(scenario, f.model, NULL), KOA_OK);
    (void) koa_sim_events_run(f.model, (struct koa_mono){3600000}, expect_no_failure, NULL);
    koa_sim_scenario_destroy(scenario);
    koa_buf_deinit(&errors);
    tear_down(&f);
}

static void lack_of_memory_ends_the_making(void **state)
{
    const struct koa_sim_model_opts opts = {
        .brokers = 2, .topics = 2, .partitions = 3, .groups = 2, .members = 1, .seed = 1};
    bool ok = false;

    (void) state;
    KIT_FOR_EACH_ALLOC_FAILURE (ok) {
        struct koa_sim_model *model = NULL;

        ok = koa_sim_model_create(&opts, &model, NULL) == KOA_OK;
        koa_sim_model_destroy(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metadata_tells_the_whole_model_in_every_version),
        cmocka_unit_test(only_the_leader_tells_offsets_and_they_move),
        cmocka_unit_test(a_newer_api_versions_is_answered_in_version_0),
        cmocka_unit_test(what_no_broker_understands_is_refused),
        cmocka_unit_test(the_same_seed_makes_the_same_cluster),
        cmocka_unit_test(what_real_clients_ask_is_answered),
        cmocka_unit_test(what_liars_ask_is_answered_or_refused),
        cmocka_unit_test(an_example_scenario_is_right),
        cmocka_unit_test(lack_of_memory_ends_the_making),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
