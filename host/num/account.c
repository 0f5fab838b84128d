#include "num/account.h"

#include "ckptlua.h"
#include "num/array.h"

#pragma weak ckptlua_allocated

/* Plain Lua cannot be told. Steps of its generational collector would make every array an old one,
 * so there is a collection when as much has been made as the last one left, but not for less than:
 */
#define ACCOUNT_LEAST ((size_t)64 << 20)

void account_bytes(lua_State *L, ptrdiff_t bytes)
{
    if (ckptlua_allocated != NULL) {
        ckptlua_allocated(L, bytes);
        return;
    }
    struct block_pool *pool = array_pool(L);
    pool->made += bytes > 0 ? (size_t)bytes : 0;
    if (pool->made > ACCOUNT_LEAST && pool->made > pool->left) {
        pool->made = 0;
        lua_gc(L, LUA_GCCOLLECT);
        pool->left = pool->held;
    }
}
