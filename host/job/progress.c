#include "job/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "job/say.h"

enum { PROGRESS_BAR = 18, PROGRESS_LINE = 512 };

static int progress_width(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20)
        return 80;
    return size.ws_col;
}

static void progress_write(const char *text, size_t size)
{
    ssize_t ignored = write(STDERR_FILENO, text, size);
    (void)ignored;
}

static size_t progress_append(char *line, size_t used, const char *text)
{
    size_t size = strlen(text);
    if (size >= PROGRESS_LINE - used)
        size = PROGRESS_LINE - used - 1;
    memcpy(line + used, text, size);
    line[used + size] = '\0';
    return used + size;
}

static size_t progress_bar(const struct progress *progress, char *line, size_t used)
{
    char part[64];
    double share = progress->done / progress->total;
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    int filled = (int)(share * PROGRESS_BAR);
    used = progress_append(line, used, "  [");
    for (int i = 0; i < PROGRESS_BAR; i++)
        used = progress_append(line, used, i < filled ? "#" : "-");
    snprintf(part, sizeof part, "] %3d %%", (int)(share * 100));
    return progress_append(line, used, part);
}

void progress_draw(struct progress *progress, const struct progress_view *view)
{
    char line[PROGRESS_LINE], part[160], time[32];
    size_t used = (size_t)snprintf(line, sizeof line, "\r%.60s", view->script);
    if (progress->total > 0)
        used = progress_bar(progress, line, used);
    if (*progress->text != '\0') {
        used = progress_append(line, used, "  ");
        used = progress_append(line, used, progress->text);
    }
    say_duration(view->running, time, sizeof time);
    snprintf(part, sizeof part, "   run %ld  %s", view->run, time);
    used = progress_append(line, used, part);
    if (progress->total > 0 && progress->done > 0 && progress->done < progress->total) {
        say_duration(view->running * (progress->total - progress->done) / progress->done, time,
                     sizeof time);
        snprintf(part, sizeof part, " left %s", time);
        used = progress_append(line, used, part);
    }
    if (view->saved >= 0) {
        say_duration(view->saved, time, sizeof time);
        snprintf(part, sizeof part, "  saved %s ago  saving %.1f %%", time, 100 * view->share);
        used = progress_append(line, used, part);
    }
    size_t width = (size_t)progress_width();
    if (used > width) /* the carriage return takes no room */
        used = width;
    progress_write(line, used);
    progress_write("\033[K", 3);
    progress->shown = 1;
}

void progress_clear(struct progress *progress)
{
    if (progress->shown)
        progress_write("\r\033[K", 4);
    progress->shown = 0;
}
