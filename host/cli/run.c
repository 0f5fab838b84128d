#include "cli/run.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/help.h"
#include "cli/message.h"
#include "cli/options.h"
#include "include/ckptlua.h"

static const ckptlua_option run_own_options[] = {
    {"help", NULL, "print this and exit"},
    {"version", NULL, "print the version and exit"},
    {NULL, NULL, NULL},
};

struct run {
    ckptlua *host;
    int help, version;
};

static int run_take_option(void *context, const char *name, const char *value)
{
    struct run *run = context;
    if (strcmp(name, "help") == 0) {
        run->help = 1;
        return CKPTLUA_OK;
    }
    if (strcmp(name, "version") == 0) {
        run->version = 1;
        return CKPTLUA_OK;
    }
    int code = ckptlua_set(run->host, name, value);
    if (code != CKPTLUA_OK)
        message_take(NULL, ckptlua_message(run->host));
    return code;
}

/* The job ends in the middle of its script: its files are flushed, and neither the script nor
 * atexit functions of libraries are to run any more. */
static void run_exit(void *context, int code)
{
    (void)context;
    _exit(message_finish(code));
}

/* Whether word is a command, or is not a file and was meant to be one; prints what to write. */
static int run_is_command(const char *word)
{
    static const char *const commands[] = {"inspect", "export", "verify"};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(word, commands[i]) == 0) {
            message_print("%s comes first: ckptlua %s ...; a script of that name is ./%s", word,
                          word, word);
            return 1;
        }
        if (options_distance(word, commands[i]) <= 2 && access(word, F_OK) != 0) {
            message_print("%s: no such file; did you mean ckptlua %s?", word, commands[i]);
            return 1;
        }
    }
    return 0;
}

/* The job has ended, and the process is about to: its exit code says how, and none of the signals
 * that a job deals with is to take the place of that. */
static void run_keep_code(void)
{
    static const int signals[] = {SIGTERM, SIGUSR1, SIGHUP, SIGXCPU, SIGUSR2, SIGINT};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], SIG_IGN);
}

static int run_job(struct run *run, int argc, char *argv[])
{
    if (argc == 0) {
        message_print("no script given; usage: ckptlua [options] job.lua [arg ...], "
                      "or see ckptlua --help");
        return CKPTLUA_USAGE;
    }
    if (run_is_command(argv[0]))
        return CKPTLUA_USAGE;
    int code = ckptlua_set_from_environment(run->host);
    if (code != CKPTLUA_OK) {
        message_take(NULL, ckptlua_message(run->host));
        return code;
    }
    ckptlua_on_exit(run->host, run_exit, NULL);
    ckptlua_handle_signals(run->host, 1);
    code = ckptlua_run(run->host, argv[0], argc - 1, argv + 1);
    run_keep_code();
    return code;
}

static int run_with(struct run *run, const ckptlua_option *list, int argc, char *argv[])
{
    int next = argc;
    int code = options_read(argc, argv, list, run_take_option, run, &next);
    if (code != CKPTLUA_OK)
        return code;
    if (run->help)
        help_print(list);
    else if (run->version)
        help_print_version();
    else
        return run_job(run, argc - next, argv + next);
    return CKPTLUA_OK;
}

int run_main(int argc, char *argv[])
{
    struct run run = {.host = ckptlua_new()};
    ckptlua_option *list = options_join(run_own_options);
    int code = CKPTLUA_FAILED;
    if (run.host == NULL || list == NULL) {
        message_print("out of memory");
    } else {
        ckptlua_on_message(run.host, message_take, NULL);
        code = run_with(&run, list, argc, argv);
    }
    free(list);
    ckptlua_free(run.host);
    return code;
}
