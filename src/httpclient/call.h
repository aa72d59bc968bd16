/* One call's state, shared by the file that drives libcurl and the one that sets a call up. */
#ifndef HTTPCLIENT_CALL_H
#define HTTPCLIENT_CALL_H

#include <curl/curl.h>

#include "base/buf.h"
#include "base/list.h"
#include "httpclient/client.h"

enum { KOA_HTTP_HEADERS_LIMIT = 65536 };

struct koa_http_call {
    struct koa_http_client *client;
    struct koa_loop *loop;
    struct koa_list_node node;
    koa_http_answered_fn *done;
    void *context;

    CURL *easy;
    bool is_added; /* to the multi handle */
    CURLU *url;
    char *host; /* of the URL, without brackets */
    int port;
    bool refuses_link_local;
    char *server_name; /* that TLS is about; NULL: host */
    struct curl_slist *headers;
    struct curl_slist *addresses;
    struct koa_buf request_body;
    char curl_text[CURL_ERROR_SIZE];
    char name[256]; /* method and URL without secrets, for messages */

    struct koa_resolution *resolution;
    struct koa_timer deadline;
    int64_t timeout_ms;
    int64_t started_ns;

    struct koa_buf body;
    bool body_is_cut;
    size_t header_size;
    int64_t retry_after_ms;
};

/* Everything but the addresses: parses, checks and copies `opts` into `call` and its easy handle.
 */
KOA_MUST_USE enum koa_err koa_http_call_set_up(struct koa_http_call *call,
                                               const struct koa_http_call_opts *opts,
                                               struct koa_error *reterr);
KOA_MUST_USE enum koa_err koa_http_call_set_addresses(struct koa_http_call *call,
                                                      const struct koa_address *addresses,
                                                      size_t count, struct koa_error *reterr);
/* Frees what set_up made; the easy handle must have left the multi handle. */
void koa_http_call_tear_down(struct koa_http_call *call);
/* From libcurl's code to ours, with text. */
enum koa_err koa_http_call_fail(const struct koa_http_call *call, CURLcode code,
                                struct koa_error *reterr);

#endif
