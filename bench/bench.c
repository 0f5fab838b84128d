/*
 * What the benchmarks need beside Lua: clocks, a C function that does nothing, a bare fork, and
 * the plainest way of saving a table, for comparison: a walk with lua_next into msgpack-c. That
 * keeps neither shared tables nor cycles nor metatables, checks nothing and replaces nothing
 * safely.
 *
 * A Lua module, built by bench/run. Resources are lost when something raises: it is a benchmark.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>
#include <msgpack.h>

int luaopen_bench(lua_State *L);

static double now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* now() -> seconds by the clock on the wall */
static int bench_now(lua_State *L)
{
    lua_pushnumber(L, now(CLOCK_MONOTONIC));
    return 1;
}

/* cpu() -> seconds that this process has computed: other processes do not count */
static int bench_cpu(lua_State *L)
{
    lua_pushnumber(L, now(CLOCK_PROCESS_CPUTIME_ID));
    return 1;
}

static int bench_empty(lua_State *L)
{
    (void)L;
    return 0;
}

/* fork() -> seconds that the parent stood still */
static int bench_fork(lua_State *L)
{
    double start = now(CLOCK_MONOTONIC);
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    lua_pushnumber(L, now(CLOCK_MONOTONIC) - start);
    if (pid < 0)
        return luaL_error(L, "fork failed");
    waitpid(pid, NULL, 0);
    return 1;
}

/* replace(file): writes as many bytes as the file has to a new one in its folder, safely, which
 * then takes the place of a third */
static int bench_replace(lua_State *L)
{
    char name[4096], other[4096];
    struct stat status;
    snprintf(name, sizeof name, "%s.bare", luaL_checkstring(L, 1));
    snprintf(other, sizeof other, "%s.bare.tmp", lua_tostring(L, 1));
    if (stat(lua_tostring(L, 1), &status) != 0)
        return luaL_error(L, "no file %s", lua_tostring(L, 1));
    char *bytes = calloc(1, 65536);
    int file = open(other, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    for (off_t left = status.st_size; left > 0; left -= 65536)
        if (write(file, bytes, left < 65536 ? (size_t)left : 65536) < 0)
            return luaL_error(L, "write failed");
    free(bytes);
    fsync(file);
    close(file);
    if (rename(other, name) != 0)
        return luaL_error(L, "rename failed");
    return 0;
}

/* ---------------------------------------------------------------- saving */

/* Whether the keys of the table on top are 1, 2, ... in this order; counts the entries. */
static int is_list(lua_State *L, size_t *count)
{
    int list = 1;
    *count = 0;
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
        ++*count;
        if (list && (!lua_isinteger(L, -2) || (size_t)lua_tointeger(L, -2) != *count))
            list = 0;
    }
    return list && *count > 0;
}

/* Packs the value on top. */
static void pack_value(lua_State *L, msgpack_packer *packer)
{
    size_t size;
    const char *text;
    switch (lua_type(L, -1)) {
    case LUA_TNIL:
        msgpack_pack_nil(packer);
        break;
    case LUA_TBOOLEAN:
        if (lua_toboolean(L, -1))
            msgpack_pack_true(packer);
        else
            msgpack_pack_false(packer);
        break;
    case LUA_TNUMBER:
        if (lua_isinteger(L, -1))
            msgpack_pack_int64(packer, lua_tointeger(L, -1));
        else
            msgpack_pack_double(packer, lua_tonumber(L, -1));
        break;
    case LUA_TSTRING:
        text = lua_tolstring(L, -1, &size);
        msgpack_pack_str(packer, size);
        msgpack_pack_str_body(packer, text, size);
        break;
    case LUA_TTABLE: {
        luaL_checkstack(L, 4, NULL);
        int list = is_list(L, &size);
        if (list)
            msgpack_pack_array(packer, size);
        else
            msgpack_pack_map(packer, size);
        for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
            if (!list) {
                lua_pushvalue(L, -2);
                pack_value(L, packer);
                lua_pop(L, 1);
            }
            pack_value(L, packer);
        }
        break;
    }
    default:
        luaL_error(L, "cannot pack a %s", luaL_typename(L, -1));
    }
}

static int to_file(void *file, const char *data, size_t size)
{
    return fwrite(data, 1, size, file) == size ? 0 : -1;
}

/* save(file, table) */
static int bench_save(lua_State *L)
{
    FILE *file = fopen(luaL_checkstring(L, 1), "wb");
    if (file == NULL)
        return luaL_error(L, "cannot write %s", lua_tostring(L, 1));
    setvbuf(file, NULL, _IOFBF, 64 * 1024);
    msgpack_packer packer;
    msgpack_packer_init(&packer, file, to_file);
    lua_settop(L, 2);
    pack_value(L, &packer);
    if (fflush(file) != 0 || fsync(fileno(file)) != 0 || fclose(file) != 0)
        return luaL_error(L, "writing failed");
    return 0;
}

/* ---------------------------------------------------------------- loading */

static void push_object(lua_State *L, const msgpack_object *object)
{
    luaL_checkstack(L, 4, NULL);
    switch (object->type) {
    case MSGPACK_OBJECT_NIL:
        lua_pushnil(L);
        break;
    case MSGPACK_OBJECT_BOOLEAN:
        lua_pushboolean(L, object->via.boolean);
        break;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        lua_pushinteger(L, object->via.i64);
        break;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        lua_pushnumber(L, object->via.f64);
        break;
    case MSGPACK_OBJECT_STR:
        lua_pushlstring(L, object->via.str.ptr, object->via.str.size);
        break;
    case MSGPACK_OBJECT_ARRAY:
        lua_createtable(L, (int)object->via.array.size, 0);
        for (uint32_t i = 0; i < object->via.array.size; i++) {
            push_object(L, &object->via.array.ptr[i]);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        break;
    case MSGPACK_OBJECT_MAP:
        lua_createtable(L, 0, (int)object->via.map.size);
        for (uint32_t i = 0; i < object->via.map.size; i++) {
            push_object(L, &object->via.map.ptr[i].key);
            push_object(L, &object->via.map.ptr[i].val);
            lua_rawset(L, -3);
        }
        break;
    default:
        luaL_error(L, "cannot load a value of type %d", object->type);
    }
}

/* load(file) -> table */
static int bench_load(lua_State *L)
{
    FILE *file = fopen(luaL_checkstring(L, 1), "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        return luaL_error(L, "cannot read %s", lua_tostring(L, 1));
    size_t size = (size_t)ftell(file), offset = 0;
    char *data = malloc(size);
    rewind(file);
    if (data == NULL || fread(data, 1, size, file) != size)
        return luaL_error(L, "reading failed");
    fclose(file);
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    if (msgpack_unpack_next(&unpacked, data, size, &offset) != MSGPACK_UNPACK_SUCCESS)
        return luaL_error(L, "unpacking failed");
    push_object(L, &unpacked.data);
    msgpack_unpacked_destroy(&unpacked);
    free(data);
    return 1;
}

int luaopen_bench(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"now", bench_now},         {"cpu", bench_cpu},
        {"empty", bench_empty},     {"fork", bench_fork},
        {"replace", bench_replace}, {"save", bench_save},
        {"load", bench_load},       {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}
