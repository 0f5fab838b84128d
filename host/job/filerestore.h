/*
 * The way back: from what files_push described to files and handles.
 */
#ifndef CKPTLUA_JOB_FILERESTORE_H
#define CKPTLUA_JOB_FILERESTORE_H

#include <stddef.h>

#include <lua.h>

/* files_restore and files_load_handle. */
void filerestore_all(lua_State *L, int index, const char *journal);

/* The same arguments: cuts the files back, and removes those that were not there. */
void filerestore_cut(lua_State *L, int index, const char *journal);
void filerestore_handle(lua_State *L, const char *data, size_t size);

#endif
