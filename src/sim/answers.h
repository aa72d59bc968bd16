/* What a simulated broker answers: one function per API, from the model. Pure; bytes in, bytes out.
 */
#ifndef SIM_ANSWERS_H
#define SIM_ANSWERS_H

#include "base/arena.h"
#include "kafka/api.h"
#include "sim/model.h"

/* Where the brokers listen: broker id N is ports[N - 1]. */
struct koa_sim_cluster {
    struct koa_sim_model *model;
    const char *host;
    const int *ports;
};

struct koa_sim_question {
    const struct koa_sim_cluster *cluster;
    int32_t broker; /* which one is asked */
    struct koa_mono now;
    struct koa_wall wall;
    struct koa_arena *arena; /* for the answer's arrays */
    /* A request that waits for news (Fetch) sets it, and is to be asked again with the time since
     * it came. NULL: nobody waits. */
    bool *ret_waits;
    int64_t waited_ms;
};

/* Gives an array member of an answer `number` zeroed rows; false: the arena is full. */
#define KOA_SIM_ROWS(arena, array, number)                                                         \
    (((array).rows = koa_arena_alloc((arena), (number), sizeof(*(array).rows))) != NULL            \
         ? ((array).count = (number), true)                                                        \
         : false)

/* Fills `response` (of the API's response struct, defaults set). False: the arena is full. */
typedef bool koa_sim_answer_fn(const struct koa_sim_question *question, int16_t version,
                               const void *request, void *response);

static inline int64_t koa_sim_question_ms(const struct koa_sim_question *question)
{
    return koa_sim_model_ms(question->cluster->model, question->now);
}

/* Appends the whole frame that answers the request in `frame` (without its length). A request that
 * a real broker would answer by closing the connection (an API or version it does not have, bytes
 * that do not decode) fails with KOA_ERR_PROTOCOL or KOA_ERR_UNSUPPORTED. */
KOA_MUST_USE enum koa_err koa_sim_answer(const struct koa_sim_question *question,
                                         struct koa_str frame, struct koa_buf *buf,
                                         struct koa_error *reterr);

#endif
