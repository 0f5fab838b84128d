#include "exact/parts.h"

#include <string.h>

#include <lauxlib.h>

#include "exact/analysis.h"
#include "exact/exact.h"

/* The list of pairs, on top of L, gets the text and the value that are above it; pops them. */
static void parts_add(lua_State *L)
{
    lua_Integer count = (lua_Integer)lua_rawlen(L, -3);
    lua_rawseti(L, -3, count + 2);
    lua_rawseti(L, -2, count + 1);
}

static int parts_is_object(const struct vm_value *value)
{
    return (value->tag & VM_COLLECTABLE) != 0 || (value->tag & 0x0F) == LUA_TLIGHTUSERDATA;
}

/* ---------------------------------------------------------------- functions */

static void parts_of_function(lua_State *L, int index)
{
    lua_Debug debug;
    const char *name;
    lua_pushvalue(L, index);
    lua_getinfo(L, ">S", &debug);
    for (int i = 1; lua_pushnil(L), (name = lua_getupvalue(L, index, i)) != NULL; i++) {
        if (*name == '\0') /* of a function in C */
            lua_pushliteral(L, "");
        else
            lua_pushfstring(L, "upvalue '%s' of function (%s:%d)", name, debug.short_src,
                            debug.linedefined);
        lua_replace(L, -3);
        parts_add(L);
    }
    lua_pop(L, 1);
}

/* ---------------------------------------------------------------- calls */

struct parts_call {
    lua_State *L, *thread;
    const struct vm_call *call;
    lua_Debug debug; /* of the call: source and name */
};

/* The line of the instruction at pc: as if the call were there. */
static int parts_line(const struct parts_call *parts, int pc)
{
    struct vm_call there = *parts->call;
    lua_Debug debug = {0};
    there.u.lua.pc = vm_called(parts->call)->code + pc + 1;
    debug.i_ci = (struct CallInfo *)&there;
    lua_getinfo(parts->thread, "l", &debug);
    return debug.currentline;
}

/* Pushes WHAT with its place: "local 'conn' (job.lua:12, in function 'poll')". */
static void parts_push_text(const struct parts_call *parts, const char *what, int line)
{
    lua_State *L = parts->L;
    const lua_Debug *debug = &parts->debug;
    lua_pushfstring(L, "%s (%s:%d", what, debug->short_src, line);
    if (debug->name != NULL)
        lua_pushfstring(L, ", in function '%s')", debug->name);
    else
        lua_pushliteral(L, ")");
    lua_concat(L, 2);
}

/* The local variable that register `reg` is at pc, or NULL. */
static const struct vm_local *parts_local(const struct vm_prototype *prototype, int pc, int reg)
{
    for (int i = 0; i < prototype->locals_count && prototype->locals[i].start <= pc; i++)
        if (pc < prototype->locals[i].end && reg-- == 0)
            return &prototype->locals[i];
    return NULL;
}

static void parts_add_register(const struct parts_call *parts, int pc, int reg)
{
    lua_State *L = parts->L;
    const struct vm_local *local = parts_local(vm_called(parts->call), pc, reg);
    if (local == NULL) {
        parts_push_text(parts, "a temporary value", parts_line(parts, pc));
    } else {
        int line = local->start == 0 ? vm_called(parts->call)->first_line
                                     : parts_line(parts, local->start - 1);
        vm_push_object(L, local->name);
        lua_pushfstring(L, "local '%s'", lua_tostring(L, -1));
        parts_push_text(parts, lua_tostring(L, -1), line);
        lua_replace(L, -3);
        lua_pop(L, 1);
    }
    vm_push(L, parts->call->function + 1 + reg);
    parts_add(L);
}

static void parts_of_lua(const struct parts_call *parts, struct exact *exact,
                         const struct vm_value *limit, int in_progress)
{
    lua_State *L = parts->L;
    const struct vm_call *call = parts->call;
    const struct vm_prototype *prototype = vm_called(call);
    uint64_t live[REGSET_WORDS] = {0};
    int pc = vm_pc(call);
    struct code_chunk *chunk;
    uint32_t number;
    if (!code_find(L, &exact->code, prototype, &chunk, &number))
        return; /* it is refused itself */
    flow_live(analysis_of(L, &exact->code, prototype), pc, in_progress, live);
    for (int i = 0; i < prototype->registers && call->function + 1 + i < limit; i++)
        if (regset_has(live, i) && parts_is_object(call->function + 1 + i))
            parts_add_register(parts, pc, i);
    for (const struct vm_value *extra = vm_place(call) + 1 + prototype->parameters;
         extra < call->function; extra++)
        if (parts_is_object(extra)) {
            parts_push_text(parts, "an argument of '...'", prototype->first_line);
            vm_push(L, extra);
            parts_add(L);
        }
}

/* What a function in C, or a thread that has not begun, has on its stack. */
static void parts_of_values(lua_State *L, const struct vm_value *from, const struct vm_value *limit)
{
    for (; from < limit; from++)
        if (parts_is_object(from)) {
            lua_pushliteral(L, "");
            vm_push(L, from);
            parts_add(L);
        }
}

static void parts_of_thread(lua_State *L, struct exact *exact, lua_State *thread)
{
    const struct vm_thread *insides = vm_thread(thread);
    const struct vm_value *limit = insides->top;
    for (const struct vm_call *call = insides->call; call != &insides->base;
         call = call->previous) {
        struct parts_call parts = {L, thread, call, {0}};
        parts.debug.i_ci = (struct CallInfo *)(uintptr_t)call;
        lua_getinfo(thread, "Sn", &parts.debug);
        int in_progress = call != insides->call;
        vm_push(L, call->function);
        lua_pushliteral(L, "");
        lua_insert(L, -2);
        parts_add(L);
        if (!vm_is_lua(call))
            parts_of_values(L, call->function + 1, limit);
        else
            parts_of_lua(&parts, exact,
                         in_progress ? limit : call->function + 1 + vm_called(call)->registers,
                         in_progress);
        limit = vm_place(call);
    }
    parts_of_values(L, insides->base.function + 1, limit);
}

void parts_push(lua_State *L, void *context, int index)
{
    luaL_checkstack(L, 12, NULL);
    index = lua_absindex(L, index);
    lua_newtable(L);
    if (lua_isthread(L, index))
        parts_of_thread(L, context, lua_tothread(L, index));
    else
        parts_of_function(L, index);
}
