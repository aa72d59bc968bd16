/* Log lines: level, component, event, text. A log is an object that is passed in, never a global.
 *
 * Levels: error (someone must act), warning (degraded; the text ends with what happens next),
 * notice (a state changed), info, debug (every check, evaluation and request). */
#ifndef KOA_LOG_H
#define KOA_LOG_H

#include <koa/base.h>
#include <koa/time.h>

#ifdef __cplusplus
extern "C" {
#endif

enum koa_log_level {
    KOA_LOG_ERROR,
    KOA_LOG_WARNING,
    KOA_LOG_NOTICE,
    KOA_LOG_INFO,
    KOA_LOG_DEBUG,
    KOA_LOG_LEVEL_COUNT
};

/* One finished line. All members are borrowed for the call. Secrets are already masked. */
struct koa_log_line {
    struct koa_wall time;
    enum koa_log_level level;
    const char *component; /* a room's name: "kafka", "alerts", ... */
    const char *event;     /* "check.timeout": stable, for filters */
    const char *text;
};

/* Takes a line. Called from any thread, several at once; must not block and must not log. */
typedef void koa_log_sink_fn(void *context, const struct koa_log_line *line);

/* "warning" and so on; NULL is never returned. */
KOA_API const char *koa_log_level_name(enum koa_log_level level);

#ifdef __cplusplus
}
#endif

#endif
