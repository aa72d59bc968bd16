/* What an exam has found, for a terminal and as JSON. */
#ifndef CLI_DOCTOR_REPORT_H
#define CLI_DOCTOR_REPORT_H

#include "cli/doctor_exam.h"

struct cli_report_opts {
    const char *cluster;
    const char *const *servers; /* of the configuration, "host:port" */
    const char *principal;      /* "User:name" */
    bool principal_is_known;    /* else it is a place to fill in */
    bool is_secured;            /* kafka-acls needs properties of its own to come in */
    const char *probe_topic;    /* NULL: the probe is off */
    struct koa_wall now;
};

/* "dns", "refused", "tls" and so on. */
const char *cli_cause_word(const struct koa_error *error);
/* The kafka-acls line that gives one right. */
void cli_acl_line(const struct cli_report *report, const struct cli_report_opts *opts,
                  const struct cli_right *right, struct koa_buf *buf);
void cli_report_print(const struct cli_report *report, const struct cli_report_opts *opts,
                      struct koa_buf *buf);
void cli_report_json(const struct cli_report *report, const struct cli_report_opts *opts,
                     struct koa_buf *buf);

#endif
