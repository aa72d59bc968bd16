/* The store on a real directory, with a real loop and workers: what is kept, and what is not. */
#include "store/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "kit/kit.h"
#include "loop/clock.h"

enum { PATIENCE_MS = 20000 };

/* A store with all it stands on. */
struct bench {
    char *directory;
    struct koa_loop *loop;
    struct koa_workers *workers;
    struct koa_store *store;
};

static void open_store(struct bench *bench, const char *directory)
{
    struct koa_loop_opts loop = {.name = "test"};
    struct koa_workers_opts workers = {0};
    struct koa_store_opts opts = {.directory = directory};

    assert_int_equal(koa_loop_create(&loop, &bench->loop, NULL), KOA_OK);
    assert_int_equal(koa_workers_create(&workers, &bench->workers, NULL), KOA_OK);
    opts.loop = bench->loop;
    opts.workers = bench->workers;
    assert_int_equal(koa_store_create(&opts, &bench->store, NULL), KOA_OK);
}

static void close_store(struct bench *bench)
{
    koa_loop_stop(bench->loop);
    koa_store_destroy(bench->store, PATIENCE_MS);
    koa_workers_destroy(bench->workers, PATIENCE_MS);
    koa_loop_destroy(bench->loop);
    bench->store = NULL;
}

static int set_up(void **state)
{
    struct bench *bench = koa_calloc(1, sizeof(*bench));

    if (bench == NULL)
        return 1;
    bench->directory = kit_temporary_directory();
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    if (bench->store != NULL)
        close_store(bench);
    kit_remove_directory(bench->directory);
    koa_free(bench);
    return 0;
}

static void append_row(void *context, struct koa_str key, struct koa_wall time,
                       struct koa_str bytes)
{
    koa_buf_printf(context, "%.*s@%lld=%.*s ", (int) key.size, key.data, (long long) time.ms,
                   (int) bytes.size, bytes.data);
}

static void expect_rows(struct bench *bench, const char *name, const char *table,
                        const char *expected)
{
    struct koa_buf buf = {.limit = 65536};

    assert_int_equal(koa_store_scan(bench->store, table, append_row, &buf, NULL), KOA_OK);
    KIT_EXPECT_TEXT(name, expected, koa_buf_text(&buf));
    koa_buf_deinit(&buf);
}

static void put(struct bench *bench, const char *key, int64_t time, const char *bytes)
{
    koa_store_put(bench->store, "t",
                  &(struct koa_store_row){.key = koa_str_from(key),
                                          .time = {.ms = time},
                                          .bytes = koa_str_from(bytes),
                                          .done = NULL,
                                          .context = NULL});
}

static void reopen(struct bench *bench)
{
    close_store(bench);
    open_store(bench, bench->directory);
}

static void rows_survive_and_come_back_in_order(void **state)
{
    struct bench *bench = *state;

    open_store(bench, bench->directory);
    put(bench, "b", 2, "two");
    put(bench, "a", 3, "three");
    put(bench, "c", 1, "");
    put(bench, "gone", 4, "x");
    put(bench, "b", 5, "five");
    koa_store_delete(bench->store, "t", KOA_STR("gone"));
    koa_store_put(bench->store, "other",
                  &(struct koa_store_row){.key = KOA_STR("k"),
                                          .time = {.ms = 1},
                                          .bytes = KOA_STR("v"),
                                          .done = NULL,
                                          .context = NULL});
    reopen(bench);
    expect_rows(bench, "by time", "t", "c@1= a@3=three b@5=five ");
    expect_rows(bench, "tables are apart", "other", "k@1=v ");
    expect_rows(bench, "an unknown table is empty", "none", "");
}

static void trim_keeps_the_newest(void **state)
{
    struct bench *bench = *state;
    char key[8];

    open_store(bench, bench->directory);
    for (int i = 0; i < 10; i++) {
        (void) snprintf(key, sizeof(key), "k%d", i);
        put(bench, key, 100 + i / 2, "x");
    }
    koa_store_trim(bench->store, "t", 3);
    koa_store_trim(bench->store, "few", 3);
    reopen(bench);
    expect_rows(bench, "three", "t", "k7@103=x k8@104=x k9@104=x ");
}

struct told {
    int written, failed;
};

static void count_done(void *context, const struct koa_error *error)
{
    struct told *told = context;

    told->written += error == NULL;
    told->failed += error != NULL;
}

struct burst {
    struct bench *bench;
    struct told told;
    int rows;
    int answered; /* as the loop last told */
};

static void put_burst(void *message)
{
    struct burst *burst = message;
    char key[16];

    for (int i = 0; i < burst->rows; i++) {
        (void) snprintf(key, sizeof(key), "%05d", i);
        koa_store_put(burst->bench->store, "t",
                      &(struct koa_store_row){.key = koa_str_from(key),
                                              .time = {.ms = i},
                                              .bytes = KOA_STR("x"),
                                              .done = count_done,
                                              .context = &burst->told});
    }
}

static void tell_answered(void *message)
{
    struct burst *burst = message;

    burst->answered = burst->told.written + burst->told.failed;
}

/* Turns the loop until `count` calls of `done` came. */
static void wait_until_told(struct burst *burst, int count)
{
    struct koa_mono due = koa_mono_add_ms(koa_clock_mono(), PATIENCE_MS);

    do {
        assert_true(koa_loop_call(burst->bench->loop, tell_answered, burst));
        (void) sched_yield();
    } while (burst->answered < count && koa_mono_diff_ms(due, koa_clock_mono()) > 0);
    KIT_EXPECT_INT("answered", count, burst->answered);
}

static void each_write_is_answered_once(void **state)
{
    struct bench *bench = *state;
    struct burst burst = {.bench = bench, .rows = 2500};

    open_store(bench, bench->directory);
    assert_int_equal(koa_loop_start(bench->loop, NULL), KOA_OK);
    assert_true(koa_loop_call(bench->loop, put_burst, &burst));
    wait_until_told(&burst, 2500);
    KIT_EXPECT_INT("written", 2500, burst.told.written);
}

/* Before the loop starts nothing is answered, so that everything must wait. */
static void a_full_queue_refuses(void **state)
{
    struct bench *bench = *state;
    struct burst burst = {.bench = bench, .rows = KOA_STORE_QUEUE + 1500};

    open_store(bench, NULL);
    put_burst(&burst);
    /* One row, and later up to a thousand, are under way and do not wait any more. */
    KIT_EXPECT("refused", burst.told.failed >= 499);
    KIT_EXPECT_INT("counted", burst.told.failed,
                   atomic_load(&koa_store_stats(bench->store)->dropped));
    KIT_EXPECT("bounded", atomic_load(&koa_store_stats(bench->store)->used) <= KOA_STORE_QUEUE);
}

static void a_row_that_waits_is_replaced(void **state)
{
    struct bench *bench = *state;
    struct told told = {0};

    open_store(bench, bench->directory);
    put(bench, "first", 1, "goes off alone");
    for (int i = 0; i < 100; i++) {
        koa_store_put(bench->store, "t",
                      &(struct koa_store_row){.key = KOA_STR("k"),
                                              .time = {.ms = i},
                                              .bytes = KOA_STR("x"),
                                              .done = count_done,
                                              .context = &told});
    }
    KIT_EXPECT_INT("one waits", 1, atomic_load(&koa_store_stats(bench->store)->used));
    KIT_EXPECT_INT("the others were told", 99, told.failed);
    reopen(bench);
    expect_rows(bench, "the last", "t", "first@1=goes off alone k@99=x ");
}

static void oversized_rows_are_refused(void **state)
{
    struct bench *bench = *state;
    char *giant = koa_calloc(KOA_STORE_ROW_BYTES + 1, 1);
    char key[600];
    struct told told = {0};

    assert_non_null(giant);
    memset(key, 'k', sizeof(key));
    open_store(bench, NULL);
    koa_store_put(bench->store, "t",
                  &(struct koa_store_row){.key = KOA_STR("k"),
                                          .time = {0},
                                          .bytes = (struct koa_str){giant, KOA_STORE_ROW_BYTES + 1},
                                          .done = count_done,
                                          .context = &told});
    koa_store_put(bench->store, "t",
                  &(struct koa_store_row){.key = (struct koa_str){key, sizeof(key)},
                                          .time = {0},
                                          .bytes = KOA_STR("x"),
                                          .done = count_done,
                                          .context = &told});
    KIT_EXPECT_INT("both", 2, told.failed);
    koa_free(giant);
}

static void a_second_agent_is_named(void **state)
{
    struct bench *bench = *state;
    struct koa_store *second = NULL;
    struct koa_store_opts opts = {.directory = bench->directory};
    struct koa_error error;
    char pid[32];

    open_store(bench, bench->directory);
    opts.loop = bench->loop;
    opts.workers = bench->workers;
    KIT_EXPECT_INT("refused", KOA_ERR_STATE, koa_store_create(&opts, &second, &error));
    (void) snprintf(pid, sizeof(pid), "process %d", (int) getpid());
    KIT_EXPECT_CONTAINS("named", pid, error.text);
    close_store(bench);
    open_store(bench, bench->directory);
}

static const struct {
    const char *name;
    const char *below; /* a path below the directory */
    bool is_file;      /* instead of a directory, a file stands in the way */
} unusable[] = {
    {"a file in the way", "file/state", true},
    {"a lock that cannot be made", "held", false},
};

static void an_unusable_directory_leaves_memory(void **state)
{
    struct bench *bench = *state;
    char path[256];
    char lock[sizeof(path) + 8];
    char problem[256];

    KIT_EACH (c, unusable) {
        (void) snprintf(path, sizeof(path), "%s/%s", bench->directory,
                        c->is_file ? "file" : c->below);
        if (c->is_file) {
            assert_true(close(open(path, O_CREAT | O_WRONLY, 0600)) == 0);
        } else {
            (void) snprintf(lock, sizeof(lock), "%s/lock", path);
            assert_int_equal(mkdir(path, 0700), 0);
            assert_int_equal(mkdir(lock, 0700), 0);
        }
        (void) snprintf(path, sizeof(path), "%s/%s", bench->directory, c->below);
        open_store(bench, path);
        KIT_EXPECT(c->name, koa_store_problem(bench->store, problem, sizeof(problem)));
        KIT_EXPECT_CONTAINS(c->name, "state lives in memory", problem);
        KIT_EXPECT_TEXT(c->name, "", koa_store_path(bench->store));
        put(bench, "k", 1, "still works");
        close_store(bench);
    }
}

static void memory_by_choice_is_no_problem(void **state)
{
    struct bench *bench = *state;
    char problem[64];

    open_store(bench, NULL);
    KIT_EXPECT("none", !koa_store_problem(bench->store, problem, sizeof(problem)));
}

static void overwrite_file(const char *directory, const char *name, const char *text)
{
    char path[256];
    FILE *file;

    (void) snprintf(path, sizeof(path), "%s/%s", directory, name);
    file = fopen(path, "wbe");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        (void) fputs(text, file);
    (void) fclose(file);
}

/* The database itself, not what SQLite kept beside it. */
static int is_set_aside(const struct dirent *entry)
{
    return strncmp(entry->d_name, "state.db.damaged-", 17) == 0 &&
           strspn(entry->d_name + 17, "0123456789") == strlen(entry->d_name + 17);
}

static void a_damaged_file_is_moved_aside(void **state)
{
    struct bench *bench = *state;
    struct dirent **found = NULL;
    char problem[64];

    open_store(bench, bench->directory);
    put(bench, "k", 1, "lost");
    close_store(bench);
    overwrite_file(bench->directory, "state.db", "this is not a database\n");
    open_store(bench, bench->directory);
    KIT_EXPECT("durable", !koa_store_problem(bench->store, problem, sizeof(problem)));
    expect_rows(bench, "begins anew", "t", "");
    KIT_EXPECT_INT("kept for a look", 1, scandir(bench->directory, &found, is_set_aside, NULL));
    free(found[0]);
    free(found);
}

static void wait_for_problem(struct bench *bench, bool wanted)
{
    struct koa_mono due = koa_mono_add_ms(koa_clock_mono(), PATIENCE_MS);
    char problem[256];

    while (koa_store_problem(bench->store, problem, sizeof(problem)) != wanted) {
        if (koa_mono_diff_ms(due, koa_clock_mono()) <= 0)
            fail_msg("the problem is '%s'", problem);
        (void) sched_yield();
    }
}

struct large {
    struct bench *bench;
    struct told told;
};

static void put_large(void *message)
{
    static char bytes[400000];
    struct large *large = message;

    memset(bytes, 'x', sizeof(bytes));
    koa_store_put(large->bench->store, "large",
                  &(struct koa_store_row){.key = KOA_STR("k"),
                                          .time = {.ms = 7},
                                          .bytes = (struct koa_str){bytes, sizeof(bytes)},
                                          .done = count_done,
                                          .context = &large->told});
}

/* A limit of the file's size stands for a full disk. */
static void a_full_disk_is_reported_and_recovers(void **state)
{
    struct bench *bench = *state;
    struct large large = {.bench = bench};
    struct rlimit limit;
    struct rlimit small;

    (void) signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    small.rlim_cur = 200000;
    open_store(bench, bench->directory);
    assert_int_equal(koa_loop_start(bench->loop, NULL), KOA_OK);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_true(koa_loop_call(bench->loop, put_large, &large));
    wait_for_problem(bench, true);
    KIT_EXPECT_INT("not answered yet", 0, large.told.written + large.told.failed);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    wait_for_problem(bench, false);
    close_store(bench);
    KIT_EXPECT_INT("written in the end", 1, large.told.written);
}

static void told_probe(void *context, const struct koa_error *error)
{
    count_done(context, error);
}

static void start_probe(void *message)
{
    struct burst *burst = message;

    assert_non_null(
        koa_store_probe_start(burst->bench->store, 10000, told_probe, &burst->told, NULL));
}

static void cancel_probe(void *message)
{
    struct burst *burst = message;
    struct koa_store_probe *probe =
        koa_store_probe_start(burst->bench->store, 10000, told_probe, &burst->told, NULL);

    assert_non_null(probe);
    koa_store_probe_cancel(probe);
}

static void a_probe_writes_and_reads(void **state)
{
    struct bench *bench = *state;
    struct burst burst = {.bench = bench};

    open_store(bench, bench->directory);
    assert_int_equal(koa_loop_start(bench->loop, NULL), KOA_OK);
    assert_true(koa_loop_call(bench->loop, cancel_probe, &burst));
    assert_true(koa_loop_call(bench->loop, start_probe, &burst));
    wait_until_told(&burst, 1);
    KIT_EXPECT_INT("well", 1, burst.told.written);
}

static void another_file_is_probed(void **state)
{
    struct bench *bench = *state;
    struct koa_error error;
    char path[256];

    (void) snprintf(path, sizeof(path), "%s/new.db", bench->directory);
    KIT_EXPECT_INT("missing", KOA_ERR_STORE, koa_sqlite_probe(path, 100, NULL));
    KIT_EXPECT_INT("is not made", -1, access(path, F_OK));
    overwrite_file(bench->directory, "new.db", "");
    KIT_EXPECT_INT("empty", KOA_OK, koa_sqlite_probe(path, 100, NULL));
    overwrite_file(bench->directory, "text.db", "no database\n");
    (void) snprintf(path, sizeof(path), "%s/text.db", bench->directory);
    KIT_EXPECT_INT("no database", KOA_ERR_STORE, koa_sqlite_probe(path, 100, &error));
    KIT_EXPECT_CONTAINS("says what", "not a database", error.text);
    KIT_EXPECT_INT("no directory", KOA_ERR_STORE,
                   koa_sqlite_probe("/nonexistent/x.db", 100, &error));
}

/* The child is killed after its rows were answered: they must be there. */
static void answered_rows_survive_a_kill(void **state)
{
    struct bench *bench = *state;
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        struct burst burst = {.bench = bench, .rows = 50};

        open_store(bench, bench->directory);
        if (koa_loop_start(bench->loop, NULL) != KOA_OK ||
            !koa_loop_call(bench->loop, put_burst, &burst))
            _exit(1);
        wait_until_told(&burst, 50);
        (void) kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    KIT_EXPECT("killed", WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    open_store(bench, bench->directory);
    {
        struct koa_buf buf = {.limit = 65536};

        assert_int_equal(koa_store_scan(bench->store, "t", append_row, &buf, NULL), KOA_OK);
        KIT_EXPECT_CONTAINS("the first", "00000@0=x", koa_buf_text(&buf));
        KIT_EXPECT_CONTAINS("the last", "00049@49=x", koa_buf_text(&buf));
        koa_buf_deinit(&buf);
    }
}

#define STORE_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(rows_survive_and_come_back_in_order),
        STORE_TEST(trim_keeps_the_newest),
        STORE_TEST(each_write_is_answered_once),
        STORE_TEST(a_full_queue_refuses),
        STORE_TEST(a_row_that_waits_is_replaced),
        STORE_TEST(oversized_rows_are_refused),
        STORE_TEST(a_second_agent_is_named),
        STORE_TEST(an_unusable_directory_leaves_memory),
        STORE_TEST(memory_by_choice_is_no_problem),
        STORE_TEST(a_damaged_file_is_moved_aside),
        STORE_TEST(a_full_disk_is_reported_and_recovers),
        STORE_TEST(a_probe_writes_and_reads),
        STORE_TEST(another_file_is_probed),
        STORE_TEST(answered_rows_survive_a_kill),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
