#include "num/files.h"

#include <string.h>
#include <strings.h>

#include <lauxlib.h>

#include "num/datafile.h"
#include "num/matrixmarket.h"
#include "num/npy.h"

struct format {
    const char *ending;
    void (*load)(lua_State *L, const char *name);
    void (*save)(lua_State *L, const char *name, int index);
};

static const struct format formats[] = {
    {".mtx", matrixmarket_load, matrixmarket_save},
    {".npy", npy_load, npy_save},
};

static const struct format *files_format(lua_State *L, const char *name)
{
    const char *ending = strrchr(name, '.');
    for (size_t i = 0; ending != NULL && i < sizeof formats / sizeof *formats; i++)
        if (strcasecmp(ending, formats[i].ending) == 0)
            return &formats[i];
    luaL_error(
        L,
        "%s: the ending tells no format that num knows; it knows .mtx (Matrix Market) and .npy "
        "(NumPy)",
        name);
    return NULL;
}

/* num.load(name) -> matrix */
static int files_load(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    lua_settop(L, 1);
    files_format(L, name)->load(L, name);
    return 1;
}

/* num.save(name, matrix) */
static int files_save(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    luaL_checkany(L, 2);
    lua_settop(L, 2);
    files_format(L, name)->save(L, name, 2);
    return 0;
}

void files_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"load", files_load}, {"save", files_save}, {NULL, NULL}};
    datafile_open_type(L);
    luaL_setfuncs(L, functions, 0);
}
