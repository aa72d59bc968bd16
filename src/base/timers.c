/* A binary heap ordered by due time, then by arming. It knows no clock: run() gets the time. A
 * timer that re-arms itself for the moment that is running sorts behind all others until the run
 * ends, so that it can neither fire twice nor hide those behind it. */
#include "base/timers.h"

#include "base/memory.h"

enum { FIRST_CAPACITY = 16 };

void koa_timers_deinit(struct koa_timers *timers)
{
    for (size_t i = 0; i < timers->count; i++)
        timers->rows[i]->position = 0;
    koa_free(timers->rows);
    timers->rows = NULL;
    timers->count = timers->capacity = 0;
}

static bool is_before(const struct koa_timer *a, const struct koa_timer *b)
{
    if (a->is_held != b->is_held)
        return b->is_held;
    return a->due.ms != b->due.ms ? a->due.ms < b->due.ms : a->order < b->order;
}

static void place(struct koa_timers *timers, size_t index, struct koa_timer *timer)
{
    timers->rows[index] = timer;
    timer->position = index + 1;
}

/* Puts `timer` where it belongs, at `index` or above it. */
static void sift_up(struct koa_timers *timers, size_t index, struct koa_timer *timer)
{
    while (index > 0) {
        size_t parent = (index - 1) / 2;

        if (!is_before(timer, timers->rows[parent]))
            break;
        place(timers, index, timers->rows[parent]);
        index = parent;
    }
    place(timers, index, timer);
}

static void sift_down(struct koa_timers *timers, size_t index, struct koa_timer *timer)
{
    for (;;) {
        size_t child = 2 * index + 1;

        if (child + 1 < timers->count && is_before(timers->rows[child + 1], timers->rows[child]))
            child++;
        if (child >= timers->count || !is_before(timers->rows[child], timer))
            break;
        place(timers, index, timers->rows[child]);
        index = child;
    }
    place(timers, index, timer);
}

static void remove_timer(struct koa_timers *timers, struct koa_timer *timer)
{
    size_t index = timer->position - 1;
    struct koa_timer *last = timers->rows[--timers->count];

    timer->position = 0;
    timer->is_held = false;
    if (last == timer)
        return;
    if (index > 0 && is_before(last, timers->rows[(index - 1) / 2])) {
        sift_up(timers, index, last);
    } else {
        sift_down(timers, index, last);
    }
}

static bool reserve(struct koa_timers *timers)
{
    size_t capacity = timers->capacity > 0 ? timers->capacity * 2 : FIRST_CAPACITY;
    struct koa_timer **rows;

    if (timers->count < timers->capacity)
        return true;
    rows = koa_realloc_array(timers->rows, capacity, sizeof(struct koa_timer *));
    if (rows == NULL)
        return false;
    timers->rows = rows;
    timers->capacity = capacity;
    return true;
}

/* Tells the owner when the earliest time is not what it was. */
static void report_change(struct koa_timers *timers, bool had_first, struct koa_mono first)
{
    bool has_first = timers->count > 0;

    /* run() reports once, at its end. */
    if (timers->changed == NULL || timers->is_running)
        return;
    if (has_first != had_first || (has_first && timers->rows[0]->due.ms != first.ms))
        timers->changed(timers->context);
}

bool koa_timers_arm(struct koa_timers *timers, struct koa_timer *timer, struct koa_mono due,
                    koa_timer_fn *fire)
{
    struct koa_mono first = {0};
    bool had_first = koa_timers_next(timers, &first);

    if (timer->position > 0)
        remove_timer(timers, timer);
    if (!reserve(timers)) {
        report_change(timers, had_first, first);
        return false;
    }
    timer->fire = fire;
    timer->due = due;
    timer->order = ++timers->armed;
    timer->is_held =
        timers->is_running && timer->fired == timers->runs && due.ms <= timers->running_at.ms;
    timers->has_held = timers->has_held || timer->is_held;
    timers->count++;
    sift_up(timers, timers->count - 1, timer);
    report_change(timers, had_first, first);
    return true;
}

void koa_timers_disarm(struct koa_timers *timers, struct koa_timer *timer)
{
    struct koa_mono first = {0};
    bool had_first = koa_timers_next(timers, &first);

    if (timer->position == 0)
        return;
    remove_timer(timers, timer);
    report_change(timers, had_first, first);
}

bool koa_timer_is_armed(const struct koa_timer *timer)
{
    return timer->position > 0;
}

bool koa_timers_next(const struct koa_timers *timers, struct koa_mono *ret_due)
{
    if (timers->count == 0)
        return false;
    *ret_due = timers->rows[0]->due;
    return true;
}

/* The held ones become ordinary again: orders the heap anew. */
static void release_held(struct koa_timers *timers)
{
    timers->has_held = false;
    for (size_t i = 0; i < timers->count; i++)
        timers->rows[i]->is_held = false;
    for (size_t i = timers->count / 2; i-- > 0;)
        sift_down(timers, i, timers->rows[i]);
}

size_t koa_timers_run(struct koa_timers *timers, struct koa_mono now)
{
    struct koa_mono first = {0};
    bool had_first = koa_timers_next(timers, &first);
    size_t count = 0;

    KOA_ASSERT(!timers->is_running);
    timers->is_running = true;
    timers->running_at = now;
    timers->runs++;
    while (timers->count > 0 && timers->rows[0]->due.ms <= now.ms && !timers->rows[0]->is_held) {
        struct koa_timer *timer = timers->rows[0];

        remove_timer(timers, timer);
        timer->fired = timers->runs;
        count++;
        timer->fire(timer, now);
    }
    if (timers->has_held)
        release_held(timers);
    timers->is_running = false;
    report_change(timers, had_first, first);
    return count;
}
