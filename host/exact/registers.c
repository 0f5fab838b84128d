#include "exact/registers.h"

#include <string.h>

/* A thread whose calls are gone through, from the innermost outwards. */
struct registers {
    lua_State *L;
    struct exact *exact;
    const struct vm_thread *thread;
    const struct vm_upvalue *open; /* the highest that is in no call looked at */
    const struct vm_value *armed;  /* the same of to-be-closed variables */
};

/* Takes those up whose slots are from `registers` on. They are needed whatever the code tells, as
 * frames.c says. */
static void registers_hold(struct registers *at, const struct vm_value *registers,
                           uint64_t held[REGSET_WORDS])
{
    memset(held, 0, REGSET_WORDS * sizeof *held);
    for (; at->open != NULL && at->open->value >= registers; at->open = at->open->u.open.next)
        if (at->open->value - registers < REGSET_LIMIT)
            regset_add(held, (int)(at->open->value - registers));
    for (; at->armed >= registers; at->armed = vm_armed_before(at->armed, at->thread->stack))
        if (at->armed - registers < REGSET_LIMIT)
            regset_add(held, (int)(at->armed - registers));
}

/* limit: where the values of the call end. */
static void registers_clear_call(struct registers *at, const struct vm_call *call,
                                 const struct vm_value *limit)
{
    struct code_chunk *chunk;
    uint32_t number;
    uint64_t held[REGSET_WORDS];
    struct vm_value *registers = call->function + 1;
    int innermost = call == at->thread->call, count;
    registers_hold(at, registers, held);
    if (!vm_is_lua(call) || !code_find(at->L, &at->exact->code, vm_called(call), &chunk, &number))
        return;
    count = vm_called(call)->registers;
    int failed = innermost && at->thread->status > LUA_YIELD;
    if ((!innermost || failed) && limit - registers < count)
        count = (int)(limit - registers);
    if (failed && count > 0 && registers + count == limit)
        regset_add(held, count - 1); /* the error value */
    const struct site *site = site_of(at->L, &at->exact->sites, &at->exact->code, call, !innermost);
    for (int word = 0; word < REGSET_WORDS; word++) {
        uint64_t unused = regset_word(word, 0, count) & ~(site->live[word] | held[word]);
        for (; unused != 0; unused &= unused - 1)
            registers[64 * word + __builtin_ctzll(unused)].tag = VM_NIL;
    }
}

static void registers_clear_thread(lua_State *L, struct exact *exact,
                                   const struct vm_thread *thread)
{
    struct registers at = {L, exact, thread, thread->open_upvalues, thread->to_be_closed};
    const struct vm_value *limit = thread->top;
    for (const struct vm_call *call = thread->call; call != &thread->base; call = call->previous) {
        registers_clear_call(&at, call, limit);
        limit = vm_place(call);
    }
}

void registers_clear(lua_State *L, struct exact *exact, int all)
{
    site_forget(&exact->sites); /* it knows functions by addresses, which may be those of others */
    if (!all) {
        registers_clear_thread(L, exact, vm_thread(exact->current));
        for (const struct exact_resumer *resumer = exact->resumers; resumer != NULL;
             resumer = resumer->previous)
            registers_clear_thread(L, exact, vm_thread(resumer->thread));
        return;
    }
    for (const struct vm_object *object = vm_thread(L)->global->all; object != NULL;
         object = object->next)
        if (object->type == VM_THREAD && (const void *)object != vm_thread(L))
            registers_clear_thread(L, exact, (const void *)object);
}
