/* One client's connection to a simulated broker. */
#ifndef SIM_SESSION_H
#define SIM_SESSION_H

#include "base/list.h"
#include "net/stream.h"
#include "sim/answers.h"

/* One listening broker. */
struct koa_sim_broker {
    const struct koa_sim_cluster *cluster;
    int32_t id;
    struct koa_listener *listener;
    struct koa_list_node sessions;
    struct koa_log *log;
};

/* Takes the stream over; it ends when the peer closes it or breaks the protocol. */
void koa_sim_session_accept(struct koa_sim_broker *broker, struct koa_stream *stream);
void koa_sim_sessions_close(struct koa_sim_broker *broker);

#endif
