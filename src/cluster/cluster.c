/* The rim of the room: loop, timer, client and published snapshot around the collector. */
#include "cluster/cluster.h"

#include <inttypes.h>
#include <stdatomic.h>

#include "base/memory.h"
#include "base/str.h"
#include "cluster/collector.h"
#include "cluster/overrun.h"
#include "cluster/probe.h"
#include "cluster/telemetry.h"
#include "kafka/client.h"
#include "loop/clock.h"

enum { DEFAULT_PROBE_INTERVAL_MS = 1000 };
enum { DEFAULT_BATCH = 500 }; /* measured on real brokers: fewer groups cost more, more no less */

struct koa_cluster {
    atomic_size_t references;
    char *name;
    struct koa_loop *loop;
    struct koa_cluster_opts opts; /* without the borrowed text */
    struct koa_name_filter *topics_filter, *groups_filter;
    struct koa_kafka_client *client;
    struct koa_collector *collector;
    struct koa_cluster_probe *probe;       /* NULL: off */
    struct koa_kafka_client *probe_client; /* what is measured waits behind nothing else */
    struct koa_timer probe_timer;
    struct koa_published published;

    /* On the loop. */
    struct koa_timer timer;
    struct koa_mono due;
    struct koa_mono began; /* the cycle under way, or the last one */
    struct koa_mono last_good;
    bool has_good;
    bool is_running;
    bool is_again_wanted; /* a refresh came while a cycle was under way */
    bool was_failing;
    struct koa_overrun overrun;
    int64_t topics; /* as counted in kafka_ops_topics_total */
};

static struct koa_mono mono(void *context)
{
    (void) context;
    return koa_clock_mono();
}

static struct koa_wall wall(void *context)
{
    (void) context;
    return koa_clock_wall();
}

static void submit(void *context, int32_t broker, struct koa_kafka_request *request)
{
    struct koa_cluster *cluster = context;

    koa_kafka_client_submit(cluster->client, broker, request);
}

static int16_t version(void *context, int32_t broker, int16_t api_key)
{
    const struct koa_cluster *cluster = context;

    return koa_kafka_client_version(cluster->client, broker, api_key);
}

static void set_brokers(void *context, const struct koa_kafka_address *brokers, size_t count)
{
    struct koa_cluster *cluster = context;

    koa_kafka_client_set_brokers(cluster->client, brokers, count);
}

static void note_outcome(struct koa_cluster *cluster, const struct koa_snapshot *snapshot,
                         const struct koa_collector_report *report)
{
    if (report->has_failed && !cluster->was_failing) {
        koa_log_warn(cluster->opts.log, "cluster.failed",
                     "%s: no metadata: %s; keeping what was known and trying again every %" PRId64
                     " s",
                     cluster->name, snapshot != NULL ? snapshot->error : "no memory",
                     cluster->opts.interval_ms / 1000);
    }
    if (!report->has_failed && (cluster->was_failing || !cluster->has_good)) {
        koa_log_notice(cluster->opts.log, "cluster.collected",
                       "%s: %zu brokers, %zu topics, %zu partitions", cluster->name,
                       snapshot->broker_count, snapshot->topic_count, snapshot->partition_count);
    }
    cluster->was_failing = report->has_failed;
}

static void note_age(struct koa_cluster *cluster)
{
    int64_t age =
        cluster->has_good ? koa_mono_diff_ms(koa_loop_now(cluster->loop), cluster->last_good) : -1;

    koa_cluster_telemetry_age(cluster->opts.metrics, cluster->name, age);
}

/* False: a cycle is under way. */
static bool begin(struct koa_cluster *cluster)
{
    struct koa_mono now = koa_loop_now(cluster->loop);

    if (koa_collector_is_busy(cluster->collector))
        return false;
    cluster->began = now;
    return koa_collector_begin(cluster->collector);
}

static void note_end(struct koa_cluster *cluster, const struct koa_collector_report *report)
{
    int64_t left_out =
        koa_overrun_ended(&cluster->overrun, report->duration_ms <= cluster->opts.interval_ms);

    if (left_out > 0) {
        koa_log_notice(cluster->opts.log, "cluster.overrun",
                       "%s: cycles fit their interval again; %" PRId64 " were left out",
                       cluster->name, left_out);
    }
}

static void on_finished(void *context, struct koa_snapshot *snapshot,
                        const struct koa_collector_report *report)
{
    struct koa_cluster *cluster = context;

    koa_cluster_telemetry_cycle(cluster->opts.metrics, cluster->name, report, koa_clock_wall());
    note_end(cluster, report);
    koa_log_debug(cluster->opts.log, "cluster.cycle", "%s: %" PRId64 " ms, %s", cluster->name,
                  report->duration_ms, report->has_failed ? "failed" : "done");
    if (snapshot == NULL) {
        koa_log_error(cluster->opts.log, "cluster.memory",
                      "%s: no memory for a snapshot; the last one stays", cluster->name);
    } else {
        snapshot->granularity = cluster->opts.granularity;
        note_outcome(cluster, snapshot, report);
        if (cluster->probe != NULL && !koa_cluster_probe_fill(cluster->probe, snapshot)) {
            koa_log_error(cluster->opts.log, "cluster.memory",
                          "%s: no memory for the probe's part of a snapshot", cluster->name);
        }
        if (!report->has_failed) {
            cluster->last_good = koa_loop_now(cluster->loop);
            cluster->has_good = true;
        }
        koa_cluster_telemetry_watched(cluster->opts.metrics, 0,
                                      (int64_t) snapshot->topic_count - cluster->topics);
        cluster->topics = (int64_t) snapshot->topic_count;
        koa_cluster_telemetry_start_parts(cluster->opts.metrics, snapshot);
        koa_published_set(&cluster->published, &snapshot->object);
        if (cluster->opts.published != NULL)
            cluster->opts.published(cluster->opts.context, cluster->name);
    }
    note_age(cluster);
    if (cluster->is_again_wanted) {
        cluster->is_again_wanted = false;
        (void) begin(cluster);
    }
}

static void submit_probe(void *context, int32_t broker, struct koa_kafka_request *request)
{
    struct koa_cluster *cluster = context;

    koa_kafka_client_submit(cluster->probe_client, broker, request);
}

static void set_probe_brokers(void *context, const struct koa_kafka_address *brokers, size_t count)
{
    struct koa_cluster *cluster = context;

    koa_kafka_client_set_brokers(cluster->probe_client, brokers, count);
}

static void on_probe_news(void *context, const struct koa_probe_news *news)
{
    struct koa_cluster *cluster = context;

    koa_cluster_telemetry_probe(cluster->opts.metrics, cluster->name, news);
}

static void on_probe_due(struct koa_timer *timer, struct koa_mono now)
{
    struct koa_cluster *cluster = KOA_CONTAINER_OF(timer, struct koa_cluster, probe_timer);

    koa_cluster_probe_tick(cluster->probe);
    if (!koa_timers_arm(koa_loop_timers(cluster->loop), timer,
                        koa_mono_add_ms(now, cluster->opts.probe_interval_ms), on_probe_due)) {
        koa_log_error(cluster->opts.log, "cluster.memory",
                      "%s: no memory for the next message of the probe; it stops", cluster->name);
    }
}

static void observe(void *context, int32_t broker, const struct koa_kafka_answer *answer)
{
    struct koa_cluster *cluster = context;

    koa_cluster_telemetry_answer(cluster->opts.metrics, cluster->name, broker, answer);
}

static void on_reconnecting(void *context, int32_t broker)
{
    struct koa_cluster *cluster = context;

    koa_cluster_telemetry_reconnect(cluster->opts.metrics, cluster->name, broker);
}

static enum koa_err make_client(struct koa_cluster *cluster, const struct koa_cluster_opts *opts,
                                const char *purpose, struct koa_kafka_client **ret_client,
                                struct koa_error *reterr)
{
    struct koa_kafka_address servers[KOA_KAFKA_BOOTSTRAP_LIMIT] = {{.id = 0}};
    char *hosts[KOA_KAFKA_BOOTSTRAP_LIMIT] = {NULL};
    struct koa_kafka_client_opts client = {.loop = cluster->loop,
                                           .resolver = opts->resolver,
                                           .bootstrap = servers,
                                           .connections = (size_t) opts->connections,
                                           .connect_timeout_ms = opts->request_timeout_ms / 2,
                                           .security = opts->security,
                                           .workers = opts->workers,
                                           .http = opts->http,
                                           .name = cluster->name,
                                           .purpose = purpose,
                                           .log = opts->kafka_log != NULL ? opts->kafka_log
                                                                          : opts->log,
                                           .observe = observe,
                                           .reconnecting = on_reconnecting,
                                           .context = cluster};
    enum koa_err err = KOA_OK;

    if (opts->bootstrap_count == 0 || opts->bootstrap_count > KOA_KAFKA_BOOTSTRAP_LIMIT) {
        return koa_fail(reterr, KOA_ERR_INVALID,
                        "cluster '%s' names %zu bootstrap servers; 1 to %d are allowed",
                        cluster->name, opts->bootstrap_count, KOA_KAFKA_BOOTSTRAP_LIMIT);
    }
    for (size_t i = 0; i < opts->bootstrap_count && err == KOA_OK; i++) {
        err =
            koa_kafka_server_parse(opts->bootstrap_servers[i], &hosts[i], &servers[i].port, reterr);
        servers[i].host = hosts[i];
        client.bootstrap_count = i + 1;
    }
    if (err == KOA_OK)
        err = koa_kafka_client_create(&client, ret_client, reterr);
    for (size_t i = 0; i < client.bootstrap_count; i++)
        koa_free(hosts[i]);
    return err;
}

static enum koa_err make_collector(struct koa_cluster *cluster, const struct koa_cluster_opts *opts,
                                   struct koa_error *reterr)
{
    static const struct koa_collector_ops ops = {.mono = mono,
                                                 .wall = wall,
                                                 .submit = submit,
                                                 .version = version,
                                                 .set_brokers = set_brokers,
                                                 .finished = on_finished};
    struct koa_name_filter_opts topics = {.include = opts->topics_include,
                                          .include_count = opts->topics_include_count,
                                          .exclude = opts->topics_exclude,
                                          .exclude_count = opts->topics_exclude_count,
                                          .what = "topics"};
    struct koa_name_filter_opts groups = {.include = opts->groups_include,
                                          .include_count = opts->groups_include_count,
                                          .exclude = opts->groups_exclude,
                                          .exclude_count = opts->groups_exclude_count,
                                          .what = "groups"};
    struct koa_collector_opts collector = {.name = cluster->name,
                                           .bootstrap_count = opts->bootstrap_count,
                                           .interval_ms = opts->interval_ms,
                                           .slow_interval_ms = opts->slow_interval_ms,
                                           .request_timeout_ms = opts->request_timeout_ms,
                                           .batch = opts->batch > 0 ? opts->batch : DEFAULT_BATCH,
                                           .ops = &ops,
                                           .context = cluster,
                                           .log = opts->log};
    enum koa_err err = koa_name_filter_create(&topics, &cluster->topics_filter, reterr);

    if (err == KOA_OK)
        err = koa_name_filter_create(&groups, &cluster->groups_filter, reterr);
    collector.filter = cluster->topics_filter;
    collector.groups = cluster->groups_filter;
    if (err == KOA_OK)
        err = koa_collector_create(&collector, &cluster->collector, reterr);
    return err;
}

static enum koa_err make_probe(struct koa_cluster *cluster, const struct koa_cluster_opts *opts,
                               struct koa_error *reterr)
{
    static const struct koa_cluster_probe_ops ops = {.mono = mono,
                                                     .wall = wall,
                                                     .submit = submit_probe,
                                                     .set_brokers = set_probe_brokers,
                                                     .happened = on_probe_news};
    struct koa_cluster_probe_opts probe = {.cluster = cluster->name,
                                           .topic = opts->probe_topic,
                                           .agent = opts->probe_agent,
                                           .bootstrap_count = opts->bootstrap_count,
                                           .request_timeout_ms = opts->request_timeout_ms,
                                           .ops = &ops,
                                           .context = cluster,
                                           .log = opts->log};
    struct koa_cluster_opts alone = *opts;
    enum koa_err err;

    /* Its messages are sent one after the other. */
    alone.connections = 1;
    err = make_client(cluster, &alone, "probe", &cluster->probe_client, reterr);

    cluster->opts.probe_interval_ms =
        opts->probe_interval_ms > 0 ? opts->probe_interval_ms : DEFAULT_PROBE_INTERVAL_MS;
    if (err == KOA_OK)
        err = koa_cluster_probe_create(&probe, &cluster->probe, reterr);
    return err;
}

static void end_probe(struct koa_cluster *cluster)
{
    if (cluster->probe != NULL)
        koa_cluster_probe_cancel(cluster->probe);
    koa_kafka_client_destroy(KOA_MOVE(cluster->probe_client));
}

static void destroy(struct koa_cluster *cluster)
{
    if (cluster == NULL)
        return;
    if (cluster->collector != NULL)
        koa_collector_cancel(cluster->collector);
    koa_kafka_client_destroy(cluster->client);
    end_probe(cluster);
    koa_cluster_probe_destroy(cluster->probe);
    koa_collector_destroy(cluster->collector);
    koa_name_filter_destroy(cluster->topics_filter);
    koa_name_filter_destroy(cluster->groups_filter);
    koa_published_deinit(&cluster->published);
    koa_free(cluster->name);
    koa_free(cluster);
}

enum koa_err koa_cluster_create(struct koa_loop *loop, const struct koa_cluster_opts *opts,
                                struct koa_cluster **ret_cluster, struct koa_error *reterr)
{
    struct koa_cluster *cluster = koa_calloc(1, sizeof(*cluster));
    enum koa_err err = koa_require_memory(cluster, reterr);

    if (err != KOA_OK)
        return err;
    atomic_init(&cluster->references, 1);
    koa_published_init(&cluster->published);
    cluster->loop = loop;
    cluster->opts = (struct koa_cluster_opts){.interval_ms = opts->interval_ms,
                                              .granularity = opts->granularity,
                                              .metrics = opts->metrics,
                                              .log = opts->log,
                                              .published = opts->published,
                                              .context = opts->context};
    cluster->name = koa_strdup(opts->name);
    err = koa_require_memory(cluster->name, reterr);
    if (err == KOA_OK && (opts->interval_ms < 1 || opts->request_timeout_ms < 2)) {
        err = koa_fail(reterr, KOA_ERR_INVALID,
                       "cluster '%s': interval and request timeout must be positive", opts->name);
    }
    if (err == KOA_OK)
        err = koa_cluster_telemetry_register(opts->metrics, reterr);
    if (err == KOA_OK)
        koa_cluster_telemetry_start(opts->metrics, cluster->name);
    if (err == KOA_OK)
        err = make_collector(cluster, opts, reterr);
    if (err == KOA_OK)
        err = make_client(cluster, opts, NULL, &cluster->client, reterr);
    if (err == KOA_OK && opts->probe_topic != NULL)
        err = make_probe(cluster, opts, reterr);
    if (err == KOA_OK)
        *ret_cluster = KOA_MOVE(cluster);
    destroy(cluster);
    return err;
}

void koa_cluster_ref(struct koa_cluster *cluster)
{
    atomic_fetch_add_explicit(&cluster->references, 1, memory_order_relaxed);
}

void koa_cluster_unref(struct koa_cluster *cluster)
{
    if (cluster != NULL &&
        atomic_fetch_sub_explicit(&cluster->references, 1, memory_order_acq_rel) == 1)
        destroy(cluster);
}

static void drop_message(void *message)
{
    koa_cluster_unref(message);
}

/* A cycle is due while one is under way. One that a refresh began a moment ago is no overrun. */
static void note_overrun(struct koa_cluster *cluster, struct koa_mono now)
{
    if (koa_mono_diff_ms(now, cluster->began) < cluster->opts.interval_ms / 2)
        return;
    koa_cluster_telemetry_overrun(cluster->opts.metrics, cluster->name);
    if (koa_overrun_left_out(&cluster->overrun)) {
        koa_log_warn(cluster->opts.log, "cluster.overrun",
                     "%s: a cycle takes longer than the interval of %" PRId64
                     " ms; those that are due meanwhile are left out, and told of when cycles fit "
                     "again",
                     cluster->name, cluster->opts.interval_ms);
    }
}

/* Cycles keep their rhythm: what one takes does not delay the next, and those missed are left out.
 */
static void on_due(struct koa_timer *timer, struct koa_mono now)
{
    struct koa_cluster *cluster = KOA_CONTAINER_OF(timer, struct koa_cluster, timer);
    int64_t late = koa_mono_diff_ms(now, cluster->due);
    int64_t interval = cluster->opts.interval_ms;

    cluster->due = koa_mono_add_ms(cluster->due, (late / interval + 1) * interval);
    if (!koa_timers_arm(koa_loop_timers(cluster->loop), timer, cluster->due, on_due)) {
        koa_log_error(cluster->opts.log, "cluster.memory",
                      "%s: no memory for the next cycle; only refreshes run now", cluster->name);
    }
    note_age(cluster);
    if (!begin(cluster))
        note_overrun(cluster, now);
}

static void start_here(void *message)
{
    struct koa_cluster *cluster = message;

    if (!cluster->is_running) {
        cluster->is_running = true;
        koa_cluster_telemetry_watched(cluster->opts.metrics, 1, 0);
        cluster->due = koa_loop_now(cluster->loop);
        on_due(&cluster->timer, cluster->due);
        if (cluster->probe != NULL)
            on_probe_due(&cluster->probe_timer, cluster->due);
    }
    koa_cluster_unref(cluster);
}

void koa_cluster_start(struct koa_cluster *cluster)
{
    koa_cluster_ref(cluster);
    (void) koa_loop_post(cluster->loop, start_here, drop_message, cluster);
}

static void refresh_here(void *message)
{
    struct koa_cluster *cluster = message;

    if (cluster->is_running && !begin(cluster))
        cluster->is_again_wanted = true;
    koa_cluster_unref(cluster);
}

void koa_cluster_refresh(struct koa_cluster *cluster)
{
    koa_cluster_ref(cluster);
    (void) koa_loop_post(cluster->loop, refresh_here, drop_message, cluster);
}

static void stop_here(void *message)
{
    struct koa_cluster *cluster = message;

    if (cluster->is_running) {
        koa_cluster_telemetry_watched(cluster->opts.metrics, -1, -cluster->topics);
        koa_cluster_telemetry_end(cluster->opts.metrics, cluster->name);
    }
    cluster->topics = 0;
    cluster->is_running = false;
    cluster->is_again_wanted = false;
    koa_timers_disarm(koa_loop_timers(cluster->loop), &cluster->timer);
    koa_timers_disarm(koa_loop_timers(cluster->loop), &cluster->probe_timer);
    end_probe(cluster);
    koa_collector_cancel(cluster->collector);
    koa_kafka_client_destroy(KOA_MOVE(cluster->client));
}

void koa_cluster_stop(struct koa_cluster *cluster)
{
    if (koa_loop_is_here(cluster->loop)) {
        stop_here(cluster); /* not started yet, or ended */
    } else if (!koa_loop_call(cluster->loop, stop_here, cluster)) {
        koa_log_error(cluster->opts.log, "cluster.stop",
                      "%s: the kafka loop does not answer; its connections stay open",
                      cluster->name);
    }
}

const char *koa_cluster_name(const struct koa_cluster *cluster)
{
    return cluster->name;
}

struct koa_snapshot *koa_cluster_snapshot(struct koa_cluster *cluster)
{
    return (struct koa_snapshot *) (void *) koa_published_get(&cluster->published);
}
