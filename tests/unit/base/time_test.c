#include <koa/time.h>

#include "base/num.h"
#include "base/str.h"
#include "kit/kit.h"

static void points_are_written_in_utc(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {INT64_C(951782400000), "2000-02-29T00:00:00.000Z"},
        {INT64_C(1795622479123), "2026-11-25T16:01:19.123Z"},
        {INT64_C(253402300799999), "9999-12-31T23:59:59.999Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
        {INT64_MIN, "0000-01-01T00:00:00.000Z"},
    };

    (void) state;
    KIT_EACH (c, cases) {
        char text[KOA_TIME_TEXT_SIZE];
        struct koa_wall back;

        koa_wall_format((struct koa_wall){.ms = c->ms}, text);
        KIT_EXPECT_TEXT(c->text, c->text, text);
        KIT_EXPECT_INT(c->text, KOA_OK, koa_wall_parse(koa_str_from(text), &back));
        if (c->ms != INT64_MAX && c->ms != INT64_MIN)
            KIT_EXPECT_INT(c->text, c->ms, back.ms);
    }
}

static void relatives_of_rfc_3339_are_read(void **state)
{
    static const struct {
        const char *text;
        enum koa_err err;
        int64_t ms;
    } cases[] = {
        {"1970-01-01T00:00:01Z", KOA_OK, 1000},
        {"1970-01-01t00:00:01.5z", KOA_OK, 1500},
        {"1970-01-01 00:00:01.123456789Z", KOA_OK, 1123},
        {"1970-01-01T01:00:00+01:00", KOA_OK, 0},
        {"1969-12-31T23:30:00-00:30", KOA_OK, 0},
        {"2024-02-29T00:00:00Z", KOA_OK, INT64_C(1709164800000)},
        {"2023-02-29T00:00:00Z", KOA_ERR_PARSE, 0},
        {"2023-13-01T00:00:00Z", KOA_ERR_PARSE, 0},
        {"2023-00-01T00:00:00Z", KOA_ERR_PARSE, 0},
        {"2023-01-00T00:00:00Z", KOA_ERR_PARSE, 0},
        {"2023-04-31T00:00:00Z", KOA_ERR_PARSE, 0},
        {"2023-01-01T24:00:00Z", KOA_ERR_PARSE, 0},
        {"2023-01-01T00:60:00Z", KOA_ERR_PARSE, 0},
        {"2023-01-01T00:00:00", KOA_ERR_PARSE, 0},
        {"2023-01-01T00:00:00.Z", KOA_ERR_PARSE, 0},
        {"2023-01-01T00:00:00Zx", KOA_ERR_PARSE, 0},
        {"2023-01-01", KOA_ERR_PARSE, 0},
        {"", KOA_ERR_PARSE, 0},
        {"23-01-01T00:00:00Z", KOA_ERR_PARSE, 0},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct koa_wall time = {0};

        KIT_EXPECT_INT(c->text, c->err, koa_wall_parse(koa_str_from(c->text), &time));
        KIT_EXPECT_INT(c->text, c->ms, time.ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_are_written_in_utc),
        cmocka_unit_test(relatives_of_rfc_3339_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
