/* The engine's regular look at the agent itself: its own gauges, then one point of the history. */
#include <stdio.h>

#include "agent/composition.h"
#include "base/memory.h"
#include "loop/clock.h"
#include "loop/process_stats.h"

static void set_gauge(struct koa_agent *agent, const char *name, double value)
{
    koa_metrics_set(agent->metrics, name, value, KOA_NO_LABELS);
}

static void sample_process(struct koa_agent *agent)
{
    struct koa_process_stats stats;

    if (!koa_process_stats_read(&stats))
        return;
    set_gauge(agent, "process_resident_memory_bytes", (double) stats.resident_bytes);
    set_gauge(agent, "process_open_fds", (double) stats.open_fds);
    set_gauge(agent, "process_max_fds", (double) stats.max_fds);
    set_gauge(agent, "process_threads", (double) stats.threads);
    set_gauge(agent, "process_start_time_seconds", stats.start_time_seconds);
    /* A counter by nature: the system counts, we add what is new. */
    koa_metrics_count(agent->metrics, "process_cpu_seconds_total",
                      stats.cpu_seconds - agent->counted_cpu_seconds, KOA_NO_LABELS);
    agent->counted_cpu_seconds = stats.cpu_seconds;
}

/* Adds what was dropped since the last look. A thing that a reload made anew counts from 0. */
static void count_dropped(struct koa_agent *agent, struct koa_limit_stats *stats)
{
    int64_t now = atomic_load(&stats->dropped);
    int64_t before = 0;

    for (size_t i = 0; i < KOA_ARRAY_COUNT(agent->queues); i++) {
        if (agent->queues[i].name == NULL)
            agent->queues[i].name = stats->name;
        if (agent->queues[i].name != stats->name)
            continue;
        before = agent->queues[i].dropped <= now ? agent->queues[i].dropped : 0;
        agent->queues[i].dropped = now;
        break;
    }
    koa_metrics_count(agent->metrics, "kafka_ops_queue_dropped_total", (double) (now - before),
                      KOA_LABELS({"queue", stats->name}));
}

static void sample_queue(struct koa_agent *agent, struct koa_limit_stats *stats)
{
    if (stats == NULL)
        return;
    koa_metrics_set(agent->metrics, "kafka_ops_queue_length", (double) atomic_load(&stats->used),
                    KOA_LABELS({"queue", stats->name}));
    koa_metrics_set(agent->metrics, "kafka_ops_queue_limit", (double) stats->limit,
                    KOA_LABELS({"queue", stats->name}));
    count_dropped(agent, stats);
}

static void sample_queues(struct koa_agent *agent)
{
    struct koa_agent_parts *parts = koa_agent_parts_get(agent);

    sample_queue(agent, koa_loop_mailbox_stats(agent->engine));
    sample_queue(agent, koa_loop_mailbox_stats(agent->kafka));
    sample_queue(agent, koa_workers_stats(agent->workers));
    sample_queue(agent, koa_store_stats(agent->store));
    sample_queue(agent, koa_history_stats(agent->history));
    sample_queue(agent, koa_board_history_stats(koa_health_history(agent->health)));
    if (agent->log_writer != NULL)
        sample_queue(agent, koa_log_writer_stats(agent->log_writer));
    if (agent->server != NULL)
        sample_queue(agent, koa_http_server_stats(agent->server));
    sample_queue(agent, koa_metrics_stats(agent->metrics));
    /* It holds nothing: what its limit keeps out is all there is to say. */
    count_dropped(agent, koa_metrics_filter_stats(parts->filter));
    koa_agent_parts_unref(parts);
}

static void tell_left_out(struct koa_agent *agent)
{
    struct koa_str name = koa_history_take_left_out(agent->history);

    while (name.size > 0) {
        koa_log_warn(agent->log, "history.left_out",
                     "metrics history: %.*s has too many series for history_bytes and is left "
                     "out; raise it, or name what is not needed in history_exclude",
                     (int) name.size, name.data);
        name = koa_history_take_left_out(agent->history);
    }
}

static void sample_history(struct koa_agent *agent)
{
    struct koa_agent_parts *parts = koa_agent_parts_get(agent);
    struct koa_history_view *view;

    koa_metrics_update_series(agent->metrics);
    koa_history_sample(agent->history, &parts->api.sources, koa_clock_wall());
    koa_agent_parts_unref(parts);
    tell_left_out(agent);
    view = koa_history_get(agent->history);
    if (view != NULL)
        set_gauge(agent, "kafka_ops_history_samples", (double) koa_history_view_count(view));
    koa_object_unref((struct koa_object *) view);
    set_gauge(agent, "kafka_ops_history_bytes",
              (double) atomic_load(&koa_history_stats(agent->history)->used));
}

static void set_memory(struct koa_agent *agent, const char *part, double bytes)
{
    koa_metrics_set(agent->metrics, "kafka_ops_memory_bytes", bytes, KOA_LABELS({"part", part}));
}

static void sample_memory(struct koa_agent *agent)
{
    struct koa_agent_parts *parts = koa_agent_parts_get(agent);
    size_t snapshots = 0;

    for (size_t i = 0; i < parts->api.cluster_count; i++) {
        struct koa_snapshot *snapshot = koa_cluster_snapshot(parts->clusters[i]);

        snapshots += snapshot != NULL ? koa_snapshot_memory(snapshot) : 0;
        koa_snapshot_unref(snapshot);
    }
    koa_agent_parts_unref(parts);
    set_memory(agent, "metrics", (double) koa_metrics_memory(agent->metrics));
    set_memory(agent, "history", (double) atomic_load(&koa_history_stats(agent->history)->used));
    set_memory(agent, "snapshots", (double) snapshots);
}

static void on_sampling(struct koa_timer *timer, struct koa_mono now)
{
    struct koa_agent *agent = KOA_CONTAINER_OF(timer, struct koa_agent, sampling);

    (void) now;
    sample_process(agent);
    sample_queues(agent);
    sample_history(agent);
    sample_memory(agent);
    if (!koa_loop_after(agent->engine, timer, atomic_load(&agent->api.resolution_ms),
                        on_sampling)) {
        koa_log_error(agent->log, "sampling.stopped",
                      "no memory for a timer; the history ends here until the next reload");
    }
}

void koa_agent_sampling_start(struct koa_agent *agent)
{
    set_gauge(agent, "kafka_ops_config_last_reload_success", 1);
    set_gauge(agent, "kafka_ops_config_last_reload_timestamp_seconds",
              (double) koa_clock_wall().ms / 1000.0);
    koa_metrics_set(agent->metrics, "kafka_ops_build_info", 1,
                    KOA_LABELS({"version", koa_version()}, {"revision", koa_revision()},
                               {"compiler", KOA_COMPILER}));
    on_sampling(&agent->sampling, koa_loop_now(agent->engine));
}
