/* Boards: the rule of the whole, look-ups, readiness, history, JSON. */
#include "health/board.h"

#include <string.h>

#include "health/history.h"
#include "health/render.h"
#include "kit/kit.h"

/* A result by one letter: H D U ? as statuses, - has not run, 0 without a subject, S stale, lower
 * case is not critical (q: unknown). */
static struct koa_result_object *make_result(char letter, const char *name)
{
    struct koa_texts groups = {.rows = (const char *const[]){"readiness"}, .count = 1};
    struct koa_result result = {.name = name,
                                .message = "text",
                                .details = "{\"a\":1}",
                                .time = {.ms = 1000},
                                .duration_ms = 1.5,
                                .has_run = letter != '-',
                                .is_critical = strchr("duhq", letter) == NULL,
                                .is_subjectless = letter == '0',
                                .is_stale = letter == 'S'};
    struct koa_result_object *object;

    if (letter == 'H' || letter == 'h') {
        result.status = KOA_STATUS_HEALTHY;
    } else if (letter == 'D' || letter == 'd') {
        result.status = KOA_STATUS_DEGRADED;
    } else if (letter == 'U' || letter == 'u') {
        result.status = KOA_STATUS_UNHEALTHY;
    }
    object = koa_result_create(&result, result.is_critical ? &groups : NULL);
    assert_non_null(object);
    return object;
}

/* A board with a check per letter, named a, b, c, ... */
static struct koa_board *make_board(const char *letters, int64_t wall_ms)
{
    struct koa_result_object *rows[16] = {NULL};
    struct koa_board *board;
    size_t count = strlen(letters);

    for (size_t i = 0; i < count; i++)
        rows[i] = make_result(letters[i], (char[]){(char) ('a' + (int) i), '\0'});
    board = koa_board_create(rows, count, (struct koa_wall){.ms = wall_ms});
    assert_non_null(board);
    for (size_t i = 0; i < count; i++)
        koa_object_unref(&rows[i]->object);
    return board;
}

static const struct {
    const char *name;
    const char *checks;
    enum koa_status overall;
} overall_cases[] = {
    {"no check at all", "", KOA_STATUS_UNKNOWN},
    {"nobody has answered", "--", KOA_STATUS_UNKNOWN},
    {"all healthy", "HHh", KOA_STATUS_HEALTHY},
    {"one has not answered yet", "H-", KOA_STATUS_HEALTHY},
    {"a critical one is unhealthy", "HUDd", KOA_STATUS_UNHEALTHY},
    {"one is degraded", "HD", KOA_STATUS_DEGRADED},
    {"a non-critical one is degraded", "Hd", KOA_STATUS_DEGRADED},
    {"a non-critical one is unhealthy", "Hu", KOA_STATUS_DEGRADED},
    {"a critical one could not look", "H?", KOA_STATUS_DEGRADED},
    {"a critical one is too old", "HS", KOA_STATUS_DEGRADED},
    {"a non-critical one could not look", "Hq", KOA_STATUS_HEALTHY},
    {"without a subject it is not bad", "H0", KOA_STATUS_HEALTHY},
    {"without any subject nothing is known", "00", KOA_STATUS_UNKNOWN},
    {"unhealthy outranks all", "0?dDUuHS-", KOA_STATUS_UNHEALTHY},
};

static void the_whole_follows_the_rule(void **state)
{
    (void) state;
    KIT_EACH (c, overall_cases) {
        KOA_AUTO(koa_board) *board = make_board(c->checks, 1);

        KIT_EXPECT_INT(c->name, c->overall, koa_board_overall(board));
    }
}

static void finds_results(void **state)
{
    KOA_AUTO(koa_board) *board = make_board("HDU", 77);

    (void) state;
    KIT_EXPECT_INT("count", 3, koa_board_count(board));
    KIT_EXPECT_INT("time", 77, koa_board_time(board).ms);
    KIT_EXPECT_TEXT("row", "b", koa_board_result(board, 1)->name);
    KIT_EXPECT("beyond", koa_board_result(board, 3) == NULL);
    KIT_EXPECT_INT("by name", KOA_STATUS_UNHEALTHY, koa_board_find(board, "c")->status);
    KIT_EXPECT("unknown name", koa_board_find(board, "z") == NULL);
    KIT_EXPECT("no name", koa_board_find(board, NULL) == NULL);
    KIT_EXPECT_INT("no board", KOA_STATUS_UNKNOWN, koa_board_overall(NULL));
    KIT_EXPECT_INT("no board", 0, koa_board_count(NULL));
    KIT_EXPECT("no board", koa_board_find(NULL, "a") == NULL);
}

static const struct {
    const char *name;
    const char *checks;
    bool is_ready;
    const char *reason;
} ready_cases[] = {
    {"empty group", "uq", true, ""},
    {"healthy", "HHu", true, ""},
    {"degraded is ready", "D?", true, ""},
    {"unhealthy", "HUU", false, "b is unhealthy, c is unhealthy"},
    {"not yet", "-H", false, "a has not answered yet"},
};

static void readiness_names_who_is_not(void **state)
{
    (void) state;
    KIT_EACH (c, ready_cases) {
        KOA_AUTO(koa_board) *board = make_board(c->checks, 1);
        struct koa_buf reason = {.limit = 1000};

        KIT_EXPECT_INT(c->name, c->is_ready, koa_board_group_ready(board, "readiness", &reason));
        KIT_EXPECT_TEXT(c->name, c->reason, koa_buf_text(&reason));
        KIT_EXPECT(c->name, koa_board_group_ready(board, "other", NULL));
        koa_buf_deinit(&reason);
    }
}

static void append(struct koa_board_history *history, const char *checks, int64_t wall_ms)
{
    KOA_AUTO(koa_board) *board = make_board(checks, wall_ms);

    koa_board_history_append(history, board);
}

static void history_keeps_the_newest(void **state)
{
    struct koa_board_history *history = koa_board_history_create(3);
    KOA_AUTO(koa_board_history_view) *view = NULL;
    KOA_AUTO(koa_board_history_view) *old = NULL;

    (void) state;
    KIT_EXPECT("nothing yet", koa_board_history_get(history) == NULL);
    append(history, "H", 1000);
    append(history, "H", 2000);
    old = koa_board_history_get(history);
    append(history, "H", 3000);
    append(history, "H", 4000);
    view = koa_board_history_get(history);
    KIT_EXPECT_INT("count", 3, koa_board_history_view_count(view));
    KIT_EXPECT_INT("oldest", 2000, koa_board_time(koa_board_history_view_at(view, 0)).ms);
    KIT_EXPECT_INT("newest", 4000, koa_board_time(koa_board_history_view_at(view, 2)).ms);
    KIT_EXPECT("beyond", koa_board_history_view_at(view, 3) == NULL);
    KIT_EXPECT_INT("an old view stays", 2, koa_board_history_view_count(old));
    KIT_EXPECT_INT("an old view stays", 1000, koa_board_time(koa_board_history_view_at(old, 0)).ms);
    KIT_EXPECT_INT("used", 3, atomic_load(&koa_board_history_stats(history)->used));
    koa_board_history_destroy(history);
    KIT_EXPECT_INT("a view outlives it", 3, koa_board_history_view_count(view));
}

static void history_takes_another_size(void **state)
{
    struct koa_board_history *history = koa_board_history_create(5);
    struct koa_board_history_view *view;

    (void) state;
    koa_board_history_resize(history, 4);
    for (int64_t ms = 1000; ms <= 5000; ms += 1000)
        append(history, "H", ms);
    koa_board_history_resize(history, 2);
    view = koa_board_history_get(history);
    KIT_EXPECT_INT("count", 2, koa_board_history_view_count(view));
    KIT_EXPECT_INT("the newest stay", 4000, koa_board_time(koa_board_history_view_at(view, 0)).ms);
    KIT_EXPECT_INT("limit", 2, koa_board_history_stats(history)->limit);
    koa_board_history_view_unref(view);
    append(history, "H", 5900); /* still less than a second behind the one it replaces */
    koa_board_history_resize(history, 3);
    append(history, "H", 7000);
    append(history, "H", 8000);
    view = koa_board_history_get(history);
    KIT_EXPECT_INT("room again", 3, koa_board_history_view_count(view));
    KIT_EXPECT_INT("in order", 5900, koa_board_time(koa_board_history_view_at(view, 0)).ms);
    KIT_EXPECT_INT("in order", 8000, koa_board_time(koa_board_history_view_at(view, 2)).ms);
    koa_board_history_view_unref(view);
    koa_board_history_destroy(history);
}

static void history_joins_what_comes_together(void **state)
{
    struct koa_board_history *history = koa_board_history_create(100);
    struct koa_board_history_view *view;

    (void) state;
    append(history, "--", 1000);
    append(history, "H-", 1010);
    append(history, "HH", 1020);
    append(history, "HH", 1900);
    append(history, "HH", 2500);
    append(history, "HH", 3400);
    append(history, "HH", 4500);
    append(history, "HH", 100); /* the clock was set back */
    view = koa_board_history_get(history);
    KIT_EXPECT_INT("count", 6, koa_board_history_view_count(view));
    KIT_EXPECT_INT("change stays", 1010, koa_board_time(koa_board_history_view_at(view, 1)).ms);
    KIT_EXPECT_INT("joined", 1900, koa_board_time(koa_board_history_view_at(view, 2)).ms);
    KIT_EXPECT_INT("joined", 3400, koa_board_time(koa_board_history_view_at(view, 3)).ms);
    koa_board_history_view_unref(view);
    koa_board_history_destroy(history);
}

static void history_is_bounded_in_bytes(void **state)
{
    struct koa_board_history *history = koa_board_history_create(100000);
    struct koa_board_history_view *view;
    char *details = koa_calloc(16385, 1);

    (void) state;
    memset(details, ' ', 16384);
    for (int i = 0; i < 1200; i++) {
        struct koa_result result = {.name = "a", .message = "", .details = details};
        struct koa_result_object *object = koa_result_create(&result, NULL);
        struct koa_board *board =
            koa_board_create(&object, 1, (struct koa_wall){.ms = i * 15000LL});

        koa_board_history_append(history, board);
        koa_object_unref(&object->object);
        koa_board_unref(board);
    }
    view = koa_board_history_get(history);
    KIT_EXPECT("bounded", koa_board_history_view_count(view) <= 512);
    KIT_EXPECT("used", koa_board_history_view_count(view) > 450);
    koa_board_history_view_unref(view);
    koa_board_history_destroy(history);
    koa_free(details);
}

static void render(struct koa_buf *buf, const struct koa_board *board,
                   enum koa_health_detail detail)
{
    struct koa_json json = {.buf = buf};

    koa_json_object(&json, NULL);
    koa_health_render_board(&json, board, koa_board_overall(board), detail);
    koa_json_object_end(&json);
}

static void renders_the_contract(void **state)
{
    KOA_AUTO(koa_board) *board = make_board("Hu", 5000);
    struct koa_buf buf = {.limit = 10000};

    (void) state;
    render(&buf, board, KOA_HEALTH_FULL);
    KIT_EXPECT_TEXT(
        "full",
        "{\"overall_status\":\"degraded\",\"summary\":{\"healthy\":1,\"degraded\":0,"
        "\"unhealthy\":1,\"unknown\":0,\"total\":2},\"checks\":[{\"name\":\"a\","
        "\"status\":\"healthy\",\"message\":\"text\",\"details\":{\"a\":1},"
        "\"timestamp\":\"1970-01-01T00:00:01.000Z\",\"duration_ms\":1.5,\"critical\":true,"
        "\"stale\":false},{\"name\":\"b\",\"status\":\"unhealthy\",\"message\":\"text\","
        "\"details\":{\"a\":1},\"timestamp\":\"1970-01-01T00:00:01.000Z\",\"duration_ms\":1.5,"
        "\"critical\":false,\"stale\":false}]}",
        koa_buf_text(&buf));
    koa_buf_clear(&buf);
    render(&buf, board, KOA_HEALTH_BARE);
    KIT_EXPECT("no message", strstr(koa_buf_text(&buf), "message") == NULL);
    KIT_EXPECT("no details", strstr(koa_buf_text(&buf), "details") == NULL);
    KIT_EXPECT_CONTAINS("names", "\"name\":\"b\",\"status\":\"unhealthy\"", koa_buf_text(&buf));
    koa_buf_clear(&buf);
    render(&buf, NULL, KOA_HEALTH_FULL);
    KIT_EXPECT_CONTAINS("no board", "\"checks\":[]", koa_buf_text(&buf));
    koa_buf_deinit(&buf);
}

static void survives_lack_of_memory(void **state)
{
    bool ok = false;

    (void) state;
    KIT_FOR_EACH_ALLOC_FAILURE (ok) {
        struct koa_result result = {.name = "a", .message = "", .details = "{}"};
        struct koa_result_object *object = koa_result_create(&result, NULL);
        struct koa_board *board =
            object != NULL ? koa_board_create(&object, 1, (struct koa_wall){0}) : NULL;
        struct koa_board_history *history = koa_board_history_create(2);

        if (history != NULL && board != NULL) {
            koa_board_history_append(history, board);
            ok = atomic_load(&koa_board_history_stats(history)->used) == 1;
        }
        koa_board_history_destroy(history);
        koa_board_unref(board);
        if (object != NULL)
            koa_object_unref(&object->object);
    }
    KIT_EXPECT("reached the end", ok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_follows_the_rule),
        cmocka_unit_test(finds_results),
        cmocka_unit_test(readiness_names_who_is_not),
        cmocka_unit_test(history_keeps_the_newest),
        cmocka_unit_test(history_takes_another_size),
        cmocka_unit_test(history_joins_what_comes_together),
        cmocka_unit_test(history_is_bounded_in_bytes),
        cmocka_unit_test(renders_the_contract),
        cmocka_unit_test(survives_lack_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
