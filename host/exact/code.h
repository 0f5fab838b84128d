/*
 * The texts that the script's functions were compiled from, and where in them each function is.
 * Every text that is compiled passes through here: the script, modules, and what load, loadfile and
 * dofile are given.
 */
#ifndef CKPTLUA_EXACT_CODE_H
#define CKPTLUA_EXACT_CODE_H

#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "exact/vm.h"
#include "value/idmap.h"

struct addresses; /* exact.h */
struct analysis;

/* A text, and the tree of its prototypes, flattened in the order of the source: the main function
 * is number 0. */
struct code_chunk {
    char *name, *text; /* the chunk's name with its '@' or '='; text NULL: known without */
    size_t size;
    struct vm_prototype **prototypes;
    uint32_t count;
    struct analysis **analyses; /* of these, as far as they were asked for; or NULL */
    int met;                    /* by the capture that is on its way, or not to be dropped yet */
    int lasting;                /* the script or the host's own: never dropped */
    int anchor;                 /* reference in the registry: keeps the prototypes alive, by */
    const void *holder;         /* this closure */
};

struct code {
    struct code_chunk **chunks;
    size_t count, room;
    size_t expanded;  /* chunks whose prototypes are in the map: the first ones */
    struct idmap map; /* prototype -> number of its chunk << 32 | its own number, and 1 added */
    struct addresses *addresses; /* or NULL */
    int makers; /* reference: list of functions; number n + 1 makes a closure of n upvalues */
};

void code_open(lua_State *L, struct code *code);
void code_close(struct code *code);

/* Remembers the text that the function on top of the stack was compiled from. Pops nothing. text
 * NULL: its functions are found by name only. */
struct code_chunk *code_add(lua_State *L, struct code *code, const char *name, const char *text,
                            size_t size);

/* Where the prototype is. Returns 0 if its text is not known. */
int code_find(lua_State *L, struct code *code, const struct vm_prototype *prototype,
              struct code_chunk **chunk, uint32_t *number);

/* Pushes a new closure of that prototype, with upvalues of its own that are nil. It is to have that
 * place (address.h). */
void code_push_closure(lua_State *L, struct code *code, struct vm_prototype *prototype,
                       uint64_t place);

/* A capture begins; it has met all functions that the script can reach: those that the collector
 * has not freed yet, and a finalizer may bring back, count as met, too; then the texts of the
 * others are forgotten. The collector must not run in code_meet_unfreed. */
void code_begin(struct code *code);
void code_meet_unfreed(lua_State *L, struct code *code);
void code_drop(lua_State *L, struct code *code);

/* The same for a capture by another process, which was begun when there were `count` texts: it
 * writes what it has met into as many bytes, from which this one takes it. */
void code_tell_met(const struct code *code, unsigned char *met, size_t count);
void code_drop_told(lua_State *L, struct code *code, const unsigned char *met, size_t count);

#endif
