/* Pages. The cursor is the place of the last row in the order, not the row: it stays right when
 * rows come and go between two requests. */
#include "api/pager.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"

/* A group's name has 32 KiB at most; shown, up to four times that. */
enum { DEFAULT_LIMIT = 100, ALLOWED_SIZE = 128, NEXT_LIMIT = 256 << 10 };

bool koa_page_after(struct koa_page *page, const char *text)
{
    struct koa_str name;
    struct koa_str weight;

    if (text == NULL || text[0] == '\0')
        return true;
    page->after = text;
    if (page->order == 0)
        return true;
    weight = koa_str_split(koa_str_from(text), ':', &name);
    page->after = name.data; /* the rest of `text`: it ends where that does */
    return name.data != NULL &&
           koa_parse_int(weight, INT64_MIN, INT64_MAX, &page->after_weight) == KOA_OK;
}

static bool read_order(const struct koa_http_request *request, struct koa_http_response *response,
                       const struct koa_page_orders *orders, size_t *order)
{
    const char *sort = koa_http_request_query(request, "sort");
    struct koa_buf allowed = {.limit = ALLOWED_SIZE};

    if (sort == NULL || sort[0] == '\0')
        return true;
    for (size_t i = 0; i < orders->count; i++) {
        if (strcmp(orders->words[i], sort) == 0) {
            *order = i;
            return true;
        }
    }
    for (size_t i = 0; i < orders->count; i++) {
        const char *join = i + 1 == orders->count ? " or " : ", ";

        koa_buf_printf(&allowed, "%s%s", i > 0 ? join : "", orders->words[i]);
    }
    koa_api_invalid(response, "sort", sort, koa_buf_text(&allowed));
    koa_buf_deinit(&allowed);
    return false;
}

bool koa_page_read(const struct koa_http_request *request, struct koa_http_response *response,
                   const struct koa_page_orders *orders, struct koa_page *ret_page)
{
    const char *after = koa_http_request_query(request, "after");

    *ret_page = (struct koa_page){.search = koa_http_request_query(request, "search"),
                                  .order = orders->fallback};
    if (!koa_api_limit(request, response, DEFAULT_LIMIT, &ret_page->limit) ||
        !read_order(request, response, orders, &ret_page->order))
        return false;
    if (koa_page_after(ret_page, after))
        return true;
    koa_api_invalid(response, "after", after, "`next` of a page in the same order");
    return false;
}

bool koa_page_finds(const struct koa_page *page, const char *name)
{
    return page->search == NULL || strstr(name, page->search) != NULL;
}

static int by_name(const void *a, const void *b)
{
    const struct koa_page_row *left = a;
    const struct koa_page_row *right = b;

    return strcmp(left->name, right->name);
}

static int by_weight(const void *a, const void *b)
{
    const struct koa_page_row *left = a;
    const struct koa_page_row *right = b;

    if (left->weight != right->weight)
        return left->weight > right->weight ? -1 : 1;
    return by_name(a, b);
}

struct koa_page_cut koa_page_cut(const struct koa_page *page, struct koa_page_row *rows,
                                 size_t count)
{
    struct koa_page_row mark = {.name = page->after, .weight = page->after_weight};
    struct koa_page_cut cut = {.rows = rows, .count = count, .end = count};
    int (*compare)(const void *a, const void *b) = page->order == 0 ? by_name : by_weight;

    if (count > 0)
        qsort(rows, count, sizeof(*rows), compare);
    while (page->after != NULL && cut.first < count && compare(&rows[cut.first], &mark) <= 0)
        cut.first++;
    if (page->limit > 0 && (uint64_t) page->limit < count - cut.first)
        cut.end = cut.first + (size_t) page->limit;
    return cut;
}

void koa_page_write_end(struct koa_json *json, const struct koa_page *page,
                        const struct koa_page_cut *cut)
{
    struct koa_buf next = {.limit = NEXT_LIMIT};

    koa_json_int(json, "count", (int64_t) (cut->end - cut->first));
    koa_json_int(json, "total_count", (int64_t) cut->count);
    if (cut->end == cut->count || cut->end == 0) {
        koa_json_null(json, "next");
        return;
    }
    if (page->order != 0)
        koa_buf_printf(&next, "%" PRId64 ":", cut->rows[cut->end - 1].weight);
    koa_buf_append_text(&next, cut->rows[cut->end - 1].name);
    json->buf->failed = json->buf->failed || next.failed;
    koa_json_text(json, "next", koa_buf_text(&next));
    koa_buf_deinit(&next);
}
