/*
 * Copies of what a job reads, for lua/verify.lua:
 *
 *     bytes = copy(from, to, limit, but)
 *                            a file, or a folder with all that is in it, by reference where the
 *                            file system can. Without `to` nothing is copied. Returns nil as soon
 *                            as there are more bytes than `limit`. The folder `but` is left out
 *     path = place(file)     where a file is below the current folder; nil, full path where it is
 *                            outside; nil where it is not there
 *
 * Permissions and times are kept, and links within the folder; a link that leads out of it becomes
 * a copy of what it leads to, so that nothing outside is written to through it. Sockets, devices
 * and the like are left out.
 *
 * copy raises { stopped = number } when a signal asks verify to stop, and texts for failures.
 */
#ifndef CKPTLUA_CLI_VERIFY_COPY_H
#define CKPTLUA_CLI_VERIFY_COPY_H

#include <lua.h>

int verify_copy_tree(lua_State *L);
int verify_copy_place(lua_State *L);

#endif
