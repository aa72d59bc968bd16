/* Clusters and metric sources as one published object. A reload makes a new one and keeps clusters
 * whose settings are the same; the last request that uses the old one frees it. */
#include <stdio.h>
#include <string.h>

#include "agent/composition.h"
#include "base/memory.h"
#include "base/str.h"
#include "config/options.h"

static void destroy_parts(struct koa_object *object)
{
    struct koa_agent_parts *parts = (struct koa_agent_parts *) object;

    for (size_t i = 0; i < KOA_ARRAY_COUNT(parts->wrapped); i++)
        koa_metrics_filter_unwrap(parts->wrapped[i]);
    koa_metrics_filter_destroy(parts->filter);
    koa_clusters_source_destroy(parts->clusters_source);
    for (size_t i = 0; i < parts->api.cluster_count; i++)
        koa_cluster_unref(parts->clusters[i]);
    koa_free(parts);
}

void koa_agent_parts_unref(struct koa_agent_parts *parts)
{
    koa_object_unref((struct koa_object *) parts);
}

struct koa_agent_parts *koa_agent_parts_get(struct koa_agent *agent)
{
    return (struct koa_agent_parts *) koa_published_get(&agent->parts);
}

/* A cluster's name on its way from the kafka thread to the engine. */
struct news {
    struct koa_agent *agent;
    char cluster[];
};

static void take_news(void *message)
{
    struct news *news = message;

    struct koa_agent_parts *parts = koa_agent_parts_get(news->agent);
    bool is_first = parts->api.cluster_count > 0 &&
                    koa_text_equal(koa_cluster_name(parts->clusters[0]), news->cluster);

    koa_health_snapshot_published(news->agent->health, news->cluster, is_first);
    koa_agent_parts_unref(parts);
    koa_free(news);
}

/* Kafka thread. News that finds no room is no loss: checks run at their interval too. */
static void on_published(void *context, const char *cluster)
{
    struct koa_agent *agent = context;
    struct news *news = koa_calloc(1, sizeof(*news) + strlen(cluster) + 1);

    if (news == NULL)
        return;
    news->agent = agent;
    memcpy(news->cluster, cluster, strlen(cluster) + 1);
    (void) koa_loop_post(agent->engine, take_news, koa_free, news);
}

/* The cluster of the same settings that runs already, or NULL. */
static struct koa_cluster *find_same(const struct koa_agent *agent,
                                     const struct koa_cluster_settings *settings,
                                     const struct koa_agent_parts *previous)
{
    const struct koa_list *before = &agent->configuration->clusters;
    const struct koa_cluster_settings *rows = before->rows;

    for (size_t i = 0; previous != NULL && i < before->count; i++) {
        if (koa_text_equal(rows[i].name, settings->name) &&
            koa_options_equal(koa_cluster_options, &rows[i], settings))
            return previous->clusters[i];
    }
    return NULL;
}

static enum koa_err add_cluster(struct koa_agent *agent,
                                const struct koa_cluster_settings *settings,
                                const struct koa_agent_parts *previous,
                                struct koa_agent_parts *parts, struct koa_error *reterr)
{
    struct koa_cluster *cluster = find_same(agent, settings, previous);
    struct koa_kafka_security security;
    struct koa_cluster_opts opts;
    enum koa_err err = KOA_OK;

    koa_cluster_settings_security(settings, &security);
    koa_cluster_settings_opts(settings, &opts);
    opts.probe_topic = settings->probe.enabled ? settings->probe.topic : NULL;
    opts.probe_agent = agent->probe_id;
    opts.probe_interval_ms = settings->probe.interval;
    opts.resolver = agent->kafka_resolver;
    opts.security = &security;
    opts.workers = agent->workers;
    opts.http = agent->kafka_http;
    opts.metrics = agent->metrics;
    opts.log = koa_agent_log(agent, "cluster");
    opts.kafka_log = koa_agent_log(agent, "kafka");
    opts.published = on_published;
    opts.context = agent;
    if (cluster != NULL) {
        koa_cluster_ref(cluster);
    } else {
        err = koa_cluster_create(agent->kafka, &opts, &cluster, reterr);
    }
    if (err == KOA_OK)
        parts->clusters[parts->api.cluster_count++] = cluster;
    return err;
}

static enum koa_err add_clusters(struct koa_agent *agent,
                                 const struct koa_configuration *configuration,
                                 const struct koa_agent_parts *previous,
                                 struct koa_agent_parts *parts, struct koa_error *reterr)
{
    const struct koa_cluster_settings *rows = configuration->clusters.rows;
    enum koa_err err = KOA_OK;

    if (configuration->clusters.count > KOA_AGENT_CLUSTERS) {
        return koa_fail(reterr, KOA_ERR_LIMIT,
                        "%zu clusters are configured; at most %d can be watched",
                        configuration->clusters.count, (int) KOA_AGENT_CLUSTERS);
    }
    for (size_t i = 0; i < configuration->clusters.count && err == KOA_OK; i++)
        err = add_cluster(agent, &rows[i], previous, parts, reterr);
    return err;
}

static enum koa_err create_filter(const struct koa_agent *agent,
                                  const struct koa_configuration *configuration,
                                  struct koa_agent_parts *parts, struct koa_error *reterr)
{
    const struct koa_label_rule_settings *drop = configuration->metrics.drop_labels.rows;
    const struct koa_label_rule_settings *hash = configuration->metrics.hash_labels.rows;
    struct koa_metrics_filter_opts opts = {
        .exclude = configuration->metrics.exclude.rows,
        .exclude_count = configuration->metrics.exclude.count,
        /* The same two members in the same order: settings are what the filter reads. */
        .drop_labels = (const struct koa_label_rule *) (const void *) drop,
        .drop_count = configuration->metrics.drop_labels.count,
        .hash_labels = (const struct koa_label_rule *) (const void *) hash,
        .hash_count = configuration->metrics.hash_labels.count,
        .hash_key = agent->hash_key,
        .series_per_family = (size_t) configuration->metrics.max_series_per_family,
    };

    return koa_metrics_filter_create(&opts, &parts->filter, reterr);
}

static enum koa_err add_sources(struct koa_agent *agent, struct koa_agent_parts *parts,
                                struct koa_error *reterr)
{
    enum koa_err err = KOA_OK;
    size_t count = 0;

    parts->sources[count++] = koa_metrics_source(agent->metrics);
    parts->sources[count++] = koa_health_source(agent->health);
    /* All clusters share their families: one source shows them side by side. */
    err = koa_clusters_source_create(parts->clusters, parts->api.cluster_count,
                                     &parts->clusters_source, reterr);
    if (err != KOA_OK)
        return err;
    parts->sources[count++] = parts->clusters_source;
    for (size_t i = 0; i < count && err == KOA_OK; i++) {
        err = koa_metrics_filter_wrap(parts->filter, parts->sources[i], &parts->wrapped[i], reterr);
        parts->sources[i] = parts->wrapped[i];
    }
    parts->api.sources = (struct koa_metrics_sources){.rows = parts->sources, .count = count};
    return err;
}

enum koa_err koa_agent_parts_create(struct koa_agent *agent,
                                    const struct koa_configuration *configuration,
                                    const struct koa_agent_parts *previous,
                                    struct koa_agent_parts **ret_parts, struct koa_error *reterr)
{
    struct koa_agent_parts *parts = koa_calloc(1, sizeof(*parts));
    enum koa_err err = koa_require_memory(parts, reterr);

    if (err != KOA_OK)
        return err;
    koa_object_init(&parts->api.object, destroy_parts);
    parts->api.clusters = parts->clusters;
    err = add_clusters(agent, configuration, previous, parts, reterr);
    if (err == KOA_OK)
        err = create_filter(agent, configuration, parts, reterr);
    if (err == KOA_OK)
        err = add_sources(agent, parts, reterr);
    if (err == KOA_OK)
        *ret_parts = KOA_MOVE(parts);
    koa_agent_parts_unref(parts);
    return err;
}

static bool has_cluster(const struct koa_agent_parts *parts, const struct koa_cluster *cluster)
{
    for (size_t i = 0; parts != NULL && i < parts->api.cluster_count; i++) {
        if (parts->clusters[i] == cluster)
            return true;
    }
    return false;
}

void koa_agent_parts_switch(const struct koa_agent_parts *before,
                            const struct koa_agent_parts *after)
{
    for (size_t i = 0; before != NULL && i < before->api.cluster_count; i++) {
        if (!has_cluster(after, before->clusters[i]))
            koa_cluster_stop(before->clusters[i]);
    }
    for (size_t i = 0; after != NULL && i < after->api.cluster_count; i++) {
        if (!has_cluster(before, after->clusters[i]))
            koa_cluster_start(after->clusters[i]);
    }
}

void koa_agent_parts_start(struct koa_agent *agent)
{
    struct koa_agent_parts *parts = koa_agent_parts_get(agent);

    koa_agent_parts_switch(NULL, parts);
    koa_agent_parts_unref(parts);
}

void koa_agent_parts_stop(struct koa_agent *agent)
{
    struct koa_agent_parts *parts = koa_agent_parts_get(agent);

    koa_agent_parts_switch(parts, NULL);
    koa_agent_parts_unref(parts);
}

/* A reference to the cluster called `name` ("": the first), or NULL. */
static struct koa_cluster *find_cluster(struct koa_agent *agent, const char *name)
{
    struct koa_agent_parts *parts = koa_agent_parts_get(agent);
    struct koa_cluster *found = NULL;

    for (size_t i = 0; parts != NULL && found == NULL && i < parts->api.cluster_count; i++) {
        if (name[0] == '\0' || koa_text_equal(koa_cluster_name(parts->clusters[i]), name))
            found = parts->clusters[i];
    }
    if (found != NULL)
        koa_cluster_ref(found);
    koa_agent_parts_unref(parts);
    return found;
}

static bool is_configured(void *context, const char *name)
{
    struct koa_cluster *cluster = find_cluster(context, name);

    koa_cluster_unref(cluster);
    return cluster != NULL;
}

static struct koa_snapshot *get_snapshot(void *context, const char *name)
{
    struct koa_cluster *cluster = find_cluster(context, name);
    struct koa_snapshot *snapshot = cluster != NULL ? koa_cluster_snapshot(cluster) : NULL;

    koa_cluster_unref(cluster);
    return snapshot;
}

static void put_snapshot(void *context, struct koa_snapshot *snapshot)
{
    (void) context;
    koa_snapshot_unref(snapshot);
}

static bool refresh(void *context, const char *name)
{
    struct koa_cluster *cluster = find_cluster(context, name);

    if (cluster != NULL)
        koa_cluster_refresh(cluster);
    koa_cluster_unref(cluster);
    return cluster != NULL;
}

const struct koa_health_snapshots koa_agent_snapshots = {
    .is_configured = is_configured,
    .get = get_snapshot,
    .put = put_snapshot,
    .refresh = refresh,
};

/* Only what comes from Kafka can be old; no family in particular means all. */
static bool is_from_kafka(const char *family)
{
    return family == NULL ||
           (strncmp(family, "kafka_", 6) == 0 && strncmp(family, "kafka_ops_", 10) != 0);
}

bool koa_agent_is_stale(void *context, const char *family, char *text, size_t size)
{
    struct koa_agent_parts *parts = is_from_kafka(family) ? koa_agent_parts_get(context) : NULL;
    bool is_stale = false;

    for (size_t i = 0; parts != NULL && !is_stale && i < parts->api.cluster_count; i++) {
        struct koa_snapshot *snapshot = koa_cluster_snapshot(parts->clusters[i]);
        const char *reason =
            snapshot != NULL ? koa_snapshot_error(snapshot) : "nothing was collected yet";

        is_stale = reason != NULL;
        if (is_stale) {
            (void) snprintf(text, size, "cluster %s: %s", koa_cluster_name(parts->clusters[i]),
                            reason);
        }
        koa_snapshot_unref(snapshot);
    }
    koa_agent_parts_unref(parts);
    return is_stale;
}
