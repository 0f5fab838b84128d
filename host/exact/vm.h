/*
 * What is known of the insides of stock Lua 5.4, 64 bit: the structures that the stack of calls and
 * tables consist of. This header and vm.c are the only place that depends on Lua's version; they
 * hold for 5.4.4 to 5.4.8, whose structures are the same. vm_check looks at known objects before
 * anything of this is relied upon; where it finds something else there is no exact resume.
 *
 * Names: Lua's own are in the comments (lstate.h, lobject.h, lfunc.h, ltm.h of its sources).
 */
#ifndef CKPTLUA_EXACT_VM_H
#define CKPTLUA_EXACT_VM_H

#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "base/error.h"

/* GCObject: how all objects begin. The newest one leads to all older ones that have no finalizer.
 */
struct vm_object {
    struct vm_object *next;
    uint8_t type, marked;
};

/* TValue, and StackValue: a value wherever it is kept. */
struct vm_value {
    uint64_t bits;
    uint8_t tag;
    uint8_t unused;
    uint16_t delta; /* slots of a stack only: to the to-be-closed variable before this one; 0: more
                       than VM_LARGEST_DELTA away */
    uint32_t padding;
};

/* Tags: a type in the low four bits, a variant above them, and VM_COLLECTABLE. */
enum {
    VM_NIL = 0x00,
    VM_EMPTY = 0x10, /* no value at all, in a table */
    VM_FALSE = 0x01,
    VM_DEAD_KEY = 0x0B, /* of a node: the key is an address that must not be followed */
    VM_TABLE = 0x05,
    VM_LUA_CLOSURE = 0x06,
    VM_C_FUNCTION = 0x16,
    VM_C_CLOSURE = 0x26,
    VM_INTEGER = 0x03,
    VM_FLOAT = 0x13,
    VM_SHORT_STRING = 0x04,
    VM_LONG_STRING = 0x14,
    VM_USERDATA = 0x07,
    VM_THREAD = 0x08,
    VM_UPVALUE = 0x09,
    VM_PROTOTYPE = 0x0A,
    VM_COLLECTABLE = 0x40
};

/* Proto */
struct vm_prototype {
    void *next;
    uint8_t type, marked;
    uint8_t parameters, is_vararg, registers; /* maxstacksize */
    int32_t upvalues_count, constants_count, code_size, lines_size, children_count, locals_count,
        absolute_lines_count;
    int32_t first_line, last_line;
    struct vm_value *constants;
    uint32_t *code;
    struct vm_prototype **children;
    struct vm_upvalue_name *upvalues;
    int8_t *lines;
    void *absolute_lines;
    struct vm_local *locals;
    void *source;
    void *gray;
};

/* Upvaldesc */
struct vm_upvalue_name {
    void *name;
    uint8_t in_stack, index, kind;
};

/* LocVar */
struct vm_local {
    void *name;
    int32_t start, end;
};

/* UpVal */
struct vm_upvalue {
    void *next;
    uint8_t type, marked, unused;
    struct vm_value *value; /* a slot of a stack while it is open; &closed then */
    union {
        struct {
            struct vm_upvalue *next;
            struct vm_upvalue **previous;
        } open;
        struct vm_value closed;
    } u;
};

/* CClosure */
struct vm_c_closure {
    void *next;
    uint8_t type, marked, upvalues_count;
    void *gray;
    lua_CFunction function;
    struct vm_value upvalues[];
};

/* LClosure */
struct vm_closure {
    void *next;
    uint8_t type, marked, upvalues_count;
    void *gray;
    struct vm_prototype *prototype;
    struct vm_upvalue *upvalues[];
};

/* CallInfo */
struct vm_call {
    struct vm_value *function, *top;
    struct vm_call *previous, *next;
    union {
        struct {
            const uint32_t *pc; /* behind the instruction that is being executed */
            volatile int trap;
            int extra_arguments;
        } lua;
        struct {
            lua_KFunction continuation;
            ptrdiff_t error_handler; /* that was in force before; bytes from the stack's start */
            lua_KContext context;
        } c;
    } u;
    union {
        int protected_function; /* of lua_pcallk: bytes from the stack's start */
        int yielded, results;
    } u2;
    short results_wanted;
    unsigned short status;
};

/* vm_call.status */
enum {
    VM_CALL_ALLOWS_HOOKS = 1 << 0,
    VM_CALL_C = 1 << 1,
    VM_CALL_FRESH = 1 << 2, /* of a luaV_execute of its own */
    VM_CALL_HOOKED = 1 << 3,
    VM_CALL_PROTECTED = 1 << 4, /* lua_pcallk */
    VM_CALL_TAIL = 1 << 5,
    VM_CALL_HOOK_YIELDED = 1 << 6,
    VM_CALL_FINALIZER = 1 << 7,
    VM_CALL_TRANSFER = 1 << 8,
    VM_CALL_CLOSING = 1 << 9,
    VM_CALL_RECOVERING = 7 << 10, /* the status that a protected call got */
    VM_CALL_NEGATED = 1 << 13     /* a <= b by not (b < a) */
};

/* TString */
struct vm_string {
    void *next;
    uint8_t type, marked, extra, short_length;
    uint32_t hash;
    union {
        size_t long_length;
        struct vm_string *next; /* short ones: in the table of strings */
    } u;
    char text[];
};

/* Udata, with user values */
struct vm_userdata {
    void *next;
    uint8_t type, marked;
    uint16_t values_count;
    size_t size;
    struct vm_table *metatable;
    void *gray; /* the rest is not there without user values */
    struct vm_value values[];
};

enum { VM_EVENTS = 25, VM_CACHE_ROWS = 53, VM_CACHE_COLUMNS = 2 };

/* global_State, all but its last fields */
struct vm_global {
    lua_Alloc allocator;
    void *context;
    ptrdiff_t total, debt;
    size_t estimate, last_atomic;
    struct vm_string **strings; /* by hash: all short strings */
    int strings_count, strings_size;
    struct vm_value registry, nil;
    uint32_t seed;
    uint8_t modes[12];
    struct vm_object *all, **sweep;
    struct vm_object *finalized; /* have a finalizer that is still to run (finobj) */
    void *gray[5];
    struct vm_object *waiting; /* are garbage, and wait for theirs (tobefnz) */
    void *fixed, *generations[7];
    struct vm_thread *with_upvalues;
    lua_CFunction panic;
    struct vm_thread *main;
    struct vm_string *memory_message, *event_names[VM_EVENTS];
    struct vm_table *metatables[LUA_NUMTYPES];
    struct vm_string *cache[VM_CACHE_ROWS][VM_CACHE_COLUMNS]; /* by C address (luaS_new) */
};

/* vm_object.marked: the two whites, and black. And vm_global.modes: the states of a collector that
 * has nothing under way, all objects being white. */
enum { VM_WHITE = 1 << 3 | 1 << 4, VM_BLACK = 1 << 5 };
/* And there: it is in the list of those with a finalizer that is still to run. */
enum { VM_HAS_FINALIZER = 1 << 6 };
enum { VM_MODE_STATE = 1, VM_MODE_KIND = 2, VM_STATE_PAUSE = 8, VM_KIND_INCREMENTAL = 0 };

/* lua_State */
struct vm_thread {
    void *next;
    uint8_t type, marked;
    uint8_t status, allows_hooks;
    uint16_t calls;
    struct vm_value *top;
    struct vm_global *global;
    struct vm_call *call;
    struct vm_value *stack_last, *stack;
    struct vm_upvalue *open_upvalues;
    struct vm_value *to_be_closed; /* the innermost, or the stack's start */
    void *gray;
    struct vm_thread *with_upvalues; /* itself: it is not in that list */
    void *error_jump;
    struct vm_call base;
    lua_Hook hook;
    ptrdiff_t error_handler;
    uint32_t c_calls;
    int last_pc, base_hook_count, hook_count;
    volatile int hook_mask;
};

/* Table */
struct vm_table {
    void *next;
    uint8_t type, marked;
    uint8_t flags; /* bit 7: array_limit is not the size of the array */
    uint8_t log_nodes;
    uint32_t array_limit;
    struct vm_value *array;
    struct vm_node *nodes;
    struct vm_node *last_free; /* NULL: no nodes of its own */
    struct vm_table *metatable;
    void *gray;
};

/* Node */
struct vm_node {
    uint64_t bits; /* of the value */
    uint8_t tag;
    uint8_t key_tag;
    int32_t next; /* in nodes, relative; 0: none */
    uint64_t key;
};

/* Bytes of a userdata before its block: Udata0, and Udata with one user value. */
enum { VM_USERDATA_HEADER = 32, VM_USERDATA_HEADER_AND_VALUE = 56 };

enum { VM_LARGEST_DELTA = 0xFFFF, VM_LARGE_ARRAY_FLAG = 0x80 };

/* Slots of a stack behind its last one (EXTRA_STACK). */
enum { VM_EXTRA_SLOTS = 5 };

/* What the check has found out. */
struct vm {
    int bias;                    /* of the pc of a thread that a hook has stopped: 0 or 1 */
    lua_KFunction pcall_goes_on; /* the continuation of pcall and xpcall */
};

/* Whether all of the above holds for the Lua that is running; ERROR_INVALID and what differs, if
 * not. Makes and closes a small state of its own. */
int vm_check(struct vm *vm, struct error *error);

/* The insides of an object. */
static inline struct vm_thread *vm_thread(lua_State *L)
{
    return (struct vm_thread *)(void *)L;
}

/* Of the Lua function, or table, at index. */
static inline struct vm_closure *vm_closure(lua_State *L, int index)
{
    return (struct vm_closure *)(uintptr_t)lua_topointer(L, index);
}

static inline struct vm_table *vm_table(lua_State *L, int index)
{
    return (struct vm_table *)(uintptr_t)lua_topointer(L, index);
}

static inline int vm_is_open(const struct vm_upvalue *upvalue)
{
    return upvalue->value != &upvalue->u.closed;
}

/* Bytes that have been allocated since the collector would have worked, negative while it need not
 * (GCdebt). To set it is what luaE_setdebt does. */
static inline ptrdiff_t vm_debt(lua_State *L)
{
    return vm_thread(L)->global->debt;
}

static inline void vm_set_debt(lua_State *L, ptrdiff_t debt)
{
    struct vm_global *global = vm_thread(L)->global;
    global->total += global->debt - debt;
    global->debt = debt;
}

/* The slot of the value on top of L's stack. */
static inline struct vm_value *vm_top(lua_State *L)
{
    return vm_thread(L)->top - 1;
}

/* The object at index; for a function in C without upvalues, its code. */
static inline struct vm_object *vm_object_at(lua_State *L, int index)
{
    lua_pushvalue(L, index);
    struct vm_object *object = (struct vm_object *)(uintptr_t)vm_top(L)->bits;
    lua_pop(L, 1);
    return object;
}

/* Pushes the value that is told by these. */
static inline void vm_push_bits(lua_State *L, uint64_t bits, uint8_t tag)
{
    lua_pushnil(L);
    struct vm_value *top = vm_top(L);
    top->bits = bits;
    top->tag = tag;
}

/* Pushes what a slot holds. The slot of a stack, of a table's array, or of a closed upvalue. */
static inline void vm_push(lua_State *L, const struct vm_value *value)
{
    vm_push_bits(L, value->bits, value->tag);
}

/* Pushes an object, such as is in a list of the collector. */
static inline void vm_push_object(lua_State *L, const struct vm_object *object)
{
    vm_push_bits(L, (uint64_t)(uintptr_t)object, object->type | VM_COLLECTABLE);
}

/* Whether that is the tag of nil, or of no value at all. */
static inline int vm_is_nil(uint8_t tag)
{
    return (tag & 0x0F) == VM_NIL;
}

/* The same of what may be no value at all, as in a table: that is nil. */
static inline void vm_push_plain(lua_State *L, const struct vm_value *value)
{
    if (vm_is_nil(value->tag))
        lua_pushnil(L);
    else
        vm_push(L, value);
}

/* Whether the call is one of a Lua function; and of these: the prototype, and the instruction that
 * is being executed, or, in a hook, is next. */
static inline int vm_is_lua(const struct vm_call *call)
{
    return (call->status & VM_CALL_C) == 0;
}

static inline const struct vm_prototype *vm_called(const struct vm_call *call)
{
    const struct vm_closure *closure = (const struct vm_closure *)(uintptr_t)call->function->bits;
    return closure->prototype;
}

static inline int vm_pc(const struct vm_call *call)
{
    return (int)(call->u.lua.pc - vm_called(call)->code) - 1;
}

/* The to-be-closed variable before the one in the slot (poptbclist). */
static inline const struct vm_value *vm_armed_before(const struct vm_value *slot,
                                                     const struct vm_value *stack)
{
    slot -= slot->delta;
    while (slot > stack && slot->delta == 0)
        slot -= VM_LARGEST_DELTA;
    return slot;
}

/* Where the function was put by its caller. A vararg function moves itself behind its arguments, by
 * its first instruction. */
const struct vm_value *vm_place(const struct vm_call *call);

/* Number of slots of the array part (luaH_realasize). */
uint32_t vm_array_size(const struct vm_table *table);

/* The hash of a string, as Lua keeps it in the string; for the check of the seed. */
uint32_t vm_string_hash(lua_State *L, int index);

#endif
