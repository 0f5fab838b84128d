#include "job/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/say.h"

/* A note: its first line, and what follows that. */
struct journal_note {
    char id[33];
    int64_t generation;
    struct stdio_place places[2];
    const char *text;
};

static const char *journal_text(const char *text)
{
    return text == NULL ? "" : text;
}

/* What follows the last line "save N" with such an N of at most that; the whole if there is none.
 */
static const char *journal_behind(const char *text, int64_t generation)
{
    const char *behind = text, *end;
    int64_t number;
    for (; (end = strchr(text, '\n')) != NULL; text = end + 1)
        if (sscanf(text, "save %" SCNd64, &number) == 1 && number <= generation)
            behind = end + 1;
    return behind;
}

/* What came before the last save and matters to one of the generations that are kept. */
static const char *journal_earlier(const struct job *job)
{
    int64_t oldest = job->generation - job->host->options.generations + 1;
    return journal_behind(journal_text(job->earlier), oldest < 1 ? 1 : oldest);
}

static int journal_has_places(const struct job *job)
{
    return job->places[0].length >= 0 || job->places[1].length >= 0;
}

int journal_is_needed(const struct job *job)
{
    return journal_has_places(job) || *journal_text(job->journal) != '\0' ||
           *journal_earlier(job) != '\0';
}

/* ---------------------------------------------------------------- the note */

/* The note of the lock: returns 1 if there is one of that life, with id NULL of any. */
static int journal_read(const struct job *job, const char *id, struct journal_note *note)
{
    const char *text = lock_note(job->lock), *end = strchr(text, '\n');
    struct stdio_place *out = &note->places[0], *err = &note->places[1];
    if (end == NULL || sscanf(text,
                              "%32s %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64
                              " %" SCNd64 " %" SCNd64,
                              note->id, &note->generation, &out->length, &out->device, &out->inode,
                              &err->length, &err->device, &err->inode) != 8)
        return 0;
    note->text = end + 1;
    return id == NULL || strcmp(id, note->id) == 0;
}

/* The same way back: a new string, with `size` bytes of the note's text, then more, then the rest.
 * NULL when out of memory. */
static char *journal_make(const struct journal_note *note, int size, const char *more)
{
    const struct stdio_place *out = &note->places[0], *err = &note->places[1];
    char *text;
    if (asprintf(&text,
                 "%s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
                 " %" PRId64 "\n%.*s%s%s",
                 note->id, note->generation, out->length, out->device, out->inode, err->length,
                 err->device, err->inode, size, note->text, more, note->text + size) < 0)
        return NULL;
    return text;
}

/* Gives the lock the text, which may be NULL for want of memory, and frees it. With `sync` it is
 * safe on disk then; else the one before it is, until journal_sync. */
static void journal_store(struct job *job, char *text, int sync)
{
    struct error error;
    int status = 0;
    if (text == NULL)
        status = error_set(&error, ERROR_MEMORY, "not enough memory");
    else if (sync)
        status = lock_set_note(job->lock, text, &error);
    else if (strcmp(text, lock_note(job->lock)) != 0)
        status = lock_put_note(job->lock, text, &error);
    free(text);
    if (status != 0)
        say_note(job, "%s: lines that the job appends to files may come twice after a kill",
                 error.message);
}

/* Writes what is to be known now. */
static void journal_write(struct job *job, int sync)
{
    struct journal_note note = {.generation = job->generation,
                                .places = {job->places[0], job->places[1]},
                                .text = journal_earlier(job)};
    memcpy(note.id, job->id, sizeof note.id);
    journal_store(job,
                  journal_is_needed(job)
                      ? journal_make(&note, (int)strlen(note.text), journal_text(job->journal))
                      : strdup(""),
                  sync);
}

void journal_sync(struct job *job)
{
    struct error error;
    if (lock_sync_note(job->lock, &error) != 0)
        say_note(job, "%s: what the job prints may come twice after a power loss", error.message);
}

/* ---------------------------------------------------------------- keeping */

/* *to = text, a new string or NULL for want of memory. Frees what was there, if it is replaced. */
static int journal_replace(char **to, char *text)
{
    if (text == NULL)
        return ERROR_MEMORY;
    free(*to);
    *to = text;
    return 0;
}

/* What the save just done has made older. */
static int journal_age(struct job *job, const char *told)
{
    char *aged;
    if (asprintf(&aged, "%s%ssave %" PRId64 "\n", journal_earlier(job), told, job->generation) < 0)
        aged = NULL;
    return journal_replace(&job->earlier, aged);
}

void journal_keep(void *context, const char *text, const char *told)
{
    struct job *job = context;
    if ((*told != '\0' && journal_age(job, told) != 0) ||
        journal_replace(&job->journal, strdup(text)) != 0)
        journal_store(job, NULL, 0);
    else
        journal_write(job, 1);
}

void journal_begin(struct job *job)
{
    stdio_look(job->stdio, job->places);
    journal_write(job, 0);
}

void journal_open(struct job *job)
{
    job->places[0].length = job->places[1].length = -1;
}

void journal_forget_places(struct job *job)
{
    if (!journal_has_places(job))
        return;
    job->places[0].length = job->places[1].length = -1;
    journal_write(job, 0);
}

void journal_close(struct job *job)
{
    free(job->journal);
    free(job->earlier);
    job->journal = job->earlier = NULL;
}

/* ---------------------------------------------------------------- taking over */

/* A copy of the text without its lines "save N", which are of saves that did not come to be for
 * this continue. NULL when out of memory. */
static char *journal_without_saves(const char *text)
{
    char *copy = strdup(text), *out = copy;
    const char *end;
    for (; copy != NULL && (end = strchr(text, '\n')) != NULL; text = end + 1) {
        if (strncmp(text, "save ", 5) == 0)
            continue;
        memcpy(out, text, (size_t)(end + 1 - text));
        out += end + 1 - text;
    }
    if (copy != NULL)
        *out = '\0';
    return copy;
}

const char *journal_take(struct job *job, const char *id, int64_t generation)
{
    struct journal_note note;
    if (!journal_read(job, id, &note) || (id == NULL && note.generation != generation))
        return "";
    /* A kill may have come between a save and the new note. What is old in the note is in the
     * snapshot then, and does no harm. */
    int is_in_force = generation <= note.generation + 1;
    const char *text = journal_behind(note.text, is_in_force ? generation : INT64_MAX);
    if (journal_replace(&job->earlier, strndup(note.text, (size_t)(text - note.text))) != 0 ||
        journal_replace(&job->journal, journal_without_saves(is_in_force ? text : "")) != 0)
        return is_in_force ? text : "";
    return job->journal;
}

void journal_insert(struct job *job, const char *id, int64_t generation, const char *lines)
{
    struct journal_note note;
    if (*lines == '\0')
        return;
    if (!journal_read(job, id, &note)) {
        note = (struct journal_note){.generation = generation, .text = ""};
        snprintf(note.id, sizeof note.id, "%s", id);
        note.places[0].length = note.places[1].length = -1;
    }
    if (note.generation < generation)
        note.generation = generation;
    int size = (int)(journal_behind(note.text, generation) - note.text);
    journal_store(job, journal_make(&note, size, lines), 1);
}

void journal_places(const struct job *job, const char *id, int64_t generation,
                    struct stdio_place places[2])
{
    struct journal_note note;
    places[0].length = places[1].length = -1;
    if (journal_read(job, id, &note) && note.generation == generation)
        memcpy(places, note.places, sizeof note.places);
}
