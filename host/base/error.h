/*
 * What went wrong, told once, by the function that saw it.
 *
 * Functions that know no lua_State never raise: they return 0 or a negative error code and fill
 * the caller's struct error. The message is one line without a prefix or a full stop, ready to be
 * shown to the user: what failed, on which file, why.
 */
#ifndef CKPTLUA_BASE_ERROR_H
#define CKPTLUA_BASE_ERROR_H

enum error_code {
    ERROR_NONE = 0,
    ERROR_SYSTEM = -1,       /* a system call failed: see .system */
    ERROR_MEMORY = -2,       /* out of memory */
    ERROR_ABSENT = -3,       /* no such file, or an empty one where that counts as none */
    ERROR_NOT_SNAPSHOT = -4, /* a file of another kind, or no file but a directory */
    ERROR_DAMAGED = -5,      /* a snapshot whose checksum or length is wrong */
    ERROR_NEWER = -6,        /* a snapshot of a later format */
    ERROR_BUSY = -7,         /* locked by another process */
    ERROR_NO_LOCKS = -8,     /* this file system has no locks */
    ERROR_INVALID = -9,      /* an argument, or the contents of a file, make no sense */
    ERROR_REFUSED = -10      /* a value that cannot be saved */
};

struct error {
    int code;   /* an enum error_code */
    int system; /* errno, when code is ERROR_SYSTEM; else 0 */
    char message[1024];
};

/* Fills *error (which may be NULL) and returns code. */
int error_set(struct error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a failed system call: ": " and the text of errno follow the message.
 * Returns ERROR_SYSTEM. errno itself is kept. */
int error_set_system(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
