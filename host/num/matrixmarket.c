#include "num/matrixmarket.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <lauxlib.h>

#include "num/array.h"
#include "num/datafile.h"
#include "num/operand.h"
#include "num/sparse.h"
#include "num/sparse_ops.h"

enum symmetry { GENERAL, SYMMETRIC, SKEW };

/* What the first line says. */
struct banner {
    int is_array, is_pattern;
    enum symmetry symmetry;
};

static struct banner banner_read(lua_State *L, struct datafile *file)
{
    char object[64], format[64], field[64], symmetry[64];
    struct banner banner = {0};
    const char *line = datafile_line(L, file);
    if (line == NULL || strncasecmp(line, "%%MatrixMarket ", 15) != 0 ||
        sscanf(line + 15, "%63s %63s %63s %63s", object, format, field, symmetry) != 4)
        datafile_fail(L, file,
                      "no Matrix Market file: it must begin with %%%%MatrixMarket matrix FORMAT "
                      "FIELD SYMMETRY");
    if (strcasecmp(object, "matrix") != 0)
        datafile_fail(L, file, "'%s' is not supported, only matrix", object);
    banner.is_array = strcasecmp(format, "array") == 0;
    if (!banner.is_array && strcasecmp(format, "coordinate") != 0)
        datafile_fail(L, file, "'%s' is neither coordinate nor array", format);
    banner.is_pattern = strcasecmp(field, "pattern") == 0;
    if (strcasecmp(field, "real") != 0 && strcasecmp(field, "integer") != 0 &&
        strcasecmp(field, "double") != 0 && (!banner.is_pattern || banner.is_array))
        datafile_fail(L, file, "elements of type '%s' are not supported, only real%s", field,
                      banner.is_array ? " and integer" : ", integer and pattern");
    if (strcasecmp(symmetry, "symmetric") == 0)
        banner.symmetry = SYMMETRIC;
    else if (strcasecmp(symmetry, "skew-symmetric") == 0)
        banner.symmetry = SKEW;
    else if (strcasecmp(symmetry, "general") != 0)
        datafile_fail(L, file, "'%s' is not supported, only general, symmetric, skew-symmetric",
                      symmetry);
    return banner;
}

/* The next line that is neither empty nor a comment, or NULL. */
static const char *market_line(lua_State *L, struct datafile *file)
{
    const char *line;
    while ((line = datafile_line(L, file)) != NULL) {
        while (isspace((unsigned char)*line))
            line++;
        if (*line != '\0' && *line != '%')
            return line;
    }
    return NULL;
}

/* Takes an integer from *at; raises where there is none from least to most. */
static int64_t market_integer(lua_State *L, const struct datafile *file, const char **at,
                              const char *what, int64_t least, int64_t most)
{
    char *end;
    errno = 0;
    long long value = strtoll(*at, &end, 10);
    if (end == *at || (*end != '\0' && !isspace((unsigned char)*end)))
        datafile_fail(L, file, "no %s where one was expected: '%.40s'", what, *at);
    if (errno == ERANGE || value < least || value > most)
        datafile_fail(L, file, "%s %lld is outside of %lld to %lld", what, value, (long long)least,
                      (long long)most);
    *at = end;
    return value;
}

static double market_value(lua_State *L, const struct datafile *file, const char **at)
{
    char *end;
    double value = strtod(*at, &end);
    if (end == *at || (*end != '\0' && !isspace((unsigned char)*end)))
        datafile_fail(L, file, "no number where one was expected: '%.40s'", *at);
    *at = end;
    return value;
}

/* Nothing more is on the line. */
static void market_end(lua_State *L, const struct datafile *file, const char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    if (*at != '\0')
        datafile_fail(L, file, "more on the line than expected: '%.40s'", at);
}

static const char *market_sizes(lua_State *L, struct datafile *file)
{
    const char *line = market_line(L, file);
    if (line == NULL)
        datafile_fail(L, file, "the file ends before the line with the sizes");
    return line;
}

static void market_read_element(lua_State *L, struct datafile *file, const struct banner *banner,
                                int64_t rows, int64_t cols, struct triplets *elements)
{
    const char *at = market_line(L, file);
    if (at == NULL)
        datafile_fail(L, file, "the file ends after %lld elements", (long long)elements->count);
    int64_t row = market_integer(L, file, &at, "row", 1, rows) - 1;
    int64_t column = market_integer(L, file, &at, "column", 1, cols) - 1;
    double value = banner->is_pattern ? 1 : market_value(L, file, &at);
    market_end(L, file, at);
    if (banner->symmetry != GENERAL && column > row)
        datafile_fail(L, file, "(%lld, %lld) is above the diagonal of a symmetric matrix",
                      (long long)row + 1, (long long)column + 1);
    if (banner->symmetry == SKEW && column == row)
        datafile_fail(L, file, "(%lld, %lld) is on the diagonal of a skew-symmetric matrix",
                      (long long)row + 1, (long long)column + 1);
    triplets_add(elements, row, column, value);
    if (banner->symmetry != GENERAL && row != column)
        triplets_add(elements, column, row, banner->symmetry == SKEW ? -value : value);
}

static void market_check_square(lua_State *L, const struct datafile *file,
                                const struct banner *banner, int64_t rows, int64_t cols)
{
    if (banner->symmetry != GENERAL && rows != cols)
        datafile_fail(L, file, "%lldx%lld cannot be symmetric", (long long)rows, (long long)cols);
}

/* After the last element: nothing else. */
static void market_check_end(lua_State *L, struct datafile *file)
{
    if (market_line(L, file) != NULL)
        datafile_fail(L, file, "more elements than the file says");
}

static void market_read_coordinates(lua_State *L, struct datafile *file,
                                    const struct banner *banner)
{
    const char *at = market_sizes(L, file);
    int64_t rows = market_integer(L, file, &at, "number of rows", 0, SPARSE_MOST);
    int64_t cols = market_integer(L, file, &at, "number of columns", 0, SPARSE_MOST);
    /* An element has at least two digits, what is between and the end of the line. */
    int64_t count = market_integer(L, file, &at, "number of elements", 0, file->size / 3);
    market_end(L, file, at);
    market_check_square(L, file, banner, rows, cols);
    struct triplets elements = triplets_push(L, banner->symmetry == GENERAL ? count : 2 * count);
    for (int64_t i = 0; i < count; i++)
        market_read_element(L, file, banner, rows, cols, &elements);
    market_check_end(L, file);
    sparse_push_triplets(L, rows, cols, &elements);
}

static void market_read_array(lua_State *L, struct datafile *file, const struct banner *banner)
{
    const char *at = market_sizes(L, file);
    int64_t rows = market_integer(L, file, &at, "number of rows", 0, ARRAY_MOST);
    int64_t cols = market_integer(L, file, &at, "number of columns", 0, ARRAY_MOST);
    market_end(L, file, at);
    market_check_square(L, file, banner, rows, cols);
    /* An element has at least a digit and the end of its line; of a symmetric matrix nearly half
     * are there. */
    if (cols > 0 && rows > file->size / cols)
        datafile_fail(L, file, "the file is too short for %lldx%lld elements", (long long)rows,
                      (long long)cols);
    double *to = array_new(L, rows, cols)->data;
    memset(to, 0, (size_t)(rows * cols) * sizeof *to);
    for (int64_t j = 0; j < cols; j++)
        for (int64_t i = banner->symmetry == GENERAL ? 0 : j + (banner->symmetry == SKEW); i < rows;
             i++) {
            at = market_line(L, file);
            if (at == NULL)
                datafile_fail(L, file, "the file ends at element (%lld, %lld)", (long long)i + 1,
                              (long long)j + 1);
            to[i + j * rows] = market_value(L, file, &at);
            market_end(L, file, at);
            if (banner->symmetry != GENERAL)
                to[j + i * rows] = banner->symmetry == SKEW ? -to[i + j * rows] : to[i + j * rows];
        }
    market_check_end(L, file);
}

void matrixmarket_load(lua_State *L, const char *name)
{
    int top = lua_gettop(L);
    struct datafile *file = datafile_push(L, name);
    struct banner banner = banner_read(L, file);
    if (banner.is_array)
        market_read_array(L, file, &banner);
    else
        market_read_coordinates(L, file, &banner);
    datafile_end(file);
    lua_insert(L, top + 1);
    lua_settop(L, top + 1);
}

/* MATLAB's order: column by column. */
static void market_write_sparse(lua_State *L, FILE *file, const struct sparse *sparse)
{
    const struct sparse *by_column = sparse_push_transposed(L, sparse);
    int is_symmetric = sparse->rows == sparse->cols && sparse_ops_are_equal(by_column, sparse);
    int64_t count = 0;
    for (int64_t j = 0; j < by_column->rows; j++)
        for (int64_t k = by_column->start[j]; k < by_column->start[j + 1]; k++)
            count += !is_symmetric || by_column->column[k] >= j;
    fprintf(file, "%%%%MatrixMarket matrix coordinate real %s\n%lld %lld %lld\n",
            is_symmetric ? "symmetric" : "general", (long long)sparse->rows,
            (long long)sparse->cols, (long long)count);
    for (int64_t j = 0; j < by_column->rows; j++)
        for (int64_t k = by_column->start[j]; k < by_column->start[j + 1]; k++)
            if (!is_symmetric || by_column->column[k] >= j)
                fprintf(file, "%lld %lld %.17g\n", (long long)by_column->column[k] + 1,
                        (long long)j + 1, by_column->value[k]);
    lua_pop(L, 1);
}

void matrixmarket_save(lua_State *L, const char *name, int index)
{
    struct operand x = operand_check(L, index);
    const double *data = x.kind == OPERAND_SPARSE ? NULL : operand_data(L, &x);
    int top = lua_gettop(L);
    struct datafile *file = datafile_push_new(L, name);
    if (x.kind == OPERAND_SPARSE) {
        market_write_sparse(L, file->file, x.sparse);
    } else {
        fprintf(file->file, "%%%%MatrixMarket matrix array real general\n%lld %lld\n",
                (long long)x.rows, (long long)x.cols);
        for (int64_t i = 0; i < x.rows * x.cols; i++)
            fprintf(file->file, "%.17g\n", data[i]);
    }
    datafile_replace(L, file);
    lua_settop(L, top);
}
