/* Decides when a message is sent, read, lost or doubled. */
#include "cluster/probe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/num.h"
#include "base/str.h"
#include "cluster/probe_topic.h"
#include "cluster/roster.h"
#include "kafka/error_code.h"
#include "kafka/messages/fetch.h"
#include "kafka/messages/metadata.h"
#include "kafka/messages/produce.h"
#include "kafka/record_batch.h"

enum {
    FETCH_BYTES = 64 * 1024,
    BATCH_LIMIT = 1024, /* of one message: key and value are short */
    /* The message is there when it was acknowledged; a replica may lag behind by a moment. */
    FETCH_WAIT_MS = 100,
};

/* One partition, and the message that is on its way through it. */
struct lane {
    struct koa_cluster_probe *probe;
    int32_t id;
    int32_t leader; /* -1: none */
    bool is_listed;
    enum { IDLE, PRODUCING, WAITING, FETCHING } state;
    int64_t sequence; /* of the last message sent */
    int64_t received; /* the highest sequence read back */
    struct koa_mono sent;
    int32_t sent_to;
    int64_t offset;   /* of the message that is waited for */
    int64_t position; /* the next offset to read; -1: that of the next message */
    struct koa_wall succeeded;
    double round_trip; /* seconds, of the last one read back */
    int64_t failures;  /* since the last success */
    int64_t lost;
    char error[KOA_ROSTER_TEXT];

    struct koa_kafka_request request;
    struct koa_kafka_produce_request produce;
    struct koa_kafka_produce_request_topic produce_topic;
    struct koa_kafka_produce_request_partition produce_partition;
    struct koa_kafka_fetch_request fetch;
    struct koa_kafka_fetch_request_topic fetch_topic;
    struct koa_kafka_fetch_request_partition fetch_partition;
    struct koa_buf batch;
};

struct koa_cluster_probe {
    struct koa_cluster_probe_opts opts;
    char *cluster, *topic, *agent;
    struct lane **lanes; /* by partition id; they stay where they are while requests run */
    size_t lane_count;
    bool is_cancelled;

    struct koa_probe_topic *layout;
    struct koa_kafka_request layout_request;
    bool is_asking;
    struct koa_mono layout_due;
    size_t next_server;
    bool has_layout;
    bool is_missing; /* the topic has to be created */
    char error[KOA_ROSTER_TEXT];
};

static struct koa_mono now_of(const struct koa_cluster_probe *probe)
{
    return probe->opts.ops->mono(probe->opts.context);
}

enum koa_err koa_cluster_probe_create(const struct koa_cluster_probe_opts *opts,
                                      struct koa_cluster_probe **ret_probe,
                                      struct koa_error *reterr)
{
    struct koa_cluster_probe *probe = koa_calloc(1, sizeof(*probe));
    enum koa_err err = koa_require_memory(probe, reterr);

    if (err != KOA_OK)
        return err;
    probe->opts = *opts;
    probe->cluster = koa_strdup(opts->cluster);
    probe->topic = koa_strdup(opts->topic);
    probe->agent = koa_strdup(opts->agent);
    probe->layout = koa_probe_topic_create(opts->topic);
    (void) koa_str_copy(probe->error, sizeof(probe->error), KOA_STR("not looked at yet"));
    if (probe->cluster == NULL || probe->topic == NULL || probe->agent == NULL ||
        probe->layout == NULL)
        err = koa_fail(reterr, KOA_ERR_NOMEM, "no memory for a probe");
    if (err == KOA_OK)
        *ret_probe = KOA_MOVE(probe);
    koa_cluster_probe_destroy(probe);
    return err;
}

void koa_cluster_probe_destroy(struct koa_cluster_probe *probe)
{
    if (probe == NULL)
        return;
    KOA_ASSERT(!probe->is_asking);
    for (size_t i = 0; i < probe->lane_count; i++) {
        KOA_ASSERT(probe->lanes[i]->state == IDLE || probe->lanes[i]->state == WAITING);
        koa_buf_deinit(&probe->lanes[i]->batch);
        koa_free(probe->lanes[i]);
    }
    koa_free(probe->lanes);
    koa_probe_topic_destroy(probe->layout);
    koa_free(probe->cluster);
    koa_free(probe->topic);
    koa_free(probe->agent);
    koa_free(probe);
}

void koa_cluster_probe_cancel(struct koa_cluster_probe *probe)
{
    probe->is_cancelled = true;
}

static void tell(const struct lane *lane, enum koa_probe_event event)
{
    const struct koa_cluster_probe_opts *opts = &lane->probe->opts;
    double seconds = (double) koa_mono_diff_ms(now_of(lane->probe), lane->sent) / 1000.0;

    opts->ops->happened(opts->context, &(struct koa_probe_news){.event = event,
                                                                .broker = lane->sent_to,
                                                                .partition = lane->id,
                                                                .seconds = seconds});
}

static void set_error(char error[KOA_ROSTER_TEXT], const char *text)
{
    (void) koa_str_copy(error, KOA_ROSTER_TEXT, koa_str_from(text));
}

static void look_again(struct koa_cluster_probe *probe, int64_t wait_ms)
{
    struct koa_mono due = koa_mono_add_ms(now_of(probe), wait_ms);

    if (koa_mono_diff_ms(probe->layout_due, due) > 0)
        probe->layout_due = due;
}

/* The partition gave an error: perhaps its leader is another by now. */
static void note_failure(struct lane *lane, const char *text)
{
    lane->failures++;
    set_error(lane->error, text);
    look_again(lane->probe, 0);
}

static void submit(struct lane *lane, int16_t api_key, const void *body, koa_kafka_done_fn *done)
{
    const struct koa_cluster_probe_opts *opts = &lane->probe->opts;

    lane->request = (struct koa_kafka_request){
        .api_key = api_key,
        .body = body,
        .deadline = koa_mono_add_ms(now_of(lane->probe), opts->request_timeout_ms),
        .done = done,
        .context = lane};
    opts->ops->submit(opts->context, lane->leader, &lane->request);
}

/* One record of ours: was it there before? */
static void take_record(struct lane *lane, const struct koa_kafka_record *record)
{
    int64_t sequence;

    if (!koa_str_equal_text(record->key, lane->probe->agent) ||
        koa_parse_int(record->value, 1, INT64_MAX, &sequence) != KOA_OK)
        return;
    if (sequence <= lane->received) {
        tell(lane, KOA_PROBE_DUPLICATED);
        return;
    }
    lane->received = sequence;
    if (sequence != lane->sequence)
        return;
    tell(lane, KOA_PROBE_RECEIVED);
    lane->succeeded = lane->probe->opts.ops->wall(lane->probe->opts.context);
    lane->round_trip = (double) koa_mono_diff_ms(now_of(lane->probe), lane->sent) / 1000.0;
    lane->failures = 0;
    lane->error[0] = '\0';
    lane->state = IDLE;
}

static enum koa_err read_records(struct lane *lane, struct koa_str bytes, struct koa_error *reterr)
{
    bool is_found = true;
    enum koa_err err = KOA_OK;

    while (err == KOA_OK) {
        struct koa_kafka_record_batch batch;
        bool has_record = true;

        err = koa_kafka_record_batch_next(&bytes, &batch, &is_found, reterr);
        if (err != KOA_OK || !is_found)
            return err;
        while (!batch.is_control && has_record) {
            struct koa_kafka_record record;

            err = koa_kafka_record_next(&batch, &record, &has_record, reterr);
            if (err == KOA_ERR_UNSUPPORTED) {
                has_record = false; /* compressed: none of ours */
                err = KOA_OK;
            } else if (err != KOA_OK) {
                return err;
            } else if (has_record && record.offset >= lane->position) {
                take_record(lane, &record);
            }
        }
        if (batch.last_offset >= lane->position)
            lane->position = batch.last_offset + 1;
    }
    return err;
}

static void lose(struct lane *lane, const char *why)
{
    tell(lane, KOA_PROBE_LOST);
    lane->lost++;
    lane->position = -1;
    lane->state = IDLE;
    note_failure(lane, why);
    koa_log_warn(lane->probe->opts.log, "cluster.probe",
                 "%s: a message that broker %" PRId32 " acknowledged at offset %" PRId64
                 " of %s-%" PRId32 " is lost: %s",
                 lane->probe->cluster, lane->sent_to, lane->offset, lane->probe->topic, lane->id,
                 why);
}

static void take_fetched(struct lane *lane, const struct koa_kafka_fetch_response *answer)
{
    const struct koa_kafka_fetch_partition *partition;
    struct koa_error error;

    if (answer->error_code != KOA_KAFKA_NO_ERROR || answer->responses.count == 0 ||
        answer->responses.rows[0].partitions.count == 0) {
        note_failure(lane, koa_kafka_error_name(answer->error_code));
        return;
    }
    partition = &answer->responses.rows[0].partitions.rows[0];
    if (partition->error_code == KOA_KAFKA_OFFSET_OUT_OF_RANGE) {
        lose(lane, "the log does not reach that far any more");
    } else if (partition->error_code != KOA_KAFKA_NO_ERROR) {
        note_failure(lane, koa_kafka_error_name(partition->error_code));
    } else if (read_records(lane, partition->records, &error) != KOA_OK) {
        note_failure(lane, error.text);
        lane->position = -1;
        lane->state = IDLE;
    } else if (lane->state != IDLE && lane->position > lane->offset) {
        lose(lane, "another record stands there");
    }
}

static void on_fetched(void *context, struct koa_kafka_request *request,
                       const struct koa_kafka_answer *answer)
{
    struct lane *lane = context;

    (void) request;
    lane->state = WAITING;
    if (lane->probe->is_cancelled)
        return;
    if (answer->error != NULL) {
        note_failure(lane, answer->error->text);
    } else {
        take_fetched(lane, answer->body);
    }
}

static void fetch(struct lane *lane)
{
    if (lane->leader < 0)
        return;
    lane->fetch_partition =
        (struct koa_kafka_fetch_request_partition){.partition = lane->id,
                                                   .fetch_offset = lane->position,
                                                   .log_start_offset = -1,
                                                   .high_watermark = INT64_MAX,
                                                   .current_leader_epoch = -1,
                                                   .last_fetched_epoch = -1,
                                                   .partition_max_bytes = FETCH_BYTES};
    lane->fetch_topic = (struct koa_kafka_fetch_request_topic){
        .topic = koa_str_from(lane->probe->topic),
        .partitions = {.rows = &lane->fetch_partition, .count = 1}};
    lane->fetch =
        (struct koa_kafka_fetch_request){.replica_id = -1,
                                         .max_wait_ms = FETCH_WAIT_MS,
                                         .min_bytes = 1,
                                         .max_bytes = FETCH_BYTES,
                                         .session_epoch = -1,
                                         .topics = {.rows = &lane->fetch_topic, .count = 1}};
    lane->state = FETCHING;
    submit(lane, KOA_KAFKA_FETCH, &lane->fetch, on_fetched);
}

static void fail(struct lane *lane, const char *text)
{
    tell(lane, KOA_PROBE_FAILED);
    note_failure(lane, text);
}

static void on_produced(void *context, struct koa_kafka_request *request,
                        const struct koa_kafka_answer *answer)
{
    struct lane *lane = context;
    const struct koa_kafka_produce_response *body = answer->body;
    const struct koa_kafka_produce_partition *partition = NULL;

    (void) request;
    lane->state = IDLE;
    if (lane->probe->is_cancelled)
        return;
    if (answer->error != NULL) {
        fail(lane, answer->error->text);
        return;
    }
    if (body->responses.count > 0 && body->responses.rows[0].partition_responses.count > 0)
        partition = &body->responses.rows[0].partition_responses.rows[0];
    if (partition == NULL || partition->error_code != KOA_KAFKA_NO_ERROR ||
        partition->base_offset < 0) {
        fail(lane, partition != NULL ? koa_kafka_error_name(partition->error_code)
                                     : "an answer without the partition");
        return;
    }
    tell(lane, KOA_PROBE_PRODUCED);
    lane->offset = partition->base_offset;
    if (lane->position < 0 || lane->position > lane->offset)
        lane->position = lane->offset;
    fetch(lane);
}

static void produce(struct lane *lane)
{
    struct koa_kafka_record record = {.key = koa_str_from(lane->probe->agent)};
    char text[KOA_NUM_TEXT_SIZE];
    struct koa_error error;

    record.value = (struct koa_str){.data = text, .size = koa_format_int(lane->sequence + 1, text)};
    record.timestamp_ms = lane->probe->opts.ops->wall(lane->probe->opts.context).ms;
    koa_buf_clear(&lane->batch);
    if (koa_kafka_record_batch_encode(&record, 1, &lane->batch, &error) != KOA_OK) {
        set_error(lane->error, error.text);
        return;
    }
    lane->sequence++;
    lane->produce_partition = (struct koa_kafka_produce_request_partition){
        .index = lane->id, .records = {.data = lane->batch.data, .size = lane->batch.size}};
    lane->produce_topic = (struct koa_kafka_produce_request_topic){
        .name = koa_str_from(lane->probe->topic),
        .partition_data = {.rows = &lane->produce_partition, .count = 1}};
    lane->produce = (struct koa_kafka_produce_request){
        .acks = -1,
        .timeout_ms = (int32_t) lane->probe->opts.request_timeout_ms,
        .topic_data = {.rows = &lane->produce_topic, .count = 1}};
    lane->sent = now_of(lane->probe);
    lane->sent_to = lane->leader;
    lane->state = PRODUCING;
    submit(lane, KOA_KAFKA_PRODUCE, &lane->produce, on_produced);
}

static struct lane *find_lane(struct koa_cluster_probe *probe, int32_t id)
{
    struct lane **lanes;
    struct lane *lane;

    for (size_t i = 0; i < probe->lane_count; i++) {
        if (probe->lanes[i]->id == id)
            return probe->lanes[i];
    }
    if (probe->lane_count == KOA_PROBE_PARTITIONS)
        return NULL;
    lane = koa_calloc(1, sizeof(*lane));
    lanes = koa_realloc_array(probe->lanes, probe->lane_count + 1, sizeof(void *));
    if (lanes != NULL)
        probe->lanes = lanes;
    if (lane == NULL || lanes == NULL) {
        koa_free(lane);
        return NULL;
    }
    *lane =
        (struct lane){.probe = probe, .id = id, .position = -1, .batch = {.limit = BATCH_LIMIT}};
    probe->lanes[probe->lane_count++] = lane;
    return lane;
}

static void tell_brokers(struct koa_cluster_probe *probe,
                         const struct koa_kafka_metadata_response *answer)
{
    struct koa_kafka_address *addresses = koa_calloc(answer->brokers.count + 1, sizeof(*addresses));
    char(*hosts)[KOA_ROSTER_TEXT] = koa_calloc(answer->brokers.count + 1, sizeof(*hosts));

    for (size_t i = 0; addresses != NULL && hosts != NULL && i < answer->brokers.count; i++) {
        (void) koa_str_copy(hosts[i], sizeof(hosts[i]), answer->brokers.rows[i].host);
        addresses[i] = (struct koa_kafka_address){.host = hosts[i],
                                                  .id = answer->brokers.rows[i].node_id,
                                                  .port = answer->brokers.rows[i].port};
    }
    if (addresses != NULL && hosts != NULL)
        probe->opts.ops->set_brokers(probe->opts.context, addresses, answer->brokers.count);
    koa_free(addresses);
    koa_free(hosts);
}

static void take_layout(struct koa_cluster_probe *probe,
                        const struct koa_kafka_metadata_response *answer)
{
    const struct koa_kafka_metadata_topic *topic =
        answer->topics.count > 0 ? &answer->topics.rows[0] : NULL;

    tell_brokers(probe, answer);
    if (topic == NULL || topic->error_code == KOA_KAFKA_UNKNOWN_TOPIC_OR_PARTITION) {
        probe->is_missing = koa_probe_topic_learn(probe->layout, answer);
        set_error(probe->error, "the topic is not there yet");
        look_again(probe, 0);
        return;
    }
    if (topic->error_code != KOA_KAFKA_NO_ERROR && topic->partitions.count == 0) {
        set_error(probe->error, koa_kafka_error_name(topic->error_code));
        look_again(probe, KOA_PROBE_RETRY_MS);
        return;
    }
    for (size_t i = 0; i < probe->lane_count; i++)
        probe->lanes[i]->is_listed = false;
    for (size_t i = 0; i < topic->partitions.count; i++) {
        struct lane *lane = find_lane(probe, topic->partitions.rows[i].partition_index);

        if (lane == NULL)
            continue;
        lane->is_listed = true;
        lane->leader = topic->partitions.rows[i].leader_id;
        if (lane->leader < 0)
            set_error(lane->error, "the partition has no leader");
    }
    probe->has_layout = true;
    probe->error[0] = '\0';
}

static void on_created(struct koa_cluster_probe *probe,
                       const struct koa_kafka_create_topics_response *answer)
{
    int code = answer->topics.count > 0 ? answer->topics.rows[0].error_code : KOA_KAFKA_NO_ERROR;

    if (code == KOA_KAFKA_NO_ERROR || code == KOA_KAFKA_TOPIC_ALREADY_EXISTS) {
        koa_log_notice(probe->opts.log, "cluster.probe", "%s: topic %s is there", probe->cluster,
                       probe->topic);
        look_again(probe, 0);
        return;
    }
    if (code == KOA_KAFKA_NOT_CONTROLLER) { /* with ZooKeeper one broker alone creates topics */
        probe->next_server++;
        probe->is_missing = true;
        look_again(probe, KOA_PROBE_NEXT_MS);
        return;
    }
    (void) snprintf(probe->error, sizeof(probe->error), "topic %s could not be created: %s",
                    probe->topic, koa_kafka_error_name((int16_t) code));
    koa_log_warn(probe->opts.log, "cluster.probe", "%s: %s; trying again in %d s", probe->cluster,
                 probe->error, KOA_PROBE_RETRY_MS / 1000);
    look_again(probe, KOA_PROBE_RETRY_MS);
}

static void on_layout(void *context, struct koa_kafka_request *request,
                      const struct koa_kafka_answer *answer)
{
    struct koa_cluster_probe *probe = context;
    bool was_creation = request->api_key == KOA_KAFKA_CREATE_TOPICS;

    probe->is_asking = false;
    if (probe->is_cancelled)
        return;
    probe->layout_due = koa_mono_add_ms(now_of(probe), KOA_PROBE_LAYOUT_MS);
    probe->is_missing = false;
    if (answer->error != NULL) {
        set_error(probe->error, answer->error->text);
        probe->next_server++;
        look_again(probe, KOA_PROBE_RETRY_MS);
    } else if (was_creation) {
        on_created(probe, answer->body);
    } else {
        take_layout(probe, answer->body);
    }
}

/* Servers in turn: one that does not answer is not asked twice in a row. */
static void ask_for_layout(struct koa_cluster_probe *probe)
{
    const struct koa_cluster_probe_opts *opts = &probe->opts;
    size_t server = probe->next_server % opts->bootstrap_count;

    probe->is_asking = true;
    probe->layout_request = (struct koa_kafka_request){
        .api_key = probe->is_missing ? KOA_KAFKA_CREATE_TOPICS : KOA_KAFKA_METADATA,
        .body = probe->is_missing ? (const void *) koa_probe_topic_creation(
                                        probe->layout, opts->request_timeout_ms)
                                  : (const void *) koa_probe_topic_question(probe->layout),
        .deadline = koa_mono_add_ms(now_of(probe), opts->request_timeout_ms),
        .done = on_layout,
        .context = probe};
    opts->ops->submit(opts->context, koa_kafka_bootstrap_id(server), &probe->layout_request);
}

void koa_cluster_probe_tick(struct koa_cluster_probe *probe)
{
    if (probe->is_cancelled)
        return;
    if (!probe->is_asking && koa_mono_diff_ms(now_of(probe), probe->layout_due) >= 0)
        ask_for_layout(probe);
    for (size_t i = 0; probe->has_layout && i < probe->lane_count; i++) {
        struct lane *lane = probe->lanes[i];

        if (!lane->is_listed || lane->leader < 0)
            continue;
        if (lane->state == IDLE) {
            produce(lane);
        } else if (lane->state == WAITING) {
            fetch(lane);
        }
    }
}

bool koa_cluster_probe_fill(const struct koa_cluster_probe *probe, struct koa_snapshot *snapshot)
{
    struct koa_arena *arena = snapshot->arena;
    size_t count = 0;

    snapshot->has_probe = true;
    snapshot->probe_error = probe->error[0] != '\0' ? koa_arena_strdup(arena, probe->error) : NULL;
    snapshot->probes = koa_arena_alloc(arena, probe->lane_count + 1, sizeof(*snapshot->probes));
    for (size_t i = 0; snapshot->probes != NULL && i < probe->lane_count; i++) {
        const struct lane *lane = probe->lanes[i];

        if (!lane->is_listed)
            continue;
        snapshot->probes[count++] = (struct koa_snapshot_probe){
            .partition = lane->id,
            .leader = lane->leader,
            .error = lane->error[0] != '\0' ? koa_arena_strdup(arena, lane->error) : NULL,
            .success_time = lane->succeeded,
            .round_trip_seconds = lane->round_trip,
            .failures = lane->failures,
            .lost = lane->lost};
    }
    snapshot->probe_count = count;
    return !koa_arena_failed(arena);
}
