/* Disks that hang: statvfs() of this program waits for a gate on some paths, as on a dead mount. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "builtin/builtin.h"
#include "kit/check_kit.h"
#include "kit/kit.h"

static struct kit_gate entered = KIT_GATE_INIT;
static struct kit_gate released = KIT_GATE_INIT;

typedef int statvfs_fn(const char *path, struct statvfs *status);

/* Takes the place of libc's. Figures are made up where a test needs them. */
int statvfs(const char *path, struct statvfs *status) /* NOLINT: names of its own */
{
    statvfs_fn *real = NULL;

    if (strncmp(path, "/hung", 5) == 0) {
        kit_gate_pass(&entered);
        kit_gate_wait(&released, 1);
    }
    if (strcmp(path, "/full") == 0 || strncmp(path, "/hung", 5) == 0) {
        memset(status, 0, sizeof(*status));
        status->f_frsize = 1024;
        status->f_blocks = 1000;
        status->f_bfree = 100; /* 50 of them are root's reserve */
        status->f_bavail = 50;
        return 0;
    }
    if (strcmp(path, "/inodes") == 0) {
        memset(status, 0, sizeof(*status));
        status->f_frsize = 1024;
        status->f_blocks = status->f_bfree = status->f_bavail = 1000;
        status->f_files = 100;
        status->f_ffree = status->f_favail = 15;
        return 0;
    }
    *(void **) &real = dlsym(RTLD_NEXT, "statvfs");
    return real(path, status);
}

static void figures_are_those_of_df(void **state)
{
    struct kit_checks checks = {.is_started = false};
    struct koa_board *board;
    const struct koa_result *result;

    (void) state;
    kit_checks_start(&checks, NULL);
    board = kit_checks_look(&checks, &koa_check_disk_space,
                            KOA_SETTINGS({"interval", "1h"}, {"paths", "[/full, /inodes]"}));
    result = koa_board_find(board, "check");
    KIT_EXPECT_INT("status", KOA_STATUS_UNHEALTHY, result->status);
    KIT_EXPECT_TEXT("text", "High disk usage: /full: 94.7%, /inodes inodes: 85.0%",
                    result->message);
    KIT_EXPECT_CONTAINS("highest", "\"max_usage_percent\":94.7,", result->details);
    KIT_EXPECT_CONTAINS("bytes",
                        "{\"path\":\"/full\",\"usage_percent\":94.7,\"inodes_percent\":0,"
                        "\"total_bytes\":1024000,\"used_bytes\":921600,\"available_bytes\":51200}",
                        result->details);
    koa_board_unref(board);
    kit_checks_end(&checks);
}

static bool has_recovered(void *context)
{
    struct kit_checks *checks = context;
    KOA_AUTO(koa_board) *board = koa_health_board(checks->health);

    return strstr(koa_board_find(board, "check")->message, ", /hung: 94.7%, /hung2: 94.7%") != NULL;
}

static bool still_hangs(void *context)
{
    struct kit_checks *checks = context;
    KOA_AUTO(koa_board) *board = koa_health_board(checks->health);

    return strstr(koa_board_find(board, "check")->details, "still hangs") != NULL;
}

static void a_hung_mount_is_named_and_the_others_answer(void **state)
{
    struct kit_checks checks = {.is_started = false};
    struct koa_board *board;
    const struct koa_result *result;

    (void) state;
    kit_checks_start(&checks, NULL);
    board = kit_checks_look(&checks, &koa_check_disk_space,
                            KOA_SETTINGS({"interval", "200ms"}, {"timeout", "600ms"},
                                         {"paths", "[/full, /hung, /hung2]"}));
    result = koa_board_find(board, "check");
    KIT_EXPECT_INT("status", KOA_STATUS_UNHEALTHY, result->status);
    KIT_EXPECT_CONTAINS("the full one", "High disk usage: /full: 94.7%; no answer within 0.",
                        result->message);
    KIT_EXPECT_CONTAINS("both hung ones", "s: /hung, /hung2", result->message);
    KIT_EXPECT_CONTAINS("figures", "\"available_bytes\":51200", result->details);
    koa_board_unref(board);
    kit_loop_run_until(&checks.kit, still_hangs, &checks);
    KIT_EXPECT_INT("one call each", 2, kit_gate_count(&entered));
    kit_gate_pass(&released);
    kit_loop_run_until(&checks.kit, has_recovered, &checks);
    kit_checks_end(&checks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_those_of_df),
        cmocka_unit_test(a_hung_mount_is_named_and_the_others_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
