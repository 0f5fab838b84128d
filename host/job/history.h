/*
 * The runs of a job: when and where each was, and how it ended. The last HISTORY_LENGTH are kept.
 */
#ifndef CKPTLUA_JOB_HISTORY_H
#define CKPTLUA_JOB_HISTORY_H

#include <lua.h>

enum { HISTORY_LENGTH = 100 };

#define HISTORY_UNKNOWN (-1.0)

struct history_run {
    double start, end; /* wall clock; end 0: not known, or not ended */
    double lost;       /* seconds of work behind the save that was continued, or HISTORY_UNKNOWN */
    char host[64];
    char ended[64]; /* "" while it runs */
};

struct history {
    struct history_run runs[HISTORY_LENGTH];
    int count;
    long earlier; /* runs that were dropped */
};

/* A new run begins now; one that is not known to have ended is taken for killed. */
void history_begin(struct history *history);

/* In a history out of a snapshot: what became of the run of that number, by *seen; "" for `ended`
 * is killed. One that is not there, as it has saved nothing, is added. Returns 0, and changes
 * nothing, where the history knows how that run ended. */
int history_add_end(struct history *history, long number, const struct history_run *seen);

/* How the present run ends, if it ends with the snapshot that is about to be written; "" undoes it.
 */
void history_end(struct history *history, const char *how);

/* Whether the last run is known to have ended: of a history out of a snapshot, that the run ended
 * with that save. */
int history_has_ended(const struct history *history);

/* Times that a run was cut short from outside, and the seconds of work known to be lost by it. */
int history_interruptions(const struct history *history);
double history_lost(const struct history *history);

/* The number of the present run. */
long history_number(const struct history *history);

/* As plain data, and back; a field that makes no sense is left out. */
void history_push(lua_State *L, const struct history *history);
void history_read(lua_State *L, int index, struct history *history);

#endif
