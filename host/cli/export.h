/*
 * ckptlua export FILE OUT; the formats are in lua/export.lua, the safe writing of OUT is here.
 */
#ifndef CKPTLUA_CLI_EXPORT_H
#define CKPTLUA_CLI_EXPORT_H

/* argv[0] is "export". Returns the exit code of the program. */
int export_main(int argc, char *argv[]);

#endif
