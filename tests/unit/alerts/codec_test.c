/* Saved alerts: what comes back is what was put in, and damage is found. */
#include "alerts/codec.h"

#include <math.h>
#include <string.h>

#include "kit/kit.h"

static const struct koa_label labels[] = {{"cluster", "c"}, {"topic", "t\xc3\xa9"}};
static const struct koa_label annotations[] = {{"summary", ""}};

static const struct koa_alert_record sample = {
    .identity = UINT64_C(0xfedcba9876543210),
    .number = 7,
    .transition = 2,
    .severity = KOA_SEVERITY_WARNING,
    .state = KOA_ALERT_FIRING,
    .has_value = true,
    .has_threshold = true,
    .rule = "storm",
    .message = "it is 15.0",
    .labels = {labels, 2},
    .annotations = {annotations, 1},
    .starts_at.ms = 1764000000123,
    .at.ms = 1764000000456,
    .value = 15.5,
    .threshold = -INFINITY,
};

static const struct koa_alert_phase phase = {
    .state = KOA_ALERT_FIRING,
    .is_clearing = true,
    .since.ms = 100,
    .seen.ms = -5,
    .entered.ms = INT64_C(1) << 40,
};

static struct koa_str view_of(const struct koa_buf *buf)
{
    return (struct koa_str){.data = buf->data, .size = buf->size};
}

static void expect_same(const struct koa_alert_record *record)
{
    KIT_EXPECT("identity", record->identity == sample.identity);
    KIT_EXPECT_INT("number", 7, record->number);
    KIT_EXPECT_INT("transition", 2, record->transition);
    KIT_EXPECT_INT("severity", KOA_SEVERITY_WARNING, record->severity);
    KIT_EXPECT_INT("state", KOA_ALERT_FIRING, record->state);
    KIT_EXPECT_TEXT("rule", "storm", record->rule);
    KIT_EXPECT_TEXT("message", "it is 15.0", record->message);
    KIT_EXPECT_INT("labels", 2, record->labels.count);
    KIT_EXPECT_TEXT("label", "t\xc3\xa9", record->labels.rows[1].value);
    KIT_EXPECT_TEXT("annotation", "", record->annotations.rows[0].value);
    KIT_EXPECT_INT("starts_at", 1764000000123, record->starts_at.ms);
    KIT_EXPECT_INT("at", 1764000000456, record->at.ms);
    KIT_EXPECT("numbers are known", record->has_value && record->has_threshold);
    KIT_EXPECT_DOUBLE("value", 15.5, record->value);
    KIT_EXPECT_DOUBLE("threshold", -INFINITY, record->threshold);
}

static void a_state_comes_back(void **state)
{
    struct koa_buf buf = {.limit = KOA_ALERT_BYTES_LIMIT};
    struct koa_alert_record *record = NULL;
    struct koa_alert_phase back;

    (void) state;
    koa_alert_encode(&phase, &sample, &buf);
    KIT_EXPECT_INT("decoded", KOA_OK, koa_alert_decode(view_of(&buf), &back, &record, NULL));
    expect_same(record);
    KIT_EXPECT("clearing", back.is_clearing && !back.is_blind);
    KIT_EXPECT_INT("since", 100, back.since.ms);
    KIT_EXPECT_INT("seen", -5, back.seen.ms);
    KIT_EXPECT_INT("entered", INT64_C(1) << 40, back.entered.ms);
    koa_alert_record_unref(record);
    koa_buf_deinit(&buf);
}

static void a_transition_comes_back_and_is_no_state(void **state)
{
    struct koa_buf buf = {.limit = KOA_ALERT_BYTES_LIMIT};
    struct koa_alert_record *record = NULL;
    struct koa_alert_phase back;

    (void) state;
    koa_alert_encode(NULL, &sample, &buf);
    KIT_EXPECT_INT("decoded", KOA_OK, koa_alert_decode(view_of(&buf), NULL, &record, NULL));
    expect_same(record);
    koa_alert_record_unref(record);
    KIT_EXPECT_INT("no state", KOA_ERR_PARSE,
                   koa_alert_decode(view_of(&buf), &back, &record, NULL));
    koa_buf_deinit(&buf);
}

/* Every shorter text, every longer one, and every byte changed: an error or an alert, never more.
 */
static void damage_is_found(void **state)
{
    struct koa_buf buf = {.limit = KOA_ALERT_BYTES_LIMIT};
    struct koa_alert_record *record;
    struct koa_alert_phase back;

    (void) state;
    koa_alert_encode(&phase, &sample, &buf);
    for (size_t size = 0; size < buf.size; size++) {
        KIT_EXPECT("cut", koa_alert_decode((struct koa_str){buf.data, size}, &back, &record,
                                           NULL) != KOA_OK);
    }
    for (size_t at = 0; at < buf.size; at++) {
        for (int bit = 0; bit < 8; bit++) {
            buf.data[at] = (char) (buf.data[at] ^ (1 << bit));
            if (koa_alert_decode(view_of(&buf), &back, &record, NULL) == KOA_OK)
                koa_alert_record_unref(record);
            buf.data[at] = (char) (buf.data[at] ^ (1 << bit));
        }
    }
    koa_buf_append_char(&buf, 'x');
    KIT_EXPECT_INT("longer", KOA_ERR_PARSE, koa_alert_decode(view_of(&buf), &back, &record, NULL));
    koa_buf_deinit(&buf);
}

static void another_version_is_not_guessed_at(void **state)
{
    struct koa_buf buf = {.limit = KOA_ALERT_BYTES_LIMIT};
    struct koa_alert_record *record;
    struct koa_error error;

    (void) state;
    koa_alert_encode(NULL, &sample, &buf);
    buf.data[0] = KOA_ALERT_CODEC_VERSION + 1;
    KIT_EXPECT_INT("refused", KOA_ERR_UNSUPPORTED,
                   koa_alert_decode(view_of(&buf), NULL, &record, &error));
    KIT_EXPECT_CONTAINS("says so", "version 2", error.text);
    koa_buf_deinit(&buf);
}

static void no_memory_is_an_error(void **state)
{
    struct koa_buf buf = {.limit = KOA_ALERT_BYTES_LIMIT};
    struct koa_alert_record *record = NULL;
    bool ok = false;

    (void) state;
    koa_alert_encode(NULL, &sample, &buf);
    KIT_FOR_EACH_ALLOC_FAILURE (ok)
        ok = koa_alert_decode(view_of(&buf), NULL, &record, NULL) == KOA_OK;
    koa_memory_fail_after(-1);
    KIT_EXPECT("in the end", ok);
    koa_alert_record_unref(record);
    koa_buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_comes_back),
        cmocka_unit_test(a_transition_comes_back_and_is_no_state),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(another_version_is_not_guessed_at),
        cmocka_unit_test(no_memory_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
