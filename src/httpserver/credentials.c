/* Judges the Authorization header: tokens at once, passwords by the accepted one's HMAC or, when
 * there is none yet, by a hash that somebody must compute elsewhere. */
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/str.h"
#include "httpserver/policy.h"

void koa_http_judged_wipe(struct koa_http_judged *judged)
{
    explicit_bzero(judged->password, sizeof(judged->password));
}

/* What follows the scheme's name; NULL when it is another scheme. */
static const char *after_scheme(const char *authorization, const char *scheme)
{
    size_t size = strlen(scheme);

    if (strncasecmp(authorization, scheme, size) != 0 || authorization[size] != ' ')
        return NULL;
    authorization += size;
    return authorization + strspn(authorization, " ");
}

static void judge_bearer(const struct koa_http_policy *policy, const char *value,
                         struct koa_http_judged *judged)
{
    struct koa_str given = koa_str_trim(koa_str_from(value));

    judged->judgement = KOA_HTTP_JUDGED_DENIED;
    /* All of them, so that the time does not tell which one it was. */
    for (size_t i = 0; i < policy->settings.bearer_count; i++) {
        const struct koa_http_bearer *bearer = &policy->settings.bearers[i];

        if (koa_constant_time_equal(given, koa_str_from(bearer->value))) {
            judged->judgement = KOA_HTTP_JUDGED_ACCEPTED;
            judged->scopes |= bearer->scopes;
        }
    }
}

static bool find_user(const struct koa_http_policy *policy, const char *name, size_t *ret_user)
{
    bool is_found = false;

    for (size_t i = 0; i < policy->settings.user_count; i++) {
        if (!koa_constant_time_equal(koa_str_from(name),
                                     koa_str_from(policy->settings.users[i].name)))
            continue;
        *ret_user = i;
        is_found = true;
    }
    return is_found;
}

/* Splits base64 of user:password; `plain` then holds "user", NUL, "password". */
static bool read_basic(const char *value, char plain[KOA_HTTP_CREDENTIALS_SIZE], size_t *ret_size,
                       char **ret_password)
{
    char *colon;

    if (!koa_base64_decode(koa_str_trim(koa_str_from(value)), (unsigned char *) plain,
                           KOA_HTTP_CREDENTIALS_SIZE - 1, ret_size))
        return false;
    plain[*ret_size] = '\0';
    colon = memchr(plain, ':', *ret_size);
    if (colon == NULL || memchr(plain, '\0', *ret_size) != NULL)
        return false;
    *colon = '\0';
    *ret_password = colon + 1;
    return true;
}

static bool was_accepted(struct koa_http_policy *policy, const struct koa_http_judged *judged)
{
    const struct koa_http_accepted *accepted = &policy->accepted[judged->user];
    struct koa_str given = {.data = (const char *) judged->digest, .size = sizeof(judged->digest)};
    bool result;

    (void) pthread_mutex_lock(&policy->mutex);
    result =
        accepted->is_set &&
        koa_constant_time_equal(given, (struct koa_str){.data = (const char *) accepted->digest,
                                                        .size = sizeof(accepted->digest)});
    (void) pthread_mutex_unlock(&policy->mutex);
    return result;
}

static void judge_basic(struct koa_http_policy *policy, const char *value,
                        struct koa_http_judged *judged)
{
    char plain[KOA_HTTP_CREDENTIALS_SIZE];
    const struct koa_http_settings *settings = &policy->settings;
    size_t size = 0;
    char *password = NULL;

    judged->judgement = KOA_HTTP_JUDGED_DENIED;
    if (read_basic(value, plain, &size, &password) &&
        koa_hmac_sha256(
            (struct koa_str){.data = (const char *) policy->key, .size = sizeof(policy->key)},
            (struct koa_str){.data = plain, .size = size}, judged->digest)) {
        judged->is_known = find_user(policy, plain, &judged->user);
        if (!judged
                 ->is_known) /* a hash that takes as long as a real one's, and the same each time */
            judged->user = koa_hash(plain, strlen(plain)) % settings->user_count;
        judged->hash = settings->users[judged->user].password_hash;
        if (judged->is_known && was_accepted(policy, judged)) {
            judged->judgement = KOA_HTTP_JUDGED_ACCEPTED;
            judged->scopes = settings->users[judged->user].scopes;
        } else {
            judged->judgement = KOA_HTTP_JUDGED_HASH;
            memcpy(judged->password, password, strlen(password) + 1);
        }
    }
    explicit_bzero(plain, sizeof(plain));
}

/* False: none of them knows these credentials. */
static bool ask_host(const struct koa_http_policy *policy,
                     const struct koa_credentials *credentials, struct koa_http_judged *judged)
{
    for (size_t i = 0; i < policy->authenticator_count; i++) {
        const struct koa_authenticator *authenticator = policy->authenticators[i];
        unsigned scopes = 0;

        switch (authenticator->authenticate(authenticator->context, credentials, &scopes)) {
        case KOA_AUTH_ACCEPTED:
            judged->judgement = KOA_HTTP_JUDGED_ACCEPTED;
            judged->scopes = koa_http_scopes_expand(scopes);
            return true;
        case KOA_AUTH_DENIED:
            judged->judgement = KOA_HTTP_JUDGED_DENIED;
            return true;
        case KOA_AUTH_NONE:
            break;
        }
    }
    return false;
}

void koa_http_policy_judge(struct koa_http_policy *policy,
                           const struct koa_credentials *credentials,
                           struct koa_http_judged *ret_judged)
{
    const char *authorization = credentials->authorization;
    const char *value;

    ret_judged->judgement = KOA_HTTP_JUDGED_NONE;
    ret_judged->scopes = 0;
    ret_judged->is_known = false;
    ret_judged->user = 0;
    ret_judged->hash = NULL;
    ret_judged->password[0] = '\0';
    if (authorization != NULL && policy->settings.bearer_count > 0) {
        value = after_scheme(authorization, "Bearer");
        if (value != NULL)
            judge_bearer(policy, value, ret_judged);
    }
    if (authorization != NULL && policy->settings.user_count > 0) {
        value = after_scheme(authorization, "Basic");
        if (value != NULL)
            judge_basic(policy, value, ret_judged);
    }
    /* A wrong token or an unknown name of ours may be a right one of the host's. */
    if (ret_judged->judgement != KOA_HTTP_JUDGED_ACCEPTED && !ret_judged->is_known)
        (void) ask_host(policy, credentials, ret_judged);
}

void koa_http_policy_accept(struct koa_http_policy *policy, size_t user,
                            const unsigned char digest[KOA_SHA256_SIZE])
{
    (void) pthread_mutex_lock(&policy->mutex);
    policy->accepted[user].is_set = true;
    memcpy(policy->accepted[user].digest, digest, KOA_SHA256_SIZE);
    (void) pthread_mutex_unlock(&policy->mutex);
}
