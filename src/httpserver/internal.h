/* What the files of this room share: the server, its connections, the request on each. Nobody
 * outside includes it. */
#ifndef HTTPSERVER_INTERNAL_H
#define HTTPSERVER_INTERNAL_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "httpserver/hygiene.h"
#include "httpserver/limiter.h"
#include "httpserver/policy.h"
#include "httpserver/router.h"
#include "httpserver/server.h"
#include "httpserver/target.h"

struct koa_http_connection;

/* A daemon of the library and what it was made from. A new one replaces it when certificates or
 * limits change; the old one goes when its last connection has. */
struct koa_http_generation {
    struct koa_list_node node;
    struct koa_http_server *server;
    struct MHD_Daemon *daemon;
    struct koa_http_policy *policy; /* a reference */
    char *certificate, *key;        /* PEM; the daemon reads them for as long as it runs */
    size_t connections;             /* under the server's mutex */
    struct koa_mono drain_until;
    bool drains;
    char last_message[256]; /* of the library's, while it starts */
};

/* Where a request stands. Only the connection's HTTP thread reads and writes it. */
enum koa_http_stage {
    KOA_HTTP_STAGE_HEAD,  /* nothing is known but the target */
    KOA_HTTP_STAGE_WHOLE, /* filtered, and there is no body */
    KOA_HTTP_STAGE_LOGIN, /* suspended until the password is verified */
    KOA_HTTP_STAGE_BODY,  /* the body arrives */
    KOA_HTTP_STAGE_WAITS, /* suspended by its handler */
    KOA_HTTP_STAGE_ANSWERED
};

struct koa_http_request {
    struct koa_http_connection *connection;
    enum koa_http_stage stage;
    bool is_target_long;
    struct koa_buf raw_target, memory, body; /* kept from request to request */
    const char *target_end;                  /* in the parser's memory; see filter_fields() */
    struct koa_http_target target;
    struct koa_http_head head;
    struct koa_http_match match;
    const char *method_name; /* of the four we know, else "other" */
    unsigned method;
    unsigned scopes;
    struct koa_http_token *token;
    int status; /* of the answer; 0: none yet */
    bool is_verdict;
    bool is_corked; /* see koa_http_uncork() */
    int64_t started_ns;
};

/* What the connection waits for: decides which deadline the sweeper applies. */
enum koa_http_phase {
    KOA_HTTP_PHASE_HEAD, /* new, no whole head yet */
    KOA_HTTP_PHASE_BODY,
    KOA_HTTP_PHASE_BUSY, /* handler, suspension or answer: not the client's turn, or bounded by the
                          * library's inactivity timer */
    KOA_HTTP_PHASE_IDLE, /* between requests */
    KOA_HTTP_PHASE_GOES  /* we have shut it down; the library will notice */
};

struct koa_http_connection {
    struct koa_list_node node; /* in the server's list, under its mutex */
    struct koa_http_server *server;
    struct koa_http_generation *generation;
    int descriptor;
    struct MHD_Connection *handle; /* NULL until the library has taken it over */
    unsigned char address[16];     /* IPv4 as mapped IPv6 */
    char peer[INET6_ADDRSTRLEN];
    bool is_loopback;
    atomic_int phase;         /* enum koa_http_phase */
    _Atomic int64_t since_ms; /* when the phase began */
    struct koa_http_request request;
};

/* One suspension. Two owners: whoever shall finish it, and the request until it has its answer. */
struct koa_http_token {
    struct koa_list_node node; /* in the server's list while unfinished, under its mutex */
    struct koa_http_server *server;
    struct koa_http_connection *connection; /* valid while unfinished: a suspended one stays */
    int owners;                             /* under the server's mutex */
    bool is_ready;                          /* `response` is the answer; under the server's mutex */
    struct koa_http_response response;      /* status 0: go on with the request (a login) */
    unsigned scopes;                        /* that the login gave */
};

struct koa_http_telemetry;

struct koa_http_gate;

struct koa_http_server {
    struct koa_http_server_opts opts;
    struct koa_http_router *router;
    struct koa_http_telemetry *telemetry;
    struct koa_http_limiter *limiter; /* of failed logins, under its mutex */
    pthread_mutex_t limiter_mutex;
    struct koa_limit_stats stats;
    char address[64], urls[2][96]; /* urls: http, https; empty before the start */
    atomic_bool is_tls;
    int listener; /* -1 before the start */
    int waker;    /* eventfd: wakes the acceptor */
    struct koa_http_gate *gate;
    pthread_t acceptor;
    bool runs;
    atomic_bool quiesced;
    atomic_bool refuses; /* no suspensions any more, streams end */
    atomic_bool stops;   /* the acceptor ends */

    pthread_mutex_t reload_mutex; /* held while a generation is made: one at a time */
    uint64_t tls_signature;       /* of the newest generation's files, under the reload mutex */
    struct koa_mono tls_looked;   /* the acceptor's */
    atomic_bool looks;            /* at the files, now */

    pthread_mutex_t mutex;
    struct koa_list_node connections;
    struct koa_list_node tokens;
    struct koa_list_node generations; /* newest first */
    struct koa_http_policy *policy;   /* the newest one's; before the start, the first one's */
    struct koa_http_connection **by_descriptor;
    size_t descriptor_count;
    size_t connection_count;
};

/* connection.c: the table of connections, deadlines. The server's mutex is taken inside unless the
 * name ends in _locked. */

/* Adds an accepted socket, or returns NULL when a limit or memory refuses it (counted). */
struct koa_http_connection *koa_http_connection_add(struct koa_http_server *server, int descriptor,
                                                    const struct sockaddr_storage *address);
void koa_http_connection_drop(struct koa_http_connection *connection);
/* One that the library has not taken over yet goes to the newest generation. */
void koa_http_connection_rehome_locked(struct koa_http_connection *connection);
/* The library's callback: it has taken a connection over, or is about to close its socket. */
void koa_http_connection_notify(void *context, struct MHD_Connection *handle,
                                void **connection_context,
                                enum MHD_ConnectionNotificationCode code);
void koa_http_connection_set_phase(struct koa_http_connection *connection,
                                   enum koa_http_phase phase);
/* Forgets connections of `generation` that the library never took over. Its daemon has ended. */
void koa_http_connections_forget(struct koa_http_server *server,
                                 const struct koa_http_generation *generation);
/* Cuts those whose deadline has passed, and idle ones of generations that drain. */
void koa_http_connections_sweep(struct koa_http_server *server, struct koa_mono now);
/* How many requests are between their head and the end of their answer. */
size_t koa_http_connections_busy(struct koa_http_server *server);

/* generation.c */
/* Starts one under `policy` (takes a reference of its own) and puts it in front. Under the reload
 * mutex. */
KOA_MUST_USE enum koa_err koa_http_generation_start(struct koa_http_server *server,
                                                    struct koa_http_policy *policy,
                                                    struct koa_error *reterr);
/* Bytes that the library has for one connection. */
size_t koa_http_connection_memory(const struct koa_http_settings *settings);
/* Stops generations that have drained, or all of them. Acceptor's thread, or after it ended. */
void koa_http_generations_reap(struct koa_http_server *server, struct koa_mono now, bool all);

/* tls.c */
bool koa_http_tls_is_on(const struct koa_http_settings *settings);
/* Leaves both NULL when TLS is off; on failure what was read is the caller's to free. */
KOA_MUST_USE enum koa_err koa_http_tls_load(const struct koa_http_settings *settings,
                                            char **ret_certificate, char **ret_key,
                                            struct koa_error *reterr);
/* Differs when one of the files does; 0 without TLS. */
uint64_t koa_http_tls_signature(const struct koa_http_settings *settings);
/* Puts a new certificate to use when the files have changed. */
void koa_http_tls_look(struct koa_http_server *server);

/* listener.c */
KOA_MUST_USE enum koa_err koa_http_listener_open(struct koa_http_server *server,
                                                 struct koa_error *reterr);
/* The acceptor's thread: accepts, sweeps, replaces generations, until `stops`. */
void *koa_http_listener_run(void *context);

/* gate.c: connections until their first request may go to the library. */
KOA_MUST_USE enum koa_err koa_http_gate_create(struct koa_http_server *server,
                                               struct koa_http_gate **ret_gate,
                                               struct koa_error *reterr);
/* Closes those that wait. The acceptor has ended. NULL is nothing. */
void koa_http_gate_destroy(struct koa_http_gate *gate);
/* Readable when koa_http_gate_turn() has something to do. */
int koa_http_gate_descriptor(const struct koa_http_gate *gate);
/* The connection and its descriptor are the gate's until the library has them. */
void koa_http_gate_enter(struct koa_http_gate *gate, struct koa_http_connection *connection,
                         const struct sockaddr_storage *address, socklen_t size);
void koa_http_gate_turn(struct koa_http_gate *gate, struct koa_mono now);

/* request.c: the library's callbacks. */
void *koa_http_request_begin(void *context, const char *uri, struct MHD_Connection *handle);
enum MHD_Result koa_http_request_step(void *server, struct MHD_Connection *handle_, const char *url,
                                      const char *method, const char *version,
                                      const char *upload_data, size_t *upload_size, void **context);
void koa_http_request_end(void *context, struct MHD_Connection *handle_, void **request_context,
                          enum MHD_RequestTerminationCode code);
/* The library in use leaves a request's head where we can look at it. */
bool koa_http_is_layout_known(void);
/* Makes `response` the answer to a request that the filter refuses, and counts it. */
void koa_http_refuse(struct koa_http_server *server, enum koa_http_fault fault,
                     struct koa_http_response *response);
void koa_http_request_deinit(struct koa_http_request *request);

/* authorize.c */
enum koa_http_login {
    KOA_HTTP_LOGIN_GRANTED, /* `scopes` of the request are set */
    KOA_HTTP_LOGIN_WAITS,   /* suspended; the token's status 0 will mean: granted */
    KOA_HTTP_LOGIN_REFUSED  /* the response says why */
};
enum koa_http_login koa_http_authorize(struct koa_http_request *request,
                                       struct koa_http_response *response);
/* Anybody can log in at all. */
bool koa_http_has_logins(const struct koa_http_request *request);
void koa_http_refuse_login(struct koa_http_server *server, struct koa_http_policy *policy,
                           struct koa_http_response *response);
void koa_http_refuse_scope(struct koa_http_response *response, unsigned scope);
void koa_http_count_failed_login(struct koa_http_server *server,
                                 const struct koa_http_policy *policy,
                                 const unsigned char *address);

/* login.c: suspends until the password is verified; needs `scope` then. */
enum koa_http_login koa_http_verify(struct koa_http_request *request,
                                    const struct koa_http_judged *judged, unsigned scope,
                                    struct koa_http_response *response);

/* answer.c: adds what a response lacks before it is sent. */
void koa_http_response_complete(struct koa_http_server *server, struct koa_http_response *response);
/* Queues `response` on the request's connection and empties it. */
enum MHD_Result koa_http_answer(struct koa_http_request *request,
                                struct koa_http_response *response);

/* Sends what the kernel still gathers, once the request's whole answer has been handed to it. */
void koa_http_uncork(struct koa_http_request *request);

/* token.c */
void koa_http_token_unref(struct koa_http_token *token);
/* The response of a token that the request was resumed for; gives up the request's share. */
void koa_http_token_take(struct koa_http_request *request, struct koa_http_response *response);
/* Answers every unfinished suspension (of `generation`, or all when NULL) with 503. */
void koa_http_tokens_expire(struct koa_http_server *server,
                            const struct koa_http_generation *generation);

/* telemetry.c */
KOA_MUST_USE enum koa_err koa_http_telemetry_create(const struct koa_http_server_opts *opts,
                                                    struct koa_http_telemetry **ret_telemetry,
                                                    struct koa_error *reterr);
void koa_http_telemetry_destroy(struct koa_http_telemetry *telemetry);
void koa_http_telemetry_request(struct koa_http_telemetry *telemetry,
                                const struct koa_http_request *request, int64_t duration_ns);
void koa_http_telemetry_rejected(struct koa_http_telemetry *telemetry, const char *reason);
void koa_http_telemetry_connections(struct koa_http_telemetry *telemetry, int change);

#endif
