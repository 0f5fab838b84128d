#include "base/error.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void error_fill(struct error *error, int code, int system, const char *format, va_list args)
{
    error->code = code;
    error->system = system;
    /* The arguments may point into error->message itself. */
    char message[sizeof error->message];
    vsnprintf(message, sizeof message, format, args);
    memcpy(error->message, message, sizeof message);
}

int error_set(struct error *error, int code, const char *format, ...)
{
    if (error != NULL) {
        va_list args;
        va_start(args, format);
        error_fill(error, code, 0, format, args);
        va_end(args);
    }
    return code;
}

int error_set_system(struct error *error, const char *format, ...)
{
    int system = errno;
    if (error != NULL) {
        va_list args;
        va_start(args, format);
        error_fill(error, ERROR_SYSTEM, system, format, args);
        va_end(args);
        size_t used = strlen(error->message);
        snprintf(error->message + used, sizeof error->message - used, ": %s", strerror(system));
        char *first = used + 2 < sizeof error->message ? error->message + used + 2 : NULL;
        /* In the middle of a sentence; but "RPC ..." stays. */
        if (first != NULL && isupper((unsigned char)*first) && islower((unsigned char)first[1]))
            *first = (char)tolower((unsigned char)*first);
    }
    errno = system;
    return ERROR_SYSTEM;
}
