#include "job/header.h"

#include <ctype.h>
#include <gnu/libc-version.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)
#define HEADER_FEATURES 1
#include <sys/platform/x86.h>
#endif

#include <lauxlib.h>

#include "base/clock.h"
#include "exact/address.h"
#include "job/config.h"
#include "job/exactly.h"
#include "job/layers.h"
#include "job/random.h"

static void header_set_text(lua_State *L, const char *name, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

static void header_set_integer(lua_State *L, const char *name, int64_t value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

static void header_set_number(lua_State *L, const char *name, double value)
{
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
}

/* As libm chooses by them. The C library has asked the processor already: to ask again, as
 * __builtin_cpu_supports does in every process, takes long on a virtual machine. */
static void header_features(char *features, size_t size)
{
    *features = '\0';
#if defined(HEADER_FEATURES)
    snprintf(features, size, "%s%s%s%s%s", CPU_FEATURE_ACTIVE(AVX) ? "avx " : "",
             CPU_FEATURE_ACTIVE(AVX2) ? "avx2 " : "", CPU_FEATURE_ACTIVE(FMA) ? "fma " : "",
             CPU_FEATURE_ACTIVE(FMA4) ? "fma4 " : "",
             CPU_FEATURE_ACTIVE(AVX512F) ? "avx512f " : "");
    size_t length = strlen(features);
    if (length > 0)
        features[length - 1] = '\0';
#else
    (void)size;
#endif
}

void header_machine(char *machine, size_t size, char *features, size_t features_size)
{
    struct utsname name;
    if (uname(&name) != 0)
        strcpy(name.machine, "unknown");
    snprintf(machine, size, "%.64s, glibc %.32s", name.machine, gnu_get_libc_version());
    header_features(features, features_size);
}

/* The fields that every kind of snapshot has. */
static void header_push_common(lua_State *L, const char *kind)
{
    char host[64] = "", machine[256], features[256];
    gethostname(host, sizeof host - 1);
    header_machine(machine, sizeof machine, features, sizeof features);
    lua_newtable(L);
    header_set_text(L, "kind", kind);
    header_set_text(L, "version", CKPTLUA_VERSION);
    header_set_text(L, "lua", LUA_VERSION_MAJOR "." LUA_VERSION_MINOR "." LUA_VERSION_RELEASE);
    header_set_text(L, "host", host);
    header_set_text(L, "machine", machine);
    header_set_text(L, "features", features);
    header_set_number(L, "saved", clock_wall());
}

void header_push_plain(lua_State *L)
{
    luaL_checkstack(L, 8, NULL);
    header_push_common(L, "workspace");
}

static void header_push_script(lua_State *L, const struct script *script)
{
    lua_createtable(L, 0, 2);
    header_set_text(L, "name", script->name);
    header_set_text(L, "hash", script->hash);
    lua_setfield(L, -2, "script");
    lua_createtable(L, script->argc, 0);
    for (int i = 0; i < script->argc; i++) {
        lua_pushstring(L, script->argv[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "arguments");
}

void header_push(lua_State *L, const struct job *job, const char *reason, int finished)
{
    luaL_checkstack(L, 8, NULL);
    header_push_common(L, "job");
    header_set_text(L, "resume", job->exact_mode ? "exact" : "globals");
    header_push_script(L, &job->script);
    header_set_text(L, "job", job->id);
    header_set_text(L, "reason", reason);
    header_set_integer(L, "seed", job->seed);
    if (job->deterministic) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, "deterministic");
    }
    if (job->exact_mode) {
        layers_push(L, job);
        lua_setfield(L, -2, "layers");
    }
    header_set_integer(L, "generation", job->generation + 1);
    header_set_integer(L, "saves", job->saves + 1);
    header_set_integer(L, "resumed", job->resumed);
    header_set_integer(L, "run", history_number(&job->history));
    header_set_number(L, "computed",
                      job->computed_before + clock_monotonic() - job->started - job->saving);
    header_set_number(L, "saving", job->saving_before + job->saving);
    if (exactly_push_place(L, job))
        lua_setfield(L, -2, "place");
    if (job->progress.total > 0) {
        lua_createtable(L, 0, 3);
        header_set_number(L, "done", job->progress.done);
        header_set_number(L, "total", job->progress.total);
        header_set_text(L, "text", job->progress.text);
        lua_setfield(L, -2, "progress");
    }
    history_push(L, &job->history);
    lua_setfield(L, -2, "runs");
    if (finished >= 0) {
        lua_createtable(L, 0, 1);
        header_set_integer(L, "code", finished);
        lua_setfield(L, -2, "finished");
    }
}

/* ---------------------------------------------------------------- reading */

static void header_get_text(lua_State *L, int index, const char *name, char *out, size_t size)
{
    *out = '\0';
    if (lua_getfield(L, index, name) == LUA_TSTRING)
        snprintf(out, size, "%s", lua_tostring(L, -1));
    lua_pop(L, 1);
}

static double header_get_number(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    double value = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return value;
}

static int64_t header_get_integer(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    int64_t value = lua_tointeger(L, -1);
    lua_pop(L, 1);
    return value;
}

/* A number of things, with room to count on; 0 where it is none. */
static int64_t header_get_count(lua_State *L, int index, const char *name)
{
    int64_t value = header_get_integer(L, index, name);
    return value < 0 || value > INT64_MAX / 2 ? 0 : value;
}

static int header_same_arguments(lua_State *L, int index, const struct script *script)
{
    int same = 1, count = 0;
    if (lua_getfield(L, index, "arguments") == LUA_TTABLE) {
        count = (int)lua_rawlen(L, -1);
        for (int i = 1; same && i <= count && i <= script->argc; i++) {
            const char *text = lua_rawgeti(L, -1, i) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
            same = text != NULL && strcmp(text, script->argv[i - 1]) == 0;
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
    return same && count == script->argc;
}

/* On one line, whatever is in them. */
static void header_get_arguments(lua_State *L, int index, char *out, size_t size)
{
    size_t length = 0;
    int top = lua_gettop(L);
    snprintf(out, size, "none");
    if (lua_getfield(L, index, "arguments") == LUA_TTABLE)
        for (int i = 1; length < size && lua_rawgeti(L, -1, i) == LUA_TSTRING; i++) {
            length += (size_t)snprintf(out + length, size - length, "%s%s", i > 1 ? " " : "",
                                       lua_tostring(L, -1));
            lua_pop(L, 1);
        }
    for (char *at = out; *at != '\0'; at++)
        if (iscntrl((unsigned char)*at))
            *at = '?';
    lua_settop(L, top);
}

void header_read(lua_State *L, int index, const struct script *script, struct header *header,
                 struct history *history)
{
    luaL_checkstack(L, 8, NULL);
    index = lua_absindex(L, index);
    memset(header, 0, sizeof *header);
    header_get_text(L, index, "kind", header->kind, sizeof header->kind);
    header_get_text(L, index, "resume", header->resume, sizeof header->resume);
    header_get_text(L, index, "job", header->id, sizeof header->id);
    header_get_text(L, index, "reason", header->reason, sizeof header->reason);
    header_get_text(L, index, "host", header->host, sizeof header->host);
    header_get_text(L, index, "machine", header->machine, sizeof header->machine);
    header_get_text(L, index, "features", header->features, sizeof header->features);
    header_get_text(L, index, "version", header->version, sizeof header->version);
    header_get_text(L, index, "lua", header->lua, sizeof header->lua);
    header->saved = header_get_number(L, index, "saved");
    header->computed = header_get_number(L, index, "computed");
    header->saving = header_get_number(L, index, "saving");
    header->generation = header_get_count(L, index, "generation");
    header->saves = header_get_count(L, index, "saves");
    header->resumed = header_get_count(L, index, "resumed");
    header->seed = header_get_integer(L, index, "seed");
    lua_getfield(L, index, "deterministic");
    header->deterministic = lua_toboolean(L, -1);
    lua_pop(L, 1);
    header->layers = LAYERS_ALL; /* they were not told once */
    if (lua_getfield(L, index, "layers") == LUA_TTABLE)
        header->layers = layers_read(L, lua_gettop(L));
    lua_pop(L, 1);
    header->same_arguments = header_same_arguments(L, index, script);
    header_get_arguments(L, index, header->arguments, sizeof header->arguments);
    if (lua_getfield(L, index, "script") == LUA_TTABLE) {
        header_get_text(L, -1, "name", header->script, sizeof header->script);
        header_get_text(L, -1, "hash", header->hash, sizeof header->hash);
    }
    if (lua_getfield(L, index, "finished") == LUA_TTABLE) {
        header->finished = 1;
        header->exit_code = (int)header_get_integer(L, -1, "code");
    }
    lua_pop(L, 2);
    if (history != NULL) {
        lua_getfield(L, index, "runs");
        history_read(L, -1, history);
        lua_pop(L, 1);
        /* The list has the last ones only; snapshots without `run` tell of those that have saved.
         */
        int64_t run = header_get_count(L, index, "run");
        if (run <= header->resumed)
            run = header->resumed + 1;
        if (run > history->count)
            history->earlier = run - history->count;
    }
}

/* ---------------------------------------------------------------- state */

static const char *const header_streams[] = {"stdout", "stderr"};

/* By which a continue tells whether objects can have their addresses. */
static void header_set_places(lua_State *L, struct job *job)
{
    lua_Integer base, code;
    if (!job->exact_mode || !address_numbers(L, &job->exact, &base, &code))
        return;
    header_set_integer(L, "base", base);
    header_set_integer(L, "code", code);
}

void header_push_state(lua_State *L, struct job *job, const struct stdio_state streams[2])
{
    luaL_checkstack(L, 8, NULL);
    lua_newtable(L);
    random_push(L);
    lua_setfield(L, -2, "random");
    header_set_number(L, "clock", random_clock(job));
    files_push(L);
    lua_setfield(L, -2, "files");
    config_push(L);
    lua_setfield(L, -2, "config");
    if (job->exact.is_checked) { /* of which functions are kept */
        lua_pushlstring(L, job->script.text, job->script.size);
        lua_setfield(L, -2, "script");
    }
    header_set_places(L, job);
    for (int i = 0; i < 2; i++) {
        if (!streams[i].regular)
            continue;
        lua_createtable(L, 0, 2);
        header_set_integer(L, "position", streams[i].position);
        header_set_integer(L, "device", streams[i].device);
        header_set_integer(L, "inode", streams[i].inode);
        lua_pushlstring(L, (const char *)streams[i].digest, CHECKSUM_SIZE);
        lua_setfield(L, -2, "digest");
        lua_setfield(L, -2, header_streams[i]);
    }
}

void header_read_streams(lua_State *L, int index, struct stdio_state streams[2])
{
    index = lua_absindex(L, index);
    memset(streams, 0, 2 * sizeof *streams);
    for (int i = 0; i < 2; i++) {
        if (lua_getfield(L, index, header_streams[i]) == LUA_TTABLE) {
            size_t size = 0;
            streams[i].position = header_get_count(L, -1, "position");
            streams[i].device = header_get_integer(L, -1, "device");
            streams[i].inode = header_get_integer(L, -1, "inode");
            lua_getfield(L, -1, "digest");
            const char *digest = lua_tolstring(L, -1, &size);
            if (digest != NULL && size == CHECKSUM_SIZE && streams[i].position >= 0) {
                memcpy(streams[i].digest, digest, CHECKSUM_SIZE);
                streams[i].regular = 1;
            }
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
}
