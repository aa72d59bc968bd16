/* What the answers of an exam mean: per right, per feature, for the whole. Pure. */
#ifndef CLI_DOCTOR_JUDGE_H
#define CLI_DOCTOR_JUDGE_H

#include "cli/doctor_exam.h"

/* The broker's release, by what it offers. NULL: cannot be told. */
const char *cli_broker_release(const struct cli_broker *broker);
/* The question of a feature was not answered. */
void cli_result_untold(struct cli_result *result, const struct cli_feature *feature,
                       const struct koa_error *error);
void cli_result_take(struct cli_result *result, const struct cli_feature *feature,
                     const struct cli_reply *reply);
/* Once everything was asked: fills every result's state. */
void cli_report_judge(struct cli_report *report, bool is_probing);

#endif
