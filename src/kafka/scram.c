/* SCRAM's messages and proofs. Stretching the password is left to whoever may take the time. */
#include "kafka/scram.h"

#include <string.h>

#include "base/memory.h"
#include "base/num.h"
#include "base/str.h"
#include "crypto/crypto.h"

enum { TEXT_LIMIT = 8192 }; /* of all messages of one exchange */

#define GS2_HEADER "n,,"            /* no channel binding, no other identity */
#define GS2_HEADER_AS_BASE64 "biws" /* as the last message repeats it */

static struct koa_str view_of(const struct koa_buf *buf)
{
    return (struct koa_str){.data = buf->data, .size = buf->size};
}

static struct koa_str digest_of(const struct koa_digest *digest)
{
    return (struct koa_str){.data = (const char *) digest->bytes, .size = digest->size};
}

/* '=' and ',' have a meaning of their own there. */
static void append_name(struct koa_buf *buf, const char *username)
{
    for (; *username != '\0'; username++) {
        if (*username == '=') {
            koa_buf_append_text(buf, "=3D");
        } else if (*username == ',') {
            koa_buf_append_text(buf, "=2C");
        } else {
            koa_buf_append_char(buf, *username);
        }
    }
}

enum koa_err koa_scram_begin(struct koa_scram *scram, enum koa_digest_kind kind,
                             const char *username, const char *nonce, struct koa_buf *out)
{
    koa_scram_deinit(scram);
    *scram = (struct koa_scram){.salt = {.kind = kind},
                                .signed_text = {.limit = TEXT_LIMIT},
                                .full_nonce = {.limit = TEXT_LIMIT}};
    (void) koa_str_copy(scram->nonce, sizeof(scram->nonce), koa_str_from(nonce));
    koa_buf_append_text(&scram->signed_text, "n=");
    append_name(&scram->signed_text, username);
    koa_buf_printf(&scram->signed_text, ",r=%s", scram->nonce);
    koa_buf_printf(out, GS2_HEADER "%s", koa_buf_text(&scram->signed_text));
    return koa_buf_status(&scram->signed_text, "a SCRAM message", NULL);
}

void koa_scram_deinit(struct koa_scram *scram)
{
    koa_buf_deinit(&scram->signed_text);
    koa_buf_deinit(&scram->full_nonce);
    explicit_bzero(&scram->server_signature, sizeof(scram->server_signature));
}

/* Takes "x=value" off the front of `*rest`; NULL data when it does not begin with `letter`. */
static struct koa_str take_attribute(struct koa_str *rest, char letter)
{
    struct koa_str part;

    if (rest->size < 2 || rest->data[0] != letter || rest->data[1] != '=')
        return (struct koa_str){.data = NULL};
    part = koa_str_split(*rest, ',', rest);
    part.data += 2;
    part.size -= 2;
    return part;
}

static enum koa_err take_nonce(struct koa_scram *scram, struct koa_str nonce,
                               struct koa_error *reterr)
{
    struct koa_str own = koa_str_from(scram->nonce);

    if (nonce.size <= own.size || !koa_str_starts(nonce, own)) {
        return koa_fail(reterr, KOA_ERR_PROTOCOL,
                        "SCRAM: the broker's nonce does not continue ours");
    }
    koa_buf_append(&scram->full_nonce, nonce.data, nonce.size);
    return koa_buf_status(&scram->full_nonce, "a SCRAM nonce", reterr);
}

static enum koa_err take_iterations(struct koa_scram *scram, struct koa_str text,
                                    struct koa_error *reterr)
{
    int64_t iterations = 0;

    if (koa_parse_int(text, KOA_SCRAM_ITERATIONS_MIN, KOA_SCRAM_ITERATIONS_MAX, &iterations) !=
        KOA_OK) {
        return koa_fail(reterr, KOA_ERR_PROTOCOL,
                        "SCRAM: the broker asks for '%.*s' iterations; %d to %d are accepted",
                        (int) (text.size < 16 ? text.size : 16), text.data != NULL ? text.data : "",
                        KOA_SCRAM_ITERATIONS_MIN, KOA_SCRAM_ITERATIONS_MAX);
    }
    scram->salt.iterations = (int) iterations;
    return KOA_OK;
}

enum koa_err koa_scram_take_first(struct koa_scram *scram, struct koa_str message,
                                  struct koa_error *reterr)
{
    struct koa_str rest = message;
    struct koa_str nonce = take_attribute(&rest, 'r');
    struct koa_str salt = take_attribute(&rest, 's');
    struct koa_str iterations = take_attribute(&rest, 'i');
    enum koa_err err;

    /* An extension that must be understood ("m=") stands first, so it fails here too. */
    if (nonce.data == NULL || salt.data == NULL || iterations.data == NULL) {
        return koa_fail(reterr, KOA_ERR_PROTOCOL,
                        "SCRAM: the broker's first message is not nonce, salt and iterations");
    }
    if (!koa_base64_decode(salt, scram->salt.bytes, sizeof(scram->salt.bytes), &scram->salt.size) ||
        scram->salt.size == 0)
        return koa_fail(reterr, KOA_ERR_PROTOCOL, "SCRAM: the broker's salt cannot be read");
    err = take_nonce(scram, nonce, reterr);
    if (err == KOA_OK)
        err = take_iterations(scram, iterations, reterr);
    if (err == KOA_OK) {
        koa_buf_append_char(&scram->signed_text, ',');
        koa_buf_append(&scram->signed_text, message.data, message.size);
        koa_buf_append_text(&scram->signed_text, ",c=" GS2_HEADER_AS_BASE64 ",r=");
        koa_buf_append(&scram->signed_text, scram->full_nonce.data, scram->full_nonce.size);
        err = koa_buf_status(&scram->signed_text, "a SCRAM exchange", reterr);
    }
    return err;
}

/* ClientProof and ServerSignature, RFC 5802 section 3. */
static bool compute(struct koa_scram *scram, const struct koa_digest *salted,
                    struct koa_digest *ret_proof)
{
    enum koa_digest_kind kind = scram->salt.kind;
    struct koa_str said = view_of(&scram->signed_text);
    struct koa_digest client_key;
    struct koa_digest stored_key;
    struct koa_digest server_key;
    bool is_done = koa_digest_hmac(kind, digest_of(salted), KOA_STR("Client Key"), &client_key) &&
                   koa_digest(kind, digest_of(&client_key), &stored_key) &&
                   koa_digest_hmac(kind, digest_of(&stored_key), said, ret_proof) &&
                   koa_digest_hmac(kind, digest_of(salted), KOA_STR("Server Key"), &server_key) &&
                   koa_digest_hmac(kind, digest_of(&server_key), said, &scram->server_signature);

    for (size_t i = 0; is_done && i < ret_proof->size; i++)
        ret_proof->bytes[i] ^= client_key.bytes[i];
    explicit_bzero(&client_key, sizeof(client_key));
    explicit_bzero(&stored_key, sizeof(stored_key));
    explicit_bzero(&server_key, sizeof(server_key));
    return is_done;
}

enum koa_err koa_scram_prove(struct koa_scram *scram, const struct koa_digest *salted,
                             struct koa_buf *out, struct koa_error *reterr)
{
    char text[(KOA_DIGEST_LIMIT + 2) / 3 * 4 + 1];
    struct koa_digest proof;

    if (!compute(scram, salted, &proof))
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory for a SCRAM proof");
    koa_base64_encode(digest_of(&proof), text, sizeof(text));
    koa_buf_printf(out, "c=" GS2_HEADER_AS_BASE64 ",r=%s,p=%s", koa_buf_text(&scram->full_nonce),
                   text);
    return KOA_OK;
}

enum koa_err koa_scram_take_last(struct koa_scram *scram, struct koa_str message,
                                 struct koa_error *reterr)
{
    struct koa_str rest = message;
    struct koa_str refusal = take_attribute(&rest, 'e');
    struct koa_str proof = take_attribute(&rest, 'v');
    unsigned char bytes[KOA_DIGEST_LIMIT];
    size_t size = 0;

    if (refusal.data != NULL) {
        return koa_fail(reterr, KOA_ERR_AUTH, "the broker refuses: %.*s",
                        (int) (refusal.size < 100 ? refusal.size : 100), refusal.data);
    }
    if (proof.data == NULL || !koa_base64_decode(proof, bytes, sizeof(bytes), &size))
        return koa_fail(reterr, KOA_ERR_PROTOCOL, "SCRAM: the broker's last message is no proof");
    if (!koa_constant_time_equal((struct koa_str){.data = (const char *) bytes, .size = size},
                                 digest_of(&scram->server_signature))) {
        return koa_fail(reterr, KOA_ERR_AUTH,
                        "SCRAM: the broker cannot prove that it knows our password; it may be an "
                        "impostor");
    }
    return KOA_OK;
}
