#include "job/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "job/say.h"

enum { JOURNAL_LINE = 256 };

/* The first line, without its end. */
static void journal_line(const struct job *job, char line[JOURNAL_LINE])
{
    const struct stdio_place *out = &job->places[0], *err = &job->places[1];
    snprintf(line, JOURNAL_LINE,
             "%s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64,
             job->id, job->generation, out->length, out->device, out->inode, err->length,
             err->device, err->inode);
}

/* job->journal = text */
static int journal_copy(struct job *job, const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL)
        return ERROR_MEMORY;
    free(job->journal);
    job->journal = copy;
    return 0;
}

void journal_keep(void *context, const char *text)
{
    struct job *job = context;
    struct bytes note = {0};
    struct error error;
    char line[JOURNAL_LINE];
    int status = 0,
        needed = *text != '\0' || job->places[0].length >= 0 || job->places[1].length >= 0;
    journal_line(job, line);
    if (needed &&
        (bytes_append(&note, line, strlen(line)) != 0 || bytes_append(&note, "\n", 1) != 0 ||
         bytes_append(&note, text, strlen(text)) != 0))
        status = error_set(&error, ERROR_MEMORY, "not enough memory");
    if (status == 0 &&
        (bytes_append(&note, "", 1) != 0 || (text != job->journal && journal_copy(job, text) != 0)))
        status = error_set(&error, ERROR_MEMORY, "not enough memory");
    if (status == 0)
        status = lock_set_note(job->lock, (const char *)note.data, &error);
    bytes_free(&note);
    if (status != 0)
        say_note(job, "%s: lines that the job appends to files may come twice after a kill",
                 error.message);
}

void journal_begin(struct job *job)
{
    stdio_look(job->stdio, job->places);
    if (job->places[0].length >= 0 || job->places[1].length >= 0)
        journal_keep(job, job->journal == NULL ? "" : job->journal);
}

void journal_forget_places(struct job *job)
{
    job->places[0].length = job->places[1].length = -1;
}

int journal_is_needed(const struct job *job)
{
    return job->places[0].length >= 0 || job->places[1].length >= 0 ||
           (job->journal != NULL && *job->journal != '\0');
}

void journal_close(struct job *job)
{
    free(job->journal);
    job->journal = NULL;
}

/* Reads the first line. Returns what follows it, or NULL if there is no such line. */
static const char *journal_parse(const char *note, char id[33], int64_t *generation,
                                 struct stdio_place places[2])
{
    const char *end = strchr(note, '\n');
    struct stdio_place *out = &places[0], *err = &places[1];
    if (end == NULL || sscanf(note,
                              "%32s %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64
                              " %" SCNd64 " %" SCNd64,
                              id, generation, &out->length, &out->device, &out->inode, &err->length,
                              &err->device, &err->inode) != 8)
        return NULL;
    return end + 1;
}

const char *journal_take(struct job *job, const char *id, int64_t generation)
{
    char its_id[33];
    int64_t its_generation;
    struct stdio_place places[2];
    const char *text = journal_parse(lock_note(job->lock), its_id, &its_generation, places);
    if (text == NULL || (id != NULL && strcmp(id, its_id) != 0))
        return "";
    /* A kill may have come between a save and the new note. What is old in the note is in the
     * snapshot then, and does no harm. */
    if (its_generation != generation && its_generation + 1 != generation)
        return "";
    return journal_copy(job, text) == 0 ? job->journal : text;
}

void journal_places(const struct job *job, const char *id, int64_t generation,
                    struct stdio_place places[2])
{
    char its_id[33];
    int64_t its_generation;
    const char *text = journal_parse(lock_note(job->lock), its_id, &its_generation, places);
    if (text == NULL || (id != NULL && strcmp(id, its_id) != 0) || its_generation != generation)
        places[0].length = places[1].length = -1;
}
