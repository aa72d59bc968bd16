/* Reads certificates and secrets whole: a set in which one file is bad is not used at all. */
#include "kafka/material.h"

#include "base/memory.h"
#include "base/redact.h"
#include "config/file.h"

uint64_t koa_kafka_material_signature(const struct koa_kafka_security *security)
{
    const char *const paths[] = {
        security->ca_file,
        security->cert_file,
        security->key_file,
        security->key_password.file,
        security->password.file,
        security->token.file,
        security->client_secret.file,
    };

    return koa_file_signature(paths, KOA_ARRAY_COUNT(paths));
}

/* `*ret_text` stays NULL when nothing is set. */
static enum koa_err read_secret(const struct koa_kafka_secret *secret, char **ret_text,
                                struct koa_error *reterr)
{
    if (koa_kafka_is_set(secret->file))
        return koa_secret_file_read(secret->file, ret_text, reterr);
    if (!koa_kafka_is_set(secret->value))
        return KOA_OK;
    *ret_text = koa_strdup(secret->value);
    return koa_require_memory(*ret_text, reterr);
}

static enum koa_err read_tls(const struct koa_kafka_security *security,
                             struct koa_kafka_material *material, struct koa_error *reterr)
{
    struct koa_tls_client_opts opts = {.ca_file = security->ca_file,
                                       .cert_file = security->cert_file,
                                       .key_file = security->key_file};
    char *password = NULL;
    enum koa_err err = read_secret(&security->key_password, &password, reterr);

    opts.key_password = password;
    if (err == KOA_OK)
        err = koa_tls_client_create(&opts, &material->tls, reterr);
    koa_free_secret(password);
    return err;
}

enum koa_err koa_kafka_material_create(const struct koa_kafka_security *security,
                                       struct koa_kafka_material **ret_material,
                                       struct koa_error *reterr)
{
    struct koa_kafka_material *material = koa_calloc(1, sizeof(*material));
    enum koa_err err = koa_require_memory(material, reterr);

    if (err != KOA_OK)
        return err;
    /* Before reading: a file that changes meanwhile is read again next time. */
    material->signature = koa_kafka_material_signature(security);
    if (security->use_tls)
        err = read_tls(security, material, reterr);
    if (err == KOA_OK)
        err = read_secret(&security->password, &material->password, reterr);
    if (err == KOA_OK)
        err = read_secret(&security->token, &material->token, reterr);
    if (err == KOA_OK)
        err = read_secret(&security->client_secret, &material->client_secret, reterr);
    if (err == KOA_OK) {
        /* Tokens come and go too often for a list that only grows: they are kept out of texts
         * where they could come in (login.c). */
        (void) koa_redact_register(material->password);
        (void) koa_redact_register(material->client_secret);
        *ret_material = KOA_MOVE(material);
    }
    koa_kafka_material_destroy(material);
    return err;
}

void koa_kafka_material_destroy(struct koa_kafka_material *material)
{
    if (material == NULL)
        return;
    koa_tls_client_unref(material->tls);
    koa_free_secret(material->password);
    koa_free_secret(material->token);
    koa_free_secret(material->client_secret);
    koa_free(material);
}
