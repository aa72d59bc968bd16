/* Shapes of JSON objects. */
#include "cli/shape.h"

#include <string.h>

#include "base/str.h"
#include "kit/kit.h"

static const struct {
    const char *name, *shape, *json;
    const char *missing; /* NULL: it fits */
} cases[] = {
    {"every kind", "a:t b:n c:l d:o e:b f:T",
     "{\"a\":\"\",\"b\":0,\"c\":[],\"d\":{},\"e\":false,\"f\":\"2026-11-25T16:00:00.123Z\"}", NULL},
    {"more members are free", "a:n", "{\"a\":1,\"b\":2}", NULL},
    {"no shape", "", "{}", NULL},
    {"missing", "a:n b:n", "{\"a\":1}", "'b'"},
    {"the first is named", "a:n b:n", "{}", "'a'"},
    {"another kind", "a:n", "{\"a\":\"1\"}", "'a'"},
    {"null where none is allowed", "a:t", "{\"a\":null}", "'a'"},
    {"null where it is", "a:t? b:n", "{\"a\":null,\"b\":1}", NULL},
    {"missing is not null", "a:t?", "{}", "'a'"},
    {"no object", "a:n", "[1]", "'a'"},
    {"an instant without milliseconds", "a:T", "{\"a\":\"2026-11-25T16:00:00Z\"}", "'a'"},
    {"an instant with an offset", "a:T", "{\"a\":\"2026-11-25T16:00:00.123+01:00\"}", "'a'"},
    {"an instant with a blank", "a:T", "{\"a\":\"2026-11-25 16:00:00.123Z\"}", "'a'"},
    {"a number as an instant", "a:T", "{\"a\":1795622400}", "'a'"},
};

static void objects_fit_or_the_member_is_named(void **state)
{
    (void) state;
    KIT_EACH (c, cases) {
        KOA_AUTO(koa_json_value) *root = NULL;
        char problem[128] = "";
        bool fits;

        assert_int_equal(koa_json_parse(koa_str_from(c->json), &root, NULL), KOA_OK);
        fits = cli_shape_fits(c->shape, root, problem, sizeof(problem));
        KIT_EXPECT(c->name, fits == (c->missing == NULL));
        KIT_EXPECT_CONTAINS(c->name, c->missing != NULL ? c->missing : "", problem);
    }
}

static void a_long_name_is_cut_to_the_room_there_is(void **state)
{
    char problem[8] = "";

    (void) state;
    assert_false(cli_shape_fits("overall_status:t", NULL, problem, sizeof(problem)));
    assert_int_equal(strlen(problem), sizeof(problem) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_fit_or_the_member_is_named),
        cmocka_unit_test(a_long_name_is_cut_to_the_room_there_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
