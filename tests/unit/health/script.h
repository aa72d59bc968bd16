/* A check that does as it is told, and waits for what the board shows. Shared by the engine's
 * tests.
 */
#ifndef HEALTH_SCRIPT_H
#define HEALTH_SCRIPT_H

#include <stdatomic.h>

#include "kit/check_kit.h"
#include "kit/kit.h"

/* Nothing runs again while a test lasts. */
#define LONG                                                                                       \
    {                                                                                              \
        "interval", "1h"                                                                           \
    }

/* What the blocking check does; shared with its thread. */
struct script {
    atomic_int runs;
    atomic_int status; /* enum koa_status */
    atomic_bool hangs;
    struct kit_gate entered, released;
};

/* Blocking; its context is a struct script. Its message is "run N". */
extern const struct koa_check_ops script_check;
/* Ends inside its start function: "at once". */
extern const struct koa_check_ops prompt_check;

void script_init(struct script *script, enum koa_status status);
/* Takes the board. */
void expect_result(struct koa_board *board, const char *name, enum koa_status status,
                   const char *message);
/* Until the board shows `name` with this status. */
void wait_until(struct kit_checks *checks, const char *name, enum koa_status status);
/* Until it is unhealthy and its message starts so. */
void wait_until_told(struct kit_checks *checks, const char *name, const char *text);
/* A koa_health_ran_fn whose context is a gate. */
void count_call(void *context, const struct koa_board *board);

#endif
