#include "exact/heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exact/vm.h"

/* AddressSanitizer is to see each block by itself. */
#if defined(__SANITIZE_ADDRESS__)
#define HEAP_PLAIN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HEAP_PLAIN 1
#endif
#endif

#if defined(HEAP_PLAIN)

void *heap_alloc(void *context, void *block, size_t old_size, size_t new_size)
{
    (void)context;
    (void)old_size;
    if (new_size != 0)
        return realloc(block, new_size);
    free(block);
    return NULL;
}

#else

enum { HEAP_FIRST_CHUNK = 32 * 1024, HEAP_LARGEST_CHUNK = 1024 * 1024 };

static size_t heap_class(size_t size)
{
    return (size - 1) / HEAP_STEP;
}

/* Starts a new chunk. The rest of the old one goes to the free lists. */
static int heap_grow(struct heap *heap)
{
    size_t size = heap->next_chunk == 0 ? HEAP_FIRST_CHUNK : heap->next_chunk;
    char *chunk = malloc(size);
    if (chunk == NULL)
        return -1;
    size_t rest = (size_t)(heap->end - heap->at);
    if (rest > 0) {
        void **block = (void **)(void *)heap->at;
        *block = heap->free[heap_class(rest)];
        heap->free[heap_class(rest)] = block;
    }
    *(void **)(void *)chunk = heap->chunks;
    heap->chunks = chunk;
    heap->at = chunk + HEAP_STEP;
    heap->end = chunk + size;
    heap->next_chunk = size < HEAP_LARGEST_CHUNK ? 2 * size : size;
    return 0;
}

static void *heap_take_new(struct heap *heap, size_t class)
{
    size_t size = (class + 1) * HEAP_STEP;
    if ((size_t)(heap->end - heap->at) < size && heap_grow(heap) != 0)
        return NULL;
    void *block = heap->at;
    heap->at += size;
    return block;
}

static inline void *heap_take(struct heap *heap, size_t size)
{
    if (size > HEAP_SMALL)
        return malloc(size);
    size_t class = heap_class(size);
    void **block = heap->free[class];
    if (block == NULL)
        return heap_take_new(heap, class);
    heap->free[class] = *block;
    return block;
}

static inline void heap_give(struct heap *heap, void *block, size_t size)
{
    if (size > HEAP_SMALL) {
        free(block);
    } else {
        *(void **)block = heap->free[heap_class(size)];
        heap->free[heap_class(size)] = block;
    }
}

static void *heap_resize(struct heap *heap, void *block, size_t old_size, size_t new_size)
{
    if (old_size > HEAP_SMALL && new_size > HEAP_SMALL)
        return realloc(block, new_size);
    if (old_size <= HEAP_SMALL && new_size <= HEAP_SMALL &&
        heap_class(old_size) == heap_class(new_size))
        return block;
    void *moved = heap_take(heap, new_size);
    if (moved == NULL) /* Lua counts on it that shrinking works: a block may be too large */
        return new_size < old_size ? block : NULL;
    memcpy(moved, block, old_size < new_size ? old_size : new_size);
    heap_give(heap, block, old_size);
    return moved;
}

void *heap_alloc(void *context, void *block, size_t old_size, size_t new_size)
{
    struct heap *heap = context;
    if (block == NULL)
        return new_size == 0 ? NULL : heap_take(heap, new_size);
    if (new_size != 0)
        return heap_resize(heap, block, old_size, new_size);
    heap_give(heap, block, old_size);
    return NULL;
}

#endif

void heap_close(struct heap *heap)
{
    while (heap->chunks != NULL) {
        void *chunk = heap->chunks;
        heap->chunks = *(void **)chunk;
        free(chunk);
    }
    memset(heap, 0, sizeof *heap);
}

/* ---------------------------------------------------------------- as luaL_newstate */

static int heap_panic(lua_State *L)
{
    const char *text = lua_tostring(L, -1);
    fprintf(stderr, "ckptlua: unprotected error in a call of Lua's API (%s)\n",
            text == NULL ? "no message" : text);
    return 0;
}

/* "@on" and "@off". Returns 1 if it was one of these, or another control message. */
static int heap_warn_control(struct heap *heap, const char *text, int more)
{
    if (more || *text != '@')
        return 0;
    if (strcmp(text, "@on") == 0)
        heap->warns = 1;
    else if (strcmp(text, "@off") == 0)
        heap->warns = 0;
    return 1;
}

/* Where warnings are off, the last piece of one can be a control message too. */
static void heap_warn(void *context, const char *text, int more)
{
    struct heap *heap = context;
    if ((!heap->warns || !heap->warning) && heap_warn_control(heap, text, more))
        return;
    if (heap->warns)
        fprintf(stderr, "%s%s%s", heap->warning ? "" : "Lua warning: ", text, more ? "" : "\n");
    heap->warning = heap->warns && more;
}

/* ---------------------------------------------------------------- the seed of hashes */

/* Writes the seed into the block of the state, if the allocator is in there at one place only. */
static void heap_write_seed(struct heap *heap, lua_Alloc allocator)
{
    struct {
        lua_Alloc allocator;
        void *context;
    } wanted = {allocator, heap};
    size_t found = 0, places = 0;
    for (size_t at = 0;
         at + offsetof(struct vm_global, seed) + sizeof heap->seed <= heap->state_size;
         at += sizeof(void *))
        if (memcmp(heap->state + at, &wanted, sizeof wanted) == 0) {
            found = at;
            places++;
        }
    if (places == 1) {
        memcpy(heap->state + found + offsetof(struct vm_global, seed), &heap->seed,
               sizeof heap->seed);
        heap->seeded = 1;
    }
    heap->state = NULL;
}

/* The allocator while a state is made. The first block is the state's; Lua has put a random seed
 * into it when it asks for the second one, and has hashed nothing yet. */
static void *heap_alloc_state(void *context, void *block, size_t old_size, size_t new_size)
{
    struct heap *heap = context;
    if (heap->state != NULL)
        heap_write_seed(heap, heap_alloc_state);
    void *result = heap_alloc(heap, block, old_size, new_size);
    if (block == NULL && old_size == LUA_TTHREAD && result != NULL && heap->state_size == 0) {
        memset(result, 0, new_size);
        heap->state = result;
        heap->state_size = new_size;
    }
    return result;
}

/* Whether a string has the hash that it has with the seed (luaS_hash). */
static int heap_check_seed(lua_State *L, uint32_t seed)
{
    static const char text[] = "a string to be hashed";
    uint32_t hash = seed ^ (uint32_t)(sizeof text - 1);
    for (size_t left = sizeof text - 1; left > 0; left--)
        hash ^= (hash << 5) + (hash >> 2) + (unsigned char)text[left - 1];
    lua_pushstring(L, text);
    int same = vm_string_hash(L, -1) == hash;
    lua_pop(L, 1);
    return same;
}

lua_State *heap_new_state(struct heap *heap, uint32_t seed)
{
    heap->seed = seed;
    lua_State *L = lua_newstate(heap_alloc_state, heap);
    if (L != NULL) {
        lua_setallocf(L, heap_alloc, heap);
        lua_atpanic(L, heap_panic);
        lua_setwarnf(L, heap_warn, heap);
        heap->seeded = heap->seeded && heap_check_seed(L, seed);
    }
    return L;
}
