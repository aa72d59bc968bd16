/* The cluster's parts and how they are found. What a new one is filled with is population.c's
 * business, what happens to it later that of the actions. */
#include "sim/model.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "sim/draw.h"
#include "sim/events.h"
#include "sim/population.h"
#include "sim/storage.h"

enum {
    NAME_MAX_SIZE = 32767, /* of a string on the wire */
    /* A name is at most about 40 bytes, but for those that events bring. */
    NAMES_LIMIT = 256 << 20,
};

static void draw_cluster_id(uint64_t *state, char id[23])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    for (int i = 0; i < 22; i++)
        id[i] = digits[koa_sim_draw(state) & 63];
    /* 16 bytes are 21 digits and a third: the last has only two bits. */
    id[21] = digits[koa_sim_draw(state) & 48];
    id[22] = '\0';
}

static void draw_topic_id(uint64_t *state, unsigned char id[16])
{
    uint64_t halves[2] = {koa_sim_draw(state), koa_sim_draw(state)};

    memcpy(id, halves, sizeof(halves));
    id[6] = (unsigned char) ((id[6] & 0x0f) | 0x40); /* version 4 */
    id[8] = (unsigned char) ((id[8] & 0x3f) | 0x80);
}

static enum koa_err allocate(struct koa_sim_model *model, const struct koa_sim_model_opts *opts,
                             struct koa_error *reterr)
{
    int32_t partitions = opts->partitions > opts->topics ? opts->partitions : opts->topics;

    model->broker_count = opts->brokers;
    model->topic_capacity = (size_t) opts->topics + KOA_SIM_MORE_TOPICS;
    model->partition_capacity = (size_t) partitions + KOA_SIM_MORE_PARTITIONS;
    model->group_capacity = (size_t) opts->groups + KOA_SIM_MORE_GROUPS;
    model->nodes = koa_calloc((size_t) opts->brokers, sizeof(*model->nodes));
    model->topics = koa_calloc(model->topic_capacity, sizeof(*model->topics));
    model->partitions = koa_calloc(model->partition_capacity, sizeof(*model->partitions));
    model->groups = koa_calloc(model->group_capacity, sizeof(*model->groups));
    model->topics_by_name = koa_map_create(model->topic_capacity);
    model->topics_by_id = koa_map_create(model->topic_capacity);
    model->groups_by_name = koa_map_create(model->group_capacity);
    model->names = koa_arena_create(NAMES_LIMIT);
    if (model->nodes == NULL || model->topics == NULL || model->partitions == NULL ||
        model->groups == NULL || model->topics_by_name == NULL || model->topics_by_id == NULL ||
        model->groups_by_name == NULL || model->names == NULL)
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory for %d simulated partitions", partitions);
    return KOA_OK;
}

static void fill_nodes(struct koa_sim_model *model, int64_t latency_ms)
{
    for (int32_t i = 0; i < model->broker_count; i++)
        model->nodes[i].latency_ms = latency_ms;
    for (int32_t i = 0; i < KOA_SIM_SLOTS; i++)
        model->slots[i].coordinator = i % model->broker_count + 1;
    model->controller = 1;
    model->controller_epoch = 1;
}

enum koa_err koa_sim_model_create(const struct koa_sim_model_opts *opts,
                                  struct koa_sim_model **ret_model, struct koa_error *reterr)
{
    struct koa_sim_model *model = koa_calloc(1, sizeof(*model));
    enum koa_err err = koa_require_memory(model, reterr);

    if (err == KOA_OK && (opts->brokers < 1 || opts->topics < 1)) {
        err = koa_fail(reterr, KOA_ERR_INVALID,
                       "a simulated cluster needs at least 1 broker and 1 topic");
    }
    if (err == KOA_OK)
        err = allocate(model, opts, reterr);
    if (err == KOA_OK) {
        model->began = opts->now;
        model->random = opts->seed;
        model->version = opts->version;
        draw_cluster_id(&model->random, model->cluster_id);
        fill_nodes(model, opts->latency_ms);
        err = koa_sim_populate(model, opts, reterr);
    }
    if (err == KOA_OK)
        koa_sim_storage_size(model);
    if (err == KOA_OK)
        *ret_model = KOA_MOVE(model);
    koa_sim_model_destroy(model);
    return err;
}

void koa_sim_model_destroy(struct koa_sim_model *model)
{
    if (model == NULL)
        return;
    for (size_t i = 0; i < model->partition_count; i++)
        koa_sim_partition_deinit(&model->partitions[i]);
    if (model->topics_by_name != NULL)
        koa_map_destroy(model->topics_by_name, NULL);
    if (model->topics_by_id != NULL)
        koa_map_destroy(model->topics_by_id, NULL);
    if (model->groups_by_name != NULL)
        koa_map_destroy(model->groups_by_name, NULL);
    koa_sim_events_destroy(model->events);
    koa_arena_destroy(model->names);
    koa_free(model->nodes);
    koa_free(model->topics);
    koa_free(model->partitions);
    koa_free(model->groups);
    koa_free(model);
}

/* ---- finding */

struct koa_sim_topic *koa_sim_model_find(const struct koa_sim_model *model, struct koa_str name)
{
    return koa_map_find(model->topics_by_name, name);
}

struct koa_sim_topic *koa_sim_model_find_id(const struct koa_sim_model *model,
                                            const unsigned char id[16])
{
    return koa_map_find(model->topics_by_id, (struct koa_str){(const char *) id, 16});
}

struct koa_sim_group *koa_sim_model_find_group(const struct koa_sim_model *model,
                                               struct koa_str name)
{
    return koa_map_find(model->groups_by_name, name);
}

struct koa_sim_node *koa_sim_model_node(const struct koa_sim_model *model, int32_t broker)
{
    return broker >= 1 && broker <= model->broker_count ? &model->nodes[broker - 1] : NULL;
}

bool koa_sim_model_is_alive(const struct koa_sim_model *model, int32_t broker)
{
    const struct koa_sim_node *node = koa_sim_model_node(model, broker);

    return node != NULL && !node->is_fenced;
}

struct koa_sim_span koa_sim_model_span(const struct koa_sim_model *model, size_t first,
                                       size_t count)
{
    size_t low = 0;
    size_t high = model->topic_count;
    struct koa_sim_span span;
    size_t rest;

    /* The last topic that begins at `first` or before. */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (model->topics[middle].first <= first) {
            low = middle;
        } else {
            high = middle;
        }
    }
    span.topic = &model->topics[low];
    span.from = (int32_t) (first - span.topic->first);
    rest = (size_t) span.topic->partitions - (size_t) span.from;
    span.count = count < rest ? count : rest;
    return span;
}

/* Java's String.hashCode() of an ASCII name, without its sign, as Kafka takes it. */
int32_t koa_sim_slot_of(struct koa_str group)
{
    uint32_t hash = 0;

    for (size_t i = 0; i < group.size; i++)
        hash = hash * 31 + (unsigned char) group.data[i];
    return (int32_t) ((hash & INT32_MAX) % KOA_SIM_SLOTS);
}

bool koa_sim_model_lists(const struct koa_sim_model *model, int32_t slot, int32_t broker,
                         int64_t now_ms)
{
    const struct koa_sim_slot *it = &model->slots[slot];

    return it->coordinator == broker || (it->former == broker && now_ms < it->former_until_ms);
}

/* ---- adding and removing */

static enum koa_err copy_name(struct koa_sim_model *model, struct koa_str name,
                              struct koa_str *ret_name, struct koa_error *reterr)
{
    if (name.size > NAME_MAX_SIZE)
        return koa_fail(reterr, KOA_ERR_RANGE, "a name of %zu bytes is too long", name.size);
    ret_name->data = koa_arena_strndup(model->names, name.data, name.size);
    ret_name->size = name.size;
    return koa_require_memory(ret_name->data, reterr);
}

/* Leaders of a topic go round the brokers from `first`, as Kafka places them. */
static void place_partition(struct koa_sim_model *model, const struct koa_sim_topic_plan *plan,
                            int32_t first, struct koa_sim_partition *partition)
{
    int32_t count = plan->replicas > 0 ? plan->replicas : KOA_SIM_REPLICAS_MAX;
    double share = 0.5 + koa_sim_draw_unit(&model->random);

    if (count > model->broker_count)
        count = model->broker_count;
    if (count > KOA_SIM_REPLICAS_MAX)
        count = KOA_SIM_REPLICAS_MAX;
    for (int32_t i = 0; i < count; i++)
        partition->replicas[i] = (first + i) % model->broker_count + 1;
    partition->replica_count = count;
    partition->leader = -1;
    for (int32_t i = 0; i < count; i++) {
        if (!koa_sim_model_is_alive(model, partition->replicas[i]))
            continue;
        partition->in_sync |= 1U << (unsigned) i;
        if (partition->leader < 0)
            partition->leader = partition->replicas[i];
    }
    partition->rate = plan->rate * share;
    partition->base = (int64_t) ((double) plan->base * share);
}

enum koa_err koa_sim_model_add_topic(struct koa_sim_model *model,
                                     const struct koa_sim_topic_plan *plan, int64_t now_ms,
                                     struct koa_error *reterr)
{
    struct koa_sim_topic *topic = &model->topics[model->topic_count];
    int32_t first = (int32_t) (koa_sim_draw(&model->random) % (uint64_t) model->broker_count);
    enum koa_err err;

    if (koa_sim_model_find(model, plan->name) != NULL)
        return koa_fail(reterr, KOA_ERR_EXISTS, "the topic is there already");
    if (plan->partitions < 1)
        return koa_fail(reterr, KOA_ERR_RANGE, "a topic has at least one partition");
    if (model->topic_count == model->topic_capacity ||
        model->partition_count + (size_t) plan->partitions > model->partition_capacity) {
        return koa_fail(reterr, KOA_ERR_LIMIT, "the simulated cluster takes no more partitions");
    }
    *topic =
        (struct koa_sim_topic){.first = model->partition_count, .partitions = plan->partitions};
    draw_topic_id(&model->random, topic->id);
    err = copy_name(model, plan->name, &topic->name, reterr);
    if (err == KOA_OK)
        err = koa_map_put(model->topics_by_name, topic->name, topic, NULL);
    if (err == KOA_OK) {
        err = koa_map_put(model->topics_by_id, (struct koa_str){(const char *) topic->id, 16},
                          topic, NULL);
    }
    if (err != KOA_OK) {
        (void) koa_map_remove(model->topics_by_name, plan->name);
        return koa_fail(reterr, err, "no memory for a simulated topic");
    }
    for (int32_t i = 0; i < plan->partitions; i++) {
        struct koa_sim_partition *partition = &model->partitions[model->partition_count++];

        place_partition(model, plan, first + i, partition);
        /* The line goes through `base` now, wherever it was when all began. */
        partition->base -= (int64_t) floor(partition->rate * (double) now_ms / 1000);
    }
    model->topic_count++;
    return KOA_OK;
}

void koa_sim_model_remove_topic(struct koa_sim_model *model, struct koa_sim_topic *topic)
{
    topic->is_deleted = true;
    (void) koa_map_remove(model->topics_by_name, topic->name);
    (void) koa_map_remove(model->topics_by_id, (struct koa_str){(const char *) topic->id, 16});
}

enum koa_err koa_sim_model_add_group(struct koa_sim_model *model,
                                     const struct koa_sim_group_plan *plan, int64_t now_ms,
                                     struct koa_error *reterr)
{
    struct koa_sim_group *group = &model->groups[model->group_count];
    enum koa_err err;

    if (koa_sim_model_find_group(model, plan->name) != NULL)
        return koa_fail(reterr, KOA_ERR_EXISTS, "the group is there already");
    if (model->group_count == model->group_capacity)
        return koa_fail(reterr, KOA_ERR_LIMIT, "the simulated cluster takes no more groups");
    KOA_ASSERT(plan->first + plan->count <= model->partition_count);
    *group = (struct koa_sim_group){
        .plan = *plan,
        .slot = koa_sim_slot_of(plan->name),
        .epoch = 1 + (int32_t) (koa_sim_draw(&model->random) % 20),
        .since_ms = now_ms,
        .position_ms = now_ms - plan->lag_ms,
        .salt = koa_sim_draw(&model->random),
    };
    err = copy_name(model, plan->name, &group->plan.name, reterr);
    if (err == KOA_OK && koa_map_put(model->groups_by_name, plan->name, group, NULL) != KOA_OK)
        err = koa_fail(reterr, KOA_ERR_NOMEM, "no memory for a simulated group");
    if (err == KOA_OK)
        model->group_count++;
    return err;
}

void koa_sim_model_remove_group(struct koa_sim_model *model, struct koa_sim_group *group)
{
    group->is_deleted = true;
    (void) koa_map_remove(model->groups_by_name, group->plan.name);
}
