/*
 * Does with files what the fuzzer does with its inputs: replay [--all-run] FILE...
 * Tells for each whether it was refused, and why. With --all-run it fails if one was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resume.h"

static int replay(const char *name, int all_run)
{
    static const char *const ways[] = {"", " as globals"};
    FILE *file = fopen(name, "rbe");
    if (file == NULL) {
        perror(name);
        return 1;
    }
    size_t size = 0, room = (size_t)4 << 20;
    uint8_t *all = malloc(room), *data;
    size = fread(all, 1, room, file);
    fclose(file);
    data = malloc(size + (size == 0)); /* without room behind it, for the sanitizer */
    memcpy(data, all, size);
    free(all);
    int failed = 0;
    for (int way = RESUME_EXACT; way <= RESUME_GLOBALS; way++) {
        char *message = NULL;
        enum resume_outcome outcome = resume_bytes((enum resume_way)way, data, size, &message);
        printf("%s%s: %s\n", name, ways[way], outcome == RESUME_RAN ? "ran" : message);
        fflush(stdout);
        failed |= way == RESUME_EXACT && outcome != RESUME_RAN;
        free(message);
    }
    free(data);
    return all_run && failed;
}

int main(int argc, char *argv[])
{
    int all_run = argc > 1 && strcmp(argv[1], "--all-run") == 0, failed = 0;
    for (int i = 1 + all_run; i < argc; i++)
        failed |= replay(argv[i], all_run);
    return failed;
}
