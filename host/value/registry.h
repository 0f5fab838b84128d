/*
 * What the embedder and the script have named for snapshots: userdata types with their savers
 * (ckptlua_register), classes (ckpt.register) and transient values (ckpt.transient). Kept in the
 * Lua registry of each state.
 */
#ifndef CKPTLUA_VALUE_REGISTRY_H
#define CKPTLUA_VALUE_REGISTRY_H

#include <stddef.h>

#include <lua.h>

/* Memory that is saved as it is: numbers of `width` bytes. */
struct userdata_block {
    void *data;
    size_t size; /* bytes */
    int width;   /* 1, 2, 4 or 8 */
};

/* A type of full userdata whose metatable was made by luaL_newmetatable(L, name). The last three
 * are NULL where there are no blocks; see ckptlua.h. */
struct userdata_type {
    const char *name;
    void (*save)(lua_State *L, int index);                     /* pushes one string, or raises */
    void (*load)(lua_State *L, const char *data, size_t size); /* pushes the userdata, or raises */
    int (*save_block)(lua_State *L, int index, int number, struct userdata_block *block);
    void (*load_block)(lua_State *L, int index, int number, struct userdata_block *block);
    void (*loaded)(lua_State *L, int index);
};

/* Once per state, before the others. */
void registry_open(lua_State *L);

/* The structure must outlive the state. */
void registry_add_type(lua_State *L, const struct userdata_type *type);

/* Asked, once for each value, for a type that is not known: may add it. Raises or returns with the
 * stack as it was. */
struct userdata_finder {
    void (*find)(lua_State *L, const char *name);
};

/* The structure must outlive the state. */
void registry_set_finder(lua_State *L, const struct userdata_finder *finder);

/* The type of the userdata at index, or NULL. */
const struct userdata_type *registry_type_of(lua_State *L, int index);

/* The type of that name, which is looked for where it is not known; or NULL. */
const struct userdata_type *registry_type(lua_State *L, const char *name);

/* Names the metatable at index. save and load are indices of functions, both or neither 0: a
 * registered class with them is saved as what save(object) gives, and made by load of that. */
void registry_add_class(lua_State *L, const char *name, int metatable, int save, int load);

/* Pushes the table of all classes: name -> {metatable, save function, load function}. */
void registry_push_classes(lua_State *L);

/* Whether any class has a save function, which is Lua code that runs during a save. */
int registry_has_savers(lua_State *L);

/* If the value at index has a metatable that is a class with a save function, pushes the class's
 * name and the function and returns 1. */
int registry_push_saver(lua_State *L, int index);

/* Pushes the metatable of a class, or its load function; nil if there is none. */
void registry_push_class(lua_State *L, const char *name);
void registry_push_loader(lua_State *L, const char *name);

/* The value on top of the stack is the transient `name` from now on. Pops nothing. */
void registry_set_transient(lua_State *L, const char *name);
int registry_is_transient(lua_State *L, const char *name);

/* Pushes the transient value of that name, or nil. */
void registry_push_transient(lua_State *L, const char *name);

/* Pushes the table object -> description, such as "class:Account" or "transient:A". It must not
 * be changed. */
void registry_push_all(lua_State *L);

#endif
