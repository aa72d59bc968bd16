/* Output of Nagios plugins, good and bad. */
#include "builtin/checks/plugin_output.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "health/verdict.h"
#include "kit/kit.h"

static const struct {
    const char *name;
    const char *output;
    const char *message;
    const char *details;
} cases[] = {
    {"nothing", "", "", "{}"},
    {"a line", "DISK OK\n", "DISK OK", "{}"},
    {"without an end of line", "  DISK OK  ", "DISK OK", "{}"},
    {"a value with all its fields", "DISK OK - free | /=2643MB;5948;~:5958;0;5968",
     "DISK OK - free",
     "{\"perfdata\":[{\"label\":\"/\",\"value\":2643,\"unit\":\"MB\",\"warning\":\"5948\","
     "\"critical\":\"~:5958\",\"minimum\":0,\"maximum\":5968}]}"},
    {"a bare value", "OK|time=0.25s", "OK",
     "{\"perfdata\":[{\"label\":\"time\",\"value\":0.25,\"unit\":\"s\"}]}"},
    {"several values", "OK | a=1 b=-2% c=3;;;;", "OK",
     "{\"perfdata\":[{\"label\":\"a\",\"value\":1},{\"label\":\"b\",\"value\":-2,"
     "\"unit\":\"%\"},{\"label\":\"c\",\"value\":3}]}"},
    {"a quoted label", "OK | 'it''s = here'=5c", "OK",
     "{\"perfdata\":[{\"label\":\"it's = here\",\"value\":5,\"unit\":\"c\"}]}"},
    {"an unknown value", "OK | a=U b=2", "OK", "{\"perfdata\":[{\"label\":\"b\",\"value\":2}]}"},
    {"numbers in other notations", "OK | a=1e999 b=1,5 c=2 d=3\"", "OK",
     "{\"perfdata\":[{\"label\":\"c\",\"value\":2}]}"},
    {"what is no perfdata", "OK | nonsense =3 ''=4 a= =; 'open b", "OK", "{}"},
    {"long text", "WARN | a=1\nline one\nline two\n", "WARN",
     "{\"perfdata\":[{\"label\":\"a\",\"value\":1}],\"output\":\"line one line two\"}"},
    {"perfdata behind long text", "WARN | a=1\nline one | b=2\nc=3\n", "WARN",
     "{\"perfdata\":[{\"label\":\"a\",\"value\":1},{\"label\":\"b\",\"value\":2},"
     "{\"label\":\"c\",\"value\":3}],\"output\":\"line one\"}"},
};

static void reads_what_plugins_print(void **state)
{
    (void) state;
    KIT_EACH (c, cases) {
        struct koa_buf details = {.limit = 65536};
        struct koa_verdict verdict;
        struct koa_str message;
        KOA_AUTOFREE char *text = NULL;

        koa_verdict_init(&verdict, (struct koa_mono){0});
        message = koa_plugin_output_read(
            (struct koa_str){.data = c->output, .size = strlen(c->output)}, &verdict);
        text = koa_strndup(message.data != NULL ? message.data : "", message.size);
        koa_verdict_print_details(&verdict, &details);
        KIT_EXPECT_TEXT(c->name, c->message, text);
        for (char *at = details.data; at != NULL && (at = strstr(at, "\\n")) != NULL;) {
            /* Lines stay lines in details; shown as a blank to keep the table readable. */
            memmove(at, at + 1, strlen(at));
            *at = ' ';
        }
        KIT_EXPECT_TEXT(c->name, c->details, koa_buf_text(&details));
        koa_buf_deinit(&details);
        koa_verdict_deinit(&verdict);
    }
}

static void a_flood_of_values_is_bounded(void **state)
{
    struct koa_buf output = {.limit = 1 << 20};
    struct koa_buf details = {.limit = 1 << 20};
    struct koa_verdict verdict;

    (void) state;
    koa_buf_append_text(&output, "OK |");
    for (int i = 0; i < 5000; i++)
        koa_buf_printf(&output, " label%d=%d", i, i);
    koa_verdict_init(&verdict, (struct koa_mono){0});
    (void) koa_plugin_output_read((struct koa_str){output.data, output.size}, &verdict);
    koa_verdict_print_details(&verdict, &details);
    KIT_EXPECT_CONTAINS("the first 64", "\"label63\"", koa_buf_text(&details));
    KIT_EXPECT("no more", strstr(koa_buf_text(&details), "label64") == NULL);
    koa_verdict_deinit(&verdict);
    koa_buf_deinit(&details);
    koa_buf_deinit(&output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_plugins_print),
        cmocka_unit_test(a_flood_of_values_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
