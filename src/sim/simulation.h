/* A simulated Kafka cluster: the server side of the protocol for N brokers, over TCP, on a thread
 * of its own. Same seed, same cluster. */
#ifndef SIM_SIMULATION_H
#define SIM_SIMULATION_H

#include <koa/base.h>
#include <koa/error.h>

#include "base/log.h"
#include "sim/limits.h"
#include "sim/versions.h"

struct koa_simulation;
struct koa_sim_scenario;

/* Numbers up to those of sim/limits.h. */
struct koa_simulation_opts {
    const char *host;         /* where brokers listen and what they advertise; NULL: 127.0.0.1 */
    int port;                 /* of the first broker, the others follow; 0: any free ports */
    int64_t brokers;          /* 0: 3 */
    int64_t topics;           /* 0: 20 */
    int64_t partitions;       /* of all topics together, at least one each; 0: 100 */
    int64_t groups;           /* 0: 10; negative: none */
    int64_t group_partitions; /* of all groups together, at least one each; 0: 10 each */
    int64_t members;          /* of each group that has some; 0: 3 */
    int64_t latency_ms;       /* added to every answer */
    enum koa_sim_version version;
    uint64_t seed;
    /* What happens to the cluster (sim/scenario.h); taken over, also on failure. NULL: nothing. */
    struct koa_sim_scenario *scenario;
    /* Told, in one line, of an event that could not happen; on the simulation's thread. Optional.
     */
    void (*warn)(const char *text);
    struct koa_log *log;
};

/* Listens when it returns. Fails with the address that could not be bound. */
KOA_MUST_USE enum koa_err koa_simulation_start(const struct koa_simulation_opts *opts,
                                               struct koa_simulation **ret_simulation,
                                               struct koa_error *reterr);
/* "127.0.0.1:9092,127.0.0.1:9093,...": for bootstrap.servers. Borrowed. */
const char *koa_simulation_bootstrap(const struct koa_simulation *simulation);
/* Closes every connection. NULL is nothing. */
void koa_simulation_stop(struct koa_simulation *simulation);

#endif
