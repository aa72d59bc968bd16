/* A hash map from bytes to pointers, seeded, with a limit of entries. Keys are copied; values are
 * borrowed. Keeps the order of insertion when walked. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <koa/base.h>
#include <koa/error.h>

struct koa_map;

KOA_MUST_USE struct koa_map *koa_map_create(size_t limit);
/* A map whose keys are not copied: each must stay as it is as long as its entry, most often as a
 * part of the value. */
KOA_MUST_USE struct koa_map *koa_map_create_borrowing(size_t limit);
/* Calls `free_value` (may be NULL) for each value. */
void koa_map_destroy(struct koa_map *map, void (*free_value)(void *value));
size_t koa_map_count(const struct koa_map *map);
/* NULL when absent. */
void *koa_map_find(const struct koa_map *map, struct koa_str key);
void *koa_map_find_text(const struct koa_map *map, const char *key);
/* Adds or replaces; `*ret_old` (may be NULL) gets the replaced value or NULL. KOA_ERR_LIMIT or
 * KOA_ERR_NOMEM leave the map as it was. */
KOA_MUST_USE enum koa_err koa_map_put(struct koa_map *map, struct koa_str key, void *value,
                                      void **ret_old);
/* Returns the removed value, or NULL. */
void *koa_map_remove(struct koa_map *map, struct koa_str key);

/* for (size_t at = 0; koa_map_next(map, &at, &key, &value);) — removing the current entry inside
 * the loop is allowed, adding is not. `ret_key` may be NULL. */
bool koa_map_next(const struct koa_map *map, size_t *position, struct koa_str *ret_key,
                  void **ret_value);

#endif
