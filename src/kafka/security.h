/* How a cluster's connections are secured, as configured. */
#ifndef KAFKA_SECURITY_H
#define KAFKA_SECURITY_H

#include <koa/error.h>

/* `file` outranks `value`, and is read again when it changes. NULL or "": none. */
struct koa_kafka_secret {
    const char *value, *file;
};

/* Text may be NULL or "" where it is not needed. */
struct koa_kafka_security {
    bool use_tls;
    const char *ca_file, *cert_file, *key_file; /* PEM; read again when they change */
    struct koa_kafka_secret key_password;
    const char *server_name; /* for the brokers' certificates; default: each one's host */

    const char *mechanism; /* a row of koa_kafka_mechanisms; none: no authentication */
    const char *username;
    struct koa_kafka_secret password;
    struct koa_kafka_secret token; /* of OAUTHBEARER, or from token_url: */
    const char *token_url;         /* client credentials grant, RFC 6749 section 4.4 */
    const char *client_id, *scope;
    struct koa_kafka_secret client_secret;
    const char *token_ca_file; /* whom to trust at an https token_url; default: the system's */
};

/* What does not fit together, as KOA_ERR_INVALID naming the settings as in the file. */
KOA_MUST_USE enum koa_err koa_kafka_security_check(const struct koa_kafka_security *security,
                                                   struct koa_error *reterr);

/* A copy that a worker may keep while its owner goes. */
struct koa_kafka_security_copy;
KOA_MUST_USE struct koa_kafka_security_copy *
koa_kafka_security_copy(const struct koa_kafka_security *security); /* NULL when memory is out */
struct koa_kafka_security_copy *
koa_kafka_security_ref(struct koa_kafka_security_copy *copy); /* any thread */
void koa_kafka_security_unref(struct koa_kafka_security_copy *copy);
const struct koa_kafka_security *koa_kafka_security_get(const struct koa_kafka_security_copy *copy);

static inline bool koa_kafka_is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* False: plaintext connections without authentication. */
static inline bool koa_kafka_security_is_on(const struct koa_kafka_security *security)
{
    return security != NULL && (security->use_tls || koa_kafka_is_set(security->mechanism));
}

static inline bool koa_kafka_secret_is_set(const struct koa_kafka_secret *secret)
{
    return koa_kafka_is_set(secret->value) || koa_kafka_is_set(secret->file);
}

#endif
