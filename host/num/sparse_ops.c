#include "num/sparse_ops.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "num/kernel.h"

/* The next element of a row of x or y in the order of columns: *value is their sum. Returns its
 * column, or -1 at the end of the row. */
static int32_t sparse_next(const struct sparse *x, int64_t *i, int64_t i_end, double sign,
                           const struct sparse *y, int64_t *k, int64_t k_end, double *value)
{
    int32_t column;
    if (*i < i_end && (*k == k_end || x->column[*i] <= y->column[*k]))
        column = x->column[*i];
    else if (*k < k_end)
        column = y->column[*k];
    else
        return -1;
    double one = *i < i_end && x->column[*i] == column ? x->value[(*i)++] : 0;
    double other = *k < k_end && y->column[*k] == column ? y->value[(*k)++] : 0;
    *value = one + sign * other;
    return column;
}

void sparse_ops_push_sum(lua_State *L, const struct sparse *x, double sign, const struct sparse *y)
{
    struct sparse *to = sparse_push(L, x->rows, x->cols, x->count + y->count);
    int64_t count = 0;
    for (int64_t row = 0; row < x->rows; row++) {
        int64_t i = x->start[row], k = y->start[row];
        double value;
        int32_t column;
        to->start[row] = count;
        while ((column = sparse_next(x, &i, x->start[row + 1], sign, y, &k, y->start[row + 1],
                                     &value)) >= 0)
            if (value != 0) {
                to->column[count] = column;
                to->value[count++] = value;
            }
    }
    to->start[x->rows] = to->count = count;
}

/* to += factor * sparse */
static void sparse_add_to(double *to, double factor, const struct sparse *sparse)
{
    for (int64_t row = 0; row < sparse->rows; row++)
        for (int64_t k = sparse->start[row]; k < sparse->start[row + 1]; k++)
            to[row + (int64_t)sparse->column[k] * sparse->rows] += factor * sparse->value[k];
}

void sparse_ops_push_full_sum(lua_State *L, const struct operand *x, double sign,
                              const struct operand *y)
{
    int is_first = x->kind == OPERAND_ARRAY;
    struct array *full = is_first ? x->array : y->array;
    const double *from = array_data(L, full);
    double *to = array_new(L, full->rows, full->cols)->data;
    for (int64_t i = 0; i < array_count(full); i++)
        to[i] = is_first ? from[i] : sign * from[i];
    sparse_add_to(to, is_first ? sign : 1, is_first ? y->sparse : x->sparse);
}

/* Row by row: a full row of sums, and the list of the columns that are in use. */
struct gather {
    double *sums;
    int32_t *columns;
    int64_t *seen; /* the row in which a column was last in use, + 1 */
    int64_t count;
};

static int gather_compare(const void *one, const void *other)
{
    int32_t a = *(const int32_t *)one, b = *(const int32_t *)other;
    return (a > b) - (a < b);
}

static void gather_row(struct gather *gather, const struct sparse *x, const struct sparse *y,
                       int64_t row)
{
    gather->count = 0;
    for (int64_t i = x->start[row]; i < x->start[row + 1]; i++) {
        int32_t middle = x->column[i];
        for (int64_t k = y->start[middle]; k < y->start[middle + 1]; k++) {
            int32_t column = y->column[k];
            if (gather->seen[column] != row + 1) {
                gather->seen[column] = row + 1;
                gather->sums[column] = 0;
                gather->columns[gather->count++] = column;
            }
            gather->sums[column] += x->value[i] * y->value[k];
        }
    }
}

void sparse_ops_push_product(lua_State *L, const struct sparse *x, const struct sparse *y)
{
    size_t cols = (size_t)y->cols;
    struct gather gather = {array_push_room(L, y->cols, sizeof(double)),
                            array_push_room(L, y->cols, sizeof(int32_t)),
                            array_push_room(L, y->cols, sizeof(int64_t)), 0};
    int64_t count = 0;
    memset(gather.seen, 0, cols * sizeof *gather.seen);
    for (int64_t row = 0; row < x->rows; row++) {
        gather_row(&gather, x, y, row);
        count += gather.count;
    }
    struct sparse *to = sparse_push(L, x->rows, y->cols, count);
    memset(gather.seen, 0, cols * sizeof *gather.seen);
    count = 0;
    for (int64_t row = 0; row < x->rows; row++) {
        gather_row(&gather, x, y, row);
        qsort(gather.columns, (size_t)gather.count, sizeof *gather.columns, gather_compare);
        to->start[row] = count;
        for (int64_t k = 0; k < gather.count; k++)
            if (gather.sums[gather.columns[k]] != 0) {
                to->column[count] = gather.columns[k];
                to->value[count++] = gather.sums[gather.columns[k]];
            }
    }
    to->start[x->rows] = to->count = count;
    lua_insert(L, -4);
    lua_pop(L, 3);
}

int sparse_ops_are_equal(const struct sparse *x, const struct sparse *y)
{
    for (int64_t row = 0; row < x->rows; row++) {
        int64_t i = x->start[row], k = y->start[row];
        for (;;) {
            while (i < x->start[row + 1] && x->value[i] == 0)
                i++;
            while (k < y->start[row + 1] && y->value[k] == 0)
                k++;
            if (i == x->start[row + 1] || k == y->start[row + 1])
                break;
            if (x->column[i] != y->column[k] || x->value[i] != y->value[k])
                return 0;
            i++;
            k++;
        }
        if (i != x->start[row + 1] || k != y->start[row + 1])
            return 0;
    }
    return 1;
}

int sparse_ops_is_full(const struct sparse *sparse, const double *full)
{
    for (int64_t row = 0; row < sparse->rows; row++) {
        int64_t k = sparse->start[row];
        for (int64_t column = 0; column < sparse->cols; column++) {
            int is_stored = k < sparse->start[row + 1] && sparse->column[k] == column;
            if (full[row + column * sparse->rows] != (is_stored ? sparse->value[k++] : 0))
                return 0;
        }
    }
    return 1;
}

/* Where each column of a matrix is wanted: first[column] is one of the places, next[place] another,
 * -1 at the end. */
struct wanted {
    int64_t *first, *next;
};

static struct wanted wanted_push(lua_State *L, int64_t all, const int64_t *column, int64_t cols)
{
    struct wanted wanted = {array_push_room(L, all, sizeof(int64_t)),
                            array_push_room(L, cols, sizeof(int64_t))};
    for (int64_t j = 0; j < all; j++)
        wanted.first[j] = -1;
    for (int64_t j = 0; j < cols; j++) {
        wanted.next[j] = wanted.first[column[j]];
        wanted.first[column[j]] = j;
    }
    return wanted;
}

/* How many elements the part has. */
static int64_t wanted_count(const struct wanted *wanted, const struct sparse *from,
                            const int64_t *row, int64_t rows)
{
    int64_t count = 0;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = from->start[row[i]]; k < from->start[row[i] + 1]; k++)
            for (int64_t j = wanted->first[from->column[k]]; j >= 0; j = wanted->next[j])
                count++;
    return count;
}

void sparse_ops_push_part(lua_State *L, const struct sparse *sparse, const int64_t *row,
                          int64_t rows, const int64_t *column, int64_t cols)
{
    int top = lua_gettop(L);
    struct wanted wanted = wanted_push(L, sparse->cols, column, cols);
    struct triplets part = triplets_push(L, wanted_count(&wanted, sparse, row, rows));
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = sparse->start[row[i]]; k < sparse->start[row[i] + 1]; k++)
            for (int64_t j = wanted.first[sparse->column[k]]; j >= 0; j = wanted.next[j])
                triplets_add(&part, i, j, sparse->value[k]);
    sparse_push_triplets(L, rows, cols, &part);
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
}

/* An index from 1 of the array of indices at `index`, checked, from 0. */
static int64_t sparse_index(lua_State *L, int index, double value, int64_t most, int64_t k)
{
    int64_t place = operand_place(value, most);
    if (place < 0)
        luaL_argerror(L, index,
                      lua_pushfstring(L, "element %I is %f, no index from 1 to %I",
                                      (lua_Integer)k + 1, value, (lua_Integer)most));
    return place;
}

/* The largest element of an array of indices; 0 if there is none. */
static int64_t sparse_largest(const double *index, int64_t count)
{
    double largest = 0;
    for (int64_t k = 0; k < count; k++)
        if (index[k] > largest)
            largest = index[k];
    return largest <= (double)SPARSE_MOST ? (int64_t)largest : SPARSE_MOST;
}

static int64_t sparse_shape(lua_State *L, int index)
{
    lua_Integer n = luaL_checkinteger(L, index);
    luaL_argcheck(L, n >= 0 && n <= SPARSE_MOST, index, "a number of rows or columns expected");
    return n;
}

/* num.sparse(m, n): without elements */
static int sparse_of_zeros(lua_State *L)
{
    int64_t rows = sparse_shape(L, 1), cols = sparse_shape(L, 2);
    struct sparse *sparse = sparse_push(L, rows, cols, 0);
    memset(sparse->start, 0, (size_t)(rows + 1) * sizeof *sparse->start);
    return 1;
}

/* num.sparse(A): of a full matrix */
static int sparse_of_full(lua_State *L, struct array *full)
{
    const double *data = array_data(L, full);
    int64_t count = 0;
    for (int64_t i = 0; i < array_count(full); i++)
        count += data[i] != 0;
    struct sparse *sparse = sparse_push(L, full->rows, full->cols, count);
    count = 0;
    for (int64_t row = 0; row < full->rows; row++) {
        sparse->start[row] = count;
        for (int64_t column = 0; column < full->cols; column++)
            if (data[row + column * full->rows] != 0) {
                sparse->column[count] = (int32_t)column;
                sparse->value[count++] = data[row + column * full->rows];
            }
    }
    sparse->start[full->rows] = count;
    return 1;
}

/* The elements of argument `index`; a number counts as `count` equal ones: *step is 0. */
static const double *sparse_list(lua_State *L, int index, int64_t *count, int *step)
{
    struct operand list = operand_check(L, index);
    luaL_argcheck(L, list.kind != OPERAND_SPARSE, index, "a vector expected");
    *step = list.kind == OPERAND_ARRAY;
    *count = list.rows * list.cols;
    if (list.array != NULL)
        return array_data(L, list.array);
    double *one = lua_newuserdatauv(L, sizeof *one, 0);
    *one = list.number;
    lua_replace(L, index); /* stays as long as it is needed */
    return one;
}

/* num.sparse(i, j, v [, m, n]): elements of the same place are added */
static int sparse_of_triplets(lua_State *L)
{
    int64_t rows_count, cols_count, values_count;
    int row_step, col_step, value_step;
    lua_settop(L, 5);
    const double *i = sparse_list(L, 1, &rows_count, &row_step);
    const double *j = sparse_list(L, 2, &cols_count, &col_step);
    const double *v = sparse_list(L, 3, &values_count, &value_step);
    int64_t count = row_step ? rows_count : col_step ? cols_count : values_count;
    if ((row_step && rows_count != count) || (col_step && cols_count != count) ||
        (value_step && values_count != count))
        return luaL_error(L,
                          "num.sparse: %I row indices, %I column indices and %I values; there "
                          "must be as many of each, or one",
                          (lua_Integer)rows_count, (lua_Integer)cols_count,
                          (lua_Integer)values_count);
    int64_t rows = lua_isnil(L, 4) ? sparse_largest(i, rows_count) : sparse_shape(L, 4);
    int64_t cols = lua_isnil(L, 5) ? sparse_largest(j, cols_count) : sparse_shape(L, 5);
    struct triplets triplets = triplets_push(L, count);
    for (int64_t k = 0; k < count; k++)
        triplets_add(&triplets, sparse_index(L, 1, i[k * row_step], rows, k),
                     sparse_index(L, 2, j[k * col_step], cols, k), v[k * value_step]);
    sparse_push_triplets(L, rows, cols, &triplets);
    return 1;
}

/* num.sparse(A), num.sparse(m, n), num.sparse(i, j, v [, m, n]) */
static int sparse_make(lua_State *L)
{
    int count = lua_gettop(L);
    if (count == 1) {
        struct operand x = operand_check(L, 1);
        if (x.kind == OPERAND_SPARSE)
            return 1;
        luaL_argcheck(L, x.array != NULL, 1, "a matrix expected");
        return sparse_of_full(L, x.array);
    }
    return count == 2 ? sparse_of_zeros(L) : sparse_of_triplets(L);
}

/* num.full(A) */
static int sparse_full(lua_State *L)
{
    struct operand x = operand_check(L, 1);
    if (x.kind != OPERAND_SPARSE) {
        lua_settop(L, 1);
        return 1;
    }
    struct array *full = array_new(L, x.rows, x.cols);
    memset(full->data, 0, (size_t)array_count(full) * sizeof *full->data);
    sparse_add_to(full->data, 1, x.sparse);
    return 1;
}

/* num.speye(m [, n]) */
static int sparse_eye(lua_State *L)
{
    int64_t rows = sparse_shape(L, 1), cols = lua_isnoneornil(L, 2) ? rows : sparse_shape(L, 2);
    int64_t count = rows < cols ? rows : cols;
    struct sparse *sparse = sparse_push(L, rows, cols, count);
    for (int64_t row = 0; row <= rows; row++)
        sparse->start[row] = row < count ? row : count;
    for (int64_t row = 0; row < count; row++) {
        sparse->column[row] = (int32_t)row;
        sparse->value[row] = 1;
    }
    return 1;
}

/* num.triplets(A) -> i, j, v: columns, in MATLAB's order, column by column */
static int sparse_triplets(lua_State *L)
{
    struct sparse *sparse = sparse_check(L, 1);
    const struct sparse *by_column = sparse_push_transposed(L, sparse);
    double *i = array_new(L, sparse->count, 1)->data, *j = array_new(L, sparse->count, 1)->data,
           *v = array_new(L, sparse->count, 1)->data;
    for (int64_t column = 0; column < by_column->rows; column++)
        for (int64_t k = by_column->start[column]; k < by_column->start[column + 1]; k++) {
            i[k] = by_column->column[k] + 1;
            j[k] = (double)(column + 1);
            v[k] = by_column->value[k];
        }
    return 3;
}

/* num.nnz(A): elements that are not 0 */
static int sparse_nnz(lua_State *L)
{
    struct operand x = operand_check(L, 1);
    const double *values = x.kind == OPERAND_SPARSE ? x.sparse->value : operand_data(L, &x);
    int64_t all = x.kind == OPERAND_SPARSE ? x.sparse->count : x.rows * x.cols, count = 0;
    for (int64_t k = 0; k < all; k++)
        count += values[k] != 0;
    lua_pushinteger(L, count);
    return 1;
}

void sparse_ops_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"sparse", sparse_make},       {"speye", sparse_eye}, {"full", sparse_full},
        {"triplets", sparse_triplets}, {"nnz", sparse_nnz},   {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
