/*
 * Time: seconds as double, from the monotonic clock wherever a length of time is meant, so that a
 * clock that is set back disturbs nothing.
 */
#ifndef CKPTLUA_BASE_CLOCK_H
#define CKPTLUA_BASE_CLOCK_H

/* Seconds since some fixed moment; never goes back. */
double clock_monotonic(void);

/* Seconds since 1970-01-01 00:00 UTC. */
double clock_wall(void);

/* Reads a duration such as "500ms", "60s", "5m", "4h", "1d", "1.5h", or "0".
 * Returns 0 and seconds, or ERROR_INVALID where text is something else or above 1e9 seconds. */
int clock_parse_duration(const char *text, double *seconds);

#endif
