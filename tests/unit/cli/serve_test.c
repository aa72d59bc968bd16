/* What serve makes of its flags and of its service manager's environment. */
#include "cli/serve.h"

#include <stdlib.h>
#include <string.h>

#include "cli/notify.h"
#include "kit/kit.h"

enum { SIZE = 128 };

static const struct {
    const char *name, *bootstrap;
    const char *text; /* NULL: refused */
} servers[] = {
    {"one", "kafka-1:9092", "[{name: default, bootstrap_servers: [\"kafka-1:9092\",]}]"},
    {"two", "a:1,b:2", "[{name: default, bootstrap_servers: [\"a:1\",\"b:2\",]}]"},
    {"IPv6", "[::1]:9092", "[{name: default, bootstrap_servers: [\"[::1]:9092\",]}]"},
    {"what YAML would read is quoted", "a:1]}, {name: x",
     "[{name: default, bootstrap_servers: [\"a:1]}\",\" {name: x\",]}]"},
    {"a quote", "a\",\"b:1", NULL},
    {"a backslash", "a\\:1", NULL},
};

static void servers_become_a_setting(void **state)
{
    (void) state;
    KIT_EACH (c, servers) {
        char text[SIZE];

        KIT_EXPECT(c->name,
                   cli_clusters_setting(c->bootstrap, text, sizeof(text)) == (c->text != NULL));
        if (c->text != NULL)
            KIT_EXPECT_TEXT(c->name, c->text, text);
    }
}

/* Refused, never cut, whatever the length. */
static void more_servers_than_fit_are_refused(void **state)
{
    char whole[SIZE];
    size_t fits;

    (void) state;
    assert_true(cli_clusters_setting("a:1,b:2", whole, sizeof(whole)));
    fits = strlen(whole) + 1;
    for (size_t size = 48; size < fits; size++) {
        char text[SIZE];

        memset(text, 'x', sizeof(text));
        assert_false(cli_clusters_setting("a:1,b:2", text, size));
        for (size_t i = size; i < sizeof(text); i++)
            assert_int_equal(text[i], 'x');
    }
}

static void the_watchdog_is_fed_twice_per_period(void **state)
{
    static const struct {
        const char *period;
        int64_t expected_ms;
    } cases[] = {
        {NULL, -1}, {"30000000", 15000}, {"2000", 1},      {"1999", -1},
        {"", -1},   {"soon", -1},        {"-5000000", -1}, {"0", -1},
    };

    (void) state;
    KIT_EACH (c, cases) {
        /* NOLINTBEGIN(concurrency-mt-unsafe): there is one thread */
        assert_int_equal(c->period != NULL ? setenv("WATCHDOG_USEC", c->period, 1)
                                           : unsetenv("WATCHDOG_USEC"),
                         0);
        /* NOLINTEND(concurrency-mt-unsafe) */
        KIT_EXPECT_INT(c->period != NULL ? c->period : "none", c->expected_ms,
                       cli_notify_watchdog_ms());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_become_a_setting),
        cmocka_unit_test(more_servers_than_fit_are_refused),
        cmocka_unit_test(the_watchdog_is_fed_twice_per_period),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
