#include "exact/rebuild.h"

#include <string.h>

#include <lauxlib.h>

#include "exact/analysis.h"
#include "exact/capture.h"
#include "exact/coroutine.h"
#include "exact/iterators.h"
#include "exact/loading.h"
#include "exact/opcode.h"
#include "exact/order.h"
#include "exact/points.h"
#include "value/late.h"

enum {
    REBUILD_LARGEST_STACK = CAPTURE_LARGEST_STACK,
    REBUILD_LARGEST_ROOM = 1000000 + 200, /* LUAI_MAXSTACK, and what it has for an overflow */
    REBUILD_MODEST_STACK = 20000
};

static _Noreturn void rebuild_nonsense(lua_State *L, const char *what)
{
    luaL_error(L, "what the snapshot says about the stack of calls makes no sense (%s)", what);
    __builtin_unreachable();
}

/* ---------------------------------------------------------------- functions */

static const char rebuild_chunk_type[] = "ckptlua.chunk";

/* Pushes a userdata for the chunk. */
static void rebuild_push_chunk(lua_State *L, struct code_chunk *chunk)
{
    struct code_chunk **known = lua_newuserdatauv(L, sizeof(struct code_chunk *), 0);
    *known = chunk;
    luaL_newmetatable(L, rebuild_chunk_type);
    lua_setmetatable(L, -2);
}

void rebuild_chunk(lua_State *L, void *context)
{
    struct exact *exact = context;
    int name = lua_gettop(L) - 1, text = name + 1;
    size_t size = 0;
    if (lua_type(L, name) != LUA_TSTRING)
        rebuild_nonsense(L, "the name of a chunk");
    if (lua_isnil(L, text)) {
        for (size_t i = 0; i < exact->code.count; i++)
            if (exact->code.chunks[i]->text == NULL &&
                strcmp(exact->code.chunks[i]->name, lua_tostring(L, name)) == 0) {
                rebuild_push_chunk(L, exact->code.chunks[i]);
                lua_replace(L, name);
                lua_settop(L, name);
                return;
            }
        rebuild_nonsense(L, "a chunk without a text");
    }
    const char *source = luaL_checklstring(L, text, &size);
    if (!exact->takes_edited)
        loading_check(L, lua_tostring(L, name), source, size);
    if (luaL_loadbufferx(L, source, size, lua_tostring(L, name), "t") != LUA_OK)
        luaL_error(L, "a text that was compiled when the snapshot was saved cannot be: %s",
                   lua_tostring(L, -1));
    rebuild_push_chunk(L, code_add(L, &exact->code, lua_tostring(L, name), source, size));
    lua_replace(L, name);
    lua_settop(L, name);
}

void rebuild_function(lua_State *L, void *context, int chunk, uint32_t number)
{
    struct exact *exact = context;
    struct code_chunk **known = luaL_testudata(L, chunk, rebuild_chunk_type);
    if (known == NULL || number >= (*known)->count)
        rebuild_nonsense(L, "the place of a function");
    code_push_closure(L, &exact->code, (*known)->prototypes[number]);
}

void rebuild_thread(lua_State *L, void *context)
{
    (void)context;
    lua_State *co = lua_newthread(L);
    lua_sethook(co, NULL, 0, 0);
}

void rebuild_made(lua_State *L, void *context, const char *kind, int count)
{
    if (strcmp(kind, "wrap") == 0 && count == 1)
        coroutine_make(L, context);
    else if (!iterators_make(L, context, kind, count))
        rebuild_nonsense(L, "the kind of a function");
}

/* The upvalues of the function at index are those in the table at `list`. The table at `upvalues`
 * has those that are there already: cell -> address. The collector does not run, and all is white:
 * no barriers. */
static void rebuild_join(lua_State *L, int function, int list, int upvalues)
{
    if (lua_type(L, function) != LUA_TFUNCTION || lua_iscfunction(L, function) ||
        lua_type(L, list) != LUA_TTABLE)
        rebuild_nonsense(L, "a function");
    struct vm_closure *closure = vm_closure(L, function);
    for (int i = 0; i < closure->upvalues_count; i++) {
        if (lua_rawgeti(L, list, i + 1) != LUA_TTABLE)
            rebuild_nonsense(L, "an upvalue");
        lua_pushvalue(L, -1);
        if (lua_rawget(L, upvalues) == LUA_TLIGHTUSERDATA) {
            closure->upvalues[i] = lua_touserdata(L, -1);
            lua_pop(L, 2);
            continue;
        }
        lua_pop(L, 1);
        lua_rawgeti(L, -1, 1);
        lua_setupvalue(L, function, i + 1);
        lua_pushlightuserdata(L, closure->upvalues[i]);
        lua_rawset(L, upvalues);
    }
}

/* ---------------------------------------------------------------- what a description says */

/* A call, as it will be on the stack. Places are indices of slots. */
struct rebuild_call {
    const struct vm_prototype *prototype; /* NULL: a C function, */
    const struct exact_point *point;      /* one of these; or NULL, in a thread that has failed */
    int place, function, end; /* where the caller put it; where it is; behind its last slot */
    int pc, extra, results;
    int tail, negated;
};

struct rebuild {
    lua_State *L;
    struct exact *exact;
    lua_State *co;
    int description, upvalues; /* stack indices */
    int failed, status;
    int base;  /* slots of the base call */
    int room;  /* slots of the stack, as it was */
    int slots; /* that are needed: a call that waits for another one has registers above that */
    int64_t *allowed, *rooms; /* slots that this and the other threads may have yet: needed ones,
                                 and those that they only had */
    int count;
    struct rebuild_call *calls;
};

/* table[name] of the table on top, an integer in a range. */
static int rebuild_integer(lua_State *L, const char *name, int least, int most, int otherwise)
{
    int is_integer, value = otherwise;
    if (lua_getfield(L, -1, name) != LUA_TNIL) {
        lua_Integer number = lua_tointegerx(L, -1, &is_integer);
        if (!is_integer || number < least || number > most)
            rebuild_nonsense(L, name);
        value = (int)number;
    } else if (otherwise < least) {
        rebuild_nonsense(L, name);
    }
    lua_pop(L, 1);
    return value;
}

static int rebuild_flag(lua_State *L, const char *name)
{
    lua_getfield(L, -1, name);
    int flag = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return flag;
}

/* The number of results that its caller wants of a call; and where it must be. */
static int rebuild_wanted(const struct rebuild *rebuild, int number)
{
    const struct rebuild_call *call = &rebuild->calls[number], *caller = call - 1;
    if (number == 0)
        return LUA_MULTRET;
    if (caller->prototype == NULL)
        return caller->point == NULL ? LUA_MULTRET : caller->point->results;
    uint32_t instruction = caller->prototype->code[caller->pc];
    return opcode_calls(instruction) ? opcode_results(instruction) : 0;
}

/* The place of a call, against the instruction by which its caller calls it. */
static void rebuild_check_place(const struct rebuild *rebuild, int number)
{
    lua_State *L = rebuild->L;
    const struct rebuild_call *call = &rebuild->calls[number], *caller = call - 1;
    if (number == 0 || caller->prototype == NULL)
        return;
    uint32_t instruction = caller->prototype->code[caller->pc];
    int at = call->place - (caller->function + 1), first, last;
    if (!opcode_calls(instruction) && !rebuild->failed)
        rebuild_nonsense(L, "a call by an instruction that calls nothing");
    if (rebuild->failed && !opcode_calls(instruction))
        return;
    opcode_callee(instruction, caller->prototype->registers, &first, &last);
    int fine = at >= first && at <= last;
    if (opcode_returns(instruction)) /* a __close handler, above the results */
        fine = fine && at >= opcode_a(instruction) + caller->results &&
               (opcode_b(instruction) == 0 || caller->results == opcode_b(instruction) - 1 ||
                call->prototype == NULL);
    if (!fine)
        rebuild_nonsense(L, "the place of a call");
}

/* The type of register `reg` in the description on top; for numbers, which of the two kinds. */
static int rebuild_register_type(lua_State *L, int reg)
{
    int type = lua_rawgeti(L, -1, reg + 1);
    if (type == LUA_TNUMBER && lua_isinteger(L, -1))
        type = -LUA_TNUMBER;
    lua_pop(L, 1);
    return type;
}

/* What the interpreter takes for granted of the registers' values (flow_trusted). */
static void rebuild_check_trust(lua_State *L, const struct flow_trust *trust)
{
    for (int reg = 0; reg < REGSET_LIMIT; reg++) {
        if (regset_has(trust->tables, reg) && rebuild_register_type(L, reg) != LUA_TTABLE)
            rebuild_nonsense(L, "a register that must be a table");
        if (regset_has(trust->strings, reg) && rebuild_register_type(L, reg) != LUA_TSTRING)
            rebuild_nonsense(L, "a register that must be a string");
        if (!regset_has(trust->numbers, reg))
            continue;
        int type = rebuild_register_type(L, reg);
        if ((type != LUA_TNUMBER && type != -LUA_TNUMBER) ||
            rebuild_register_type(L, reg + 1) != type || rebuild_register_type(L, reg + 2) != type)
            rebuild_nonsense(L, "the registers of a loop");
    }
}

/* set = the registers that the table in field `name` lists as keys, or as values */
static void rebuild_get_set(lua_State *L, const char *name, int as_keys, uint64_t set[REGSET_WORDS])
{
    if (lua_getfield(L, -1, name) == LUA_TTABLE)
        for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
            int is_integer;
            lua_Integer reg = lua_tointegerx(L, as_keys ? -2 : -1, &is_integer);
            if (!is_integer || reg < 1 || reg > REGSET_LIMIT)
                rebuild_nonsense(L, name);
            regset_add(set, (int)reg - 1);
        }
    else if (!lua_isnil(L, -1))
        rebuild_nonsense(L, name);
    lua_pop(L, 1);
}

/* The registers of a call that is described on top, against its code. */
static void rebuild_check_registers(struct rebuild *rebuild, const struct rebuild_call *call,
                                    int calling)
{
    lua_State *L = rebuild->L;
    const struct flow *flow = analysis_of(L, &rebuild->exact->code, call->prototype);
    uint64_t some[REGSET_WORDS] = {0}, every[REGSET_WORDS] = {0}, may_open[REGSET_WORDS] = {0};
    uint64_t armed[REGSET_WORDS] = {0}, open[REGSET_WORDS] = {0}, left[REGSET_WORDS] = {0};
    struct flow_trust trust = {.tables = {0}};
    if (!flow_reachable(flow, call->pc) ||
        (calling && !opcode_calls(call->prototype->code[call->pc])))
        rebuild_nonsense(L, "pc");
    flow_armed(flow, call->pc, some, every);
    flow_open(flow, call->pc, calling, may_open);
    flow_trusted(flow, call->pc, calling, &trust);
    rebuild_get_set(L, "armed", 0, armed);
    flow_left_armed(flow, call->pc, left);
    rebuild_get_set(L, "open", 1, open);
    for (int i = 0; i < REGSET_WORDS; i++) {
        uint64_t trusted = trust.tables[i] | trust.strings[i] | trust.numbers[i] |
                           trust.numbers[i] << 1 | trust.numbers[i] << 2;
        if ((open[i] & ~may_open[i]) != 0 || (open[i] & trusted) != 0)
            rebuild_nonsense(L, "open");
        if ((armed[i] & ~(some[i] | left[i])) != 0)
            rebuild_nonsense(L, "armed");
    }
    for (int reg = 0; reg < REGSET_LIMIT; reg++)
        if (regset_has(every, reg) && !regset_has(armed, reg)) {
            lua_rawgeti(L, -1, reg + 1);
            if (lua_toboolean(L, -1))
                rebuild_nonsense(L, "armed");
            lua_pop(L, 1);
        }
    rebuild_check_trust(L, &trust);
}

/* Other releases of Lua may compile the same text to other instructions, and then pc means nothing.
 * What has no number was saved when there were none. */
static void rebuild_check_code(struct rebuild *rebuild, const struct rebuild_call *call)
{
    lua_State *L = rebuild->L;
    int differs = lua_getfield(L, -1, "code") == LUA_TNUMBER &&
                  lua_tointeger(L, -1) != analysis_print(L, &rebuild->exact->code, call->prototype);
    lua_pop(L, 1);
    if (!differs)
        return;
    lua_Debug debug;
    lua_getfield(L, -1, "f");
    lua_getinfo(L, ">S", &debug);
    luaL_error(L,
               "%s:%d: the function there has other instructions in this Lua (" LUA_RELEASE
               ") than in the one that saved it; continue with that release of Lua, or with "
               "--resume globals, or start over with --fresh",
               debug.short_src, debug.linedefined == 0 ? 1 : debug.linedefined);
}

/* The description of a Lua call is on top. */
static void rebuild_read_lua(struct rebuild *rebuild, struct rebuild_call *call, int innermost)
{
    lua_State *L = rebuild->L;
    const struct vm_prototype *prototype = call->prototype;
    rebuild_check_code(rebuild, call);
    call->pc = rebuild_integer(L, "pc", 0, prototype->code_size - 1, -1);
    call->tail = rebuild_flag(L, "tail");
    call->negated = rebuild_flag(L, "negated");
    if (call->negated && !opcode_negates(prototype->code[call->pc]))
        rebuild_nonsense(L, "negated");
    call->results = rebuild_integer(L, "results", 0, REBUILD_LARGEST_STACK, 0);
    call->function = call->place;
    if (prototype->is_vararg && call->pc > 0) {
        if (lua_getfield(L, -1, "extra") != LUA_TTABLE)
            rebuild_nonsense(L, "extra");
        call->extra = rebuild_integer(L, "n", 0, REBUILD_LARGEST_STACK, -1);
        lua_pop(L, 1);
        call->function += call->extra + prototype->parameters + 1;
    }
    call->end = call->function + 1 + prototype->registers;
    if (rebuild->failed && innermost)
        call->end = call->function + 1 + rebuild_integer(L, "n", 0, REBUILD_LARGEST_STACK, -1);
    if (rebuild->failed)
        return;
    if (innermost && opcode_open(prototype->code[call->pc]))
        rebuild_nonsense(L, "pc");
    rebuild_check_registers(rebuild, call, !innermost);
}

static void rebuild_read_c(struct rebuild *rebuild, struct rebuild_call *call, int innermost)
{
    lua_State *L = rebuild->L;
    call->function = call->place;
    call->end = call->function + 1 + rebuild_integer(L, "n", 0, REBUILD_LARGEST_STACK, -1);
    if (rebuild->failed)
        return;
    int wanted = -1, slots = call->end - (call->function + 1);
    if (call->point == NULL)
        rebuild_nonsense(L, "a C function");
    switch (call->point->kind) {
    case POINT_TOP:
    case POINT_RESUME:
        if (!innermost)
            rebuild_nonsense(L, "a C function");
        break;
    case POINT_CALL:
        wanted = 0;
        break;
    case POINT_START:
    case POINT_PCALL:
        wanted = 1;
        break;
    case POINT_XPCALL:
        wanted = 3;
        break;
    }
    if (wanted >= 0 && (innermost || (wanted > 0 ? slots != wanted : slots < 1)))
        rebuild_nonsense(L, "the values of a C function");
}

/* Registers with an open upvalue, and armed ones, must be below the function that is called. */
static void rebuild_check_held(const struct rebuild *rebuild, int number)
{
    lua_State *L = rebuild->L;
    const struct rebuild_call *call = &rebuild->calls[number];
    uint64_t held[REGSET_WORDS] = {0};
    int count = call->end - (call->function + 1);
    if (call->prototype == NULL)
        return;
    lua_rawgeti(L, rebuild->description, number + 1);
    rebuild_get_set(L, "armed", 0, held);
    rebuild_get_set(L, "open", 1, held);
    lua_pop(L, 1);
    for (int reg = count < 0 ? 0 : count; reg < REGSET_LIMIT; reg++)
        if (regset_has(held, reg))
            rebuild_nonsense(L, "the place of a call");
}

static void rebuild_need(struct rebuild *rebuild, int slots)
{
    if (rebuild->slots < slots)
        rebuild->slots = slots;
}

/* Reads call `number` of the description. */
static void rebuild_read_call(struct rebuild *rebuild, int number)
{
    lua_State *L = rebuild->L;
    struct rebuild_call *call = &rebuild->calls[number];
    int innermost = number == rebuild->count - 1;
    int before = number == 0 ? 0 : call[-1].function;
    if (lua_rawgeti(L, rebuild->description, number + 1) != LUA_TTABLE)
        rebuild_nonsense(L, "a call");
    call->place = before + rebuild_integer(L, "at", 1, REBUILD_LARGEST_STACK, -1);
    if (lua_getfield(L, -1, "f") != LUA_TFUNCTION)
        rebuild_nonsense(L, "the function of a call");
    if (lua_iscfunction(L, -1))
        call->point = points_find(L, rebuild->exact, -1);
    else
        call->prototype = vm_closure(L, -1)->prototype;
    lua_pop(L, 1);
    if (call->prototype != NULL)
        rebuild_read_lua(rebuild, call, innermost);
    else
        rebuild_read_c(rebuild, call, innermost);
    if (call->function > REBUILD_LARGEST_STACK || call->end > REBUILD_LARGEST_STACK)
        rebuild_nonsense(L, "the size of the stack");
    rebuild_need(rebuild, call->end);
    if (call->prototype != NULL)
        rebuild_need(rebuild, call->function + 1 + call->prototype->registers);
    lua_pop(L, 1);
    rebuild_check_place(rebuild, number);
    if (number > 0 && call[-1].prototype == NULL && !rebuild->failed && call->place != call[-1].end)
        rebuild_nonsense(L, "the place of a call");
    if (number > 0) { /* the rest of the caller's registers is the callee's */
        call[-1].end = call->place;
        rebuild_check_held(rebuild, number - 1);
    }
}

/* The number of calls in the description on top. Not its length, which may be anything where it has
 * holes. */
static int rebuild_count(lua_State *L)
{
    int count = 0;
    while (count <= REBUILD_LARGEST_STACK && lua_rawgeti(L, -1, count + 1) == LUA_TTABLE) {
        lua_pop(L, 1);
        count++;
    }
    if (count <= REBUILD_LARGEST_STACK)
        lua_pop(L, 1);
    return count;
}

/* Takes the thread's stack off what all of them may have: a few bytes of a file can ask for a large
 * one, again and again. */
static void rebuild_pay(struct rebuild *rebuild)
{
    *rebuild->allowed -= rebuild->slots;
    if (*rebuild->allowed < 0)
        luaL_error(rebuild->L,
                   "the stacks of calls in the snapshot are larger than what is on them "
                   "(coroutines that have been called with very many nils?)");
    if (rebuild->room > *rebuild->rooms || rebuild->room >= REBUILD_MODEST_STACK)
        rebuild->room = 0;
    *rebuild->rooms -= rebuild->room;
}

/* Slots that all stacks may have: some of the largest, and 16 bytes for each byte that there is. A
 * call takes at most 256 slots; its description has more than 250 bytes. */
static int64_t rebuild_allowance(lua_State *L)
{
    return 2 * (int64_t)REBUILD_LARGEST_STACK + (int64_t)lua_gc(L, LUA_GCCOUNT) * 1024;
}

static void rebuild_read(struct rebuild *rebuild)
{
    static const char *const states[] = {"idle", "suspended", "failed", NULL};
    lua_State *L = rebuild->L;
    lua_pushvalue(L, rebuild->description);
    if (lua_getfield(L, -1, "state") != LUA_TSTRING)
        rebuild_nonsense(L, "state");
    int state = luaL_checkoption(L, -1, NULL, states);
    lua_pop(L, 1);
    rebuild->failed = state == 2;
    rebuild->status = state == 1 ? LUA_YIELD : LUA_OK;
    if (rebuild->failed)
        rebuild->status = rebuild_integer(L, "status", LUA_ERRRUN, LUA_ERRERR, -1);
    rebuild->room = rebuild_integer(L, "room", 0, REBUILD_LARGEST_ROOM, 0);
    rebuild->count = rebuild_count(L);
    if (rebuild->count > REBUILD_LARGEST_STACK || (state == 0) != (rebuild->count == 0))
        rebuild_nonsense(L, "the number of calls");
    if (lua_getfield(L, -1, "base") != LUA_TTABLE)
        rebuild_nonsense(L, "base");
    rebuild->base = rebuild_integer(L, "n", 0, REBUILD_LARGEST_STACK, -1);
    lua_pop(L, 2);
    rebuild_need(rebuild, 1 + rebuild->base);
    rebuild->calls = lua_newuserdatauv(L, ((size_t)rebuild->count + 1) * sizeof *rebuild->calls, 0);
    memset(rebuild->calls, 0, ((size_t)rebuild->count + 1) * sizeof *rebuild->calls);
    for (int i = 0; i < rebuild->count; i++)
        rebuild_read_call(rebuild, i);
    rebuild_pay(rebuild);
}

/* ---------------------------------------------------------------- making it */

/* Pushes list[from .. from + count - 1] onto the thread; the list is on top of L. */
static void rebuild_values(struct rebuild *rebuild, int from, int count)
{
    lua_State *L = rebuild->L, *co = rebuild->co;
    for (int i = 0; i < count; i++) {
        lua_rawgeti(L, -1, from + i);
        lua_xmove(L, co, 1);
    }
}

static void rebuild_nils(lua_State *co, int count)
{
    while (count-- > 0)
        lua_pushnil(co);
}

/* Runs a function in the thread that calls itself `depth` times: that leaves as many free CallInfo
 * behind, and an entry in Lua's list of threads that have open upvalues. */
static void rebuild_make_room(struct rebuild *rebuild)
{
    static const char text[] = "local n = ... "
                               "local function f() if n > 1 then n = n - 1 f() end end f()";
    lua_State *L = rebuild->L, *co = rebuild->co;
    int results;
    /* At least what it had: Debian's 5.4.4 does not like stacks that grow at the wrong moment. But
     * nothing much on a file's word. */
    int room = rebuild->slots + 3 * LUA_MINSTACK;
    if (room < rebuild->room)
        room = rebuild->room;
    if (!lua_checkstack(co, room))
        luaL_error(L, "not enough memory for the stack of calls");
    if (rebuild->count == 0)
        return;
    if (luaL_loadbufferx(L, text, sizeof text - 1, "=ckptlua", "t") != LUA_OK)
        lua_error(L);
    lua_xmove(L, co, 1);
    lua_pushinteger(co, rebuild->count + 1);
    if (lua_resume(co, L, 1, &results) != LUA_OK)
        luaL_error(L, "not enough memory for the stack of calls");
    lua_settop(co, 0);
}

/* Puts all values where they belong. */
static void rebuild_fill(struct rebuild *rebuild)
{
    lua_State *L = rebuild->L, *co = rebuild->co;
    int base = rebuild->count == 0 ? rebuild->base : rebuild->calls[0].place - 1;
    lua_getfield(L, rebuild->description, "base");
    rebuild_values(rebuild, 1, base);
    lua_pop(L, 1);
    for (int i = 0; i < rebuild->count; i++) {
        const struct rebuild_call *call = &rebuild->calls[i];
        lua_rawgeti(L, rebuild->description, i + 1);
        if (call->function > call->place) {
            rebuild_nils(co, 1 + call->prototype->parameters);
            lua_getfield(L, -1, "extra");
            rebuild_values(rebuild, 1, call->extra);
            lua_pop(L, 1);
        }
        lua_getfield(L, -1, "f");
        lua_xmove(L, co, 1);
        rebuild_values(rebuild, 1, call->end - (call->function + 1));
        lua_pop(L, 1);
    }
}

/* Opens the upvalues on the registers of a call, whose description is on top. The list of a thread
 * begins with the highest one. */
static void rebuild_open(struct rebuild *rebuild, const struct rebuild_call *call)
{
    lua_State *L = rebuild->L;
    struct vm_thread *thread = vm_thread(rebuild->co);
    if (lua_getfield(L, -1, "open") == LUA_TTABLE && call->prototype != NULL)
        for (int i = 1; i <= call->end - (call->function + 1); i++) {
            if (lua_rawgeti(L, -1, i) == LUA_TTABLE) {
                lua_rawget(L, rebuild->upvalues);
                struct vm_upvalue *upvalue = lua_touserdata(L, -1);
                if (upvalue != NULL) { /* else no function has it any more */
                    if (vm_is_open(upvalue))
                        rebuild_nonsense(L, "an upvalue that is open twice");
                    upvalue->value = &thread->stack[call->function + i];
                    upvalue->u.open.next = thread->open_upvalues;
                    upvalue->u.open.previous = &thread->open_upvalues;
                    if (thread->open_upvalues != NULL)
                        thread->open_upvalues->u.open.previous = &upvalue->u.open.next;
                    thread->open_upvalues = upvalue;
                }
            }
            lua_pop(L, 1);
        }
    lua_pop(L, 1);
}

/* Arms a to-be-closed variable, above all that are armed (luaF_newtbcupval). */
static void rebuild_arm(struct vm_thread *thread, struct vm_value *slot)
{
    while (slot - thread->to_be_closed > VM_LARGEST_DELTA) {
        thread->to_be_closed += VM_LARGEST_DELTA;
        thread->to_be_closed->delta = 0;
    }
    slot->delta = (uint16_t)(slot - thread->to_be_closed);
    thread->to_be_closed = slot;
}

static void rebuild_armed(struct rebuild *rebuild, const struct rebuild_call *call)
{
    lua_State *L = rebuild->L;
    struct vm_thread *thread = vm_thread(rebuild->co);
    if (lua_getfield(L, -1, "armed") == LUA_TTABLE && call->prototype != NULL)
        for (int i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
            lua_Integer at = lua_tointeger(L, -1);
            lua_pop(L, 1);
            if (at < 1 || at > call->end - (call->function + 1) ||
                &thread->stack[call->function + at] <= thread->to_be_closed)
                rebuild_nonsense(L, "armed");
            rebuild_arm(thread, &thread->stack[call->function + at]);
        }
    else
        lua_pushnil(L);
    lua_pop(L, 2);
}

static void rebuild_link_lua(struct rebuild *rebuild, int number, struct vm_call *made)
{
    const struct rebuild_call *call = &rebuild->calls[number], *caller = call - 1;
    int innermost = number == rebuild->count - 1;
    const struct vm_prototype *prototype = call->prototype;
    int fresh = number == 0 || caller->prototype == NULL ||
                !opcode_enters(caller->prototype->code[caller->pc]);
    made->top = made->function + 1 + prototype->registers;
    made->u.lua.pc = prototype->code + call->pc + 1;
    made->u.lua.trap = 0;
    made->u.lua.extra_arguments = call->extra;
    made->u2.results = call->results;
    int status = (fresh ? VM_CALL_FRESH : 0) | (call->tail ? VM_CALL_TAIL : 0) |
                 (call->negated ? VM_CALL_NEGATED : 0);
    if (innermost && !rebuild->failed) {
        made->u.lua.pc = prototype->code + call->pc + rebuild->exact->vm.bias;
        status |= VM_CALL_HOOK_YIELDED;
    }
    made->status = (unsigned short)status;
}

/* *handler: of errors, in bytes from the stack's start. */
static void rebuild_link_c(struct rebuild *rebuild, int number, struct vm_call *made,
                           ptrdiff_t *handler)
{
    const struct rebuild_call *call = &rebuild->calls[number];
    struct vm_thread *thread = vm_thread(rebuild->co);
    const struct exact_point *point = call->point;
    made->top = thread->stack + call->end + LUA_MINSTACK;
    made->status = VM_CALL_C;
    made->u.c.continuation = point == NULL ? NULL : point->continuation;
    made->u.c.context = 0;
    made->u.c.error_handler = *handler;
    made->u2.yielded = 0;
    if (rebuild->failed || point == NULL || point->kind < POINT_START)
        return;
    int below = point->kind == POINT_XPCALL ? 3 : 1;
    made->status = VM_CALL_C | VM_CALL_PROTECTED | VM_CALL_ALLOWS_HOOKS;
    made->u.c.context = below - 1;
    made->u2.protected_function = (int)((size_t)call->end * sizeof *thread->stack);
    *handler = 0;
    if (point->kind != POINT_PCALL) /* the value below the function, or below two more */
        *handler = (ptrdiff_t)((size_t)(call->function + (below + 1) / 2) * sizeof *thread->stack);
}

/* Makes the chain of calls. Nothing here can fail. */
static void rebuild_link(struct rebuild *rebuild)
{
    struct vm_thread *thread = vm_thread(rebuild->co);
    struct vm_call *made = &thread->base;
    ptrdiff_t handler = 0;
    for (int i = 0; i < rebuild->count; i++) {
        made = made->next;
        made->function = thread->stack + rebuild->calls[i].function;
        made->results_wanted = (short)rebuild_wanted(rebuild, i);
        if (rebuild->calls[i].prototype != NULL)
            rebuild_link_lua(rebuild, i, made);
        else
            rebuild_link_c(rebuild, i, made, &handler);
    }
    thread->call = made;
    thread->error_handler = handler;
    thread->status = (uint8_t)rebuild->status;
    /* One that has failed is given a message, when it is resumed. */
    if (made->top < thread->top + rebuild->failed)
        made->top = thread->top + rebuild->failed;
}

/* Loops by `next` whose current key is not in the table any more; the description of the call is on
 * top. */
static void rebuild_successors(struct rebuild *rebuild)
{
    lua_State *L = rebuild->L;
    int call = lua_gettop(L), successors = call + 1;
    if (lua_getfield(L, call, "successors") == LUA_TTABLE)
        for (lua_pushnil(L); lua_next(L, successors) != 0; lua_settop(L, successors + 1)) {
            lua_Integer at = lua_tointeger(L, successors + 1);
            if (at < 1 || at > REGSET_LIMIT)
                rebuild_nonsense(L, "successors");
            if (!lua_toboolean(L, -1)) {
                lua_pop(L, 1);
                lua_pushnil(L);
            }
            if (lua_rawgeti(L, call, at + 1) != LUA_TTABLE ||
                lua_rawgeti(L, call, at + 2) == LUA_TNIL)
                rebuild_nonsense(L, "successors");
            order_resume(L, rebuild->exact, successors + 3, successors + 4, successors + 2);
        }
    lua_settop(L, call);
}

static void rebuild_make(struct rebuild *rebuild)
{
    lua_State *L = rebuild->L;
    rebuild_make_room(rebuild);
    rebuild_fill(rebuild);
    for (int i = 0; i < rebuild->count; i++) {
        lua_rawgeti(L, rebuild->description, i + 1);
        rebuild_open(rebuild, &rebuild->calls[i]);
        rebuild_armed(rebuild, &rebuild->calls[i]);
        rebuild_successors(rebuild);
        lua_pop(L, 1);
    }
    rebuild_link(rebuild);
}

void rebuild_finish(lua_State *L, void *context, int functions, int threads)
{
    struct exact *exact = context;
    int top = lua_gettop(L);
    luaL_checkstack(L, 24, NULL);
    lua_newtable(L);
    int upvalues = lua_gettop(L);
    for (lua_Integer i = 1; lua_rawgeti(L, functions, i) != LUA_TNIL; i += 2) {
        lua_rawgeti(L, functions, i + 1);
        rebuild_join(L, upvalues + 1, upvalues + 2, upvalues);
        lua_settop(L, upvalues);
    }
    lua_settop(L, upvalues);
    lua_createtable(L, 3, 0);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, threads);
    lua_rawseti(L, -2, 2);
    lua_pushvalue(L, functions); /* whose upvalues these are */
    lua_rawseti(L, -2, 3);
    exact->pending = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_settop(L, top);
}

/* Upvalues that held what was not there yet have it in their tables now. */
static void rebuild_refresh(lua_State *L, int upvalues)
{
    for (lua_pushnil(L); lua_next(L, upvalues) != 0; lua_settop(L, upvalues + 2)) {
        struct vm_upvalue *upvalue = lua_touserdata(L, -1);
        vm_push(L, &upvalue->u.closed);
        if (!late_describe(L, -1))
            continue;
        lua_rawgeti(L, upvalues + 2, 1);
        upvalue->u.closed.bits = vm_top(L)->bits;
        upvalue->u.closed.tag = vm_top(L)->tag;
    }
}

/* Functions of the script have run since all was made (those of ckpt.transient, and of classes),
 * and may have called collectgarbage. What has been marked would need barriers: a change of the
 * collector's mode makes all white. */
static void rebuild_whiten(lua_State *L)
{
    lua_gc(L, LUA_GCGEN, 0, 0);
    lua_gc(L, LUA_GCINC, 0, 0, 0);
}

void rebuild_threads(lua_State *L, struct exact *exact, int has_run)
{
    int top = lua_gettop(L), upvalues = top + 1, threads = top + 2;
    luaL_checkstack(L, 24, NULL);
    lua_rawgeti(L, LUA_REGISTRYINDEX, exact->pending);
    lua_rawgeti(L, -1, 1);
    lua_rawgeti(L, -2, 2);
    lua_remove(L, -3);
    int64_t allowed = rebuild_allowance(L), rooms = allowed;
    if (has_run)
        rebuild_whiten(L);
    rebuild_refresh(L, upvalues);
    for (lua_Integer i = 1; lua_rawgeti(L, threads, i) != LUA_TNIL; i += 2) {
        struct rebuild rebuild = {.L = L, .exact = exact, .upvalues = upvalues};
        rebuild.allowed = &allowed;
        rebuild.rooms = &rooms;
        rebuild.co = lua_tothread(L, -1);
        if (lua_rawgeti(L, threads, i + 1) != LUA_TTABLE)
            rebuild_nonsense(L, "a coroutine");
        rebuild.description = lua_gettop(L);
        rebuild_read(&rebuild);
        rebuild_make(&rebuild);
        lua_settop(L, threads);
    }
    luaL_unref(L, LUA_REGISTRYINDEX, exact->pending);
    lua_settop(L, top);
}
