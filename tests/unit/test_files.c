/*
 * job/files: modes, positions, names and the journal: what a job has written is there once.
 */
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

#include "files_run.h"

/* ------------------------------------------------------------------ modes */

static void writing(void **state)
{
    (void)state;
    expect(KILLED,
           "f = io.open('out', 'w') f:write('one\\n') save() f:write('two\\n') f:flush() die()");
    run_assert_file("out", "one\ntwo\n");
    expect(KILLED, "assert(resumed and f:seek() == 4)\n"
                   "f:write('zwei\\n') save() f:write('three') f:flush() die()");
    expect(KILLED, "assert(f:seek() == 9 and not f:read()) die()"); /* write-only, as it was */
    expect(0, "assert(f:seek() == 9) f:write('drei\\n')");
    run_assert_file("out", "one\nzwei\ndrei\n");
    run_assert_file("warnings", "(none)");
}

static void appending(void **state)
{
    (void)state;
    run_put("log", "old\n");
    expect(KILLED,
           "f = io.open('log', 'a') f:write('1\\n') save() f:write('2\\n') f:flush() die()");
    run_assert_file("log", "old\n1\n2\n");
    expect(0, "assert(f:seek() == 6) f:seek('set', 0) f:write('zwei\\n')");
    run_assert_file("log", "old\n1\nzwei\n");
}

static void appending_and_reading(void **state)
{
    (void)state;
    run_put("log", "abc\n");
    expect(KILLED, "f = io.open('log', 'a+') assert(f:read(1) == 'a') save()\n"
                   "f:write('lost') f:flush() die()");
    expect(KILLED, "assert(f:read(2) == 'bc') f:write('new\\n') f:seek('set', 1) save() die()");
    expect(0, "assert(f:read(1) == 'b') f:write('end\\n')");
    run_assert_file("log", "abc\nnew\nend\n");
}

static void writing_and_reading(void **state)
{
    (void)state;
    expect(KILLED, "f = io.open('rw', 'w+b') f:write('0123456789') f:seek('set', 3) save()\n"
                   "f:seek('end') f:write('lost') f:flush() die()");
    expect(0, "assert(f:seek() == 3 and f:seek('end') == 10) f:seek('set', 3)\n"
              "assert(f:read(2) == '34') f:seek('cur', 0) f:write('xy')");
    run_assert_file("rw", "01234xy789");
}

static void updating(void **state)
{
    (void)state;
    run_put("data", "0123456789");
    expect(KILLED, "f = io.open('data', 'r+') f:write('ab') save() f:seek('end') f:write('more')\n"
                   "f:flush() die()");
    run_assert_file("data", "ab23456789more");
    run_assert_has(run_get("warnings"),
                   "overwriting the 10 bytes of data (job.lua:1) cannot be undone");
    expect(0, "assert(f:seek() == 2) f:write('cd')");
    run_assert_file("data", "abcd456789");
}

static void reading(void **state)
{
    (void)state;
    run_put("input", "one\ntwo\nthree\nfour\n");
    expect(KILLED, "f = io.open('input') assert(f:read() == 'one')\n"
                   "for l in f:lines() do assert(l == 'two') break end save()\n"
                   "assert(f:read() == 'three') die()");
    expect(0, "assert(f:read() == 'three') assert(f:read() == 'four') assert(not f:read())\n"
              "assert(not f:write('x'))");
    run_assert_file("input", "one\ntwo\nthree\nfour\n");
}

static void input_shortened(void **state)
{
    (void)state;
    run_put("input", "one\ntwo\nthree\nfour\n");
    expect(KILLED, "f = io.open('input') f:read('l', 'l') save() die()");
    run_put("input", "one\n");
    expect(3, "");
    run_assert_has(run_get("error"), "input is 4 bytes long, 8 were read");
    assert_int_equal(unlink("input"), 0);
    expect(3, "");
    run_assert_has(run_get("error"), "input is gone");
}

static void many_handles(void **state)
{
    (void)state;
    run_put("in", "12345");
    expect(KILLED, "w = io.open('x', 'w') w:write('aaaa') w:flush()\n"
                   "r = io.open('x', 'r') r:read(1)\n"
                   "a = io.open('x', 'a') a:write('bb') same = a\n"
                   "i1 = io.open('in') i1:read(1) i2 = io.open('in') i2:read(3)\n"
                   "save() a:write('ZZZZZZZZZ') a:flush() die()");
    expect(0, "assert(rawequal(same, a) and a ~= w and i1 ~= i2)\n"
              "local t = r:read('a') assert(t == 'aaabb', t) assert(i1:read(1) == '2' and "
              "i2:read(1) == '4')\n"
              "a:write('c') a:flush() w:write('d') w:flush()\n"
              "assert(io.type(w) == 'file' and getmetatable(w) == getmetatable(io.stdout))\n"
              "assert(w:close() == true and io.type(w) == 'closed file')\n"
              "assert(select('#', a:close()) == 1)");
    run_assert_file("x", "aaaadbc");
}

static void buffers(void **state)
{
    (void)state;
    expect(KILLED, "n = io.open('n', 'w') n:setvbuf('no') l = io.open('l', 'w') l:setvbuf('line')\n"
                   "f = io.open('f', 'w') n:write('1') l:write('1\\n') f:write('1') save() die()");
    expect(KILLED, "n:write('2') l:write('2\\n') f:write('2') die()");
    run_assert_file("n", "12");
    run_assert_file("l", "1\n2\n");
    run_assert_file("f", "1");
}

static void default_files(void **state)
{
    (void)state;
    run_put("in", "a\nb\nc\n");
    expect(KILLED,
           "io.output('x') io.write('1\\n') io.input('in') assert(io.read() == 'a') save()\n"
           "io.write('2\\n') io.output():flush() die()");
    expect(KILLED, "io.write('zwei\\n') assert(io.read() == 'b')\n"
                   "io.output():close() io.input():close() save() die()");
    run_assert_file("x", "1\nzwei\n");
    expect(KILLED, "assert(not pcall(io.write, 'x')) assert(not pcall(io.read))\n"
                   "io.output(io.stderr) save() die()");
    expect(0, "assert(io.output() == io.stderr)");
}

static void closed_handles(void **state)
{
    (void)state;
    expect(KILLED, "f = io.open('x', 'w') f:write('1') f:close() save() die()");
    expect(0, "assert(io.type(f) == 'closed file' and tostring(f) == 'file (closed)')\n"
              "assert(not pcall(f.write, f, 'x')) assert(not pcall(load_handle, '1'))");
    run_assert_file("x", "1");
}

static void handles_not_asked_for(void **state)
{
    (void)state;
    expect(KILLED, "local f = io.open('x', 'w') f:write('1') save() die()");
    expect(0, "local d = description() assert(#d.handles == 0 and d.files.x == 1)\n"
              "assert(not pcall(load_handle, '1'))");
}

static void what_cannot_be_saved(void **state)
{
    (void)state;
    expect(0, "local function refused(f, reason)\n"
              "  local ok, e = pcall(save_handle, f)\n"
              "  assert(not ok and e:find(reason, 1, true), e)\n"
              "end\n"
              "p = io.popen('true') refused(p, 'a pipe (io.popen)')\n"
              "t = io.tmpfile() refused(t, 'a temporary file (io.tmpfile)')\n"
              "g = io.open('gone', 'w') os.remove('gone') refused(g, 'removed')\n"
              "m = io.open('moved', 'w') os.rename('moved', 'there') refused(m, 'renamed')\n"
              "q = io.open('q', 'w') io.open('q2', 'w'):close() os.rename('q2', 'q') refused(q, "
              "'replaced')\n"
              "u = stock_open('u', 'w') refused(u, 'not opened by io.open')\n"
              "local d = description() assert(#d.handles == 0)\n"
              "assert(d.files.gone == nil and d.files.moved == nil and d.files.there == 0)\n"
              "p:close() assert(save_handle(p) == 'closed')\n"
              "for _, s in ipairs{'', '0', 'x', '-1', '99', '1 ', '99999999999999999999'} do\n"
              "  assert(not pcall(load_handle, s))\n"
              "end");
    run_assert_has(run_get("warnings"), "a pipe opened by io.popen cannot be saved");
}

/* ------------------------------------------------------------------ files that changed */

static void shortened(void **state)
{
    (void)state;
    run_put("untouched", "");
    expect(KILLED, "local f = io.open('result.txt', 'w') f:write(('x'):rep(4096)) f:close()\n"
                   "g = io.open('other', 'w') g:write('12') save() g:write('345') g:flush() die()");
    assert_int_equal(truncate("result.txt", 120), 0);
    expect(3, "");
    run_assert_has(run_get("error"), "result.txt is 120 bytes long, 4096 were written when");
    run_assert_file("other", "12345"); /* nothing is changed before all was checked */
    assert_int_equal(unlink("result.txt"), 0);
    expect(3, "");
    run_assert_has(run_get("error"), "result.txt is gone, 4096 bytes were written when");
    assert_int_equal(mkdir("result.txt", 0777), 0);
    expect(3, "");
    run_assert_has(run_get("error"), "result.txt is not a regular file any more");
    run_assert_file("other", "12345");
}

static void closed_and_longer(void **state)
{
    (void)state;
    expect(KILLED, "local f = io.open('x', 'w') f:write('12') f:close() save()\n"
                   "f = io.open('x', 'a') f:write('34') f:close() die()");
    run_assert_file("x", "1234");
    run_assert_file("journal", "(none)"); /* the snapshot knows it */
    expect(0, "");
    run_assert_file("x", "12");
}

static void removed_by_the_job(void **state)
{
    (void)state;
    expect(KILLED, "local f = io.open('tmp', 'w') f:write('12') f:close() save()\n"
                   "os.remove('tmp') os.remove('none') die()");
    run_assert_file("journal", "rewrite tmp\n");
    run_assert_has(run_get("warnings"), "os.remove (job.lua:2) cannot be undone");
    expect(KILLED, "save() die()");
    run_assert_has(run_get("warnings"),
                   "tmp was overwritten, renamed or removed after the snapshot");
    run_assert_file("journal", "");
    expect(0, "assert(description().files.tmp == nil)");
}

/* A handle is there again though its file is not: redone, the job removes it anew. */
static void removed_while_open(void **state)
{
    (void)state;
    expect(KILLED, "f = io.open('s', 'w') f:write('12345') save() os.remove('s') die()");
    expect(KILLED,
           "assert(f:seek() == 5) f:write('6') f:close() assert(os.remove('s')) save() die()");
    expect(0, "assert(io.type(f) == 'closed file')");
    run_assert_file("s", "(none)");
}

static void replaced_by_rename(void **state)
{
    static const char script[] = "k = k or 0\n"
                                 "while k < 4 do\n"
                                 "  k = k + 1\n"
                                 "  local f = io.open('new', 'w') f:write('state ', k) f:close()\n"
                                 "  if k == 3 and not resumed then die() end\n"
                                 "  os.rename('new', 'state')\n"
                                 "  if k == 2 and not resumed then save() end\n"
                                 "end\n";
    (void)state;
    expect(KILLED, script);
    expect(0, script);
    run_assert_file("state", "state 4");
    run_assert_file("new", "(none)");
}

/* Who reads it sees one state or the next, also while the job continues. */
static void rewritten_stays_whole(void **state)
{
    static const char write[] = "local f = io.open('new', 'w') f:write('new state') f:close() "
                                "os.rename('new', 'state')";
    char script[512];
    (void)state;
    snprintf(script, sizeof script,
             "local f = io.open('state', 'w') f:write('old') f:close() save() %s die()", write);
    expect(KILLED, script);
    for (int i = 0; i < 2; i++) { /* what the journal says holds until the next save */
        expect(KILLED, "assert(resumed) die()");
        run_assert_file("state", "new state");
    }
    snprintf(script, sizeof script, "%s save() f = io.open('state', 'a') f:write('more') die()",
             write);
    expect(KILLED, script);
    expect(0, "");
    run_assert_file("state", "new state");
}

/* A handle goes on at the length of that time. */
static void rewritten_while_open(void **state)
{
    (void)state;
    expect(KILLED,
           "h = io.open('log', 'a') h:write('12345') save() h:write('678') h:close()\n"
           "os.rename('log', 'log.1') h = io.open('log', 'a') h:write('abcdefgh') h:flush()\n"
           "die()");
    run_assert_file("log", "abcdefgh");
    expect(0, "h:write('678') h:close()");
    run_assert_file("log", "abcde678");
    run_again();
    assert_int_equal(mkdir("folder", 0777), 0);
    assert_int_equal(symlink("../out", "folder/link"), 0);
    expect(KILLED, "local f = io.open('out', 'w') f:write('12345') f:close()\n"
                   "h = io.open('folder/link', 'r+') h:seek('end') save()\n"
                   "f = io.open('out', 'w') f:write('abcdefgh') f:close() die()");
    expect(0, "assert(h:seek() == 5) h:write('67')");
    run_assert_file("out", "abcde67");
}

/* What cannot be looked at is not gone: nothing is saved that says so. */
static void not_to_be_looked_at(void **state)
{
    (void)state;
    assert_int_equal(mkdir("d", 0777), 0);
    expect(0, "local f = io.open('d/log', 'a') f:write('1') f:close() save()\n"
              "os.rename('d', 'e') os.execute('ln -s d d')\n"
              "local ok, e = pcall(description)\n"
              "assert(not ok and e:find('cannot look at d/log: ', 1, true), e)\n"
              "os.remove('d') os.rename('e', 'd') assert(description().files['d/log'] == 1)\n"
              "f = io.open('d/log', 'a') f:write('2') os.rename('d', 'e') os.execute('ln -s d d')\n"
              "ok, e = pcall(description) assert(not ok)\n"
              "os.remove('d') assert(description().files['d/log'] == nil)");
}

/* ------------------------------------------------------------------ the journal */

static void log_closed_at_each_line(void **state)
{
    static const char script[] =
        "k = k or 0\n"
        "local function line() local f = io.open('log', 'a') f:write(k, '\\n') f:close() end\n"
        "while k < 6 do\n"
        "  k = k + 1 line()\n"
        "  if k == 2 and stop == nil then stop = 1 die() end\n"
        "  if k == 3 then save() end\n"
        "end\n";
    (void)state;
    run_put("log", "old\n");
    expect(KILLED, "local f = io.open('log', 'a') f:write('x\\n') f:close()\n"
                   "f = io.open('log', 'a') f:write('y\\n') f:close() die()");
    run_assert_file("journal", "append 4 log\n");
    run_assert_file("log", "old\nx\ny\n");
    expect(KILLED, script);
    expect(KILLED, "assert(not resumed) local f = io.open('log', 'a') f:write('z\\n') f:close()\n"
                   "k = 0 save() die()");
    run_assert_file("journal", "");
    expect(KILLED, "local f = io.open('log', 'a') f:write('lost\\n') f:close() die()");
    expect(0, "stop = 1\n"
              "for i = 1, 2 do local f = io.open('log', 'a') f:write(i, '\\n') f:close() end");
    run_assert_file("log", "old\nz\n1\n2\n");
}

static void new_file_appended_to(void **state)
{
    (void)state;
    expect(KILLED, "save() local f = io.open('log', 'a') f:write('x\\n') f:close() die()");
    run_assert_file("journal", "append -1 log\n");
    expect(KILLED, "assert(not io.open('log')) die()"); /* and the journal is still in force */
    run_assert_file("log", "(none)");
    expect(0, "local f = io.open('log', 'a') f:write('y\\n') f:close()");
    run_assert_file("log", "y\n");
}

static void rewritten(void **state)
{
    (void)state;
    expect(KILLED, "local f = io.open('s', 'w') f:write('long text') f:close() save()\n"
                   "f = io.open('s', 'w') f:write('a') f:close()\n"
                   "f = io.open('s', 'w') f:write('b') f:close() die()");
    run_assert_file("journal", "rewrite s\n");
    run_assert_has(run_get("warnings"),
                   "overwriting the 9 bytes of s (job.lua:2) cannot be undone");
    expect(KILLED, "assert(resumed) die()");
    run_assert_has(run_get("warnings"), "s was overwritten, renamed or removed after the snapshot");
    expect(0, "local f = io.open('s', 'w') f:write('c') f:close()");
    run_assert_file("s", "c");
}

static void begun_with_w(void **state)
{
    (void)state;
    expect(KILLED, "local f = io.open('x', 'w') f:write('1') f:close()\n"
                   "f = io.open('x', 'a') f:write('2') f:close()\n"
                   "f = io.open('x', 'r+') f:write('2') f:close() die()");
    run_assert_file("journal", "(none)"); /* redone, it is truncated anyway */
}

/* One that was not cleared after the save: what the snapshot says counts. */
static void stale_journal(void **state)
{
    (void)state;
    expect(KILLED, "local f = io.open('x', 'a') f:write('123') f:close() save()\n"
                   "f = io.open('x', 'a') f:write('456') f:close() die()");
    run_put("journal", "append 9 x\n");
    expect(0, "");
    run_assert_file("x", "123");
    run_put("journal", "append -1 x\n");
    expect(0, "");
    run_assert_file("x", "123");
    run_assert_file("warnings", "(none)");
}

/* A save by a forked child takes its time: what is opened meanwhile counts from either state. */
static void opened_during_a_save(void **state)
{
    static const char begin[] = "local f = io.open('a', 'a') f:write('1') f:close() save_begin()\n"
                                "f = io.open('b', 'a') f:write('2') f:close()\n"
                                "f = io.open('a', 'w') f:write('') f:close()\n";
    char script[512];
    (void)state;
    snprintf(script, sizeof script, "%s die()", begin);
    expect(KILLED, script);
    expect(0, "assert(not resumed)");
    run_assert_file("a", "(none)");
    run_assert_file("b", "(none)");
    run_again();
    snprintf(script, sizeof script, "%s save_commit() die()", begin);
    expect(KILLED, script);
    expect(0, "assert(resumed)");
    run_assert_file("b", "(none)");
    run_again();
    snprintf(script, sizeof script, "%s save_commit() saved() die()", begin);
    expect(KILLED, script);
    run_assert_file("journal", "append -1 b\nrewrite a\n");
    expect(0, "assert(resumed)");
    run_assert_file("b", "(none)");
}

/* What was journaled before a save began says nothing of what comes after that. */
static void rewritten_again_during_a_save(void **state)
{
    (void)state;
    expect(KILLED,
           "local function w(n) local f = io.open('s', 'w') f:write(('x'):rep(n)) f:close() end\n"
           "local function a() local f = io.open('t', 'a') f:write('1') f:close() end\n"
           "w(9) save() w(8) a() os.remove('t')\n"
           "save_begin() w(7) a() save_commit() saved() die()");
    run_assert_file("journal", "rewrite s\nappend -1 t\n");
    expect(0, "assert(resumed)");
    run_assert_file("t", "(none)");
}

/* What the files were before the job, for as long as it has them. */
static void lengths_before(void **state)
{
    (void)state;
    run_put("old", "1234");
    expect(
        KILLED,
        "local function line(name, mode) local f = io.open(name, mode) f:write('x') f:close() end\n"
        "line('old', 'a') line('new', 'a') line('begun', 'w') line('gone', 'a') save()\n"
        "line('old', 'a') line('begun', 'a') os.remove('gone') save() line('gone', 'a')\n"
        "os.rename('new', 'moved') save() die()");
    expect(KILLED,
           "local before = description().before\n"
           "assert(before.old == 4 and before.begun == nil and before.gone == -1)\n"
           "assert(before.new == nil and before.moved == nil)\n"
           "local d = description() d.before = nil restore(d, '')\n" /* of an older version */
           "for _, b in ipairs{1, {old = -3}, {old = 1.5}, {old = 'x'}} do\n"
           "  d.before = b assert(not pcall(restore, d, '')) end save() die()");
    expect(0, "assert(resumed)");
    run_assert_file("old", "1234xx");
}

/* A file that is removed and made again while a save is under way is in no snapshot. */
static void made_again_during_a_save(void **state)
{
    (void)state;
    expect(KILLED,
           "local function line() local f = io.open('log', 'a') f:write('x') f:close() end\n"
           "line() save() os.remove('log') save_begin() line() save_commit() saved() die()");
    run_assert_file("journal", "append -1 log\n");
    expect(0, "");
    run_assert_file("log", "(none)");
}

static void odd_journals(void **state)
{
    (void)state;
    run_put("x", "12345");
    run_put("y", "12345");
    run_put("journal",
            "append x\nappend  x\nappend 2\nappend 2x x\nappend -2 x\nappend - x\nappend 2 \n"
            "append 99999999999999999999 x\nrewrite\nrewrite \nfoo 1 x\n\n\nappend 3 y\n"
            "append 1 y\nappend 2 x");
    expect(0, "");
    run_assert_file("x", "12345");
    run_assert_file("y", "123");
}

/* ------------------------------------------------------------------ names */

static void relative_and_absolute(void **state)
{
    char script[32768], path[5000];
    (void)state;
    assert_int_equal(mkdir("sub", 0777) | mkdir("copy", 0777) | mkdir("copy/sub", 0777), 0);
    snprintf(script, sizeof script,
             "r = io.open('./sub//r', 'w') r:write('r1') a = io.open('%s/a', 'w') a:write('a1')\n"
             "u = io.open('../%s/copy/u', 'w')\n"
             "chdir('sub') s = io.open('s', 'w') s:write('s1')\n"
             "t = io.open('../t', 'w') t:write('t1')\n"
             "chdir('%s') local h = description().handles table.sort(h, function(x, y)\n"
             "  return x.number < y.number end)\n"
             "assert(h[1].path == 'sub/r' and h[1].name == './sub//r' and h[2].path == '%s/a')\n"
             "assert(h[3].path == '%s/../' .. '%s'.. '/copy/u', h[3].path)\n"
             "assert(h[4].path == 'sub/s' and h[5].path == 'sub/../t') save() die()",
             run_folder(), strrchr(run_folder(), '/') + 1, run_folder(), run_folder(), run_folder(),
             strrchr(run_folder(), '/') + 1);
    expect(KILLED, script);
    /* The sandbox goes to another directory; the absolute name stays. */
    assert_int_equal(system("cp -r sub t snap copy && rm -r sub t"), 0);
    assert_int_equal(chdir("copy"), 0);
    expect(0, "for _, f in ipairs{r, a, s, t} do f:write('2') end");
    run_assert_file("sub/r", "r12");
    run_assert_file("sub/s", "s12");
    run_assert_file("t", "t12");
    snprintf(path, sizeof path, "%s/a", run_folder());
    run_assert_file(path, "a12");
    assert_int_equal(chdir(run_folder()), 0);
}

static void one_file_of_many_names(void **state)
{
    (void)state;
    assert_int_equal(mkdir("d", 0777) | symlink("x", "link"), 0);
    expect(KILLED, "for _, n in ipairs{'x', './x', 'd/../x', 'link'} do\n"
                   "  local f = io.open(n, 'a') f:write('1') f:close()\n"
                   "end die()");
    run_assert_file("journal", "append -1 x\n");
    expect(KILLED, "local f = io.open('x', 'a') f:write('1') f:close() save()\n"
                   "f = io.open('link', 'a') f:write('1') f:close() die()");
    run_assert_file("journal", "");
    expect(0, "");
    run_assert_file("x", "1");
}

static void odd_names(void **state)
{
    static const char *const names[] = {
        "with space", "new\nline",  "back\\slash", "\\n", "\xc3\xa4\xe2\x82\xac",
        "\xff\xfe",   "append 0 x", "-1",          " ",   "...",
        "\"quoted'"};
    char script[512];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        run_again();
        run_put("name", names[i]);
        snprintf(script, sizeof script,
                 "local name = stock_open('name'):read('a')\n"
                 "local f = io.open(name, 'a') f:write('x') f:close()\n"
                 "g = io.open('G' .. name, 'w') if not resumed then g:write('1') end %s",
                 "die()");
        expect(KILLED, script);
        expect(KILLED, "local name = stock_open('name'):read('a')\n"
                       "assert(not io.open(name))\n"
                       "g = io.open('G' .. name, 'w') g:write('1') save()\n"
                       "local f = io.open(name, 'a') f:write('x') f:close()\n"
                       "f = io.open('G' .. name, 'w') f:close() die()");
        expect(0, "local name = stock_open('name'):read('a')\n"
                  "assert(not io.open(name)) assert(g:seek() == 1)");
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, run_setup, run_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(writing),
        TEST(appending),
        TEST(appending_and_reading),
        TEST(writing_and_reading),
        TEST(updating),
        TEST(reading),
        TEST(input_shortened),
        TEST(many_handles),
        TEST(buffers),
        TEST(default_files),
        TEST(closed_handles),
        TEST(handles_not_asked_for),
        TEST(what_cannot_be_saved),
        TEST(shortened),
        TEST(closed_and_longer),
        TEST(removed_by_the_job),
        TEST(removed_while_open),
        TEST(replaced_by_rename),
        TEST(log_closed_at_each_line),
        TEST(new_file_appended_to),
        TEST(rewritten),
        TEST(begun_with_w),
        TEST(stale_journal),
        TEST(opened_during_a_save),
        TEST(rewritten_again_during_a_save),
        TEST(lengths_before),
        TEST(made_again_during_a_save),
        TEST(odd_journals),
        TEST(rewritten_stays_whole),
        TEST(rewritten_while_open),
        TEST(not_to_be_looked_at),
        TEST(relative_and_absolute),
        TEST(one_file_of_many_names),
        TEST(odd_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
