#include "job/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "job/say.h"

void journal_keep(void *context, const char *text)
{
    struct job *job = context;
    struct bytes note = {0};
    struct error error;
    char line[64];
    int used = snprintf(line, sizeof line, "%s %" PRId64 "\n", job->id, job->generation);
    int status = 0;
    if (*text != '\0' && (bytes_append(&note, line, (size_t)used) != 0 ||
                          bytes_append(&note, text, strlen(text)) != 0))
        status = error_set(&error, ERROR_MEMORY, "not enough memory");
    if (status == 0 && bytes_append(&note, "", 1) == 0)
        status = lock_set_note(job->lock, (const char *)note.data, &error);
    bytes_free(&note);
    if (status != 0)
        say_note(job, "%s: lines that the job appends to files may come twice after a kill",
                 error.message);
}

/* Whether the line that ends at `end` is "ID GENERATION", with any ID where id is NULL. */
static int journal_is_of(const char *note, const char *end, const char *id, int64_t generation)
{
    char line[64];
    snprintf(line, sizeof line, "%s %" PRId64, id == NULL ? "" : id, generation);
    size_t length = strlen(line), first = (size_t)(end - note);
    if (id != NULL)
        return first == length && memcmp(note, line, length) == 0;
    return first >= length && memcmp(end - length, line, length) == 0;
}

const char *journal_left(const struct job *job, const char *id, int64_t generation)
{
    const char *note = lock_note(job->lock), *end = strchr(note, '\n');
    if (end == NULL)
        return "";
    /* A kill may have come between a save and the new note. What is old in the note is in the
     * snapshot then, and does no harm. */
    if (journal_is_of(note, end, id, generation) ||
        (generation > 0 && journal_is_of(note, end, id, generation - 1)))
        return end + 1;
    return "";
}
