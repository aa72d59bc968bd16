/* Sets one call up: URL, headers, TLS and limits, and what comes back from libcurl in our words. */
#include "httpclient/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <koa/version.h>

#include "base/memory.h"
#include "base/num.h"
#include "base/redact.h"
#include "base/str.h"
#include "httpclient/retry_after.h"
#include "loop/clock.h"

#define TEXT_OF(number) #number
#define VERSION_TEXT(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)
#define USER_AGENT                                                                                 \
    "kafka-ops-agent/" VERSION_TEXT(KOA_VERSION_MAJOR, KOA_VERSION_MINOR, KOA_VERSION_PATCH)

enum {
    BUFFER_SIZE = 16384,
    REQUEST_LIMIT = 16 * 1024 * 1024, /* no notification is larger */
    NAME_SIZE = 320,
};

static bool is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* ---- what arrives */

static size_t on_body(char *data, size_t one, size_t size, void *context)
{
    struct koa_http_call *call = context;
    size_t room = call->body.limit - call->body.size;

    (void) one;
    koa_buf_append(&call->body, data, size < room ? size : room);
    if (size <= room)
        return size;
    /* Ends the transfer: a body without end must not keep the connection until the deadline. */
    call->body_is_cut = true;
    return 0;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type */
static size_t on_header(char *data, size_t one, size_t size, void *context)
{
    struct koa_http_call *call = context;
    struct koa_str value;
    struct koa_str name = koa_str_split((struct koa_str){data, size}, ':', &value);
    char text[16];

    (void) one;
    call->header_size += size;
    if (call->header_size > KOA_HTTP_HEADERS_LIMIT)
        return 0;
    if (koa_str_copy(text, sizeof(text), name) && koa_text_equal_nocase(text, "retry-after"))
        call->retry_after_ms = koa_retry_after_parse(value, koa_clock_wall());
    return size;
}

/* ---- the request */

static enum koa_err no_memory(struct koa_error *reterr)
{
    return koa_require_memory(NULL, reterr);
}

static enum koa_err parse_url(struct koa_http_call *call, const char *url, struct koa_error *reterr)
{
    char *scheme = NULL;
    char *host = NULL;
    char *port = NULL;
    CURLUcode code = CURLUE_OUT_OF_MEMORY;
    bool is_http = false;
    struct koa_str plain;
    int64_t number = 0;

    call->url = curl_url();
    if (call->url != NULL)
        code = curl_url_set(call->url, CURLUPART_URL, url, 0);
    if (code == CURLUE_OK)
        code = curl_url_get(call->url, CURLUPART_SCHEME, &scheme, 0);
    if (code == CURLUE_OK)
        code = curl_url_get(call->url, CURLUPART_HOST, &host, 0);
    if (code == CURLUE_OK)
        code = curl_url_get(call->url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    if (code == CURLUE_OK) {
        plain = koa_str_from(host);
        if (plain.size > 2 && plain.data[0] == '[')
            plain = (struct koa_str){plain.data + 1, plain.size - 2};
        call->host = koa_strndup(plain.data, plain.size);
        is_http = strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0;
        if (koa_parse_int(koa_str_from(port), 1, 65535, &number) != KOA_OK)
            code = CURLUE_BAD_PORT_NUMBER;
        call->port = (int) number;
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    if (code == CURLUE_OK && call->host == NULL)
        return no_memory(reterr);
    if (code == CURLUE_OK && is_http)
        return KOA_OK;
    return koa_fail(reterr, KOA_ERR_INVALID, "%s: not a URL that can be called: %s", call->name,
                    is_http || code != CURLUE_OK ? curl_url_strerror(code)
                                                 : "only http and https are");
}

bool koa_http_url_valid(const char *url)
{
    struct koa_http_call call = {.url = NULL};
    enum koa_err err = parse_url(&call, url, NULL);

    koa_http_call_tear_down(&call);
    return err == KOA_OK || err == KOA_ERR_NOMEM;
}

/* With a server name of its own, the URL names that one, and the Host header and the addresses
 * remain those of the host: libcurl takes the name for TLS from the URL alone. */
static enum koa_err apply_server_name(struct koa_http_call *call, const char *server_name,
                                      struct koa_error *reterr)
{
    char header[NAME_SIZE];
    bool is_v6 = strchr(call->host, ':') != NULL;
    struct curl_slist *headers;

    if (!is_set(server_name) || strcmp(server_name, call->host) == 0)
        return KOA_OK;
    (void) snprintf(header, sizeof(header), "Host: %s%s%s:%d", is_v6 ? "[" : "", call->host,
                    is_v6 ? "]" : "", call->port);
    headers = curl_slist_append(call->headers, header);
    call->server_name = koa_strdup(server_name);
    if (headers == NULL || call->server_name == NULL)
        return no_memory(reterr);
    call->headers = headers;
    if (curl_url_set(call->url, CURLUPART_HOST, server_name, 0) != CURLUE_OK) {
        return koa_fail(reterr, KOA_ERR_INVALID, "%s: '%s' is not a server name", call->name,
                        server_name);
    }
    return KOA_OK;
}

static bool has_control(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if ((unsigned char) *at < 0x20 && *at != '\t')
            return true;
    }
    return false;
}

static enum koa_err add_header(struct koa_http_call *call, const char *header,
                               struct koa_error *reterr)
{
    struct curl_slist *headers;

    if (has_control(header) || strchr(header, ':') == NULL) {
        return koa_fail(reterr, KOA_ERR_INVALID,
                        "%s: a header is 'Name: value' without line breaks", call->name);
    }
    headers = curl_slist_append(call->headers, header);
    if (headers == NULL)
        return no_memory(reterr);
    call->headers = headers;
    return KOA_OK;
}

static enum koa_err add_headers(struct koa_http_call *call, const char *const *headers,
                                struct koa_error *reterr)
{
    /* libcurl would wait up to a second for "100 Continue" before it sends a larger body. */
    enum koa_err err = add_header(call, "Expect:", reterr);

    for (size_t i = 0; err == KOA_OK && headers != NULL && headers[i] != NULL; i++)
        err = add_header(call, headers[i], reterr);
    return err;
}

static bool set_transport(struct koa_http_call *call)
{
    CURL *easy = call->easy;

    return curl_easy_setopt(easy, CURLOPT_CURLU, call->url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long) BUFFER_SIZE) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long) call->timeout_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, USER_AGENT) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->curl_text) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, call) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, call) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, call) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers) == CURLE_OK;
}

static bool set_file(CURL *easy, CURLoption option, const char *path)
{
    return !is_set(path) || curl_easy_setopt(easy, option, path) == CURLE_OK;
}

static bool set_tls(struct koa_http_call *call, const struct koa_http_call_opts *opts)
{
    /* Without a directory of certificates libcurl keeps the parsed bundle for all calls; with one
     * it parses it for each: 30 ms against 1.2 ms of CPU time (Debian 12). */
    return curl_easy_setopt(call->easy, CURLOPT_CAPATH, NULL) == CURLE_OK &&
           curl_easy_setopt(call->easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(call->easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           set_file(call->easy, CURLOPT_CAINFO, opts->ca_file) &&
           set_file(call->easy, CURLOPT_SSLCERT, opts->cert_file) &&
           set_file(call->easy, CURLOPT_SSLKEY, opts->key_file);
}

static bool set_request(struct koa_http_call *call, const char *method)
{
    bool result = true;

    if (strcmp(method, "HEAD") == 0)
        return curl_easy_setopt(call->easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
    if (call->request_body.size > 0 || strcmp(method, "POST") == 0) {
        result = curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                                  (curl_off_t) call->request_body.size) == CURLE_OK &&
                 curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS,
                                  koa_buf_text(&call->request_body)) == CURLE_OK;
    }
    return result && curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, method) == CURLE_OK;
}

static enum koa_err copy_request(struct koa_http_call *call, const struct koa_http_call_opts *opts,
                                 struct koa_error *reterr)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t length = strlen(opts->method);
    char url[200];

    koa_redact_url(opts->url, url, sizeof(url));
    if (length == 0 || length > 16 || strspn(opts->method, letters) != length)
        return koa_fail(reterr, KOA_ERR_INVALID, "%s: a method is a word such as GET or POST", url);
    (void) snprintf(call->name, sizeof(call->name), "%s %s", opts->method, url);
    call->timeout_ms = opts->timeout_ms;
    call->refuses_link_local = opts->refuses_link_local;
    call->retry_after_ms = -1;
    call->body.limit = opts->body_limit;
    call->request_body.limit = REQUEST_LIMIT;
    koa_buf_append(&call->request_body, opts->body.data, opts->body.size);
    return koa_buf_status(&call->request_body, "the body of the request", reterr);
}

enum koa_err koa_http_call_set_up(struct koa_http_call *call, const struct koa_http_call_opts *opts,
                                  struct koa_error *reterr)
{
    enum koa_err err = copy_request(call, opts, reterr);

    if (err == KOA_OK)
        err = parse_url(call, opts->url, reterr);
    if (err == KOA_OK)
        err = add_headers(call, opts->headers, reterr);
    if (err == KOA_OK)
        err = apply_server_name(call, opts->server_name, reterr);
    if (err != KOA_OK)
        return err;
    call->easy = curl_easy_init();
    if (call->easy == NULL || !set_transport(call) || !set_tls(call, opts) ||
        !set_request(call, opts->method))
        return no_memory(reterr);
    return KOA_OK;
}

/* "+host:port:address,address": libcurl then never resolves by itself. */
enum koa_err koa_http_call_set_addresses(struct koa_http_call *call,
                                         const struct koa_address *addresses, size_t count,
                                         struct koa_error *reterr)
{
    struct koa_buf text = {.limit = 4096};
    char address[KOA_ADDRESS_TEXT_SIZE];
    struct koa_address ignored;
    enum koa_err err;

    if (call->server_name == NULL && koa_address_parse(call->host, call->port, &ignored))
        return KOA_OK; /* the URL has the address itself */
    koa_buf_printf(&text, "+%s:%d:", call->server_name != NULL ? call->server_name : call->host,
                   call->port);
    for (size_t i = 0; i < count; i++) {
        bool is_v6 = addresses[i].socket.any.sa_family == AF_INET6;

        koa_address_format_host(&addresses[i], address, sizeof(address));
        koa_buf_printf(&text, "%s%s%s%s", i > 0 ? "," : "", is_v6 ? "[" : "", address,
                       is_v6 ? "]" : "");
    }
    err = koa_buf_status(&text, "the list of addresses", reterr);
    if (err == KOA_OK) {
        call->addresses = curl_slist_append(NULL, koa_buf_text(&text));
        if (call->addresses == NULL ||
            curl_easy_setopt(call->easy, CURLOPT_RESOLVE, call->addresses) != CURLE_OK)
            err = no_memory(reterr);
    }
    koa_buf_deinit(&text);
    return err;
}

void koa_http_call_tear_down(struct koa_http_call *call)
{
    if (call->easy != NULL)
        curl_easy_cleanup(call->easy);
    if (call->url != NULL)
        curl_url_cleanup(call->url);
    curl_slist_free_all(call->headers);
    curl_slist_free_all(call->addresses);
    koa_buf_deinit(&call->request_body);
    koa_buf_deinit(&call->body);
    koa_free(call->host);
    koa_free(call->server_name);
}

/* ---- errors */

static const struct {
    CURLcode code;
    enum koa_err err;
} errors[] = {
    {CURLE_OUT_OF_MEMORY, KOA_ERR_NOMEM},
    {CURLE_OPERATION_TIMEDOUT, KOA_ERR_TIMEOUT},
    {CURLE_GOT_NOTHING, KOA_ERR_CLOSED},
    {CURLE_RECV_ERROR, KOA_ERR_CLOSED},
    {CURLE_SEND_ERROR, KOA_ERR_CLOSED},
    {CURLE_PARTIAL_FILE, KOA_ERR_CLOSED},
    {CURLE_WEIRD_SERVER_REPLY, KOA_ERR_PROTOCOL},
    {CURLE_UNSUPPORTED_PROTOCOL, KOA_ERR_PROTOCOL},
    {CURLE_BAD_CONTENT_ENCODING, KOA_ERR_PROTOCOL},
    {CURLE_WRITE_ERROR, KOA_ERR_PROTOCOL},
    {CURLE_PEER_FAILED_VERIFICATION, KOA_ERR_TLS},
    {CURLE_SSL_CONNECT_ERROR, KOA_ERR_TLS},
    {CURLE_SSL_CERTPROBLEM, KOA_ERR_TLS},
    {CURLE_SSL_CACERT_BADFILE, KOA_ERR_TLS},
    {CURLE_SSL_CIPHER, KOA_ERR_TLS},
};

enum koa_err koa_http_call_fail(const struct koa_http_call *call, CURLcode code,
                                struct koa_error *reterr)
{
    enum koa_err err = KOA_ERR_IO;
    const char *text = call->curl_text[0] != '\0' ? call->curl_text : curl_easy_strerror(code);

    for (size_t i = 0; i < KOA_ARRAY_COUNT(errors); i++) {
        if (errors[i].code == code)
            err = errors[i].err;
    }
    if (code == CURLE_WRITE_ERROR && call->header_size > KOA_HTTP_HEADERS_LIMIT)
        text = "its headers are larger than 64 KiB";
    (void) koa_fail(reterr, err, "%s: %s", call->name, text);
    if (reterr != NULL) {
        koa_redact(reterr->text);
        reterr->retriable = err != KOA_ERR_TLS;
    }
    return err;
}

struct koa_str koa_http_answer_header(const struct koa_http_answer *answer, const char *name)
{
    struct curl_header *header;

    if (curl_easy_header(answer->call->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return (struct koa_str){0};
    return koa_str_from(header->value);
}
