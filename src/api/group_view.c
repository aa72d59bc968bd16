/* Consumer groups as JSON. What is not known is null, never a number made up. */
#include "api/group_view.h"

#include <string.h>

#include "base/str.h"
#include "cluster/snapshot.h"

const char *const koa_group_orders[KOA_GROUP_ORDER_COUNT] = {
    [KOA_GROUP_ORDER_NAME] = "name",
    [KOA_GROUP_ORDER_LAG] = "lag",
    [KOA_GROUP_ORDER_LAG_SECONDS] = "lag_seconds",
    [KOA_GROUP_ORDER_TROUBLE] = "trouble",
};

/* Classes of trouble, each above every lag of the one below. */
enum trouble { TROUBLE_NONE, TROUBLE_LAGS, TROUBLE_UNREAD, TROUBLE_LOST };
enum { LAG_BITS = 60 };

static int64_t in_class(enum trouble trouble, int64_t lag)
{
    int64_t most = (INT64_C(1) << LAG_BITS) - 1;

    return (int64_t) trouble * (most + 1) + (lag < most ? lag : most);
}

/* Data that was deleted unread comes first, then data that nobody reads, then any lag. */
static int64_t weigh_trouble(const int64_t *conditions, bool is_read, int64_t lag)
{
    if (conditions[KOA_CONDITION_BELOW_START] > 0)
        return in_class(TROUBLE_LOST, lag);
    if (conditions[KOA_CONDITION_LEADERLESS] > 0 || (!is_read && lag > 0))
        return in_class(TROUBLE_UNREAD, lag);
    return in_class(lag > 0 ? TROUBLE_LAGS : TROUBLE_NONE, lag);
}

/* Unknown is lighter than nothing. */
static int64_t weigh_seconds(enum koa_lag_quality quality, double seconds)
{
    return quality != KOA_LAG_UNKNOWN ? (int64_t) (seconds * 1000) : -1;
}

static int64_t weigh_group(const struct koa_snapshot_group *group, size_t order)
{
    if (order == KOA_GROUP_ORDER_LAG)
        return group->has_lag ? group->lag : -1;
    if (order == KOA_GROUP_ORDER_LAG_SECONDS)
        return weigh_seconds(group->lag_quality, group->lag_seconds);
    return weigh_trouble(group->conditions, !group->has_members || group->members > 0, group->lag);
}

static int64_t weigh_topic(const struct koa_snapshot_group_topic *topic, size_t order)
{
    if (order == KOA_GROUP_ORDER_LAG)
        return topic->has_lag ? topic->lag : -1;
    if (order == KOA_GROUP_ORDER_LAG_SECONDS)
        return weigh_seconds(topic->lag_quality, topic->lag_seconds);
    return weigh_trouble(topic->conditions, !topic->has_assigned || topic->assigned > 0,
                         topic->lag);
}

size_t koa_group_rows(const struct koa_snapshot *snapshot, const struct koa_page *page,
                      const struct koa_group_wish *wish, struct koa_page_row *rows)
{
    bool any_state = wish->state == NULL || wish->state[0] == '\0';
    size_t count = 0;

    for (size_t i = 0; i < koa_snapshot_group_count(snapshot); i++) {
        struct koa_snapshot_group group;

        koa_snapshot_group(snapshot, i, &group);
        if (koa_page_finds(page, group.name) &&
            (any_state || koa_text_equal_nocase(group.state, wish->state)) &&
            (wish->type < 0 || (int) group.type == wish->type)) {
            rows[count++] = (struct koa_page_row){
                .name = group.name, .weight = weigh_group(&group, page->order), .index = i};
        }
    }
    return count;
}

size_t koa_group_topic_rows(const struct koa_snapshot *snapshot, size_t group,
                            const struct koa_page *page, struct koa_page_row *rows)
{
    struct koa_snapshot_group row;
    size_t count = 0;

    koa_snapshot_group(snapshot, group, &row);
    for (size_t i = 0; i < row.topics; i++) {
        struct koa_snapshot_group_topic topic;

        koa_snapshot_group_topic(snapshot, group, i, &topic);
        if (koa_page_finds(page, topic.name)) {
            rows[count++] = (struct koa_page_row){
                .name = topic.name, .weight = weigh_topic(&topic, page->order), .index = i};
        }
    }
    return count;
}

static bool is_shown_as(const struct koa_snapshot *snapshot, size_t index, const char *name)
{
    struct koa_snapshot_group group;

    koa_snapshot_group(snapshot, index, &group);
    return strcmp(group.name, name) == 0;
}

/* Names that are shown as they are, nearly all, are found by the order of the rows. One that looks
 * like another's escapes is shown with escapes of its own. What is no UTF-8 is never shown, so it
 * can only be meant as it is. */
bool koa_group_find(const struct koa_snapshot *snapshot, const char *name, size_t *ret_index)
{
    if (koa_snapshot_find_group(snapshot, koa_str_from(name), ret_index) &&
        (is_shown_as(snapshot, *ret_index, name) || !koa_utf8_valid(koa_str_from(name))))
        return true;
    for (size_t i = 0; strstr(name, "\\x") != NULL && i < koa_snapshot_group_count(snapshot); i++) {
        if (is_shown_as(snapshot, i, name)) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

static const char *or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* How many partitions are in each condition that occurs. */
static void write_counts(struct koa_json *json, const int64_t *conditions)
{
    koa_json_object(json, "conditions");
    for (int i = 0; i < KOA_CONDITION_COUNT; i++) {
        if (conditions[i] > 0)
            koa_json_int(json, koa_condition_name((enum koa_condition) i), conditions[i]);
    }
    koa_json_object_end(json);
}

static void write_seconds(struct koa_json *json, enum koa_lag_quality quality, double seconds)
{
    koa_api_real(json, "lag_seconds", quality != KOA_LAG_UNKNOWN, seconds);
    koa_json_text(json, "lag_quality", koa_lag_quality_name(quality));
}

void koa_group_write(struct koa_json *json, const struct koa_snapshot *snapshot, size_t index)
{
    struct koa_snapshot_group group;

    koa_snapshot_group(snapshot, index, &group);
    koa_json_text(json, "name", group.name);
    koa_json_text(json, "type", koa_group_type_name(group.type));
    koa_json_text(json, "state", or_null(group.state));
    koa_json_text(json, "protocol", or_null(group.protocol));
    koa_api_number(json, "coordinator", group.coordinator >= 0, group.coordinator);
    koa_api_number(json, "members", group.has_members, group.members);
    koa_api_number(json, "idle_members", group.has_members, group.idle_members);
    koa_json_int(json, "topics", (int64_t) group.topics);
    koa_api_number(json, "lag", group.has_lag, group.lag);
    koa_api_number(json, "lag_max", group.has_lag, group.lag_max);
    write_seconds(json, group.lag_quality, group.lag_seconds);
    write_counts(json, group.conditions);
    koa_json_bool(json, "is_stale", group.is_stale);
    koa_json_double(json, "age_seconds", (double) group.age_ms / 1000.0);
    koa_json_text(json, "error", group.error);
}

static void write_commit(struct koa_json *json, const struct koa_snapshot_commit *commit)
{
    bool has_commit = (commit->conditions & (1U << KOA_CONDITION_NO_COMMIT)) == 0;

    koa_json_object(json, NULL);
    koa_json_int(json, "id", commit->partition);
    koa_api_number(json, "committed", has_commit, commit->offset);
    koa_api_number(json, "start_offset", commit->has_start_offset, commit->start_offset);
    koa_api_number(json, "end_offset", commit->has_end_offset, commit->end_offset);
    koa_api_number(json, "lag", commit->has_lag, commit->lag);
    koa_json_list(json, "conditions");
    for (int i = 0; i < KOA_CONDITION_COUNT; i++) {
        if ((commit->conditions & (1U << i)) != 0)
            koa_json_text(json, NULL, koa_condition_name((enum koa_condition) i));
    }
    koa_json_list_end(json);
    koa_json_object_end(json);
}

static void write_pace(struct koa_json *json, const struct koa_snapshot_group_topic *topic)
{
    koa_json_time(json, "last_progress",
                  topic->has_progress ? topic->progress_time : (struct koa_wall){0});
    koa_api_real(json, "consumption_rate", topic->has_rates, topic->consumption_rate);
    koa_api_real(json, "production_rate", topic->has_rates, topic->production_rate);
    koa_api_real(json, "lag_velocity", topic->has_rates, topic->lag_velocity);
    koa_api_real(json, "catch_up_seconds", topic->has_catch_up, topic->catch_up_seconds);
    koa_api_real(json, "retention_ratio", topic->has_retention, topic->retention_ratio);
}

void koa_group_topic_write(struct koa_json *json, const struct koa_snapshot *snapshot, size_t group,
                           size_t topic)
{
    struct koa_snapshot_group_topic row;

    koa_snapshot_group_topic(snapshot, group, topic, &row);
    koa_json_object(json, NULL);
    koa_json_text(json, "name", row.name);
    koa_json_bool(json, "is_gone", row.is_gone);
    koa_json_int(json, "partitions", (int64_t) row.commits);
    koa_api_number(json, "assigned_partitions", row.has_assigned, row.assigned);
    koa_json_int(json, "committed", row.committed);
    koa_api_number(json, "lag", row.has_lag, row.lag);
    koa_api_number(json, "lag_max", row.has_lag, row.lag_max);
    write_seconds(json, row.lag_quality, row.lag_seconds);
    write_pace(json, &row);
    write_counts(json, row.conditions);
    koa_json_list(json, "partition_list");
    for (size_t i = 0; i < row.commits; i++) {
        struct koa_snapshot_commit commit;

        koa_snapshot_commit(snapshot, group, topic, i, &commit);
        write_commit(json, &commit);
    }
    koa_json_list_end(json);
    koa_json_object_end(json);
}
