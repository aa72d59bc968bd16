/* A broker as the simulation knows it: whether its process lives, and what it does to who asks. */
#ifndef SIM_NODE_H
#define SIM_NODE_H

#include <koa/base.h>

enum {
    KOA_SIM_DIRS = 2, /* log dirs of a broker */
};

struct koa_sim_dir {
    int64_t total_bytes;
    bool is_failed;
    /* It is told how full it is: evenly from what was in use to a share of the whole, but never
     * less than its logs take. Else as full as they make it. */
    bool is_filling;
    int64_t filled_from_bytes;
    double filled_to;
    int64_t fills_from_ms, fills_until_ms;
};

struct koa_sim_node {
    bool is_dead;   /* the process: nobody listens */
    bool is_frozen; /* connections stay, answers do not come */
    bool is_fenced; /* the cluster counts it out */
    int64_t latency_ms;
    int64_t silent_since_ms; /* when it was killed or frozen */
    uint64_t hang_ups;       /* how often it was told to close its connections */
    struct koa_sim_dir dirs[KOA_SIM_DIRS];
};

#endif
