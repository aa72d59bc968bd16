/* Drives libcurl's multi handle by watches and timers of the loop. A call ends once: with its
 * answer, an error, or the deadline of the whole; by then the client has let go of it. */
#include "httpclient/client.h"

#include <pthread.h>
#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "httpclient/call.h"
#include "loop/clock.h"
#include "loop/thread.h"
#include "loop/watch.h"

struct koa_http_client {
    struct koa_loop *loop;
    struct koa_resolver *resolver;
    struct koa_log *log;
    CURLM *multi;
    struct koa_timer timer; /* that libcurl asks for */
    struct koa_list_node calls;
    size_t count;
    int in_use; /* frames below a callback that go on: memory goes after them */
    bool is_gone;
};

/* One descriptor of libcurl's. */
struct curl_watch {
    struct koa_http_client *client;
    struct koa_watch *watch;
    curl_socket_t descriptor;
};

static void enter(struct koa_http_client *client)
{
    client->in_use++;
}

static void leave(struct koa_http_client *client)
{
    struct koa_sigpipe_guard guard;

    client->in_use--;
    if (client->in_use > 0 || !client->is_gone)
        return;
    koa_sigpipe_guard_begin(&guard);
    if (client->multi != NULL)
        (void) curl_multi_cleanup(client->multi);
    koa_sigpipe_guard_end(&guard);
    koa_timers_disarm(koa_loop_timers(client->loop), &client->timer);
    koa_free(client);
}

/* ---- the end of calls */

/* From here on the client knows nothing of the call. */
static void detach_call(struct koa_http_call *call)
{
    struct koa_sigpipe_guard guard;

    koa_list_remove(&call->node);
    koa_resolution_cancel(call->resolution);
    call->resolution = NULL;
    koa_timers_disarm(koa_loop_timers(call->loop), &call->deadline);
    if (call->is_added) {
        /* Closing a TLS connection writes to it, and this may be a host's thread at the end. */
        koa_sigpipe_guard_begin(&guard);
        (void) curl_multi_remove_handle(call->client->multi, call->easy);
        koa_sigpipe_guard_end(&guard);
    }
    call->is_added = false;
    call->client->count--;
}

static void free_call(struct koa_http_call *call)
{
    detach_call(call);
    koa_http_call_tear_down(call);
    koa_free(call);
}

static void fail_call(struct koa_http_call *call, const struct koa_error *error)
{
    koa_http_answered_fn *done = call->done;
    void *context = call->context;

    koa_log_debug(call->client->log, "http.failed", "%s", error->text);
    free_call(call);
    done(context, NULL, error);
}

static void answer_call(struct koa_http_call *call)
{
    long status = 0;
    struct koa_http_answer answer;

    (void) curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    answer = (struct koa_http_answer){
        .status = (int) status,
        .body = {.data = koa_buf_text(&call->body), .size = call->body.size},
        .body_is_cut = call->body_is_cut,
        .retry_after_ms = call->retry_after_ms,
        .seconds = (double) (koa_clock_ticks_ns() - call->started_ns) / 1e9,
        .call = call,
    };
    koa_log_debug(call->client->log, "http.answered", "%s: status %d, %zu bytes in %.3f s",
                  call->name, answer.status, call->body.size, answer.seconds);
    /* `done` reads body and headers from the call's memory, and may end the client. */
    detach_call(call);
    call->done(call->context, &answer, NULL);
    koa_http_call_tear_down(call);
    koa_free(call);
}

static void finish_call(struct koa_http_call *call, CURLcode code)
{
    struct koa_error error;

    if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && call->body_is_cut)) {
        answer_call(call);
        return;
    }
    (void) koa_http_call_fail(call, code, &error);
    fail_call(call, &error);
}

static void finish_calls(struct koa_http_client *client)
{
    CURLMsg *message;
    int left;

    while (!client->is_gone && (message = curl_multi_info_read(client->multi, &left)) != NULL) {
        struct koa_http_call *call = NULL;
        CURLcode code = message->data.result;

        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call) == CURLE_OK)
            finish_call(call, code);
    }
}

static void on_deadline(struct koa_timer *timer, struct koa_mono now)
{
    struct koa_http_call *call = KOA_CONTAINER_OF(timer, struct koa_http_call, deadline);
    struct koa_error error;
    const char *step = "no complete answer";
    curl_off_t connected_us = 0;

    (void) now;
    if (call->is_added)
        (void) curl_easy_getinfo(call->easy, CURLINFO_CONNECT_TIME_T, &connected_us);
    if (!call->is_added) {
        step = "the name was not resolved";
    } else if (connected_us == 0) {
        step = "no connection";
    }
    (void) koa_fail(&error, KOA_ERR_TIMEOUT, "%s: %s within %.1f s", call->name, step,
                    (double) call->timeout_ms / 1000.0);
    error.retriable = true;
    fail_call(call, &error);
}

/* ---- libcurl on the loop */

static void act(struct koa_http_client *client, curl_socket_t descriptor, int events)
{
    int running;

    enter(client);
    (void) curl_multi_socket_action(client->multi, descriptor, events, &running);
    finish_calls(client);
    leave(client);
}

static void on_ready(void *context, unsigned events)
{
    struct curl_watch *watch = context;
    int curl_events = 0;

    if (events & KOA_WATCH_READ)
        curl_events |= CURL_CSELECT_IN;
    if (events & KOA_WATCH_WRITE)
        curl_events |= CURL_CSELECT_OUT;
    act(watch->client, watch->descriptor, curl_events);
}

static void on_timer(struct koa_timer *timer, struct koa_mono now)
{
    (void) now;
    act(KOA_CONTAINER_OF(timer, struct koa_http_client, timer), CURL_SOCKET_TIMEOUT, 0);
}

/* libcurl's callback: 0, or -1 which ends its transfers. */
static int on_timer_wanted(CURLM *multi, long timeout_ms, void *context)
{
    struct koa_http_client *client = context;

    (void) multi;
    if (timeout_ms < 0) {
        koa_timers_disarm(koa_loop_timers(client->loop), &client->timer);
        return 0;
    }
    return koa_loop_after(client->loop, &client->timer, timeout_ms, on_timer) ? 0 : -1;
}

static void destroy_watch(struct koa_http_client *client, struct curl_watch *watch)
{
    if (watch == NULL)
        return;
    (void) curl_multi_assign(client->multi, watch->descriptor, NULL);
    koa_watch_destroy(watch->watch);
    koa_free(watch);
}

static struct curl_watch *create_watch(struct koa_http_client *client, curl_socket_t descriptor)
{
    struct curl_watch *watch = koa_calloc(1, sizeof(*watch));
    struct koa_watch_opts opts = {.descriptor = descriptor, .ready = on_ready, .context = watch};

    if (watch == NULL)
        return NULL;
    watch->client = client;
    watch->descriptor = descriptor;
    if (koa_watch_create(client->loop, &opts, &watch->watch, NULL) != KOA_OK ||
        curl_multi_assign(client->multi, descriptor, watch) != CURLM_OK) {
        koa_watch_destroy(watch->watch);
        koa_free(watch);
        return NULL;
    }
    return watch;
}

static int on_socket_wanted(CURL *easy, curl_socket_t descriptor, int action, void *context,
                            void *assigned)
{
    struct koa_http_client *client = context;
    struct curl_watch *watch = assigned;
    unsigned events = 0;

    (void) easy;
    if (action == CURL_POLL_REMOVE) {
        destroy_watch(client, watch);
        return 0;
    }
    if (watch == NULL)
        watch = create_watch(client, descriptor);
    if (watch == NULL)
        return -1;
    if (action == CURL_POLL_IN || action == CURL_POLL_INOUT)
        events |= KOA_WATCH_READ;
    if (action == CURL_POLL_OUT || action == CURL_POLL_INOUT)
        events |= KOA_WATCH_WRITE;
    return koa_watch_set(watch->watch, events, NULL) == KOA_OK ? 0 : -1;
}

/* ---- calls */

static void on_resolved(void *context, const struct koa_address *addresses, size_t count,
                        const struct koa_error *error)
{
    struct koa_http_call *call = context;
    struct koa_error own;

    call->resolution = NULL;
    if (addresses == NULL) {
        own = *error;
        (void) koa_fail(&own, error->code, "%s: %s", call->name, error->text);
        fail_call(call, &own);
        return;
    }
    if (koa_http_call_set_addresses(call, addresses, count, &own) != KOA_OK) {
        fail_call(call, &own);
        return;
    }
    if (curl_multi_add_handle(call->client->multi, call->easy) != CURLM_OK) {
        (void) koa_http_call_fail(call, CURLE_OUT_OF_MEMORY, &own);
        fail_call(call, &own);
        return;
    }
    call->is_added = true;
}

static enum koa_err start_call(struct koa_http_call *call, struct koa_error *reterr)
{
    struct koa_http_client *client = call->client;
    struct koa_resolver_query query = {
        .host = call->host,
        .port = call->port,
        .deadline_ms = call->timeout_ms,
        .refuses_link_local = call->refuses_link_local,
        .done = on_resolved,
        .context = call,
    };

    if (!koa_loop_after(client->loop, &call->deadline, call->timeout_ms, on_deadline))
        return koa_require_memory(NULL, reterr);
    return koa_resolver_start(client->resolver, &query, &call->resolution, reterr);
}

enum koa_err koa_http_client_start(struct koa_http_client *client,
                                   const struct koa_http_call_opts *opts,
                                   struct koa_http_call **ret_call, struct koa_error *reterr)
{
    struct koa_http_call *call;
    enum koa_err err;

    KOA_ASSERT(koa_loop_is_here(client->loop));
    if (client->is_gone)
        return koa_fail(reterr, KOA_ERR_STATE, "the HTTP client has ended");
    if (client->count >= KOA_HTTP_CALL_LIMIT) {
        return koa_fail(reterr, KOA_ERR_LIMIT, "%d HTTP requests are under way already",
                        KOA_HTTP_CALL_LIMIT);
    }
    call = koa_calloc(1, sizeof(*call));
    err = koa_require_memory(call, reterr);
    if (err != KOA_OK)
        return err;
    call->client = client;
    call->loop = client->loop;
    call->done = opts->done;
    call->context = opts->context;
    call->started_ns = koa_clock_ticks_ns();
    koa_list_push_back(&client->calls, &call->node);
    client->count++;
    err = koa_http_call_set_up(call, opts, reterr);
    if (err == KOA_OK)
        err = start_call(call, reterr);
    if (err == KOA_OK) {
        *ret_call = call;
    } else {
        free_call(call);
    }
    return err;
}

void koa_http_call_cancel(struct koa_http_call *call)
{
    if (call != NULL)
        free_call(call);
}

/* ---- life */

static void init_curl(void)
{
    (void) curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool set_up_multi(struct koa_http_client *client)
{
    client->multi = curl_multi_init();
    return client->multi != NULL &&
           curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted) ==
               CURLM_OK &&
           curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client) == CURLM_OK &&
           curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted) == CURLM_OK &&
           curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client) == CURLM_OK;
}

enum koa_err koa_http_client_create(struct koa_loop *loop, struct koa_resolver *resolver,
                                    struct koa_log *log, struct koa_http_client **ret_client,
                                    struct koa_error *reterr)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct koa_http_client *client = koa_calloc(1, sizeof(*client));
    enum koa_err err = koa_require_memory(client, reterr);

    if (err != KOA_OK)
        return err;
    (void) pthread_once(&once, init_curl);
    client->loop = loop;
    client->resolver = resolver;
    client->log = log;
    koa_list_init(&client->calls);
    if (set_up_multi(client)) {
        *ret_client = client;
        return KOA_OK;
    }
    koa_http_client_destroy(client);
    return koa_require_memory(NULL, reterr);
}

void koa_http_client_destroy(struct koa_http_client *client)
{
    struct koa_error error;

    if (client == NULL || client->is_gone)
        return;
    enter(client);
    client->is_gone = true;
    while (!koa_list_is_empty(&client->calls)) {
        struct koa_http_call *call =
            KOA_CONTAINER_OF(client->calls.next, struct koa_http_call, node);

        (void) koa_fail(&error, KOA_ERR_CANCELLED, "%s: the HTTP client ends", call->name);
        fail_call(call, &error);
    }
    leave(client);
}
