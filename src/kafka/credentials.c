/* Decides when files are looked at again, which answers are kept, and who has to wait. The reading
 * itself is material.c's matter, tokens of an endpoint token_source.c's. */
#include "kafka/credentials.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "kafka/material.h"
#include "kafka/oauth.h"
#include "kafka/token_source.h"
#include "loop/clock.h"

enum {
    FRESH_MS = 1000,
    LOOK_DEADLINE_MS = 5000, /* a mount that hangs: what was read before stays in use */
    /* The most iterations that are accepted take about a second. */
    STRETCH_DEADLINE_MS = 10000,
    KEYS = 4, /* one salt per user and mechanism; a cluster may be in the middle of a change */
    KEY_NAME_SIZE = 160,
};

/* A look at the files, on a worker. */
struct look {
    struct koa_job job;
    struct koa_kafka_credentials *owner; /* loop's thread; NULL: has gone */
    struct koa_kafka_security_copy *security;
    uint64_t known; /* signature of what is in use */
    bool is_unchanged;
    struct koa_kafka_material *material;
    struct koa_error error;
};

/* A password being stretched, on a worker. */
struct stretch {
    struct koa_job job;
    struct koa_kafka_credentials *owner;
    struct koa_scram_salt salt;
    char *password;
    struct koa_digest key;
    bool is_done;
};

struct stretched {
    struct koa_scram_salt salt; /* no iterations: empty */
    struct koa_digest key;
};

struct koa_kafka_credentials {
    struct koa_kafka_credentials_opts opts; /* without borrowed text */
    char *name;
    struct koa_kafka_security_copy *security;
    const struct koa_kafka_mechanism *mechanism;
    struct koa_token_source *tokens; /* NULL: no endpoint */

    struct koa_kafka_material *material; /* NULL: nothing good was read yet */
    struct koa_mono looked;
    bool has_looked;
    struct look *look;       /* NULL: none under way */
    bool was_refused;        /* the last look found files that are no good: */
    struct koa_error reason; /* why; also why there is no material at all */

    struct stretched keys[KEYS];
    size_t next_key;
    struct stretch *stretch; /* NULL: none under way */
    bool has_stretch_failed;
    struct koa_kafka_identity identity; /* as handed out last */
};

static const struct koa_kafka_security *settings_of(const struct koa_kafka_credentials *credentials)
{
    return koa_kafka_security_get(credentials->security);
}

/* ---- life */

static void warn_of_plaintext(const struct koa_kafka_credentials *credentials)
{
    const struct koa_kafka_security *settings = settings_of(credentials);

    if (credentials->mechanism != NULL && credentials->mechanism->shows_secret &&
        !settings->use_tls) {
        koa_log_warn(credentials->opts.log, "kafka.plaintext",
                     "%s: %s without tls sends its secret readable for everyone on the way; set "
                     "tls.enabled where the brokers can",
                     credentials->name, credentials->mechanism->name);
    }
    if (credentials->tokens != NULL &&
        !koa_str_starts(koa_str_from(settings->token_url), KOA_STR("https:"))) {
        koa_log_warn(credentials->opts.log, "kafka.plaintext",
                     "%s: sasl.token_url is not https: the client's secret and its tokens are "
                     "readable for everyone on the way",
                     credentials->name);
    }
}

static enum koa_err create_tokens(struct koa_kafka_credentials *credentials,
                                  struct koa_error *reterr)
{
    const struct koa_kafka_security *settings = settings_of(credentials);
    struct koa_token_source_opts opts = {.loop = credentials->opts.loop,
                                         .http = credentials->opts.http,
                                         .name = credentials->name,
                                         .url = settings->token_url,
                                         .client_id = settings->client_id,
                                         .scope = settings->scope,
                                         .ca_file = settings->token_ca_file,
                                         .log = credentials->opts.log,
                                         .changed = credentials->opts.changed,
                                         .context = credentials->opts.context};

    if (credentials->mechanism == NULL || !credentials->mechanism->takes_token ||
        !koa_kafka_is_set(settings->token_url))
        return KOA_OK;
    if (opts.http == NULL)
        return koa_fail(reterr, KOA_ERR_UNSUPPORTED, "sasl.token_url cannot be used here");
    return koa_token_source_create(&opts, &credentials->tokens, reterr);
}

enum koa_err koa_kafka_credentials_create(const struct koa_kafka_credentials_opts *opts,
                                          struct koa_kafka_credentials **ret_credentials,
                                          struct koa_error *reterr)
{
    struct koa_kafka_credentials *credentials = koa_calloc(1, sizeof(*credentials));
    enum koa_err err = koa_require_memory(credentials, reterr);

    if (err != KOA_OK)
        return err;
    credentials->opts = *opts;
    if (credentials->opts.fresh_ms == 0)
        credentials->opts.fresh_ms = FRESH_MS;
    credentials->opts.security = NULL;
    credentials->opts.name = NULL;
    credentials->name = koa_strdup(opts->name);
    credentials->security = koa_kafka_security_copy(opts->security);
    err = koa_kafka_security_check(opts->security, reterr);
    if (err == KOA_OK && (credentials->name == NULL || credentials->security == NULL))
        err = koa_require_memory(NULL, reterr);
    if (err == KOA_OK) {
        credentials->mechanism = koa_kafka_mechanism_find(opts->security->mechanism);
        err = create_tokens(credentials, reterr);
    }
    if (err == KOA_OK) {
        warn_of_plaintext(credentials);
        *ret_credentials = KOA_MOVE(credentials);
    }
    koa_kafka_credentials_destroy(credentials);
    return err;
}

static void forget_keys(struct koa_kafka_credentials *credentials)
{
    explicit_bzero(credentials->keys, sizeof(credentials->keys));
    credentials->has_stretch_failed = false;
}

void koa_kafka_credentials_destroy(struct koa_kafka_credentials *credentials)
{
    if (credentials == NULL)
        return;
    if (credentials->look != NULL)
        credentials->look->owner = NULL;
    if (credentials->stretch != NULL)
        credentials->stretch->owner = NULL;
    koa_token_source_destroy(credentials->tokens);
    koa_kafka_material_destroy(credentials->material);
    koa_kafka_security_unref(credentials->security);
    forget_keys(credentials);
    koa_free(credentials->name);
    koa_free(credentials);
}

const struct koa_kafka_mechanism *
koa_kafka_credentials_mechanism(const struct koa_kafka_credentials *credentials)
{
    return credentials->mechanism;
}

/* Each cluster's files may lie on a mount of their own that hangs. */
static void name_key(const struct koa_kafka_credentials *credentials, const char *what,
                     char key[KEY_NAME_SIZE])
{
    (void) snprintf(key, KEY_NAME_SIZE, "kafka-%s:%s", what, credentials->name);
}

/* ---- files */

static void look_work(struct koa_job *job)
{
    struct look *look = KOA_CONTAINER_OF(job, struct look, job);
    const struct koa_kafka_security *settings = koa_kafka_security_get(look->security);

    look->is_unchanged = look->known != 0 && koa_kafka_material_signature(settings) == look->known;
    if (!look->is_unchanged)
        (void) !koa_kafka_material_create(settings, &look->material, &look->error);
}

static void look_release(struct koa_job *job)
{
    struct look *look = KOA_CONTAINER_OF(job, struct look, job);

    koa_kafka_material_destroy(look->material);
    koa_kafka_security_unref(look->security);
    koa_free(look);
}

static void take_material(struct koa_kafka_credentials *credentials,
                          struct koa_kafka_material *material)
{
    bool is_first = credentials->material == NULL;

    if (is_first || !koa_text_equal(credentials->material->password, material->password))
        forget_keys(credentials);
    if (!is_first) {
        koa_log_notice(credentials->opts.log, "kafka.credentials",
                       "%s: certificates and secrets were read again: their files have changed",
                       credentials->name);
    }
    koa_kafka_material_destroy(credentials->material);
    credentials->material = material;
    credentials->was_refused = false;
}

/* Told once for each reason, however often it is met. */
static void refuse_material(struct koa_kafka_credentials *credentials,
                            const struct koa_error *error)
{
    bool is_news =
        !credentials->was_refused || !koa_text_equal(credentials->reason.text, error->text);

    if (credentials->material != NULL && is_news) {
        koa_log_error(credentials->opts.log, "kafka.credentials",
                      "%s: the changed certificates and secrets are not used: %s; what was read "
                      "before stays in use",
                      credentials->name, error->text);
    }
    credentials->was_refused = true;
    credentials->reason = *error;
}

static void look_done(struct koa_job *job, bool is_abandoned)
{
    struct look *look = KOA_CONTAINER_OF(job, struct look, job);
    struct koa_kafka_credentials *credentials = look->owner;
    struct koa_error error;

    if (credentials == NULL)
        return;
    credentials->look = NULL;
    credentials->has_looked = true;
    credentials->looked = koa_loop_now(credentials->opts.loop);
    if (is_abandoned) {
        (void) koa_fail(&error, KOA_ERR_TIMEOUT,
                        "reading the certificates and secrets of %s took longer than %d ms",
                        credentials->name, LOOK_DEADLINE_MS);
        refuse_material(credentials, &error);
    } else if (look->material != NULL) {
        take_material(credentials, KOA_MOVE(look->material));
    } else if (look->is_unchanged) {
        credentials->was_refused = false;
    } else {
        refuse_material(credentials, &look->error);
    }
    credentials->opts.changed(credentials->opts.context);
}

static enum koa_err start_look(struct koa_kafka_credentials *credentials, struct koa_error *reterr)
{
    struct look *look = koa_calloc(1, sizeof(*look));
    enum koa_err err = koa_require_memory(look, reterr);
    char key[KEY_NAME_SIZE];

    if (err != KOA_OK)
        return err;
    look->job = (struct koa_job){.work = look_work,
                                 .done = look_done,
                                 .release = look_release,
                                 .deadline_ms = LOOK_DEADLINE_MS};
    look->owner = credentials;
    look->security = koa_kafka_security_ref(credentials->security);
    look->known = credentials->material != NULL ? credentials->material->signature : 0;
    name_key(credentials, "files", key);
    err =
        koa_workers_run(credentials->opts.workers, credentials->opts.loop, key, &look->job, reterr);
    if (err == KOA_OK) {
        credentials->look = look;
    } else {
        look_release(&look->job);
    }
    return err;
}

/* What the files hold, as of a second ago at most. */
static enum koa_err get_material(struct koa_kafka_credentials *credentials,
                                 const struct koa_kafka_material **ret_material,
                                 bool *ret_is_pending, struct koa_error *reterr)
{
    struct koa_mono now = koa_loop_now(credentials->opts.loop);
    struct koa_error error;
    enum koa_err err;

    if (credentials->look == NULL &&
        (!credentials->has_looked ||
         koa_mono_diff_ms(now, credentials->looked) >= credentials->opts.fresh_ms)) {
        err = start_look(credentials, &error);
        /* Workers that have no room leave what there is. */
        if (err != KOA_OK && credentials->material == NULL) {
            if (reterr != NULL)
                *reterr = error;
            return err;
        }
    }
    *ret_is_pending = credentials->look != NULL;
    *ret_material = credentials->material;
    if (*ret_is_pending || credentials->material != NULL)
        return KOA_OK;
    if (reterr != NULL)
        *reterr = credentials->reason;
    return credentials->reason.code;
}

enum koa_err koa_kafka_credentials_tls(struct koa_kafka_credentials *credentials,
                                       struct koa_tls_client **ret_tls, bool *ret_is_pending,
                                       struct koa_error *reterr)
{
    const struct koa_kafka_material *material = NULL;
    enum koa_err err = get_material(credentials, &material, ret_is_pending, reterr);

    if (err == KOA_OK && !*ret_is_pending)
        *ret_tls = material->tls;
    return err;
}

/* ---- who we are */

/* A token that is over is not sent: the broker's words for it would not say why. */
static enum koa_err check_expiry(const char *token, struct koa_error *reterr)
{
    char text[KOA_TIME_TEXT_SIZE];
    struct koa_wall expiry;

    if (!koa_oauth_expiry(token, &expiry) || expiry.ms > koa_clock_wall().ms)
        return KOA_OK;
    koa_wall_format(expiry, text);
    return koa_fail(reterr, KOA_ERR_AUTH, "the OAUTHBEARER token expired at %s", text);
}

static enum koa_err get_identity(void *context, const struct koa_kafka_identity **ret_identity,
                                 bool *ret_is_pending, struct koa_error *reterr)
{
    struct koa_kafka_credentials *credentials = context;
    const struct koa_kafka_material *material = NULL;
    const char *token = NULL;
    enum koa_err err = get_material(credentials, &material, ret_is_pending, reterr);

    if (err != KOA_OK || *ret_is_pending)
        return err;
    if (credentials->tokens != NULL) {
        err = koa_token_source_get(credentials->tokens, material->client_secret, &token,
                                   ret_is_pending, reterr);
    } else if (credentials->mechanism->takes_token) {
        token = material->token;
        err = check_expiry(token, reterr);
    }
    if (err != KOA_OK || *ret_is_pending)
        return err;
    credentials->identity =
        (struct koa_kafka_identity){.username = settings_of(credentials)->username,
                                    .password = material->password,
                                    .token = token};
    *ret_identity = &credentials->identity;
    return KOA_OK;
}

/* ---- stretched passwords */

static bool is_same_salt(const struct koa_scram_salt *a, const struct koa_scram_salt *b)
{
    return a->kind == b->kind && a->iterations == b->iterations && a->size == b->size &&
           memcmp(a->bytes, b->bytes, a->size) == 0;
}

static void stretch_work(struct koa_job *job)
{
    struct stretch *stretch = KOA_CONTAINER_OF(job, struct stretch, job);
    struct koa_pbkdf2 opts = {
        .kind = stretch->salt.kind,
        .password = koa_str_from(stretch->password),
        .salt = {.data = (const char *) stretch->salt.bytes, .size = stretch->salt.size},
        .iterations = stretch->salt.iterations};

    stretch->is_done = koa_pbkdf2(&opts, &stretch->key);
}

static void stretch_release(struct koa_job *job)
{
    struct stretch *stretch = KOA_CONTAINER_OF(job, struct stretch, job);

    koa_free_secret(stretch->password);
    explicit_bzero(&stretch->key, sizeof(stretch->key));
    koa_free(stretch);
}

static void stretch_done(struct koa_job *job, bool is_abandoned)
{
    struct stretch *stretch = KOA_CONTAINER_OF(job, struct stretch, job);
    struct koa_kafka_credentials *credentials = stretch->owner;
    const struct koa_kafka_material *material;

    if (credentials == NULL)
        return;
    credentials->stretch = NULL;
    material = credentials->material;
    if (is_abandoned || !stretch->is_done) {
        credentials->has_stretch_failed = true;
    } else if (material != NULL && koa_text_equal(material->password, stretch->password)) {
        struct stretched *row = &credentials->keys[credentials->next_key];

        credentials->next_key = (credentials->next_key + 1) % KEYS;
        *row = (struct stretched){.salt = stretch->salt, .key = stretch->key};
    }
    credentials->opts.changed(credentials->opts.context);
    credentials->has_stretch_failed = false; /* whoever waited has heard of it */
}

static enum koa_err start_stretch(struct koa_kafka_credentials *credentials,
                                  const struct koa_scram_salt *salt, struct koa_error *reterr)
{
    struct stretch *stretch = koa_calloc(1, sizeof(*stretch));
    enum koa_err err = koa_require_memory(stretch, reterr);
    char key[KEY_NAME_SIZE];

    if (err != KOA_OK)
        return err;
    stretch->job = (struct koa_job){.work = stretch_work,
                                    .done = stretch_done,
                                    .release = stretch_release,
                                    .deadline_ms = STRETCH_DEADLINE_MS};
    stretch->owner = credentials;
    stretch->salt = *salt;
    stretch->password = koa_strdup(credentials->material->password);
    err = koa_require_memory(stretch->password, reterr);
    name_key(credentials, "scram", key);
    if (err == KOA_OK) {
        err = koa_workers_run(credentials->opts.workers, credentials->opts.loop, key, &stretch->job,
                              reterr);
    }
    if (err == KOA_OK) {
        credentials->stretch = stretch;
    } else {
        stretch_release(&stretch->job);
    }
    return err;
}

static enum koa_err get_key(void *context, const struct koa_scram_salt *salt,
                            struct koa_digest *ret_key, bool *ret_is_pending,
                            struct koa_error *reterr)
{
    struct koa_kafka_credentials *credentials = context;

    for (size_t i = 0; i < KEYS; i++) {
        if (credentials->keys[i].salt.iterations > 0 &&
            is_same_salt(&credentials->keys[i].salt, salt)) {
            *ret_key = credentials->keys[i].key;
            return KOA_OK;
        }
    }
    if (credentials->has_stretch_failed || credentials->material == NULL) {
        return koa_fail(reterr, KOA_ERR_TIMEOUT,
                        "SCRAM: the password could not be stretched in time");
    }
    *ret_is_pending = true;
    /* One at a time: when it is done, everyone who waits asks again. */
    return credentials->stretch == NULL ? start_stretch(credentials, salt, reterr) : KOA_OK;
}

const struct koa_kafka_secrets koa_kafka_credentials_secrets = {.identity = get_identity,
                                                                .key = get_key};
