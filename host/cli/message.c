#include "cli/message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "include/ckptlua.h"

void message_print(const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    message_take(NULL, text);
}

void message_take(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "ckptlua: %s\n", text);
}

int message_finish(int code)
{
    int failed_before = ferror(stdout);
    if (fflush(stdout) == 0 && !failed_before)
        return code;
    /* An earlier failure has left no errno to be trusted. */
    message_print("cannot write to standard output%s%s", failed_before ? "" : ": ",
                  failed_before ? "" : strerror(errno));
    return code == CKPTLUA_OK ? CKPTLUA_FAILED : code;
}
