/* What coordinators say of groups: members, assignments, commits. Decides what of an answer is
 * believed. Pure. */
#ifndef CLUSTER_GROUP_ANSWER_H
#define CLUSTER_GROUP_ANSWER_H

#include "cluster/name_filter.h"
#include "cluster/snapshot.h"
#include "kafka/messages/consumer_group_describe.h"
#include "kafka/messages/describe_groups.h"
#include "kafka/messages/describe_share_group_offsets.h"
#include "kafka/messages/offset_fetch.h"
#include "kafka/messages/share_group_describe.h"
#include "kafka/messages/streams_group_describe.h"

/* Partitions of a topic that a group's members are assigned. */
struct koa_assigned {
    struct koa_str topic;
    uint32_t partitions;
};

/* What is kept of a group until the cycle ends, beside its row. */
struct koa_group_work {
    struct koa_assigned *assigned; /* in order of topic, each once */
    uint32_t assigned_count;
    bool has_assigned;
    bool is_refused; /* by a broker that is not its coordinator (any more) */
};

/* A cycle's groups: the draft's rows, and their work beside them. */
struct koa_group_answers {
    struct koa_snapshot *draft;
    struct koa_group_work *work; /* one a row */
    struct koa_arena *arena;     /* of the cycle */
    const struct koa_name_filter *topics;
};

/* The groups a request was about: indexes into the draft's, rising. */
struct koa_group_slice {
    const size_t *indexes;
    size_t count;
};

/* Each takes an answer of a group's coordinator. False when memory is out. */
KOA_MUST_USE bool koa_take_described(struct koa_group_answers *answers,
                                     struct koa_group_slice asked,
                                     const struct koa_kafka_describe_groups_response *answer);
KOA_MUST_USE bool
koa_take_consumer_described(struct koa_group_answers *answers, struct koa_group_slice asked,
                            const struct koa_kafka_consumer_group_describe_response *answer);
KOA_MUST_USE bool koa_take_commits(struct koa_group_answers *answers, struct koa_group_slice asked,
                                   const struct koa_kafka_offset_fetch_response *answer);

KOA_MUST_USE bool
koa_take_share_described(struct koa_group_answers *answers, struct koa_group_slice asked,
                         const struct koa_kafka_share_group_describe_response *answer);
KOA_MUST_USE bool
koa_take_share_offsets(struct koa_group_answers *answers, struct koa_group_slice asked,
                       const struct koa_kafka_describe_share_group_offsets_response *answer);
KOA_MUST_USE bool
koa_take_streams_described(struct koa_group_answers *answers, struct koa_group_slice asked,
                           const struct koa_kafka_streams_group_describe_response *answer);

/* Topics that are assigned and have no commit become rows, too. False when memory is out. */
KOA_MUST_USE bool koa_group_join_assigned(struct koa_group_answers *answers,
                                          struct koa_group_row *row);
/* Commits of `previous` for a row that has none of this cycle. False when memory is out. */
KOA_MUST_USE bool koa_group_carry_over(struct koa_group_answers *answers, struct koa_group_row *row,
                                       const struct koa_snapshot *previous, int64_t keep_ms);

/* What the above are made of. */
struct koa_member_count {
    struct koa_group_answers *answers;
    struct koa_assigned *rows;
    size_t count, capacity;
    int64_t members, idle;
    bool has_failed;
};

/* NULL when the group was not asked for. `hint` is where it is expected in `asked`. */
struct koa_group_row *koa_group_answers_find(const struct koa_group_answers *answers,
                                             struct koa_group_slice asked, size_t hint,
                                             struct koa_str name);
/* True when the code is none; else the row says what it was. */
bool koa_group_accepts(struct koa_group_answers *answers, struct koa_group_row *row, int16_t code,
                       const char *what);
void koa_member_begin(struct koa_member_count *count, struct koa_group_answers *answers);
void koa_member_add(struct koa_member_count *count,
                    const struct koa_kafka_group_assignment *assignment);
void koa_member_end(struct koa_member_count *count, struct koa_group_row *row);
/* Room for a group's topics and one topic's commits; a commit's place is looked up. */
KOA_MUST_USE bool koa_group_begin_topics(struct koa_group_answers *answers,
                                         struct koa_group_row *row, size_t topics);
KOA_MUST_USE struct koa_group_topic_row *koa_group_add_topic(struct koa_group_answers *answers,
                                                             struct koa_group_row *row,
                                                             struct koa_str name, size_t commits);
void koa_group_add_commit(const struct koa_snapshot *draft, struct koa_group_topic_row *topic,
                          int32_t partition, int64_t offset);
/* Puts everything in order, drops what repeats itself. */
void koa_group_end_topics(struct koa_snapshot *draft, struct koa_group_row *row);
struct koa_group_topic_row *koa_group_topic_find(struct koa_group_row *row, struct koa_str name);

#endif
