#include "exact/iterators.h"

#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "exact/address.h"

/* What the userdata of a gmatch iterator begins with (GMatchState of lstrlib.c): where in the
 * subject it goes on, the pattern, and where the last match ended. */
struct iterators_state {
    const char *source, *pattern, *last;
};

/* (subject, pattern, ...): calls the stock string.gmatch. */
static void iterators_gmatch(lua_State *L, const struct exact *exact)
{
    lua_pushcfunction(L, exact->gmatch);
    lua_insert(L, -3);
    lua_call(L, 2, 1);
}

static int iterators_check_gmatch(lua_State *L, const struct exact *exact)
{
    int top = lua_gettop(L);
    const char *subject = lua_pushliteral(L, "subject"), *pattern = lua_pushliteral(L, "bj");
    lua_pushvalue(L, top + 1);
    lua_pushvalue(L, top + 2);
    iterators_gmatch(L, exact);
    lua_getupvalue(L, -1, 3);
    int fine =
        lua_type(L, -1) == LUA_TUSERDATA && lua_rawlen(L, -1) >= sizeof(struct iterators_state);
    struct iterators_state *state = lua_touserdata(L, -1);
    fine = fine && state->source == subject && state->pattern == pattern && state->last == NULL;
    lua_pushvalue(L, -2);
    lua_call(L, 0, 1);
    fine = fine && state->source == subject + 4 && state->last == subject + 4;
    lua_settop(L, top);
    return fine;
}

void iterators_open(lua_State *L, struct exact *exact)
{
    int top = lua_gettop(L);
    lua_getglobal(L, LUA_STRLIBNAME);
    lua_getfield(L, -1, "gmatch");
    exact->gmatch = lua_tocfunction(L, -1);
    lua_pushliteral(L, "");
    lua_pushliteral(L, "");
    lua_call(L, 2, 1);
    exact->gmatch_next = iterators_check_gmatch(L, exact) ? lua_tocfunction(L, -1) : NULL;
    lua_getglobal(L, LUA_IOLIBNAME);
    lua_getfield(L, -1, "stdout");
    lua_getfield(L, -1, "lines");
    exact->lines = lua_tocfunction(L, -1);
    lua_insert(L, -2);
    lua_call(L, 1, 1);
    int fine = lua_getupvalue(L, -1, 3) != NULL && lua_isboolean(L, -1);
    lua_settop(L, -1 - fine);
    exact->lines_next = lua_tocfunction(L, -1);
    lua_settop(L, top);
}

/* Pushes the offset of a place in a text, or false. */
static void iterators_push_offset(lua_State *L, const char *place, const char *text)
{
    if (place == NULL)
        lua_pushboolean(L, 0);
    else
        lua_pushinteger(L, place - text);
}

int iterators_take_apart(lua_State *L, struct exact *exact, int index)
{
    lua_CFunction function = lua_tocfunction(L, index);
    int count = 0;
    if (function == exact->gmatch_next && function != NULL) {
        lua_pushliteral(L, "gmatch");
        lua_getupvalue(L, index, 1);
        const char *subject = lua_tostring(L, -1);
        lua_getupvalue(L, index, 2);
        lua_getupvalue(L, index, 3);
        const struct iterators_state *state = lua_touserdata(L, -1);
        int userdata = lua_gettop(L);
        iterators_push_offset(L, state->source, subject);
        iterators_push_offset(L, state->last, subject);
        count = 4 + address_push(L, exact, userdata);
        count += address_push(L, exact, index);
        lua_remove(L, userdata);
        return count;
    }
    if (function != exact->lines_next)
        return -1;
    lua_pushliteral(L, "lines");
    luaL_checkstack(L, 260, NULL);
    while (lua_getupvalue(L, index, count + 1) != NULL)
        count++;
    return count + address_push(L, exact, index);
}

/* subject, pattern, offsets are the four values on top. The places are those of the iterator, and
 * of its userdata. */
static void iterators_make_gmatch(lua_State *L, struct exact *exact, uint64_t place,
                                  uint64_t userdata)
{
    struct addresses *addresses = &exact->addresses;
    int subject = lua_gettop(L) - 3, last = subject + 3;
    if (lua_type(L, subject) != LUA_TSTRING || lua_type(L, subject + 1) != LUA_TSTRING)
        luaL_error(L, "the snapshot has an iterator over no string");
    lua_Integer size = (lua_Integer)lua_rawlen(L, subject), at = lua_tointeger(L, subject + 2);
    lua_Integer end = lua_isinteger(L, last) ? lua_tointeger(L, last) : -1;
    if (exact->gmatch_next == NULL || at < 0 || at > size + 1 || end < -1 || end > size)
        luaL_error(L, "the snapshot has an iterator over a string that cannot be continued");
    lua_pushvalue(L, subject);
    lua_pushvalue(L, subject + 1);
    address_want(addresses, place);
    address_want_too(addresses, userdata);
    iterators_gmatch(L, exact);
    address_made(L, addresses, place);
    lua_getupvalue(L, -1, 3);
    address_check(L, addresses, userdata);
    struct iterators_state *state = lua_touserdata(L, -1);
    lua_getupvalue(L, -2, 1);
    const char *text = lua_tostring(L, -1);
    state->source = text + at;
    state->last = end < 0 ? NULL : text + end;
    lua_pop(L, 2);
}

/* The upvalues are on top: file, number of formats, whether to close it, formats. */
static void iterators_make_lines(lua_State *L, struct exact *exact, int count, uint64_t place)
{
    int first = lua_gettop(L) - count + 1;
    if (count < 3 || luaL_testudata(L, first, LUA_FILEHANDLE) == NULL ||
        lua_tointeger(L, first + 1) != count - 3)
        luaL_error(L, "the snapshot has an iterator over the lines of no file");
    lua_pushcfunction(L, exact->lines);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, LUA_IOLIBNAME);
    lua_getfield(L, -1, "stdout"); /* any file that is open */
    lua_replace(L, -3);
    lua_pop(L, 1);
    for (int i = 3; i < count; i++)
        lua_pushvalue(L, first + i);
    address_want(&exact->addresses, place);
    lua_call(L, count - 2, 1);
    address_made(L, &exact->addresses, place);
    lua_pushvalue(L, first);
    lua_setupvalue(L, -2, 1);
    lua_pushboolean(L, lua_toboolean(L, first + 2));
    lua_setupvalue(L, -2, 3);
}

/* The values of an iterator over lines, without its place: its second tells how many. */
static int iterators_lines_count(lua_State *L, int first, int count)
{
    lua_Integer formats = count < 2 ? 0 : lua_tointeger(L, first + 1);
    return formats >= 0 && formats == count - 4 ? count - 1 : count;
}

int iterators_make(lua_State *L, struct exact *exact, const char *kind, int count)
{
    int first = lua_gettop(L) - count + 1;
    luaL_checkstack(L, count + 12, NULL);
    if (strcmp(kind, "gmatch") == 0 && (count == 4 || count == 6)) {
        uint64_t place = address_pop(L, &count, 4), userdata = address_pop(L, &count, 4);
        iterators_make_gmatch(L, exact, place, userdata);
    } else if (strcmp(kind, "lines") == 0) {
        uint64_t place = address_pop(L, &count, iterators_lines_count(L, first, count));
        iterators_make_lines(L, exact, count, place);
    } else {
        return 0;
    }
    lua_replace(L, first);
    lua_settop(L, first);
    return 1;
}
