/* Open addressing over a dense array of entries in order of insertion. Removed entries leave a gap
 * until the next growth, so that a walk may remove the entry it stands on. */
#include "base/map.h"

#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/str.h"

enum { FIRST_CAPACITY = 16 };

struct entry {
    char *key; /* NULL: removed */
    size_t key_size;
    uint64_t hash;
    void *value;
};

struct koa_map {
    struct entry *entries;
    size_t used; /* entries, gaps included */
    size_t count;
    size_t capacity; /* of entries; the table has twice as many slots */
    uint32_t *slots; /* index + 1 of an entry; 0: free */
    size_t limit;
    bool is_borrowing;            /* keys are their owners' */
    struct koa_hash_key hash_key; /* the process's when the map was made */
};

struct koa_map *koa_map_create(size_t limit)
{
    struct koa_map *map = koa_calloc(1, sizeof(*map));

    if (map == NULL)
        return NULL;
    map->limit = limit < UINT32_MAX / 4 ? limit : UINT32_MAX / 4;
    map->hash_key = koa_hash_process_key();
    return map;
}

struct koa_map *koa_map_create_borrowing(size_t limit)
{
    struct koa_map *map = koa_map_create(limit);

    if (map != NULL)
        map->is_borrowing = true;
    return map;
}

static void free_key(const struct koa_map *map, char *key)
{
    if (!map->is_borrowing)
        koa_free(key);
}

/* The key as an entry has it; NULL when memory is out. A borrowed one is only read. */
static char *keep_key(const struct koa_map *map, struct koa_str key)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): takes const away, no number becomes a pointer */
    return map->is_borrowing ? (char *) (uintptr_t) key.data : koa_strndup(key.data, key.size);
}

void koa_map_destroy(struct koa_map *map, void (*free_value)(void *value))
{
    if (map == NULL)
        return;
    for (size_t i = 0; i < map->used; i++) {
        void *value = map->entries[i].value;
        char *key = map->entries[i].key;

        if (key != NULL)
            free_key(map, key);
        if (key != NULL && free_value != NULL)
            free_value(value);
    }
    koa_free(map->entries);
    koa_free(map->slots);
    koa_free(map);
}

size_t koa_map_count(const struct koa_map *map)
{
    return map->count;
}

static size_t slot_count(const struct koa_map *map)
{
    return map->capacity * 2;
}

/* The slot that holds `key`, or the free one where the search ends. The slot of a removed entry
 * stays taken, so that searches run over it. */
static size_t find_slot(const struct koa_map *map, struct koa_str key, uint64_t hash)
{
    size_t mask = slot_count(map) - 1;
    size_t slot = (size_t) hash & mask;

    while (map->slots[slot] != 0) {
        const struct entry *entry = &map->entries[map->slots[slot] - 1];

        if (entry->key != NULL && entry->hash == hash && entry->key_size == key.size &&
            memcmp(entry->key, key.data, key.size) == 0)
            return slot;
        slot = (slot + 1) & mask;
    }
    return slot;
}

static struct entry *find_entry(const struct koa_map *map, struct koa_str key)
{
    size_t slot;

    if (map->count == 0)
        return NULL;
    if (key.data == NULL)
        key = KOA_STR("");
    slot = find_slot(map, key, koa_siphash(map->hash_key, key.data, key.size));
    return map->slots[slot] != 0 ? &map->entries[map->slots[slot] - 1] : NULL;
}

void *koa_map_find(const struct koa_map *map, struct koa_str key)
{
    const struct entry *entry = find_entry(map, key);

    return entry != NULL ? entry->value : NULL;
}

void *koa_map_find_text(const struct koa_map *map, const char *key)
{
    return koa_map_find(map, koa_str_from(key));
}

/* Moves the live entries into a table with room for one more. */
static bool make_room(struct koa_map *map)
{
    size_t capacity = map->capacity == 0 ? FIRST_CAPACITY : map->capacity;
    struct entry *entries;
    uint32_t *slots;
    struct koa_map old = *map;

    if (map->used < map->capacity)
        return true;
    if (map->count + 1 > capacity - capacity / 4)
        capacity *= 2;
    entries = koa_calloc(capacity, sizeof(*entries));
    slots = koa_calloc(capacity * 2, sizeof(*slots));
    if (entries == NULL || slots == NULL) {
        koa_free(entries);
        koa_free(slots);
        return false;
    }
    map->entries = entries;
    map->slots = slots;
    map->capacity = capacity;
    map->used = 0;
    for (size_t i = 0; i < old.used; i++) {
        const struct entry *entry = &old.entries[i];

        if (entry->key == NULL)
            continue;
        entries[map->used] = *entry;
        slots[find_slot(map, (struct koa_str){entry->key, entry->key_size}, entry->hash)] =
            (uint32_t) ++map->used;
    }
    koa_free(old.entries);
    koa_free(old.slots);
    return true;
}

enum koa_err koa_map_put(struct koa_map *map, struct koa_str key, void *value, void **ret_old)
{
    struct koa_str name = key.data != NULL ? key : KOA_STR("");
    struct entry *entry = find_entry(map, name);
    uint64_t hash;
    char *kept;

    if (ret_old != NULL)
        *ret_old = entry != NULL ? entry->value : NULL;
    if (entry != NULL) {
        entry->value = value;
        if (map->is_borrowing)
            entry->key = keep_key(map, name);
        return KOA_OK;
    }
    if (map->count >= map->limit)
        return KOA_ERR_LIMIT;
    kept = keep_key(map, name);
    if (kept == NULL || !make_room(map)) {
        free_key(map, kept);
        return KOA_ERR_NOMEM;
    }
    hash = koa_siphash(map->hash_key, name.data, name.size);
    map->entries[map->used] =
        (struct entry){.key = kept, .key_size = name.size, .hash = hash, .value = value};
    map->slots[find_slot(map, name, hash)] = (uint32_t) ++map->used;
    map->count++;
    return KOA_OK;
}

void *koa_map_remove(struct koa_map *map, struct koa_str key)
{
    struct entry *entry = find_entry(map, key);

    if (entry == NULL)
        return NULL;
    free_key(map, entry->key);
    entry->key = NULL;
    map->count--;
    return entry->value;
}

bool koa_map_next(const struct koa_map *map, size_t *position, struct koa_str *ret_key,
                  void **ret_value)
{
    while (*position < map->used) {
        const struct entry *entry = &map->entries[(*position)++];

        if (entry->key == NULL)
            continue;
        if (ret_key != NULL)
            *ret_key = (struct koa_str){.data = entry->key, .size = entry->key_size};
        *ret_value = entry->value;
        return true;
    }
    return false;
}
