/* Decides for one request whether its credentials suffice, and how a refusal is said. */
#include <stdio.h>
#include <string.h>

#include "httpserver/internal.h"

bool koa_http_has_logins(const struct koa_http_request *request)
{
    return koa_http_policy_has_logins(request->connection->generation->policy);
}

static const char *scope_name(unsigned scope)
{
    if (scope == KOA_SCOPE_ADMIN)
        return "admin";
    return scope == KOA_SCOPE_READ ? "read" : "metrics";
}

void koa_http_refuse_login(struct koa_http_server *server, struct koa_http_policy *policy,
                           struct koa_http_response *response)
{
    koa_http_fail(response, 401, "Unauthorized", "valid credentials are required");
    if (policy->settings.user_count > 0) {
        (void) koa_http_response_header(response, "WWW-Authenticate",
                                        "Basic realm=\"kafka-ops-agent\", charset=\"UTF-8\"");
    }
    if (policy->settings.bearer_count > 0) {
        (void) koa_http_response_header(response, "WWW-Authenticate",
                                        "Bearer realm=\"kafka-ops-agent\"");
    }
    for (size_t i = 0; i < policy->authenticator_count; i++) {
        if (policy->authenticators[i]->challenge != NULL) {
            (void) koa_http_response_header(response, "WWW-Authenticate",
                                            policy->authenticators[i]->challenge);
        }
    }
    koa_http_telemetry_rejected(server->telemetry, "credentials");
}

void koa_http_refuse_scope(struct koa_http_response *response, unsigned scope)
{
    koa_http_fail(response, 403, "Forbidden", "the scope '%s' is required", scope_name(scope));
}

void koa_http_count_failed_login(struct koa_http_server *server,
                                 const struct koa_http_policy *policy, const unsigned char *address)
{
    struct koa_mono now = server->opts.mono();

    (void) pthread_mutex_lock(&server->limiter_mutex);
    koa_http_limiter_fail(server->limiter, address, policy->settings.login_failures_per_minute,
                          now);
    (void) pthread_mutex_unlock(&server->limiter_mutex);
}

static int64_t wait_s(struct koa_http_server *server, const struct koa_http_policy *policy,
                      const unsigned char *address)
{
    struct koa_mono now = server->opts.mono();
    int64_t seconds;

    (void) pthread_mutex_lock(&server->limiter_mutex);
    seconds = koa_http_limiter_wait_s(server->limiter, address,
                                      policy->settings.login_failures_per_minute, now);
    (void) pthread_mutex_unlock(&server->limiter_mutex);
    return seconds;
}

static enum koa_http_login refuse_for_now(struct koa_http_server *server, int64_t seconds,
                                          struct koa_http_response *response)
{
    char text[24];

    koa_http_fail(response, 429, "Too many failed logins",
                  "too many logins from this address have failed; try again in %lld s",
                  (long long) seconds);
    (void) snprintf(text, sizeof(text), "%lld", (long long) seconds);
    (void) koa_http_response_header(response, "Retry-After", text);
    koa_http_telemetry_rejected(server->telemetry, "login_failures");
    return KOA_HTTP_LOGIN_REFUSED;
}

/* What the request needs: of an unknown path or a wrong method only that the caller may come in. */
static unsigned scope_of(const struct koa_http_request *request)
{
    return request->match.route != NULL ? request->match.route->scope : 0;
}

static enum koa_http_login conclude(struct koa_http_request *request,
                                    const struct koa_http_judged *judged, bool is_open,
                                    struct koa_http_response *response)
{
    struct koa_http_connection *connection = request->connection;
    struct koa_http_policy *policy = connection->generation->policy;
    unsigned scope = scope_of(request);

    if (judged->judgement == KOA_HTTP_JUDGED_ACCEPTED) {
        request->scopes = judged->scopes;
        if ((judged->scopes & scope) == scope || is_open)
            return KOA_HTTP_LOGIN_GRANTED;
        koa_http_refuse_scope(response, scope);
        return KOA_HTTP_LOGIN_REFUSED;
    }
    if (judged->judgement == KOA_HTTP_JUDGED_NONE && is_open && request->head.authorization == NULL)
        return KOA_HTTP_LOGIN_GRANTED;
    if (judged->judgement == KOA_HTTP_JUDGED_DENIED)
        koa_http_count_failed_login(connection->server, policy, connection->address);
    koa_http_refuse_login(connection->server, policy, response);
    return KOA_HTTP_LOGIN_REFUSED;
}

static enum koa_http_login judge(struct koa_http_request *request, bool is_open,
                                 struct koa_http_response *response)
{
    struct koa_http_connection *connection = request->connection;
    struct koa_http_policy *policy = connection->generation->policy;
    const struct koa_credentials credentials = {
        .authorization = request->head.authorization,
        .peer = connection->peer,
        .method = request->method_name,
        .path = request->target.path,
    };
    struct koa_http_judged judged;
    enum koa_http_login login;
    int64_t seconds = credentials.authorization != NULL
                          ? wait_s(connection->server, policy, connection->address)
                          : 0;

    if (seconds > 0)
        return refuse_for_now(connection->server, seconds, response);
    koa_http_policy_judge(policy, &credentials, &judged);
    if (judged.judgement == KOA_HTTP_JUDGED_HASH) {
        login = koa_http_verify(request, &judged, is_open ? 0 : scope_of(request), response);
    } else {
        login = conclude(request, &judged, is_open, response);
    }
    koa_http_judged_wipe(&judged);
    return login;
}

enum koa_http_login koa_http_authorize(struct koa_http_request *request,
                                       struct koa_http_response *response)
{
    const struct koa_http_policy *policy = request->connection->generation->policy;
    bool is_open = request->match.route != NULL && policy->open[request->match.index];

    if (!koa_http_policy_has_logins(policy)) {
        request->scopes = koa_http_scopes_expand(KOA_SCOPE_ADMIN);
        return KOA_HTTP_LOGIN_GRANTED;
    }
    /* A probe must get its answer whatever the state of logins is. */
    if (is_open && !request->match.route->open_part)
        return KOA_HTTP_LOGIN_GRANTED;
    if (request->head.authorizations > 1) {
        koa_http_refuse_login(request->connection->server, request->connection->generation->policy,
                              response);
        return KOA_HTTP_LOGIN_REFUSED;
    }
    return judge(request, is_open, response);
}
