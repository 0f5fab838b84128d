/* zone: random histories against a model that looks for the lowest free place in the plainest way;
 * places that are wanted, garbage that is put back, bases that are taken, memory that runs out. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lualib.h>

#include "scratch.h"
#include "zone/places.h"
#include "zone/zone.h"

/* ---------------------------------------------------------------- mmap that fails */

/* Where offsets have 64 bits its name is mmap64. */

static long maps_left = -1; /* until all fail; -1: none do */

void *__real_mmap64(void *at, size_t size, int access, int flags, int file, off_t offset);
void *__wrap_mmap64(void *at, size_t size, int access, int flags, int file, off_t offset);

void *__wrap_mmap64(void *at, size_t size, int access, int flags, int file, off_t offset)
{
    if (maps_left > 0)
        maps_left--;
    if (maps_left == 0) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return __real_mmap64(at, size, access, flags, file, offset);
}

/* ---------------------------------------------------------------- the model */

enum { KINDS = 4, REGIONS = PLACES_STEP, CELLS = 40000, OBJECTS = 20000, PAGES = 52 };

/* Between cells of the core, near cells and far ones there are numbers without a cell. */
enum { NEAR = 2000, HOLE = 2 };

struct object {
    char *block;
    size_t size;
    uint64_t place;
    int kind; /* LUA_T*; 0: a block without a kind */
    int fill;
};

struct model {
    struct zone zone;
    uint64_t random;
    unsigned char *used[REGIONS]; /* a byte for each cell */
    struct object objects[OBJECTS];
    int count;
};

static uint64_t draw(struct model *model, uint64_t limit)
{
    model->random = model->random * 6364136223846793005u + 1442695040888963407u;
    return (model->random >> 33) % limit;
}

static struct model *model_new(uint64_t seed)
{
    struct model *model = calloc(1, sizeof *model);
    assert_non_null(model);
    model->random = seed;
    zone_open(&model->zone, 0);
    assert_int_not_equal(model->zone.where, ZONE_NOWHERE);
    for (int i = 0; i < REGIONS; i++) {
        model->used[i] = calloc(CELLS, 1);
        for (uint64_t cell = 0; cell < NEAR; cell++)
            if (places_address(&model->zone, cell * PLACES_STEP + (uint64_t)i) == NULL)
                model->used[i][cell] = HOLE;
    }
    return model;
}

static void model_free(struct model *model)
{
    zone_close(&model->zone);
    for (int i = 0; i < REGIONS; i++)
        free(model->used[i]);
    free(model);
}

/* Bytes of the cells that an object of this size gets: the class, found by trying. */
static unsigned model_class(size_t size)
{
    if (size <= 512)
        return (unsigned)(size + 15) / 16 - 1;
    if (size > 16384)
        return PAGES;
    unsigned class = 32;
    for (size_t base = 512;; base *= 2)
        for (size_t quarter = 1; quarter <= 4; quarter++, class ++)
            if (size <= base + base / 4 * quarter)
                return class;
}

static unsigned model_region(int kind, size_t size)
{
    return (unsigned)(kind - LUA_TTABLE) * 64 + model_class(size);
}

static unsigned model_cells(size_t size)
{
    return size > 16384 ? (unsigned)((size + 4095) / 4096) : 1;
}

/* The place that an object must get: the lowest that is free. */
static uint64_t model_lowest(struct model *model, int kind, size_t size)
{
    unsigned region = model_region(kind, size), cells = model_cells(size), row = 0;
    for (unsigned cell = 0; cell < CELLS; cell++) {
        row = model->used[region][cell] == 0 ? row + 1 : 0;
        if (row == cells)
            return (uint64_t)(cell - cells + 1) * PLACES_STEP + region;
    }
    fail_msg("the model has too few cells");
    return 0;
}

static void model_set(struct model *model, uint64_t place, unsigned cells, int used)
{
    memset(model->used[place % PLACES_STEP] + place / PLACES_STEP, used, cells);
}

static struct object *model_add(struct model *model, char *block, size_t size, int kind)
{
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % 16, 0);
    struct object *object = &model->objects[model->count++];
    *object = (struct object){block, size, PLACES_NONE, kind, (int)draw(model, 256)};
    memset(block, object->fill, size);
    return object;
}

static size_t draw_size(struct model *model)
{
    switch (draw(model, 40)) {
    case 0:
        return 1 + draw(model, 100000);
    case 1:
        return 1 + draw(model, 16384);
    case 2:
        return 1 + draw(model, 2048);
    case 3:
    case 4:
    case 5:
    case 6:
        return 1 + draw(model, 512);
    default:
        return 40 + 8 * draw(model, 5);
    }
}

/* Makes an object, which is at the lowest place, or at the one that is wanted. */
static void model_make(struct model *model, uint64_t wanted)
{
    int kind = LUA_TTABLE + (int)draw(model, KINDS);
    size_t size = draw_size(model);
    uint64_t place = wanted != PLACES_NONE ? wanted : model_lowest(model, kind, size);
    char *block = zone_alloc(&model->zone, NULL, (size_t)kind, size);
    struct object *object = model_add(model, block, size, kind);
    object->place = places_of(&model->zone, block);
    if (object->place != place)
        fail_msg("kind %d, size %zu: cell %llu of region %d, not %llu of %d", kind, size,
                 (unsigned long long)object->place / PLACES_STEP,
                 (int)(object->place % PLACES_STEP), (unsigned long long)place / PLACES_STEP,
                 (int)(place % PLACES_STEP));
    assert_ptr_equal(places_address(&model->zone, place), block);
    assert_int_equal(places_kind(place), kind);
    model_set(model, place, model_cells(size), 1);
}

static void model_make_block(struct model *model)
{
    static const int kinds[] = {0, 0, LUA_TSTRING, 9, 10};
    int kind = kinds[draw(model, 5)];
    size_t size = draw_size(model);
    char *block = zone_alloc(&model->zone, NULL, (size_t)kind, size);
    model_add(model, block, size, 0);
    assert_true(places_of(&model->zone, block) == PLACES_NONE);
}

static void check_fill(const char *block, size_t size, int fill)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)block[i] != fill)
            fail_msg("byte %zu of %zu is %d, not %d", i, size, (unsigned char)block[i], fill);
}

static void model_drop(struct model *model, int index)
{
    struct object object = model->objects[index];
    model->objects[index] = model->objects[--model->count];
    check_fill(object.block, object.size, object.fill);
    assert_null(zone_alloc(&model->zone, object.block, object.size, 0));
    if (object.kind != 0)
        model_set(model, object.place, model_cells(object.size), 0);
}

static void model_resize(struct model *model, int index)
{
    struct object *object = &model->objects[index];
    size_t size = draw_size(model);
    if (object->kind != 0)
        return;
    object->block = zone_alloc(&model->zone, object->block, object->size, size);
    assert_non_null(object->block);
    check_fill(object->block, size < object->size ? size : object->size, object->fill);
    memset(object->block, object->fill, size);
    object->size = size;
}

/* What is in use, told by the zone, is what the model has. */
static void model_compare(struct model *model)
{
    struct places_walk walk = {NULL, 0};
    struct places_range range;
    unsigned long in_use = 0, told = 0;
    for (int i = 0; i < REGIONS; i++)
        for (int cell = 0; cell < CELLS; cell++)
            in_use += model->used[i][cell] == 1;
    for (; places_next(&model->zone, &walk, &range); told += range.count)
        for (uint64_t i = 0; i < range.count; i++)
            assert_int_equal(model->used[range.first % PLACES_STEP][range.first / PLACES_STEP + i],
                             1);
    assert_int_equal(told, in_use);
}

/* As programs do: much is made, some dies at once, now and then a collection takes most. */
static void model_step(struct model *model, int most)
{
    uint64_t what = draw(model, 1000);
    int chance = model->count == 0 ? 0 : (int)draw(model, (uint64_t)model->count);
    if (what == 0) {
        for (int i = model->count - 1; i >= 0; i--)
            if (draw(model, 3) != 0)
                model_drop(model, i);
    } else if (what < 150 || model->count >= most) {
        if (model->count > 0)
            model_drop(model, chance);
    } else if (what < 200 && model->count > 0) {
        model_resize(model, chance);
    } else if (what < 400) {
        model_make_block(model);
    } else {
        model_make(model, PLACES_NONE);
    }
}

/* ---------------------------------------------------------------- the lowest place */

static void the_lowest_place_is_taken(void **state)
{
    (void)state;
    unsigned long seed = scratch_seed();
    for (int round = 0; round < 4; round++) {
        struct model *model = model_new(seed + (unsigned long)round);
        for (int i = 0; i < 6000; i++)
            model_step(model, round % 2 == 0 ? 200 : 3000);
        model_compare(model);
        while (model->count > 0)
            model_drop(model, model->count - 1);
        model_compare(model);
        for (int sort = 0; sort < ZONE_SORTS; sort++)
            assert_int_equal(zone_live(&model->zone, (enum zone_sort)sort), 0);
        model_free(model);
    }
}

/* Many of one size: words, words of words, far pieces. */
static void many_of_one_size(void **state)
{
    (void)state;
    enum { MANY = 600000 };
    static uint64_t places[MANY];
    struct zone zone;
    zone_open(&zone, 0);
    for (int i = 0; i < MANY; i++) {
        char *block = zone_alloc(&zone, NULL, LUA_TTABLE, 56);
        assert_non_null(block);
        places[i] = places_of(&zone, block);
        assert_ptr_equal(places_address(&zone, places[i]), block);
        assert_true(i == 0 || places[i] > places[i - 1]);
    }
    for (int i = MANY - 1; i >= 0; i -= 3)
        zone_alloc(&zone, places_address(&zone, places[i]), 56, 0);
    int first = (MANY - 1) % 3;
    for (int i = first; i < MANY; i += 3)
        assert_true(places_of(&zone, zone_alloc(&zone, NULL, LUA_TTABLE, 56)) == places[i]);
    uint64_t next = places_of(&zone, zone_alloc(&zone, NULL, LUA_TTABLE, 56));
    assert_true(next == places[MANY - 1] + PLACES_STEP);
    zone_close(&zone);
}

/* ---------------------------------------------------------------- saved and restored */

/* The objects of a zone, in another one: those of `from` are wanted where they were, one after the
 * other in an order by chance; what is left in `from` is garbage. */
static struct model *model_restore(struct model *from, uint64_t seed)
{
    struct model *to = model_new(seed);
    struct places_marks marks;
    struct places_walk walk = {&marks, 0};
    struct places_range range;
    assert_int_equal(places_open_marks(&from->zone, &marks), 0);
    for (int i = 0; i < from->count; i++) {
        struct object *object = &from->objects[i];
        assert_int_equal(places_mark(&from->zone, &marks, object->block, object->size), 0);
        assert_int_equal(places_mark(&from->zone, &marks, object->block, object->size), -1);
        zone_own(&to->zone, 1);
        void *own = zone_alloc(&to->zone, NULL, (size_t)object->kind, object->size);
        zone_own(&to->zone, 0);
        places_want(&to->zone, object->place);
        int other = object->kind == LUA_TTABLE ? LUA_TFUNCTION : LUA_TTABLE;
        void *beside = zone_alloc(&to->zone, NULL, (size_t)other, 40);
        char *block = zone_alloc(&to->zone, NULL, (size_t)object->kind, object->size);
        struct object *copy = model_add(to, block, object->size, object->kind);
        copy->place = places_of(&to->zone, block);
        /* what was made beside it may sit there: its place is given up, and it is made again */
        zone_alloc(&to->zone, beside, 40, 0);
        zone_alloc(&to->zone, own, object->size, 0);
        assert_true(copy->place == object->place || to->zone.missed > 0);
        if (copy->place != object->place) {
            zone_alloc(&to->zone, block, object->size, 0);
            places_want(&to->zone, object->place);
            copy->block = zone_alloc(&to->zone, NULL, (size_t)object->kind, object->size);
            assert_true(places_of(&to->zone, copy->block) == object->place);
            memset(copy->block, copy->fill, copy->size);
            copy->place = object->place;
        }
        model_set(to, copy->place, model_cells(copy->size), 1);
    }
    while (places_next(&from->zone, &walk, &range)) {
        assert_int_equal(places_hold(&to->zone, &range), 0);
        assert_int_equal(places_hold(&to->zone, &range), -1);
        model_set(to, range.first, (unsigned)range.count, 1);
    }
    places_close_marks(&marks);
    return to;
}

static void model_make_some(struct model *model, int number)
{
    for (int i = 0; i < number; i++)
        if (draw(model, 3) == 0 && model->count > 0)
            model_drop(model, (int)draw(model, (uint64_t)model->count));
        else
            model_make(model, PLACES_NONE);
}

static void assert_same_places(const struct model *a, const struct model *b)
{
    assert_int_equal(a->count, b->count);
    for (int i = 0; i < a->count; i++)
        assert_true(a->objects[i].place == b->objects[i].place);
}

static void what_is_restored_goes_on_alike(void **state)
{
    (void)state;
    unsigned long seed = scratch_seed();
    for (int round = 0; round < 8; round++) {
        struct model *model = model_new(seed + (unsigned long)round);
        model_make_some(model, 2000);
        static struct object garbage[OBJECTS];
        int dead = model->count / 3; /* nobody refers to these */
        memcpy(garbage, model->objects + model->count - dead, (size_t)dead * sizeof *garbage);
        model->count -= dead;
        struct model *other = model_restore(model, 1);
        assert_same_places(model, other);
        assert_int_equal(zone_live(&model->zone, ZONE_COUNTED),
                         zone_live(&other->zone, ZONE_COUNTED));
        other->random = model->random;
        model_make_some(model, 500);
        model_make_some(other, 500);
        assert_same_places(model, other);
        for (int i = 0; i < dead; i++) { /* the original collects, the other one releases */
            zone_alloc(&model->zone, garbage[i].block, garbage[i].size, 0);
            model_set(model, garbage[i].place, model_cells(garbage[i].size), 0);
            model_set(other, garbage[i].place, model_cells(garbage[i].size), 0);
        }
        places_release(&other->zone);
        model_compare(model);
        model_compare(other);
        model_make_some(model, 1500);
        model_make_some(other, 1500);
        assert_same_places(model, other);
        model_free(model);
        model_free(other);
    }
}

/* What is in use in several pieces of a region is one range, or two where numbers between them have
 * no cell. */
static void ranges_go_over_pieces(void **state)
{
    (void)state;
    static const size_t sizes[] = {16, 56, 80, 208, 1000, 1624};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct zone zones[2];
        struct places_walk walk = {NULL, 0};
        struct places_range range;
        zone_open(&zones[0], 0);
        zone_open(&zones[1], 0);
        for (int kind = LUA_TTABLE; kind <= LUA_TTHREAD; kind++)
            for (int number = 0; number < 2000; number++)
                assert_non_null(zone_alloc(&zones[0], NULL, (size_t)kind, sizes[i]));
        while (places_next(&zones[0], &walk, &range))
            assert_int_equal(places_hold(&zones[1], &range), 0);
        for (int kind = LUA_TTABLE; kind <= LUA_TTHREAD; kind++)
            assert_true(places_of(&zones[0], zone_alloc(&zones[0], NULL, (size_t)kind, sizes[i])) ==
                        places_of(&zones[1], zone_alloc(&zones[1], NULL, (size_t)kind, sizes[i])));
        zone_close(&zones[0]);
        zone_close(&zones[1]);
    }
}

/* Numbers from a file may be any. */
static void places_that_are_none(void **state)
{
    (void)state;
    uint64_t seed = scratch_seed();
    struct model *model = model_new(seed);
    model_make_some(model, 300);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = draw(model, 1 << 30) << 34 ^ draw(model, 1 << 30) << 12 ^ draw(model, 4096);
        uint64_t place = bits >> draw(model, 64);
        struct places_range range = {place, draw(model, CELLS) >> draw(model, 16)};
        char *address = places_address(&model->zone, place);
        assert_true(address == NULL || places_of(&model->zone, address) == place);
        if (address != NULL && place / PLACES_STEP >= CELLS)
            continue; /* would be right, and takes address space */
        if (places_hold(&model->zone, &range) == 0) {
            assert_non_null(address);
            places_release(&model->zone);
        }
        places_want(&model->zone, place);
        places_want_none(&model->zone);
    }
    struct places_range all = {0, UINT64_MAX};
    assert_int_equal(places_hold(&model->zone, &all), -1);
    model_compare(model);
    model_make_some(model, 300);
    model_free(model);
}

static void a_wanted_place_is_for_one_kind(void **state)
{
    (void)state;
    struct zone zone;
    zone_open(&zone, 0);
    uint64_t first = places_of(&zone, zone_alloc(&zone, NULL, LUA_TTABLE, 56));
    places_want(&zone, first + 10 * PLACES_STEP);
    assert_null(zone_alloc(&zone, NULL, LUA_TTABLE, 0));
    void *function = zone_alloc(&zone, NULL, LUA_TFUNCTION, 40);
    assert_int_equal(places_kind(places_of(&zone, function)), LUA_TFUNCTION);
    zone_alloc(&zone, NULL, LUA_TSTRING, 40);
    zone_alloc(&zone, NULL, 0, 56);
    void *table = zone_alloc(&zone, NULL, LUA_TTABLE, 56);
    assert_true(places_of(&zone, table) == first + 10 * PLACES_STEP);
    table = zone_alloc(&zone, NULL, LUA_TTABLE, 56);
    assert_true(places_of(&zone, table) == first + PLACES_STEP);
    assert_int_equal(zone.missed, 0);
    places_want(&zone, first); /* in use */
    table = zone_alloc(&zone, NULL, LUA_TTABLE, 56);
    assert_true(places_of(&zone, table) == first + 2 * PLACES_STEP);
    places_want(&zone, first + 20 * PLACES_STEP); /* of another size */
    zone_alloc(&zone, NULL, LUA_TTABLE, 100);
    assert_int_equal(zone.missed, 2);
    zone_close(&zone);
}

static void what_is_wanted_as_own_has_no_place(void **state)
{
    (void)state;
    struct zone zone;
    zone_open(&zone, 0);
    uint64_t first = places_of(&zone, zone_alloc(&zone, NULL, LUA_TTABLE, 56));
    places_want_own(&zone, LUA_TTABLE);
    assert_int_equal(places_kind(places_of(&zone, zone_alloc(&zone, NULL, LUA_TUSERDATA, 56))),
                     LUA_TUSERDATA);
    void *own = zone_alloc(&zone, NULL, LUA_TTABLE, 56);
    assert_true(places_of(&zone, own) == PLACES_NONE);
    void *table = zone_alloc(&zone, NULL, LUA_TTABLE, 56);
    assert_true(places_of(&zone, table) == first + PLACES_STEP);
    zone_own(&zone, 1); /* a place that is wanted goes before */
    places_want(&zone, first + 5 * PLACES_STEP);
    table = zone_alloc(&zone, NULL, LUA_TTABLE, 56);
    assert_true(places_of(&zone, table) == first + 5 * PLACES_STEP);
    own = zone_alloc(&zone, NULL, LUA_TTABLE, 56);
    assert_true(places_of(&zone, own) == PLACES_NONE);
    zone_close(&zone);
}

/* Some garbage stays for one collection more. */
static void garbage_may_be_held_longer(void **state)
{
    (void)state;
    struct zone zone;
    struct places_range found;
    size_t from = 0;
    zone_open(&zone, 0);
    uint64_t first = places_of(&zone, zone_alloc(&zone, NULL, LUA_TUSERDATA, 56));
    struct places_range now = {first + PLACES_STEP, 3}, later = {first + 4 * PLACES_STEP, 2};
    assert_int_equal(places_hold_longer(&zone, &later), 0);
    assert_int_equal(places_hold(&zone, &now), 0);
    assert_int_equal(places_next_longer(&zone, &from, &found), 1);
    assert_true(found.first == later.first && found.count == later.count);
    assert_int_equal(places_next_longer(&zone, &from, &found), 0);
    places_release(&zone);
    from = 0;
    assert_int_equal(places_next_longer(&zone, &from, &found), 0);
    assert_int_equal(places_hold(&zone, &later), -1);
    assert_int_equal(places_hold(&zone, &now), 0);
    places_release(&zone);
    assert_int_equal(places_hold(&zone, &later), 0);
    places_release(&zone);
    assert_int_equal(zone.held, 0);
    zone_close(&zone);
}

/* A cell that is far, in the region of that place. */
static uint64_t far_cell(uint64_t place)
{
    return (uint64_t)4096 * PLACES_STEP + place % PLACES_STEP;
}

/* The far cells go on behind a row of any length. */
static void rows_of_any_length(void **state)
{
    (void)state;
    for (uint64_t count = 1; count < 30000; count += 1 + count / 3) {
        struct zone zone;
        struct places_marks marks;
        struct places_walk walk = {&marks, 0};
        zone_open(&zone, 0);
        uint64_t first = places_of(&zone, zone_alloc(&zone, NULL, LUA_TTABLE, 56)), last = first;
        struct places_range row = {far_cell(first), count}, found;
        assert_int_equal(places_hold(&zone, &row), 0);
        for (int i = 0; i < 9000; i++) {
            uint64_t place = places_of(&zone, zone_alloc(&zone, NULL, LUA_TTABLE, 56));
            assert_true(place > last && place != PLACES_NONE);
            assert_true(place < row.first || place >= row.first + count * PLACES_STEP);
            last = place;
        }
        assert_int_equal(places_open_marks(&zone, &marks), 0);
        places_mark_range(&marks, &row);
        uint64_t walked = 0;
        while (places_next(&zone, &walk, &found))
            walked += found.count;
        assert_true(walked == 9001);
        places_close_marks(&marks);
        zone_close(&zone);
    }
}

/* What a file may say is no more than the machine has. */
static void no_more_than_there_is_memory(void **state)
{
    (void)state;
    struct zone zone;
    zone_open(&zone, 0);
    uint64_t first = places_of(&zone, zone_alloc(&zone, NULL, LUA_TTABLE, 56));
    zone.most = 64 * 100000;
    struct places_range some = {far_cell(first), 60000}, more = {far_cell(first), 0};
    assert_int_equal(places_hold(&zone, &some), 0);
    more = (struct places_range){some.first + 60000 * PLACES_STEP, 45000};
    assert_int_equal(places_hold(&zone, &more), -1);
    more.count = 30000;
    assert_int_equal(places_hold(&zone, &more), 0);
    more = (struct places_range){some.first + 200000 * PLACES_STEP, 1};
    assert_int_equal(places_hold(&zone, &more), -1);
    places_want(&zone, more.first);
    void *table = zone_alloc(&zone, NULL, LUA_TTABLE, 56);
    assert_true(places_of(&zone, table) == first + PLACES_STEP);
    zone_close(&zone);
}

/* ---------------------------------------------------------------- bases, memory */

static void several_zones(void **state)
{
    (void)state;
    enum { ZONES = 12 };
    static struct zone zones[ZONES];
    char *blocks[ZONES];
    int nowhere = 0;
    for (int i = 0; i < ZONES; i++) {
        zone_open(&zones[i], 0);
        assert_int_equal(zones[i].where == ZONE_HOME, i == 0);
        nowhere += zones[i].where == ZONE_NOWHERE;
        assert_true(nowhere == 0 || zones[i].where == ZONE_NOWHERE);
        assert_int_equal((uint32_t)zones[i].base, 0);
        blocks[i] = zone_alloc(&zones[i], NULL, LUA_TTABLE, 56);
        memset(blocks[i], i, 56);
        for (size_t size = 600; size < 4000000; size *= 3) {
            char *large = zone_alloc(&zones[i], NULL, 0, size);
            memset(large, i, size);
            large = zone_alloc(&zones[i], large, size, 2 * size);
            check_fill(large, size, i);
            zone_alloc(&zones[i], large, 2 * size, 0);
        }
        if (zones[i].where != ZONE_NOWHERE) {
            assert_int_equal((uint32_t)(uintptr_t)blocks[i], (uint32_t)(uintptr_t)blocks[0]);
            assert_true(places_of(&zones[i], blocks[i]) == places_of(&zones[0], blocks[0]));
        }
    }
    assert_true(nowhere > 0 && nowhere < ZONES - 2);
    for (int i = 0; i < ZONES; i++) {
        check_fill(blocks[i], 56, i);
        zone_alloc(&zones[i], blocks[i], 56, 0);
        if (i != 0)
            zone_close(&zones[i]);
    }
    zone_close(&zones[0]);
    zone_open(&zones[0], 0);
    assert_int_equal(zones[0].where, ZONE_HOME);
    zone_close(&zones[0]);
}

static void all_from_malloc(void **state)
{
    (void)state;
    struct zone zone;
    zone_open(&zone, 1);
    assert_int_equal(zone.where, ZONE_NOWHERE);
    char *block = zone_alloc(&zone, NULL, LUA_TTABLE, 56);
    assert_true(places_of(&zone, block) == PLACES_NONE);
    assert_null(places_address(&zone, 0));
    struct places_walk walk = {NULL, 0};
    struct places_range range = {0, 1};
    assert_int_equal(places_next(&zone, &walk, &range), 0);
    assert_int_equal(places_hold(&zone, &range), -1);
    places_want(&zone, 0);
    block = zone_alloc(&zone, block, 56, 5600);
    zone_alloc(&zone, block, 5600, 0);
    assert_int_equal(zone_live(&zone, ZONE_COUNTED), 0);
    zone_close(&zone);
}

/* The system has no memory at the first, second, ... time that it is asked: Lua is told so, and all
 * works again afterwards. */
static void memory_runs_out(void **state)
{
    (void)state;
    int status = LUA_ERRMEM, most = 0;
    for (; status != LUA_OK; most++) {
        struct zone zone;
        maps_left = -1;
        zone_open(&zone, 0);
        lua_State *L = lua_newstate(zone_alloc, &zone);
        assert_non_null(L);
        luaL_openlibs(L);
        assert_int_equal(luaL_loadstring(L, "local t = {}\n"
                                            "for i = 1, 40000 do t[i] = {function() return i end,"
                                            " coroutine.create(print)} end"),
                         LUA_OK);
        maps_left = most + 1;
        status = lua_pcall(L, 0, 0, 0);
        maps_left = -1;
        assert_true(status == LUA_ERRMEM || status == LUA_OK);
        lua_settop(L, 0);
        assert_int_equal(luaL_dostring(L, "local t = {} for i = 1, 1000 do t[i] = {i} end\n"
                                          "return #t"),
                         LUA_OK);
        lua_close(L);
        for (int sort = 0; sort < ZONE_SORTS; sort++)
            assert_int_equal(zone_live(&zone, (enum zone_sort)sort), 0);
        zone_close(&zone);
    }
    if (most < 10)
        fail_msg("only %d", most);
    struct zone zone;
    maps_left = 1;
    zone_open(&zone, 0);
    maps_left = -1;
    assert_int_equal(zone.where, ZONE_NOWHERE);
    zone_close(&zone);
}

/* Pages of this process that are in memory. */
static long resident(void)
{
    long total, here;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &total, &here), 2);
    fclose(file);
    return here;
}

struct span {
    struct zone zone;
    const char *low, *high;
};

/* A lua_Alloc that notes between which addresses small blocks are. */
static void *span_alloc(void *context, void *block, size_t old_size, size_t new_size)
{
    struct span *span = context;
    char *made = zone_alloc(&span->zone, block, old_size, new_size);
    if (made != NULL && new_size <= 512) {
        span->low = span->low == NULL || made < span->low ? made : span->low;
        span->high = made + new_size > span->high ? made + new_size : span->high;
    }
    return made;
}

/* A state with its libraries has its cells of all regions side by side. */
static void a_small_state_takes_few_pages(void **state)
{
    (void)state;
    struct span span = {.low = NULL};
    zone_open(&span.zone, 0);
    lua_State *L = lua_newstate(span_alloc, &span);
    assert_non_null(L);
    luaL_openlibs(L);
    if (span.high - span.low > 100 * 1024)
        fail_msg("%td bytes from end to end", span.high - span.low);
    lua_close(L);
    zone_close(&span.zone);
}

/* Of cells of this kind. */
static void is_given_back(struct zone *zone, size_t kind)
{
    enum { MANY = 500000, BYTES = 200 };
    static char *blocks[MANY];
    long before = resident();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++)
            memset(blocks[i] = zone_alloc(zone, NULL, kind, BYTES), i % 251, BYTES);
        long most = resident() - before;
        assert_true(most > MANY / 4096 * BYTES);
        for (int i = 0; i < MANY; i++)
            check_fill(blocks[i], BYTES, i % 251);
        for (int i = 0; i < MANY; i++)
            if (i % 50000 != 0)
                zone_alloc(zone, blocks[i], BYTES, 0);
        assert_true(resident() - before < most / 3);
        for (int i = 0; i < MANY; i += 50000) {
            check_fill(blocks[i], BYTES, i % 251);
            zone_alloc(zone, blocks[i], BYTES, 0);
        }
    }
}

static void memory_is_given_back(void **state)
{
    (void)state;
    struct zone zone;
    zone_open(&zone, 0);
    is_given_back(&zone, LUA_TUSERDATA);
    is_given_back(&zone, LUA_TSTRING);
    char *large = zone_alloc(&zone, NULL, LUA_TUSERDATA, 64 << 20);
    memset(large, 1, 64 << 20);
    long most = resident();
    zone_alloc(&zone, large, 64 << 20, 0);
    assert_true(most - resident() > 15000);
    zone_close(&zone);
}

/* ---------------------------------------------------------------- counting */

static int reached_count;
static enum zone_sort reached_sort;

static void note_reached(void *context, enum zone_sort sort)
{
    (void)context;
    reached_count++;
    reached_sort = sort;
}

static uint64_t counted(struct zone *zone, size_t kind, size_t size)
{
    uint64_t before = zone_since(zone, ZONE_COUNTED), live = zone_live(zone, ZONE_COUNTED);
    void *block = zone_alloc(zone, NULL, kind, size);
    zone_alloc(zone, NULL, LUA_TTABLE, 56); /* a large block is counted by the next call */
    uint64_t bytes = zone_since(zone, ZONE_COUNTED) - before;
    assert_int_equal(zone_live(zone, ZONE_COUNTED) - live, bytes);
    zone_alloc(zone, block, size, 0);
    assert_int_equal(zone_live(zone, ZONE_COUNTED) - live, 64);
    return bytes - 64;
}

static void bytes_are_counted_by_kind(void **state)
{
    (void)state;
    struct zone zone;
    zone_open(&zone, 0);
    assert_int_equal(counted(&zone, LUA_TTABLE, 56), 64);
    assert_int_equal(counted(&zone, LUA_TFUNCTION, 40), 96);
    assert_int_equal(counted(&zone, LUA_TUSERDATA, 40), 48);
    assert_int_equal(counted(&zone, LUA_TUSERDATA, 100000), 25 * 4096);
    assert_int_equal(counted(&zone, LUA_TSTRING, 65), 0);
    assert_int_equal(counted(&zone, LUA_TSTRING, 66), 80);
    assert_int_equal(counted(&zone, LUA_TSTRING, 1000), 1000);
    assert_int_equal(counted(&zone, 9, 40), 0);
    assert_int_equal(counted(&zone, 0, 64), 0);
    assert_int_equal(counted(&zone, 0, 48), 48);
    assert_int_equal(counted(&zone, 0, 1 << 20), 1 << 20);
    zone_alloc(&zone, NULL, LUA_TTHREAD, 200);
    assert_int_equal(counted(&zone, 0, 720), 0); /* its stack */
    assert_int_equal(counted(&zone, 0, 720), 720);
    zone_own(&zone, ZONE_HOSTS);
    void *own = zone_alloc(&zone, NULL, LUA_TTABLE, 56);
    assert_true(places_of(&zone, own) == PLACES_NONE);
    zone_own(&zone, ZONE_SCRIPTS);
    zone_on_limit(&zone, note_reached, NULL);
    zone_set_limit(&zone, ZONE_GUARDED, zone_since(&zone, ZONE_GUARDED) + 1);
    zone_alloc(&zone, NULL, LUA_TTABLE, 56);
    assert_int_equal(reached_count, 0);
    zone_alloc(&zone, NULL, 9, 40);
    zone_alloc(&zone, NULL, 9, 40);
    assert_int_equal(reached_count, 1);
    assert_int_equal(reached_sort, ZONE_GUARDED);
    zone_set_since(&zone, ZONE_COUNTED, 1000);
    zone_set_limit(&zone, ZONE_COUNTED, 1128);
    zone_alloc(&zone, NULL, LUA_TTABLE, 56);
    assert_int_equal(reached_count, 1);
    zone_alloc(&zone, NULL, LUA_TTABLE, 56);
    assert_int_equal(reached_count, 2);
    assert_int_equal(zone_since(&zone, ZONE_COUNTED), 1128);
    zone_restart(&zone);
    assert_int_equal(zone_since(&zone, ZONE_COUNTED), 0);
    zone_close(&zone);
}

static void owners_and_large_blocks(void **state)
{
    (void)state;
    struct zone zone;
    zone_open(&zone, 0);
    assert_int_equal(zone_own(&zone, ZONE_HOSTS_BLOCKS), ZONE_SCRIPTS);
    assert_int_equal(counted(&zone, 0, 480), 0);
    assert_int_equal(counted(&zone, 0, 480000), 0);
    assert_int_equal(counted(&zone, LUA_TFUNCTION, 40), 96);
    assert_int_equal(zone_own(&zone, ZONE_HOSTS), ZONE_HOSTS_BLOCKS);
    void *own = zone_alloc(&zone, NULL, LUA_TFUNCTION, 40);
    assert_true(places_of(&zone, own) == PLACES_NONE);
    uint64_t uncounted = zone_since(&zone, ZONE_UNCOUNTED);
    zone_alloc(&zone, zone_alloc(&zone, NULL, 0, 480000), 480000, 0);
    assert_int_equal(zone_since(&zone, ZONE_UNCOUNTED) - uncounted, 480000);
    assert_int_equal(zone_own(&zone, ZONE_SCRIPTS), ZONE_HOSTS);
    assert_int_equal(counted(&zone, 0, 480), 480);
    uint64_t since = zone_since(&zone, ZONE_COUNTED), live = zone_live_objects(&zone);
    zone_charge(&zone, ZONE_COUNTED, 12345);
    assert_int_equal(zone_since(&zone, ZONE_COUNTED), since + 12345);
    void *text = zone_alloc(&zone, NULL, LUA_TSTRING, 10000);
    assert_int_equal(zone_live_objects(&zone), live);
    zone_alloc(&zone, text, 10000, 0);
    since = zone_since(&zone, ZONE_COUNTED);
    void *block = zone_alloc(&zone, NULL, 0, 1000);
    assert_int_equal(zone_live_objects(&zone), live + 1000);
    assert_int_equal(zone_since(&zone, ZONE_COUNTED), since + 1000);
    zone_alloc(&zone, block, 1000, 0);
    assert_int_equal(zone_since(&zone, ZONE_COUNTED), since + 1000);
    /* A thread, its stack, and a larger one in its place. */
    zone_alloc(&zone, NULL, LUA_TTHREAD, 208);
    void *stack = zone_alloc(&zone, NULL, 0, 720);
    since = zone_since(&zone, ZONE_COUNTED);
    live = zone_live_objects(&zone);
    void *larger = zone_alloc(&zone, NULL, 0, 1440);
    assert_int_equal(zone_since(&zone, ZONE_COUNTED), since + 1440);
    zone_alloc(&zone, stack, 720, 0);
    assert_int_equal(zone_since(&zone, ZONE_COUNTED), since);
    assert_int_equal(zone_live_objects(&zone), live);
    zone_alloc(&zone, larger, 1440, 0);
    zone_close(&zone);
}

/* live() -> counted bytes in use */
static int push_live(lua_State *L)
{
    struct zone *zone = lua_touserdata(L, lua_upvalueindex(1));
    lua_pushinteger(L, (lua_Integer)zone_live(zone, ZONE_COUNTED));
    return 1;
}

/* Stacks grow and shrink by hooks too, so they are not counted, whatever their size. */
static void stacks_are_not_counted(void **state)
{
    (void)state;
    static const char script[] =
        "local function deep(n) if n > 0 then return 1 + deep(n - 1) end return 0 end\n"
        "local co = coroutine.wrap(function(n) while true do n = coroutine.yield(deep(n)) end "
        "end)\n"
        "local depths = {10, 100, 1000, 10, 10000, 5}\n"
        "co(1) collectgarbage() collectgarbage()\n"
        "local base = live()\n"
        "for _, n in ipairs(depths) do\n"
        "  co(n) collectgarbage() collectgarbage()\n"
        "  assert(live() == base, n .. ': ' .. live() - base)\n"
        "end\n"
        "co = nil collectgarbage() collectgarbage()\n"
        "assert(live() < base and base - live() < 4000, live() - base)\n";
    struct zone zone;
    zone_open(&zone, 0);
    lua_State *L = lua_newstate(zone_alloc, &zone);
    assert_non_null(L);
    luaL_openlibs(L);
    lua_pushlightuserdata(L, &zone);
    lua_pushcclosure(L, push_live, 1);
    lua_setglobal(L, "live");
    if (luaL_dostring(L, script) != LUA_OK)
        fail_msg("%s", lua_tostring(L, -1));
    lua_close(L);
    zone_close(&zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lowest_place_is_taken),
        cmocka_unit_test(many_of_one_size),
        cmocka_unit_test(what_is_restored_goes_on_alike),
        cmocka_unit_test(ranges_go_over_pieces),
        cmocka_unit_test(places_that_are_none),
        cmocka_unit_test(a_wanted_place_is_for_one_kind),
        cmocka_unit_test(what_is_wanted_as_own_has_no_place),
        cmocka_unit_test(garbage_may_be_held_longer),
        cmocka_unit_test(rows_of_any_length),
        cmocka_unit_test(no_more_than_there_is_memory),
        cmocka_unit_test(several_zones),
        cmocka_unit_test(all_from_malloc),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(a_small_state_takes_few_pages),
        cmocka_unit_test(memory_is_given_back),
        cmocka_unit_test(bytes_are_counted_by_kind),
        cmocka_unit_test(owners_and_large_blocks),
        cmocka_unit_test(stacks_are_not_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
