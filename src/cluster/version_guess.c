/* One API tells each release from the one before it (seen on brokers of 2.8.2, 3.9.2, 4.3.1 and
 * 4.4.0; others by the schemas of their releases). */
#include "cluster/version_guess.h"

#include "kafka/api.h"

static const struct {
    int16_t api_key, version;
    const char *release;
} rows[] = {
    {KOA_KAFKA_API_VERSIONS, 5, "4.4"},
    {KOA_KAFKA_DESCRIBE_LOG_DIRS, 5, "4.3"},
    {KOA_KAFKA_DESCRIBE_SHARE_GROUP_OFFSETS, 1, "4.2"},
    {KOA_KAFKA_STREAMS_GROUP_DESCRIBE, 0, "4.1"},
    {KOA_KAFKA_DESCRIBE_CLUSTER, 2, "4.0"},
    {KOA_KAFKA_LIST_OFFSETS, 9, "3.9"},
    {KOA_KAFKA_LIST_GROUPS, 5, "3.8"},
    {KOA_KAFKA_DESCRIBE_CLUSTER, 1, "3.7"},
    {KOA_KAFKA_LIST_OFFSETS, 8, "3.5"},
    {KOA_KAFKA_DESCRIBE_LOG_DIRS, 4, "3.3"},
    {KOA_KAFKA_OFFSET_FETCH, 8, "3.0"},
    {KOA_KAFKA_DESCRIBE_CLUSTER, 0, "2.8"},
};

const char *koa_version_guess(koa_version_fn *version, void *context, int32_t broker)
{
    for (size_t i = 0; i < KOA_ARRAY_COUNT(rows); i++) {
        if (version(context, broker, rows[i].api_key) >= rows[i].version)
            return rows[i].release;
    }
    return NULL;
}
