/* Topics that come and go, leaders and replicas that move, logs that are written and cut. */
#include <inttypes.h>

#include "base/str.h"
#include "sim/action.h"
#include "sim/events.h"
#include "sim/reassignment.h"

static enum koa_err fail_memory(struct koa_error *reterr)
{
    return koa_fail(reterr, KOA_ERR_NOMEM, "no memory to change a simulated log");
}

/* The partitions that the arguments mean: one of the topic, all of it, or, without a topic, all
 * there are. */
static enum koa_err find_partitions(const struct koa_sim_model *model,
                                    const struct koa_sim_arguments *arguments, size_t *ret_first,
                                    size_t *ret_end, struct koa_error *reterr)
{
    const struct koa_sim_topic *topic;

    *ret_first = 0;
    *ret_end = model->partition_count;
    if (arguments->topic == NULL)
        return KOA_OK;
    topic = koa_sim_require_topic(model, arguments->topic, reterr);
    if (topic == NULL)
        return KOA_ERR_NOT_FOUND;
    *ret_first = topic->first;
    *ret_end = topic->first + (size_t) topic->partitions;
    if (arguments->partition < 0)
        return KOA_OK;
    if (arguments->partition >= topic->partitions) {
        return koa_fail(reterr, KOA_ERR_NOT_FOUND, "topic '%s' has no partition %" PRId64,
                        arguments->topic, arguments->partition);
    }
    *ret_first += (size_t) arguments->partition;
    *ret_end = *ret_first + 1;
    return KOA_OK;
}

/* What happens to each partition; false: memory is out. */
typedef bool change_fn(struct koa_sim_model *model, struct koa_sim_partition *partition,
                       const struct koa_sim_arguments *arguments, int64_t now_ms);

static enum koa_err change_each(struct koa_sim_model *model,
                                const struct koa_sim_arguments *arguments, int64_t now_ms,
                                change_fn *change, struct koa_error *reterr)
{
    size_t first;
    size_t end;
    enum koa_err err = find_partitions(model, arguments, &first, &end, reterr);

    for (size_t p = first; err == KOA_OK && p < end; p++) {
        if (!change(model, &model->partitions[p], arguments, now_ms))
            err = fail_memory(reterr);
    }
    return err;
}

/* ---- leaders and replicas */

/* To the broker that is asked for, else to the next replica in sync; stays where that is none. */
static bool move_one_leader(struct koa_sim_model *model, struct koa_sim_partition *partition,
                            const struct koa_sim_arguments *arguments, int64_t now_ms)
{
    int now = koa_sim_partition_replica(partition, partition->leader);

    for (int i = 1; i <= partition->replica_count; i++) {
        int replica = (now + i) % partition->replica_count;
        int32_t broker = partition->replicas[replica];

        if ((partition->in_sync & 1U << (unsigned) replica) == 0 ||
            !koa_sim_model_is_alive(model, broker) ||
            (arguments->to != 0 && arguments->to != broker))
            continue;
        return koa_sim_partition_set_leader(partition, now_ms, broker);
    }
    return true;
}

static enum koa_err move_leader(struct koa_sim_model *model,
                                const struct koa_sim_arguments *arguments, int64_t now_ms,
                                struct koa_error *reterr)
{
    return change_each(model, arguments, now_ms, move_one_leader, reterr);
}

static bool lose_one_leader(struct koa_sim_model *model, struct koa_sim_partition *partition,
                            const struct koa_sim_arguments *arguments, int64_t now_ms)
{
    (void) model, (void) arguments;
    return koa_sim_partition_set_leader(partition, now_ms, -1);
}

static enum koa_err lose_leader(struct koa_sim_model *model,
                                const struct koa_sim_arguments *arguments, int64_t now_ms,
                                struct koa_error *reterr)
{
    return change_each(model, arguments, now_ms, lose_one_leader, reterr);
}

static bool elect_one(struct koa_sim_model *model, struct koa_sim_partition *partition,
                      const struct koa_sim_arguments *arguments, int64_t now_ms)
{
    (void) arguments;
    if ((partition->in_sync & 1U) == 0 || !koa_sim_model_is_alive(model, partition->replicas[0]))
        return true;
    return koa_sim_partition_set_leader(partition, now_ms, partition->replicas[0]);
}

static enum koa_err elect_preferred(struct koa_sim_model *model,
                                    const struct koa_sim_arguments *arguments, int64_t now_ms,
                                    struct koa_error *reterr)
{
    return change_each(model, arguments, now_ms, elect_one, reterr);
}

/* A leader is always in sync. */
static bool shrink_one(struct koa_sim_model *model, struct koa_sim_partition *partition,
                       const struct koa_sim_arguments *arguments, int64_t now_ms)
{
    int replica = koa_sim_partition_replica(partition, (int32_t) arguments->broker);

    (void) model, (void) now_ms;
    if (replica >= 0 && partition->leader != arguments->broker)
        partition->in_sync &= ~(1U << (unsigned) replica);
    return true;
}

static enum koa_err shrink_isr(struct koa_sim_model *model,
                               const struct koa_sim_arguments *arguments, int64_t now_ms,
                               struct koa_error *reterr)
{
    return change_each(model, arguments, now_ms, shrink_one, reterr);
}

static bool expand_one(struct koa_sim_model *model, struct koa_sim_partition *partition,
                       const struct koa_sim_arguments *arguments, int64_t now_ms)
{
    (void) now_ms;
    for (int32_t i = 0; i < partition->replica_count; i++) {
        if ((arguments->broker == 0 || arguments->broker == partition->replicas[i]) &&
            koa_sim_model_is_alive(model, partition->replicas[i]))
            partition->in_sync |= 1U << (unsigned) i;
    }
    return true;
}

static enum koa_err expand_isr(struct koa_sim_model *model,
                               const struct koa_sim_arguments *arguments, int64_t now_ms,
                               struct koa_error *reterr)
{
    return change_each(model, arguments, now_ms, expand_one, reterr);
}

static enum koa_err finish_reassignment(struct koa_sim_model *model,
                                        const struct koa_sim_arguments *arguments, int64_t now_ms,
                                        struct koa_error *reterr)
{
    size_t first;
    size_t end;
    enum koa_err err = find_partitions(model, arguments, &first, &end, reterr);

    for (size_t p = first; err == KOA_OK && p < end; p++) {
        if (!koa_sim_reassignment_finish(model, p, now_ms))
            err = fail_memory(reterr);
    }
    return err;
}

/* Nobody asked for this event: a topic that is gone by then is no news. */
static enum koa_err end_reassignment(struct koa_sim_model *model,
                                     const struct koa_sim_arguments *arguments, int64_t now_ms,
                                     struct koa_error *reterr)
{
    if (koa_sim_model_find(model, koa_str_from(arguments->topic)) == NULL)
        return KOA_OK;
    return finish_reassignment(model, arguments, now_ms, reterr);
}

static const struct koa_sim_action reassignment_end = {
    .name = "finish_reassignment",
    .run = end_reassignment,
};

static enum koa_err reassign(struct koa_sim_model *model, const struct koa_sim_arguments *arguments,
                             int64_t now_ms, struct koa_error *reterr)
{
    struct koa_sim_reassignment move = {.replica_count = (int32_t) arguments->brokers.count};
    const struct koa_sim_event end = {.at_ms = now_ms + arguments->duration_ms,
                                      .action = &reassignment_end,
                                      .arguments = *arguments};
    size_t first;
    size_t last;
    enum koa_err err = find_partitions(model, arguments, &first, &last, reterr);

    if (err == KOA_OK &&
        (arguments->brokers.count < 1 || arguments->brokers.count > KOA_SIM_REPLICAS_MAX)) {
        err = koa_fail(reterr, KOA_ERR_RANGE, "a partition has 1 to %d replicas, not %zu",
                       KOA_SIM_REPLICAS_MAX, arguments->brokers.count);
    }
    for (size_t i = 0; err == KOA_OK && i < arguments->brokers.count; i++) {
        move.replicas[i] = (int32_t) arguments->brokers.rows[i];
        if (koa_sim_require_node(model, arguments->brokers.rows[i], reterr) == NULL)
            err = KOA_ERR_NOT_FOUND;
    }
    if (err == KOA_OK)
        err = koa_sim_events_add(model, &end, reterr);
    for (size_t p = first; err == KOA_OK && p < last; p++) {
        move.partition = p;
        if (!koa_sim_reassignment_begin(model, &move)) {
            err = koa_fail(reterr, KOA_ERR_LIMIT, "more than %d partitions move at a time",
                           KOA_SIM_MOVES_MAX);
        }
    }
    return err;
}

/* ---- topics and their logs */

static enum koa_err create_topic(struct koa_sim_model *model,
                                 const struct koa_sim_arguments *arguments, int64_t now_ms,
                                 struct koa_error *reterr)
{
    const struct koa_sim_topic_plan plan = {.name = koa_str_from(arguments->topic),
                                            .partitions = (int32_t) arguments->partitions,
                                            .rate = arguments->rate};

    return koa_sim_model_add_topic(model, &plan, now_ms, reterr);
}

static enum koa_err delete_topic(struct koa_sim_model *model,
                                 const struct koa_sim_arguments *arguments, int64_t now_ms,
                                 struct koa_error *reterr)
{
    struct koa_sim_topic *topic = koa_sim_require_topic(model, arguments->topic, reterr);

    (void) now_ms;
    if (topic == NULL)
        return KOA_ERR_NOT_FOUND;
    koa_sim_model_remove_topic(model, topic);
    return KOA_OK;
}

static bool write_one(struct koa_sim_model *model, struct koa_sim_partition *partition,
                      const struct koa_sim_arguments *arguments, int64_t now_ms)
{
    (void) model;
    return koa_sim_partition_write(partition, now_ms, arguments->messages,
                                   arguments->rate >= 0 ? arguments->rate
                                                        : koa_sim_partition_rate(partition));
}

static enum koa_err write_messages(struct koa_sim_model *model,
                                   const struct koa_sim_arguments *arguments, int64_t now_ms,
                                   struct koa_error *reterr)
{
    return change_each(model, arguments, now_ms, write_one, reterr);
}

static bool delete_one(struct koa_sim_model *model, struct koa_sim_partition *partition,
                       const struct koa_sim_arguments *arguments, int64_t now_ms)
{
    (void) model;
    return koa_sim_partition_delete(partition, now_ms,
                                    koa_sim_partition_end(partition, now_ms) - arguments->messages);
}

static enum koa_err delete_records(struct koa_sim_model *model,
                                   const struct koa_sim_arguments *arguments, int64_t now_ms,
                                   struct koa_error *reterr)
{
    return change_each(model, arguments, now_ms, delete_one, reterr);
}

static bool compact_one(struct koa_sim_model *model, struct koa_sim_partition *partition,
                        const struct koa_sim_arguments *arguments, int64_t now_ms)
{
    (void) model;
    return koa_sim_partition_compact(partition, now_ms, (int64_t) (1 / arguments->share + 0.5));
}

static enum koa_err compact(struct koa_sim_model *model, const struct koa_sim_arguments *arguments,
                            int64_t now_ms, struct koa_error *reterr)
{
    enum koa_err err = change_each(model, arguments, now_ms, compact_one, reterr);

    if (err == KOA_OK)
        koa_sim_require_topic(model, arguments->topic, reterr)->is_compacted = true;
    return err;
}

static bool begin_one(struct koa_sim_model *model, struct koa_sim_partition *partition,
                      const struct koa_sim_arguments *arguments, int64_t now_ms)
{
    (void) model, (void) arguments;
    return koa_sim_partition_begin_transaction(partition, now_ms);
}

static enum koa_err begin_transaction(struct koa_sim_model *model,
                                      const struct koa_sim_arguments *arguments, int64_t now_ms,
                                      struct koa_error *reterr)
{
    return change_each(model, arguments, now_ms, begin_one, reterr);
}

static bool end_one(struct koa_sim_model *model, struct koa_sim_partition *partition,
                    const struct koa_sim_arguments *arguments, int64_t now_ms)
{
    (void) model, (void) arguments;
    return koa_sim_partition_end_transaction(partition, now_ms);
}

static enum koa_err end_transaction(struct koa_sim_model *model,
                                    const struct koa_sim_arguments *arguments, int64_t now_ms,
                                    struct koa_error *reterr)
{
    return change_each(model, arguments, now_ms, end_one, reterr);
}

/* ---- rows */

#define TOPIC                                                                                      \
    {                                                                                              \
        KOA_TEXT(struct koa_sim_arguments, topic), .required = true, .help = "its name"            \
    }
#define ANY_TOPIC                                                                                  \
    {                                                                                              \
        KOA_TEXT(struct koa_sim_arguments, topic), .help = "its name; default: all topics"         \
    }
#define PARTITION                                                                                  \
    {                                                                                              \
        KOA_COUNT(struct koa_sim_arguments, partition), .fallback = "-1", .minimum = -1,           \
                                                        .maximum = KOA_SIM_PARTITIONS_MAX,         \
                                                        .help = "one of the topic; -1: all of it"  \
    }

static const struct koa_option partition_options[] = {TOPIC, PARTITION, {0}};
static const struct koa_option any_partition_options[] = {ANY_TOPIC, PARTITION, {0}};
static const struct koa_option topic_options[] = {TOPIC, {0}};

static const struct koa_option move_options[] = {
    ANY_TOPIC,
    PARTITION,
    {KOA_COUNT(struct koa_sim_arguments, to), .fallback = "0", .maximum = KOA_SIM_BROKERS_MAX,
     .help = "id of a broker with a replica in sync; 0: the next one"},
    {0},
};

static const struct koa_option shrink_options[] = {
    ANY_TOPIC,
    PARTITION,
    {KOA_COUNT(struct koa_sim_arguments, broker), .required = true, .minimum = 1,
     .maximum = KOA_SIM_BROKERS_MAX, .help = "id of the broker that falls behind"},
    {0},
};

static const struct koa_option expand_options[] = {
    ANY_TOPIC,
    PARTITION,
    {KOA_COUNT(struct koa_sim_arguments, broker), .fallback = "0", .maximum = KOA_SIM_BROKERS_MAX,
     .help = "id of the broker that catches up; 0: all"},
    {0},
};

static const struct koa_option reassign_options[] = {
    TOPIC,
    PARTITION,
    {KOA_COUNTS(struct koa_sim_arguments, brokers), .required = true, .minimum = 1,
     .maximum = KOA_SIM_BROKERS_MAX, .help = "ids of the brokers that shall have it, 1 to 3"},
    {KOA_DURATION(struct koa_sim_arguments, duration_ms), .key = "lasts", .fallback = "30s",
     .help = "until it is done"},
    {0},
};

static const struct koa_option create_options[] = {
    TOPIC,
    {KOA_COUNT(struct koa_sim_arguments, partitions), .fallback = "3", .minimum = 1,
     .maximum = KOA_SIM_MORE_PARTITIONS, .help = "how many"},
    {KOA_NUMBER(struct koa_sim_arguments, rate), .fallback = "10", .minimum = 0, .maximum = 1e6,
     .help = "messages a second in each partition, about"},
    {0},
};

static const struct koa_option write_options[] = {
    ANY_TOPIC,
    PARTITION,
    {KOA_COUNT(struct koa_sim_arguments, messages), .fallback = "0", .maximum = 1e12,
     .help = "written at once to each partition"},
    {KOA_NUMBER(struct koa_sim_arguments, rate), .fallback = "-1", .minimum = -1, .maximum = 1e6,
     .help = "messages a second in each partition from now on; -1: as before"},
    {0},
};

static const struct koa_option delete_options[] = {
    TOPIC,
    PARTITION,
    {KOA_COUNT(struct koa_sim_arguments, messages), .key = "keep", .fallback = "0", .maximum = 1e12,
     .help = "newest messages that stay"},
    {0},
};

static const struct koa_option compact_options[] = {
    TOPIC,
    PARTITION,
    {KOA_NUMBER(struct koa_sim_arguments, share), .key = "keep", .fallback = "0.1",
     .minimum = 0.0001, .maximum = 1, .help = "share of the messages that stays; the newest does"},
    {0},
};

const struct koa_sim_action koa_sim_topic_actions[] = {
    {.name = "create_topic",
     .help = "Creates a topic, with leaders spread over the brokers",
     .options = create_options,
     .run = create_topic},
    {.name = "delete_topic",
     .help = "Deletes a topic; what groups have committed for it stays",
     .options = topic_options,
     .run = delete_topic},
    {.name = "write",
     .help = "Writes messages, at once or at another rate",
     .options = write_options,
     .run = write_messages},
    {.name = "delete_records",
     .help = "Deletes the oldest messages: the logs start later",
     .options = delete_options,
     .run = delete_records},
    {.name = "compact",
     .help = "Makes a topic compacted and compacts it: offsets stay, with holes between them",
     .options = compact_options,
     .run = compact},
    {.name = "begin_transaction",
     .help = "Opens a transaction: what is written from now on is not committed, and readers of "
             "committed messages wait",
     .options = partition_options,
     .run = begin_transaction},
    {.name = "end_transaction",
     .help = "Ends it with a marker, which takes an offset of the log",
     .options = partition_options,
     .run = end_transaction},
    {.name = "move_leader",
     .help = "Makes another replica in sync the leader",
     .options = move_options,
     .run = move_leader},
    {.name = "lose_leader",
     .help = "Leaves partitions without a leader, until another event gives them one",
     .options = any_partition_options,
     .run = lose_leader},
    {.name = "elect_preferred",
     .help = "Makes the first replica the leader again, where it is in sync",
     .options = any_partition_options,
     .run = elect_preferred},
    {.name = "shrink_isr",
     .help = "Takes a broker's replicas out of the in-sync ones, where it does not lead",
     .options = shrink_options,
     .run = shrink_isr},
    {.name = "expand_isr",
     .help = "Puts the replicas of living brokers back in sync",
     .options = expand_options,
     .run = expand_isr},
    {.name = "reassign",
     .help = "Moves partitions to other brokers, and is done after a while",
     .options = reassign_options,
     .run = reassign},
    {.name = "finish_reassignment",
     .help = "Ends a move now",
     .options = any_partition_options,
     .run = finish_reassignment},
    {0},
};
