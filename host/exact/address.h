/*
 * The addresses of the script's objects: which ones they have is saved, and a continued job gives
 * them the same ones (zone/places.h). So keys that are objects stay in their places in tables, and
 * %p and tostring tell the same.
 *
 * What is in use when the script starts, the libraries and the host's own, is in the same places in
 * each process, as each one repeats the same start. Only the script's main function and coroutine,
 * which are made before that too, are objects of the script. While the script does not run,
 * everything that is made is the host's own (zone_own), and takes no place of it. What is in use at
 * a save and is neither saved nor there at the start is garbage: its places are saved, and are held
 * in the continued process until the collector would have freed it.
 *
 * Where something cannot be had, it is made elsewhere, and tables with such keys have the order
 * that they had at the save (order.h).
 */
#ifndef CKPTLUA_EXACT_ADDRESS_H
#define CKPTLUA_EXACT_ADDRESS_H

#include "exact/exact.h"

/* Has Lua make what it would make while the script runs, once in a process: the metatable of large
 * buffers. */
void address_open(lua_State *L, struct exact *exact);

/* The base environment is complete, its garbage has been collected, and nothing of the script has
 * run: remembers what is in use, but for the objects between the indices first and last. */
void address_begin(lua_State *L, struct exact *exact, int first, int last);
void address_close(struct exact *exact);

/* Two numbers that tell whether the base environment, and functions in C, are where they were.
 * Returns 0 where there are no places. */
int address_numbers(lua_State *L, struct exact *exact, lua_Integer *base, lua_Integer *code);

/* A snapshot with these numbers is restored. Returns whether objects get their places. */
int address_restore(lua_State *L, struct exact *exact, lua_Integer base, lua_Integer code);

/* Before and after a capture. */
void address_open_marks(lua_State *L, struct exact *exact);
void address_close_marks(struct exact *exact);

/* Of code_writer. */
uint64_t address_of(lua_State *L, void *context, int index);
int address_next_garbage(lua_State *L, void *context, struct code_garbage *garbage);

/* Pushes the place of the value at index, while a capture is on its way; for functions that are
 * made of values (code_writer.made). Returns the number of values pushed, 0 or 1. */
int address_push(lua_State *L, struct exact *exact, int index);

/* Pops a place that is on top, and counts it out, where there are more values than `without`. */
uint64_t address_pop(lua_State *L, int *count, int without);

/* Of code_reader. */
void address_table(lua_State *L, void *context, uint32_t array, uint32_t hash, uint64_t place);
void address_load(lua_State *L, void *context, const struct userdata_type *type, const char *data,
                  size_t size, uint64_t place);
void address_set_own(lua_State *L, void *context, int on);
void address_hold(lua_State *L, void *context, const struct code_garbage *garbage);

/* To make an object: between address_want and address_made, which is called with it on top, all
 * that is made is the script's; the next object of the place's kind gets the place. PLACES_OWN: the
 * next function is the host's own, and all else as before. addresses may be NULL. */
void address_want(struct addresses *addresses, uint64_t place);
void address_made(lua_State *L, struct addresses *addresses, uint64_t place);

/* Another object that is made meanwhile, and is on top later. */
void address_want_too(struct addresses *addresses, uint64_t place);
void address_check(lua_State *L, struct addresses *addresses, uint64_t place);

/* Of layout_reader. */
int address_is_there(lua_State *L, const void *context, int key);

/* A full collection is made, or was: what was garbage at the save is free. */
void address_collected(struct exact *exact);

/* Where collections are Lua's own business nobody tells of them. All has been put back: watches for
 * one; and, at a save, looks whether there has been one. */
void address_watch(lua_State *L, struct exact *exact);
void address_look(lua_State *L, struct exact *exact);

#endif
