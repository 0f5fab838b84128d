#include "digest.h"

#include <stddef.h>

#include "exact/vm.h"
#include "zone/places.h"

static uint64_t digest_mix(uint64_t sum, uint64_t value)
{
    sum = (sum ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return sum ^ sum >> 29;
}

static uint64_t digest_string(uint64_t bits)
{
    const struct vm_string *string = (const void *)(uintptr_t)bits;
    size_t size = string->type == VM_SHORT_STRING ? string->short_length : string->u.long_length;
    uint64_t sum = size;
    for (size_t i = 0; i < size; i++)
        sum = digest_mix(sum, (unsigned char)string->text[i]);
    return sum;
}

static uint64_t digest_value(uint64_t bits, uint8_t tag)
{
    uint64_t sum = vm_is_nil(tag) ? VM_NIL : tag;
    switch (tag & ~VM_COLLECTABLE) {
    case VM_INTEGER:
    case VM_FLOAT:
    case VM_TABLE:
    case VM_LUA_CLOSURE:
    case VM_THREAD:
        return digest_mix(sum, bits);
    case VM_SHORT_STRING:
    case VM_LONG_STRING:
        return digest_mix(sum, digest_string(bits));
    default:
        return sum;
    }
}

static uint64_t digest_table(const struct vm_table *table)
{
    uint32_t array = vm_array_size(table),
             hash = table->last_free == NULL ? 0 : 1U << table->log_nodes;
    uint64_t sum = digest_mix((uintptr_t)table, array);
    sum = digest_mix(sum, table->array_limit);
    for (uint32_t i = 0; i < array; i++)
        sum = digest_mix(sum, digest_value(table->array[i].bits, table->array[i].tag));
    for (uint32_t i = 0; i < hash; i++) {
        const struct vm_node *node = &table->nodes[i];
        sum = digest_mix(sum, (uint32_t)node->next);
        sum = digest_mix(sum, digest_value(node->key, node->key_tag));
        sum = digest_mix(sum, digest_value(node->bits, node->tag));
    }
    return hash == 0 ? sum : digest_mix(sum, (uint64_t)(table->last_free - table->nodes));
}

struct digest digest_heap(lua_State *L, struct zone *zone, const void *ckpt)
{
    struct digest digest = {0};
    struct places_walk walk = {0};
    struct places_range range;
    const void *registry = lua_topointer(L, LUA_REGISTRYINDEX);
    while (places_next(zone, &walk, &range))
        digest.places = digest_mix(digest_mix(digest.places, range.first), range.count);
    for (const struct vm_object *object = vm_thread(L)->global->all; object != NULL;
         object = object->next)
        if (object->type == VM_TABLE && places_of(zone, object) != PLACES_NONE &&
            (const void *)object != registry && (const void *)object != ckpt)
            digest.tables += digest_table((const void *)object);
    return digest;
}
