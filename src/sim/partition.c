/* The log of a partition as a function of time: straight lines, so that any offset of any moment is
 * computed and nothing is stored. */
#include "sim/partition.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "sim/records.h"

void koa_sim_partition_deinit(struct koa_sim_partition *partition)
{
    if (partition->history != NULL)
        koa_sim_records_destroy(partition->history->records);
    koa_free(partition->history);
    partition->history = NULL;
}

static int64_t on_line(int64_t base, double rate, int64_t elapsed_ms)
{
    int64_t offset = base + (int64_t) floor(rate * (double) elapsed_ms / 1000);

    return offset > 0 ? offset : 0;
}

int64_t koa_sim_partition_end(const struct koa_sim_partition *partition, int64_t at_ms)
{
    const struct koa_sim_history *history = partition->history;
    int32_t count = history != NULL ? history->segment_count : 0;
    int32_t i = count - 1;
    int64_t offset;

    while (i >= 0 && at_ms < history->segments[i].from_ms)
        i--;
    offset = i < 0 ? on_line(partition->base, partition->rate, at_ms)
                   : on_line(history->segments[i].base, history->segments[i].rate,
                             at_ms - history->segments[i].from_ms);
    return i + 1 < count && offset > history->segments[i + 1].before
               ? history->segments[i + 1].before
               : offset;
}

int64_t koa_sim_partition_start(const struct koa_sim_partition *partition, int64_t at_ms)
{
    int64_t offset = koa_sim_partition_end(partition, at_ms - KOA_SIM_RETENTION_MS);

    if (partition->history != NULL && partition->history->deleted_until > offset)
        return partition->history->deleted_until;
    return offset;
}

int64_t koa_sim_partition_stable_end(const struct koa_sim_partition *partition, int64_t at_ms)
{
    int64_t end = koa_sim_partition_end(partition, at_ms);
    const struct koa_sim_history *history = partition->history;

    return history != NULL && history->transaction >= 0 && history->transaction < end
               ? history->transaction
               : end;
}

int64_t koa_sim_partition_written_at(const struct koa_sim_partition *partition, int64_t offset,
                                     int64_t now_ms)
{
    int64_t low = -KOA_SIM_AGE_MS;
    int64_t high = now_ms;

    /* The first moment whose end lies behind the offset. */
    while (low < high) {
        int64_t middle = low + (high - low) / 2;

        if (koa_sim_partition_end(partition, middle) > offset) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

double koa_sim_partition_rate(const struct koa_sim_partition *partition)
{
    const struct koa_sim_history *history = partition->history;

    return history != NULL && history->segment_count > 0
               ? history->segments[history->segment_count - 1].rate
               : partition->rate;
}

static struct koa_sim_history *require_history(struct koa_sim_partition *partition)
{
    if (partition->history != NULL)
        return partition->history;
    partition->history = koa_calloc(1, sizeof(*partition->history));
    if (partition->history != NULL) {
        partition->history->transaction = -1;
        partition->history->markers_from = -1;
    }
    return partition->history;
}

/* Makes one line of the two oldest, from where the first began to where the second ended. */
static void blur(struct koa_sim_history *history)
{
    struct koa_sim_segment *first = &history->segments[0];
    const struct koa_sim_segment *third = &history->segments[2];
    int64_t length_ms = third->from_ms - first->from_ms;

    first->rate = (double) (third->before - first->base) * 1000 / (double) length_ms;
    history->segment_count--;
    memmove(&history->segments[1], &history->segments[2],
            (size_t) (history->segment_count - 1) * sizeof(history->segments[0]));
}

bool koa_sim_partition_write(struct koa_sim_partition *partition, int64_t now_ms, int64_t count,
                             double rate)
{
    struct koa_sim_history *history = require_history(partition);
    int64_t end = koa_sim_partition_end(partition, now_ms);
    struct koa_sim_segment *last;

    if (history == NULL)
        return false;
    last = history->segment_count > 0 ? &history->segments[history->segment_count - 1] : NULL;
    if (last != NULL && last->from_ms >= now_ms) {
        last->base += count;
        last->rate = rate;
        return true;
    }
    if (history->segment_count == KOA_SIM_SEGMENTS)
        blur(history);
    history->segments[history->segment_count++] = (struct koa_sim_segment){
        .from_ms = now_ms, .before = end, .base = end + count, .rate = rate};
    return true;
}

bool koa_sim_partition_delete(struct koa_sim_partition *partition, int64_t now_ms, int64_t offset)
{
    struct koa_sim_history *history = require_history(partition);
    int64_t end = koa_sim_partition_end(partition, now_ms);

    if (history == NULL)
        return false;
    if (offset > history->deleted_until)
        history->deleted_until = offset < end ? offset : end;
    return true;
}

bool koa_sim_partition_compact(struct koa_sim_partition *partition, int64_t now_ms, int64_t step)
{
    struct koa_sim_history *history = require_history(partition);
    int64_t before;

    if (history == NULL)
        return false;
    /* A multiple of the step before: what is gone does not come back. */
    before = history->compacted_step > 0 ? history->compacted_step : 1;
    history->compacted_step = (step + before - 1) / before * before;
    history->compacted_until = koa_sim_partition_end(partition, now_ms) - 1;
    return true;
}

bool koa_sim_partition_begin_transaction(struct koa_sim_partition *partition, int64_t now_ms)
{
    struct koa_sim_history *history = require_history(partition);

    if (history == NULL)
        return false;
    if (history->transaction < 0) {
        history->transaction = koa_sim_partition_end(partition, now_ms);
        return koa_sim_partition_write(partition, now_ms, 1, koa_sim_partition_rate(partition));
    }
    return true;
}

bool koa_sim_partition_end_transaction(struct koa_sim_partition *partition, int64_t now_ms)
{
    struct koa_sim_history *history = require_history(partition);
    int64_t end = koa_sim_partition_end(partition, now_ms);

    if (history == NULL ||
        !koa_sim_partition_write(partition, now_ms, 1, koa_sim_partition_rate(partition)))
        return false;
    if (history->markers_from < 0 || history->markers_from + history->marker_count != end) {
        history->markers_from = end;
        history->marker_count = 0;
    }
    history->marker_count++;
    history->transaction = -1;
    return true;
}

bool koa_sim_partition_set_leader(struct koa_sim_partition *partition, int64_t now_ms,
                                  int32_t leader)
{
    bool had_leader = partition->leader >= 0;
    struct koa_sim_history *history;

    if (had_leader != (leader >= 0)) {
        history = require_history(partition);
        if (history == NULL)
            return false;
        if (had_leader)
            history->rate_kept = koa_sim_partition_rate(partition);
        if (!koa_sim_partition_write(partition, now_ms, 0, had_leader ? 0 : history->rate_kept))
            return false;
    }
    if (partition->leader != leader)
        partition->leader_epoch++;
    partition->leader = leader;
    return true;
}

/* The first multiple of `step` from `offset` on. */
static int64_t multiple_from(int64_t offset, int64_t step)
{
    return (offset + step - 1) / step * step;
}

int64_t koa_sim_partition_kept(const struct koa_sim_partition *partition, int64_t offset)
{
    const struct koa_sim_history *history = partition->history;
    int64_t kept;

    if (history == NULL || history->compacted_step <= 1 || offset >= history->compacted_until ||
        koa_sim_partition_is_marker(partition, offset))
        return offset;
    kept = multiple_from(offset, history->compacted_step);
    if (history->markers_from > offset && kept > history->markers_from)
        kept = history->markers_from;
    return kept < history->compacted_until ? kept : history->compacted_until;
}

int64_t koa_sim_partition_count(const struct koa_sim_partition *partition, int64_t at_ms)
{
    const struct koa_sim_history *history = partition->history;
    int64_t start = koa_sim_partition_start(partition, at_ms);
    int64_t end = koa_sim_partition_end(partition, at_ms);
    int64_t holes_until;

    if (history == NULL || history->compacted_step <= 1 || start >= history->compacted_until)
        return end - start;
    holes_until = history->compacted_until < end ? history->compacted_until : end;
    return end - holes_until +
           (multiple_from(holes_until, history->compacted_step) -
            multiple_from(start, history->compacted_step)) /
               history->compacted_step;
}

bool koa_sim_partition_is_marker(const struct koa_sim_partition *partition, int64_t offset)
{
    const struct koa_sim_history *history = partition->history;

    return history != NULL && history->markers_from >= 0 && offset >= history->markers_from &&
           offset < history->markers_from + history->marker_count;
}

int koa_sim_partition_replica(const struct koa_sim_partition *partition, int32_t broker)
{
    for (int i = 0; i < partition->replica_count; i++) {
        if (partition->replicas[i] == broker)
            return i;
    }
    return -1;
}
