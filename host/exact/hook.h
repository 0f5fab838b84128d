/*
 * Saves anywhere: when something is due, a hook is set on the running thread, which is called
 * before its next instruction. Nothing is set while nothing is due, so a tight loop runs at Lua's
 * speed.
 */
#ifndef CKPTLUA_EXACT_HOOK_H
#define CKPTLUA_EXACT_HOOK_H

#include "exact/exact.h"

/* Replaces debug.sethook by one that raises an error: there is one hook only, and it is needed. */
void hook_open(lua_State *L, struct exact *exact);

/* Something is due. May be called from a signal handler that has interrupted the thread of the
 * operating system that runs the script, and from that thread itself. */
void hook_request(struct exact *exact);

/* Sets the hook on the thread that runs now, which another one has run before. */
void hook_arm(struct exact *exact);

/* What is due cannot be done here: the hook comes again after so many instructions. */
void hook_relax(struct exact *exact, int instructions);

/* Nothing is due any more; L is the thread whose hook was called. Another one that still has the
 * hook disarms itself when it is called there. */
void hook_disarm(struct exact *exact, lua_State *L);

#endif
