#include "kit/kit.h"

#include "base/str.h"
#include "httpclient/retry_after.h"

static void seconds_and_dates_are_read(void **state)
{
    /* 1994-11-06 08:49:07 UTC, half a minute before the date of RFC 9110. */
    static const struct koa_wall now = {.ms = INT64_C(784111747000)};
    static const struct {
        const char *text;
        int64_t expected_ms;
    } cases[] = {
        {"0", 0},
        {"120", 120000},
        {" 5 \r\n", 5000},
        {"86400", 86400000},
        {"86401", 86400000},
        {"99999999999999999999", 86400000},
        {"-1", -1},
        {"-99999999999999999999", -1},
        {"1.5", -1},
        {"", -1},
        {"soon", -1},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 30000},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 30000},
        {"Sun Nov  6 08:49:37 1994", 30000},
        {"Sun, 06 Nov 1994 08:48:37 GMT", 0},
        {"Mon, 06 Nov 2090 08:49:37 GMT", 86400000},
        {"Sun, 99 Nov 1994 08:49:37 GMT", -1},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         -1},
    };

    (void) state;
    KIT_EACH (c, cases)
        KIT_EXPECT_INT(c->text, c->expected_ms, koa_retry_after_parse(koa_str_from(c->text), now));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(seconds_and_dates_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
