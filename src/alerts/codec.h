/* Alerts as bytes for the store, and back. Bytes may come from a damaged file: nothing in them is
 * believed. */
#ifndef ALERTS_CODEC_H
#define ALERTS_CODEC_H

#include "alerts/record.h"
#include "alerts/state.h"
#include "base/buf.h"

enum {
    KOA_ALERT_CODEC_VERSION = 1,
    /* 64 labels and annotations of 1 KiB each, names, and the message, with room. */
    KOA_ALERT_BYTES_LIMIT = 256 * 1024
};

/* `phase` NULL: a transition of the history. The buffer's own limit and flag tell of failure. */
void koa_alert_encode(const struct koa_alert_phase *phase, const struct koa_alert_record *record,
                      struct koa_buf *buf);

/* The same with or without phase must be asked for (KOA_ERR_PARSE otherwise). Another version is
 * KOA_ERR_UNSUPPORTED. */
KOA_MUST_USE enum koa_err koa_alert_decode(struct koa_str bytes, struct koa_alert_phase *ret_phase,
                                           struct koa_alert_record **ret_record,
                                           struct koa_error *reterr);

#endif
