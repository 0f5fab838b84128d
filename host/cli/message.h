/*
 * What the program itself tells its user, on stderr; and the end of its stdout.
 */
#ifndef CKPTLUA_CLI_MESSAGE_H
#define CKPTLUA_CLI_MESSAGE_H

/* Prints "ckptlua: ", the text and a newline. */
void message_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for a text as it is: a ckptlua_message_function. */
void message_take(void *context, const char *text);

/* Flushes stdout. Returns code; where the output could not be written a message is printed, and a
 * code of 0 becomes 1. */
int message_finish(int code);

#endif
