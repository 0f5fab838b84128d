#include "files_run.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <lauxlib.h>
#include <lualib.h>

#include "job/files.h"

static char home[4096], folder[4096];

const char *run_folder(void)
{
    return folder;
}

/* ------------------------------------------------------------------ files */

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

int run_setup(void **state)
{
    const char *parent = getenv("TMPDIR");
    (void)state;
    snprintf(folder, sizeof folder, "%s/ckptlua-files-XXXXXX", parent == NULL ? "/tmp" : parent);
    return getcwd(home, sizeof home) == NULL || mkdtemp(folder) == NULL || chdir(folder) != 0;
}

int run_teardown(void **state)
{
    (void)state;
    return chdir(home) != 0 || nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0;
}

void run_again(void)
{
    run_teardown(NULL);
    assert_int_equal(run_setup(NULL), 0);
}

void run_put(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* The text of a file, "(none)" if it is not there; in one of a few static buffers. */
const char *run_get(const char *name)
{
    static char buffers[4][65536];
    static unsigned next;
    char *buffer = buffers[next++ % 4];
    FILE *file = fopen(name, "r");
    if (file == NULL)
        return "(none)";
    size_t size = fread(buffer, 1, sizeof buffers[0] - 1, file);
    buffer[size] = '\0';
    fclose(file);
    return buffer;
}

void run_assert_file(const char *name, const char *text)
{
    assert_string_equal(run_get(name), text);
}

void run_assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("no '%s' in '%s'", part, text);
}

int run_descriptors(void)
{
    int count = 0;
    for (int i = 0; i < 1024; i++)
        count += fcntl(i, F_GETFD) >= 0;
    return count;
}

/* ------------------------------------------------------------------ a run */

static void warn(void *context, const char *text)
{
    (void)context;
    FILE *file = fopen("warnings", "a");
    fprintf(file, "%s\n", text);
    fclose(file);
}

static void keep_journal(void *context, const char *text, const char *told)
{
    (void)context, (void)told;
    FILE *file = fopen("journal.tmp", "w");
    fputs(text, file);
    fclose(file);
    rename("journal.tmp", "journal");
}

static const struct files_host host = {.warn = warn, .journal = keep_journal};

static const char prelude[] =
    "local format, type, pairs, open, rename = ...\n"
    "local function text(v)\n"
    "  if type(v) ~= 'table' then return format('%q', v) end\n"
    "  local s = '{'\n"
    "  for k, w in pairs(v) do s = s .. '[' .. text(k) .. ']=' .. text(w) .. ',' end\n"
    "  return s .. '}'\n"
    "end\n"
    "local function begin()\n"
    "  flush()\n"
    "  local state, plain, handles = push(), {}, {}\n"
    "  for k, v in pairs(_G) do\n"
    "    local t = type(v)\n"
    "    if t == 'number' or t == 'boolean' then plain[k] = v end\n"
    "    if t == 'userdata' then handles[k] = save_handle(v) end\n"
    "  end\n"
    "  local f = open('snap.tmp', 'w')\n"
    "  f:write('return ', text{state = state, plain = plain, handles = handles})\n"
    "  f:close()\n"
    "  last = nil\n"
    "end\n"
    "local function commit() rename('snap.tmp', 'snap') end\n"
    "save_begin, save_commit = begin, commit\n"
    "function save() begin() commit() saved() end\n"
    "function description() flush() return push() end\n";

static int l_flush(lua_State *L)
{
    files_flush(L);
    return 0;
}

static int l_push(lua_State *L)
{
    int top = lua_gettop(L);
    files_push(L);
    assert_int_equal(lua_gettop(L), top + 1);
    return 1;
}

static int l_saved(lua_State *L)
{
    files_saved(L);
    return 0;
}

static int l_save_handle(lua_State *L)
{
    int top = lua_gettop(L);
    files_save_handle(L, 1);
    assert_int_equal(lua_gettop(L), top + 1);
    return 1;
}

static int l_load_handle(lua_State *L)
{
    size_t size;
    const char *data = luaL_checklstring(L, 1, &size);
    int top = lua_gettop(L);
    files_load_handle(L, data, size);
    assert_int_equal(lua_gettop(L), top + 1);
    return 1;
}

static int l_die(lua_State *L)
{
    (void)L;
    kill(getpid(), SIGKILL);
    return 0;
}

static int l_chdir(lua_State *L)
{
    lua_pushboolean(L, chdir(luaL_checkstring(L, 1)) == 0);
    return 1;
}

/* Files get no longer than that; without a number as long as before. */
static int l_limit(lua_State *L)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = lua_isnoneornil(L, 1) ? limit.rlim_max : (rlim_t)luaL_checkinteger(L, 1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    return 0;
}

static int l_restore(lua_State *L)
{
    int top = lua_gettop(L);
    files_restore(L, lua_isnoneornil(L, 1) ? 0 : 1, luaL_optstring(L, 2, ""));
    files_cut(L, lua_isnoneornil(L, 1) ? 0 : 1, luaL_optstring(L, 2, ""));
    assert_int_equal(lua_gettop(L), top);
    return 0;
}

static int l_finish(lua_State *L)
{
    files_finish(L);
    return 0;
}

/* The serializer gets the stock functions, as it is no part of the job. */
static void open_prelude(lua_State *L)
{
    static const char *const stock[][2] = {
        {"string", "format"}, {NULL, "type"}, {NULL, "pairs"}, {"io", "open"}, {"os", "rename"}};
    if (luaL_loadstring(L, prelude) != LUA_OK)
        lua_error(L);
    for (int i = 0; i < 5; i++) {
        if (stock[i][0] == NULL)
            lua_getglobal(L, stock[i][1]);
        else {
            lua_getglobal(L, stock[i][0]);
            lua_getfield(L, -1, stock[i][1]);
            lua_remove(L, -2);
        }
    }
}

/* A new state with the library and functions for scripts. May raise. */
int run_open(lua_State *L)
{
    luaL_openlibs(L);
    open_prelude(L);
    files_open(L, &host);
    lua_register(L, "flush", l_flush);
    lua_register(L, "push", l_push);
    lua_register(L, "saved", l_saved);
    lua_register(L, "save_handle", l_save_handle);
    lua_register(L, "load_handle", l_load_handle);
    lua_register(L, "die", l_die);
    lua_register(L, "chdir", l_chdir);
    lua_register(L, "restore", l_restore);
    lua_register(L, "limit", l_limit);
    lua_register(L, "finish", l_finish);
    lua_call(L, 5, 0);
    return 0;
}

/* What a continued process does before the script: an error is exit code 3. */
static const char continue_code[] =
    "local journal = ''\n"
    "local snap = loadfile('snap')\n"
    "local f = stock_open('journal')\n"
    "if f then journal = f:read('a') f:close() end\n"
    "if not snap then return restore(nil, journal) end\n"
    "snap = snap()\n"
    "restore(snap.state, journal)\n"
    "for k, v in pairs(snap.plain) do _G[k] = v end\n"
    "for k, v in pairs(snap.handles) do _G[k] = load_handle(v) end\n"
    "resumed = true\n";

static void fail_run(lua_State *L, int code)
{
    run_put("error", lua_tostring(L, -1));
    lua_close(L);
    exit(code);
}

static void child(const char *script, uint64_t seed)
{
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    lua_getglobal(L, "io");
    lua_getfield(L, -1, "open");
    lua_setglobal(L, "stock_open");
    lua_settop(L, 0);
    lua_pushcfunction(L, run_open);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK)
        fail_run(L, 4);
    if (luaL_dostring(L, continue_code))
        fail_run(L, 3);
    lua_pushinteger(L, (lua_Integer)seed);
    lua_setglobal(L, "chance");
    if (luaL_loadbuffer(L, script, strlen(script), "@job.lua") || lua_pcall(L, 0, 0, 0))
        fail_run(L, 1);
    lua_pushcfunction(L, l_finish);
    if (lua_pcall(L, 0, 0, 0))
        fail_run(L, 4);
    lua_close(L);
    exit(0);
}

int run_seeded(const char *script, uint64_t seed)
{
    int status;
    fflush(NULL);
    pid_t process = fork();
    assert_true(process >= 0);
    if (process == 0)
        child(script, seed);
    assert_int_equal(waitpid(process, &status, 0), process);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return KILLED;
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

int run_script(const char *script)
{
    return run_seeded(script, 0);
}
