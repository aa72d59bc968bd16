/* The ranges as real brokers advertise them (2.8.2, 3.9.2 and 4.4.0 as measured, 4.0 by its message
 * definitions), cut to what our message tables describe. */
#include "sim/versions.h"

#include "base/str.h"
#include "kafka/api.h"

/* First and last version; both -1: the API is not there. */
struct range {
    int16_t minimum, maximum;
};

#define NONE                                                                                       \
    {                                                                                              \
        -1, -1                                                                                     \
    }

/* The newest version first, as in enum koa_sim_version. */
struct row {
    int16_t key;
    struct range ranges[KOA_SIM_VERSION_COUNT];
};

static const struct row rows[] = {
    {0 /* Produce */, {{3, 13}, {3, 12}, {3, 11}, {3, 9}}},
    {1 /* Fetch */, {{4, 18}, {4, 17}, {4, 17}, {4, 12}}},
    {2 /* ListOffsets */, {{1, 11}, {1, 10}, {0, 9}, {0, 6}}},
    {3 /* Metadata */, {{0, 13}, {0, 13}, {0, 12}, {0, 11}}},
    {9 /* OffsetFetch */, {{1, 10}, {1, 9}, {1, 9}, {1, 7}}},
    {10 /* FindCoordinator */, {{0, 6}, {0, 6}, {0, 6}, {0, 3}}},
    {15 /* DescribeGroups */, {{0, 6}, {0, 6}, {0, 5}, {0, 5}}},
    {16 /* ListGroups */, {{0, 5}, {0, 5}, {0, 5}, {0, 4}}},
    {18 /* ApiVersions */, {{0, 5}, {0, 4}, {0, 4}, {0, 3}}},
    {19 /* CreateTopics */, {{2, 7}, {2, 7}, {2, 7}, {2, 7}}},
    {32 /* DescribeConfigs */, {{1, 4}, {1, 4}, {1, 4}, {1, 4}}},
    {35 /* DescribeLogDirs */, {{1, 5}, {1, 4}, {1, 4}, {1, 2}}},
    {46 /* ListPartitionReassignments */, {{0, 0}, {0, 0}, {0, 0}, {0, 0}}},
    {55 /* DescribeQuorum */, {{0, 2}, {0, 2}, {0, 2}, NONE}},
    {60 /* DescribeCluster */, {{0, 2}, {0, 2}, {0, 1}, {0, 0}}},
    {69 /* ConsumerGroupDescribe */, {{0, 1}, {0, 1}, {0, 0}, NONE}},
    {77 /* ShareGroupDescribe */, {{1, 1}, NONE, NONE, NONE}},
    {89 /* StreamsGroupDescribe */, {{0, 1}, NONE, NONE, NONE}},
    {90 /* DescribeShareGroupOffsets */, {{0, 1}, NONE, NONE, NONE}},
};

static const char *const names[KOA_SIM_VERSION_COUNT] = {
    [KOA_SIM_KAFKA_2_8] = "2.8",
    [KOA_SIM_KAFKA_3_9] = "3.9",
    [KOA_SIM_KAFKA_4_0] = "4.0",
    [KOA_SIM_KAFKA_4_X] = "4.x",
};

const char *koa_sim_version_name(enum koa_sim_version version)
{
    return names[version];
}

bool koa_sim_version_find(const char *name, enum koa_sim_version *ret_version)
{
    for (int i = 0; i < KOA_SIM_VERSION_COUNT; i++) {
        if (koa_text_equal(names[i], name)) {
            *ret_version = (enum koa_sim_version) i;
            return true;
        }
    }
    return false;
}

bool koa_sim_version_range(enum koa_sim_version version, int16_t api_key, int16_t *ret_minimum,
                           int16_t *ret_maximum)
{
    const struct koa_kafka_api *api = koa_kafka_api_find(api_key);

    for (size_t i = 0; i < KOA_ARRAY_COUNT(rows) && api != NULL; i++) {
        const struct range *range = &rows[i].ranges[version];

        if (rows[i].key != api_key || range->maximum < 0)
            continue;
        *ret_minimum = range->minimum;
        if (*ret_minimum < api->request->minimum)
            *ret_minimum = api->request->minimum;
        *ret_maximum = range->maximum;
        if (*ret_maximum > api->request->maximum)
            *ret_maximum = api->request->maximum;
        return *ret_minimum <= *ret_maximum;
    }
    return false;
}

bool koa_sim_version_has_type(enum koa_sim_version version, enum koa_sim_group_type type)
{
    switch (type) {
    case KOA_SIM_CONSUMER:
        return version <= KOA_SIM_KAFKA_3_9;
    case KOA_SIM_SHARE:
    case KOA_SIM_STREAMS:
        return version == KOA_SIM_KAFKA_4_X;
    case KOA_SIM_CLASSIC:
    case KOA_SIM_GROUP_TYPE_COUNT:
        break;
    }
    return true;
}
