#include "exact/rebuild.h"

#include <string.h>

#include <lauxlib.h>

#include "exact/address.h"
#include "exact/coroutine.h"
#include "exact/described.h"
#include "exact/iterators.h"
#include "exact/loading.h"
#include "exact/opcode.h"
#include "exact/order.h"
#include "value/late.h"

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
        described_nonsense(L, "the name of a chunk");
    if (lua_isnil(L, text)) {
        for (size_t i = 0; i < exact->code.count; i++)
            if (exact->code.chunks[i]->text == NULL &&
                strcmp(exact->code.chunks[i]->name, lua_tostring(L, name)) == 0) {
                rebuild_push_chunk(L, exact->code.chunks[i]);
                lua_replace(L, name);
                lua_settop(L, name);
                return;
            }
        described_nonsense(L, "a chunk without a text");
    }
    const char *source = luaL_checklstring(L, text, &size);
    if (!exact->takes_edited)
        loading_check(L, lua_tostring(L, name), source, size);
    int own = exact_own(exact, ZONE_HOSTS); /* of the function only its prototypes are needed */
    if (luaL_loadbufferx(L, source, size, lua_tostring(L, name), "t") != LUA_OK)
        luaL_error(L, "a text that was compiled when the snapshot was saved cannot be: %s",
                   lua_tostring(L, -1));
    rebuild_push_chunk(L, code_add(L, &exact->code, lua_tostring(L, name), source, size));
    exact_own(exact, own);
    lua_replace(L, name);
    lua_settop(L, name);
}

void rebuild_function(lua_State *L, void *context, int chunk, uint32_t number, uint64_t place)
{
    struct exact *exact = context;
    struct code_chunk **known = luaL_testudata(L, chunk, rebuild_chunk_type);
    if (known == NULL || number >= (*known)->count)
        described_nonsense(L, "the place of a function");
    code_push_closure(L, &exact->code, (*known)->prototypes[number], place);
}

void rebuild_thread(lua_State *L, void *context, uint64_t place)
{
    struct exact *exact = context;
    address_want(&exact->addresses, place);
    lua_State *co = lua_newthread(L);
    address_made(L, &exact->addresses, place);
    lua_sethook(co, NULL, 0, 0);
}

void rebuild_made(lua_State *L, void *context, const char *kind, int count)
{
    if (strcmp(kind, "wrap") == 0 && (count == 1 || count == 2))
        coroutine_put_together(L, context, count);
    else if (!iterators_make(L, context, kind, count))
        described_nonsense(L, "the kind of a function");
}

/* The upvalues of the function at index are those in the table at `list`. The table at `upvalues`
 * has those that are there already: cell -> address. The collector does not run, and all is white:
 * no barriers. */
static void rebuild_join(lua_State *L, int function, int list, int upvalues)
{
    if (lua_type(L, function) != LUA_TFUNCTION || lua_iscfunction(L, function) ||
        lua_type(L, list) != LUA_TTABLE)
        described_nonsense(L, "a function");
    struct vm_closure *closure = vm_closure(L, function);
    for (int i = 0; i < closure->upvalues_count; i++) {
        if (lua_rawgeti(L, list, i + 1) != LUA_TTABLE)
            described_nonsense(L, "an upvalue");
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

/* ---------------------------------------------------------------- making it */

/* Pushes list[from .. from + count - 1] onto the thread; the list is on top of L. */
static void rebuild_values(struct described *described, int from, int count)
{
    lua_State *L = described->L, *co = described->co;
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

/* A coroutine that has been closed has a stack of LUA_MINSTACK slots, and one more for each value
 * that is below them: its own function, and an error. That is a block that counts as the script's
 * (zone/zone.h), so this one is closed too. */
static void rebuild_close(const struct described *described)
{
    lua_State *co = described->co;
    int own = exact_own(described->exact, ZONE_SCRIPTS);
    if (described->room > LUA_MINSTACK + 1) {
        lua_pushnil(co);
        vm_thread(co)->status = LUA_ERRRUN;
    }
    lua_resetthread(co);
    lua_settop(co, 0);
    exact_own(described->exact, own);
}

/* Runs a function in the thread that calls itself `depth` times: that leaves as many free CallInfo
 * behind, and an entry in Lua's list of threads that have open upvalues. */
static void rebuild_make_room(struct described *described)
{
    static const char text[] = "local n = ... "
                               "local function f() if n > 1 then n = n - 1 f() end end f()";
    lua_State *L = described->L, *co = described->co;
    int results;
    /* At least what it had: Debian's 5.4.4 does not like stacks that grow at the wrong moment. But
     * nothing much on a file's word. */
    int room = described->slots + 3 * LUA_MINSTACK;
    if (described->count == 0 && described->base < LUA_MINSTACK && described->room > LUA_MINSTACK &&
        described->room <= LUA_MINSTACK + 2) {
        rebuild_close(described);
        return;
    }
    if (room < described->room)
        room = described->room;
    if (!lua_checkstack(co, room))
        luaL_error(L, "not enough memory for the stack of calls");
    if (described->count == 0)
        return;
    if (luaL_loadbufferx(L, text, sizeof text - 1, "=ckptlua", "t") != LUA_OK)
        lua_error(L);
    lua_xmove(L, co, 1);
    lua_pushinteger(co, described->count + 1);
    if (lua_resume(co, L, 1, &results) != LUA_OK)
        luaL_error(L, "not enough memory for the stack of calls");
    lua_settop(co, 0);
}

/* Puts all values where they belong. */
static void rebuild_fill(struct described *described)
{
    lua_State *L = described->L, *co = described->co;
    int base = described->count == 0 ? described->base : described->calls[0].place - 1;
    lua_getfield(L, described->description, "base");
    rebuild_values(described, 1, base);
    lua_pop(L, 1);
    for (int i = 0; i < described->count; i++) {
        const struct described_call *call = &described->calls[i];
        lua_rawgeti(L, described->description, i + 1);
        if (call->function > call->place) {
            rebuild_nils(co, 1 + call->prototype->parameters);
            lua_getfield(L, -1, "extra");
            rebuild_values(described, 1, call->extra);
            lua_pop(L, 1);
        }
        lua_getfield(L, -1, "f");
        lua_xmove(L, co, 1);
        rebuild_values(described, 1, call->end - (call->function + 1));
        lua_pop(L, 1);
    }
}

/* Opens the upvalues on the registers of a call, whose description is on top. The list of a thread
 * begins with the highest one. */
static void rebuild_open(struct described *described, const struct described_call *call)
{
    lua_State *L = described->L;
    struct vm_thread *thread = vm_thread(described->co);
    if (lua_getfield(L, -1, "open") == LUA_TTABLE && call->prototype != NULL)
        for (int i = 1; i <= call->end - (call->function + 1); i++) {
            if (lua_rawgeti(L, -1, i) == LUA_TTABLE) {
                lua_rawget(L, described->upvalues);
                struct vm_upvalue *upvalue = lua_touserdata(L, -1);
                if (upvalue != NULL) { /* else no function has it any more */
                    if (vm_is_open(upvalue))
                        described_nonsense(L, "an upvalue that is open twice");
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

static void rebuild_armed(struct described *described, const struct described_call *call)
{
    lua_State *L = described->L;
    struct vm_thread *thread = vm_thread(described->co);
    if (lua_getfield(L, -1, "armed") == LUA_TTABLE && call->prototype != NULL)
        for (int i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
            lua_Integer at = lua_tointeger(L, -1);
            lua_pop(L, 1);
            if (at < 1 || at > call->end - (call->function + 1) ||
                &thread->stack[call->function + at] <= thread->to_be_closed)
                described_nonsense(L, "armed");
            rebuild_arm(thread, &thread->stack[call->function + at]);
        }
    else
        lua_pushnil(L);
    lua_pop(L, 2);
}

/* The number of results that its caller wants of a call; and where it must be. */
static int rebuild_wanted(const struct described *described, int number)
{
    const struct described_call *call = &described->calls[number], *caller = call - 1;
    if (number == 0)
        return LUA_MULTRET;
    if (caller->prototype == NULL)
        return caller->point == NULL ? LUA_MULTRET : caller->point->results;
    uint32_t instruction = caller->prototype->code[caller->pc];
    return opcode_calls(instruction) ? opcode_results(instruction) : 0;
}

static void rebuild_link_lua(struct described *described, int number, struct vm_call *made)
{
    const struct described_call *call = &described->calls[number], *caller = call - 1;
    int innermost = number == described->count - 1;
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
    if (innermost && !described->failed) {
        made->u.lua.pc = prototype->code + call->pc + described->exact->vm.bias;
        status |= VM_CALL_HOOK_YIELDED;
    }
    made->status = (unsigned short)status;
}

/* *handler: of errors, in bytes from the stack's start. */
static void rebuild_link_c(struct described *described, int number, struct vm_call *made,
                           ptrdiff_t *handler)
{
    const struct described_call *call = &described->calls[number];
    struct vm_thread *thread = vm_thread(described->co);
    const struct exact_point *point = call->point;
    made->top = thread->stack + call->end + LUA_MINSTACK;
    made->status = VM_CALL_C;
    made->u.c.continuation = point == NULL ? NULL : point->continuation;
    made->u.c.context = 0;
    made->u.c.error_handler = *handler;
    made->u2.yielded = 0;
    if (described->failed || point == NULL || point->kind < POINT_START)
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
static void rebuild_link(struct described *described)
{
    struct vm_thread *thread = vm_thread(described->co);
    struct vm_call *made = &thread->base;
    ptrdiff_t handler = 0;
    for (int i = 0; i < described->count; i++) {
        made = made->next;
        made->function = thread->stack + described->calls[i].function;
        made->results_wanted = (short)rebuild_wanted(described, i);
        if (described->calls[i].prototype != NULL)
            rebuild_link_lua(described, i, made);
        else
            rebuild_link_c(described, i, made, &handler);
    }
    thread->call = made;
    thread->error_handler = handler;
    thread->status = (uint8_t)described->status;
    /* One that has failed is given a message, when it is resumed. */
    if (made->top < thread->top + described->failed)
        made->top = thread->top + described->failed;
}

/* Loops by `next` whose current key is not in the table any more; the description of the call is on
 * top. */
static void rebuild_successors(struct described *described)
{
    lua_State *L = described->L;
    int call = lua_gettop(L), successors = call + 1;
    if (lua_getfield(L, call, "successors") == LUA_TTABLE)
        for (lua_pushnil(L); lua_next(L, successors) != 0; lua_settop(L, successors + 1)) {
            lua_Integer at = lua_tointeger(L, successors + 1);
            if (at < 1 || at > REGSET_LIMIT)
                described_nonsense(L, "successors");
            if (!lua_toboolean(L, -1)) {
                lua_pop(L, 1);
                lua_pushnil(L);
            }
            if (lua_rawgeti(L, call, at + 1) != LUA_TTABLE ||
                lua_rawgeti(L, call, at + 2) == LUA_TNIL)
                described_nonsense(L, "successors");
            order_resume(L, described->exact, successors + 3, successors + 4, successors + 2);
        }
    lua_settop(L, call);
}

static void rebuild_make(struct described *described)
{
    lua_State *L = described->L;
    rebuild_make_room(described);
    rebuild_fill(described);
    for (int i = 0; i < described->count; i++) {
        lua_rawgeti(L, described->description, i + 1);
        rebuild_open(described, &described->calls[i]);
        rebuild_armed(described, &described->calls[i]);
        rebuild_successors(described);
        lua_pop(L, 1);
    }
    rebuild_link(described);
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

/* Slots that all stacks may have: some of the largest, and 16 bytes for each byte that there is. A
 * call takes at most 256 slots; its description has more than 250 bytes. */
static int64_t rebuild_allowance(lua_State *L)
{
    return 2 * (int64_t)CAPTURE_LARGEST_STACK + (int64_t)lua_gc(L, LUA_GCCOUNT) * 1024;
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
    if (has_run && !exact->collections.on) /* there, nothing has been collected yet */
        rebuild_whiten(L);
    rebuild_refresh(L, upvalues);
    for (lua_Integer i = 1; lua_rawgeti(L, threads, i) != LUA_TNIL; i += 2) {
        struct described described = {.L = L, .exact = exact, .upvalues = upvalues};
        described.allowed = &allowed;
        described.rooms = &rooms;
        described.co = lua_tothread(L, -1);
        if (lua_rawgeti(L, threads, i + 1) != LUA_TTABLE)
            described_nonsense(L, "a coroutine");
        described.description = lua_gettop(L);
        described_read(&described);
        rebuild_make(&described);
        lua_settop(L, threads);
    }
    luaL_unref(L, LUA_REGISTRYINDEX, exact->pending);
    lua_settop(L, top);
}
