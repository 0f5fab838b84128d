/*
 * The instructions of Lua 5.4 (5.4.4 to 5.4.8, which have the same ones): how they are taken apart,
 * what they do to a frame's registers, where they go on, which of them can call a function.
 *
 * All that depends on Lua's version is in here. Nothing is checked but what opcode_check checks;
 * the other functions want code that has passed it. Registers that an instruction takes or leaves
 * "up to the top" are told as all up to the last that there can be.
 */
#ifndef CKPTLUA_EXACT_OPCODE_H
#define CKPTLUA_EXACT_OPCODE_H

#include <stdint.h>

#include "exact/regset.h"

enum { OPCODE_COUNT = 83 };

static inline int opcode_of(uint32_t instruction)
{
    return (int)(instruction & 0x7f);
}

static inline int opcode_a(uint32_t instruction)
{
    return (int)(instruction >> 7 & 0xff);
}

static inline int opcode_k(uint32_t instruction)
{
    return (int)(instruction >> 15 & 1);
}

static inline int opcode_b(uint32_t instruction)
{
    return (int)(instruction >> 16 & 0xff);
}

static inline int opcode_c(uint32_t instruction)
{
    return (int)(instruction >> 24);
}

static inline int opcode_bx(uint32_t instruction)
{
    return (int)(instruction >> 15);
}

static inline int opcode_sbx(uint32_t instruction)
{
    return opcode_bx(instruction) - 0xffff;
}

static inline int opcode_ax(uint32_t instruction)
{
    return (int)(instruction >> 7);
}

static inline int opcode_sj(uint32_t instruction)
{
    return opcode_ax(instruction) - 0xffffff;
}

/* "MOVE"; "?" for a number that is no opcode. */
const char *opcode_name(int opcode);

/* Whether the instruction at pc can be asked about: known, and with the neighbours it relies on.
 * Says nothing of registers and constants. */
int opcode_check(const uint32_t *code, int size, int pc);

/* Adds the registers that the instruction at pc reads; and those whose old value is of no use to
 * what comes after. (Arithmetic counts as setting its register; if the metamethod's instruction
 * behind it does that later, then that one reads only what arithmetic has read too. The variable
 * of a loop is out of scope where the loop ends.) */
void opcode_uses(const uint32_t *code, int pc, uint64_t set[REGSET_WORDS]);
void opcode_defines(const uint32_t *code, int pc, uint64_t set[REGSET_WORDS]);

/* Where the frame can stand next. Where an instruction runs into another without a look at hooks
 * (a plain test into its jump, a generic `for` into its first call), that other one's are told.
 * Returns how many. */
int opcode_next(const uint32_t *code, int pc, int next[2]);

/* The register that it sets only if it goes on to next[0] of opcode_next, or -1. */
int opcode_sets_on_jump(uint32_t instruction);

/* Whether it takes operands up to the top of the stack, which only the instruction before knows. */
int opcode_open(uint32_t instruction);

/* Whether a frame can stand at it while a function that it called runs. */
int opcode_calls(uint32_t instruction);

/* Of one that calls: whether a Lua function that it calls runs in the same loop of the interpreter
 * (its CallInfo is no CIST_FRESH). */
int opcode_enters(uint32_t instruction);

/* Of one that calls: how many results the called function is to give (-1: all it has), which is
 * its CallInfo's nresults. TAILCALL calls only C functions so: a Lua function takes its place. */
int opcode_results(uint32_t instruction);

/* Of one that calls: where the called function is, counted from the caller's register 0. For a
 * vararg function that is the place it was called at, below its extra arguments. *last is
 * INT_MAX where there is no limit. `registers` is the caller's maxstacksize. Most metamethods are
 * called at the caller's ci->top, which is there; a CONCAT's behind the operands that are left; a
 * CLOSE's handler two above its variable. */
void opcode_callee(uint32_t instruction, int registers, int *first, int *last);

/* Of one that calls and does not repeat: the registers that it has set already or takes up again
 * when the called function returns. (Of a CONCAT's, the last two below the called function, and
 * those above it, are not needed.) */
void opcode_kept(const uint32_t *code, int pc, uint64_t set[REGSET_WORDS]);

/* Whether it begins anew when the called function returns (a __close handler's CLOSE, RETURN). */
int opcode_repeats(uint32_t instruction);

/* The lowest register whose upvalues and to-be-closed variables a CLOSE closes; -1: no CLOSE. */
int opcode_closes(uint32_t instruction);

/* Whether it closes all of them, since it leaves the function. */
int opcode_leaves(uint32_t instruction);

/* Whether results wait while it calls something (__close handlers). */
int opcode_returns(uint32_t instruction);

/* The register that it arms as to-be-closed, or -1. */
int opcode_arms(uint32_t instruction);

/* The number of the child function that it makes a closure of, or -1. */
int opcode_child(uint32_t instruction);

/* What the interpreter takes for granted without a look: a register that is a table, one that is a
 * string, or the first of three that are all integers or all floats; -1: nothing. */
int opcode_trusts_table(uint32_t instruction);
int opcode_trusts_string(uint32_t instruction);
int opcode_trusts_numbers(uint32_t instruction);

/* Of a generic `for`, at the instruction that begins it: the register of its iterator, which is
 * followed by state and control variable, and in *last the pc of the last instruction that belongs
 * to the loop; -1: it is none. */
int opcode_begins_loop(const uint32_t *code, int pc, int *last);

/* Whether it can be a <= b that is found out by not (b < a). */
int opcode_negates(uint32_t instruction);

/* Whether no frame can ever stand at it: arguments of the instruction before, and the one that
 * moves a vararg function's arguments. */
int opcode_hidden(uint32_t instruction);

#endif
