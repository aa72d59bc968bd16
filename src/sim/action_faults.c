/* Answers that are wrong: what a broker does to the requests of one API, or of all, a number of
 * times or until it is told otherwise. */
#include "base/num.h"
#include "base/str.h"
#include "kafka/error_code.h"
#include "sim/action.h"

static enum koa_err find_api(const char *name, int *ret_key, struct koa_error *reterr)
{
    *ret_key = -1;
    if (name == NULL || name[0] == '\0')
        return KOA_OK;
    for (size_t i = 0; i < koa_kafka_api_count; i++) {
        if (koa_text_equal(koa_kafka_apis[i].name, name)) {
            *ret_key = koa_kafka_apis[i].key;
            return KOA_OK;
        }
    }
    return koa_fail(reterr, KOA_ERR_INVALID, "there is no API '%s'", name);
}

/* A name as Kafka has it, or its number. */
static enum koa_err find_error(const char *name, int16_t *ret_code, struct koa_error *reterr)
{
    int64_t number;

    if (koa_parse_int(koa_str_from(name), -1, INT16_MAX, &number) == KOA_OK) {
        *ret_code = (int16_t) number;
        return KOA_OK;
    }
    for (int16_t code = 0; code < 200; code++) {
        if (koa_text_equal(koa_kafka_error_name(code), name)) {
            *ret_code = code;
            return KOA_OK;
        }
    }
    return koa_fail(reterr, KOA_ERR_INVALID, "Kafka has no error '%s'", name);
}

static enum koa_err add(struct koa_sim_model *model, const struct koa_sim_arguments *arguments,
                        enum koa_sim_fault_kind kind, struct koa_error *reterr)
{
    struct koa_sim_fault fault = {
        .kind = kind,
        .broker = (int32_t) arguments->broker,
        .times = arguments->times > 0 ? arguments->times : -1,
    };
    enum koa_err err = find_api(arguments->api, &fault.api_key, reterr);

    if (err == KOA_OK && kind == KOA_SIM_FAULT_ERROR)
        err = find_error(arguments->error, &fault.error_code, reterr);
    if (err == KOA_OK && arguments->broker != 0 &&
        koa_sim_require_node(model, arguments->broker, reterr) == NULL)
        err = KOA_ERR_NOT_FOUND;
    if (err == KOA_OK && !koa_sim_fault_add(model, &fault))
        err = koa_fail(reterr, KOA_ERR_LIMIT, "more than %d faults at a time", KOA_SIM_FAULTS_MAX);
    return err;
}

static enum koa_err answer_error(struct koa_sim_model *model,
                                 const struct koa_sim_arguments *arguments, int64_t now_ms,
                                 struct koa_error *reterr)
{
    (void) now_ms;
    return add(model, arguments, KOA_SIM_FAULT_ERROR, reterr);
}

static enum koa_err answer_garbage(struct koa_sim_model *model,
                                   const struct koa_sim_arguments *arguments, int64_t now_ms,
                                   struct koa_error *reterr)
{
    (void) now_ms;
    return add(model, arguments, KOA_SIM_FAULT_GARBAGE, reterr);
}

static enum koa_err answer_length(struct koa_sim_model *model,
                                  const struct koa_sim_arguments *arguments, int64_t now_ms,
                                  struct koa_error *reterr)
{
    (void) now_ms;
    return add(model, arguments, KOA_SIM_FAULT_LENGTH, reterr);
}

static enum koa_err answer_nothing(struct koa_sim_model *model,
                                   const struct koa_sim_arguments *arguments, int64_t now_ms,
                                   struct koa_error *reterr)
{
    (void) now_ms;
    return add(model, arguments, KOA_SIM_FAULT_SILENCE, reterr);
}

static enum koa_err answer_close(struct koa_sim_model *model,
                                 const struct koa_sim_arguments *arguments, int64_t now_ms,
                                 struct koa_error *reterr)
{
    (void) now_ms;
    return add(model, arguments, KOA_SIM_FAULT_CLOSE, reterr);
}

static enum koa_err answer_well(struct koa_sim_model *model,
                                const struct koa_sim_arguments *arguments, int64_t now_ms,
                                struct koa_error *reterr)
{
    int api_key;
    enum koa_err err = find_api(arguments->api, &api_key, reterr);

    (void) now_ms;
    if (err == KOA_OK)
        koa_sim_fault_clear(model, (int32_t) arguments->broker, api_key);
    return err;
}

/* ---- rows */

static const char *validate_api(const char *value)
{
    int key;

    return find_api(value, &key, NULL) == KOA_OK
               ? NULL
               : "the name of an API, such as metadata or offset_fetch";
}

static const char *validate_error(const char *value)
{
    int16_t code;

    return find_error(value, &code, NULL) == KOA_OK
               ? NULL
               : "a Kafka error such as NOT_COORDINATOR, or its number";
}

#define WHERE                                                                                      \
    {KOA_COUNT(struct koa_sim_arguments, broker), .fallback = "0", .minimum = 0,                   \
     .maximum = KOA_SIM_BROKERS_MAX, .help = "its id, from 1; 0: all brokers"},                    \
    {                                                                                              \
        KOA_TEXT(struct koa_sim_arguments, api),                                                   \
            .validate = validate_api,                                                              \
            .help = "such as metadata, list_offsets, offset_fetch; default: all but api_versions"  \
    }
#define TIMES                                                                                      \
    {                                                                                              \
        KOA_COUNT(struct koa_sim_arguments, times),                                                \
            .fallback = "0", .minimum = 0, .maximum = 1e9,                                         \
            .help = "how many answers; 0: until answer_well"                                       \
    }

static const struct koa_option error_options[] = {
    WHERE,
    {KOA_TEXT(struct koa_sim_arguments, error), .required = true, .validate = validate_error,
     .help = "such as NOT_COORDINATOR, or its number"},
    TIMES,
    {0},
};
static const struct koa_option fault_options[] = {WHERE, TIMES, {0}};
static const struct koa_option where_options[] = {WHERE, {0}};

const struct koa_sim_action koa_sim_fault_actions[] = {
    {.name = "answer_error",
     .help = "Answers with a Kafka error: the whole response where it has a place for one, else "
             "every row",
     .options = error_options,
     .run = answer_error},
    {.name = "answer_garbage",
     .help = "Answers with bytes that are no response",
     .options = fault_options,
     .run = answer_garbage},
    {.name = "answer_length",
     .help = "Answers with a frame that claims to have two gigabytes",
     .options = fault_options,
     .run = answer_length},
    {.name = "answer_nothing",
     .help = "Takes requests and never answers them",
     .options = fault_options,
     .run = answer_nothing},
    {.name = "answer_close",
     .help = "Closes the connection instead of answering",
     .options = fault_options,
     .run = answer_close},
    {.name = "answer_well",
     .help = "Ends these faults",
     .options = where_options,
     .run = answer_well},
    {0},
};
