/* Decides when a token is fetched. What is said at the endpoint is oauth.c's matter. */
#include "kafka/token_source.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "kafka/oauth.h"
#include "loop/clock.h"

enum {
    FETCH_TIMEOUT_MS = 10000,
    ANSWER_LIMIT = 128 * 1024,
    FORM_LIMIT = 64 * 1024,
    HEADER_LIMIT = 512 * 1024,
    /* An endpoint that names no lifetime, and a token that does not either. */
    LIFETIME_DEFAULT_MS = 5 * 60 * 1000,
    RENEW_PERCENT = 80, /* of its life: the rest is for attempts that fail */
    MARGIN_PERCENT = 5, /* before its end it counts as ended: clocks differ, requests take time */
    MARGIN_LIMIT_MS = 10 * 1000,
    RETRY_FIRST_MS = 1000,
    RETRY_LIMIT_MS = 60 * 1000,
};

struct koa_token_source {
    struct koa_token_source_opts opts;
    char *client_secret;
    char *token; /* NULL: none yet */
    struct koa_mono token_ends;
    struct koa_http_call *call; /* NULL: none under way */
    struct koa_timer timer;     /* renews it */
    struct koa_error failure;
    unsigned failures; /* in a row */
    struct koa_mono retry_at;
};

enum koa_err koa_token_source_create(const struct koa_token_source_opts *opts,
                                     struct koa_token_source **ret_source, struct koa_error *reterr)
{
    struct koa_token_source *source = koa_calloc(1, sizeof(*source));

    if (source != NULL) {
        source->opts = *opts;
        *ret_source = source;
    }
    return koa_require_memory(source, reterr);
}

void koa_token_source_destroy(struct koa_token_source *source)
{
    if (source == NULL)
        return;
    koa_http_call_cancel(source->call);
    koa_timers_disarm(koa_loop_timers(source->opts.loop), &source->timer);
    koa_free_secret(source->client_secret);
    koa_free_secret(source->token);
    koa_free(source);
}

static bool is_good(const struct koa_token_source *source, struct koa_mono now)
{
    return source->token != NULL && koa_mono_diff_ms(source->token_ends, now) > 0;
}

static enum koa_err start_fetch(struct koa_token_source *source, struct koa_error *reterr);

static void on_renew(struct koa_timer *timer, struct koa_mono now)
{
    struct koa_token_source *source = KOA_CONTAINER_OF(timer, struct koa_token_source, timer);
    struct koa_error error;

    (void) now;
    if (source->call == NULL && start_fetch(source, &error) != KOA_OK) {
        koa_log_warn(source->opts.log, "kafka.token",
                     "%s: the token cannot be renewed: %s; trying again when it is needed",
                     source->opts.name, error.text);
    }
}

/* Without memory for the timer the token is fetched when it is wanted next. */
static void renew_in(struct koa_token_source *source, int64_t delay_ms)
{
    (void) !koa_loop_after(source->opts.loop, &source->timer, delay_ms, on_renew);
}

static void take_token(struct koa_token_source *source, char *token, int64_t lifetime_ms)
{
    struct koa_mono now = koa_loop_now(source->opts.loop);
    struct koa_wall expiry;
    int64_t margin_ms;

    if (lifetime_ms < 0 && koa_oauth_expiry(token, &expiry))
        lifetime_ms = expiry.ms - koa_clock_wall().ms;
    if (lifetime_ms < 0)
        lifetime_ms = LIFETIME_DEFAULT_MS;
    margin_ms = lifetime_ms / 100 * MARGIN_PERCENT;
    if (margin_ms > MARGIN_LIMIT_MS)
        margin_ms = MARGIN_LIMIT_MS;
    koa_free_secret(source->token);
    source->token = token;
    source->token_ends = koa_mono_add_ms(now, lifetime_ms - margin_ms);
    if (source->failures > 0) {
        koa_log_notice(source->opts.log, "kafka.token", "%s: the token endpoint gives tokens again",
                       source->opts.name);
    } else {
        koa_log_debug(source->opts.log, "kafka.token", "%s: a token for %" PRId64 " s",
                      source->opts.name, lifetime_ms / 1000);
    }
    source->failures = 0;
    renew_in(source, lifetime_ms / 100 * RENEW_PERCENT + RETRY_FIRST_MS / 10);
}

static void take_failure(struct koa_token_source *source, const struct koa_error *error)
{
    struct koa_mono now = koa_loop_now(source->opts.loop);
    int64_t pause_ms = RETRY_FIRST_MS;
    enum koa_log_level level = source->failures == 0 ? KOA_LOG_WARNING : KOA_LOG_DEBUG;

    for (unsigned i = 0; i < source->failures && pause_ms < RETRY_LIMIT_MS; i++)
        pause_ms *= 2;
    if (pause_ms > RETRY_LIMIT_MS)
        pause_ms = RETRY_LIMIT_MS;
    source->failures++;
    source->failure = *error;
    source->retry_at = koa_mono_add_ms(now, pause_ms);
    KOA_LOG_AT(source->opts.log, level, "kafka.token",
               "%s: no new token: %s; %strying again in %" PRId64 " s", source->opts.name,
               error->text, is_good(source, now) ? "the present one is still good; " : "",
               pause_ms / 1000);
    if (is_good(source, now))
        renew_in(source, pause_ms);
}

static void on_answered(void *context, const struct koa_http_answer *answer,
                        const struct koa_error *error)
{
    struct koa_token_source *source = context;
    struct koa_error own;
    int64_t lifetime_ms;
    char *token = NULL;

    source->call = NULL;
    if (answer == NULL) {
        (void) koa_fail(&own, error->code, "the token endpoint: %s", error->text);
        take_failure(source, &own);
    } else if (koa_oauth_read(
                   &(struct koa_oauth_answer){.status = answer->status, .body = answer->body},
                   &token, &lifetime_ms, &own) != KOA_OK) {
        take_failure(source, &own);
    } else {
        take_token(source, token, lifetime_ms);
    }
    source->opts.changed(source->opts.context);
}

static void wipe(struct koa_buf *buf)
{
    if (buf->data != NULL)
        explicit_bzero(buf->data, buf->capacity);
    koa_buf_deinit(buf);
}

static enum koa_err start_fetch(struct koa_token_source *source, struct koa_error *reterr)
{
    struct koa_buf form = {.limit = FORM_LIMIT};
    struct koa_buf authorization = {.limit = HEADER_LIMIT};
    enum koa_err err;

    koa_oauth_write_form(source->opts.scope, &form);
    koa_oauth_write_authorization(source->opts.client_id, source->client_secret, &authorization);
    err = koa_buf_status(&form, "the form for a token", reterr);
    if (err == KOA_OK)
        err = koa_buf_status(&authorization, "credentials for a token", reterr);
    if (err == KOA_OK) {
        const char *const headers[] = {koa_buf_text(&authorization),
                                       "Content-Type: application/x-www-form-urlencoded",
                                       "Accept: application/json", NULL};
        struct koa_http_call_opts opts = {.method = "POST",
                                          .url = source->opts.url,
                                          .headers = headers,
                                          .body = {.data = form.data, .size = form.size},
                                          .timeout_ms = FETCH_TIMEOUT_MS,
                                          .body_limit = ANSWER_LIMIT,
                                          .ca_file = source->opts.ca_file,
                                          .done = on_answered,
                                          .context = source};

        err = koa_http_client_start(source->opts.http, &opts, &source->call, reterr);
    }
    wipe(&authorization);
    koa_buf_deinit(&form);
    return err;
}

static enum koa_err keep_secret(struct koa_token_source *source, const char *client_secret,
                                struct koa_error *reterr)
{
    if (koa_text_equal(source->client_secret, client_secret))
        return KOA_OK;
    koa_free_secret(source->client_secret);
    source->client_secret = koa_strdup(client_secret);
    source->failures = 0; /* another secret is worth another attempt */
    return koa_require_memory(source->client_secret, reterr);
}

enum koa_err koa_token_source_get(struct koa_token_source *source, const char *client_secret,
                                  const char **ret_token, bool *ret_is_pending,
                                  struct koa_error *reterr)
{
    struct koa_mono now = koa_loop_now(source->opts.loop);
    enum koa_err err = keep_secret(source, client_secret, reterr);

    if (err != KOA_OK)
        return err;
    if (is_good(source, now)) {
        *ret_token = source->token;
        return KOA_OK;
    }
    if (source->call == NULL && source->failures > 0 &&
        koa_mono_diff_ms(source->retry_at, now) > 0) {
        if (reterr != NULL)
            *reterr = source->failure;
        return source->failure.code;
    }
    if (source->call == NULL)
        err = start_fetch(source, reterr);
    *ret_is_pending = err == KOA_OK;
    return err;
}
