/* The disks of simulated brokers: what lies on them, what is free, and how they fill and fail. */
#include "sim/scenario.h"

#include <stdlib.h>

#include "kafka/error_code.h"
#include "kafka/messages/describe_log_dirs.h"
#include "kit/kit.h"
#include "sim_kit.h"

static void disks_fill_and_fail(void **state)
{
    struct koa_kafka_describe_log_dirs_request request = {0};
    struct koa_kafka_describe_log_dirs_response response;
    const struct koa_kafka_describe_log_dirs_result *dir;
    struct sim_kit kit;
    size_t partitions = 0;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    kit.question.broker = 2;
    sim_kit_ask(&kit, KOA_KAFKA_DESCRIBE_LOG_DIRS, 4, &request, &response);
    for (size_t d = 0; d < response.results.count; d++) {
        dir = &response.results.rows[d];
        KIT_EXPECT("room", dir->usable_bytes > 0 && dir->usable_bytes < dir->total_bytes);
        for (size_t t = 0; t < dir->topics.count; t++)
            partitions += dir->topics.rows[t].partitions.count;
    }
    KIT_EXPECT_INT("each replica lies on one disk", 17, partitions);
    sim_kit_do(&kit, "scenario:\n"
                     "  - {at: 0s, do: fill_log_dir, broker: 2, dir: 0, share: 1, lasts: 20s}\n"
                     "  - {at: 0s, do: fail_log_dir, broker: 2, dir: 1}\n");
    sim_kit_advance(&kit, 20000);
    sim_kit_ask(&kit, KOA_KAFKA_DESCRIBE_LOG_DIRS, 4, &request, &response);
    KIT_EXPECT_INT("full", 0, response.results.rows[0].usable_bytes);
    KIT_EXPECT_INT("failed", KOA_KAFKA_STORAGE_ERROR, response.results.rows[1].error_code);
    sim_kit_tear_down(&kit);
}

/* Of every disk of every broker: what lies on it fits it. Returns the smallest room. */
static int64_t check_disks(struct sim_kit *kit, const char *when)
{
    struct koa_kafka_describe_log_dirs_request request = {0};
    struct koa_kafka_describe_log_dirs_response response;
    int64_t least = INT64_MAX;

    for (kit->question.broker = 1; kit->question.broker <= SIM_KIT_BROKERS;
         kit->question.broker++) {
        sim_kit_ask(kit, KOA_KAFKA_DESCRIBE_LOG_DIRS, 4, &request, &response);
        for (size_t d = 0; d < response.results.count; d++) {
            const struct koa_kafka_describe_log_dirs_result *dir = &response.results.rows[d];
            int64_t logs = 0;

            for (size_t t = 0; t < dir->topics.count; t++) {
                for (size_t p = 0; p < dir->topics.rows[t].partitions.count; p++)
                    logs += dir->topics.rows[t].partitions.rows[p].partition_size;
            }
            KIT_EXPECT(when, dir->usable_bytes >= 0 && dir->usable_bytes <= dir->total_bytes);
            KIT_EXPECT(when, logs <= dir->total_bytes - dir->usable_bytes);
            if (dir->usable_bytes < least)
                least = dir->usable_bytes;
        }
    }
    return least;
}

static void what_lies_on_a_disk_fits_it(void **state)
{
    struct sim_kit kit;
    int64_t before;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    before = check_disks(&kit, "at first");
    KIT_EXPECT("room on all", before > 0);
    sim_kit_do(&kit, "scenario:\n"
                     "  - {at: 0s, do: fill_log_dir, broker: 1, dir: 0, share: 0}\n"
                     "  - {at: 0s, do: fill_log_dir, broker: 2, dir: 0, share: 0.9, lasts: 10s}\n"
                     "  - {at: 5s, do: fill_log_dir, broker: 2, dir: 0, share: 0.2, lasts: 10s}\n"
                     "  - {at: 20s, do: repair_log_dir, broker: 2, dir: 0}\n"
                     "  - {at: 20s, do: write, topic: orders, rate: 100000}\n");
    for (int second = 0; second < 25; second++) {
        (void) check_disks(&kit, "told to be fuller or emptier than its logs make it");
        sim_kit_advance(&kit, 1000);
    }
    sim_kit_advance(&kit, INT64_C(24) * 3600 * 1000);
    KIT_EXPECT_INT("its logs outgrow a disk", 0, check_disks(&kit, "a day of much writing"));
    sim_kit_tear_down(&kit);
}

/* Where it begins nothing jumps. */
static void a_disk_fills_evenly_from_what_is_in_use(void **state)
{
    struct koa_kafka_describe_log_dirs_request request = {0};
    struct koa_kafka_describe_log_dirs_response response;
    const struct koa_kafka_describe_log_dirs_result *dir;
    struct sim_kit kit;
    int64_t begin;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    kit.question.broker = 2;
    sim_kit_ask(&kit, KOA_KAFKA_DESCRIBE_LOG_DIRS, 4, &request, &response);
    begin = response.results.rows[0].usable_bytes;
    sim_kit_do(&kit, "scenario: [{at: 0s, do: fill_log_dir, broker: 2, share: 1, lasts: 100s}]");
    for (int part = 0; part <= 4; part++) {
        sim_kit_ask(&kit, KOA_KAFKA_DESCRIBE_LOG_DIRS, 4, &request, &response);
        dir = &response.results.rows[0];
        KIT_EXPECT("evenly", llabs(dir->usable_bytes - begin * (4 - part) / 4) <= begin / 1000);
        sim_kit_advance(&kit, 25000);
    }
    sim_kit_tear_down(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disks_fill_and_fail),
        cmocka_unit_test(what_lies_on_a_disk_fits_it),
        cmocka_unit_test(a_disk_fills_evenly_from_what_is_in_use),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
