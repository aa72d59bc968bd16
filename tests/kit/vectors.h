/* Real brokers' bytes: tests/vectors/kafka, one frame a file. */
#ifndef KIT_VECTORS_H
#define KIT_VECTORS_H

#include "kafka/api.h"

struct kit_vector {
    char name[128]; /* "4.3.1/metadata-v13.response.bin" */
    const struct koa_kafka_api *api;
    int16_t version; /* that the body is in */
    bool is_request;
    char *bytes; /* the whole frame, with its length */
    size_t size;
    struct koa_str frame; /* without its length */
};

/* Calls `each` for every file. Fails the test when there are fewer than `minimum`. */
void kit_vectors(size_t minimum, void (*each)(const struct kit_vector *vector));
/* One by name; koa_free() its bytes. */
void kit_vector_read(const char *name, struct kit_vector *ret_vector);

#endif
