#include "job/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "job/host.h"

/* Hands one message on, the bar being out of the way. */
static void say_text(struct ckptlua *host, const char *text)
{
    pthread_mutex_lock(&host->speak);
    if (host->progress != NULL)
        progress_clear(host->progress);
    if (host->on_message != NULL)
        host->on_message(host->message_context, text);
    pthread_mutex_unlock(&host->speak);
}

void say_failure_text(struct ckptlua *host, const char *text)
{
    pthread_mutex_lock(&host->speak); /* the helper thread may have a failure to tell too */
    snprintf(host->message, sizeof host->message, "%s", text);
    pthread_mutex_unlock(&host->speak);
    say_text(host, text);
}

void say_failure(struct ckptlua *host, const char *format, ...)
{
    char text[sizeof host->message];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    say_failure_text(host, text);
}

static void say_formatted(struct job *job, const char *format, va_list args)
{
    char text[1024];
    vsnprintf(text, sizeof text, format, args);
    say_text(job->host, text);
}

void say_note(struct job *job, const char *format, ...)
{
    if (job->host->options.quiet)
        return;
    va_list args;
    va_start(args, format);
    say_formatted(job, format, args);
    va_end(args);
}

void say_detail(struct job *job, const char *format, ...)
{
    if (!job->host->options.verbose)
        return;
    va_list args;
    va_start(args, format);
    say_formatted(job, format, args);
    va_end(args);
}

const char *say_again(const struct job *job)
{
    if (job->host->options.fresh)
        return "run the same command again without --fresh";
    if (job->host->options.from != NULL)
        return "run the same command again without --from";
    return "run the same command again";
}

void say_duration(double seconds, char *out, size_t size)
{
    if (!(seconds >= 0 && seconds < 1e12)) { /* a header may say anything */
        snprintf(out, size, "? s");
        return;
    }
    long long whole = (long long)(seconds + 0.5);
    if (seconds < 0.9995)
        snprintf(out, size, "%.0f ms", seconds * 1e3);
    else if (seconds < 9.95)
        snprintf(out, size, "%.1f s", seconds);
    else if (whole < 60)
        snprintf(out, size, "%lld s", whole);
    else if (whole < 3600)
        snprintf(out, size, "%lld m %lld s", whole / 60, whole % 60);
    else if (whole < 86400)
        snprintf(out, size, "%lld h %lld m", whole / 3600, whole % 3600 / 60);
    else
        snprintf(out, size, "%lld d %lld h", whole / 86400, whole % 86400 / 3600);
}

void say_size(uint64_t bytes, char *out, size_t size)
{
    static const char *const units[] = {"bytes", "KB", "MB", "GB", "TB", "PB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 999.5 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1000;
        unit++;
    }
    snprintf(out, size, unit > 0 && value < 99.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

void say_time(double wall, char *out, size_t size)
{
    if (!(wall >= 0 && wall < 1e11)) {
        snprintf(out, size, "?");
        return;
    }
    time_t then = (time_t)wall, now = (time_t)clock_wall();
    struct tm then_tm, now_tm;
    localtime_r(&then, &then_tm);
    localtime_r(&now, &now_tm);
    int same_day = then_tm.tm_yday == now_tm.tm_yday && then_tm.tm_year == now_tm.tm_year;
    strftime(out, size, same_day ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &then_tm);
}
