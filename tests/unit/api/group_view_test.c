/* Consumer groups as JSON, over snapshots from tables. */
#include "api/group_view.h"

#include <string.h>

#include "base/buf.h"
#include "base/json_read.h"
#include "kit/kit.h"
#include "kit/snapshot_kit.h"

static const struct kit_partition partitions[] = {
    {.topic = "orders", .id = 0, .start = 100, .end = 1000},
    {.topic = "orders", .id = 1, .start = 0, .end = 500},
    {.topic = "pay", .id = 0, .leader = -1, .end = -1},
};

static const struct kit_group groups[] = {
    {.name = "idle", .state = "Empty"},
    {.name = "caught-up", .members = 2},
    {.name = "lost", .members = 1},
    {.name = "behind",
     .members = 3,
     .type = KOA_GROUP_CONSUMER,
     .stale_for_ms = 20000,
     .error = "broker 2: timed out"},
    {.name = "a/b \xc3\xa9", .members = -1},
};

static const struct kit_group shared = {.name = "jobs", .type = KOA_GROUP_SHARE, .members = 2};
static const struct kit_commit starts[] = {{"jobs", "orders", 0, 990, 0},
                                           {"jobs", "orders", 1, 480, 0}};

static const struct kit_commit commits[] = {
    {"idle", "orders", 0, 900, 0},   {"caught-up", "orders", 0, 1000, 0},
    {"lost", "orders", 0, 50, 0},    {"behind", "orders", 0, 400, 0},
    {"behind", "orders", 1, 600, 0}, {"behind", "pay", 0, 7, 0},
    {"behind", "deleted", 3, 77, 0}, {"a/b \xc3\xa9", "orders", 1, 499, 0},
};

static const struct kit_group_topic history[] = {
    {.group = "behind",
     .topic = "orders",
     .still_ms = 60000,
     .consumption_rate = 10,
     .lag_velocity = -4,
     .catch_up_seconds = 150,
     .lag_seconds = 12.5,
     .lag_quality = KOA_LAG_INTERPOLATED,
     .assigned = 2,
     .flags =
         KOA_GROUP_TOPIC_HAS_RATES | KOA_GROUP_TOPIC_HAS_CATCH_UP | KOA_GROUP_TOPIC_HAS_ASSIGNED},
    {.group = "lost", .topic = "orders", .lag_seconds = 90, .lag_quality = KOA_LAG_AT_LEAST},
};

static struct koa_snapshot *make(void)
{
    return kit_snapshot(&(struct kit_snapshot){.partitions = partitions,
                                               .partition_count = KOA_ARRAY_COUNT(partitions),
                                               .groups = groups,
                                               .group_count = KOA_ARRAY_COUNT(groups),
                                               .group_topics = history,
                                               .group_topic_count = KOA_ARRAY_COUNT(history),
                                               .commits = commits,
                                               .commit_count = KOA_ARRAY_COUNT(commits)});
}

static const struct {
    const char *name;
    enum koa_group_order order;
    int type;
    const char *search, *state, *expected;
} lists[] = {
    {"by name", KOA_GROUP_ORDER_NAME, -1, NULL, NULL, "a/b \xc3\xa9,behind,caught-up,idle,lost,"},
    {"by lag", KOA_GROUP_ORDER_LAG, -1, NULL, NULL, "lost,behind,idle,a/b \xc3\xa9,caught-up,"},
    {"in seconds, unknown last", KOA_GROUP_ORDER_LAG_SECONDS, -1, NULL, NULL,
     "lost,behind,a/b \xc3\xa9,caught-up,idle,"},
    {"lost data, then unread, then any lag", KOA_GROUP_ORDER_TROUBLE, -1, NULL, NULL,
     "lost,behind,idle,a/b \xc3\xa9,caught-up,"},
    {"searched", KOA_GROUP_ORDER_NAME, -1, "l", NULL, "idle,lost,"},
    {"of a state, in any case", KOA_GROUP_ORDER_NAME, -1, NULL, "empty", "idle,"},
    {"of a type", KOA_GROUP_ORDER_NAME, KOA_GROUP_CONSUMER, NULL, NULL, "behind,"},
    {"of both", KOA_GROUP_ORDER_NAME, KOA_GROUP_CONSUMER, NULL, "Empty", ""},
};

static void groups_are_listed_by_what_is_asked(void **state)
{
    struct koa_snapshot *snapshot = make();

    (void) state;
    KIT_EACH (c, lists) {
        struct koa_page page = {.order = c->order, .search = c->search};
        struct koa_group_wish wish = {.state = c->state, .type = c->type};
        struct koa_page_row rows[KOA_ARRAY_COUNT(groups)];
        size_t count = koa_group_rows(snapshot, &page, &wish, rows);
        struct koa_buf text = {.limit = 4096};
        struct koa_page_cut cut = koa_page_cut(&page, rows, count);

        for (size_t i = cut.first; i < cut.end; i++) {
            koa_buf_append_text(&text, rows[i].name);
            koa_buf_append_char(&text, ',');
        }
        KIT_EXPECT_TEXT(c->name, c->expected, koa_buf_text(&text));
        koa_buf_deinit(&text);
    }
    koa_snapshot_unref(snapshot);
}

static void write_one(const struct koa_snapshot *snapshot, const char *name, struct koa_buf *buf)
{
    struct koa_json json = {.buf = buf};
    struct koa_snapshot_group group;
    size_t index = 0;

    KIT_EXPECT(name, koa_group_find(snapshot, name, &index));
    koa_snapshot_group(snapshot, index, &group);
    koa_json_object(&json, NULL);
    koa_group_write(&json, snapshot, index);
    koa_json_list(&json, "topic_list");
    for (size_t i = 0; i < group.topics; i++)
        koa_group_topic_write(&json, snapshot, index, i);
    koa_json_list_end(&json);
    koa_json_object_end(&json);
}

static void a_group_shows_commits_ends_lags_and_conditions(void **state)
{
    struct koa_snapshot *snapshot = make();
    struct koa_buf buf = {.limit = 65536};
    KOA_AUTO(koa_json_value) *value = NULL;

    static const char *const parts[] = {
        "\"name\":\"behind\",\"type\":\"consumer\",\"state\":\"Stable\"",
        "\"members\":3,",
        "\"topics\":3,\"lag\":600,\"lag_max\":600,\"lag_seconds\":12.5",
        "\"conditions\":{\"above_log_end\":1,\"topic_gone\":1,\"leaderless\":1,\"stale\":4}",
        "\"is_stale\":true,\"age_seconds\":20,\"error\":\"broker 2: timed out\"",
        "{\"name\":\"deleted\",\"is_gone\":true,\"partitions\":1,\"assigned_partitions\":null,"
        "\"committed\":77,\"lag\":null,\"lag_max\":null,\"lag_seconds\":null,"
        "\"lag_quality\":\"unknown\",\"last_progress\":null,\"consumption_rate\":null,"
        "\"production_rate\":null,\"lag_velocity\":null,\"catch_up_seconds\":null,"
        "\"retention_ratio\":null,\"conditions\":{\"topic_gone\":1,\"stale\":1},"
        "\"partition_list\":[{\"id\":3,\"committed\":77,\"start_offset\":null,"
        "\"end_offset\":null,\"lag\":null,\"conditions\":[\"topic_gone\",\"stale\"]}]}",
        "{\"id\":1,\"committed\":600,\"start_offset\":0,\"end_offset\":500,\"lag\":0,"
        "\"conditions\":[\"above_log_end\",\"stale\"]}",
        "\"lag_quality\":\"interpolated\",\"last_progress\":\"1970-01-12T13:45:40.000Z\","
        "\"consumption_rate\":10,\"production_rate\":6,\"lag_velocity\":-4,"
        "\"catch_up_seconds\":150,\"retention_ratio\":null",
    };

    (void) state;
    write_one(snapshot, "behind", &buf);
    KIT_EACH (part, parts)
        KIT_EXPECT_CONTAINS("behind", *part, koa_buf_text(&buf));
    assert_int_equal(
        koa_json_parse((struct koa_str){.data = buf.data, .size = buf.size}, &value, NULL), KOA_OK);
    koa_buf_deinit(&buf);
    koa_snapshot_unref(snapshot);
}

/* As koa_group_list shows them: what is no UTF-8, and what looks like its escapes. */
static void a_group_is_found_by_what_is_shown_and_by_its_bytes(void **state)
{
    static const struct kit_group odd[] = {{.name = "\\xff"}, {.name = "plain"}, {.name = "\xff"}};
    static const char *const shown[] = {"\\x5cxff", "plain", "\\xff"};
    static const struct {
        const char *name, *found; /* NULL: none */
    } cases[] = {
        {"\\xff", "\\xff"}, {"\xff", "\\xff"}, {"\\x5cxff", "\\x5cxff"},
        {"plain", "plain"}, {"\xfe", NULL},    {"\\xfe", NULL},
    };
    struct koa_snapshot *snapshot =
        kit_snapshot(&(struct kit_snapshot){.groups = odd, .group_count = KOA_ARRAY_COUNT(odd)});

    (void) state;
    for (size_t i = 0; i < KOA_ARRAY_COUNT(odd); i++)
        snapshot->groups[i].display = shown[i];
    KIT_EACH (c, cases) {
        size_t index = 0;
        bool is_found = koa_group_find(snapshot, c->name, &index);

        KIT_EXPECT(c->name, is_found == (c->found != NULL));
        if (is_found)
            KIT_EXPECT_TEXT(c->name, c->found, snapshot->groups[index].display);
    }
    koa_snapshot_unref(snapshot);
}

static void what_is_not_known_is_null(void **state)
{
    struct koa_snapshot *snapshot = make();
    struct koa_buf buf = {.limit = 65536};

    (void) state;
    write_one(snapshot, "a/b \xc3\xa9", &buf);
    KIT_EXPECT_CONTAINS("members", "\"members\":null,\"idle_members\":null", koa_buf_text(&buf));
    KIT_EXPECT_CONTAINS("seconds", "\"lag_seconds\":null,\"lag_quality\":\"unknown\"",
                        koa_buf_text(&buf));
    koa_buf_deinit(&buf);
    koa_snapshot_unref(snapshot);
}

static void a_share_group_has_the_same_fields(void **state)
{
    static const char *const parts[] = {
        "\"name\":\"jobs\",\"type\":\"share\",\"state\":\"Stable\"",
        "\"topics\":1,\"lag\":30,\"lag_max\":20,",
        "\"partitions\":2,\"assigned_partitions\":null,\"committed\":1470,\"lag\":30,",
        "{\"id\":1,\"committed\":480,\"start_offset\":0,\"end_offset\":500,\"lag\":20,",
    };
    struct koa_snapshot *snapshot =
        kit_snapshot(&(struct kit_snapshot){.partitions = partitions,
                                            .partition_count = KOA_ARRAY_COUNT(partitions),
                                            .groups = &shared,
                                            .group_count = 1,
                                            .commits = starts,
                                            .commit_count = KOA_ARRAY_COUNT(starts)});
    struct koa_buf buf = {.limit = 65536};

    (void) state;
    write_one(snapshot, "jobs", &buf);
    KIT_EACH (part, parts)
        KIT_EXPECT_CONTAINS("jobs", *part, koa_buf_text(&buf));
    koa_buf_deinit(&buf);
    koa_snapshot_unref(snapshot);
}

static void an_absent_group_is_not_found(void **state)
{
    struct koa_snapshot *snapshot = make();
    size_t index;

    (void) state;
    assert_false(koa_group_find(snapshot, "nobody", &index));
    assert_false(koa_group_find(snapshot, "", &index));
    koa_snapshot_unref(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_are_listed_by_what_is_asked),
        cmocka_unit_test(a_group_shows_commits_ends_lags_and_conditions),
        cmocka_unit_test(a_group_is_found_by_what_is_shown_and_by_its_bytes),
        cmocka_unit_test(what_is_not_known_is_null),
        cmocka_unit_test(a_share_group_has_the_same_fields),
        cmocka_unit_test(an_absent_group_is_not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
