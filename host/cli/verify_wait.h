/*
 * Waiting for the end of a child or for a signal that stops the program, without handlers: the
 * signals are blocked, and taken when they are waited for. So nothing that verify owns is lost when
 * it is stopped.
 */
#ifndef CKPTLUA_CLI_VERIFY_WAIT_H
#define CKPTLUA_CLI_VERIFY_WAIT_H

/* Blocks SIGINT, SIGTERM, SIGHUP and SIGCHLD. */
void verify_wait_begin(void);

/* In a child: as they were taken to be before, not blocked. */
void verify_wait_undo(void);

/* Waits until one of the signals comes, for `seconds` at most (0: looks only). Returns the number
 * of a signal that asks to stop, or 0: time is over, or something has become of a child. */
int verify_wait_for(double seconds);

/* Seconds of a clock that only goes forward. */
double verify_wait_clock(void);

#endif
