#include "cli/warm.h"

#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The first touch of each page is an exception, and there are some 20 in the C library's heap
 * before a script starts, and more when it saves. Above all on a virtual machine they take much
 * longer than one call for most of them. */
static void warm_bring_in(void)
{
#ifdef MADV_POPULATE_WRITE
    char *start = sbrk(0);
    void *volatile block = malloc(1); /* volatile: it is not optimized away */
    free(block);
    char *end = sbrk(0); /* the C library takes 132 KiB at first */
    if (start != (void *)-1 && end > start)
        (void)madvise(start, (size_t)(end - start), MADV_POPULATE_WRITE);
#endif
}

/* Buffers and texts of some 100 kB are garbage until a collection, which frees many at once. The C
 * library would give their pages back to the system each time. */
static void warm_keep(void)
{
#ifdef M_TRIM_THRESHOLD
    mallopt(M_TRIM_THRESHOLD, 16 * 1024 * 1024);
    mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
#endif
}

void warm_up(void)
{
    warm_keep();
    warm_bring_in();
}
