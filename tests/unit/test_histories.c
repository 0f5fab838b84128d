/* exact: random histories of tables. A state is saved in the middle of one and put back in another
 * state, and both go on, as does a third one that was never saved. After each step the insides of
 * the tables must be the same in all: sizes, where # begins to look, each node, the order of next.
 *
 * $CKPTLUA_TEST_HISTORIES: how many. Controls that must fail: another seed of hashes; tables that
 * are only filled. */
#include <inttypes.h>
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

#include "exact/heap.h"
#include "exact/nodes.h"
#include "exact/vm.h"
#include "value/decode.h"
#include "value/late.h"
#include "value/names.h"
#include "value/registry.h"
#include "value_support.h"

#if defined(__SANITIZE_ADDRESS__)
enum { HISTORIES = 400 }; /* it takes longer */
#else
enum { HISTORIES = 2000 };
#endif

enum { CONTROLS = 60, TABLES = 3, KEYS = 48, LARGE = 1000, STEPS = 160 };

/* Stack: the tables at 1 to TABLES, then the key at which a walk through table `walked` is. */
struct world {
    struct heap heap;
    lua_State *L;
    uint64_t random;
    int walked;  /* 0: no walk is on its way */
    int lengths; /* # is asked for at each step */
    int lost;    /* the key at which the walk was: that of a table that is only filled */
    unsigned step;
};

enum { PENDING = TABLES + 1 };

static uint32_t draw(struct world *world, uint32_t limit)
{
    return (uint32_t)(value_random(&world->random) >> 33) % limit;
}

/* ---------------------------------------------------------------- steps */

static void push_string(lua_State *L, uint32_t number, int is_long)
{
    lua_pushfstring(
        L, is_long ? "a key of more than forty bytes, of which there may be several: %d" : "key%d",
        (int)number);
}

static void push_key(struct world *world)
{
    lua_State *L = world->L;
    uint32_t number = draw(world, KEYS);
    switch (draw(world, 9)) {
    case 0:
    case 1:
    case 2:
        lua_pushinteger(L, (lua_Integer)number + 1);
        break;
    case 3:
        lua_pushinteger(L, ((lua_Integer)number - 20) * 7919);
        break;
    case 4:
        lua_pushnumber(L, number == 0 ? 1e308 * 10 : (lua_Number)number / 8 - 2.03125);
        break;
    case 5:
        lua_pushboolean(L, (int)number % 2);
        break;
    case 6:
        push_string(L, number % 12, 1);
        break;
    default:
        push_string(L, number, 0);
    }
}

static void set(struct world *world, int table, int removes)
{
    push_key(world);
    if (removes)
        lua_pushnil(world->L);
    else
        lua_pushinteger(world->L, draw(world, 100));
    lua_rawset(world->L, table);
}

static void fill(struct world *world, int table)
{
    lua_State *L = world->L;
    uint32_t count = draw(world, 40), first = draw(world, 30), kind = draw(world, 3);
    if (draw(world, 50) == 0)
        count += draw(world, LARGE);
    for (uint32_t i = 0; i < count; i++) {
        if (kind == 0)
            lua_pushinteger(L, (lua_Integer)first + i);
        else if (kind == 1)
            push_string(L, first + i, 0);
        else
            lua_pushinteger(L, (lua_Integer)(first + i) * 1024);
        lua_pushinteger(L, i);
        lua_rawset(L, table);
    }
}

/* Of a walk through all of it, each entry with a chance. */
static void remove_some(struct world *world, int table)
{
    lua_State *L = world->L;
    uint32_t chance = draw(world, 4) + 1;
    for (lua_pushnil(L); lua_next(L, table) != 0;) {
        lua_pop(L, 1);
        if (draw(world, chance) == 0) {
            lua_pushvalue(L, -1);
            lua_pushnil(L);
            lua_rawset(L, table);
        }
    }
}

static void append(struct world *world, int table)
{
    lua_pushinteger(world->L, 7);
    lua_rawseti(world->L, table, (lua_Integer)lua_rawlen(world->L, table) + 1);
}

static void pop(struct world *world, int table)
{
    lua_pushnil(world->L);
    lua_rawseti(world->L, table, (lua_Integer)lua_rawlen(world->L, table));
}

static void insert(struct world *world, int table)
{
    lua_State *L = world->L;
    lua_Integer length = (lua_Integer)lua_rawlen(L, table);
    for (lua_Integer i = length; i >= length / 2 && i > 0; i--) {
        lua_rawgeti(L, table, i);
        lua_rawseti(L, table, i + 1);
    }
}

/* One step of the walk; its key may be removed then. */
static void walk(struct world *world, int table)
{
    lua_State *L = world->L;
    if (world->walked == 0) {
        world->walked = table;
        lua_pushnil(L);
    } else {
        lua_pushvalue(L, PENDING);
    }
    if (lua_next(L, world->walked) == 0) {
        world->walked = 0;
        lua_pushnil(L);
    } else {
        lua_pop(L, 1);
    }
    lua_replace(L, PENDING);
    if (world->walked != 0 && draw(world, 2) == 0) {
        lua_pushvalue(L, PENDING);
        lua_pushnil(L);
        lua_rawset(L, world->walked);
    }
}

/* A walk must not meet a table that has got new keys meanwhile. */
static void step_once(struct world *world)
{
    int table = (int)draw(world, TABLES) + 1;
    uint32_t what = draw(world, 26);
    world->step++;
    if (what < 4)
        walk(world, table);
    else if (what < 6)
        lua_gc(world->L, LUA_GCCOLLECT);
    else if (table == world->walked)
        set(world, table, 1);
    else if (what < 12)
        set(world, table, 0);
    else if (what < 17)
        set(world, table, 1);
    else if (what < 19)
        append(world, table);
    else if (what < 21)
        pop(world, table);
    else if (what < 22)
        insert(world, table);
    else if (what < 24)
        fill(world, table);
    else
        remove_some(world, table);
}

/* (tables, key, struct world *) -> key */
static int step_protected(lua_State *L)
{
    struct world *world = lua_touserdata(L, PENDING + 1);
    lua_settop(L, PENDING);
    step_once(world);
    return 1;
}

static void step(struct world *world)
{
    lua_State *L = world->L;
    lua_pushcfunction(L, step_protected);
    for (int i = 1; i <= PENDING; i++)
        lua_pushvalue(L, i);
    lua_pushlightuserdata(L, world);
    if (lua_pcall(L, PENDING + 1, 1, 0) != LUA_OK) {
        assert_non_null(strstr(lua_tostring(L, -1), "invalid key to 'next'"));
        world->lost = 1;
        world->walked = 0;
        lua_pop(L, 1);
        lua_pushnil(L);
    }
    lua_replace(L, PENDING);
}

/* ---------------------------------------------------------------- what is compared */

static void mix(uint64_t *sum, uint64_t value)
{
    *sum = (*sum ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    *sum ^= *sum >> 29;
}

static void mix_key(lua_State *L, int index, uint64_t *sum)
{
    size_t size = 0;
    const char *text = NULL;
    uint64_t bits = 0;
    mix(sum, (uint64_t)lua_type(L, index));
    if (lua_type(L, index) == LUA_TSTRING) {
        text = lua_tolstring(L, index, &size);
        for (size_t i = 0; i < size; i++)
            mix(sum, (unsigned char)text[i]);
    } else if (lua_isinteger(L, index)) {
        mix(sum, (uint64_t)lua_tointeger(L, index));
    } else if (lua_isnumber(L, index)) {
        lua_Number number = lua_tonumber(L, index);
        memcpy(&bits, &number, sizeof bits);
        mix(sum, bits);
    } else {
        mix(sum, (uint64_t)lua_toboolean(L, index));
    }
}

static void mix_table(struct world *world, int index, uint64_t *sum)
{
    lua_State *L = world->L;
    const struct vm_table *table = vm_table(L, index);
    uint32_t hash = table->last_free == NULL ? 0 : UINT32_C(1) << table->log_nodes;
    mix(sum, table->array_limit);
    mix(sum, table->flags & VM_LARGE_ARRAY_FLAG);
    mix(sum, hash);
    mix(sum, hash == 0 ? 0 : (uint64_t)(table->last_free - table->nodes));
    for (uint32_t i = 0; i < hash; i++) {
        const struct vm_node *node = &table->nodes[i];
        mix(sum, (uint64_t)(int64_t)node->next);
        mix(sum, vm_is_nil(node->tag) ? 0 : node->tag); /* nil has variants that mean the same */
        mix(sum, node->key_tag);
    }
    if (hash <= 128 || world->step % 16 == 0)
        for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
            mix_key(L, -2, sum);
            mix_key(L, -1, sum);
        }
    if (world->lengths)
        mix(sum, lua_rawlen(L, index));
}

static uint64_t digest(struct world *world)
{
    uint64_t sum = world->random + (uint64_t)world->lost;
    for (int i = 1; i <= TABLES; i++)
        mix_table(world, i, &sum);
    mix_key(world->L, PENDING, &sum);
    return sum;
}

/* ---------------------------------------------------------------- worlds */

static int open_world(lua_State *L)
{
    luaL_requiref(L, LUA_GNAME, luaopen_base, 1);
    lua_settop(L, 0);
    registry_open(L);
    late_open(L);
    names_capture(L);
    return 0;
}

static void begin(struct world *world, uint32_t hash_seed)
{
    memset(world, 0, sizeof *world);
    world->L = heap_new_state(&world->heap, hash_seed);
    assert_non_null(world->L);
    lua_gc(world->L, LUA_GCSTOP);
    lua_pushcfunction(world->L, open_world);
    assert_int_equal(lua_pcall(world->L, 0, 0, 0), LUA_OK);
}

static void begin_history(struct world *world, uint32_t hash_seed, uint64_t random)
{
    begin(world, hash_seed);
    for (int i = 0; i < TABLES; i++)
        lua_newtable(world->L);
    lua_pushnil(world->L);
    world->random = random;
    world->lengths = (int)draw(world, 2);
}

static void end(struct world *world)
{
    lua_close(world->L);
    heap_close(&world->heap);
}

static void no_finalizers(lua_State *L, void *context)
{
    (void)context;
    lua_newtable(L);
}

static void nothing_to_finish(lua_State *L, void *context, int functions, int threads)
{
    (void)L, (void)context, (void)functions, (void)threads;
}

struct saving {
    struct bytes bytes;
    const struct layout_writer *layout;
    struct value_source source;
};

/* (struct saving *, tables and key ...) */
static int save(lua_State *L)
{
    struct saving *saving = lua_touserdata(L, 1);
    struct code_writer code = {.finalizers = no_finalizers};
    struct encode_options options = {
        .walker = &walker_public, .code = &code, .layout = saving->layout};
    struct sink sink = value_sink(&saving->bytes);
    lua_newtable(L);
    for (int i = 1; i <= TABLES + 1; i++) {
        lua_pushvalue(L, i + 1);
        lua_rawseti(L, -2, i);
    }
    encode_exact(L, TABLES + 3, pack_new(L, &sink), &options);
    return 0;
}

/* (struct saving *) -> tables and key */
static int restore(lua_State *L)
{
    struct saving *saving = lua_touserdata(L, 1);
    struct source source = value_source(&saving->source);
    struct code_reader code = {.layout = saving->layout == NULL ? NULL : &nodes_reader,
                               .finish = nothing_to_finish};
    lua_newtable(L);
    decode_exact(L, unpack_new(L, &source), 2, &code, 0);
    for (int i = 1; i <= TABLES + 1; i++)
        lua_rawgeti(L, 2, i);
    return TABLES + 1;
}

static void save_world(struct world *world, struct saving *saving)
{
    lua_State *L = world->L;
    lua_pushcfunction(L, save);
    lua_pushlightuserdata(L, saving);
    for (int i = 1; i <= TABLES + 1; i++)
        lua_pushvalue(L, i);
    if (lua_pcall(L, TABLES + 2, 0, 0) != LUA_OK)
        fail_msg("%s", lua_tostring(L, -1));
    saving->source = (struct value_source){saving->bytes.data, saving->bytes.size, 0, 0};
}

/* Returns 0 where the snapshot is refused. */
static int restore_world(struct world *world, const struct world *original, uint32_t hash_seed,
                         struct saving *saving)
{
    begin(world, hash_seed);
    lua_pushcfunction(world->L, restore);
    lua_pushlightuserdata(world->L, saving);
    if (lua_pcall(world->L, 1, TABLES + 1, 0) != LUA_OK) {
        assert_non_null(strstr(lua_tostring(world->L, -1), "in a place where it cannot be"));
        return 0;
    }
    world->random = original->random;
    world->walked = original->walked;
    world->lengths = original->lengths;
    world->step = original->step;
    return 1;
}

/* ---------------------------------------------------------------- histories */

struct control {
    int other_seed, filled;
};

/* Returns the first step at which the states differ, the one at which it is saved where it cannot
 * be put back, or 0. */
static unsigned history(uint64_t random, struct control control)
{
    struct world original, undisturbed, restored;
    struct saving saving = {.layout = control.filled ? NULL : &nodes_writer};
    uint32_t seed = (uint32_t)(random >> 20);
    begin_history(&original, seed, random);
    begin_history(&undisturbed, seed, random);
    unsigned before = 1 + draw(&original, STEPS), after = before + 1 + draw(&original, STEPS);
    draw(&undisturbed, STEPS);
    draw(&undisturbed, STEPS);
    while (original.step < before) {
        step(&original);
        step(&undisturbed);
    }
    save_world(&original, &saving);
    seed += (uint32_t)control.other_seed;
    unsigned different = restore_world(&restored, &original, seed, &saving) ? 0 : before;
    bytes_free(&saving.bytes);
    while (different == 0) {
        uint64_t sum = digest(&original);
        if (sum != digest(&restored) || sum != digest(&undisturbed))
            different = original.step;
        if (different != 0 || original.step >= after)
            break;
        step(&original);
        step(&restored);
        step(&undisturbed);
    }
    end(&original);
    end(&undisturbed);
    end(&restored);
    return different;
}

static void all_are_the_same(void **state)
{
    (void)state;
    const char *wanted = getenv("CKPTLUA_TEST_HISTORIES");
    long count = wanted == NULL ? HISTORIES : strtol(wanted, NULL, 10);
    uint64_t seed = value_seed(), random = seed;
    for (long i = 0; i < count; i++) {
        uint64_t own = value_random(&random);
        unsigned different = history(own, (struct control){0});
        if (different != 0)
            fail_msg("seed %" PRIu64 ", history %ld differs from step %u on", seed, i, different);
    }
}

static void controls_differ(void **state)
{
    (void)state;
    uint64_t random = value_seed();
    int of_filled = 0, of_seed = 0;
    for (int i = 0; i < CONTROLS; i++) {
        uint64_t own = value_random(&random);
        of_filled += history(own, (struct control){.filled = 1}) != 0;
        of_seed += history(own, (struct control){.other_seed = 1}) != 0;
    }
    assert_true(of_filled > CONTROLS / 2);
    assert_true(of_seed > CONTROLS / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_the_same),
        cmocka_unit_test(controls_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
