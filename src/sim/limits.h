/* How large a simulated cluster may be. */
#ifndef SIM_LIMITS_H
#define SIM_LIMITS_H

enum {
    KOA_SIM_BROKERS_MAX = 100,
    KOA_SIM_TOPICS_MAX = 20000,
    KOA_SIM_PARTITIONS_MAX = 200000,
    KOA_SIM_GROUPS_MAX = 100000,
    KOA_SIM_GROUP_PARTITIONS_MAX = 10000000,
    KOA_SIM_MEMBERS_MAX = 1000, /* of one group */
    KOA_SIM_LATENCY_MS_MAX = 60000,
};

#endif
