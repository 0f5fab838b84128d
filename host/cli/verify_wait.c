#include "cli/verify_wait.h"

#include <math.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

/* A sleep that is longer than this is taken in parts. */
#define LONGEST_SLEEP 3600.0

static sigset_t verify_wait_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    return set;
}

void verify_wait_begin(void)
{
    sigset_t set = verify_wait_signals();
    signal(SIGCHLD, SIG_DFL); /* ignored, it would take the children's exit codes away */
    sigprocmask(SIG_BLOCK, &set, NULL);
}

void verify_wait_undo(void)
{
    sigset_t set = verify_wait_signals();
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int verify_wait_for(double seconds)
{
    sigset_t set = verify_wait_signals();
    struct timespec time = {0, 0};
    if (seconds > 0) {
        seconds = fmin(seconds, LONGEST_SLEEP);
        time.tv_sec = (time_t)seconds;
        time.tv_nsec = (long)((seconds - floor(seconds)) * 1e9);
    }
    int number = sigtimedwait(&set, NULL, &time);
    return number > 0 && number != SIGCHLD ? number : 0;
}

double verify_wait_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
