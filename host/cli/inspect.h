/*
 * ckptlua inspect [--json] FILE [NAME ...]; what it shows is made by lua/inspect.lua.
 */
#ifndef CKPTLUA_CLI_INSPECT_H
#define CKPTLUA_CLI_INSPECT_H

/* argv[0] is "inspect". Returns the exit code of the program. */
int inspect_main(int argc, char *argv[]);

#endif
