#include "kit/kit.h"

#include "export/encoder.h"

static void the_best_format_is_chosen_by_quality(void **state)
{
    static const struct {
        const char *accept;
        enum koa_format fallback;
        enum koa_format expected;
    } cases[] = {
        {NULL, KOA_FORMAT_JSON, KOA_FORMAT_JSON},
        {"", KOA_FORMAT_PROMETHEUS, KOA_FORMAT_PROMETHEUS},
        {"*/*", KOA_FORMAT_JSON, KOA_FORMAT_JSON},
        {"*/*", KOA_FORMAT_PROMETHEUS, KOA_FORMAT_PROMETHEUS},
        {"text/plain", KOA_FORMAT_JSON, KOA_FORMAT_PROMETHEUS},
        {"Text/Plain; Version=0.0.4", KOA_FORMAT_JSON, KOA_FORMAT_PROMETHEUS},
        {"text/plain;version=9", KOA_FORMAT_JSON, KOA_FORMAT_JSON},
        {"text/*", KOA_FORMAT_JSON, KOA_FORMAT_PROMETHEUS},
        {"text/plain, */*", KOA_FORMAT_JSON, KOA_FORMAT_PROMETHEUS},
        {"application/json", KOA_FORMAT_PROMETHEUS, KOA_FORMAT_JSON},
        {"application/openmetrics-text", KOA_FORMAT_JSON, KOA_FORMAT_OPENMETRICS},
        {"application/openmetrics-text; version=\"1.0.0\"", KOA_FORMAT_JSON,
         KOA_FORMAT_OPENMETRICS},
        {"application/json;q=0.5,text/plain;q=0.6", KOA_FORMAT_JSON, KOA_FORMAT_PROMETHEUS},
        {"application/json;q=0.5,text/plain;q=0.5", KOA_FORMAT_PROMETHEUS, KOA_FORMAT_PROMETHEUS},
        {"text/plain;q=0, */*", KOA_FORMAT_JSON, KOA_FORMAT_JSON},
        {"text/plain;q=0", KOA_FORMAT_JSON, KOA_FORMAT_JSON},
        {"text/plain;q=high", KOA_FORMAT_JSON, KOA_FORMAT_JSON},
        {",;,=;q", KOA_FORMAT_JSON, KOA_FORMAT_JSON},
        /* A browser. */
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", KOA_FORMAT_PROMETHEUS,
         KOA_FORMAT_PROMETHEUS},
        /* Prometheus 2.42 and 3. */
        {"application/openmetrics-text;version=1.0.0,application/"
         "openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
         KOA_FORMAT_PROMETHEUS, KOA_FORMAT_OPENMETRICS},
        {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/"
         "openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
         "text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
         KOA_FORMAT_JSON, KOA_FORMAT_OPENMETRICS},
    };

    (void) state;
    KIT_EACH (c, cases) {
        KIT_EXPECT_INT(c->accept != NULL ? c->accept : "none", c->expected,
                       koa_format_choose(c->accept, c->fallback));
    }
}

static void gzip_only_for_those_who_want_it(void **state)
{
    static const struct {
        const char *accept;
        bool expected;
    } cases[] = {
        {NULL, false},         {"", false},
        {"gzip", true},        {"GZIP", true},
        {"deflate", false},    {"deflate, gzip;q=0.5", true},
        {"gzip;q=0", false},   {"gzip;q=0.0, *", false},
        {"*", true},           {"*;q=0", false},
        {"*;q=0, gzip", true}, {"x-gzip", true},
        {"identity", false},   {"br;q=1.0, gzip;q=0.8, *;q=0.1", true},
    };

    (void) state;
    KIT_EACH (c, cases)
        KIT_EXPECT_INT(c->accept != NULL ? c->accept : "none", c->expected,
                       koa_accepts_gzip(c->accept));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_format_is_chosen_by_quality),
        cmocka_unit_test(gzip_only_for_those_who_want_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
