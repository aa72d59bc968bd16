/* A page of rows that have a name: `limit`, `after`, `sort`, `search` of a query. What a row weighs
 * in an order is the caller's; rows of the same weight come in order of name. */
#ifndef API_PAGER_H
#define API_PAGER_H

#include "api/answer.h"

/* What the caller fills for each row that passes. */
struct koa_page_row {
    const char *name;
    int64_t weight; /* the heaviest first; not used in the order of names */
    size_t index;   /* the caller's */
};

struct koa_page {
    int64_t limit;      /* 0: all */
    const char *search; /* part of the name; NULL or "": every row */
    size_t order;       /* index of the word; 0 is the order of names */
    const char *after;  /* name of the last row of the page before; NULL: the first page */
    int64_t after_weight;
};

/* What an endpoint offers to sort by. */
struct koa_page_orders {
    const char *const *words; /* the first is "name" */
    size_t count;
    size_t fallback; /* index of the default */
};

/* False: the response is a 400 already. What is found is borrowed from the request. */
bool koa_page_read(const struct koa_http_request *request, struct koa_http_response *response,
                   const struct koa_page_orders *orders, struct koa_page *ret_page);
/* `text` is what koa_page_next() wrote, in the same order; false when it cannot be. A row that has
 * vanished or changed its weight still marks where its page ended. */
KOA_MUST_USE bool koa_page_after(struct koa_page *page, const char *text);
bool koa_page_finds(const struct koa_page *page, const char *name);
/* All rows in order, and those of the page: [first, end). */
struct koa_page_cut {
    const struct koa_page_row *rows;
    size_t count, first, end;
};

/* Sorts `rows`, which it borrows. */
struct koa_page_cut koa_page_cut(const struct koa_page *page, struct koa_page_row *rows,
                                 size_t count);
/* `count`, `total_count` and `next`: null on the last page, else what `after` takes. */
void koa_page_write_end(struct koa_json *json, const struct koa_page *page,
                        const struct koa_page_cut *cut);

#endif
