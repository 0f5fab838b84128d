/*
 * Elements of a sparse matrix in any order: row and column (from 0) and value of each. They become
 * a matrix by sparse_push_triplets.
 */
#ifndef CKPTLUA_NUM_TRIPLETS_H
#define CKPTLUA_NUM_TRIPLETS_H

#include <stdint.h>

#include <lua.h>

struct triplets {
    int32_t *row, *column;
    double *value;
    int64_t count;
};

/* Pushes room for `most` of them, as three values; there are none yet. */
struct triplets triplets_push(lua_State *L, int64_t most);

static inline void triplets_add(struct triplets *triplets, int64_t row, int64_t column,
                                double value)
{
    triplets->row[triplets->count] = (int32_t)row;
    triplets->column[triplets->count] = (int32_t)column;
    triplets->value[triplets->count++] = value;
}

#endif
