/*
 * When garbage is collected: at moments that are the same in each run of a script, with saves or
 * without, and in a run that goes on from a snapshot. So weak tables lose their entries, finalizers
 * run and removed keys die at the same instruction.
 *
 * Lua's own collector is stopped. The zone counts the bytes of what is the same in each run
 * (ZONE_COUNTED); when as many have been allocated as the limit says a hook is set, which is called
 * before the next instruction and collects everything. The limit follows from what is alive behind
 * a collection; strings do not count there, as some of them are constants of functions too, in one
 * process, and copies of these in another. What a register holds that no instruction will read is
 * no longer alive (registers.h). Garbage short strings, which no script can see, are freed in
 * between (strings.h). Where all that is not counted, as stacks, and what saves leave behind, has
 * become much while the script made next to nothing, there is a collection as well, at a moment
 * that is not the same in each run.
 *
 * Kept in a snapshot: the limit, and what has been counted.
 */
#ifndef CKPTLUA_EXACT_COLLECTIONS_H
#define CKPTLUA_EXACT_COLLECTIONS_H

#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "zone/zone.h"

struct exact;

/* All zeros: Lua's own collector works as it always does. */
struct collections {
    int on;                           /* moments are chosen here */
    int running;                      /* the script runs: it is the time for collections */
    int stopped;                      /* by the script */
    const int *pause;                 /* percent, as Lua's; -1: not set by the script */
    uint64_t outside;                 /* bytes that userdata have outside of Lua's memory; */
    uint64_t outside_since, left;     /* with Lua's own collector: since a collection, and then */
    int due, strings_due, others_due; /* a hook has been set for one of these */
    uint64_t limit;                   /* of ZONE_COUNTED; 0: not known yet */
    uint64_t since;                   /* zone_since, while nothing is counted: */
    int passing;                      /* collections_pass, or before the script goes on */
    uint64_t made, swept;             /* how many there were */
    /* For tests: what is called behind each collection; and the limit, whatever is alive, or 0. */
    void (*watch)(struct exact *exact);
    uint64_t fixed;
};

/* Whether moments can be chosen here: there is a zone, which counts. */
int collections_possible(const struct exact *exact);

/* The script begins, or goes on; stopped: it has stopped the collector. And it has ended. */
void collections_begin(lua_State *L, struct exact *exact, int stopped);
void collections_end(struct exact *exact);

/* In the hook, L being the running thread: does what is due, if anything is. Finalizers run. */
void collections_take(lua_State *L, struct exact *exact);

/* The script asks for a collection; and for a step, as large as if so many kilobytes had been
 * allocated: steps add up to a collection, and are nothing before. Returns whether it came to that.
 */
void collections_make(lua_State *L, struct exact *exact);
int collections_step(lua_State *L, struct exact *exact, uint64_t kilobytes);

/* A userdata has got so many bytes outside of Lua's memory, or has given them back. Lua's own
 * collector, which cannot be told, may be called: finalizers run. */
void collections_allocated(lua_State *L, struct exact *exact, ptrdiff_t bytes);

/* The script stops the collector, or restarts it. */
void collections_stop(lua_State *L, struct exact *exact, int stopped);

/* What the host does between these two does not count. They may be nested. */
void collections_pass(struct exact *exact);
void collections_count(struct exact *exact);

/* Pushes the counters as a table; and takes those of the one at index, before the script goes on.
 */
void collections_push(lua_State *L, const struct exact *exact);
void collections_set(lua_State *L, struct exact *exact, int index);

#endif
