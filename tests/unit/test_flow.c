/* exact: what the analysis of bytecode says, by hand-made cases, by what must hold everywhere, and
 * by runs in which all that it calls dead is overwritten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

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
    flow_armed(flow, pc, calling, some, every);
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
        flow_armed(proto->flow, next[n - 1], 0, some, every);
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

static void run_clobbered(const char *text, const char *name, unsigned long long seed, long times)
{
    static const int every[] = {1, 3, 20};
    struct flow_proto *proto = flow_proto_new(text, name);
    struct flow_run plain = {.seed = seed}, sum = {0};
    flow_run(proto, text, name, &plain);
    for (long i = 0; i < times; i++) {
        struct flow_run run = {.seed = seed + (unsigned long long)i, .every = every[i % 3]};
        flow_run(proto, text, name, &run);
        if (strcmp(run.output, plain.output) != 0)
            fail_msg("%s, seed %llu + %ld:\n%s\ninstead of\n%s", name, seed, i, run.output,
                     plain.output);
        sum.stops += run.stops;
        sum.frames += run.frames;
        sum.registers += run.registers;
        free(run.output);
    }
    print_message("%s: %ld stops, %ld registers of %ld frames overwritten\n", name, sum.stops,
                  sum.registers, sum.frames);
    free(plain.output);
    flow_proto_free(proto);
}

static void dead_is_dead(void **state)
{
    (void)state;
    unsigned long long seed = scratch_seed() | 1;
    run_clobbered(NULL, path_of("tests/lua/flow_cases.lua"), seed, rounds(12));
    for (char **file = arguments; *file != NULL; file++) {
        char name[1024];
        snprintf(name, sizeof name, "@%s", *file);
        run_clobbered(NULL, name, seed, rounds(3));
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    arguments = argv + 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_everywhere),
        cmocka_unit_test(dead_is_dead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
