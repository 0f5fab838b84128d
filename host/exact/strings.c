#include "exact/strings.h"

#include "exact/vm.h"

/* A string that the collector could free is marked; those that are there for ever have no colour.
 */
static inline void strings_keep(void *string)
{
    struct vm_object *object = string;
    if (object != NULL && object->type == VM_SHORT_STRING && (object->marked & VM_WHITE) != 0)
        object->marked |= VM_BLACK;
}

static inline void strings_keep_bits(uint64_t bits, uint8_t tag)
{
    if (tag == (VM_SHORT_STRING | VM_COLLECTABLE))
        strings_keep((void *)(uintptr_t)bits); /* NOLINT(performance-no-int-to-ptr) */
}

static void strings_keep_values(const struct vm_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        strings_keep_bits(values[i].bits, values[i].tag);
}

/* ---------------------------------------------------------------- what refers to strings */

static void strings_of_table(const struct vm_table *table)
{
    strings_keep_values(table->array, vm_array_size(table));
    if (table->last_free == NULL)
        return;
    const struct vm_node *end = table->nodes + ((size_t)1 << table->log_nodes);
    for (const struct vm_node *node = table->nodes; node < end; node++) {
        strings_keep_bits(node->key, node->key_tag);
        strings_keep_bits(node->bits, node->tag);
    }
}

/* Perhaps one that is being compiled. */
static void strings_of_prototype(const struct vm_prototype *prototype)
{
    strings_keep(prototype->source);
    strings_keep_values(prototype->constants, (size_t)prototype->constants_count);
    for (int32_t i = 0; i < prototype->upvalues_count; i++)
        strings_keep(prototype->upvalues[i].name);
    for (int32_t i = 0; i < prototype->locals_count; i++)
        strings_keep(prototype->locals[i].name);
}

/* What is above the top is nothing: Lua, too, clears it whenever it frees something, as the top can
 * rise without its being written to. */
static void strings_of_thread(struct vm_thread *thread)
{
    if (thread->stack == NULL)
        return;
    strings_keep_values(thread->stack, (size_t)(thread->top - thread->stack));
    for (struct vm_value *slot = thread->top; slot < thread->stack_last + VM_EXTRA_SLOTS; slot++)
        slot->tag = VM_NIL;
}

static void strings_of_object(struct vm_object *object)
{
    void *insides = object;
    switch (object->type) {
    case VM_TABLE:
        strings_of_table(insides);
        break;
    case VM_C_CLOSURE: {
        const struct vm_c_closure *closure = insides;
        strings_keep_values(closure->upvalues, closure->upvalues_count);
        break;
    }
    case VM_USERDATA: {
        const struct vm_userdata *userdata = insides;
        strings_keep_values(userdata->values, userdata->values_count);
        break;
    }
    case VM_UPVALUE: {
        const struct vm_upvalue *upvalue = insides;
        strings_keep_values(upvalue->value, 1);
        break;
    }
    case VM_PROTOTYPE:
        strings_of_prototype(insides);
        break;
    case VM_THREAD:
        strings_of_thread(insides);
        break;
    default:
        break;
    }
}

static void strings_of_list(struct vm_object *object)
{
    for (; object != NULL; object = object->next)
        strings_of_object(object);
}

static void strings_of_state(struct vm_global *global)
{
    strings_of_list(global->all);
    strings_of_list(global->finalized);
    strings_of_list(global->waiting);
    strings_of_thread(global->main);
    for (int i = 0; i < VM_CACHE_ROWS; i++)
        for (int j = 0; j < VM_CACHE_COLUMNS; j++)
            strings_keep(global->cache[i][j]);
}

/* ---------------------------------------------------------------- freeing */

static void strings_free(struct vm_global *global, struct vm_string *string)
{
    size_t size = sizeof *string + string->short_length + 1;
    struct vm_string **at = &global->strings[string->hash & (uint32_t)(global->strings_size - 1)];
    while (*at != string)
        at = &(*at)->u.next;
    *at = string->u.next;
    global->strings_count--;
    global->allocator(global->context, string, size, 0);
    global->debt -= (ptrdiff_t)size;
}

void strings_forget(lua_State *L)
{
    struct vm_global *global = vm_thread(L)->global;
    for (int i = 0; i < VM_CACHE_ROWS; i++)
        for (int j = 0; j < VM_CACHE_COLUMNS; j++)
            if (global->cache[i][j]->type == VM_LONG_STRING)
                global->cache[i][j] = global->memory_message;
}

int strings_sweep(lua_State *L)
{
    struct vm_global *global = vm_thread(L)->global;
    if (global->modes[VM_MODE_STATE] != VM_STATE_PAUSE ||
        global->modes[VM_MODE_KIND] != VM_KIND_INCREMENTAL)
        return 0;
    strings_of_state(global);
    struct vm_object **at = &global->all;
    while (*at != NULL) {
        struct vm_object *object = *at;
        if (object->type != VM_SHORT_STRING || (object->marked & VM_BLACK) != 0) {
            if (object->type == VM_SHORT_STRING)
                object->marked &= (uint8_t)~VM_BLACK;
            at = &object->next;
        } else {
            *at = object->next;
            strings_free(global, (void *)object);
        }
    }
    return 1;
}
