/* Names, rates and groups as uneven as in life: a few busy topics and many quiet ones, and among
 * the first groups one of each kind that an operator meets. */
#include "sim/population.h"

#include <math.h>
#include <stdio.h>

#include "base/str.h"
#include "sim/draw.h"

enum { NAME_SIZE = 64 };

static const char *const topic_words[] = {
    "orders",   "payments",  "customers", "clicks",  "page-views", "inventory", "shipments",
    "invoices", "emails",    "audit",     "metrics", "logs",       "sessions",  "carts",
    "returns",  "locations", "sensors",   "alerts",  "profiles",   "searches",
};

struct kind {
    const char *name;
    enum koa_sim_group_type type;
    bool is_simple;
    bool is_empty;
    int64_t lag_ms;
    double speed;
    size_t uncommitted;
};

/* The first groups, each of its own kind. Cases that an operator wants to see come before those
 * that are like them. */
static const struct kind kinds[] = {
    {.name = "billing", .lag_ms = 1000, .speed = 1},
    {.name = "reporting", .lag_ms = 60000, .speed = 0.6},
    {.name = "email-sender", .lag_ms = 300000, .speed = 0},
    {.name = "nightly-export", .is_empty = true, .lag_ms = 1800000, .speed = 1},
    {.name = "notifications", .type = KOA_SIM_SHARE, .lag_ms = 2000, .speed = 1},
    {.name = "sessionizer", .type = KOA_SIM_STREAMS, .lag_ms = 4000, .speed = 1},
    {.name = "search-indexer", .type = KOA_SIM_CONSUMER, .lag_ms = 3000, .speed = 1},
    {.name = "backup-tool", .is_simple = true, .lag_ms = 10000, .speed = 1},
    {.name = "recommendations", .type = KOA_SIM_CONSUMER, .lag_ms = 20000, .speed = 1},
    {.name = "fraud-detection", .lag_ms = 5000, .speed = 1, .uncommitted = 1},
};

/* Of the many that follow, out of 100: consumer, empty, simple, stalled, share, streams; the rest
 * are classic and keep pace. */
enum { CONSUMER_SHARE = 15, EMPTY_SHARE = 8, SIMPLE_SHARE = 3, STALLED_SHARE = 2, LAG_MS = 30000 };

static enum koa_err add_topics(struct koa_sim_model *model, const struct koa_sim_model_opts *opts,
                               struct koa_error *reterr)
{
    int32_t partitions = opts->partitions > opts->topics ? opts->partitions : opts->topics;
    enum koa_err err = KOA_OK;

    for (int32_t i = 0; i < opts->topics && err == KOA_OK; i++) {
        int32_t round = i / (int32_t) KOA_ARRAY_COUNT(topic_words);
        const char *word = topic_words[(size_t) i % KOA_ARRAY_COUNT(topic_words)];
        char name[NAME_SIZE];
        struct koa_sim_topic_plan plan = {
            .partitions = partitions / opts->topics + (i < partitions % opts->topics ? 1 : 0),
            /* From one message in 20 seconds to 400 a second. */
            .rate = 0.05 * pow(8000.0, koa_sim_draw_unit(&model->random)),
        };

        if (round == 0) {
            (void) snprintf(name, sizeof(name), "%s", word);
        } else {
            (void) snprintf(name, sizeof(name), "%s-%d", word, round + 1);
        }
        plan.name = koa_str_from(name);
        plan.base = (int64_t) (plan.rate * KOA_SIM_AGE_MS / 1000);
        err = koa_sim_model_add_topic(model, &plan, 0, reterr);
    }
    for (size_t i = 0; i < model->topic_count; i++)
        model->topics[i].is_compacted = i % 10 == 2;
    return err;
}

/* Types that the version does not know are classic groups there. */
static enum koa_sim_group_type known_type(const struct koa_sim_model *model,
                                          enum koa_sim_group_type type)
{
    return koa_sim_version_has_type(model->version, type) ? type : KOA_SIM_CLASSIC;
}

static struct kind draw_kind(uint64_t *random)
{
    struct kind kind = {
        .lag_ms = (int64_t) (koa_sim_draw(random) % LAG_MS),
        .speed = 1,
    };
    uint64_t number = koa_sim_draw(random) % 100;

    if (number < CONSUMER_SHARE) {
        kind.type = KOA_SIM_CONSUMER;
    } else if (number < CONSUMER_SHARE + EMPTY_SHARE) {
        kind.is_empty = true;
    } else if (number < CONSUMER_SHARE + EMPTY_SHARE + SIMPLE_SHARE) {
        kind.is_simple = true;
    } else if (number < CONSUMER_SHARE + EMPTY_SHARE + SIMPLE_SHARE + STALLED_SHARE) {
        kind.speed = 0;
    } else if (number == 98) {
        kind.type = KOA_SIM_SHARE;
    } else if (number == 99) {
        kind.type = KOA_SIM_STREAMS;
    }
    return kind;
}

/* A run that begins with a topic, or wherever it fits. */
static void place(struct koa_sim_model *model, struct koa_sim_group_plan *plan)
{
    const struct koa_sim_topic *topic =
        &model->topics[koa_sim_draw(&model->random) % model->topic_count];

    if (plan->count > model->partition_count)
        plan->count = model->partition_count;
    plan->first = topic->first;
    if (plan->first + plan->count > model->partition_count)
        plan->first = model->partition_count - plan->count;
    if (plan->uncommitted >= plan->count)
        plan->uncommitted = 0;
}

static enum koa_err add_groups(struct koa_sim_model *model, const struct koa_sim_model_opts *opts,
                               struct koa_error *reterr)
{
    int64_t total = opts->group_partitions > opts->groups ? opts->group_partitions : opts->groups;
    enum koa_err err = KOA_OK;

    for (int32_t i = 0; i < opts->groups && err == KOA_OK; i++) {
        bool is_first = (size_t) i < KOA_ARRAY_COUNT(kinds);
        struct kind kind = is_first ? kinds[i] : draw_kind(&model->random);
        char name[NAME_SIZE];
        struct koa_sim_group_plan plan = {
            .type = known_type(model, kind.type),
            .is_simple = kind.is_simple,
            .members = kind.is_simple || kind.is_empty ? 0 : opts->members,
            .count = (size_t) (total / opts->groups + (i < total % opts->groups ? 1 : 0)),
            .uncommitted = kind.uncommitted,
            .lag_ms = kind.lag_ms,
            .speed = kind.speed,
        };

        if (is_first) {
            (void) snprintf(name, sizeof(name), "%s", kind.name);
        } else {
            (void) snprintf(name, sizeof(name), "%s-%d",
                            kinds[(size_t) i % KOA_ARRAY_COUNT(kinds)].name,
                            i / (int32_t) KOA_ARRAY_COUNT(kinds) + 1);
        }
        plan.name = koa_str_from(name);
        place(model, &plan);
        err = koa_sim_model_add_group(model, &plan, 0, reterr);
    }
    return err;
}

enum koa_err koa_sim_populate(struct koa_sim_model *model, const struct koa_sim_model_opts *opts,
                              struct koa_error *reterr)
{
    enum koa_err err = add_topics(model, opts, reterr);

    return err == KOA_OK ? add_groups(model, opts, reterr) : err;
}
