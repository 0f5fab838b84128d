/*
 * num.load and num.save: the ending of the name tells the format.
 */
#ifndef CKPTLUA_NUM_FILES_H
#define CKPTLUA_NUM_FILES_H

#include <lua.h>

/* Adds them to the table on top of the stack. */
void files_open(lua_State *L);

#endif
