/*
 * job/files: full disks, warnings, hostile snapshots, failing allocations, and kills at random.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <lauxlib.h>
#include <lualib.h>

#include "files_run.h"
#include "scratch.h"

#if defined(__SANITIZE_ADDRESS__)
enum { JOBS = 8 }; /* killed at random; what is killed tells the sanitizers little */
#else
enum { JOBS = 24 };
#endif

/* ------------------------------------------------------------------ syncing */

int __wrap_fsync(int descriptor);
int __wrap_syncfs(int descriptor);

/* What is synced is listed in the file "synced". */
static int note_sync(const char *call, int descriptor)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t size = readlink(link, path, sizeof path - 1);
    int list = open("synced", O_WRONLY | O_CREAT | O_APPEND, 0666);
    assert_true(size > 0 && list >= 0);
    path[size] = '\0';
    dprintf(list, "%s %s\n", call, strrchr(path, '/') + 1);
    close(list);
    return 0;
}

int __wrap_fsync(int descriptor)
{
    return note_sync("fsync", descriptor);
}

int __wrap_syncfs(int descriptor)
{
    (void)descriptor;
    return note_sync("syncfs", open("/", O_RDONLY));
}

static void synced(void **state)
{
    (void)state;
    assert_int_equal(mkdir("old", 0777) | mkdir("new", 0777), 0);
    run_put("old/log", "1");
    expect(0,
           "f = io.open('old/log', 'a') f:write('x') flush() os.remove('synced')\n"
           "f:close() local g = io.open('new/g', 'w') g:write('x') g:close()\n"
           "h = io.open('new/h', 'w') flush() local s = stock_open('synced'):read('a')\n"
           "for _, n in ipairs{'log', 'g', 'h', 'new'} do\n"
           "  assert(s:find('fsync ' .. n .. '\\n', 1, true), n .. ' not in ' .. s)\n"
           "end\n"
           "assert(not s:find('old', 1, true)) os.remove('synced') flush()\n"
           "assert(stock_open('synced'):read('a') == 'fsync h\\n')\n"
           "h:close() os.rename('new/h', 'old/i') flush()\n"
           "s = stock_open('synced'):read('a') assert(s:find('fsync i\\n') and s:find('old'))\n"
           "os.remove('synced') for i = 1, 150 do io.open('f' .. i, 'w'):close() end flush()\n"
           "s = stock_open('synced'):read('a') assert(s:match('^syncfs %C*\\nfsync %C*\\n$'), s)\n"
           "os.remove('synced') flush() assert(not stock_open('synced'))\n"
           "io.open('f1', 'a'):close() io.open('f2', 'w'):close() finish()\n"
           "s = stock_open('synced'):read('a') assert(s:find('f1') and s:find('f2'))");
}

/* ------------------------------------------------------------------ errors */

static void full_disk(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK) != 0)
        skip();
    expect(1, "f = io.open('/dev/full', 'w') f:write('x') flush()");
    run_assert_file("error", "writing /dev/full failed: no space left on device");
    int code = run_script("f = io.open('result.txt', 'w') f:setvbuf('full', 1 << 20) limit(4096)\n"
                          "f:write(('x'):rep(4000)) flush() f:write(('x'):rep(200))\n"
                          "local ok, e = pcall(flush) limit() assert(ok, e)");
    assert_int_equal(code, 1);
    run_assert_has(run_get("error"), "writing result.txt failed: file too large");
}

/* What stdio could not write it drops: no later save may count these bytes. */
static const char failing[] = "f = io.open('x', 'w') f:setvbuf('full', 1 << 20) save()\n"
                              "limit(100) f:write(('x'):rep(200)) %s limit()\n"
                              "local ok, e = pcall(flush)\n"
                              "assert(not ok and e:find('x lacks bytes', 1, true), e)\n"
                              "%s f = io.open('x', 'w') flush() f:write('1') flush() f:close()";

static void lost_bytes(void **state)
{
    static const char *const ways[][2] = {
        {"assert(not f:flush())", "f:close() assert(not pcall(flush))"},
        {"assert(not pcall(flush))", "f:close() assert(not pcall(flush))"},
        {"local r, e, n = f:close() assert(r == nil and e == 'File too large' and n == 27)", ""},
        {"f = nil collectgarbage() collectgarbage()", ""},
        {"f:flush()", "f:close() os.remove('x') flush()"}};
    char script[1024];
    (void)state;
    for (int i = 0; i < 5; i++) {
        snprintf(script, sizeof script, failing, ways[i][0], ways[i][1]);
        expect(0, script);
        run_assert_file("x", "1");
        unlink("snap");
    }
}

static void each_warning_once(void **state)
{
    static const char *const parts[] = {"os.remove (job.lua:2)", "os.rename (job.lua:3)",
                                        "os.execute (job.lua:5)", "io.popen (job.lua:6)",
                                        "os.tmpname (job.lua:7)"};
    (void)state;
    expect(0, "for i = 1, 3 do io.open('x', 'w'):close() os.remove('none')\n"
              "os.remove('x') io.open('x', 'w'):close()\n"
              "os.rename('x', 'y')\n"
              "assert(os.execute())\n"
              "assert(os.execute('true'))\n"
              "io.popen('true'):close()\n"
              "os.remove(os.tmpname())\n"
              "end");
    const char *warnings = run_get("warnings");
    int lines = 0;
    for (const char *at = warnings; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, 5);
    for (int i = 0; i < 5; i++)
        run_assert_has(warnings, parts[i]);
    run_assert_has(warnings, "cannot be undone");
    run_assert_has(warnings, "see docs/limits.md");
}

/* The replaced functions give what the stock ones give, to the letter. */
static const char compared[] =
    "local stock, out = ..., {}\n"
    "local function note(...)\n"
    "  for i = 1, select('#', ...) do\n"
    "    out[#out + 1] = (tostring((select(i, ...))):gsub('0x%x+', 'P'):gsub('/tmp/lua_%w+', "
    "'T'))\n"
    "  end\n"
    "  out[#out + 1] = '|'\n"
    "end\n"
    "local arguments = {{}, {nil}, {'none'}, {'none', 'zz'}, {'there'}, {'there', 'r+b'}, {'x', "
    "'w'},\n"
    "  {'x', 'w+b'}, {'x', 'a'}, {'x', 'wx'}, {'x', {}}, {{}}, {true}, {12}, {12, 13}, {'there', "
    "'n'},\n"
    "  {'none/x', 'w'}, {''}, {'.'}, {'x', ''}, {'a\\0b', 'w'}, {('x'):rep(5000)}, {io.stdout}}\n"
    "local functions = {'io.open', 'io.input', 'io.output', 'io.lines', 'io.popen', 'io.tmpfile',\n"
    "  'os.remove', 'os.rename', 'io.close', 'io.type'}\n"
    "for _, name in ipairs(functions) do\n"
    "  local lib, f = name:match('(%w+)%.(%w+)')\n"
    "  for _, a in ipairs(arguments) do\n"
    "    if f ~= 'popen' or not (type(a[1]) == 'string' or type(a[1]) == 'number') then\n"
    "      note(name, pcall(_G[lib][f], table.unpack(a)))\n"
    "      note(pcall(function() local t = {_G[lib][f](table.unpack(a))} return #t end))\n"
    "    end\n"
    "    io.output(io.stderr) io.input(io.stdin)\n"
    "    local h = stock('there', 'w') h:write('a\\nb\\n') h:close()\n"
    "  end\n"
    "end\n"
    "note(os.remove((os.tmpname())))\n"
    "note(pcall(function() local x = io.open() end))\n"
    "note(pcall(function() local x = io.lines('none') end))\n"
    "note(pcall(function() io.output('none/x') end))\n"
    "note(pcall(function() for a, b in io.lines('there', 1, 'l') do note(a, b) end end))\n"
    "note(pcall(function() local f = io.open('x', 'w') note(f:close()) f:close() end))\n"
    "note(select('#', io.lines('there')), select('#', io.lines()), select('#', io.output()))\n"
    "note(os.execute(), os.execute('exit 3')) note(io.popen('exit 4'):close())\n"
    "return table.concat(out, '\\n')";

static void compare_in(const char *directory, lua_State *L, int with_files)
{
    assert_int_equal(mkdir(directory, 0777) | chdir(directory), 0);
    luaL_openlibs(L);
    lua_getglobal(L, "io");
    lua_getfield(L, -1, "open"); /* for the script, under no name */
    lua_replace(L, 1);
    if (with_files) {
        lua_pushcfunction(L, run_open);
        assert_int_equal(lua_pcall(L, 0, 0, 0), LUA_OK);
    }
    int status = luaL_loadbuffer(L, compared, strlen(compared), "@job.lua");
    lua_insert(L, 1);
    if (status != LUA_OK || lua_pcall(L, 1, 1, 0) != LUA_OK)
        fail_msg("%s", lua_tostring(L, -1));
    assert_int_equal(chdir(".."), 0);
}

static void as_stock(void **state)
{
    (void)state;
    int before = run_descriptors();
    lua_State *stock = luaL_newstate(), *ours = luaL_newstate();
    compare_in("stock", stock, 0);
    compare_in("ours", ours, 1);
    assert_string_equal(lua_tostring(ours, -1), lua_tostring(stock, -1));
    run_assert_has(lua_tostring(ours, -1), "none: No such file or directory");
    run_assert_has(lua_tostring(ours, -1), "bad argument #1 to 'open'");
    lua_close(stock);
    lua_close(ours);
    assert_int_equal(run_descriptors(), before);
}

static void hostile_descriptions(void **state)
{
    (void)state;
    run_put("x", "123");
    expect(0,
           "local H = {number = 1, name = 'x', path = 'x', mode = 'w', position = 1, size = 1}\n"
           "local function bad(t)\n"
           "  t.files, t.handles = t.files or {}, t.handles or {}\n"
           "  local ok, e = pcall(restore, t) assert(not ok)\n"
           "  assert(e:find('makes no sense') or e:find('is gone'), e)\n"
           "end\n"
           "assert(not pcall(restore, {})) assert(not pcall(restore, 12))\n"
           "bad{files = {1}} bad{files = {[1] = 1}} bad{files = {x = -1}} bad{files = {x = 'a'}}\n"
           "bad{files = {['x\\0y'] = 1}} bad{files = {[''] = 1}} bad{files = {x = 1.5}}\n"
           "bad{files = {[('x'):rep(5000)] = 1}} bad{handles = {1}} bad{handles = {{}}}\n"
           "for k, v in pairs{number = 0, name = 1, path = '', mode = 'q', position = -5,\n"
           "    buffer = 1, path = ('x'):rep(5000), name = 'a\\0b', number = '1'} do\n"
           "  local h = {} for a, b in pairs(H) do h[a] = b end h[k] = v\n"
           "  bad{handles = {h}}\n"
           "end\n"
           "bad{output = 7} bad{input = 'x'} bad{next = 0} bad{stdin = -7} bad{output = -3}\n"
           "bad{files = {none = 3}}");
    run_assert_file("x", "123");
}

/* ------------------------------------------------------------------ stdin */

static void standard_input(void **state)
{
    (void)state;
    run_put("in", "one\ntwo\nthree\n");
    int saved = dup(STDIN_FILENO);
    assert_non_null(freopen("in", "r", stdin));
    expect(KILLED, "assert(io.read() == 'one') save() assert(io.read() == 'two') die()");
    assert_int_equal(lseek(STDIN_FILENO, 0, SEEK_SET), 0);
    expect(KILLED, "assert(io.read() == 'two') save() die()");
    assert_int_equal(lseek(STDIN_FILENO, 0, SEEK_SET), 0);
    expect(KILLED, "save() die()"); /* not read in this run, and still known */
    assert_int_equal(lseek(STDIN_FILENO, 0, SEEK_SET), 0);
    expect(0, "assert(io.read() == 'three' and io.read() == nil)");
    assert_int_equal(truncate("in", 5), 0);
    expect(3, "");
    run_assert_has(run_get("error"), "stdin is 5 bytes long, 8 were read");
    assert_int_equal(unlink("snap"), 0);
    /* One that is not read is left alone. */
    assert_int_equal(lseek(STDIN_FILENO, 3, SEEK_SET), 3);
    expect(0, "assert(description().stdin == nil)");
    assert_int_equal(lseek(STDIN_FILENO, 0, SEEK_CUR), 3);
    dup2(saved, STDIN_FILENO);
    close(saved);
}

static void standard_input_pipe(void **state)
{
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "one\ntwo\n", 8), 8);
    int saved = dup(STDIN_FILENO);
    dup2(ends[0], STDIN_FILENO);
    expect(0, "save() assert(stock_open('warnings') == nil)\n"
              "assert(io.read() == 'one') save() save()");
    run_assert_has(run_get("warnings"), "stdin is a pipe");
    dup2(saved, STDIN_FILENO);
    close(saved), close(ends[0]), close(ends[1]);
}

/* ------------------------------------------------------------------ the whole */

static void finishing(void **state)
{
    (void)state;
    expect(0, "f = io.open('x', 'w') f:write('1') io.output('y') io.write('2') r = io.open('x')\n"
              "p = io.popen('cat >/dev/null', 'w') finish()\n"
              "assert(io.type(f) == 'closed file' and io.type(r) == 'file')\n"
              "assert(io.type(p) == 'file') p:close()");
    run_assert_file("x", "1");
    run_assert_file("y", "2");
}

static void many_files(void **state)
{
    (void)state;
    expect(KILLED, "for i = 1, 300 do local f = io.open('f' .. i, 'w') f:write(i) f:close() end\n"
                   "save() for i = 1, 300, 2 do\n"
                   "  local f = io.open('f' .. i, 'a') f:write('x') f:close() end die()");
    run_assert_file("f1", "1x");
    run_assert_file("journal", "(none)");
    expect(0, "for i = 1, 300 do assert(io.open('f' .. i):read('a') == tostring(i)) end");
}

/* Finalizers that open files while the tables are walked. */
static void finalizers(void **state)
{
    (void)state;
    expect(0,
           "local n = 0\n"
           "collectgarbage('generational') collectgarbage('setpause', 1)\n"
           "local function litter() setmetatable({}, {__gc = function()\n"
           "  n = n + 1 if n < 2000 then litter() end\n"
           "  local f = io.open('g' .. n % 50, 'w') f:write(n) if n % 3 == 0 then f:close() end\n"
           "end}) end\n"
           "_ENV.litter = litter\n"
           "for i = 1, 20 do litter() end\n"
           "for i = 1, 50 do save() end");
}

static void *limited(void *context, void *block, size_t old, size_t size)
{
    long *left = context;
    if (size == 0) {
        free(block);
        return NULL;
    }
    if ((block == NULL || size > old) && (*left)-- <= 0)
        return NULL;
    return realloc(block, size);
}

static const char allocation_script[] =
    "f = io.open('x', 'a') f:write('1') g = io.open('x') io.output('y') io.write('2')\n"
    "for l in io.lines('x') do end os.rename('z', 'zz') os.remove('zz')\n"
    "local d = description() saved()\n"
    "f:close() f = io.open('x', 'w')\n"
    "restore(d, 'append 3 log\\nrewrite x\\n')\n"
    "for _, h in ipairs(d.handles) do load_handle(tostring(h.number)) end\n"
    "finish()";

static int allocation_task(lua_State *L)
{
    run_open(L);
    if (luaL_loadstring(L, allocation_script) != LUA_OK)
        return lua_error(L);
    lua_call(L, 0, 0);
    return 0;
}

static void no_memory(void **state)
{
    (void)state;
    long allowed = 0;
    for (int status = -1; status != LUA_OK; allowed++) {
        long left = 1000000;
        int before = run_descriptors();
        lua_State *L = lua_newstate(limited, &left);
        assert_non_null(L);
        luaL_openlibs(L); /* not what is tested */
        run_put("z", "");
        run_put("log", "12345");
        lua_pushcfunction(L, allocation_task);
        left = allowed;
        status = lua_pcall(L, 0, 0, 0);
        if (status != LUA_OK && status != LUA_ERRMEM)
            fail_msg("with %ld allocations: %s", allowed, lua_tostring(L, -1));
        left = 1000000;
        lua_close(L);
        assert_int_equal(run_descriptors(), before);
        unlink("x"), unlink("y");
    }
    print_message("%ld allocations\n", allowed);
    assert_true(allowed > 50);
}

/* A job of 60 steps, each of which does something to files; saved and killed at random between
 * steps and within them. A save may be begun, committed and acknowledged at different moments. */
static const char torture[] =
    "k, seen = k or 0, seen or 0\n"
    "local r = chance\n"
    "local function random(n) r = (r * 6364136223846793005 + 1442695040888963407)\n"
    "  return (r >> 33) % n end\n"
    "local function danger() if chance ~= 0 and random(60) == 0 then die() end end\n"
    "local function hash(n) local x = (k * 2654435761 + job * 40503) & 0xffffffff\n"
    "  x = ((x ~ (x >> 15)) * 2246822519) & 0xffffffff return (x >> 9) % n end\n"
    "local function line(name, mode, ...) local f = assert(io.open(name, mode)) danger()\n"
    "  f:write(...) danger() f:close() danger() end\n"
    "local stage = 0\n"
    "while k < 60 do\n"
    "  k = k + 1\n"
    "  local op = hash(13)\n"
    "  if op == 0 then line('log', 'a', 'line ', k, '\\n')\n"
    "  elseif op == 1 then out = out or io.open('out', 'w') out:write(k, '\\n')\n"
    "  elseif op == 2 then line('status', 'w', ('at '):rep(k % 7), k)\n"
    "  elseif op == 3 then line('tmp', 'w', k) os.rename('tmp', 'final')\n"
    "  elseif op == 4 then app = app or io.open('app', 'a') app:write('a', k) app:flush()\n"
    "  elseif op == 5 then if app then app:close() app = nil end\n"
    "  elseif op == 6 then rw = rw or io.open('rw', 'w+') rw:seek('set', k % 5) local c = "
    "rw:read(1)\n"
    "    rw:seek('end') rw:write(c or '-', k)\n"
    "  elseif op == 7 then input = input or io.open('input') line('log2', 'a', input:read('L') or "
    "'$')\n"
    "  elseif op == 8 then if not default then io.output('default') default = true end "
    "io.write(k)\n"
    "  elseif op == 9 then line('scratch', 'w', k) line('log', 'a', io.open('scratch'):read('a'))\n"
    "    os.remove('scratch')\n"
    "  elseif op == 10 then line('new' .. k, k % 2 == 0 and 'w' or 'a', k)\n"
    "  elseif op == 11 then line('old', 'a', k)\n"
    "  elseif op == 12 then if out then out:setvbuf(k % 2 == 0 and 'no' or 'full') end\n"
    "  end\n"
    "  danger()\n"
    "  if chance ~= 0 then\n"
    "    if stage == 0 and random(4) == 0 then save_begin() stage = 1 danger() end\n"
    "    if stage == 1 and random(2) == 0 then save_commit() stage = 2 danger() end\n"
    "    if stage == 2 and random(2) == 0 then saved() stage = 0 danger() end\n"
    "    if stage == 1 and random(5) == 0 then stage = 0 end\n" /* it failed */
    "  end\n"
    "end\n";

static void prepare_torture(void)
{
    run_put("input", "1\n22\n333\n4444\n55555\n666666\n");
    run_put("old", "old text\n");
}

/* The contents of all files of the job, one after the other; for free(). */
static char *collect(void)
{
    FILE *list =
        popen("for f in app default final input log log2 new* old out rw scratch status tmp;"
              " do echo \"== $f\"; cat $f 2>/dev/null; done",
              "r");
    size_t size = 1 << 18;
    char *text = calloc(1, size);
    assert_true(list != NULL && text != NULL);
    assert_true(fread(text, 1, size - 1, list) < size - 1);
    pclose(list);
    return text;
}

static void torture_one(unsigned long seed, int *kills)
{
    char script[sizeof torture + 64];
    snprintf(script, sizeof script, "local job = %lu %s", seed, torture);
    run_again();
    prepare_torture();
    expect(0, script);
    char *undisturbed = collect();
    run_again();
    prepare_torture();
    int code = KILLED;
    for (unsigned long i = 1; code == KILLED && i < 500; i++) {
        code = run_seeded(script, seed * 1000003 + i * 7919);
        *kills += code == KILLED;
    }
    if (code != 0)
        fail_msg("seed %lu: exit code %d: %s", seed, code, run_get("error"));
    char *disturbed = collect();
    if (strcmp(undisturbed, disturbed) != 0)
        fail_msg("seed %lu: with kills the files are\n%s\nwithout\n%s", seed, disturbed,
                 undisturbed);
    free(undisturbed);
    free(disturbed);
}

static void killed_at_random(void **state)
{
    unsigned long seed = scratch_seed();
    int kills = 0;
    (void)state;
    for (unsigned long i = 0; i < JOBS; i++)
        torture_one(seed + i, &kills);
    print_message("killed %d times\n", kills);
    assert_true(kills > JOBS / 2);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, run_setup, run_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(synced),           TEST(full_disk),
        TEST(lost_bytes),       TEST(each_warning_once),
        TEST(as_stock),         TEST(hostile_descriptions),
        TEST(standard_input),   TEST(standard_input_pipe),
        TEST(finishing),        TEST(many_files),
        TEST(finalizers),       TEST(no_memory),
        TEST(killed_at_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
