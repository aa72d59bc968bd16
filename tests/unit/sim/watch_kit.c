#include "watch_kit.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "kafka/messages/list_offsets.h"
#include "kit/kit.h"

/* ---- between them */

static struct koa_mono tell_mono(void *context)
{
    return ((struct watch *) context)->kit.question.now;
}

static struct koa_wall tell_wall(void *context)
{
    return ((struct watch *) context)->kit.question.wall;
}

static int16_t version_of(void *context, int32_t broker, int16_t api_key)
{
    const struct watch *watch = context;
    const struct koa_kafka_api *api = koa_kafka_api_find(api_key);
    int16_t minimum;
    int16_t maximum;

    (void) broker;
    if (!koa_sim_version_range(watch->kit.model->version, api_key, &minimum, &maximum))
        return -1;
    if (api->highest_asked > 0 && api->highest_asked < maximum)
        return api->highest_asked;
    return maximum;
}

/* What becomes of a request is known at once; when it is told, is not yet. */
static void put_through(struct watch *watch, int32_t broker, struct watch_pending *pending)
{
    const struct koa_sim_node *node = koa_sim_model_node(watch->kit.model, broker);
    struct koa_buf request = {.limit = 1 << 20};

    if (node->is_dead) {
        pending->err = KOA_ERR_IO;
        return;
    }
    pending->err = KOA_ERR_TIMEOUT;
    pending->due = pending->request->deadline;
    if (node->is_frozen)
        return;
    assert_int_equal(
        koa_kafka_frame_request(&pending->header, pending->request->body, &request, NULL), KOA_OK);
    watch->kit.question.broker = broker;
    pending->bytes.limit = 16 << 20;
    koa_arena_reset(watch->kit.question.arena);
    if (koa_sim_answer(&watch->kit.question, (struct koa_str){request.data + 4, request.size - 4},
                       &pending->bytes, NULL) != KOA_OK) {
        pending->err = KOA_ERR_CLOSED;
        pending->due = watch->kit.question.now;
    } else if (pending->bytes.size > 0) {
        pending->err = KOA_OK;
        pending->due = koa_mono_add_ms(watch->kit.question.now, node->latency_ms);
        if (pending->due.ms >= pending->request->deadline.ms) {
            pending->err = KOA_ERR_TIMEOUT;
            pending->due = pending->request->deadline;
        }
    }
    koa_buf_deinit(&request);
}

static bool is_about_times(const struct koa_kafka_request *request)
{
    const struct koa_kafka_list_offsets_request *body = request->body;

    return request->api_key == KOA_KAFKA_LIST_OFFSETS && body->topics.count > 0 &&
           body->topics.rows[0].partitions.rows[0].timestamp >= 0;
}

static void submit(void *context, int32_t broker, struct koa_kafka_request *request)
{
    struct watch *watch = context;
    struct watch_pending *pending = &watch->pending[watch->pending_count];

    assert_true(watch->pending_count < WATCH_PENDING_MAX);
    watch->pending_count++;
    assert_in_range(request->api_key, 0, WATCH_APIS - 1);
    watch->asked[request->api_key]++;
    watch->asked_times += is_about_times(request) ? 1 : 0;
    if (watch->saw != NULL)
        watch->saw(watch->seer, broker, request);
    *pending = (struct watch_pending){
        .request = request,
        .due = watch->kit.question.now,
        .header = {.api_key = request->api_key,
                   .api_version = version_of(watch, broker, request->api_key),
                   .client_id = KOA_STR("test")},
    };
    if (pending->header.api_version < 0) {
        pending->err = KOA_ERR_UNSUPPORTED;
    } else {
        /* The server of the configuration is the first broker. */
        put_through(watch, broker < 0 ? 1 : broker, pending);
    }
}

static void set_brokers(void *context, const struct koa_kafka_address *brokers, size_t count)
{
    (void) context, (void) brokers, (void) count;
}

static void take_snapshot(void *context, struct koa_snapshot *snapshot,
                          const struct koa_collector_report *report)
{
    struct watch *watch = context;

    koa_snapshot_unref(watch->snapshot);
    watch->snapshot = snapshot;
    watch->cycle_ms = report->duration_ms;
}

/* Ends the one that is due first. */
static void end_next(struct watch *watch)
{
    struct koa_arena *arena = koa_arena_create(64 << 20);
    struct koa_kafka_answer answer = {.was_sent = true};
    struct koa_error error;
    struct watch_pending ended;
    size_t first = 0;
    void *body;

    assert_non_null(arena);
    for (size_t i = 1; i < watch->pending_count; i++) {
        if (watch->pending[i].due.ms < watch->pending[first].due.ms)
            first = i;
    }
    ended = watch->pending[first];
    watch->pending_count--;
    memmove(&watch->pending[first], &watch->pending[first + 1],
            (watch->pending_count - first) * sizeof(watch->pending[0]));
    if (ended.due.ms > watch->kit.question.now.ms)
        sim_kit_advance(&watch->kit, ended.due.ms - watch->kit.question.now.ms);
    answer.api = koa_kafka_api_find(ended.header.api_key);
    answer.version = ended.header.api_version;
    body = koa_arena_alloc(arena, 1, answer.api->response->size);
    if (ended.err == KOA_OK) {
        ended.err = koa_kafka_open_response(
            &ended.header, (struct koa_str){ended.bytes.data + 4, ended.bytes.size - 4}, arena,
            body, &error);
        answer.body = body;
    } else {
        (void) koa_fail(&error, ended.err, "the broker does not answer");
    }
    if (ended.err != KOA_OK) {
        answer.error = &error;
        answer.body = NULL;
    }
    ended.request->done(ended.request->context, ended.request, &answer);
    koa_buf_deinit(&ended.bytes);
    koa_arena_destroy(arena);
}

/* ---- the watch */

static const struct koa_collector_ops ops = {
    .mono = tell_mono,
    .wall = tell_wall,
    .submit = submit,
    .version = version_of,
    .set_brokers = set_brokers,
    .finished = take_snapshot,
};

static void set_up(struct watch *watch, enum koa_sim_version version, uint64_t seed, int64_t batch,
                   int64_t slow_interval_ms)
{
    struct koa_collector_opts opts = {.name = "sim",
                                      .bootstrap_count = 1,
                                      .interval_ms = WATCH_INTERVAL_MS,
                                      .slow_interval_ms = slow_interval_ms,
                                      .request_timeout_ms = WATCH_TIMEOUT_MS,
                                      .batch = batch,
                                      .ops = &ops,
                                      .context = watch};

    memset(watch, 0, sizeof(*watch));
    sim_kit_set_up_with_seed(&watch->kit, version, seed);
    assert_int_equal(koa_name_filter_create(&(struct koa_name_filter_opts){.what = "topics"},
                                            &watch->filter, NULL),
                     KOA_OK);
    opts.filter = watch->filter;
    assert_int_equal(koa_collector_create(&opts, &watch->collector, NULL), KOA_OK);
}

void sim_watch_set_up(struct watch *watch, enum koa_sim_version version)
{
    set_up(watch, version, 1, 500, WATCH_INTERVAL_MS);
}

void sim_watch_set_up_with_seed(struct watch *watch, enum koa_sim_version version, uint64_t seed)
{
    set_up(watch, version, seed, 500, WATCH_INTERVAL_MS);
}

void sim_watch_set_up_quick(struct watch *watch, enum koa_sim_version version, int64_t batch)
{
    set_up(watch, version, 1, batch, INT64_C(1000) * WATCH_INTERVAL_MS);
}

void sim_watch_set_up_reader(struct watch *watch)
{
    sim_watch_set_up(watch, KOA_SIM_KAFKA_4_X);
    sim_kit_do(&watch->kit,
               "scenario:\n"
               "  - {at: 0s, do: write, topic: orders, rate: 0}\n"
               "  - {at: 0s, do: create_group, group: reader, topic: orders, lag: 0s}\n");
    sim_kit_advance(&watch->kit, 20000);
}

void sim_watch_tear_down(struct watch *watch)
{
    koa_collector_cancel(watch->collector);
    while (watch->pending_count > 0)
        end_next(watch);
    koa_collector_destroy(watch->collector);
    koa_name_filter_destroy(watch->filter);
    koa_snapshot_unref(watch->snapshot);
    sim_kit_tear_down(&watch->kit);
}

void sim_watch_cycle(struct watch *watch)
{
    int64_t began_ms = watch->kit.question.now.ms;

    memset(watch->asked, 0, sizeof(watch->asked));
    watch->asked_times = 0;
    assert_true(koa_collector_begin(watch->collector));
    while (koa_collector_is_busy(watch->collector)) {
        assert_true(watch->pending_count > 0);
        end_next(watch);
    }
    began_ms += WATCH_INTERVAL_MS - watch->kit.question.now.ms;
    if (began_ms > 0)
        sim_kit_advance(&watch->kit, began_ms);
}

void sim_watch_cycles(struct watch *watch, int count)
{
    for (int i = 0; i < count; i++)
        sim_watch_cycle(watch);
}

static size_t group_index(const struct watch *watch, const char *name, size_t *ret_count)
{
    size_t found = SIZE_MAX;

    *ret_count = 0;
    for (size_t i = 0; i < koa_snapshot_group_count(watch->snapshot); i++) {
        struct koa_snapshot_group row;

        koa_snapshot_group(watch->snapshot, i, &row);
        if (koa_text_equal(row.name, name)) {
            ++*ret_count;
            found = i;
        }
    }
    return found;
}

struct koa_snapshot_group sim_watch_group(const struct watch *watch, const char *name)
{
    struct koa_snapshot_group row;
    size_t count;
    size_t index = group_index(watch, name, &count);

    KIT_EXPECT_INT(name, 1, count);
    koa_snapshot_group(watch->snapshot, index, &row);
    return row;
}

struct koa_snapshot_topic sim_watch_topic(const struct watch *watch, const char *name)
{
    struct koa_snapshot_topic row = {.name = ""};

    for (size_t i = 0; i < koa_snapshot_topic_count(watch->snapshot); i++) {
        koa_snapshot_topic(watch->snapshot, i, &row);
        if (koa_text_equal(row.name, name))
            return row;
    }
    fail_msg("there is no topic %s", name);
    return row;
}

/* Where the topic stands among the group's. */
static struct koa_snapshot_group_topic find_topic(const struct watch *watch, size_t group,
                                                  const char *topic, size_t *ret_index)
{
    struct koa_snapshot_group row;
    struct koa_snapshot_group_topic told = {0};

    koa_snapshot_group(watch->snapshot, group, &row);
    for (*ret_index = 0; *ret_index < row.topics; ++*ret_index) {
        koa_snapshot_group_topic(watch->snapshot, group, *ret_index, &told);
        if (koa_text_equal(told.name, topic))
            return told;
    }
    fail_msg("%s has no topic %s", row.name, topic);
    return told;
}

struct koa_snapshot_group_topic sim_watch_group_topic(const struct watch *watch, const char *name,
                                                      const char *topic)
{
    size_t count;
    size_t at;

    return find_topic(watch, group_index(watch, name, &count), topic, &at);
}

struct koa_snapshot_commit sim_watch_commit(const struct watch *watch, const char *name,
                                            const char *topic)
{
    struct koa_snapshot_commit row;
    size_t count;
    size_t index = group_index(watch, name, &count);
    size_t at;

    KIT_EXPECT_INT(name, 1, count);
    (void) find_topic(watch, index, topic, &at);
    koa_snapshot_commit(watch->snapshot, index, at, 0, &row);
    return row;
}

static void print_conditions(const int64_t *conditions, struct koa_buf *text)
{
    for (int i = 0; i < KOA_CONDITION_COUNT; i++)
        koa_buf_printf(text, " %" PRId64, conditions[i]);
    koa_buf_append_char(text, '\n');
}

static void print_group_topic(const struct watch *watch, size_t group, size_t index,
                              struct koa_buf *text)
{
    struct koa_snapshot_group_topic row;

    koa_snapshot_group_topic(watch->snapshot, group, index, &row);
    koa_buf_printf(text, " %s %d %d %zu %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64,
                   row.name, row.is_gone, row.has_lag, row.commits, row.assigned, row.lag,
                   row.lag_max, row.committed, row.progress_time.ms);
    koa_buf_printf(text, " %g %g %g %g %g %g %u", row.consumption_rate, row.production_rate,
                   row.lag_velocity, row.has_catch_up ? row.catch_up_seconds : -1,
                   row.has_retention ? row.retention_ratio : -1, row.lag_seconds, row.lag_quality);
    print_conditions(row.conditions, text);
    for (size_t i = 0; i < row.commits; i++) {
        struct koa_snapshot_commit commit;

        koa_snapshot_commit(watch->snapshot, group, index, i, &commit);
        koa_buf_printf(text, "  %" PRId32 " %" PRId64 " %d %" PRId64 " %x\n", commit.partition,
                       commit.offset, commit.has_lag, commit.lag, commit.conditions);
    }
}

static void print_group(const struct watch *watch, size_t index, struct koa_buf *text)
{
    struct koa_snapshot_group row;

    koa_snapshot_group(watch->snapshot, index, &row);
    koa_buf_printf(text, "%s %u %s %s %s %" PRId32 " %d %" PRId64 " %" PRId64 " %" PRId64, row.name,
                   row.type, row.state, row.protocol, row.error != NULL ? row.error : "",
                   row.coordinator, row.is_stale, row.age_ms, row.members, row.idle_members);
    koa_buf_printf(text, " %d %" PRId64 " %" PRId64 " %g %u", row.has_lag, row.lag, row.lag_max,
                   row.lag_seconds, row.lag_quality);
    print_conditions(row.conditions, text);
    for (size_t i = 0; i < row.topics; i++)
        print_group_topic(watch, index, i, text);
}

static void print_topic(const struct watch *watch, size_t index, struct koa_buf *text)
{
    struct koa_snapshot_topic topic;

    koa_snapshot_topic(watch->snapshot, index, &topic);
    koa_buf_printf(text, "%s %d %d %d %" PRId64 "\n", topic.name, topic.leaderless,
                   topic.under_replicated, topic.min_isr, topic.log_bytes);
    for (int32_t i = 0; i < topic.partitions; i++) {
        struct koa_snapshot_partition row;

        koa_snapshot_partition(watch->snapshot, index, (size_t) i, &row);
        koa_buf_printf(
            text, " %" PRId32 " %" PRId32 " %" PRId32 " %d %" PRId64 " %" PRId64 " %" PRId64 "\n",
            row.id, row.leader, row.in_sync, row.is_stale, row.stable_offset, row.end_offset,
            row.start_offset);
    }
}

void sim_watch_print(const struct watch *watch, struct koa_buf *text)
{
    koa_buf_printf(text, "%s %" PRId64 " %s\n", koa_snapshot_cluster_id(watch->snapshot),
                   koa_snapshot_time(watch->snapshot).ms,
                   koa_snapshot_version_guess(watch->snapshot));
    for (size_t i = 0; i < koa_snapshot_broker_count(watch->snapshot); i++) {
        struct koa_snapshot_broker row;

        koa_snapshot_broker(watch->snapshot, i, &row);
        koa_buf_printf(text, "%" PRId32 " %s %d %" PRId64 " %" PRId64 " %s\n", row.id, row.rack,
                       row.is_up, row.leaders, row.replicas, row.error != NULL ? row.error : "");
    }
    for (size_t i = 0; i < koa_snapshot_topic_count(watch->snapshot); i++)
        print_topic(watch, i, text);
    for (size_t i = 0; i < koa_snapshot_group_count(watch->snapshot); i++)
        print_group(watch, i, text);
}

bool sim_watch_holds(const struct koa_snapshot_commit *row, enum koa_condition condition)
{
    return (row->conditions & 1U << condition) != 0;
}
