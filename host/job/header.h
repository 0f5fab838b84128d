/*
 * The first two objects of a job's snapshot, as plain data: the header, which says what it is, and
 * the state of the job besides its variables.
 */
#ifndef CKPTLUA_JOB_HEADER_H
#define CKPTLUA_JOB_HEADER_H

#include "job/host.h"
#include "job/stdio.h"

enum { HEADER_REASON = 64 };

/* What a header says, as far as it is needed to continue. Texts are "" where they are missing. */
struct header {
    char kind[16], resume[16], id[33];
    char script[256], hash[33];
    char reason[HEADER_REASON], host[64];
    char machine[256], features[256];
    char version[32], lua[32];
    double saved, computed, saving;
    int64_t generation, saves, resumed, seed;
    int deterministic;
    unsigned layers; /* enum layers */
    int finished, exit_code;
    int same_arguments;  /* as those of the job that reads it */
    char arguments[256]; /* with spaces in between, perhaps cut off; "none" */
};

/* Pushes the header of a save that happens now. finished: the exit code of a job that has ended,
 * or -1. */
void header_push(lua_State *L, const struct job *job, const char *reason, int finished);

/* Pushes the header of a file that ckpt.save writes. */
void header_push_plain(lua_State *L);

/* Reads the table at index; history may be NULL. */
void header_read(lua_State *L, int index, const struct script *script, struct header *header,
                 struct history *history);

/* "x86_64, glibc 2.36" and the features of the processor that change how libm computes. */
void header_machine(char *machine, size_t size, char *features, size_t features_size);

/* Pushes the state: random numbers, clock, files, streams, ckpt.config. */
void header_push_state(lua_State *L, struct job *job, const struct stdio_state streams[2]);

/* The streams out of the state at index. */
void header_read_streams(lua_State *L, int index, struct stdio_state streams[2]);

#endif
