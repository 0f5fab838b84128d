/*
 * The processes that verify starts and kills, for lua/verify.lua:
 *
 *     process = start(folder, word, ...)   the program itself with these arguments, in folder/work,
 *                                          with stdout and stderr appended to folder/stdout and
 *                                          folder/stderr
 *     how, output = process:ready(seconds) waits until its script begins; output is the length of
 *                                          its stdout then, cut back as it is when a job continues
 *     how = process:wait(seconds)          waits for its end
 *     process:kill(name)                   sends the signal called "KILL" or "TERM"
 *     code, signal = process:result()      of one that has ended: its exit code, or nil and the
 * name of the signal of which it died seconds = clock()
 *
 * `how` is "ready", "ended", "time" when the seconds are over, or the number of a signal that asks
 * verify to stop. A process that is forgotten is killed, as is all that a process leaves behind.
 */
#ifndef CKPTLUA_CLI_VERIFY_RUN_H
#define CKPTLUA_CLI_VERIFY_RUN_H

#include <lua.h>

int verify_run_start(lua_State *L);
int verify_run_clock(lua_State *L);

#endif
