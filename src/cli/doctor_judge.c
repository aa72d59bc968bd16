/* Decides from versions and error codes what is there, missing, absent or not to be told. */
#include "cli/doctor_judge.h"

#include "cluster/version_guess.h"
#include "kafka/error_code.h"

static int16_t version_of(void *context, int32_t broker, int16_t api_key)
{
    const struct cli_broker *row = context;

    (void) broker;
    return koa_kafka_versions_get(&row->versions, api_key);
}

const char *cli_broker_release(const struct cli_broker *broker)
{
    struct cli_broker copy = *broker;

    return koa_version_guess(version_of, &copy, broker->id);
}

enum koa_err cli_broker_lacks(const struct cli_broker *broker, const struct cli_need *need,
                              struct koa_error *reterr)
{
    int16_t version = -1;
    enum koa_err err =
        koa_kafka_versions_choose(&broker->versions, need->api_key, &version, reterr);

    if (err == KOA_OK && version < need->version) {
        err =
            koa_fail(reterr, KOA_ERR_UNSUPPORTED,
                     "the broker offers %s up to version %d; %d is needed (Kafka %s)",
                     koa_kafka_api_find(need->api_key)->name, version, need->version, need->since);
    }
    return err;
}

void cli_result_untold(struct cli_result *result, const struct cli_feature *feature,
                       const struct koa_error *error)
{
    for (size_t i = 0; feature->rights[i].resource != CLI_RESOURCE_NONE; i++) {
        result->findings[i].grant = CLI_GRANT_UNTOLD;
        result->findings[i].why = *error;
    }
}

void cli_result_take(struct cli_result *result, const struct cli_feature *feature,
                     const struct cli_reply *reply)
{
    for (size_t i = 0; feature->rights[i].resource != CLI_RESOURCE_NONE; i++) {
        struct cli_finding *finding = &result->findings[i];

        finding->why.code = KOA_OK;
        finding->grant =
            reply->codes[i] == CLI_CODE_NONE ? CLI_GRANT_UNTOLD : cli_grant_of(reply->codes[i]);
        if (finding->grant == CLI_GRANT_UNTOLD && reply->codes[i] != CLI_CODE_NONE) {
            (void) koa_fail(&finding->why, KOA_ERR_PROTOCOL, "the broker answered %s (%d)",
                            koa_kafka_error_name(reply->codes[i]), reply->codes[i]);
        }
    }
}

/* What another feature's question has told of the same right. */
static void borrow(const struct cli_report *report, const struct cli_right *right,
                   struct cli_finding *finding)
{
    for (size_t i = 0; i < cli_feature_count; i++) {
        for (size_t j = 0; cli_features[i].rights[j].resource != CLI_RESOURCE_NONE; j++) {
            const struct cli_right *other = &cli_features[i].rights[j];
            enum cli_grant grant = report->results[i].findings[j].grant;

            if (other->resource == right->resource && other->operation == right->operation &&
                (grant == CLI_GRANT_GIVEN || grant == CLI_GRANT_REFUSED)) {
                finding->grant = grant;
                return;
            }
        }
    }
}

/* Brokers that answer and lack one of the feature's APIs. */
static size_t count_without(const struct cli_report *report, const struct cli_feature *feature)
{
    size_t count = 0;

    for (size_t i = 0; i < report->broker_count; i++) {
        bool lacks = false;

        for (const struct cli_need *need = feature->needs; need->since != NULL; need++)
            lacks = lacks || cli_broker_lacks(&report->brokers[i], need, NULL) != KOA_OK;
        count += lacks && report->brokers[i].contact.has_answered ? 1 : 0;
    }
    return count;
}

static enum cli_state judge_rights(const struct cli_report *report,
                                   const struct cli_feature *feature, struct cli_result *result)
{
    enum cli_state state = CLI_STATE_OK;

    for (size_t i = 0; feature->rights[i].resource != CLI_RESOURCE_NONE; i++) {
        struct cli_finding *finding = &result->findings[i];

        if (finding->grant == CLI_GRANT_OFF)
            return CLI_STATE_ABSENT;
        if (finding->grant == CLI_GRANT_UNTOLD)
            borrow(report, &feature->rights[i], finding);
        if (finding->grant == CLI_GRANT_GIVEN && finding->topics_without > 0)
            finding->grant = CLI_GRANT_REFUSED; /* of some topics */
        if (finding->grant == CLI_GRANT_REFUSED) {
            state = CLI_STATE_MISSING;
        } else if (finding->grant == CLI_GRANT_UNTOLD && state == CLI_STATE_OK) {
            state = CLI_STATE_UNTOLD;
        }
    }
    return state;
}

void cli_report_judge(struct cli_report *report, bool is_probing)
{
    for (size_t i = 0; i < cli_feature_count; i++) {
        const struct cli_feature *feature = &cli_features[i];
        struct cli_result *result = &report->results[i];

        result->brokers_without = count_without(report, feature);
        if (feature->weight == CLI_IF_PROBING && !is_probing) {
            result->state = CLI_STATE_UNUSED;
        } else if (report->reachable_count == 0) {
            result->state = CLI_STATE_UNTOLD;
        } else if (feature->weight == CLI_IF_OFFERED &&
                   result->brokers_without == report->reachable_count) {
            result->state = CLI_STATE_ABSENT;
        } else {
            result->state = judge_rights(report, feature, result);
            if (feature->weight != CLI_IF_OFFERED && result->brokers_without > 0)
                result->state = CLI_STATE_MISSING;
        }
    }
}

bool cli_report_is_well(const struct cli_report *report)
{
    bool is_well = report->is_connected && report->reachable_count == report->broker_count &&
                   report->reachable_count > 0;

    for (size_t i = 0; i < cli_feature_count && is_well; i++) {
        enum cli_state state = report->results[i].state;

        is_well = cli_features[i].weight == CLI_OPTIONAL ||
                  (state != CLI_STATE_MISSING && state != CLI_STATE_UNTOLD);
    }
    return is_well;
}
