/*
 * The innermost loops, over at most KERNEL_CHUNK elements: no threads, no Lua, no errors.
 *
 * Each gives the same bits on every processor: there is a copy for wider registers, but elements
 * are added in an order that is written down here, and a product and a sum are rounded each (the
 * compiler is told not to contract them). Sums run in 32 lanes, element i in lane i % 32; then
 * lanes are added, 16 apart first, then 8, 4, 2, 1.
 */
#ifndef CKPTLUA_NUM_KERNEL_H
#define CKPTLUA_NUM_KERNEL_H

#include <stdint.h>

enum { KERNEL_CHUNK = 4096 };

/* to[i] = f * x[i] */
void kernel_scale(double *to, double f, const double *x, int64_t n);

/* to[i] = f * x[i] + g * y[i]; to may be x or y. */
void kernel_sum(double *to, double f, const double *x, double g, const double *y, int64_t n);

/* The sum of x[i] * y[i], of x[i], of |x[i]|, and of (f * x[i])^2. */
double kernel_dot(const double *x, const double *y, int64_t n);
double kernel_total(const double *x, int64_t n);
double kernel_absolute(const double *x, int64_t n);
double kernel_squares(double f, const double *x, int64_t n);

/* The rows first to last - 1 of a sparse matrix times x: row i has the elements at start[i] to
 * start[i + 1] - 1 of column and value. Of each four products that follow in a row one is added to
 * each of four sums a, b, c, d, what is left in the end to a; the element is (a + c) + (b + d). */
void kernel_rows(double *to, int64_t first, int64_t last, const int64_t *start,
                 const int32_t *column, const double *value, const double *x);

#endif
