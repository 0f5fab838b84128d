#include "flow_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lualib.h>

#include "base/bytes.h"
#include "exact/opcode.h"

/* ---------------------------------------------------------------- lua_dump */

struct reader {
    const unsigned char *at, *end;
};

static const unsigned char *take(struct reader *reader, size_t size)
{
    if (size > (size_t)(reader->end - reader->at))
        fail_msg("the dump ends too soon");
    const unsigned char *at = reader->at;
    reader->at += size;
    return at;
}

static size_t take_size(struct reader *reader)
{
    size_t value = 0;
    unsigned char byte;
    do {
        byte = *take(reader, 1);
        value = value << 7 | (byte & 0x7f);
    } while (!(byte & 0x80));
    return value;
}

static int take_int(struct reader *reader)
{
    size_t value = take_size(reader);
    assert_true(value <= INT32_MAX);
    return (int)value;
}

static void skip_string(struct reader *reader)
{
    size_t size = take_size(reader);
    if (size > 0)
        take(reader, size - 1);
}

static void *array(int count, size_t size)
{
    void *memory = calloc(count > 0 ? (size_t)count : 1, size);
    assert_non_null(memory);
    return memory;
}

static void skip_constants(struct reader *reader)
{
    enum { FLOAT = 0x13, INTEGER = 0x03, SHORT = 0x04, LONG = 0x14 };
    for (int n = take_int(reader); n > 0; n--) {
        switch (*take(reader, 1)) {
        case FLOAT:
        case INTEGER:
            take(reader, 8);
            break;
        case SHORT:
        case LONG:
            skip_string(reader);
            break;
        default:
            break;
        }
    }
}

/* A function's upvalues; those in its parent's registers are what the parent's closures capture. */
static struct flow_child read_upvalues(struct reader *reader)
{
    int count = take_int(reader);
    unsigned char *registers = array(count, 1);
    struct flow_child child = {registers, 0};
    for (int i = 0; i < count; i++) {
        const unsigned char *upvalue = take(reader, 3);
        if (upvalue[0])
            registers[child.count++] = upvalue[1];
    }
    return child;
}

static void read_debug(struct reader *reader, struct flow_proto *proto)
{
    take(reader, (size_t)take_int(reader));
    for (int n = take_int(reader); n > 0; n--) {
        take_int(reader);
        take_int(reader);
    }
    proto->code.locals_count = take_int(reader);
    struct flow_local *locals = array(proto->code.locals_count, sizeof *locals);
    for (int i = 0; i < proto->code.locals_count; i++) {
        skip_string(reader);
        locals[i].start = take_int(reader);
        locals[i].end = take_int(reader);
    }
    proto->code.locals = locals;
    for (int n = take_int(reader); n > 0; n--)
        skip_string(reader);
}

static struct flow_child read_function(struct reader *reader, struct flow_proto *proto,
                                       const char *chunk)
{
    skip_string(reader);
    proto->chunk = chunk;
    proto->line = take_int(reader);
    take_int(reader);
    const unsigned char *bytes = take(reader, 3);
    proto->code.parameters = bytes[0];
    proto->code.is_vararg = bytes[1];
    proto->code.registers = bytes[2];
    proto->code.size = take_int(reader);
    uint32_t *code = array(proto->code.size, sizeof *code);
    memcpy(code, take(reader, (size_t)proto->code.size * 4), (size_t)proto->code.size * 4);
    proto->code.code = code;
    for (int pc = 0; pc < proto->code.size; pc++)
        proto->arms |= opcode_arms(code[pc]) >= 0;
    skip_constants(reader);
    struct flow_child own = read_upvalues(reader);
    proto->code.children_count = take_int(reader);
    proto->children = array(proto->code.children_count, sizeof *proto->children);
    struct flow_child *children = array(proto->code.children_count, sizeof *children);
    for (int i = 0; i < proto->code.children_count; i++)
        children[i] = read_function(reader, &proto->children[i], chunk);
    proto->code.children = children;
    read_debug(reader, proto);
    struct error error;
    proto->flow = flow_new(&proto->code, &error);
    if (proto->flow == NULL)
        fail_msg("%s:%d: %s", chunk, proto->line, error.message);
    return own;
}

static int write_bytes(lua_State *L, const void *data, size_t size, void *context)
{
    (void)L;
    return bytes_append(context, data, size);
}

static void compile(lua_State *L, const char *text, const char *name)
{
    int status = text != NULL ? luaL_loadbufferx(L, text, strlen(text), name, "t")
                              : luaL_loadfilex(L, name + 1, "t");
    if (status != LUA_OK)
        fail_msg("%s", lua_tostring(L, -1));
}

struct flow_proto *flow_proto_new(const char *text, const char *name)
{
    struct bytes dump = {0};
    lua_State *L = luaL_newstate();
    struct flow_proto *proto = array(1, sizeof *proto);
    assert_non_null(L);
    compile(L, text, name);
    assert_int_equal(lua_dump(L, write_bytes, &dump, 0), 0);
    lua_close(L);
    struct reader reader = {dump.data, dump.data + dump.size};
    take(&reader, 4 + 1 + 1 + 6 + 3 + 8 + 8 + 1);
    struct flow_child own = read_function(&reader, proto, name);
    free((void *)own.registers);
    assert_ptr_equal(reader.at, reader.end);
    bytes_free(&dump);
    return proto;
}

static void free_contents(struct flow_proto *proto)
{
    for (int i = 0; i < proto->code.children_count; i++) {
        free_contents(&proto->children[i]);
        free((void *)proto->code.children[i].registers);
    }
    flow_free(proto->flow);
    free((void *)proto->code.code);
    free((void *)proto->code.locals);
    free((void *)proto->code.children);
    free(proto->children);
}

void flow_proto_free(struct flow_proto *proto)
{
    free_contents(proto);
    free(proto);
}

int flow_proto_count(const struct flow_proto *proto)
{
    int count = 1;
    for (int i = 0; i < proto->code.children_count; i++)
        count += flow_proto_count(&proto->children[i]);
    return count;
}

/* ---------------------------------------------------------------- Lua's memory */

/* These are Lua 5.4's own structures, as far as they are needed. What is read by them is compared
 * with the dump. */
struct their_closure {
    void *next;
    unsigned char tag, marked, upvalues;
    void *gclist;
    const struct their_proto *proto;
};

struct their_proto {
    void *next;
    unsigned char tag, marked, parameters, is_vararg, registers;
    int sizes[8]; /* upvalues, constants, code, lineinfo, children, locals, abslineinfo, line */
    int last_line;
    void *constants;
    const uint32_t *code;
    const struct their_proto **children;
};

struct their_frame {
    char *function;
    char *top;
    struct their_frame *previous, *next;
    const uint32_t *saved_pc; /* Lua functions only, as the next two */
    int trap, extra;
    void *context;
    int other;
    short results;
    unsigned short status;
};

enum { SLOT_SIZE = 16, STATUS_C = 1 << 1, STATUS_FINALIZER = 1 << 7 };

/* A function of the running state. */
struct place {
    const uint32_t *code;
    const struct flow_proto *proto;
};

/* What is known of a frame: which variables its instructions have armed so far. */
struct frame {
    const struct their_frame *their;
    const struct flow_proto *proto;
    int pc;
    uint64_t armed[REGSET_WORDS]; /* before pc, or, if that is a CLOSE, perhaps fewer */
};

enum { FRAMES = 4096 };

struct runner {
    struct flow_run *run;
    struct place *places;
    int places_count;
    struct frame frames[FRAMES];
    struct bytes output;
};

static struct runner *runner; /* of the run in progress, for the hook */

static void link_protos(const struct their_proto *their, const struct flow_proto *proto)
{
    assert_int_equal(their->sizes[2], proto->code.size);
    assert_int_equal(their->sizes[4], proto->code.children_count);
    assert_int_equal(their->registers, proto->code.registers);
    assert_memory_equal(their->code, proto->code.code, (size_t)proto->code.size * 4);
    runner->places[runner->places_count++] = (struct place){their->code, proto};
    for (int i = 0; i < proto->code.children_count; i++)
        link_protos(their->children[i], &proto->children[i]);
}

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return x->code < y->code ? -1 : x->code > y->code;
}

/* The function whose code pc points into; NULL: one that the program has compiled itself. */
static const struct place *find_place(const uint32_t *pc)
{
    int low = 0, high = runner->places_count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (runner->places[middle].code <= pc)
            low = middle + 1;
        else
            high = middle;
    }
    const struct place *place = low > 0 ? &runner->places[low - 1] : NULL;
    return place != NULL && pc < place->code + place->proto->code.size ? place : NULL;
}

/* ---------------------------------------------------------------- clobbering */

static unsigned long long random_number(void)
{
    unsigned long long x = runner->run->seed;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    runner->run->seed = x;
    return x * 0x2545f4914f6cdd1dULL >> 11;
}

static const char garbage_key; /* its address: the table that raises in the registry */

static void push_garbage(lua_State *L)
{
    switch (random_number() % 6) {
    case 0:
        lua_pushnil(L);
        break;
    case 1:
        lua_pushinteger(L, (lua_Integer)random_number() - (1LL << 40));
        break;
    case 2:
        lua_pushnumber(L, (lua_Number)random_number() * 1.5e-9);
        break;
    case 3:
        lua_pushboolean(L, (int)(random_number() & 1));
        break;
    case 4:
        lua_pushliteral(L, "garbage");
        break;
    default:
        lua_rawgetp(L, LUA_REGISTRYINDEX, &garbage_key);
        break;
    }
}

static const char *where(const struct flow_proto *proto, int pc, int calling)
{
    static char text[256];
    snprintf(text, sizeof text, "%s, function of line %d, pc %d (%s)%s, seed %llu", proto->chunk,
             proto->line, pc, opcode_name(opcode_of(proto->code.code[pc])),
             calling ? ", calling" : "", runner->run->seed);
    return text;
}

static void clobber(lua_State *L, lua_Debug *frame, const struct flow_proto *proto, int pc,
                    int calling, int limit)
{
    uint64_t live[REGSET_WORDS];
    flow_live(proto->flow, pc, calling, live);
    runner->run->frames++;
    if (limit > proto->code.registers)
        limit = proto->code.registers;
    for (int reg = 0; reg < limit; reg++) {
        if (regset_has(live, reg))
            continue;
        push_garbage(L);
        if (lua_setlocal(L, frame, reg + 1) == NULL)
            fail_msg("%s: no register %d", where(proto, pc, calling), reg);
        runner->run->registers++;
    }
}

/* Where the function that this frame belongs to was called, from its caller's register 0. */
static int callee_at(const struct their_frame *caller, const struct their_frame *callee)
{
    ptrdiff_t at = (callee->function - caller->function) / SLOT_SIZE - 1;
    if (!(callee->status & STATUS_C)) {
        const struct their_closure *closure = *(struct their_closure *const *)callee->function;
        if (closure->proto->is_vararg)
            at -= callee->extra + closure->proto->parameters + 1;
    }
    return (int)at;
}

/* Returns where the called function is. */
static int check_call(const struct flow_proto *proto, int pc, const struct their_frame *caller,
                      const struct their_frame *callee)
{
    uint32_t instruction = proto->code.code[pc];
    int at = callee_at(caller, callee), first, last;
    opcode_callee(instruction, proto->code.registers, &first, &last);
    if (at < first || at > last)
        fail_msg("%s: called at %d, not %d .. %d", where(proto, pc, 1), at, first, last);
    if (callee->results != opcode_results(instruction))
        fail_msg("%s: gives %d", where(proto, pc, 1), callee->results);
    return at;
}

/* A frame that has called another. */
static void look_at_caller(lua_State *L, lua_Debug *frame, const struct their_frame *callee)
{
    const struct their_frame *their = (const void *)frame->i_ci;
    if (their->status & (STATUS_C | STATUS_FINALIZER))
        return;
    const struct place *place = find_place(their->saved_pc - 1);
    if (place == NULL)
        return;
    int pc = (int)(their->saved_pc - 1 - place->code);
    if (!flow_reachable(place->proto->flow, pc))
        fail_msg("%s: not reachable", where(place->proto, pc, 1));
    if (!opcode_calls(place->proto->code.code[pc])) {
        if (lua_isyieldable(L)) /* else perhaps the handler of an error of the instruction */
            fail_msg("%s: does not call", where(place->proto, pc, 1));
        return;
    }
    int at = check_call(place->proto, pc, their, callee);
    clobber(L, frame, place->proto, pc, 1, at);
}

static void look_at_callers(lua_State *L, const struct their_frame *callee)
{
    lua_Debug frame;
    for (int level = 1; level < 6 && lua_getstack(L, level, &frame); level++) {
        look_at_caller(L, &frame, callee);
        callee = (const void *)frame.i_ci;
    }
}

/* ---------------------------------------------------------------- armed variables */

static struct frame *frame_of(const struct their_frame *their, const struct flow_proto *proto,
                              int pc)
{
    struct frame *frame = &runner->frames[(uintptr_t)their / 16 % FRAMES];
    for (int tries = 0; frame->their != NULL && frame->their != their; tries++) {
        assert_true(tries < FRAMES);
        frame = frame + 1 < runner->frames + FRAMES ? frame + 1 : runner->frames;
    }
    if (frame->their == NULL || pc == (proto->code.is_vararg ? 1 : 0) || frame->proto != proto)
        *frame = (struct frame){their, proto, pc, {0}};
    int closes = opcode_closes(proto->code.code[frame->pc]);
    if (closes >= 0 && pc != frame->pc)
        regset_cut(frame->armed, closes);
    frame->pc = pc;
    return frame;
}

static int truthy(lua_State *L, lua_Debug *frame, int reg)
{
    assert_non_null(lua_getlocal(L, frame, reg + 1));
    int result = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return result;
}

/* Compares what really is armed with what the analysis says, then does what the instruction will.
 * (If it raises an error instead, the frame is gone.) */
static void follow_armed(lua_State *L, lua_Debug *ar, const struct flow_proto *proto, int pc)
{
    uint64_t some[REGSET_WORDS], every[REGSET_WORDS];
    uint32_t instruction = proto->code.code[pc];
    struct frame *frame = frame_of((const void *)ar->i_ci, proto, pc);
    flow_armed(proto->flow, pc, some, every);
    for (int reg = 0; reg < proto->code.registers; reg++) {
        int armed = regset_has(frame->armed, reg);
        if (armed && !regset_has(some, reg))
            fail_msg("%s: register %d is armed", where(proto, pc, 0), reg);
        if (!armed && regset_has(every, reg) && truthy(L, ar, reg))
            fail_msg("%s: register %d is not armed", where(proto, pc, 0), reg);
    }
    int arms = opcode_arms(instruction);
    if (arms >= 0 && truthy(L, ar, arms))
        regset_add(frame->armed, arms);
}

/* ---------------------------------------------------------------- runs */

static void stop(lua_State *L, lua_Debug *ar)
{
    const struct their_frame *their = (const void *)ar->i_ci;
    const struct place *place = find_place(their->saved_pc - 1);
    if (place == NULL)
        return;
    const struct flow_proto *proto = place->proto;
    int pc = (int)(their->saved_pc - 1 - place->code);
    runner->run->stops++;
    if (!flow_reachable(proto->flow, pc))
        fail_msg("%s: not reachable", where(proto, pc, 0));
    if (proto->arms)
        follow_armed(L, ar, proto, pc);
    if (random_number() % (unsigned)runner->run->every != 0)
        return;
    luaL_checkstack(L, 4, NULL);
    clobber(L, ar, proto, pc, 0, proto->code.registers);
    look_at_callers(L, their);
}

static int do_print(lua_State *L)
{
    int count = lua_gettop(L);
    for (int i = 1; i <= count; i++) {
        size_t size;
        const char *text = luaL_tolstring(L, i, &size);
        bytes_append(&runner->output, text, size);
        bytes_append(&runner->output, i < count ? "\t" : "\n", 1);
        lua_pop(L, 1);
    }
    return 0;
}

/* A table that raises whatever is done to it. */
static const char raises[] =
    "local m = {__metatable = false}\n"
    "for e in ('index newindex call add sub mul div mod pow unm idiv band bor bxor shl shr bnot\\\n"
    "    concat len eq lt le close pairs tostring'):gmatch '%a+' do\n"
    "    m['__' .. e] = function() error('a dead register: ' .. e) end\n"
    "end\n"
    "return setmetatable({}, m)";

static lua_State *open_state(void)
{
    lua_State *L = luaL_newstate();
    assert_non_null(L);
    luaL_openlibs(L);
    lua_register(L, "print", do_print);
    if (luaL_dostring(L, raises) != LUA_OK)
        fail_msg("%s", lua_tostring(L, -1));
    lua_rawsetp(L, LUA_REGISTRYINDEX, &garbage_key);
    return L;
}

void flow_run(const struct flow_proto *proto, const char *text, const char *name,
              struct flow_run *run)
{
    lua_State *L = open_state();
    runner = array(1, sizeof *runner);
    runner->run = run;
    runner->places = array(flow_proto_count(proto), sizeof *runner->places);
    lua_State *thread = lua_newthread(L); /* so that it is known what can yield */
    compile(thread, text, name);
    const struct their_closure *closure = lua_topointer(thread, -1);
    link_protos(closure->proto, proto);
    qsort(runner->places, (size_t)runner->places_count, sizeof *runner->places, compare_places);
    if (run->every > 0)
        lua_sethook(thread, stop, LUA_MASKCOUNT, 1);
    int results = 0, status = lua_resume(thread, NULL, 0, &results);
    lua_sethook(thread, NULL, 0, 0);
    if (status != LUA_OK) {
        const char *message = luaL_tolstring(thread, -1, NULL);
        bytes_append(&runner->output, message, strlen(message));
    }
    lua_close(L);
    bytes_append(&runner->output, "", 1);
    run->output = (char *)runner->output.data;
    free(runner->places);
    free(runner);
    runner = NULL;
}

char *flow_random(const char *name, long long seed)
{
    lua_State *L = luaL_newstate();
    assert_non_null(L);
    luaL_openlibs(L);
    compile(L, NULL, name);
    lua_pushinteger(L, seed);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK)
        fail_msg("%s", lua_tostring(L, -1));
    char *text = strdup(lua_tostring(L, -1));
    assert_non_null(text);
    lua_close(L);
    return text;
}
