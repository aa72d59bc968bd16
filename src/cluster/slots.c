/* A table of equal rows with a free list. */
#include "cluster/slots.h"

#include <string.h>

#include "base/memory.h"

enum { FIRST_CAPACITY = 64 };

enum state { FREE, OLD, KEPT };

struct koa_slots {
    size_t row_size;
    uint32_t limit;
    uint32_t capacity;
    uint32_t used;
    uint32_t count;    /* rows ever taken */
    uint32_t free_top; /* number of `free_list` */
    unsigned char *rows;
    uint8_t *states;
    uint32_t *free_list;
};

struct koa_slots *koa_slots_create(size_t row_size, uint32_t limit)
{
    struct koa_slots *slots = koa_calloc(1, sizeof(*slots));

    if (slots == NULL)
        return NULL;
    slots->row_size = row_size;
    slots->limit = limit;
    return slots;
}

void koa_slots_destroy(struct koa_slots *slots)
{
    if (slots == NULL)
        return;
    koa_free(slots->rows);
    koa_free(slots->states);
    koa_free(slots->free_list);
    koa_free(slots);
}

static bool grow(struct koa_slots *slots)
{
    uint32_t capacity =
        slots->capacity > 0 ? slots->capacity + slots->capacity / 2 : FIRST_CAPACITY;
    unsigned char *rows;
    uint8_t *states;
    uint32_t *free_list;

    if (slots->count < slots->capacity)
        return true;
    if (slots->capacity >= slots->limit)
        return false;
    if (capacity > slots->limit)
        capacity = slots->limit;
    rows = koa_realloc_array(slots->rows, capacity, slots->row_size);
    if (rows == NULL)
        return false;
    slots->rows = rows;
    states = koa_realloc_array(slots->states, capacity, sizeof(*states));
    if (states == NULL)
        return false;
    slots->states = states;
    free_list = koa_realloc_array(slots->free_list, capacity, sizeof(*free_list));
    if (free_list == NULL)
        return false;
    slots->free_list = free_list;
    slots->capacity = capacity;
    return true;
}

bool koa_slots_take(struct koa_slots *slots, uint32_t *ret_slot)
{
    uint32_t slot;

    if (slots->free_top > 0) {
        slot = slots->free_list[--slots->free_top];
    } else if (grow(slots)) {
        slot = slots->count++;
    } else {
        return false;
    }
    memset(slots->rows + slot * slots->row_size, 0, slots->row_size);
    slots->states[slot] = KEPT;
    slots->used++;
    *ret_slot = slot;
    return true;
}

bool koa_slots_keep(struct koa_slots *slots, uint32_t slot)
{
    if (slot >= slots->count || slots->states[slot] == FREE)
        return false;
    slots->states[slot] = KEPT;
    return true;
}

void *koa_slots_get(const struct koa_slots *slots, uint32_t slot)
{
    if (slot >= slots->count || slots->states[slot] == FREE)
        return NULL;
    return slots->rows + slot * slots->row_size;
}

void koa_slots_sweep(struct koa_slots *slots)
{
    for (uint32_t slot = 0; slot < slots->count; slot++) {
        if (slots->states[slot] == KEPT) {
            slots->states[slot] = OLD;
        } else if (slots->states[slot] == OLD) {
            slots->states[slot] = FREE;
            slots->free_list[slots->free_top++] = slot;
            slots->used--;
        }
    }
}

size_t koa_slots_used(const struct koa_slots *slots)
{
    return slots->used;
}

size_t koa_slots_bytes(const struct koa_slots *slots)
{
    return slots->capacity * (slots->row_size + sizeof(*slots->states) + sizeof(*slots->free_list));
}
