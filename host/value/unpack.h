/*
 * msgpack in: one token at a time out of a source, through a buffer. Every length is checked
 * against the bytes that are left before anything is made of it, so a lying file costs an error
 * message and no memory. The mirror of pack.h.
 *
 * msgpack-c's own reader is not used here: it builds a tree of objects with containers nested to a
 * fixed depth, and believes the count of an array header.
 */
#ifndef CKPTLUA_VALUE_UNPACK_H
#define CKPTLUA_VALUE_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#include <lua.h>

/* The most that is read ahead. */
enum { UNPACK_BUFFER = 64 * 1024 };

/* Where the bytes come from. read returns their number (at least 1 while some are left), or a
 * negative code. */
struct source {
    int64_t (*read)(void *context, void *data, size_t size);
    void *context;
    uint64_t size; /* bytes in all */
};

struct unpack {
    struct source source;
    int status;    /* 0, or the first failure of the source */
    uint64_t left; /* bytes not yet taken, those in the buffer included */
    size_t at, end;
    size_t room; /* of the buffer: no more than the source has */
    unsigned char buffer[];
};

enum unpack_type {
    UNPACK_NIL,
    UNPACK_BOOLEAN,   /* integer: 0 or 1 */
    UNPACK_INTEGER,   /* integer */
    UNPACK_FLOAT,     /* number */
    UNPACK_STRING,    /* size bytes follow */
    UNPACK_BINARY,    /* size bytes follow */
    UNPACK_ARRAY,     /* size values follow */
    UNPACK_MAP,       /* size pairs follow */
    UNPACK_EXTENSION, /* size bytes of kind `extension` follow */
};

struct unpack_token {
    enum unpack_type type;
    int8_t extension;
    uint32_t size;
    union {
        int64_t integer;
        double number;
    } value;
};

/* Pushes a userdata that holds a new one. */
struct unpack *unpack_new(lua_State *L, const struct source *source);

/* All functions below raise "... at byte N" where the bytes make no sense. */

void unpack_next(lua_State *L, struct unpack *unpack, struct unpack_token *token);

/* The next token, which must be an array of `size` values, or of any size where size is
 * UINT32_MAX. Returns the size. */
uint32_t unpack_array(lua_State *L, struct unpack *unpack, uint32_t size);
uint32_t unpack_map(lua_State *L, struct unpack *unpack);

/* Moves the `size` bytes that follow a token to where they are wanted; or nowhere, if data is NULL.
 */
void unpack_bytes(lua_State *L, struct unpack *unpack, void *data, uint32_t size);

/* Pushes the `size` bytes that follow a token as a Lua string. */
void unpack_push_bytes(lua_State *L, struct unpack *unpack, uint32_t size);

/* Copies size <= 16 bytes that follow an extension token. */
void unpack_copy(lua_State *L, struct unpack *unpack, void *data, size_t size);

/* Pushes the string whose token was just read: bytes, or, after an array token, the
 * ["string", chunk, ...] behind its tag. */
void unpack_push_string(lua_State *L, struct unpack *unpack, const struct unpack_token *token);

/* The integer that `size` bytes begin with, without a source and a state: returns 1, or 0 if there
 * is none that an int64_t can hold. */
int unpack_peek_integer(const unsigned char *bytes, size_t size, int64_t *value);

/* Raises "WHAT at byte N". */
int unpack_fail(lua_State *L, const struct unpack *unpack, const char *what);

#endif
