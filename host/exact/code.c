#include "exact/code.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "exact/address.h"
#include "exact/analysis.h"

enum { CODE_MOST_UPVALUES = 255, CODE_LOCALS = 150 };

static int code_no_memory(lua_State *L)
{
    return luaL_error(L, "not enough memory");
}

void code_open(lua_State *L, struct code *code)
{
    lua_newtable(L);
    code->makers = luaL_ref(L, LUA_REGISTRYINDEX);
}

static void code_free_chunk(struct code_chunk *chunk)
{
    for (uint32_t i = 0; chunk->analyses != NULL && i < chunk->count; i++)
        analysis_free(chunk->analyses[i]);
    free(chunk->analyses);
    free(chunk->prototypes);
    free(chunk->name);
    free(chunk->text);
    free(chunk);
}

void code_close(struct code *code)
{
    for (size_t i = 0; i < code->count; i++)
        code_free_chunk(code->chunks[i]);
    free(code->chunks);
    idmap_free(&code->map);
    *code = (struct code){0};
}

/* ---------------------------------------------------------------- closures */

/* Pushes a function that makes a closure of `count` upvalues, none of which it shares. Lua allows
 * 200 local variables in a function, and 255 upvalues: where there are more it makes a function
 * that makes the closure. */
static void code_compile_maker(lua_State *L, int count)
{
    luaL_Buffer text;
    char name[24];
    luaL_buffinit(L, &text);
    for (int i = 1; i <= count; i++) {
        if (i == CODE_LOCALS + 1)
            luaL_addstring(&text, "return function() ");
        snprintf(name, sizeof name, "local u%d ", i);
        luaL_addstring(&text, name);
    }
    luaL_addstring(&text, "return function() return 0");
    for (int i = 1; i <= count; i++) {
        snprintf(name, sizeof name, ",u%d", i);
        luaL_addstring(&text, name);
    }
    luaL_addstring(&text, " end");
    if (count > CODE_LOCALS)
        luaL_addstring(&text, " end");
    luaL_pushresult(&text);
    if (luaL_loadbufferx(L, lua_tostring(L, -1), lua_rawlen(L, -1), "=ckptlua", "t") != LUA_OK)
        lua_error(L);
    lua_remove(L, -2);
}

/* Pushes a function whose call makes a closure of `count` upvalues, and nothing else that has a
 * place. */
static void code_push_maker(lua_State *L, const struct code *code, int count)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, code->makers);
    if (lua_rawgeti(L, -1, count + 1) == LUA_TNIL) {
        lua_pop(L, 1);
        code_compile_maker(L, count);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, count + 1);
    }
    lua_remove(L, -2);
    if (count > CODE_LOCALS)
        lua_call(L, 0, 1);
}

void code_push_closure(lua_State *L, struct code *code, struct vm_prototype *prototype,
                       uint64_t place)
{
    int count = prototype->upvalues_count;
    luaL_checkstack(L, 8, NULL);
    code_push_maker(L, code, count);
    address_want(code->addresses, place);
    lua_call(L, 0, 1);
    address_made(L, code->addresses, place);
    struct vm_closure *closure = vm_closure(L, -1);
    if (closure->upvalues_count != count)
        luaL_error(L, "a function of %d upvalues cannot be made", count);
    closure->prototype = prototype; /* the closure is new and white: no barrier */
}

/* ---------------------------------------------------------------- chunks */

static uint32_t code_count(const struct vm_prototype *prototype)
{
    uint32_t count = 1;
    for (int32_t i = 0; i < prototype->children_count; i++)
        count += code_count(prototype->children[i]);
    return count;
}

static void code_flatten(struct vm_prototype *prototype, struct vm_prototype **out, uint32_t *at)
{
    out[(*at)++] = prototype;
    for (int32_t i = 0; i < prototype->children_count; i++)
        code_flatten(prototype->children[i], out, at);
}

/* Appends an empty chunk. */
static struct code_chunk *code_append(lua_State *L, struct code *code)
{
    if (code->count == code->room) {
        size_t room = code->room == 0 ? 16 : 2 * code->room;
        struct code_chunk **chunks = realloc(code->chunks, room * sizeof *chunks);
        if (chunks == NULL)
            code_no_memory(L);
        code->chunks = chunks;
        code->room = room;
    }
    struct code_chunk *chunk = calloc(1, sizeof *chunk);
    if (chunk == NULL)
        code_no_memory(L);
    chunk->anchor = LUA_NOREF;
    code->chunks[code->count++] = chunk;
    return chunk;
}

/* A chunk that could not be completed is one without prototypes, which nothing finds. */
struct code_chunk *code_add(lua_State *L, struct code *code, const char *name, const char *text,
                            size_t size)
{
    struct vm_prototype *prototype = vm_closure(L, -1)->prototype;
    /* Not the function itself, which holds its _ENV. */
    code_push_closure(L, code, prototype, PLACES_OWN);
    const void *holder = lua_topointer(L, -1);
    int anchor = luaL_ref(L, LUA_REGISTRYINDEX);
    struct code_chunk *chunk = code_append(L, code);
    chunk->anchor = anchor;
    chunk->holder = holder;
    uint32_t count = code_count(prototype), at = 0;
    chunk->name = strdup(name);
    chunk->prototypes = malloc(count * sizeof(struct vm_prototype *));
    chunk->text = text == NULL ? NULL : malloc(size + 1);
    if (chunk->name == NULL || chunk->prototypes == NULL || (text != NULL && chunk->text == NULL))
        code_no_memory(L);
    if (text != NULL) {
        memcpy(chunk->text, text, size);
        chunk->text[size] = '\0';
    }
    chunk->size = size;
    code_flatten(prototype, chunk->prototypes, &at);
    chunk->count = count;
    return chunk;
}

/* Enters the prototypes of all chunks into the map. */
static void code_expand(lua_State *L, struct code *code)
{
    for (; code->expanded < code->count; code->expanded++) {
        const struct code_chunk *chunk = code->chunks[code->expanded];
        for (uint32_t i = 0; i < chunk->count; i++) {
            struct idmap_entry *entry = idmap_find(&code->map, chunk->prototypes[i]);
            if (entry == NULL)
                code_no_memory(L);
            entry->number = ((uint64_t)code->expanded << 32 | i) + 1;
        }
    }
}

int code_find(lua_State *L, struct code *code, const struct vm_prototype *prototype,
              struct code_chunk **chunk, uint32_t *number)
{
    code_expand(L, code);
    struct idmap_entry *entry = idmap_find(&code->map, prototype);
    if (entry == NULL)
        code_no_memory(L);
    if (entry->number == 0)
        return 0;
    *chunk = code->chunks[(entry->number - 1) >> 32];
    *number = (uint32_t)(entry->number - 1);
    return 1;
}

void code_begin(struct code *code)
{
    for (size_t i = 0; i < code->count; i++)
        code->chunks[i]->met = 0;
}

static int code_has_unmet(const struct code *code)
{
    for (size_t i = 0; i < code->count; i++)
        if (!code->chunks[i]->met && !code->chunks[i]->lasting)
            return 1;
    return 0;
}

void code_meet_unfreed(lua_State *L, struct code *code)
{
    struct code_chunk *chunk;
    uint32_t number;
    if (!code_has_unmet(code))
        return;
    for (const struct vm_object *object = vm_thread(L)->global->all; object != NULL;
         object = object->next) {
        const struct vm_closure *closure = (const void *)object;
        if (object->type == VM_LUA_CLOSURE && closure->prototype != NULL &&
            code_find(L, code, closure->prototype, &chunk, &number) && chunk->holder != closure)
            chunk->met = 1;
    }
}

void code_drop(lua_State *L, struct code *code)
{
    size_t kept = 0;
    for (size_t i = 0; i < code->count; i++) {
        struct code_chunk *chunk = code->chunks[i];
        if (chunk->met || chunk->lasting) {
            code->chunks[kept++] = chunk;
        } else {
            luaL_unref(L, LUA_REGISTRYINDEX, chunk->anchor);
            code_free_chunk(chunk);
        }
    }
    if (kept < code->count) { /* the numbers of chunks have changed */
        code->count = kept;
        code->expanded = 0;
        idmap_free(&code->map);
    }
}

void code_tell_met(const struct code *code, unsigned char *met, size_t count)
{
    for (size_t i = 0; i < count && i < code->count; i++)
        met[i] = code->chunks[i]->met != 0;
}

void code_drop_told(lua_State *L, struct code *code, const unsigned char *met, size_t count)
{
    for (size_t i = 0; i < code->count; i++)
        code->chunks[i]->met = i >= count || met[i]; /* later ones it did not know */
    code_drop(L, code);
}
