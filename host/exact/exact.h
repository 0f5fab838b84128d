/*
 * Exact resume: the stack of calls of a running script is saved, and made again in another process.
 * How, in one page.
 *
 * The stack of a thread of Lua is an array of values, and a chain of calls that tells which part of
 * it belongs to which function, and at which instruction that function is. While a thread is
 * suspended, or stopped by a hook between two instructions, nothing of it is on the C stack. So an
 * image of both can be taken (frames.c), and a new thread that is given the same image
 * (rebuild.c) goes on just there when it is resumed. No instruction of the script runs meanwhile.
 *
 * For this the script runs in a coroutine of the host from its start: the first thread of a state
 * cannot be suspended. coroutine.running and its relatives are the host's own (coroutine.c), so
 * that the script sees a main thread all the same; they also know which thread is running. The
 * threads that are running inside each other (one in resume, which runs the next) are captured as
 * if each had been suspended in its resume; when the first one is resumed, they resume each other.
 *
 * What an image refers to:
 *   - values: by the encoder, as everything else (value/);
 *   - functions of Lua: by their place in a source text, which is kept (code.c): a closure is made
 *     anew and given the prototype of that place, and its upvalues are joined as they were. No
 *     bytecode is in a snapshot;
 *   - functions of libraries: by name. Of those that can stand on a stack (pcall, coroutine.resume,
 *     checkpoint and some more) the continuation is known: points.c;
 *   - open upvalues and to-be-closed variables: by their register.
 * What follows from the code is not saved but computed: results wanted, flags, handlers of pcall.
 * Registers that no instruction will read any more are left out (flow.c).
 *
 * Finalizers that are still to run are those that were, and go in the order in which they would
 * have gone (finalizers.c); their objects may be garbage.
 *
 * Garbage is collected at moments that can be the same in each run (collections.h).
 *
 * Strings are hashed with the seed of the job (heap.c), and tables are made with all that they have
 * in the places where it was (nodes.c), so that they have the order that they had, now and after
 * changes. Where that cannot be had, `pairs` and `next` keep the order of the save (order.c).
 * Objects get the addresses that they had, on which the places of keys depend too (address.c).
 *
 * All this rests on the insides of Lua, which vm.h lists and vm_check looks at before they are
 * relied upon. A snapshot is not trusted: whatever it says about a stack is checked against the
 * code of the functions on it (rebuild.c) before any of it is made.
 */
#ifndef CKPTLUA_EXACT_EXACT_H
#define CKPTLUA_EXACT_EXACT_H

#include <stdint.h>

#include <lua.h>

#include "exact/code.h"
#include "exact/collections.h"
#include "exact/site.h"
#include "exact/vm.h"
#include "value/code.h"
#include "value/idmap.h"
#include "zone/places.h"

struct image; /* images.h */

struct images {
    struct image *list;
    size_t count;
};

struct address_list {
    struct places_range *ranges;
    size_t count, room;
};

/* address.h */
struct addresses {
    struct zone *zone;        /* of the state; NULL: objects have no places */
    struct address_list base; /* in use by the base environment; empty until that is known */
    uint64_t number;          /* that tells it from others; 0: not asked for yet */
    int marking;              /* a capture is on its way: */
    struct places_marks marks;
    struct address_list waiting; /* garbage that waits for a finalizer, when that is known */
    int knows_waiting;
    size_t waiting_at; /* how far the garbage has been told */
    struct places_walk walk;
    int used; /* the snapshot that is restored has places of this process; */
    int has_code;
    int was_own;     /* before an object is made */
    int watches;     /* for a collection */
    uint64_t missed; /* that could not be had */
};

/* A thread that has resumed another one, on the C stack of coroutine.resume. */
struct exact_resumer {
    lua_State *thread;
    struct exact_resumer *previous;
};

/* Which texts are kept of those that are compiled, for the snapshots to come. Of all, those that no
 * function is left of are dropped after a save that has met all functions there are. */
enum exact_texts { EXACT_NO_TEXTS, EXACT_TEXTS_OF_MODULES, EXACT_ALL_TEXTS };

struct exact {
    struct vm vm;
    lua_State *volatile current;    /* the running thread; read by signal handlers */
    struct exact_resumer *resumers; /* of the running thread, the innermost first */
    lua_State *main;                /* the script's main coroutine */
    lua_State *scratch;             /* for the host's work while another thread is stopped */
    int is_checked;                 /* vm holds, */
    int keeps_layout;               /* and tables can be made as they were (nodes.h) */
    enum exact_texts keeps_texts;
    int natives; /* a reference to {[1], [2], ... = the stock searchers for modules that are not
                    written in Lua, [name] = module that one has found} */
    int takes_edited; /* modules may have other texts now than a snapshot that is read says */
    struct code code;
    struct addresses addresses;
    struct layout_reader layout; /* of exact_reader */
    struct exact_point *points;  /* points.c */
    int points_count, points_room;
    int capturing;      /* a capture is on its way: */
    struct idmap ran;   /* threads -> 1, if they were run since they were met */
    struct sites sites; /* of the capture that is on its way */
    int64_t bare; /* slots that it has met which hold nothing, and so take no place in a snapshot */
    struct images images;
    struct zone *zone;     /* the memory of the state, which is the host's; may be NULL */
    uint64_t threads_size; /* bytes of the threads there, when there are no others */
    struct collections collections;
    int anchors; /* a reference to the table that holds the threads */
    int orders;  /* a reference to the table of records of order.c */
    int orders_count;
    lua_Integer finalizers_of_libraries;                  /* finalizers.c */
    lua_CFunction gmatch, gmatch_next, lines, lines_next; /* iterators.c */
    int pending; /* a reference to {upvalues, threads, functions} between rebuild_finish and
                    rebuild_threads */

    /* The host's part. */
    void *context;
    lua_CFunction handler; /* of errors that the script does not catch: makes the message */
    lua_Hook hook;         /* called when something is due */
    volatile int armed;    /* something is due */
    int leaving;           /* the job is ending in the middle of its script: */
    void (*leave)(lua_State *L, void *context); /* raises an error that nothing catches */
};

/* vm has been filled. Makes the threads, and replaces what of the libraries the script must not
 * have as it is. The libraries are open, the base environment is not named yet. */
void exact_open(lua_State *L, struct exact *exact);
void exact_close(struct exact *exact);

/* The one of the state that a thread belongs to. It is in the extra space (lua_getextraspace),
 * where it is found without a call of Lua's API: for what is called in inner loops. */
static inline struct exact *exact_of(lua_State *L)
{
    return *(struct exact **)lua_getextraspace(L);
}

/* Names what is not in a table of the base environment, when that has been named. */
void exact_name(lua_State *L, const struct exact *exact);

/* The thread at index is the script's main coroutine from now on. */
void exact_set_main(lua_State *L, struct exact *exact, int index);

/* Before a snapshot's is made: there is none. */
void exact_forget_main(lua_State *L, struct exact *exact);

/* The script is about to start, with the function at index `script`, or, 0, to be put back. All
 * that is there else is of the base environment; it has no garbage. */
void exact_begin(lua_State *L, struct exact *exact, int script);

/* Starts the function below the `arguments` values on L's stack in the main coroutine, or, where
 * that is there already, goes on with it. Returns as lua_resume does; the error value, as the
 * handler has made it, is on the main coroutine's stack. */
int exact_run(lua_State *L, struct exact *exact, int arguments);

/* zone_own */
static inline int exact_own(const struct exact *exact, int owner)
{
    return zone_own(exact->zone, owner);
}

/* How functions and threads go into a snapshot, and come out of it. */
void exact_writer(struct exact *exact, struct code_writer *writer);
void exact_reader(struct exact *exact, struct code_reader *reader);

#endif
