/* Answers of real brokers, read through the tables. */
#ifndef UNIT_KAFKA_ANSWER_KIT_H
#define UNIT_KAFKA_ANSWER_KIT_H

#include "base/arena.h"

/* One answer, read. */
struct answer {
    char name[256]; /* of its file */
    int16_t version;
    struct koa_arena *arena;
    char *bytes;
    void *body;
};

/* `name`: of a file below tests/vectors/kafka. Fails the test when it cannot be read. */
void answer_open(struct answer *answer, const char *name);
void answer_close(struct answer *answer);
/* Opens "<folder>/<api>-v<version><what>.response.bin" for each version from `first` to `last`; `#`
 * stands for the version. */
void answer_each_version(const char *pattern, int first, int last,
                         void (*look)(const struct answer *answer));
bool answer_is(struct koa_str text, const char *expected);

#endif
