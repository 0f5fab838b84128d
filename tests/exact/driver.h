/*
 * One process of a chain: a script is started, or continued from the snapshot, and runs for some
 * instructions, or to its end.
 */
#ifndef CKPTLUA_TESTS_EXACT_DRIVER_H
#define CKPTLUA_TESTS_EXACT_DRIVER_H

/* Returns the exit code, 85 where the script is saved. after: instructions; negative: to the end.
 * What a script that has not come to its end had in memory is left as it is. */
int driver_run(long after, const char *seed, const char *snapshot, const char *script, int argc,
               char *argv[]);

#endif
