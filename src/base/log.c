/* Makes lines: level, text, masking, repetition. Where they go is the sink's business. */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/redact.h"
#include "base/str.h"

enum {
    TEXT_SIZE = 4096,
    /* Of one event of one component this many lines pass in a window: enough to see a burst, too
     * few to fill a disk. */
    REPEAT_LIMIT = 20,
    REPEAT_WINDOW_MS = 10000,
    /* Events are few and constant; two that share a row share a budget, no more. */
    REPEAT_ROWS = 256,
};

const char *const koa_log_components[] = {
    "agent", "alerts", "cluster", "health", "httpclient", "httpserver",
    "kafka", "loop",   "metrics", "store",  NULL,
};

enum { COMPONENT_COUNT = KOA_ARRAY_COUNT(koa_log_components) - 1 };

struct repeat {
    struct koa_wall window;
    int passed, suppressed;
};

struct koa_logger {
    koa_log_sink_fn *sink;
    void *context;
    struct koa_wall (*now)(void);
    struct koa_log components[COMPONENT_COUNT];
    pthread_mutex_t mutex; /* of `repeats` */
    struct repeat repeats[REPEAT_ROWS];
};

static const char *const level_names[] = {
    [KOA_LOG_ERROR] = "error", [KOA_LOG_WARNING] = "warning", [KOA_LOG_NOTICE] = "notice",
    [KOA_LOG_INFO] = "info",   [KOA_LOG_DEBUG] = "debug",
};

const char *koa_log_level_name(enum koa_log_level level)
{
    return (unsigned) level < KOA_LOG_LEVEL_COUNT ? level_names[level] : "unknown";
}

enum koa_err koa_log_level_parse(const char *name, enum koa_log_level *ret_level,
                                 struct koa_error *reterr)
{
    for (int level = 0; level < KOA_LOG_LEVEL_COUNT; level++) {
        if (koa_text_equal(level_names[level], name)) {
            *ret_level = (enum koa_log_level) level;
            return KOA_OK;
        }
    }
    return koa_fail(reterr, KOA_ERR_INVALID,
                    "unknown log level '%.40s'; allowed: error, warning, notice, info, debug",
                    name);
}

struct koa_logger *koa_logger_create(koa_log_sink_fn *sink, void *context,
                                     struct koa_wall (*now)(void))
{
    struct koa_logger *logger = koa_calloc(1, sizeof(*logger));

    if (logger == NULL)
        return NULL;
    logger->sink = sink;
    logger->context = context;
    logger->now = now;
    (void) pthread_mutex_init(&logger->mutex, NULL);
    for (size_t i = 0; i < COMPONENT_COUNT; i++) {
        logger->components[i].component = koa_log_components[i];
        logger->components[i].logger = logger;
        atomic_init(&logger->components[i].level, KOA_LOG_INFO);
    }
    return logger;
}

void koa_logger_destroy(struct koa_logger *logger)
{
    if (logger == NULL)
        return;
    (void) pthread_mutex_destroy(&logger->mutex);
    koa_free(logger);
}

static struct koa_log *find_component(struct koa_logger *logger, const char *component)
{
    for (size_t i = 0; i < COMPONENT_COUNT; i++) {
        if (koa_text_equal(koa_log_components[i], component))
            return &logger->components[i];
    }
    return NULL;
}

struct koa_log *koa_logger_component(struct koa_logger *logger, const char *component)
{
    struct koa_log *log = find_component(logger, component);

    return log != NULL ? log : &logger->components[0];
}

enum koa_err koa_logger_set_level(struct koa_logger *logger, const char *component,
                                  enum koa_log_level level, struct koa_error *reterr)
{
    struct koa_log *log = component != NULL ? find_component(logger, component) : NULL;
    char allowed[256] = "";
    size_t used = 0;

    if (log != NULL) {
        atomic_store_explicit(&log->level, level, memory_order_relaxed);
        return KOA_OK;
    }
    for (size_t i = 0; i < COMPONENT_COUNT; i++) {
        if (component == NULL)
            atomic_store_explicit(&logger->components[i].level, level, memory_order_relaxed);
        used += (size_t) snprintf(allowed + used, sizeof(allowed) - used, "%s%s", i > 0 ? ", " : "",
                                  koa_log_components[i]);
    }
    return component == NULL
               ? KOA_OK
               : koa_fail(reterr, KOA_ERR_NOT_FOUND, "unknown component '%.40s'; there are %s",
                          component, allowed);
}

bool koa_log_enabled(const struct koa_log *log, enum koa_log_level level)
{
    return log != NULL && (int) level <= atomic_load_explicit(&log->level, memory_order_relaxed);
}

/* False: the line is one too many. `*ret_suppressed` says how many an ended window has left out. */
static bool may_pass(struct koa_logger *logger, const struct koa_log *log, const char *event,
                     struct koa_wall now, int *ret_suppressed)
{
    uint64_t hash = koa_fnv(koa_fnv(KOA_FNV_START, log->component, strlen(log->component)), event,
                            strlen(event));
    struct repeat *repeat = &logger->repeats[hash % REPEAT_ROWS];
    bool passes;

    (void) pthread_mutex_lock(&logger->mutex);
    *ret_suppressed = 0;
    if (now.ms - repeat->window.ms >= REPEAT_WINDOW_MS || now.ms < repeat->window.ms) {
        *ret_suppressed = repeat->suppressed;
        *repeat = (struct repeat){.window = now};
    }
    passes = repeat->passed < REPEAT_LIMIT;
    if (passes) {
        repeat->passed++;
    } else {
        repeat->suppressed++;
    }
    (void) pthread_mutex_unlock(&logger->mutex);
    return passes;
}

static void send(struct koa_logger *logger, struct koa_log_line line)
{
    logger->sink(logger->context, &line);
}

/* Ends the text within TEXT_SIZE, between two characters: continuation bytes are 10xxxxxx. */
static void cut(char *text)
{
    size_t at = TEXT_SIZE - 1;

    while (at > TEXT_SIZE - 4 && ((unsigned char) text[at] & 0xc0) == 0x80)
        at--;
    text[at] = '\0';
}

/* One line stays one line, whatever text a peer has sent. */
static void flatten(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char) *text < 0x20 || *text == 0x7f)
            *text = ' ';
    }
}

void koa_log_write(struct koa_log *log, enum koa_log_level level, const char *event,
                   const char *format, ...)
{
    struct koa_logger *logger = log->logger;
    struct koa_log_line line = {.level = level, .component = log->component, .event = event};
    char text[TEXT_SIZE + 1];
    char left_out[64];
    int suppressed = 0;
    va_list args;
    int length;

    line.time = logger->now();
    if (level != KOA_LOG_DEBUG && !may_pass(logger, log, event, line.time, &suppressed))
        return;
    if (suppressed > 0) {
        (void) snprintf(left_out, sizeof(left_out), "%d lines of this event were left out",
                        suppressed);
        line.text = left_out;
        send(logger, line);
    }
    va_start(args, format);
    length = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (length >= TEXT_SIZE)
        cut(text);
    koa_redact(text);
    flatten(text);
    line.text = text;
    send(logger, line);
}
