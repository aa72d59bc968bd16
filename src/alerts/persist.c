/* Puts encoded alerts into the store's tables and reads them back. */
#include "alerts/persist.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alerts/codec.h"
#include "alerts/identity.h"
#include "base/num.h"
#include "base/str.h"

static const char alerts_table[] = "alerts";
static const char history_table[] = "alert_history";
static const char clock_table[] = "alert_clock";

static void put(struct koa_store *store, const char *table, const char *key, struct koa_wall time,
                const struct koa_buf *buf)
{
    koa_store_put(store, table,
                  &(struct koa_store_row){.key = koa_str_from(key),
                                          .time = time,
                                          .bytes = {.data = buf->data, .size = buf->size}});
}

static bool encoded(const struct koa_buf *buf, const struct koa_alert_record *record,
                    struct koa_log *log)
{
    struct koa_error error;

    if (koa_buf_status(buf, "a saved alert", &error) == KOA_OK)
        return true;
    koa_log_error(log, "alerts.save", "cannot save the state of '%s': %s; a restart will not know",
                  record->rule, error.text);
    return false;
}

void koa_persist_alert(struct koa_store *store, const struct koa_alert *alert, struct koa_log *log)
{
    struct koa_buf buf = {.limit = KOA_ALERT_BYTES_LIMIT};
    char key[KOA_FINGERPRINT_SIZE];

    if (store == NULL)
        return;
    koa_fingerprint_format(alert->identity, key);
    koa_alert_encode(&alert->phase, alert->record, &buf);
    if (encoded(&buf, alert->record, log))
        put(store, alerts_table, key, alert->record->at, &buf);
    koa_buf_deinit(&buf);
}

void koa_persist_forget(struct koa_store *store, uint64_t identity)
{
    char key[KOA_FINGERPRINT_SIZE];

    if (store == NULL)
        return;
    koa_fingerprint_format(identity, key);
    koa_store_delete(store, alerts_table, koa_str_from(key));
}

void koa_persist_transition(struct koa_store *store, const struct koa_alert_record *record,
                            struct koa_log *log)
{
    struct koa_buf buf = {.limit = KOA_ALERT_BYTES_LIMIT};
    char key[KOA_FINGERPRINT_SIZE];

    if (store == NULL)
        return;
    koa_fingerprint_format((uint64_t) record->number, key);
    koa_alert_encode(NULL, record, &buf);
    if (encoded(&buf, record, log))
        put(store, history_table, key, record->at, &buf);
    koa_buf_deinit(&buf);
}

void koa_persist_trim(struct koa_store *store, size_t limit)
{
    if (store != NULL)
        koa_store_trim(store, history_table, (int64_t) limit);
}

void koa_persist_clock(struct koa_store *store, const struct koa_alert_clock *clock)
{
    char text[KOA_NUM_TEXT_SIZE];
    size_t size;

    if (store == NULL)
        return;
    size = koa_format_int(clock->running.ms, text);
    koa_store_put(store, clock_table,
                  &(struct koa_store_row){.key = KOA_STR("running_ms"),
                                          .time = clock->wall,
                                          .bytes = {.data = text, .size = size}});
}

static void note_damage(struct koa_persist_loader *loader, const struct koa_error *error)
{
    loader->damaged++;
    koa_log_warn(loader->log, "alerts.load", "%s; it is left out", error->text);
}

static void load_alert(void *context, struct koa_str key, struct koa_wall time,
                       struct koa_str bytes)
{
    struct koa_persist_loader *loader = context;
    struct koa_alert_record *record;
    struct koa_alert_phase phase;
    struct koa_error error;

    (void) key;
    (void) time;
    if (koa_alert_decode(bytes, &phase, &record, &error) != KOA_OK) {
        note_damage(loader, &error);
        return;
    }
    /* Should the clock's row be lost, time goes on from the newest moment that is known. */
    if (phase.seen.ms > loader->running.ms)
        loader->running = phase.seen;
    if (phase.entered.ms > loader->running.ms)
        loader->running = phase.entered;
    loader->alert(loader->context, &phase, record);
}

static void load_transition(void *context, struct koa_str key, struct koa_wall time,
                            struct koa_str bytes)
{
    struct koa_persist_loader *loader = context;
    struct koa_alert_record *record;
    struct koa_error error;

    (void) key;
    (void) time;
    if (koa_alert_decode(bytes, NULL, &record, &error) == KOA_OK) {
        loader->transition(loader->context, record);
    } else {
        note_damage(loader, &error);
    }
}

static void load_clock(void *context, struct koa_str key, struct koa_wall time,
                       struct koa_str bytes)
{
    struct koa_persist_loader *loader = context;
    int64_t running;

    (void) key;
    (void) time;
    if (koa_parse_int(bytes, 0, INT64_C(1) << 50, &running) == KOA_OK &&
        running > loader->running.ms)
        loader->running.ms = running;
}

enum koa_err koa_persist_load(struct koa_store *store, struct koa_persist_loader *loader,
                              struct koa_error *reterr)
{
    enum koa_err err;

    if (store == NULL)
        return KOA_OK;
    err = koa_store_scan(store, clock_table, load_clock, loader, reterr);
    if (err == KOA_OK)
        err = koa_store_scan(store, alerts_table, load_alert, loader, reterr);
    if (err == KOA_OK)
        err = koa_store_scan(store, history_table, load_transition, loader, reterr);
    return err;
}
