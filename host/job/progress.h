/*
 * How far the job is: what ckpt.progress was told, and the line on the terminal that shows it.
 */
#ifndef CKPTLUA_JOB_PROGRESS_H
#define CKPTLUA_JOB_PROGRESS_H

struct progress {
    double done, total; /* total 0: not told */
    char text[96];
    int shown;      /* the line is on the terminal now */
    int wanted;     /* a terminal is there, or the option says so */
    int everywhere; /* also where the job's output goes to the same terminal */
    double held;    /* monotonic: not drawn before, as the job has just printed */
};

/* What else is on the line. */
struct progress_view {
    const char *script;
    long run;
    double running; /* seconds that the job has run, earlier runs included */
    double saved;   /* seconds since the last save; negative: none yet */
    double share;   /* of the time, spent saving */
};

/* Both under the host's `speak` mutex. */
void progress_draw(struct progress *progress, const struct progress_view *view);
void progress_clear(struct progress *progress);

#endif
