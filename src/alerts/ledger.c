/* A ring of rows for one writer, and copies of it for readers. */
#include "alerts/ledger.h"

#include <string.h>

#include "base/memory.h"

const char *koa_ledger_outcome_name(enum koa_ledger_outcome outcome)
{
    static const char *const names[KOA_LEDGER_OUTCOME_COUNT] = {
        [KOA_LEDGER_WAITING] = "waiting",     [KOA_LEDGER_RETRYING] = "retrying",
        [KOA_LEDGER_DELIVERED] = "delivered", [KOA_LEDGER_UNDELIVERABLE] = "undeliverable",
        [KOA_LEDGER_GIVEN_UP] = "given_up",   [KOA_LEDGER_DROPPED] = "dropped",
    };

    return outcome < KOA_LEDGER_OUTCOME_COUNT ? names[outcome] : "unknown";
}

void koa_ledger_deinit(struct koa_ledger *ledger)
{
    koa_free(ledger->rows);
    *ledger = (struct koa_ledger){0};
}

struct koa_ledger_row *koa_ledger_add(struct koa_ledger *ledger)
{
    struct koa_ledger_row *row;

    if (ledger->rows == NULL)
        ledger->rows = koa_calloc(KOA_LEDGER_ROWS, sizeof(*ledger->rows));
    if (ledger->rows == NULL)
        return NULL;
    row = &ledger->rows[ledger->written % KOA_LEDGER_ROWS];
    *row = (struct koa_ledger_row){.number = ++ledger->written};
    return row;
}

struct koa_ledger_row *koa_ledger_find(struct koa_ledger *ledger, uint64_t number)
{
    struct koa_ledger_row *row;

    if (number == 0 || ledger->rows == NULL)
        return NULL;
    row = &ledger->rows[(number - 1) % KOA_LEDGER_ROWS];
    return row->number == number ? row : NULL;
}

static void destroy(struct koa_object *object)
{
    koa_free(KOA_CONTAINER_OF(object, struct koa_ledger_view, object));
}

struct koa_ledger_view *koa_ledger_copy(const struct koa_ledger *ledger)
{
    uint64_t written = ledger->rows != NULL ? ledger->written : 0;
    size_t count = written < KOA_LEDGER_ROWS ? (size_t) written : KOA_LEDGER_ROWS;
    struct koa_ledger_view *view = koa_calloc(1, sizeof(*view) + count * sizeof(view->rows[0]));

    if (view == NULL)
        return NULL;
    koa_object_init(&view->object, destroy);
    view->count = count;
    for (size_t i = 0; i < count; i++)
        view->rows[i] = ledger->rows[(written - count + i) % KOA_LEDGER_ROWS];
    return view;
}
