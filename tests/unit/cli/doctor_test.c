/* doctor's exam of a cluster made of tables. */
#include "cli/doctor_exam.h"

#include <errno.h>
#include <string.h>

#include "base/json_read.h"
#include "base/str.h"
#include "cli/doctor_report.h"
#include "kafka/error_code.h"
#include "kafka/messages/describe_configs.h"
#include "kafka/messages/describe_groups.h"
#include "kafka/messages/describe_log_dirs.h"
#include "kafka/messages/describe_quorum.h"
#include "kafka/messages/list_groups.h"
#include "kafka/messages/list_offsets.h"
#include "kafka/messages/metadata.h"
#include "kit/kit.h"

enum {
    BROKERS = 3,
    PENDING = 256,
    TEXT_LIMIT = 1 << 20,
    ALL_RIGHTS = 0xFFF8,
    TIMEOUT_MS = 5000,
    EMPTY_BODY_SIZE = 512,
    TOPICS = 2,
};

struct fake {
    struct koa_kafka_request *requests[PENDING];
    int32_t brokers[PENDING];
    size_t count;
    int64_t now_ms;
    bool is_finished;

    /* By id, from 1; [0] is every server of the configuration. */
    bool is_down[BROKERS + 1], is_frozen_for_features[BROKERS + 1];
    int16_t offset_fetch_maximum[BROKERS + 1];
    bool lacks_quorum, hides_log_dirs;
    int16_t topic_code, group_code, configs_code; /* of the questions */
    int32_t operations;                           /* on the second topic */
    int64_t clock_ms;
    size_t named; /* brokers handed to set_brokers */
    char asked_topic[64];
};

static struct koa_mono mono(void *context)
{
    return (struct koa_mono){.ms = ((struct fake *) context)->now_ms};
}

static struct koa_wall wall(void *context)
{
    return (struct koa_wall){.ms = 1000000 + ((struct fake *) context)->now_ms};
}

static void submit(void *context, int32_t broker, struct koa_kafka_request *request)
{
    struct fake *fake = context;

    assert_true(fake->count < PENDING);
    KIT_EXPECT_INT("deadline", fake->now_ms + TIMEOUT_MS, request->deadline.ms);
    fake->requests[fake->count] = request;
    fake->brokers[fake->count++] = broker;
}

static void set_brokers(void *context, const struct koa_kafka_address *brokers, size_t count)
{
    (void) brokers;
    ((struct fake *) context)->named = count;
}

static void on_finished(void *context)
{
    ((struct fake *) context)->is_finished = true;
}

static const struct cli_exam_ops ops = {.mono = mono,
                                        .wall = wall,
                                        .submit = submit,
                                        .set_brokers = set_brokers,
                                        .finished = on_finished};

/* What a broker of the fake offers: everything we speak, but for what the test took away. */
static void answer_versions(const struct fake *fake, int32_t broker,
                            struct koa_kafka_answer *answer)
{
    struct koa_kafka_api_range rows[KOA_KAFKA_API_LIMIT];
    struct koa_kafka_api_versions_response body = {.api_keys = {.rows = rows}};
    size_t index = broker > 0 ? (size_t) broker : 0;

    for (size_t i = 0; i < koa_kafka_api_count; i++) {
        struct koa_kafka_api_range row = {.api_key = koa_kafka_apis[i].key,
                                          .max_version = koa_kafka_apis[i].request->maximum};

        if (row.api_key == KOA_KAFKA_OFFSET_FETCH && fake->offset_fetch_maximum[index] > 0)
            row.max_version = fake->offset_fetch_maximum[index];
        if (row.api_key != KOA_KAFKA_DESCRIBE_QUORUM || !fake->lacks_quorum)
            rows[body.api_keys.count++] = row;
    }
    answer->body = &body;
    fake->requests[0]->done(fake->requests[0]->context, fake->requests[0], answer);
}

static void answer_metadata(struct fake *fake, struct koa_kafka_answer *answer)
{
    const struct koa_kafka_metadata_request *question = fake->requests[0]->body;
    struct koa_kafka_metadata_broker brokers[BROKERS];
    struct koa_kafka_metadata_topic topics[TOPICS] = {
        {.name = KOA_STR("orders"), .topic_authorized_operations = ALL_RIGHTS},
        {.name = KOA_STR("payments"), .topic_authorized_operations = fake->operations}};
    struct koa_kafka_metadata_response body = {.cluster_id = KOA_STR("cluster-1"),
                                               .controller_id = 2,
                                               .brokers = {.rows = brokers, .count = BROKERS},
                                               .topics = {.rows = topics, .count = TOPICS}};

    for (int32_t i = 0; i < BROKERS; i++) {
        brokers[i] = (struct koa_kafka_metadata_broker){
            .node_id = i + 1, .host = KOA_STR("kafka"), .port = 9092 + i};
    }
    assert_false(question->allow_auto_topic_creation);
    if (question->topics.rows != NULL) {
        (void) koa_str_copy(fake->asked_topic, sizeof(fake->asked_topic),
                            question->topics.rows[0].name);
        topics[0].name = question->topics.rows[0].name;
        topics[0].error_code = fake->topic_code;
        body.topics.count = 1;
    }
    answer->body = &body;
    fake->requests[0]->done(fake->requests[0]->context, fake->requests[0], answer);
}

static void answer_offsets(const struct fake *fake, struct koa_kafka_answer *answer)
{
    struct koa_kafka_list_offsets_partition partition = {.error_code = fake->topic_code};
    struct koa_kafka_list_offsets_topic topic = {.partitions = {.rows = &partition, .count = 1}};
    struct koa_kafka_list_offsets_response body = {.topics = {.rows = &topic, .count = 1}};

    answer->body = &body;
    fake->requests[0]->done(fake->requests[0]->context, fake->requests[0], answer);
}

static void answer_quorum(const struct fake *fake, struct koa_kafka_answer *answer)
{
    struct koa_kafka_describe_quorum_replica voters[] = {
        {.replica_id = 1, .last_fetch_timestamp = 5}, {.replica_id = 2}};
    struct koa_kafka_describe_quorum_partition partition = {
        .leader_id = 2, .current_voters = {.rows = voters, .count = 2}};
    struct koa_kafka_describe_quorum_topic topic = {.partitions = {.rows = &partition, .count = 1}};
    struct koa_kafka_describe_quorum_response body = {.topics = {.rows = &topic, .count = 1}};

    voters[1].last_fetch_timestamp = fake->clock_ms;
    answer->body = &body;
    fake->requests[0]->done(fake->requests[0]->context, fake->requests[0], answer);
}

static void answer_one(struct fake *fake, int32_t broker, struct koa_kafka_answer *answer)
{
    struct koa_kafka_request *request = fake->requests[0];
    struct koa_kafka_describe_groups_group group = {.error_code = fake->group_code};
    struct koa_kafka_describe_groups_response groups = {.groups = {.rows = &group, .count = 1}};
    struct koa_kafka_describe_configs_result configs = {.error_code = fake->configs_code};
    struct koa_kafka_describe_configs_response settings = {
        .results = {.rows = &configs, .count = 1}};
    struct koa_kafka_list_groups_group listed = {.group_id = KOA_STR("billing")};
    struct koa_kafka_list_groups_response list = {.groups = {.rows = &listed, .count = 1}};
    struct koa_kafka_describe_log_dirs_result dir = {.log_dir = KOA_STR("/data")};
    struct koa_kafka_describe_log_dirs_response dirs = {
        .results = {.rows = &dir, .count = fake->hides_log_dirs ? 0 : 1}};
    max_align_t empty[EMPTY_BODY_SIZE / sizeof(max_align_t)] = {0};

    switch ((int) request->api_key) {
    case KOA_KAFKA_API_VERSIONS:
        answer_versions(fake, broker, answer);
        return;
    case KOA_KAFKA_METADATA:
        answer_metadata(fake, answer);
        return;
    case KOA_KAFKA_LIST_OFFSETS:
        answer_offsets(fake, answer);
        return;
    case KOA_KAFKA_DESCRIBE_QUORUM:
        answer_quorum(fake, answer);
        return;
    case KOA_KAFKA_DESCRIBE_GROUPS:
        answer->body = &groups;
        break;
    case KOA_KAFKA_DESCRIBE_CONFIGS:
        answer->body = &settings;
        break;
    case KOA_KAFKA_LIST_GROUPS:
        answer->body = &list;
        break;
    case KOA_KAFKA_DESCRIBE_LOG_DIRS:
        answer->body = &dirs;
        break;
    default: /* says nothing of what was asked */
        assert_true(koa_kafka_api_find(request->api_key)->response->size <= sizeof(empty));
        answer->body = empty;
    }
    request->done(request->context, request, answer);
}

static bool is_of_features(int16_t api_key)
{
    return api_key != KOA_KAFKA_API_VERSIONS && api_key != KOA_KAFKA_LIST_GROUPS;
}

static void pump(struct fake *fake)
{
    while (fake->count > 0) {
        struct koa_kafka_request *request = fake->requests[0];
        int32_t broker = fake->brokers[0];
        size_t index = broker > 0 ? (size_t) broker : 0;
        struct koa_kafka_answer answer = {
            .api = koa_kafka_api_find(request->api_key),
            .version = koa_kafka_api_find(request->api_key)->request->maximum};
        struct koa_error error;

        if (fake->is_down[index]) {
            (void) koa_fail_errno(&error, KOA_ERR_IO, ECONNREFUSED, "cannot connect to kafka");
            answer.error = &error;
            request->done(request->context, request, &answer);
        } else if (fake->is_frozen_for_features[index] && is_of_features(request->api_key)) {
            (void) koa_fail(&error, KOA_ERR_TIMEOUT, "no answer in time");
            answer.error = &error;
            request->done(request->context, request, &answer);
        } else {
            answer_one(fake, broker, &answer);
        }
        /* `done` may have submitted: those stand behind. */
        fake->count--;
        for (size_t i = 0; i < fake->count; i++) {
            fake->requests[i] = fake->requests[i + 1];
            fake->brokers[i] = fake->brokers[i + 1];
        }
    }
}

static const char *const servers[] = {"kafka:9092", "kafka:9093"};

struct case_opts {
    const char *topics_include; /* NULL: all */
    const char *probe_topic;
};

static struct cli_exam *examine(struct fake *fake, const struct case_opts *opts)
{
    struct koa_name_filter *all = NULL;
    struct koa_name_filter *topics = NULL;
    struct koa_name_filter_opts filter = {.include = &opts->topics_include,
                                          .include_count = opts->topics_include != NULL ? 1 : 0,
                                          .what = "topics"};
    struct cli_exam_opts exam_opts = {.server_count = KOA_ARRAY_COUNT(servers),
                                      .request_timeout_ms = TIMEOUT_MS,
                                      .topics_are_chosen = opts->topics_include != NULL,
                                      .probe_topic = opts->probe_topic,
                                      .ops = &ops,
                                      .context = fake};
    struct cli_exam *exam = NULL;

    assert_int_equal(koa_name_filter_create(&filter, &topics, NULL), KOA_OK);
    assert_int_equal(
        koa_name_filter_create(&(struct koa_name_filter_opts){.what = "groups"}, &all, NULL),
        KOA_OK);
    exam_opts.topics = topics;
    exam_opts.groups = all;
    assert_int_equal(cli_exam_create(&exam_opts, &exam, NULL), KOA_OK);
    cli_exam_begin(exam);
    pump(fake);
    assert_true(fake->is_finished);
    koa_name_filter_destroy(topics);
    koa_name_filter_destroy(all);
    return exam;
}

static struct fake healthy(void)
{
    return (struct fake){.topic_code = KOA_KAFKA_UNKNOWN_TOPIC_OR_PARTITION,
                         .configs_code = KOA_KAFKA_UNKNOWN_TOPIC_OR_PARTITION,
                         .group_code = KOA_KAFKA_GROUP_ID_NOT_FOUND,
                         .operations = ALL_RIGHTS,
                         .clock_ms = 1000042};
}

static const struct cli_result *result_of(const struct cli_report *report, const char *feature)
{
    for (size_t i = 0; i < cli_feature_count; i++) {
        if (koa_text_equal(cli_features[i].name, feature))
            return &report->results[i];
    }
    fail_msg("no feature '%s'", feature);
    return NULL;
}

static struct koa_buf print(const struct cli_report *report, bool is_json)
{
    struct koa_buf buf = {.limit = TEXT_LIMIT};
    struct cli_report_opts opts = {.cluster = "default",
                                   .servers = servers,
                                   .principal = "User:CN=the agent",
                                   .principal_is_known = true,
                                   .is_secured = true,
                                   .probe_topic = "probe"};

    if (is_json) {
        cli_report_json(report, &opts, &buf);
    } else {
        cli_report_print(report, &opts, &buf);
    }
    assert_false(buf.failed);
    return buf;
}

static void a_cluster_that_gives_everything_is_well(void **state)
{
    struct fake fake = healthy();
    struct cli_exam *exam = examine(&fake, &(struct case_opts){0});
    const struct cli_report *report = cli_exam_report(exam);
    struct koa_buf text;

    (void) state;
    KIT_EXPECT("well", cli_report_is_well(report));
    KIT_EXPECT_INT("brokers", BROKERS, report->reachable_count);
    KIT_EXPECT_INT("named", BROKERS, fake.named);
    KIT_EXPECT_TEXT("asked about", "__kafka_ops_doctor", fake.asked_topic);
    KIT_EXPECT_TEXT("id", "cluster-1", report->cluster_id);
    KIT_EXPECT_INT("topics", TOPICS, report->topic_count);
    KIT_EXPECT_INT("groups", BROKERS, report->group_count);
    KIT_EXPECT_TEXT("release", "4.4", report->brokers[0].release);
    KIT_EXPECT("clock", report->has_clock);
    KIT_EXPECT_INT("clock", 42, report->clock_difference_ms);
    KIT_EXPECT_INT("probe", CLI_STATE_UNUSED, result_of(report, "probe_topic")->state);
    KIT_EXPECT_INT("metadata", CLI_STATE_OK, result_of(report, "metadata")->state);
    KIT_EXPECT_INT("commits", CLI_STATE_OK, result_of(report, "commits")->state);
    text = print(report, false);
    KIT_EXPECT_CONTAINS("clock", "is 42 ms ahead", koa_buf_text(&text));
    koa_buf_deinit(&text);
    cli_exam_destroy(exam);
}

static void what_is_refused_is_missing_with_its_line(void **state)
{
    struct fake fake = healthy();
    struct cli_exam *exam;
    const struct cli_report *report;
    struct koa_buf text;

    (void) state;
    fake.group_code = KOA_KAFKA_GROUP_AUTHORIZATION_FAILED;
    fake.operations = ALL_RIGHTS & ~(1 << CLI_OPERATION_DESCRIBE_CONFIGS);
    exam = examine(&fake, &(struct case_opts){0});
    report = cli_exam_report(exam);
    KIT_EXPECT_INT("groups", CLI_STATE_MISSING, result_of(report, "groups")->state);
    KIT_EXPECT_INT("told by groups", CLI_STATE_MISSING, result_of(report, "commits")->state);
    KIT_EXPECT_INT("of one topic", CLI_STATE_MISSING, result_of(report, "topic_settings")->state);
    KIT_EXPECT_INT("log ends", CLI_STATE_OK, result_of(report, "log_ends")->state);
    KIT_EXPECT("well", !cli_report_is_well(report));
    text = print(report, false);
    KIT_EXPECT_CONTAINS("line",
                        "  kafka-acls --bootstrap-server kafka:9092 --command-config "
                        "admin.properties --add --allow-principal 'User:CN=the agent' --operation "
                        "Describe --group '*'\n",
                        koa_buf_text(&text));
    KIT_EXPECT_CONTAINS("example", "on 1 of the 2 topics that are visible ('payments')",
                        koa_buf_text(&text));
    koa_buf_deinit(&text);
    cli_exam_destroy(exam);
}

static void a_refusal_by_old_brokers_is_an_answer_without_log_dirs(void **state)
{
    struct fake fake = healthy();
    struct cli_exam *exam;

    (void) state;
    fake.hides_log_dirs = true;
    exam = examine(&fake, &(struct case_opts){0});
    KIT_EXPECT_INT("log dirs", CLI_STATE_MISSING,
                   result_of(cli_exam_report(exam), "log_dirs")->state);
    cli_exam_destroy(exam);
}

static void chosen_topics_are_asked_about_themselves(void **state)
{
    struct fake fake = healthy();
    struct cli_exam *exam;

    (void) state;
    fake.topic_code = KOA_KAFKA_NO_ERROR;
    exam = examine(&fake, &(struct case_opts){.topics_include = "pay.*"});
    KIT_EXPECT_TEXT("asked about", "payments", fake.asked_topic);
    cli_exam_destroy(exam);
    fake.is_finished = false;
    exam = examine(&fake, &(struct case_opts){.topics_include = "nothing"});
    KIT_EXPECT_TEXT("asked about", "__kafka_ops_doctor", fake.asked_topic);
    cli_exam_destroy(exam);
}

static void a_broker_that_lacks_an_api_is_named(void **state)
{
    struct fake fake = healthy();
    struct cli_exam *exam;
    const struct cli_report *report;
    struct koa_buf text;

    (void) state;
    fake.offset_fetch_maximum[3] = 1;
    fake.lacks_quorum = true;
    exam = examine(&fake, &(struct case_opts){0});
    report = cli_exam_report(exam);
    KIT_EXPECT_INT("commits", CLI_STATE_MISSING, result_of(report, "commits")->state);
    KIT_EXPECT_INT("brokers", 1, result_of(report, "commits")->brokers_without);
    KIT_EXPECT_INT("quorum", CLI_STATE_ABSENT, result_of(report, "quorum")->state);
    KIT_EXPECT("clock", !report->has_clock);
    text = print(report, false);
    KIT_EXPECT_CONTAINS("named",
                        "broker 3: the broker offers offset_fetch up to version 1; 2 is needed",
                        koa_buf_text(&text));
    KIT_EXPECT_CONTAINS("mode", "ZooKeeper", koa_buf_text(&text));
    koa_buf_deinit(&text);
    cli_exam_destroy(exam);
}

static void the_next_broker_is_asked_when_one_does_not_answer(void **state)
{
    struct fake fake = healthy();
    struct cli_exam *exam;
    const struct cli_report *report;

    (void) state;
    fake.is_frozen_for_features[2] = true; /* the controller, which is asked first */
    fake.is_down[3] = true;
    exam = examine(&fake, &(struct case_opts){0});
    report = cli_exam_report(exam);
    KIT_EXPECT_INT("reachable", 2, report->reachable_count);
    KIT_EXPECT_TEXT("cause", "refused", cli_cause_word(&report->brokers[2].contact.error));
    KIT_EXPECT_INT("metadata", CLI_STATE_OK, result_of(report, "metadata")->state);
    KIT_EXPECT("well", !cli_report_is_well(report));
    cli_exam_destroy(exam);

    fake.is_frozen_for_features[1] = true;
    fake.is_finished = false;
    exam = examine(&fake, &(struct case_opts){0});
    report = cli_exam_report(exam);
    KIT_EXPECT_INT("metadata", CLI_STATE_UNTOLD, result_of(report, "metadata")->state);
    KIT_EXPECT_CONTAINS("why", "no answer in time",
                        result_of(report, "metadata")->findings[0].why.text);
    cli_exam_destroy(exam);
}

static void no_server_is_unreachable_with_the_cause(void **state)
{
    struct fake fake = healthy();
    struct cli_exam *exam;
    struct koa_json_value *root = NULL;
    struct koa_json_value *first;
    struct koa_buf text;

    (void) state;
    fake.is_down[0] = true;
    exam = examine(&fake, &(struct case_opts){.probe_topic = "probe"});
    KIT_EXPECT("connected", !cli_exam_report(exam)->is_connected);
    text = print(cli_exam_report(exam), true);
    assert_int_equal(koa_json_parse((struct koa_str){text.data, text.size}, &root, NULL), KOA_OK);
    KIT_EXPECT_TEXT("result", "unreachable", koa_json_value_text(koa_json_get(root, "result")));
    first = koa_json_at(koa_json_get(root, "servers"), 0);
    KIT_EXPECT_TEXT("cause", "refused", koa_json_value_text(koa_json_get(first, "cause")));
    KIT_EXPECT_INT("features", 0, koa_json_count(koa_json_get(root, "features")));
    koa_json_value_destroy(root);
    koa_buf_deinit(&text);
    cli_exam_destroy(exam);
}

static void an_exam_survives_every_lack_of_memory(void **state)
{
    bool ok = false;

    (void) state;
    KIT_FOR_EACH_ALLOC_FAILURE (ok) {
        struct fake fake = healthy();
        struct cli_exam *exam = NULL;
        struct cli_exam_opts opts = {.server_count = KOA_ARRAY_COUNT(servers),
                                     .request_timeout_ms = TIMEOUT_MS,
                                     .probe_topic = "probe",
                                     .ops = &ops,
                                     .context = &fake};
        struct koa_name_filter *all = NULL;

        ok = koa_name_filter_create(&(struct koa_name_filter_opts){.what = "topics"}, &all, NULL) ==
             KOA_OK;
        opts.topics = opts.groups = all;
        ok = ok && cli_exam_create(&opts, &exam, NULL) == KOA_OK;
        if (ok) {
            cli_exam_begin(exam);
            pump(&fake);
            assert_true(fake.is_finished);
            ok = !cli_exam_report(exam)->is_out_of_memory;
        }
        cli_exam_destroy(exam);
        koa_name_filter_destroy(all);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cluster_that_gives_everything_is_well),
        cmocka_unit_test(what_is_refused_is_missing_with_its_line),
        cmocka_unit_test(a_refusal_by_old_brokers_is_an_answer_without_log_dirs),
        cmocka_unit_test(chosen_topics_are_asked_about_themselves),
        cmocka_unit_test(a_broker_that_lacks_an_api_is_named),
        cmocka_unit_test(the_next_broker_is_asked_when_one_does_not_answer),
        cmocka_unit_test(no_server_is_unreachable_with_the_cause),
        cmocka_unit_test(an_exam_survives_every_lack_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
