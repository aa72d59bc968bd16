/* Reads captured answers; what they must hold is for the tests. */
#include "answer_kit.h"

#include <stdio.h>
#include <string.h>

#include "kit/kit.h"
#include "kit/vectors.h"

#include "base/str.h"

enum { ARENA = 1 << 20 };

void answer_open(struct answer *answer, const char *name)
{
    struct kit_vector vector;
    struct koa_kafka_request_header asked;
    struct koa_error error = {.text = ""};

    kit_vector_read(name, &vector);
    asked = (struct koa_kafka_request_header){.api_key = vector.api->key,
                                              .api_version = vector.version};
    (void) snprintf(answer->name, sizeof(answer->name), "%s", name);
    answer->version = vector.version;
    answer->bytes = vector.bytes;
    answer->arena = koa_arena_create(ARENA);
    answer->body = koa_arena_alloc(answer->arena, 1, vector.api->response->size);
    KIT_EXPECT_INT(
        name, KOA_OK,
        koa_kafka_open_response(&asked, vector.frame, answer->arena, answer->body, &error));
}

void answer_close(struct answer *answer)
{
    koa_arena_destroy(answer->arena);
    koa_free(answer->bytes);
}

void answer_each_version(const char *pattern, int first, int last,
                         void (*look)(const struct answer *answer))
{
    int head = (int) strcspn(pattern, "#");

    for (int version = first; version <= last; version++) {
        struct answer answer;
        char name[256];

        (void) snprintf(name, sizeof(name), "%.*s%d%.40s.response.bin", head < 100 ? head : 100,
                        pattern, version, pattern + head + 1);
        answer_open(&answer, name);
        look(&answer);
        answer_close(&answer);
    }
}

bool answer_is(struct koa_str text, const char *expected)
{
    return koa_str_equal_text(text, expected);
}
