/* One partition of the model: replicas, leader, and a log that grows evenly. Times are milliseconds
 * since the simulation began, negative ones too: a new cluster looks as if it had run for hours. */
#ifndef SIM_PARTITION_H
#define SIM_PARTITION_H

#include <koa/base.h>

enum {
    KOA_SIM_REPLICAS_MAX = 3,
    KOA_SIM_RETENTION_MS = 3600000, /* older messages are deleted */
    KOA_SIM_AGE_MS = 7200000,       /* what lies behind the beginning */
    KOA_SIM_SEGMENTS = 8, /* changes of a log that are remembered exactly; older ones blur */
};

/* From `from_ms` on the log grows along this line. */
struct koa_sim_segment {
    int64_t from_ms;
    int64_t before; /* end just before: what came earlier never tells more */
    int64_t base;   /* end then */
    double rate;    /* messages a second */
};

/* What only few partitions have. */
struct koa_sim_history {
    struct koa_sim_segment segments[KOA_SIM_SEGMENTS]; /* in order of time */
    int32_t segment_count;
    double rate_kept;                /* of a partition without leader: what it will be again */
    int64_t deleted_until;           /* the log starts here at the earliest */
    int64_t compacted_until;         /* of the offsets before it ... */
    int64_t compacted_step;          /* ... only the multiples of this are left; 0: all */
    int64_t transaction;             /* first offset of an open transaction; -1: none */
    int64_t markers_from;            /* the newest run of transaction markers ... */
    int64_t marker_count;            /* ... and how many */
    struct koa_sim_records *records; /* what clients wrote; NULL: nothing */
};

struct koa_sim_partition {
    int32_t replicas[KOA_SIM_REPLICAS_MAX]; /* broker ids, the preferred leader first */
    int32_t replica_count;
    int32_t leader; /* broker id; -1: none */
    int32_t leader_epoch;
    unsigned in_sync;                /* bit i: replicas[i] */
    double rate;                     /* messages a second */
    int64_t base;                    /* end offset when the simulation began */
    struct koa_sim_history *history; /* NULL: even growth is all that ever happened */
};

void koa_sim_partition_deinit(struct koa_sim_partition *partition);

/* The log at a time: its end, its start, the end that read_committed sees. */
int64_t koa_sim_partition_end(const struct koa_sim_partition *partition, int64_t at_ms);
int64_t koa_sim_partition_start(const struct koa_sim_partition *partition, int64_t at_ms);
int64_t koa_sim_partition_stable_end(const struct koa_sim_partition *partition, int64_t at_ms);
/* When the message with this offset was written. */
int64_t koa_sim_partition_written_at(const struct koa_sim_partition *partition, int64_t offset,
                                     int64_t now_ms);
/* The rate now, whatever it was first. */
double koa_sim_partition_rate(const struct koa_sim_partition *partition);

/* All change the log from `now_ms` on; false: memory is out, nothing changed. */
/* Adds `count` messages at once and goes on with `rate` a second. */
KOA_MUST_USE bool koa_sim_partition_write(struct koa_sim_partition *partition, int64_t now_ms,
                                          int64_t count, double rate);
/* Deletes messages before `offset`. */
KOA_MUST_USE bool koa_sim_partition_delete(struct koa_sim_partition *partition, int64_t now_ms,
                                           int64_t offset);
/* Compacts: of the messages so far one in `step` is left, and the newest; offsets stay as they are,
 * with holes between them. A later compaction leaves at most as many. */
KOA_MUST_USE bool koa_sim_partition_compact(struct koa_sim_partition *partition, int64_t now_ms,
                                            int64_t step);
KOA_MUST_USE bool koa_sim_partition_begin_transaction(struct koa_sim_partition *partition,
                                                      int64_t now_ms);
/* Writes a marker, which takes an offset. */
KOA_MUST_USE bool koa_sim_partition_end_transaction(struct koa_sim_partition *partition,
                                                    int64_t now_ms);
/* A partition without leader takes no messages. `leader` is -1 or a broker's id. */
KOA_MUST_USE bool koa_sim_partition_set_leader(struct koa_sim_partition *partition, int64_t now_ms,
                                               int32_t leader);

/* The first offset from `offset` on that compaction has left; it may be the log's end. */
int64_t koa_sim_partition_kept(const struct koa_sim_partition *partition, int64_t offset);
/* Messages that are there, without the holes. */
int64_t koa_sim_partition_count(const struct koa_sim_partition *partition, int64_t at_ms);
/* The offset is that of a transaction marker. */
bool koa_sim_partition_is_marker(const struct koa_sim_partition *partition, int64_t offset);
/* Position of a broker in `replicas`, or -1. */
int koa_sim_partition_replica(const struct koa_sim_partition *partition, int32_t broker);

#endif
