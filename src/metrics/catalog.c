/* The names are a contract with dashboards and alerts. Names are kept when they break today's
 * naming rules: kafka_ops_topics_total and kafka_ops_clusters_total are gauges that clients know.
 */
#include "metrics/catalog.h"

#include "base/str.h"

const struct koa_metric_row koa_catalog_own[] = {
    {"kafka_ops_requests_total", KOA_COUNTER, NULL, "method,endpoint,status",
     "HTTP requests answered, by method, endpoint (the route's pattern) and status code."},
    {"kafka_ops_request_duration_seconds", KOA_HISTOGRAM, "seconds", "method,endpoint",
     "Time from the end of an HTTP request's header to its answer."},
    {"kafka_ops_active_connections", KOA_GAUGE, NULL, NULL, "HTTP connections that are open."},
    {"kafka_ops_topics_total", KOA_GAUGE, NULL, NULL, "Topics of all watched clusters."},
    {"kafka_ops_clusters_total", KOA_GAUGE, NULL, NULL, "Clusters that are watched."},
    {"kafka_ops_errors_total", KOA_COUNTER, NULL, "component=http,type=500|503|505",
     "Errors, by component and kind; 5xx answers count as component http, health verdicts "
     "excepted."},
    {"kafka_ops_build_info", KOA_GAUGE, NULL, "version,revision,compiler",
     "Always 1; the labels say which build runs."},
    {"kafka_ops_health_status", KOA_GAUGE, NULL, "check,status",
     "1 for the status that a check has, 0 for the others."},
    {"kafka_ops_health_check_duration_seconds", KOA_HISTOGRAM, "seconds", "check",
     "How long runs of a check took."},
    {"kafka_ops_health_check_last_run_timestamp_seconds", KOA_GAUGE, "seconds", "check",
     "When a check ended last."},
    {"kafka_ops_health_check_runs_total", KOA_COUNTER, NULL,
     "check,status=healthy|degraded|unhealthy|unknown",
     "Runs of a check, by the status they ended with."},
    {"kafka_ops_health_check_abandoned_workers", KOA_GAUGE, NULL, NULL,
     "Workers held by runs that passed their deadline and have not come back."},
    {"kafka_ops_overall_status", KOA_GAUGE, NULL, "status",
     "1 for the overall status, 0 for the others."},
    {"kafka_ops_alerts", KOA_GAUGE, NULL, "severity,state", "Alerts that are pending or firing."},
    {"kafka_ops_alert_evaluations_total", KOA_COUNTER, NULL, "rule,result=ok|missing|limited",
     "Evaluations of a rule, by result."},
    {"kafka_ops_alert_evaluation_duration_seconds", KOA_HISTOGRAM, "seconds", NULL,
     "Time that the evaluation of all due rules took."},
    {"kafka_ops_notifications_total", KOA_COUNTER, NULL,
     "notifier,outcome=delivered|retry|undeliverable|given_up|dropped",
     "Delivery attempts, by notifier and outcome."},
    {"kafka_ops_notification_queue_length", KOA_GAUGE, NULL, "notifier",
     "Notifications that wait for delivery."},
    {"kafka_ops_notification_oldest_seconds", KOA_GAUGE, "seconds", "notifier",
     "Age of the oldest notification that waits."},
    {"kafka_ops_notification_dead_letters_total", KOA_COUNTER, NULL, "notifier",
     "Notifications given up."},
    {"kafka_ops_collector_up", KOA_GAUGE, NULL, "cluster",
     "1 when the last collection of the cluster succeeded at least in part, else 0."},
    {"kafka_ops_collector_cycle_duration_seconds", KOA_HISTOGRAM, "seconds", "cluster,phase",
     "Time that one phase of a collection took."},
    {"kafka_ops_collector_last_success_timestamp_seconds", KOA_GAUGE, "seconds", "cluster",
     "When a collection succeeded last."},
    {"kafka_ops_collector_data_age_seconds", KOA_GAUGE, "seconds", "cluster",
     "Age of the published data."},
    {"kafka_ops_collector_stale_brokers", KOA_GAUGE, NULL, "cluster",
     "Brokers whose part of the data is older than the last collection."},
    {"kafka_ops_collector_overruns_total", KOA_COUNTER, NULL, "cluster",
     "Collections that were due while the one before was not over."},
    {"kafka_ops_kafka_requests_total", KOA_COUNTER, NULL, "cluster,broker,api,result",
     "Requests sent to Kafka, by result."},
    {"kafka_ops_kafka_request_duration_seconds", KOA_HISTOGRAM, "seconds", "cluster,api",
     "Time from sending a request to its response."},
    {"kafka_ops_kafka_request_bytes_total", KOA_COUNTER, "bytes", "cluster,api",
     "Bytes of requests sent to Kafka."},
    {"kafka_ops_kafka_response_bytes_total", KOA_COUNTER, "bytes", "cluster,api",
     "Bytes of responses received from Kafka."},
    {"kafka_ops_kafka_throttle_seconds_total", KOA_COUNTER, "seconds", "cluster,broker",
     "Time for which a broker asked us to hold back."},
    {"kafka_ops_kafka_reconnects_total", KOA_COUNTER, NULL, "cluster,broker",
     "Connections to a broker that were made again."},
    {"kafka_ops_probe_produced_total", KOA_COUNTER, NULL, "cluster,broker,partition",
     "Messages of the end-to-end probe that all in-sync replicas acknowledged."},
    {"kafka_ops_probe_received_total", KOA_COUNTER, NULL, "cluster,broker,partition",
     "Messages of the end-to-end probe that were read back."},
    {"kafka_ops_probe_lost_total", KOA_COUNTER, NULL, "cluster,broker,partition",
     "Messages of the end-to-end probe that were acknowledged and then not there."},
    {"kafka_ops_probe_duplicated_total", KOA_COUNTER, NULL, "cluster,broker,partition",
     "Messages of the end-to-end probe that were read a second time."},
    {"kafka_ops_probe_failed_total", KOA_COUNTER, NULL, "cluster,broker,partition",
     "Messages of the end-to-end probe that were refused or not acknowledged in time."},
    {"kafka_ops_probe_produce_duration_seconds", KOA_HISTOGRAM, "seconds",
     "cluster,broker,partition", "From sending a message of the probe to its acknowledgement."},
    {"kafka_ops_probe_round_trip_duration_seconds", KOA_HISTOGRAM, "seconds",
     "cluster,broker,partition", "From sending a message of the probe to reading it back."},
    {"kafka_ops_series", KOA_GAUGE, NULL, "family", "Series that the registry holds."},
    {"kafka_ops_series_dropped_total", KOA_COUNTER, NULL,
     "family=unregistered,reason=name|type|label|limit|memory",
     "Calls and series refused: over a limit, of another type, with a bad name or label, or "
     "without memory."},
    {"kafka_ops_memory_bytes", KOA_GAUGE, "bytes", "part",
     "Memory of the agent's larger parts: metrics, their history, the clusters' snapshots."},
    {"kafka_ops_queue_length", KOA_GAUGE, NULL, "queue", "Items in a queue, cache or table."},
    {"kafka_ops_queue_limit", KOA_GAUGE, NULL, "queue",
     "Items that a queue, cache or table may hold."},
    {"kafka_ops_queue_dropped_total", KOA_COUNTER, NULL, "queue",
     "Items that a full queue, cache or table refused; of metrics_filter, series that "
     "max_series_per_family kept out of an export or the history."},
    {"kafka_ops_http_rejected_requests_total", KOA_COUNTER, NULL,
     "reason=method|version|host|content_length|content_length_and_transfer_encoding|"
     "transfer_encoding|body|body_size|header_name|header_value|header_layout|header_count|"
     "header_size|target|escape|target_size|query_count|malformed|credentials|login_failures|"
     "connections|connections_per_address|header_timeout|body_timeout|descriptors|memory",
     "HTTP requests and connections refused before a handler saw them."},
    {"kafka_ops_config_last_reload_success", KOA_GAUGE, NULL, NULL,
     "1 when the last reload of the configuration was accepted, else 0."},
    {"kafka_ops_config_last_reload_timestamp_seconds", KOA_GAUGE, "seconds", NULL,
     "When a reload of the configuration was accepted last."},
    {"kafka_ops_history_samples", KOA_GAUGE, NULL, NULL,
     "Points in time that the metrics history holds."},
    {"kafka_ops_history_bytes", KOA_GAUGE, "bytes", NULL, "Memory of the metrics history."},
    {"process_cpu_seconds_total", KOA_COUNTER, "seconds", NULL, "User and system CPU time spent."},
    {"process_resident_memory_bytes", KOA_GAUGE, "bytes", NULL, "Resident memory."},
    {"process_open_fds", KOA_GAUGE, NULL, NULL, "Open file descriptors."},
    {"process_max_fds", KOA_GAUGE, NULL, NULL, "File descriptors allowed."},
    {"process_start_time_seconds", KOA_GAUGE, "seconds", NULL,
     "When the process started, since the epoch."},
    {"process_threads", KOA_GAUGE, NULL, NULL, "Threads of the process."},
};
const size_t koa_catalog_own_count = KOA_ARRAY_COUNT(koa_catalog_own);

const struct koa_metric_row koa_catalog_kafka[] = {
    {"kafka_brokers", KOA_GAUGE, NULL, "cluster", "Brokers that answered in the last collection."},
    {"kafka_broker_info", KOA_GAUGE, NULL, "cluster,id,address,rack",
     "Always 1; the labels describe a broker."},
    {"kafka_topic_partitions", KOA_GAUGE, NULL, "cluster,topic", "Partitions of the topic."},
    {"kafka_topic_partition_current_offset", KOA_GAUGE, NULL, "cluster,topic,partition",
     "End offset of the partition."},
    {"kafka_topic_partition_oldest_offset", KOA_GAUGE, NULL, "cluster,topic,partition",
     "First offset that the partition still holds."},
    {"kafka_topic_partition_leader", KOA_GAUGE, NULL, "cluster,topic,partition",
     "Broker that leads the partition; absent while there is none."},
    {"kafka_topic_partition_replicas", KOA_GAUGE, NULL, "cluster,topic,partition",
     "Replicas of the partition."},
    {"kafka_topic_partition_in_sync_replica", KOA_GAUGE, NULL, "cluster,topic,partition",
     "Replicas of the partition that are in sync."},
    {"kafka_topic_partition_leader_is_preferred", KOA_GAUGE, NULL, "cluster,topic,partition",
     "1 when the preferred replica leads the partition, else 0."},
    {"kafka_topic_partition_under_replicated_partition", KOA_GAUGE, NULL, "cluster,topic,partition",
     "1 when replicas of the partition are out of sync, else 0."},
    {"kafka_ops_cluster_topics", KOA_GAUGE, NULL, "cluster", "Topics that pass the filter."},
    {"kafka_ops_cluster_info", KOA_GAUGE, NULL,
     "cluster,cluster_id,controller,kafka_version_guess,mode",
     "Always 1; the labels describe the cluster. The version is the oldest release that offers "
     "what a "
     "broker offers."},
    {"kafka_ops_broker_up", KOA_GAUGE, NULL, "cluster,broker",
     "1 when the broker answered in the last collection, else 0."},
    {"kafka_ops_broker_is_controller", KOA_GAUGE, NULL, "cluster,broker",
     "1 for the broker that is the controller, else 0."},
    {"kafka_ops_topic_partitions_leaderless", KOA_GAUGE, NULL, "cluster,topic",
     "Partitions of the topic that nobody leads."},
    {"kafka_ops_topic_partitions_under_replicated", KOA_GAUGE, NULL, "cluster,topic",
     "Partitions of the topic with replicas out of sync."},
    {"kafka_ops_topic_partitions_offline_replicas", KOA_GAUGE, NULL, "cluster,topic",
     "Partitions of the topic with replicas on brokers that are down."},
    {"kafka_ops_cluster_partitions_leaderless", KOA_GAUGE, NULL, "cluster",
     "Partitions of the cluster that nobody leads."},
    {"kafka_ops_cluster_partitions_under_replicated", KOA_GAUGE, NULL, "cluster",
     "Partitions of the cluster with replicas out of sync."},
    {"kafka_ops_cluster_partitions_offline_replicas", KOA_GAUGE, NULL, "cluster",
     "Partitions of the cluster with replicas on brokers that are down."},
    {"kafka_ops_topic_partitions_under_min_isr", KOA_GAUGE, NULL, "cluster,topic",
     "Partitions with fewer replicas in sync than min.insync.replicas, which brokers cap at the "
     "number of replicas: writes with acks=all fail."},
    {"kafka_ops_topic_partitions_at_min_isr", KOA_GAUGE, NULL, "cluster,topic",
     "Partitions with just min.insync.replicas in sync, that have more replicas."},
    {"kafka_ops_topic_partitions_reassigning", KOA_GAUGE, NULL, "cluster,topic",
     "Partitions whose replicas move between brokers."},
    {"kafka_ops_topic_log_bytes", KOA_GAUGE, "bytes", "cluster,topic",
     "Bytes of the topic in the log dirs of all brokers, replicas included."},
    {"kafka_ops_topic_partition_last_stable_offset", KOA_GAUGE, NULL, "cluster,topic,partition",
     "Offset up to which every transaction is decided, as of the last slow cycle."},
    {"kafka_ops_cluster_partitions_under_min_isr", KOA_GAUGE, NULL, "cluster",
     "Partitions of the cluster with fewer replicas in sync than min.insync.replicas, which "
     "brokers cap at the number of replicas."},
    {"kafka_ops_cluster_partitions_at_min_isr", KOA_GAUGE, NULL, "cluster",
     "Partitions of the cluster with just min.insync.replicas in sync, that have more replicas."},
    {"kafka_ops_cluster_partitions_reassigning", KOA_GAUGE, NULL, "cluster",
     "Partitions of the cluster whose replicas move between brokers."},
    {"kafka_ops_broker_log_dir_size_bytes", KOA_GAUGE, "bytes", "cluster,broker,log_dir",
     "Bytes of the replicas in a log dir."},
    {"kafka_ops_broker_log_dir_usable_bytes", KOA_GAUGE, "bytes", "cluster,broker,log_dir",
     "Bytes that are free in a log dir's file system (Kafka 3.3 and later)."},
    {"kafka_ops_broker_log_dir_used_bytes", KOA_GAUGE, "bytes", "cluster,broker,log_dir",
     "Bytes that are in use in a log dir's file system (Kafka 3.3 and later)."},
    {"kafka_ops_broker_log_dir_offline", KOA_GAUGE, NULL, "cluster,broker,log_dir",
     "1 when the broker cannot use the log dir."},
    {"kafka_ops_quorum_leader", KOA_GAUGE, NULL, "cluster",
     "Id of the controller that leads the quorum."},
    {"kafka_ops_quorum_epoch", KOA_GAUGE, NULL, "cluster", "Epoch of the quorum's leader."},
    {"kafka_ops_quorum_voter_lag", KOA_GAUGE, NULL, "cluster,voter",
     "Records that a voter is behind the quorum's leader."},
    {"kafka_ops_quorum_voter_last_fetch_timestamp_seconds", KOA_GAUGE, "seconds", "cluster,voter",
     "When a voter last fetched from the leader, since the epoch."},
    {"kafka_consumergroup_current_offset", KOA_GAUGE, NULL, "cluster,consumergroup,topic,partition",
     "Committed offset of the group."},
    {"kafka_consumergroup_lag", KOA_GAUGE, NULL, "cluster,consumergroup,topic,partition",
     "Log end minus commit, 0 when the commit is beyond the end; absent where either is unknown."},
    {"kafka_consumergroup_current_offset_sum", KOA_GAUGE, NULL, "cluster,consumergroup,topic",
     "Sum of the group's committed offsets of the topic."},
    {"kafka_consumergroup_lag_sum", KOA_GAUGE, NULL, "cluster,consumergroup,topic",
     "Sum of the group's lag on the topic's partitions; absent while none is known."},
    {"kafka_consumergroup_members", KOA_GAUGE, NULL, "cluster,consumergroup",
     "Members of the group."},
    {"kafka_ops_consumergroup_state", KOA_GAUGE, NULL, "cluster,consumergroup,state",
     "Always 1; the label is the state that the group is in, others are absent."},
    {"kafka_ops_consumergroup_info", KOA_GAUGE, NULL,
     "cluster,consumergroup,coordinator,protocol,type", "Always 1; the labels describe the group."},
    {"kafka_ops_consumergroup_lag_max", KOA_GAUGE, NULL, "cluster,consumergroup",
     "Largest lag of the group on one partition."},
    {"kafka_ops_consumergroup_lag_sum_all_topics", KOA_GAUGE, NULL, "cluster,consumergroup",
     "Sum of the group's lag on all topics."},
    {"kafka_ops_consumergroup_partition_condition", KOA_GAUGE, NULL,
     "cluster,consumergroup,condition",
     "Partitions of the group in a condition: no_commit, below_log_start (data was deleted "
     "unread), "
     "above_log_end, topic_gone, leaderless, stale, open_transaction, markers_only; absent when "
     "none is."},
    {"kafka_ops_consumergroup_members_idle", KOA_GAUGE, NULL, "cluster,consumergroup",
     "Members of the group without a partition."},
    {"kafka_ops_consumergroup_topic_assigned_partitions", KOA_GAUGE, NULL,
     "cluster,consumergroup,topic", "Partitions of the topic that are assigned to members."},
    {"kafka_ops_consumergroup_last_progress_timestamp_seconds", KOA_GAUGE, "seconds",
     "cluster,consumergroup,topic",
     "When a commit of the group on the topic was last seen to move, or nothing was there to "
     "read."},
    {"kafka_ops_consumergroup_lag_seconds", KOA_GAUGE, "seconds", "cluster,consumergroup,topic",
     "Age of the oldest message not yet consumed, of the partition that lags longest. Markers "
     "(markers_only) are no messages; what waits for a transaction (open_transaction) is, though "
     "its reader may have to wait. Absent while unknown. In a hole that compaction left it tends "
     "to "
     "the age of the hole's older end."},
    {"kafka_ops_consumergroup_lag_quality", KOA_GAUGE, NULL, "cluster,consumergroup,quality,topic",
     "Always 1; how sure the lag in seconds is: exact, interpolated, or at_least."},
    {"kafka_ops_consumergroup_lag_velocity", KOA_GAUGE, NULL, "cluster,consumergroup,topic",
     "Growth of the lag in messages per second; positive: the group falls behind."},
    {"kafka_ops_consumergroup_consumption_rate", KOA_GAUGE, NULL, "cluster,consumergroup,topic",
     "Messages per second that the group's commits advance."},
    {"kafka_ops_consumergroup_catch_up_seconds", KOA_GAUGE, "seconds",
     "cluster,consumergroup,topic",
     "Time until nothing lags at the present rates; absent when that is never."},
    {"kafka_ops_consumergroup_retention_ratio", KOA_GAUGE, NULL, "cluster,consumergroup,topic",
     "Share of the retained messages that the group has not read; near 1 data is about to be "
     "lost."},
    {"kafka_ops_sharegroup_lag", KOA_GAUGE, NULL, "cluster,partition,sharegroup,topic",
     "Lag of a share group, as its coordinator counts it."},
    {"kafka_ops_sharegroup_topic_lag", KOA_GAUGE, NULL, "cluster,sharegroup,topic",
     "Sum of the share group's lag on the topic's partitions; absent while none is known."},
    {"kafka_ops_sharegroup_lag_sum_all_topics", KOA_GAUGE, NULL, "cluster,sharegroup",
     "Sum of the share group's lag on all topics."},
    {"kafka_ops_sharegroup_members", KOA_GAUGE, NULL, "cluster,sharegroup",
     "Members of the share group."},
    {"kafka_ops_sharegroup_state", KOA_GAUGE, NULL, "cluster,sharegroup,state",
     "Always 1; the label is the state that the share group is in, others are absent."},
};
const size_t koa_catalog_kafka_count = KOA_ARRAY_COUNT(koa_catalog_kafka);

enum { START_LABELS = 4, START_TEXT = 64 };

/* Labels of one series of a row. */
struct start {
    struct koa_label labels[START_LABELS];
    size_t count;
    char names[START_LABELS][START_TEXT];
    char values[START_LABELS][START_TEXT];
};

static const char *find_given(const struct koa_labels *given, const char *name)
{
    for (size_t i = 0; given != NULL && i < given->count; i++) {
        if (koa_text_equal(given->rows[i].name, name))
            return given->rows[i].value;
    }
    return NULL;
}

/* Copies one of "a|b|c"; returns what is left of `number` for the other labels. */
static size_t pick_value(struct koa_str values, size_t number, char value[START_TEXT])
{
    struct koa_str rest = values;
    size_t count = 0;

    while (rest.size > 0) {
        (void) koa_str_split(rest, '|', &rest);
        count++;
    }
    for (size_t i = 0; i <= number % count; i++)
        (void) koa_str_copy(value, START_TEXT, koa_str_split(values, '|', &values));
    return number / count;
}

/* The row's series of that number. False when all were there, or the values of a label are not
 * known. */
static bool fill_start(struct start *start, const struct koa_metric_row *row,
                       const struct koa_labels *given, size_t number)
{
    struct koa_str rest = koa_str_from(row->labels);
    size_t unused = given != NULL ? given->count : 0;

    for (start->count = 0; rest.size > 0 && start->count < START_LABELS; start->count++) {
        struct koa_label *label = &start->labels[start->count];
        char *name = start->names[start->count];
        char *value = start->values[start->count];
        struct koa_str values;

        (void) koa_str_copy(name, START_TEXT,
                            koa_str_split(koa_str_split(rest, ',', &rest), '=', &values));
        *label = (struct koa_label){name, find_given(given, name)};
        if (label->value != NULL) {
            unused--;
            continue;
        }
        if (values.size == 0)
            return false;
        number = pick_value(values, number, value);
        label->value = value;
    }
    return rest.size == 0 && unused == 0 && number == 0;
}

static void start_row(struct koa_metrics *metrics, const struct koa_metric_row *row,
                      const struct koa_labels *given)
{
    struct start start;

    for (size_t i = 0; row->type == KOA_COUNTER && fill_start(&start, row, given, i); i++) {
        koa_metrics_count(metrics, row->name, 0,
                          &(struct koa_labels){.rows = start.labels, .count = start.count});
    }
}

void koa_metrics_start(struct koa_metrics *metrics, const struct koa_labels *given)
{
    for (size_t i = 0; metrics != NULL && i < koa_catalog_own_count; i++)
        start_row(metrics, &koa_catalog_own[i], given);
}

enum koa_err koa_metrics_declare(struct koa_metrics *metrics, const struct koa_metric_row *rows,
                                 size_t count, struct koa_error *reterr)
{
    enum koa_err err = KOA_OK;

    for (size_t i = 0; i < count && err == KOA_OK; i++) {
        err = koa_metrics_register(metrics,
                                   &(struct koa_family){KOA_FAMILY_INIT, .name = rows[i].name,
                                                        .type = rows[i].type, .help = rows[i].help,
                                                        .unit = rows[i].unit},
                                   reterr);
        if (err == KOA_OK)
            start_row(metrics, &rows[i], KOA_NO_LABELS);
    }
    return err;
}

enum koa_err koa_metrics_reserve_rows(struct koa_metrics *metrics,
                                      const struct koa_metric_row *rows, size_t count,
                                      struct koa_error *reterr)
{
    enum koa_err err = KOA_OK;

    for (size_t i = 0; i < count && err == KOA_OK; i++)
        err = koa_metrics_reserve(metrics, rows[i].name, reterr);
    return err;
}

static const struct koa_metric_row *find(const struct koa_metric_row *rows, size_t count,
                                         const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (koa_text_equal(rows[i].name, name))
            return &rows[i];
    }
    return NULL;
}

const struct koa_metric_row *koa_catalog_find(const char *name)
{
    const struct koa_metric_row *row = find(koa_catalog_own, koa_catalog_own_count, name);

    return row != NULL ? row : find(koa_catalog_kafka, koa_catalog_kafka_count, name);
}

struct koa_family_view koa_catalog_view(const struct koa_metric_row *row)
{
    return (struct koa_family_view){.name = koa_str_from(row->name),
                                    .help = koa_str_from(row->help),
                                    .unit = koa_str_from(row->unit),
                                    .type = row->type};
}

static void write_labels(struct koa_buf *buf, const char *labels)
{
    struct koa_str rest = koa_str_from(labels);

    while (rest.size > 0) {
        struct koa_str values;
        struct koa_str name = koa_str_split(koa_str_split(rest, ',', &rest), '=', &values);
        const char *before = " (";

        koa_buf_printf(buf, "`%.*s`", (int) name.size, name.data);
        while (values.size > 0) {
            struct koa_str value = koa_str_split(values, '|', &values);

            koa_buf_printf(buf, "%s%.*s%s", before, (int) value.size, value.data,
                           values.size > 0 ? "" : ")");
            before = ", ";
        }
        koa_buf_append_text(buf, rest.size > 0 ? ", " : "");
    }
}

static void write_table(struct koa_buf *buf, const struct koa_metric_row *rows, size_t count)
{
    koa_buf_append_text(buf, "| name | type | unit | labels | meaning |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++) {
        koa_buf_printf(buf, "| `%s` | %s | %s | ", rows[i].name, koa_metric_type_name(rows[i].type),
                       rows[i].unit != NULL ? rows[i].unit : "");
        write_labels(buf, rows[i].labels);
        koa_buf_printf(buf, " | %s |\n", rows[i].help);
    }
}

void koa_catalog_write_markdown(struct koa_buf *buf)
{
    koa_buf_append_text(
        buf,
        "# Metrics\n\n"
        "Every family that the agent exports, as the program's own table says (`kafka-ops-agent "
        "docs "
        "metrics`\nwrites this page). Names are a contract: dashboards and alerts depend on them. "
        "Base units only;\ninstants end in `_timestamp_seconds`. A series that has no true value "
        "is "
        "absent.\n\n"
        "Counters are there before they count, at 0, so that PromQL's `increase()` sees the first "
        "event: those without\nlabels and those with the values in brackets from the start, the "
        "others of a check, rule, notifier or cluster once\nit is configured, of a broker and a "
        "partition of the probe once the cluster has told of them. Not so where a label\nhas "
        "values without end: `kafka_ops_requests_total`, `kafka_ops_kafka_requests_total` and "
        "what counts bytes.\n`kafka_ops_series_dropped_total` of a family begins with its first "
        "refusal;\n`kafka_ops_queue_dropped_total{queue=\"metrics_series\"}` counts all of them "
        "from 0.\n\n"
        "Histograms have the bounds 0.005 to 10 seconds. A timer named `x` is exported as the "
        "histogram\n`x_seconds`. `promtool check metrics` reports `kafka_ops_topics_total` and "
        "`kafka_ops_clusters_total`,\nwhich are gauges that end in `_total`, and "
        "`kafka_consumergroup_lag_sum` and\n`kafka_consumergroup_current_offset_sum`: clients know "
        "these names, so they stay.\n\n"
        "## The agent\n\n");
    write_table(buf, koa_catalog_own, koa_catalog_own_count);
    koa_buf_append_text(buf,
                        "\n## Kafka\n\n"
                        "The names are those of kafka_exporter, with the label `cluster` added. "
                        "The series of one\ncluster come from one snapshot.\n\n");
    write_table(buf, koa_catalog_kafka, koa_catalog_kafka_count);
}
