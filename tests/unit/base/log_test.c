#include "base/log.h"

#include <stdio.h>
#include <string.h>

#include "base/redact.h"
#include "base/str.h"
#include "kit/kit.h"

/* The sink of these tests: the last line, and how many there were. */
struct seen {
    int count;
    enum koa_log_level level;
    int64_t time_ms;
    char component[32], event[64], text[8192];
};

static int64_t now_ms;

static struct koa_wall now(void)
{
    return (struct koa_wall){.ms = now_ms};
}

static void see(void *context, const struct koa_log_line *line)
{
    struct seen *seen = context;

    seen->count++;
    seen->level = line->level;
    seen->time_ms = line->time.ms;
    (void) snprintf(seen->component, sizeof(seen->component), "%s", line->component);
    (void) snprintf(seen->event, sizeof(seen->event), "%s", line->event);
    (void) snprintf(seen->text, sizeof(seen->text), "%s", line->text);
}

static void a_line_carries_all_its_parts(void **state)
{
    struct seen seen = {0};
    struct koa_logger *logger = koa_logger_create(see, &seen, now);

    (void) state;
    now_ms = 1234;
    koa_log_warn(koa_logger_component(logger, "kafka"), "broker.down", "broker %d", 3);
    KIT_EXPECT_INT("level", KOA_LOG_WARNING, seen.level);
    KIT_EXPECT_INT("time", 1234, seen.time_ms);
    KIT_EXPECT_TEXT("component", "kafka", seen.component);
    KIT_EXPECT_TEXT("event", "broker.down", seen.event);
    KIT_EXPECT_TEXT("text", "broker 3", seen.text);
    koa_log_error(koa_logger_component(logger, "no such room"), "x", "y");
    KIT_EXPECT_TEXT("unknown component", "agent", seen.component);
    koa_log_error(NULL, "x", "no handle, no line");
    KIT_EXPECT_INT("lines", 2, seen.count);
    koa_logger_destroy(logger);
    koa_logger_destroy(NULL);
}

static void levels_are_set_for_one_room_or_all(void **state)
{
    struct seen seen = {0};
    struct koa_logger *logger = koa_logger_create(see, &seen, now);
    struct koa_log *kafka = koa_logger_component(logger, "kafka");
    struct koa_log *alerts = koa_logger_component(logger, "alerts");
    struct koa_error error;

    (void) state;
    KIT_EXPECT("info at first",
               koa_log_enabled(kafka, KOA_LOG_INFO) && !koa_log_enabled(kafka, KOA_LOG_DEBUG));
    KIT_EXPECT_INT("one", KOA_OK, koa_logger_set_level(logger, "kafka", KOA_LOG_DEBUG, &error));
    KIT_EXPECT("that one", koa_log_enabled(kafka, KOA_LOG_DEBUG));
    KIT_EXPECT("no other", !koa_log_enabled(alerts, KOA_LOG_DEBUG));
    KIT_EXPECT_INT("all", KOA_OK, koa_logger_set_level(logger, NULL, KOA_LOG_ERROR, &error));
    koa_log_warn(kafka, "x", "not made");
    koa_log_warn(alerts, "x", "not made");
    KIT_EXPECT_INT("lines", 0, seen.count);
    KIT_EXPECT_INT("unknown", KOA_ERR_NOT_FOUND,
                   koa_logger_set_level(logger, "kafca", KOA_LOG_DEBUG, &error));
    KIT_EXPECT_CONTAINS("named", "'kafca'", error.text);
    KIT_EXPECT_CONTAINS("allowed", "httpserver, kafka, loop", error.text);
    koa_logger_destroy(logger);
}

static void level_names_are_read_and_written(void **state)
{
    static const char *const names[] = {"error", "warning", "notice", "info", "debug"};
    enum koa_log_level level;
    struct koa_error error;

    (void) state;
    for (int i = 0; i < KOA_LOG_LEVEL_COUNT; i++) {
        KIT_EXPECT_TEXT("name", names[i], koa_log_level_name((enum koa_log_level) i));
        KIT_EXPECT_INT(names[i], KOA_OK, koa_log_level_parse(names[i], &level, &error));
        KIT_EXPECT_INT(names[i], i, level);
    }
    KIT_EXPECT("never NULL", koa_log_level_name(KOA_LOG_LEVEL_COUNT) != NULL);
    KIT_EXPECT("refused", koa_log_level_parse("verbose", &level, &error) != KOA_OK);
    KIT_EXPECT_CONTAINS("allowed", "error, warning, notice, info, debug", error.text);
}

static void repeated_events_are_limited_and_counted(void **state)
{
    struct seen seen = {0};
    struct koa_logger *logger = koa_logger_create(see, &seen, now);
    struct koa_log *kafka = koa_logger_component(logger, "kafka");

    (void) state;
    now_ms = 100000;
    for (int i = 0; i < 50; i++)
        koa_log_warn(kafka, "flood", "line %d", i);
    KIT_EXPECT_INT("twenty pass", 20, seen.count);
    KIT_EXPECT_TEXT("the first ones", "line 19", seen.text);
    koa_log_warn(kafka, "other", "another event has its own budget");
    KIT_EXPECT_INT("others pass", 21, seen.count);
    now_ms += 9999;
    koa_log_warn(kafka, "flood", "still the same window");
    KIT_EXPECT_INT("not yet", 21, seen.count);
    now_ms += 1;
    koa_log_warn(kafka, "flood", "a new window");
    KIT_EXPECT_INT("the count and the line", 23, seen.count);
    KIT_EXPECT_TEXT("the line", "a new window", seen.text);
    for (int i = 0; i < 19; i++)
        koa_log_warn(kafka, "flood", "line %d", i);
    now_ms -= 50000; /* the wall clock was set back: a new window, not a long silence */
    koa_log_warn(kafka, "flood", "after the jump");
    KIT_EXPECT_TEXT("passes", "after the jump", seen.text);
    koa_logger_destroy(logger);
}

static void debug_lines_are_not_limited(void **state)
{
    struct seen seen = {0};
    struct koa_logger *logger = koa_logger_create(see, &seen, now);
    struct koa_log *kafka = koa_logger_component(logger, "kafka");

    (void) state;
    KIT_EXPECT_INT("level", KOA_OK, koa_logger_set_level(logger, "kafka", KOA_LOG_DEBUG, NULL));
    for (int i = 0; i < 100; i++)
        koa_log_debug(kafka, "request", "line %d", i);
    KIT_EXPECT_INT("all", 100, seen.count);
    koa_logger_destroy(logger);
}

static void a_line_is_one_line_without_secrets(void **state)
{
    static char large[10000];
    struct seen seen = {0};
    struct koa_logger *logger = koa_logger_create(see, &seen, now);
    struct koa_log *kafka = koa_logger_component(logger, "kafka");

    (void) state;
    KIT_EXPECT("registered", koa_redact_register("log-secret-1"));
    koa_log_warn(kafka, "x", "a\nb\r\x1b[31m %s", "log-secret-1");
    KIT_EXPECT_TEXT("flat and masked", "a b  [31m ***", seen.text);
    for (size_t i = 0; i + 2 < sizeof(large); i += 2) {
        large[i] = '\xc3';
        large[i + 1] = '\xa4';
    }
    koa_log_warn(kafka, "x", "a%s", large);
    KIT_EXPECT_INT("as long as it may be", 4095, strlen(seen.text));
    koa_log_warn(kafka, "x", "aa%s", large);
    KIT_EXPECT_INT("cut before half a character", 4094, strlen(seen.text));
    KIT_EXPECT("whole characters", koa_utf8_valid(koa_str_from(seen.text)));
    koa_logger_destroy(logger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_carries_all_its_parts),
        cmocka_unit_test(levels_are_set_for_one_room_or_all),
        cmocka_unit_test(level_names_are_read_and_written),
        cmocka_unit_test(repeated_events_are_limited_and_counted),
        cmocka_unit_test(debug_lines_are_not_limited),
        cmocka_unit_test(a_line_is_one_line_without_secrets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
