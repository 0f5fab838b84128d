/*
 * Fuzzes exact snapshots: whatever one says, it is refused with a message, or what it says is made,
 * runs on for some instructions, and can be saved again. An input is a whole snapshot, whose
 * checksum is not looked at; tests/fuzz/corpus has those to start from (see make-corpus.py).
 *
 * Built with clang by -DCKPTLUA_FUZZ=ON; run by
 *     fuzz-exact -seed=N -max_total_time=60 SCRATCH-FOLDER tests/fuzz/corpus
 * With CKPTLUA_FUZZ_CHECK=1 it fails where an input is refused: fuzz-exact -runs=0
 * tests/fuzz/corpus
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <lauxlib.h>

#include "exact/capture.h"
#include "exact/order.h"
#include "job/exactly.h"
#include "job/state.h"
#include "mutate.h"
#include "store/format.h"
#include "value/decode.h"
#include "value/encode.h"
#include "value/plain.h"

enum { FUZZ_INSTRUCTIONS = 3000, FUZZ_EACH = 50 };

#define FUZZ_MEMORY ((size_t)48 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);

static struct fuzz {
    ckptlua *host;
    struct vm vm;
    int check;
    int left; /* instructions, in FUZZ_EACH */
    size_t used;
} fuzz;

struct fuzz_source {
    const uint8_t *data;
    size_t at, size;
};

static int64_t fuzz_read(void *context, void *data, size_t size)
{
    struct fuzz_source *source = context;
    if (size > source->size - source->at)
        size = source->size - source->at;
    memcpy(data, source->data + source->at, size);
    source->at += size;
    return (int64_t)size;
}

static int fuzz_write(void *context, const void *data, size_t size)
{
    (void)context;
    (void)data;
    (void)size;
    return 0;
}

/* ---------------------------------------------------------------- a state that does no harm */

static void *fuzz_alloc(void *context, void *block, size_t old_size, size_t new_size)
{
    size_t old = block == NULL ? 0 : old_size;
    if (new_size > old && fuzz.used + new_size - old > FUZZ_MEMORY)
        return NULL;
    void *made = heap_alloc(context, block, old_size, new_size);
    if (made != NULL || new_size == 0)
        fuzz.used += new_size - old;
    return made;
}

/* upvalue: the name */
static int fuzz_nothing(lua_State *L)
{
    return luaL_error(L, "%s: not here", lua_tostring(L, lua_upvalueindex(1)));
}

static int fuzz_silent(lua_State *L)
{
    (void)L;
    return 0;
}

/* table[name] = function, one of its own, for the table on top */
static void fuzz_replace(lua_State *L, const char *name, lua_CFunction function)
{
    lua_pushstring(L, name);
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, -2, name);
}

/* No finalizer: a hook does not reach it. */
static int fuzz_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    if (lua_type(L, 2) == LUA_TTABLE) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "no finalizers here");
        lua_pop(L, 1);
    } else {
        lua_pushnil(L);
        lua_replace(L, 2);
    }
    lua_setmetatable(L, 1);
    return 1;
}

static void fuzz_open(void *context, lua_State *L)
{
    static const char *const away[][2] = {{"os", "execute"},
                                          {"os", "exit"},
                                          {"os", "remove"},
                                          {"os", "rename"},
                                          {"os", "tmpname"},
                                          {"io", "open"},
                                          {"io", "popen"},
                                          {"io", "output"},
                                          {"io", "input"},
                                          {"io", "lines"},
                                          {"io", "tmpfile"},
                                          {"io", "close"},
                                          {"io", "read"},
                                          {"table", "move"},
                                          {"package", "loadlib"},
                                          {"_G", "dofile"},
                                          {"_G", "loadfile"},
                                          {"_G", "require"},
                                          {"_G", "checkpoint"},
                                          {"ckpt", "save"},
                                          {"ckpt", "load"},
                                          {"ckpt", "mark"},
                                          {"ckpt", "exit"},
                                          {"ckpt", "sleep"},
                                          {"ckpt", "config"},
                                          {"debug", "debug"},
                                          {"debug", "setmetatable"},
                                          {"debug", "setuservalue"},
                                          {"string", "rep"},
                                          {"debug", "setupvalue"},
                                          {"debug", "upvaluejoin"},
                                          {"debug", "setlocal"}};
    (void)context;
    for (size_t i = 0; i < sizeof away / sizeof *away; i++) {
        lua_getglobal(L, away[i][0]);
        fuzz_replace(L, away[i][1], fuzz_nothing);
        lua_pop(L, 1);
    }
    lua_getglobal(L, "io");
    fuzz_replace(L, "write", fuzz_silent);
    lua_pushglobaltable(L);
    fuzz_replace(L, "print", fuzz_silent);
    fuzz_replace(L, "setmetatable", fuzz_setmetatable);
    lua_pop(L, 2);
}

static void fuzz_hook(lua_State *L, lua_Debug *debug)
{
    (void)debug;
    if (--fuzz.left > 0)
        return;
    lua_sethook(L, fuzz_hook, LUA_MASKCOUNT, 1);
    if (lua_isyieldable(L))
        lua_yield(L, 0);
    else
        luaL_error(L, "no more instructions");
}

/* ---------------------------------------------------------------- one input */

/* (struct fuzz_source *) -> text of the script */
static int fuzz_script(lua_State *L)
{
    unsigned char head[FORMAT_HEAD_SIZE];
    uint16_t pairs;
    struct fuzz_source *input = lua_touserdata(L, 1);
    struct source source = {fuzz_read, input, input->size};
    struct unpack *unpack = unpack_new(L, &source);
    unpack_copy(L, unpack, head, sizeof head);
    if (format_get_head(head, &pairs, NULL) != 0)
        return luaL_error(L, "no snapshot");
    plain_decode_pairs(L, unpack, pairs - 1u);
    plain_decode(L, unpack);
    if (lua_type(L, -1) != LUA_TTABLE || lua_getfield(L, -1, "script") != LUA_TSTRING)
        return luaL_error(L, "no script");
    input->at = input->size - (size_t)unpack->left;
    return 1;
}

/* Where the values begin, and the script of an input; NULL where there is none. */
static char *fuzz_begin(struct fuzz_source *input, size_t *size)
{
    char *copy = NULL;
    lua_State *L = luaL_newstate();
    lua_pushcfunction(L, fuzz_script);
    lua_pushlightuserdata(L, input);
    if (lua_pcall(L, 1, 1, 0) == LUA_OK) {
        const char *text = lua_tolstring(L, -1, size);
        copy = malloc(*size + 1);
        if (copy != NULL)
            memcpy(copy, text, *size + 1);
    }
    lua_close(L);
    return copy;
}

/* (struct job *, struct fuzz_source *) */
static int fuzz_restore(lua_State *L)
{
    struct job *job = lua_touserdata(L, 1);
    struct fuzz_source *input = lua_touserdata(L, 2);
    struct source source = {fuzz_read, input, input->size - input->at};
    struct code_reader code;
    struct unpack *unpack = unpack_new(L, &source);
    exact_reader(&job->exact, &code);
    code.native = NULL; /* libraries are not loaded here */
    lua_newtable(L);
    decode_exact(L, unpack, -1, &code, 1);
    exactly_take_roots(L, job, -1);
    return 0;
}

/* (struct job *) */
static int fuzz_go_on(lua_State *L)
{
    struct job *job = lua_touserdata(L, 1);
    exact_run(L, &job->exact, 0);
    return 0;
}

/* (struct job *) */
static int fuzz_save(lua_State *L)
{
    struct job *job = lua_touserdata(L, 1);
    struct sink sink = {fuzz_write, NULL};
    struct walker walker = {order_walk, &job->exact};
    struct code_writer code;
    struct encode_options options = {&walker, NULL, NULL, &code};
    if (capture_obstacle(L, &job->exact))
        return 0;
    exact_writer(&job->exact, &code);
    exactly_push_roots(L, job);
    capture_begin(L, &job->exact);
    encode_exact(L, lua_gettop(L), pack_new(L, &sink), &options);
    capture_end(L, &job->exact);
    return 0;
}

static void fuzz_run(struct job *job, struct fuzz_source *input)
{
    lua_State *L = job->L;
    struct exact *exact = &job->exact;
    lua_setallocf(L, fuzz_alloc, &job->heap);
    exact->keeps_texts = EXACT_ALL_TEXTS;
    fuzz.left = FUZZ_INSTRUCTIONS / FUZZ_EACH;
    lua_sethook(L, fuzz_hook, LUA_MASKCOUNT, FUZZ_EACH);
    lua_settop(L, 0);
    lua_pushcfunction(L, fuzz_restore);
    lua_pushlightuserdata(L, job);
    lua_pushlightuserdata(L, input);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
        if (fuzz.check) {
            fprintf(stderr, "refused: %s\n", luaL_tolstring(L, -1, NULL));
            abort();
        }
        return;
    }
    lua_gc(L, LUA_GCCOLLECT);
    exact->hook = fuzz_hook;
    exact->armed = FUZZ_EACH;
    lua_sethook(exact->main, fuzz_hook, LUA_MASKCOUNT, FUZZ_EACH);
    lua_pushcfunction(L, fuzz_go_on);
    lua_pushlightuserdata(L, job);
    lua_pcall(L, 1, 0, 0);
    lua_settop(L, 0);
    lua_gc(L, LUA_GCCOLLECT);
    if (lua_status(exact->main) != LUA_YIELD)
        return;
    lua_pushcfunction(exact->scratch, fuzz_save);
    lua_pushlightuserdata(exact->scratch, job);
    lua_pcall(exact->scratch, 1, 0, 0);
    lua_gc(L, LUA_GCCOLLECT);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct error error;
    (void)argc;
    (void)argv;
    fuzz.host = ckptlua_new();
    if (fuzz.host == NULL || vm_check(&fuzz.vm, &error) != 0)
        abort();
    ckptlua_on_open(fuzz.host, fuzz_open, NULL);
    fuzz.check = getenv("CKPTLUA_FUZZ_CHECK") != NULL;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_source input = {data, 0,
                                size > FORMAT_TRAILER_SIZE ? size - FORMAT_TRAILER_SIZE : 0};
    struct job *job = calloc(1, sizeof *job);
    job->host = fuzz.host;
    job->schedule = &fuzz.host->schedule;
    job->seed = 1;
    job->exact_mode = 1;
    job->exact.vm = fuzz.vm;
    job->exact.is_checked = 1;
    job->exact.takes_edited = 1; /* no file is looked at */
    job->script = (struct script){.path = "fuzz.lua", .name = "fuzz.lua"};
    job->script.text = fuzz_begin(&input, &job->script.size);
    fuzz.used = 0;
    if (job->script.text != NULL) {
        if (state_make(job) == CKPTLUA_OK)
            fuzz_run(job, &input);
        else if (fuzz.check)
            abort();
        if (job->L != NULL)
            lua_close(job->L);
        heap_close(&job->heap);
        exact_close(&job->exact);
    } else if (fuzz.check && size > 0) { /* libFuzzer tries an empty one */
        abort();
    }
    free(job->script.text);
    free(job);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    size_t changed = 0, state = mutate_skip(data, size, 0);
    size_t values = state == 0 ? 0 : mutate_skip(data, size, state);
    if (values != 0 && seed % 8 != 0)
        changed = mutate_objects(data, size, room, values, seed);
    return changed != 0 ? changed : LLVMFuzzerMutate(data, size, room);
}
