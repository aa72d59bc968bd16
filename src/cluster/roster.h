/* The brokers of a cluster as remembered across cycles: where they are, when they last answered,
 * and what is wrong with those that did not. Pure; one thread. */
#ifndef CLUSTER_ROSTER_H
#define CLUSTER_ROSTER_H

#include <koa/time.h>

#include "cluster/snapshot.h"
#include "kafka/messages/metadata.h"

enum {
    /* A broker that the cluster no longer lists is remembered this long. */
    KOA_ROSTER_KEEP_MS = 60 * 60 * 1000,
    KOA_ROSTER_LIMIT = 2000, /* brokers; what the client asks at most */
    KOA_ROSTER_TEXT = 256,
};

struct koa_roster_row {
    int32_t id;
    int port;
    char host[KOA_ROSTER_TEXT];
    char rack[KOA_ROSTER_TEXT];
    char error[KOA_ROSTER_TEXT]; /* of the last request that failed */
    struct koa_mono listed;      /* the last time the cluster named it */
    struct koa_mono answered;    /* the last time it answered; see `has_answered` */
    bool has_answered;
    bool is_listed;  /* by the last metadata */
    bool is_up;      /* answered in this cycle */
    bool has_failed; /* did not answer lately: asked again once it has answered a ping */
    bool has_listed; /* its groups, in this cycle */
};

struct koa_roster {
    struct koa_roster_row *rows; /* in order of id */
    size_t count, capacity;
};

void koa_roster_deinit(struct koa_roster *roster);
/* A new cycle: nobody has answered yet. */
void koa_roster_begin(struct koa_roster *roster);
/* Takes the brokers of a metadata response in, forgets those unlisted for an hour. Beyond the limit
 * of rows the rest is left out: false, as when memory is out. */
bool koa_roster_update(struct koa_roster *roster,
                       const struct koa_kafka_metadata_response *metadata, struct koa_mono now);
/* NULL when unknown. Valid until the next update. */
struct koa_roster_row *koa_roster_find(const struct koa_roster *roster, int32_t id);
void koa_roster_answered(struct koa_roster *roster, int32_t id, struct koa_mono now);
/* It is not asked again before it has answered a ping. */
void koa_roster_failed(struct koa_roster *roster, int32_t id, const char *error);
/* But this one may be: what failed was the answer, not the broker. */
void koa_roster_trust(struct koa_roster *roster, int32_t id);
/* Writes the snapshot's brokers, without leaders and replicas. False when memory is out. */
KOA_MUST_USE bool koa_roster_fill(const struct koa_roster *roster, struct koa_snapshot *snapshot);

#endif
