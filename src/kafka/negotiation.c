/* Version negotiation: the highest version that both sides know. */
#include "kafka/negotiation.h"

#include "base/memory.h"
#include "kafka/api.h"

void koa_kafka_versions_clear(struct koa_kafka_versions *versions)
{
    for (size_t i = 0; i < KOA_KAFKA_API_LIMIT; i++)
        versions->rows[i] = (struct koa_kafka_version_range){.minimum = -1, .maximum = -1};
}

void koa_kafka_versions_learn(struct koa_kafka_versions *versions,
                              const struct koa_kafka_api_versions_response *answer)
{
    koa_kafka_versions_clear(versions);
    KOA_ASSERT(koa_kafka_api_count <= KOA_KAFKA_API_LIMIT);
    for (size_t i = 0; i < answer->api_keys.count; i++) {
        struct koa_kafka_api_range range = answer->api_keys.rows[i];
        const struct koa_kafka_api *api = koa_kafka_api_find(range.api_key);

        if (api != NULL && range.min_version >= 0 && range.max_version >= range.min_version) {
            versions->rows[api - koa_kafka_apis] = (struct koa_kafka_version_range){
                .minimum = range.min_version, .maximum = range.max_version};
        }
    }
}

static int16_t highest_asked(const struct koa_kafka_api *api)
{
    if (api->highest_asked > 0)
        return api->highest_asked;
    return api->request->maximum;
}

static int16_t highest_common(const struct koa_kafka_api *api, int16_t minimum, int16_t maximum)
{
    int16_t version = maximum;

    if (version > highest_asked(api))
        version = highest_asked(api);
    if (version < minimum || version < api->request->minimum)
        version = -1;
    return version;
}

enum koa_err koa_kafka_versions_choose(const struct koa_kafka_versions *versions, int16_t api_key,
                                       int16_t *ret_version, struct koa_error *reterr)
{
    const struct koa_kafka_api *api = koa_kafka_api_find(api_key);
    struct koa_kafka_version_range range;
    int16_t version;

    if (api == NULL)
        return koa_fail(reterr, KOA_ERR_UNSUPPORTED, "API key %d is not one we speak", api_key);
    range = versions->rows[api - koa_kafka_apis];
    if (range.minimum < 0) {
        /* What every broker offers, and no controller of KRaft does. */
        return koa_fail(reterr, KOA_ERR_UNSUPPORTED, "the broker does not offer %s%s", api->name,
                        api_key == KOA_KAFKA_METADATA ? ": is this a controller's listener?" : "");
    }
    version = highest_common(api, range.minimum, range.maximum);
    if (version < 0) {
        return koa_fail(reterr, KOA_ERR_UNSUPPORTED,
                        "the broker offers %s in versions %d to %d, we speak %d to %d", api->name,
                        range.minimum, range.maximum, api->request->minimum, highest_asked(api));
    }
    *ret_version = version;
    return KOA_OK;
}

int16_t koa_kafka_versions_get(const struct koa_kafka_versions *versions, int16_t api_key)
{
    int16_t version = -1;

    if (koa_kafka_versions_choose(versions, api_key, &version, NULL) != KOA_OK)
        version = -1;
    return version;
}

int16_t koa_kafka_hello_version(const struct koa_kafka_api_versions_response *answer)
{
    for (size_t i = 0; i < answer->api_keys.count; i++) {
        struct koa_kafka_api_range range = answer->api_keys.rows[i];
        int16_t version;

        if (range.api_key != KOA_KAFKA_API_VERSIONS)
            continue;
        version = highest_common(koa_kafka_api_find(KOA_KAFKA_API_VERSIONS), range.min_version,
                                 range.max_version);
        if (version < 0)
            version = 0;
        return version;
    }
    return 0;
}
