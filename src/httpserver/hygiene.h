/* The strict request filter: what nobody honest sends is refused before any handler sees it. Pure;
 * fed field by field. Rules of RFC 9112, on the strict side wherever it leaves a choice. */
#ifndef HTTPSERVER_HYGIENE_H
#define HTTPSERVER_HYGIENE_H

#include <koa/base.h>

#include "httpserver/target.h"

/* One row per fault: enumerator, status, `reason` label, text for the client. */
#define KOA_HTTP_FAULT_ROWS(ROW)                                                                   \
    ROW(KOA_HTTP_FAULT_NONE, 200, "", "")                                                          \
    ROW(KOA_HTTP_FAULT_METHOD, 400, "method", "the method is not a word of capital letters")       \
    ROW(KOA_HTTP_FAULT_VERSION, 505, "version", "only HTTP/1.0 and HTTP/1.1 are spoken here")      \
    ROW(KOA_HTTP_FAULT_HOST, 400, "host", "exactly one valid Host header is required")             \
    ROW(KOA_HTTP_FAULT_LENGTH, 400, "content_length",                                              \
        "at most one Content-Length is allowed, in digits only")                                   \
    ROW(KOA_HTTP_FAULT_LENGTH_AND_CODING, 400, "content_length_and_transfer_encoding",             \
        "Content-Length and Transfer-Encoding exclude each other")                                 \
    ROW(KOA_HTTP_FAULT_CODING, 411, "transfer_encoding",                                           \
        "a body needs Content-Length; Transfer-Encoding is not taken")                             \
    ROW(KOA_HTTP_FAULT_BODY, 400, "body", "this method takes no body")                             \
    ROW(KOA_HTTP_FAULT_BODY_SIZE, 413, "body_size", "the body is larger than is allowed")          \
    ROW(KOA_HTTP_FAULT_NAME, 400, "header_name",                                                   \
        "a header name holds a character that is no "                                              \
        "token character")                                                                         \
    ROW(KOA_HTTP_FAULT_VALUE, 400, "header_value", "a header value holds a control character")     \
    ROW(KOA_HTTP_FAULT_LAYOUT, 400, "header_layout", "a header is folded or holds a NUL byte")     \
    ROW(KOA_HTTP_FAULT_COUNT, 431, "header_count", "there are more headers than are allowed")      \
    ROW(KOA_HTTP_FAULT_SIZE, 431, "header_size", "the headers are larger than is allowed")         \
    ROW(KOA_HTTP_FAULT_TARGET, 400, "target", "the request target is not a path")                  \
    ROW(KOA_HTTP_FAULT_ESCAPE, 400, "escape",                                                      \
        "'%' must be followed by two hexadecimal digits, and not by 00")                           \
    ROW(KOA_HTTP_FAULT_TARGET_SIZE, 414, "target_size", "the request target is too long")          \
    ROW(KOA_HTTP_FAULT_QUERY_COUNT, 400, "query_count", "the query has more than 32 parameters")

enum koa_http_fault {
#define KOA_HTTP_FAULT_ENUM(code, status, reason, text) code,
    KOA_HTTP_FAULT_ROWS(KOA_HTTP_FAULT_ENUM)
#undef KOA_HTTP_FAULT_ENUM
        KOA_HTTP_FAULT_COUNT_OF_ALL
};

enum {
    KOA_HTTP_HEADERS = 100,     /* browsers send about 20 */
    KOA_HTTP_TARGET_SIZE = 4096 /* our longest link, a history query, has about 300 bytes */
};

struct koa_http_fault_info {
    int status;
    const char *reason; /* constant: the label of kafka_ops_http_rejected_requests_total */
    const char *text;
};
const struct koa_http_fault_info *koa_http_fault_find(enum koa_http_fault fault);

/* What the filter learns on its way; zero it, then begin. Pointers are borrowed from the caller. */
struct koa_http_head {
    const char *host;
    const char
        *authorization; /* NULL also when there are two of them: then `authorizations` is 2 */
    const char *origin;
    const char *fetch_site;
    int64_t content_length; /* -1: none */
    size_t fields;
    unsigned hosts, lengths, codings, authorizations;
    enum koa_http_fault fault; /* the first one found */
};

void koa_http_head_begin(struct koa_http_head *head);
/* `name` and `value` end with NUL; the sizes are what the parser says they have, so that a NUL
 * inside shows. False: stop, the fault is known. */
bool koa_http_head_field(struct koa_http_head *head, struct koa_str name, struct koa_str value);
/* After the last field. */
enum koa_http_fault koa_http_head_end(struct koa_http_head *head, const char *method,
                                      const char *version);

/* Bytes that must lie between two pieces of a request's head as it stands in the parser's memory:
 * one line end (LF or CR LF), each byte of it replaced by NUL. Anything else between them is a
 * folded line or the rest of a value behind a NUL. */
bool koa_http_gap_is_line_end(const char *from, const char *to);

/* "Host", "Origin": `text` of "host[:port]" without blanks, path or user. */
bool koa_http_host_valid(const char *host);
/* localhost, 127.0.0.0/8 or [::1], with or without port. */
bool koa_http_host_is_loopback(const char *host);
/* "http://a:1" and "a:1" name the same host and port. */
bool koa_http_origin_is_host(const char *origin, const char *host);

enum koa_http_fault koa_http_fault_of_target(enum koa_http_target_fault fault);

#endif
