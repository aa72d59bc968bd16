/* Three bytes are the API's key, the version and the direction; the rest is a body. Whatever
 * decodes must encode, and that must decode to the same bytes again. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kafka/api.h"
#include "kafka/codec.h"

/* NOLINTNEXTLINE(readability-identifier-naming): the fuzzer calls it by this name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 16 << 20, HEAD = 3 };

static bool round_trip(const struct koa_kafka_message *table, int16_t version, struct koa_str bytes,
                       struct koa_buf *buf)
{
    struct koa_arena *arena = koa_arena_create(LIMIT);
    void *body = arena != NULL ? koa_arena_alloc(arena, 1, table->size) : NULL;
    struct koa_error error;
    bool decoded = body != NULL &&
                   koa_kafka_decode((struct koa_kafka_layout){.table = table, .version = version},
                                    bytes, arena, body, &error) == KOA_OK;

    if (decoded)
        KOA_ASSERT(koa_kafka_encode(table, version, body, buf, &error) == KOA_OK);
    koa_arena_destroy(arena);
    return decoded;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct koa_buf first = {.limit = LIMIT};
    struct koa_buf second = {.limit = LIMIT};
    const struct koa_kafka_message *table;
    const struct koa_kafka_api *api;
    struct koa_str body;

    api = size >= HEAD ? koa_kafka_api_find(data[0]) : NULL;
    if (api == NULL)
        return 0;
    table = data[2] % 2 == 0 ? api->request : api->response;
    body = (struct koa_str){.data = (const char *) data + HEAD, .size = size - HEAD};
    if (round_trip(table, data[1], body, &first)) {
        struct koa_str again = {.data = first.data, .size = first.size};

        KOA_ASSERT(round_trip(table, data[1], again, &second));
        KOA_ASSERT(first.size == second.size &&
                   (first.size == 0 || memcmp(first.data, second.data, first.size) == 0));
    }
    koa_buf_deinit(&first);
    koa_buf_deinit(&second);
    return 0;
}
