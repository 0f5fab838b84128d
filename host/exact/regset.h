/*
 * Sets of registers of one frame: bit r of the four words is register r.
 */
#ifndef CKPTLUA_EXACT_REGSET_H
#define CKPTLUA_EXACT_REGSET_H

#include <stdint.h>

enum { REGSET_WORDS = 4, REGSET_LIMIT = 64 * REGSET_WORDS };

static inline int regset_has(const uint64_t set[REGSET_WORDS], int reg)
{
    return (int)(set[reg / 64] >> reg % 64 & 1);
}

static inline void regset_add(uint64_t set[REGSET_WORDS], int reg)
{
    set[reg / 64] |= (uint64_t)1 << reg % 64;
}

static inline void regset_remove(uint64_t set[REGSET_WORDS], int reg)
{
    set[reg / 64] &= ~((uint64_t)1 << reg % 64);
}

/* The registers of one word that are in first .. end - 1. */
static inline uint64_t regset_word(int word, int first, int end)
{
    int low = first - 64 * word, high = end - 64 * word;
    if (high <= 0 || low >= 64 || low >= high)
        return 0;
    uint64_t below = high >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << high) - 1;
    return low <= 0 ? below : below & ~(((uint64_t)1 << low) - 1);
}

/* Adds first .. end - 1; end may be beyond REGSET_LIMIT. */
static inline void regset_add_range(uint64_t set[REGSET_WORDS], int first, int end)
{
    for (int i = 0; i < REGSET_WORDS; i++)
        set[i] |= regset_word(i, first, end);
}

/* Takes out first and all above. */
static inline void regset_cut(uint64_t set[REGSET_WORDS], int first)
{
    for (int i = 0; i < REGSET_WORDS; i++)
        set[i] &= regset_word(i, 0, first);
}

#endif
