#include "job/convert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "base/bytes.h"
#include "exact/capture.h"
#include "job/exactly.h"
#include "job/state.h"
#include "value/decode.h"
#include "value/encode.h"
#include "value/registry.h"

/* The snapshot is read into a state of its own, with the script as it was, in which nothing ever
 * runs, and written from there as a snapshot of globals. What belongs to the running job, files and
 * iterators over them, is only carried over. */

static const char convert_body_type[] = "ckptlua.convert";

struct convert_body {
    struct bytes bytes;
    size_t read;
};

struct convert {
    struct job *job; /* of that state */
    struct unpack *unpack;
    struct convert_body *body;
};

/* ---------------------------------------------------------------- the bytes */

static int convert_free_body(lua_State *L)
{
    struct convert_body *body = lua_touserdata(L, 1);
    bytes_free(&body->bytes);
    return 0;
}

static struct convert_body *convert_push_body(lua_State *L)
{
    struct convert_body *body = lua_newuserdatauv(L, sizeof *body, 0);
    *body = (struct convert_body){0};
    if (luaL_newmetatable(L, convert_body_type)) {
        lua_pushcfunction(L, convert_free_body);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return body;
}

static int convert_write(void *context, const void *data, size_t size)
{
    struct convert_body *body = context;
    return bytes_append(&body->bytes, data, size);
}

static int64_t convert_read(void *context, void *data, size_t size)
{
    struct convert_body *body = context;
    if (size > body->bytes.size - body->read)
        size = body->bytes.size - body->read;
    memcpy(data, body->bytes.data + body->read, size);
    body->read += size;
    return (int64_t)size;
}

/* ---------------------------------------------------------------- what is carried over */

/* A file, with what the job knows it by. In that state it is one that was closed. */
static void convert_load_handle(lua_State *L, const char *data, size_t size)
{
    luaL_Stream *stream = lua_newuserdatauv(L, sizeof *stream, 1);
    *stream = (luaL_Stream){0};
    lua_pushlstring(L, data, size);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, LUA_FILEHANDLE);
}

static void convert_save_handle(lua_State *L, int index)
{
    if (lua_getiuservalue(L, index, 1) != LUA_TSTRING)
        luaL_error(L, "a standard file");
}

/* In the place of a function that a library has made; its upvalues are the kind and the values. */
static int convert_made(lua_State *L)
{
    return luaL_error(L, "only carried over");
}

static void convert_read_made(lua_State *L, void *context, const char *kind, int count)
{
    (void)context;
    if (count > 250)
        luaL_error(L, "a function that is made of too much");
    lua_pushstring(L, kind);
    lua_insert(L, -1 - count);
    lua_pushcclosure(L, convert_made, count + 1);
}

static int convert_write_made(lua_State *L, void *context, int index)
{
    int count = 0;
    (void)context;
    if (lua_tocfunction(L, index) != convert_made)
        return -1;
    index = lua_absindex(L, index);
    while (lua_getupvalue(L, index, count + 1) != NULL)
        count++;
    return count - 1;
}

/* ---------------------------------------------------------------- the whole */

/* Classes are known by name, their functions are not called. */
static void convert_take_classes(lua_State *L, int roots)
{
    if (lua_getfield(L, roots, "classes") == LUA_TTABLE)
        for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
            if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TTABLE)
                continue;
            if (lua_rawgeti(L, -1, 1) == LUA_TTABLE)
                registry_add_class(L, lua_tostring(L, -3), -1, 0, 0);
            lua_pop(L, 1);
        }
    lua_pop(L, 1);
}

/* Transient values are made by the script when it starts. */
static void convert_take_transients(lua_State *L, int roots)
{
    if (lua_getfield(L, roots, "transients") == LUA_TTABLE)
        for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
            if (lua_type(L, -2) != LUA_TSTRING)
                continue;
            lua_pushboolean(L, 1);
            registry_set_transient(L, lua_tostring(L, -3));
            lua_pop(L, 1);
        }
    lua_pop(L, 1);
}

static void convert_push_line(void *context, lua_State *L, const char *source, int line)
{
    const struct job *job = context;
    script_push_line(&job->script, L, source, line);
}

/* (struct convert *), in that state */
static int convert_run(lua_State *L)
{
    static const struct userdata_type file_type = {
        .name = LUA_FILEHANDLE, .save = convert_save_handle, .load = convert_load_handle};
    const struct convert *convert = lua_touserdata(L, 1);
    struct exact *exact = &convert->job->exact;
    struct sink sink = {convert_write, convert->body};
    struct code_reader reader;
    struct code_writer writer;
    struct encode_options options = {.walker = &walker_public,
                                     .push_line = convert_push_line,
                                     .context = convert->job,
                                     .code = &writer};
    exact_reader(exact, &reader);
    reader.order = NULL;
    reader.layout = NULL;
    reader.made = convert_read_made;
    exact_writer(exact, &writer);
    writer.made = convert_write_made;
    registry_add_type(L, &file_type);
    lua_newtable(L);
    int roots = lua_gettop(L);
    decode_exact(L, convert->unpack, roots, &reader, 1);
    convert_take_classes(L, roots);
    convert_take_transients(L, roots);
    capture_begin(exact);
    encode_globals(L, pack_new(L, &sink), &options);
    capture_end(exact);
    return 0;
}

/* A job that only has a state. Returns 0 if there is not enough memory, or no state. */
static int convert_open(struct job *scratch, const struct job *job, const char *text, size_t size)
{
    scratch->host = job->host;
    scratch->schedule = job->schedule;
    scratch->seed = job->seed;
    heap_open(&scratch->heap, 1);
    scratch->exact.vm = job->exact.vm;
    scratch->exact.is_checked = 1;
    scratch->exact.takes_edited = 1;
    scratch->script = job->script;
    scratch->script.size = size;
    scratch->script.text = malloc(size + 1);
    if (scratch->script.text == NULL)
        return 0;
    memcpy(scratch->script.text, text, size);
    scratch->script.text[size] = '\0';
    return state_make(scratch) == CKPTLUA_OK;
}

static void convert_close(struct job *scratch)
{
    if (scratch->L != NULL)
        lua_close(scratch->L);
    heap_close(&scratch->heap);
    exact_close(&scratch->exact);
    script_free(&scratch->script);
    free(scratch);
}

struct unpack *convert_to_globals(lua_State *L, const struct job *job, struct unpack *unpack,
                                  const char *text, size_t size)
{
    char message[1024] = "not enough memory";
    struct convert convert = {.unpack = unpack, .body = convert_push_body(L)};
    int status = LUA_ERRMEM;
    convert.job = calloc(1, sizeof *convert.job);
    if (convert.job != NULL && convert_open(convert.job, job, text, size)) {
        lua_pushcfunction(convert.job->L, convert_run);
        lua_pushlightuserdata(convert.job->L, &convert);
        status = lua_pcall(convert.job->L, 1, 0, 0);
        if (status != LUA_OK)
            snprintf(message, sizeof message, "%s", luaL_tolstring(convert.job->L, -1, NULL));
    }
    if (convert.job != NULL)
        convert_close(convert.job);
    if (status == LUA_ERRMEM)
        luaL_error(L, "not enough memory");
    if (status != LUA_OK)
        luaL_error(L, "%s", message);
    struct source source = {convert_read, convert.body, convert.body->bytes.size};
    return unpack_new(L, &source);
}
