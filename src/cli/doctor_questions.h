/* Questions that change nothing, and whose answers show what rights are there. One per feature.
 * Pure. */
#ifndef CLI_DOCTOR_QUESTIONS_H
#define CLI_DOCTOR_QUESTIONS_H

#include "base/arena.h"
#include "kafka/api.h"

enum { CLI_RIGHT_LIMIT = 2 };

/* The names that the questions are about, and when their answer is due. */
struct cli_subject {
    struct koa_str topic, group, probe_topic;
    int32_t timeout_ms;
};

/* Kafka's error code of each right's part of the answer. */
enum { CLI_CODE_NONE = INT16_MIN }; /* the answer says nothing about it */
struct cli_reply {
    int16_t codes[CLI_RIGHT_LIMIT];
};

struct cli_question {
    int16_t api_key;
    /* The request's struct, in `arena`; NULL when memory is out. */
    const void *(*ask)(const struct cli_subject *subject, struct koa_arena *arena);
    /* Reads the response's struct. */
    void (*judge)(const void *body, struct cli_reply *reply);
};

extern const struct cli_question cli_question_metadata;
extern const struct cli_question cli_question_groups;
extern const struct cli_question cli_question_consumer_group_describe;
extern const struct cli_question cli_question_share_group_describe;
extern const struct cli_question cli_question_streams_group_describe;
extern const struct cli_question cli_question_commits;
extern const struct cli_question cli_question_share_offsets;
extern const struct cli_question cli_question_end;
extern const struct cli_question cli_question_start;
extern const struct cli_question cli_question_stable;
extern const struct cli_question cli_question_time;
extern const struct cli_question cli_question_fetch_topic;
extern const struct cli_question cli_question_configs;
extern const struct cli_question cli_question_log_dirs;
extern const struct cli_question cli_question_reassignments;
extern const struct cli_question cli_question_quorum;
extern const struct cli_question cli_question_creation;
extern const struct cli_question cli_question_produce;
extern const struct cli_question cli_question_fetch_probe;

#endif
