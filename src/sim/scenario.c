/* Reads events by the rows of their actions, so that every mistake has its place and every key its
 * documentation. */
#include "sim/scenario.h"

#include <stdio.h>

#include "base/memory.h"
#include "config/options.h"
#include "config/yaml.h"
#include "sim/events.h"

enum { ARENA_LIMIT = 64 << 20, PATH_SIZE = 64 };

/* What every event has. */
struct timing {
    int64_t at_ms;
    const char *what;
    int64_t every_ms;
};

static const struct koa_option timing_options[] = {
    {KOA_DURATION(struct timing, at_ms), .key = "at", .required = true,
     .help = "when it happens, since the start"},
    {KOA_TEXT(struct timing, what), .key = "do", .required = true, .help = "one of the actions"},
    {KOA_DURATION(struct timing, every_ms), .key = "every", .fallback = "0s",
     .help = "and again and again, this long after the last time; 0s: once"},
    {0},
};

static const struct koa_choice versions[] = {
    {"2.8", KOA_SIM_KAFKA_2_8},
    {"3.9", KOA_SIM_KAFKA_3_9},
    {"4.0", KOA_SIM_KAFKA_4_0},
    {"4.x", KOA_SIM_KAFKA_4_X},
    {NULL, 0},
};

static const struct koa_option size_options[] = {
    {KOA_COUNT(struct koa_sim_size, brokers), .fallback = "3", .minimum = 1,
     .maximum = KOA_SIM_BROKERS_MAX, .help = "how many"},
    {KOA_COUNT(struct koa_sim_size, topics), .fallback = "20", .minimum = 1,
     .maximum = KOA_SIM_TOPICS_MAX, .help = "how many"},
    {KOA_COUNT(struct koa_sim_size, partitions), .fallback = "100", .minimum = 1,
     .maximum = KOA_SIM_PARTITIONS_MAX, .help = "of all topics together, at least one each"},
    {KOA_COUNT(struct koa_sim_size, groups), .fallback = "10", .maximum = KOA_SIM_GROUPS_MAX,
     .help = "how many, of every type"},
    {KOA_COUNT(struct koa_sim_size, group_partitions), .fallback = "0",
     .maximum = KOA_SIM_GROUP_PARTITIONS_MAX,
     .help = "with commits, of all groups together; 0: ten for each group"},
    {KOA_COUNT(struct koa_sim_size, members), .fallback = "3", .minimum = 1,
     .maximum = KOA_SIM_MEMBERS_MAX, .help = "of each group that has some"},
    {KOA_DURATION(struct koa_sim_size, latency_ms), .key = "latency", .fallback = "0s",
     .maximum = KOA_SIM_LATENCY_MS_MAX, .help = "added to every answer"},
    {KOA_CHOICE(struct koa_sim_size, version, versions), .key = "kafka_version", .fallback = "4.x",
     .help = "APIs and versions as of this Kafka"},
    {KOA_COUNT(struct koa_sim_size, seed), .fallback = "1", .minimum = 1, .maximum = 9e15,
     .help = "same seed, same cluster"},
    {0},
};

/* What is known while a file is read. */
struct reading {
    struct koa_sim_scenario *scenario;
    struct koa_config_errors errors;
};

static void report_unknown(struct reading *reading, const struct koa_node *where, const char *path,
                           const char *name)
{
    const char *names[64];
    size_t count = 0;

    for (const struct koa_sim_action *const *table = koa_sim_actions; *table != NULL; table++) {
        for (const struct koa_sim_action *action = *table;
             action->name != NULL && count + 1 < KOA_ARRAY_COUNT(names); action++)
            names[count++] = action->name;
    }
    names[count] = NULL;
    koa_options_unknown(&reading->errors, where, path,
                        &(struct koa_unknown_word){.noun = "action", .name = name, .words = names});
}

static void read_event(struct reading *reading, const struct koa_node *node, size_t index,
                       struct koa_sim_event *event)
{
    const struct koa_node *name = koa_node_get(node, "do");
    char path[PATH_SIZE];
    struct timing timing = {0};
    const struct koa_option *tables[] = {timing_options, NULL, NULL};
    void *const targets[] = {&timing, &event->arguments};

    (void) snprintf(path, sizeof(path), "scenario[%zu]", index);
    if (node->type != KOA_NODE_MAP) {
        koa_config_errors_add(&reading->errors, node, path, "must be an event: {at: 10s, do: ...}");
        return;
    }
    event->action =
        name != NULL && name->type == KOA_NODE_SCALAR ? koa_sim_action_find(name->value) : NULL;
    if (event->action == NULL && name != NULL && name->type == KOA_NODE_SCALAR) {
        report_unknown(reading, name, path, name->value);
        return;
    }
    /* Without an action the time alone is looked at, and the missing key is reported. */
    if (event->action != NULL)
        tables[1] = event->action->options;
    (void) !koa_options_load(&(struct koa_options_opts){.tables = tables,
                                                        .targets = targets,
                                                        .path = path,
                                                        .arena = reading->scenario->arena,
                                                        .errors = &reading->errors},
                             node);
    event->at_ms = timing.at_ms;
    event->every_ms = timing.every_ms;
}

static void read_size(struct reading *reading, const struct koa_node *node)
{
    reading->scenario->has_size = true;
    (void) !koa_options_load_one(size_options, &reading->scenario->size, node,
                                 &(struct koa_options_opts){.path = "cluster",
                                                            .arena = reading->scenario->arena,
                                                            .errors = &reading->errors});
}

static void read_events(struct reading *reading, const struct koa_node *list)
{
    struct koa_sim_scenario *scenario = reading->scenario;
    size_t count = 0;

    if (list->type != KOA_NODE_LIST) {
        koa_config_errors_add(&reading->errors, list, "scenario",
                              "must be a list of events: {at: 10s, do: ...}");
        return;
    }
    for (const struct koa_node *node = list->children; node != NULL; node = node->next)
        count++;
    scenario->events = koa_arena_alloc(scenario->arena, count, sizeof(*scenario->events));
    if (scenario->events == NULL) {
        koa_config_errors_add(&reading->errors, list, "scenario", "no memory for %zu events",
                              count);
        return;
    }
    for (const struct koa_node *node = list->children; node != NULL; node = node->next) {
        read_event(reading, node, scenario->count, &scenario->events[scenario->count]);
        scenario->count++;
    }
}

static void read_file(struct reading *reading, const struct koa_node *root)
{
    const struct koa_node *cluster = koa_node_get(root, "cluster");
    const struct koa_node *list = koa_node_get(root, "scenario");

    for (const struct koa_node *key = root->children; key != NULL; key = key->next) {
        if (key != list && key != cluster) {
            koa_config_errors_add(&reading->errors, key, key->key,
                                  "unknown; allowed: cluster, scenario");
        }
    }
    if (cluster != NULL)
        read_size(reading, cluster);
    if (list != NULL) {
        read_events(reading, list);
    } else if (cluster == NULL) {
        koa_config_errors_add(&reading->errors, root, "scenario",
                              "must be a list of events: {at: 10s, do: ...}");
    }
}

/* `path` is NULL for a text. */
static enum koa_err read_scenario(const char *path, struct koa_str text, const char *name,
                                  struct koa_buf *errors, struct koa_sim_scenario **ret_scenario)
{
    struct koa_sim_scenario *scenario = koa_calloc(1, sizeof(*scenario));
    struct reading reading = {.scenario = scenario};
    const struct koa_yaml_opts yaml = {.file = name};
    const struct koa_node *root;

    if (scenario != NULL)
        scenario->arena = koa_arena_create(ARENA_LIMIT);
    if (scenario == NULL || scenario->arena == NULL) {
        koa_sim_scenario_destroy(scenario);
        return KOA_ERR_NOMEM;
    }
    reading.errors.arena = scenario->arena;
    root = path != NULL ? koa_yaml_read(path, &yaml, scenario->arena, &reading.errors)
                        : koa_yaml_parse(text, &yaml, scenario->arena, &reading.errors);
    if (root != NULL && root->type == KOA_NODE_MAP) {
        read_file(&reading, root);
    } else if (reading.errors.total == 0) {
        koa_config_errors_add(&reading.errors, root, "scenario", "the file must be a mapping");
    }
    if (reading.errors.total > 0) {
        koa_config_errors_print(&reading.errors, errors);
        koa_sim_scenario_destroy(scenario);
        return KOA_ERR_PARSE;
    }
    *ret_scenario = scenario;
    return KOA_OK;
}

static enum koa_err tell(enum koa_err err, const char *name, struct koa_error *reterr)
{
    if (err == KOA_ERR_PARSE)
        return koa_fail(reterr, err, "'%s' is no scenario", name);
    return err == KOA_OK ? err : koa_fail(reterr, err, "no memory for the scenario '%s'", name);
}

enum koa_err koa_sim_scenario_read(const char *path, struct koa_buf *errors,
                                   struct koa_sim_scenario **ret_scenario, struct koa_error *reterr)
{
    return tell(read_scenario(path, KOA_STR(""), path, errors, ret_scenario), path, reterr);
}

enum koa_err koa_sim_scenario_parse(struct koa_str text, const char *name, struct koa_buf *errors,
                                    struct koa_sim_scenario **ret_scenario,
                                    struct koa_error *reterr)
{
    return tell(read_scenario(NULL, text, name, errors, ret_scenario), name, reterr);
}

enum koa_err koa_sim_scenario_play(const struct koa_sim_scenario *scenario,
                                   struct koa_sim_model *model, struct koa_error *reterr)
{
    enum koa_err err = KOA_OK;

    for (size_t i = 0; i < scenario->count && err == KOA_OK; i++)
        err = koa_sim_events_add(model, &scenario->events[i], reterr);
    return err;
}

void koa_sim_scenario_destroy(struct koa_sim_scenario *scenario)
{
    if (scenario == NULL)
        return;
    koa_arena_destroy(scenario->arena);
    koa_free(scenario);
}

void koa_sim_scenario_document(struct koa_buf *buf)
{
    koa_buf_append_text(
        buf,
        "# The simulated cluster\n\n"
        "Written by `kafka-ops-agent docs simulate` from the program's own rows.\n\n"
        "`kafka-ops-agent simulate` runs a simulated Kafka cluster, `serve --simulate` and `demo` "
        "an agent\nwith one. `--scenario FILE` (`--sim-scenario` with `serve`) says what happens "
        "to it, and may say how\nlarge it is; flags win:\n\n"
        "```yaml\ncluster: {brokers: 3, topics: 40, partitions: 400, groups: 100}\nscenario:\n"
        "  - {at: 10s, do: freeze_broker, broker: 2}\n"
        "  - {at: 40s, do: thaw_broker, broker: 2}\n"
        "  - {at: 1m, do: stall_group, group: billing}\n"
        "  - {at: 90s, do: answer_error, api: offset_fetch, error: NOT_COORDINATOR, times: 5}\n"
        "```\n\n"
        "Times are since the start. An event that cannot happen, because the broker, topic or "
        "group is not\nthere, is told on standard error and left out. The same seed, the same "
        "scenario and the "
        "same time give the same\ncluster.\n\n`cluster` has:\n\n");
    koa_options_document(size_options, buf);
    koa_buf_append_text(buf, "\nEvery event of `scenario` has:\n\n");
    koa_options_document(timing_options, buf);
    for (const struct koa_sim_action *const *table = koa_sim_actions; *table != NULL; table++) {
        for (const struct koa_sim_action *action = *table; action->name != NULL; action++) {
            koa_buf_printf(buf, "\n## `%s`\n\n%s.\n\n", action->name, action->help);
            koa_options_document(action->options, buf);
        }
    }
}
