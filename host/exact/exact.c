#include "exact/exact.h"

#include <stdlib.h>

#include <lauxlib.h>
#include <lualib.h>

#include "exact/address.h"
#include "exact/capture.h"
#include "exact/coroutine.h"
#include "exact/finalizers.h"
#include "exact/frames.h"
#include "exact/hook.h"
#include "exact/images.h"
#include "exact/iterators.h"
#include "exact/loading.h"
#include "exact/nodes.h"
#include "exact/order.h"
#include "exact/parts.h"
#include "exact/points.h"
#include "exact/rebuild.h"
#include "value/names.h"

/* Where in the table of anchors the threads are. */
enum { EXACT_MAIN = 1, EXACT_SCRATCH = 2 };

/* Debian's 5.4.4 reads a freed stack when a metamethod of a concatenation makes a small one grow.
 */
enum { EXACT_FIRST_STACK = 200 };

void exact_set_main(lua_State *L, struct exact *exact, int index)
{
    lua_State *main = lua_tothread(L, index);
    lua_pushvalue(L, index);
    lua_rawgeti(L, LUA_REGISTRYINDEX, exact->anchors);
    lua_insert(L, -2);
    lua_rawseti(L, -2, EXACT_MAIN);
    lua_pop(L, 1);
    exact->main = exact->current = main;
}

void exact_forget_main(lua_State *L, struct exact *exact)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, exact->anchors);
    lua_pushnil(L);
    lua_rawseti(L, -2, EXACT_MAIN);
    lua_pop(L, 1);
    exact->main = exact->current = exact->scratch;
}

static int exact_started(lua_State *L, int status, lua_KContext context)
{
    (void)context;
    return status == LUA_OK || status == LUA_YIELD ? 0 : lua_error(L);
}

/* (handler, script, arguments ...): the C function that a script is called by, as by lua. */
static int exact_start(lua_State *L)
{
    luaL_checkany(L, 2); /* a script can get hold of it by a snapshot that is not true */
    return exact_started(L, lua_pcallk(L, lua_gettop(L) - 2, 0, 1, 0, exact_started), 0);
}

/* Names a function of a library as one that can stand on a stack. */
static void exact_add_point(lua_State *L, struct exact *exact, const char *global,
                            enum point_kind kind)
{
    lua_getglobal(L, global);
    lua_CFunction function = lua_tocfunction(L, -1);
    lua_pop(L, 1);
    points_add(L, exact, function, kind, exact->vm.pcall_goes_on, LUA_MULTRET);
}

void exact_open(lua_State *L, struct exact *exact)
{
    *(struct exact **)lua_getextraspace(L) = exact; /* threads made later inherit it */
    int own = exact_own(exact, ZONE_HOSTS);         /* tables that only the host sees */
    code_open(L, &exact->code);
    lua_createtable(L, 2, 0);
    exact_own(exact, own);
    exact->scratch = lua_newthread(L);
    lua_rawseti(L, -2, EXACT_SCRATCH);
    exact->anchors = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_newthread(L);
    exact_set_main(L, exact, -1);
    luaL_checkstack(exact->main, EXACT_FIRST_STACK, NULL);
    lua_pop(L, 1);
    address_open(L, exact);
    exact->code.addresses = &exact->addresses;
    coroutine_open(L, exact);
    loading_open(L, exact);
    order_open(L, exact);
    iterators_open(L, exact);
    hook_open(L, exact);
    finalizers_open(L, exact);
    points_add(L, exact, exact_start, POINT_START, exact_started, 0);
    exact_add_point(L, exact, "pcall", POINT_PCALL);
    exact_add_point(L, exact, "xpcall", POINT_XPCALL);
    if (exact->zone != NULL)
        exact->threads_size = zone_live_group(exact->zone, ZONE_THREAD);
}

void exact_close(struct exact *exact)
{
    address_close(exact);
    code_close(&exact->code);
    images_free(&exact->images);
    idmap_free(&exact->ran);
    free(exact->points);
    exact->points = NULL;
    exact->points_count = exact->points_room = 0;
    exact->collections = (struct collections){0};
}

void exact_name(lua_State *L, const struct exact *exact)
{
    lua_pushcfunction(L, exact_start);
    names_add(L, "<start>");
    lua_pushcfunction(L, exact->handler);
    names_add(L, "<handler>");
    lua_pushlightuserdata(L, NULL); /* the same everywhere */
    names_add(L, "<null>");
    lua_pop(L, 3);
    lua_getglobal(L, LUA_LOADLIBNAME);
    lua_getfield(L, -1, "searchers");
    for (int i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
        lua_pushfstring(L, "<searcher %d>", i);
        lua_insert(L, -2);
        names_add(L, lua_tostring(L, -2));
        lua_pop(L, 2);
    }
    lua_pop(L, 3);
}

void exact_begin(lua_State *L, struct exact *exact, int script)
{
    int top = lua_gettop(L);
    if (script != 0) {
        lua_pushvalue(L, script);
        lua_pushthread(exact->main);
        lua_xmove(exact->main, L, 1);
    }
    address_begin(L, exact, top + 1, lua_gettop(L));
    lua_settop(L, top);
}

int exact_run(lua_State *L, struct exact *exact, int arguments)
{
    int results;
    lua_State *main = exact->main;
    if (lua_status(main) == LUA_OK) {
        luaL_checkstack(main, arguments + 3, NULL);
        lua_pushcfunction(main, exact_start);
        lua_pushcfunction(main, exact->handler);
        lua_xmove(L, main, arguments + 1);
        arguments += 2;
    } else {
        /* The function at whose instruction the state was saved has to pass a hook first: Lua skips
         * the next one there, as it takes it for the one that has yielded. A collection would be
         * an instruction late. */
        exact->armed = 1;
    }
    return coroutine_run(L, exact, main, arguments, &results);
}

void exact_writer(struct exact *exact, struct code_writer *writer)
{
    *writer = (struct code_writer){exact,
                                   capture_function,
                                   capture_chunk,
                                   frames_thread,
                                   capture_made,
                                   parts_push,
                                   finalizers_push,
                                   finalizers_have_run,
                                   exact->addresses.marking ? address_of : NULL,
                                   address_next_garbage};
}

void exact_reader(struct exact *exact, struct code_reader *reader)
{
    *reader =
        (struct code_reader){exact,           rebuild_chunk, rebuild_function, rebuild_thread,
                             loading_native,  rebuild_made,  order_keep,       NULL,
                             rebuild_finish,  address_table, address_load,     finalizers_forget,
                             address_set_own, address_hold};
    if (!exact->keeps_layout)
        return;
    exact->layout = nodes_reader;
    exact->layout.context = exact;
    if (exact->addresses.used)
        exact->layout.is_there = address_is_there;
    reader->layout = &exact->layout;
}
