/* Drives one SASL exchange over Kafka's requests, and puts a broker's refusal into words. */
#include "kafka/login.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "kafka/error_code.h"

enum {
    REASON_SIZE = 256,
    SECRET_MIN = 4, /* shorter ones are found in ordinary words */
};

void koa_kafka_login_reset(struct koa_kafka_login *login)
{
    login->phase = KOA_KAFKA_LOGIN_IDLE;
    login->is_to_send = false;
    login->is_done = false;
    login->has_failed = false;
    koa_kafka_sasl_deinit(&login->sasl);
}

void koa_kafka_login_deinit(struct koa_kafka_login *login)
{
    koa_kafka_login_reset(login);
}

void koa_kafka_login_begin(struct koa_kafka_login *login, struct koa_mono deadline)
{
    koa_kafka_login_reset(login);
    login->phase = KOA_KAFKA_LOGIN_IDENTITY;
    login->deadline = deadline;
    login->lifetime_ms = 0;
}

/* ---- what the broker says */

/* A broker that repeats what it was given must not bring it into our log. */
static void copy_reason(const struct koa_kafka_login *login, struct koa_str said,
                        char reason[REASON_SIZE])
{
    const struct koa_kafka_identity *identity = NULL;
    bool is_pending = false;
    const char *secret;

    (void) koa_str_copy(reason, REASON_SIZE, said);
    if (login->secrets->identity(login->context, &identity, &is_pending, NULL) != KOA_OK ||
        identity == NULL)
        return;
    secret = login->mechanism->takes_token ? identity->token : identity->password;
    if (secret != NULL && strlen(secret) >= SECRET_MIN && strstr(reason, secret) != NULL)
        (void) snprintf(reason, REASON_SIZE, "(its words repeat the secret and are not shown)");
}

/* "PLAIN, SCRAM-SHA-256". */
static void list_mechanisms(const struct koa_kafka_sasl_handshake_response *answer,
                            char text[REASON_SIZE])
{
    struct koa_buf list = {.limit = REASON_SIZE - 1};

    for (size_t i = 0; i < answer->mechanisms.count; i++) {
        koa_buf_printf(&list, "%s%.*s", i > 0 ? ", " : "", (int) answer->mechanisms.rows[i].size,
                       answer->mechanisms.rows[i].data);
    }
    (void) snprintf(text, REASON_SIZE, "%s", list.size > 0 ? koa_buf_text(&list) : "none");
    koa_buf_deinit(&list);
}

static enum koa_err judge_handshake(const struct koa_kafka_login *login,
                                    const struct koa_kafka_sasl_handshake_response *answer,
                                    struct koa_error *reterr)
{
    char offered[REASON_SIZE];

    switch (answer->error_code) {
    case KOA_KAFKA_NO_ERROR:
        return KOA_OK;
    case KOA_KAFKA_UNSUPPORTED_SASL_MECHANISM:
        list_mechanisms(answer, offered);
        return koa_fail(reterr, KOA_ERR_AUTH,
                        "the broker does not take SASL mechanism %s here; it takes %s",
                        login->mechanism->name, offered);
    case KOA_KAFKA_ILLEGAL_SASL_STATE:
        return koa_fail(reterr, KOA_ERR_AUTH,
                        "the broker does not take SASL here (ILLEGAL_SASL_STATE): is this a "
                        "listener without authentication?");
    default:
        return koa_fail(reterr, KOA_ERR_AUTH, "the broker refuses SASL mechanism %s: %s (%d)",
                        login->mechanism->name, koa_kafka_error_name(answer->error_code),
                        answer->error_code);
    }
}

static enum koa_err judge_exchange(const struct koa_kafka_login *login,
                                   const struct koa_kafka_sasl_authenticate_response *answer,
                                   struct koa_error *reterr)
{
    char reason[REASON_SIZE];
    bool is_named = login->mechanism->takes_password;

    if (answer->error_code == KOA_KAFKA_NO_ERROR)
        return KOA_OK;
    copy_reason(login, answer->error_message, reason);
    return koa_fail(reterr, KOA_ERR_AUTH, "authentication by %s%s%s%s failed: %s%s%s (%s)",
                    login->mechanism->name, is_named ? " as '" : "",
                    is_named ? login->username : "", is_named ? "'" : "", login->sasl.refusal,
                    login->sasl.refusal[0] != '\0' ? "; " : "", reason,
                    koa_kafka_error_name(answer->error_code));
}

static void fail_later(struct koa_kafka_login *login, enum koa_err err)
{
    login->has_failed = err != KOA_OK;
    if (login->has_failed) {
        login->failure.retriable = false;
        login->failure.code = err;
    }
}

static void on_handshake(void *context, struct koa_kafka_request *request,
                         const struct koa_kafka_answer *answer)
{
    struct koa_kafka_login *login = context;

    (void) request;
    if (answer->error != NULL)
        return; /* the connection ends */
    fail_later(login, judge_handshake(login, answer->body, &login->failure));
    login->phase = KOA_KAFKA_LOGIN_EXCHANGE;
    login->is_to_send = true;
}

static void on_exchange(void *context, struct koa_kafka_request *request,
                        const struct koa_kafka_answer *answer)
{
    struct koa_kafka_login *login = context;
    const struct koa_kafka_sasl_authenticate_response *body = answer->body;
    enum koa_err err;

    (void) request;
    if (answer->error != NULL)
        return;
    err = judge_exchange(login, body, &login->failure);
    if (err == KOA_OK)
        err = koa_kafka_sasl_take(&login->sasl, body->auth_bytes, &login->failure);
    fail_later(login, err);
    if (err != KOA_OK)
        return;
    if (login->sasl.state == KOA_KAFKA_SASL_DONE) {
        login->lifetime_ms = body->session_lifetime_ms;
        koa_kafka_login_reset(login);
        login->is_done = true;
    } else {
        login->phase = login->sasl.state == KOA_KAFKA_SASL_WANTS_KEY ? KOA_KAFKA_LOGIN_KEY
                                                                     : KOA_KAFKA_LOGIN_EXCHANGE;
        login->is_to_send = login->sasl.state == KOA_KAFKA_SASL_SENDS;
    }
}

/* ---- what we say */

static enum koa_err take_identity(struct koa_kafka_login *login, struct koa_error *reterr)
{
    const struct koa_kafka_identity *identity = NULL;
    bool is_pending = false;
    enum koa_err err = login->secrets->identity(login->context, &identity, &is_pending, reterr);

    if (err != KOA_OK || is_pending)
        return err;
    (void) koa_str_copy(login->username, sizeof(login->username), koa_str_from(identity->username));
    err = koa_kafka_sasl_begin(&login->sasl, login->mechanism, identity, reterr);
    if (err == KOA_OK) {
        login->phase = KOA_KAFKA_LOGIN_HANDSHAKE;
        login->is_to_send = true;
    }
    return err;
}

static enum koa_err take_key(struct koa_kafka_login *login, struct koa_error *reterr)
{
    struct koa_digest key;
    bool is_pending = false;
    enum koa_err err =
        login->secrets->key(login->context, &login->sasl.scram.salt, &key, &is_pending, reterr);

    if (err != KOA_OK || is_pending)
        return err;
    err = koa_kafka_sasl_supply(&login->sasl, &key, reterr);
    explicit_bzero(&key, sizeof(key));
    login->phase = KOA_KAFKA_LOGIN_EXCHANGE;
    login->is_to_send = true;
    return err;
}

static struct koa_kafka_request *make_request(struct koa_kafka_login *login)
{
    bool is_handshake = login->phase == KOA_KAFKA_LOGIN_HANDSHAKE;

    login->is_to_send = false;
    login->request = (struct koa_kafka_request){
        .api_key = is_handshake ? KOA_KAFKA_SASL_HANDSHAKE : KOA_KAFKA_SASL_AUTHENTICATE,
        .body = &login->body,
        .deadline = login->deadline,
        .done = is_handshake ? on_handshake : on_exchange,
        .context = login};
    if (is_handshake) {
        login->body.handshake = (struct koa_kafka_sasl_handshake_request){
            .mechanism = koa_str_from(login->mechanism->name)};
    } else {
        login->body.authenticate = (struct koa_kafka_sasl_authenticate_request){
            .auth_bytes = {.data = login->sasl.message.data, .size = login->sasl.message.size}};
    }
    return &login->request;
}

enum koa_err koa_kafka_login_step(struct koa_kafka_login *login,
                                  struct koa_kafka_request **ret_request, struct koa_error *reterr)
{
    enum koa_err err = KOA_OK;

    *ret_request = NULL;
    if (login->has_failed) {
        if (reterr != NULL)
            *reterr = login->failure;
        return login->failure.code;
    }
    if (login->phase == KOA_KAFKA_LOGIN_IDENTITY) {
        err = take_identity(login, reterr);
    } else if (login->phase == KOA_KAFKA_LOGIN_KEY) {
        err = take_key(login, reterr);
    }
    if (err == KOA_OK && login->is_to_send)
        *ret_request = make_request(login);
    return err;
}
