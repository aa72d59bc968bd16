/* Decides which brokers are known and which of them are up. */
#include "cluster/roster.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/str.h"

void koa_roster_deinit(struct koa_roster *roster)
{
    koa_free(roster->rows);
    *roster = (struct koa_roster){.rows = NULL};
}

void koa_roster_begin(struct koa_roster *roster)
{
    for (size_t i = 0; i < roster->count; i++) {
        roster->rows[i].is_up = false;
        roster->rows[i].has_listed = false;
    }
}

/* Where `id` is or belongs. */
static size_t position(const struct koa_roster *roster, int32_t id)
{
    size_t low = 0;
    size_t high = roster->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (roster->rows[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct koa_roster_row *koa_roster_find(const struct koa_roster *roster, int32_t id)
{
    size_t at = position(roster, id);

    return at < roster->count && roster->rows[at].id == id ? &roster->rows[at] : NULL;
}

static bool grow(struct koa_roster *roster)
{
    size_t capacity = roster->capacity > 0 ? roster->capacity * 2 : 8;
    struct koa_roster_row *rows;

    if (roster->count >= KOA_ROSTER_LIMIT)
        return false;
    if (roster->count < roster->capacity)
        return true;
    rows = koa_realloc_array(roster->rows, capacity, sizeof(*rows));
    if (rows == NULL)
        return false;
    roster->rows = rows;
    roster->capacity = capacity;
    return true;
}

static struct koa_roster_row *find_or_add(struct koa_roster *roster, int32_t id)
{
    size_t at = position(roster, id);

    if (at < roster->count && roster->rows[at].id == id)
        return &roster->rows[at];
    if (!grow(roster))
        return NULL;
    memmove(&roster->rows[at + 1], &roster->rows[at], (roster->count - at) * sizeof(*roster->rows));
    roster->count++;
    memset(&roster->rows[at], 0, sizeof(roster->rows[at]));
    roster->rows[at].id = id;
    return &roster->rows[at];
}

/* Others' text becomes a C string of well-formed UTF-8. */
static void copy_text(char target[KOA_ROSTER_TEXT], struct koa_str text)
{
    (void) koa_str_copy(target, KOA_ROSTER_TEXT, koa_utf8_valid(text) ? text : KOA_STR("?"));
}

bool koa_roster_update(struct koa_roster *roster,
                       const struct koa_kafka_metadata_response *metadata, struct koa_mono now)
{
    bool whole = true;
    size_t kept = 0;

    for (size_t i = 0; i < roster->count; i++)
        roster->rows[i].is_listed = false;
    for (size_t i = 0; i < metadata->brokers.count; i++) {
        const struct koa_kafka_metadata_broker *broker = &metadata->brokers.rows[i];
        struct koa_roster_row *row =
            broker->node_id >= 0 ? find_or_add(roster, broker->node_id) : NULL;

        if (row == NULL) {
            whole = false;
            continue;
        }
        copy_text(row->host, broker->host);
        copy_text(row->rack, broker->rack);
        row->port = broker->port;
        row->listed = now;
        row->is_listed = true;
    }
    for (size_t i = 0; i < roster->count; i++) {
        if (koa_mono_diff_ms(now, roster->rows[i].listed) <= KOA_ROSTER_KEEP_MS)
            roster->rows[kept++] = roster->rows[i];
    }
    roster->count = kept;
    return whole;
}

void koa_roster_answered(struct koa_roster *roster, int32_t id, struct koa_mono now)
{
    struct koa_roster_row *row = koa_roster_find(roster, id);

    if (row == NULL)
        return;
    row->answered = now;
    row->has_answered = true;
    row->is_up = true;
    row->has_failed = false;
    row->error[0] = '\0';
}

void koa_roster_failed(struct koa_roster *roster, int32_t id, const char *error)
{
    struct koa_roster_row *row = koa_roster_find(roster, id);

    if (row == NULL)
        return;
    row->has_failed = true;
    copy_text(row->error, koa_str_from(error));
}

void koa_roster_trust(struct koa_roster *roster, int32_t id)
{
    struct koa_roster_row *row = koa_roster_find(roster, id);

    if (row != NULL)
        row->has_failed = false;
}

static const char *explain(const struct koa_roster_row *row)
{
    if (row->error[0] != '\0')
        return row->error;
    return row->is_listed ? "was not asked in this cycle" : "the cluster does not list it any more";
}

bool koa_roster_fill(const struct koa_roster *roster, struct koa_snapshot *snapshot)
{
    struct koa_arena *arena = snapshot->arena;

    snapshot->broker_count = 0;
    snapshot->brokers = NULL;
    if (roster->count == 0)
        return true;
    snapshot->brokers = koa_arena_alloc(arena, roster->count, sizeof(*snapshot->brokers));
    if (snapshot->brokers == NULL)
        return false;
    for (size_t i = 0; i < roster->count; i++) {
        const struct koa_roster_row *row = &roster->rows[i];
        struct koa_mono seen = row->has_answered ? row->answered : row->listed;

        snapshot->brokers[i] = (struct koa_snapshot_broker){
            .id = row->id,
            .host = koa_arena_strdup(arena, row->host),
            .port = row->port,
            .rack = koa_arena_strdup(arena, row->rack),
            .error = row->is_up ? NULL : koa_arena_strdup(arena, explain(row)),
            .is_up = row->is_up,
            .is_controller = row->id == snapshot->controller_id,
            .is_known = true,
            .age_ms = koa_mono_diff_ms(snapshot->made, seen),
        };
    }
    snapshot->broker_count = roster->count;
    return !koa_arena_failed(arena);
}
