/* What a broker or a token endpoint may answer: the first byte says to whom, the rest is the
 * answer. 's': SCRAM's two messages, a line each; 'o': OAUTHBEARER; 't': a token endpoint; 'j': a
 * token. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "kafka/oauth.h"
#include "kafka/sasl.h"

/* NOLINTNEXTLINE(readability-identifier-naming): the fuzzer calls it by this name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_scram(struct koa_str messages)
{
    struct koa_buf out = {.limit = KOA_KAFKA_SASL_LIMIT};
    struct koa_scram scram = {.nonce = ""};
    struct koa_digest key = {.size = 32};
    struct koa_str rest = messages;
    struct koa_str first = koa_str_split(rest, '\n', &rest);

    if (koa_scram_begin(&scram, KOA_DIGEST_SHA256, "user", "nonce", &out) == KOA_OK &&
        koa_scram_take_first(&scram, first, NULL) == KOA_OK) {
        KOA_ASSERT(scram.salt.iterations >= KOA_SCRAM_ITERATIONS_MIN &&
                   scram.salt.iterations <= KOA_SCRAM_ITERATIONS_MAX);
        KOA_ASSERT(scram.salt.size > 0 && scram.salt.size <= KOA_SCRAM_SALT_LIMIT);
        if (koa_scram_prove(&scram, &key, &out, NULL) == KOA_OK)
            (void) !koa_scram_take_last(&scram, rest, NULL);
    }
    koa_scram_deinit(&scram);
    koa_buf_deinit(&out);
}

static void fuzz_bearer(struct koa_str challenge)
{
    struct koa_kafka_sasl sasl = {.mechanism = NULL};
    struct koa_kafka_identity identity = {.token = "token"};

    KOA_ASSERT(koa_kafka_sasl_begin(&sasl, koa_kafka_mechanism_find("OAUTHBEARER"), &identity,
                                    NULL) == KOA_OK);
    if (koa_kafka_sasl_take(&sasl, challenge, NULL) == KOA_OK && challenge.size > 0)
        KOA_ASSERT(sasl.state == KOA_KAFKA_SASL_SENDS && sasl.refusal[0] != '\0');
    koa_kafka_sasl_deinit(&sasl);
}

static void fuzz_endpoint(struct koa_str body)
{
    struct koa_oauth_answer answer = {.status = 200, .body = body};
    int64_t lifetime_ms = 0;
    char *token = NULL;

    if (koa_oauth_read(&answer, &token, &lifetime_ms, NULL) == KOA_OK)
        KOA_ASSERT(token[0] != '\0' && lifetime_ms >= -1);
    koa_free_secret(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = koa_strndup((const char *) data, size);
    struct koa_str rest = {.data = (const char *) data + 1, .size = size - 1};
    struct koa_wall expiry;

    if (size > 0 && text != NULL) {
        if (data[0] == 's')
            fuzz_scram(rest);
        if (data[0] == 'o')
            fuzz_bearer(rest);
        if (data[0] == 't')
            fuzz_endpoint(rest);
        if (data[0] == 'j' && koa_oauth_expiry(text + 1, &expiry))
            KOA_ASSERT(expiry.ms >= 0);
    }
    koa_free(text);
    return 0;
}
