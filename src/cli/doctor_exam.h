/* One look at a cluster, as a state machine: answers in, requests and findings out. Knows no socket
 * and no clock. Asks the servers of the configuration, then one of them for the brokers, then every
 * broker what it offers, then one broker the question of each feature. One thread. */
#ifndef CLI_DOCTOR_EXAM_H
#define CLI_DOCTOR_EXAM_H

#include <koa/time.h>

#include "cli/doctor_features.h"
#include "cluster/name_filter.h"
#include "kafka/client.h"
#include "kafka/negotiation.h"

enum { CLI_NAME_SIZE = 256 };

struct cli_exam_ops {
    struct koa_mono (*mono)(void *context);
    struct koa_wall (*wall)(void *context);
    /* As koa_kafka_client_submit() and koa_kafka_client_set_brokers(). */
    void (*submit)(void *context, int32_t broker, struct koa_kafka_request *request);
    void (*set_brokers)(void *context, const struct koa_kafka_address *brokers, size_t count);
    void (*finished)(void *context); /* once; the exam is not used after it by itself */
};

struct cli_exam_opts {
    size_t server_count; /* of the configuration: asked under koa_kafka_bootstrap_id() */
    int64_t request_timeout_ms;
    /* Which topics and groups are watched; borrowed. `..._are_chosen`: not simply all. */
    const struct koa_name_filter *topics, *groups;
    bool topics_are_chosen, groups_are_chosen;
    const char *probe_topic; /* NULL: the probe is off. Borrowed */
    const struct cli_exam_ops *ops;
    void *context;
};

struct cli_contact {
    bool has_answered;
    struct koa_error error; /* why not */
};

struct cli_broker {
    int32_t id;
    int port;
    char *host;
    struct cli_contact contact;
    struct koa_kafka_versions versions;
    const char *release; /* NULL: cannot be told */
};

/* One right of one feature. */
struct cli_finding {
    enum cli_grant grant;
    size_t topics_without;       /* visible topics that lack the right */
    char example[CLI_NAME_SIZE]; /* one of them */
    struct koa_error why; /* with CLI_GRANT_UNTOLD: code is not KOA_OK when there is a text */
};

enum cli_state {
    CLI_STATE_OK,
    CLI_STATE_MISSING, /* an API on some broker, or a right */
    CLI_STATE_ABSENT,  /* not offered, or turned off: the cluster has nothing of the kind */
    CLI_STATE_UNTOLD,
    CLI_STATE_UNUSED, /* the configuration does not want it */
    CLI_STATE_COUNT
};

struct cli_result {
    enum cli_state state;
    size_t brokers_without; /* brokers that lack an API that they should have */
    struct cli_finding findings[CLI_RIGHT_LIMIT];
};

struct cli_report {
    struct cli_contact *servers; /* in the configuration's order */
    size_t server_count;
    struct cli_broker *brokers;
    size_t broker_count, reachable_count;
    char cluster_id[CLI_NAME_SIZE];    /* "": not told */
    int32_t controller;                /* -1: not told */
    bool has_quorum;                   /* KRaft; else ZooKeeper */
    size_t topic_count, group_count;   /* that are visible */
    bool topic_is_real, group_is_real; /* the questions' subject is one of the cluster's */
    char topic[CLI_NAME_SIZE], group[CLI_NAME_SIZE]; /* that subject */
    bool has_clock;
    int64_t clock_difference_ms; /* the quorum leader's clock minus ours */
    int64_t clock_error_ms;      /* it may be as much more or less */
    struct cli_result *results;  /* one per row of cli_features */
    bool is_connected;           /* the cluster has named its brokers */
    bool is_out_of_memory;
};

struct cli_exam;

KOA_MUST_USE enum koa_err cli_exam_create(const struct cli_exam_opts *opts,
                                          struct cli_exam **ret_exam, struct koa_error *reterr);
/* No request may be under way. NULL is nothing. */
void cli_exam_destroy(struct cli_exam *exam);
void cli_exam_begin(struct cli_exam *exam);
/* Complete once `finished` has run. Borrowed. */
const struct cli_report *cli_exam_report(const struct cli_exam *exam);

/* What `broker` lacks of one need; KOA_OK: nothing. */
enum koa_err cli_broker_lacks(const struct cli_broker *broker, const struct cli_need *need,
                              struct koa_error *reterr);
/* True: nothing that is required is missing, and every broker has answered. */
bool cli_report_is_well(const struct cli_report *report);

#endif
