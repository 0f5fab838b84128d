#include "mutate.h"

#include <stdlib.h>
#include <string.h>

enum { MUTATE_MOST = 1 << 16 };

/* A token: what stands in the stream before the parts of an array or map, or a whole value. */
struct token {
    size_t at, length, parts;
};

static size_t mutate_number(const uint8_t *data, size_t bytes)
{
    size_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | data[i];
    return value;
}

/* A token with its length in `bytes` bytes behind the first. */
static int mutate_sized(const uint8_t *data, size_t size, struct token *token, size_t bytes,
                        size_t more)
{
    if (size - token->at <= bytes)
        return 0;
    token->length = 1 + bytes + more + mutate_number(data + token->at + 1, bytes);
    return 1;
}

static int mutate_container(const uint8_t *data, size_t size, struct token *token, size_t bytes,
                            size_t each)
{
    if (size - token->at <= bytes)
        return 0;
    token->length = 1 + bytes;
    token->parts = each * mutate_number(data + token->at + 1, bytes);
    return 1;
}

/* Reads the token at token->at. Returns 0 where there is none that is whole. */
static int mutate_read(const uint8_t *data, size_t size, struct token *token)
{
    static const uint8_t lengths[] = {/* ca.. */ 5, 9, 2, 3,  5, 9, 2, 3, 5, 9,
                                      /* d4.. */ 3, 4, 6, 10, 18};
    uint8_t first = token->at < size ? data[token->at] : 0;
    int good = token->at < size;
    token->length = 1;
    token->parts = 0;
    if (first >= 0x80 && first <= 0x8f)
        token->parts = 2u * (first & 0x0fu);
    else if (first >= 0x90 && first <= 0x9f)
        token->parts = first & 0x0fu;
    else if (first >= 0xa0 && first <= 0xbf)
        token->length = 1u + (first & 0x1fu);
    else if (first >= 0xc4 && first <= 0xc6)
        good = mutate_sized(data, size, token, (size_t)1 << (first - 0xc4), 0);
    else if (first >= 0xc7 && first <= 0xc9)
        good = mutate_sized(data, size, token, (size_t)1 << (first - 0xc7), 1);
    else if (first >= 0xca && first <= 0xd8)
        token->length = lengths[first - 0xca];
    else if (first >= 0xd9 && first <= 0xdb)
        good = mutate_sized(data, size, token, (size_t)1 << (first - 0xd9), 0);
    else if (first == 0xdc || first == 0xdd)
        good = mutate_container(data, size, token, first == 0xdc ? 2 : 4, 1);
    else if (first == 0xde || first == 0xdf)
        good = mutate_container(data, size, token, first == 0xde ? 2 : 4, 2);
    return good && token->length <= size - token->at;
}

size_t mutate_skip(const uint8_t *data, size_t size, size_t at)
{
    for (size_t left = 1; left > 0; left--) {
        struct token token = {.at = at};
        if (!mutate_read(data, size, &token) || token.parts > size)
            return 0;
        at += token.length;
        left += token.parts;
    }
    return at;
}

/* Puts `count` bytes in the place of those from `at` to `end`. */
static size_t mutate_replace(uint8_t *data, size_t size, size_t room, size_t at, size_t end,
                             const uint8_t *bytes, size_t count)
{
    if (size - (end - at) + count > room)
        return 0;
    memmove(data + at + count, data + end, size - end);
    memcpy(data + at, bytes, count);
    return size - (end - at) + count;
}

/* Integers that are of interest beside the one that is there. */
static int64_t mutate_integer(unsigned *seed, int64_t value)
{
    static const int64_t others[] = {0,     1,      -1,        2,          3,          127,
                                     255,   256,    65535,     0x7fffffff, 0x80000000, 0xffffffff,
                                     99999, 100000, 1000000,   INT64_MIN,  INT64_MAX,  -2,
                                     250,   -32768, INT32_MIN, 16,         31,         64};
    switch (rand_r(seed) % 4) {
    case 0:
        return (int64_t)((uint64_t)value + 1);
    case 1:
        return (int64_t)((uint64_t)value - 1);
    case 2:
        return (int64_t)((uint64_t)value + (uint64_t)(rand_r(seed) % 41) - 20);
    default:
        return others[(size_t)rand_r(seed) % (sizeof others / sizeof *others)];
    }
}

static int64_t mutate_integer_of(const uint8_t *data, const struct token *token)
{
    uint8_t first = data[token->at];
    if (first < 0x80)
        return first;
    if (first >= 0xe0)
        return (int8_t)first;
    return (int64_t)mutate_number(data + token->at + 1, token->length - 1);
}

static int mutate_is_integer(uint8_t first)
{
    return first < 0x80 || first >= 0xe0 || (first >= 0xcc && first <= 0xd3);
}

/* Another integer, float, reference or boolean; or one bit in something else. */
static size_t mutate_token(uint8_t *data, size_t size, size_t room, const struct token *token,
                           unsigned *seed)
{
    uint8_t *at = data + token->at, bytes[9] = {0xd3};
    if (mutate_is_integer(*at)) {
        int64_t value = mutate_integer(seed, mutate_integer_of(data, token));
        for (int i = 0; i < 8; i++)
            bytes[8 - i] = (uint8_t)((uint64_t)value >> 8 * i);
        if (value >= -32 && value < 128)
            return mutate_replace(data, size, room, token->at, token->at + token->length, bytes + 8,
                                  1);
        return mutate_replace(data, size, room, token->at, token->at + token->length, bytes, 9);
    }
    if (*at >= 0xd4 && *at <= 0xd8 && token->length >= 6) { /* a reference, or sizes of a table */
        size_t part = 2 + (token->length - 6) * (size_t)(rand_r(seed) % 2);
        int64_t value = mutate_integer(seed, (int64_t)mutate_number(at + part, 4));
        for (int i = 0; i < 4; i++)
            at[part + 3 - (size_t)i] = (uint8_t)((uint64_t)value >> 8 * i);
        if (rand_r(seed) % 8 == 0)
            at[1] = (uint8_t)(1 + rand_r(seed) % 3);
        return size;
    }
    if (*at == 0xc0 || *at == 0xc2 || *at == 0xc3) {
        *at = (uint8_t)(0xc0 + rand_r(seed) % 4);
        return size;
    }
    at[(size_t)rand_r(seed) % token->length] ^= (uint8_t)(1 << rand_r(seed) % 8);
    return size;
}

/* The object at one token in the place of the one at another. */
static size_t mutate_copy(uint8_t *data, size_t size, size_t room, size_t from, size_t to)
{
    size_t from_end = mutate_skip(data, size, from), to_end = mutate_skip(data, size, to);
    if (from_end == 0 || to_end == 0 || from_end - from > 4096)
        return 0;
    uint8_t *copy = malloc(from_end - from);
    if (copy == NULL)
        return 0;
    memcpy(copy, data + from, from_end - from);
    size = mutate_replace(data, size, room, to, to_end, copy, from_end - from);
    free(copy);
    return size;
}

/* One element fewer, or the same one twice: the number in front is another then. */
static size_t mutate_count(uint8_t *data, size_t size, size_t room, const struct token *token,
                           unsigned *seed)
{
    uint8_t first = data[token->at];
    size_t element = token->at + token->length, end = mutate_skip(data, size, element);
    size_t pair = (first & 0xf0) == 0x80 && end != 0 ? mutate_skip(data, size, end) : end;
    if ((first & 0xe0) != 0x80 || (first & 0x0f) == 0 || pair == 0 || pair - element > 4096)
        return 0;
    if (rand_r(seed) % 2 == 0) {
        data[token->at]--;
        return mutate_replace(data, size, room, element, pair, data, 0);
    }
    if ((first & 0x0f) == 0x0f)
        return 0;
    size_t grown = mutate_copy(data, size, room, element, element);
    if (grown == 0 || size + (pair - element) > room)
        return 0;
    memmove(data + pair, data + element, size - element);
    data[token->at]++;
    return size + (pair - element);
}

size_t mutate_objects(uint8_t *data, size_t size, size_t room, size_t from, unsigned seed)
{
    static struct token tokens[MUTATE_MOST];
    size_t count = 0;
    for (struct token token = {.at = from}; count < MUTATE_MOST && mutate_read(data, size, &token);
         token.at += token.length)
        tokens[count++] = token;
    if (count < 2)
        return 0;
    const struct token *token = &tokens[(size_t)rand_r(&seed) % count],
                       *other = &tokens[(size_t)rand_r(&seed) % count];
    switch (rand_r(&seed) % 6) {
    case 0:
        return mutate_copy(data, size, room, other->at, token->at);
    case 1: /* one of the same kind */
        for (size_t i = 0; i < 200 && data[other->at] != data[token->at]; i++)
            other = &tokens[(size_t)rand_r(&seed) % count];
        return mutate_copy(data, size, room, other->at, token->at);
    case 2:
        return mutate_count(data, size, room, token, &seed);
    default:
        return mutate_token(data, size, room, token, &seed);
    }
}
