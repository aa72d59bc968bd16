/* /metrics/history?name=: one family's series over time, filtered by labels, thinned by `step`. */
#include "api/metrics_series.h"

#include <math.h>
#include <string.h>

#include "api/answer.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/num.h"
#include "base/str.h"
#include "metrics/history.h"

enum {
    SERIES_LIMIT = 10000,
    BYTES_LIMIT = 16 << 20, /* of the points' text: beyond it the question is too wide */
    MATCHERS_LIMIT = 16,
};

/* What of a histogram is asked for: its own name means its count, as in the rules. */
enum part { PART_VALUE, PART_SUM };

struct question {
    const char *name;
    int64_t from_ms, to_ms, step_ms; /* step 0: every point */
    struct koa_label matchers[MATCHERS_LIMIT];
    size_t matcher_count;
};

struct series {
    enum part part;
    struct koa_buf labels; /* a JSON object */
    struct koa_buf points; /* "[t,v],[t,v]" */
    int64_t last_ms;
};

struct answer {
    const struct question *question;
    struct koa_map *series; /* by what identifies them in the history */
    struct koa_wall time;   /* of the point under way */
    size_t bytes;
    bool is_too_large, is_out_of_memory;
};

/* RFC 3339, or seconds since 1970. Missing is `fallback`. */
static bool read_time(const struct koa_http_request *request, struct koa_http_response *response,
                      const char *key, int64_t fallback_ms, int64_t *ret_ms)
{
    const char *text = koa_http_request_query(request, key);
    struct koa_wall time;
    double seconds;

    *ret_ms = fallback_ms;
    if (text == NULL || text[0] == '\0')
        return true;
    if (koa_wall_parse(koa_str_from(text), &time) == KOA_OK) {
        *ret_ms = time.ms;
        return true;
    }
    if (koa_parse_double(koa_str_from(text), &seconds) == KOA_OK && seconds >= 0 &&
        seconds < 1e12) {
        *ret_ms = (int64_t) (seconds * 1000);
        return true;
    }
    koa_api_invalid(response, key, text, "a time such as 2026-11-25T16:00:00Z or 1795622400");
    return false;
}

static bool read_step(const struct koa_http_request *request, struct koa_http_response *response,
                      int64_t *ret_ms)
{
    const char *text = koa_http_request_query(request, "step");

    *ret_ms = 0;
    if (text == NULL || text[0] == '\0' ||
        (koa_parse_duration(koa_str_from(text), 1000, ret_ms) == KOA_OK && *ret_ms > 0))
        return true;
    koa_api_invalid(response, "step", text, "a duration such as 30s or 5m");
    return false;
}

static bool read_matchers(const struct koa_http_request *request,
                          struct koa_http_response *response, struct question *question)
{
    const char *name;

    for (size_t i = 0; (name = koa_http_request_query_name(request, i)) != NULL; i++) {
        if (strncmp(name, "label.", 6) != 0)
            continue;
        if (question->matcher_count == MATCHERS_LIMIT) {
            koa_api_invalid(response, name, "", "one of at most 16 labels");
            return false;
        }
        question->matchers[question->matcher_count++] =
            (struct koa_label){.name = name + 6, .value = koa_http_request_query(request, name)};
    }
    return true;
}

static bool read_question(const struct koa_http_request *request,
                          struct koa_http_response *response, struct question *question)
{
    *question = (struct question){.name = koa_http_request_query(request, "name")};
    return read_time(request, response, "from", 0, &question->from_ms) &&
           read_time(request, response, "to", INT64_MAX, &question->to_ms) &&
           read_step(request, response, &question->step_ms) &&
           read_matchers(request, response, question);
}

/* `name` with `suffix` behind it is what was asked for. */
static bool is_named(const char *asked, struct koa_str name, const char *suffix)
{
    return strlen(asked) == name.size + strlen(suffix) &&
           memcmp(asked, name.data, name.size) == 0 && strcmp(asked + name.size, suffix) == 0;
}

static bool is_wanted_family(const char *asked, const struct koa_family_view *family,
                             enum part *ret_part)
{
    *ret_part = PART_VALUE;
    if (is_named(asked, family->name, ""))
        return true;
    if (family->type == KOA_TIMER && is_named(asked, family->name, "_seconds"))
        return true;
    if (family->type != KOA_HISTOGRAM && family->type != KOA_TIMER)
        return false;
    if (is_named(asked, family->name, "_count") || is_named(asked, family->name, "_seconds_count"))
        return true;
    *ret_part = PART_SUM;
    return is_named(asked, family->name, "_sum") || is_named(asked, family->name, "_seconds_sum");
}

static bool has_labels(const struct question *question, const struct koa_label_view *labels,
                       size_t label_count)
{
    for (size_t i = 0; i < question->matcher_count; i++) {
        const struct koa_label *wanted = &question->matchers[i];
        struct koa_str value = {.data = ""}; /* a label that is missing equals an empty one */

        for (size_t k = 0; k < label_count; k++) {
            if (koa_str_equal_text(labels[k].name, wanted->name))
                value = labels[k].value;
        }
        if (!koa_str_equal_text(value, wanted->value))
            return false;
    }
    return true;
}

static void write_labels(struct koa_buf *buf, const struct koa_sample *sample)
{
    struct koa_json json = {.buf = buf};

    koa_json_object(&json, NULL);
    for (size_t i = 0; i < sample->label_count; i++) {
        koa_json_key(&json, sample->labels[i].name);
        koa_json_str(&json, NULL, sample->labels[i].value);
    }
    koa_json_object_end(&json);
}

static bool wants_family(void *context, const struct koa_family_view *family)
{
    const struct answer *answer = context;
    enum part part;

    return is_wanted_family(answer->question->name, family, &part);
}

static bool wants(void *context, const struct koa_label_view *labels, size_t label_count)
{
    const struct answer *answer = context;

    return has_labels(answer->question, labels, label_count);
}

static void free_series(void *value)
{
    struct series *series = value;

    koa_buf_deinit(&series->labels);
    koa_buf_deinit(&series->points);
    koa_free(series);
}

/* NULL sets the reason. */
static struct series *find_series(struct answer *answer, const void *identity,
                                  const struct koa_sample *sample)
{
    const void *place[] = {sample->family, identity}; /* two families may be asked for at once */
    struct koa_str key = {.data = (const char *) place, .size = sizeof(place)};
    struct series *series = koa_map_find(answer->series, key);
    enum koa_err err;

    if (series != NULL)
        return series;
    series = koa_calloc(1, sizeof(*series));
    if (series == NULL) {
        answer->is_out_of_memory = true;
        return NULL;
    }
    series->labels.limit = BYTES_LIMIT;
    series->points.limit = BYTES_LIMIT;
    series->last_ms = INT64_MIN;
    (void) is_wanted_family(answer->question->name, sample->family, &series->part);
    write_labels(&series->labels, sample);
    err = koa_map_put(answer->series, key, series, NULL);
    if (err == KOA_OK && !series->labels.failed)
        return series;
    answer->is_too_large = err == KOA_ERR_LIMIT;
    answer->is_out_of_memory = err != KOA_ERR_LIMIT;
    if (err != KOA_OK)
        free_series(series);
    return NULL;
}

static void add_point(void *context, const void *identity, const struct koa_sample *sample)
{
    struct answer *answer = context;
    const struct koa_histogram_view *histogram = sample->histogram;
    struct series *series;
    struct koa_json json;
    size_t before;
    double value = sample->value;

    if (answer->is_too_large || answer->is_out_of_memory)
        return;
    series = find_series(answer, identity, sample);
    if (series == NULL || (series->last_ms != INT64_MIN &&
                           answer->time.ms - series->last_ms < answer->question->step_ms))
        return;
    series->last_ms = answer->time.ms;
    if (histogram != NULL)
        value = series->part == PART_SUM ? histogram->sum : (double) histogram->count;
    before = series->points.size;
    json = (struct koa_json){.buf = &series->points};
    if (before > 0)
        koa_buf_append_char(&series->points, ',');
    koa_json_list(&json, NULL);
    koa_json_time(&json, NULL, answer->time);
    koa_json_double(&json, NULL, value);
    koa_json_list_end(&json);
    answer->bytes += series->points.size - before;
    if (answer->bytes > BYTES_LIMIT || series->points.failed)
        answer->is_too_large = true;
}

static void collect(struct answer *answer, const struct koa_history_view *view)
{
    struct koa_history_walk walk = {
        .wants_family = wants_family, .wants = wants, .visit = add_point, .context = answer};
    size_t count = koa_history_view_count(view);

    for (size_t i = 0; i < count && !answer->is_too_large && !answer->is_out_of_memory; i++) {
        answer->time = koa_history_view_time(view, i);
        if (answer->time.ms >= answer->question->from_ms &&
            answer->time.ms <= answer->question->to_ms && !koa_history_walk_point(&walk, view, i))
            answer->is_out_of_memory = true;
    }
    koa_history_walk_deinit(&walk);
}

static void write_answer(const struct koa_api *api, const struct answer *answer,
                         struct koa_http_response *response)
{
    struct koa_json json = koa_api_json(response);
    int64_t step_ms = answer->question->step_ms;
    size_t position = 0;
    void *value;

    koa_json_text(&json, "name", answer->question->name);
    koa_json_double(&json, "step_seconds",
                    (double) (step_ms > 0 ? step_ms : atomic_load(&api->resolution_ms)) / 1000.0);
    koa_json_list(&json, "series");
    while (koa_map_next(answer->series, &position, NULL, &value)) {
        const struct series *series = value;

        koa_json_object(&json, NULL);
        koa_json_raw(&json, "labels", (struct koa_str){series->labels.data, series->labels.size});
        koa_json_list(&json, "points");
        koa_json_raw(&json, NULL, (struct koa_str){series->points.data, series->points.size});
        koa_json_list_end(&json);
        koa_json_object_end(&json);
    }
    koa_json_list_end(&json);
    koa_api_json_end(api, &json);
}

void koa_api_metrics_series(void *context, const struct koa_http_request *request,
                            struct koa_http_response *response)
{
    const struct koa_api *api = context;
    struct question question;
    struct answer answer = {.question = &question};
    struct koa_history_view *view;

    if (!read_question(request, response, &question))
        return;
    answer.series = koa_map_create(SERIES_LIMIT);
    view = koa_history_get(api->history); /* NULL before the first point */
    if (answer.series != NULL && view != NULL)
        collect(&answer, view);
    if (answer.series == NULL || answer.is_out_of_memory) {
        koa_http_fail(response, 503, "Out of memory",
                      "the answer could not be made; try again later");
    } else if (answer.is_too_large) {
        koa_http_fail(
            response, 400, "Invalid parameter",
            "the answer would be larger than 16 MiB or 10000 series; narrow it by label.NAME, "
            "from, to or a larger step");
    } else {
        write_answer(api, &answer, response);
    }
    koa_object_unref((struct koa_object *) view);
    koa_map_destroy(answer.series, free_series);
}
