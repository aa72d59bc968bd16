/* One client's connection to a simulated broker. */
#ifndef SIM_SESSION_H
#define SIM_SESSION_H

#include "base/list.h"
#include "net/stream.h"
#include "sim/answers.h"

/* One broker with its connections. */
struct koa_sim_broker {
    struct koa_sim_cluster *cluster;
    struct koa_loop *loop;
    int32_t id;
    struct koa_listener *listener; /* NULL: its process is dead */
    struct koa_list_node sessions;
    struct koa_arena *arena; /* for one answer at a time, shared by all brokers */
    struct koa_log *log;
    bool is_frozen;    /* as its sessions know it */
    uint64_t hang_ups; /* of its node, as far as they were done */
};

/* Takes the stream over; it ends when the peer closes it or breaks the protocol. */
void koa_sim_session_accept(struct koa_sim_broker *broker, struct koa_stream *stream);
void koa_sim_sessions_close(struct koa_sim_broker *broker);
/* Stops all sessions, or lets them go on. */
void koa_sim_sessions_freeze(struct koa_sim_broker *broker, bool is_frozen);

#endif
