/* The client's side of one SASL exchange, pure: eats the broker's messages, emits ours. How they
 * travel is login.h's matter. */
#ifndef KAFKA_SASL_H
#define KAFKA_SASL_H

#include "kafka/scram.h"

/* A token may be as long as a secret file; the rest is a few bytes. */
enum { KOA_KAFKA_SASL_LIMIT = 128 * 1024 };

/* Who we are; what a mechanism does not need may be NULL. */
struct koa_kafka_identity {
    const char *username, *password, *token;
};

enum koa_kafka_sasl_state {
    KOA_KAFKA_SASL_SENDS, /* `message` is to be sent, the answer goes to koa_kafka_sasl_take() */
    KOA_KAFKA_SASL_WANTS_KEY, /* of `scram.salt`: koa_kafka_sasl_supply() */
    KOA_KAFKA_SASL_DONE       /* the broker is satisfied, and so are we */
};

struct koa_kafka_sasl;

/* One row per mechanism; a new one is a new row. */
struct koa_kafka_mechanism {
    const char *name;
    bool takes_password, takes_token;
    bool shows_secret; /* to whoever listens on a plaintext connection */
    enum koa_digest_kind digest;
    enum koa_err (*begin)(struct koa_kafka_sasl *sasl, const struct koa_kafka_identity *identity,
                          struct koa_error *reterr);
    enum koa_err (*take)(struct koa_kafka_sasl *sasl, struct koa_str challenge,
                         struct koa_error *reterr);
};

extern const struct koa_kafka_mechanism koa_kafka_mechanisms[];
extern const size_t koa_kafka_mechanism_count;
/* NULL when there is none of that name. */
const struct koa_kafka_mechanism *koa_kafka_mechanism_find(const char *name);

/* Zeroed is a valid one that has not begun. */
struct koa_kafka_sasl {
    const struct koa_kafka_mechanism *mechanism;
    enum koa_kafka_sasl_state state;
    struct koa_buf message; /* ours; secret */
    struct koa_scram scram;
    bool has_sent_all;
    char refusal[128]; /* what OAUTHBEARER's broker said in its own words; else "" */
};

void koa_kafka_sasl_deinit(struct koa_kafka_sasl *sasl);
/* From the beginning, also after an earlier exchange. The identity is not needed afterwards. */
KOA_MUST_USE enum koa_err koa_kafka_sasl_begin(struct koa_kafka_sasl *sasl,
                                               const struct koa_kafka_mechanism *mechanism,
                                               const struct koa_kafka_identity *identity,
                                               struct koa_error *reterr);
/* The broker's answer to `message`. KOA_ERR_AUTH, KOA_ERR_PROTOCOL. */
KOA_MUST_USE enum koa_err koa_kafka_sasl_take(struct koa_kafka_sasl *sasl, struct koa_str challenge,
                                              struct koa_error *reterr);
/* The password stretched with `scram.salt`. */
KOA_MUST_USE enum koa_err koa_kafka_sasl_supply(struct koa_kafka_sasl *sasl,
                                                const struct koa_digest *key,
                                                struct koa_error *reterr);

#endif
