/*
 * Runs a script in pieces:
 *     exact-driver [--after N] [--seed S] SNAPSHOT SCRIPT [argument...]
 * starts SCRIPT, or continues it if SNAPSHOT is there. With --after it saves, and exits with code
 * 85, at the first possible moment after N more instructions of Lua; else it runs the script to its
 * end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ckptlua.h"
#include "exact/capture.h"
#include "exact/opcode.h"
#include "job/host.h"

struct driver {
    ckptlua *host;
    long left; /* instructions; negative: not to be stopped */
    lua_Hook hook;
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
    fflush(stdout);
    _exit(code);
}

/* Notes for a table of what was covered: the instruction at which each function stands. */
static void driver_cover(lua_State *thread, FILE *out)
{
    const struct vm_thread *insides = vm_thread(thread);
    for (const struct vm_call *call = insides->call; call != &insides->base;
         call = call->previous) {
        if ((call->status & VM_CALL_C) != 0)
            continue;
        fprintf(out, "coverage %s %s 1\n", opcode_name(opcode_of(call->u.lua.pc[-1])),
                call == insides->call ? "top" : "calling");
    }
}

static void driver_cover_all(const struct exact *exact)
{
    const char *path = getenv("CKPTLUA_TEST_COVERAGE");
    FILE *out = path == NULL ? NULL : fopen(path, "a");
    if (out == NULL)
        return;
    driver_cover(exact->current, out);
    for (const struct exact_resumer *resumer = exact->resumers; resumer != NULL;
         resumer = resumer->previous)
        driver_cover(resumer->thread, out);
    fclose(out);
}

/* Before each instruction, until the time has come. */
static void driver_count(lua_State *L, lua_Debug *debug)
{
    struct job *job = host_job(L);
    if (L != job->exact.current || --driver.left > 0)
        return;
    job->exact.hook = driver.hook;
    ckptlua_request(driver.host, CKPTLUA_THEN_EXIT);
    lua_sethook(L, driver.hook, LUA_MASKCOUNT, 1);
    if (!capture_obstacle(job->exact.scratch, &job->exact))
        driver_cover_all(&job->exact);
    else
        lua_pop(job->exact.scratch, 1);
    driver.hook(L, debug);
}

static void driver_open(void *context, lua_State *L)
{
    struct job *job = host_job(L);
    (void)context;
    if (driver.left < 0)
        return;
    driver.hook = job->exact.hook;
    job->exact.hook = driver_count;
    job->exact.armed = 1;
}

int main(int argc, char *argv[])
{
    const char *seed = "1";
    int at = 1;
    driver.left = -1;
    for (; at + 1 < argc && argv[at][0] == '-'; at += 2) {
        if (strcmp(argv[at], "--after") == 0)
            driver.left = atol(argv[at + 1]);
        else if (strcmp(argv[at], "--seed") == 0)
            seed = argv[at + 1];
        else
            return 2;
    }
    if (argc - at < 2)
        return 2;
    driver.host = ckptlua_new();
    ckptlua_on_message(driver.host, driver_message, NULL);
    ckptlua_on_exit(driver.host, driver_exit, NULL);
    ckptlua_on_open(driver.host, driver_open, NULL);
    ckptlua_set(driver.host, "snapshot", argv[at]);
    ckptlua_set(driver.host, "seed", seed);
    ckptlua_set(driver.host, "interval", "never");
    ckptlua_set(driver.host, "resume", "exact");
    ckptlua_set(driver.host, "quiet", NULL);
    int code = ckptlua_run(driver.host, argv[at + 1], argc - at - 2, argv + at + 2);
    ckptlua_free(driver.host);
    if (code == CKPTLUA_FAILED) /* its last snapshot stays otherwise */
        remove(argv[at]);
    return code;
}
