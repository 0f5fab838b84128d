/*
 * Functions in a snapshot of globals: the script, and modules, may have been edited since, so a
 * function is looked for by its text, the lines from its first to its last. It must be there once.
 * Its upvalues are joined by their names.
 */
#ifndef CKPTLUA_EXACT_EDITED_H
#define CKPTLUA_EXACT_EDITED_H

#include "exact/exact.h"

struct edited {
    struct exact *exact;
    const char *path;         /* of the script, for messages */
    const char *before, *now; /* its texts */
    size_t before_size, now_size;
    int originals; /* a reference to the table of functions of edited texts -> what they were */
};

/* Of decode_globals. The two texts stay the caller's. */
void edited_reader(lua_State *L, struct edited *edited, struct code_reader *reader);

#endif
