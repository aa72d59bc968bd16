/* What is healthy: statuses, results of checks, and the board that holds the last result of each.
 */
#ifndef KOA_HEALTH_H
#define KOA_HEALTH_H

#include <koa/base.h>
#include <koa/time.h>

#ifdef __cplusplus
extern "C" {
#endif

enum koa_status {
    KOA_STATUS_UNKNOWN,
    KOA_STATUS_HEALTHY,
    KOA_STATUS_DEGRADED,
    KOA_STATUS_UNHEALTHY,
    KOA_STATUS_COUNT
};

/* "healthy" and so on; "unknown" for anything else. Never NULL. */
KOA_API const char *koa_status_name(enum koa_status status);

/* A detail's value. Text, lists and objects are borrowed by the call that takes them. */
enum koa_value_type {
    KOA_VALUE_TYPE_BOOL,
    KOA_VALUE_TYPE_INT,
    KOA_VALUE_TYPE_DOUBLE,
    KOA_VALUE_TYPE_TEXT,
    KOA_VALUE_TYPE_JSON /* a complete JSON list or object, as text */
};

struct koa_value {
    enum koa_value_type type;
    union {
        bool boolean;
        int64_t integer;
        double number;
        const char *text;
    } as;
};

#define KOA_VALUE_BOOL(v) ((struct koa_value){.type = KOA_VALUE_TYPE_BOOL, .as.boolean = (v)})
#define KOA_VALUE_INT(v)                                                                           \
    ((struct koa_value){.type = KOA_VALUE_TYPE_INT, .as.integer = (int64_t) (v)})
#define KOA_VALUE_DOUBLE(v) ((struct koa_value){.type = KOA_VALUE_TYPE_DOUBLE, .as.number = (v)})
#define KOA_VALUE_TEXT(v) ((struct koa_value){.type = KOA_VALUE_TYPE_TEXT, .as.text = (v)})
#define KOA_VALUE_JSON(v) ((struct koa_value){.type = KOA_VALUE_TYPE_JSON, .as.text = (v)})

/* One check's last answer. Everything in it lives as long as the board it came from. */
struct koa_result {
    const char *name;
    enum koa_status status;
    const char *message;
    const char *details; /* a complete JSON object, "{}" when there are none */
    struct koa_wall
        time; /* when the run ended; for a check that never ran, when the board was made */
    double duration_ms;
    bool has_run;
    bool is_critical;
    bool is_subjectless; /* nothing to look at is configured; never makes the whole bad */
    bool is_stale;       /* the last answer, or the wait for the first, is older than `max_age` */
};

/* An immutable picture of all results at one moment, counted by references. */
struct koa_board;

/* Any thread. `board` may be NULL: unknown, and no results. */
KOA_API enum koa_status koa_board_overall(const struct koa_board *board);
KOA_API size_t koa_board_count(const struct koa_board *board);
KOA_API struct koa_wall koa_board_time(const struct koa_board *board);

/* Row `index` (0..count-1), in the order in which checks were added; NULL when out of range. */
KOA_API const struct koa_result *koa_board_result(const struct koa_board *board, size_t index);

/* The result of `name`, or NULL. */
KOA_API const struct koa_result *koa_board_find(const struct koa_board *board, const char *name);

/* Gives the reference back; NULL is nothing. The last one frees it, on any thread. */
KOA_API void koa_board_unref(struct koa_board *board);
KOA_DEFINE_AUTO(koa_board, koa_board_unref)

#ifdef __cplusplus
}
#endif

#endif
