/* The log as rooms see it: a handle with a component and a level. The sink behind it is given by
 * the owner (loop/log_writer.h, a host's function, a test's list). */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdatomic.h>

#include <koa/error.h>
#include <koa/log.h>

struct koa_logger;

/* A component's handle, embedded or shared; NULL logs nothing. */
struct koa_log {
    const char *component;
    atomic_int level; /* lines above it are not made */
    struct koa_logger *logger;
};

/* Names of the components: the rooms of an agent that write lines. Ends with NULL. */
extern const char *const koa_log_components[];

/* `now` reads the wall clock; it is called for each line. The logger masks registered secrets
 * (base/redact.h) and limits repetition: of one event of one component at most 20 lines pass in 10
 * seconds, then one line says how many were left out. Debug lines are not limited. */
KOA_MUST_USE struct koa_logger *koa_logger_create(koa_log_sink_fn *sink, void *context,
                                                  struct koa_wall (*now)(void));
void koa_logger_destroy(struct koa_logger *logger);
/* The handle of `component` (one of koa_log_components; others give that of "agent"). Borrowed. */
struct koa_log *koa_logger_component(struct koa_logger *logger, const char *component);
/* `component` NULL: all. KOA_ERR_NOT_FOUND names the allowed ones. Any thread. */
KOA_MUST_USE enum koa_err koa_logger_set_level(struct koa_logger *logger, const char *component,
                                               enum koa_log_level level, struct koa_error *reterr);
KOA_MUST_USE enum koa_err koa_log_level_parse(const char *name, enum koa_log_level *ret_level,
                                              struct koa_error *reterr);

bool koa_log_enabled(const struct koa_log *log, enum koa_log_level level);
/* Any thread. Text over 4 KiB is cut. */
void koa_log_write(struct koa_log *log, enum koa_log_level level, const char *event,
                   const char *format, ...) KOA_PRINTF(4, 5);

#define KOA_LOG_AT(log, level, ...)                                                                \
    (koa_log_enabled((log), (level)) ? koa_log_write((log), (level), __VA_ARGS__) : (void) 0)
#define koa_log_error(log, ...) KOA_LOG_AT(log, KOA_LOG_ERROR, __VA_ARGS__)
#define koa_log_warn(log, ...) KOA_LOG_AT(log, KOA_LOG_WARNING, __VA_ARGS__)
#define koa_log_notice(log, ...) KOA_LOG_AT(log, KOA_LOG_NOTICE, __VA_ARGS__)
#define koa_log_info(log, ...) KOA_LOG_AT(log, KOA_LOG_INFO, __VA_ARGS__)
#define koa_log_debug(log, ...) KOA_LOG_AT(log, KOA_LOG_DEBUG, __VA_ARGS__)

#endif
