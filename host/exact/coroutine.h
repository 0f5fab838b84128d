/*
 * coroutine.resume and its relatives, as the stock ones but for what a script must not notice: that
 * its main thread is a coroutine of the host. They also keep account of the running thread.
 */
#ifndef CKPTLUA_EXACT_COROUTINE_H
#define CKPTLUA_EXACT_COROUTINE_H

#include "exact/exact.h"

/* Replaces them in the table of the library. */
void coroutine_open(lua_State *L, struct exact *exact);

/* Of code_writer and code_reader, for functions made by coroutine.wrap: pushes "wrap", the
 * coroutine and perhaps a place, and returns how many values that are behind the first, or -1 if it
 * is none; and makes one of `count` such values on top. */
int coroutine_take_apart(lua_State *L, struct exact *exact, int index);
void coroutine_put_together(lua_State *L, struct exact *exact, int count);

/* Runs `thread` with `arguments` values on its stack, as lua_resume does, as the running one. */
int coroutine_run(lua_State *L, struct exact *exact, lua_State *thread, int arguments,
                  int *results);

#endif
