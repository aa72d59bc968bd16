#include "unit/httpserver/fixture.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/num.h"
#include "base/str.h"
#include "kit/kit.h"
#include "loop/clock.h"

static atomic_int_fast64_t clock_ms = 1000000;

static struct koa_mono read_clock(void)
{
    return (struct koa_mono){.ms = atomic_load(&clock_ms)};
}

static struct koa_wall read_wall(void)
{
    return (struct koa_wall){.ms = 1764086400123}; /* 2025-11-25T16:00:00.123Z */
}

static void plain(void *context, const struct koa_http_request *request,
                  struct koa_http_response *response)
{
    struct fixture *fixture = context;

    (void) request;
    (void) pthread_mutex_lock(&fixture->mutex);
    fixture->handled++;
    (void) pthread_cond_broadcast(&fixture->changed);
    (void) pthread_mutex_unlock(&fixture->mutex);
    koa_buf_append_text(&response->body, "{\"ok\":true}");
}

static const char *or_none(const char *text)
{
    return text != NULL ? text : "(none)";
}

static void echo(void *context, const struct koa_http_request *request,
                 struct koa_http_response *response)
{
    (void) context;
    response->content_type = "text/plain";
    koa_buf_printf(&response->body, "%s %s|%s|%s|%s|%s|%u",
                   koa_http_request_method(request) == KOA_HTTP_GET ? "GET" : "?",
                   koa_http_request_path(request), koa_http_request_segment(request, 0),
                   or_none(koa_http_request_query(request, "x")),
                   or_none(koa_http_request_header(request, "x-test")),
                   koa_http_request_peer(request), koa_http_request_scopes(request));
    for (size_t i = 0; koa_http_request_query_name(request, i) != NULL; i++)
        koa_buf_printf(&response->body, "|%s", koa_http_request_query_name(request, i));
    (void) koa_http_response_header(response, "X-Echo", "yes");
}

static void body(void *context, const struct koa_http_request *request,
                 struct koa_http_response *response)
{
    struct koa_str text = koa_http_request_body(request);

    (void) context;
    response->content_type = "text/plain";
    koa_buf_printf(&response->body, "%zu:%.*s", text.size, (int) (text.size < 20 ? text.size : 20),
                   text.data);
}

static void verdict(void *context, const struct koa_http_request *request,
                    struct koa_http_response *response)
{
    (void) context;
    (void) request;
    response->status = 503;
    response->is_verdict = true;
    koa_buf_append_text(&response->body, "{\"overall_status\":\"unhealthy\"}");
}

static void broken(void *context, const struct koa_http_request *request,
                   struct koa_http_response *response)
{
    (void) context;
    (void) request;
    koa_buf_append_text(&response->body, "{\"half\":");
    koa_http_fail(response, 503, "Broken", "this is \"%s\"", "broken");
}

struct text_object {
    struct koa_object object;
    struct fixture *fixture;
    char text[64];
};

static void count_one(struct fixture *fixture, size_t *number)
{
    (void) pthread_mutex_lock(&fixture->mutex);
    (*number)++;
    (void) pthread_cond_broadcast(&fixture->changed);
    (void) pthread_mutex_unlock(&fixture->mutex);
}

static void free_object(struct koa_object *object)
{
    struct text_object *text = KOA_CONTAINER_OF(object, struct text_object, object);

    count_one(text->fixture, &text->fixture->objects_freed);
    koa_free(text);
}

static void shared(void *context, const struct koa_http_request *request,
                   struct koa_http_response *response)
{
    struct text_object *text = koa_calloc(1, sizeof(*text));

    (void) request;
    koa_object_init(&text->object, free_object);
    text->fixture = context;
    (void) koa_str_copy(text->text, sizeof(text->text), KOA_STR("{\"shared\":1}"));
    response->shared = &text->object;
    response->shared_body = koa_str_from(text->text);
}

struct digits {
    struct fixture *fixture;
    int64_t at, size; /* size -1: endless; -2: breaks off */
};

static int64_t read_digits(void *context, char *target, size_t size)
{
    struct digits *digits = context;
    size_t count = 0;

    if (digits->size == -2 && digits->at > 0)
        return -1;
    while (count < size && (digits->size < 0 || digits->at < digits->size))
        target[count++] = (char) ('0' + digits->at++ % 10);
    return (int64_t) count;
}

static void end_digits(void *context)
{
    struct digits *digits = context;

    count_one(digits->fixture, &digits->fixture->streams_ended);
    koa_free(digits);
}

static void start_stream(struct fixture *fixture, struct koa_http_response *response, int64_t size)
{
    struct digits *digits = koa_calloc(1, sizeof(*digits));

    digits->fixture = fixture;
    digits->size = size;
    response->content_type = "text/plain";
    response->read = read_digits;
    response->end = end_digits;
    response->stream = digits;
}

static void stream(void *context, const struct koa_http_request *request,
                   struct koa_http_response *response)
{
    const char *text = koa_http_request_query(request, "size");
    int64_t size = 0;

    if (koa_parse_int(koa_str_from(text), 0, INT64_MAX, &size) != KOA_OK) {
        koa_http_fail(response, 400, "Invalid parameter", "size '%s'", or_none(text));
    } else {
        start_stream(context, response, size);
    }
}

static void endless(void *context, const struct koa_http_request *request,
                    struct koa_http_response *response)
{
    (void) request;
    start_stream(context, response, -1);
}

static void cut(void *context, const struct koa_http_request *request,
                struct koa_http_response *response)
{
    (void) request;
    start_stream(context, response, -2);
}

static void wait_for_it(void *context, const struct koa_http_request *request,
                        struct koa_http_response *response)
{
    struct fixture *fixture = context;
    struct koa_http_token *token = koa_http_suspend(request, response);

    if (token == NULL)
        return;
    (void) pthread_mutex_lock(&fixture->mutex);
    assert_true(fixture->token_count < FIXTURE_TOKENS);
    fixture->tokens[fixture->token_count++] = token;
    (void) pthread_cond_broadcast(&fixture->changed);
    (void) pthread_mutex_unlock(&fixture->mutex);
}

static void answer_late(struct koa_http_token *token, const char *text)
{
    struct koa_http_response response;

    koa_http_response_init(&response);
    response.content_type = "text/plain";
    koa_buf_append_text(&response.body, text);
    koa_http_token_finish(token, &response);
}

static void now(void *context, const struct koa_http_request *request,
                struct koa_http_response *response)
{
    struct koa_http_token *token = koa_http_suspend(request, response);

    (void) context;
    if (token != NULL)
        answer_late(token, "now");
}

static const struct koa_http_route routes[] = {
    {"/plain", KOA_HTTP_GET, KOA_SCOPE_READ, "plain", plain},
    {"/echo/{a}", KOA_HTTP_GET, KOA_SCOPE_READ, "echo", echo},
    {"/body", KOA_HTTP_POST, KOA_SCOPE_ADMIN, "body", body, .changes = true},
    {"/verdict", KOA_HTTP_GET, KOA_SCOPE_READ, "verdict", verdict},
    {"/broken", KOA_HTTP_GET, KOA_SCOPE_READ, "broken", broken},
    {"/shared", KOA_HTTP_GET, KOA_SCOPE_READ, "shared", shared},
    {"/stream", KOA_HTTP_GET, KOA_SCOPE_READ, "stream", stream},
    {"/endless", KOA_HTTP_GET, KOA_SCOPE_READ, "endless", endless},
    {"/cut", KOA_HTTP_GET, KOA_SCOPE_READ, "cut", cut},
    {"/wait", KOA_HTTP_GET, KOA_SCOPE_READ, "wait", wait_for_it},
    {"/now", KOA_HTTP_GET, KOA_SCOPE_READ, "now", now},
    {"/metrics", KOA_HTTP_GET, KOA_SCOPE_METRICS, "metrics", plain},
    {"/open/{a}", KOA_HTTP_GET, KOA_SCOPE_READ, "open", echo, .open_part = true},
};

struct koa_http_server_opts fixture_opts(struct fixture *fixture)
{
    return (struct koa_http_server_opts){
        .host = "127.0.0.1",
        .routes = routes,
        .route_count = KOA_ARRAY_COUNT(routes),
        .context = fixture,
        .wall = read_wall,
        .mono = read_clock,
        .ticks_ns = koa_clock_ticks_ns,
    };
}

void fixture_start(struct fixture *fixture, const struct koa_http_server_opts *opts)
{
    struct koa_http_server_opts all = *opts;
    struct koa_metrics_opts metrics_opts = {.ticks_ns = koa_clock_ticks_ns};
    struct koa_workers_opts workers_opts = {.threads = 4};
    struct koa_loop_opts loop_opts = {.name = "engine"};
    struct koa_error error = {.text = ""};

    *fixture = (struct fixture){.metrics = NULL};
    (void) pthread_mutex_init(&fixture->mutex, NULL);
    (void) pthread_cond_init(&fixture->changed, NULL);
    if (koa_metrics_create(&metrics_opts, &fixture->metrics, &error) != KOA_OK ||
        koa_loop_create(&loop_opts, &fixture->loop, &error) != KOA_OK ||
        koa_loop_start(fixture->loop, &error) != KOA_OK ||
        koa_workers_create(&workers_opts, &fixture->workers, &error) != KOA_OK)
        fail_msg("%s", error.text);
    all.metrics = fixture->metrics;
    all.loop = fixture->loop;
    all.workers = fixture->workers;
    if (koa_http_server_create(&all, &fixture->server, &error) != KOA_OK ||
        koa_http_server_start(fixture->server, &error) != KOA_OK)
        fail_msg("%s", error.text);
}

void fixture_stop(struct fixture *fixture)
{
    koa_http_server_stop(fixture->server);
    for (size_t i = 0; i < fixture->token_count; i++) {
        if (fixture->tokens[i] != NULL)
            fixture_finish(fixture, i);
    }
    koa_loop_stop(fixture->loop);
    koa_workers_destroy(fixture->workers, 5000);
    koa_loop_destroy(fixture->loop);
    koa_http_server_destroy(fixture->server);
    koa_metrics_destroy(fixture->metrics);
    (void) pthread_mutex_destroy(&fixture->mutex);
    (void) pthread_cond_destroy(&fixture->changed);
}

const char *fixture_url(const struct fixture *fixture)
{
    return koa_http_server_url(fixture->server);
}

void fixture_advance_ms(struct fixture *fixture, int64_t duration_ms)
{
    atomic_fetch_add(&clock_ms, duration_ms);
    koa_http_server_look_at_files(fixture->server); /* wakes the sweeper */
}

void fixture_wait_count(struct fixture *fixture, const size_t *number, size_t count)
{
    struct timespec until;

    until.tv_sec = (koa_clock_wall().ms + CLIENT_PATIENCE_MS) / 1000;
    until.tv_nsec = 0;
    (void) pthread_mutex_lock(&fixture->mutex);
    while (*number < count) {
        if (pthread_cond_timedwait(&fixture->changed, &fixture->mutex, &until) != 0)
            break;
    }
    if (*number != count)
        fail_msg("expected a count of %zu, it is %zu", count, *number);
    (void) pthread_mutex_unlock(&fixture->mutex);
}

void fixture_wait_tokens(struct fixture *fixture, size_t count)
{
    fixture_wait_count(fixture, &fixture->token_count, count);
}

void fixture_finish(struct fixture *fixture, size_t index)
{
    struct koa_http_token *token;

    (void) pthread_mutex_lock(&fixture->mutex);
    token = fixture->tokens[index];
    fixture->tokens[index] = NULL;
    (void) pthread_mutex_unlock(&fixture->mutex);
    answer_late(token, "late");
}

static bool has_labels(const struct koa_sample *sample, const struct koa_labels *labels)
{
    size_t count = labels != NULL ? labels->count : 0;

    if (sample->label_count != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        bool is_found = false;

        for (size_t j = 0; j < count; j++) {
            is_found =
                is_found || (koa_str_equal_text(sample->labels[j].name, labels->rows[i].name) &&
                             koa_str_equal_text(sample->labels[j].value, labels->rows[i].value));
        }
        if (!is_found)
            return false;
    }
    return true;
}

double fixture_counter(struct fixture *fixture, const char *name, const struct koa_labels *labels)
{
    const struct koa_metrics_source *source = koa_metrics_source(fixture->metrics);
    struct koa_metrics_cursor *cursor = koa_calloc(1, sizeof(*cursor));
    struct koa_batch *batch = koa_calloc(1, sizeof(*batch));
    double value = 0;

    source->begin(source, cursor);
    while (source->next(source, cursor, batch)) {
        for (size_t i = 0; i < batch->count; i++) {
            const struct koa_sample *sample = &batch->samples[i];

            if (koa_str_equal_text(sample->family->name, name) && has_labels(sample, labels)) {
                value =
                    sample->histogram != NULL ? (double) sample->histogram->count : sample->value;
            }
        }
    }
    source->end(source, cursor);
    koa_free(cursor);
    koa_free(batch);
    return value;
}
