/* Faults by broker and API. The error of any answer is found through its message table, so that a
 * new API needs nothing here. */
#include "sim/fault.h"

#include <string.h>

#include "base/str.h"
#include "kafka/codec.h"
#include "sim/draw.h"
#include "sim/model.h"

enum { NOISE_BYTES = 200 };

static bool concerns(const struct koa_sim_fault *fault, int32_t broker, int16_t api_key)
{
    return (fault->broker == 0 || fault->broker == broker) &&
           (fault->api_key == api_key ||
            (fault->api_key == -1 && api_key != KOA_KAFKA_API_VERSIONS));
}

static void remove_fault(struct koa_sim_model *model, size_t index)
{
    model->fault_count--;
    memmove(&model->faults[index], &model->faults[index + 1],
            (model->fault_count - index) * sizeof(model->faults[0]));
}

const struct koa_sim_fault *koa_sim_fault_take(struct koa_sim_model *model, int32_t broker,
                                               int16_t api_key)
{
    for (size_t i = 0; i < model->fault_count; i++) {
        struct koa_sim_fault *fault = &model->faults[i];

        if (!concerns(fault, broker, api_key))
            continue;
        model->fault_taken = *fault;
        if (fault->times > 0)
            fault->times--;
        if (fault->times == 0)
            remove_fault(model, i);
        return &model->fault_taken;
    }
    return NULL;
}

bool koa_sim_fault_add(struct koa_sim_model *model, const struct koa_sim_fault *fault)
{
    if (model->fault_count == KOA_SIM_FAULTS_MAX)
        return false;
    model->faults[model->fault_count++] = *fault;
    return true;
}

void koa_sim_fault_clear(struct koa_sim_model *model, int32_t broker, int api_key)
{
    for (size_t i = model->fault_count; i > 0; i--) {
        const struct koa_sim_fault *fault = &model->faults[i - 1];

        if ((broker == 0 || fault->broker == 0 || fault->broker == broker) &&
            (api_key == -1 || fault->api_key == api_key))
            remove_fault(model, i - 1);
    }
}

static bool set_own(const struct koa_kafka_field *fields, int16_t version, unsigned char *target,
                    int16_t error_code)
{
    for (const struct koa_kafka_field *field = fields; field->type != KOA_KAFKA_NONE; field++) {
        if (field->type == KOA_KAFKA_INT16 && koa_kafka_field_is_in(field, version) &&
            koa_text_equal(field->name, "error_code")) {
            memcpy(target + field->offset, &error_code, sizeof(error_code));
            return true;
        }
    }
    return false;
}

static void set_error(const struct koa_kafka_field *fields, int16_t version, unsigned char *target,
                      int16_t error_code)
{
    if (set_own(fields, version, target, error_code))
        return;
    for (const struct koa_kafka_field *field = fields; field->type != KOA_KAFKA_NONE; field++) {
        struct koa_kafka_any_array array;

        if (field->type != KOA_KAFKA_STRUCTS || !koa_kafka_field_is_in(field, version))
            continue;
        memcpy(&array, target + field->offset, sizeof(array));
        for (size_t i = 0; array.rows != NULL && i < array.count; i++) {
            /* Tables nest a few levels deep. NOLINTNEXTLINE(misc-no-recursion) */
            set_error(field->rows, version, (unsigned char *) array.rows + i * field->item_size,
                      error_code);
        }
    }
}

void koa_sim_fault_set_error(const struct koa_kafka_message *table, int16_t version, void *response,
                             int16_t error_code)
{
    set_error(table->fields, version, response, error_code);
}

static void put_number(struct koa_buf *buf, uint32_t number)
{
    for (unsigned i = 0; i < 4; i++)
        koa_buf_append_char(buf, (char) (unsigned char) (number >> (8 * (3 - i))));
}

void koa_sim_fault_write(const struct koa_sim_fault *fault, int32_t correlation_id,
                         struct koa_buf *buf)
{
    if (fault->kind == KOA_SIM_FAULT_LENGTH) {
        put_number(buf, INT32_MAX);
        put_number(buf, (uint32_t) correlation_id);
        return;
    }
    put_number(buf, 4 + NOISE_BYTES);
    put_number(buf, (uint32_t) correlation_id);
    for (uint64_t i = 0; i < NOISE_BYTES; i++) {
        koa_buf_append_char(buf,
                            (char) (unsigned char) koa_sim_draw_at((uint64_t) correlation_id, i));
    }
}
