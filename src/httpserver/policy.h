/* One version of the settings a reload may change, copied and checked, and the judgement of
 * credentials by them. A counted object: generations and password verifications hold it. */
#ifndef HTTPSERVER_POLICY_H
#define HTTPSERVER_POLICY_H

#include <pthread.h>

#include "base/arena.h"
#include "base/list.h"
#include "base/published.h"
#include "crypto/crypto.h"
#include "httpserver/server.h"

/* The last accepted password of a user, as an HMAC under a key of this process: bcrypt takes 54 to
 * 209 ms, this a microsecond. One a user is enough, as a user has one password. */
struct koa_http_accepted {
    bool is_set;
    unsigned char digest[KOA_SHA256_SIZE];
};

struct koa_http_policy {
    struct koa_object object;
    struct koa_arena *arena;
    struct koa_http_settings settings; /* with defaults, text in the arena */
    bool *open;                        /* one a route */
    const struct koa_authenticator *const *authenticators;
    size_t authenticator_count;
    unsigned char key[32];
    pthread_mutex_t mutex;              /* of what follows */
    struct koa_http_accepted *accepted; /* one a user */
    struct koa_list_node verifications; /* under way: login.c */
    size_t verification_count;
};

/* KOA_ERR_INVALID or KOA_ERR_RANGE names what is wrong. */
KOA_MUST_USE enum koa_err koa_http_policy_create(const struct koa_http_server_opts *opts,
                                                 const struct koa_http_settings *settings,
                                                 struct koa_http_policy **ret_policy,
                                                 struct koa_error *reterr);
/* Some credentials are asked for at all. */
bool koa_http_policy_has_logins(const struct koa_http_policy *policy);
/* admin -> all, read -> read and metrics. */
unsigned koa_http_scopes_expand(unsigned scopes);

enum { KOA_HTTP_CREDENTIALS_SIZE = 512 }; /* longest user:password that is looked at */

enum koa_http_judgement {
    KOA_HTTP_JUDGED_NONE,     /* no credentials, or of a kind nobody here knows */
    KOA_HTTP_JUDGED_DENIED,   /* wrong: counts against the address */
    KOA_HTTP_JUDGED_ACCEPTED, /* `scopes` */
    KOA_HTTP_JUDGED_HASH      /* `hash` must be compared with `password` first */
};

/* What came of credentials so far. Holds a password: wipe with koa_http_judged_wipe(). */
struct koa_http_judged {
    enum koa_http_judgement judgement;
    unsigned scopes;
    size_t user;      /* when the name is known */
    bool is_known;    /* false: `hash` is another user's, so that it takes as long; always denied */
    const char *hash; /* the policy's */
    char password[KOA_HTTP_CREDENTIALS_SIZE];
    unsigned char digest[KOA_SHA256_SIZE]; /* of name and password */
};

/* Any thread. */
void koa_http_policy_judge(struct koa_http_policy *policy,
                           const struct koa_credentials *credentials,
                           struct koa_http_judged *ret_judged);
void koa_http_judged_wipe(struct koa_http_judged *judged);
/* Remembers that the password behind `digest` is right. */
void koa_http_policy_accept(struct koa_http_policy *policy, size_t user,
                            const unsigned char digest[KOA_SHA256_SIZE]);

#endif
