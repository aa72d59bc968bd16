/* What a host adds: checks, rules, notifiers, authenticators. Before the start they are added at
 * once; after it on the engine's thread, while the caller waits. */
#include <string.h>

#include "agent/composition.h"
#include "base/memory.h"
#include "base/str.h"

enum { ERRORS_LIMIT = 256 * 1024 };

/* One addition on its way to the engine. */
struct addition {
    struct koa_agent *agent;
    const char *name;
    struct koa_check_unit *check;
    struct koa_rule *rule;
    struct koa_notifier *notifier;
    enum koa_err err;
    struct koa_error *reterr;
};

static void add_on_engine(void *message)
{
    struct addition *addition = message;
    struct koa_agent *agent = addition->agent;

    if (addition->check != NULL) {
        addition->err = koa_health_add(agent->health, addition->check, addition->reterr);
    } else if (addition->rule != NULL) {
        addition->err = koa_alerts_add_rule(agent->alerts, addition->rule, addition->reterr);
    } else {
        addition->err =
            koa_alerts_add_notifier(agent->alerts, addition->notifier, addition->reterr);
    }
}

/* What never came to the engine is nobody's yet: alerts/ adopts rules and notifiers, checks are
 * counted. */
static void refuse(struct addition *addition, const char *reason)
{
    koa_rule_destroy(addition->rule);
    koa_notifier_unref(addition->notifier);
    addition->err = koa_fail(addition->reterr, KOA_ERR_STATE, "'%s': %s", addition->name, reason);
}

static enum koa_err add(struct addition *addition)
{
    struct koa_agent *agent = addition->agent;

    (void) pthread_mutex_lock(&agent->changing);
    if (agent->is_stopped) {
        refuse(addition, "the agent has been stopped");
    } else if (!agent->is_started) {
        add_on_engine(addition);
    } else if (!koa_loop_call(agent->engine, add_on_engine, addition)) {
        refuse(addition, "the engine does not run");
    }
    (void) pthread_mutex_unlock(&agent->changing);
    return addition->err;
}

/* Settings of a host as a node, and a place for errors. */
struct reading {
    struct koa_arena *arena;
    struct koa_config_errors errors;
    struct koa_node *node;
};

static enum koa_err require_name(const char *name, size_t struct_size, struct koa_error *reterr)
{
    if (name == NULL || name[0] == '\0' || strlen(name) > 100)
        return koa_fail(reterr, KOA_ERR_INVALID, "a name must have 1 to 100 characters");
    if (struct_size == 0) {
        return koa_fail(reterr, KOA_ERR_INVALID,
                        "'%s': struct_size is 0; start ops with KOA_OPS_INIT", name);
    }
    return KOA_OK;
}

/* Judges the name, then reads the settings. Needs end_reading() in every case. */
static enum koa_err begin_reading(struct reading *reading, const struct addition *addition,
                                  size_t struct_size, const struct koa_settings *settings)
{
    static const struct koa_settings none = {0};
    enum koa_err err = require_name(addition->name, struct_size, addition->reterr);

    *reading = (struct reading){0};
    if (err != KOA_OK)
        return err;
    reading->arena = koa_arena_create(ERRORS_LIMIT);
    reading->errors.arena = reading->arena;
    if (reading->arena != NULL) {
        reading->node = koa_node_from_settings(settings != NULL ? settings : &none, "settings",
                                               reading->arena, &reading->errors);
    }
    return koa_require_memory(reading->node, addition->reterr);
}

/* KOA_OK, or the first error of the settings, which names the thing that was added. */
static enum koa_err end_reading(struct reading *reading, const char *name, enum koa_err err,
                                struct koa_error *reterr)
{
    if (reading->errors.count > 0) {
        const struct koa_config_error *first = &reading->errors.rows[0];

        err = koa_fail(reterr, KOA_ERR_INVALID, "'%s': %s%s%s", name, first->path,
                       first->path[0] != '\0' ? ": " : "", first->text);
    }
    koa_arena_destroy(reading->arena);
    return err;
}

static void *host_context(const struct koa_settings *settings)
{
    return settings != NULL ? settings->context : NULL;
}

enum koa_err koa_agent_add_check(struct koa_agent *agent, const char *name,
                                 const struct koa_check_ops *ops,
                                 const struct koa_settings *settings, struct koa_error *reterr)
{
    struct reading reading;
    struct addition addition = {.agent = agent, .name = name, .reterr = reterr};
    enum koa_err err = begin_reading(&reading, &addition, ops->struct_size, settings);

    if (err == KOA_OK) {
        struct koa_check_load_opts opts = koa_agent_check_opts(agent->configuration, ops, "");

        opts.name = name;
        opts.context = host_context(settings);
        addition.check = koa_check_unit_load(&opts, reading.node, &reading.errors);
        if (addition.check != NULL) {
            err = add(&addition);
            koa_check_unit_unref(addition.check);
        }
    }
    return end_reading(&reading, name, err, reterr);
}

enum koa_err koa_agent_add_rule(struct koa_agent *agent, const char *name,
                                const struct koa_rule_ops *ops, const struct koa_settings *settings,
                                struct koa_error *reterr)
{
    struct reading reading;
    struct addition addition = {.agent = agent, .name = name, .reterr = reterr};
    enum koa_err err = begin_reading(&reading, &addition, ops->struct_size, settings);

    if (err == KOA_OK) {
        struct koa_agent_item item = {
            .name = name, .node = reading.node, .path = "", .context = host_context(settings)};

        addition.rule = koa_agent_build_rule(ops, &item, &reading.errors);
        if (addition.rule != NULL)
            err = add(&addition);
    }
    return end_reading(&reading, name, err, reterr);
}

enum koa_err koa_agent_add_notifier(struct koa_agent *agent, const char *name,
                                    const struct koa_notifier_ops *ops,
                                    const struct koa_settings *settings, struct koa_error *reterr)
{
    struct reading reading;
    struct addition addition = {.agent = agent, .name = name, .reterr = reterr};
    enum koa_err err = begin_reading(&reading, &addition, ops->struct_size, settings);

    if (err == KOA_OK) {
        struct koa_agent_item item = {
            .name = name, .node = reading.node, .path = "", .context = host_context(settings)};

        addition.notifier = koa_agent_build_notifier(ops, &item, &reading.errors);
        if (addition.notifier != NULL)
            err = add(&addition);
    }
    return end_reading(&reading, name, err, reterr);
}

enum koa_err koa_agent_add_authenticator(struct koa_agent *agent,
                                         const struct koa_authenticator *authenticator,
                                         struct koa_error *reterr)
{
    enum koa_err err = require_name(authenticator->name, authenticator->struct_size, reterr);

    if (err != KOA_OK)
        return err;
    (void) pthread_mutex_lock(&agent->changing);
    if (agent->is_started) {
        err = koa_fail(reterr, KOA_ERR_STATE, "'%s': authenticators are added before the start",
                       authenticator->name);
    } else if (agent->authenticator_count == KOA_AGENT_AUTHENTICATORS) {
        err = koa_fail(reterr, KOA_ERR_LIMIT, "'%s': there are %d authenticators already",
                       authenticator->name, (int) KOA_AGENT_AUTHENTICATORS);
    } else {
        agent->authenticators[agent->authenticator_count++] = authenticator;
    }
    (void) pthread_mutex_unlock(&agent->changing);
    return err;
}
