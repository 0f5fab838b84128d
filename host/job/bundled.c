#include "job/bundled.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>

#include "exact/loading.h"
#include "job/host.h"
#include "value/registry.h"

/* Waiting threads of OpenMP are to sleep: machines are shared. It reads this when it is loaded, so
 * the environment of the job has it no longer than that. */
static void *bundled_open_library(const char *path)
{
    static const char name[] = "OMP_WAIT_POLICY";
    int is_ours = getenv(name) == NULL;
    if (is_ours)
        setenv(name, "passive", 1);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (is_ours)
        unsetenv(name);
    return library;
}

/* Where libraries may be: where $CKPTLUA_MODULES says, and then nowhere else; beside the program,
 * as it was built; where both were installed, wherever that was moved; where they were to be
 * installed. Returns the length, or -1 behind the last. */
static int bundled_folder(char *folder, size_t size, int i)
{
    char program[PATH_MAX];
    const char *given = getenv("CKPTLUA_MODULES");
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length < 0 ? 0 : length] = '\0';
    char *slash = strrchr(program, '/');
    if (slash != NULL)
        *slash = '\0';
    if (given != NULL)
        return i == 0 ? snprintf(folder, size, "%s", given) : -1;
    switch (i) {
    case 0:
        return snprintf(folder, size, "%s/modules", program);
    case 1:
        return snprintf(folder, size, "%s/../%s", program, CKPTLUA_MODULES_BESIDE);
    case 2:
        return snprintf(folder, size, "%s", CKPTLUA_MODULES_INSTALLED);
    default:
        return -1;
    }
}

/* Pushes the library's function luaopen_NAME, or raises why there is none. */
static void bundled_push_open(lua_State *L, const char *name)
{
    char folder[PATH_MAX];
    luaL_Buffer tried;
    luaL_buffinit(L, &tried);
    for (int i = 0;; i++) {
        int length = bundled_folder(folder, sizeof folder, i);
        if (length < 0)
            break;
        if (length == 0 || (size_t)length >= sizeof folder)
            continue;
        const char *path = lua_pushfstring(L, "%s/%s.so", folder, name);
        void *library = access(path, F_OK) == 0 ? bundled_open_library(path) : NULL;
        if (library != NULL) {
            lua_pushfstring(L, "luaopen_%s", name);
            lua_CFunction function = (lua_CFunction)dlsym(library, lua_tostring(L, -1));
            if (function == NULL)
                luaL_error(L, "%s is no module '%s'", path, name);
            lua_pushcfunction(L, function);
            return;
        }
        lua_pushfstring(L, "\n\t%s", access(path, F_OK) == 0 ? dlerror() : path);
        lua_remove(L, -2);
        luaL_addvalue(&tried);
    }
    luaL_pushresult(&tried);
    luaL_error(L, "module '%s', which comes with ckptlua, cannot be loaded; tried:%s", name,
               lua_tostring(L, -1));
}

/* (name) -> what the library's luaopen_NAME gives */
static int bundled_load_library(lua_State *L)
{
    const char *name = lua_tostring(L, 1);
    bundled_push_open(L, name);
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
    return 1;
}

/* A loader of package.preload. The module's functions and all else that it keeps are the host's
 * own; its table is the script's, which may change it and is saved. */
static int bundled_load(lua_State *L)
{
    const struct exact *exact = &host_job(L)->exact;
    lua_settop(L, 0);
    int own = exact_own(exact, ZONE_HOSTS);
    lua_pushcfunction(L, bundled_load_library);
    lua_pushvalue(L, lua_upvalueindex(1));
    int status = lua_pcall(L, 1, 1, 0);
    exact_own(exact, own);
    if (status != LUA_OK)
        return lua_error(L);
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, 1) != 0;) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, 2);
    }
    return 1;
}

/* (name): loads a module that is not written in Lua. */
static int bundled_load_native(lua_State *L)
{
    loading_native(L, &host_job(L)->exact, lua_tostring(L, 1), NULL);
    return 0;
}

/* A snapshot has a userdata of a type that nobody knows: is it of the module that it is named for?
 */
static void bundled_find_type(lua_State *L, const char *type)
{
    int top = lua_gettop(L);
    const char *dot = strchr(type, '.');
    if (dot == NULL)
        return;
    luaL_checkstack(L, 6, NULL);
    lua_pushlstring(L, type, (size_t)(dot - type));
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    if (lua_getfield(L, -1, lua_tostring(L, top + 1)) == LUA_TFUNCTION &&
        lua_tocfunction(L, -1) == bundled_load) {
        lua_call(L, 0, 0);
    } else {
        lua_pushcfunction(L, bundled_load_native);
        lua_pushvalue(L, top + 1);
        lua_pcall(L, 1, 0, 0); /* if it is none, the type stays unknown */
    }
    lua_settop(L, top);
}

void bundled_open(lua_State *L)
{
    static const char *const names[] = {"num"};
    static const struct userdata_finder finder = {bundled_find_type};
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        lua_pushstring(L, names[i]);
        lua_pushcclosure(L, bundled_load, 1);
        lua_setfield(L, -2, names[i]);
    }
    lua_pop(L, 1);
    registry_set_finder(L, &finder);
}
