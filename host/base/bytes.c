#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"

int bytes_reserve(struct bytes *bytes, size_t more)
{
    if (more <= bytes->capacity - bytes->size)
        return 0;
    if (more > SIZE_MAX / 2 - bytes->size)
        return ERROR_MEMORY;
    size_t capacity = bytes->capacity < 64 ? 64 : bytes->capacity;
    while (capacity - bytes->size < more)
        capacity *= 2;
    unsigned char *data = realloc(bytes->data, capacity);
    if (data == NULL)
        return ERROR_MEMORY;
    bytes->data = data;
    bytes->capacity = capacity;
    return 0;
}

int bytes_append(struct bytes *bytes, const void *data, size_t size)
{
    int status = bytes_reserve(bytes, size);
    if (status == 0 && size > 0) {
        memcpy(bytes->data + bytes->size, data, size);
        bytes->size += size;
    }
    return status;
}

/* Bytes; a multiple of it is asked for. */
static const size_t large_page = (size_t)2 << 20;

void *bytes_zeroed(size_t size)
{
    if (size < large_page || size % large_page != 0)
        return calloc(1, size);
    void *memory = aligned_alloc(large_page, size);
    if (memory == NULL)
        return NULL;
    (void)madvise(memory, size, MADV_HUGEPAGE);
    return memset(memory, 0, size);
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}

void bytes_swap(void *data, size_t size, int width)
{
    unsigned char *number = data;
    for (; size >= (size_t)width && width > 1; size -= (size_t)width, number += width)
        for (int i = 0; i < width / 2; i++) {
            unsigned char byte = number[i];
            number[i] = number[width - 1 - i];
            number[width - 1 - i] = byte;
        }
}
