/* `doctor`: what the agent would miss on a cluster, and what to do about it. The rim: client
 * and flags around doctor_exam.c, whose findings doctor_report.c prints. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/redact.h"
#include "base/str.h"
#include "cli/doctor_exam.h"
#include "cli/doctor_report.h"
#include "cli/target.h"
#include "kafka/client.h"
#include "loop/clock.h"
#include "loop/loop.h"

enum {
    REPORT_LIMIT = 32 << 20, /* 2,000 brokers that each lack something */
    PRINCIPAL_SIZE = 512,
};

struct visit {
    struct cli_target target;
    struct koa_kafka_client *client;
    struct koa_name_filter *topics, *groups;
    struct cli_exam *exam;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_finished; /* under the mutex */
};

static struct koa_mono mono(void *context)
{
    return koa_loop_now(((struct visit *) context)->target.loop);
}

static struct koa_wall wall(void *context)
{
    (void) context;
    return koa_clock_wall();
}

static void submit(void *context, int32_t broker, struct koa_kafka_request *request)
{
    koa_kafka_client_submit(((struct visit *) context)->client, broker, request);
}

static void set_brokers(void *context, const struct koa_kafka_address *brokers, size_t count)
{
    koa_kafka_client_set_brokers(((struct visit *) context)->client, brokers, count);
}

static void on_finished(void *context)
{
    struct visit *visit = context;

    (void) pthread_mutex_lock(&visit->mutex);
    visit->is_finished = true;
    (void) pthread_cond_signal(&visit->changed);
    (void) pthread_mutex_unlock(&visit->mutex);
}

static enum koa_err make_client(struct visit *visit, struct koa_error *reterr)
{
    const struct cli_target *target = &visit->target;
    const struct koa_texts *texts = &target->settings->bootstrap_servers;
    struct koa_kafka_address servers[KOA_KAFKA_BOOTSTRAP_LIMIT] = {{.id = 0}};
    char *hosts[KOA_KAFKA_BOOTSTRAP_LIMIT] = {NULL};
    struct koa_kafka_client_opts opts = {.loop = target->loop,
                                         .resolver = target->resolver,
                                         .bootstrap = servers,
                                         .connect_timeout_ms =
                                             target->settings->request_timeout / 2,
                                         .security = &target->security,
                                         .workers = target->workers,
                                         .http = target->http,
                                         .name = target->settings->name};
    enum koa_err err = KOA_OK;

    if (texts->count > KOA_KAFKA_BOOTSTRAP_LIMIT) {
        err = koa_fail(reterr, KOA_ERR_INVALID, "cluster '%s' names %zu servers; %d are allowed",
                       target->settings->name, texts->count, KOA_KAFKA_BOOTSTRAP_LIMIT);
    }
    for (size_t i = 0; err == KOA_OK && i < texts->count; i++) {
        err = koa_kafka_server_parse(texts->rows[i], &hosts[i], &servers[i].port, reterr);
        servers[i].host = hosts[i];
        opts.bootstrap_count = i + 1;
    }
    if (err == KOA_OK)
        err = koa_kafka_client_create(&opts, &visit->client, reterr);
    for (size_t i = 0; i < opts.bootstrap_count; i++)
        koa_free(hosts[i]);
    return err;
}

static enum koa_err make_filter(const struct koa_names_settings *names, const char *what,
                                struct koa_name_filter **ret_filter, struct koa_error *reterr)
{
    struct koa_name_filter_opts opts = {.include = names->include.rows,
                                        .include_count = names->include.count,
                                        .exclude = names->exclude.rows,
                                        .exclude_count = names->exclude.count,
                                        .what = what};

    return koa_name_filter_create(&opts, ret_filter, reterr);
}

/* The default, ".*", is everything. */
static bool are_chosen(const struct koa_names_settings *names)
{
    for (size_t i = 0; i < names->include.count; i++) {
        if (koa_text_equal(names->include.rows[i], ".*"))
            return false;
    }
    return names->include.count > 0;
}

static enum koa_err make_exam(struct visit *visit, struct koa_error *reterr)
{
    static const struct cli_exam_ops ops = {.mono = mono,
                                            .wall = wall,
                                            .submit = submit,
                                            .set_brokers = set_brokers,
                                            .finished = on_finished};
    const struct koa_cluster_settings *settings = visit->target.settings;
    struct cli_exam_opts opts = {.server_count = settings->bootstrap_servers.count,
                                 .request_timeout_ms = settings->request_timeout,
                                 .topics_are_chosen = are_chosen(&settings->topics),
                                 .groups_are_chosen = are_chosen(&settings->groups),
                                 .probe_topic =
                                     settings->probe.enabled ? settings->probe.topic : NULL,
                                 .ops = &ops,
                                 .context = visit};
    enum koa_err err = make_filter(&settings->topics, "topics", &visit->topics, reterr);

    if (err == KOA_OK)
        err = make_filter(&settings->groups, "groups", &visit->groups, reterr);
    opts.topics = visit->topics;
    opts.groups = visit->groups;
    return err != KOA_OK ? err : cli_exam_create(&opts, &visit->exam, reterr);
}

static void begin(void *message)
{
    cli_exam_begin(((struct visit *) message)->exam);
}

static void end(void *message)
{
    struct visit *visit = message;

    koa_kafka_client_destroy(KOA_MOVE(visit->client));
    cli_exam_destroy(KOA_MOVE(visit->exam));
}

/* Every request has a deadline, so the exam ends. */
static enum koa_err run(struct visit *visit, struct koa_error *reterr)
{
    enum koa_err err = make_client(visit, reterr);

    if (err == KOA_OK)
        err = make_exam(visit, reterr);
    if (err == KOA_OK && !koa_loop_call(visit->target.loop, begin, visit))
        err = koa_fail(reterr, KOA_ERR_STATE, "the loop takes no message");
    if (err != KOA_OK)
        return err;
    (void) pthread_mutex_lock(&visit->mutex);
    while (!visit->is_finished)
        (void) pthread_cond_wait(&visit->changed, &visit->mutex);
    (void) pthread_mutex_unlock(&visit->mutex);
    if (cli_exam_report(visit->exam)->is_out_of_memory)
        err = koa_fail(reterr, KOA_ERR_NOMEM, "memory is out");
    return err;
}

/* Connections live on the loop's thread; without it they are this thread's. */
static void take_apart(struct visit *visit)
{
    if (!koa_loop_call(visit->target.loop, end, visit)) {
        koa_loop_stop(visit->target.loop);
        end(visit);
    }
    koa_name_filter_destroy(visit->topics);
    koa_name_filter_destroy(visit->groups);
    cli_target_close(&visit->target);
    (void) pthread_cond_destroy(&visit->changed);
    (void) pthread_mutex_destroy(&visit->mutex);
}

/* ---- the command */

/* What brokers make of the credentials, unless they map names. False: cannot be known here. */
static bool find_principal(const struct cli_arguments *arguments,
                           const struct koa_kafka_security *security, char *text)
{
    const char *given = cli_value(arguments, "principal");
    bool is_named = koa_kafka_is_set(security->mechanism);
    const char *name = "NAME";

    if (given != NULL) {
        name = given;
    } else if (is_named && koa_kafka_is_set(security->username)) {
        name = security->username;
    } else if (!is_named && !koa_kafka_is_set(security->cert_file)) {
        name = "ANONYMOUS";
    }
    (void) snprintf(text, PRINCIPAL_SIZE, "%s%s",
                    given != NULL && strchr(given, ':') != NULL ? "" : "User:", name);
    return given != NULL || !koa_text_equal(name, "NAME");
}

static int print(const struct cli_arguments *arguments, const struct visit *visit,
                 const struct cli_report_opts *opts)
{
    const struct cli_report *report = cli_exam_report(visit->exam);
    struct koa_buf buf = {.limit = REPORT_LIMIT};
    bool is_whole;

    if (cli_is_given(arguments, "json")) {
        cli_report_json(report, opts, &buf);
    } else {
        cli_report_print(report, opts, &buf);
    }
    is_whole = !buf.failed;
    if (is_whole && buf.data != NULL) {
        koa_redact(buf.data);
        (void) fputs(buf.data, stdout);
    }
    koa_buf_deinit(&buf);
    if (!is_whole || fflush(stdout) != 0) {
        (void) fprintf(stderr, "kafka-ops-agent doctor: the report could not be printed\n");
        return CLI_FAILED;
    }
    if (!report->is_connected)
        return CLI_USAGE;
    return cli_report_is_well(report) ? CLI_OK : CLI_FAILED;
}

static int examine(const struct cli_arguments *arguments, struct visit *visit)
{
    const struct koa_cluster_settings *settings = visit->target.settings;
    const struct koa_kafka_security *security = &visit->target.security;
    char principal[PRINCIPAL_SIZE];
    struct cli_report_opts opts = {.cluster = settings->name,
                                   .servers = settings->bootstrap_servers.rows,
                                   .principal = principal,
                                   .is_secured = koa_kafka_security_is_on(security),
                                   .probe_topic =
                                       settings->probe.enabled ? settings->probe.topic : NULL,
                                   .now = koa_clock_wall()};
    struct koa_error error;

    opts.principal_is_known = find_principal(arguments, security, principal);
    if (run(visit, &error) == KOA_OK)
        return print(arguments, visit, &opts);
    (void) fprintf(stderr, "kafka-ops-agent doctor: %s\n", error.text);
    return CLI_USAGE;
}

static int doctor(const struct cli_arguments *arguments)
{
    struct visit visit = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    int code;

    if (!cli_target_open(arguments, &visit.target))
        return CLI_USAGE;
    code = examine(arguments, &visit);
    take_apart(&visit);
    return code;
}

static const struct cli_flag flags[] = {
    {"principal", "User:NAME", NULL, "who this client is to the brokers, for the kafka-acls lines"},
    {"json", NULL, NULL, "print the findings as JSON"},
    {0},
};

const struct cli_command cli_doctor = {
    .name = "doctor",
    .summary = "Say which APIs and rights the agent lacks on a cluster, and how to give them",
    .help = "Asks harmless questions only; changes nothing (docs/permissions.md).\n"
            "Exit codes: 0 all is well; 1 something is missing or could not be told; 2 no server "
            "could be\nreached, or flags, environment or configuration are not right.\n",
    .flag_tables = (const struct cli_flag *const[]){cli_target_flags, flags, NULL},
    .run = doctor,
};
