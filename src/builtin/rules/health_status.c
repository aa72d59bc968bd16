/* Holds while the overall status, or that of one check, is one of those named. "Could not look" is
 * never taken for "is well": an alert ends only once every check has answered. */
#include <koa/rule.h>

#include "base/buf.h"

struct config {
    const char *check;
    unsigned status;
};

static const struct koa_choice statuses[] = {
    {"unhealthy", KOA_STATUS_UNHEALTHY},
    {"degraded", KOA_STATUS_DEGRADED},
    {"unknown", KOA_STATUS_UNKNOWN},
    {"healthy", KOA_STATUS_HEALTHY},
    {NULL, 0},
};

static const struct koa_option options[] = {
    {KOA_TEXT(struct config, check), .fallback = "",
     .help = "name of a check; empty: the overall status"},
    {KOA_CHOICES(struct config, status, statuses), .fallback = "unhealthy",
     .help = "the statuses that raise the alert, one or a list"},
    {0},
};

/* Of a message of at most 1 KiB. */
enum { NAMES_LIMIT = 768 };

static bool matches(const struct config *config, enum koa_status status)
{
    return (config->status & (1U << (unsigned) status)) != 0;
}

/* Whether every check that has something to look at has answered. */
static bool is_complete(const struct koa_board *board)
{
    for (size_t i = 0; i < koa_board_count(board); i++) {
        const struct koa_result *result = koa_board_result(board, i);

        if (!result->has_run && !result->is_subjectless)
            return false;
    }
    return true;
}

/* ": database unhealthy, kafka degraded", as far as it fits. */
static void name_the_bad(const struct koa_board *board, struct koa_buf *names)
{
    for (size_t i = 0; i < koa_board_count(board); i++) {
        const struct koa_result *result = koa_board_result(board, i);

        if (result->status != KOA_STATUS_UNHEALTHY && result->status != KOA_STATUS_DEGRADED)
            continue;
        koa_buf_append_text(names, names->size > 0 ? ", " : ": ");
        koa_buf_append_text(names, result->name);
        koa_buf_append_char(names, ' ');
        koa_buf_append_text(names, koa_status_name(result->status));
    }
}

static void look_at_all(const struct config *config, const struct koa_board *board,
                        struct koa_observations *observations)
{
    enum koa_status status = koa_board_overall(board);
    enum koa_evidence evidence = KOA_EVIDENCE_BETWEEN;
    bool holds = matches(config, status);
    struct koa_buf names = {.limit = NAMES_LIMIT};

    if (status == KOA_STATUS_UNKNOWN && !holds) {
        koa_observations_missing(observations, "no health check has answered yet");
        return;
    }
    name_the_bad(board, &names);
    if (holds) {
        evidence = KOA_EVIDENCE_HOLDS;
    } else if (is_complete(board)) {
        evidence = KOA_EVIDENCE_CLEAR;
    }
    koa_observations_add_evidence(observations, evidence, (double) status, KOA_NO_LABELS,
                                  "overall health is %s%s", koa_status_name(status),
                                  koa_buf_text(&names));
    koa_buf_deinit(&names);
}

/* The check once was there: then its absence is evidence, and no misspelt name. */
static char was_seen;

static void look_at_one(const struct config *config, const struct koa_view *view,
                        struct koa_observations *observations)
{
    const struct koa_result *result = koa_board_find(koa_view_board(view), config->check);
    bool holds;

    if (result == NULL && koa_view_kept(view) != NULL) {
        koa_observations_fresh(observations);
        return;
    }
    if (result == NULL) {
        koa_observations_missing(observations, "there is no check named '%s'", config->check);
        return;
    }
    koa_view_keep(view, &was_seen, NULL);
    holds = matches(config, result->status) && (result->has_run || result->is_subjectless);
    if (!holds && (!result->has_run || result->status == KOA_STATUS_UNKNOWN)) {
        koa_observations_missing(observations, "check '%s' has no answer: %s", config->check,
                                 result->message);
        return;
    }
    koa_observations_add(observations, holds, (double) result->status,
                         KOA_LABELS({"check", config->check}), "check %s is %s: %s", config->check,
                         koa_status_name(result->status), result->message);
}

static void evaluate(const void *settings, void *context, const struct koa_view *view,
                     struct koa_observations *observations)
{
    const struct config *config = settings;
    const struct koa_board *board = koa_view_board(view);

    (void) context;
    if (board == NULL) {
        koa_observations_missing(observations, "no health check has run yet");
    } else if (config->check == NULL || config->check[0] == '\0') {
        look_at_all(config, board, observations);
    } else {
        look_at_one(config, view, observations);
    }
}

const struct koa_rule_ops koa_rule_health_status = {
    KOA_OPS_INIT(koa_rule_ops),
    .name = "health_status",
    .help = "The overall status, or the status of one check, is one of those named",
    .options = options,
    .config_size = sizeof(struct config),
    .evaluate = evaluate,
};
