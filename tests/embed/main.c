/*
 * A host of one's own, as a user of the installed library would write it: runs the script given
 * and prints the messages that the program would print.
 */
#include <stdio.h>
#include <string.h>

#include <ckptlua.h>

/* Names that the library has inside; they must not meet ours. */
int error_set(void);
int error_set(void)
{
    return 7;
}

static void print(void *context, const char *text)
{
    fprintf(stderr, "%s: %s\n", (const char *)context, text);
}

int main(int argc, char *argv[])
{
    char name[] = "embed";
    if (argc < 2 || strcmp(ckptlua_version(), CKPTLUA_VERSION) != 0)
        return 99;
    ckptlua *host = ckptlua_new();
    if (host == NULL)
        return 98;
    ckptlua_on_message(host, print, name);
    int code = ckptlua_set(host, "interval", "0");
    if (code == CKPTLUA_OK)
        code = ckptlua_run(host, argv[1], argc - 2, argv + 2);
    ckptlua_free(host);
    return error_set() == 7 ? code : 97;
}
