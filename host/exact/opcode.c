#include "exact/opcode.h"

#include <limits.h>

enum {
    OP_MOVE,
    OP_LOADI,
    OP_LOADF,
    OP_LOADK,
    OP_LOADKX,
    OP_LOADFALSE,
    OP_LFALSESKIP,
    OP_LOADTRUE,
    OP_LOADNIL,
    OP_GETUPVAL,
    OP_SETUPVAL,
    OP_GETTABUP,
    OP_GETTABLE,
    OP_GETI,
    OP_GETFIELD,
    OP_SETTABUP,
    OP_SETTABLE,
    OP_SETI,
    OP_SETFIELD,
    OP_NEWTABLE,
    OP_SELF,
    OP_ADDI,
    OP_ADDK,
    OP_SUBK,
    OP_MULK,
    OP_MODK,
    OP_POWK,
    OP_DIVK,
    OP_IDIVK,
    OP_BANDK,
    OP_BORK,
    OP_BXORK,
    OP_SHRI,
    OP_SHLI,
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_MOD,
    OP_POW,
    OP_DIV,
    OP_IDIV,
    OP_BAND,
    OP_BOR,
    OP_BXOR,
    OP_SHL,
    OP_SHR,
    OP_MMBIN,
    OP_MMBINI,
    OP_MMBINK,
    OP_UNM,
    OP_BNOT,
    OP_NOT,
    OP_LEN,
    OP_CONCAT,
    OP_CLOSE,
    OP_TBC,
    OP_JMP,
    OP_EQ,
    OP_LT,
    OP_LE,
    OP_EQK,
    OP_EQI,
    OP_LTI,
    OP_LEI,
    OP_GTI,
    OP_GEI,
    OP_TEST,
    OP_TESTSET,
    OP_CALL,
    OP_TAILCALL,
    OP_RETURN,
    OP_RETURN0,
    OP_RETURN1,
    OP_FORLOOP,
    OP_FORPREP,
    OP_TFORPREP,
    OP_TFORCALL,
    OP_TFORLOOP,
    OP_SETLIST,
    OP_CLOSURE,
    OP_VARARG,
    OP_VARARGPREP,
    OP_EXTRAARG
};

_Static_assert(OP_EXTRAARG + 1 == OPCODE_COUNT, "one entry for each opcode");

/* What most instructions do is told by these; the switches have the others. */
enum {
    USES_A = 1,
    USES_B = 2,
    USES_C = 4,
    USES_CK = 8, /* C is a register unless k is set */
    SETS_A = 16,
    CALLS_0 = 32, /* may call a metamethod that gives no result */
    CALLS_1 = 64, /* one that gives one */
    TRIES =
        128, /* arithmetic: the metamethod's instruction follows, and is skipped if not needed */
    TESTS = 256,    /* a jump follows; runs into it without a look at hooks */
    COMPARES = 512, /* a jump follows; can come to it after a metamethod */
    SKIPS = 1024,   /* an argument, or something else that is skipped, follows */
    OPENS = 2048,   /* takes operands up to the top if B is 0 */
    ENDS = 4096
};

static const struct entry {
    const char *name;
    int does;
} entries[OPCODE_COUNT] = {
    [OP_MOVE] = {"MOVE", USES_B | SETS_A},
    [OP_LOADI] = {"LOADI", SETS_A},
    [OP_LOADF] = {"LOADF", SETS_A},
    [OP_LOADK] = {"LOADK", SETS_A},
    [OP_LOADKX] = {"LOADKX", SETS_A | SKIPS},
    [OP_LOADFALSE] = {"LOADFALSE", SETS_A},
    [OP_LFALSESKIP] = {"LFALSESKIP", SETS_A | SKIPS},
    [OP_LOADTRUE] = {"LOADTRUE", SETS_A},
    [OP_LOADNIL] = {"LOADNIL", 0},
    [OP_GETUPVAL] = {"GETUPVAL", SETS_A},
    [OP_SETUPVAL] = {"SETUPVAL", USES_A},
    [OP_GETTABUP] = {"GETTABUP", SETS_A | CALLS_1},
    [OP_GETTABLE] = {"GETTABLE", USES_B | USES_C | SETS_A | CALLS_1},
    [OP_GETI] = {"GETI", USES_B | SETS_A | CALLS_1},
    [OP_GETFIELD] = {"GETFIELD", USES_B | SETS_A | CALLS_1},
    [OP_SETTABUP] = {"SETTABUP", USES_CK | CALLS_0},
    [OP_SETTABLE] = {"SETTABLE", USES_A | USES_B | USES_CK | CALLS_0},
    [OP_SETI] = {"SETI", USES_A | USES_CK | CALLS_0},
    [OP_SETFIELD] = {"SETFIELD", USES_A | USES_CK | CALLS_0},
    [OP_NEWTABLE] = {"NEWTABLE", SETS_A | SKIPS},
    [OP_SELF] = {"SELF", USES_B | USES_CK | SETS_A | CALLS_1},
    [OP_ADDI] = {"ADDI", USES_B | SETS_A | TRIES},
    [OP_ADDK] = {"ADDK", USES_B | SETS_A | TRIES},
    [OP_SUBK] = {"SUBK", USES_B | SETS_A | TRIES},
    [OP_MULK] = {"MULK", USES_B | SETS_A | TRIES},
    [OP_MODK] = {"MODK", USES_B | SETS_A | TRIES},
    [OP_POWK] = {"POWK", USES_B | SETS_A | TRIES},
    [OP_DIVK] = {"DIVK", USES_B | SETS_A | TRIES},
    [OP_IDIVK] = {"IDIVK", USES_B | SETS_A | TRIES},
    [OP_BANDK] = {"BANDK", USES_B | SETS_A | TRIES},
    [OP_BORK] = {"BORK", USES_B | SETS_A | TRIES},
    [OP_BXORK] = {"BXORK", USES_B | SETS_A | TRIES},
    [OP_SHRI] = {"SHRI", USES_B | SETS_A | TRIES},
    [OP_SHLI] = {"SHLI", USES_B | SETS_A | TRIES},
    [OP_ADD] = {"ADD", USES_B | USES_C | SETS_A | TRIES},
    [OP_SUB] = {"SUB", USES_B | USES_C | SETS_A | TRIES},
    [OP_MUL] = {"MUL", USES_B | USES_C | SETS_A | TRIES},
    [OP_MOD] = {"MOD", USES_B | USES_C | SETS_A | TRIES},
    [OP_POW] = {"POW", USES_B | USES_C | SETS_A | TRIES},
    [OP_DIV] = {"DIV", USES_B | USES_C | SETS_A | TRIES},
    [OP_IDIV] = {"IDIV", USES_B | USES_C | SETS_A | TRIES},
    [OP_BAND] = {"BAND", USES_B | USES_C | SETS_A | TRIES},
    [OP_BOR] = {"BOR", USES_B | USES_C | SETS_A | TRIES},
    [OP_BXOR] = {"BXOR", USES_B | USES_C | SETS_A | TRIES},
    [OP_SHL] = {"SHL", USES_B | USES_C | SETS_A | TRIES},
    [OP_SHR] = {"SHR", USES_B | USES_C | SETS_A | TRIES},
    [OP_MMBIN] = {"MMBIN", USES_A | USES_B | CALLS_1},
    [OP_MMBINI] = {"MMBINI", USES_A | CALLS_1},
    [OP_MMBINK] = {"MMBINK", USES_A | CALLS_1},
    [OP_UNM] = {"UNM", USES_B | SETS_A | CALLS_1},
    [OP_BNOT] = {"BNOT", USES_B | SETS_A | CALLS_1},
    [OP_NOT] = {"NOT", USES_B | SETS_A},
    [OP_LEN] = {"LEN", USES_B | SETS_A | CALLS_1},
    [OP_CONCAT] = {"CONCAT", SETS_A | CALLS_1},
    [OP_CLOSE] = {"CLOSE", CALLS_0},
    [OP_TBC] = {"TBC", USES_A},
    [OP_JMP] = {"JMP", 0},
    [OP_EQ] = {"EQ", USES_A | USES_B | CALLS_1 | COMPARES},
    [OP_LT] = {"LT", USES_A | USES_B | CALLS_1 | COMPARES},
    [OP_LE] = {"LE", USES_A | USES_B | CALLS_1 | COMPARES},
    [OP_EQK] = {"EQK", USES_A | TESTS},
    [OP_EQI] = {"EQI", USES_A | TESTS},
    [OP_LTI] = {"LTI", USES_A | CALLS_1 | COMPARES},
    [OP_LEI] = {"LEI", USES_A | CALLS_1 | COMPARES},
    [OP_GTI] = {"GTI", USES_A | CALLS_1 | COMPARES},
    [OP_GEI] = {"GEI", USES_A | CALLS_1 | COMPARES},
    [OP_TEST] = {"TEST", USES_A | TESTS},
    [OP_TESTSET] = {"TESTSET", USES_B | TESTS},
    [OP_CALL] = {"CALL", OPENS},
    [OP_TAILCALL] = {"TAILCALL", OPENS},
    [OP_RETURN] = {"RETURN", OPENS | ENDS},
    [OP_RETURN0] = {"RETURN0", ENDS},
    [OP_RETURN1] = {"RETURN1", USES_A | ENDS},
    [OP_FORLOOP] = {"FORLOOP", 0},
    [OP_FORPREP] = {"FORPREP", 0},
    [OP_TFORPREP] = {"TFORPREP", 0},
    [OP_TFORCALL] = {"TFORCALL", 0},
    [OP_TFORLOOP] = {"TFORLOOP", 0},
    [OP_SETLIST] = {"SETLIST", OPENS},
    [OP_CLOSURE] = {"CLOSURE", SETS_A},
    [OP_VARARG] = {"VARARG", 0},
    [OP_VARARGPREP] = {"VARARGPREP", 0},
    [OP_EXTRAARG] = {"EXTRAARG", 0},
};

static int does(uint32_t instruction)
{
    int op = opcode_of(instruction);
    return op < OPCODE_COUNT ? entries[op].does : 0;
}

const char *opcode_name(int opcode)
{
    return opcode >= 0 && opcode < OPCODE_COUNT ? entries[opcode].name : "?";
}

static int at(const uint32_t *code, int size, int pc, int opcode)
{
    return pc >= 0 && pc < size && opcode_of(code[pc]) == opcode;
}

int opcode_check(const uint32_t *code, int size, int pc)
{
    int op = opcode_of(code[pc]);
    if (op >= OPCODE_COUNT)
        return 0;
    if (entries[op].does & (TESTS | COMPARES))
        return at(code, size, pc + 1, OP_JMP);
    switch (op) {
    case OP_MMBIN:
    case OP_MMBINI:
    case OP_MMBINK:
        return pc > 0 && does(code[pc - 1]) & TRIES;
    case OP_TFORPREP:
        return at(code, size, pc + 1 + opcode_bx(code[pc]), OP_TFORCALL);
    case OP_TFORCALL:
        return at(code, size, pc + 1, OP_TFORLOOP);
    default:
        return 1;
    }
}

/* count registers from first on, or all from there on. */
static void add_operands(uint64_t set[REGSET_WORDS], int first, int count, int open)
{
    regset_add_range(set, first, open ? REGSET_LIMIT : first + count);
}

static void uses_special(uint32_t instruction, uint64_t set[REGSET_WORDS])
{
    int a = opcode_a(instruction), b = opcode_b(instruction);
    switch (opcode_of(instruction)) {
    case OP_CONCAT:
        add_operands(set, a, b, 0);
        break;
    case OP_CALL:
    case OP_TAILCALL:
        add_operands(set, a, b, b == 0);
        break;
    case OP_RETURN:
        add_operands(set, a, b - 1, b == 0);
        break;
    case OP_SETLIST:
        add_operands(set, a, b + 1, b == 0);
        break;
    case OP_FORLOOP:
    case OP_FORPREP:
    case OP_TFORCALL:
        add_operands(set, a, 3, 0);
        break;
    case OP_TFORPREP:
        add_operands(set, a, 4, 0);
        break;
    case OP_TFORLOOP:
        add_operands(set, a + 4, 1, 0);
        break;
    default:
        break;
    }
}

void opcode_uses(const uint32_t *code, int pc, uint64_t set[REGSET_WORDS])
{
    uint32_t instruction = code[pc];
    int what = does(instruction);
    if (what & USES_A)
        regset_add(set, opcode_a(instruction));
    if (what & USES_B)
        regset_add(set, opcode_b(instruction));
    if (what & USES_C || (what & USES_CK && !opcode_k(instruction)))
        regset_add(set, opcode_c(instruction));
    uses_special(instruction, set);
}

void opcode_defines(const uint32_t *code, int pc, uint64_t set[REGSET_WORDS])
{
    uint32_t instruction = code[pc];
    int a = opcode_a(instruction);
    if (does(instruction) & SETS_A)
        regset_add(set, a);
    switch (opcode_of(instruction)) {
    case OP_LOADNIL:
        add_operands(set, a, opcode_b(instruction) + 1, 0);
        break;
    case OP_SELF:
        add_operands(set, a + 1, 1, 0);
        break;
    case OP_MMBIN:
    case OP_MMBINI:
    case OP_MMBINK:
        regset_add(set, opcode_a(code[pc - 1]));
        break;
    case OP_CALL: /* and what is above the results is garbage */
    case OP_TAILCALL:
        add_operands(set, a, 0, 1);
        break;
    case OP_TFORCALL:
        add_operands(set, a + 4, 0, 1);
        break;
    case OP_FORPREP:
        add_operands(set, a, 4, 0);
        break;
    case OP_FORLOOP:
        add_operands(set, a + 3, 1, 0);
        break;
    case OP_VARARG:
        add_operands(set, a, opcode_c(instruction) - 1, opcode_c(instruction) == 0);
        break;
    default:
        break;
    }
}

static int one(int next[2], int pc)
{
    next[0] = pc;
    return 1;
}

static int two(int next[2], int pc, int other)
{
    next[0] = pc;
    next[1] = other;
    return 2;
}

static int jump(uint32_t instruction, int pc)
{
    return pc + 1 + opcode_sj(instruction);
}

int opcode_next(const uint32_t *code, int pc, int next[2])
{
    uint32_t instruction = code[pc];
    int what = does(instruction), bx = opcode_bx(instruction);
    if (what & (TRIES | COMPARES))
        return two(next, pc + 1, pc + 2);
    if (what & TESTS)
        return two(next, jump(code[pc + 1], pc + 1), pc + 2);
    if (what & SKIPS)
        return one(next, pc + 2);
    if (what & ENDS)
        return 0;
    switch (opcode_of(instruction)) {
    case OP_JMP:
        return one(next, jump(instruction, pc));
    case OP_FORPREP:
        return two(next, pc + 1, pc + 2 + bx);
    case OP_FORLOOP:
    case OP_TFORLOOP:
        return two(next, pc + 1, pc + 1 - bx);
    case OP_TFORPREP:
        return one(next, pc + 1 + bx);
    case OP_SETLIST:
        return one(next, pc + 1 + opcode_k(instruction));
    default:
        return one(next, pc + 1);
    }
}

int opcode_sets_on_jump(uint32_t instruction)
{
    return opcode_of(instruction) == OP_TESTSET ? opcode_a(instruction) : -1;
}

int opcode_open(uint32_t instruction)
{
    return does(instruction) & OPENS && opcode_b(instruction) == 0;
}

int opcode_calls(uint32_t instruction)
{
    switch (opcode_of(instruction)) {
    case OP_CALL:
    case OP_TAILCALL:
    case OP_TFORCALL:
        return 1;
    case OP_RETURN:
        return opcode_k(instruction);
    case OP_EQ: /* a value is equal to itself without being asked */
        return opcode_a(instruction) != opcode_b(instruction);
    default:
        return (does(instruction) & (CALLS_0 | CALLS_1)) != 0;
    }
}

int opcode_results(uint32_t instruction)
{
    switch (opcode_of(instruction)) {
    case OP_CALL:
        return opcode_c(instruction) - 1;
    case OP_TAILCALL:
        return -1;
    case OP_TFORCALL:
        return opcode_c(instruction);
    default:
        return (does(instruction) & CALLS_1) != 0;
    }
}

int opcode_begins_loop(const uint32_t *code, int pc, int *last)
{
    if (opcode_of(code[pc]) != OP_TFORPREP)
        return -1;
    *last = pc + 1 + opcode_bx(code[pc]) + 1; /* behind the call comes the jump back */
    return opcode_a(code[pc]);
}

int opcode_negates(uint32_t instruction)
{
    int op = opcode_of(instruction);
    return op == OP_LE || op == OP_LEI || op == OP_GEI;
}

int opcode_enters(uint32_t instruction)
{
    return opcode_of(instruction) == OP_CALL;
}

void opcode_callee(uint32_t instruction, int registers, int *first, int *last)
{
    int a = opcode_a(instruction), b = opcode_b(instruction);
    *first = *last = registers;
    switch (opcode_of(instruction)) {
    case OP_CALL:
    case OP_TAILCALL:
        *first = *last = a;
        break;
    case OP_TFORCALL:
        *first = *last = a + 4;
        break;
    case OP_CONCAT: /* behind the operands that are left */
        *first = a + 2;
        *last = a + b;
        break;
    case OP_CLOSE: /* the second one above the variable that is closed; the first is nil then */
        *first = a + 2;
        *last = registers + 1;
        break;
    case OP_RETURN: /* behind the results and whatever an open operand list has left */
        *last = INT_MAX;
        break;
    default:
        break;
    }
}

void opcode_kept(const uint32_t *code, int pc, uint64_t set[REGSET_WORDS])
{
    switch (opcode_of(code[pc])) {
    case OP_SELF:
        add_operands(set, opcode_a(code[pc]) + 1, 1, 0);
        break;
    case OP_CONCAT:
        opcode_uses(code, pc, set);
        break;
    default:
        break;
    }
}

int opcode_repeats(uint32_t instruction)
{
    int op = opcode_of(instruction);
    return op == OP_CLOSE || op == OP_RETURN;
}

int opcode_closes(uint32_t instruction)
{
    return opcode_of(instruction) == OP_CLOSE ? opcode_a(instruction) : -1;
}

int opcode_leaves(uint32_t instruction)
{
    int op = opcode_of(instruction);
    return (op == OP_RETURN || op == OP_TAILCALL) && opcode_k(instruction);
}

int opcode_returns(uint32_t instruction)
{
    return opcode_of(instruction) == OP_RETURN;
}

int opcode_arms(uint32_t instruction)
{
    switch (opcode_of(instruction)) {
    case OP_TBC:
        return opcode_a(instruction);
    case OP_TFORPREP:
        return opcode_a(instruction) + 3;
    default:
        return -1;
    }
}

int opcode_child(uint32_t instruction)
{
    return opcode_of(instruction) == OP_CLOSURE ? opcode_bx(instruction) : -1;
}

int opcode_trusts_table(uint32_t instruction)
{
    return opcode_of(instruction) == OP_SETLIST ? opcode_a(instruction) : -1;
}

int opcode_trusts_string(uint32_t instruction)
{
    return opcode_of(instruction) == OP_SELF && !opcode_k(instruction) ? opcode_c(instruction) : -1;
}

int opcode_trusts_numbers(uint32_t instruction)
{
    return opcode_of(instruction) == OP_FORLOOP ? opcode_a(instruction) : -1;
}

int opcode_hidden(uint32_t instruction)
{
    int op = opcode_of(instruction);
    return op == OP_VARARGPREP || op == OP_EXTRAARG;
}
