#include "kit/kit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop/clock.h"
#include "loop/log_writer.h"

static struct koa_log_line line_of(const char *text)
{
    return (struct koa_log_line){.time = {.ms = 1764086400123},
                                 .level = KOA_LOG_WARNING,
                                 .component = "kafka",
                                 .event = "broker.down",
                                 .text = text};
}

static void say(struct koa_log_writer *writer, const char *text)
{
    struct koa_log_line line = line_of(text);

    koa_log_writer_sink(writer, &line);
}

static struct koa_log_writer *create(int descriptor, enum koa_log_format format)
{
    struct koa_log_writer *writer = NULL;

    assert_int_equal(KOA_OK, koa_log_writer_create(descriptor, format, &writer, NULL));
    return writer;
}

/* What came out of the pipe until its writing end was closed. */
static void read_all(int descriptor, char *text, size_t size)
{
    size_t have = 0;
    ssize_t got;

    while (have < size - 1 && (got = read(descriptor, text + have, size - 1 - have)) > 0)
        have += (size_t) got;
    text[have] = '\0';
}

static void a_line_is_written_in_each_format(void **state)
{
    static const struct {
        const char *name;
        enum koa_log_format format;
        const char *text;
        const char *expected;
    } cases[] = {
        {"text", KOA_LOG_FORMAT_TEXT, "no answer",
         "2025-11-25T16:00:00.123Z warning kafka broker.down: no answer\n"},
        {"a line stays one line", KOA_LOG_FORMAT_TEXT, "a\nFAKE\x1b[31m\r",
         "2025-11-25T16:00:00.123Z warning kafka broker.down: a\\nFAKE\\x1b[31m\\x0d\n"},
        {"json", KOA_LOG_FORMAT_JSON, "say \"no\"\n",
         "{\"timestamp\":\"2025-11-25T16:00:00.123Z\",\"level\":\"warning\",\"component\":"
         "\"kafka\","
         "\"event\":\"broker.down\",\"message\":\"say \\\"no\\\"\\n\"}\n"},
    };

    (void) state;
    KIT_EACH (c, cases) {
        char text[512];
        int ends[2];
        struct koa_log_writer *writer;

        assert_int_equal(0, pipe(ends));
        writer = create(ends[1], c->format);
        say(writer, c->text);
        koa_log_writer_destroy(writer);
        (void) close(ends[1]);
        read_all(ends[0], text, sizeof(text));
        (void) close(ends[0]);
        KIT_EXPECT_TEXT(c->name, c->expected, text);
    }
}

static void the_format_changes_while_it_runs(void **state)
{
    char text[512];
    int ends[2];
    struct koa_log_writer *writer;

    (void) state;
    assert_int_equal(0, pipe(ends));
    writer = create(ends[1], KOA_LOG_FORMAT_TEXT);
    say(writer, "one");
    koa_log_writer_set_format(writer, KOA_LOG_FORMAT_JSON);
    say(writer, "two");
    koa_log_writer_destroy(writer);
    (void) close(ends[1]);
    read_all(ends[0], text, sizeof(text));
    (void) close(ends[0]);
    KIT_EXPECT_CONTAINS("first", "broker.down: one\n{", text);
    KIT_EXPECT_CONTAINS("second", "\"message\":\"two\"}\n", text);
}

enum { MANY = 20000 };

static void count_lines(const char *text, int *ret_lines, int *ret_reported)
{
    static const char dropped[] = "log.dropped: ";

    *ret_lines = *ret_reported = 0;
    for (const char *at = text; (at = strstr(at, "again and again\n")) != NULL; at++)
        (*ret_lines)++;
    for (const char *at = text; (at = strstr(at, dropped)) != NULL; at++)
        *ret_reported += (int) strtol(at + sizeof(dropped) - 1, NULL, 10);
}

/* More than pipe and buffer hold together, and nobody reads. */
static void a_full_pipe_never_blocks_the_caller_and_says_what_was_lost(void **state)
{
    static char text[1024 * 1024];
    int ends[2];
    struct koa_log_writer *writer;
    int64_t lost;
    int64_t began = koa_clock_mono().ms;
    int lines = 0;
    int reported = 0;

    (void) state;
    assert_int_equal(0, pipe(ends));
    writer = create(ends[1], KOA_LOG_FORMAT_TEXT);
    for (int i = 0; i < MANY; i++)
        say(writer, "the same text again and again");
    KIT_EXPECT("the caller went on", koa_clock_mono().ms - began < 5000);
    lost = koa_log_writer_stats(writer)->dropped;
    KIT_EXPECT("lines were lost", lost > 0 && lost < MANY);
    KIT_EXPECT("the buffer kept its limit",
               koa_log_writer_stats(writer)->used <= koa_log_writer_stats(writer)->limit);

    /* Now somebody reads: what was kept comes, and lines that say how many are missing. */
    while (lines + reported < MANY) {
        size_t have = strlen(text);
        ssize_t got = read(ends[0], text + have, sizeof(text) - 1 - have);

        assert_true(got > 0);
        count_lines(text, &lines, &reported);
    }
    KIT_EXPECT_INT("what is said to be missing is", lost, reported);
    KIT_EXPECT_INT("kept and lost make all", MANY, lines + lost);
    koa_log_writer_destroy(writer);
    (void) close(ends[0]);
    (void) close(ends[1]);
}

static void destroying_a_writer_on_a_full_pipe_takes_a_bounded_time(void **state)
{
    int ends[2];
    struct koa_log_writer *writer;
    int64_t began;

    (void) state;
    assert_int_equal(0, pipe(ends));
    writer = create(ends[1], KOA_LOG_FORMAT_TEXT);
    for (int i = 0; i < 4000; i++)
        say(writer, "nobody reads this");
    began = koa_clock_mono().ms;
    koa_log_writer_destroy(writer);
    KIT_EXPECT("about a second", koa_clock_mono().ms - began < 3000);
    (void) close(ends[0]);
    (void) close(ends[1]);
}

static void a_reader_that_went_away_costs_lines_and_nothing_else(void **state)
{
    static const char *const kinds[] = {"pipe", "socket", "closed descriptor", "no descriptor"};

    (void) state;
    for (int kind = 0; kind < 4; kind++) {
        int ends[2];
        struct koa_log_writer *writer;

        if (kind == 1) {
            assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
        } else {
            assert_int_equal(0, pipe(ends));
        }
        (void) close(ends[0]);
        if (kind >= 2)
            (void) close(ends[1]);
        writer = create(kind == 3 ? -1 : ends[1], KOA_LOG_FORMAT_TEXT);
        say(writer, "into the void");
        /* SIGPIPE would have ended this program; the loss is counted by the writer's thread. */
        while (koa_log_writer_stats(writer)->dropped == 0)
            continue;
        KIT_EXPECT_INT(kinds[kind], 1, koa_log_writer_stats(writer)->dropped);
        koa_log_writer_destroy(writer);
        if (kind < 2)
            (void) close(ends[1]);
    }
}

static void the_journal_gets_severities(void **state)
{
    char directory_and_inode[64];
    char text[256] = "";
    struct stat status;
    int ends[2];
    struct koa_log_writer *writer;

    (void) state;
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    assert_int_equal(0, fstat(ends[1], &status));
    (void) snprintf(directory_and_inode, sizeof(directory_and_inode), "%ju:%ju",
                    (uintmax_t) status.st_dev, (uintmax_t) status.st_ino);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs yet or reads it */
    assert_int_equal(0, setenv("JOURNAL_STREAM", directory_and_inode, 1));
    writer = create(ends[1], KOA_LOG_FORMAT_TEXT);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs yet or reads it */
    assert_int_equal(0, unsetenv("JOURNAL_STREAM"));
    say(writer, "x");
    koa_log_writer_destroy(writer);
    (void) close(ends[1]);
    read_all(ends[0], text, sizeof(text));
    (void) close(ends[0]);
    KIT_EXPECT("begins with the severity", strncmp(text, "<4>2025-", 8) == 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_written_in_each_format),
        cmocka_unit_test(the_format_changes_while_it_runs),
        cmocka_unit_test(a_full_pipe_never_blocks_the_caller_and_says_what_was_lost),
        cmocka_unit_test(destroying_a_writer_on_a_full_pipe_takes_a_bounded_time),
        cmocka_unit_test(a_reader_that_went_away_costs_lines_and_nothing_else),
        cmocka_unit_test(the_journal_gets_severities),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
