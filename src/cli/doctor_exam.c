/* Goes through the steps and keeps what was found. What a question is, and what its answer says, is
 * doctor_questions.c's matter; what the findings mean together, doctor_judge.c's. */
#include "cli/doctor_exam.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "cli/doctor_judge.h"
#include "kafka/error_code.h"
#include "kafka/messages/describe_quorum.h"
#include "kafka/messages/list_groups.h"
#include "kafka/messages/metadata.h"

enum {
    ARENA_LIMIT = 1 << 20,   /* one small question per feature */
    REQUESTS_PER_BROKER = 2, /* what it offers, and its groups */
};

/* Not a name that anybody has a right on, unless on all. */
static const char no_such_name[] = "__kafka_ops_doctor";

enum step { STEP_SERVERS, STEP_CLUSTER, STEP_BROKERS, STEP_FEATURES, STEP_DONE };

struct ask {
    struct koa_kafka_request request;
    struct cli_exam *exam;
    size_t index;  /* of the server, broker or feature */
    size_t broker; /* of a feature's question: to whom it is put */
    size_t tries;
};

struct cli_exam {
    struct cli_exam_opts opts;
    struct koa_arena *arena;
    enum step step;
    struct ask *asks;
    size_t pending; /* requests under way, and one while they are being sent */
    size_t server;  /* the one that is asked for the brokers */
    size_t first_broker;
    struct cli_subject subject;
    struct koa_wall quorum_asked;
    struct cli_report report;
};

static void take_next_step(struct cli_exam *exam);

const struct cli_report *cli_exam_report(const struct cli_exam *exam)
{
    return &exam->report;
}

static void free_brokers(struct cli_report *report)
{
    for (size_t i = 0; i < report->broker_count; i++)
        koa_free(report->brokers[i].host);
    koa_free(KOA_MOVE(report->brokers));
    report->broker_count = 0;
}

void cli_exam_destroy(struct cli_exam *exam)
{
    if (exam == NULL)
        return;
    KOA_ASSERT(exam->pending == 0);
    free_brokers(&exam->report);
    koa_free(exam->report.servers);
    koa_free(exam->report.results);
    koa_free(exam->asks);
    koa_arena_destroy(exam->arena);
    koa_free(exam);
}

enum koa_err cli_exam_create(const struct cli_exam_opts *opts, struct cli_exam **ret_exam,
                             struct koa_error *reterr)
{
    struct cli_exam *exam = koa_calloc(1, sizeof(*exam));
    enum koa_err err = koa_require_memory(exam, reterr);

    if (err != KOA_OK)
        return err;
    exam->opts = *opts;
    exam->arena = koa_arena_create(ARENA_LIMIT);
    exam->report.servers = koa_calloc(opts->server_count, sizeof(*exam->report.servers));
    exam->report.server_count = opts->server_count;
    exam->report.results = koa_calloc(cli_feature_count, sizeof(*exam->report.results));
    exam->report.controller = -1;
    if (exam->arena == NULL || exam->report.servers == NULL || exam->report.results == NULL)
        err = koa_require_memory(NULL, reterr);
    if (err == KOA_OK)
        *ret_exam = KOA_MOVE(exam);
    cli_exam_destroy(exam);
    return err;
}

/* ---- sending */

/* `count` requests of a step; one more is pending until release() so that a step does not end while
 * its requests are being sent. False when memory is out, which ends the exam. */
static bool prepare(struct cli_exam *exam, size_t count)
{
    koa_free(KOA_MOVE(exam->asks));
    exam->asks = koa_calloc(count > 0 ? count : 1, sizeof(*exam->asks));
    exam->pending = 1;
    if (exam->asks == NULL)
        exam->report.is_out_of_memory = true;
    return exam->asks != NULL;
}

static void release(struct cli_exam *exam)
{
    if (--exam->pending == 0)
        take_next_step(exam);
}

static void submit(struct ask *ask, int32_t broker)
{
    struct cli_exam *exam = ask->exam;

    ask->request.context = ask;
    ask->request.deadline =
        koa_mono_add_ms(exam->opts.ops->mono(exam->opts.context), exam->opts.request_timeout_ms);
    exam->pending++;
    exam->opts.ops->submit(exam->opts.context, broker, &ask->request);
}

static const struct koa_kafka_api_versions_request hello = {
    .client_software_name = {.data = "kafka-ops-agent", .size = 15},
    .client_software_version = {.data = "0", .size = 1},
    .node_id = -1};

static void note_contact(struct cli_contact *contact, const struct koa_kafka_answer *answer)
{
    contact->has_answered = answer->error == NULL;
    if (answer->error != NULL)
        contact->error = *answer->error;
}

/* ---- the servers of the configuration */

static void on_server(void *context, struct koa_kafka_request *request,
                      const struct koa_kafka_answer *answer)
{
    struct ask *ask = context;

    (void) request;
    note_contact(&ask->exam->report.servers[ask->index], answer);
    release(ask->exam);
}

static void ask_servers(struct cli_exam *exam)
{
    if (!prepare(exam, exam->report.server_count)) {
        release(exam);
        return;
    }
    for (size_t i = 0; i < exam->report.server_count; i++) {
        exam->asks[i] = (struct ask){
            .request = {.api_key = KOA_KAFKA_API_VERSIONS, .body = &hello, .done = on_server},
            .exam = exam,
            .index = i};
        submit(&exam->asks[i], koa_kafka_bootstrap_id(i));
    }
    release(exam);
}

/* ---- the cluster */

/* Whether the feature's rights on topics include the operation. */
static void count_topic(struct cli_exam *exam, const struct koa_kafka_metadata_topic *topic)
{
    uint32_t operations = (uint32_t) topic->topic_authorized_operations;

    for (size_t i = 0; i < cli_feature_count; i++) {
        for (size_t j = 0; j < CLI_RIGHT_LIMIT; j++) {
            const struct cli_right *right = &cli_features[i].rights[j];
            struct cli_finding *finding = &exam->report.results[i].findings[j];

            if (right->resource != CLI_RESOURCE_TOPIC ||
                (operations >> (unsigned) right->operation & 1U) != 0)
                continue;
            if (finding->topics_without++ == 0)
                (void) koa_str_copy(finding->example, sizeof(finding->example), topic->name);
        }
    }
}

static void take_topics(struct cli_exam *exam, const struct koa_kafka_metadata_response *answer)
{
    struct cli_report *report = &exam->report;

    for (size_t i = 0; i < answer->topics.count; i++) {
        const struct koa_kafka_metadata_topic *topic = &answer->topics.rows[i];
        char name[CLI_NAME_SIZE];

        /* Kafka's names have up to 249 characters. */
        if (!koa_str_copy(name, sizeof(name), topic->name) ||
            topic->error_code == KOA_KAFKA_TOPIC_AUTHORIZATION_FAILED)
            continue;
        report->topic_count++;
        if (!koa_name_filter_passes(exam->opts.topics, name))
            continue;
        if (exam->opts.topics_are_chosen && !report->topic_is_real) {
            report->topic_is_real = true;
            memcpy(report->topic, name, sizeof(name));
        }
        /* Below version 8, and for whoever is not asked, it is INT32_MIN. */
        if (topic->topic_authorized_operations != INT32_MIN)
            count_topic(exam, topic);
    }
}

static bool take_brokers(struct cli_exam *exam, const struct koa_kafka_metadata_response *answer)
{
    struct cli_report *report = &exam->report;
    size_t count = answer->brokers.count;

    if (count > KOA_KAFKA_BROKER_LIMIT)
        count = KOA_KAFKA_BROKER_LIMIT;
    report->brokers = koa_calloc(count > 0 ? count : 1, sizeof(*report->brokers));
    for (size_t i = 0; report->brokers != NULL && i < count; i++) {
        const struct koa_kafka_metadata_broker *row = &answer->brokers.rows[i];
        struct cli_broker *broker = &report->brokers[i];

        broker->id = row->node_id;
        broker->port = row->port;
        broker->host = koa_strndup(row->host.data, row->host.size);
        koa_kafka_versions_clear(&broker->versions);
        report->broker_count++;
        if (broker->host == NULL)
            return false;
    }
    return report->brokers != NULL;
}

static void name_brokers(struct cli_exam *exam)
{
    struct koa_kafka_address *addresses =
        koa_calloc(exam->report.broker_count + 1, sizeof(*addresses));

    for (size_t i = 0; addresses != NULL && i < exam->report.broker_count; i++) {
        const struct cli_broker *broker = &exam->report.brokers[i];

        addresses[i] = (struct koa_kafka_address){
            .host = broker->host, .id = broker->id, .port = broker->port};
    }
    if (addresses != NULL)
        exam->opts.ops->set_brokers(exam->opts.context, addresses, exam->report.broker_count);
    koa_free(addresses);
}

static void on_cluster(void *context, struct koa_kafka_request *request,
                       const struct koa_kafka_answer *answer)
{
    struct ask *ask = context;
    struct cli_exam *exam = ask->exam;
    const struct koa_kafka_metadata_response *body = answer->body;

    (void) request;
    if (answer->error != NULL) {
        note_contact(&exam->report.servers[exam->server], answer);
    } else if (!take_brokers(exam, body)) {
        exam->report.is_out_of_memory = true;
        free_brokers(&exam->report);
    } else {
        exam->report.is_connected = true;
        exam->report.controller = body->controller_id;
        (void) koa_str_copy(exam->report.cluster_id, CLI_NAME_SIZE, body->cluster_id);
        take_topics(exam, body);
        name_brokers(exam);
    }
    release(exam);
}

/* From the first server that has answered and was not asked yet. False: there is none. */
static bool ask_for_cluster(struct cli_exam *exam)
{
    static const struct koa_kafka_metadata_request all = {.include_topic_authorized_operations =
                                                              true};

    while (exam->server < exam->report.server_count &&
           !exam->report.servers[exam->server].has_answered)
        exam->server++;
    if (exam->server == exam->report.server_count || !prepare(exam, 1)) {
        exam->pending = 0;
        return false;
    }
    exam->asks[0] = (struct ask){
        .request = {.api_key = KOA_KAFKA_METADATA, .body = &all, .done = on_cluster}, .exam = exam};
    submit(&exam->asks[0], koa_kafka_bootstrap_id(exam->server));
    release(exam);
    return true;
}

/* ---- the brokers */

static void on_broker(void *context, struct koa_kafka_request *request,
                      const struct koa_kafka_answer *answer)
{
    struct ask *ask = context;
    struct cli_broker *broker = &ask->exam->report.brokers[ask->index];

    (void) request;
    note_contact(&broker->contact, answer);
    if (answer->error == NULL) {
        koa_kafka_versions_learn(&broker->versions, answer->body);
        broker->release = cli_broker_release(broker);
        ask->exam->report.reachable_count++;
        if (koa_kafka_versions_get(&broker->versions, KOA_KAFKA_DESCRIBE_QUORUM) >= 0)
            ask->exam->report.has_quorum = true;
    }
    release(ask->exam);
}

static void on_groups(void *context, struct koa_kafka_request *request,
                      const struct koa_kafka_answer *answer)
{
    struct ask *ask = context;
    struct cli_report *report = &ask->exam->report;
    const struct koa_kafka_list_groups_response *body = answer->body;

    (void) request;
    for (size_t i = 0; answer->error == NULL && i < body->groups.count; i++) {
        char name[CLI_NAME_SIZE];

        report->group_count++;
        if (ask->exam->opts.groups_are_chosen && !report->group_is_real &&
            koa_str_copy(name, sizeof(name), body->groups.rows[i].group_id) &&
            koa_name_filter_passes(ask->exam->opts.groups, name)) {
            report->group_is_real = true;
            memcpy(report->group, name, sizeof(name));
        }
    }
    release(ask->exam);
}

static void ask_brokers(struct cli_exam *exam)
{
    static const struct koa_kafka_list_groups_request all;
    size_t count = exam->report.broker_count;

    if (!prepare(exam, count * REQUESTS_PER_BROKER)) {
        release(exam);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        exam->asks[i] = (struct ask){
            .request = {.api_key = KOA_KAFKA_API_VERSIONS, .body = &hello, .done = on_broker},
            .exam = exam,
            .index = i};
        exam->asks[count + i] = (struct ask){
            .request = {.api_key = KOA_KAFKA_LIST_GROUPS, .body = &all, .done = on_groups},
            .exam = exam,
            .index = i};
        submit(&exam->asks[i], exam->report.brokers[i].id);
        submit(&exam->asks[count + i], exam->report.brokers[i].id);
    }
    release(exam);
}

/* ---- the features */

/* The controller first: with ZooKeeper only it answers some of the questions. */
static bool next_broker(struct ask *ask)
{
    const struct cli_exam *exam = ask->exam;
    const struct cli_report *report = &exam->report;

    while (ask->tries < report->broker_count) {
        ask->broker = (exam->first_broker + ask->tries++) % report->broker_count;
        if (koa_kafka_versions_get(&report->brokers[ask->broker].versions, ask->request.api_key) >=
            0)
            return true;
    }
    return false;
}

/* The leader of the quorum gives its own time as that of its last fetch; followers fetch at least
 * twice a second, so without it the newest of theirs would be too uncertain. */
static void learn_clock(struct cli_exam *exam,
                        const struct koa_kafka_describe_quorum_response *body, int16_t version)
{
    struct koa_wall now = exam->opts.ops->wall(exam->opts.context);
    int64_t round_trip = now.ms - exam->quorum_asked.ms;
    const struct koa_kafka_describe_quorum_partition *partition;

    if (version < 1 || round_trip < 0 || body->error_code != KOA_KAFKA_NO_ERROR ||
        body->topics.count == 0 || body->topics.rows[0].partitions.count == 0)
        return;
    partition = &body->topics.rows[0].partitions.rows[0];
    for (size_t i = 0; i < partition->current_voters.count; i++) {
        const struct koa_kafka_describe_quorum_replica *voter = &partition->current_voters.rows[i];

        if (voter->replica_id == partition->leader_id && voter->last_fetch_timestamp > 0) {
            exam->report.has_clock = true;
            exam->report.clock_difference_ms =
                voter->last_fetch_timestamp - exam->quorum_asked.ms - round_trip / 2;
            exam->report.clock_error_ms = (round_trip + 1) / 2;
        }
    }
}

static void on_feature(void *context, struct koa_kafka_request *request,
                       const struct koa_kafka_answer *answer)
{
    struct ask *ask = context;
    struct cli_exam *exam = ask->exam;
    const struct cli_feature *feature = &cli_features[ask->index];

    if (answer->error != NULL) {
        cli_result_untold(&exam->report.results[ask->index], feature, answer->error);
        if (next_broker(ask))
            submit(ask, exam->report.brokers[ask->broker].id);
    } else {
        struct cli_reply reply = {.codes = {CLI_CODE_NONE, CLI_CODE_NONE}};

        feature->question->judge(answer->body, &reply);
        cli_result_take(&exam->report.results[ask->index], feature, &reply);
        if (request->api_key == KOA_KAFKA_DESCRIBE_QUORUM)
            learn_clock(exam, answer->body, answer->version);
    }
    release(exam);
}

static void choose_subject(struct cli_exam *exam)
{
    struct cli_report *report = &exam->report;

    if (!report->topic_is_real)
        memcpy(report->topic, no_such_name, sizeof(no_such_name));
    if (!report->group_is_real)
        memcpy(report->group, no_such_name, sizeof(no_such_name));
    exam->subject = (struct cli_subject){.topic = koa_str_from(report->topic),
                                         .group = koa_str_from(report->group),
                                         .probe_topic = koa_str_from(exam->opts.probe_topic),
                                         .timeout_ms = (int32_t) exam->opts.request_timeout_ms};
}

static void ask_about(struct cli_exam *exam, size_t index)
{
    const struct cli_feature *feature = &cli_features[index];
    struct ask *ask = &exam->asks[index];

    if (feature->question == NULL ||
        (feature->weight == CLI_IF_PROBING && exam->opts.probe_topic == NULL))
        return;
    *ask = (struct ask){.request = {.api_key = feature->question->api_key,
                                    .body = feature->question->ask(&exam->subject, exam->arena),
                                    .done = on_feature},
                        .exam = exam,
                        .index = index};
    if (ask->request.body == NULL) {
        exam->report.is_out_of_memory = true;
    } else if (next_broker(ask)) {
        submit(ask, exam->report.brokers[ask->broker].id);
    }
}

static void ask_about_features(struct cli_exam *exam)
{
    choose_subject(exam);
    for (size_t i = 0; i < exam->report.broker_count; i++) {
        if (exam->report.brokers[i].id == exam->report.controller)
            exam->first_broker = i;
    }
    exam->quorum_asked = exam->opts.ops->wall(exam->opts.context);
    if (prepare(exam, cli_feature_count)) {
        for (size_t i = 0; i < cli_feature_count; i++)
            ask_about(exam, i);
    }
    release(exam);
}

/* ---- the steps */

static void finish(struct cli_exam *exam)
{
    exam->step = STEP_DONE;
    if (exam->report.is_connected)
        cli_report_judge(&exam->report, exam->opts.probe_topic != NULL);
    exam->opts.ops->finished(exam->opts.context);
}

static void take_next_step(struct cli_exam *exam)
{
    if (exam->report.is_out_of_memory) {
        finish(exam);
        return;
    }
    switch (exam->step) {
    case STEP_SERVERS:
        exam->step = STEP_CLUSTER;
        if (!ask_for_cluster(exam))
            finish(exam);
        break;
    case STEP_CLUSTER:
        if (!exam->report.is_connected) {
            if (!ask_for_cluster(exam))
                finish(exam);
            break;
        }
        exam->step = STEP_BROKERS;
        ask_brokers(exam);
        break;
    case STEP_BROKERS:
        exam->step = STEP_FEATURES;
        ask_about_features(exam);
        break;
    case STEP_FEATURES:
        finish(exam);
        break;
    case STEP_DONE:
        break;
    }
}

void cli_exam_begin(struct cli_exam *exam)
{
    ask_servers(exam);
}
