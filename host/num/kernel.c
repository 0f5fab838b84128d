#include "num/kernel.h"

#include <math.h>

/* Copies for what the processor has, chosen when the module is loaded. Not with sanitizers: they
 * are not ready that early. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define KERNEL __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define KERNEL
#endif

enum { LANES = 32 };

KERNEL void kernel_scale(double *to, double f, const double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = f * x[i];
}

KERNEL void kernel_sum(double *to, double f, const double *x, double g, const double *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = f * x[i] + g * y[i];
}

/* Inlined into each copy. */
static inline __attribute__((always_inline)) double kernel_lanes(double *lanes)
{
    for (int apart = LANES / 2; apart > 0; apart /= 2)
        for (int i = 0; i < apart; i++)
            lanes[i] += lanes[i + apart];
    return lanes[0];
}

/* Sums EXPRESSION, in terms of i, over n elements. */
#define KERNEL_ADD(n, EXPRESSION)                 \
    double lanes[LANES] = {0};                    \
    int64_t at = 0;                               \
    for (; at + LANES <= (n); at += LANES)        \
        for (int64_t i = at; i < at + LANES; i++) \
            lanes[i - at] += (EXPRESSION);        \
    for (int64_t i = at; i < (n); i++)            \
        lanes[i - at] += (EXPRESSION);            \
    return kernel_lanes(lanes)

KERNEL double kernel_dot(const double *x, const double *y, int64_t n)
{
    KERNEL_ADD(n, x[i] * y[i]);
}

KERNEL double kernel_total(const double *x, int64_t n)
{
    KERNEL_ADD(n, x[i]);
}

KERNEL double kernel_absolute(const double *x, int64_t n)
{
    KERNEL_ADD(n, fabs(x[i]));
}

KERNEL double kernel_squares(double f, const double *x, int64_t n)
{
    KERNEL_ADD(n, (f * x[i]) * (f * x[i]));
}

KERNEL void kernel_rows(double *restrict to, int64_t first, int64_t last,
                        const int64_t *restrict start, const int32_t *restrict column,
                        const double *restrict value, const double *restrict x)
{
    for (int64_t row = first; row < last; row++) { /* four sums: an addition takes four cycles */
        double a = 0, b = 0, c = 0, d = 0;
        int64_t k = start[row], end = start[row + 1];
        for (; k + 4 <= end; k += 4) {
            a += value[k] * x[column[k]];
            b += value[k + 1] * x[column[k + 1]];
            c += value[k + 2] * x[column[k + 2]];
            d += value[k + 3] * x[column[k + 3]];
        }
        for (; k < end; k++)
            a += value[k] * x[column[k]];
        to[row] = (a + c) + (b + d);
    }
}
