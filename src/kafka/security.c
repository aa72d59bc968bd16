/* Judges and copies a cluster's security settings. */
#include "kafka/security.h"

#include <stdatomic.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/memory.h"
#include "kafka/sasl.h"

enum { COPY_LIMIT = 1 << 20, WORDS_SIZE = 256 };

struct koa_kafka_security_copy {
    atomic_size_t references;
    struct koa_arena *arena;
    struct koa_kafka_security settings;
};

static enum koa_err fail_mechanism(const char *name, struct koa_error *reterr)
{
    struct koa_buf words = {.limit = WORDS_SIZE};

    for (size_t i = 0; i < koa_kafka_mechanism_count; i++)
        koa_buf_printf(&words, "%s%s", i > 0 ? ", " : "", koa_kafka_mechanisms[i].name);
    (void) koa_fail(reterr, KOA_ERR_INVALID, "sasl.mechanism '%s' must be one of %s", name,
                    koa_buf_text(&words));
    koa_buf_deinit(&words);
    return KOA_ERR_INVALID;
}

static enum koa_err check_token(const struct koa_kafka_security *security, struct koa_error *reterr)
{
    bool has_token = koa_kafka_secret_is_set(&security->token);
    bool has_url = koa_kafka_is_set(security->token_url);

    if (has_token == has_url) {
        return koa_fail(reterr, KOA_ERR_INVALID,
                        "sasl.mechanism OAUTHBEARER needs one of sasl.token, sasl.token_file and "
                        "sasl.token_url");
    }
    if (has_url && (!koa_kafka_is_set(security->client_id) ||
                    !koa_kafka_secret_is_set(&security->client_secret))) {
        return koa_fail(reterr, KOA_ERR_INVALID,
                        "sasl.token_url needs sasl.client_id and sasl.client_secret");
    }
    return KOA_OK;
}

enum koa_err koa_kafka_security_check(const struct koa_kafka_security *security,
                                      struct koa_error *reterr)
{
    const struct koa_kafka_mechanism *mechanism = koa_kafka_mechanism_find(security->mechanism);

    if (koa_kafka_is_set(security->cert_file) != koa_kafka_is_set(security->key_file)) {
        return koa_fail(reterr, KOA_ERR_INVALID,
                        "tls.cert_file and tls.key_file must be set together");
    }
    if (!koa_kafka_is_set(security->mechanism))
        return KOA_OK;
    if (mechanism == NULL)
        return fail_mechanism(security->mechanism, reterr);
    if (mechanism->takes_token)
        return check_token(security, reterr);
    if (!koa_kafka_is_set(security->username) || !koa_kafka_secret_is_set(&security->password)) {
        return koa_fail(reterr, KOA_ERR_INVALID,
                        "sasl.mechanism %s needs sasl.username and sasl.password", mechanism->name);
    }
    return KOA_OK;
}

static void copy_texts(struct koa_kafka_security *settings, struct koa_arena *arena)
{
    const char **texts[] = {
        &settings->ca_file,
        &settings->cert_file,
        &settings->key_file,
        &settings->key_password.value,
        &settings->key_password.file,
        &settings->server_name,
        &settings->mechanism,
        &settings->username,
        &settings->password.value,
        &settings->password.file,
        &settings->token.value,
        &settings->token.file,
        &settings->token_url,
        &settings->client_id,
        &settings->scope,
        &settings->client_secret.value,
        &settings->client_secret.file,
        &settings->token_ca_file,
    };

    for (size_t i = 0; i < KOA_ARRAY_COUNT(texts); i++) {
        if (*texts[i] != NULL)
            *texts[i] = koa_arena_strdup(arena, *texts[i]);
    }
}

struct koa_kafka_security_copy *koa_kafka_security_copy(const struct koa_kafka_security *security)
{
    struct koa_arena *arena = koa_arena_create(COPY_LIMIT);
    struct koa_kafka_security_copy *copy =
        arena != NULL ? koa_arena_alloc(arena, 1, sizeof(*copy)) : NULL;

    if (copy != NULL) {
        atomic_init(&copy->references, 1);
        copy->arena = arena;
        copy->settings = *security;
        copy_texts(&copy->settings, arena);
    }
    if (copy == NULL || koa_arena_failed(arena)) {
        koa_arena_destroy(arena);
        return NULL;
    }
    return copy;
}

struct koa_kafka_security_copy *koa_kafka_security_ref(struct koa_kafka_security_copy *copy)
{
    atomic_fetch_add_explicit(&copy->references, 1, memory_order_relaxed);
    return copy;
}

void koa_kafka_security_unref(struct koa_kafka_security_copy *copy)
{
    /* The struct itself lives in its arena. */
    if (copy != NULL && atomic_fetch_sub_explicit(&copy->references, 1, memory_order_acq_rel) == 1)
        koa_arena_destroy(copy->arena);
}

const struct koa_kafka_security *koa_kafka_security_get(const struct koa_kafka_security_copy *copy)
{
    return &copy->settings;
}
