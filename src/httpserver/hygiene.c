/* Two parsers in a row that read one request differently are how requests are smuggled; so
 * everything ambiguous is refused, whatever our own parser would make of it. */
#include "httpserver/hygiene.h"

#include <string.h>
#include <strings.h>

#include "base/num.h"
#include "base/str.h"

static const struct koa_http_fault_info faults[] = {
#define FAULT_INFO(code, status_, reason_, text_)                                                  \
    [code] = {.status = (status_), .reason = (reason_), .text = (text_)},
    KOA_HTTP_FAULT_ROWS(FAULT_INFO)
#undef FAULT_INFO
};

const struct koa_http_fault_info *koa_http_fault_find(enum koa_http_fault fault)
{
    return &faults[fault];
}

/* RFC 9110 5.6.2 */
static bool is_token_character(unsigned char character)
{
    if ((character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
        (character >= '0' && character <= '9'))
        return true;
    return character != '\0' && strchr("!#$%&'*+-.^_`|~", character) != NULL;
}

static bool is_token(struct koa_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_token_character((unsigned char) text.data[i]))
            return false;
    }
    return text.size > 0;
}

static bool is_field_value(struct koa_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char character = (unsigned char) text.data[i];

        if ((character < 0x20 && character != '\t') || character == 0x7f)
            return false;
    }
    return true;
}

bool koa_http_host_valid(const char *host)
{
    size_t size = strlen(host);

    if (size == 0 || size > 255 + 6) /* a DNS name and ":65535" */
        return false;
    return strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]%") ==
           size;
}

bool koa_http_host_is_loopback(const char *host)
{
    static const char *const names[] = {"localhost", "[::1]"};
    size_t size;

    for (size_t i = 0; i < KOA_ARRAY_COUNT(names); i++) {
        size = strlen(names[i]);
        if (strncasecmp(host, names[i], size) == 0 && (host[size] == '\0' || host[size] == ':'))
            return true;
    }
    size = strspn(host, "0123456789.");
    return strncmp(host, "127.", 4) == 0 && (host[size] == '\0' || host[size] == ':');
}

bool koa_http_origin_is_host(const char *origin, const char *host)
{
    const char *start = strstr(origin, "://");

    return start != NULL && host != NULL && strcasecmp(start + 3, host) == 0;
}

void koa_http_head_begin(struct koa_http_head *head)
{
    *head = (struct koa_http_head){.content_length = -1};
}

static bool fail(struct koa_http_head *head, enum koa_http_fault fault)
{
    if (head->fault == KOA_HTTP_FAULT_NONE)
        head->fault = fault;
    return false;
}

static bool take_length(struct koa_http_head *head, struct koa_str value)
{
    int64_t length;

    value = koa_str_trim(value);
    if (++head->lengths > 1 || value.size == 0)
        return fail(head, KOA_HTTP_FAULT_LENGTH);
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return fail(head, KOA_HTTP_FAULT_LENGTH);
    }
    if (koa_parse_int(value, 0, INT64_MAX, &length) != KOA_OK)
        return fail(head, KOA_HTTP_FAULT_BODY_SIZE);
    head->content_length = length;
    return true;
}

static bool name_is(struct koa_str name, const char *text, size_t size)
{
    return name.size == size && strncasecmp(name.data, text, size) == 0;
}

/* A macro for the length of a literal, so that most names are told apart by length alone. */
#define NAME_IS(name, literal) name_is((name), literal, sizeof(literal) - 1)

static bool take_known(struct koa_http_head *head, struct koa_str name, struct koa_str value)
{
    if (NAME_IS(name, "Host")) {
        head->host = value.data;
        if (++head->hosts > 1 || !koa_http_host_valid(value.data))
            return fail(head, KOA_HTTP_FAULT_HOST);
    } else if (NAME_IS(name, "Content-Length")) {
        return take_length(head, value);
    } else if (NAME_IS(name, "Transfer-Encoding")) {
        head->codings++;
    } else if (NAME_IS(name, "Authorization")) {
        head->authorization = ++head->authorizations == 1 ? value.data : NULL;
    } else if (NAME_IS(name, "Origin")) {
        head->origin = value.data;
    } else if (NAME_IS(name, "Sec-Fetch-Site")) {
        head->fetch_site = value.data;
    }
    return true;
}

bool koa_http_head_field(struct koa_http_head *head, struct koa_str name, struct koa_str value)
{
    if (++head->fields > KOA_HTTP_HEADERS)
        return fail(head, KOA_HTTP_FAULT_COUNT);
    if (!is_token(name))
        return fail(head, KOA_HTTP_FAULT_NAME);
    if (!is_field_value(value))
        return fail(head, KOA_HTTP_FAULT_VALUE);
    return take_known(head, name, value);
}

static bool is_method(const char *method)
{
    size_t size = strlen(method);

    return size > 0 && size <= 20 && strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_") == size;
}

static bool is_bodyless(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

enum koa_http_fault koa_http_head_end(struct koa_http_head *head, const char *method,
                                      const char *version)
{
    bool is_1_1 = strcmp(version, "HTTP/1.1") == 0;

    if (head->fault != KOA_HTTP_FAULT_NONE)
        return head->fault;
    if (!is_method(method)) {
        (void) fail(head, KOA_HTTP_FAULT_METHOD);
    } else if (!is_1_1 && strcmp(version, "HTTP/1.0") != 0) {
        (void) fail(head, KOA_HTTP_FAULT_VERSION);
    } else if (is_1_1 && head->hosts == 0) {
        (void) fail(head, KOA_HTTP_FAULT_HOST);
    } else if (head->codings > 0 && head->lengths > 0) {
        (void) fail(head, KOA_HTTP_FAULT_LENGTH_AND_CODING);
    } else if (is_bodyless(method) && (head->codings > 0 || head->content_length > 0)) {
        (void) fail(head, KOA_HTTP_FAULT_BODY);
    } else if (head->codings > 0) {
        (void) fail(head, KOA_HTTP_FAULT_CODING);
    }
    return head->fault;
}

bool koa_http_gap_is_line_end(const char *from, const char *to)
{
    if (to == from + 1)
        return from[0] == '\0';
    return to == from + 2 && from[0] == '\0' && from[1] == '\0';
}

enum koa_http_fault koa_http_fault_of_target(enum koa_http_target_fault fault)
{
    switch (fault) {
    case KOA_HTTP_TARGET_OK:
        return KOA_HTTP_FAULT_NONE;
    case KOA_HTTP_TARGET_ESCAPE:
    case KOA_HTTP_TARGET_NUL:
        return KOA_HTTP_FAULT_ESCAPE;
    case KOA_HTTP_TARGET_TOO_MANY_PAIRS:
        return KOA_HTTP_FAULT_QUERY_COUNT;
    case KOA_HTTP_TARGET_NOT_A_PATH:
    case KOA_HTTP_TARGET_CHARACTER:
        break;
    }
    return KOA_HTTP_FAULT_TARGET;
}
