#include "job/policy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "value/registry.h"

/* Before anything has been observed: as if one interruption had come in this many seconds. */
#define POLICY_PRIOR 3600.0

/* A save that takes less is not worth a fork. */
#define POLICY_WORTH_FORKING 0.05

double policy_daly(double cost, double between)
{
    if (cost >= 2 * between)
        return between;
    double ratio = cost / (2 * between);
    double best = sqrt(2 * cost * between) * (1 + sqrt(ratio) / 3 + ratio / 9) - cost;
    return best;
}

static double policy_auto(const struct job *job)
{
    double computed = job->computed_before + clock_monotonic() - job->started;
    double ran = computed + history_lost(&job->history);
    double between = (ran + POLICY_PRIOR) / (1 + (double)history_interruptions(&job->history));
    double cost = fmax(job->last_cost, 1e-4);
    /* Never more than a tenth of the time, nor more often than the clock is worth looking at. */
    return fmin(fmax(fmax(policy_daly(cost, between), 10 * cost), 1), 3600);
}

double policy_interval(const struct job *job)
{
    double interval = job->host->options.interval;
    if (interval == OPTIONS_INTERVAL_NEVER)
        return SCHEDULE_NEVER;
    if (interval == OPTIONS_INTERVAL_AUTO)
        return policy_auto(job);
    return interval;
}

/* Reads one number of a file such as /proc/meminfo, in bytes behind `label`; -1 if it is not
 * there. */
static double policy_number(const char *file, const char *label, double unit)
{
    char line[256];
    double value = -1;
    FILE *in = fopen(file, "re");
    if (in == NULL)
        return -1;
    while (value < 0 && fgets(line, sizeof line, in) != NULL)
        if (strncmp(line, label, strlen(label)) == 0)
            sscanf(line + strlen(label), "%lf", &value);
    fclose(in);
    return value < 0 ? -1 : value * unit;
}

/* Bytes that this process may still take: of the machine, and of its control group. */
static double policy_free_memory(void)
{
    double available = policy_number("/proc/meminfo", "MemAvailable:", 1024);
    double limit = policy_number("/sys/fs/cgroup/memory.max", "", 1);
    double used = policy_number("/sys/fs/cgroup/memory.current", "", 1);
    if (limit >= 0 && used >= 0 && (available < 0 || limit - used < available))
        available = limit - used;
    return available;
}

int policy_forks(lua_State *L, const struct job *job)
{
    enum options_save save = job->host->options.save;
    if (save == OPTIONS_SAVE_INLINE || registry_has_savers(L))
        return 0; /* a child runs no Lua */
    if (save == OPTIONS_SAVE_FORK)
        return 1;
    if (!job->host->handle_signals || job->last_cost < POLICY_WORTH_FORKING)
        return 0;
    /* At worst every page is copied while the child writes. */
    double resident = policy_number("/proc/self/status", "VmRSS:", 1024);
    double available = policy_free_memory();
    return resident >= 0 && available >= 0 && available > 1.2 * resident;
}
