/*
 * Decisions: when to save next, and whether a child does it.
 */
#ifndef CKPTLUA_JOB_POLICY_H
#define CKPTLUA_JOB_POLICY_H

#include "job/host.h"

/* Seconds from the end of a save to the next, or SCHEDULE_NEVER. */
double policy_interval(const struct job *job);

/* Young's optimum, with Daly's next term, for a save that costs `cost` seconds and a mean time of
 * `between` seconds from one interruption to the next. (J. T. Daly, A higher order estimate of the
 * optimum checkpoint interval for restart dumps, Future Generation Computer Systems 22, 2006.) */
double policy_daly(double cost, double between);

/* Whether the save at hand should be done by a forked child. */
int policy_forks(lua_State *L, const struct job *job);

#endif
