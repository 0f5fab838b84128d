#include "exact/capture.h"

#include <string.h>

#include <lauxlib.h>

#include "exact/analysis.h"
#include "exact/coroutine.h"
#include "exact/iterators.h"
#include "exact/opcode.h"
#include "exact/order.h"
#include "exact/points.h"

/* ---------------------------------------------------------------- obstacles */

/* Pushes "NAME (WHERE)" of the call. */
static void capture_push_name(lua_State *L, lua_State *thread, const struct vm_call *call)
{
    lua_Debug debug = {0};
    debug.i_ci = (struct CallInfo *)(uintptr_t)call;
    lua_getinfo(thread, "Sln", &debug);
    const char *name = debug.name == NULL ? "a function" : debug.name;
    if (*debug.what == 'C') {
        lua_Debug caller = {0};
        caller.i_ci = (struct CallInfo *)(uintptr_t)call->previous;
        if (call->previous != &vm_thread(thread)->base && lua_getinfo(thread, "Sl", &caller) != 0 &&
            caller.currentline > 0) {
            lua_pushfstring(L, "%s (%s:%d)", name, caller.short_src, caller.currentline);
            return;
        }
        lua_pushfstring(L, "%s (a function in C)", name);
    } else {
        lua_pushfstring(L, "%s (%s:%d)", name, debug.short_src, debug.currentline);
    }
}

/* Whether a call of a running thread can be captured. The innermost one of the running thread is
 * `top`. */
static int capture_is_possible(lua_State *L, const struct exact *exact, const struct vm_call *call,
                               int top, int innermost)
{
    if ((call->status & (VM_CALL_FINALIZER | VM_CALL_CLOSING | VM_CALL_RECOVERING)) != 0)
        return 0;
    if (vm_is_lua(call))
        return !innermost || !opcode_open(call->u.lua.pc[-1]);
    vm_push(L, call->function);
    const struct exact_point *point = points_find(L, exact, -1);
    lua_pop(L, 1);
    if (point == NULL)
        return 0;
    if (!top)
        return point->kind >= POINT_CALL;
    return innermost ? point->kind == POINT_TOP : point->kind == POINT_RESUME;
}

static int capture_thread_obstacle(lua_State *L, const struct exact *exact, lua_State *thread,
                                   int innermost)
{
    const struct vm_thread *insides = vm_thread(thread);
    for (const struct vm_call *call = insides->call; call != &insides->base;
         call = call->previous) {
        int top = call == insides->call;
        if (!capture_is_possible(L, exact, call, top, top && innermost)) {
            capture_push_name(L, thread, call);
            return 1;
        }
    }
    if (lua_isyieldable(thread))
        return 0;
    capture_push_name(L, thread, insides->call); /* inside of a call that is not on its stack */
    return 1;
}

int capture_obstacle(lua_State *L, const struct exact *exact)
{
    luaL_checkstack(L, 8, NULL);
    if (capture_thread_obstacle(L, exact, exact->current, 1))
        return 1;
    for (const struct exact_resumer *resumer = exact->resumers; resumer != NULL;
         resumer = resumer->previous)
        if (capture_thread_obstacle(L, exact, resumer->thread, 0))
            return 1;
    return 0;
}

/* ---------------------------------------------------------------- functions */

void capture_begin(lua_State *L, struct exact *exact)
{
    capture_end(L, exact); /* of one that has failed */
    code_begin(&exact->code);
    exact->bare = 0;
    lua_newtable(L);
    exact->capturing = luaL_ref(L, LUA_REGISTRYINDEX);
}

void capture_end(lua_State *L, struct exact *exact)
{
    luaL_unref(L, LUA_REGISTRYINDEX, exact->capturing);
    exact->capturing = LUA_NOREF;
}

/* Pushes the table of an upvalue; those met before are in the table at `cells`. */
static void capture_upvalue(lua_State *L, int cells, const struct vm_upvalue *upvalue)
{
    if (lua_rawgetp(L, cells, upvalue) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    lua_createtable(L, 1, 0);
    vm_push_plain(L, upvalue->value);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, cells, upvalue);
}

void capture_function(lua_State *L, void *context, int index, struct code_place *place)
{
    struct exact *exact = context;
    struct code_chunk *chunk;
    index = lua_absindex(L, index);
    const struct vm_closure *closure = vm_closure(L, index);
    if (!code_find(L, &exact->code, closure->prototype, &chunk, &place->number))
        luaL_error(L, "the source text of this function is not known (it came from string.dump or "
                      "from a C library)");
    chunk->met = 1;
    place->chunk = chunk;
    luaL_checkstack(L, 6, NULL);
    lua_createtable(L, closure->upvalues_count, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, exact->capturing);
    int cells = lua_gettop(L);
    for (int i = 0; i < closure->upvalues_count; i++) {
        capture_upvalue(L, cells, closure->upvalues[i]);
        lua_rawseti(L, -3, i + 1);
    }
    lua_pop(L, 1);
}

void capture_chunk(lua_State *L, void *context, const void *chunk)
{
    const struct code_chunk *known = chunk;
    (void)context;
    lua_pushstring(L, known->name);
    if (known->text == NULL)
        lua_pushnil(L);
    else
        lua_pushlstring(L, known->text, known->size);
}

/* ---------------------------------------------------------------- threads */

/* What is gone through from the innermost call outwards. */
struct capture {
    lua_State *L;
    struct exact *exact;
    const struct vm_thread *thread;
    const struct vm_upvalue *open;
    const struct vm_value *armed;
    int cells; /* stack index */
};

static void capture_set_integer(lua_State *L, const char *name, lua_Integer value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

/* list[i + 1] = from[i] of the registers that are needed any more, for the table on top */
static void capture_registers(lua_State *L, const struct vm_value *from, int count,
                              const uint64_t live[REGSET_WORDS])
{
    for (int i = 0; i < count; i++)
        if (regset_has(live, i) && (from[i].tag & 0x0F) != VM_NIL) {
            vm_push(L, &from[i]);
            lua_rawseti(L, -2, i + 1);
        }
}

/* The same of all values. */
static void capture_values(lua_State *L, struct exact *exact, const struct vm_value *from,
                           const struct vm_value *limit)
{
    for (lua_Integer i = 1; from < limit; i++, from++)
        if ((from->tag & 0x0F) != VM_NIL) {
            vm_push(L, from);
            lua_rawseti(L, -2, i);
        } else {
            exact->bare++;
        }
}

/* The arguments of a vararg function behind the named ones. */
static void capture_extra(lua_State *L, struct exact *exact, const struct vm_call *call)
{
    int count = call->u.lua.extra_arguments;
    lua_createtable(L, count, 1);
    capture_set_integer(L, "n", count);
    capture_values(L, exact, call->function - count, call->function);
    lua_setfield(L, -2, "extra");
}

static void capture_open(struct capture *capture, const struct vm_value *registers)
{
    lua_State *L = capture->L;
    if (capture->open == NULL || capture->open->value < registers)
        return;
    lua_newtable(L);
    for (; capture->open != NULL && capture->open->value >= registers;
         capture->open = capture->open->u.open.next) {
        capture_upvalue(L, capture->cells, capture->open);
        lua_rawseti(L, -2, capture->open->value - registers + 1);
    }
    lua_setfield(L, -2, "open");
}

/* The to-be-closed variable before the one in the slot (poptbclist). */
static const struct vm_value *capture_armed_before(const struct vm_value *slot,
                                                   const struct vm_value *stack)
{
    slot -= slot->delta;
    while (slot > stack && slot->delta == 0)
        slot -= VM_LARGEST_DELTA;
    return slot;
}

/* Adds the armed registers to that set. Registers with an open upvalue, or that are armed, are
 * needed: the code may not tell, since Lua up to 5.4.8 has ways to leave a scope without closing
 * it. */
static void capture_add_held(const struct capture *capture, const struct vm_value *registers,
                             uint64_t live[REGSET_WORDS], uint64_t armed[REGSET_WORDS])
{
    for (const struct vm_upvalue *open = capture->open; open != NULL && open->value >= registers;
         open = open->u.open.next)
        regset_add(live, (int)(open->value - registers));
    for (const struct vm_value *slot = capture->armed; slot >= registers;
         slot = capture_armed_before(slot, capture->thread->stack))
        regset_add(armed, (int)(slot - registers));
    for (int i = 0; i < REGSET_WORDS; i++)
        live[i] |= armed[i];
}

static void capture_armed(struct capture *capture, const struct vm_value *registers)
{
    lua_State *L = capture->L;
    lua_Integer count = 0;
    if (capture->armed < registers)
        return;
    lua_newtable(L);
    for (; capture->armed >= registers;
         capture->armed = capture_armed_before(capture->armed, capture->thread->stack)) {
        lua_pushinteger(L, capture->armed - registers + 1);
        lua_rawseti(L, -2, ++count);
    }
    for (lua_Integer i = 1; i <= count / 2; i++) {
        lua_rawgeti(L, -1, i);
        lua_rawgeti(L, -2, count + 1 - i);
        lua_rawseti(L, -3, i);
        lua_rawseti(L, -2, count + 1 - i);
    }
    lua_setfield(L, -2, "armed");
}

/* Of the loop whose iterator is in registers[0]: if its current key is not in the table any more,
 * successors[at] = the key that follows, or false. The table of the call is on top. */
static void capture_successor(struct capture *capture, const struct vm_value *registers, int at)
{
    lua_State *L = capture->L;
    int top = lua_gettop(L);
    for (int i = 0; i < 3; i++)
        vm_push_plain(L, &registers[i]);
    if (order_is_next(L, top + 1) && lua_istable(L, top + 2) && !lua_isnil(L, top + 3)) {
        lua_pushvalue(L, top + 3);
        if (lua_rawget(L, top + 2) == LUA_TNIL) {
            luaL_getsubtable(L, top, "successors");
            lua_pushvalue(L, top + 3);
            order_push_next(L, capture->exact, top + 2);
            if (lua_isnil(L, -1)) {
                lua_pop(L, 1);
                lua_pushboolean(L, 0);
            }
            lua_rawseti(L, -2, at);
        }
    }
    lua_settop(L, top);
}

static void capture_successors(struct capture *capture, const struct vm_prototype *prototype,
                               int pc, const struct vm_value *registers)
{
    int last;
    for (int i = 0; i < pc; i++) {
        int iterator = opcode_begins_loop(prototype->code, i, &last);
        if (iterator >= 0 && pc <= last)
            capture_successor(capture, registers + iterator, iterator + 1);
    }
}

/* ---------------------------------------------------------------- what code relies on */

static _Noreturn void capture_refuse(const struct capture *capture, const struct vm_call *call,
                                     const char *what)
{
    lua_Debug debug = {.i_ci = (struct CallInfo *)(uintptr_t)call};
    lua_getinfo(capture->L, "Sl", &debug);
    luaL_error(capture->L, "%s at %s:%d, which debug.setlocal has changed, cannot be saved", what,
               debug.short_src, debug.currentline);
    __builtin_unreachable();
}

/* The tag of a register, without what tells of the collector. */
static int capture_tag(const struct vm_value *value)
{
    return value->tag & ~VM_COLLECTABLE;
}

/* What the interpreter takes for granted of a register, and rebuild.c checks. */
static void capture_check_trust(const struct capture *capture, const struct vm_call *call, int reg,
                                const struct flow_trust *trust)
{
    const struct vm_value *value = call->function + 1 + reg;
    int tag = capture_tag(value);
    if (regset_has(trust->tables, reg) && tag != VM_TABLE)
        capture_refuse(capture, call, "a table constructor");
    if (regset_has(trust->strings, reg) && (tag & 0x0F) != LUA_TSTRING)
        capture_refuse(capture, call, "the name of a method");
    if (regset_has(trust->numbers, reg) &&
        ((tag != VM_INTEGER && tag != VM_FLOAT) || capture_tag(value + 1) != tag ||
         capture_tag(value + 2) != tag))
        capture_refuse(capture, call, "a 'for' loop");
}

/* debug.setlocal reaches what the code relies on: such a stack could not be made again. armed: its
 * to-be-closed variables. */
static void capture_check(const struct capture *capture, const struct vm_call *call,
                          const struct flow *flow, const uint64_t armed[REGSET_WORDS])
{
    int pc = vm_pc(call), in_progress = call != capture->thread->call;
    const struct vm_value *registers = call->function + 1;
    uint64_t some[REGSET_WORDS] = {0}, every[REGSET_WORDS] = {0};
    struct flow_trust trust = {.tables = {0}};
    flow_trusted(flow, pc, in_progress, &trust);
    flow_armed(flow, pc, some, every);
    for (int word = 0; word < REGSET_WORDS; word++) {
        uint64_t wanted = every[word] & ~armed[word];
        uint64_t left = trust.tables[word] | trust.strings[word] | trust.numbers[word] | wanted;
        for (int reg = word * 64; left != 0; reg++, left >>= 1) {
            if ((left & 1) == 0)
                continue;
            capture_check_trust(capture, call, reg, &trust);
            if (regset_has(every, reg) && !regset_has(armed, reg) &&
                registers[reg].tag != VM_FALSE && (registers[reg].tag & 0x0F) != VM_NIL)
                capture_refuse(capture, call, "a to-be-closed variable");
        }
    }
}

/* Whether the text of the function that is called is known; raises which one it is, if not. */
static void capture_check_text(const struct capture *capture, const struct vm_call *call)
{
    lua_State *L = capture->L;
    struct code_chunk *chunk;
    uint32_t number;
    if (code_find(L, &capture->exact->code, vm_called(call), &chunk, &number))
        return;
    capture_push_name(L, L, call);
    luaL_error(L,
               "the source text of %s, which is being called, is not known (it came from "
               "string.dump or from a C library)",
               lua_tostring(L, -1));
}

/* The call's own part of the table on top. Its values end at `limit`. */
static void capture_lua_call(struct capture *capture, const struct vm_call *call,
                             const struct vm_value *limit)
{
    lua_State *L = capture->L;
    const struct vm_prototype *prototype = vm_called(call);
    int pc = vm_pc(call), in_progress = call != capture->thread->call;
    const struct vm_value *registers = call->function + 1;
    capture_check_text(capture, call);
    const struct flow *flow = analysis_of(L, &capture->exact->code, prototype);
    uint64_t live[REGSET_WORDS] = {0}, armed[REGSET_WORDS] = {0};
    if (!in_progress && capture->thread->status <= LUA_YIELD)
        limit = registers + prototype->registers;
    ptrdiff_t count = limit - registers;
    flow_live(flow, pc, in_progress, live);
    capture_add_held(capture, registers, live, armed);
    if (capture->thread->status <= LUA_YIELD)
        capture_check(capture, call, flow, armed);
    capture_registers(L, registers,
                      (int)(count < prototype->registers ? count : prototype->registers), live);
    if (!in_progress && capture->thread->status > LUA_YIELD) { /* an error value is above them */
        capture_set_integer(L, "n", count);
        if (count > 0) {
            vm_push(L, limit - 1);
            lua_rawseti(L, -2, count);
        }
    } else if (count > prototype->registers) { /* results that are being returned */
        for (ptrdiff_t i = prototype->registers; i < count; i++) {
            vm_push_plain(L, &registers[i]);
            lua_rawseti(L, -2, i + 1);
        }
    }
    capture_set_integer(L, "pc", pc);
    capture_set_integer(L, "code", analysis_print(L, &capture->exact->code, prototype));
    if (call->status & VM_CALL_TAIL) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, "tail");
    }
    if (call->status & VM_CALL_NEGATED) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, "negated");
    }
    if (in_progress && opcode_returns(prototype->code[pc]))
        capture_set_integer(L, "results", call->u2.results);
    if (prototype->is_vararg && pc > 0)
        capture_extra(L, capture->exact, call);
    capture_successors(capture, prototype, pc, registers);
    capture_open(capture, registers);
    capture_armed(capture, registers);
}

static void capture_c_call(lua_State *L, struct exact *exact, const struct vm_call *call,
                           const struct vm_value *limit)
{
    capture_set_integer(L, "n", limit - (call->function + 1));
    capture_values(L, exact, call->function + 1, limit);
}

/* Pushes the description of a call; the next one begins at `limit`. */
static void capture_call(struct capture *capture, const struct vm_call *call,
                         const struct vm_value *limit)
{
    lua_State *L = capture->L;
    lua_createtable(L, 4, 4);
    vm_push(L, call->function);
    lua_setfield(L, -2, "f");
    capture_set_integer(L, "at", vm_place(call) - call->previous->function);
    if (vm_is_lua(call))
        capture_lua_call(capture, call, limit);
    else
        capture_c_call(L, capture->exact, call, limit);
}

/* Whether the thread is one of those that are running inside each other. */
static int capture_is_running(const struct exact *exact, const struct vm_thread *thread)
{
    if (vm_thread(exact->current) == thread)
        return 1;
    for (const struct exact_resumer *resumer = exact->resumers; resumer != NULL;
         resumer = resumer->previous)
        if (vm_thread(resumer->thread) == thread)
            return 1;
    return 0;
}

static const char *capture_state(lua_State *L, const struct exact *exact,
                                 const struct vm_thread *thread)
{
    if (thread->status == LUA_YIELD || capture_is_running(exact, thread))
        return "suspended";
    if (thread->status != LUA_OK)
        return "failed";
    if (thread->call != &thread->base)
        luaL_error(L, "a coroutine that is being closed, or was resumed by a C library, cannot be "
                      "saved now");
    return "idle";
}

/* What is below the calls, and the size of the stack, for the table below the one on top. */
static void capture_base(lua_State *L, struct exact *exact, const struct vm_thread *thread,
                         const struct vm_value *limit)
{
    lua_newtable(L);
    capture_values(L, exact, thread->base.function + 1, limit);
    capture_set_integer(L, "n", limit - (thread->base.function + 1));
    lua_setfield(L, -3, "base");
    lua_pushinteger(L, thread->stack_last - thread->stack);
    lua_setfield(L, -3, "room");
}

/* Sizes that rebuild.c does not take. All stacks together may have more slots than their
 * descriptions have bytes, but not many more; a call's description has nearly as many as the call
 * has slots. */
static void capture_check_size(lua_State *L, const struct exact *exact,
                               const struct vm_thread *thread)
{
    const struct vm_value *limit = thread->top;
    for (const struct vm_call *call = thread->call; call != &thread->base; call = call->previous)
        if (vm_is_lua(call) && call->top > limit)
            limit = call->top;
    if (limit - thread->stack > CAPTURE_LARGEST_STACK)
        luaL_error(L, "its stack of calls is so large that it cannot be saved");
    if (exact->bare > 3 * (int64_t)CAPTURE_LARGEST_STACK / 2)
        luaL_error(L, "the stacks of coroutines that were called with very many nils are too large "
                      "to be saved");
}

void capture_thread(lua_State *L, void *context, int index)
{
    struct exact *exact = context;
    const struct vm_thread *thread = vm_thread(lua_tothread(L, index));
    struct capture capture = {L, exact, thread, thread->open_upvalues, thread->to_be_closed, 0};
    const struct vm_value *limit = thread->top;
    luaL_checkstack(L, 12, NULL);
    lua_newtable(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, exact->capturing);
    capture.cells = lua_gettop(L);
    lua_pushstring(L, capture_state(L, exact, thread));
    lua_setfield(L, -3, "state");
    if (thread->status > LUA_YIELD) {
        lua_pushinteger(L, thread->status);
        lua_setfield(L, -3, "status");
    }
    lua_Integer count = 0;
    for (const struct vm_call *call = thread->call; call != &thread->base; call = call->previous)
        count++;
    for (const struct vm_call *call = thread->call; call != &thread->base; call = call->previous) {
        capture_call(&capture, call, limit);
        lua_rawseti(L, -3, count--);
        limit = vm_place(call);
    }
    capture_base(L, exact, thread, limit);
    lua_pop(L, 1);
    capture_check_size(L, exact, thread);
}

int capture_made(lua_State *L, void *context, int index)
{
    index = lua_absindex(L, index);
    int count = coroutine_take_apart(L, index);
    return count >= 0 ? count : iterators_take_apart(L, context, index);
}
