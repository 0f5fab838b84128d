#include "exact/flow.h"

#include <stdlib.h>
#include <string.h>

#include "exact/opcode.h"

/* The sets that are kept for each instruction, if the function has anything to put into them. */
enum sets { LIVE, TABLES, STRINGS, NUMBERS, OPEN, SOME, EVERY, LEFT, SETS_COUNT };

struct flow {
    struct flow_code code;
    size_t words;               /* of a set, as they are kept */
    uint64_t *sets[SETS_COUNT]; /* words per instruction: what holds before it; NULL: nothing */
    unsigned char *active;      /* per instruction: registers that are local variables */
    unsigned char *marks;       /* per instruction: enum mark */
    uint64_t captured[REGSET_WORDS];
};

enum mark { REACHED = 1, LEADS_BACK = 2 /* to itself or one before it */ };

static void get(const struct flow *flow, enum sets which, int pc, uint64_t set[REGSET_WORDS])
{
    const uint64_t *at = flow->sets[which];
    memset(set, 0, REGSET_WORDS * sizeof *set);
    if (at != NULL)
        for (size_t i = 0; i < flow->words; i++)
            set[i] = at[(size_t)pc * flow->words + i];
}

/* Returns whether it was another. */
static int put(struct flow *flow, enum sets which, int pc, const uint64_t set[REGSET_WORDS])
{
    uint64_t *at = flow->sets[which] + (size_t)pc * flow->words, changed = 0;
    for (size_t i = 0; i < flow->words; i++) {
        changed |= at[i] ^ set[i];
        at[i] = set[i];
    }
    return changed != 0;
}

static void unite(uint64_t set[REGSET_WORDS], const uint64_t other[REGSET_WORDS])
{
    for (int i = 0; i < REGSET_WORDS; i++)
        set[i] |= other[i];
}

static void subtract(uint64_t set[REGSET_WORDS], const uint64_t other[REGSET_WORDS])
{
    for (int i = 0; i < REGSET_WORDS; i++)
        set[i] &= ~other[i];
}

/* -- Checks and what comes without iteration -- */

static int bad(struct error *error, int pc, const char *what)
{
    return error_set(error, ERROR_INVALID, "bytecode at %d: %s", pc, what);
}

static int check_instruction(const struct flow_code *code, int pc, struct error *error)
{
    int next[2];
    if (!opcode_check(code->code, code->size, pc))
        return bad(error, pc, "not an instruction of this Lua");
    if (opcode_child(code->code[pc]) >= code->children_count)
        return bad(error, pc, "no such function");
    if (opcode_arms(code->code[pc]) >= code->registers)
        return bad(error, pc, "no such register");
    for (int n = opcode_next(code->code, pc, next); n > 0; n--)
        if (next[n - 1] < 0 || next[n - 1] >= code->size)
            return bad(error, pc, "leads out of the function");
    return 0;
}

/* Local variables have the first registers, in the order in which they become active and without
 * gaps, so their number says it all. */
static int count_active(struct flow *flow, struct error *error)
{
    const struct flow_code *code = &flow->code;
    int *change = calloc((size_t)code->size + 1, sizeof *change);
    int status = 0, count = 0;
    if (change == NULL)
        return error_set(error, ERROR_MEMORY, "out of memory");
    for (int i = 0; i < code->locals_count && status == 0; i++) {
        const struct flow_local *local = &code->locals[i];
        if (local->start < 0 || local->start > local->end || local->end > code->size) {
            status = bad(error, local->start, "a local variable outside of the function");
        } else {
            change[local->start]++;
            change[local->end]--;
        }
    }
    for (int pc = 0; pc < code->size && status == 0; pc++) {
        count += change[pc];
        if (count > code->registers)
            status = bad(error, pc, "more local variables than registers");
        flow->active[pc] = (unsigned char)count;
    }
    free(change);
    return status;
}

static int visit(struct flow *flow, int *stack, struct error *error)
{
    int top = 0, status = 0;
    stack[top++] = 0;
    flow->marks[0] |= REACHED;
    while (top > 0 && status == 0) {
        int pc = stack[--top], next[2];
        status = check_instruction(&flow->code, pc, error);
        for (int n = status == 0 ? opcode_next(flow->code.code, pc, next) : 0; n > 0; n--) {
            unsigned char *mark = &flow->marks[next[n - 1]];
            if (!(*mark & REACHED))
                stack[top++] = next[n - 1];
            *mark |= REACHED;
            if (next[n - 1] <= pc)
                flow->marks[pc] |= LEADS_BACK;
        }
    }
    return status;
}

static int find_reachable(struct flow *flow, struct error *error)
{
    int *stack = malloc((size_t)flow->code.size * sizeof *stack);
    if (stack == NULL)
        return error_set(error, ERROR_MEMORY, "out of memory");
    int status = visit(flow, stack, error);
    free(stack);
    return status;
}

/* Adds the registers that the instruction's new closure, if it makes one, captures. */
static void captures(const struct flow *flow, int pc, uint64_t set[REGSET_WORDS])
{
    int child = opcode_child(flow->code.code[pc]);
    if (child < 0)
        return;
    for (int i = 0; i < flow->code.children[child].count; i++)
        regset_add(set, flow->code.children[child].registers[i]);
}

/* -- Backward: what is needed later -- */

/* Adds what the instruction itself needs. */
static void needs(const struct flow *flow, enum sets which, int pc, uint64_t set[REGSET_WORDS])
{
    uint32_t instruction = flow->code.code[pc];
    int reg = -1;
    switch (which) {
    case TABLES:
        reg = opcode_trusts_table(instruction);
        break;
    case STRINGS:
        reg = opcode_trusts_string(instruction);
        break;
    case NUMBERS:
        reg = opcode_trusts_numbers(instruction);
        break;
    default:
        opcode_uses(flow->code.code, pc, set);
        regset_add_range(set, 0, flow->active[pc]);
        break;
    }
    if (reg >= 0)
        regset_add(set, reg);
}

/* What is needed after the instruction and not set by it. */
static void needs_after(const struct flow *flow, enum sets which, int pc,
                        uint64_t set[REGSET_WORDS])
{
    int next[2], on_jump = opcode_sets_on_jump(flow->code.code[pc]);
    uint64_t other[REGSET_WORDS];
    memset(set, 0, REGSET_WORDS * sizeof *set);
    for (int n = opcode_next(flow->code.code, pc, next); n > 0; n--) {
        get(flow, which, next[n - 1], other);
        if (n == 1 && on_jump >= 0)
            regset_remove(other, on_jump);
        unite(set, other);
    }
    memset(other, 0, sizeof other);
    opcode_defines(flow->code.code, pc, other);
    subtract(set, other);
}

static int needs_more(struct flow *flow, enum sets which, int pc)
{
    uint64_t set[REGSET_WORDS];
    needs_after(flow, which, pc, set);
    needs(flow, which, pc, set);
    return put(flow, which, pc, set);
}

/* From the end to the start: only those that lead back have been looked at too soon. */
static void solve_backward(struct flow *flow, enum sets which)
{
    for (int again = 1; again;) {
        for (int pc = flow->code.size - 1; pc >= 0; pc--)
            if (flow->marks[pc] & REACHED)
                needs_more(flow, which, pc);
        again = 0;
        for (int pc = flow->code.size - 1; pc >= 0; pc--)
            if (flow->marks[pc] & LEADS_BACK)
                again |= needs_more(flow, which, pc);
    }
}

/* -- Forward: what has happened on the way -- */

static void happens(const struct flow *flow, enum sets which, int pc, uint64_t set[REGSET_WORDS])
{
    uint32_t instruction = flow->code.code[pc];
    int arms = opcode_arms(instruction);
    if (opcode_closes(instruction) >= 0)
        regset_cut(set, opcode_closes(instruction));
    if (opcode_leaves(instruction))
        regset_cut(set, 0);
    if (which == OPEN)
        captures(flow, pc, set);
    else if (arms >= 0)
        regset_add(set, arms);
}

/* Leaves of a set of armed registers what can be so at pc: in scope, or about to be closed. */
static void keep_scope(const struct flow *flow, int pc, uint64_t set[REGSET_WORDS])
{
    int closes = opcode_closes(flow->code.code[pc]);
    for (int i = 0; i < REGSET_WORDS; i++)
        set[i] &= regset_word(i, 0, flow->active[pc]) |
                  (closes < 0 ? 0 : regset_word(i, closes, REGSET_LIMIT));
}

/* Returns whether what is known of pc has changed. */
static int arrive(struct flow *flow, enum sets which, int pc, const uint64_t from[REGSET_WORDS])
{
    uint64_t set[REGSET_WORDS], now[REGSET_WORDS];
    memcpy(set, from, sizeof set);
    if (which != OPEN && which != LEFT)
        keep_scope(flow, pc, set);
    get(flow, which, pc, now);
    for (int i = 0; i < REGSET_WORDS; i++)
        now[i] = which == EVERY ? now[i] & set[i] : now[i] | set[i];
    return put(flow, which, pc, now);
}

static void solve_forward(struct flow *flow, enum sets which)
{
    int again = 1;
    if (which == EVERY) {
        memset(flow->sets[which], 0xff,
               (size_t)flow->code.size * flow->words * sizeof *flow->sets[which]);
        memset(flow->sets[which], 0, flow->words * sizeof *flow->sets[which]);
    }
    while (again) {
        again = 0;
        for (int pc = 0; pc < flow->code.size; pc++) {
            int next[2];
            uint64_t set[REGSET_WORDS];
            if (!(flow->marks[pc] & REACHED))
                continue;
            get(flow, which, pc, set);
            happens(flow, which, pc, set);
            for (int n = opcode_next(flow->code.code, pc, next); n > 0; n--)
                if (arrive(flow, which, next[n - 1], set) && next[n - 1] <= pc)
                    again = 1;
        }
    }
}

/* -- All together -- */

static void find_kinds(struct flow *flow, int has[SETS_COUNT])
{
    has[LIVE] = 1;
    for (int pc = 0; pc < flow->code.size; pc++) {
        uint32_t instruction = flow->code.code[pc];
        if (!(flow->marks[pc] & REACHED))
            continue;
        captures(flow, pc, flow->captured);
        has[TABLES] |= opcode_trusts_table(instruction) >= 0;
        has[STRINGS] |= opcode_trusts_string(instruction) >= 0;
        has[NUMBERS] |= opcode_trusts_numbers(instruction) >= 0;
        has[SOME] |= opcode_arms(instruction) >= 0;
    }
    has[EVERY] = has[LEFT] = has[SOME];
    for (int i = 0; i < REGSET_WORDS; i++)
        has[OPEN] |= flow->captured[i] != 0;
}

static int solve(struct flow *flow, struct error *error)
{
    int has[SETS_COUNT] = {0};
    find_kinds(flow, has);
    for (int i = 0; i < SETS_COUNT; i++) {
        if (!has[i])
            continue;
        flow->sets[i] = calloc((size_t)flow->code.size * flow->words, sizeof *flow->sets[i]);
        if (flow->sets[i] == NULL)
            return error_set(error, ERROR_MEMORY, "out of memory");
        if (i < OPEN)
            solve_backward(flow, (enum sets)i);
        else
            solve_forward(flow, (enum sets)i);
    }
    return 0;
}

struct flow *flow_new(const struct flow_code *code, struct error *error)
{
    if (code->size <= 0 || code->registers < 0 || code->registers >= REGSET_LIMIT) {
        bad(error, 0, "not a function");
        return NULL;
    }
    struct flow *flow = calloc(1, sizeof *flow);
    if (flow == NULL) {
        error_set(error, ERROR_MEMORY, "out of memory");
        return NULL;
    }
    flow->code = *code;
    flow->words = (size_t)code->registers / 64 + 1;
    flow->active = calloc((size_t)code->size, 1);
    flow->marks = calloc((size_t)code->size, 1);
    if (flow->active == NULL || flow->marks == NULL)
        error_set(error, ERROR_MEMORY, "out of memory");
    else if (count_active(flow, error) == 0 && find_reachable(flow, error) == 0 &&
             solve(flow, error) == 0)
        return flow;
    flow_free(flow);
    return NULL;
}

void flow_free(struct flow *flow)
{
    if (flow == NULL)
        return;
    for (int i = 0; i < SETS_COUNT; i++)
        free(flow->sets[i]);
    free(flow->active);
    free(flow->marks);
    free(flow);
}

/* -- Questions -- */

int flow_reachable(const struct flow *flow, int pc)
{
    return pc >= 0 && pc < flow->code.size && flow->marks[pc] & REACHED &&
           !opcode_hidden(flow->code.code[pc]);
}

int flow_active(const struct flow *flow, int pc)
{
    return flow->active[pc];
}

/* An instruction that begins anew behind a call needs what it needed before. */
static int before(const struct flow *flow, int pc, int calling)
{
    return !calling || opcode_repeats(flow->code.code[pc]);
}

void flow_live(const struct flow *flow, int pc, int calling, uint64_t set[REGSET_WORDS])
{
    uint64_t other[REGSET_WORDS], every[REGSET_WORDS];
    if (before(flow, pc, calling)) {
        get(flow, LIVE, pc, set);
    } else {
        needs_after(flow, LIVE, pc, set);
        opcode_kept(flow->code.code, pc, set);
        regset_add_range(set, 0, flow->active[pc]);
    }
    flow_armed(flow, pc, other, every);
    unite(set, other);
    flow_open(flow, pc, calling, other);
    unite(set, other);
}

/* Takes out what the instruction, which is under way, has closed or may have closed. */
static void closing(const struct flow *flow, int pc, uint64_t set[REGSET_WORDS])
{
    uint32_t instruction = flow->code.code[pc];
    if (opcode_closes(instruction) >= 0)
        regset_cut(set, opcode_closes(instruction));
    if (opcode_leaves(instruction))
        regset_cut(set, 0);
}

void flow_armed(const struct flow *flow, int pc, uint64_t some[REGSET_WORDS],
                uint64_t every[REGSET_WORDS])
{
    get(flow, SOME, pc, some);
    get(flow, EVERY, pc, every);
    closing(flow, pc, every);
}

void flow_left_armed(const struct flow *flow, int pc, uint64_t set[REGSET_WORDS])
{
    get(flow, LEFT, pc, set);
}

void flow_open(const struct flow *flow, int pc, int calling, uint64_t set[REGSET_WORDS])
{
    get(flow, OPEN, pc, set);
    if (calling) /* upvalues are closed before the first handler is called */
        closing(flow, pc, set);
}

void flow_captured(const struct flow *flow, uint64_t set[REGSET_WORDS])
{
    memcpy(set, flow->captured, sizeof flow->captured);
}

static void trust(const struct flow *flow, enum sets which, int pc, int calling,
                  uint64_t set[REGSET_WORDS])
{
    if (flow->sets[which] == NULL || before(flow, pc, calling))
        get(flow, which, pc, set);
    else
        needs_after(flow, which, pc, set);
}

void flow_trusted(const struct flow *flow, int pc, int calling, struct flow_trust *trusted)
{
    trust(flow, TABLES, pc, calling, trusted->tables);
    trust(flow, STRINGS, pc, calling, trusted->strings);
    trust(flow, NUMBERS, pc, calling, trusted->numbers);
}
