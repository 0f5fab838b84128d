/*
 * Fuzzes the rebuilding of exact snapshots, with libFuzzer: resume.h tells what is done with each
 * input. Most inputs are changed as trees of values, the others as bytes.
 */
#include <string.h>

#include "resume.h"
#include "tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size, const uint8_t *two,
                                 size_t two_size, uint8_t *out, size_t room, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);

enum { EXACT_LARGEST = 1 << 16, EXACT_CHANGES = 4 };

static struct tree exact_tree, exact_other;
static uint8_t exact_kept[EXACT_LARGEST]; /* an earlier input, to take values from */
static size_t exact_kept_size;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    resume_bytes(RESUME_EXACT, data, size, NULL);
    if (size % 2 == 0) /* that takes as long once more */
        resume_bytes(RESUME_GLOBALS, data, size, NULL);
    return 0;
}

/* One change of the tree that data is. */
static size_t exact_change(uint8_t *data, size_t size, size_t room, uint64_t seed)
{
    static uint8_t changed[EXACT_LARGEST];
    if (room > sizeof changed)
        room = sizeof changed;
    tree_read(&exact_tree, data, size);
    size_t after = tree_change(&exact_tree, &exact_other, seed, changed, room);
    if (after == 0)
        return size;
    memcpy(data, changed, after);
    return after;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned int seed)
{
    uint64_t random = seed;
    if (seed % 16 == 0)
        return LLVMFuzzerMutate(data, size, room);
    tree_read(&exact_other, exact_kept, exact_kept_size);
    if (seed % 64 == 1 && size <= sizeof exact_kept) {
        memcpy(exact_kept, data, size);
        exact_kept_size = size;
    }
    for (unsigned int i = seed / 64 % EXACT_CHANGES + 1; i > 0; i--)
        size = exact_change(data, size, room, ++random << 32 | seed);
    return size;
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size, const uint8_t *two,
                                 size_t two_size, uint8_t *out, size_t room, unsigned int seed)
{
    tree_read(&exact_tree, one, one_size);
    tree_read(&exact_other, two, two_size);
    return tree_change(&exact_tree, &exact_other, seed, out, room);
}
