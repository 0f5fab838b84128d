/* num: what is in a snapshot of arrays is read again, and hostile bytes give an error or an array
 * that can be used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lualib.h>

#include "ckptlua.h"
#include "scratch.h"
#include "value/registry.h"

enum { ROUNDS = 4000 };

static lua_State *open_state(void)
{
    lua_State *L = luaL_newstate();
    assert_non_null(L);
    luaL_openlibs(L);
    registry_open(L);
    lua_getglobal(L, "package");
    lua_pushfstring(L, "%s/?.so", getenv("CKPTLUA_TEST_MODULES"));
    lua_setfield(L, -2, "cpath");
    lua_pop(L, 1);
    if (luaL_dostring(L, "num = require 'num'; math.randomseed(1)") != LUA_OK)
        fail_msg("%s", lua_tostring(L, -1));
    return L;
}

enum { BLOCKS = 4 };

/* What a snapshot has of a userdata. The bytes are in memory of just that size: for sanitizers. */
struct saved {
    const struct userdata_type *type;
    char *bytes;
    size_t size;
    int count;
    struct userdata_block blocks[BLOCKS];
};

static void *copy(const void *data, size_t size)
{
    void *bytes = malloc(size + 1);
    assert_non_null(bytes);
    memcpy(bytes, data, size);
    return bytes;
}

/* Pushes the value of an expression, and fills *saved. */
static void push_saved(lua_State *L, const char *expression, struct saved *saved)
{
    lua_pushfstring(L, "return %s", expression);
    assert_int_equal(luaL_dostring(L, lua_tostring(L, -1)), LUA_OK);
    lua_remove(L, -2);
    int index = lua_gettop(L);
    saved->type = registry_type_of(L, index);
    assert_non_null(saved->type);
    saved->type->save(L, index);
    const char *bytes = lua_tolstring(L, -1, &saved->size);
    saved->bytes = copy(bytes, saved->size);
    lua_pop(L, 1);
    saved->count = 0;
    while (saved->type->save_block != NULL &&
           saved->type->save_block(L, index, saved->count, &saved->blocks[saved->count])) {
        struct userdata_block *block = &saved->blocks[saved->count++];
        assert_true(saved->count < BLOCKS);
        block->data = copy(block->data, block->size);
    }
}

static void free_saved(struct saved *saved)
{
    free(saved->bytes);
    for (int i = 0; i < saved->count; i++)
        free(saved->blocks[i].data);
}

/* (struct saved *) -> userdata, as the decoder does it */
static int load_value(lua_State *L)
{
    const struct saved *saved = lua_touserdata(L, 1);
    saved->type->load(L, saved->bytes, saved->size);
    for (int i = 0; i < saved->count; i++) {
        struct userdata_block block = {NULL, saved->blocks[i].size, saved->blocks[i].width};
        if (saved->type->load_block == NULL)
            return luaL_error(L, "a block in the snapshot that is not expected");
        saved->type->load_block(L, 2, i, &block);
        memcpy(block.data, saved->blocks[i].data, block.size);
    }
    if (saved->type->loaded != NULL)
        saved->type->loaded(L, 2);
    return 1;
}

static int load_saved(lua_State *L, struct saved *saved)
{
    lua_pushcfunction(L, load_value);
    lua_pushlightuserdata(L, saved);
    return lua_pcall(L, 1, 1, 0);
}

static const char *const expressions[] = {
    "num.randn(3, 1)",           "num.zeros(0, 4)",
    "num.randn(8, 8)",           "num.randn(13, 7)",
    "2 * num.randn(100, 1)",     "num.rand(100, 1) + 3 * num.rand(100, 1)",
    "num.gallery('poisson', 4)", "num.gallery('poisson', 9) * num.rand(81, 1)",
    "num.sparse(5, 0)",          "num.sparse(0, 5)",
};

static void test_round_trip(void **state)
{
    (void)state;
    lua_State *L = open_state();
    for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
        struct saved saved;
        push_saved(L, expressions[i], &saved);
        assert_int_equal(load_saved(L, &saved), LUA_OK);
        assert_true(lua_compare(L, -1, -2, LUA_OPEQ));
        assert_ptr_equal(registry_type_of(L, -1), registry_type_of(L, -2));
        free_saved(&saved);
        lua_settop(L, 0);
    }
    lua_close(L);
}

/* Changes some bytes, and the length. */
static void damage(char *bytes, size_t *size)
{
    if (*size == 0)
        return;
    size_t at = (size_t)rand() % *size;
    switch (rand() % 4) {
    case 0:
        bytes[at] = (char)rand();
        break;
    case 1:
        bytes[at] = (char)(bytes[at] + (rand() % 2 == 0 ? 1 : -1));
        break;
    case 2:
        memset(bytes + at, rand() % 2 == 0 ? 0xFF : 0, *size - at < 8 ? *size - at : 8);
        break;
    default:
        *size -= (size_t)rand() % (*size < 16 ? *size : 16);
    }
}

static void damage_saved(struct saved *saved)
{
    for (int count = rand() % 3 + 1; count > 0; count--) {
        struct userdata_block *block = &saved->blocks[rand() % BLOCKS];
        int is_block = block - saved->blocks < saved->count;
        if (!is_block || rand() % 2 == 0)
            damage(saved->bytes, &saved->size);
        else if (rand() % 8 == 0)
            block->width = rand() % 10;
        else if (rand() % 16 == 0)
            free(saved->blocks[--saved->count].data);
        else
            damage(block->data, &block->size);
    }
}

static void test_hostile(void **state)
{
    (void)state;
    int loaded = 0, refused = 0;
    lua_State *L = open_state();
    srand((unsigned)scratch_seed());
    for (int i = 0; i < ROUNDS; i++) {
        struct saved saved;
        push_saved(L, expressions[(size_t)rand() % (sizeof expressions / sizeof *expressions)],
                   &saved);
        damage_saved(&saved);
        if (load_saved(L, &saved) == LUA_OK) {
            loaded++;
            lua_setglobal(L, "x");
            if (luaL_dostring(L, "local m, n = num.size(x)\n"
                                 "if n < 1000 and m < 1000 then\n"
                                 "  local y = x * num.ones(n, 1)\n"
                                 "  local z = x:t() * num.ones(m, 1)\n"
                                 "end\n"
                                 "return tostring(x)\n") != LUA_OK)
                fail_msg("%s", lua_tostring(L, -1));
        } else {
            refused++;
            if (strstr(lua_tostring(L, -1), "in the snapshot") == NULL &&
                strstr(lua_tostring(L, -1), "no memory for") == NULL)
                fail_msg("%s", lua_tostring(L, -1));
        }
        free_saved(&saved);
        lua_settop(L, 0);
    }
    printf("%d loaded, %d refused\n", loaded, refused);
    assert_true(loaded > 0 && refused > 0);
    lua_close(L);
}

int main(void)
{
    /* The module finds it in the process. */
    void *volatile used = (void *)(uintptr_t)ckptlua_register;
    (void)used;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
