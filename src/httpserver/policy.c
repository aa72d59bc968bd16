/* Copies and checks settings. Whatever is wrong is named here, before anything of the running
 * server is touched. */
#include "httpserver/policy.h"

#include <string.h>

#include "base/memory.h"

enum {
    ARENA_LIMIT = 16 << 20,
    LOGINS_LIMIT = 1000 /* users, and tokens: each is compared with each request's */
};

static void destroy(struct koa_object *object)
{
    struct koa_http_policy *policy = KOA_CONTAINER_OF(object, struct koa_http_policy, object);
    struct koa_arena *arena = policy->arena;

    (void) pthread_mutex_destroy(&policy->mutex);
    memset(policy->key, 0, sizeof(policy->key));
    koa_arena_destroy(arena);
}

static void use_defaults(struct koa_http_settings *settings)
{
    const struct {
        int64_t *member;
        int64_t fallback;
    } rows[] = {
        {&settings->connections, 512},
        {&settings->connections_per_address, 256},
        {&settings->header_bytes, 16 << 10},
        {&settings->body_bytes, 1 << 20},
        {&settings->header_timeout_ms, 10000},
        {&settings->idle_timeout_ms, 60000},
        {&settings->login_failures_per_minute, 30},
    };

    for (size_t i = 0; i < KOA_ARRAY_COUNT(rows); i++) {
        if (*rows[i].member == 0)
            *rows[i].member = rows[i].fallback;
    }
}

static enum koa_err check_ranges(const struct koa_http_settings *settings, struct koa_error *reterr)
{
    const struct {
        const char *name;
        int64_t value, minimum, maximum;
    } rows[] = {
        {"connections", settings->connections, 1, 65536},
        {"connections_per_address", settings->connections_per_address, 1, 65536},
        {"header_bytes", settings->header_bytes, 1024, 512 << 10},
        {"body_bytes", settings->body_bytes, 1, 64 << 20},
        {"header_timeout", settings->header_timeout_ms, 10, 3600000},
        {"idle_timeout", settings->idle_timeout_ms, 10, 3600000},
        {"login_failures_per_minute", settings->login_failures_per_minute, 1, 1000000},
    };

    for (size_t i = 0; i < KOA_ARRAY_COUNT(rows); i++) {
        if (rows[i].value < rows[i].minimum || rows[i].value > rows[i].maximum) {
            return koa_fail(reterr, KOA_ERR_RANGE,
                            "web.limits.%s is %lld, but must be between %lld and %lld",
                            rows[i].name, (long long) rows[i].value, (long long) rows[i].minimum,
                            (long long) rows[i].maximum);
        }
    }
    return KOA_OK;
}

static const char *copy(struct koa_http_policy *policy, const char *text)
{
    return text != NULL ? koa_arena_strdup(policy->arena, text) : NULL;
}

static enum koa_err copy_users(struct koa_http_policy *policy,
                               const struct koa_http_settings *settings, struct koa_error *reterr)
{
    struct koa_http_user *users;

    if (settings->user_count > LOGINS_LIMIT) {
        return koa_fail(reterr, KOA_ERR_LIMIT, "web.users has %zu rows, but %d are the limit",
                        settings->user_count, LOGINS_LIMIT);
    }
    users = koa_arena_alloc(policy->arena, settings->user_count + 1, sizeof(*users));
    policy->accepted =
        koa_arena_alloc(policy->arena, settings->user_count + 1, sizeof(*policy->accepted));
    for (size_t i = 0; users != NULL && i < settings->user_count; i++) {
        const struct koa_http_user *user = &settings->users[i];

        if (user->name == NULL || user->name[0] == '\0' || strchr(user->name, ':') != NULL) {
            return koa_fail(reterr, KOA_ERR_INVALID, "web.users[%zu] needs a name without a colon",
                            i);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(settings->users[j].name, user->name) == 0)
                return koa_fail(reterr, KOA_ERR_INVALID, "web.users has '%s' twice", user->name);
        }
        if (user->password_hash == NULL || !koa_password_hash_valid(user->password_hash)) {
            return koa_fail(reterr, KOA_ERR_INVALID,
                            "password_hash of web user '%s' is no bcrypt, yescrypt or SHA-512 hash",
                            user->name);
        }
        users[i] = (struct koa_http_user){
            .name = copy(policy, user->name),
            .password_hash = copy(policy, user->password_hash),
            .scopes = koa_http_scopes_expand(user->scopes),
        };
    }
    policy->settings.users = users;
    return KOA_OK;
}

static enum koa_err copy_bearers(struct koa_http_policy *policy,
                                 const struct koa_http_settings *settings, struct koa_error *reterr)
{
    struct koa_http_bearer *bearers;

    if (settings->bearer_count > LOGINS_LIMIT) {
        return koa_fail(reterr, KOA_ERR_LIMIT, "web.tokens has %zu rows, but %d are the limit",
                        settings->bearer_count, LOGINS_LIMIT);
    }
    bearers = koa_arena_alloc(policy->arena, settings->bearer_count + 1, sizeof(*bearers));
    for (size_t i = 0; bearers != NULL && i < settings->bearer_count; i++) {
        const struct koa_http_bearer *bearer = &settings->bearers[i];
        const char *name = bearer->name != NULL ? bearer->name : "";

        /* An empty one would let everybody in. */
        if (bearer->value == NULL || bearer->value[0] == '\0')
            return koa_fail(reterr, KOA_ERR_INVALID, "web token '%s' is empty", name);
        if (strpbrk(bearer->value, " \t\r\n") != NULL) {
            return koa_fail(reterr, KOA_ERR_INVALID, "web token '%s' holds a blank or line end",
                            name);
        }
        bearers[i] = (struct koa_http_bearer){
            .name = copy(policy, name),
            .value = copy(policy, bearer->value),
            .scopes = koa_http_scopes_expand(bearer->scopes),
        };
    }
    policy->settings.bearers = bearers;
    return KOA_OK;
}

/* A pattern that is no endpoint opens nothing; it may be one of a later version. */
static void mark_open(struct koa_http_policy *policy, const struct koa_http_server_opts *opts,
                      const struct koa_http_settings *settings)
{
    policy->open = koa_arena_alloc(policy->arena, opts->route_count + 1, sizeof(*policy->open));
    for (size_t i = 0; policy->open != NULL && i < settings->open_count; i++) {
        bool is_found = false;

        for (size_t j = 0; j < opts->route_count; j++) {
            if (strcmp(opts->routes[j].pattern, settings->open[i]) != 0)
                continue;
            is_found = true;
            policy->open[j] = !opts->routes[j].changes;
        }
        if (!is_found) {
            koa_log_warn(opts->log, "http.open",
                         "web.open names '%s', which is no endpoint; ignored", settings->open[i]);
        }
    }
    policy->settings.open = NULL;
    policy->settings.open_count = 0;
}

static enum koa_err fill(struct koa_http_policy *policy, const struct koa_http_server_opts *opts,
                         const struct koa_http_settings *settings, struct koa_error *reterr)
{
    enum koa_err err;

    policy->settings = *settings;
    use_defaults(&policy->settings);
    err = check_ranges(&policy->settings, reterr);
    if (err == KOA_OK)
        err = copy_users(policy, settings, reterr);
    if (err == KOA_OK)
        err = copy_bearers(policy, settings, reterr);
    if (err != KOA_OK)
        return err;
    if (settings->user_count > 0 && (opts->loop == NULL || opts->workers == NULL)) {
        return koa_fail(reterr, KOA_ERR_INVALID,
                        "users need a loop and workers to verify passwords on");
    }
    policy->settings.cert_file = copy(policy, settings->cert_file);
    policy->settings.key_file = copy(policy, settings->key_file);
    mark_open(policy, opts, settings);
    if (koa_arena_failed(policy->arena))
        return koa_require_memory(NULL, reterr);
    if (!koa_random_bytes(policy->key, sizeof(policy->key)))
        return koa_fail(reterr, KOA_ERR_IO, "the system has no random bytes");
    return KOA_OK;
}

enum koa_err koa_http_policy_create(const struct koa_http_server_opts *opts,
                                    const struct koa_http_settings *settings,
                                    struct koa_http_policy **ret_policy, struct koa_error *reterr)
{
    struct koa_arena *arena = koa_arena_create(ARENA_LIMIT);
    struct koa_http_policy *policy =
        arena != NULL ? koa_arena_alloc(arena, 1, sizeof(*policy)) : NULL;
    enum koa_err err;

    if (policy == NULL) {
        koa_arena_destroy(arena);
        return koa_require_memory(NULL, reterr);
    }
    policy->arena = arena;
    policy->authenticators = opts->authenticators;
    policy->authenticator_count = opts->authenticator_count;
    koa_object_init(&policy->object, destroy);
    (void) pthread_mutex_init(&policy->mutex, NULL);
    koa_list_init(&policy->verifications);
    err = fill(policy, opts, settings, reterr);
    if (err != KOA_OK) {
        koa_object_unref(&policy->object);
        return err;
    }
    *ret_policy = policy;
    return KOA_OK;
}

bool koa_http_policy_has_logins(const struct koa_http_policy *policy)
{
    return policy->settings.user_count > 0 || policy->settings.bearer_count > 0 ||
           policy->authenticator_count > 0;
}

unsigned koa_http_scopes_expand(unsigned scopes)
{
    if ((scopes & KOA_SCOPE_ADMIN) != 0)
        scopes |= KOA_SCOPE_READ;
    if ((scopes & KOA_SCOPE_READ) != 0)
        scopes |= KOA_SCOPE_METRICS;
    return scopes;
}
