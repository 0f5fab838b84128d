#include "base/clock.h"

#include <string.h>
#include <time.h>

#include "base/error.h"

/* About 31 years: what callers make of it, such as nanoseconds in 64 bits, cannot overflow. */
#define LONGEST 1e9

static double now(clockid_t id)
{
    struct timespec time;
    clock_gettime(id, &time); /* cannot fail for these clocks */
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

double clock_monotonic(void)
{
    return now(CLOCK_MONOTONIC);
}

double clock_wall(void)
{
    return now(CLOCK_REALTIME);
}

/* Reads digits and perhaps a point and digits. Not strtod: that depends on the locale and knows
 * inf, nan and hexadecimal. Returns where they end, or NULL. */
static const char *read_number(const char *text, double *number)
{
    double value = 0, scale = 1;
    const char *end = text;
    for (; *end >= '0' && *end <= '9'; end++)
        value = value * 10 + (*end - '0');
    if (end == text)
        return NULL;
    if (*end == '.') {
        const char *decimals = ++end;
        for (; *end >= '0' && *end <= '9'; end++) {
            if (scale >= 1e15) /* further ones change nothing */
                continue;
            value = value * 10 + (*end - '0');
            scale *= 10;
        }
        if (end == decimals)
            return NULL;
    }
    *number = value / scale;
    return end;
}

int clock_parse_duration(const char *text, double *seconds)
{
    static const struct {
        const char *name;
        double times, by;
    } units[] = {{"ms", 1, 1000}, {"s", 1, 1}, {"m", 60, 1}, {"h", 3600, 1}, {"d", 86400, 1}};
    double number;
    if (strcmp(text, "0") == 0) {
        *seconds = 0;
        return 0;
    }
    const char *unit = read_number(text, &number);
    if (unit == NULL)
        return ERROR_INVALID;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(unit, units[i].name) != 0)
            continue;
        number = number * units[i].times / units[i].by;
        if (!(number <= LONGEST))
            return ERROR_INVALID;
        *seconds = number;
        return 0;
    }
    return ERROR_INVALID;
}
