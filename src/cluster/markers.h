/* Lags of one or two messages that do not end: the marker that closes a transaction takes an
 * offset, and no consumer ever commits behind it. One look at the log tells. Pure. */
#ifndef CLUSTER_MARKERS_H
#define CLUSTER_MARKERS_H

#include <koa/base.h>

enum {
    KOA_MARKERS_LIMIT = 20,  /* looks a cycle; the others wait for theirs */
    KOA_MARKERS_LAG = 2,     /* a commit or abort marker, and one of the transaction before */
    KOA_MARKERS_STILL = 4,   /* cycles without movement before the first look */
    KOA_MARKERS_TOPIC = 249, /* bytes of a topic's name */
};

struct koa_marker {
    char topic[KOA_MARKERS_TOPIC + 1];
    int32_t partition;
    int64_t offset; /* the commit */
    bool is_only;   /* from there on, there are markers and nothing else */
};

struct koa_markers {
    struct koa_marker rows[KOA_MARKERS_LIMIT];
    size_t count;
};

/* Is it time to look (again)? After 4 cycles, then 8, 16, ... */
bool koa_markers_are_due(int64_t lag, unsigned still_cycles);
void koa_markers_add(struct koa_markers *markers, struct koa_str topic, int32_t partition,
                     int64_t offset);
bool koa_markers_are_only(const struct koa_markers *markers, struct koa_str topic,
                          int32_t partition, int64_t offset);
/* What a leader sent from `offset` on: do markers reach from there to `end`? */
bool koa_markers_read(struct koa_str records, int64_t offset, int64_t end);

#endif
