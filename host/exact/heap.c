#include "exact/heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void heap_warn_off(void *context, const char *text, int more);
static void heap_warn_on(void *context, const char *text, int more);

/* "@on" and "@off". Returns 1 if it was one of these, or another control message. */
static int heap_warn_control(lua_State *L, const char *text, int more)
{
    if (more || *text != '@')
        return 0;
    if (strcmp(text, "@on") == 0)
        lua_setwarnf(L, heap_warn_on, L);
    else if (strcmp(text, "@off") == 0)
        lua_setwarnf(L, heap_warn_off, L);
    return 1;
}

static void heap_warn_off(void *context, const char *text, int more)
{
    heap_warn_control(context, text, more);
}

static void heap_warn_continue(void *context, const char *text, int more)
{
    fputs(text, stderr);
    if (more) {
        lua_setwarnf(context, heap_warn_continue, context);
    } else {
        fputc('\n', stderr);
        lua_setwarnf(context, heap_warn_on, context);
    }
}

static void heap_warn_on(void *context, const char *text, int more)
{
    if (heap_warn_control(context, text, more))
        return;
    fputs("Lua warning: ", stderr);
    heap_warn_continue(context, text, more);
}

lua_State *heap_new_state(struct heap *heap)
{
    lua_State *L = lua_newstate(heap_alloc, heap);
    if (L != NULL) {
        lua_atpanic(L, heap_panic);
        lua_setwarnf(L, heap_warn_off, L);
    }
    return L;
}
