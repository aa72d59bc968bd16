/* What the agent asks of a Kafka cluster, feature by feature: APIs, versions, rights, and a
 * question that shows whether the rights are there. One table: `doctor` goes through it, and
 * docs/permissions.md is written from it. Pure. */
#ifndef CLI_DOCTOR_FEATURES_H
#define CLI_DOCTOR_FEATURES_H

#include "base/buf.h"
#include "cli/doctor_questions.h"

/* What a right is for, as in kafka-acls. */
enum cli_resource {
    CLI_RESOURCE_NONE,
    CLI_RESOURCE_TOPIC,
    CLI_RESOURCE_GROUP,
    CLI_RESOURCE_CLUSTER,
    CLI_RESOURCE_PROBE_TOPIC
};

/* Kafka's numbers of operations: bits in "authorized operations", words in kafka-acls. */
enum cli_operation {
    CLI_OPERATION_READ = 3,
    CLI_OPERATION_WRITE = 4,
    CLI_OPERATION_CREATE = 5,
    CLI_OPERATION_DESCRIBE = 8,
    CLI_OPERATION_DESCRIBE_CONFIGS = 10
};

struct cli_right {
    enum cli_operation operation;
    enum cli_resource resource; /* CLI_RESOURCE_NONE: the end of the list */
};

struct cli_need {
    int16_t api_key;
    int16_t version;   /* the lowest that serves */
    const char *since; /* the release of Kafka that brought it; NULL: the end of the list */
};

enum cli_weight {
    CLI_REQUIRED,   /* without it the agent sees less than it should */
    CLI_OPTIONAL,   /* told, but not counted as missing */
    CLI_IF_OFFERED, /* a broker without the API has nothing of the kind; the rights are required */
    CLI_IF_PROBING  /* required where the configuration turns the probe on */
};

enum { CLI_NEED_LIMIT = 3 };

struct cli_feature {
    const char *name;
    const char *purpose;
    enum cli_weight weight;
    struct cli_need needs[CLI_NEED_LIMIT + 1];
    struct cli_right rights[CLI_RIGHT_LIMIT + 1];
    const struct cli_question *question; /* NULL: there is no right to be told */
};

/* Ends with a row without name. */
extern const struct cli_feature cli_features[];
extern const size_t cli_feature_count;

const char *cli_operation_name(enum cli_operation operation); /* "DescribeConfigs" */

/* What one right's error code says. */
enum cli_grant {
    CLI_GRANT_UNTOLD,
    CLI_GRANT_GIVEN,
    CLI_GRANT_REFUSED,
    CLI_GRANT_OFF /* the brokers have the API, and it is turned off */
};
enum cli_grant cli_grant_of(int16_t code);

/* The resource part of a kafka-acls line: "--topic '*'". */
void cli_right_write(const struct cli_right *right, struct koa_str probe_topic,
                     struct koa_buf *buf);
/* `text` as one word of a shell. */
void cli_shell_word(struct koa_str text, struct koa_buf *buf);

/* docs/permissions.md. */
void cli_permissions_document(struct koa_buf *buf);

#endif
