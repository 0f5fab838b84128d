/*
 * ckptlua verify [options] job.lua [arg ...]: proves that a job resumes.
 *
 * The flow, the comparison and what is printed are in Lua: lua/verify.lua, lua/series.lua and
 * lua/compare.lua. Here are the command line and what Lua cannot do: processes (verify_run.h),
 * copies (verify_copy.h) and scratch directories (verify_scratch.h).
 */
#ifndef CKPTLUA_CLI_VERIFY_H
#define CKPTLUA_CLI_VERIFY_H

/* argv[0] is "verify". Returns the exit code of the program. */
int verify_main(int argc, char *argv[]);

#endif
