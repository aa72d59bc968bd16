/* Saved alerts from a damaged database. What decodes must encode to something that decodes again to
 * the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try(struct koa_str bytes, bool has_phase)
{
    struct koa_buf once = {.limit = KOA_ALERT_BYTES_LIMIT};
    struct koa_buf twice = {.limit = KOA_ALERT_BYTES_LIMIT};
    struct koa_alert_record *record = NULL;
    struct koa_alert_record *again = NULL;
    struct koa_alert_phase phase;

    if (koa_alert_decode(bytes, has_phase ? &phase : NULL, &record, NULL) != KOA_OK)
        return;
    koa_alert_encode(has_phase ? &phase : NULL, record, &once);
    if (koa_alert_decode((struct koa_str){once.data, once.size}, has_phase ? &phase : NULL, &again,
                         NULL) != KOA_OK)
        abort();
    koa_alert_encode(has_phase ? &phase : NULL, again, &twice);
    if (once.size != twice.size || memcmp(once.data, twice.data, once.size) != 0)
        abort();
    koa_alert_record_unref(record);
    koa_alert_record_unref(again);
    koa_buf_deinit(&once);
    koa_buf_deinit(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct koa_str bytes = {.data = (const char *) data, .size = size};

    try(bytes, false);
    try(bytes, true);
    return 0;
}
