/* Lines to a descriptor by a thread of its own: a full or closed pipe never stalls anyone. */
#ifndef LOOP_LOG_WRITER_H
#define LOOP_LOG_WRITER_H

#include <koa/error.h>
#include <koa/log.h>

#include "base/limit.h"

struct koa_log_writer;

enum koa_log_format { KOA_LOG_FORMAT_TEXT, KOA_LOG_FORMAT_JSON };

/* Lines that find the ring full are dropped and counted; a line says how many once there is room.
 */
KOA_MUST_USE enum koa_err koa_log_writer_create(int descriptor, enum koa_log_format format,
                                                struct koa_log_writer **ret_writer,
                                                struct koa_error *reterr);
/* Writes what waits for at most one second, then leaves a stuck thread behind. */
void koa_log_writer_destroy(struct koa_log_writer *writer);
/* Any thread. */
void koa_log_writer_set_format(struct koa_log_writer *writer, enum koa_log_format format);
/* The sink: context is the writer. */
koa_log_sink_fn koa_log_writer_sink;
struct koa_limit_stats *koa_log_writer_stats(struct koa_log_writer *writer);

#endif
