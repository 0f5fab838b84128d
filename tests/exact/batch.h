/*
 * Many scripts, and many pieces of each, by one program: each command has a process of its own, but
 * one that is forked and not executed, and a chain has only one for all of its pieces. That takes a
 * fraction of the time.
 *
 * Commands are lines on stdin, whose words are parted by tabs:
 *     stock FOLDER SCRIPT [ARGUMENT]
 *         runs SCRIPT as lua5.4 does, in that folder;
 *     chain FOLDER SNAPSHOT SCRIPT LENGTH STEPS
 *         runs it in pieces, as the driver does, of STEPS instructions: numbers, or "N%" of LENGTH,
 *         with commas between them; what is left in one more, to its end.
 * Each is answered by a line "CODE LENGTH OUT ERR STEPS" and OUT bytes of stdout and ERR of stderr,
 * of all pieces. CODE is negative for a signal. LENGTH is the number of instructions of a stock
 * run, roughly; STEPS the steps that were taken, as numbers, or "-".
 */
#ifndef CKPTLUA_TESTS_EXACT_BATCH_H
#define CKPTLUA_TESTS_EXACT_BATCH_H

/* Serves commands until the end of stdin. Returns an exit code. */
int batch_serve(const char *seed);

#endif
