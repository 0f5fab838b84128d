/*
 * ckptlua [options] job.lua [arg ...]
 */
#ifndef CKPTLUA_CLI_RUN_H
#define CKPTLUA_CLI_RUN_H

/* Returns the exit code of the program. */
int run_main(int argc, char *argv[]);

#endif
