#include "cli/help.h"

#include <stdio.h>
#include <string.h>

enum { WIDTH = 79, SUMMARY_COLUMN = 27, GROUP_SIZE = 6 };

/* Options that are in no group come last. */
static const struct help_group {
    const char *title;
    const char *names[GROUP_SIZE];
} help_groups[] = {
    {"Saving", {"interval", "save", "snapshot", "generations"}},
    {"Continuing", {"resume", "fresh", "from"}},
    {"Ending", {"exit-after", "exit-code", "on-signal", "on-finish"}},
    {"The job", {"output", "seed", "deterministic"}},
    {"Messages", {"progress", "quiet", "verbose"}},
};

enum { GROUPS = sizeof help_groups / sizeof help_groups[0] };

static int help_group_has(const struct help_group *group, const char *name)
{
    for (int i = 0; i < GROUP_SIZE && group->names[i] != NULL; i++)
        if (strcmp(group->names[i], name) == 0)
            return 1;
    return 0;
}

static int help_is_grouped(const char *name)
{
    for (int i = 0; i < GROUPS; i++)
        if (help_group_has(&help_groups[i], name))
            return 1;
    return 0;
}

/* Words of text from `column` on; lines that follow begin at SUMMARY_COLUMN. */
static void help_print_wrapped(const char *text, int column)
{
    if (column >= SUMMARY_COLUMN) {
        putchar('\n');
        column = 0;
    }
    printf("%*s", SUMMARY_COLUMN - column, "");
    column = SUMMARY_COLUMN;
    while (*text != '\0') {
        int word = (int)strcspn(text, " ");
        if (column > SUMMARY_COLUMN && column + 1 + word > WIDTH) {
            printf("\n%*s", SUMMARY_COLUMN, "");
            column = SUMMARY_COLUMN;
        }
        column += printf("%s%.*s", column > SUMMARY_COLUMN ? " " : "", word, text);
        text += word + (text[word] == ' ');
    }
    putchar('\n');
}

static void help_print_option(const ckptlua_option *option)
{
    const char *argument = option->argument != NULL ? option->argument : "";
    int column = printf("  --%s%s%s", option->name,
                        *argument == '\0' || *argument == '[' ? "" : " ", argument);
    help_print_wrapped(option->summary, column);
}

void help_print(const ckptlua_option *list)
{
    puts("Usage: ckptlua [options] job.lua [arg ...]\n"
         "           run a Lua 5.4 script; interrupted, the same command continues it\n"
         "       ckptlua inspect [--json] FILE [NAME ...]\n"
         "           what is in a snapshot; with names, those variables' values\n"
         "       ckptlua export FILE OUT\n"
         "           the variables of a snapshot as OUT.json or OUT.msgpack\n"
         "       ckptlua verify [--kills N] [--kill-seed N] [--timeout D] [--input FILE]\n"
         "               [--keep] [options] job.lua [arg ...]\n"
         "           prove that a job resumes: run it undisturbed, run it again while\n"
         "           killing it, compare");
    for (int i = 0; i < GROUPS; i++) {
        printf("\n%s\n", help_groups[i].title);
        for (const ckptlua_option *option = list; option->name != NULL; option++)
            if (help_group_has(&help_groups[i], option->name))
                help_print_option(option);
    }
    puts("\nOthers");
    for (const ckptlua_option *option = list; option->name != NULL; option++)
        if (!help_is_grouped(option->name))
            help_print_option(option);
    puts("\n"
         "D is a duration: 500ms, 60s, 5m, 4h, 1d. The options of a job can be given by\n"
         "the environment too: CKPTLUA_INTERVAL=5m.\n"
         "Exit codes: 0 ended well, 1 failed, 2 wrong use, 3 the snapshot cannot be used,\n"
         "4 not saved, 5 running already, 85 saved: run it again, 130 saved after Ctrl-C.");
}

void help_print_version(void)
{
    printf("ckptlua %s (%s)\n", ckptlua_version(), LUA_RELEASE);
}
