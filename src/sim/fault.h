/* What a simulated broker does to requests instead of answering them. */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include <koa/error.h>

#include "base/buf.h"
#include "kafka/api.h"

struct koa_sim_model;

enum koa_sim_fault_kind {
    KOA_SIM_FAULT_ERROR,   /* a Kafka error code */
    KOA_SIM_FAULT_GARBAGE, /* a frame whose content is noise */
    KOA_SIM_FAULT_LENGTH,  /* a frame that says it has two gigabytes */
    KOA_SIM_FAULT_SILENCE, /* nothing, ever */
    KOA_SIM_FAULT_CLOSE,   /* the end of the connection */
};

struct koa_sim_fault {
    enum koa_sim_fault_kind kind;
    int32_t broker; /* 0: all */
    int api_key;    /* -1: all, but for ApiVersions */
    int16_t error_code;
    int64_t times; /* answers left; negative: until told otherwise */
};

enum { KOA_SIM_FAULTS_MAX = 32 };

/* The fault that this request meets, counted; NULL: none. Valid until the next call. */
const struct koa_sim_fault *koa_sim_fault_take(struct koa_sim_model *model, int32_t broker,
                                               int16_t api_key);
KOA_MUST_USE bool koa_sim_fault_add(struct koa_sim_model *model, const struct koa_sim_fault *fault);
/* Ends those that concern this broker (0: any) and API (-1: any). */
void koa_sim_fault_clear(struct koa_sim_model *model, int32_t broker, int api_key);

/* Puts the error where the response has its own, else in each of its rows. `response` was filled.
 */
void koa_sim_fault_set_error(const struct koa_kafka_message *table, int16_t version, void *response,
                             int16_t error_code);
/* What goes over the wire instead of an answer: for garbage and impossible lengths. */
void koa_sim_fault_write(const struct koa_sim_fault *fault, int32_t correlation_id,
                         struct koa_buf *buf);

#endif
