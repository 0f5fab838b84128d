#include "job/options.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

const ckptlua_option options_table[] = {
    {"interval", "D", "time between saves: 500ms, 60s, 5m, 4h, 1d, 0, auto, never (60s)"},
    {"snapshot", "FILE", "where the state is kept (./<script name without .lua>.ckpt)"},
    {"generations", "N", "complete snapshots kept: FILE, FILE.1, ... (2)"},
    {"exit-after", "D", "after D of this run: save, then exit with the checkpoint code (off)"},
    {"exit-code", "N|SIGNAL", "the code that says \"saved, run me again\" (85)"},
    {"output", "FILE", "the job's stdout goes to FILE, no line lost or doubled"},
    {"on-signal", "NAME=ACTION", "exit, continue, raise or ignore on a signal"},
    {"seed", "N",
     "seed of math.random and of the order of pairs, for the job's whole life (random)"},
    {"deterministic", "[=no]", "garbage is collected at repeatable moments (yes)"},
    {"resume", "exact|globals", "how to continue (exact)"},
    {"fresh", NULL, "start over; the old snapshot is renamed to FILE.old"},
    {"from", "MARK", "continue from the state kept by ckpt.mark(MARK)"},
    {"on-finish", "remove|keep|empty", "what becomes of FILE after a good end (remove)"},
    {"save", "inline|fork|auto", "save in the job's process or from a copy of it (auto)"},
    {"progress", NULL, "show the progress bar even where stderr is no terminal"},
    {"quiet", NULL, "say nothing but errors"},
    {"verbose", NULL, "tell of every save"},
    {NULL, NULL, NULL},
};

enum options_index {
    OPTION_INTERVAL,
    OPTION_SNAPSHOT,
    OPTION_GENERATIONS,
    OPTION_EXIT_AFTER,
    OPTION_EXIT_CODE,
    OPTION_OUTPUT,
    OPTION_ON_SIGNAL,
    OPTION_SEED,
    OPTION_DETERMINISTIC,
    OPTION_RESUME,
    OPTION_FRESH,
    OPTION_FROM,
    OPTION_ON_FINISH,
    OPTION_SAVE,
    OPTION_PROGRESS,
    OPTION_QUIET,
    OPTION_VERBOSE
};

_Static_assert(sizeof options_table / sizeof *options_table == OPTIONS_COUNT + 1,
               "OPTIONS_COUNT is the length of options_table");

static const struct {
    const char *name;
    int number;
} options_signals[OPTIONS_SIGNALS] = {
    [OPTIONS_TERM] = {"TERM", SIGTERM}, [OPTIONS_USR1] = {"USR1", SIGUSR1},
    [OPTIONS_HUP] = {"HUP", SIGHUP},    [OPTIONS_XCPU] = {"XCPU", SIGXCPU},
    [OPTIONS_USR2] = {"USR2", SIGUSR2}, [OPTIONS_INT] = {"INT", SIGINT},
};

int options_signal_number(enum options_signal signal)
{
    return options_signals[signal].number;
}

const char *options_signal_name(int number)
{
    const char *name = sigabbrev_np(number);
    return name == NULL ? "?" : name;
}

void options_init(struct options *options)
{
    *options = (struct options){
        .interval = 60,
        .exit_after = -1,
        .generations = 2,
        .exit_code = CKPTLUA_AGAIN,
        .deterministic = 1,
        .actions = {[OPTIONS_USR2] = OPTIONS_CONTINUE, [OPTIONS_INT] = OPTIONS_STOP},
    };
}

void options_free(struct options *options)
{
    free(options->snapshot);
    free(options->output);
    free(options->from);
    options_init(options);
}

/* ---------------------------------------------------------------- values */

static int options_bad(struct error *error, const char *name, const char *value,
                       const char *expected)
{
    return error_set(error, ERROR_INVALID, "--%s: '%s' is not %s", name, value, expected);
}

static int options_duration(const char *name, const char *value, double *seconds,
                            struct error *error)
{
    if (clock_parse_duration(value, seconds) == 0)
        return 0;
    return options_bad(error, name, value, "a duration; write 500ms, 60s, 5m, 4h or 1d");
}

static int options_integer(const char *text, int64_t least, int64_t most, int64_t *value)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || isspace((unsigned char)*text) ||
        number < least || number > most)
        return ERROR_INVALID;
    *value = number;
    return 0;
}

static int options_choice(const char *value, const char *const *choices, int *chosen)
{
    for (int i = 0; choices[i] != NULL; i++)
        if (strcmp(value, choices[i]) == 0) {
            *chosen = i;
            return 0;
        }
    return ERROR_INVALID;
}

static int options_text(char **text, const char *name, const char *value, struct error *error)
{
    if (*value == '\0')
        return error_set(error, ERROR_INVALID, "--%s: a name is missing", name);
    char *copy = strdup(value);
    if (copy == NULL)
        return error_set(error, ERROR_MEMORY, "not enough memory");
    free(*text);
    *text = copy;
    return 0;
}

static int options_set_interval(struct options *options, const char *name, const char *value,
                                struct error *error)
{
    if (strcmp(value, "never") == 0)
        options->interval = OPTIONS_INTERVAL_NEVER;
    else if (strcmp(value, "auto") == 0)
        options->interval = OPTIONS_INTERVAL_AUTO;
    else
        return options_duration(name, value, &options->interval, error);
    return 0;
}

static int options_set_exit_after(struct options *options, const char *name, const char *value,
                                  struct error *error)
{
    double seconds;
    if (strcmp(value, "auto") == 0)
        return error_set(error, ERROR_INVALID, "--exit-after auto: not in this version");
    if (options_duration(name, value, &seconds, error) != 0)
        return ERROR_INVALID;
    if (seconds <= 0)
        return error_set(error, ERROR_INVALID, "--exit-after: it must be longer than 0");
    options->exit_after = seconds;
    return 0;
}

/* Number of the signal of that name, "TERM" or "SIGTERM", or 0. */
static int options_any_signal(const char *text)
{
    if (strncmp(text, "SIG", 3) == 0)
        text += 3;
    for (int number = 1; number < NSIG; number++) {
        const char *name = sigabbrev_np(number);
        if (name != NULL && strcmp(name, text) == 0)
            return number;
    }
    return 0;
}

static int options_set_exit_code(struct options *options, const char *name, const char *value,
                                 struct error *error)
{
    int64_t code;
    int number = options_any_signal(value);
    if (number != 0) {
        options->exit_signal = number;
        return 0;
    }
    if (options_integer(value, 0, 255, &code) != 0)
        return options_bad(error, name, value,
                           "an exit code from 6 to 255 or a signal such as USR2");
    if (code <= CKPTLUA_BUSY)
        return error_set(error, ERROR_INVALID,
                         "--exit-code: %d has a meaning already; take one from 6 to 255",
                         (int)code);
    options->exit_code = (int)code;
    options->exit_signal = 0;
    return 0;
}

/* One NAME=ACTION. */
static int options_set_one_signal(struct options *options, const char *name, const char *value,
                                  size_t length, struct error *error)
{
    static const char *const actions[] = {[OPTIONS_EXIT] = "exit",
                                          [OPTIONS_CONTINUE] = "continue",
                                          [OPTIONS_RAISE] = "raise",
                                          [OPTIONS_IGNORE] = "ignore",
                                          NULL};
    char text[64];
    if (length < sizeof text) {
        memcpy(text, value, length);
        text[length] = '\0';
        char *equals = strchr(text, '=');
        int action;
        if (equals != NULL && options_choice(equals + 1, actions, &action) == 0) {
            *equals = '\0';
            const char *signal = strncmp(text, "SIG", 3) == 0 ? text + 3 : text;
            for (int i = 0; i < OPTIONS_SIGNALS; i++)
                if (strcmp(signal, options_signals[i].name) == 0) {
                    options->actions[i] = (enum options_action)action;
                    return 0;
                }
        }
    }
    return options_bad(error, name, value,
                       "NAME=ACTION; the names are TERM, USR1, HUP, XCPU, USR2 and INT, the "
                       "actions exit, continue, raise and ignore");
}

/* NAME=ACTION, or several with commas between them. */
static int options_set_on_signal(struct options *options, const char *name, const char *value,
                                 struct error *error)
{
    for (;;) {
        size_t length = strcspn(value, ",");
        int status = options_set_one_signal(options, name, value, length, error);
        if (status != 0 || value[length] == '\0')
            return status;
        value += length + 1;
    }
}

static int options_set_seed(struct options *options, const char *name, const char *value,
                            struct error *error)
{
    if (options_integer(value, INT64_MIN, INT64_MAX, &options->seed) != 0)
        return options_bad(error, name, value, "an integer");
    options->has_seed = 1;
    return 0;
}

static int options_set_generations(struct options *options, const char *name, const char *value,
                                   struct error *error)
{
    int64_t number;
    if (options_integer(value, 1, 1000, &number) != 0)
        return options_bad(error, name, value, "a number from 1 to 1000");
    options->generations = (int)number;
    return 0;
}

static int options_set_resume(struct options *options, const char *name, const char *value,
                              struct error *error)
{
    static const char *const choices[] = {
        [OPTIONS_EXACT] = "exact", [OPTIONS_GLOBALS] = "globals", NULL};
    int chosen;
    if (options_choice(value, choices, &chosen) != 0)
        return options_bad(error, name, value, "exact or globals");
    options->resume = (enum options_resume)chosen;
    return 0;
}

static int options_set_from(struct options *options, const char *name, const char *value,
                            struct error *error)
{
    if (strchr(value, '/') != NULL)
        return options_bad(error, name, value, "the name of a mark");
    return options_text(&options->from, name, value, error);
}

static int options_set_on_finish(struct options *options, const char *name, const char *value,
                                 struct error *error)
{
    static const char *const choices[] = {
        [OPTIONS_REMOVE] = "remove", [OPTIONS_KEEP] = "keep", [OPTIONS_EMPTY] = "empty", NULL};
    int chosen;
    if (options_choice(value, choices, &chosen) != 0)
        return options_bad(error, name, value, "remove, keep or empty");
    options->on_finish = (enum options_finish)chosen;
    return 0;
}

static int options_set_save(struct options *options, const char *name, const char *value,
                            struct error *error)
{
    static const char *const choices[] = {[OPTIONS_SAVE_AUTO] = "auto",
                                          [OPTIONS_SAVE_INLINE] = "inline",
                                          [OPTIONS_SAVE_FORK] = "fork",
                                          NULL};
    int chosen;
    if (options_choice(value, choices, &chosen) != 0)
        return options_bad(error, name, value, "inline, fork or auto");
    options->save = (enum options_save)chosen;
    return 0;
}

static int options_set_deterministic(struct options *options, const char *name, const char *value,
                                     struct error *error)
{
    int yes = strcmp(value, "yes") == 0 || strcmp(value, "1") == 0;
    if (!yes && strcmp(value, "no") != 0 && strcmp(value, "0") != 0)
        return options_bad(error, name, value, "yes or no");
    options->deterministic = yes;
    return 0;
}

static int options_apply(struct options *options, enum options_index index, const char *value,
                         struct error *error)
{
    const char *name = options_table[index].name;
    switch (index) {
    case OPTION_INTERVAL:
        return options_set_interval(options, name, value, error);
    case OPTION_SNAPSHOT:
        return options_text(&options->snapshot, name, value, error);
    case OPTION_GENERATIONS:
        return options_set_generations(options, name, value, error);
    case OPTION_EXIT_AFTER:
        return options_set_exit_after(options, name, value, error);
    case OPTION_EXIT_CODE:
        return options_set_exit_code(options, name, value, error);
    case OPTION_OUTPUT:
        return options_text(&options->output, name, value, error);
    case OPTION_ON_SIGNAL:
        return options_set_on_signal(options, name, value, error);
    case OPTION_SEED:
        return options_set_seed(options, name, value, error);
    case OPTION_RESUME:
        return options_set_resume(options, name, value, error);
    case OPTION_FROM:
        return options_set_from(options, name, value, error);
    case OPTION_ON_FINISH:
        return options_set_on_finish(options, name, value, error);
    case OPTION_SAVE:
        return options_set_save(options, name, value, error);
    case OPTION_DETERMINISTIC:
        return options_set_deterministic(options, name, value, error);
    case OPTION_FRESH:
        options->fresh = 1;
        return 0;
    case OPTION_PROGRESS:
        options->progress = OPTIONS_SHOW_ON;
        return 0;
    case OPTION_QUIET:
        options->quiet = 1;
        return 0;
    case OPTION_VERBOSE:
        options->verbose = 1;
        return 0;
    }
    return ERROR_INVALID;
}

/* ---------------------------------------------------------------- sources */

static int options_find(const char *name, enum options_index *index)
{
    for (int i = 0; options_table[i].name != NULL; i++)
        if (strcmp(name, options_table[i].name) == 0) {
            *index = (enum options_index)i;
            return 0;
        }
    return ERROR_INVALID;
}

int options_set(struct options *options, enum options_source source, const char *name,
                const char *value, struct error *error)
{
    enum options_index index;
    if (options_find(name, &index) != 0)
        return error_set(error, ERROR_INVALID, "unknown option --%s", name);
    const char *argument = options_table[index].argument;
    if (argument == NULL && value != NULL)
        return error_set(error, ERROR_INVALID, "--%s takes no value", name);
    if (argument == NULL)
        value = "";
    else if (value == NULL && *argument == '[')
        value = "yes";
    else if (value == NULL)
        return error_set(error, ERROR_INVALID, "--%s: a value is missing", name);
    if (source < options->sources[index]) {
        struct options checked; /* the value must make sense all the same */
        options_init(&checked);
        int status = options_apply(&checked, index, value, error);
        options_free(&checked);
        return status;
    }
    int status = options_apply(options, index, value, error);
    if (status == 0)
        options->sources[index] = source;
    return status;
}

int options_has_resume(const struct options *options)
{
    return options->sources[OPTION_RESUME] != OPTIONS_DEFAULT;
}

int options_has_deterministic(const struct options *options)
{
    return options->sources[OPTION_DETERMINISTIC] != OPTIONS_DEFAULT;
}

/* "exit-code" to "CKPTLUA_EXIT_CODE". */
static void options_variable(const char *name, char *variable, size_t size)
{
    snprintf(variable, size, "CKPTLUA_%s", name);
    for (char *at = variable; *at != '\0'; at++)
        *at = (char)(*at == '-' ? '_' : toupper((unsigned char)*at));
}

int options_set_from_environment(struct options *options, struct error *error)
{
    for (int i = 0; options_table[i].name != NULL; i++) {
        char variable[64];
        const char *name = options_table[i].name;
        options_variable(name, variable, sizeof variable);
        const char *value = getenv(variable);
        if (value == NULL)
            continue;
        struct error cause;
        int status = 0;
        if (options_table[i].argument != NULL)
            status = options_set(options, OPTIONS_ENVIRONMENT, name, value, &cause);
        else if (strcmp(value, "1") == 0)
            status = options_set(options, OPTIONS_ENVIRONMENT, name, NULL, &cause);
        else if (strcmp(value, "0") != 0 && *value != '\0')
            status = options_bad(&cause, name, value, "0 or 1");
        if (status != 0)
            return error_set(error, status, "%s (from the environment, %s)", cause.message,
                             variable);
    }
    return 0;
}
