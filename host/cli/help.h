/*
 * --help and --version.
 */
#ifndef CKPTLUA_CLI_HELP_H
#define CKPTLUA_CLI_HELP_H

#include "include/ckptlua.h"

/* Prints the help on stdout, at most 80 columns wide. `list` has all options. */
void help_print(const ckptlua_option *list);

void help_print_version(void);

#endif
