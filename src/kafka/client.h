/* The brokers of one cluster over TCP: the servers of the configuration, and the brokers that the
 * cluster itself names. None waits for another. A broker that is busy gets up to `connections`
 * connections: each request goes to the one with the least under way, so that requests to one
 * broker may be answered in any order. Runs on the thread of its loop. */
#ifndef KAFKA_CLIENT_H
#define KAFKA_CLIENT_H

#include "httpclient/client.h"
#include "kafka/connection.h"
#include "kafka/security.h"
#include "loop/loop.h"
#include "loop/resolver.h"

struct koa_kafka_client;

/* A server of the configuration is asked under -1 - its index; a broker under its id. */
static inline int32_t koa_kafka_bootstrap_id(size_t index)
{
    return -1 - (int32_t) index;
}

/* "host:port" or "[::1]:9092"; `*ret_host` is the caller's, koa_free(). KOA_ERR_INVALID says what
 * must be there. */
KOA_MUST_USE enum koa_err koa_kafka_server_parse(const char *text, char **ret_host, int *ret_port,
                                                 struct koa_error *reterr);

struct koa_kafka_address {
    const char *host;
    int32_t id;
    int port;
};

enum {
    KOA_KAFKA_BOOTSTRAP_LIMIT = 64, /* servers of the configuration that are used */
    KOA_KAFKA_BROKER_LIMIT = 2000,  /* brokers of one cluster; more are not asked */
};

struct koa_kafka_client_opts {
    struct koa_loop *loop;
    struct koa_resolver *resolver;
    const struct koa_kafka_address *bootstrap; /* ids are not used; copied */
    size_t bootstrap_count;
    size_t connections;         /* to one broker at most; 0: 1 */
    int64_t connect_timeout_ms; /* look-up, TCP and TLS; then as much again for the handshake and
                                   the authentication */
    const struct koa_kafka_security *security; /* copied; NULL: plaintext, no authentication */
    struct koa_workers *workers;               /* with `security`: reads its files */
    struct koa_http_client *http; /* of the same loop: fetches tokens; NULL where none are */
    const char *name;             /* of the cluster, for messages; copied; NULL: none */
    const char *purpose;          /* what these connections are for where another client has some to
                                     the same brokers: "probe"; NULL: none; copied */
    struct koa_log *log;
    /* Optional, both: `broker` is the id as above. */
    void (*observe)(void *context, int32_t broker, const struct koa_kafka_answer *answer);
    void (*reconnecting)(void *context, int32_t broker);
    void *context;
};

/* Opens nothing yet. KOA_ERR_INVALID: settings of `security` that do not fit together. */
KOA_MUST_USE enum koa_err koa_kafka_client_create(const struct koa_kafka_client_opts *opts,
                                                  struct koa_kafka_client **ret_client,
                                                  struct koa_error *reterr);
/* Closes everything; requests end with KOA_ERR_CANCELLED. Not from a request's `done`. NULL is
 * nothing. */
void koa_kafka_client_destroy(struct koa_kafka_client *client);
/* Sends to one broker; `done` may run before this returns. An id that is not known fails with
 * KOA_ERR_NOT_FOUND. */
void koa_kafka_client_submit(struct koa_kafka_client *client, int32_t broker,
                             struct koa_kafka_request *request);
/* The version chosen for an API on the present connection to a broker, or -1. */
int16_t koa_kafka_client_version(const struct koa_kafka_client *client, int32_t broker,
                                 int16_t api_key);
/* The brokers that the cluster names now. New ones are known, ones that moved are connected anew,
 * ones that are gone, and idle servers of the configuration, are closed shortly after. May be
 * called from a request's `done`. */
void koa_kafka_client_set_brokers(struct koa_kafka_client *client,
                                  const struct koa_kafka_address *brokers, size_t count);

#endif
