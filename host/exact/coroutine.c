#include "exact/coroutine.h"

#include <lauxlib.h>
#include <lualib.h>

#include "exact/address.h"
#include "exact/capture.h"
#include "exact/hook.h"
#include "exact/points.h"

static lua_State *coroutine_argument(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);
    luaL_argexpected(L, co, 1, "thread");
    return co;
}

/* A yield leaves by longjmp, after which each return of a function on the C stack is a surprise to
 * the processor: so there should be few of them. */
#define COROUTINE_WITHIN static inline __attribute__((always_inline))

COROUTINE_WITHIN int coroutine_go_on(lua_State *L, struct exact *exact, lua_State *thread,
                                     int arguments, int *results)
{
    lua_State *before = exact->current; /* L, or what L works for */
    exact->current = thread;            /* first: a signal that comes now arms a hook on it */
    if (exact->capturing)
        capture_note(L, exact, thread);
    if (exact->armed)
        hook_arm(exact);
    int status = lua_resume(thread, L, arguments, results);
    exact->current = before;
    if (exact->armed)
        hook_arm(exact);
    return status;
}

int coroutine_run(lua_State *L, struct exact *exact, lua_State *thread, int arguments, int *results)
{
    return coroutine_go_on(L, exact, thread, arguments, results);
}

/* Resumes co with the arguments on top of L. Returns the number of results that it pushes, or -1
 * and an error value (auxresume of lcorolib.c). */
COROUTINE_WITHIN int coroutine_exchange(lua_State *L, struct exact *exact, lua_State *co,
                                        int arguments)
{
    int results;
    if (!lua_checkstack(co, arguments)) {
        lua_pushliteral(L, "too many arguments to resume");
        return -1;
    }
    lua_xmove(L, co, arguments);
    struct exact_resumer resumer = {L, exact->resumers};
    exact->resumers = &resumer;
    int status = coroutine_go_on(L, exact, co, arguments, &results);
    exact->resumers = resumer.previous;
    if (exact->leaving)
        exact->leave(L, exact->context);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_xmove(co, L, 1);
        return -1;
    }
    if (!lua_checkstack(L, results + 1)) {
        lua_pop(co, results);
        lua_pushliteral(L, "too many results to resume");
        return -1;
    }
    lua_xmove(co, L, results);
    return results;
}

static int coroutine_resumed(lua_State *L, int results)
{
    lua_pushboolean(L, results >= 0);
    if (results < 0)
        results = 1;
    lua_insert(L, -(results + 1));
    return results + 1;
}

static int coroutine_resume(lua_State *L)
{
    lua_State *co = coroutine_argument(L);
    return coroutine_resumed(L, coroutine_exchange(L, exact_of(L), co, lua_gettop(L) - 1));
}

/* In a new process: the coroutine goes on, and then this call of resume. */
static int coroutine_resume_again(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    lua_settop(L, 1);
    return coroutine_resume(L);
}

static int coroutine_unwrap(lua_State *L, lua_State *co, int results)
{
    if (results >= 0)
        return results;
    int status = lua_status(co);
    if (status != LUA_OK && status != LUA_YIELD) { /* the error is the coroutine's own */
        status = lua_resetthread(co);
        lua_xmove(co, L, 1);
    }
    if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int coroutine_wrapped(lua_State *L)
{
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    return coroutine_unwrap(L, co, coroutine_exchange(L, exact_of(L), co, lua_gettop(L)));
}

static int coroutine_wrapped_again(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    lua_settop(L, 0);
    return coroutine_wrapped(L);
}

/* The coroutine is on top. */
static void coroutine_make(lua_State *L)
{
    lua_pushcclosure(L, coroutine_wrapped, 1);
}

int coroutine_take_apart(lua_State *L, struct exact *exact, int index)
{
    if (lua_tocfunction(L, index) != coroutine_wrapped)
        return -1;
    lua_pushliteral(L, "wrap");
    lua_getupvalue(L, index, 1);
    return 1 + address_push(L, exact, index);
}

void coroutine_put_together(lua_State *L, struct exact *exact, int count)
{
    uint64_t place = address_pop(L, &count, 1);
    if (!lua_isthread(L, -1))
        luaL_error(L, "the snapshot has a function of coroutine.wrap without a coroutine");
    address_want(&exact->addresses, place);
    coroutine_make(L);
    address_made(L, &exact->addresses, place);
}

static int coroutine_wrap(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    coroutine_make(L);
    return 1;
}

static int coroutine_yield(lua_State *L)
{
    if (L == exact_of(L)->main)
        return luaL_error(L, "attempt to yield from outside a coroutine");
    return lua_yield(L, lua_gettop(L));
}

static int coroutine_running(lua_State *L)
{
    lua_pushthread(L);
    lua_pushboolean(L, L == exact_of(L)->main);
    return 2;
}

static int coroutine_isyieldable(lua_State *L)
{
    lua_State *co = lua_isnone(L, 1) ? L : coroutine_argument(L);
    lua_pushboolean(L, co != exact_of(L)->main && lua_isyieldable(co));
    return 1;
}

void coroutine_open(lua_State *L, struct exact *exact)
{
    static const luaL_Reg functions[] = {
        {"resume", coroutine_resume},
        {"wrap", coroutine_wrap},
        {"yield", coroutine_yield},
        {"running", coroutine_running},
        {"isyieldable", coroutine_isyieldable},
        {NULL, NULL},
    };
    lua_getglobal(L, LUA_COLIBNAME);
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
    points_add(L, exact, coroutine_yield, POINT_TOP, NULL, 0);
    points_add(L, exact, coroutine_resume, POINT_RESUME, coroutine_resume_again, 0);
    points_add(L, exact, coroutine_wrapped, POINT_RESUME, coroutine_wrapped_again, 0);
}
