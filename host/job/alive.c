#include "job/alive.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

/* Seconds between two signs of life. */
#define ALIVE_LEAST 1.0
#define ALIVE_MOST 5.0

/* What the clocks of two machines may differ by. */
#define ALIVE_SKEW 60.0

/* In the place of how it ended. */
#define ALIVE_YET "-"

enum { ALIVE_LINE = 256 };

struct alive_line {
    char id[33];
    long number;
    int64_t start, seen, computed; /* microseconds */
    char host[64], ended[64];
};

static int64_t alive_micro(double seconds)
{
    return (int64_t)(seconds * 1e6);
}

/* Reads one line. Returns 1, or 0 if it is none. */
static int alive_parse(const char *text, struct alive_line *line)
{
    line->host[0] = line->ended[0] = '\0';
    return sscanf(text, "%32[0-9a-f] %ld %" SCNd64 " %" SCNd64 " %" SCNd64 " %63[^ \n] %63[^\n]",
                  line->id, &line->number, &line->start, &line->seen, &line->computed, line->host,
                  line->ended) == 7;
}

/* What the line says of the run, as far as it makes sense beside the snapshot. The clock may have
 * been set meanwhile; the work does not depend on it. */
static struct history_run alive_run(const struct alive_line *line, const struct header *header)
{
    struct history_run run = {.start = (double)line->start / 1e6, .end = (double)line->seen / 1e6};
    run.lost = (double)line->computed / 1e6 - header->computed;
    if (run.lost < 0) { /* a save has come after the last sign of life */
        run.lost = run.lost > -1e-3 ? 0 : HISTORY_UNKNOWN;
        run.end = fmax(run.end, header->saved);
    }
    if (run.end < run.start || run.end > clock_wall() + ALIVE_SKEW)
        run.end = 0;
    snprintf(run.host, sizeof run.host, "%s", line->host);
    if (strcmp(line->ended, ALIVE_YET) != 0)
        snprintf(run.ended, sizeof run.ended, "%s", line->ended);
    return run;
}

/* Keeps a line for the marks of this run, until it has saved; the oldest go where there are many.
 */
static void alive_keep(struct job *job, const char *text, size_t length)
{
    char *kept = job->alive_before;
    size_t used = strlen(kept);
    while (used + length + ALIVE_LINE > LOCK_MARK_MAX && used > 0) {
        size_t first = strcspn(kept, "\n") + 1;
        memmove(kept, kept + first, used + 1 - first);
        used -= first;
    }
    if (length >= ALIVE_LINE)
        return;
    memcpy(kept + used, text, length);
    kept[used + length] = '\0';
}

void alive_take(struct job *job, const struct header *header)
{
    if (job->host->options.from != NULL) /* what is behind the mark is given up, not lost */
        return;
    struct alive_line line;
    const char *text = lock_mark(job->lock);
    for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
        if (!alive_parse(text, &line) || strcmp(line.id, header->id) != 0)
            continue;
        struct history_run run = alive_run(&line, header);
        if (history_add_end(&job->history, line.number, &run))
            alive_keep(job, text, (size_t)(end + 1 - text));
    }
}

static void alive_mark(struct job *job, double now, const char *ended)
{
    char text[LOCK_MARK_MAX + ALIVE_LINE];
    const struct history *history = &job->history;
    const struct history_run *run = &history->runs[history->count - 1];
    /* While the job stands still for a save it does no work, and how long is not booked yet. */
    if (!atomic_load(&job->schedule->busy))
        job->alive_computed = job->computed_before + now - job->started - job->saving;
    snprintf(text, sizeof text, "%s%s %ld %" PRId64 " %" PRId64 " %" PRId64 " %s %s\n",
             job->alive_before, job->id, history_number(history), alive_micro(run->start),
             alive_micro(clock_wall()), alive_micro(job->alive_computed),
             *run->host == '\0' ? "?" : run->host, ended);
    lock_set_mark(job->lock, text);
    job->alive_marked = now;
}

void alive_begin(struct job *job)
{
    job->alive_every = ALIVE_MOST;
    alive_mark(job, job->started, ALIVE_YET);
}

void alive_expect_saves(struct job *job, double interval)
{
    job->alive_every = fmin(fmax(interval / 4, ALIVE_LEAST), ALIVE_MOST);
}

void alive_tick(struct job *job, double now)
{
    if (now >= job->alive_marked + job->alive_every)
        alive_mark(job, now, ALIVE_YET);
}

void alive_end(struct job *job)
{
    alive_mark(job, clock_monotonic(), "ended without a save");
}
