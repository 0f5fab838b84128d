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

struct signals {
    struct sigaction before[OPTIONS_SIGNALS];
    int installed;
};

/* Fails with ERROR_BUSY if another host of this process has them. */
int signals_install(struct signals *signals, struct schedule *schedule,
                    const struct options *options, struct error *error);

/* The actions have changed. */
void signals_set_actions(const struct options *options);

void signals_remove(struct signals *signals);

/* In a forked child that saves: what would end or disturb it is ignored; KILL is not. */
void signals_ignore_all(void);

/* Ends the process by this signal. */
_Noreturn void signals_die_of(int number);

#endif
