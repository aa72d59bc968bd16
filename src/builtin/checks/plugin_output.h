/* What a Nagios plugin prints, read into a verdict's details. */
#ifndef BUILTIN_CHECKS_PLUGIN_OUTPUT_H
#define BUILTIN_CHECKS_PLUGIN_OUTPUT_H

#include <koa/check.h>

/* Sets the details `output` (the lines after the first) and `perfdata` (a list of {label, value,
 * unit, warning, critical, minimum, maximum}; at most 64, wrong ones are left out). Returns the
 * first line without its performance data, trimmed; a view of `output`. */
struct koa_str koa_plugin_output_read(struct koa_str output, struct koa_verdict *verdict);

#endif
