/* The mechanisms, a row each. SCRAM's arithmetic is scram.c's. */
#include "kafka/sasl.h"

#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "base/memory.h"
#include "base/str.h"
#include "crypto/crypto.h"

static const char *text_of(const char *text)
{
    return text != NULL ? text : "";
}

/* ---- PLAIN (RFC 4616) */

static enum koa_err plain_begin(struct koa_kafka_sasl *sasl,
                                const struct koa_kafka_identity *identity, struct koa_error *reterr)
{
    (void) reterr;
    koa_buf_append_char(&sasl->message, '\0');
    koa_buf_append_text(&sasl->message, text_of(identity->username));
    koa_buf_append_char(&sasl->message, '\0');
    koa_buf_append_text(&sasl->message, text_of(identity->password));
    return KOA_OK;
}

static enum koa_err plain_take(struct koa_kafka_sasl *sasl, struct koa_str challenge,
                               struct koa_error *reterr)
{
    if (challenge.size > 0)
        return koa_fail(reterr, KOA_ERR_PROTOCOL, "PLAIN: the broker asks where nothing is left");
    sasl->state = KOA_KAFKA_SASL_DONE;
    return KOA_OK;
}

/* ---- SCRAM (RFC 5802) */

static enum koa_err scram_begin(struct koa_kafka_sasl *sasl,
                                const struct koa_kafka_identity *identity, struct koa_error *reterr)
{
    unsigned char random[(KOA_SCRAM_NONCE_SIZE - 1) / 4 * 3];
    char nonce[KOA_SCRAM_NONCE_SIZE];

    if (!koa_random_bytes(random, sizeof(random)))
        return koa_fail(reterr, KOA_ERR_STATE, "SCRAM: the system gives no random bytes");
    koa_base64_encode((struct koa_str){.data = (const char *) random, .size = sizeof(random)},
                      nonce, sizeof(nonce));
    if (koa_scram_begin(&sasl->scram, sasl->mechanism->digest, text_of(identity->username), nonce,
                        &sasl->message) != KOA_OK)
        return koa_buf_status(&sasl->scram.signed_text, "a SCRAM message", reterr);
    return KOA_OK;
}

static enum koa_err scram_take(struct koa_kafka_sasl *sasl, struct koa_str challenge,
                               struct koa_error *reterr)
{
    enum koa_err err;

    if (!sasl->has_sent_all) {
        err = koa_scram_take_first(&sasl->scram, challenge, reterr);
        if (err == KOA_OK)
            sasl->state = KOA_KAFKA_SASL_WANTS_KEY;
        return err;
    }
    err = koa_scram_take_last(&sasl->scram, challenge, reterr);
    if (err == KOA_OK)
        sasl->state = KOA_KAFKA_SASL_DONE;
    return err;
}

enum koa_err koa_kafka_sasl_supply(struct koa_kafka_sasl *sasl, const struct koa_digest *key,
                                   struct koa_error *reterr)
{
    enum koa_err err;

    KOA_ASSERT(sasl->state == KOA_KAFKA_SASL_WANTS_KEY);
    koa_buf_clear(&sasl->message);
    err = koa_scram_prove(&sasl->scram, key, &sasl->message, reterr);
    if (err == KOA_OK)
        err = koa_buf_status(&sasl->message, "a SCRAM message", reterr);
    sasl->has_sent_all = true;
    sasl->state = KOA_KAFKA_SASL_SENDS;
    return err;
}

/* ---- OAUTHBEARER (RFC 7628, KIP-255) */

#define SEPARATOR "\001"

static enum koa_err bearer_begin(struct koa_kafka_sasl *sasl,
                                 const struct koa_kafka_identity *identity,
                                 struct koa_error *reterr)
{
    const char *token = text_of(identity->token);

    /* Blanks and control characters would change what the message says. */
    for (const char *at = token; *at != '\0'; at++) {
        if (*at <= ' ' || *at == 127) {
            return koa_fail(reterr, KOA_ERR_AUTH,
                            "the OAUTHBEARER token holds a blank or control character");
        }
    }
    if (token[0] == '\0')
        return koa_fail(reterr, KOA_ERR_AUTH, "the OAUTHBEARER token is empty");
    koa_buf_printf(&sasl->message, "n,," SEPARATOR "auth=Bearer %s" SEPARATOR SEPARATOR, token);
    return KOA_OK;
}

/* {"status":"invalid_token","scope":"..."} */
static void read_refusal(struct koa_kafka_sasl *sasl, struct koa_str challenge)
{
    KOA_AUTO(koa_json_value) *root = NULL;
    const char *status = NULL;

    if (koa_json_parse(challenge, &root, NULL) == KOA_OK)
        status = koa_json_value_text(koa_json_get(root, "status"));
    (void) snprintf(sasl->refusal, sizeof(sasl->refusal), "%s",
                    status != NULL && status[0] != '\0' ? status : "no status given");
}

static enum koa_err bearer_take(struct koa_kafka_sasl *sasl, struct koa_str challenge,
                                struct koa_error *reterr)
{
    if (challenge.size == 0 && !sasl->has_sent_all) {
        sasl->state = KOA_KAFKA_SASL_DONE;
        return KOA_OK;
    }
    if (sasl->has_sent_all)
        return koa_fail(reterr, KOA_ERR_AUTH, "the broker refuses the token: %s", sasl->refusal);
    /* The broker fails the exchange only after it was told that its reason has been read. */
    read_refusal(sasl, challenge);
    koa_buf_clear(&sasl->message);
    koa_buf_append_text(&sasl->message, SEPARATOR);
    sasl->has_sent_all = true;
    return KOA_OK;
}

/* ---- all of them */

const struct koa_kafka_mechanism koa_kafka_mechanisms[] = {
    {.name = "PLAIN",
     .takes_password = true,
     .shows_secret = true,
     .begin = plain_begin,
     .take = plain_take},
    {.name = "SCRAM-SHA-256",
     .takes_password = true,
     .digest = KOA_DIGEST_SHA256,
     .begin = scram_begin,
     .take = scram_take},
    {.name = "SCRAM-SHA-512",
     .takes_password = true,
     .digest = KOA_DIGEST_SHA512,
     .begin = scram_begin,
     .take = scram_take},
    {.name = "OAUTHBEARER",
     .takes_token = true,
     .shows_secret = true,
     .begin = bearer_begin,
     .take = bearer_take},
};
const size_t koa_kafka_mechanism_count = KOA_ARRAY_COUNT(koa_kafka_mechanisms);

const struct koa_kafka_mechanism *koa_kafka_mechanism_find(const char *name)
{
    for (size_t i = 0; i < koa_kafka_mechanism_count; i++) {
        if (koa_text_equal(koa_kafka_mechanisms[i].name, name))
            return &koa_kafka_mechanisms[i];
    }
    return NULL;
}

void koa_kafka_sasl_deinit(struct koa_kafka_sasl *sasl)
{
    if (sasl->message.data != NULL)
        explicit_bzero(sasl->message.data, sasl->message.capacity);
    koa_buf_deinit(&sasl->message);
    koa_scram_deinit(&sasl->scram);
    *sasl = (struct koa_kafka_sasl){.mechanism = NULL};
}

enum koa_err koa_kafka_sasl_begin(struct koa_kafka_sasl *sasl,
                                  const struct koa_kafka_mechanism *mechanism,
                                  const struct koa_kafka_identity *identity,
                                  struct koa_error *reterr)
{
    enum koa_err err;

    koa_kafka_sasl_deinit(sasl);
    sasl->mechanism = mechanism;
    sasl->state = KOA_KAFKA_SASL_SENDS;
    sasl->message.limit = KOA_KAFKA_SASL_LIMIT;
    err = mechanism->begin(sasl, identity, reterr);
    return err != KOA_OK ? err : koa_buf_status(&sasl->message, "a SASL message", reterr);
}

enum koa_err koa_kafka_sasl_take(struct koa_kafka_sasl *sasl, struct koa_str challenge,
                                 struct koa_error *reterr)
{
    enum koa_err err = sasl->mechanism->take(sasl, challenge, reterr);

    return err != KOA_OK ? err : koa_buf_status(&sasl->message, "a SASL message", reterr);
}
