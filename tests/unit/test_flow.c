/* exact: what the analysis of bytecode says, by hand-made cases, by what must hold everywhere, and
 * by runs in which all that it calls dead is overwritten. Files on the command line are looked at
 * and run too; CKPTLUA_TEST_ROUNDS is how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "exact/opcode.h"
#include "flow_support.h"
#include "scratch.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---------------------------------------------------------------- what must hold everywhere */

static int subset(const uint64_t a[REGSET_WORDS], const uint64_t b[REGSET_WORDS])
{
    for (int i = 0; i < REGSET_WORDS; i++)
        if (a[i] & ~b[i])
            return 0;
    return 1;
}

static int disjoint(const uint64_t a[REGSET_WORDS], const uint64_t b[REGSET_WORDS])
{
    for (int i = 0; i < REGSET_WORDS; i++)
        if (a[i] & b[i])
            return 0;
    return 1;
}

static void mask(uint64_t set[REGSET_WORDS], int registers)
{
    regset_cut(set, registers);
}

static void expect(int truth, const char *what, const struct flow_proto *proto, int pc)
{
    if (!truth)
        fail_msg("%s, function of line %d, pc %d (%s): %s", proto->chunk, proto->line, pc,
                 opcode_name(opcode_of(proto->code.code[pc])), what);
}

/* All registers that flow_trusted speaks of. */
static void trusted_registers(const struct flow_proto *proto, int pc, int calling,
                              uint64_t set[REGSET_WORDS])
{
    struct flow_trust trust;
    flow_trusted(proto->flow, pc, calling, &trust);
    for (int i = 0; i < REGSET_WORDS; i++)
        set[i] = trust.tables[i] | trust.strings[i];
    for (int reg = 0; reg < REGSET_LIMIT; reg++)
        if (regset_has(trust.numbers, reg))
            regset_add_range(set, reg, reg + 3);
}

static void check_sets(const struct flow_proto *proto, int pc, int calling)
{
    const struct flow *flow = proto->flow;
    uint64_t live[4], some[4], every[4], open[4], captured[4], trusted[4], active[4] = {0};
    flow_live(flow, pc, calling, live);
    flow_armed(flow, pc, some, every);
    flow_open(flow, pc, calling, open);
    flow_captured(flow, captured);
    trusted_registers(proto, pc, calling, trusted);
    regset_add_range(active, 0, flow_active(flow, pc));
    expect(subset(active, live), "active and not live", proto, pc);
    expect(subset(every, some), "armed on every way and on none", proto, pc);
    expect(subset(some, live), "armed and not live", proto, pc);
    expect(subset(open, live), "open and not live", proto, pc);
    expect(subset(open, captured), "open and not captured", proto, pc);
    expect(subset(trusted, live), "trusted and not live", proto, pc);
    expect(disjoint(trusted, open), "trusted and open", proto, pc);
    if (opcode_closes(proto->code.code[pc]) < 0) {
        expect(subset(some, active), "armed and not in scope", proto, pc);
        expect(subset(open, active) || pc == 0 || opcode_child(proto->code.code[pc - 1]) >= 0,
               "open and not in scope", proto, pc);
    }
}

/* What an instruction reads is live before it; what is live after it, and not set by it, too. */
static void check_step(const struct flow_proto *proto, int pc)
{
    uint64_t uses[4] = {0}, defines[4] = {0}, before[4], after[4], open[4], some[4], every[4];
    int next[2];
    opcode_uses(proto->code.code, pc, uses);
    opcode_defines(proto->code.code, pc, defines);
    mask(uses, proto->code.registers);
    flow_live(proto->flow, pc, 0, before);
    expect(subset(uses, before), "used and not live", proto, pc);
    for (int n = opcode_next(proto->code.code, pc, next); n > 0; n--) {
        flow_live(proto->flow, next[n - 1], 0, after);
        if (n == 1 && opcode_sets_on_jump(proto->code.code[pc]) >= 0)
            regset_remove(after, opcode_sets_on_jump(proto->code.code[pc]));
        /* what may be open or armed there need not be so on the way from here */
        flow_open(proto->flow, next[n - 1], 0, open);
        flow_armed(proto->flow, next[n - 1], some, every);
        for (int i = 0; i < REGSET_WORDS; i++)
            after[i] &= ~(defines[i] | open[i] | some[i]);
        mask(after, proto->code.registers);
        expect(subset(after, before), "live after and not before", proto, pc);
    }
}

static void check_callee(const struct flow_proto *proto, int pc)
{
    uint64_t live[4], trusted[4];
    int first, last;
    opcode_callee(proto->code.code[pc], proto->code.registers, &first, &last);
    flow_live(proto->flow, pc, 1, live);
    trusted_registers(proto, pc, 1, trusted);
    mask(live, proto->code.registers);
    expect(first <= last && first <= proto->code.registers + 1, "called nowhere", proto, pc);
    if (last != INT32_MAX) {
        regset_cut(live, last);
        uint64_t all[4];
        flow_live(proto->flow, pc, 1, all);
        mask(all, proto->code.registers);
        expect(subset(all, live), "live above the called function", proto, pc);
    }
    for (int reg = first; reg < REGSET_LIMIT; reg++)
        expect(!regset_has(trusted, reg), "trusted above the called function", proto, pc);
}

static long check_proto(const struct flow_proto *proto)
{
    long count = 0;
    for (int pc = 0; pc < proto->code.size; pc++) {
        if (!flow_reachable(proto->flow, pc))
            continue;
        count++;
        check_sets(proto, pc, 0);
        check_step(proto, pc);
        if (opcode_calls(proto->code.code[pc])) {
            check_sets(proto, pc, 1);
            check_callee(proto, pc);
        }
    }
    assert_false(flow_reachable(proto->flow, -1));
    assert_false(flow_reachable(proto->flow, proto->code.size));
    for (int i = 0; i < proto->code.children_count; i++)
        count += check_proto(&proto->children[i]);
    return count;
}

/* ---------------------------------------------------------------- programs */

static char **arguments; /* files given on the command line: they are looked at too */

static const char *const files[] = {
    "tests/lua/flow_cases.lua",
    "bench/programs/closures.lua",
    "bench/programs/fib.lua",
    "bench/programs/methods.lua",
    "bench/programs/nbody.lua",
    "bench/programs/sort.lua",
    "bench/programs/spectral.lua",
    "bench/programs/strings.lua",
    "examples/counter.lua",
    "examples/mean.lua",
    "examples/pipeline.lua",
    "examples/ten.lua",
    "examples/conjgrad/cg.lua",
    "examples/conjgrad/cgfull.lua",
    "examples/conjgrad/wathen.lua",
    "examples/fibonacci/fibonacci.lua",
    "examples/fibonacci/globals.lua",
    "examples/conjgrad/plain.lua",
    "examples/pi.lua",
    "examples/queens.lua",
    "lua/export.lua",
    "lua/inspect.lua",
    "lua/sparse.lua",
    "tests/lua/test_inspect.lua",
    "tests/lua/test_sparse.lua",
    "tests/embed/job.lua",
};

static const char *path_of(const char *file)
{
    static char path[1024];
    const char *source = getenv("CKPTLUA_SOURCE");
    snprintf(path, sizeof path, "@%s%s%s", source != NULL ? source : "", source != NULL ? "/" : "",
             file);
    return path;
}

static void holds_everywhere(void **state)
{
    (void)state;
    long count = 0;
    for (size_t i = 0; i < COUNT(files); i++) {
        struct flow_proto *proto = flow_proto_new(NULL, path_of(files[i]));
        count += check_proto(proto);
        flow_proto_free(proto);
    }
    for (char **file = arguments; *file != NULL; file++) {
        char name[1024];
        snprintf(name, sizeof name, "@%s", *file);
        struct flow_proto *proto = flow_proto_new(NULL, name);
        count += check_proto(proto);
        flow_proto_free(proto);
    }
    print_message("%ld places\n", count);
}

static long rounds(long usual)
{
    const char *given = getenv("CKPTLUA_TEST_ROUNDS");
    return given != NULL ? strtol(given, NULL, 10) : usual;
}

static void add(struct flow_run *sum, const struct flow_run *run)
{
    sum->stops += run->stops;
    sum->frames += run->frames;
    sum->registers += run->registers;
}

static void run_clobbered(const char *text, const char *name, unsigned long long seed, long times,
                          struct flow_run *sum)
{
    static const int every[] = {1, 3, 20};
    struct flow_proto *proto = flow_proto_new(text, name);
    struct flow_run plain = {.seed = seed};
    flow_run(proto, text, name, &plain);
    check_proto(proto);
    for (long i = 0; i < times; i++) {
        struct flow_run run = {.seed = seed * 16 + (unsigned long long)i, .every = every[i % 3]};
        flow_run(proto, text, name, &run);
        if (strcmp(run.output, plain.output) != 0)
            fail_msg("%s, seed %llu, run %ld:\n%s\ninstead of\n%s", name, seed, i, run.output,
                     plain.output);
        add(sum, &run);
        free(run.output);
    }
    free(plain.output);
    flow_proto_free(proto);
}

static void tell(const struct flow_run *sum)
{
    print_message("%ld stops, %ld registers of %ld frames overwritten\n", sum->stops,
                  sum->registers, sum->frames);
}

static void dead_is_dead(void **state)
{
    (void)state;
    struct flow_run sum = {0};
    unsigned long long seed = scratch_seed() | 1;
    run_clobbered(NULL, path_of("tests/lua/flow_cases.lua"), seed, rounds(12), &sum);
    for (char **file = arguments; *file != NULL; file++) {
        char name[1024];
        snprintf(name, sizeof name, "@%s", *file);
        run_clobbered(NULL, name, seed, rounds(3), &sum);
    }
    tell(&sum);
}

/* A method whose name is not among the first 256 constants comes to OP_SELF in a register. */
static void append_constants(struct bytes *text)
{
    char line[64];
    bytes_append(text, "local t = {", 11);
    for (int i = 0; i < 300; i++) {
        int size = snprintf(line, sizeof line, "'s%d', %d.5, ", i, i);
        bytes_append(text, line, (size_t)size);
    }
    bytes_append(text, "}\n", 2);
}

static void dead_is_dead_beyond_constants(void **state)
{
    (void)state;
    static const char rest[] =
        "local o = {rare = function(self, x, y) local z = x return z .. y end,\n"
        "    other = function() return 'o' end}\n"
        "local m = setmetatable({}, {__index = function(_, k) local z = o[k] return z end})\n"
        "local n = 0\n"
        "for i = 1, 3 do n = n + #o:rare(t[i], o:other()) + #m:rare(i, m:other()) end\n"
        "o.field = n; m.late = o.field .. 'end'; t.x, t.y = m.late, o['unlikely']\n"
        "print(t.x, t.y, n, o.field == m.field, m.late < 'zz' and 't' or 'f', #t)\n";
    struct bytes text = {0};
    struct flow_run sum = {0};
    append_constants(&text);
    bytes_append(&text, rest, sizeof rest);
    run_clobbered((const char *)text.data, "=constants", scratch_seed() | 1, rounds(12), &sum);
    bytes_free(&text);
    tell(&sum);
}

static void random_programs(void **state)
{
    (void)state;
    struct flow_run sum = {0};
    unsigned long long seed = scratch_seed();
    for (long i = 0; i < rounds(25); i++) {
        char name[64];
        snprintf(name, sizeof name, "=seed %llu", seed + (unsigned long long)i);
        char *text = flow_random(path_of("tests/lua/flow_random.lua"), (long long)seed + i);
        run_clobbered(text, name, seed + (unsigned long long)i, 3, &sum);
        free(text);
    }
    tell(&sum);
}

/* ---------------------------------------------------------------- hand-made cases */

/* The first place of an opcode in the code, from `from` on. */
static int find(const struct flow_proto *proto, const char *name, int from)
{
    for (int pc = from; pc < proto->code.size; pc++)
        if (strcmp(opcode_name(opcode_of(proto->code.code[pc])), name) == 0)
            return pc;
    fail_msg("no %s", name);
    return -1;
}

static uint64_t live(const struct flow_proto *proto, int pc, int calling)
{
    uint64_t set[REGSET_WORDS];
    flow_live(proto->flow, pc, calling, set);
    return set[0];
}

static void waiting_values(void **state)
{
    (void)state;
    struct flow_proto *proto = flow_proto_new("local f = print\n"
                                              "local x, y = 1, f()\n"
                                              "local z = {f(), f()}\n"
                                              "return z\n",
                                              "=waiting");
    int call = find(proto, "CALL", 0);
    assert_int_equal(opcode_results(proto->code.code[call]), 1);
    assert_int_equal(live(proto, call, 0), 0x7); /* f; x's value, which waits; the function */
    assert_int_equal(live(proto, call, 1), 0x3);
    call = find(proto, "CALL", call + 1);
    assert_int_equal(live(proto, call, 1), 0xf); /* f, x, y, the table */
    call = find(proto, "CALL", call + 1);
    assert_int_equal(opcode_results(proto->code.code[call]), -1);
    assert_int_equal(live(proto, call, 1), 0x1f);
    int list = find(proto, "SETLIST", 0);
    assert_true(opcode_open(proto->code.code[list]));
    assert_int_equal(live(proto, list, 0), ~(uint64_t)0);
    flow_proto_free(proto);
}

static void metamethods(void **state)
{
    (void)state;
    struct flow_proto *proto = flow_proto_new("local t = ...\n"
                                              "t:m(1)\n"
                                              "local s = 'a' .. t .. 'b'\n"
                                              "if t <= s then return t end\n"
                                              "t.x = t + s\n",
                                              "=metamethods");
    uint32_t instruction = proto->code.code[find(proto, "CONCAT", 0)];
    int first, last, pc = find(proto, "SELF", 0);
    assert_int_equal(live(proto, pc, 0), 0x1);
    assert_int_equal(live(proto, pc, 1), 0x5); /* R[A + 1] is there already, R[A] is not */
    assert_int_equal(live(proto, find(proto, "CONCAT", 0), 1), 0xf);
    opcode_callee(instruction, proto->code.registers, &first, &last);
    assert_int_equal(first, 3);
    assert_int_equal(last, 4);
    pc = find(proto, "LE", 0);
    assert_true(flow_reachable(proto->flow, pc + 1)); /* after a metamethod */
    assert_int_equal(live(proto, pc, 1), 0x3);
    opcode_callee(proto->code.code[pc], proto->code.registers, &first, &last);
    assert_int_equal(first, proto->code.registers);
    assert_int_equal(last, proto->code.registers);
    pc = find(proto, "MMBIN", 0);
    assert_int_equal(opcode_results(proto->code.code[pc]), 1);
    assert_int_equal(live(proto, pc, 1), 0x3);
    pc = find(proto, "SETFIELD", 0);
    assert_int_equal(opcode_results(proto->code.code[pc]), 0);
    assert_int_equal(live(proto, pc, 0), 0x7);
    flow_proto_free(proto);
}

static void places_of_frames(void **state)
{
    (void)state;
    struct flow_proto *proto = flow_proto_new("local a, t = ...\n"
                                              "if a then t = {} end\n"
                                              "for k in t do a = not k end\n"
                                              "do return a == 1 end\n"
                                              "a = 2\n",
                                              "=places");
    const struct flow *flow = proto->flow;
    assert_false(flow_reachable(flow, 0));
    assert_true(flow_reachable(flow, 1));
    assert_false(flow_reachable(flow, find(proto, "TEST", 0) + 1)); /* runs into its jump */
    assert_false(flow_reachable(flow, find(proto, "EXTRAARG", 0)));
    assert_true(flow_reachable(flow, find(proto, "TFORCALL", 0)));
    assert_true(flow_reachable(flow, find(proto, "TFORLOOP", 0)));
    assert_true(flow_reachable(flow, find(proto, "LFALSESKIP", 0)));
    assert_true(flow_reachable(flow, find(proto, "RETURN", 0)));
    assert_false(flow_reachable(flow, find(proto, "RETURN", 0) + 1));
    assert_false(flow_reachable(flow, -1));
    assert_false(flow_reachable(flow, proto->code.size));
    flow_proto_free(proto);
}

static void trust(void **state)
{
    (void)state;
    struct flow_proto *proto = flow_proto_new("local f = ...\n"
                                              "local t = {f(1), f(2), {f(3)}, f(4)}\n"
                                              "for i = 1, 3 do for j = 1, 3 do f(i, j) end end\n"
                                              "f(t)\n",
                                              "=trust");
    struct flow_trust trust;
    int pc = find(proto, "CALL", find(proto, "NEWTABLE", find(proto, "NEWTABLE", 0) + 1));
    flow_trusted(proto->flow, pc, 1, &trust);
    assert_int_equal(trust.tables[0], 1 << 1 | 1 << 4);
    flow_trusted(proto->flow, find(proto, "SETLIST", pc) + 1, 0, &trust);
    assert_int_equal(trust.tables[0], 1 << 1);
    pc = find(proto, "FORPREP", 0);
    flow_trusted(proto->flow, pc, 0, &trust);
    assert_int_equal(trust.tables[0] | trust.numbers[0] | trust.strings[0], 0);
    pc = find(proto, "CALL", pc);
    flow_trusted(proto->flow, pc, 1, &trust);
    assert_int_equal(trust.numbers[0], 1 << 2 | 1 << 6);
    flow_trusted(proto->flow, find(proto, "FORLOOP", 0) + 1, 0, &trust);
    assert_int_equal(trust.numbers[0], 1 << 2);
    flow_trusted(proto->flow, proto->code.size - 1, 0, &trust);
    assert_int_equal(trust.numbers[0], 0);
    flow_proto_free(proto);
}

static void check_armed(const struct flow_proto *proto, int pc, uint64_t some, uint64_t every)
{
    uint64_t a[REGSET_WORDS], b[REGSET_WORDS];
    flow_armed(proto->flow, pc, a, b);
    assert_int_equal(a[0], some);
    assert_int_equal(b[0], every);
}

static void armed(void **state)
{
    (void)state;
    struct flow_proto *proto = flow_proto_new("local f = ...\n"
                                              "while f() do\n"
                                              "    local a <close> = f\n"
                                              "    if f(1) then break end\n"
                                              "    local b <close> = f\n"
                                              "    f(2)\n"
                                              "end\n"
                                              "for k in f do f(k) end\n"
                                              "f(3)\n",
                                              "=armed");
    int pc = find(proto, "TBC", 0);
    check_armed(proto, pc, 0, 0);
    check_armed(proto, pc + 1, 2, 2);
    pc = find(proto, "TBC", pc + 1);
    check_armed(proto, pc, 2, 2);
    check_armed(proto, find(proto, "CALL", pc), 6, 6);
    pc = find(proto, "CLOSE", pc); /* the end of the loop's block: it may have begun already */
    check_armed(proto, pc, 6, 0);
    check_armed(proto, find(proto, "CLOSE", pc + 1), 2, 0);
    pc = find(proto, "TFORPREP", 0);
    check_armed(proto, pc, 0, 0);
    check_armed(proto, find(proto, "CALL", pc), 1 << 4, 1 << 4);
    check_armed(proto, proto->code.size - 1, 0, 0);
    flow_proto_free(proto);
}

static uint64_t open_upvalues(const struct flow_proto *proto, int pc, int calling)
{
    uint64_t set[REGSET_WORDS];
    flow_open(proto->flow, pc, calling, set);
    return set[0];
}

static void upvalues(void **state)
{
    (void)state;
    struct flow_proto *proto =
        flow_proto_new("local f, g = ...\n"
                       "do local x, y = 1, 2; g = function() return y end; f(x) end\n"
                       "f(1)\n"
                       "for i = 1, 2 do local h <close> = f; g = function() return i end end\n"
                       "return f, g\n",
                       "=upvalues");
    uint64_t captured[REGSET_WORDS];
    int pc = find(proto, "CLOSURE", 0);
    assert_int_equal(open_upvalues(proto, pc, 0), 0);
    assert_int_equal(open_upvalues(proto, pc + 1, 0), 1 << 3);
    pc = find(proto, "CLOSE", 0);
    assert_int_equal(open_upvalues(proto, pc, 0), 1 << 3);
    assert_int_equal(live(proto, pc, 0) >> 3 & 1, 1);
    assert_int_equal(open_upvalues(proto, pc + 1, 0), 0);
    pc = find(proto, "CLOSE", pc + 1); /* h's; then i's */
    assert_int_equal(open_upvalues(proto, pc, 1), 1 << 5);
    pc = find(proto, "CLOSE", pc + 1);
    assert_int_equal(open_upvalues(proto, pc, 0), 1 << 5);
    assert_int_equal(open_upvalues(proto, pc, 1), 0); /* they are closed before handlers run */
    flow_captured(proto->flow, captured);
    assert_int_equal(captured[0], 1 << 3 | 1 << 5);
    flow_proto_free(proto);
}

/* Lua up to 5.4.8 leaves the upvalue of y open where z, in the same register, is in scope. */
static void upvalue_left_open(void **state)
{
    (void)state;
    struct flow_proto *proto =
        flow_proto_new("local f\n"
                       "do\n"
                       "    do local y = 1; f = function() return y end; if f then goto l end end\n"
                       "    local x = 2\n"
                       "    ::l::\n"
                       "end\n"
                       "local z = 99\n"
                       "print(f())\n",
                       "=left");
    int pc = find(proto, "CLOSE", find(proto, "CLOSE", 0) + 1);
    int left = opcode_closes(proto->code.code[pc]) > 1;
    assert_int_equal(open_upvalues(proto, proto->code.size - 1, 0), left ? 2 : 0);
    assert_int_equal(flow_active(proto->flow, proto->code.size - 1), 2);
    flow_proto_free(proto);
}

static void refused(const uint32_t *code, int size, int registers)
{
    struct error error;
    struct flow_code wrong = {.code = code, .size = size, .registers = registers};
    assert_null(flow_new(&wrong, &error));
    assert_int_equal(error.code, ERROR_INVALID);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    enum {
        JMP = 56,
        EQ = 57,
        TFORPREP = 75,
        CLOSURE = 79,
        MMBIN = 46,
        ADD = 34,
        TBC = 55,
        MOVE = 0
    };
    static const uint32_t unknown[] = {127}, end[] = {MOVE}, far[] = {JMP | 0xffffffU << 8},
                          child[] = {CLOSURE, MOVE}, test[] = {EQ, MOVE, MOVE},
                          mm[] = {MMBIN, MOVE}, add[] = {ADD}, prep[] = {TFORPREP, MOVE},
                          tbc[] = {TBC | 250 << 7, MOVE};
    refused(unknown, 1, 2);
    refused(end, 1, 2);
    refused(far, 1, 2);
    refused(child, 2, 2);
    refused(test, 3, 2);
    refused(mm, 2, 2);
    refused(add, 1, 2);
    refused(prep, 2, 2);
    refused(tbc, 2, 2);
    refused(end, 0, 2);
    refused(end, 1, 256);
}

/* Random code: told nonsense of, or refused, but nothing outside of it is read. */
static void random_code(void **state)
{
    (void)state;
    srandom((unsigned)scratch_seed());
    for (int i = 0; i < 3000; i++) {
        int size = 1 + (int)(random() % 30);
        uint32_t *code = malloc((size_t)size * sizeof *code);
        assert_non_null(code);
        for (int pc = 0; pc < size; pc++)
            code[pc] = (uint32_t)(random() % OPCODE_COUNT) | (uint32_t)random() << 7;
        for (int pc = 0; pc < size; pc++) /* jumps that stay inside, now and then */
            if (random() % 2)
                code[pc] = (code[pc] & 0x7fff) | (uint32_t)(random() % size) << 15;
        struct flow_local local = {(int)(random() % size), size};
        struct flow_code given = {
            .code = code, .size = size, .registers = 255, .locals = &local, .locals_count = 1};
        struct flow *flow = flow_new(&given, NULL);
        for (int pc = 0; pc < size && flow != NULL; pc++) {
            uint64_t a[REGSET_WORDS], b[REGSET_WORDS];
            struct flow_trust trusted;
            if (!flow_reachable(flow, pc))
                continue;
            for (int calling = 0; calling < 2; calling++) {
                flow_live(flow, pc, calling, a);
                flow_armed(flow, pc, a, b);
                flow_open(flow, pc, calling, a);
                flow_trusted(flow, pc, calling, &trusted);
            }
        }
        flow_free(flow);
        free(code);
    }
}

static void count_opcodes(const struct flow_proto *proto, long counts[OPCODE_COUNT])
{
    for (int pc = 0; pc < proto->code.size; pc++)
        counts[opcode_of(proto->code.code[pc])]++;
    for (int i = 0; i < proto->code.children_count; i++)
        count_opcodes(&proto->children[i], counts);
}

/* The programs that are run have every opcode but the one that needs 131,072 constants. */
static void all_opcodes(void **state)
{
    (void)state;
    long counts[OPCODE_COUNT] = {0};
    struct flow_proto *proto = flow_proto_new(NULL, path_of("tests/lua/flow_cases.lua"));
    count_opcodes(proto, counts);
    for (int op = 0; op < OPCODE_COUNT; op++)
        if (counts[op] == 0 && strcmp(opcode_name(op), "LOADKX") != 0)
            fail_msg("no %s in tests/lua/flow_cases.lua", opcode_name(op));
    flow_proto_free(proto);
}

/* With and without the jump targets that nested loops make. Nothing is measured: a pass for each
 * nesting of each loop would be noticed all the same. */
static void large_function(void **state)
{
    (void)state;
    struct bytes text = {0};
    char line[128];
    bytes_append(&text, "local t, u = ...\n", 17);
    for (int i = 0; i < 30; i++)
        bytes_append(&text, "for i = 1, u do while t[i] do ", 30);
    for (int i = 0; i < 5000; i++) {
        int size =
            snprintf(line, sizeof line,
                     "t[i] = {u + t.x * i, %d, t:f(i)} u = t.y or function() return i end\n", i);
        bytes_append(&text, line, (size_t)size);
    }
    for (int i = 0; i < 30; i++)
        bytes_append(&text, "if u then break end end end ", 28);
    bytes_append(&text, "", 1);
    struct flow_proto *proto = flow_proto_new((const char *)text.data, "=large");
    assert_true(proto->code.size > 75000);
    check_proto(proto);
    flow_proto_free(proto);
    bytes_free(&text);
}

int main(int argc, char **argv)
{
    (void)argc;
    arguments = argv + 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waiting_values),
        cmocka_unit_test(metamethods),
        cmocka_unit_test(places_of_frames),
        cmocka_unit_test(trust),
        cmocka_unit_test(armed),
        cmocka_unit_test(upvalues),
        cmocka_unit_test(upvalue_left_open),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(random_code),
        cmocka_unit_test(all_opcodes),
        cmocka_unit_test(large_function),
        cmocka_unit_test(holds_everywhere),
        cmocka_unit_test(dead_is_dead),
        cmocka_unit_test(dead_is_dead_beyond_constants),
        cmocka_unit_test(random_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
