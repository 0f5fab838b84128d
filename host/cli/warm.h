/*
 * Memory that every run touches, brought in at once.
 */
#ifndef CKPTLUA_CLI_WARM_H
#define CKPTLUA_CLI_WARM_H

/* At the start, before anything is allocated. Does nothing where the system or the allocator does
 * not allow it. */
void warm_up(void);

#endif
