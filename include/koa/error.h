/* How a call says that it failed: a code to branch on, and one line of text for a person. */
#ifndef KOA_ERROR_H
#define KOA_ERROR_H

#include <koa/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One row per code: enumerator, name printed in messages, meaning. Also writes docs/errors.md. */
#define KOA_ERR_ROWS(ROW)                                                                          \
    ROW(KOA_OK, "ok", "success")                                                                   \
    ROW(KOA_ERR_NOMEM, "no_memory", "memory could not be allocated")                               \
    ROW(KOA_ERR_INVALID, "invalid", "the caller passed something that is never right")             \
    ROW(KOA_ERR_RANGE, "out_of_range", "a number lies outside what is allowed")                    \
    ROW(KOA_ERR_PARSE, "parse", "text or bytes do not follow their format")                        \
    ROW(KOA_ERR_LIMIT, "limit", "a stated limit is reached; trying later may work")                \
    ROW(KOA_ERR_NOT_FOUND, "not_found", "no such thing")                                           \
    ROW(KOA_ERR_EXISTS, "exists", "the name is taken")                                             \
    ROW(KOA_ERR_STATE, "state", "not possible in the present state")                               \
    ROW(KOA_ERR_IO, "io", "the operating system refused a file, socket or process operation")      \
    ROW(KOA_ERR_TIMEOUT, "timeout", "a deadline passed")                                           \
    ROW(KOA_ERR_CLOSED, "closed", "the peer or this side ended the connection")                    \
    ROW(KOA_ERR_CANCELLED, "cancelled", "stopped before it could end by itself")                   \
    ROW(KOA_ERR_PROTOCOL, "protocol", "the peer broke the protocol")                               \
    ROW(KOA_ERR_UNSUPPORTED, "unsupported", "this side or the peer cannot do this")                \
    ROW(KOA_ERR_AUTH, "auth", "credentials are missing, wrong or not sufficient")                  \
    ROW(KOA_ERR_TLS, "tls", "a certificate, key or TLS handshake is not acceptable")               \
    ROW(KOA_ERR_STORE, "store", "durable state could not be read or written")

enum koa_err {
#define KOA_ERR_ENUM(code, name, meaning) code,
    KOA_ERR_ROWS(KOA_ERR_ENUM)
#undef KOA_ERR_ENUM
        KOA_ERR_COUNT
};

enum { KOA_ERROR_TEXT_SIZE = 512 };

/* Caller's memory. Written only when the call fails; `text` is then one line, never empty, and
 * holds no secret. `foreign` is the errno, Kafka error code or HTTP status behind it, or 0. */
struct koa_error {
    enum koa_err code;
    int foreign;
    bool retriable;
    bool is_logged; /* the text is in the log already: of functions that say so */
    char text[KOA_ERROR_TEXT_SIZE];
};

/* The word for `code`, such as "not_found"; "unknown" for a number that is no code. Never NULL. */
KOA_API const char *koa_err_name(enum koa_err code);

/* Fills `reterr` (may be NULL) and returns `code`, so that a function can end with it. Text that
 * does not fit is cut at a character boundary. `retriable` becomes true for limit, timeout and
 * closed; the caller corrects it where it knows better. The arguments may point into `reterr`, to
 * put words around an error. Any thread. */
KOA_API enum koa_err koa_fail(struct koa_error *reterr, enum koa_err code, const char *format, ...)
    KOA_PRINTF(3, 4);

/* The same, and appends ": " and the system's text for `error_number`, which also becomes
 * `foreign`. */
KOA_API enum koa_err koa_fail_errno(struct koa_error *reterr, enum koa_err code, int error_number,
                                    const char *format, ...) KOA_PRINTF(4, 5);

#ifdef __cplusplus
}
#endif

#endif
