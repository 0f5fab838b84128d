#include "exact/capture.h"

#include <string.h>

#include <lauxlib.h>

#include "exact/address.h"
#include "exact/coroutine.h"
#include "exact/iterators.h"
#include "exact/opcode.h"
#include "exact/points.h"
#include "value/encoder.h"

/* ---------------------------------------------------------------- obstacles */

void capture_push_name(lua_State *L, lua_State *thread, const struct vm_call *call)
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

void capture_begin(struct exact *exact)
{
    code_begin(&exact->code);
    site_forget(&exact->sites);
    exact->bare = 0;
    exact->capturing = 1;
}

void capture_end(struct exact *exact)
{
    address_close_marks(exact);
    exact->capturing = 0;
    idmap_free(&exact->ran);
}

void capture_note(lua_State *L, struct exact *exact, const lua_State *thread)
{
    struct idmap_entry *entry = idmap_find(&exact->ran, thread);
    if (entry == NULL)
        luaL_error(L, "not enough memory");
    else
        entry->number = 1;
}

/* object: the upvalue */
static void capture_write_cell(lua_State *L, struct encoder *encode, const struct code_piece *piece)
{
    const struct vm_upvalue *upvalue = piece->object;
    luaL_checkstack(L, 4, NULL);
    encoder_begin(encode, piece->sequence);
    if (piece->sequence > 0) {
        vm_push_plain(L, upvalue->value);
        encoder_value(L, encode, lua_gettop(L));
        lua_pop(L, 1);
    }
    pack_map(encode->pack, 0);
    encoder_check_sink(L, encode);
}

/* The table {value} of an upvalue. */
void capture_cell(lua_State *L, struct encoder *encode, const struct vm_upvalue *upvalue)
{
    if (encode->has_savers) { /* which may change the upvalue, or free it */
        lua_createtable(L, 1, 0);
        vm_push_plain(L, upvalue->value);
        lua_rawseti(L, -2, 1);
        encoder_table_of(L, encode, upvalue);
        return;
    }
    struct code_piece piece = {.sequence = !vm_is_nil(upvalue->value->tag),
                               .write = capture_write_cell,
                               .object = upvalue};
    encoder_piece_of(L, encode, upvalue, &piece);
}

/* object: the closure */
static void capture_write_upvalues(lua_State *L, struct encoder *encode,
                                   const struct code_piece *piece)
{
    const struct vm_closure *closure = piece->object;
    luaL_checkstack(L, 6, NULL);
    encoder_begin(encode, piece->sequence);
    for (uint32_t i = 0; i < piece->sequence; i++)
        capture_cell(L, encode, closure->upvalues[i]);
    pack_map(encode->pack, 0);
    encoder_check_sink(L, encode);
}

void capture_function(lua_State *L, void *context, int index, struct code_place *place,
                      struct code_piece *upvalues)
{
    struct exact *exact = context;
    struct code_chunk *chunk;
    const struct vm_closure *closure = vm_closure(L, index);
    if (!code_find(L, &exact->code, closure->prototype, &chunk, &place->number))
        luaL_error(L, "the source text of this function is not known (it came from string.dump or "
                      "from a C library)");
    chunk->met = 1;
    place->chunk = chunk;
    *upvalues = (struct code_piece){
        .sequence = closure->upvalues_count, .write = capture_write_upvalues, .object = closure};
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

int capture_made(lua_State *L, void *context, int index)
{
    index = lua_absindex(L, index);
    int count = coroutine_take_apart(L, context, index);
    return count >= 0 ? count : iterators_take_apart(L, context, index);
}
