/* A sorted list: events are few, and most are added in order. */
#include "sim/events.h"

#include <string.h>

#include "base/memory.h"

struct koa_sim_events {
    struct koa_sim_event *rows; /* the next one last */
    size_t count, capacity;
};

enum { FIRST_CAPACITY = 16 };

static enum koa_err make_room(struct koa_sim_events *events, struct koa_error *reterr)
{
    size_t capacity = events->capacity > 0 ? events->capacity * 2 : FIRST_CAPACITY;
    struct koa_sim_event *rows;

    if (events->count == KOA_SIM_EVENTS_MAX)
        return koa_fail(reterr, KOA_ERR_LIMIT, "more than %d events wait", KOA_SIM_EVENTS_MAX);
    if (events->count < events->capacity)
        return KOA_OK;
    rows = koa_realloc_array(events->rows, capacity, sizeof(*rows));
    if (rows == NULL)
        return koa_require_memory(rows, reterr);
    events->rows = rows;
    events->capacity = capacity;
    return KOA_OK;
}

enum koa_err koa_sim_events_add(struct koa_sim_model *model, const struct koa_sim_event *event,
                                struct koa_error *reterr)
{
    struct koa_sim_events *events;
    enum koa_err err;
    size_t at;

    if (model->events == NULL)
        model->events = koa_calloc(1, sizeof(*model->events));
    events = model->events;
    err = koa_require_memory(events, reterr);
    if (err == KOA_OK)
        err = make_room(events, reterr);
    if (err != KOA_OK)
        return err;
    /* Of two at the same time the one added first is nearer to the end. */
    at = events->count;
    while (at > 0 && events->rows[at - 1].at_ms <= event->at_ms)
        at--;
    memmove(&events->rows[at + 1], &events->rows[at],
            (events->count - at) * sizeof(events->rows[0]));
    events->rows[at] = *event;
    events->count++;
    return KOA_OK;
}

bool koa_sim_events_next(const struct koa_sim_model *model, struct koa_mono *ret_due)
{
    const struct koa_sim_events *events = model->events;

    if (events == NULL || events->count == 0)
        return false;
    *ret_due = koa_mono_add_ms(model->began, events->rows[events->count - 1].at_ms);
    return true;
}

size_t koa_sim_events_run(struct koa_sim_model *model, struct koa_mono now,
                          koa_sim_failed_fn *failed, void *context)
{
    struct koa_mono due;
    size_t done = 0;

    while (koa_sim_events_next(model, &due) && due.ms <= now.ms) {
        struct koa_sim_event event = model->events->rows[--model->events->count];
        struct koa_sim_event again = event;
        struct koa_error error;

        if (event.action->run(model, &event.arguments, event.at_ms, &error) == KOA_OK) {
            done++;
        } else if (failed != NULL) {
            failed(context, &event, &error);
        }
        again.at_ms += event.every_ms;
        /* Its own place is free. */
        if (event.every_ms > 0 && koa_sim_events_add(model, &again, &error) != KOA_OK &&
            failed != NULL)
            failed(context, &again, &error);
    }
    return done;
}

void koa_sim_events_destroy(struct koa_sim_events *events)
{
    if (events == NULL)
        return;
    koa_free(events->rows);
    koa_free(events);
}
