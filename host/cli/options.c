#include "cli/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/message.h"

enum { LONGEST_NAME = 40, SUGGESTED_DISTANCE = 2, FAR_APART = 99 };

/* Of later versions; named here so that nobody looks for a spelling mistake. */
static const char *const later_options[] = {"-i"};

static size_t options_count(const ckptlua_option *list)
{
    size_t count = 0;
    while (list[count].name != NULL)
        count++;
    return count;
}

ckptlua_option *options_join(const ckptlua_option *own)
{
    const ckptlua_option *job = ckptlua_options();
    size_t jobs = options_count(job), owns = options_count(own);
    ckptlua_option *list = calloc(jobs + owns + 1, sizeof *list);
    if (list == NULL)
        return NULL;
    memcpy(list, job, jobs * sizeof *list);
    memcpy(list + jobs, own, owns * sizeof *list);
    return list;
}

static int options_least(int a, int b)
{
    return a < b ? a : b;
}

int options_distance(const char *one, const char *other)
{
    size_t rows = strlen(one), columns = strlen(other);
    if (rows > LONGEST_NAME || columns > LONGEST_NAME)
        return FAR_APART;
    /* d[i][j] is the distance of the first i letters from the first j of the other. */
    int d[LONGEST_NAME + 1][LONGEST_NAME + 1];
    for (size_t i = 0; i <= rows; i++) {
        for (size_t j = 0; j <= columns; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = (int)(i + j);
                continue;
            }
            int wrong = d[i - 1][j - 1] + (one[i - 1] != other[j - 1]);
            d[i][j] = options_least(wrong, options_least(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                d[i][j] = options_least(d[i][j], d[i - 2][j - 2] + 1);
        }
    }
    return d[rows][columns];
}

/* 0 for a beginning of the name, which is what was meant more often than any slip. */
static int options_likeness(const char *word, const char *name)
{
    if (strncmp(word, name, strlen(word)) == 0)
        return 0;
    int distance = options_distance(word, name);
    /* Of a word of two letters, two slips leave nothing. */
    return distance < (int)strlen(word) ? distance : FAR_APART;
}

static void options_unknown(const ckptlua_option *list, const char *given, const char *word)
{
    int best = SUGGESTED_DISTANCE;
    for (const ckptlua_option *option = list; option->name != NULL; option++)
        best = options_least(best, options_likeness(word, option->name));
    char names[256] = "";
    size_t used = 0;
    for (const ckptlua_option *option = list; option->name != NULL; option++) {
        if (*word == '\0' || options_likeness(word, option->name) != best)
            continue;
        int more = snprintf(names + used, sizeof names - used, "%s--%s", used > 0 ? " or " : "",
                            option->name);
        used += (size_t)more;
        if (used >= sizeof names / 2)
            break;
    }
    if (used > 0)
        message_print("unknown option %s; did you mean %s?", given, names);
    else
        message_print("unknown option %s; see ckptlua --help", given);
}

/* Whether the option in this argument is in the list by its whole name; prints a message if not.
 * getopt_long alone would take any beginning of a name. */
static int options_known(const ckptlua_option *list, const char *argument)
{
    char given[LONGEST_NAME * 2];
    snprintf(given, sizeof given, "%.*s", (int)strcspn(argument, "="), argument);
    for (size_t i = 0; i < sizeof later_options / sizeof later_options[0]; i++) {
        if (strcmp(given, later_options[i]) == 0) {
            message_print("%s: not in this version", given);
            return 0;
        }
    }
    const char *word = given + (given[1] == '-' ? 2 : 1);
    if (given[1] == '-') {
        for (const ckptlua_option *option = list; option->name != NULL; option++)
            if (strcmp(word, option->name) == 0)
                return 1;
    }
    options_unknown(list, given, word);
    return 0;
}

static int options_looks_like_one(const char *argument)
{
    return argument[0] == '-' && argument[1] != '\0' && strcmp(argument, "--") != 0;
}

static struct option *options_for_getopt(const ckptlua_option *list)
{
    size_t count = options_count(list);
    struct option *longs = calloc(count + 1, sizeof *longs);
    for (size_t i = 0; longs != NULL && i < count; i++) {
        longs[i].name = list[i].name;
        longs[i].has_arg = list[i].argument == NULL     ? no_argument
                           : list[i].argument[0] == '[' ? optional_argument
                                                        : required_argument;
    }
    return longs;
}

static const char *options_argument(const ckptlua_option *list, const char *name)
{
    while (list->name != NULL && strcmp(list->name, name) != 0)
        list++;
    return list->argument != NULL ? list->argument : "VALUE";
}

static int options_read_with(const struct option *longs, int argc, char *argv[],
                             const ckptlua_option *list, options_take_function *take, void *context)
{
    opterr = 0;
    optind = 1;
    for (;;) {
        int here = optind;
        if (here < argc && options_looks_like_one(argv[here]) && !options_known(list, argv[here]))
            return CKPTLUA_USAGE;
        int index = -1;
        int found = getopt_long(argc, argv, "+:", longs, &index);
        if (found == -1)
            return CKPTLUA_OK;
        int name = (int)strcspn(argv[here], "=");
        if (found == ':') {
            message_print("%s needs a value: %s %s", argv[here], argv[here],
                          options_argument(list, argv[here] + 2));
            return CKPTLUA_USAGE;
        }
        if (found == '?') {
            message_print("%.*s takes no value", name, argv[here]);
            return CKPTLUA_USAGE;
        }
        int code = take(context, longs[index].name, optarg);
        if (code != CKPTLUA_OK)
            return code;
    }
}

int options_read(int argc, char *argv[], const ckptlua_option *list, options_take_function *take,
                 void *context, int *next)
{
    struct option *longs = options_for_getopt(list);
    if (longs == NULL) {
        message_print("out of memory");
        return CKPTLUA_FAILED;
    }
    int code = options_read_with(longs, argc, argv, list, take, context);
    *next = optind;
    free(longs);
    return code;
}
