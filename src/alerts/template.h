/* {{name}} in texts for people. */
#ifndef ALERTS_TEMPLATE_H
#define ALERTS_TEMPLATE_H

#include "alerts/record.h"
#include "base/buf.h"

/* Appends `template` with {{value}}, {{threshold}}, {{rule}}, {{severity}}, {{message}} and
 * {{label}} replaced from `record`; blanks inside the braces are fine. What is unknown or has no
 * value stays as it is. Replaced text is not looked at again. */
void koa_template_expand(const char *template, const struct koa_alert_record *record,
                         struct koa_buf *buf);

/* A number for messages: "15.0", "0.05", "12.346"; three decimals at most, at least one; very
 * large and very small ones in scientific notation. */
enum { KOA_ALERT_NUMBER_SIZE = 32 };
const char *koa_alert_number(double number, char text[KOA_ALERT_NUMBER_SIZE]);

#endif
