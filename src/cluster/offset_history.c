/* Decides which points are worth their place, and what they say about a record's time. */
#include "cluster/offset_history.h"

#include <string.h>

#include "base/memory.h"

enum {
    /* Bisection halves: from a week to a second takes 20 steps. */
    QUESTION_LIMIT = 24,
    /* A lag that questions did not help with is asked for again after as many cycles: an hour. */
    PAUSE_CYCLES = UINT8_MAX - QUESTION_LIMIT,
    /* A bracket is good enough when it is this part of the lag, or this short: two cycles. */
    GOOD_PART = 20,
    GOOD_MS = 30000,
};

static void remove_at(struct koa_offset_history *history, unsigned at)
{
    uint16_t low = (uint16_t) (history->exact & ((1U << at) - 1));

    memmove(&history->points[at], &history->points[at + 1],
            (history->count - at - 1) * sizeof(history->points[0]));
    history->exact =
        (uint16_t) ((unsigned) low | ((unsigned) history->exact >> 1 & ~((1U << at) - 1)));
    history->count--;
}

/* Frees one place: the inner point whose neighbours are nearest to each other for its age. */
static void thin(struct koa_offset_history *history)
{
    int64_t newest = history->points[history->count - 1].ms;
    unsigned victim = 1;
    double smallest = -1;

    for (unsigned i = 1; i + 1 < history->count; i++) {
        double gap = (double) (history->points[i + 1].ms - history->points[i - 1].ms);
        double part = gap / (double) (newest - history->points[i].ms + GOOD_MS);

        if (smallest < 0 || part < smallest) {
            smallest = part;
            victim = i;
        }
    }
    remove_at(history, victim);
}

static void insert_at(struct koa_offset_history *history, unsigned at,
                      struct koa_offset_point point, bool is_exact)
{
    uint16_t low = (uint16_t) (history->exact & ((1U << at) - 1));
    uint16_t high = (uint16_t) (history->exact & ~((1U << at) - 1));

    memmove(&history->points[at + 1], &history->points[at],
            (history->count - at) * sizeof(history->points[0]));
    history->points[at] = point;
    history->exact =
        (uint16_t) ((unsigned) low | (unsigned) high << 1 | (is_exact ? 1U << at : 0U));
    history->count++;
}

void koa_offset_history_observe(struct koa_offset_history *history, int64_t ms, int64_t end)
{
    struct koa_offset_point *last;

    KOA_ASSERT(history->count <= KOA_OFFSET_POINTS);
    while (history->count > 0 && (history->points[history->count - 1].offset > end ||
                                  history->points[history->count - 1].ms > ms))
        remove_at(history, history->count - 1U);
    if (history->count == 0)
        history->has_first = false;
    if (history->asked >= QUESTION_LIMIT)
        history->asked = history->asked < QUESTION_LIMIT + PAUSE_CYCLES ? history->asked + 1U : 0;
    /* While the log stands, its last point moves along: two points are enough for a plateau. */
    if (history->count >= 2) {
        last = &history->points[history->count - 1];
        if (last->offset == end && last[-1].offset == end) {
            last->ms = ms;
            return;
        }
    }
    if (history->count == KOA_OFFSET_POINTS)
        thin(history);
    insert_at(history, history->count, (struct koa_offset_point){.ms = ms, .offset = end}, false);
}

/* The first point above `offset`, or `count`. */
static unsigned above(const struct koa_offset_history *history, int64_t offset)
{
    unsigned at = 0;

    while (at < history->count && at < KOA_OFFSET_POINTS && history->points[at].offset <= offset)
        at++;
    return at;
}

static void learn_record(struct koa_offset_history *history, int64_t ms, int64_t offset)
{
    unsigned at = above(history, offset);

    if (at == history->count) /* beyond every end that was seen: a cycle will see it */
        return;
    if (history->points[at].ms < ms || (at > 0 && history->points[at - 1].ms > ms))
        return;
    if (at > 0 && history->points[at - 1].offset == offset) {
        if ((history->exact & (1U << (at - 1))) == 0) {
            history->points[at - 1].ms = ms;
            history->exact |= (uint16_t) (1U << (at - 1));
        }
        return;
    }
    if (history->count == KOA_OFFSET_POINTS) {
        thin(history);
        at = above(history, offset);
    }
    insert_at(history, at, (struct koa_offset_point){.ms = ms, .offset = offset}, true);
}

/* No record below `offset` is as young as the time that was asked about: by then the log ended
 * there already. This closes the bracket also where many records have one time, or none is younger.
 */
static void learn_end(struct koa_offset_history *history, int64_t offset)
{
    unsigned at = above(history, offset - 1);

    if (!history->is_waiting || history->question <= 0 || at == history->count ||
        history->points[at].offset != offset || history->points[at].ms <= history->question ||
        (at > 0 && history->points[at - 1].ms > history->question))
        return;
    if ((history->exact & (1U << at)) == 0) {
        history->points[at].ms = history->question;
        return;
    }
    if (history->count == KOA_OFFSET_POINTS) {
        thin(history);
        at = above(history, offset - 1);
    }
    insert_at(history, at, (struct koa_offset_point){.ms = history->question, .offset = offset},
              false);
}

void koa_offset_history_learn(struct koa_offset_history *history, int64_t ms, int64_t offset)
{
    if (history->count == 0)
        return;
    if (history->is_waiting && history->question == 0)
        history->has_first = true;
    if (ms >= 0 && offset >= 0) {
        learn_record(history, ms, offset);
    } else {
        offset = history->points[history->count - 1].offset;
    }
    learn_end(history, offset);
}

enum koa_lag_quality koa_offset_history_find(const struct koa_offset_history *history,
                                             int64_t offset, int64_t *ret_ms)
{
    unsigned at = above(history, offset);
    const struct koa_offset_point *low;
    const struct koa_offset_point *high;

    if (at >= history->count)
        return KOA_LAG_UNKNOWN; /* nothing was seen beyond it */
    high = &history->points[at];
    if (at == 0) {
        *ret_ms = high->ms;
        return KOA_LAG_AT_LEAST;
    }
    low = high - 1;
    if (low->offset == offset && (history->exact & (1U << (at - 1))) != 0) {
        *ret_ms = low->ms;
        return KOA_LAG_EXACT;
    }
    *ret_ms = low->ms + (int64_t) ((double) (high->ms - low->ms) * (double) (offset - low->offset) /
                                   (double) (high->offset - low->offset));
    return KOA_LAG_INTERPOLATED;
}

bool koa_offset_history_question(struct koa_offset_history *history, int64_t offset, int64_t now_ms,
                                 int64_t *ret_timestamp)
{
    unsigned at = above(history, offset);
    const struct koa_offset_point *low;
    const struct koa_offset_point *high;
    int64_t width;

    if (at >= history->count || history->is_waiting || history->asked >= QUESTION_LIMIT)
        return false;
    if (at == 0 && history->has_first)
        return false; /* it is gone, and its time with it */
    if (at == 0) {
        history->question = *ret_timestamp = 0; /* the first record that is left, and its time */
        history->is_waiting = true;
        history->asked++;
        return true;
    }
    high = &history->points[at];
    low = high - 1;
    width = high->ms - low->ms;
    if ((low->offset == offset && (history->exact & (1U << (at - 1))) != 0) || width <= GOOD_MS ||
        width <= (now_ms - low->ms) / GOOD_PART) {
        history->asked = 0;
        return false;
    }
    /* In turn: where the offset should lie if the rate was even, and the middle, which always
     * halves. */
    if (history->asked % 2 == 1 && high->offset > low->offset) {
        *ret_timestamp = low->ms + 1 +
                         (int64_t) ((double) (width - 1) * (double) (offset - low->offset) /
                                    (double) (high->offset - low->offset));
    } else {
        *ret_timestamp = low->ms + width / 2;
    }
    history->question = *ret_timestamp;
    history->is_waiting = true;
    history->asked++;
    return true;
}
