#include "exact/collections.h"

#include <lauxlib.h>

#include "exact/address.h"
#include "exact/exact.h"
#include "exact/hook.h"
#include "exact/registers.h"
#include "exact/strings.h"

/* Bytes. A collection comes when as many have been allocated as are alive, and as many again up to
 * COLLECTIONS_EXTRA, but no fewer than COLLECTIONS_FLOOR, so that garbage of a small state stays in
 * the cache of the processor. Or, where the script has set a pause, as many as that says. Of
 * garbage strings as many as all that is alive; and, to be safe, of what is not counted. */
enum {
    COLLECTIONS_FLOOR = 512 * 1024,
    COLLECTIONS_EXTRA = 64 * 1024 * 1024,
    COLLECTIONS_STRINGS_FLOOR = 1024 * 1024,
    COLLECTIONS_OTHERS_FLOOR = 16 * 1024 * 1024,
    COLLECTIONS_OUTSIDE = 64 * 1024 * 1024 /* of what is outside of its memory, if Lua collects */
};

/* A step that a script asks for is about what Lua's goes over: its collector works so many times
 * faster than memory is allocated. */
enum { COLLECTIONS_STEP = 1024 * 1024, COLLECTIONS_SPEED = 100 };

/* Lua asks for its collector, which does nothing, only where its debt is positive. There it looks
 * at hooks too: so the debt tells a new hook at once, to instructions that would not look at it.
 * (Not to one that fills a table with all results of a call, {f()}. Behind that a collection would
 * come some instructions earlier than usual if a save was being waited for just then.) */
#define COLLECTIONS_NO_DEBT (-(PTRDIFF_MAX / 2))
#define COLLECTIONS_DEBT (PTRDIFF_MAX / 4)

int collections_possible(const struct exact *exact)
{
    return exact->is_checked && exact->zone != NULL && exact->zone->where != ZONE_NOWHERE;
}

/* ---------------------------------------------------------------- limits */

static uint64_t collections_larger(uint64_t one, uint64_t other)
{
    return one > other ? one : other;
}

static uint64_t collections_limit(const struct exact *exact)
{
    uint64_t live = zone_live_objects(exact->zone) + exact->collections.outside, limit;
    int pause = *exact->collections.pause;
    if (exact->collections.fixed != 0)
        return exact->collections.fixed;
    if (pause < 0)
        limit = live + (live < COLLECTIONS_EXTRA ? live : COLLECTIONS_EXTRA);
    else
        limit = pause <= 100 ? 0 : live / 100 * (uint64_t)(pause - 100);
    return collections_larger(COLLECTIONS_FLOOR, limit);
}

static uint64_t collections_strings_limit(const struct zone *zone)
{
    uint64_t live = zone_live(zone, ZONE_COUNTED) + zone_live(zone, ZONE_GUARDED);
    return collections_larger(COLLECTIONS_STRINGS_FLOOR, live);
}

static uint64_t collections_others_limit(const struct zone *zone)
{
    return collections_larger(COLLECTIONS_OTHERS_FLOOR, zone_live_objects(zone));
}

/* Has a hook called, before the next instruction. From within an allocation. */
static void collections_call(struct exact *exact)
{
    hook_request(exact);
    vm_set_debt(exact->current, COLLECTIONS_DEBT);
}

/* Of zone_on_limit */
static void collections_reached(void *context, enum zone_sort sort)
{
    struct exact *exact = context;
    struct collections *collections = &exact->collections;
    if (sort == ZONE_GUARDED)
        collections->strings_due = 1;
    else if (sort == ZONE_UNCOUNTED)
        collections->others_due = 1;
    else
        collections->due = 1;
    collections_call(exact);
}

/* Sets the limits, or none. */
static void collections_watch(lua_State *L, struct exact *exact)
{
    struct collections *collections = &exact->collections;
    struct zone *zone = exact->zone;
    int watched = collections->running && !collections->stopped;
    collections->due = watched && zone_since(zone, ZONE_COUNTED) >= collections->limit;
    vm_set_debt(L, COLLECTIONS_NO_DEBT);
    zone_set_limit(zone, ZONE_COUNTED,
                   watched && !collections->due ? collections->limit : UINT64_MAX);
    zone_set_limit(zone, ZONE_GUARDED, watched ? collections_strings_limit(zone) : UINT64_MAX);
    zone_set_limit(zone, ZONE_UNCOUNTED, watched ? collections_others_limit(zone) : UINT64_MAX);
    if (collections->due)
        collections_call(exact);
}

void collections_begin(lua_State *L, struct exact *exact, int stopped)
{
    struct collections *collections = &exact->collections;
    collections->running = 1;
    collections->stopped = stopped;
    zone_on_limit(exact->zone, collections_reached, exact);
    zone_restart(exact->zone);
    zone_set_since(exact->zone, ZONE_COUNTED, collections->since);
    if (collections->limit == 0)
        collections->limit = collections_limit(exact);
    collections_watch(L, exact);
}

void collections_end(struct exact *exact)
{
    exact->collections.running = 0;
    if (exact->collections.on)
        zone_restart(exact->zone);
}

void collections_stop(lua_State *L, struct exact *exact, int stopped)
{
    exact->collections.stopped = stopped;
    collections_watch(L, exact);
}

/* A debt would be no way to tell Lua's own collector: it makes steps of it, and in the generational
 * mode what has outlived two of these stays until a collection that is not due, as Lua's memory has
 * not grown. */
static void collections_outside(lua_State *L, struct collections *collections, uint64_t bytes)
{
    collections->outside_since += bytes;
    if (collections->outside_since <= COLLECTIONS_OUTSIDE ||
        collections->outside_since <= collections->left || !lua_gc(L, LUA_GCISRUNNING))
        return;
    collections->outside_since = 0;
    lua_gc(L, LUA_GCCOLLECT);
    collections->left = collections->outside;
}

void collections_allocated(lua_State *L, struct exact *exact, ptrdiff_t bytes)
{
    struct collections *collections = &exact->collections;
    if (bytes < 0 && collections->outside < (uint64_t)-bytes)
        collections->outside = 0;
    else
        collections->outside += (uint64_t)bytes;
    if (bytes > 0 && !collections->on)
        collections_outside(L, collections, (uint64_t)bytes);
    else if (bytes > 0 && exact->zone != NULL)
        zone_charge(exact->zone, ZONE_COUNTED, (uint64_t)bytes);
}

int collections_step(lua_State *L, struct exact *exact, uint64_t kilobytes)
{
    const struct collections *collections = &exact->collections;
    uint64_t since = zone_since(exact->zone, ZONE_COUNTED);
    uint64_t bytes = COLLECTIONS_STEP + kilobytes * 1024 * COLLECTIONS_SPEED;
    if (since < collections->limit && bytes < collections->limit - since) {
        zone_charge(exact->zone, ZONE_COUNTED, bytes);
        return 0;
    }
    collections_make(L, exact);
    return 1;
}

void collections_pass(struct exact *exact)
{
    struct collections *collections = &exact->collections;
    if (!collections->running || collections->passing++ > 0)
        return;
    collections->since = zone_since(exact->zone, ZONE_COUNTED);
    zone_set_limit(exact->zone, ZONE_COUNTED, UINT64_MAX);
}

void collections_count(struct exact *exact)
{
    struct collections *collections = &exact->collections;
    if (!collections->running || --collections->passing > 0)
        return;
    zone_set_since(exact->zone, ZONE_COUNTED, collections->since);
    if (!collections->stopped && !collections->due)
        zone_set_limit(exact->zone, ZONE_COUNTED, collections->limit);
}

/* ---------------------------------------------------------------- collecting */

/* (struct exact *), on the host's thread */
static int collections_clear(lua_State *L)
{
    struct exact *exact = lua_touserdata(L, 1);
    int all = zone_live_group(exact->zone, ZONE_THREAD) > exact->threads_size;
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    registers_clear(L, exact, all);
    return 0;
}

/* Where the memory for that is missing, some registers keep what they hold. */
static void collections_clear_registers(struct exact *exact)
{
    lua_State *scratch = exact->scratch;
    if (exact->keeps_texts != EXACT_ALL_TEXTS || !lua_checkstack(scratch, LUA_MINSTACK))
        return;
    int own = zone_own(exact->zone, ZONE_HOSTS);
    lua_pushcfunction(scratch, collections_clear);
    lua_pushlightuserdata(scratch, exact);
    if (lua_pcall(scratch, 1, 0, 0) != LUA_OK)
        lua_pop(scratch, 1);
    zone_own(exact->zone, own);
}

void collections_make(lua_State *L, struct exact *exact)
{
    struct collections *collections = &exact->collections;
    struct zone *zone = exact->zone;
    collections_clear_registers(exact);
    int own = zone_own(zone, ZONE_SCRIPTS); /* of finalizers */
    address_collected(exact); /* finalizers are to have these places, as if they had been swept */
    lua_gc(L, LUA_GCCOLLECT);
    zone_restart(zone);
    zone_own(zone, own);
    collections->made++;
    collections->strings_due = collections->others_due = 0;
    collections->limit = collections_limit(exact);
    collections_watch(L, exact);
    if (collections->watch != NULL)
        collections->watch(exact);
}

static void collections_sweep(lua_State *L, struct exact *exact)
{
    struct collections *collections = &exact->collections;
    collections->strings_due = 0;
    collections->swept++;
    strings_sweep(L);
    zone_set_since(exact->zone, ZONE_GUARDED, 0);
    collections_watch(L, exact);
}

void collections_take(lua_State *L, struct exact *exact)
{
    const struct collections *collections = &exact->collections;
    if (!collections->running || collections->stopped)
        return;
    if (collections->due && zone_since(exact->zone, ZONE_COUNTED) < collections->limit)
        collections_watch(L, exact); /* it was a stack */
    if (collections->due || collections->others_due)
        collections_make(L, exact);
    else if (collections->strings_due)
        collections_sweep(L, exact);
}

/* ---------------------------------------------------------------- in a snapshot */

static void collections_write(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

void collections_push(lua_State *L, const struct exact *exact)
{
    const struct collections *collections = &exact->collections;
    int is_passed = collections->passing > 0;
    luaL_checkstack(L, 4, NULL);
    lua_createtable(L, 0, 2);
    collections_write(L, "limit", collections->limit);
    collections_write(L, "since",
                      is_passed ? collections->since : zone_since(exact->zone, ZONE_COUNTED));
}

static uint64_t collections_read(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    lua_Integer value = lua_tointeger(L, -1);
    lua_pop(L, 1);
    return value < 0 ? 0 : (uint64_t)value;
}

void collections_set(lua_State *L, struct exact *exact, int index)
{
    struct collections *collections = &exact->collections;
    luaL_checkstack(L, 4, NULL);
    collections->limit = collections_read(L, index, "limit");
    collections->since = collections_read(L, index, "since");
}
