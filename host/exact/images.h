/*
 * What tables of the base environment, such as `string`, looked like in memory when they were last
 * found to be as at the start. A save finds by it that they are so still, without a walk: what was
 * in them then is kept alive by the copies that names.h has.
 */
#ifndef CKPTLUA_EXACT_IMAGES_H
#define CKPTLUA_EXACT_IMAGES_H

#include "exact/exact.h"

/* Of a walker (value/walker.h) whose context is the struct exact. */
int images_is_same(void *context, size_t number);
void images_remember(lua_State *L, void *context, int table, size_t number);

void images_free(struct images *images);

#endif
