/* How fast questions to a leader close in on the time of a record. */
#include "cluster/offset_history.h"

#include <stdlib.h>

#include "kit/kit.h"

enum { QUESTIONS = 24 };

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)

/* A log: records from `offset` on have time `ms`. */
struct batch {
    int64_t offset, ms;
};

struct log {
    const struct batch *batches;
    size_t count;
    int64_t end;
};

/* As ListOffsets answers: the first record as young as `ms`. */
static void answer(const struct log *log, struct koa_offset_history *history, int64_t ms)
{
    for (size_t i = 0; i < log->count; i++) {
        if (log->batches[i].ms >= ms) {
            koa_offset_history_learn(history, log->batches[i].ms, log->batches[i].offset);
            return;
        }
    }
    koa_offset_history_learn(history, -1, -1);
}

static int64_t time_of(const struct log *log, int64_t offset)
{
    int64_t ms = 0;

    for (size_t i = 0; i < log->count && log->batches[i].offset <= offset; i++)
        ms = log->batches[i].ms;
    return ms;
}

/* Asks, one question a cycle, until it is known well; gives how many it took. */
static int close_in(const struct log *log, struct koa_offset_history *history, int64_t offset,
                    int64_t *now_ms)
{
    int64_t question;

    for (int asked = 0; asked <= 2 * QUESTIONS; asked++) {
        if (!koa_offset_history_question(history, offset, *now_ms, &question))
            return asked;
        answer(log, history, question);
        history->is_waiting = false;
        *now_ms += 15000;
        koa_offset_history_observe(history, *now_ms, log->end);
    }
    fail_msg("offset %lld is asked for without end", (long long) offset);
    return 0;
}

static void expect_known(const struct log *log, struct koa_offset_history *history, int64_t offset,
                         int64_t *now_ms)
{
    int64_t truth = time_of(log, offset);
    int64_t found = 0;
    int asked = close_in(log, history, offset, now_ms);

    assert_true(asked <= QUESTIONS);
    assert_int_not_equal(koa_offset_history_find(history, offset, &found), KOA_LAG_UNKNOWN);
    /* A twentieth of the age, or half a minute. */
    if (llabs(found - truth) > 30000 && llabs(found - truth) > (*now_ms - truth) / 20) {
        fail_msg("offset %lld: found %lld, is %lld, after %d questions", (long long) offset,
                 (long long) found, (long long) truth, asked);
    }
}

static void the_time_of_every_record_is_found_whatever_the_pace_was(void **state)
{
    static const struct batch at_once[] = {{0, 100 * HOUR_MS}};
    static const struct batch twice[] = {{0, 100 * HOUR_MS}, {10, 120 * HOUR_MS}};
    static const struct batch bursts[] = {
        {0, 10 * HOUR_MS}, {1000, 90 * HOUR_MS}, {1001, 90 * HOUR_MS + 5}, {50000, 149 * HOUR_MS}};
    static const struct {
        const char *name;
        struct log log;
    } rows[] = {
        {"one batch, nothing since", {at_once, 1, 10}},
        {"two batches, a day apart", {twice, 2, 20}},
        {"bursts", {bursts, 4, 60000}},
    };

    (void) state;
    KIT_EACH (row, rows) {
        const struct log *log = &row->log;
        static const int parts[] = {0, 3, 5, 9};

        for (size_t j = 0; j < KOA_ARRAY_COUNT(parts); j++) {
            struct koa_offset_history history = {.count = 0};
            int64_t now_ms = 150 * HOUR_MS;

            koa_offset_history_observe(&history, now_ms, log->end);
            expect_known(log, &history, log->end * parts[j] / 10, &now_ms);
        }
    }
}

static void groups_at_several_places_of_one_log_are_known_together(void **state)
{
    static const struct batch batches[] = {{0, 100 * HOUR_MS}, {10, 120 * HOUR_MS}};
    const struct log log = {batches, 2, 20};
    struct koa_offset_history history = {.count = 0};
    int64_t now_ms = 150 * HOUR_MS;
    int64_t question;

    (void) state;
    koa_offset_history_observe(&history, now_ms, log.end);
    for (int64_t offset = 0; offset < log.end; offset++)
        expect_known(&log, &history, offset, &now_ms);
    for (int64_t offset = 0; offset < log.end; offset++)
        assert_false(koa_offset_history_question(&history, offset, now_ms, &question));
}

/* A group whose next record is deleted asks for the first that is left, once; the others of its log
 * are asked for as before. */
static void a_commit_below_the_start_keeps_nobody_from_asking(void **state)
{
    static const struct batch batches[] = {{60, 100 * HOUR_MS}, {80, 120 * HOUR_MS}};
    const struct log log = {batches, 2, 100};
    struct koa_offset_history history = {.count = 0};
    int64_t now_ms = 150 * HOUR_MS;
    int64_t found = 0;

    (void) state;
    koa_offset_history_observe(&history, now_ms, log.end);
    assert_int_equal(close_in(&log, &history, 20, &now_ms), 1);
    assert_int_equal(koa_offset_history_find(&history, 20, &found), KOA_LAG_AT_LEAST);
    assert_int_equal(found, 100 * HOUR_MS);
    for (int i = 0; i < 2 * QUESTIONS; i++)
        assert_int_equal(close_in(&log, &history, 20, &now_ms), 0);
    expect_known(&log, &history, 70, &now_ms);
}

/* A leader that does not answer is not asked in every cycle, and again after an hour. */
static void questions_that_do_not_help_pause_and_come_back(void **state)
{
    struct koa_offset_history history = {.count = 0};
    int64_t now_ms = 150 * HOUR_MS;
    int64_t question;
    int asked = 0;

    (void) state;
    for (int i = 0; i < 2 * 240; i++) {
        now_ms += 15000;
        history.is_waiting = false;
        koa_offset_history_observe(&history, now_ms, 100);
        asked += koa_offset_history_question(&history, 20, now_ms, &question) ? 1 : 0;
    }
    assert_in_range(asked, QUESTIONS + 1, 3 * QUESTIONS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_of_every_record_is_found_whatever_the_pace_was),
        cmocka_unit_test(groups_at_several_places_of_one_log_are_known_together),
        cmocka_unit_test(a_commit_below_the_start_keeps_nobody_from_asking),
        cmocka_unit_test(questions_that_do_not_help_pause_and_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
