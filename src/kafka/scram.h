/* SCRAM (RFC 5802, RFC 7677), the client's side, pure. Four messages: ours, the server's with salt
 * and iterations, ours with the proof, the server's with its own proof, which is verified. */
#ifndef KAFKA_SCRAM_H
#define KAFKA_SCRAM_H

#include <koa/error.h>

#include "base/buf.h"
#include "crypto/digest.h"

enum {
    KOA_SCRAM_NONCE_SIZE = 25, /* 18 random bytes as base64, and NUL */
    KOA_SCRAM_SALT_LIMIT = 256,
    /* Fewer make the stored password cheap to guess: RFC 7677 and Kafka itself ask for 4096. More
     * would let a peer burn our processor: a million take about a second. */
    KOA_SCRAM_ITERATIONS_MIN = 4096,
    KOA_SCRAM_ITERATIONS_MAX = 1000000,
};

/* What the password is stretched with; the same for every exchange until the password changes. */
struct koa_scram_salt {
    enum koa_digest_kind kind;
    int iterations;
    size_t size;
    unsigned char bytes[KOA_SCRAM_SALT_LIMIT];
};

struct koa_scram {
    char nonce[KOA_SCRAM_NONCE_SIZE];
    struct koa_scram_salt salt;
    struct koa_buf signed_text; /* RFC 5802's AuthMessage as far as it was said */
    struct koa_buf full_nonce;  /* ours and the server's */
    struct koa_digest server_signature;
};

/* Prepares it, and appends the first message to `out`. `nonce`: KOA_SCRAM_NONCE_SIZE - 1 characters
 * without a comma. The name is written as it is: like Kafka's own clients we do not normalise it
 * (SASLprep). */
KOA_MUST_USE enum koa_err koa_scram_begin(struct koa_scram *scram, enum koa_digest_kind kind,
                                          const char *username, const char *nonce,
                                          struct koa_buf *out);
void koa_scram_deinit(struct koa_scram *scram); /* a zeroed one too */

/* The server's first message: salt and iterations are in `salt` then. KOA_ERR_PROTOCOL. */
KOA_MUST_USE enum koa_err koa_scram_take_first(struct koa_scram *scram, struct koa_str message,
                                               struct koa_error *reterr);
/* Appends the last message to `out`. `salted`: the password stretched by koa_pbkdf2(). */
KOA_MUST_USE enum koa_err koa_scram_prove(struct koa_scram *scram, const struct koa_digest *salted,
                                          struct koa_buf *out, struct koa_error *reterr);
/* The server's last message. KOA_ERR_AUTH: it refuses us, or does not know our password. */
KOA_MUST_USE enum koa_err koa_scram_take_last(struct koa_scram *scram, struct koa_str message,
                                              struct koa_error *reterr);

#endif
