#include "exact/frames.h"

#include <lauxlib.h>

#include "exact/capture.h"
#include "exact/opcode.h"
#include "exact/order.h"
#include "exact/site.h"
#include "value/encoder.h"

/* Of each call: the highest upvalue that is open, and the highest slot that is armed, when those of
 * the calls inside of it are left out. They may belong to calls outside of it. */
struct frames_held {
    const struct vm_upvalue *open;
    const struct vm_value *armed;
};

/* A thread that is gone through, from its outermost call inwards. */
struct frames {
    lua_State *L;
    struct exact *exact;
    struct encoder *encode;
    const struct vm_thread *thread;
    int failed;
    ptrdiff_t count, at;         /* of calls; number of the one that is looked at, from 0 */
    const struct vm_call *call;  /* that one, */
    const struct vm_call *inner; /* and the innermost */
    struct frames_held *held;    /* in a userdata; NULL: nothing is open, and nothing armed */
    uint64_t savers_called;      /* by the encoder, when this was found */
};

/* Fields of a call's description that are there at times only. */
enum {
    FRAMES_TAIL = 1,
    FRAMES_NEGATED = 2,
    FRAMES_RESULTS = 4,
    FRAMES_EXTRA = 8,
    FRAMES_SUCCESSORS = 16,
    FRAMES_OPEN = 32,
    FRAMES_ARMED = 64,
    FRAMES_SIZE = 128, /* n */
    FRAMES_ERROR = 256 /* the last value, far above the registers */
};

/* What there is to say of a call. */
struct frames_call {
    int is_lua;
    int pc, in_progress, fields;
    ptrdiff_t count;     /* of its values */
    ptrdiff_t sequence;  /* of those that are written, up to the last that is not nil; */
    ptrdiff_t registers; /* so many of them only if they are needed: */
    struct frames_held held;
    uint32_t print;
    uint64_t live[REGSET_WORDS], armed[REGSET_WORDS], loops[REGSET_WORDS]; /* as in site.h */
};

/* ---------------------------------------------------------------- going through them */

static void frames_find_held(struct frames *frames)
{
    const struct vm_thread *thread = frames->thread;
    struct frames_held held = {thread->open_upvalues, thread->to_be_closed};
    const struct vm_call *call = frames->inner;
    for (ptrdiff_t i = frames->count - 1; i >= 0; i--, call = call->previous) {
        const struct vm_value *registers = call->function + 1;
        frames->held[i] = held;
        while (held.open != NULL && held.open->value >= registers)
            held.open = held.open->u.open.next;
        while (held.armed >= registers)
            held.armed = vm_armed_before(held.armed, thread->stack);
    }
}

/* Whether a save function has run the thread, or closed it, since it was met. */
static int frames_is_changed(const struct exact *exact, const struct encoder *encode,
                             const struct vm_thread *thread)
{
    return encode->savers_called > 0 && idmap_get(&exact->ran, thread) != 0;
}

/* count: of the calls, or -1 if that is not known. Pushes a userdata, or nil. */
static void frames_begin(lua_State *L, struct frames *frames, struct encoder *encode,
                         const struct vm_thread *thread, ptrdiff_t count)
{
    struct exact *exact = encode->options->code->context;
    *frames = (struct frames){.L = L, .exact = exact, .encode = encode, .thread = thread};
    luaL_checkstack(L, 12, NULL);
    frames->savers_called = encode->savers_called;
    frames->failed = thread->status > LUA_YIELD;
    frames->call = &thread->base;
    frames->inner = thread->call;
    frames->at = -1;
    if (count < 0 || encode->savers_called > 0)
        for (const struct vm_call *call = frames->inner; call != &thread->base;
             call = call->previous)
            frames->count++;
    else
        frames->count = count;
    if (count >= 0 && (frames->count != count || frames_is_changed(exact, encode, thread)))
        encoder_changed(L);
    if (frames->count > 0 &&
        (thread->open_upvalues != NULL || thread->to_be_closed > thread->stack)) {
        frames->held = lua_newuserdatauv(L, (size_t)frames->count * sizeof *frames->held, 0);
        frames_find_held(frames);
    } else {
        lua_pushnil(L);
    }
}

/* If a save function has been called, the thread may have another stack, but the same calls. */
static void frames_settle(struct frames *frames)
{
    if (frames->savers_called == frames->encode->savers_called)
        return;
    if (frames->thread->call != frames->inner ||
        frames_is_changed(frames->exact, frames->encode, frames->thread))
        encoder_changed(frames->L);
    if (frames->held != NULL)
        frames_find_held(frames);
    frames->savers_called = frames->encode->savers_called;
}

/* The next call inwards. Returns 0 behind the last. */
static int frames_next(struct frames *frames)
{
    if (frames->call == frames->inner)
        return 0;
    frames->call = frames->call->next;
    frames->at++;
    return 1;
}

/* Where the values of a call end: at the next one. */
static const struct vm_value *frames_limit(const struct vm_thread *thread,
                                           const struct vm_call *call)
{
    return call == thread->call ? thread->top : vm_place(call->next);
}

/* What is known of the place where a call of a Lua function stands. Only until the next call is
 * looked at: that of another thread may be one that is met in this one's registers. */
static const struct site *frames_site(const struct frames *frames, const struct frames_call *say)
{
    return site_of(frames->L, &frames->exact->sites, &frames->exact->code, frames->call,
                   say->in_progress);
}

/* ---------------------------------------------------------------- what code relies on */

static _Noreturn void frames_refuse(const struct frames *frames, const char *what)
{
    lua_Debug debug = {.i_ci = (struct CallInfo *)(uintptr_t)frames->call};
    lua_getinfo(frames->L, "Sl", &debug);
    luaL_error(frames->L, "%s at %s:%d, which debug.setlocal has changed, cannot be saved", what,
               debug.short_src, debug.currentline);
    __builtin_unreachable();
}

/* The tag of a register, without what tells of the collector. */
static int frames_tag(const struct vm_value *value)
{
    return value->tag & ~VM_COLLECTABLE;
}

/* What the interpreter takes for granted of a register, and rebuild.c checks. */
static void frames_check_trust(const struct frames *frames, int reg, const struct flow_trust *trust)
{
    const struct vm_value *value = frames->call->function + 1 + reg;
    int tag = frames_tag(value);
    if (regset_has(trust->tables, reg) && tag != VM_TABLE)
        frames_refuse(frames, "a table constructor");
    if (regset_has(trust->strings, reg) && (tag & 0x0F) != LUA_TSTRING)
        frames_refuse(frames, "the name of a method");
    if (regset_has(trust->numbers, reg) &&
        ((tag != VM_INTEGER && tag != VM_FLOAT) || frames_tag(value + 1) != tag ||
         frames_tag(value + 2) != tag))
        frames_refuse(frames, "a 'for' loop");
}

/* debug.setlocal reaches what the code relies on: such a stack could not be made again. */
static void frames_check(const struct frames *frames, const struct frames_call *say)
{
    const struct site *site = frames_site(frames, say);
    const struct vm_value *registers = frames->call->function + 1;
    for (int word = 0; site->checks && word < REGSET_WORDS; word++) {
        uint64_t wanted = site->must[word] & ~say->armed[word];
        uint64_t left = site->trusted[word] | wanted;
        for (int reg = word * 64; left != 0; reg++, left >>= 1, wanted >>= 1) {
            if ((left & 1) == 0)
                continue;
            frames_check_trust(frames, reg, &site->trust);
            if ((wanted & 1) != 0 && registers[reg].tag != VM_FALSE &&
                !vm_is_nil(registers[reg].tag))
                frames_refuse(frames, "a to-be-closed variable");
        }
    }
}

/* Sizes that rebuild.c does not take. All stacks together may have more slots than their
 * descriptions have bytes, but not many more; a call's description has nearly as many as the call
 * has slots. */
static void frames_check_size(lua_State *L, const struct exact *exact, ptrdiff_t slots)
{
    if (slots > CAPTURE_LARGEST_STACK)
        luaL_error(L, "its stack of calls is so large that it cannot be saved");
    if (exact->bare > 3 * (int64_t)CAPTURE_LARGEST_STACK / 2)
        luaL_error(L, "the stacks of coroutines that were called with very many nils are too large "
                      "to be saved");
}

/* ---------------------------------------------------------------- loops by next */

/* Of the loop whose iterator is in registers[0]: if its current key is not in the table any more,
 * successors[at] = the key that follows, or false, in the table on top, or a new one in the place
 * of nil. */
static void frames_successor(const struct frames *frames, const struct vm_value *registers, int at)
{
    lua_State *L = frames->L;
    int top = lua_gettop(L);
    for (int i = 0; i < 3; i++)
        vm_push_plain(L, &registers[i]);
    if (order_is_next(L, top + 1) && lua_istable(L, top + 2) && !lua_isnil(L, top + 3)) {
        lua_pushvalue(L, top + 3);
        if (lua_rawget(L, top + 2) == LUA_TNIL) {
            if (lua_isnil(L, top)) {
                lua_newtable(L);
                lua_replace(L, top);
            }
            lua_pushvalue(L, top + 3);
            order_push_next(L, frames->exact, top + 2);
            if (lua_isnil(L, -1)) {
                lua_pop(L, 1);
                lua_pushboolean(L, 0);
            }
            lua_rawseti(L, top, at);
        }
    }
    lua_settop(L, top);
}

/* Pushes {[register of an iterator + 1] = key that follows}, or nil. */
static void frames_push_successors(const struct frames *frames, const struct frames_call *say)
{
    lua_pushnil(frames->L);
    for (int reg = 0; reg < REGSET_LIMIT; reg++)
        if (regset_has(say->loops, reg))
            frames_successor(frames, frames->call->function + 1 + reg, reg + 1);
}

/* ---------------------------------------------------------------- what there is to say */

/* Whether value i of the call is written. */
static int frames_has(const struct frames_call *say, const struct vm_value *values, ptrdiff_t i)
{
    return (i >= say->registers || regset_has(say->live, (int)i)) && !vm_is_nil(values[i].tag);
}

/* Registers with an open upvalue, or that are armed, are needed: the code may not tell, since Lua
 * up to 5.4.8 has ways to leave a scope without closing it. */
static void frames_add_held(const struct frames *frames, struct frames_call *say)
{
    const struct vm_value *registers = frames->call->function + 1;
    if (frames->held == NULL)
        return;
    say->held = frames->held[frames->at];
    for (const struct vm_upvalue *open = say->held.open; open != NULL && open->value >= registers;
         open = open->u.open.next) {
        regset_add(say->live, (int)(open->value - registers));
        say->fields |= FRAMES_OPEN;
    }
    for (const struct vm_value *slot = say->held.armed; slot >= registers;
         slot = vm_armed_before(slot, frames->thread->stack)) {
        regset_add(say->live, (int)(slot - registers));
        regset_add(say->armed, (int)(slot - registers));
        say->fields |= FRAMES_ARMED;
    }
}

/* Of the innermost call of a thread that has failed: the error value is its last one. */
static void frames_add_error(struct frames_call *say, const struct vm_value *values)
{
    say->fields |= FRAMES_SIZE;
    if (say->count <= 0)
        return;
    if (say->count <= say->registers)
        regset_add(say->live, (int)say->count - 1);
    else if (!vm_is_nil(values[say->count - 1].tag))
        say->fields |= FRAMES_ERROR;
}

static void frames_look_at_lua(const struct frames *frames, struct frames_call *say)
{
    lua_State *L = frames->L;
    const struct vm_call *call = frames->call;
    const struct vm_prototype *prototype = vm_called(call);
    const struct vm_value *registers = call->function + 1;
    say->registers = prototype->registers;
    say->pc = vm_pc(call);
    const struct site *site = frames_site(frames, say);
    say->is_lua = 1;
    say->print = site->print;
    for (int i = 0; i < REGSET_WORDS; i++)
        say->live[i] = site->live[i], say->loops[i] = site->loops[i];
    if (!say->in_progress && !frames->failed)
        say->count = prototype->registers;
    say->fields |= (call->status & VM_CALL_TAIL ? FRAMES_TAIL : 0) |
                   (call->status & VM_CALL_NEGATED ? FRAMES_NEGATED : 0) |
                   (prototype->is_vararg && say->pc > 0 ? FRAMES_EXTRA : 0);
    if (say->in_progress && opcode_returns(prototype->code[say->pc]))
        say->fields |= FRAMES_RESULTS;
    frames_add_held(frames, say);
    say->sequence = say->count;
    if (frames->failed && !say->in_progress) {
        frames_add_error(say, registers);
        if (say->sequence > say->registers)
            say->sequence = say->registers;
    }
    if (site->has_loops) {
        frames_push_successors(frames, say);
        say->fields |= lua_isnil(L, -1) ? 0 : FRAMES_SUCCESSORS;
        lua_pop(L, 1);
    }
}

static void frames_look(const struct frames *frames, struct frames_call *say)
{
    const struct vm_call *call = frames->call;
    const struct vm_value *values = call->function + 1;
    *say = (struct frames_call){.in_progress = call != frames->inner};
    say->count = say->sequence = frames_limit(frames->thread, call) - values;
    if (vm_is_lua(call))
        frames_look_at_lua(frames, say);
    while (say->sequence > 0 && !frames_has(say, values, say->sequence - 1))
        say->sequence--;
}

static uint32_t frames_others(const struct frames_call *say)
{
    uint32_t others = say->is_lua ? 4 : 3;
    for (int left = say->fields; left != 0; left &= left - 1)
        others++;
    return others;
}

/* ---------------------------------------------------------------- counting */

/* Slots that hold nothing. */
static void frames_count_bare(struct exact *exact, const struct vm_value *from,
                              const struct vm_value *limit)
{
    for (; from < limit; from++)
        exact->bare += vm_is_nil(from->tag);
}

static void frames_count_call(struct frames *frames)
{
    struct frames_call say;
    const struct vm_call *call = frames->call;
    frames_look(frames, &say);
    encoder_keep(frames->L, frames->encode, (uint32_t)say.sequence, frames_others(&say));
    if (!say.is_lua)
        frames_count_bare(frames->exact, call->function + 1, call->function + 1 + say.count);
    else if (!frames->failed)
        frames_check(frames, &say);
    if (say.fields & FRAMES_EXTRA)
        frames_count_bare(frames->exact, call->function - call->u.lua.extra_arguments,
                          call->function);
}

/* Whether the thread is one of those that are running inside each other. */
static int frames_is_running(const struct exact *exact, const struct vm_thread *thread)
{
    if (vm_thread(exact->current) == thread)
        return 1;
    for (const struct exact_resumer *resumer = exact->resumers; resumer != NULL;
         resumer = resumer->previous)
        if (vm_thread(resumer->thread) == thread)
            return 1;
    return 0;
}

static const char *frames_state(lua_State *L, const struct exact *exact,
                                const struct vm_thread *thread)
{
    if (thread->status == LUA_YIELD || frames_is_running(exact, thread))
        return "suspended";
    if (thread->status != LUA_OK)
        return "failed";
    if (thread->call != &thread->base)
        luaL_error(L, "a coroutine that is being closed, or was resumed by a C library, cannot be "
                      "saved now");
    return "idle";
}

/* ---------------------------------------------------------------- writing */

/* The value in a slot, by way of L's stack if need be. */
static void frames_write_value(lua_State *L, struct encoder *encode, const struct vm_value *value)
{
    if (value->tag == VM_INTEGER) {
        pack_integer(encode->pack, (int64_t)value->bits);
    } else {
        vm_push_plain(L, value);
        encoder_value(L, encode, lua_gettop(L));
        lua_pop(L, 1);
    }
}

static inline void frames_write_integer(struct encoder *encode, const char *name, lua_Integer value)
{
    pack_text(encode->pack, name);
    pack_integer(encode->pack, value);
}

/* A name that may be long enough to have a number. */
static void frames_write_name(lua_State *L, struct encoder *encode, const char *name)
{
    lua_pushstring(L, name);
    encoder_value(L, encode, lua_gettop(L));
    lua_pop(L, 1);
}

/* name: the table on top, which is popped */
static void frames_write_table(lua_State *L, struct encoder *encode, const char *name)
{
    frames_write_name(L, encode, name);
    encoder_value(L, encode, lua_gettop(L));
    lua_pop(L, 1);
}

/* The arguments of a vararg function behind the named ones. */
static void frames_write_extra(lua_State *L, struct encoder *encode, const struct vm_call *call)
{
    int count = call->u.lua.extra_arguments;
    lua_createtable(L, count, 1);
    for (int i = 0; i < count; i++)
        if (!vm_is_nil(call->function[i - count].tag)) {
            vm_push(L, &call->function[i - count]);
            lua_rawseti(L, -2, i + 1);
        }
    lua_pushinteger(L, count);
    lua_setfield(L, -2, "n");
    frames_write_table(L, encode, "extra");
}

static void frames_write_armed(lua_State *L, struct encoder *encode, const struct frames_call *say)
{
    lua_Integer count = 0;
    lua_newtable(L);
    for (int reg = 0; reg < REGSET_LIMIT; reg++)
        if (regset_has(say->armed, reg)) {
            lua_pushinteger(L, reg + 1);
            lua_rawseti(L, -2, ++count);
        }
    frames_write_table(L, encode, "armed");
}

/* part: the highest upvalue, in the slot `other`; number: the first register's slot. */
static void frames_write_open_ones(lua_State *L, struct encoder *encode,
                                   const struct code_piece *piece)
{
    const struct vm_thread *thread = piece->object;
    const struct vm_value *registers = thread->stack + piece->number;
    const struct vm_upvalue *first = piece->part;
    uint32_t count = 0;
    if (thread->call == &thread->base ||
        frames_is_changed(encode->options->code->context, encode, thread))
        encoder_changed(L);
    if (encode->savers_called > 0) /* it may be gone, if no function had it any more */
        for (first = thread->open_upvalues;
             first != NULL && first->value > thread->stack + piece->other;)
            first = first->u.open.next;
    for (const struct vm_upvalue *open = first; open != NULL && open->value >= registers;
         open = open->u.open.next)
        count++;
    luaL_checkstack(L, 12, NULL);
    encoder_begin(encode, 0);
    pack_map(encode->pack, count);
    for (; count > 0; count--, first = first->u.open.next) {
        pack_integer(encode->pack, first->value - registers + 1);
        capture_cell(L, encode, first);
    }
    encoder_check_sink(L, encode);
}

static void frames_write_open(const struct frames *frames, const struct frames_call *say)
{
    const struct vm_value *registers = frames->call->function + 1;
    struct code_piece piece = {.write = frames_write_open_ones,
                               .object = frames->thread,
                               .part = say->held.open,
                               .number = registers - frames->thread->stack,
                               .other = say->held.open->value - frames->thread->stack};
    for (const struct vm_upvalue *open = say->held.open; open != NULL && open->value >= registers;
         open = open->u.open.next)
        piece.others++;
    pack_text(frames->encode->pack, "open");
    encoder_piece(frames->L, frames->encode, &piece);
}

static void frames_write_flag(lua_State *L, struct encoder *encode, const char *name)
{
    frames_write_name(L, encode, name);
    pack_boolean(encode->pack, 1);
}

/* The fields that are there at times. */
static void frames_write_fields(struct frames *frames, const struct frames_call *say)
{
    lua_State *L = frames->L;
    struct encoder *encode = frames->encode;
    const struct vm_call *call = frames->call;
    if (say->fields & FRAMES_TAIL)
        frames_write_flag(L, encode, "tail");
    if (say->fields & FRAMES_NEGATED)
        frames_write_flag(L, encode, "negated");
    if (say->fields & FRAMES_RESULTS) {
        frames_write_name(L, encode, "results");
        pack_integer(encode->pack, call->u2.results);
    }
    if (say->fields & FRAMES_SIZE)
        frames_write_integer(encode, "n", say->count);
    if (say->fields & FRAMES_EXTRA)
        frames_write_extra(L, encode, call);
    if (say->fields & FRAMES_OPEN)
        frames_write_open(frames, say);
    if (say->fields & FRAMES_ARMED)
        frames_write_armed(L, encode, say);
    if (say->fields & FRAMES_SUCCESSORS) {
        frames_push_successors(frames, say);
        frames_write_table(L, encode, "successors");
    }
    if (say->fields & FRAMES_ERROR) {
        pack_integer(encode->pack, say->count);
        frames_write_value(L, encode, call->function + say->count);
    }
}

static void frames_write_call(struct frames *frames)
{
    lua_State *L = frames->L;
    struct encoder *encode = frames->encode;
    const struct vm_call *call = frames->call;
    struct frames_call say;
    frames_look(frames, &say);
    encoder_begin(encode, (uint32_t)say.sequence);
    for (ptrdiff_t i = 0; i < say.sequence; i++) {
        const struct vm_value *values = call->function + 1;
        if (frames_has(&say, values, i))
            frames_write_value(L, encode, &values[i]);
        else
            pack_nil(encode->pack);
        frames_settle(frames);
    }
    pack_map(encode->pack, frames_others(&say));
    pack_text(encode->pack, "f");
    frames_write_value(L, encode, call->function);
    frames_write_integer(encode, "at", vm_place(call) - call->previous->function);
    if (!say.is_lua) {
        frames_write_integer(encode, "n", say.count);
    } else {
        frames_write_integer(encode, "pc", say.pc);
        frames_write_integer(encode, "code", say.print);
        frames_write_fields(frames, &say);
    }
    frames_settle(frames);
    encoder_check_sink(L, encode);
}

static void frames_write_calls(lua_State *L, struct encoder *encode, const struct code_piece *piece)
{
    struct frames frames;
    frames_begin(L, &frames, encode, piece->object, piece->number);
    while (frames_next(&frames))
        frames_write_call(&frames);
    lua_pop(L, 1);
}

/* Number of the values below the calls, up to the last that is not nil. */
static ptrdiff_t frames_base(const struct vm_thread *thread)
{
    const struct vm_value *values = thread->base.function + 1;
    ptrdiff_t count = frames_limit(thread, &thread->base) - values;
    while (count > 0 && vm_is_nil(values[count - 1].tag))
        count--;
    return count;
}

static void frames_write_base_values(lua_State *L, struct encoder *encode,
                                     const struct code_piece *piece)
{
    const struct vm_thread *thread = piece->object;
    ptrdiff_t count = frames_base(thread);
    luaL_checkstack(L, 12, NULL);
    if (frames_is_changed(encode->options->code->context, encode, thread))
        encoder_changed(L);
    encoder_begin(encode, (uint32_t)count);
    for (ptrdiff_t i = 0; i < count; i++) {
        if (count > frames_base(thread)) /* a save function has changed it */
            encoder_changed(L);
        frames_write_value(L, encode, thread->base.function + 1 + i);
    }
    pack_map(encode->pack, 1);
    frames_write_integer(encode, "n",
                         frames_limit(thread, &thread->base) - (thread->base.function + 1));
    encoder_check_sink(L, encode);
}

static void frames_write_base(lua_State *L, struct encoder *encode, const struct vm_thread *thread)
{
    struct code_piece piece = {.sequence = (uint32_t)frames_base(thread),
                               .others = 1,
                               .write = frames_write_base_values,
                               .object = thread};
    pack_text(encode->pack, "base");
    encoder_piece(L, encode, &piece);
}

static void frames_write_thread(lua_State *L, struct encoder *encode,
                                const struct code_piece *piece)
{
    const struct exact *exact = encode->options->code->context;
    const struct vm_thread *thread = piece->object;
    struct code_piece calls = {
        .write = frames_write_calls, .object = thread, .number = piece->sequence};
    luaL_checkstack(L, 12, NULL);
    if (frames_is_changed(exact, encode, thread))
        encoder_changed(L);
    encoder_begin(encode, piece->sequence);
    for (uint32_t i = 0; i < piece->sequence; i++) {
        uint32_t sequence, others;
        encoder_take(encode, &sequence, &others);
        encoder_announce(encode, sequence, others, CODE_NO_PLACE);
    }
    if (piece->sequence > 0)
        encoder_add(L, encode, &calls);
    pack_map(encode->pack, thread->status > LUA_YIELD ? 4 : 3);
    pack_text(encode->pack, "state");
    frames_write_name(L, encode, frames_state(L, exact, thread));
    if (thread->status > LUA_YIELD) {
        frames_write_name(L, encode, "status");
        pack_integer(encode->pack, thread->status);
    }
    frames_write_integer(encode, "room", thread->stack_last - thread->stack);
    frames_write_base(L, encode, thread);
    encoder_check_sink(L, encode);
}

void frames_thread(lua_State *L, void *context, struct encoder *encode, int index,
                   struct code_piece *description)
{
    struct exact *exact = context;
    struct frames frames;
    const struct vm_thread *thread = vm_thread(lua_tothread(L, index));
    frames_state(L, exact, thread); /* or none */
    if (idmap_has(&exact->ran, thread))
        idmap_find(&exact->ran, thread)->number = 0; /* not since now */
    frames_begin(L, &frames, encode, thread, -1);
    const struct vm_value *limit = thread->top;
    while (frames_next(&frames)) {
        frames_count_call(&frames);
        if (vm_is_lua(frames.call) && frames.call->top > limit)
            limit = frames.call->top;
    }
    lua_pop(L, 1);
    frames_count_bare(exact, thread->base.function + 1, frames_limit(thread, &thread->base));
    frames_check_size(L, exact, limit - thread->stack);
    *description = (struct code_piece){.sequence = (uint32_t)frames.count,
                                       .others = thread->status > LUA_YIELD ? 4 : 3,
                                       .write = frames_write_thread,
                                       .object = thread};
}
