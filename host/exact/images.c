#include "exact/images.h"

#include <stdlib.h>
#include <string.h>

/* Its values, and its nodes behind them, are one block of memory. */
struct image {
    const struct vm_table *table; /* NULL: there is none */
    const struct vm_table *metatable;
    const struct vm_value *array; /* where the table has its own */
    const struct vm_node *nodes;
    uint32_t values_count, nodes_count;
    struct vm_node *copy;
    struct vm_value *values;
};

void images_free(struct images *images)
{
    for (size_t i = 0; i < images->count; i++)
        free(images->list[i].copy);
    free(images->list);
    *images = (struct images){0};
}

static uint32_t images_nodes(const struct vm_table *table)
{
    return (uint32_t)1 << table->log_nodes;
}

/* Of two values, wherever they are: nil, empty and what was removed are one. */
static int images_is_equal(uint8_t tag, uint64_t bits, uint8_t other_tag, uint64_t other_bits)
{
    if (vm_is_nil(tag))
        return vm_is_nil(other_tag);
    return tag == other_tag && bits == other_bits;
}

static int images_has_same_nodes(const struct image *image)
{
    for (uint32_t i = 0; i < image->nodes_count; i++) {
        const struct vm_node *node = &image->nodes[i], *copy = &image->copy[i];
        if (!images_is_equal(node->tag, node->bits, copy->tag, copy->bits) ||
            (!vm_is_nil(node->tag) && (node->key_tag != copy->key_tag || node->key != copy->key)))
            return 0;
    }
    return 1;
}

int images_is_same(void *context, size_t number)
{
    const struct images *images = &((const struct exact *)context)->images;
    if (number >= images->count || images->list[number].table == NULL)
        return 0;
    const struct image *image = &images->list[number];
    const struct vm_table *table = image->table;
    if (table->metatable != image->metatable || table->nodes != image->nodes ||
        table->array != image->array || images_nodes(table) != image->nodes_count ||
        vm_array_size(table) != image->values_count)
        return 0;
    for (uint32_t i = 0; i < image->values_count; i++)
        if (!images_is_equal(table->array[i].tag, table->array[i].bits, image->values[i].tag,
                             image->values[i].bits))
            return 0;
    return images_has_same_nodes(image);
}

static int images_make_room(struct images *images, size_t count)
{
    if (count <= images->count)
        return 0;
    struct image *list = realloc(images->list, count * sizeof *list);
    if (list == NULL)
        return -1;
    memset(list + images->count, 0, (count - images->count) * sizeof *list);
    images->list = list;
    images->count = count;
    return 0;
}

/* Where there is no memory for it, there is no image. */
void images_remember(lua_State *L, void *context, int table, size_t number)
{
    struct images *images = &((struct exact *)context)->images;
    const struct vm_table *insides = vm_table(L, table);
    uint32_t values = vm_array_size(insides), nodes = images_nodes(insides);
    if (images_make_room(images, number + 1) != 0)
        return;
    struct image *image = &images->list[number];
    free(image->copy);
    *image = (struct image){
        .copy = malloc(nodes * sizeof *image->copy + values * sizeof *image->values)};
    if (image->copy == NULL)
        return;
    image->table = insides;
    image->metatable = insides->metatable;
    image->array = insides->array;
    image->nodes = insides->nodes;
    image->values_count = values;
    image->nodes_count = nodes;
    image->values = (struct vm_value *)(void *)(image->copy + nodes);
    memcpy(image->copy, insides->nodes, nodes * sizeof *image->copy);
    if (values > 0)
        memcpy(image->values, insides->array, values * sizeof *image->values);
}
