/* Brokers that die, freeze and come back. The cluster counts a silent broker out after a while:
 * then its leaders and coordinators move to others. */
#include "sim/action.h"
#include "sim/events.h"

/* broker.session.timeout.ms of a KRaft cluster. */
#define SESSION_TIMEOUT "9s"

/* ---- leaders and coordinators */

/* The first replica that is in sync and alive, in order of preference; -1: none. */
static int32_t choose_leader(const struct koa_sim_model *model,
                             const struct koa_sim_partition *partition)
{
    for (int32_t i = 0; i < partition->replica_count; i++) {
        if ((partition->in_sync & 1U << (unsigned) i) != 0 &&
            koa_sim_model_is_alive(model, partition->replicas[i]))
            return partition->replicas[i];
    }
    return -1;
}

static int32_t next_alive(const struct koa_sim_model *model, int32_t broker)
{
    for (int32_t i = 0; i < model->broker_count; i++) {
        int32_t candidate = (broker + i) % model->broker_count + 1;

        if (koa_sim_model_is_alive(model, candidate))
            return candidate;
    }
    return -1;
}

static enum koa_err fail_memory(struct koa_error *reterr)
{
    return koa_fail(reterr, KOA_ERR_NOMEM, "no memory to change a simulated log");
}

/* The last replica in sync stays so while nobody takes over. */
static enum koa_err leave_partitions(struct koa_sim_model *model, int32_t broker, int64_t now_ms,
                                     struct koa_error *reterr)
{
    for (size_t p = 0; p < model->partition_count; p++) {
        struct koa_sim_partition *partition = &model->partitions[p];
        int replica = koa_sim_partition_replica(partition, broker);
        unsigned bit;

        if (replica < 0)
            continue;
        bit = 1U << (unsigned) replica;
        if ((partition->in_sync & ~bit) != 0)
            partition->in_sync &= ~bit;
        if (partition->leader == broker &&
            !koa_sim_partition_set_leader(partition, now_ms, choose_leader(model, partition)))
            return fail_memory(reterr);
    }
    return KOA_OK;
}

static enum koa_err join_partitions(struct koa_sim_model *model, int32_t broker, int64_t now_ms,
                                    struct koa_error *reterr)
{
    for (size_t p = 0; p < model->partition_count; p++) {
        struct koa_sim_partition *partition = &model->partitions[p];
        int replica = koa_sim_partition_replica(partition, broker);

        if (replica < 0)
            continue;
        if (partition->leader < 0 &&
            !koa_sim_partition_set_leader(partition, now_ms, choose_leader(model, partition)))
            return fail_memory(reterr);
        if (partition->leader >= 0)
            partition->in_sync |= 1U << (unsigned) replica;
    }
    for (size_t s = 0; s < KOA_SIM_SLOTS; s++) {
        if (model->slots[s].coordinator < 0)
            model->slots[s].coordinator = broker;
    }
    return KOA_OK;
}

/* ---- actions */

static enum koa_err fence(struct koa_sim_model *model, const struct koa_sim_arguments *arguments,
                          int64_t now_ms, struct koa_error *reterr)
{
    struct koa_sim_node *node = koa_sim_require_node(model, arguments->broker, reterr);
    int32_t broker = (int32_t) arguments->broker;

    if (node == NULL)
        return KOA_ERR_NOT_FOUND;
    node->is_fenced = true;
    for (size_t s = 0; s < KOA_SIM_SLOTS; s++) {
        if (model->slots[s].coordinator == broker)
            model->slots[s].coordinator = next_alive(model, broker);
    }
    if (model->controller == broker && next_alive(model, broker) > 0) {
        model->controller = next_alive(model, broker);
        model->controller_epoch++;
    }
    return leave_partitions(model, broker, now_ms, reterr);
}

static const struct koa_sim_action fence_if_silent;

/* The session runs out unless the broker is back by then. */
static enum koa_err run_fence_if_silent(struct koa_sim_model *model,
                                        const struct koa_sim_arguments *arguments, int64_t now_ms,
                                        struct koa_error *reterr)
{
    const struct koa_sim_node *node = koa_sim_require_node(model, arguments->broker, reterr);

    if (node == NULL)
        return KOA_ERR_NOT_FOUND;
    if (node->is_fenced || (!node->is_dead && !node->is_frozen) ||
        now_ms - node->silent_since_ms < arguments->duration_ms)
        return KOA_OK;
    return fence(model, arguments, now_ms, reterr);
}

static const struct koa_sim_action fence_if_silent = {
    .name = "fence_if_silent",
    .run = run_fence_if_silent,
};

static enum koa_err fall_silent(struct koa_sim_model *model,
                                const struct koa_sim_arguments *arguments, int64_t now_ms,
                                struct koa_error *reterr)
{
    struct koa_sim_node *node = koa_sim_require_node(model, arguments->broker, reterr);

    if (node == NULL)
        return KOA_ERR_NOT_FOUND;
    if (!node->is_dead && !node->is_frozen)
        node->silent_since_ms = now_ms;
    return koa_sim_events_add(model,
                              &(struct koa_sim_event){.at_ms = now_ms + arguments->duration_ms,
                                                      .action = &fence_if_silent,
                                                      .arguments = *arguments},
                              reterr);
}

static enum koa_err kill_broker(struct koa_sim_model *model,
                                const struct koa_sim_arguments *arguments, int64_t now_ms,
                                struct koa_error *reterr)
{
    enum koa_err err = fall_silent(model, arguments, now_ms, reterr);

    if (err == KOA_OK)
        model->nodes[arguments->broker - 1].is_dead = true;
    return err;
}

static enum koa_err freeze_broker(struct koa_sim_model *model,
                                  const struct koa_sim_arguments *arguments, int64_t now_ms,
                                  struct koa_error *reterr)
{
    enum koa_err err = fall_silent(model, arguments, now_ms, reterr);

    if (err == KOA_OK)
        model->nodes[arguments->broker - 1].is_frozen = true;
    return err;
}

/* It registers again, catches up at once, and leads nothing that another leads by now. */
static enum koa_err come_back(struct koa_sim_model *model,
                              const struct koa_sim_arguments *arguments, int64_t now_ms,
                              struct koa_error *reterr)
{
    struct koa_sim_node *node = koa_sim_require_node(model, arguments->broker, reterr);

    if (node == NULL)
        return KOA_ERR_NOT_FOUND;
    node->is_dead = node->is_frozen = node->is_fenced = false;
    return join_partitions(model, (int32_t) arguments->broker, now_ms, reterr);
}

/* The brokers that arguments->broker means: all when it is 0. */
static enum koa_err each_node(struct koa_sim_model *model,
                              const struct koa_sim_arguments *arguments, int32_t *ret_first,
                              int32_t *ret_last, struct koa_error *reterr)
{
    if (arguments->broker == 0) {
        *ret_first = 1;
        *ret_last = model->broker_count;
        return KOA_OK;
    }
    *ret_first = *ret_last = (int32_t) arguments->broker;
    return koa_sim_require_node(model, arguments->broker, reterr) != NULL ? KOA_OK
                                                                          : KOA_ERR_NOT_FOUND;
}

static enum koa_err slow_broker(struct koa_sim_model *model,
                                const struct koa_sim_arguments *arguments, int64_t now_ms,
                                struct koa_error *reterr)
{
    int32_t first;
    int32_t last;
    enum koa_err err = each_node(model, arguments, &first, &last, reterr);

    (void) now_ms;
    for (int32_t id = first; err == KOA_OK && id <= last; id++)
        model->nodes[id - 1].latency_ms = arguments->duration_ms;
    return err;
}

static enum koa_err close_connections(struct koa_sim_model *model,
                                      const struct koa_sim_arguments *arguments, int64_t now_ms,
                                      struct koa_error *reterr)
{
    int32_t first;
    int32_t last;
    enum koa_err err = each_node(model, arguments, &first, &last, reterr);

    (void) now_ms;
    for (int32_t id = first; err == KOA_OK && id <= last; id++)
        model->nodes[id - 1].hang_ups++;
    return err;
}

/* ---- rows */

#define BROKER                                                                                     \
    {                                                                                              \
        KOA_COUNT(struct koa_sim_arguments, broker), .required = true, .minimum = 1,               \
                                                     .maximum = KOA_SIM_BROKERS_MAX,               \
                                                     .help = "its id, from 1"                      \
    }
#define ANY_BROKER                                                                                 \
    {                                                                                              \
        KOA_COUNT(struct koa_sim_arguments, broker), .fallback = "0", .minimum = 0,                \
                                                     .maximum = KOA_SIM_BROKERS_MAX,               \
                                                     .help = "its id, from 1; 0: all brokers"      \
    }

static const struct koa_option one_broker[] = {BROKER, {0}};

static const struct koa_option silent_broker[] = {
    BROKER,
    {KOA_DURATION(struct koa_sim_arguments, duration_ms), .key = "failover",
     .fallback = SESSION_TIMEOUT,
     .help = "until the cluster counts it out, and leaders and coordinators move"},
    {0},
};

static const struct koa_option slow_options[] = {
    ANY_BROKER,
    {KOA_DURATION(struct koa_sim_arguments, duration_ms), .key = "latency", .required = true,
     .maximum = KOA_SIM_LATENCY_MS_MAX, .help = "added to each of its answers; 0: none"},
    {0},
};

static const struct koa_option any_broker[] = {ANY_BROKER, {0}};

const struct koa_sim_action koa_sim_broker_actions[] = {
    {.name = "kill_broker",
     .help = "Ends the broker's process: its connections close and its port is not listened on",
     .options = silent_broker,
     .run = kill_broker},
    {.name = "restart_broker",
     .help = "Starts a broker that was killed; it is in sync at once and leads nothing yet",
     .options = one_broker,
     .run = come_back},
    {.name = "freeze_broker",
     .help = "Stops the broker without ending it: connections are accepted, answers do not come",
     .options = silent_broker,
     .run = freeze_broker},
    {.name = "thaw_broker",
     .help = "Lets a frozen broker go on; what it was asked meanwhile is answered",
     .options = one_broker,
     .run = come_back},
    {.name = "fence_broker",
     .help = "The cluster counts the broker out now: leaders and coordinators move, its replicas "
             "are offline",
     .options = one_broker,
     .run = fence},
    {.name = "slow_broker",
     .help = "Delays every answer of the broker; the next one may be asked meanwhile",
     .options = slow_options,
     .run = slow_broker},
    {.name = "close_connections",
     .help = "Closes every connection of the broker once",
     .options = any_broker,
     .run = close_connections},
    {0},
};
