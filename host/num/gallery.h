/*
 * num.gallery(name, ...): test matrices by their names in MATLAB's gallery.
 */
#ifndef CKPTLUA_NUM_GALLERY_H
#define CKPTLUA_NUM_GALLERY_H

#include <lua.h>

/* Adds num.gallery to the table on top of the stack. */
void gallery_open(lua_State *L);

#endif
