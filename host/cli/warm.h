/*
 * Pages of memory: those that every run touches are brought in at once, and those that come and go
 * with each collection of garbage are kept.
 */
#ifndef CKPTLUA_CLI_WARM_H
#define CKPTLUA_CLI_WARM_H

/* At the start, before anything is allocated. Does nothing where the system or the allocator does
 * not allow it. */
void warm_up(void);

#endif
