/*
 * Messages to the user, and how sizes and times are written in them.
 */
#ifndef CKPTLUA_JOB_SAY_H
#define CKPTLUA_JOB_SAY_H

#include <stddef.h>
#include <stdint.h>

struct ckptlua;
struct job;

/* A failure: kept for ckptlua_message too. */
void say_failure(struct ckptlua *host, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for a text of any length. */
void say_failure_text(struct ckptlua *host, const char *text);

/* Something the user should know; not with --quiet. */
void say_note(struct job *job, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Only with --verbose. */
void say_detail(struct job *job, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "run the same command again", and what has to be left out of it then. */
const char *say_again(const struct job *job);

/* "18 s", "1 h 12 m", "11 ms". */
void say_duration(double seconds, char *out, size_t size);

/* "2.1 KB", "4.5 MB". */
void say_size(uint64_t bytes, char *out, size_t size);

/* "14:02:11", local time, with the date if it is another day's. */
void say_time(double wall, char *out, size_t size);

#endif
