#include "job/locals.h"

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "job/say.h"
#include "value/again.h"
#include "value/late.h"
#include "value/names.h"
#include "value/registry.h"

static const char locals_told; /* registry: {"source:line of function:number:name" -> true} */

struct locals {
    struct job *job;
    int told, names, again, registry, late, globals; /* stack indices */
};

static void locals_push_line(void *context, lua_State *L, const char *source, int line)
{
    const struct job *job = context;
    script_push_line(&job->script, L, source, line);
}

static int locals_has(lua_State *L, int table)
{
    lua_pushvalue(L, -1);
    int found = lua_rawget(L, table) != LUA_TNIL;
    lua_pop(L, 1);
    return found;
}

/* Whether the script has the value on top again when it has started: functions, modules, base
 * objects, transients, classes, and objects that are the value of a global too. */
static int locals_come_back(lua_State *L, const struct locals *locals)
{
    switch (lua_type(L, -1)) {
    case LUA_TNIL:
    case LUA_TFUNCTION:
        return 1;
    case LUA_TTABLE:
    case LUA_TUSERDATA:
    case LUA_TTHREAD:
        break;
    default:
        return 0;
    }
    if (locals_has(L, locals->names) || locals_has(L, locals->again) ||
        locals_has(L, locals->registry) || locals_has(L, locals->late))
        return 1;
    int value = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, locals->globals) != 0; lua_pop(L, 1))
        if (lua_rawequal(L, -1, value)) {
            lua_settop(L, value);
            return 1;
        }
    return 0;
}

/* The line where the local was declared, as far as the text shows: the last one up to the present
 * one, within the function, that has "local" or "for" and the name. */
static int locals_line(lua_State *L, const struct locals *locals, const lua_Debug *debug,
                       const char *name)
{
    int first = debug->linedefined > 0 ? debug->linedefined : 1;
    for (int line = debug->currentline; line >= first; line--) {
        script_push_line(&locals->job->script, L, debug->source, line);
        const char *text = lua_tostring(L, -1);
        int here = text != NULL && again_has_word(text, name) &&
                   (again_has_word(text, "local") || again_has_word(text, "for"));
        lua_pop(L, 1);
        if (here)
            return line;
    }
    return first;
}

/* Local number `number` of the frame, whose value is on top. */
static void locals_look(lua_State *L, const struct locals *locals, const lua_Debug *debug,
                        int number, const char *name)
{
    if (*name == '(' || locals_come_back(L, locals))
        return;
    lua_pushfstring(L, "%s:%d:%d:%s", debug->source, debug->linedefined, number, name);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, locals->told) == LUA_TNIL) {
        say_note(locals->job, "local '%s' (%s:%d) is not kept by --resume globals; make it global",
                 name, debug->short_src, locals_line(L, locals, debug, name));
        lua_pushvalue(L, -2);
        lua_pushboolean(L, 1);
        lua_rawset(L, locals->told);
    }
    lua_pop(L, 2);
}

static void locals_look_at_frame(lua_State *L, const struct locals *locals, lua_Debug *debug)
{
    lua_getinfo(L, "Sl", debug);
    if (*debug->what == 'C' || *debug->source != '@')
        return;
    const char *name;
    for (int i = 1; (name = lua_getlocal(L, debug, i)) != NULL; i++) {
        locals_look(L, locals, debug, i, name);
        lua_pop(L, 1);
    }
}

void locals_warn(lua_State *L, struct job *job)
{
    int top = lua_gettop(L);
    struct locals locals = {.job = job};
    lua_Debug debug;
    if (job->host->options.quiet)
        return;
    luaL_checkstack(L, 32, NULL);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &locals_told) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &locals_told);
    }
    locals.told = lua_gettop(L);
    names_push_all(L);
    locals.names = lua_gettop(L);
    again_collect(L, locals_push_line, job);
    locals.again = lua_gettop(L);
    registry_push_all(L);
    locals.registry = lua_gettop(L);
    late_push_all(L);
    locals.late = lua_gettop(L);
    lua_pushglobaltable(L);
    locals.globals = lua_gettop(L);
    for (int level = 1; lua_getstack(L, level, &debug); level++)
        locals_look_at_frame(L, &locals, &debug);
    lua_settop(L, top);
}
