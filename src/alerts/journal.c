/* A ring of references to immutable records. */
#include "alerts/journal.h"

#include "base/memory.h"

enum koa_err koa_journal_init(struct koa_journal *journal, size_t limit, struct koa_error *reterr)
{
    *journal = (struct koa_journal){.limit = limit > 0 ? limit : 1};
    journal->rows = koa_calloc(journal->limit, sizeof(struct koa_alert_record *));
    return koa_require_memory(journal->rows, reterr);
}

static struct koa_alert_record **slot(const struct koa_journal *journal, size_t index)
{
    return &journal->rows[(journal->first + index) % journal->limit];
}

void koa_journal_deinit(struct koa_journal *journal)
{
    for (size_t i = 0; i < journal->count; i++)
        koa_alert_record_unref(*slot(journal, i));
    koa_free(journal->rows);
    *journal = (struct koa_journal){0};
}

void koa_journal_adopt(struct koa_journal *journal, struct koa_alert_record *record)
{
    if (record->number == 0)
        record->number = journal->last_number + 1;
    if (record->number > journal->last_number)
        journal->last_number = record->number;
    if (journal->count == journal->limit) {
        koa_alert_record_unref(*slot(journal, 0));
        journal->first = (journal->first + 1) % journal->limit;
        journal->count--;
    }
    *slot(journal, journal->count++) = record;
}

enum koa_err koa_journal_resize(struct koa_journal *journal, size_t limit, struct koa_error *reterr)
{
    struct koa_journal resized;
    size_t skip;
    enum koa_err err;

    if (limit == journal->limit)
        return KOA_OK;
    err = koa_journal_init(&resized, limit, reterr);
    if (err != KOA_OK)
        return err;
    skip = journal->count > resized.limit ? journal->count - resized.limit : 0;
    for (size_t i = 0; i < journal->count; i++) {
        if (i < skip) {
            koa_alert_record_unref(*slot(journal, i));
        } else {
            koa_journal_adopt(&resized, *slot(journal, i));
        }
    }
    resized.last_number = journal->last_number;
    koa_free(journal->rows);
    *journal = resized;
    return KOA_OK;
}

static void destroy(struct koa_object *object)
{
    struct koa_journal_view *view = KOA_CONTAINER_OF(object, struct koa_journal_view, object);

    for (size_t i = 0; i < view->count; i++)
        koa_alert_record_unref(view->rows[i]);
    koa_free(view);
}

struct koa_journal_view *koa_journal_copy(const struct koa_journal *journal)
{
    struct koa_journal_view *view =
        koa_calloc(1, sizeof(*view) + journal->count * sizeof(struct koa_alert_record *));

    if (view == NULL)
        return NULL;
    koa_object_init(&view->object, destroy);
    view->count = journal->count;
    for (size_t i = 0; i < view->count; i++)
        view->rows[i] = koa_alert_record_ref(*slot(journal, i));
    return view;
}
