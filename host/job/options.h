/*
 * The options of a job, from four places: the defaults, ckpt.config in the script (kept in the
 * snapshot), the environment, the command line. A later one in this list wins.
 */
#ifndef CKPTLUA_JOB_OPTIONS_H
#define CKPTLUA_JOB_OPTIONS_H

#include <stdint.h>

#include "base/error.h"
#include "ckptlua.h"

enum options_source { OPTIONS_DEFAULT, OPTIONS_SCRIPT, OPTIONS_ENVIRONMENT, OPTIONS_COMMAND };

enum options_save { OPTIONS_SAVE_AUTO, OPTIONS_SAVE_INLINE, OPTIONS_SAVE_FORK };
enum options_resume { OPTIONS_EXACT, OPTIONS_GLOBALS };
enum options_finish { OPTIONS_REMOVE, OPTIONS_KEEP, OPTIONS_EMPTY };
enum options_show { OPTIONS_SHOW_AUTO, OPTIONS_SHOW_ON };
enum options_action { OPTIONS_EXIT, OPTIONS_CONTINUE, OPTIONS_RAISE, OPTIONS_IGNORE, OPTIONS_STOP };

/* Signals that a job reacts to. OPTIONS_STOP is the default of INT: save, exit 130. */
enum options_signal {
    OPTIONS_TERM,
    OPTIONS_USR1,
    OPTIONS_HUP,
    OPTIONS_XCPU,
    OPTIONS_USR2,
    OPTIONS_INT,
    OPTIONS_SIGNALS
};

/* Values of interval that are no length of time. */
#define OPTIONS_INTERVAL_NEVER (-1.0)
#define OPTIONS_INTERVAL_AUTO (-2.0)

enum { OPTIONS_COUNT = 17 };

struct options {
    double interval;   /* seconds, or one of the above; 0: at every checkpoint() */
    double exit_after; /* seconds; negative: off */
    char *snapshot;    /* NULL: from the script's name */
    char *output;      /* NULL: none */
    char *from;        /* NULL: none */
    int generations;
    int exit_code;   /* 6 to 255 */
    int exit_signal; /* or the signal to die of, 0 for none */
    enum options_action actions[OPTIONS_SIGNALS];
    int has_seed;
    int64_t seed;
    int deterministic;
    enum options_resume resume;
    int fresh, quiet, verbose;
    enum options_show progress;
    enum options_save save;
    enum options_finish on_finish;
    enum options_source sources[OPTIONS_COUNT]; /* by place in options_table */
};

extern const ckptlua_option options_table[];

/* The numbers and names of the signals above: "TERM". */
int options_signal_number(enum options_signal signal);
const char *options_signal_name(int number);

void options_init(struct options *options);
void options_free(struct options *options);

/* Sets one option by its name; where a higher source has set it already, the value is checked and
 * left alone. Returns 0, ERROR_INVALID or ERROR_MEMORY; the message begins with "--name". */
int options_set(struct options *options, enum options_source source, const char *name,
                const char *value, struct error *error);

/* Whether `resume` was given, or is the default. */
int options_has_resume(const struct options *options);

/* Whether `deterministic` was given. */
int options_has_deterministic(const struct options *options);

/* Takes CKPTLUA_NAME variables. */
int options_set_from_environment(struct options *options, struct error *error);

#endif
