/* The picture of all results, and what they mean together. Pure: when a result is too old is told
 * by the schedule, which writes a result that says so. */
#include "health/board.h"

#include <string.h>

#include "base/memory.h"
#include "base/str.h"

struct koa_board {
    struct koa_object object;
    struct koa_wall time;
    enum koa_status overall;
    size_t status_counts[KOA_STATUS_COUNT];
    size_t count;
    struct koa_result_object *rows[];
};

/* ---- one result */

static void free_result(struct koa_object *object)
{
    koa_free(KOA_CONTAINER_OF(object, struct koa_result_object, object));
}

/* Copies `text` to `*free_space`, which moves on. */
static const char *place_text(char **free_space, const char *text)
{
    size_t size = strlen(text) + 1;
    char *target = *free_space;

    memcpy(target, text, size);
    *free_space += size;
    return target;
}

static void fill_labels(struct koa_result_object *object)
{
    for (int status = 0; status < KOA_STATUS_COUNT; status++) {
        object->labels[status][0] =
            (struct koa_label_view){KOA_STR("check"), koa_str_from(object->result.name)};
        object->labels[status][1] = (struct koa_label_view){
            KOA_STR("status"), koa_str_from(koa_status_name((enum koa_status) status))};
    }
}

struct koa_result_object *koa_result_create(const struct koa_result *result,
                                            const struct koa_texts *groups)
{
    size_t group_count = groups != NULL ? groups->count : 0;
    size_t size = strlen(result->name) + strlen(result->message) + strlen(result->details) + 3;
    struct koa_result_object *object;
    const char **group_rows;
    char *text;

    for (size_t i = 0; i < group_count; i++)
        size += strlen(groups->rows[i]) + 1;
    size += sizeof(*object) + (group_count + 1) * sizeof(char *);
    object = koa_calloc(1, size);
    if (object == NULL)
        return NULL;
    koa_object_init(&object->object, free_result);
    group_rows = (const char **) (void *) (object + 1);
    text = (char *) (group_rows + group_count + 1);
    object->result = *result;
    object->result.name = place_text(&text, result->name);
    object->result.message = place_text(&text, result->message);
    object->result.details = place_text(&text, result->details);
    for (size_t i = 0; i < group_count; i++)
        group_rows[i] = place_text(&text, groups->rows[i]);
    object->groups = group_rows;
    fill_labels(object);
    return object;
}

/* ---- the whole */

/* Critical checks decide alone; others can only degrade. A check that has a subject but no answer
 * is a reason to look, one without a subject is not. */
enum koa_status koa_overall(struct koa_result_object *const *results, size_t count)
{
    bool is_unhealthy = false;
    bool is_degraded = false;
    bool has_answer = false;

    for (size_t i = 0; i < count; i++) {
        const struct koa_result *result = &results[i]->result;
        bool is_answer = result->has_run && result->status != KOA_STATUS_UNKNOWN;
        bool is_silent = result->is_stale || (result->has_run && !is_answer);

        has_answer = has_answer || is_answer;
        if (result->status == KOA_STATUS_UNHEALTHY && result->is_critical) {
            is_unhealthy = true;
        } else if (result->status == KOA_STATUS_UNHEALTHY ||
                   result->status == KOA_STATUS_DEGRADED ||
                   (is_silent && result->is_critical && !result->is_subjectless)) {
            is_degraded = true;
        }
    }
    if (is_unhealthy)
        return KOA_STATUS_UNHEALTHY;
    if (is_degraded)
        return KOA_STATUS_DEGRADED;
    return has_answer ? KOA_STATUS_HEALTHY : KOA_STATUS_UNKNOWN;
}

static void free_board(struct koa_object *object)
{
    struct koa_board *board = KOA_CONTAINER_OF(object, struct koa_board, object);

    for (size_t i = 0; i < board->count; i++)
        koa_object_unref(&board->rows[i]->object);
    koa_free(board);
}

struct koa_board *koa_board_create(struct koa_result_object *const *results, size_t count,
                                   struct koa_wall now)
{
    struct koa_board *board =
        koa_calloc(1, sizeof(*board) + count * sizeof(struct koa_result_object *));

    if (board == NULL)
        return NULL;
    koa_object_init(&board->object, free_board);
    board->time = now;
    board->overall = koa_overall(results, count);
    board->count = count;
    for (size_t i = 0; i < count; i++) {
        koa_object_ref(&results[i]->object);
        board->rows[i] = results[i];
        board->status_counts[results[i]->result.status]++;
    }
    return board;
}

void koa_board_ref(struct koa_board *board)
{
    koa_object_ref(&board->object);
}

void koa_board_unref(struct koa_board *board)
{
    if (board != NULL)
        koa_object_unref(&board->object);
}

struct koa_object *koa_board_object(struct koa_board *board)
{
    return &board->object;
}

struct koa_board *koa_board_from_object(struct koa_object *object)
{
    return object != NULL ? KOA_CONTAINER_OF(object, struct koa_board, object) : NULL;
}

/* ---- reading */

enum koa_status koa_board_overall(const struct koa_board *board)
{
    return board != NULL ? board->overall : KOA_STATUS_UNKNOWN;
}

size_t koa_board_count(const struct koa_board *board)
{
    return board != NULL ? board->count : 0;
}

struct koa_wall koa_board_time(const struct koa_board *board)
{
    return board != NULL ? board->time : (struct koa_wall){0};
}

size_t koa_board_status_count(const struct koa_board *board, enum koa_status status)
{
    return board != NULL ? board->status_counts[status] : 0;
}

const struct koa_result_object *koa_board_row(const struct koa_board *board, size_t index)
{
    return index < koa_board_count(board) ? board->rows[index] : NULL;
}

const struct koa_result *koa_board_result(const struct koa_board *board, size_t index)
{
    return index < koa_board_count(board) ? &board->rows[index]->result : NULL;
}

const struct koa_result *koa_board_find(const struct koa_board *board, const char *name)
{
    for (size_t i = 0; i < koa_board_count(board); i++) {
        if (koa_text_equal(board->rows[i]->result.name, name))
            return &board->rows[i]->result;
    }
    return NULL;
}

bool koa_board_equal(const struct koa_board *a, const struct koa_board *b)
{
    if (koa_board_count(a) != koa_board_count(b) || koa_board_overall(a) != koa_board_overall(b))
        return false;
    for (size_t i = 0; i < koa_board_count(a); i++) {
        const struct koa_result *left = &a->rows[i]->result;
        const struct koa_result *right = &b->rows[i]->result;

        if (left != right &&
            (left->status != right->status || strcmp(left->name, right->name) != 0))
            return false;
    }
    return true;
}

static bool is_member(const struct koa_result_object *object, const char *group)
{
    for (const char *const *row = object->groups; *row != NULL; row++) {
        if (strcmp(*row, group) == 0)
            return true;
    }
    return false;
}

bool koa_board_group_ready(const struct koa_board *board, const char *group, struct koa_buf *reason)
{
    bool is_ready = true;

    for (size_t i = 0; i < koa_board_count(board); i++) {
        const struct koa_result *result = &board->rows[i]->result;

        if (!is_member(board->rows[i], group) ||
            (result->has_run && result->status != KOA_STATUS_UNHEALTHY))
            continue;
        if (reason != NULL) {
            koa_buf_printf(reason, "%s%s %s", is_ready ? "" : ", ", result->name,
                           result->has_run ? "is unhealthy" : "has not answered yet");
        }
        is_ready = false;
    }
    return is_ready;
}
