#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <xxhash.h>

enum { NAMES_MAX = 32, REFUSED_MAX = 4 };

static struct {
    int armed, calls, allocations, struck;
    int at, system;
    int report; /* errno of the call that fails now */
    enum faults_kind kind;
    int memory_at;
    int refused;
    struct {
        const char *name;
        int system;
    } refuse[REFUSED_MAX];
    const char *victim, *before;
    void (*f)(void);
    int names;
    struct {
        const char *name;
        int count;
    } made[NAMES_MAX];
} faults;

static void arm(void)
{
    faults.armed = 1;
    faults.calls = faults.allocations = faults.struck = faults.names = 0;
    faults.victim = "";
}

void faults_at(int number, enum faults_kind kind, int system)
{
    arm();
    faults.at = number;
    faults.kind = kind;
    faults.system = system;
}

void faults_refuse(const char *name, int system)
{
    arm();
    faults.refuse[faults.refused].name = name;
    faults.refuse[faults.refused++].system = system;
}

void faults_memory_at(int number)
{
    arm();
    faults.memory_at = number;
}

void faults_off(void)
{
    faults.armed = faults.at = faults.memory_at = faults.refused = 0;
    faults.kind = FAULTS_NONE;
    faults.before = NULL;
}

int faults_struck(void)
{
    return faults.struck;
}

const char *faults_victim(void)
{
    return faults.victim;
}

void faults_before(const char *name, void (*f)(void))
{
    arm();
    faults.before = name;
    faults.f = f;
}

int faults_count(const char *name)
{
    for (int i = 0; i < faults.names; i++)
        if (strcmp(faults.made[i].name, name) == 0)
            return faults.made[i].count;
    return 0;
}

static void count(const char *name)
{
    int i = 0;
    while (i < faults.names && strcmp(faults.made[i].name, name) != 0)
        i++;
    if (i == NAMES_MAX)
        abort();
    if (i == faults.names) {
        faults.made[faults.names].name = name;
        faults.made[faults.names++].count = 0;
    }
    faults.made[i].count++;
}

/* errno if all calls of that name are refused, else 0. */
static int refusal(const char *name)
{
    for (int i = 0; i < faults.refused; i++)
        if (strcmp(faults.refuse[i].name, name) == 0)
            return faults.refuse[i].system;
    return 0;
}

/* What is to happen to this call. */
static enum faults_kind strike(const char *name)
{
    if (!faults.armed)
        return FAULTS_NONE;
    count(name);
    if (faults.before != NULL && strcmp(faults.before, name) == 0) {
        faults.before = NULL;
        faults.f();
    }
    int now = ++faults.calls == faults.at && faults.kind != FAULTS_NONE, refused = refusal(name);
    if (now && (faults.kind == FAULTS_KILL_BEFORE || (faults.kind == FAULTS_KILL_AFTER && refused)))
        raise(SIGKILL);
    if (now) {
        faults.struck = 1;
        faults.victim = name;
    }
    faults.report = now && faults.kind != FAULTS_SHORT ? faults.system : refused;
    if (refused)
        return FAULTS_FAIL;
    return now ? faults.kind : FAULTS_NONE;
}

static long failed(void)
{
    errno = faults.report;
    return -1;
}

static long strike_after(enum faults_kind kind, long result)
{
    if (kind == FAULTS_KILL_AFTER)
        raise(SIGKILL);
    return kind == FAULTS_FAIL_AFTER ? failed() : result;
}

static size_t shortened(enum faults_kind kind, size_t size)
{
    return kind == FAULTS_SHORT && size > 1 ? size / 2 : size;
}

/* TYPE NAME(DECLARED) { return real NAME(PASSED) } with a fault before or after. */
#define WRAP(type, name, declared, passed)                           \
    type __real_##name declared;                                     \
    type __wrap_##name declared;                                     \
    type __wrap_##name declared                                      \
    {                                                                \
        enum faults_kind kind = strike(#name);                       \
        if (kind == FAULTS_FAIL)                                     \
            return (type)failed();                                   \
        return (type)strike_after(kind, (long)__real_##name passed); \
    }

/* The same with a size that may be cut. */
#define WRAP_SIZED(type, name, declared, passed)                     \
    type __real_##name declared;                                     \
    type __wrap_##name declared;                                     \
    type __wrap_##name declared                                      \
    {                                                                \
        enum faults_kind kind = strike(#name);                       \
        if (kind == FAULTS_FAIL)                                     \
            return (type)failed();                                   \
        size = shortened(kind, size);                                \
        return (type)strike_after(kind, (long)__real_##name passed); \
    }

WRAP_SIZED(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size))
WRAP_SIZED(ssize_t, read, (int fd, void *data, size_t size), (fd, data, size))
WRAP_SIZED(ssize_t, pwrite64, (int fd, const void *data, size_t size, off_t at),
           (fd, data, size, at))
WRAP_SIZED(ssize_t, pread64, (int fd, void *data, size_t size, off_t at), (fd, data, size, at))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, fdatasync, (int fd), (fd))
WRAP(int, ftruncate64, (int fd, off_t size), (fd, size))
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(int, rename, (const char *from, const char *to), (from, to))
WRAP(int, link, (const char *from, const char *to), (from, to))
WRAP(int, unlink, (const char *name), (name))
WRAP(int, fstat64, (int fd, struct stat *info), (fd, info))
WRAP(int, lstat64, (const char *name, struct stat *info), (name, info))
WRAP(ssize_t, readlink, (const char *name, char *out, size_t size), (name, out, size))
WRAP(off_t, lseek64, (int fd, off_t offset, int whence), (fd, offset, whence))
WRAP(int, fstatvfs64, (int fd, struct statvfs *info), (fd, info))

int __real_open64(const char *name, int flags, ...);
int __wrap_open64(const char *name, int flags, ...);
int __wrap_open64(const char *name, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    enum faults_kind kind = strike("open64");
    if (kind == FAULTS_FAIL || kind == FAULTS_FAIL_AFTER) /* a descriptor would be lost */
        return (int)failed();
    return (int)strike_after(kind, __real_open64(name, flags, mode));
}

int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
    enum faults_kind kind = strike("close");
    int status = __real_close(fd);
    return kind == FAULTS_FAIL ? (int)failed() : (int)strike_after(kind, status);
}

/* Only the lock commands, which pass a pointer. */
int __real_fcntl64(int fd, int command, void *argument);
int __wrap_fcntl64(int fd, int command, void *argument);
int __wrap_fcntl64(int fd, int command, void *argument)
{
    enum faults_kind kind = strike("fcntl64");
    if (kind == FAULTS_FAIL)
        return (int)failed();
    return (int)strike_after(kind, __real_fcntl64(fd, command, argument));
}

static int no_memory(void)
{
    if (!faults.armed || ++faults.allocations != faults.memory_at)
        return 0;
    faults.struck = 1;
    errno = ENOMEM;
    return 1;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return no_memory() ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t number, size_t size);
void *__wrap_calloc(size_t number, size_t size);
void *__wrap_calloc(size_t number, size_t size)
{
    return no_memory() ? NULL : __real_calloc(number, size);
}

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size)
{
    return no_memory() ? NULL : __real_realloc(old, size);
}

/* The library allocates it out of our sight. */
XXH3_state_t *__real_XXH3_createState(void);
XXH3_state_t *__wrap_XXH3_createState(void);
XXH3_state_t *__wrap_XXH3_createState(void)
{
    return no_memory() ? NULL : __real_XXH3_createState();
}
