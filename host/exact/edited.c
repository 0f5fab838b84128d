#include "exact/edited.h"

#include <string.h>

#include <lauxlib.h>

#include "exact/iterators.h"
#include "exact/loading.h"
#include "exact/rebuild.h"
#include "value/late.h"

/* Bytes of an edited text. */
#define EDITED_LARGEST ((size_t)1 << 28)

static const char edited_chunk_type[] = "ckptlua.edited";

/* What the decoder knows a chunk by. */
struct edited_chunk {
    const char *path;                      /* in its uservalues, or the script's */
    const struct code_chunk *before, *now; /* the same one, if the text is the same */
    const char *before_text, *now_text;    /* likewise */
    size_t before_size, now_size;
    uint32_t *found; /* number before -> number now, 0: not looked for yet; in its uservalues */
};

/* ---------------------------------------------------------------- chunks */

static struct code_chunk *edited_compile(lua_State *L, struct edited *edited, const char *name,
                                         const char *text, size_t size)
{
    if (luaL_loadbufferx(L, text, size, name, "t") != LUA_OK)
        luaL_error(L, "a text with functions that the snapshot has cannot be compiled: %s",
                   lua_tostring(L, -1));
    struct code_chunk *chunk = code_add(L, &edited->exact->code, name, text, size);
    lua_pop(L, 1);
    return chunk;
}

/* The chunk that the running script is. */
static const struct code_chunk *edited_script(lua_State *L, const struct edited *edited,
                                              const char *name)
{
    for (size_t i = 0; i < edited->exact->code.count; i++) {
        const struct code_chunk *chunk = edited->exact->code.chunks[i];
        if (chunk->text == NULL && strcmp(chunk->name, name) == 0)
            return chunk;
    }
    luaL_error(L, "the snapshot has functions of a text that is not in it");
    return NULL;
}

/* (name, text or nil for the script) -> userdata */
static void edited_take_chunk(lua_State *L, void *context)
{
    struct edited *edited = context;
    int name = lua_gettop(L) - 1, text = name + 1;
    luaL_checkstack(L, 8, NULL);
    const char *title = luaL_checkstring(L, name);
    struct edited_chunk *chunk = lua_newuserdatauv(L, sizeof *chunk, 4);
    *chunk = (struct edited_chunk){.path = *title == '@' || *title == '=' ? title + 1 : title};
    lua_pushvalue(L, name);
    lua_setiuservalue(L, text + 1, 3);
    luaL_newmetatable(L, edited_chunk_type);
    lua_setmetatable(L, -2);
    if (lua_isnil(L, text)) {
        chunk->now = edited_script(L, edited, title);
        chunk->path = edited->path;
        chunk->before_size = edited->before_size;
        chunk->before_text = loading_skip(edited->before, &chunk->before_size);
        chunk->now_size = edited->now_size;
        chunk->now_text = loading_skip(edited->now, &chunk->now_size);
    } else {
        chunk->before_text = luaL_checklstring(L, text, &chunk->before_size);
        lua_pushvalue(L, text);
        lua_setiuservalue(L, text + 1, 2);
        chunk->now_text = loading_push_known(L, title, EDITED_LARGEST, &chunk->now_size);
        if (chunk->now_text == NULL) { /* a file that is gone, or no file's text */
            chunk->now_text = chunk->before_text;
            chunk->now_size = chunk->before_size;
            lua_pushvalue(L, text);
        }
        lua_setiuservalue(L, text + 1, 1);
        chunk->now = edited_compile(L, edited, title, chunk->now_text, chunk->now_size);
    }
    chunk->before = chunk->now;
    if (chunk->before_size != chunk->now_size ||
        memcmp(chunk->before_text, chunk->now_text, chunk->now_size) != 0) {
        chunk->before = edited_compile(L, edited, title, chunk->before_text, chunk->before_size);
        chunk->found = lua_newuserdatauv(L, chunk->before->count * sizeof *chunk->found, 0);
        memset(chunk->found, 0, chunk->before->count * sizeof *chunk->found);
        lua_setiuservalue(L, text + 1, 4);
    }
    lua_replace(L, name);
    lua_settop(L, name);
}

/* ---------------------------------------------------------------- functions */

/* Lines first to last of a text. */
static const char *edited_lines(const char *text, size_t size, int first, int last, size_t *length)
{
    const char *end = text + size, *at = text, *from;
    for (int line = 1; line < first && at < end; line++) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        at = next == NULL ? end : next + 1;
    }
    from = at;
    for (int line = first; line <= last && at < end; line++) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        at = next == NULL ? end : next + 1;
    }
    if (at > from && at[-1] == '\n')
        at--;
    *length = (size_t)(at - from);
    return from;
}

/* The how-manieth of the functions on just these lines a prototype is. */
static int edited_ordinal(const struct code_chunk *chunk, uint32_t number)
{
    int ordinal = 0;
    for (uint32_t i = 0; i < number; i++)
        ordinal += chunk->prototypes[i]->first_line == chunk->prototypes[number]->first_line &&
                   chunk->prototypes[i]->last_line == chunk->prototypes[number]->last_line;
    return ordinal;
}

static int edited_is_same(const struct edited_chunk *chunk, uint32_t before, uint32_t now)
{
    const struct vm_prototype *was = chunk->before->prototypes[before],
                              *is = chunk->now->prototypes[now];
    size_t was_length, is_length;
    if (before == 0 || now == 0) /* the text as a whole, which is not the same */
        return 0;
    const char *was_text = edited_lines(chunk->before_text, chunk->before_size, was->first_line,
                                        was->last_line, &was_length);
    const char *is_text =
        edited_lines(chunk->now_text, chunk->now_size, is->first_line, is->last_line, &is_length);
    return was_length == is_length && memcmp(was_text, is_text, is_length) == 0 &&
           edited_ordinal(chunk->before, before) == edited_ordinal(chunk->now, now);
}

/* Raises why a function cannot be found, with its first line. */
static void edited_raise(lua_State *L, const struct edited_chunk *chunk, uint32_t number,
                         const char *why)
{
    size_t length;
    const struct vm_prototype *prototype = chunk->before->prototypes[number];
    const char *line = edited_lines(chunk->before_text, chunk->before_size, prototype->first_line,
                                    prototype->first_line, &length);
    while (length > 0 && strchr(" \t", *line) != NULL)
        line++, length--;
    lua_pushlstring(L, line, length < 60 ? length : 60);
    luaL_error(L,
               "the function that was at %s:%d (%s) %s; a saved function is found by its text: "
               "put it back, or make it a global function or one of a module",
               chunk->path, prototype->first_line, lua_tostring(L, -1), why);
}

static uint32_t edited_find(lua_State *L, const struct edited_chunk *chunk, uint32_t number)
{
    uint32_t found = chunk->found[number], count = 0;
    if (found != 0)
        return found;
    for (uint32_t i = 1; i < chunk->now->count; i++)
        if (edited_is_same(chunk, number, i)) {
            found = i;
            count++;
        }
    if (count != 1)
        edited_raise(L, chunk, number, count == 0 ? "is not there any more" : "is there twice now");
    chunk->found[number] = found;
    return found;
}

static void edited_take_function(lua_State *L, void *context, int index, uint32_t number,
                                 uint64_t place)
{
    struct edited *edited = context;
    struct code *code = &edited->exact->code;
    const struct edited_chunk *chunk = luaL_testudata(L, index, edited_chunk_type);
    (void)place;
    if (chunk == NULL || number >= chunk->before->count)
        luaL_error(L, "the snapshot has a function of no place");
    if (chunk->before == chunk->now) {
        code_push_closure(L, code, chunk->now->prototypes[number], CODE_NO_PLACE);
        return;
    }
    code_push_closure(L, code, chunk->now->prototypes[edited_find(L, chunk, number)],
                      CODE_NO_PLACE);
    lua_rawgeti(L, LUA_REGISTRYINDEX, edited->originals);
    lua_pushvalue(L, -2);
    lua_createtable(L, 3, 0);
    lua_pushvalue(L, index);
    lua_rawseti(L, -2, 1);
    lua_pushinteger(L, number);
    lua_rawseti(L, -2, 2);
    code_push_closure(L, code, chunk->before->prototypes[number], CODE_NO_PLACE);
    lua_rawseti(L, -2, 3);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

static void edited_take_thread(lua_State *L, void *context, uint64_t place)
{
    (void)context;
    (void)place;
    luaL_error(L, "the snapshot has a coroutine, which --resume globals cannot continue");
}

static void edited_take_made(lua_State *L, void *context, const char *kind, int count)
{
    const struct edited *edited = context;
    if (!iterators_make(L, edited->exact, kind, count))
        edited_take_thread(L, context, CODE_NO_PLACE);
}

/* ---------------------------------------------------------------- upvalues */

/* The number of the upvalue of that name, or 0. No two have the same: one variable of a name can be
 * seen where a function begins. */
static int edited_upvalue(lua_State *L, int function, const char *name)
{
    const char *other;
    for (int i = 1; (other = lua_getupvalue(L, function, i)) != NULL; i++) {
        lua_pop(L, 1);
        if (strcmp(other, name) == 0)
            return i;
    }
    return 0;
}

/* Pushes what is in the list on top, the upvalues of the original, in the order of those of the
 * function. */
static void edited_sort(lua_State *L, int function, int original)
{
    int list = lua_gettop(L);
    const char *name;
    lua_rawgeti(L, original, 1);
    lua_rawgeti(L, original, 2);
    lua_rawgeti(L, original, 3);
    const struct edited_chunk *chunk = lua_touserdata(L, list + 1);
    lua_newtable(L);
    for (int i = 1; (name = lua_getupvalue(L, function, i)) != NULL; i++) {
        lua_pop(L, 1);
        int place = edited_upvalue(L, list + 3, name);
        if (place == 0) {
            lua_pushfstring(L, "uses a local variable '%s' now that it did not use before", name);
            edited_raise(L, chunk, (uint32_t)lua_tointeger(L, list + 2), lua_tostring(L, -1));
        }
        lua_rawgeti(L, list, place);
        lua_rawseti(L, list + 4, i);
    }
    lua_replace(L, list + 1);
    lua_settop(L, list + 1);
}

/* What is not there yet in an upvalue is put there when it is. */
static void edited_wait(lua_State *L, int function)
{
    for (int i = 1; lua_getupvalue(L, function, i) != NULL; lua_pop(L, 1), i++) {
        int waits = late_describe(L, -1) ? 1 : late_describe_object(L, -1) ? 2 : 0;
        lua_pop(L, waits);
        if (waits == 0)
            continue;
        lua_pushinteger(L, i);
        lua_insert(L, -2);
        late_place(L, function, -2);
        lua_remove(L, -2);
    }
}

static void edited_finish(lua_State *L, void *context, int functions, int threads)
{
    struct edited *edited = context;
    int top = lua_gettop(L), function = top + 2, original = top + 3;
    luaL_checkstack(L, 16, NULL);
    lua_rawgeti(L, LUA_REGISTRYINDEX, edited->originals);
    for (lua_Integer i = 1; lua_rawgeti(L, functions, i) != LUA_TNIL; i += 2) {
        lua_pushvalue(L, function);
        if (lua_rawget(L, top + 1) == LUA_TTABLE) {
            if (lua_rawgeti(L, functions, i + 1) != LUA_TTABLE)
                luaL_error(L, "the snapshot has a function without upvalues");
            edited_sort(L, function, original);
            lua_rawseti(L, functions, i + 1);
        }
        lua_settop(L, top + 1);
    }
    lua_settop(L, top);
    rebuild_finish(L, edited->exact, functions, threads);
    rebuild_threads(L, edited->exact, 0); /* of which there are none */
    for (lua_Integer i = 1; lua_rawgeti(L, functions, i) != LUA_TNIL; i += 2) {
        edited_wait(L, top + 1);
        lua_settop(L, top);
    }
    lua_settop(L, top);
    luaL_unref(L, LUA_REGISTRYINDEX, edited->originals);
}

void edited_reader(lua_State *L, struct edited *edited, struct code_reader *reader)
{
    lua_newtable(L);
    edited->originals = luaL_ref(L, LUA_REGISTRYINDEX);
    *reader = (struct code_reader){.context = edited,
                                   .chunk = edited_take_chunk,
                                   .function = edited_take_function,
                                   .thread = edited_take_thread,
                                   .made = edited_take_made,
                                   .finish = edited_finish};
}
