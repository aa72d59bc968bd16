/* What the endpoints ask of the agent: reload and log levels. A reload blocks, so it has a worker.
 */
#include "agent/composition.h"
#include "base/json_write.h"
#include "base/memory.h"
#include "loop/clock.h"

enum {
    RELOAD_DEADLINE_MS = 60000, /* reads files, waits for the engine: seconds at worst */
    CHANGED_LIMIT = 65536,
};

struct reload {
    struct koa_job job; /* first */
    struct koa_agent *agent;
    struct koa_http_token *token;
};

static void print_error(struct koa_json *json, const struct koa_config_error *error)
{
    koa_json_object(json, NULL);
    koa_json_text(json, "file", error->file);
    koa_json_int(json, "line", error->line);
    koa_json_int(json, "column", error->column);
    koa_json_text(json, "path", error->path);
    koa_json_text(json, "message", error->text);
    koa_json_object_end(json);
}

/* What a part of the agent refused, such as a certificate, has no place in the file. */
static void answer_errors(struct koa_http_response *response,
                          const struct koa_config_errors *errors, const struct koa_error *error)
{
    struct koa_json json = {.buf = &response->body};

    response->status = 400;
    koa_json_object(&json, NULL);
    koa_json_text(&json, "error", "Invalid configuration");
    koa_json_text(&json, "message", error->text);
    koa_json_list(&json, "errors");
    for (size_t i = 0; i < errors->count; i++)
        print_error(&json, &errors->rows[i]);
    if (errors->count == 0) {
        KOA_AUTOFREE char *text = koa_strdup(error->text);

        print_error(&json, &(struct koa_config_error){.path = "", .text = text});
    }
    koa_json_list_end(&json);
    koa_json_time(&json, "timestamp", koa_clock_wall());
    koa_json_object_end(&json);
}

static void answer_changed(struct koa_http_response *response, const struct koa_buf *changed)
{
    struct koa_json json = {.buf = &response->body};

    koa_json_object(&json, NULL);
    koa_json_bool(&json, "reloaded", true);
    koa_json_raw(&json, "changed", (struct koa_str){changed->data, changed->size});
    koa_json_time(&json, "timestamp", koa_clock_wall());
    koa_json_object_end(&json);
}

/* The answer is the work's last act, so that nothing is lost when the job is abandoned. */
static void work(struct koa_job *job)
{
    struct reload *reload = (struct reload *) job;
    struct koa_configuration_errors errors = {0};
    struct koa_buf changed = {.limit = CHANGED_LIMIT};
    struct koa_http_response response;
    struct koa_error error;

    koa_http_response_init(&response);
    if (koa_agent_reload_now(reload->agent, &changed, &errors, &error) == KOA_OK) {
        answer_changed(&response, &changed);
    } else {
        answer_errors(&response, &errors.list, &error);
    }
    koa_http_token_finish(reload->token, &response);
    koa_configuration_errors_deinit(&errors);
    koa_buf_deinit(&changed);
}

static void done(struct koa_job *job, bool abandoned)
{
    (void) job, (void) abandoned;
}

static void release(struct koa_job *job)
{
    koa_free(job);
}

static void refuse(struct reload *reload, const char *text)
{
    struct koa_http_response response;

    koa_http_response_init(&response);
    koa_http_fail(&response, 503, "Not reloaded", "%s; try again", text);
    koa_http_token_finish(reload->token, &response);
    koa_free(reload);
}

static void start_on_engine(void *message)
{
    struct reload *reload = message;
    struct koa_error error;

    if (koa_workers_run(reload->agent->workers, reload->agent->engine, "reload", &reload->job,
                        &error) != KOA_OK)
        refuse(reload, error.text);
}

static void drop_on_engine(void *message)
{
    refuse(message, "the engine takes no messages");
}

static void call_reload(void *agent, struct koa_http_token *token)
{
    struct reload *reload = koa_calloc(1, sizeof(*reload));

    if (reload == NULL) {
        struct koa_http_response response;

        koa_http_response_init(&response);
        koa_http_fail(&response, 503, "Not reloaded", "memory is out; try again");
        koa_http_token_finish(token, &response);
        return;
    }
    *reload = (struct reload){
        .job = {.work = work, .done = done, .release = release, .deadline_ms = RELOAD_DEADLINE_MS},
        .agent = agent,
        .token = token};
    (void) koa_loop_post(reload->agent->engine, start_on_engine, drop_on_engine, reload);
}

enum koa_err koa_agent_set_log_level(struct koa_agent *agent, const char *component,
                                     enum koa_log_level level, struct koa_error *reterr)
{
    if (agent->logger == NULL)
        return koa_fail(reterr, KOA_ERR_STATE, "the agent has no log");
    return koa_logger_set_level(agent->logger, component, level, reterr);
}

static enum koa_err call_set_log_level(void *agent, const char *component, const char *name,
                                       struct koa_error *reterr)
{
    enum koa_log_level level;
    enum koa_err err = koa_log_level_parse(name, &level, reterr);

    return err == KOA_OK ? koa_agent_set_log_level(agent, component, level, reterr) : err;
}

static void call_write_log_levels(void *context, struct koa_buf *buf)
{
    struct koa_agent *agent = context;
    struct koa_json json = {.buf = buf};

    koa_json_object(&json, NULL);
    for (size_t i = 0; agent->logger != NULL && koa_log_components[i] != NULL; i++) {
        struct koa_log *log = koa_logger_component(agent->logger, koa_log_components[i]);

        koa_json_text(&json, koa_log_components[i],
                      koa_log_level_name((enum koa_log_level) atomic_load(&log->level)));
    }
    koa_json_object_end(&json);
}

const struct koa_api_calls koa_agent_calls = {
    .reload = call_reload,
    .set_log_level = call_set_log_level,
    .write_log_levels = call_write_log_levels,
};
