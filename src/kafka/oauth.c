/* Writes and reads what is said at a token endpoint. When to go there is token_source.c's matter.
 */
#include "kafka/oauth.h"

#include <string.h>

#include "base/json_read.h"
#include "base/memory.h"
#include "base/str.h"
#include "crypto/crypto.h"

enum {
    REASON_SIZE = 200,
    CREDENTIALS_LIMIT = 256 * 1024, /* two secret files, every byte encoded */
    PAYLOAD_LIMIT = 16 * 1024,      /* of a JWT */
};

/* application/x-www-form-urlencoded. */
static void append_encoded(struct koa_buf *buf, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *text != '\0'; text++) {
        if (strchr(plain, *text) != NULL) {
            koa_buf_append_char(buf, *text);
        } else {
            koa_buf_printf(buf, "%%%02X", (unsigned) (unsigned char) *text);
        }
    }
}

void koa_oauth_write_form(const char *scope, struct koa_buf *buf)
{
    koa_buf_append_text(buf, "grant_type=client_credentials");
    if (scope != NULL && scope[0] != '\0') {
        koa_buf_append_text(buf, "&scope=");
        append_encoded(buf, scope);
    }
}

void koa_oauth_write_authorization(const char *client_id, const char *client_secret,
                                   struct koa_buf *buf)
{
    struct koa_buf pair = {.limit = CREDENTIALS_LIMIT};
    size_t size;
    char *target;

    append_encoded(&pair, client_id);
    koa_buf_append_char(&pair, ':');
    append_encoded(&pair, client_secret);
    koa_buf_append_text(buf, "Authorization: Basic ");
    size = (pair.size + 2) / 3 * 4;
    target = pair.failed ? NULL : koa_buf_reserve(buf, size + 1);
    if (target != NULL) {
        koa_base64_encode((struct koa_str){.data = pair.data, .size = pair.size}, target, size + 1);
        koa_buf_advance(buf, size);
    } else {
        buf->failed = true;
    }
    if (pair.data != NULL)
        explicit_bzero(pair.data, pair.capacity);
    koa_buf_deinit(&pair);
}

/* Printable ASCII only: it goes into a line of ours. */
static void copy_reason(const char *text, char reason[REASON_SIZE])
{
    size_t size = 0;

    for (; text != NULL && *text != '\0' && size + 1 < REASON_SIZE; text++) {
        reason[size] = *text;
        if (*text < ' ' || *text > '~')
            reason[size] = '?';
        size++;
    }
    reason[size] = '\0';
}

/* RFC 6749, 5.2: {"error": "invalid_client", "error_description": "..."} */
static enum koa_err fail_status(int status, const struct koa_json_value *root,
                                struct koa_error *reterr)
{
    char code[REASON_SIZE];
    char description[REASON_SIZE];

    copy_reason(koa_json_value_text(koa_json_get(root, "error")), code);
    copy_reason(koa_json_value_text(koa_json_get(root, "error_description")), description);
    return koa_fail(reterr, KOA_ERR_AUTH, "the token endpoint answers %d%s%s%s%s", status,
                    code[0] != '\0' ? ": " : "", code, description[0] != '\0' ? ": " : "",
                    description);
}

enum koa_err koa_oauth_read(const struct koa_oauth_answer *answer, char **ret_token,
                            int64_t *ret_lifetime_ms, struct koa_error *reterr)
{
    KOA_AUTO(koa_json_value) *root = NULL;
    enum koa_err err = koa_json_parse(answer->body, &root, NULL);
    const char *token = koa_json_value_text(koa_json_get(root, "access_token"));
    const char *type = koa_json_value_text(koa_json_get(root, "token_type"));
    double seconds = 0;

    if (answer->status != 200)
        return fail_status(answer->status, root, reterr);
    if (err != KOA_OK)
        return koa_fail(reterr, KOA_ERR_PROTOCOL, "the token endpoint's answer is no JSON");
    if (token == NULL || token[0] == '\0') {
        return koa_fail(reterr, KOA_ERR_PROTOCOL,
                        "the token endpoint's answer has no access_token");
    }
    if (type != NULL && !koa_text_equal_nocase(type, "bearer")) {
        char shown[REASON_SIZE];

        copy_reason(type, shown);
        return koa_fail(reterr, KOA_ERR_PROTOCOL,
                        "the token endpoint gives a token of type '%s'; 'Bearer' is needed", shown);
    }
    *ret_lifetime_ms = -1;
    if (koa_json_value_number(koa_json_get(root, "expires_in"), &seconds) && seconds >= 0)
        *ret_lifetime_ms = seconds < 1e9 ? (int64_t) (seconds * 1000) : INT64_C(1000000000000);
    *ret_token = koa_strdup(token);
    return koa_require_memory(*ret_token, reterr);
}

/* base64url without padding (RFC 7515, appendix C); the size, or 0. */
static size_t decode_url(struct koa_str text, unsigned char *target, size_t capacity)
{
    struct koa_buf buf = {.limit = (size_t) PAYLOAD_LIMIT * 2};
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        char character = text.data[i];

        if (character == '-')
            character = '+';
        if (character == '_')
            character = '/';
        koa_buf_append_char(&buf, character);
    }
    while (buf.size % 4 != 0 && !buf.failed)
        koa_buf_append_char(&buf, '=');
    if (buf.failed || !koa_base64_decode((struct koa_str){.data = buf.data, .size = buf.size},
                                         target, capacity, &size))
        size = 0;
    if (buf.data != NULL)
        explicit_bzero(buf.data, buf.capacity);
    koa_buf_deinit(&buf);
    return size;
}

bool koa_oauth_expiry(const char *token, struct koa_wall *ret_expiry)
{
    struct koa_str rest = koa_str_from(token);
    struct koa_str header = koa_str_split(rest, '.', &rest);
    struct koa_str payload = koa_str_split(rest, '.', &rest);
    KOA_AUTOFREE unsigned char *text = koa_calloc(PAYLOAD_LIMIT, 1);
    size_t size = text != NULL && header.size > 0 && payload.size > 0
                      ? decode_url(payload, text, PAYLOAD_LIMIT)
                      : 0;
    KOA_AUTO(koa_json_value) *root = NULL;
    double seconds = 0;

    if (size == 0 ||
        koa_json_parse((struct koa_str){.data = (const char *) text, .size = size}, &root, NULL) !=
            KOA_OK ||
        !koa_json_value_number(koa_json_get(root, "exp"), &seconds) || seconds < 0 ||
        seconds > 1e12)
        return false;
    ret_expiry->ms = (int64_t) (seconds * 1000);
    return true;
}
