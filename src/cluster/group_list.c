/* Merges what brokers list. */
#include "cluster/group_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/str.h"

const char *koa_group_word(struct koa_arena *arena, struct koa_str text)
{
    static const char *const words[] = {"Stable",
                                        "Empty",
                                        "Dead",
                                        "PreparingRebalance",
                                        "CompletingRebalance",
                                        "Assigning",
                                        "Reconciling",
                                        "NotReady",
                                        "Unknown",
                                        "",
                                        "range",
                                        "roundrobin",
                                        "sticky",
                                        "cooperative-sticky",
                                        "uniform",
                                        "simple",
                                        "stream"};

    for (size_t i = 0; i < KOA_ARRAY_COUNT(words); i++) {
        if (koa_str_equal_text(text, words[i]))
            return words[i];
    }
    if (!koa_utf8_valid(text) || memchr(text.data, '\0', text.size) != NULL)
        return "?";
    return koa_arena_strndup(arena, text.data, text.size);
}

static enum koa_group_type type_of(struct koa_str type)
{
    for (int i = 0; i < KOA_GROUP_TYPE_COUNT; i++) {
        if (koa_str_equal_text(type, koa_group_type_name((enum koa_group_type) i)))
            return (enum koa_group_type) i;
    }
    return KOA_GROUP_CLASSIC; /* the only one before ListGroups 5 */
}

/* Names are any bytes to Kafka; readers get UTF-8 without NUL, and something to ask for. Two names
 * are never shown as the same text, or their series would be the same too: what is shown as it is
 * has no "\x" in it, and what is escaped has each backslash escaped. */
static const char *display_of(struct koa_arena *arena, const char *name, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char *text;
    size_t at = 0;

    if (size == 0)
        return "\\x";
    if (koa_utf8_valid((struct koa_str){.data = name, .size = size}) &&
        memchr(name, '\0', size) == NULL && strstr(name, "\\x") == NULL)
        return name;
    text = koa_arena_alloc(arena, size + 1, 4);
    for (size_t i = 0; text != NULL && i < size; i++) {
        unsigned char byte = (unsigned char) name[i];

        if (byte >= 0x20 && byte < 0x7f && byte != '\\') {
            text[at++] = name[i];
        } else {
            text[at++] = '\\';
            text[at++] = 'x';
            text[at++] = digits[byte >> 4];
            text[at++] = digits[byte & 15];
        }
    }
    return text;
}

void koa_group_list_deinit(struct koa_group_list *list)
{
    koa_free(list->rows);
    *list = (struct koa_group_list){.rows = NULL};
}

static struct koa_group_row *add_row(struct koa_group_list *list)
{
    size_t capacity = list->capacity > 0 ? list->capacity * 2 : 64;
    struct koa_group_row *rows;

    if (list->count < list->capacity)
        return &list->rows[list->count++];
    rows = list->capacity < KOA_GROUP_LIMIT ? koa_realloc_array(list->rows, capacity, sizeof(*rows))
                                            : NULL;
    if (rows == NULL) {
        list->has_overflown = true;
        return NULL;
    }
    list->rows = rows;
    list->capacity = capacity;
    return &list->rows[list->count++];
}

void koa_group_list_add(struct koa_group_list *list, struct koa_snapshot *draft,
                        const struct koa_name_filter *filter,
                        const struct koa_kafka_list_groups_response *answer, int32_t broker)
{
    for (size_t i = 0; i < answer->groups.count; i++) {
        const struct koa_kafka_list_groups_group *group = &answer->groups.rows[i];
        struct koa_str id = group->group_id;
        char *name = koa_arena_strndup(draft->arena, id.data != NULL ? id.data : "", id.size);
        const char *display = name != NULL ? display_of(draft->arena, name, id.size) : NULL;
        const char *state = koa_group_word(draft->arena, group->group_state);
        struct koa_group_row *row;

        if (display == NULL || state == NULL) {
            list->has_overflown = true;
            return;
        }
        if (filter != NULL && !koa_name_filter_passes(filter, display))
            continue;
        row = add_row(list);
        if (row == NULL)
            return;
        *row = (struct koa_group_row){.name = name,
                                      .name_size = id.size,
                                      .display = display,
                                      .state = state,
                                      .protocol = "",
                                      .coordinator = broker,
                                      .other_coordinator = -1,
                                      .type = (uint8_t) type_of(group->group_type)};
    }
}

static struct koa_str name_of(const struct koa_group_row *row)
{
    return (struct koa_str){.data = row->name, .size = row->name_size};
}

static int by_name(const void *a, const void *b)
{
    const struct koa_group_row *first = a;
    const struct koa_group_row *second = b;
    int order = koa_str_compare(name_of(first), name_of(second));

    return order != 0 ? order
                      : (first->coordinator > second->coordinator) -
                            (first->coordinator < second->coordinator);
}

/* Each name once; a second broker that lists it is remembered. */
static void merge_repeated(struct koa_group_list *list)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        struct koa_group_row *last = kept > 0 ? &list->rows[kept - 1] : NULL;

        if (last != NULL && koa_str_equal(name_of(last), name_of(&list->rows[i]))) {
            if (list->rows[i].coordinator != last->coordinator)
                last->other_coordinator = list->rows[i].coordinator;
        } else {
            list->rows[kept++] = list->rows[i];
        }
    }
    list->count = kept;
}

/* Not listed, but by nobody's word gone: its coordinator is silent, or has handed it over to one
 * that still loads. */
static bool is_owed(const struct koa_group_owed *owed, const struct koa_group_row *row,
                    int64_t now_ms)
{
    return (row->flags & KOA_GROUP_HAS_COMMITS) != 0 && now_ms - row->commits_ms <= owed->keep_ms &&
           !owed->has_listed(owed->context, row->coordinator);
}

static bool add_owed(struct koa_snapshot *draft, struct koa_group_row *to,
                     const struct koa_group_row *from)
{
    const char *name = koa_arena_strndup(draft->arena, from->name, from->name_size);

    if (name == NULL)
        return false;
    *to = (struct koa_group_row){
        .name = name,
        .name_size = from->name_size,
        .display = display_of(draft->arena, name, from->name_size),
        .state = koa_group_word(draft->arena, koa_str_from(from->state)),
        .protocol = koa_group_word(draft->arena, koa_str_from(from->protocol)),
        .error = "its coordinator did not answer in this cycle",
        .coordinator = from->coordinator,
        .other_coordinator = -1,
        .members = from->members,
        .idle_members = from->idle_members,
        .type = from->type,
        .flags = (uint8_t) ((from->flags & KOA_GROUP_HAS_MEMBERS) | KOA_GROUP_OWED)};
    return to->display != NULL && to->state != NULL && to->protocol != NULL;
}

/* The list and what is owed of `previous`, both in order of name, become one. */
static bool merge_owed(struct koa_group_list *list, struct koa_snapshot *draft,
                       const struct koa_group_owed *owed)
{
    const struct koa_snapshot *previous = owed->previous;
    size_t old = 0;

    for (size_t i = 0; i <= list->count; i++) {
        while (previous != NULL && old < previous->group_count) {
            const struct koa_group_row *row = &previous->groups[old];
            int order =
                i < list->count ? koa_str_compare(name_of(row), name_of(&list->rows[i])) : -1;

            if (order > 0)
                break;
            old++;
            if (order < 0 && is_owed(owed, row, draft->made.ms) &&
                !add_owed(draft, &draft->groups[draft->group_count++], row))
                return false;
        }
        if (i < list->count)
            draft->groups[draft->group_count++] = list->rows[i];
    }
    return true;
}

bool koa_group_list_finish(struct koa_group_list *list, struct koa_snapshot *draft,
                           const struct koa_group_owed *owed)
{
    size_t limit;
    bool is_done;

    if (list->count > 0)
        qsort(list->rows, list->count, sizeof(*list->rows), by_name);
    merge_repeated(list);
    limit = list->count + (owed->previous != NULL ? owed->previous->group_count : 0);
    draft->groups = koa_arena_alloc(draft->arena, limit + 1, sizeof(*draft->groups));
    draft->group_count = 0;
    is_done = draft->groups != NULL && merge_owed(list, draft, owed);
    list->count = 0;
    return is_done;
}
