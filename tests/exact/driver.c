/*
 * Runs a script in pieces:
 *     exact-driver [--after N] [--seed S] SNAPSHOT SCRIPT [argument...]
 * starts SCRIPT, or continues it if SNAPSHOT is there. With --after it saves, and exits with code
 * 85, at the first possible moment after N more instructions of Lua; else it runs the script to its
 * end.
 *     exact-driver [--seed S] --batch
 * does much of that: batch.h. With $CKPTLUA_TEST_PLAIN set it does as where tables cannot keep
 * their layout; with $CKPTLUA_TEST_WITHOUT "places" or "garbage" as where objects do not get their
 * addresses, or where those of garbage are given to others at once, and with "collector" as with
 * --deterministic=no. Into the file $CKPTLUA_TEST_COLLECTIONS it writes what is alive behind each
 * collection.
 */
#include "driver.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch.h"
#include "ckptlua.h"
#include "digest.h"
#include "exact/capture.h"
#include "exact/opcode.h"
#include "job/host.h"

struct driver {
    ckptlua *host;
    long left; /* instructions; negative: not to be stopped */
    lua_Hook hook;
    const void *ckpt; /* the table */
    int code;         /* of a script that is left in the middle, */
    jmp_buf out;
};

static struct driver driver;

static void driver_message(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "ckptlua: %s\n", text);
}

static void driver_exit(void *context, int code)
{
    (void)context;
    driver.code = code;
    longjmp(driver.out, 1);
}

/* What has called: an instruction that calls; another one, by a metamethod, an iterator or a
 * __close handler; or C: pcall and the like, or the start of a thread. */
static const char *driver_caller(const struct vm_call *call)
{
    const struct vm_call *caller = call->previous;
    if (caller->previous == NULL || (caller->status & VM_CALL_C) != 0)
        return "by-c";
    return opcode_enters(caller->u.lua.pc[-1]) ? "by-call" : "by-event";
}

/* Notes for a table of what was covered: the instruction at which each function stands, and what
 * kind of frame that is. */
static void driver_cover(lua_State *thread, int is_main, FILE *out)
{
    const struct vm_thread *insides = vm_thread(thread);
    for (const struct vm_call *call = insides->call; call != &insides->base;
         call = call->previous) {
        if ((call->status & VM_CALL_C) != 0)
            continue;
        fprintf(out, "coverage %s %s %s %s %s\n", opcode_name(opcode_of(call->u.lua.pc[-1])),
                call == insides->call ? "top" : "calling", is_main ? "main" : "coroutine",
                driver_caller(call), vm_called(call)->is_vararg ? "vararg" : "fixed");
    }
}

static void driver_cover_all(const struct exact *exact)
{
    const char *path = getenv("CKPTLUA_TEST_COVERAGE");
    FILE *out = path == NULL ? NULL : fopen(path, "a");
    if (out == NULL)
        return;
    driver_cover(exact->current, exact->current == exact->main, out);
    for (const struct exact_resumer *resumer = exact->resumers; resumer != NULL;
         resumer = resumer->previous)
        driver_cover(resumer->thread, resumer->thread == exact->main, out);
    fclose(out);
}

static int driver_is_without(const char *what)
{
    const char *without = getenv("CKPTLUA_TEST_WITHOUT");
    return without != NULL && strcmp(without, what) == 0;
}

/* With $CKPTLUA_TEST_COLLECT=N: at each N-th instruction garbage strings are freed, and then
 * everything is collected. */
static void driver_collect(lua_State *L, struct exact *exact)
{
    const char *every = getenv("CKPTLUA_TEST_COLLECT");
    static unsigned long count;
    unsigned long step = every == NULL ? 0 : strtoul(every, NULL, 10);
    if (step == 0 || ++count % step != 0)
        return;
    exact->collections.strings_due = 1;
    collections_take(L, exact);
    if (exact->collections.running && !exact->collections.stopped)
        collections_make(L, exact);
}

/* Before each instruction, until the time has come. */
static void driver_count(lua_State *L, lua_Debug *debug)
{
    struct job *job = host_job(L);
    if (L == job->exact.current && !job->in_hook) {
        driver_collect(L, &job->exact);
        collections_take(L, &job->exact);
    }
    if (driver_is_without("garbage"))
        places_release(&job->heap.zone);
    if (L != job->exact.current || --driver.left > 0)
        return;
    job->exact.hook = driver.hook;
    ckptlua_request(driver.host, CKPTLUA_THEN_EXIT);
    lua_sethook(L, driver.hook, LUA_MASKCOUNT, 1);
    collections_pass(&job->exact); /* as the host does: what is made here is not to count */
    if (!capture_obstacle(job->exact.scratch, &job->exact))
        driver_cover_all(&job->exact);
    else
        lua_pop(job->exact.scratch, 1);
    collections_count(&job->exact);
    driver.hook(L, debug);
}

/* Behind each collection: a line in $CKPTLUA_TEST_COLLECTIONS. They come as often as
 * $CKPTLUA_TEST_EVERY bytes have been made. */
static void driver_watch(struct exact *exact)
{
    struct zone *zone = exact->zone;
    FILE *out = fopen(getenv("CKPTLUA_TEST_COLLECTIONS"), "a");
    if (out == NULL)
        return;
    fprintf(out, "limit %ju objects %ju", (uintmax_t)exact->collections.limit,
            (uintmax_t)zone_live_objects(zone));
    for (int group = ZONE_TABLE; group < ZONE_BLOCK; group++)
        fprintf(out, " %ju", (uintmax_t)zone_live_group(zone, (enum zone_group)group));
    struct digest digest = digest_heap(exact->scratch, zone, driver.ckpt);
    fprintf(out, " places %jx tables %jx", (uintmax_t)digest.places, (uintmax_t)digest.tables);
    fprintf(out, "\n");
    fclose(out);
}

static void driver_open(void *context, lua_State *L)
{
    struct job *job = host_job(L);
    (void)context;
    lua_getglobal(L, "ckpt");
    driver.ckpt = lua_topointer(L, -1);
    lua_pop(L, 1);
    if (getenv("CKPTLUA_TEST_COLLECTIONS") != NULL)
        job->exact.collections.watch = driver_watch;
    if (getenv("CKPTLUA_TEST_EVERY") != NULL)
        job->exact.collections.fixed = strtoull(getenv("CKPTLUA_TEST_EVERY"), NULL, 10);
    if (getenv("CKPTLUA_TEST_PLAIN") != NULL)
        job->exact.keeps_layout = 0;
    if (driver_is_without("places"))
        job->exact.addresses.zone = NULL;
    if (driver.left < 0)
        return;
    driver.hook = job->exact.hook;
    job->exact.hook = driver_count;
    job->exact.armed = 1;
}

int driver_run(long after, const char *seed, const char *snapshot, const char *script, int argc,
               char *argv[])
{
    driver.left = after;
    if (setjmp(driver.out) != 0) {
        fflush(stdout);
        return driver.code;
    }
    driver.host = ckptlua_new();
    ckptlua_on_message(driver.host, driver_message, NULL);
    ckptlua_on_exit(driver.host, driver_exit, NULL);
    ckptlua_on_open(driver.host, driver_open, NULL);
    ckptlua_set(driver.host, "snapshot", snapshot);
    ckptlua_set(driver.host, "seed", seed);
    ckptlua_set(driver.host, "interval", "never");
    ckptlua_set(driver.host, "resume", "exact");
    ckptlua_set(driver.host, "quiet", NULL);
    if (driver_is_without("collector"))
        ckptlua_set(driver.host, "deterministic", "no");
    int code = ckptlua_run(driver.host, script, argc, argv);
    ckptlua_free(driver.host);
    if (code == CKPTLUA_FAILED) /* its last snapshot stays otherwise */
        remove(snapshot);
    return code;
}

int main(int argc, char *argv[])
{
    const char *seed = "1";
    long after = -1;
    int at = 1;
    for (; at + 1 < argc && argv[at][0] == '-'; at += 2) {
        if (strcmp(argv[at], "--after") == 0)
            after = atol(argv[at + 1]);
        else if (strcmp(argv[at], "--seed") == 0)
            seed = argv[at + 1];
        else
            return 2;
    }
    if (argc - at == 1 && strcmp(argv[at], "--batch") == 0)
        return batch_serve(seed);
    if (argc - at < 2)
        return 2;
    int code = driver_run(after, seed, argv[at], argv[at + 1], argc - at - 2, argv + at + 2);
    if (code == CKPTLUA_AGAIN) /* what is left in memory is no leak */
        _exit(code);
    return code;
}
