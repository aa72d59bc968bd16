/* When cycles that take too long are news: a row of cycles, and what is told of each. */
#include "cluster/overrun.h"

#include <stdio.h>
#include <string.h>

#include "kit/kit.h"

/* Each letter is an event: 'o' a cycle is left out, 's' one ends too late, 'i' one ends in time. Of
 * each comes 'B' when the overrun begins, a digit when one ends (how many were left out), or '.'.
 */
static const struct {
    const char *name, *events, *told;
} cases[] = {
    {"cycles keep up", "iiiiii", "......"},
    {"one late cycle", "iosiii", ".B...1"},
    {"a long outage", "ososososoosiii", "B............6"},
    {"quick ones between slow ones end nothing", "osiosiiosiii", "B..........3"},
    {"a late one counts anew", "osiisiii", "B......1"},
    {"a new one is told again", "osiiiosiii", "B...1B...1"},
    {"late, but none was due meanwhile", "sss", "..."},
};

static void an_overrun_is_told_when_it_begins_and_ends(void **state)
{
    (void) state;
    KIT_EACH (c, cases) {
        struct koa_overrun overrun = {.left_out = 0};
        char told[32] = "";

        for (size_t i = 0; c->events[i] != '\0'; i++) {
            int64_t left_out = 0;
            bool begins = false;

            if (c->events[i] == 'o') {
                begins = koa_overrun_left_out(&overrun);
            } else {
                left_out = koa_overrun_ended(&overrun, c->events[i] == 'i');
            }
            told[i] = '.';
            if (begins) {
                told[i] = 'B';
            } else if (left_out > 0) {
                told[i] = (char) ('0' + left_out);
            }
        }
        KIT_EXPECT_TEXT(c->name, c->told, told);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_overrun_is_told_when_it_begins_and_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
