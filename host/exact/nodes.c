#include "exact/nodes.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "exact/vm.h"

static uint32_t nodes_hash_size(const struct vm_table *table)
{
    return table->last_free == NULL ? 0 : UINT32_C(1) << table->log_nodes;
}

/* The node in that place, or NULL where the table has none such. */
static struct vm_node *nodes_at(lua_State *L, int index, uint32_t place)
{
    const struct vm_table *table = vm_table(L, index);
    return place < nodes_hash_size(table) ? &table->nodes[place] : NULL;
}

static int nodes_is_entry(const struct vm_node *node)
{
    return !vm_is_nil(node->tag);
}

static int nodes_is_by_address(uint8_t key_tag)
{
    switch (key_tag & 0x0F) {
    case LUA_TNIL:
    case LUA_TBOOLEAN:
    case LUA_TNUMBER:
    case LUA_TSTRING:
        return 0;
    default:
        return key_tag != VM_DEAD_KEY;
    }
}

/* ---------------------------------------------------------------- looking */

static void nodes_sizes(lua_State *L, int index, uint32_t *array, uint32_t *hash)
{
    const struct vm_table *table = vm_table(L, index);
    *array = vm_array_size(table);
    *hash = nodes_hash_size(table);
}

static void nodes_look(lua_State *L, int index, struct layout *layout)
{
    const struct vm_table *table = vm_table(L, index);
    *layout = (struct layout){
        .array = vm_array_size(table), .hash = nodes_hash_size(table), .limit = LAYOUT_NO_LIMIT};
    if (table->flags & VM_LARGE_ARRAY_FLAG)
        layout->limit = table->array_limit;
    if (layout->hash > 0)
        layout->last_free = (uint32_t)(table->last_free - table->nodes);
    for (uint32_t i = 0; i < layout->hash; i++) {
        const struct vm_node *node = &table->nodes[i];
        int is_entry = nodes_is_entry(node);
        layout->entries += (uint32_t)is_entry;
        layout->removed += !is_entry && node->key_tag != VM_NIL;
        layout->by_address |= is_entry && nodes_is_by_address(node->key_tag);
    }
}

static void nodes_count(lua_State *L, int index, struct walker_counts *counts)
{
    const struct vm_table *table = vm_table(L, index);
    uint32_t array = vm_array_size(table), hash = nodes_hash_size(table);
    *counts = (struct walker_counts){0};
    for (uint32_t i = 0; i < array; i++)
        if (!vm_is_nil(table->array[i].tag))
            walker_add_integer(counts, (lua_Integer)i + 1);
    for (const struct vm_node *node = table->nodes; node < table->nodes + hash; node++) {
        if (!nodes_is_entry(node))
            continue;
        if (node->key_tag == VM_INTEGER)
            walker_add_integer(counts, (lua_Integer)node->key);
        else
            walker_add_other(counts);
    }
}

/* A float has its bits in memory as in the value, an integer too. */
static uint32_t nodes_numbers(lua_State *L, int index, uint32_t place, uint32_t most,
                              struct layout_numbers *numbers)
{
    const struct vm_table *table = vm_table(L, index);
    uint32_t size = vm_array_size(table), count = 0;
    if (place >= size)
        return 0;
    const struct vm_value *value = table->array + place;
    uint8_t tag = value->tag;
    if (tag != VM_FLOAT && tag != VM_INTEGER)
        return 0;
    if (most > size - place)
        most = size - place;
    if (most > LAYOUT_NUMBERS)
        most = LAYOUT_NUMBERS;
    for (; count < most && value[count].tag == tag; count++)
        memcpy(&numbers->u.integers[count], &value[count].bits, sizeof value->bits);
    numbers->are_floats = tag == VM_FLOAT;
    return count;
}

static int nodes_value(lua_State *L, int index, uint32_t place)
{
    const struct vm_table *table = vm_table(L, index);
    if (place < vm_array_size(table))
        vm_push_plain(L, &table->array[place]);
    else
        lua_pushnil(L);
    return lua_type(L, -1);
}

static struct layout_place nodes_place(lua_State *L, int index, uint32_t place)
{
    const struct vm_node *node = nodes_at(L, index, place);
    struct layout_place found = {LAYOUT_FREE, 0};
    if (node == NULL || (node->key_tag == VM_NIL && !nodes_is_entry(node)))
        return found;
    found.state = nodes_is_entry(node) ? LAYOUT_ENTRY : LAYOUT_REMOVED;
    found.next = node->next;
    return found;
}

static int nodes_entry(lua_State *L, int index, uint32_t place)
{
    const struct vm_node *node = nodes_at(L, index, place);
    if (node == NULL || !nodes_is_entry(node))
        return 0;
    vm_push_bits(L, node->key, node->key_tag);
    vm_push_bits(L, node->bits, node->tag);
    return 1;
}

/* Tables are known by their address, strings by that of their text. */
static const void *nodes_fetch(uint64_t bits, uint8_t tag)
{
    if ((tag & VM_COLLECTABLE) == 0)
        return NULL;
    const struct vm_string *object = (const void *)(uintptr_t)bits;
    __builtin_prefetch(object);
    return (tag & 0x0F) == LUA_TSTRING ? (const void *)object->text : object;
}

static void nodes_fetch_entry(lua_State *L, int index, uint32_t place, const void *addresses[2])
{
    const struct vm_node *node = nodes_at(L, index, place);
    addresses[0] = addresses[1] = NULL;
    if (node == NULL || !nodes_is_entry(node))
        return;
    addresses[0] = nodes_fetch(node->key, node->key_tag);
    addresses[1] = nodes_fetch(node->bits, node->tag);
}

static const void *nodes_removed(lua_State *L, int index, uint32_t place)
{
    const struct vm_node *node = nodes_at(L, index, place);
    if (node == NULL || nodes_is_entry(node) || node->key_tag == VM_NIL) {
        lua_pushnil(L);
        return NULL;
    }
    if (node->key_tag == VM_DEAD_KEY) {
        lua_pushnil(L);
        return (const void *)(uintptr_t)node->key;
    }
    vm_push_bits(L, node->key, node->key_tag);
    return NULL;
}

/* The map knows userdata by the byte before their block. */
static void nodes_aliases(const void *address, const void *aliases[LAYOUT_ALIASES])
{
    const char *object = address;
    aliases[0] = object;
    aliases[1] = object + offsetof(struct vm_string, text);
    aliases[2] = object + VM_USERDATA_HEADER - 1;
    aliases[3] = object + VM_USERDATA_HEADER_AND_VALUE - 1;
}

static void nodes_strings(lua_State *L,
                          void (*found)(lua_State *L, void *context, const void *address),
                          void *context)
{
    const struct vm_global *global = vm_thread(L)->global;
    for (int i = 0; i < global->strings_size; i++)
        for (const struct vm_string *string = global->strings[i]; string != NULL;
             string = string->u.next) {
            vm_push_object(L, (const struct vm_object *)(const void *)string);
            found(L, context, string);
            lua_pop(L, 1);
        }
}

const struct layout_writer nodes_writer = {
    nodes_sizes, nodes_look,        nodes_count,   nodes_value,   nodes_numbers, nodes_place,
    nodes_entry, nodes_fetch_entry, nodes_removed, nodes_aliases, nodes_strings};

/* ---------------------------------------------------------------- making */

/* The collector has not run since the state was made, so all is white, and no barrier is needed. */
static void nodes_put(lua_State *L, int index, uint32_t place)
{
    struct vm_node *node = nodes_at(L, index, place);
    const struct vm_value *value = vm_top(L), *key = value - 1;
    node->key = key->bits;
    node->key_tag = key->tag;
    node->bits = value->bits;
    node->tag = value->tag;
    lua_pop(L, 2);
}

static const char *nodes_check_sizes(const struct vm_table *table, const struct layout *layout,
                                     const struct layout_place *places)
{
    struct vm_table limited = *table;
    if (layout->array != vm_array_size(table) || layout->hash != nodes_hash_size(table) ||
        layout->last_free > layout->hash)
        return "a table of another size than its layout";
    if (layout->limit != LAYOUT_NO_LIMIT) {
        limited.array_limit = (uint32_t)layout->limit;
        limited.flags = VM_LARGE_ARRAY_FLAG;
        if (layout->limit < 0 || layout->limit > layout->array ||
            vm_array_size(&limited) != layout->array)
            return "a table with a limit that its array cannot have";
    }
    for (uint32_t i = 0; i < layout->hash; i++)
        if (nodes_is_entry(&table->nodes[i]) != (places[i].state == LAYOUT_ENTRY))
            return "a table without the entries of its layout";
    return NULL;
}

/* Each place is linked to by one other at most, and from one where a chain begins; so no chain goes
 * round in a circle. Returns 0 if it is not so. */
static int nodes_check_chains(const struct layout *layout, const struct layout_place *places,
                              uint8_t *linked)
{
    uint32_t used = 0, reached = 0;
    for (uint32_t i = 0; i < layout->hash; i++) {
        used += places[i].state != LAYOUT_FREE;
        if (places[i].next == 0)
            continue;
        int64_t to = (int64_t)i + places[i].next;
        if (places[i].state == LAYOUT_FREE || to < 0 || to >= layout->hash ||
            places[to].state == LAYOUT_FREE || linked[to])
            return 0;
        linked[to] = 1;
    }
    for (uint32_t i = 0; i < layout->hash; i++)
        if (places[i].state != LAYOUT_FREE && !linked[i]) {
            uint32_t at = i;
            for (reached++; places[at].next != 0; reached++)
                at = (uint32_t)((int64_t)at + places[at].next);
        }
    return used == reached;
}

/* Whether Lua finds the key of the node in this node: then it is in the chain of its main position,
 * there only once, and not one of the array part. */
static int nodes_is_found(lua_State *L, int index, struct vm_node *node)
{
    uint64_t bits = node->bits;
    uint8_t tag = node->tag;
    node->bits = (uint64_t)(uintptr_t)node;
    node->tag = LUA_TLIGHTUSERDATA;
    vm_push_bits(L, node->key, node->key_tag);
    lua_rawget(L, index);
    int found = lua_touserdata(L, -1) == (void *)node && lua_islightuserdata(L, -1);
    lua_pop(L, 1);
    node->bits = bits;
    node->tag = tag;
    return found;
}

static const char *nodes_link(lua_State *L, int index, const struct layout *layout,
                              const struct layout_place *places)
{
    struct vm_table *table = vm_table(L, index);
    const char *wrong = nodes_check_sizes(table, layout, places);
    if (wrong != NULL)
        return wrong;
    uint8_t *linked = calloc(layout->hash + 1, 1);
    if (linked == NULL)
        luaL_error(L, "not enough memory");
    int fine = nodes_check_chains(layout, places, linked);
    free(linked);
    if (!fine)
        return "a table with places that are not linked as in a table";
    for (uint32_t i = 0; i < layout->hash; i++) {
        struct vm_node *node = &table->nodes[i];
        node->next = places[i].next;
        if (places[i].state == LAYOUT_REMOVED) {
            node->key_tag = VM_DEAD_KEY;
            node->key = 0;
        }
    }
    for (uint32_t i = 0; i < layout->hash; i++)
        if (places[i].state == LAYOUT_ENTRY && !nodes_is_found(L, index, &table->nodes[i]))
            return "a table with a key in a place where it cannot be";
    table->flags = 0; /* no metamethod is known to be absent */
    if (layout->hash > 0)
        table->last_free = table->nodes + layout->last_free;
    if (layout->limit != LAYOUT_NO_LIMIT) {
        table->array_limit = (uint32_t)layout->limit;
        table->flags = VM_LARGE_ARRAY_FLAG;
    }
    return NULL;
}

/* As the table was made, which has as many nodes as these entries need, so that it stays as large.
 */
static void nodes_clear(struct vm_table *table)
{
    uint32_t size = nodes_hash_size(table);
    for (uint32_t i = 0; i < size; i++)
        table->nodes[i] = (struct vm_node){.tag = VM_EMPTY, .key_tag = VM_NIL};
    if (size > 0)
        table->last_free = table->nodes + size;
    table->flags = 0;
}

static void nodes_unlay(lua_State *L, int index, int keys)
{
    lua_Integer first = (lua_Integer)lua_rawlen(L, keys) + 1, last = first;
    uint32_t size = nodes_hash_size(vm_table(L, index));
    lua_newtable(L);
    int values = lua_gettop(L);
    for (uint32_t i = 0; i < size; i++)
        if (nodes_entry(L, index, i)) {
            lua_rawseti(L, values, last);
            lua_rawseti(L, keys, last++);
        }
    nodes_clear(vm_table(L, index));
    for (; first < last; first++) {
        lua_rawgeti(L, keys, first);
        lua_rawgeti(L, values, first);
        lua_rawset(L, index);
    }
    lua_settop(L, values - 1);
}

static const char *nodes_remove(lua_State *L, int index, uint32_t place, int dead)
{
    static const char wrong[] = "a removed entry that the table does not have";
    struct vm_node *node = nodes_at(L, index, place);
    const struct vm_value *key = vm_top(L);
    if (node == NULL || nodes_is_entry(node) || node->key_tag != VM_DEAD_KEY || node->key != 0 ||
        vm_is_nil(key->tag) || (dead && (key->tag & VM_COLLECTABLE) == 0))
        return wrong;
    node->key = key->bits;
    if (!dead)
        node->key_tag = key->tag;
    lua_pop(L, 1);
    return NULL;
}

static void nodes_exchange(lua_State *L, int one, int other)
{
    struct vm_table *a = vm_table(L, one), *b = vm_table(L, other), kept = *a;
    a->flags = b->flags & VM_LARGE_ARRAY_FLAG;
    a->log_nodes = b->log_nodes;
    a->array_limit = b->array_limit;
    a->array = b->array;
    a->nodes = b->nodes;
    a->last_free = b->last_free;
    b->flags = kept.flags & VM_LARGE_ARRAY_FLAG;
    b->log_nodes = kept.log_nodes;
    b->array_limit = kept.array_limit;
    b->array = kept.array;
    b->nodes = kept.nodes;
    b->last_free = kept.last_free;
}

const struct layout_reader nodes_reader = {NULL,       NULL,        nodes_sizes,  nodes_put,
                                           nodes_link, nodes_unlay, nodes_remove, nodes_exchange};

/* ---------------------------------------------------------------- a key that was removed */

static int nodes_has_key(lua_State *L, const struct vm_node *node)
{
    const struct vm_value *key = vm_top(L);
    if (node->key_tag == VM_DEAD_KEY)
        return (key->tag & VM_COLLECTABLE) != 0 && key->bits == node->key;
    vm_push_bits(L, node->key, node->key_tag);
    int same = lua_rawequal(L, -1, -2);
    lua_pop(L, 1);
    return same;
}

int nodes_know(lua_State *L, int index)
{
    const struct vm_table *table = vm_table(L, index);
    uint32_t size = nodes_hash_size(table);
    for (uint32_t i = 0; i < size; i++)
        if (table->nodes[i].key_tag != VM_NIL && nodes_has_key(L, &table->nodes[i]))
            return 1;
    return lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 1 &&
           (lua_Unsigned)lua_tointeger(L, -1) <= vm_array_size(table);
}
