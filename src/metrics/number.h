/* Doubles as the bits that an atomic holds. */
#ifndef METRICS_NUMBER_H
#define METRICS_NUMBER_H

#include <string.h>

#include <koa/base.h>

static inline uint64_t koa_bits_from_double(double number)
{
    uint64_t bits;

    memcpy(&bits, &number, sizeof(bits));
    return bits;
}

static inline double koa_double_from_bits(uint64_t bits)
{
    double number;

    memcpy(&number, &bits, sizeof(number));
    return number;
}

#endif
