/* Binary search by name. */
#include "cluster/name_search.h"

size_t koa_name_search(const void *rows, size_t count, koa_name_at_fn *name_at, struct koa_str name)
{
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = koa_str_compare(name, name_at(rows, middle));

        if (order == 0)
            return middle;
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return count;
}
