#include "num/gallery.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "num/array.h"
#include "num/random.h"
#include "num/sparse.h"

/* The number at argument `index` of num.gallery, from `least` on. */
static int64_t gallery_extent(lua_State *L, int index, int64_t least)
{
    lua_Integer n = luaL_checkinteger(L, index);
    luaL_argcheck(L, n >= least && n <= SPARSE_MOST, index,
                  lua_pushfstring(L, "a number from %I on expected", (lua_Integer)least));
    return n;
}

/* ---- sparse ones, as triplets that are added up */

/* 45 times the mass matrix of an element of density 1 and side 2: eight nodes around it, corners
 * being 0, 2, 4, 6. */
static const double gallery_element[8][8] = {
    {6, -6, 2, -8, 3, -8, 2, -6}, {-6, 32, -6, 20, -8, 16, -8, 20},
    {2, -6, 6, -6, 2, -8, 3, -8}, {-8, 20, -6, 32, -6, 20, -8, 16},
    {3, -8, 2, -6, 6, -6, 2, -8}, {-8, 16, -8, 20, -6, 32, -6, 20},
    {2, -8, 3, -8, 2, -6, 6, -6}, {-6, 20, -8, 16, -8, 20, -6, 32},
};

/* The numbers of the nodes of the element in column p and row q, all from 0: 2*nx + 1 along a row
 * of corners, then nx + 1 in the middles of the sides above it. */
static void gallery_nodes(int64_t nodes[8], int64_t p, int64_t q, int64_t nx)
{
    int64_t bottom = q * (3 * nx + 2) + 2 * p, middle = q * (3 * nx + 2) + 2 * nx + 1 + p,
            top = (q + 1) * (3 * nx + 2) + 2 * p;
    const int64_t around[8] = {bottom,  bottom + 1, bottom + 2, middle + 1,
                               top + 2, top + 1,    top,        middle};
    memcpy(nodes, around, sizeof around);
}

/* wathen(nx, ny): the mass matrix of nx * ny finite elements of the serendipity family, each with a
 * random density from 0 to 100, row by row (A. J. Wathen, IMA J. Numer. Anal. 7, 1987). Symmetric
 * and positive definite, with 3*nx*ny + 2*nx + 2*ny + 1 rows. */
static void gallery_wathen(lua_State *L)
{
    int64_t nx = gallery_extent(L, 2, 1), ny = gallery_extent(L, 3, 1);
    luaL_argcheck(L, nx <= SPARSE_MOST / 8 / ny, 2, "too many elements");
    uint64_t *state = random_state(L);
    struct triplets triplets = triplets_push(L, 64 * nx * ny);
    for (int64_t q = 0; q < ny; q++)
        for (int64_t p = 0; p < nx; p++) {
            int64_t nodes[8];
            double density = 100 * random_float(state);
            gallery_nodes(nodes, p, q, nx);
            for (int i = 0; i < 8; i++)
                for (int k = 0; k < 8; k++)
                    triplets_add(&triplets, nodes[i], nodes[k],
                                 gallery_element[i][k] / 45 * density);
        }
    int64_t n = 3 * nx * ny + 2 * nx + 2 * ny + 1;
    sparse_push_triplets(L, n, n, &triplets);
}

/* poisson(n): -Laplace on a square of n x n points, five points a star; or neumann(n), with
 * derivatives of 0 at the border (singular). */
static void gallery_stars(lua_State *L, int is_neumann)
{
    int64_t n = gallery_extent(L, 2, 1);
    luaL_argcheck(L, n <= SPARSE_MOST / n, 2, "too many points");
    struct triplets triplets = triplets_push(L, 5 * n * n);
    for (int64_t i = 0; i < n * n; i++) {
        int64_t row = i / n, column = i % n;
        triplets_add(&triplets, i, i, 4);
        const int64_t around[4][2] = {
            {row - 1, column}, {row + 1, column}, {row, column - 1}, {row, column + 1}};
        for (int k = 0; k < 4; k++) {
            int64_t r = around[k][0], c = around[k][1];
            int is_inside = r >= 0 && r < n && c >= 0 && c < n;
            if (is_neumann) { /* mirrored at the border */
                r = r < 0 ? 1 : r >= n ? n - 2 : r;
                c = c < 0 ? 1 : c >= n ? n - 2 : c;
            }
            if (is_inside || (is_neumann && n > 1))
                triplets_add(&triplets, i, r * n + c, -1);
        }
    }
    sparse_push_triplets(L, n * n, n * n, &triplets);
}

static void gallery_poisson(lua_State *L)
{
    gallery_stars(L, 0);
}

static void gallery_neumann(lua_State *L)
{
    gallery_stars(L, 1);
}

/* tridiag(n [, below, diagonal, above]): -1, 2, -1 where they are not given */
static void gallery_tridiag(lua_State *L)
{
    int64_t n = gallery_extent(L, 2, 1);
    double below = luaL_optnumber(L, 3, -1), diagonal = luaL_optnumber(L, 4, 2),
           above = luaL_optnumber(L, 5, -1);
    struct triplets triplets = triplets_push(L, 3 * n);
    for (int64_t i = 0; i < n; i++) {
        if (i > 0)
            triplets_add(&triplets, i, i - 1, below);
        triplets_add(&triplets, i, i, diagonal);
        if (i + 1 < n)
            triplets_add(&triplets, i, i + 1, above);
    }
    sparse_push_triplets(L, n, n, &triplets);
}

/* grcar(n [, k = 3]): -1 below the diagonal, 1 on it and on k diagonals above; not symmetric */
static void gallery_grcar(lua_State *L)
{
    int64_t n = gallery_extent(L, 2, 1), k = lua_isnoneornil(L, 3) ? 3 : gallery_extent(L, 3, 0);
    luaL_argcheck(L, k < 1024, 3, "at most 1023 diagonals");
    struct triplets triplets = triplets_push(L, n * (k + 2));
    for (int64_t i = 0; i < n; i++) {
        if (i > 0)
            triplets_add(&triplets, i, i - 1, -1);
        for (int64_t j = i; j <= i + k && j < n; j++)
            triplets_add(&triplets, i, j, 1);
    }
    sparse_push_triplets(L, n, n, &triplets);
}

/* ---- full ones: an element is a function of row and column, from 1, of n and a parameter */

typedef double gallery_element_at(int64_t i, int64_t j, int64_t n, double parameter);

static double gallery_minij(int64_t i, int64_t j, int64_t n, double parameter)
{
    (void)n;
    (void)parameter;
    return (double)(i < j ? i : j);
}

static double gallery_lehmer(int64_t i, int64_t j, int64_t n, double parameter)
{
    (void)n;
    (void)parameter;
    return i < j ? (double)i / (double)j : (double)j / (double)i;
}

/* U' * U with U of 1 on the diagonal and alpha above it. */
static double gallery_moler(int64_t i, int64_t j, int64_t n, double alpha)
{
    (void)n;
    int64_t least = i < j ? i : j;
    return i == j ? (double)(i - 1) * alpha * alpha + 1
                  : (double)(least - 1) * alpha * alpha + alpha;
}

static double gallery_kms(int64_t i, int64_t j, int64_t n, double rho)
{
    (void)n;
    return pow(rho, (double)llabs((long long)(i - j)));
}

static double gallery_pei(int64_t i, int64_t j, int64_t n, double alpha)
{
    (void)n;
    return i == j ? alpha + 1 : 1;
}

static double gallery_fiedler(int64_t i, int64_t j, int64_t n, double parameter)
{
    (void)n;
    (void)parameter;
    return (double)llabs((long long)(i - j));
}

static double gallery_hilb(int64_t i, int64_t j, int64_t n, double parameter)
{
    (void)n;
    (void)parameter;
    return 1 / (double)(i + j - 1);
}

static double gallery_gcdmat(int64_t i, int64_t j, int64_t n, double parameter)
{
    (void)n;
    (void)parameter;
    while (j != 0) {
        int64_t rest = i % j;
        i = j;
        j = rest;
    }
    return (double)i;
}

struct gallery {
    const char *name;
    void (*push)(lua_State *L); /* or: */
    gallery_element_at *element;
    double parameter; /* where it is not given */
};

static const struct gallery galleries[] = {
    {"wathen", gallery_wathen, NULL, 0},   {"poisson", gallery_poisson, NULL, 0},
    {"neumann", gallery_neumann, NULL, 0}, {"tridiag", gallery_tridiag, NULL, 0},
    {"grcar", gallery_grcar, NULL, 0},     {"minij", NULL, gallery_minij, 0},
    {"lehmer", NULL, gallery_lehmer, 0},   {"moler", NULL, gallery_moler, -1},
    {"kms", NULL, gallery_kms, 0.5},       {"pei", NULL, gallery_pei, 1},
    {"fiedler", NULL, gallery_fiedler, 0}, {"hilb", NULL, gallery_hilb, 0},
    {"gcdmat", NULL, gallery_gcdmat, 0},
};

static void gallery_push_full(lua_State *L, const struct gallery *gallery)
{
    int64_t n = gallery_extent(L, 2, 0);
    double parameter = luaL_optnumber(L, 3, gallery->parameter);
    double *to = array_new(L, n, n)->data;
    for (int64_t j = 0; j < n; j++)
        for (int64_t i = 0; i < n; i++)
            to[i + j * n] = gallery->element(i + 1, j + 1, n, parameter);
}

/* num.gallery(name, ...) */
static int gallery_make(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    luaL_Buffer names;
    for (size_t i = 0; i < sizeof galleries / sizeof *galleries; i++)
        if (strcmp(galleries[i].name, name) == 0) {
            if (galleries[i].push != NULL)
                galleries[i].push(L);
            else
                gallery_push_full(L, &galleries[i]);
            return 1;
        }
    luaL_buffinit(L, &names);
    for (size_t i = 0; i < sizeof galleries / sizeof *galleries; i++) {
        luaL_addstring(&names, i == 0 ? "" : ", ");
        luaL_addstring(&names, galleries[i].name);
    }
    luaL_pushresult(&names);
    return luaL_error(L, "num.gallery has no '%s', but %s", name, lua_tostring(L, -1));
}

void gallery_open(lua_State *L)
{
    lua_pushcfunction(L, gallery_make);
    lua_setfield(L, -2, "gallery");
}
