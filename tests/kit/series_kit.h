/* A metrics source of random series, with all that makes them hard to write: escapes, label sets
 * that change, batches of any size, samples that say what they share with the one before. And what
 * every batch of every source must keep. */
#ifndef KIT_SERIES_KIT_H
#define KIT_SERIES_KIT_H

#include "metrics/source.h"

struct kit_series;

/* The same `seed`, not 0, gives the same series. Fails the test when memory is out. */
struct kit_series *kit_series_create(uint64_t seed);
void kit_series_destroy(struct kit_series *series);
const struct koa_metrics_source *kit_series_source(struct kit_series *series);

/* Fails the test unless label names are sorted and what samples say of the one before is true. */
void kit_expect_batch(const struct koa_batch *batch);

/* The next of a row of numbers; `*state` is its seed, not 0. */
uint64_t kit_random(uint64_t *state);

#endif
