/* job: ckptlua_request from other threads and from signal handlers, at any time in a host's life.
 * In a build with CKPTLUA_SANITIZE=thread the sanitizer looks on. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "include/ckptlua.h"
#include "scratch.h"

enum { ROUNDS = 60 };

/* A host with a job that is short enough to end while it is asked for things. */
static ckptlua *host_with(const char *script)
{
    scratch_write("job.lua", script, strlen(script));
    ckptlua *host = ckptlua_new();
    assert_non_null(host);
    assert_int_equal(ckptlua_set(host, "interval", "never"), CKPTLUA_OK);
    return host;
}

static int run(ckptlua *host)
{
    return ckptlua_run(host, "job.lua", 0, NULL);
}

/* ---- threads */

struct asker {
    pthread_t thread;
    ckptlua *host;
    int then;
    atomic_int asked, stop;
};

static void *ask(void *argument)
{
    struct asker *asker = argument;
    do {
        ckptlua_request(asker->host, asker->then);
        atomic_fetch_add(&asker->asked, 1);
    } while (!atomic_load(&asker->stop));
    return NULL;
}

static void start(struct asker *asker, ckptlua *host, int then)
{
    *asker = (struct asker){.host = host, .then = then};
    assert_int_equal(pthread_create(&asker->thread, NULL, ask, asker), 0);
}

static void finish(struct asker *asker)
{
    int asked = atomic_load(&asker->asked);
    while (atomic_load(&asker->asked) < asked + 10) /* it goes on behind the end of the job */
        sched_yield();
    atomic_store(&asker->stop, 1);
    assert_int_equal(pthread_join(asker->thread, NULL), 0);
}

static void threads_ask_from_the_first_moment_to_the_last(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct asker askers[2];
        ckptlua *host = host_with("for i = 1, 20 do checkpoint() end");
        start(&askers[0], host, CKPTLUA_THEN_CONTINUE);
        start(&askers[1], host, CKPTLUA_THEN_CONTINUE);
        assert_int_equal(run(host), CKPTLUA_OK);
        finish(&askers[0]);
        finish(&askers[1]);
        ckptlua_free(host);
        assert_string_equal(scratch_list(), "job.lua");
    }
}

static void a_thread_ends_the_job(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct asker asker;
        ckptlua *host = host_with("while true do checkpoint() end");
        start(&asker, host, CKPTLUA_THEN_EXIT);
        assert_int_equal(run(host), CKPTLUA_AGAIN);
        finish(&asker);
        ckptlua_free(host);
    }
}

/* ---- before and behind the job */

static void one_that_comes_before_the_job_is_not_lost(void **state)
{
    (void)state;
    for (int continued = 0; continued < 2; continued++) {
        ckptlua *host = host_with("while true do checkpoint() end");
        ckptlua_request(host, CKPTLUA_THEN_EXIT);
        assert_int_equal(run(host), CKPTLUA_AGAIN);
        ckptlua_request(host, CKPTLUA_THEN_EXIT);
        ckptlua_free(host);
        assert_int_equal(access("job.ckpt", F_OK), 0);
    }
}

static void many_do_not_pile_up(void **state)
{
    (void)state;
    ckptlua *host = host_with("checkpoint()");
    for (long i = 0; i < 100000; i++)
        ckptlua_request(host, CKPTLUA_THEN_CONTINUE);
    assert_int_equal(run(host), CKPTLUA_OK);
    ckptlua_free(host);
}

/* ---- signals that another thread takes */

static void *send_signals(void *argument)
{
    atomic_int *stop = argument;
    while (!atomic_load(stop))
        raise(SIGUSR2);
    return NULL;
}

static void another_thread_takes_the_signals(void **state)
{
    (void)state;
    signal(SIGUSR2, SIG_IGN);
    atomic_int stop = 0;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, send_signals, &stop), 0);
    for (int round = 0; round < ROUNDS; round++) {
        ckptlua *host = host_with("for i = 1, 20 do checkpoint() end");
        ckptlua_handle_signals(host, 1);
        assert_int_equal(run(host), CKPTLUA_OK);
        ckptlua_free(host);
    }
    atomic_store(&stop, 1);
    assert_int_equal(pthread_join(thread, NULL), 0);
    signal(SIGUSR2, SIG_DFL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(threads_ask_from_the_first_moment_to_the_last),
        TEST(a_thread_ends_the_job),
        TEST(one_that_comes_before_the_job_is_not_lost),
        TEST(many_do_not_pile_up),
        TEST(another_thread_takes_the_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
