#include "exact/vm.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

_Static_assert(sizeof(void *) != 8 || sizeof(struct vm_value) == 16, "TValue");
_Static_assert(sizeof(void *) != 8 || sizeof(struct vm_node) == 24, "Node");
_Static_assert(sizeof(void *) != 8 || sizeof(struct vm_table) == 56, "Table");
_Static_assert(sizeof(void *) != 8 || sizeof(struct vm_string) == 24, "TString");
_Static_assert(sizeof(void *) != 8 || sizeof(struct vm_prototype) == 128, "Proto");
_Static_assert(sizeof(void *) != 8 || sizeof(struct vm_call) == 64, "CallInfo");
_Static_assert(sizeof(void *) != 8 || sizeof(struct vm_thread) == 200, "lua_State");
_Static_assert(sizeof(void *) != 8 || offsetof(struct vm_global, seed) == 96, "seed");
_Static_assert(sizeof(void *) != 8 || offsetof(struct vm_global, all) == 112, "allgc");
_Static_assert(sizeof(void *) != 8 || offsetof(struct vm_global, finalized) == 128, "finobj");
_Static_assert(sizeof(void *) != 8 || offsetof(struct vm_global, waiting) == 176, "tobefnz");
_Static_assert(sizeof(void *) != 8 || offsetof(struct vm_global, main) == 264, "mainthread");
_Static_assert(sizeof(void *) != 8 || offsetof(struct vm_c_closure, upvalues) == 32, "CClosure");
_Static_assert(offsetof(struct vm_userdata, gray) == VM_USERDATA_HEADER || sizeof(void *) != 8,
               "Udata0");

enum { VM_LEAST_RELEASE = 4 };

const struct vm_value *vm_place(const struct vm_call *call)
{
    if (!vm_is_lua(call))
        return call->function;
    const struct vm_prototype *prototype = vm_called(call);
    if (!prototype->is_vararg || vm_pc(call) <= 0)
        return call->function;
    return call->function - (call->u.lua.extra_arguments + prototype->parameters + 1);
}

uint32_t vm_array_size(const struct vm_table *table)
{
    uint32_t limit = table->array_limit;
    if ((table->flags & VM_LARGE_ARRAY_FLAG) == 0 || (limit & (limit - 1)) == 0)
        return limit;
    uint32_t size = 1;
    while (size < limit)
        size *= 2;
    return size;
}

uint32_t vm_string_hash(lua_State *L, int index)
{
    const struct vm_string *string = lua_topointer(L, index);
    return string->hash;
}

/* ---------------------------------------------------------------- looking without a crash */

/* The memory of the state that is looked at. An address that a wrong guess gives leads out of it,
 * and is not followed. What the state frees stays as it is. */
struct vm_arena {
    size_t used;                                 /* bytes */
    _Alignas(max_align_t) char bytes[40 * 1024]; /* 24 KiB are used by 5.4.4 */
};

/* lua_Alloc */
static void *vm_alloc(void *context, void *block, size_t old_size, size_t new_size)
{
    struct vm_arena *arena = context;
    if (new_size == 0)
        return NULL;
    if (block != NULL && new_size <= old_size)
        return block;
    size_t step = _Alignof(max_align_t), size = (new_size + step - 1) / step * step;
    if (size > sizeof arena->bytes - arena->used)
        return NULL;
    void *result = arena->bytes + arena->used;
    arena->used += size;
    return block == NULL ? result : memcpy(result, block, old_size);
}

/* Copies what an object of L has at that address, if it can be one. */
static int vm_peek(lua_State *L, const void *address, void *out, size_t size)
{
    void *context;
    (void)lua_getallocf(L, &context);
    const struct vm_arena *arena = context;
    uintptr_t offset = (uintptr_t)address - (uintptr_t)arena->bytes;
    if (offset > arena->used || size > arena->used - offset)
        return 0;
    memcpy(out, arena->bytes + offset, size);
    return 1;
}

#define PEEK(address, variable) vm_peek(L, address, &(variable), sizeof(variable))

/* Each look returns NULL, or what is other than expected. */
typedef const char *vm_look(lua_State *L, struct vm *vm);

static const char *vm_look_at_table(lua_State *L, struct vm *vm)
{
    (void)vm;
    struct vm_table table;
    struct vm_value first;
    struct vm_node nodes[8];
    lua_settop(L, 0);
    lua_createtable(L, 5, 8);
    lua_pushinteger(L, 77);
    lua_rawseti(L, 1, 1);
    lua_pushstring(L, "key");
    lua_pushnumber(L, 0.5);
    lua_settable(L, 1);
    lua_pushstring(L, "key");
    if (!PEEK(lua_topointer(L, 1), table) || table.type != VM_TABLE || table.array_limit != 5 ||
        table.log_nodes != 3 || table.metatable != NULL || vm_array_size(&table) != 5 ||
        !PEEK(table.array, first) || first.bits != 77 || first.tag != VM_INTEGER)
        return "the structure of tables";
    if (!PEEK(table.nodes, nodes) || table.last_free > table.nodes + 8 ||
        table.last_free < table.nodes + 7)
        return "the nodes of tables";
    int found = 0;
    for (int i = 0; i < 8; i++)
        found += nodes[i].key == (uint64_t)(uintptr_t)lua_topointer(L, 2) &&
                 nodes[i].key_tag == (LUA_TSTRING | VM_COLLECTABLE) && nodes[i].tag == VM_FLOAT &&
                 nodes[i].bits == UINT64_C(0x3FE0000000000000) && nodes[i].next == 0;
    return found == 1 ? NULL : "the nodes of tables";
}

static const char *vm_look_at_list(lua_State *L, struct vm *vm)
{
    (void)vm;
    const struct vm_object *first;
    struct vm_object newest;
    lua_settop(L, 0);
    lua_newtable(L);
    lua_newtable(L);
    if (!PEEK(&vm_thread(L)->global->all, first) || first != lua_topointer(L, 2) ||
        !PEEK(first, newest) || newest.type != VM_TABLE || newest.next != lua_topointer(L, 1))
        return "the list of objects";
    return NULL;
}

/* An array of 8 that is filled to 5: the length operator moves its limit. */
static const char *vm_look_at_array_limit(lua_State *L, struct vm *vm)
{
    (void)vm;
    struct vm_table table;
    lua_settop(L, 0);
    lua_createtable(L, 8, 0);
    for (int i = 1; i <= 5; i++) {
        lua_pushinteger(L, i);
        lua_rawseti(L, 1, i);
    }
    if (lua_rawlen(L, 1) != 5 || !PEEK(lua_topointer(L, 1), table) || vm_array_size(&table) != 8 ||
        table.last_free != NULL)
        return "the array part of tables";
    return NULL;
}

static const char *vm_look_at_dead_key(lua_State *L, struct vm *vm)
{
    (void)vm;
    struct vm_table table;
    struct vm_node node;
    lua_settop(L, 0);
    lua_createtable(L, 0, 1);
    lua_pushstring(L, "a key that is used nowhere else");
    lua_pushboolean(L, 1);
    lua_rawset(L, 1);
    lua_pushstring(L, "a key that is used nowhere else");
    lua_pushnil(L);
    lua_rawset(L, 1);
    lua_gc(L, LUA_GCCOLLECT);
    if (!PEEK(lua_topointer(L, 1), table) || !PEEK(table.nodes, node) || !vm_is_nil(node.tag) ||
        node.key_tag != VM_DEAD_KEY)
        return "deleted keys";
    return NULL;
}

/* The first fields of the global state: the table of short strings, and one in it. */
static const char *vm_look_at_strings(lua_State *L, struct vm *vm)
{
    static const char different[] = "the table of strings";
    (void)vm;
    struct vm_thread thread;
    struct vm_global global;
    struct vm_string string, *address;
    void *context;
    lua_Alloc allocator = lua_getallocf(L, &context);
    lua_settop(L, 0);
    lua_pushstring(L, "a short string");
    if (!PEEK(L, thread) || !PEEK(thread.global, global) || global.allocator != allocator ||
        global.context != context || global.strings_size < 1 ||
        global.total + global.debt !=
            (ptrdiff_t)lua_gc(L, LUA_GCCOUNT) * 1024 + lua_gc(L, LUA_GCCOUNTB) ||
        (global.strings_size & (global.strings_size - 1)) != 0 ||
        !PEEK(lua_topointer(L, 1), string) || string.type != VM_SHORT_STRING ||
        string.short_length != strlen("a short string") ||
        !PEEK(global.strings + (string.hash & (uint32_t)(global.strings_size - 1)), address))
        return different;
    for (; address != NULL && address != lua_topointer(L, 1); address = string.u.next)
        if (!PEEK(address, string))
            return different;
    return address == NULL ? different : NULL;
}

static int vm_no_close(lua_State *L)
{
    (void)L;
    return 0;
}

/* What there is of strings by their C address, and the objects that hold strings. */
static const char *vm_look_at_holders(lua_State *L, struct vm *vm)
{
    static const char text[] = "a string that is pushed by its address";
    (void)vm;
    struct vm_thread thread;
    struct vm_global global;
    struct vm_c_closure closure;
    lua_settop(L, 0);
    lua_pushstring(L, text);
    if (!PEEK(L, thread) || !PEEK(thread.global, global) || global.main != vm_thread(L) ||
        global.cache[(unsigned)(uintptr_t)text % VM_CACHE_ROWS][0] != lua_topointer(L, 1) ||
        global.modes[VM_MODE_STATE] != VM_STATE_PAUSE ||
        global.modes[VM_MODE_KIND] != VM_KIND_INCREMENTAL)
        return "the cache of strings";
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, vm_no_close, 1);
    if (!PEEK(lua_topointer(L, 2), closure) || closure.upvalues_count != 1 ||
        closure.type != VM_C_CLOSURE || closure.function != vm_no_close)
        return "the structure of C functions";
    struct vm_userdata userdata;
    struct vm_value value;
    lua_newuserdatauv(L, 8, 1);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, 3, 1);
    const char *block = (const char *)lua_touserdata(L, 3) - VM_USERDATA_HEADER_AND_VALUE;
    if (!PEEK(block, userdata) || userdata.type != VM_USERDATA || userdata.values_count != 1 ||
        userdata.size != 8 || !PEEK(block + sizeof userdata, value) ||
        value.bits != (uint64_t)(uintptr_t)lua_topointer(L, 1))
        return "the structure of userdata";
    return NULL;
}

/* (of the finalizer) The other one of the two objects waits. */
static int vm_see_waiting(lua_State *L)
{
    const struct vm_object *waiting;
    int *seen = lua_touserdata(L, lua_upvalueindex(1));
    if (PEEK(&vm_thread(L)->global->waiting, waiting))
        *seen |= waiting == lua_touserdata(L, lua_upvalueindex(2)) ? 1 : waiting == NULL ? 2 : 4;
    return 0;
}

static const char *vm_look_at_finalizers(lua_State *L, struct vm *vm)
{
    const void *objects[2];
    const struct vm_object *marked;
    int seen = 0;
    (void)vm;
    lua_settop(L, 0);
    lua_newtable(L);
    lua_newtable(L);
    lua_newtable(L);
    for (int i = 0; i < 2; i++)
        objects[i] = lua_topointer(L, i + 1);
    lua_pushlightuserdata(L, &seen);
    lua_pushlightuserdata(L, (void *)(uintptr_t)objects[0]);
    lua_pushcclosure(L, vm_see_waiting, 2);
    lua_setfield(L, 3, "__gc");
    for (int i = 1; i <= 2; i++) {
        lua_pushvalue(L, 3);
        lua_setmetatable(L, i);
        struct vm_object object;
        if (!PEEK(&vm_thread(L)->global->finalized, marked) || marked != objects[i - 1] ||
            !PEEK(marked, object) || (object.marked & VM_HAS_FINALIZER) == 0)
            return "the list of objects with finalizers";
    }
    lua_settop(L, 0);
    lua_gc(L, LUA_GCCOLLECT);
    return seen == 3 ? NULL : "the list of finalizers that are due";
}

/* What is compiled, and so the numbers of the opcodes: FNV-1a over the code of all functions. */
static const char vm_sample[] =
    "local a, b, c = ...\n"
    "local t = {1, 2, x = 3, ...}\n"
    "for i = 1, 10 do t[i] = i * 2 + a.x - t[i] // 3 end\n"
    "for k, v in next, t do if v == nil or k ~= 1 and v < 5 then goto out end a[k] = v .. k end\n"
    "::out::\n"
    "while not (a <= b) do a = -a; b = ~b & 7 | c << 1 end\n"
    "local function f(p, ...) local u <close> = nil; return function(q) p = q; return #p, t end "
    "end\n"
    "repeat local y = f(t.n, 1.5, 'long'):m(true, nil, false) until y >= 2 or y == 'z'\n"
    "t.n, t[1], t[b] = 5, c % 4, b ^ 2\n"
    "return f(select(2, ...))\n";

static uint32_t vm_hash_code(const struct vm_prototype *prototype, uint32_t hash)
{
    for (int32_t i = 0; i < prototype->code_size; i++)
        for (int shift = 0; shift < 32; shift += 8)
            hash = (hash ^ (prototype->code[i] >> shift & 0xFF)) * 16777619u;
    for (int32_t i = 0; i < prototype->children_count; i++)
        hash = vm_hash_code(prototype->children[i], hash);
    return hash;
}

static const char *vm_look_at_code(lua_State *L, struct vm *vm)
{
    (void)vm;
    struct vm_closure closure;
    struct vm_prototype prototype, *children[2];
    uint32_t word;
    lua_settop(L, 0);
    if (luaL_loadstring(L, vm_sample) != LUA_OK || !PEEK(lua_topointer(L, 1), closure) ||
        closure.type != VM_LUA_CLOSURE || closure.upvalues_count != 1 ||
        !PEEK(closure.prototype, prototype))
        return "the structure of functions";
    if (prototype.is_vararg != 1 || prototype.parameters != 0 || prototype.children_count != 1 ||
        prototype.upvalues_count != 1 || prototype.first_line != 0 || !PEEK(prototype.code, word) ||
        !PEEK(prototype.children, children[0]) || !PEEK(children[0], prototype) ||
        prototype.first_line != 7 || prototype.last_line != 7 || prototype.parameters != 1 ||
        prototype.is_vararg != 1 || prototype.children_count != 1)
        return "the structure of prototypes";
    uint32_t hash = vm_hash_code(closure.prototype, 2166136261u);
    return hash == UINT32_C(0xD3F8C9A2) ? NULL : "the code that functions are compiled to";
}

/* A coroutine that is suspended in pcall(yield), with two extra arguments, an open upvalue and a
 * to-be-closed variable. */
static const char vm_suspended[] = "local yield, pcall, closable = ...\n"
                                   "return function(a, ...)\n"
                                   "  local n, count = 0\n"
                                   "  count = function() n = n + 1 return count end\n"
                                   "  local c <close> = closable\n"
                                   "  pcall(yield, count)\n"
                                   "end\n";

/* Pushes the coroutine at 1, its function at 2, `count` at 3. */
static lua_State *vm_make_suspended(lua_State *L)
{
    int results;
    lua_settop(L, 0);
    lua_State *co = lua_newthread(L);
    if (luaL_loadstring(L, vm_suspended) != LUA_OK)
        return NULL;
    luaL_requiref(L, LUA_COLIBNAME, luaopen_coroutine, 0);
    lua_getfield(L, -1, "yield");
    lua_getglobal(L, "pcall");
    lua_newtable(L);
    lua_newtable(L);
    lua_pushcfunction(L, vm_no_close);
    lua_setfield(L, -2, "__close");
    lua_setmetatable(L, -2);
    lua_remove(L, -4);
    lua_call(L, 3, 1);
    lua_pushvalue(L, -1);
    lua_xmove(L, co, 1);
    for (int i = 1; i <= 3; i++)
        lua_pushinteger(co, i);
    if (lua_resume(co, L, 3, &results) != LUA_YIELD || results != 1)
        return NULL;
    lua_xmove(co, L, 1);
    return co;
}

static const char *vm_look_at_calls(lua_State *L, const struct vm_thread *thread, struct vm *vm)
{
    struct vm_call yield, pcall, function;
    struct vm_value slot;
    struct vm_prototype *prototype = vm_closure(L, 2)->prototype;
    if (!PEEK(thread->call, yield) || !PEEK(yield.previous, pcall) ||
        !PEEK(pcall.previous, function) || function.previous == NULL ||
        (const char *)function.previous != lua_topointer(L, 1) + offsetof(struct vm_thread, base))
        return "the chain of calls";
    if ((yield.status & VM_CALL_C) == 0 || (yield.status & VM_CALL_PROTECTED) != 0 ||
        yield.u.c.continuation != NULL)
        return "the call of a C function";
    if (pcall.status != (VM_CALL_C | VM_CALL_PROTECTED | VM_CALL_ALLOWS_HOOKS) ||
        pcall.u.c.continuation == NULL || pcall.u.c.context != 0 || pcall.results_wanted != 0 ||
        pcall.u.c.error_handler != 0 ||
        pcall.u2.protected_function != (char *)(pcall.function + 2) - (char *)thread->stack)
        return "the call of pcall";
    if (function.status != VM_CALL_FRESH || function.results_wanted != LUA_MULTRET ||
        function.u.lua.extra_arguments != 2 ||
        function.top != function.function + 1 + prototype->registers ||
        !PEEK(function.function, slot) || slot.tag != (VM_LUA_CLOSURE | VM_COLLECTABLE) ||
        slot.bits != (uint64_t)(uintptr_t)lua_topointer(L, 2))
        return "the call of a Lua function";
    ptrdiff_t pc = function.u.lua.pc - prototype->code;
    if (pc < 1 || pc > prototype->code_size)
        return "the place where a function is";
    vm->pcall_goes_on = pcall.u.c.continuation;
    return NULL;
}

static const char *vm_look_at_upvalues(lua_State *L, const struct vm_thread *thread)
{
    struct vm_upvalue upvalue;
    struct vm_value slot;
    const struct vm_value *registers = thread->call->previous->previous->function + 1;
    /* n and count are registers 1 and 2 */
    if (lua_upvalueid(L, 3, 1) == NULL || lua_upvalueid(L, 3, 2) != thread->open_upvalues ||
        !PEEK(thread->open_upvalues, upvalue) || upvalue.value != registers + 2 ||
        upvalue.u.open.next != lua_upvalueid(L, 3, 1) || !PEEK(upvalue.u.open.next, upvalue) ||
        upvalue.value != registers + 1 || upvalue.u.open.next != NULL ||
        vm_closure(L, 3)->upvalues[0] != lua_upvalueid(L, 3, 1))
        return "open upvalues";
    if (thread->to_be_closed != registers + 3 || !PEEK(thread->to_be_closed, slot) ||
        slot.delta != thread->to_be_closed - thread->stack)
        return "to-be-closed variables";
    if (thread->with_upvalues == (const void *)lua_topointer(L, 1))
        return "the list of threads with open upvalues";
    return NULL;
}

static const char *vm_look_at_thread(lua_State *L, struct vm *vm)
{
    struct vm_thread thread;
    struct vm_value first;
    if (vm_make_suspended(L) == NULL || !PEEK(lua_topointer(L, 1), thread) ||
        thread.type != VM_THREAD || thread.status != LUA_YIELD || thread.allows_hooks != 1 ||
        thread.calls < 3 || thread.hook != NULL || thread.hook_mask != 0 ||
        thread.error_handler != 0 || thread.error_jump != NULL)
        return "the structure of threads";
    if (!PEEK(thread.stack, first) || thread.stack >= thread.top ||
        thread.top >= thread.stack_last || thread.base.function != thread.stack ||
        thread.base.previous != NULL)
        return "the stack";
    const char *differs = vm_look_at_calls(L, &thread, vm);
    return differs != NULL ? differs : vm_look_at_upvalues(L, &thread);
}

static void vm_stop(lua_State *L, lua_Debug *debug)
{
    (void)debug;
    lua_yield(L, 0);
}

/* The pc of a thread that a hook has stopped before its first instruction. */
static const char *vm_look_at_bias(lua_State *L, struct vm *vm)
{
    int results;
    lua_settop(L, 0);
    lua_State *co = lua_newthread(L);
    if (luaL_dostring(L, "return function(a) return a + 1 end") != LUA_OK)
        return "how functions run";
    struct vm_prototype *prototype = vm_closure(L, -1)->prototype;
    lua_xmove(L, co, 1);
    lua_pushinteger(co, 41);
    lua_sethook(co, vm_stop, LUA_MASKCOUNT, 1);
    if (lua_resume(co, L, 1, &results) != LUA_YIELD)
        return "how hooks stop a thread";
    ptrdiff_t bias = vm_thread(co)->call->u.lua.pc - prototype->code;
    if (bias != 0 && bias != 1)
        return "the place where a hook stops a thread";
    vm->bias = (int)bias;
    lua_sethook(co, NULL, 0, 0);
    if (lua_resume(co, L, 0, &results) != LUA_OK || lua_tointeger(co, -1) != 42)
        return "how a stopped thread goes on";
    return NULL;
}

/* (struct vm *, where to put what differs) */
static int vm_look_at_all(lua_State *L)
{
    static vm_look *const looks[] = {
        vm_look_at_table,   vm_look_at_list,       vm_look_at_array_limit, vm_look_at_dead_key,
        vm_look_at_strings, vm_look_at_finalizers, vm_look_at_holders,     vm_look_at_code,
        vm_look_at_thread,  vm_look_at_bias};
    struct vm *vm = lua_touserdata(L, 1);
    const char **differs = lua_touserdata(L, 2);
    luaL_requiref(L, LUA_GNAME, luaopen_base, 1);
    for (size_t i = 0; i < sizeof looks / sizeof *looks && *differs == NULL; i++)
        *differs = looks[i](L, vm);
    return 0;
}

/* The release of "Lua 5.4.R". */
static int vm_release(void)
{
    const char *version = strstr(lua_ident, "Lua 5.4.");
    return version == NULL ? -1 : atoi(version + strlen("Lua 5.4."));
}

/* Looks at a state whose memory that is. It is not closed: it has nothing else. */
static int vm_check_in(struct vm_arena *arena, struct vm *vm, struct error *error)
{
    const char *differs = NULL;
    arena->used = 0;
    lua_State *L = lua_newstate(vm_alloc, arena);
    if (L == NULL)
        return error_set(error, ERROR_INVALID, "Lua needs more memory than expected");
    lua_pushcfunction(L, vm_look_at_all);
    lua_pushlightuserdata(L, vm);
    lua_pushlightuserdata(L, (void *)&differs);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK)
        return error_set(error, ERROR_INVALID, "Lua failed when it was looked at");
    if (differs != NULL)
        return error_set(error, ERROR_INVALID, "this Lua differs from those known in %s", differs);
    return 0;
}

int vm_check(struct vm *vm, struct error *error)
{
    if (sizeof(void *) != 8 || sizeof(lua_Integer) != 8 || sizeof(lua_Number) != 8)
        return error_set(error, ERROR_INVALID, "this is not a 64-bit Lua");
    if (vm_release() < VM_LEAST_RELEASE)
        return error_set(error, ERROR_INVALID, "this Lua is not 5.4.%d or a later 5.4",
                         VM_LEAST_RELEASE);
    struct vm_arena *arena = malloc(sizeof *arena);
    if (arena == NULL)
        return error_set(error, ERROR_MEMORY, "not enough memory");
    int status = vm_check_in(arena, vm, error);
    free(arena);
    return status;
}
