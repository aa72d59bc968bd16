/* One alert at one moment: immutable, counted by references. The board shows the last one of each
 * alert, the history keeps those of transitions, and a notification carries one. */
#ifndef ALERTS_RECORD_H
#define ALERTS_RECORD_H

#include <koa/error.h>
#include <koa/rule.h>
#include <koa/time.h>

#include "base/published.h"

struct koa_alert_record {
    struct koa_object object;
    uint64_t identity;
    int64_t number;     /* place in the history, from 1; 0: not a transition */
    int32_t transition; /* of this alert since it last was inactive, from 1 */
    enum koa_severity severity;
    enum koa_alert_state state;
    bool has_value;
    bool has_threshold;
    const char *rule;
    const char *message;
    struct koa_labels labels;
    struct koa_labels annotations;
    struct koa_wall starts_at; /* pending: since; else when it fired */
    struct koa_wall ends_at;   /* 0 until it is resolved */
    struct koa_wall at;        /* when the present state was entered */
    double value;              /* with has_value */
    double threshold;          /* with has_threshold */
};

/* A deep copy of what `from` says (its `object` is not read), in one block; the caller holds the
 * one reference. NULL when memory is out. */
KOA_MUST_USE struct koa_alert_record *koa_alert_record_create(const struct koa_alert_record *from);
struct koa_alert_record *koa_alert_record_ref(struct koa_alert_record *record);
void koa_alert_record_unref(struct koa_alert_record *record); /* NULL is nothing */
KOA_DEFINE_AUTO(koa_alert_record, koa_alert_record_unref)

#endif
