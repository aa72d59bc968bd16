/* `lag`: asks a cluster itself, no agent needed, and prints what its consumer groups lag. One cycle
 * of the same collector that an agent runs; with --watch one after the other. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/lag_table.h"
#include "cli/target.h"
#include "metrics/pattern.h"

enum {
    LAG_PARTLY = 3, /* exit code: shown, but not all of it could be learned */
    DEFAULT_PERIOD_MS = 5000,
    LONGEST_PERIOD_MS = 3600 * 1000,
    TEXT_LIMIT = 1 << 30,
    PROBLEMS_LIMIT = 1 << 20,
};

/* Told by the loop's thread, awaited by the main one. */
struct news {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    size_t cycles;
};

struct run {
    const struct cli_arguments *arguments;
    struct cli_lag_opts opts;
    int64_t period_ms; /* 0: once */
    bool as_json;
    const char *group; /* --group */
    struct cli_target target;
    struct koa_cluster *cluster;
    struct news news;
};

static int refuse(const struct cli_arguments *arguments, const char *flag, const char *text,
                  const char *allowed)
{
    (void) fprintf(stderr, "kafka-ops-agent %s: --%s: '%s' is not %s\n", arguments->command->name,
                   flag, text, allowed);
    return CLI_USAGE;
}

static int read_pattern(const struct cli_arguments *arguments, const char *flag)
{
    const char *text = cli_value(arguments, flag);
    const char *allowed = text != NULL ? koa_pattern_validate(text) : NULL;

    return allowed == NULL ? CLI_OK : refuse(arguments, flag, text, allowed);
}

static int read_order(struct run *run)
{
    const char *text = cli_value(run->arguments, "sort");

    run->opts.order = KOA_GROUP_ORDER_NAME;
    if (text == NULL)
        return CLI_OK;
    for (size_t i = 0; i < KOA_GROUP_ORDER_COUNT; i++) {
        if (strcmp(text, koa_group_orders[i]) == 0) {
            run->opts.order = (enum koa_group_order) i;
            return CLI_OK;
        }
    }
    return refuse(run->arguments, "sort", text, "one of name, lag, lag_seconds, trouble");
}

static int read_period(struct run *run)
{
    const char *text = cli_value(run->arguments, "watch");

    if (text == NULL)
        return CLI_OK;
    run->period_ms = DEFAULT_PERIOD_MS;
    if (text[0] == '\0' ||
        (koa_parse_duration(koa_str_from(text), 1000, &run->period_ms) == KOA_OK &&
         run->period_ms >= 1000 && run->period_ms <= LONGEST_PERIOD_MS))
        return CLI_OK;
    return refuse(run->arguments, "watch", text, "a time from 1 second to 1 hour");
}

static void on_published(void *context, const char *cluster)
{
    struct news *news = context;

    (void) cluster;
    (void) pthread_mutex_lock(&news->mutex);
    news->cycles++;
    (void) pthread_cond_signal(&news->changed);
    (void) pthread_mutex_unlock(&news->mutex);
}

/* Every cycle ends: each of its requests has a deadline. */
static struct koa_snapshot *await(struct run *run, size_t cycles)
{
    (void) pthread_mutex_lock(&run->news.mutex);
    while (run->news.cycles < cycles)
        (void) pthread_cond_wait(&run->news.changed, &run->news.mutex);
    (void) pthread_mutex_unlock(&run->news.mutex);
    return koa_cluster_snapshot(run->cluster);
}

static int print_problems(const struct koa_snapshot *snapshot)
{
    struct koa_buf problems = {.limit = PROBLEMS_LIMIT};
    size_t count = cli_lag_problems(snapshot, &problems);

    (void) fputs(koa_buf_text(&problems), stderr);
    koa_buf_deinit(&problems);
    return count > 0 ? LAG_PARTLY : CLI_OK;
}

static int show(const struct run *run, const struct koa_snapshot *snapshot)
{
    struct koa_buf text = {.limit = TEXT_LIMIT};
    bool redraws = run->period_ms > 0 && !run->as_json && isatty(STDOUT_FILENO) == 1;
    bool is_whole;

    if (koa_snapshot_error(snapshot) != NULL) {
        (void) fprintf(stderr, "kafka-ops-agent lag: cluster '%s' cannot be read: %s\n",
                       koa_snapshot_cluster(snapshot), koa_snapshot_error(snapshot));
        return CLI_FAILED;
    }
    if (run->as_json) {
        cli_lag_json(snapshot, &run->opts, &text);
    } else {
        cli_lag_table(snapshot, &run->opts, &text);
    }
    is_whole = !text.failed;
    if (is_whole) {
        if (redraws)
            (void) fputs("\033[H\033[2J", stdout);
        is_whole =
            fwrite(koa_buf_text(&text), 1, text.size, stdout) == text.size && fflush(stdout) == 0;
    } else {
        (void) fputs("kafka-ops-agent lag: no memory for so many rows; narrow it by --group\n",
                     stderr);
    }
    koa_buf_deinit(&text);
    if (!is_whole)
        return CLI_FAILED;
    if (run->group != NULL && koa_snapshot_group_count(snapshot) == 0) {
        (void) fprintf(stderr, "kafka-ops-agent lag: no group matches '%s'\n", run->group);
        return CLI_FAILED;
    }
    return print_problems(snapshot);
}

/* Once, or until a signal ends the program or nobody reads. */
static int show_all(struct run *run)
{
    int result;
    size_t cycles = 1;

    koa_cluster_start(run->cluster);
    do {
        struct koa_snapshot *snapshot = await(run, cycles++);

        result = show(run, snapshot);
        koa_snapshot_unref(snapshot);
    } while (run->period_ms > 0 && !ferror(stdout));
    return result;
}

static int open_cluster(struct run *run)
{
    const char *topic = cli_value(run->arguments, "topic");
    struct koa_cluster_opts opts;
    struct koa_error error;

    cli_target_opts(&run->target, &opts);
    if (run->group != NULL) {
        opts.groups_include = &run->group;
        opts.groups_include_count = 1;
        opts.groups_exclude_count = 0;
    }
    if (topic != NULL) {
        opts.topics_include = &topic;
        opts.topics_include_count = 1;
        opts.topics_exclude_count = 0;
    }
    /* One cycle only, unless it is watched. */
    opts.interval_ms = run->period_ms > 0 ? run->period_ms : LONGEST_PERIOD_MS;
    opts.published = on_published;
    opts.context = &run->news;
    if (koa_cluster_create(run->target.loop, &opts, &run->cluster, &error) == KOA_OK)
        return CLI_OK;
    (void) fprintf(stderr, "kafka-ops-agent lag: %s\n", error.text);
    return CLI_USAGE;
}

static int lag(const struct cli_arguments *arguments)
{
    struct run run = {
        .arguments = arguments,
        .opts = {.without_partitions = cli_is_given(arguments, "no-partitions"),
                 .thousands = cli_is_given(arguments, "thousands")},
        .as_json = cli_is_given(arguments, "json"),
        .group = cli_value(arguments, "group"),
        .news = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER},
    };
    int result = read_pattern(arguments, "group");

    if (result == CLI_OK)
        result = read_pattern(arguments, "topic");
    if (result == CLI_OK)
        result = read_order(&run);
    if (result == CLI_OK)
        result = read_period(&run);
    if (result != CLI_OK)
        return result;
    if (!cli_target_open(arguments, &run.target))
        return CLI_USAGE;
    result = open_cluster(&run);
    if (result == CLI_OK) {
        result = show_all(&run);
        koa_cluster_stop(run.cluster);
        koa_cluster_unref(run.cluster);
    }
    cli_target_close(&run.target);
    return result;
}

static const struct cli_flag flags[] = {
    {"group", "REGEX", NULL, "only groups whose whole name matches"},
    {"topic", "REGEX", NULL, "only topics whose whole name matches"},
    {"no-partitions", NULL, NULL, "a row for each topic of a group, with its lag in seconds"},
    {"sort", "ORDER", NULL, "groups by name, lag, lag_seconds or trouble (name)"},
    {"thousands", NULL, NULL, "numbers as 1,234,567"},
    {"json", NULL, NULL, "one JSON object for each look, as /clusters/{c}/groups/{g} has it"},
    {"watch", "[=SECONDS]", NULL, "look again and again (5)"},
    {0},
};

const struct cli_command cli_lag = {
    .name = "lag",
    .summary = "Show what consumer groups lag, from the cluster itself",
    .help = "Needs no running agent. What is not known is a dash. Lag in seconds needs some looks: "
            "use --watch.\n"
            "Exit codes: 0 everything is shown; 1 the cluster cannot be read, or no group matches; "
            "2 flags or\n"
            "configuration are not right; 3 shown, but a broker or group could not be asked: it is "
            "named on\n"
            "standard error.\n",
    .flag_tables = (const struct cli_flag *const[]){cli_target_flags, flags, NULL},
    .run = lag,
};
