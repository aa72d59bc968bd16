/* Consumer groups as JSON, and how much each hurts. Pure: reads a snapshot only. */
#ifndef API_GROUP_VIEW_H
#define API_GROUP_VIEW_H

#include <koa/snapshot.h>

#include "api/pager.h"

/* The orders of groups and of a group's topics; the words for koa_page_read(). */
enum koa_group_order {
    KOA_GROUP_ORDER_NAME,
    KOA_GROUP_ORDER_LAG,
    KOA_GROUP_ORDER_LAG_SECONDS,
    KOA_GROUP_ORDER_TROUBLE,
    KOA_GROUP_ORDER_COUNT
};
extern const char *const koa_group_orders[KOA_GROUP_ORDER_COUNT];

/* What a group must be to be listed, beside the page's `search`. */
struct koa_group_wish {
    const char *state; /* in any case; NULL or "": every one */
    int type;          /* enum koa_group_type; -1: every one */
};

/* Fills `rows`, which has room for every group; returns how many pass. */
size_t koa_group_rows(const struct koa_snapshot *snapshot, const struct koa_page *page,
                      const struct koa_group_wish *wish, struct koa_page_row *rows);
/* The same of one group's topics. */
size_t koa_group_topic_rows(const struct koa_snapshot *snapshot, size_t group,
                            const struct koa_page *page, struct koa_page_row *rows);

/* By the name that is shown, as a path has it; by its bytes where they are no UTF-8. */
bool koa_group_find(const struct koa_snapshot *snapshot, const char *name, size_t *ret_index);

/* Members of the object that is open. */
void koa_group_write(struct koa_json *json, const struct koa_snapshot *snapshot, size_t index);
/* One topic of it, with every partition. */
void koa_group_topic_write(struct koa_json *json, const struct koa_snapshot *snapshot, size_t group,
                           size_t topic);

#endif
