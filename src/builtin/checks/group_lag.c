/* Sums lag by partitions where some do not count; where all count, the snapshot's sums are right.
 */
#include "builtin/checks/group_lag.h"

#include "cluster/longest.h"

enum { OUT = 1U << KOA_CONDITION_OPEN_TRANSACTION | 1U << KOA_CONDITION_MARKERS_ONLY };

static int64_t count_out(const int64_t *conditions)
{
    return conditions[KOA_CONDITION_OPEN_TRANSACTION] + conditions[KOA_CONDITION_MARKERS_ONLY];
}

void koa_group_topic_lag(const struct koa_snapshot *snapshot, size_t group, size_t topic,
                         const struct koa_snapshot_group_topic *row, struct koa_group_lag *ret_lag)
{
    *ret_lag = (struct koa_group_lag){.has_messages = row->has_lag,
                                      .messages = row->lag,
                                      .seconds = row->readable_seconds,
                                      .quality = row->readable_quality};
    if (count_out(row->conditions) == 0)
        return;
    ret_lag->has_messages = false;
    ret_lag->messages = 0;
    for (size_t i = 0; i < row->commits; i++) {
        struct koa_snapshot_commit commit;

        koa_snapshot_commit(snapshot, group, topic, i, &commit);
        if ((commit.conditions & OUT) != 0) {
            ret_lag->left_out++;
        } else if (commit.has_lag) {
            ret_lag->has_messages = true;
            ret_lag->messages += commit.lag;
        }
    }
    if (ret_lag->messages == 0) {
        ret_lag->seconds = 0;
        ret_lag->quality = ret_lag->has_messages ? KOA_LAG_EXACT : KOA_LAG_UNKNOWN;
    }
}

void koa_group_lag(const struct koa_snapshot *snapshot, size_t group,
                   const struct koa_snapshot_group *row, struct koa_group_lag *ret_lag)
{
    struct koa_longest longest = {.seconds = 0};

    *ret_lag = (struct koa_group_lag){.has_messages = row->has_lag,
                                      .messages = row->lag,
                                      .seconds = row->lag_seconds,
                                      .quality = row->lag_quality};
    if (count_out(row->conditions) == 0)
        return;
    *ret_lag = (struct koa_group_lag){.messages = 0};
    for (size_t i = 0; i < row->topics; i++) {
        struct koa_snapshot_group_topic topic;
        struct koa_group_lag lag;

        koa_snapshot_group_topic(snapshot, group, i, &topic);
        koa_group_topic_lag(snapshot, group, i, &topic, &lag);
        ret_lag->has_messages = ret_lag->has_messages || lag.has_messages;
        ret_lag->messages += lag.messages;
        ret_lag->left_out += lag.left_out;
        if (lag.has_messages)
            koa_longest_add(&longest, lag.quality, lag.seconds);
    }
    ret_lag->quality = koa_longest_end(&longest, &ret_lag->seconds);
}

void koa_worst_add(struct koa_worst *worst, struct koa_worst_row row)
{
    size_t at = worst->count;

    worst->total++;
    if (at == KOA_WORST_LIMIT && row.weight <= worst->rows[at - 1].weight)
        return;
    if (at == KOA_WORST_LIMIT) {
        at--;
    } else {
        worst->count++;
    }
    for (; at > 0 && worst->rows[at - 1].weight < row.weight; at--)
        worst->rows[at] = worst->rows[at - 1];
    worst->rows[at] = row;
}
