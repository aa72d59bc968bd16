/* Shows the board as samples. Nothing is copied: labels and texts are those of the pinned board. */
#include "health/source.h"

#include "base/str.h"
#include "health/board.h"
#include "metrics/catalog.h"

enum family { STATUS, LAST_RUN, ABANDONED, OVERALL, FAMILY_COUNT };

static const char *const names[KOA_HEALTH_FAMILIES] = {
    [STATUS] = "kafka_ops_health_status",
    [LAST_RUN] = "kafka_ops_health_check_last_run_timestamp_seconds",
    [ABANDONED] = "kafka_ops_health_check_abandoned_workers",
    [OVERALL] = "kafka_ops_overall_status",
};

struct position {
    enum family family;
    size_t check;
    int status;
};

_Static_assert((int) FAMILY_COUNT == (int) KOA_HEALTH_FAMILIES, "a name per family");
_Static_assert(sizeof(struct position) <= KOA_CURSOR_SIZE, "a position fits into a cursor");

/* What a step works on. */
struct step {
    const struct koa_health_source *health;
    const struct koa_board *board;
    struct position *position;
    struct koa_batch *batch;
};

static struct koa_sample *add(const struct step *step, enum family family, double value)
{
    struct koa_sample *sample = &step->batch->samples[step->batch->count++];

    *sample = (struct koa_sample){.family = &step->health->families[family], .value = value};
    return sample;
}

/* The next check of `position`, or NULL: then the family is done. */
static const struct koa_result_object *next_check(const struct step *step)
{
    struct position *position = step->position;
    const struct koa_result_object *row = koa_board_row(step->board, position->check);

    if (row == NULL) {
        position->check = 0;
        position->family++;
    }
    return row;
}

static void add_status(const struct step *step)
{
    struct position *position = step->position;
    const struct koa_result_object *row = next_check(step);
    struct koa_sample *sample;

    if (row == NULL)
        return;
    sample = add(step, STATUS, (int) row->result.status == position->status ? 1.0 : 0.0);
    sample->labels = row->labels[position->status];
    sample->label_count = 2;
    if (++position->status == KOA_STATUS_COUNT) {
        position->status = 0;
        position->check++;
    }
}

static void add_last_run(const struct step *step)
{
    struct position *position = step->position;
    const struct koa_result_object *row = next_check(step);
    struct koa_sample *sample;

    if (row == NULL)
        return;
    position->check++;
    if (!row->result.has_run)
        return;
    sample = add(step, LAST_RUN, (double) row->result.time.ms / 1000.0);
    sample->labels = row->labels[0];
    sample->label_count = 1;
}

static void add_overall(const struct step *step)
{
    struct position *position = step->position;
    struct koa_sample *sample =
        add(step, OVERALL, (int) koa_board_overall(step->board) == position->status ? 1.0 : 0.0);

    sample->labels = &step->health->overall_labels[position->status];
    sample->label_count = 1;
    if (++position->status == KOA_STATUS_COUNT)
        position->family = FAMILY_COUNT;
}

static void begin(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor)
{
    const struct koa_health_source *health = source->context;

    cursor->pinned = koa_published_get(health->board);
}

static bool next(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor,
                 struct koa_batch *batch)
{
    const struct koa_health_source *health = source->context;
    struct position *position = (struct position *) (void *) cursor->state;
    const struct step step = {.health = health,
                              .board = koa_board_from_object(cursor->pinned),
                              .position = position,
                              .batch = batch};

    batch->count = 0;
    while (batch->count < KOA_BATCH_SAMPLES && position->family != FAMILY_COUNT) {
        switch (position->family) {
        case STATUS:
            add_status(&step);
            break;
        case LAST_RUN:
            add_last_run(&step);
            break;
        case ABANDONED:
            if (health->workers != NULL)
                (void) add(&step, ABANDONED, (double) koa_workers_abandoned(health->workers));
            position->family = OVERALL;
            break;
        case OVERALL:
            add_overall(&step);
            break;
        case FAMILY_COUNT:
            break;
        }
    }
    return batch->count > 0;
}

static void end(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor)
{
    (void) source;
    koa_object_unref(cursor->pinned);
    cursor->pinned = NULL;
}

void koa_health_source_init(struct koa_health_source *source, struct koa_published *board,
                            struct koa_workers *workers)
{
    source->board = board;
    source->workers = workers;
    for (int status = 0; status < KOA_STATUS_COUNT; status++) {
        source->overall_labels[status] = (struct koa_label_view){
            KOA_STR("status"), koa_str_from(koa_status_name((enum koa_status) status))};
    }
    for (size_t i = 0; i < KOA_HEALTH_FAMILIES; i++)
        source->families[i] = koa_catalog_view(koa_catalog_find(names[i]));
    source->source = (struct koa_metrics_source){
        .name = "health", .context = source, .begin = begin, .next = next, .end = end};
}
