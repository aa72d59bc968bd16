/* The checks that count partitions, over snapshots from tables. */
#include <koa/check.h>

#include "kit/check_kit.h"
#include "kit/kit.h"
#include "kit/snapshot_kit.h"

static const struct kit_partition partitions[] = {
    {.topic = "orders", .id = 0, .leader = -1, .replicas = 3, .out_of_sync = 3},
    {.topic = "orders", .id = 1, .replicas = 3, .out_of_sync = 1},
    {.topic = "pay", .id = 0, .replicas = 3, .out_of_sync = 2},
    {.topic = "whole", .id = 0, .replicas = 3},
};

static const struct {
    const char *name;
    const struct koa_check_ops *ops;
    struct koa_setting settings[2];
    enum koa_status expected;
    const char *text;
} cases[] = {
    {"one is enough to degrade",
     &koa_check_under_replicated,
     {{NULL, NULL}},
     KOA_STATUS_DEGRADED,
     "3 of 4 partitions are under-replicated: orders (2), pay (1)"},
    {"a limit of its own",
     &koa_check_under_replicated,
     {{"critical", "3"}},
     KOA_STATUS_UNHEALTHY,
     "3 of 4 partitions are under-replicated"},
    {"within the limits",
     &koa_check_under_replicated,
     {{"warning", "4"}},
     KOA_STATUS_HEALTHY,
     "3 of 4 partitions are under-replicated, which is within the limits: orders (2), pay (1)"},
    {"topics are chosen",
     &koa_check_under_replicated,
     {{"exclude", "[orders, p.*]"}},
     KOA_STATUS_HEALTHY,
     "Every partition is fully replicated (1)"},
    {"one without a leader is enough",
     &koa_check_offline_partitions,
     {{NULL, NULL}},
     KOA_STATUS_UNHEALTHY,
     "1 of 4 partitions have no leader: orders (1)"},
    {"some may be missing",
     &koa_check_offline_partitions,
     {{"warning", "1"}, {"critical", "2"}},
     KOA_STATUS_DEGRADED,
     "1 of 4 partitions have no leader"},
    {"elsewhere all is well",
     &koa_check_offline_partitions,
     {{"include", "[pay, whole]"}},
     KOA_STATUS_HEALTHY,
     "Every partition has a leader (2)"},
};

static void partitions_are_counted_and_compared(void **state)
{
    struct koa_snapshot *snapshot = kit_snapshot(&(struct kit_snapshot){
        .partitions = partitions, .partition_count = KOA_ARRAY_COUNT(partitions)});

    (void) state;
    KIT_EACH (c, cases) {
        struct koa_settings settings = {.rows = c->settings};
        struct koa_verdict verdict;

        while (settings.count < 2 && c->settings[settings.count].key != NULL)
            settings.count++;
        kit_check_judge(c->ops, &settings, snapshot, koa_snapshot_time(snapshot), &verdict);
        KIT_EXPECT_TEXT(c->name, koa_status_name(c->expected), koa_status_name(verdict.status));
        KIT_EXPECT_CONTAINS(c->name, c->text, verdict.text);
        koa_verdict_deinit(&verdict);
    }
    koa_snapshot_unref(snapshot);
}

static void the_flag_of_every_check_is_not_the_limit(void **state)
{
    char errors[512];
    struct koa_check_unit *unit =
        kit_check_load(&koa_check_offline_partitions, NULL, KOA_SETTINGS({"critical", "false"}),
                       errors, sizeof(errors));

    (void) state;
    KIT_EXPECT_TEXT("errors", "", errors);
    assert_false(unit->common.critical);
    koa_check_unit_unref(unit);
}

static void they_keep_the_contract_of_checks(void **state)
{
    (void) state;
    koa_check_contract_test(&koa_check_under_replicated,
                            KOA_SETTINGS({"include", "a.*"}, {"exclude", "b"}));
    koa_check_contract_test(&koa_check_offline_partitions, KOA_NO_SETTINGS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitions_are_counted_and_compared),
        cmocka_unit_test(the_flag_of_every_check_is_not_the_limit),
        cmocka_unit_test(they_keep_the_contract_of_checks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
