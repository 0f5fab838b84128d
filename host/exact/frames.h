/*
 * A thread as a table of a snapshot (capture.h tells what is in it), straight from its stack to the
 * encoder: nothing is built of it meanwhile, so that a hundred thousand calls or coroutines take no
 * memory. The calls are gone through twice, for a table is counted where it is first referred to,
 * and written later.
 *
 * Between the two a save function of a class may run, and with it other Lua code. It may move the
 * stack, and collect what nothing else refers to, so that what has been found is looked for anew
 * after each (frames_settle). A coroutine that it has run or closed is not saved.
 */
#ifndef CKPTLUA_EXACT_FRAMES_H
#define CKPTLUA_EXACT_FRAMES_H

#include "exact/exact.h"

/* As code_writer.thread. */
void frames_thread(lua_State *L, void *context, struct encoder *encode, int index,
                   struct code_piece *description);

#endif
