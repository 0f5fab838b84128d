/*
 * The program: finds the command and runs it.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/export.h"
#include "cli/inspect.h"
#include "cli/message.h"
#include "cli/run.h"
#include "cli/verify.h"
#include "cli/warm.h"
#include "include/ckptlua.h"

/* A script of such a name is run as ./inspect. */
static const struct command {
    const char *name;
    int (*function)(int argc, char *argv[]); /* NULL: of a later version */
} commands[] = {
    {"inspect", inspect_main}, {"export", export_main}, {"verify", verify_main}, {"submit", NULL},
    {"status", NULL},          {"fetch", NULL},         {"doctor", NULL},        {"report", NULL},
};

/* A standard stream that was closed by the caller must not become the number of a snapshot. What
 * takes its place fails like a closed one. */
static void fill_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) == -1)
            (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

static int dispatch(int argc, char *argv[])
{
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        if (commands[i].function != NULL)
            return commands[i].function(argc - 1, argv + 1);
        message_print("%s: not in this version", argv[1]);
        return CKPTLUA_USAGE;
    }
    return run_main(argc, argv);
}

int main(int argc, char *argv[])
{
    warm_up();
    fill_standard_streams();
    return message_finish(dispatch(argc, argv));
}
