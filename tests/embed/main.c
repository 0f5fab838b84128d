/*
 * A host of one's own, as a user of the installed library would write it: runs the script given
 * and prints the messages that the program would print. Scripts can make objects that have so many
 * bytes of malloc's, by block(BYTES), and be told by blocks() how many there are. $DETERMINISTIC is
 * an option.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ckptlua.h>
#include <lauxlib.h>

/* Names that the library has inside; they must not meet ours. */
int error_set(void);
int error_set(void)
{
    return 7;
}

static const char block_name[] = "block";
static int block_count;

struct block {
    void *memory;
    ptrdiff_t size;
};

static int block_free(lua_State *L)
{
    struct block *block = luaL_checkudata(L, 1, block_name);
    free(block->memory);
    if (block->memory != NULL)
        ckptlua_allocated(L, -block->size);
    block_count -= block->memory != NULL;
    block->memory = NULL;
    return 0;
}

static int block_new(lua_State *L)
{
    ptrdiff_t size = (ptrdiff_t)luaL_checkinteger(L, 1);
    struct block *block = lua_newuserdatauv(L, sizeof *block, 0);
    block->memory = NULL;
    luaL_setmetatable(L, block_name);
    block->size = size;
    block->memory = malloc((size_t)size);
    if (block->memory == NULL)
        return luaL_error(L, "not enough memory");
    ckptlua_allocated(L, size);
    block_count++;
    return 1;
}

static int block_number(lua_State *L)
{
    lua_pushinteger(L, block_count);
    return 1;
}

static void block_open(void *context, lua_State *L)
{
    (void)context;
    luaL_newmetatable(L, block_name);
    lua_pushcfunction(L, block_free);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    lua_register(L, "block", block_new);
    lua_register(L, "blocks", block_number);
}

static void print(void *context, const char *text)
{
    fprintf(stderr, "%s: %s\n", (const char *)context, text);
}

int main(int argc, char *argv[])
{
    char name[] = "embed";
    if (argc < 2 || strcmp(ckptlua_version(), CKPTLUA_VERSION) != 0)
        return 99;
    ckptlua *host = ckptlua_new();
    if (host == NULL)
        return 98;
    ckptlua_on_message(host, print, name);
    ckptlua_on_open(host, block_open, NULL);
    int code = ckptlua_set(host, "interval", "0");
    if (code == CKPTLUA_OK && getenv("DETERMINISTIC") != NULL)
        code = ckptlua_set(host, "deterministic", getenv("DETERMINISTIC"));
    if (code == CKPTLUA_OK)
        code = ckptlua_run(host, argv[1], argc - 2, argv + 2);
    ckptlua_free(host);
    return error_set() == 7 ? code : 97;
}
