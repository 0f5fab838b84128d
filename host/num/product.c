#include "num/product.h"

#include <string.h>

#include "num/compute.h"
#include "num/kernel.h"
#include "num/sparse_ops.h"
#include "num/team.h"

/* Below this many products of two numbers other threads are left alone. */
enum { PRODUCT_ALONE = 1 << 15 };

/* Full matrices: to is rows x cols, x rows x inner, y inner x cols. */
struct product {
    double *to;
    const double *x, *y;
    int64_t rows, inner, cols, chunks; /* chunks of rows */
};

/* One chunk of one column: columns of x are added up, from the first to the last. */
static void product_column(void *context, int64_t i)
{
    const struct product *product = context;
    int64_t column = i / product->chunks, first = i % product->chunks * KERNEL_CHUNK;
    int64_t n = product->rows - first < KERNEL_CHUNK ? product->rows - first : KERNEL_CHUNK;
    double *to = product->to + column * product->rows + first;
    const double *factors = product->y + column * product->inner;
    memset(to, 0, (size_t)n * sizeof *to);
    for (int64_t k = 0; k < product->inner; k++)
        kernel_sum(to, 1, to, factors[k], product->x + k * product->rows + first, n);
}

/* One element of row * matrix: a dot product. */
static void product_element(void *context, int64_t i)
{
    const struct product *product = context;
    const double *column = product->y + i * product->inner;
    double sum = 0;
    for (int64_t at = 0; at < product->inner; at += KERNEL_CHUNK) {
        int64_t left = product->inner - at;
        sum += kernel_dot(product->x + at, column + at, left < KERNEL_CHUNK ? left : KERNEL_CHUNK);
    }
    product->to[i] = sum;
}

static void product_push_full(lua_State *L, struct array *x, struct array *y)
{
    struct product product = {.x = array_data(L, x),
                              .y = array_data(L, y),
                              .rows = x->rows,
                              .inner = x->cols,
                              .cols = y->cols};
    product.chunks = (product.rows + KERNEL_CHUNK - 1) / KERNEL_CHUNK;
    product.to = array_new(L, x->rows, y->cols)->data;
    int wide = product.rows * product.inner * product.cols >= PRODUCT_ALONE;
    if (product.rows == 1)
        team_run(product.cols, wide, product_element, &product);
    else
        team_run(product.cols * product.chunks, wide, product_column, &product);
}

static void product_push_sparse_full(lua_State *L, struct sparse *sparse, struct array *x)
{
    const double *from = array_data(L, x);
    if (x->cols == 1 && array_is_large(x) && sparse->rows > ARRAY_SMALL) {
        struct pending pending = {1, {array_term(L, x)}, sparse};
        array_new_pending(L, sparse->rows, 1, &pending);
        return;
    }
    double *to = array_new(L, sparse->rows, x->cols)->data;
    for (int64_t column = 0; column < x->cols; column++)
        sparse_multiply(sparse, to + column * sparse->rows, from + column * sparse->cols);
}

/* x * A is the transposed of A' * x', row by row. */
static void product_push_full_sparse(lua_State *L, struct array *x, struct sparse *sparse)
{
    const struct sparse *transposed = sparse_transposed(L, sparse);
    const double *from = array_data(L, x);
    int64_t rows = x->rows, cols = sparse->cols;
    double *to = array_new(L, rows, cols)->data;
    double *row = array_new(L, x->cols, 1)->data, *result = array_new(L, cols, 1)->data;
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t k = 0; k < x->cols; k++)
            row[k] = from[i + k * rows];
        sparse_multiply(transposed, result, row);
        for (int64_t k = 0; k < cols; k++)
            to[i + k * rows] = result[k];
    }
    lua_pop(L, 2);
}

static void product_push_array(lua_State *L, const struct operand *x, const struct operand *y)
{
    if (x->kind == OPERAND_SPARSE && y->kind == OPERAND_SPARSE)
        sparse_ops_push_product(L, x->sparse, y->sparse);
    else if (x->kind == OPERAND_SPARSE)
        product_push_sparse_full(L, x->sparse, y->array);
    else if (y->kind == OPERAND_SPARSE)
        product_push_full_sparse(L, x->array, y->sparse);
    else
        product_push_full(L, x->array, y->array);
}

void product_push(lua_State *L, const struct operand *x, const struct operand *y)
{
    int is_single = x->rows == 1 && y->cols == 1;
    if (is_single && x->kind == OPERAND_ARRAY && y->kind == OPERAND_ARRAY) {
        lua_pushnumber(L, compute_sum(L, COMPUTE_DOT, 1, x->array, y->array));
        return;
    }
    product_push_array(L, x, y);
    if (!is_single)
        return;
    struct operand product = operand_check(L, lua_gettop(L));
    if (product.kind == OPERAND_SPARSE)
        product.number = product.sparse->count == 0 ? 0 : product.sparse->value[0];
    lua_pop(L, 1);
    lua_pushnumber(L, product.number);
}
