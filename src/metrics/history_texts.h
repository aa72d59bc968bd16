/* The names and labels that the history's points share, each once. The writer's. */
#ifndef METRICS_HISTORY_TEXTS_H
#define METRICS_HISTORY_TEXTS_H

#include "base/buf.h"
#include "base/map.h"
#include "metrics/history_rows.h"

struct koa_history_texts {
    struct koa_map *families; /* type and name -> family */
    struct koa_map *labels;   /* key -> labels */
    struct koa_buf key;
    int64_t bytes;
    size_t untold; /* families left out that nobody was told of */
};

/* False when memory is out; deinit in any case. */
KOA_MUST_USE bool koa_history_texts_init(struct koa_history_texts *texts);
void koa_history_texts_deinit(struct koa_history_texts *texts);
/* Owned by `texts`; NULL when memory or their number is out. */
struct koa_history_family *koa_history_get_family(struct koa_history_texts *texts,
                                                  const struct koa_family_view *view);
/* A reference of the caller's, or NULL as above. */
struct koa_history_labels *koa_history_get_labels(struct koa_history_texts *texts,
                                                  const struct koa_sample *sample);
/* Gives a reference back; forgets the labels when nobody else has them. */
void koa_history_drop_labels(struct koa_history_texts *texts, struct koa_history_labels *labels);
/* Forgets labels that no point has any more: only `texts` holds them. */
void koa_history_sweep_labels(struct koa_history_texts *texts);
/* A family that is left out and that nobody was told of; empty when there is none. */
struct koa_str koa_history_take_untold(struct koa_history_texts *texts);
/* All families are tried again. */
void koa_history_admit_all(struct koa_history_texts *texts);

#endif
