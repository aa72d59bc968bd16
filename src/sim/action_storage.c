/* Disks that fill and fail. */
#include <inttypes.h>

#include "sim/action.h"
#include "sim/storage.h"

static struct koa_sim_dir *require_dir(const struct koa_sim_model *model,
                                       const struct koa_sim_arguments *arguments,
                                       struct koa_error *reterr)
{
    struct koa_sim_node *node = koa_sim_require_node(model, arguments->broker, reterr);

    return node != NULL ? &node->dirs[arguments->dir] : NULL;
}

static enum koa_err fill_log_dir(struct koa_sim_model *model,
                                 const struct koa_sim_arguments *arguments, int64_t now_ms,
                                 struct koa_error *reterr)
{
    struct koa_sim_dir *dir = require_dir(model, arguments, reterr);

    if (dir == NULL)
        return KOA_ERR_NOT_FOUND;
    koa_sim_storage_fill(
        dir,
        koa_sim_storage_log_bytes(model, (int32_t) arguments->broker, (int) arguments->dir, now_ms),
        arguments->share, arguments->duration_ms, now_ms);
    return KOA_OK;
}

static enum koa_err fail_log_dir(struct koa_sim_model *model,
                                 const struct koa_sim_arguments *arguments, int64_t now_ms,
                                 struct koa_error *reterr)
{
    struct koa_sim_dir *dir = require_dir(model, arguments, reterr);

    (void) now_ms;
    if (dir == NULL)
        return KOA_ERR_NOT_FOUND;
    dir->is_failed = true;
    return KOA_OK;
}

static enum koa_err repair_log_dir(struct koa_sim_model *model,
                                   const struct koa_sim_arguments *arguments, int64_t now_ms,
                                   struct koa_error *reterr)
{
    struct koa_sim_dir *dir = require_dir(model, arguments, reterr);

    (void) now_ms;
    if (dir == NULL)
        return KOA_ERR_NOT_FOUND;
    dir->is_failed = dir->is_filling = false;
    return KOA_OK;
}

#define WHERE                                                                                      \
    {KOA_COUNT(struct koa_sim_arguments, broker), .required = true, .minimum = 1,                  \
     .maximum = KOA_SIM_BROKERS_MAX, .help = "its id, from 1"},                                    \
    {                                                                                              \
        KOA_COUNT(struct koa_sim_arguments, dir), .fallback = "0", .minimum = 0,                   \
                                                  .maximum = KOA_SIM_DIRS - 1,                     \
                                                  .help = "which of its two log dirs"              \
    }

static const struct koa_option fill_options[] = {
    WHERE,
    {KOA_NUMBER(struct koa_sim_arguments, share), .fallback = "0.95", .minimum = 0, .maximum = 1,
     .help = "how full it gets, but never less than its logs take; 1 is full"},
    {KOA_DURATION(struct koa_sim_arguments, duration_ms), .key = "lasts", .fallback = "0s",
     .help = "until it is that full"},
    {0},
};
static const struct koa_option where_options[] = {WHERE, {0}};

const struct koa_sim_action koa_sim_storage_actions[] = {
    {.name = "fill_log_dir",
     .help = "Fills a log dir's disk, evenly over a time",
     .options = fill_options,
     .run = fill_log_dir},
    {.name = "fail_log_dir",
     .help = "Makes a log dir unreadable: it is listed with KAFKA_STORAGE_ERROR",
     .options = where_options,
     .run = fail_log_dir},
    {.name = "repair_log_dir",
     .help = "Makes a log dir well again, and as full as its logs are",
     .options = where_options,
     .run = repair_log_dir},
    {0},
};
