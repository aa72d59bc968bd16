/* Decides how one alert moves between inactive, pending, firing and resolved from what a look saw.
 * Who looked, what is told to whom and where it is kept are other files' business. */
#include "alerts/state.h"

#include "base/memory.h"

static enum koa_alert_step enter(struct koa_alert_phase *phase, enum koa_alert_state state,
                                 struct koa_mono now, enum koa_alert_step step)
{
    phase->state = state;
    phase->entered = now;
    phase->since = now;
    phase->is_clearing = false;
    return step;
}

/* Takes the blind time out of a running hold time. True when the look ended a blind phase. */
static bool see(struct koa_alert_phase *phase, struct koa_mono now)
{
    bool was_blind = phase->is_blind;

    if (was_blind)
        phase->since = koa_mono_add_ms(phase->since, koa_mono_diff_ms(now, phase->seen));
    phase->is_blind = false;
    phase->seen = now;
    return was_blind;
}

static enum koa_alert_step step_idle(struct koa_alert_phase *phase,
                                     const struct koa_alert_hold *hold, enum koa_look look,
                                     struct koa_mono now)
{
    if (look != KOA_LOOK_HOLDS)
        return KOA_STEP_NONE;
    if (hold->for_ms <= 0)
        return enter(phase, KOA_ALERT_FIRING, now, KOA_STEP_FIRING);
    return enter(phase, KOA_ALERT_PENDING, now, KOA_STEP_PENDING);
}

static enum koa_alert_step step_pending(struct koa_alert_phase *phase,
                                        const struct koa_alert_hold *hold, enum koa_look look,
                                        struct koa_mono now)
{
    if (look != KOA_LOOK_HOLDS)
        return enter(phase, KOA_ALERT_INACTIVE, now, KOA_STEP_CANCELLED);
    if (koa_mono_diff_ms(now, phase->since) >= hold->for_ms)
        return enter(phase, KOA_ALERT_FIRING, now, KOA_STEP_FIRING);
    return KOA_STEP_NONE;
}

static enum koa_alert_step step_firing(struct koa_alert_phase *phase,
                                       const struct koa_alert_hold *hold, enum koa_look look,
                                       struct koa_mono now)
{
    if (look != KOA_LOOK_CLEAR) {
        bool was_clearing = phase->is_clearing;

        phase->is_clearing = false;
        return was_clearing ? KOA_STEP_NOTED : KOA_STEP_NONE;
    }
    if (!phase->is_clearing) {
        phase->is_clearing = true;
        phase->since = now;
        if (hold->keep_firing_ms > 0)
            return KOA_STEP_NOTED;
    }
    if (koa_mono_diff_ms(now, phase->since) >= hold->keep_firing_ms)
        return enter(phase, KOA_ALERT_RESOLVED, now, KOA_STEP_RESOLVED);
    return KOA_STEP_NONE;
}

enum koa_alert_step koa_alert_step(struct koa_alert_phase *phase, const struct koa_alert_hold *hold,
                                   enum koa_look look, struct koa_mono now)
{
    bool is_active = phase->state == KOA_ALERT_PENDING || phase->state == KOA_ALERT_FIRING;
    enum koa_alert_step step = KOA_STEP_NONE;
    bool saw_again;

    if (look == KOA_LOOK_BLIND) {
        bool is_new = is_active && !phase->is_blind;

        phase->is_blind = is_active;
        return is_new ? KOA_STEP_NOTED : KOA_STEP_NONE;
    }
    saw_again = see(phase, now);
    switch (phase->state) {
    case KOA_ALERT_PENDING:
        step = step_pending(phase, hold, look, now);
        break;
    case KOA_ALERT_FIRING:
        step = step_firing(phase, hold, look, now);
        break;
    case KOA_ALERT_INACTIVE:
    case KOA_ALERT_RESOLVED:
    case KOA_ALERT_STATE_COUNT:
    default:
        step = step_idle(phase, hold, look, now);
        break;
    }
    return step == KOA_STEP_NONE && saw_again ? KOA_STEP_NOTED : step;
}

const char *koa_alert_step_name(enum koa_alert_step step)
{
    static const char *const names[KOA_STEP_COUNT] = {
        [KOA_STEP_NONE] = "none",         [KOA_STEP_NOTED] = "noted",
        [KOA_STEP_PENDING] = "pending",   [KOA_STEP_FIRING] = "firing",
        [KOA_STEP_RESOLVED] = "resolved", [KOA_STEP_CANCELLED] = "cancelled",
    };

    return step < KOA_STEP_COUNT ? names[step] : "unknown";
}

const char *koa_alert_state_name(enum koa_alert_state state)
{
    static const char *const names[KOA_ALERT_STATE_COUNT] = {
        [KOA_ALERT_INACTIVE] = "inactive",
        [KOA_ALERT_PENDING] = "pending",
        [KOA_ALERT_FIRING] = "firing",
        [KOA_ALERT_RESOLVED] = "resolved",
    };

    return state < KOA_ALERT_STATE_COUNT ? names[state] : "unknown";
}

const char *koa_severity_name(enum koa_severity severity)
{
    static const char *const names[KOA_SEVERITY_COUNT] = {
        [KOA_SEVERITY_CRITICAL] = "critical",
        [KOA_SEVERITY_WARNING] = "warning",
        [KOA_SEVERITY_INFO] = "info",
    };

    return severity < KOA_SEVERITY_COUNT ? names[severity] : "unknown";
}
