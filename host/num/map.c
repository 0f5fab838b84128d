#include "num/map.h"

#include <math.h>

#include <lauxlib.h>

#include "num/kernel.h"
#include "num/team.h"

/* Below this many elements other threads are left alone. */
enum { MAP_ALONE = 4 * KERNEL_CHUNK };

/* to[i] = f(x[i * x_step], y[i * y_step]), steps being 1, or 0 for a number. */
typedef void map_loop(double *to, const double *x, int x_step, const double *y, int y_step,
                      int64_t n);

struct map {
    const char *name;
    map_loop *loop;
    int count;      /* of arguments: 1 or 2 */
    int keeps_zero; /* f(0) is 0, so that a sparse matrix stays one */
};

struct map_pass {
    map_loop *loop;
    double *to;
    const double *x, *y;
    int x_step, y_step;
    int64_t count;
};

static void map_work(void *context, int64_t i)
{
    const struct map_pass *pass = context;
    int64_t at = i * KERNEL_CHUNK, left = pass->count - at;
    pass->loop(pass->to + at, pass->x + at * pass->x_step, pass->x_step,
               pass->y + at * pass->y_step, pass->y_step,
               left < KERNEL_CHUNK ? left : KERNEL_CHUNK);
}

static void map_run(struct map_pass *pass)
{
    team_run((pass->count + KERNEL_CHUNK - 1) / KERNEL_CHUNK, pass->count >= MAP_ALONE, map_work,
             pass);
}

static void map_push(lua_State *L, map_loop *loop, const struct operand *x, const struct operand *y)
{
    const struct operand *shape = x->kind == OPERAND_ARRAY ? x : y;
    struct map_pass pass = {.loop = loop,
                            .x = operand_data(L, x),
                            .y = operand_data(L, y),
                            .x_step = x->kind == OPERAND_ARRAY,
                            .y_step = y->kind == OPERAND_ARRAY};
    struct array *result = array_new(L, shape->rows, shape->cols);
    pass.to = result->data;
    pass.count = array_count(result);
    map_run(&pass);
}

/* MAP_ONE(sine, sin(x)) is a loop of one argument, MAP_TWO one of two. */
#define MAP_ONE(name, EXPRESSION)                                                         \
    static void map_##name(double *to, const double *from, int step, const double *other, \
                           int other_step, int64_t n)                                     \
    {                                                                                     \
        (void)other;                                                                      \
        (void)other_step;                                                                 \
        for (int64_t i = 0; i < n; i++) {                                                 \
            double x = from[i * step];                                                    \
            to[i] = (EXPRESSION);                                                         \
        }                                                                                 \
    }
#define MAP_TWO(name, EXPRESSION)                                                        \
    static void map_##name(double *to, const double *one, int step, const double *other, \
                           int other_step, int64_t n)                                    \
    {                                                                                    \
        for (int64_t i = 0; i < n; i++) {                                                \
            double x = one[i * step], y = other[i * other_step];                         \
            to[i] = (EXPRESSION);                                                        \
        }                                                                                \
    }

/* As MATLAB's: of the sign of y; x itself where y is 0. */
static double map_modulo(double x, double y)
{
    if (y == 0)
        return x;
    double rest = fmod(x, y);
    return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
}

/* NaN only where both are. */
static double map_lesser_of(double x, double y)
{
    return x < y || isnan(y) ? x : y;
}

static double map_greater_of(double x, double y)
{
    return x > y || isnan(y) ? x : y;
}

MAP_ONE(abs, fabs(x))
MAP_ONE(sqrt, sqrt(x))
MAP_ONE(cbrt, cbrt(x))
MAP_ONE(exp, exp(x))
MAP_ONE(expm1, expm1(x))
MAP_ONE(log, log(x))
MAP_ONE(log2, log2(x))
MAP_ONE(log10, log10(x))
MAP_ONE(log1p, log1p(x))
MAP_ONE(sin, sin(x))
MAP_ONE(cos, cos(x))
MAP_ONE(tan, tan(x))
MAP_ONE(asin, asin(x))
MAP_ONE(acos, acos(x))
MAP_ONE(atan, atan(x))
MAP_ONE(sinh, sinh(x))
MAP_ONE(cosh, cosh(x))
MAP_ONE(tanh, tanh(x))
MAP_ONE(erf, erf(x))
MAP_ONE(erfc, erfc(x))
MAP_ONE(gamma, tgamma(x))
MAP_ONE(gammaln, lgamma(x))
MAP_ONE(floor, floor(x))
MAP_ONE(ceil, ceil(x))
MAP_ONE(round, round(x))
MAP_ONE(fix, trunc(x))
MAP_ONE(sign, x > 0 ? 1.0 : x < 0 ? -1.0 : x)
MAP_ONE(isnan, isnan(x) ? 1.0 : 0.0)
MAP_ONE(isinf, isinf(x) ? 1.0 : 0.0)
MAP_ONE(isfinite, isfinite(x) ? 1.0 : 0.0)
MAP_ONE(lnot, x == 0 ? 1.0 : 0.0)
MAP_TWO(plus, x + y)
MAP_TWO(minus, x - y)
MAP_TWO(times, x *y)
MAP_TWO(rdivide, x / y)
MAP_TWO(power, pow(x, y))
MAP_TWO(atan2, atan2(x, y))
MAP_TWO(hypot, hypot(x, y))
MAP_TWO(mod, map_modulo(x, y))
MAP_TWO(rem, y == 0 ? x : fmod(x, y))
MAP_TWO(smaller, map_lesser_of(x, y))
MAP_TWO(larger, map_greater_of(x, y))
MAP_TWO(eq, x == y ? 1.0 : 0.0)
MAP_TWO(ne, x != y ? 1.0 : 0.0)
MAP_TWO(lt, x < y ? 1.0 : 0.0)
MAP_TWO(le, x <= y ? 1.0 : 0.0)
MAP_TWO(gt, x > y ? 1.0 : 0.0)
MAP_TWO(ge, x >= y ? 1.0 : 0.0)
MAP_TWO(land, x != 0 && y != 0 ? 1.0 : 0.0)
MAP_TWO(lor, x != 0 || y != 0 ? 1.0 : 0.0)
MAP_TWO(lxor, (x != 0) != (y != 0) ? 1.0 : 0.0)

static const struct map maps[] = {
    {"abs", map_abs, 1, 1},         {"sqrt", map_sqrt, 1, 1},
    {"cbrt", map_cbrt, 1, 1},       {"exp", map_exp, 1, 0},
    {"expm1", map_expm1, 1, 1},     {"log", map_log, 1, 0},
    {"log2", map_log2, 1, 0},       {"log10", map_log10, 1, 0},
    {"log1p", map_log1p, 1, 1},     {"sin", map_sin, 1, 1},
    {"cos", map_cos, 1, 0},         {"tan", map_tan, 1, 1},
    {"asin", map_asin, 1, 1},       {"acos", map_acos, 1, 0},
    {"atan", map_atan, 1, 1},       {"sinh", map_sinh, 1, 1},
    {"cosh", map_cosh, 1, 0},       {"tanh", map_tanh, 1, 1},
    {"erf", map_erf, 1, 1},         {"erfc", map_erfc, 1, 0},
    {"gamma", map_gamma, 1, 0},     {"gammaln", map_gammaln, 1, 0},
    {"floor", map_floor, 1, 1},     {"ceil", map_ceil, 1, 1},
    {"round", map_round, 1, 1},     {"fix", map_fix, 1, 1},
    {"sign", map_sign, 1, 1},       {"isnan", map_isnan, 1, 1},
    {"isinf", map_isinf, 1, 1},     {"isfinite", map_isfinite, 1, 0},
    {"lnot", map_lnot, 1, 0},       {"plus", map_plus, 2, 0},
    {"minus", map_minus, 2, 0},     {"times", map_times, 2, 0},
    {"rdivide", map_rdivide, 2, 0}, {"power", map_power, 2, 0},
    {"atan2", map_atan2, 2, 0},     {"hypot", map_hypot, 2, 0},
    {"mod", map_mod, 2, 0},         {"rem", map_rem, 2, 0},
    {"eq", map_eq, 2, 0},           {"ne", map_ne, 2, 0},
    {"lt", map_lt, 2, 0},           {"le", map_le, 2, 0},
    {"gt", map_gt, 2, 0},           {"ge", map_ge, 2, 0},
    {"land", map_land, 2, 0},       {"lor", map_lor, 2, 0},
    {"lxor", map_lxor, 2, 0},
};

static void map_refuse_sparse(lua_State *L, const struct map *map, const struct operand *x)
{
    if (x->kind == OPERAND_SPARSE)
        luaL_argerror(L, x->index,
                      lua_pushfstring(L,
                                      "num.%s of a sparse matrix is not sparse; write num.full(A)",
                                      map->name));
}

static void map_push_one(lua_State *L, const struct map *map)
{
    struct operand x = operand_check(L, 1);
    if (x.kind == OPERAND_NUMBER) {
        double result;
        map->loop(&result, &x.number, 0, &x.number, 0, 1);
        lua_pushnumber(L, result);
    } else if (x.kind == OPERAND_SPARSE && map->keeps_zero) {
        struct sparse *to = sparse_push_copy(L, x.sparse);
        map->loop(to->value, x.sparse->value, 1, x.sparse->value, 1, to->count);
    } else {
        map_refuse_sparse(L, map, &x);
        map_push(L, map->loop, &x, &x);
    }
}

static void map_push_two(lua_State *L, const struct map *map)
{
    struct operand x, y;
    operand_check_two(L, &x, &y);
    map_refuse_sparse(L, map, &x);
    map_refuse_sparse(L, map, &y);
    if (x.kind == OPERAND_NUMBER && y.kind == OPERAND_NUMBER) {
        double result;
        map->loop(&result, &x.number, 0, &y.number, 0, 1);
        lua_pushnumber(L, result);
        return;
    }
    if (x.kind == y.kind)
        operand_same_shape(L, map->name, &x, &y);
    map_push(L, map->loop, &x, &y);
}

/* num.NAME(x), num.NAME(x, y): struct map is the upvalue. */
static int map_call(lua_State *L)
{
    const struct map *map = lua_touserdata(L, lua_upvalueindex(1));
    if (map->count == 1)
        map_push_one(L, map);
    else
        map_push_two(L, map);
    return 1;
}

void map_open(lua_State *L)
{
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        lua_pushlightuserdata(L, (void *)(uintptr_t)&maps[i]);
        lua_pushcclosure(L, map_call, 1);
        lua_setfield(L, -2, maps[i].name);
    }
}

void map_push_shifted(lua_State *L, const struct operand *x, double sign, const struct operand *y)
{
    map_push(L, sign > 0 ? map_plus : map_minus, x, y);
}

void map_push_divided(lua_State *L, struct array *x, double divisor)
{
    struct operand array = {.kind = OPERAND_ARRAY, .rows = x->rows, .cols = x->cols, .array = x};
    struct operand number = {.kind = OPERAND_NUMBER, .number = divisor};
    map_push(L, map_rdivide, &array, &number);
}

void map_push_extreme(lua_State *L, int largest, const struct operand *x, const struct operand *y)
{
    map_push(L, largest ? map_larger : map_smaller, x, y);
}
