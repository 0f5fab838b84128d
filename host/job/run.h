/*
 * The life of a job: from the script's name to an exit code.
 */
#ifndef CKPTLUA_JOB_RUN_H
#define CKPTLUA_JOB_RUN_H

struct ckptlua;

/* What ckptlua_run does, for a host that is ready. */
int run_job(struct ckptlua *host, const char *path, int argc, char *const argv[]);

#endif
