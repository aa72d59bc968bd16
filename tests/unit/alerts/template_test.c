/* Names in braces, and numbers for people. */
#include "alerts/template.h"

#include <math.h>

#include "kit/kit.h"

static const struct koa_label labels[] = {{"topic", "{{value}}"}, {"value", "hidden"}};

static const struct koa_alert_record record = {
    .rule = "storm",
    .severity = KOA_SEVERITY_INFO,
    .message = "text",
    .labels = {labels, 2},
    .has_value = true,
    .value = 1500,
};

static const struct {
    const char *template;
    const char *expected;
} cases[] = {
    {"", ""},
    {"plain", "plain"},
    {"{{value}} of {{ topic }}", "1500 of {{value}}"},
    {"{{threshold}} is not known", "{{threshold}} is not known"},
    {"{{nobody}} {{rule}} {{severity}} {{message}}", "{{nobody}} storm info text"},
    {"{{", "{{"},
    {"{{value", "{{value"},
    {"}}{{value}}{{}}", "}}1500{{}}"},
    {"{{{value}}}", "{{{value}}}"},
};

static void names_are_replaced_once(void **state)
{
    (void) state;
    KIT_EACH (c, cases) {
        struct koa_buf buf = {.limit = 1024};

        koa_template_expand(c->template, &record, &buf);
        KIT_EXPECT_TEXT(c->template, c->expected, koa_buf_text(&buf));
        koa_buf_deinit(&buf);
    }
}

static const struct {
    double number;
    const char *text;
} numbers[] = {
    {0, "0.0"},          {15, "15.0"},       {-15, "-15.0"},  {0.05, "0.05"},
    {12.3456, "12.346"}, {0.0001, "0.0001"}, {1e21, "1e+21"}, {123456789.125, "123456789.125"},
    {0.999999, "1.0"},   {-0.25, "-0.25"},   {NAN, "NaN"},    {-INFINITY, "-Inf"},
};

static void numbers_have_a_point(void **state)
{
    char text[KOA_ALERT_NUMBER_SIZE];

    (void) state;
    KIT_EACH (c, numbers)
        KIT_EXPECT_TEXT(c->text, c->text, koa_alert_number(c->number, text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_replaced_once),
        cmocka_unit_test(numbers_have_a_point),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
