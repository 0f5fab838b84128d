/*
 * Fuzzes the reader of snapshot bodies: whatever the bytes are, they give values or a Lua error.
 * Not part of the tests. Built on demand with clang, in the project's folder:
 *
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
 *         $(pkg-config --cflags lua5.4) -Ihost -Itests/unit tests/fuzz/decode.c \
 *         tests/unit/value_support.c host/value/[a-z]*.c host/base/[a-z]*.c \
 *         $(pkg-config --libs lua5.4 msgpack cmocka) -o fuzz-decode
 *     ./fuzz-decode -max_len=4096 CORPUS/ tests/golden/
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <lauxlib.h>

#include "value_support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory memory = {.countdown = -1};
    struct bytes body = {0};
    lua_State *L = value_open_harmless(&memory);
    memory.limit = memory.used + 64 * size + 1024 * 1024;
    int decoded = value_decode(L, 1, data, size);
    if (memory.failures > 0)
        abort();
    memory.limit = 0;
    if (decoded) {
        if (luaL_dostring(L, "local id = function(d) return {d} end\n"
                             "function f() end; transient('A', {}); register('C', {})\n"
                             "register('P', {}, id, id); sweep()") != LUA_OK)
            lua_pop(L, 1);
        value_encode(L, 1, &body);
        bytes_free(&body);
    }
    lua_close(L);
    if (memory.used != 0)
        abort();
    return 0;
}
