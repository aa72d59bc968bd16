/* What a broker sends on a connection that waits for its handshake and three answers, cut into
 * pieces of the size that the first byte says. Each request must end exactly once. */
#include <stdlib.h>

#include "base/memory.h"
#include "kafka/connection.h"
#include "kafka/messages/describe_cluster.h"
#include "kafka/messages/list_offsets.h"
#include "kafka/messages/metadata.h"

/* NOLINTNEXTLINE(readability-identifier-naming): the fuzzer calls it by this name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REQUESTS = 3 };

static void on_done(void *context, struct koa_kafka_request *request,
                    const struct koa_kafka_answer *answer)
{
    int *endings = context;

    (void) request;
    KOA_ASSERT((answer->error == NULL) != (answer->body == NULL));
    (*endings)++;
}

static void feed(struct koa_kafka_connection *connection, const uint8_t *data, size_t size)
{
    size_t step = (size_t) data[0] + 1;
    struct koa_mono now = {.ms = 1000};
    struct koa_error error;

    for (size_t at = 1; at < size; at += step) {
        struct koa_str part = {.data = (const char *) data + at,
                               .size = size - at < step ? size - at : step};

        now.ms++;
        if (koa_kafka_connection_receive(connection, part, now, &error) != KOA_OK)
            return; /* garbage ends it */
    }
    now.ms += 100000;
    if (koa_kafka_connection_tick(connection, now, &error) != KOA_OK)
        return; /* a deadline has passed */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct koa_kafka_metadata_request metadata = {.topics = {.rows = NULL}};
    static const struct koa_kafka_describe_cluster_request describe = {.endpoint_type = 1};
    static const struct koa_kafka_list_offsets_request offsets = {.replica_id = -1};
    struct koa_kafka_connection_opts opts = {.client_id = "fuzz",
                                             .software_version = "0",
                                             .frame_limit = 1 << 20,
                                             .arena_limit = 16 << 20,
                                             .in_flight_limit = 2,
                                             .waiting_limit = REQUESTS};
    struct koa_kafka_request requests[REQUESTS] = {
        {.api_key = KOA_KAFKA_METADATA, .body = &metadata},
        {.api_key = KOA_KAFKA_DESCRIBE_CLUSTER, .body = &describe},
        {.api_key = KOA_KAFKA_LIST_OFFSETS, .body = &offsets},
    };
    struct koa_kafka_connection *connection = koa_kafka_connection_create(&opts);
    int endings[REQUESTS] = {0};
    struct koa_mono now = {.ms = 1000};
    struct koa_mono deadline = {.ms = 50000};
    struct koa_error error;

    if (connection == NULL || size == 0) {
        koa_kafka_connection_destroy(connection);
        return 0;
    }
    KOA_ASSERT(koa_kafka_connection_open(connection, now, deadline, &error) == KOA_OK);
    for (size_t i = 0; i < REQUESTS; i++) {
        requests[i].deadline = deadline;
        requests[i].done = on_done;
        requests[i].context = &endings[i];
        koa_kafka_connection_submit(connection, &requests[i], now);
    }
    feed(connection, data, size);
    (void) koa_fail(&error, KOA_ERR_CLOSED, "the end");
    koa_kafka_connection_close(connection, &error);
    for (size_t i = 0; i < REQUESTS; i++)
        KOA_ASSERT(endings[i] == 1);
    koa_kafka_connection_destroy(connection);
    return 0;
}
