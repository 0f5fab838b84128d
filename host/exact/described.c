#include "exact/described.h"

#include <string.h>

#include <lauxlib.h>

#include "exact/analysis.h"
#include "exact/opcode.h"

enum {
    DESCRIBED_LARGEST_STACK = CAPTURE_LARGEST_STACK,
    DESCRIBED_LARGEST_ROOM = 1000000 + 200, /* LUAI_MAXSTACK, and what it has for an overflow */
    DESCRIBED_MODEST_STACK = 20000
};

_Noreturn void described_nonsense(lua_State *L, const char *what)
{
    luaL_error(L, "what the snapshot says about the stack of calls makes no sense (%s)", what);
    __builtin_unreachable();
}

/* ---------------------------------------------------------------- fields */

/* table[name] of the table on top, an integer in a range. */
static int described_integer(lua_State *L, const char *name, int least, int most, int otherwise)
{
    int is_integer, value = otherwise;
    if (lua_getfield(L, -1, name) != LUA_TNIL) {
        lua_Integer number = lua_tointegerx(L, -1, &is_integer);
        if (!is_integer || number < least || number > most)
            described_nonsense(L, name);
        value = (int)number;
    } else if (otherwise < least) {
        described_nonsense(L, name);
    }
    lua_pop(L, 1);
    return value;
}

static int described_flag(lua_State *L, const char *name)
{
    lua_getfield(L, -1, name);
    int flag = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return flag;
}

/* The place of a call, against the instruction by which its caller calls it. */
static void described_check_place(const struct described *described, int number)
{
    lua_State *L = described->L;
    const struct described_call *call = &described->calls[number], *caller = call - 1;
    if (number == 0 || caller->prototype == NULL)
        return;
    uint32_t instruction = caller->prototype->code[caller->pc];
    int at = call->place - (caller->function + 1), first, last;
    if (!opcode_calls(instruction) && !described->failed)
        described_nonsense(L, "a call by an instruction that calls nothing");
    if (described->failed && !opcode_calls(instruction))
        return;
    opcode_callee(instruction, caller->prototype->registers, &first, &last);
    int fine = at >= first && at <= last;
    if (opcode_returns(instruction)) /* a __close handler, above the results */
        fine = fine && at >= opcode_a(instruction) + caller->results &&
               (opcode_b(instruction) == 0 || caller->results == opcode_b(instruction) - 1 ||
                call->prototype == NULL);
    if (!fine)
        described_nonsense(L, "the place of a call");
}

/* The type of register `reg` in the description on top; for numbers, which of the two kinds. */
static int described_register_type(lua_State *L, int reg)
{
    int type = lua_rawgeti(L, -1, reg + 1);
    if (type == LUA_TNUMBER && lua_isinteger(L, -1))
        type = -LUA_TNUMBER;
    lua_pop(L, 1);
    return type;
}

/* What the interpreter takes for granted of the registers' values (flow_trusted). */
static void described_check_trust(lua_State *L, const struct flow_trust *trust)
{
    for (int reg = 0; reg < REGSET_LIMIT; reg++) {
        if (regset_has(trust->tables, reg) && described_register_type(L, reg) != LUA_TTABLE)
            described_nonsense(L, "a register that must be a table");
        if (regset_has(trust->strings, reg) && described_register_type(L, reg) != LUA_TSTRING)
            described_nonsense(L, "a register that must be a string");
        if (!regset_has(trust->numbers, reg))
            continue;
        int type = described_register_type(L, reg);
        if ((type != LUA_TNUMBER && type != -LUA_TNUMBER) ||
            described_register_type(L, reg + 1) != type ||
            described_register_type(L, reg + 2) != type)
            described_nonsense(L, "the registers of a loop");
    }
}

/* set = the registers that the table in field `name` lists as keys, or as values */
static void described_get_set(lua_State *L, const char *name, int as_keys,
                              uint64_t set[REGSET_WORDS])
{
    if (lua_getfield(L, -1, name) == LUA_TTABLE)
        for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
            int is_integer;
            lua_Integer reg = lua_tointegerx(L, as_keys ? -2 : -1, &is_integer);
            if (!is_integer || reg < 1 || reg > REGSET_LIMIT)
                described_nonsense(L, name);
            regset_add(set, (int)reg - 1);
        }
    else if (!lua_isnil(L, -1))
        described_nonsense(L, name);
    lua_pop(L, 1);
}

/* The registers of a call that is described on top, against its code. */
static void described_check_registers(struct described *described,
                                      const struct described_call *call, int calling)
{
    lua_State *L = described->L;
    const struct flow *flow = analysis_of(L, &described->exact->code, call->prototype);
    uint64_t some[REGSET_WORDS] = {0}, every[REGSET_WORDS] = {0}, may_open[REGSET_WORDS] = {0};
    uint64_t armed[REGSET_WORDS] = {0}, open[REGSET_WORDS] = {0}, left[REGSET_WORDS] = {0};
    struct flow_trust trust = {.tables = {0}};
    if (!flow_reachable(flow, call->pc) ||
        (calling && !opcode_calls(call->prototype->code[call->pc])))
        described_nonsense(L, "pc");
    flow_armed(flow, call->pc, some, every);
    flow_open(flow, call->pc, calling, may_open);
    flow_trusted(flow, call->pc, calling, &trust);
    described_get_set(L, "armed", 0, armed);
    flow_left_armed(flow, call->pc, left);
    described_get_set(L, "open", 1, open);
    for (int i = 0; i < REGSET_WORDS; i++) {
        uint64_t trusted = trust.tables[i] | trust.strings[i] | trust.numbers[i] |
                           trust.numbers[i] << 1 | trust.numbers[i] << 2;
        if ((open[i] & ~may_open[i]) != 0 || (open[i] & trusted) != 0)
            described_nonsense(L, "open");
        if ((armed[i] & ~(some[i] | left[i])) != 0)
            described_nonsense(L, "armed");
    }
    for (int reg = 0; reg < REGSET_LIMIT; reg++)
        if (regset_has(every, reg) && !regset_has(armed, reg)) {
            lua_rawgeti(L, -1, reg + 1);
            if (lua_toboolean(L, -1))
                described_nonsense(L, "armed");
            lua_pop(L, 1);
        }
    described_check_trust(L, &trust);
}

/* Other releases of Lua may compile the same text to other instructions, and then pc means nothing.
 * What has no number was saved when there were none. */
static void described_check_code(struct described *described, const struct described_call *call)
{
    lua_State *L = described->L;
    int differs =
        lua_getfield(L, -1, "code") == LUA_TNUMBER &&
        lua_tointeger(L, -1) != analysis_print(L, &described->exact->code, call->prototype);
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
static void described_read_lua(struct described *described, struct described_call *call,
                               int innermost)
{
    lua_State *L = described->L;
    const struct vm_prototype *prototype = call->prototype;
    described_check_code(described, call);
    call->pc = described_integer(L, "pc", 0, prototype->code_size - 1, -1);
    call->tail = described_flag(L, "tail");
    call->negated = described_flag(L, "negated");
    if (call->negated && !opcode_negates(prototype->code[call->pc]))
        described_nonsense(L, "negated");
    call->results = described_integer(L, "results", 0, DESCRIBED_LARGEST_STACK, 0);
    call->function = call->place;
    if (prototype->is_vararg && call->pc > 0) {
        if (lua_getfield(L, -1, "extra") != LUA_TTABLE)
            described_nonsense(L, "extra");
        call->extra = described_integer(L, "n", 0, DESCRIBED_LARGEST_STACK, -1);
        lua_pop(L, 1);
        call->function += call->extra + prototype->parameters + 1;
    }
    call->end = call->function + 1 + prototype->registers;
    if (described->failed && innermost)
        call->end = call->function + 1 + described_integer(L, "n", 0, DESCRIBED_LARGEST_STACK, -1);
    if (described->failed)
        return;
    if (innermost && opcode_open(prototype->code[call->pc]))
        described_nonsense(L, "pc");
    described_check_registers(described, call, !innermost);
}

static void described_read_c(struct described *described, struct described_call *call,
                             int innermost)
{
    lua_State *L = described->L;
    call->function = call->place;
    call->end = call->function + 1 + described_integer(L, "n", 0, DESCRIBED_LARGEST_STACK, -1);
    if (described->failed)
        return;
    int wanted = -1, slots = call->end - (call->function + 1);
    if (call->point == NULL)
        described_nonsense(L, "a C function");
    switch (call->point->kind) {
    case POINT_TOP:
    case POINT_RESUME:
        if (!innermost)
            described_nonsense(L, "a C function");
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
        described_nonsense(L, "the values of a C function");
}

/* Registers with an open upvalue, and armed ones, must be below the function that is called. */
static void described_check_held(const struct described *described, int number)
{
    lua_State *L = described->L;
    const struct described_call *call = &described->calls[number];
    uint64_t held[REGSET_WORDS] = {0};
    int count = call->end - (call->function + 1);
    if (call->prototype == NULL)
        return;
    lua_rawgeti(L, described->description, number + 1);
    described_get_set(L, "armed", 0, held);
    described_get_set(L, "open", 1, held);
    lua_pop(L, 1);
    for (int reg = count < 0 ? 0 : count; reg < REGSET_LIMIT; reg++)
        if (regset_has(held, reg))
            described_nonsense(L, "the place of a call");
}

static void described_need(struct described *described, int slots)
{
    if (described->slots < slots)
        described->slots = slots;
}

/* Reads call `number` of the description. */
static void described_read_call(struct described *described, int number)
{
    lua_State *L = described->L;
    struct described_call *call = &described->calls[number];
    int innermost = number == described->count - 1;
    int before = number == 0 ? 0 : call[-1].function;
    if (lua_rawgeti(L, described->description, number + 1) != LUA_TTABLE)
        described_nonsense(L, "a call");
    call->place = before + described_integer(L, "at", 1, DESCRIBED_LARGEST_STACK, -1);
    if (lua_getfield(L, -1, "f") != LUA_TFUNCTION)
        described_nonsense(L, "the function of a call");
    if (lua_iscfunction(L, -1))
        call->point = points_find(L, described->exact, -1);
    else
        call->prototype = vm_closure(L, -1)->prototype;
    lua_pop(L, 1);
    if (call->prototype != NULL)
        described_read_lua(described, call, innermost);
    else
        described_read_c(described, call, innermost);
    if (call->function > DESCRIBED_LARGEST_STACK || call->end > DESCRIBED_LARGEST_STACK)
        described_nonsense(L, "the size of the stack");
    described_need(described, call->end);
    if (call->prototype != NULL)
        described_need(described, call->function + 1 + call->prototype->registers);
    lua_pop(L, 1);
    described_check_place(described, number);
    if (number > 0 && call[-1].prototype == NULL && !described->failed &&
        call->place != call[-1].end)
        described_nonsense(L, "the place of a call");
    if (number > 0) { /* the rest of the caller's registers is the callee's */
        call[-1].end = call->place;
        described_check_held(described, number - 1);
    }
}

/* The number of calls in the description on top. Not its length, which may be anything where it has
 * holes. */
static int described_count(lua_State *L)
{
    int count = 0;
    while (count <= DESCRIBED_LARGEST_STACK && lua_rawgeti(L, -1, count + 1) == LUA_TTABLE) {
        lua_pop(L, 1);
        count++;
    }
    if (count <= DESCRIBED_LARGEST_STACK)
        lua_pop(L, 1);
    return count;
}

/* Takes the thread's stack off what all of them may have: a few bytes of a file can ask for a large
 * one, again and again. */
static void described_pay(struct described *described)
{
    *described->allowed -= described->slots;
    if (*described->allowed < 0)
        luaL_error(described->L,
                   "the stacks of calls in the snapshot are larger than what is on them "
                   "(coroutines that have been called with very many nils?)");
    if (described->room > *described->rooms || described->room >= DESCRIBED_MODEST_STACK)
        described->room = 0;
    *described->rooms -= described->room;
}

void described_read(struct described *described)
{
    static const char *const states[] = {"idle", "suspended", "failed", NULL};
    lua_State *L = described->L;
    lua_pushvalue(L, described->description);
    if (lua_getfield(L, -1, "state") != LUA_TSTRING)
        described_nonsense(L, "state");
    int state = luaL_checkoption(L, -1, NULL, states);
    lua_pop(L, 1);
    described->failed = state == 2;
    described->status = state == 1 ? LUA_YIELD : LUA_OK;
    if (described->failed)
        described->status = described_integer(L, "status", LUA_ERRRUN, LUA_ERRERR, -1);
    described->room = described_integer(L, "room", 0, DESCRIBED_LARGEST_ROOM, 0);
    described->count = described_count(L);
    if (described->count > DESCRIBED_LARGEST_STACK || (state == 0) != (described->count == 0))
        described_nonsense(L, "the number of calls");
    if (lua_getfield(L, -1, "base") != LUA_TTABLE)
        described_nonsense(L, "base");
    described->base = described_integer(L, "n", 0, DESCRIBED_LARGEST_STACK, -1);
    lua_pop(L, 2);
    described_need(described, 1 + described->base);
    described->calls =
        lua_newuserdatauv(L, ((size_t)described->count + 1) * sizeof *described->calls, 0);
    memset(described->calls, 0, ((size_t)described->count + 1) * sizeof *described->calls);
    for (int i = 0; i < described->count; i++)
        described_read_call(described, i);
    described_pay(described);
}
