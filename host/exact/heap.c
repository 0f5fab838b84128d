#include "exact/heap.h"

#include <stdio.h>
#include <string.h>

#include "exact/vm.h"

/* A build can be told to take all memory from malloc. AddressSanitizer and ThreadSanitizer see more
 * that way, unless told otherwise. */
#if defined(HEAP_FROM_MALLOC)
enum { HEAP_PLAIN = 1 };
#elif defined(HEAP_FROM_ZONE)
enum { HEAP_PLAIN = 0 };
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { HEAP_PLAIN = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { HEAP_PLAIN = 1 };
#else
enum { HEAP_PLAIN = 0 };
#endif
#else
enum { HEAP_PLAIN = 0 };
#endif

void heap_open(struct heap *heap, int plain)
{
    if (heap->owner == NULL)
        zone_open(&heap->zone, plain || HEAP_PLAIN);
    heap->owner = heap;
}

void heap_close(struct heap *heap)
{
    zone_close(&heap->zone);
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
    /* The table of strings, which the host's own strings enlarge too, is not to count. */
    int is_own = block == NULL && old_size == 0 && new_size > ZONE_SMALL;
    struct zone *zone = &heap->owner->zone;
    zone_own(zone, is_own);
    void *result = zone_alloc(zone, block, old_size, new_size);
    zone_own(zone, 0);
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

static lua_State *heap_make_state(struct heap *heap, uint32_t seed)
{
    heap->state = NULL;
    heap->state_size = 0;
    heap->seed = seed;
    heap->seeded = heap->warns = heap->warning = 0;
    lua_State *L = lua_newstate(heap_alloc_state, heap);
    if (L != NULL) {
        lua_setallocf(L, zone_alloc, &heap->owner->zone);
        lua_atpanic(L, heap_panic);
        lua_setwarnf(L, heap_warn, heap);
        heap->seeded = heap->seeded && heap_check_seed(L, seed);
    }
    return L;
}

lua_State *heap_new_state(struct heap *heap, uint32_t seed)
{
    heap_open(heap, 0);
    zone_restart(&heap->zone);
    return heap_make_state(heap, seed);
}

lua_State *heap_new_state_within(struct heap *heap, uint32_t seed, struct heap *owner)
{
    heap->owner = owner;
    return heap_make_state(heap, seed);
}
