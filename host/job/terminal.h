/*
 * What a terminal needs: the job's output kept apart from the progress bar, and the question after
 * a save for SIGINT.
 */
#ifndef CKPTLUA_JOB_TERMINAL_H
#define CKPTLUA_JOB_TERMINAL_H

#include "job/host.h"

/* Where stdout and stderr are terminals: has print, io.write and file:write take the bar away
 * first. The standard libraries are open. May raise. */
void terminal_open(lua_State *L);

enum terminal_answer { TERMINAL_NONE, TERMINAL_YES, TERMINAL_NO };

/* Shows the text and asks "continue? [y/N]" on /dev/tty. End of file and another SIGINT are no.
 * TERMINAL_NONE where stderr is no terminal, or the host does not take signals. */
enum terminal_answer terminal_ask_to_continue(struct job *job, const char *text);

#endif
