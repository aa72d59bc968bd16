/* Authentication on a connection: SaslHandshake, then SaslAuthenticate as often as the mechanism
 * wants (KIP-43, KIP-152), and the same again before the session ends (KIP-368). Without I/O: the
 * connection sends the requests and hands the answers in. */
#ifndef KAFKA_LOGIN_H
#define KAFKA_LOGIN_H

#include "kafka/messages/sasl_authenticate.h"
#include "kafka/messages/sasl_handshake.h"
#include "kafka/request.h"
#include "kafka/sasl.h"

/* Where secrets come from. Each answers at once, or sets `*ret_is_pending`: then the owner calls
 * koa_kafka_connection_resume() when there is news, and is asked again. */
struct koa_kafka_secrets {
    /* Borrowed until the next call. */
    enum koa_err (*identity)(void *context, const struct koa_kafka_identity **ret_identity,
                             bool *ret_is_pending, struct koa_error *reterr);
    /* The password stretched with `salt`. */
    enum koa_err (*key)(void *context, const struct koa_scram_salt *salt,
                        struct koa_digest *ret_key, bool *ret_is_pending, struct koa_error *reterr);
};

enum koa_kafka_login_phase {
    KOA_KAFKA_LOGIN_IDLE,      /* not begun, or done */
    KOA_KAFKA_LOGIN_IDENTITY,  /* waits for the identity; nothing was said yet */
    KOA_KAFKA_LOGIN_HANDSHAKE, /* from here on the broker takes nothing else */
    KOA_KAFKA_LOGIN_EXCHANGE,
    KOA_KAFKA_LOGIN_KEY /* waits for the stretched password */
};

struct koa_kafka_login {
    const struct koa_kafka_mechanism *mechanism; /* NULL: no authentication */
    const struct koa_kafka_secrets *secrets;
    void *context;

    enum koa_kafka_login_phase phase;
    struct koa_mono deadline;
    int64_t lifetime_ms; /* of the session, as the broker said last; 0: it does not end */
    struct koa_kafka_sasl sasl;
    struct koa_kafka_request request; /* the one to send, or under way */
    union {
        struct koa_kafka_sasl_handshake_request handshake;
        struct koa_kafka_sasl_authenticate_request authenticate;
    } body;
    bool is_to_send;
    bool is_done; /* until its owner has taken notice */
    struct koa_error failure;
    bool has_failed;
    char username[128]; /* for messages */
};

/* Set `mechanism`, `secrets` and `context`, the rest zero. */
void koa_kafka_login_deinit(struct koa_kafka_login *login);
/* Forgets an exchange under way. */
void koa_kafka_login_reset(struct koa_kafka_login *login);
void koa_kafka_login_begin(struct koa_kafka_login *login, struct koa_mono deadline);
/* Goes on as far as it can. `*ret_request`: what must be sent now, or NULL: wait for an answer, for
 * news of the secrets, or it is done (phase idle). KOA_ERR_AUTH and others: the connection is of no
 * use. */
KOA_MUST_USE enum koa_err koa_kafka_login_step(struct koa_kafka_login *login,
                                               struct koa_kafka_request **ret_request,
                                               struct koa_error *reterr);
/* Only authentication may be sent now. */
static inline bool koa_kafka_login_is_exclusive(const struct koa_kafka_login *login)
{
    return login->phase > KOA_KAFKA_LOGIN_IDENTITY;
}

#endif
