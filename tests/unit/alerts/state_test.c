/* The state machine, by tables: one letter per look, 10 s apart. */
#include "alerts/state.h"

#include <string.h>

#include "kit/kit.h"

enum { LOOK_MS = 10000 };

/* H holds, b between, - clear, x blind. States: . inactive, p pending, F firing, r resolved. */
static enum koa_look look_of(char letter)
{
    switch (letter) {
    case 'H':
        return KOA_LOOK_HOLDS;
    case 'b':
        return KOA_LOOK_BETWEEN;
    case 'x':
        return KOA_LOOK_BLIND;
    default:
        return KOA_LOOK_CLEAR;
    }
}

static const struct {
    const char *name;
    int64_t for_s, keep_s;
    const char *looks;
    const char *states;
} cases[] = {
    {"without a hold time it fires at once", 0, 0, "H", "F"},
    {"nothing happens while nothing holds", 20, 0, "-b-x", "...."},
    {"a breach that lasts fires", 20, 0, "HHH", "ppF"},
    {"a fired alert stays fired", 20, 0, "HHHHH", "ppFFF"},
    {"a gap starts the wait anew", 20, 0, "HH-HHH", "pp.ppF"},
    {"a value between the limits ends a wait", 20, 0, "HHbHHH", "pp.ppF"},
    {"the end of a breach resolves", 20, 0, "HHH-", "ppFr"},
    {"a value between the limits does not resolve", 0, 0, "Hbb-", "FFFr"},
    {"a resolved alert may come back", 0, 0, "H-H-", "FrFr"},
    {"a resolved alert waits again", 10, 0, "HH-HH", "pFrpF"},
    {"a clear look alone changes nothing after the end", 0, 0, "H--x-", "Frrrr"},
    {"it keeps firing for the time asked", 0, 20, "H--H---", "FFFFFFr"},
    {"a value between the limits starts the keeping anew", 0, 20, "H--b---", "FFFFFFr"},
    {"not looking does not resolve", 0, 0, "Hxxxx-", "FFFFFr"},
    {"not looking does not resolve a clearing alert", 0, 20, "H-xxxx-", "FFFFFFF"},
    {"time without a look does not count for clearing", 0, 20, "H-xxx---", "FFFFFFFr"},
    {"not looking does not fire", 20, 0, "HHxxxxH", "ppppppp"},
    {"time without a look does not count for holding", 20, 0, "HxxxxHHH", "pppppppF"},
    {"a gap around one blind look is taken out", 30, 0, "HHxHHH", "pppppF"},
    {"a wait that was blind ends by evidence", 20, 0, "Hx-", "pp."},
};

static void looks_lead_to_states(void **state)
{
    (void) state;
    KIT_EACH (c, cases) {
        struct koa_alert_phase phase = {0};
        struct koa_alert_hold hold = {.for_ms = c->for_s * 1000,
                                      .keep_firing_ms = c->keep_s * 1000};
        struct koa_mono now = {.ms = -12345};
        char states[32] = "";

        for (size_t i = 0; c->looks[i] != '\0'; i++, now.ms += LOOK_MS) {
            (void) koa_alert_step(&phase, &hold, look_of(c->looks[i]), now);
            states[i] = ".pFr"[phase.state];
        }
        KIT_EXPECT_TEXT(c->name, c->states, states);
    }
}

static const struct {
    const char *name;
    const char *looks;
    enum koa_alert_step last;
} steps[] = {
    {"the first breach", "H", KOA_STEP_PENDING},
    {"still waiting", "HH", KOA_STEP_NONE},
    {"the wait is over", "HHH", KOA_STEP_FIRING},
    {"nothing new while firing", "HHHH", KOA_STEP_NONE},
    {"a wait ended", "HH-", KOA_STEP_CANCELLED},
    {"clearing has begun", "HHH-", KOA_STEP_NOTED},
    {"clearing goes on", "HHH--", KOA_STEP_NONE},
    {"clearing is over", "HHH---", KOA_STEP_RESOLVED},
    {"clearing was broken off", "HHH-H", KOA_STEP_NOTED},
    {"a wait is paused", "Hx", KOA_STEP_NOTED},
    {"a wait stays paused", "Hxx", KOA_STEP_NONE},
    {"a wait goes on", "HxH", KOA_STEP_NOTED},
    {"blind without an alert", "x", KOA_STEP_NONE},
};

static void steps_say_what_must_be_saved(void **state)
{
    static const struct koa_alert_hold hold = {.for_ms = 20000, .keep_firing_ms = 20000};

    (void) state;
    KIT_EACH (c, steps) {
        struct koa_alert_phase phase = {0};
        struct koa_mono now = {0};
        enum koa_alert_step last = KOA_STEP_NONE;

        for (const char *look = c->looks; *look != '\0'; look++, now.ms += LOOK_MS)
            last = koa_alert_step(&phase, &hold, look_of(*look), now);
        KIT_EXPECT_TEXT(c->name, koa_alert_step_name(c->last), koa_alert_step_name(last));
    }
}

/* A reload may shorten or lengthen the hold time under a waiting or firing alert. */
static void new_hold_times_apply_to_what_waits(void **state)
{
    struct koa_alert_hold hold = {.for_ms = 60000};
    struct koa_alert_phase phase = {0};
    struct koa_mono now = {0};

    (void) state;
    (void) koa_alert_step(&phase, &hold, KOA_LOOK_HOLDS, now);
    now.ms = 15000;
    hold.for_ms = 10000;
    KIT_EXPECT_INT("shorter", KOA_STEP_FIRING, koa_alert_step(&phase, &hold, KOA_LOOK_HOLDS, now));
    now.ms = 16000;
    hold.for_ms = 3600000;
    KIT_EXPECT_INT("longer", KOA_STEP_NONE, koa_alert_step(&phase, &hold, KOA_LOOK_HOLDS, now));
    KIT_EXPECT_INT("still firing", KOA_ALERT_FIRING, phase.state);
}

static void words_are_those_of_the_contract(void **state)
{
    (void) state;
    KIT_EXPECT_TEXT("pending", "pending", koa_alert_state_name(KOA_ALERT_PENDING));
    KIT_EXPECT_TEXT("firing", "firing", koa_alert_state_name(KOA_ALERT_FIRING));
    KIT_EXPECT_TEXT("resolved", "resolved", koa_alert_state_name(KOA_ALERT_RESOLVED));
    KIT_EXPECT_TEXT("critical", "critical", koa_severity_name(KOA_SEVERITY_CRITICAL));
    KIT_EXPECT_TEXT("warning", "warning", koa_severity_name(KOA_SEVERITY_WARNING));
    KIT_EXPECT_TEXT("info", "info", koa_severity_name(KOA_SEVERITY_INFO));
    KIT_EXPECT_TEXT("out of range", "unknown", koa_severity_name(KOA_SEVERITY_COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_lead_to_states),
        cmocka_unit_test(steps_say_what_must_be_saved),
        cmocka_unit_test(new_hold_times_apply_to_what_waits),
        cmocka_unit_test(words_are_those_of_the_contract),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
