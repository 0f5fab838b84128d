#include "num/compute.h"

#include <stddef.h>

#include <lauxlib.h>

#include "num/kernel.h"
#include "num/sparse.h"
#include "num/team.h"

/* Below this many elements a pass is done before other threads have woken up. */
enum { COMPUTE_ALONE = 8 * KERNEL_CHUNK };

/* A pass: fills `to`, if something is pending, and sums up, if there are partials. */
struct pass {
    const struct pending *pending;
    double *to;
    int64_t count;
    enum compute_sum kind;
    double factor;
    const double *x, *y;
    double *partials; /* of each chunk */
};

static int64_t pass_chunks(int64_t count)
{
    return (count + KERNEL_CHUNK - 1) / KERNEL_CHUNK;
}

static void pass_fill(const struct pass *pass, int64_t first, int64_t n)
{
    const struct pending *pending = pass->pending;
    const struct term *one = &pending->terms[0], *two = &pending->terms[1];
    const double *x = one->block->data;
    if (pending->matrix != NULL)
        sparse_multiply_rows(pending->matrix, pass->to, x, first, first + n);
    else if (pending->count == 1)
        kernel_scale(pass->to + first, one->factor, x + first, n);
    else
        kernel_sum(pass->to + first, one->factor, x + first, two->factor,
                   (const double *)two->block->data + first, n);
}

static double pass_sum(const struct pass *pass, int64_t first, int64_t n)
{
    const double *x = pass->x + first;
    switch (pass->kind) {
    case COMPUTE_DOT:
        return kernel_dot(x, pass->y + first, n);
    case COMPUTE_TOTAL:
        return kernel_total(x, n);
    case COMPUTE_ABSOLUTE:
        return kernel_absolute(x, n);
    default:
        return kernel_squares(pass->factor, x, n);
    }
}

static void pass_work(void *context, int64_t i)
{
    const struct pass *pass = context;
    int64_t first = i * KERNEL_CHUNK;
    int64_t n = pass->count - first < KERNEL_CHUNK ? pass->count - first : KERNEL_CHUNK;
    if (pass->pending != NULL)
        pass_fill(pass, first, n);
    if (pass->partials != NULL)
        pass->partials[i] = pass_sum(pass, first, n);
}

static void pass_run(struct pass *pass)
{
    int wide =
        pass->count >= COMPUTE_ALONE || (pass->pending != NULL && pass->pending->matrix != NULL &&
                                         sparse_count(pass->pending->matrix) >= COMPUTE_ALONE);
    team_run(pass_chunks(pass->count), wide, pass_work, pass);
}

/* Prepares to fill a pending array; the block is for array_computed afterwards. */
static struct block *pass_begin(lua_State *L, struct pass *pass, struct array *array)
{
    struct block *block = array_block(L, array);
    pass->pending = array_pending(array);
    pass->to = block->data;
    return block;
}

/* A product whose rows do not fill enough chunks for the threads is not done chunk by chunk. */
static int compute_is_uneven(const struct array *array)
{
    const struct pending *pending = array_pending(array);
    return pending->matrix != NULL && pass_chunks(array_count(array)) < 8 * (int64_t)team_threads();
}

void compute_array(lua_State *L, struct array *array)
{
    struct pass pass = {.count = array_count(array)};
    struct block *block = pass_begin(L, &pass, array);
    if (compute_is_uneven(array))
        sparse_multiply(pass.pending->matrix, pass.to, pass.pending->terms[0].block->data);
    else
        pass_run(&pass);
    array_computed(L, array, block);
}

/* Runs a pass that sums up, and adds to *sum. `few` partials need no memory. Returns -1 when out of
 * it.
 */
static int pass_run_sum(struct block_pool *pool, struct pass *pass, double *sum)
{
    double few[16];
    int64_t chunks = pass_chunks(pass->count);
    struct block *block = NULL;
    pass->partials = few;
    if (chunks > (int64_t)(sizeof few / sizeof *few)) {
        block = block_new(pool, (size_t)chunks * sizeof *pass->partials);
        if (block == NULL) {
            pass->partials = NULL;
            return -1;
        }
        pass->partials = block->data;
    }
    pass_run(pass);
    for (int64_t i = 0; i < chunks; i++)
        *sum += pass->partials[i];
    block_release(pool, block);
    pass->partials = NULL;
    return 0;
}

double compute_sum(lua_State *L, enum compute_sum kind, double factor, struct array *x,
                   struct array *y)
{
    struct array *late = y != NULL && array_pending(y) != NULL ? y : x;
    struct block *block = NULL;
    struct pass pass = {.count = array_count(x), .kind = kind, .factor = factor};
    double sum = 0;
    if (array_pending(late) != NULL && compute_is_uneven(late))
        compute_array(L, late);
    if (x != late)
        array_data(L, x);
    if (array_pending(late) != NULL)
        block = pass_begin(L, &pass, late);
    pass.x = block != NULL && x == late ? pass.to : x->data;
    pass.y = y == NULL ? NULL : block != NULL && y == late ? pass.to : y->data;
    if (pass_run_sum(array_pool(L), &pass, &sum) != 0) {
        block_release(array_pool(L), block);
        luaL_error(L, "no memory to add up %I elements", (lua_Integer)pass.count);
    }
    if (block != NULL)
        array_computed(L, late, block);
    return sum;
}
