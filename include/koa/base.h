/* Words that every public header uses: visibility, must-use results, and scope cleanup. */
#ifndef KOA_BASE_H
#define KOA_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Exported from libkoa; everything else is hidden. */
#define KOA_API __attribute__((visibility("default")))
#define KOA_MUST_USE __attribute__((warn_unused_result))
#define KOA_PRINTF(format_index, first_index)                                                      \
    __attribute__((format(printf, format_index, first_index)))

/* `KOA_AUTO(koa_agent) *agent = NULL;` destroys `agent` on every way out of its scope. Works for
 * each noun that has KOA_DEFINE_AUTO below its destructor. Never `goto` past such a variable. */
#define KOA_AUTO(noun) __attribute__((cleanup(noun##_auto))) struct noun
#define KOA_DEFINE_AUTO(noun, destroy)                                                             \
    static inline void noun##_auto(struct noun **object)                                           \
    {                                                                                              \
        if (*object != NULL)                                                                       \
            destroy(*object);                                                                      \
    }

#define KOA_ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A borrowed run of bytes, not ended by NUL. `data` may be NULL when `size` is 0. */
struct koa_str {
    const char *data;
    size_t size;
};

/* For a string literal only. */
#define KOA_STR(literal) ((struct koa_str){.data = "" literal, .size = sizeof(literal) - 1})

/* Names and values that describe a series or an alert. Borrowed by the call that takes them. */
struct koa_label {
    const char *name;
    const char *value;
};

struct koa_labels {
    const struct koa_label *rows;
    size_t count;
};

#define KOA_LABELS(...)                                                                            \
    (&(const struct koa_labels){.rows = (const struct koa_label[]){__VA_ARGS__},                   \
                                .count = sizeof((const struct koa_label[]){__VA_ARGS__}) /         \
                                         sizeof(struct koa_label)})
#define KOA_NO_LABELS ((const struct koa_labels *) NULL)

/* First member of every ops and option struct: lets a newer library read an older host's struct. */
#define KOA_OPS_INIT(type) .struct_size = sizeof(struct type)

#ifdef __cplusplus
}
#endif

#endif
