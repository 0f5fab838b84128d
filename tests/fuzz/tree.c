#include "tree.h"

#include <string.h>

/* ---------------------------------------------------------------- reading */

static uint64_t tree_number(const uint8_t *data, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++)
        number = number << 8 | data[i];
    return number;
}

static int64_t tree_signed(uint64_t number, size_t size)
{
    return (int64_t)(number << (64 - 8 * size)) >> (64 - 8 * size);
}

/* How each head from 0xC0 to 0xDF goes on: the bytes of a number that is its value or its size, and
 * the bytes that follow besides. */
static const struct tree_head {
    enum tree_type type;
    uint8_t number;
    uint8_t more;
} tree_heads[32] = {
    {TREE_NIL, 0, 0},        {TREE_NIL, 0, 0},       {TREE_BOOLEAN, 0, 0},   {TREE_BOOLEAN, 0, 0},
    {TREE_STRING, 1, 0},     {TREE_STRING, 2, 0},    {TREE_STRING, 4, 0},    {TREE_EXTENSION, 1, 1},
    {TREE_EXTENSION, 2, 1},  {TREE_EXTENSION, 4, 1}, {TREE_FLOAT, 0, 4},     {TREE_FLOAT, 0, 8},
    {TREE_INTEGER, 1, 0},    {TREE_INTEGER, 2, 0},   {TREE_INTEGER, 4, 0},   {TREE_INTEGER, 8, 0},
    {TREE_INTEGER, 1, 0},    {TREE_INTEGER, 2, 0},   {TREE_INTEGER, 4, 0},   {TREE_INTEGER, 8, 0},
    {TREE_EXTENSION, 0, 2},  {TREE_EXTENSION, 0, 3}, {TREE_EXTENSION, 0, 5}, {TREE_EXTENSION, 0, 9},
    {TREE_EXTENSION, 0, 17}, {TREE_STRING, 1, 0},    {TREE_STRING, 2, 0},    {TREE_STRING, 4, 0},
    {TREE_ARRAY, 2, 0},      {TREE_ARRAY, 4, 0},     {TREE_MAP, 2, 0},       {TREE_MAP, 4, 0},
};

static uint64_t tree_read_long(const struct tree *tree, struct tree_node *node)
{
    const uint8_t *at = tree->data + node->start;
    const struct tree_head *head = &tree_heads[*at - 0xC0];
    if (tree->size - node->start < (size_t)1 + head->number + head->more)
        return UINT64_MAX;
    uint64_t number = tree_number(at + 1, head->number);
    node->type = head->type;
    node->body = node->start + 1 + head->number;
    switch (head->type) {
    case TREE_INTEGER:
        node->integer = *at >= 0xD0 ? tree_signed(number, head->number) : (int64_t)number;
        return 0;
    case TREE_BOOLEAN:
        node->integer = *at & 1;
        return 0;
    case TREE_ARRAY:
    case TREE_MAP:
        node->count = (uint32_t)number << (head->type == TREE_MAP);
        return 0;
    case TREE_EXTENSION:
        node->extension = node->body < tree->size ? tree->data[node->body] : 0;
        return number + head->more;
    default:
        return number + head->more;
    }
}

/* Fills the node but for its end; returns the bytes behind its head, UINT64_MAX where it is none.
 */
static uint64_t tree_read_head(const struct tree *tree, struct tree_node *node)
{
    uint8_t byte = tree->data[node->start];
    node->body = node->start + 1;
    if (byte >= 0xC0 && byte < 0xE0)
        return tree_read_long(tree, node);
    if (byte < 0x80 || byte >= 0xE0) {
        node->type = TREE_INTEGER;
        node->integer = (int8_t)byte;
        return 0;
    }
    if (byte >= 0xA0) {
        node->type = TREE_STRING;
        return byte & 0x1F;
    }
    node->type = byte >= 0x90 ? TREE_ARRAY : TREE_MAP;
    node->count = (uint32_t)(byte & 0x0F) << (byte < 0x90);
    return 0;
}

void tree_read(struct tree *tree, const uint8_t *data, size_t size)
{
    uint32_t left[64]; /* of the containers around */
    int inside[64], depth = 0;
    size_t at = 0;
    tree->data = data;
    tree->size = size;
    tree->count = 0;
    while (at < size && tree->count < TREE_NODES) {
        struct tree_node *node = &tree->nodes[tree->count];
        *node = (struct tree_node){.start = at, .parent = depth == 0 ? -1 : inside[depth - 1]};
        uint64_t more = tree_read_head(tree, node);
        if (more > size - node->body)
            break;
        at = node->end = node->body + (size_t)more;
        if (depth > 0)
            left[depth - 1]--;
        if (node->count > 0 && depth < 64) {
            inside[depth] = tree->count;
            left[depth++] = node->count;
        }
        tree->count++;
        for (; depth > 0 && left[depth - 1] == 0; depth--)
            tree->nodes[inside[depth - 1]].end = at;
    }
    while (depth > 0) /* cut off */
        tree->nodes[inside[--depth]].end = at;
}

/* ---------------------------------------------------------------- changing */

struct change {
    const struct tree *tree, *other;
    uint64_t seed;
    uint8_t *out;
    size_t used, room;
    int full;
};

static uint32_t change_random(struct change *change, uint32_t below)
{
    change->seed += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t mixed = (change->seed ^ change->seed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    return below == 0 ? 0 : (uint32_t)((mixed >> 32) % below);
}

static void change_put(struct change *change, const uint8_t *data, size_t size)
{
    if (size > change->room - change->used) {
        change->full = 1;
        return;
    }
    memcpy(change->out + change->used, data, size);
    change->used += size;
}

static void change_put_head(struct change *change, uint8_t head, uint64_t number, int size)
{
    uint8_t bytes[9] = {head};
    for (int i = 0; i < size; i++)
        bytes[1 + i] = (uint8_t)(number >> 8 * (size - 1 - i));
    change_put(change, bytes, (size_t)size + 1);
}

static void change_put_node(struct change *change, const struct tree *tree, int node)
{
    change_put(change, tree->data + tree->nodes[node].start,
               tree->nodes[node].end - tree->nodes[node].start);
}

static int change_pick(struct change *change, const struct tree *tree)
{
    return (int)change_random(change, (uint32_t)tree->count);
}

/* A node of the type, in a few attempts; else any. */
static int change_pick_like(struct change *change, const struct tree *tree, enum tree_type type)
{
    int node = change_pick(change, tree);
    for (int i = 0; i < 200 && tree->nodes[node].type != type; i++)
        node = change_pick(change, tree);
    return node;
}

static void change_integer(struct change *change, int64_t old)
{
    static const int64_t values[] = {
        0,       1,     2,     3,         127,       128,       250,       255, 256, 999999,
        1000000, 65535, 65536, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, -1,  -2,  -1000000};
    uint64_t number = (uint64_t)old;
    const struct tree *tree = change->tree;
    switch (change_random(change, 5)) {
    case 0:
        number = (uint64_t)values[change_random(change, sizeof values / sizeof *values)];
        break;
    case 1:
        number = (uint64_t)tree->nodes[change_pick_like(change, tree, TREE_INTEGER)].integer;
        break;
    case 2:
        number = change_random(change, 64);
        break;
    default:
        number += change_random(change, 7);
        number -= 3;
    }
    change_put_head(change, 0xD3, number, 8);
}

static void change_extension(struct change *change, const struct tree_node *node)
{
    const uint8_t *body = change->tree->data + node->body;
    uint32_t sequence, others;
    uint8_t bytes[10] = {0xD6, (uint8_t)node->extension};
    if (node->extension == 1 && node->end - node->body == 9) {
        sequence = change_random(change, 20), others = change_random(change, 20);
        bytes[0] = 0xD7;
        bytes[5] = (uint8_t)sequence;
        bytes[9] = (uint8_t)others;
        change_put(change, bytes, sizeof bytes);
        return;
    }
    uint64_t number = tree_number(body + 1, node->end - node->body - 1);
    switch (change_random(change, 4)) {
    case 0:
        number += change_random(change, 7);
        number -= 3;
        break;
    case 1:
        bytes[1] ^= 1;
        break;
    default:
        number = change_random(change, 300);
    }
    for (int i = 0; i < 4; i++)
        bytes[2 + i] = (uint8_t)(number >> 8 * (3 - i));
    change_put(change, bytes, 6);
}

static void change_string(struct change *change, const struct tree_node *node)
{
    size_t size = node->end - node->body, first = change->used + node->body - node->start;
    change_put(change, change->tree->data + node->start, node->end - node->start);
    for (uint32_t i = change_random(change, 3); !change->full && size > 0 && i < 3; i++)
        change->out[first + change_random(change, (uint32_t)size)] =
            (uint8_t)change_random(change, 256);
}

/* Another value in the node's place. */
static void change_value(struct change *change, int at)
{
    static const uint8_t simple[] = {0xC0, 0xC2, 0xC3, 0x80, 0x90, 0xA0};
    const struct tree_node *node = &change->tree->nodes[at];
    const struct tree *from = change_random(change, 4) == 0 ? change->other : change->tree;
    uint32_t way = change_random(change, 8);
    if (from->count == 0)
        from = change->tree;
    if (way == 0)
        change_put(change, simple + change_random(change, sizeof simple), 1);
    else if (way == 1)
        change_put_node(change, from, change_pick(change, from));
    else if (way == 2)
        change_put_node(change, from, change_pick_like(change, from, node->type));
    else if (node->type == TREE_INTEGER)
        change_integer(change, node->integer);
    else if (node->type == TREE_EXTENSION && node->end > node->body + 1)
        change_extension(change, node);
    else if (node->type == TREE_STRING)
        change_string(change, node);
    else
        change_put_node(change, from, change_pick_like(change, from, node->type));
}

static void change_put_range(struct change *change, size_t from, size_t to)
{
    change_put(change, change->tree->data + from, to - from);
}

static void change_one(struct change *change, int at)
{
    const struct tree_node *node = &change->tree->nodes[at];
    change_put_range(change, 0, node->start);
    change_value(change, at);
    change_put_range(change, node->end, change->tree->size);
}

static int change_sibling(struct change *change, int at)
{
    int parent = change->tree->nodes[at].parent, count = 0, chosen = at;
    for (int i = 0; i < change->tree->count; i++)
        if (change->tree->nodes[i].parent == parent && i != at &&
            change_random(change, (uint32_t)++count) == 0)
            chosen = i;
    return chosen;
}

static void change_swap(struct change *change, int at)
{
    int other = change_sibling(change, at);
    int first = at < other ? at : other, last = at < other ? other : at;
    const struct tree_node *nodes = change->tree->nodes;
    if (nodes[first].end > nodes[last].start) /* itself */
        return;
    change_put_range(change, 0, nodes[first].start);
    change_put_node(change, change->tree, last);
    change_put_range(change, nodes[first].end, nodes[last].start);
    change_put_node(change, change->tree, first);
    change_put_range(change, nodes[last].end, change->tree->size);
}

/* The nodes from `at` on that are one element: two for a pair of a map. */
static int change_element(struct change *change, int *at, size_t *end)
{
    const struct tree *tree = change->tree;
    int parent = tree->nodes[*at].parent, index = 0;
    if (parent < 0)
        return 0;
    *end = tree->nodes[*at].end;
    if (tree->nodes[parent].type != TREE_MAP)
        return 1;
    int key = *at, value = -1;
    for (int i = parent + 1; i < tree->count && tree->nodes[i].start < tree->nodes[parent].end; i++)
        if (tree->nodes[i].parent == parent) {
            if (index++ % 2 == 0) {
                if (i > *at)
                    break;
                key = i;
            } else {
                value = i;
            }
            if (i >= *at && value > key)
                break;
        }
    if (value < key)
        return 0;
    *at = key;
    *end = tree->nodes[value].end;
    return 1;
}

static void change_put_counted(struct change *change, int node, int64_t more)
{
    const struct tree_node *parent = &change->tree->nodes[node];
    int is_map = parent->type == TREE_MAP;
    uint64_t count = (uint64_t)((int64_t)(parent->count >> is_map) + more);
    change_put_head(change, is_map ? 0xDF : 0xDD, count, 4);
}

/* The element at is left out (times 0), or there again that many times. */
static void change_repeat(struct change *change, int at, int times)
{
    const struct tree *tree = change->tree;
    size_t end;
    if (!change_element(change, &at, &end))
        return;
    int parent = tree->nodes[at].parent;
    change_put_range(change, 0, tree->nodes[parent].start);
    change_put_counted(change, parent, times - 1);
    change_put_range(change, tree->nodes[parent].body, tree->nodes[at].start);
    for (int i = 0; i < times; i++)
        change_put_range(change, tree->nodes[at].start, end);
    change_put_range(change, end, tree->size);
}

/* A value from somewhere in front of the node, in an array. */
static void change_insert(struct change *change, int at)
{
    const struct tree *tree = change->tree;
    int parent = tree->nodes[at].parent;
    if (parent < 0 || tree->nodes[parent].type != TREE_ARRAY)
        return;
    change_put_range(change, 0, tree->nodes[parent].start);
    change_put_counted(change, parent, 1);
    change_put_range(change, tree->nodes[parent].body, tree->nodes[at].start);
    change_value(change, at);
    change_put_range(change, tree->nodes[at].start, tree->size);
}

size_t tree_change(const struct tree *tree, const struct tree *other, uint64_t seed, uint8_t *out,
                   size_t room)
{
    struct change change = {.tree = tree, .other = other, .seed = seed, .out = out, .room = room};
    if (tree->count == 0)
        return 0;
    int at = change_pick(&change, tree);
    switch (change_random(&change, 12)) {
    case 0:
        change_swap(&change, at);
        break;
    case 1:
        change_repeat(&change, at, 0);
        break;
    case 2:
        change_repeat(&change, at, 2 + (int)change_random(&change, 3) * 3);
        break;
    case 3:
        change_insert(&change, at);
        break;
    case 4:
        change_one(&change, change_pick_like(&change, tree, TREE_EXTENSION));
        break;
    case 5:
    case 6:
    case 7:
        change_one(&change, change_pick_like(&change, tree, TREE_INTEGER));
        break;
    default:
        change_one(&change, at);
    }
    return change.full ? 0 : change.used;
}
