/*
 * The core of a zone: cells of all the regions that a job needs before its script does much, side
 * by side, so that they take few pages and these come from the system at once. For region.c only.
 */
#ifndef CKPTLUA_ZONE_CORE_H
#define CKPTLUA_ZONE_CORE_H

#include <stddef.h>
#include <stdint.h>

/* Bytes from the base of a zone that an empty job uses. */
size_t core_size(void);

/* Gives regions their cells there. Nothing has been in use yet. */
void core_lay_out(uintptr_t base);

#endif
