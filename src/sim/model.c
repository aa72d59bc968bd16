/* Makes a cluster from a seed: names, replicas spread over brokers, and rates as uneven as in life
 * (a few busy topics, many quiet ones). */
#include "sim/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/str.h"

enum {
    RETENTION_MS = 3600000,
    AGE_MS = 7200000, /* a new cluster looks as if it had run for two hours */
};

static const char *const words[] = {
    "orders",   "payments",  "customers", "clicks",  "page-views", "inventory", "shipments",
    "invoices", "emails",    "audit",     "metrics", "logs",       "sessions",  "carts",
    "returns",  "locations", "sensors",   "alerts",  "profiles",   "searches",
};

/* splitmix64 (Steele, Lea, Flood 2014): every state gives a good number, so seed 1 and 2 differ. */
static uint64_t draw(uint64_t *state)
{
    uint64_t word = *state += UINT64_C(0x9e3779b97f4a7c15);

    word = (word ^ (word >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94d049bb133111eb);
    return word ^ (word >> 31);
}

static double draw_unit(uint64_t *state)
{
    return (double) (draw(state) >> 11) * 0x1p-53;
}

static void draw_cluster_id(uint64_t *state, char id[23])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    for (int i = 0; i < 22; i++)
        id[i] = digits[draw(state) & 63];
    /* 16 bytes are 21 digits and a third: the last has only two bits. */
    id[21] = digits[draw(state) & 48];
    id[22] = '\0';
}

static void name_topic(struct koa_sim_topic *topic, size_t index)
{
    size_t round = index / KOA_ARRAY_COUNT(words);

    if (round == 0) {
        (void) snprintf(topic->name, sizeof(topic->name), "%s", words[index]);
    } else {
        (void) snprintf(topic->name, sizeof(topic->name), "%s-%zu",
                        words[index % KOA_ARRAY_COUNT(words)], round + 1);
    }
}

static void draw_topic_id(uint64_t *state, unsigned char id[16])
{
    uint64_t halves[2] = {draw(state), draw(state)};

    memcpy(id, halves, sizeof(halves));
    id[6] = (unsigned char) ((id[6] & 0x0f) | 0x40); /* version 4 */
    id[8] = (unsigned char) ((id[8] & 0x3f) | 0x80);
}

/* Leaders of a topic go round the brokers from `first`, as Kafka places them. */
static void draw_partition(struct koa_sim_model *model, uint64_t *state, double topic_rate,
                           int32_t first, struct koa_sim_partition *partition)
{
    int32_t count =
        model->broker_count < KOA_SIM_REPLICAS_MAX ? model->broker_count : KOA_SIM_REPLICAS_MAX;

    for (int32_t i = 0; i < count; i++)
        partition->replicas[i] = (first + i) % model->broker_count + 1;
    partition->replica_count = count;
    partition->leader = partition->replicas[0];
    partition->rate = topic_rate * (0.5 + draw_unit(state));
    partition->base = (int64_t) (partition->rate * AGE_MS / 1000);
}

static void fill(struct koa_sim_model *model, uint64_t state)
{
    size_t each = model->partition_count / model->topic_count;
    size_t over = model->partition_count % model->topic_count;
    size_t next = 0;

    draw_cluster_id(&state, model->cluster_id);
    for (size_t i = 0; i < model->topic_count; i++) {
        struct koa_sim_topic *topic = &model->topics[i];
        /* From one message in 20 seconds to 400 a second. */
        double rate = 0.05 * pow(8000.0, draw_unit(&state));
        int32_t first = (int32_t) (draw(&state) % (uint64_t) model->broker_count);

        name_topic(topic, i);
        draw_topic_id(&state, topic->id);
        topic->first = next;
        topic->partitions = (int32_t) (each + (i < over ? 1 : 0));
        for (int32_t p = 0; p < topic->partitions; p++)
            draw_partition(model, &state, rate, first + p, &model->partitions[next++]);
    }
}

enum koa_err koa_sim_model_create(const struct koa_sim_model_opts *opts,
                                  struct koa_sim_model **ret_model, struct koa_error *reterr)
{
    KOA_AUTO(koa_sim_model) *model = koa_calloc(1, sizeof(*model));
    int32_t partitions = opts->partitions > opts->topics ? opts->partitions : opts->topics;

    if (opts->brokers < 1 || opts->topics < 1) {
        return koa_fail(reterr, KOA_ERR_INVALID,
                        "a simulated cluster needs at least 1 broker and 1 topic");
    }
    if (model != NULL) {
        model->broker_count = opts->brokers;
        model->topic_count = (size_t) opts->topics;
        model->partition_count = (size_t) partitions;
        model->began = opts->now;
        model->topics = koa_calloc(model->topic_count, sizeof(*model->topics));
        model->partitions = koa_calloc(model->partition_count, sizeof(*model->partitions));
    }
    if (model == NULL || model->topics == NULL || model->partitions == NULL)
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory for %d simulated partitions", partitions);
    fill(model, opts->seed);
    *ret_model = KOA_MOVE(model);
    return KOA_OK;
}

void koa_sim_model_destroy(struct koa_sim_model *model)
{
    if (model == NULL)
        return;
    koa_free(model->topics);
    koa_free(model->partitions);
    koa_free(model);
}

const struct koa_sim_topic *koa_sim_model_find(const struct koa_sim_model *model,
                                               struct koa_str name)
{
    for (size_t i = 0; i < model->topic_count; i++) {
        if (koa_str_equal_text(name, model->topics[i].name))
            return &model->topics[i];
    }
    return NULL;
}

const struct koa_sim_topic *koa_sim_model_find_id(const struct koa_sim_model *model,
                                                  const unsigned char id[16])
{
    for (size_t i = 0; i < model->topic_count; i++) {
        if (memcmp(model->topics[i].id, id, 16) == 0)
            return &model->topics[i];
    }
    return NULL;
}

/* Messages written from the beginning until `elapsed_ms`, never fewer than before. */
static int64_t written(const struct koa_sim_partition *partition, int64_t elapsed_ms)
{
    return partition->base + (int64_t) (partition->rate * (double) elapsed_ms / 1000);
}

int64_t koa_sim_end_offset(const struct koa_sim_model *model,
                           const struct koa_sim_partition *partition, struct koa_mono now)
{
    return written(partition, koa_mono_diff_ms(now, model->began));
}

int64_t koa_sim_start_offset(const struct koa_sim_model *model,
                             const struct koa_sim_partition *partition, struct koa_mono now)
{
    int64_t offset = written(partition, koa_mono_diff_ms(now, model->began) - RETENTION_MS);

    return offset > 0 ? offset : 0;
}
