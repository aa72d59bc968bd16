/* Numbers from a seed: the same on every machine. */
#ifndef SIM_DRAW_H
#define SIM_DRAW_H

#include <koa/base.h>

/* splitmix64 (Steele, Lea, Flood 2014): every state gives a good number, so seed 1 and 2 differ. */
static inline uint64_t koa_sim_draw(uint64_t *state)
{
    uint64_t word = *state += UINT64_C(0x9e3779b97f4a7c15);

    word = (word ^ (word >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94d049bb133111eb);
    return word ^ (word >> 31);
}

static inline double koa_sim_draw_unit(uint64_t *state)
{
    return (double) (koa_sim_draw(state) >> 11) * 0x1p-53;
}

/* One number for one thing: no state. */
static inline uint64_t koa_sim_draw_at(uint64_t salt, uint64_t index)
{
    uint64_t state = salt + index * UINT64_C(0x9e3779b97f4a7c15);

    return koa_sim_draw(&state);
}

#endif
