/*
 * Signal handlers, installed only for a host that asked for them. They set flags in its schedule
 * and nothing else.
 */
#ifndef CKPTLUA_JOB_SIGNALS_H
#define CKPTLUA_JOB_SIGNALS_H

#include <signal.h>

#include "base/error.h"
#include "job/options.h"
#include "job/schedule.h"

/* Has the thread that runs the script look up: ignored by default, and used by nobody else. */
#define SIGNALS_CALL SIGURG

struct signals {
    struct sigaction before[OPTIONS_SIGNALS];
    struct sigaction before_call;
    int installed;
};

/* Fails with ERROR_BUSY if another host of this process has them. SIGNALS_CALL calls
 * on_call(context). */
int signals_install(struct signals *signals, struct schedule *schedule,
                    const struct options *options, void (*on_call)(void *context), void *context,
                    struct error *error);

/* The actions have changed. */
void signals_set_actions(const struct options *options);

void signals_remove(struct signals *signals);

/* In a forked child that saves: what would end or disturb it is ignored; KILL is not. */
void signals_ignore_all(void);

/* Ends the process by this signal. */
_Noreturn void signals_die_of(int number);

#endif
