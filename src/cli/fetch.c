/* A loop on its own thread with one HTTP client; the caller waits for each answer. */
#include "cli/fetch.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "crypto/crypto.h"
#include "httpclient/client.h"
#include "loop/loop.h"
#include "loop/resolver.h"
#include "loop/worker.h"

enum {
    AUTHORIZATION_SIZE = 4096,
    URL_SIZE = 4096,
    BODY_LIMIT = 64 << 20, /* a scrape of a large cluster */
};

struct cli_fetcher {
    struct koa_loop *loop;
    struct koa_workers *workers;
    struct koa_resolver *resolver;
    struct koa_http_client *client;
    char base_url[URL_SIZE / 2]; /* without the slashes that a person ends it with */
    int64_t timeout_ms;
    char authorization[AUTHORIZATION_SIZE];

    /* The one request under way; `mutex` guards `is_done`. */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_done;
    const char *path;
    const char *accept;
    struct cli_answer answer;
    enum koa_err err;
    struct koa_error error;
};

static void finish(struct cli_fetcher *fetcher)
{
    (void) pthread_mutex_lock(&fetcher->mutex);
    fetcher->is_done = true;
    (void) pthread_cond_signal(&fetcher->changed);
    (void) pthread_mutex_unlock(&fetcher->mutex);
}

static void copy_header(const struct koa_http_answer *answer, const char *name, char *target,
                        size_t size)
{
    (void) koa_str_copy(target, size, koa_http_answer_header(answer, name));
}

static void on_answer(void *context, const struct koa_http_answer *answer,
                      const struct koa_error *error)
{
    struct cli_fetcher *fetcher = context;
    struct cli_answer *own = &fetcher->answer;

    if (answer == NULL) {
        fetcher->err = error->code;
        fetcher->error = *error;
    } else {
        own->status = answer->status;
        own->seconds = answer->seconds;
        copy_header(answer, "Content-Type", own->content_type, sizeof(own->content_type));
        copy_header(answer, "Cache-Control", own->cache_control, sizeof(own->cache_control));
        copy_header(answer, "X-Content-Type-Options", own->content_type_options,
                    sizeof(own->content_type_options));
        koa_buf_append(&own->body, answer->body.data, answer->body.size);
        fetcher->err = koa_buf_status(&own->body, "the answer", &fetcher->error);
    }
    finish(fetcher);
}

static void start_request(void *message)
{
    struct cli_fetcher *fetcher = message;
    struct koa_http_call *call = NULL;
    const char *headers[3] = {NULL};
    char accept[256];
    char url[URL_SIZE];
    size_t count = 0;

    if (fetcher->authorization[0] != '\0')
        headers[count++] = fetcher->authorization;
    if (fetcher->accept != NULL) {
        (void) snprintf(accept, sizeof(accept), "Accept: %s", fetcher->accept);
        headers[count++] = accept;
    }
    (void) snprintf(url, sizeof(url), "%s%s", fetcher->base_url, fetcher->path);
    fetcher->err =
        koa_http_client_start(fetcher->client,
                              &(struct koa_http_call_opts){.method = "GET",
                                                           .url = url,
                                                           .headers = headers,
                                                           .timeout_ms = fetcher->timeout_ms,
                                                           .body_limit = BODY_LIMIT,
                                                           .done = on_answer,
                                                           .context = fetcher},
                              &call, &fetcher->error);
    if (fetcher->err != KOA_OK)
        finish(fetcher);
}

enum koa_err cli_fetch(struct cli_fetcher *fetcher, const char *path, const char *accept,
                       const struct cli_answer **ret_answer, struct koa_error *reterr)
{
    koa_buf_deinit(&fetcher->answer.body);
    fetcher->answer = (struct cli_answer){.body.limit = BODY_LIMIT};
    fetcher->path = path;
    fetcher->accept = accept;
    fetcher->is_done = false;
    if (!koa_loop_post(fetcher->loop, start_request, NULL, fetcher))
        return koa_fail(reterr, KOA_ERR_LIMIT, "the request could not be started");
    (void) pthread_mutex_lock(&fetcher->mutex);
    while (!fetcher->is_done)
        (void) pthread_cond_wait(&fetcher->changed, &fetcher->mutex);
    (void) pthread_mutex_unlock(&fetcher->mutex);
    if (fetcher->err != KOA_OK) {
        if (reterr != NULL)
            *reterr = fetcher->error;
        return fetcher->err;
    }
    *ret_answer = &fetcher->answer;
    return KOA_OK;
}

static enum koa_err use_user(struct cli_fetcher *fetcher, const char *user,
                             struct koa_error *reterr)
{
    static const char prefix[] = "Authorization: Basic ";

    if (strchr(user, ':') == NULL || strlen(user) > AUTHORIZATION_SIZE / 2)
        return koa_fail(reterr, KOA_ERR_INVALID, "the user is not given as NAME:PASSWORD");
    memcpy(fetcher->authorization, prefix, sizeof(prefix));
    koa_base64_encode(koa_str_from(user), fetcher->authorization + sizeof(prefix) - 1,
                      AUTHORIZATION_SIZE - sizeof(prefix));
    return KOA_OK;
}

static enum koa_err use_token_file(struct cli_fetcher *fetcher, const char *path,
                                   struct koa_error *reterr)
{
    static const char prefix[] = "Authorization: Bearer ";
    char token[AUTHORIZATION_SIZE / 2];
    FILE *file = fopen(path, "re");
    size_t size;
    struct koa_str text;

    if (file == NULL)
        return koa_fail_errno(reterr, KOA_ERR_IO, errno, "cannot open the token file '%s'", path);
    size = fread(token, 1, sizeof(token), file);
    (void) fclose(file);
    text = koa_str_trim((struct koa_str){.data = token, .size = size});
    if (text.size == 0 || size == sizeof(token)) {
        return koa_fail(reterr, KOA_ERR_INVALID, "the token file '%s' is empty or over %zu bytes",
                        path, sizeof(token) - 1);
    }
    memcpy(fetcher->authorization, prefix, sizeof(prefix));
    (void) koa_str_copy(fetcher->authorization + sizeof(prefix) - 1,
                        AUTHORIZATION_SIZE - sizeof(prefix), text);
    return KOA_OK;
}

static enum koa_err start_loop(struct cli_fetcher *fetcher, struct koa_error *reterr)
{
    enum koa_err err =
        koa_loop_create(&(struct koa_loop_opts){.name = "fetch"}, &fetcher->loop, reterr);

    if (err == KOA_OK)
        err = koa_workers_create(&(struct koa_workers_opts){0}, &fetcher->workers, reterr);
    if (err == KOA_OK) {
        fetcher->resolver = koa_resolver_create(fetcher->workers, fetcher->loop);
        err = koa_require_memory(fetcher->resolver, reterr);
    }
    if (err == KOA_OK) {
        err = koa_http_client_create(fetcher->loop, fetcher->resolver, NULL, &fetcher->client,
                                     reterr);
    }
    if (err == KOA_OK)
        err = koa_loop_start(fetcher->loop, reterr);
    return err;
}

static enum koa_err use_url(struct cli_fetcher *fetcher, const char *url, struct koa_error *reterr)
{
    size_t size = strlen(url);
    const char *host = strstr(url, "://");

    while (size > 0 && url[size - 1] == '/')
        size--;
    if ((strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) ||
        host + strlen("://") >= url + size || size >= sizeof(fetcher->base_url)) {
        return koa_fail(reterr, KOA_ERR_INVALID,
                        "'%.200s' is not an http:// or https:// URL, such as http://localhost:8080",
                        url);
    }
    (void) koa_str_copy(fetcher->base_url, sizeof(fetcher->base_url), (struct koa_str){url, size});
    return KOA_OK;
}

enum koa_err cli_fetcher_create(const struct cli_fetcher_opts *opts,
                                struct cli_fetcher **ret_fetcher, struct koa_error *reterr)
{
    struct cli_fetcher *fetcher = koa_calloc(1, sizeof(*fetcher));
    enum koa_err err = koa_require_memory(fetcher, reterr);

    if (err != KOA_OK)
        return err;
    (void) pthread_mutex_init(&fetcher->mutex, NULL);
    (void) pthread_cond_init(&fetcher->changed, NULL);
    fetcher->timeout_ms = opts->timeout_ms;
    err = use_url(fetcher, opts->url, reterr);
    if (err == KOA_OK && opts->user != NULL) {
        err = use_user(fetcher, opts->user, reterr);
    } else if (err == KOA_OK && opts->token_file != NULL) {
        err = use_token_file(fetcher, opts->token_file, reterr);
    }
    if (err == KOA_OK)
        err = start_loop(fetcher, reterr);
    if (err == KOA_OK)
        *ret_fetcher = KOA_MOVE(fetcher);
    cli_fetcher_destroy(fetcher);
    return err;
}

void cli_fetcher_destroy(struct cli_fetcher *fetcher)
{
    if (fetcher == NULL)
        return;
    if (fetcher->loop != NULL)
        koa_loop_stop(fetcher->loop);
    koa_http_client_destroy(fetcher->client);
    koa_resolver_destroy(fetcher->resolver);
    koa_workers_destroy(fetcher->workers, 1000);
    koa_loop_destroy(fetcher->loop);
    koa_buf_deinit(&fetcher->answer.body);
    (void) pthread_cond_destroy(&fetcher->changed);
    (void) pthread_mutex_destroy(&fetcher->mutex);
    koa_free(fetcher);
}
