#include "value/late.h"

#include <string.h>

#include <lauxlib.h>

#include "value/names.h"
#include "value/registry.h"

/* registry.late = {
 *   standins = {description -> stand-in},
 *   metatables = {description -> stand-in metatable},
 *   all = {stand-in or stand-in metatable -> description}, for ever: the script may have copied
 *         one to a place that is not known, from where it is saved again,
 *   places = {stand-in -> {table or function, key, table, key, ...}},
 *   owners = {description -> {table, table, ...}}, whose metatable it is,
 *   objects = {stand-in -> {class, data}},
 *   order = {stand-in, ...} of objects, oldest first } */
static const char late_tables;

static const char late_metatable[] = "ckptlua.late";

static void late_push_table(lua_State *L, const char *table)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &late_tables);
    lua_getfield(L, -1, table);
    lua_remove(L, -2);
}

/* late.table[key at index] = value on top; pops it */
static void late_set(lua_State *L, const char *table, int key)
{
    key = lua_absindex(L, key);
    late_push_table(L, table);
    lua_pushvalue(L, key);
    lua_pushvalue(L, -3);
    lua_rawset(L, -3);
    lua_pop(L, 2);
}

/* Pushes late.table[key at index]. */
static int late_get(lua_State *L, const char *table, int key)
{
    key = lua_absindex(L, key);
    late_push_table(L, table);
    lua_pushvalue(L, key);
    int type = lua_rawget(L, -2);
    lua_remove(L, -2);
    return type;
}

/* ---------------------------------------------------------------- what a description means */

/* Pushes table[key], raw, or nil if the value on top is no table. Pops that. */
static void late_field(lua_State *L, const char *key)
{
    if (lua_type(L, -1) == LUA_TTABLE) {
        lua_pushstring(L, key);
        lua_rawget(L, -2);
    } else {
        lua_pushnil(L);
    }
    lua_remove(L, -2);
}

static void late_push_module(lua_State *L, const char *name)
{
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    late_field(L, name);
}

static void late_push_function(lua_State *L, const char *name)
{
    const char *colon = strrchr(name, ':'), *dot = strrchr(name, '.');
    if (colon != NULL) {
        lua_pushlstring(L, name, (size_t)(colon - name));
        late_push_module(L, lua_tostring(L, -1));
        lua_remove(L, -2);
        late_field(L, colon + 1);
    } else if (dot != NULL) {
        lua_pushlstring(L, name, (size_t)(dot - name));
        names_push_object(L, lua_tostring(L, -1));
        lua_remove(L, -2);
        late_field(L, dot + 1);
    } else {
        lua_pushglobaltable(L);
        late_field(L, name);
    }
    if (lua_type(L, -1) != LUA_TFUNCTION) {
        lua_pop(L, 1);
        lua_pushnil(L);
    }
}

/* Pushes the value described or nil. A stand-in is no value. */
static int late_push_present(lua_State *L, const char *description)
{
    const char *name = strchr(description, ':');
    if (name == NULL)
        return luaL_error(L, "'%s' describes nothing", description);
    name++;
    if (strncmp(description, "function:", 9) == 0)
        late_push_function(L, name);
    else if (strncmp(description, "module:", 7) == 0)
        late_push_module(L, name);
    else if (strncmp(description, "class:", 6) == 0)
        registry_push_class(L, name);
    else if (strncmp(description, "transient:", 10) == 0)
        registry_push_transient(L, name);
    else
        return luaL_error(L, "'%s' describes nothing", description);
    if (late_describe(L, -1)) {
        lua_pop(L, 2);
        lua_pushnil(L);
    }
    return lua_type(L, -1);
}

/* ---------------------------------------------------------------- stand-ins */

int late_is_seen(const char *description)
{
    static const char *const kinds[] = {
        "userdata:", "Lua function:", "iterator:", "coroutine:", "base:"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(description, kinds[i], strlen(kinds[i])) == 0)
            return 1;
    return 0;
}

static int late_raise(lua_State *L, const char *description)
{
    const char *name = strchr(description, ':');
    name = name == NULL ? description : name + 1;
    if (strncmp(description, "class:", 6) == 0 || strncmp(description, "object:", 7) == 0)
        return luaL_error(L,
                          "this value from the snapshot is of class '%s', which is not "
                          "registered yet: call ckpt.register first",
                          name);
    if (strncmp(description, "transient:", 10) == 0)
        return luaL_error(L,
                          "this value from the snapshot is the transient '%s', which is not "
                          "there yet: call ckpt.transient first",
                          name);
    if (strncmp(description, "userdata:", 9) == 0)
        return luaL_error(L, "this value from the snapshot is a userdata of type '%s'", name);
    if (late_is_seen(description))
        return luaL_error(L, "this value from the snapshot can be looked at only (%s)",
                          description);
    if (strncmp(description, "module:", 7) == 0)
        return luaL_error(L,
                          "this value from the snapshot is module '%s', which is not loaded "
                          "yet: call require first",
                          name);
    return luaL_error(L, "this value from the snapshot is function '%s', which is not defined yet",
                      name);
}

/* Metamethod of stand-ins that are userdata. */
static int late_missing(lua_State *L)
{
    lua_settop(L, 2);
    for (int i = 1; i <= 2; i++) {
        if (late_describe(L, i))
            return late_raise(L, lua_tostring(L, -1));
        if (late_describe_object(L, i)) {
            lua_pushfstring(L, "object:%s", lua_tostring(L, -2));
            return late_raise(L, lua_tostring(L, -1));
        }
    }
    return luaL_error(L, "a value from the snapshot is not there yet");
}

/* Metamethod of tables that wait for their class. upvalue 1: description */
static int late_classless(lua_State *L)
{
    return late_raise(L, lua_tostring(L, lua_upvalueindex(1)));
}

int late_push_text(lua_State *L, int index)
{
    if (late_describe(L, index)) {
        const char *description = lua_tostring(L, -1), *colon = strchr(description, ':');
        lua_pushlstring(L, description, (size_t)(colon - description));
        lua_pushfstring(L, "%s %s", lua_tostring(L, -1), colon + 1);
        lua_replace(L, -3);
        lua_pop(L, 1);
        return 1;
    }
    if (late_describe_object(L, index)) {
        lua_pop(L, 1);
        lua_pushfstring(L, "object of class %s", lua_tostring(L, -1));
        lua_remove(L, -2);
        return 1;
    }
    return 0;
}

static int late_to_string(lua_State *L)
{
    if (!late_push_text(L, 1))
        lua_pushliteral(L, "value from a snapshot");
    return 1;
}

static int late_forwarded(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return lua_gettop(L);
}

/* upvalue 1: description */
static int late_forward(lua_State *L)
{
    const char *description = lua_tostring(L, lua_upvalueindex(1));
    int arguments = lua_gettop(L);
    if (late_push_present(L, description) == LUA_TNIL)
        return late_raise(L, description);
    lua_insert(L, 1);
    lua_callk(L, arguments, LUA_MULTRET, 0, late_forwarded);
    return late_forwarded(L, LUA_OK, 0);
}

static const char *const late_events[] = {
    "__index", "__newindex", "__call",   "__add",  "__sub", "__mul",  "__div", "__mod",
    "__pow",   "__unm",      "__idiv",   "__band", "__bor", "__bxor", "__shl", "__shr",
    "__bnot",  "__len",      "__concat", "__lt",   "__le",  NULL};

void late_open(lua_State *L)
{
    static const char *const tables[] = {"standins", "metatables", "all",  "places",
                                         "owners",   "objects",    "order"};
    lua_newtable(L);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        lua_newtable(L);
        lua_setfield(L, -2, tables[i]);
    }
    lua_rawsetp(L, LUA_REGISTRYINDEX, &late_tables);
    luaL_newmetatable(L, late_metatable);
    for (size_t i = 0; late_events[i] != NULL; i++) {
        lua_pushcfunction(L, late_missing);
        lua_setfield(L, -2, late_events[i]);
    }
    lua_pushcfunction(L, late_missing);
    lua_setfield(L, -2, "__pairs"); /* a table that waits for its class has its entries already */
    lua_pushcfunction(L, late_to_string);
    lua_setfield(L, -2, "__tostring");
    lua_pop(L, 1);
}

void late_push_all(lua_State *L)
{
    late_push_table(L, "all");
}

int late_push(lua_State *L, const char *description)
{
    if (late_push_present(L, description) != LUA_TNIL)
        return 1;
    lua_pop(L, 1);
    lua_pushstring(L, description);
    if (late_get(L, "standins", -1) == LUA_TNIL) {
        lua_pop(L, 1);
        if (strncmp(description, "function:", 9) == 0) {
            lua_pushvalue(L, -1);
            lua_pushcclosure(L, late_forward, 1);
        } else {
            lua_newuserdatauv(L, 0, 0);
            luaL_setmetatable(L, late_metatable);
        }
        lua_pushvalue(L, -2);
        late_set(L, "all", -2);
        lua_pushvalue(L, -1);
        late_set(L, "standins", -3);
    }
    lua_remove(L, -2);
    return 0;
}

int late_push_metatable(lua_State *L, const char *description)
{
    if (late_push_present(L, description) != LUA_TNIL)
        return 1;
    lua_pop(L, 1);
    lua_pushstring(L, description);
    if (late_get(L, "metatables", -1) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        for (size_t i = 0; late_events[i] != NULL; i++) {
            lua_pushvalue(L, -2);
            lua_pushcclosure(L, late_classless, 1);
            lua_setfield(L, -2, late_events[i]);
        }
        lua_pushvalue(L, -2);
        late_set(L, "all", -2);
        lua_pushvalue(L, -1);
        late_set(L, "metatables", -3);
    }
    lua_remove(L, -2);
    return 0;
}

void late_push_object(lua_State *L, const char *name)
{
    lua_newuserdatauv(L, 0, 0);
    luaL_setmetatable(L, late_metatable);
    lua_createtable(L, 2, 0);
    lua_pushstring(L, name);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, -3);
    lua_rawseti(L, -2, 2);
    late_set(L, "objects", -2);
    late_push_table(L, "order");
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 1);
    lua_remove(L, -2);
}

void late_push_foreign(lua_State *L, const char *type)
{
    late_push_seen(L, "userdata", type);
}

void late_push_seen(lua_State *L, const char *kind, const char *name)
{
    lua_newuserdatauv(L, 0, 0);
    luaL_setmetatable(L, late_metatable);
    lua_pushfstring(L, "%s:%s", kind, name);
    late_set(L, "all", -2);
}

/* Pushes the list late.table[key at index], made where there is none. */
static void late_push_list(lua_State *L, const char *table, int key)
{
    key = lua_absindex(L, key);
    if (late_get(L, table, key) != LUA_TNIL)
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    late_set(L, table, key);
}

void late_place(lua_State *L, int table, int key)
{
    table = lua_absindex(L, table);
    key = lua_absindex(L, key);
    late_push_list(L, "places", -1);
    lua_Integer places = (lua_Integer)lua_rawlen(L, -1);
    places -= places % 2; /* half a pair is there if memory ran out in between */
    lua_pushvalue(L, table);
    lua_rawseti(L, -2, places + 1);
    lua_pushvalue(L, key);
    lua_rawseti(L, -2, places + 2);
    lua_pop(L, 1);
}

void late_place_metatable(lua_State *L, int table)
{
    table = lua_absindex(L, table);
    late_get(L, "all", -1);
    late_push_list(L, "owners", -1);
    lua_pushvalue(L, table);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 2);
}

int late_describe(lua_State *L, int index)
{
    if (late_get(L, "all", index) != LUA_TNIL)
        return 1;
    lua_pop(L, 1);
    return 0;
}

int late_describe_object(lua_State *L, int index)
{
    if (late_get(L, "objects", index) == LUA_TNIL) {
        lua_pop(L, 1);
        return 0;
    }
    lua_rawgeti(L, -1, 1);
    lua_rawgeti(L, -2, 2);
    lua_remove(L, -3);
    return 1;
}

/* ---------------------------------------------------------------- resolving */

/* Whether the value on top is a stand-in that has places. */
static int late_is_waiting(lua_State *L)
{
    if (lua_type(L, -1) != LUA_TFUNCTION && lua_type(L, -1) != LUA_TUSERDATA)
        return 0;
    int waiting = late_get(L, "places", -1) != LUA_TNIL;
    lua_pop(L, 1);
    return waiting;
}

/* The same for an upvalue. */
static void late_put_upvalue(lua_State *L, int standin, int value)
{
    int number = (int)lua_tointeger(L, -1), function = lua_gettop(L) - 1;
    if (lua_getupvalue(L, function, number) == NULL)
        return;
    int waits = lua_rawequal(L, -1, standin);
    lua_pop(L, 1);
    if (waits) {
        lua_pushvalue(L, value);
        lua_setupvalue(L, function, number);
    }
}

/* Puts the value at `value` where the stand-in at `standin` is in table[key] (both on top). */
static void late_put(lua_State *L, int standin, int value)
{
    int key = lua_gettop(L), table = key - 1;
    if (lua_isfunction(L, table)) {
        late_put_upvalue(L, standin, value);
        return;
    }
    lua_pushvalue(L, key);
    lua_rawget(L, table);
    if (lua_rawequal(L, key, standin)) {
        /* The stand-in is a key: its value moves, which may be a stand-in with a place here. */
        if (!lua_isnil(L, -1)) {
            if (lua_rawequal(L, -1, standin))
                lua_pushvalue(L, value);
            else
                lua_pushvalue(L, -1);
            if (late_is_waiting(L))
                late_place(L, table, value);
            lua_pushvalue(L, value);
            lua_insert(L, -2);
            lua_rawset(L, table);
            lua_pushvalue(L, standin);
            lua_pushnil(L);
            lua_rawset(L, table);
        }
    } else if (lua_rawequal(L, -1, standin)) {
        lua_pushvalue(L, key);
        lua_pushvalue(L, value);
        lua_rawset(L, table);
    }
    lua_settop(L, key);
}

/* late.table[key at index] = nil */
static void late_forget(lua_State *L, const char *table, int key)
{
    key = lua_absindex(L, key);
    lua_pushnil(L);
    late_set(L, table, key);
}

/* Every place of the stand-in at index `standin` gets the value at `value`. */
static void late_fill_places(lua_State *L, int standin, int value)
{
    if (late_get(L, "places", standin) == LUA_TTABLE) {
        int list = lua_gettop(L);
        lua_Integer places = (lua_Integer)lua_rawlen(L, list);
        for (lua_Integer i = 1; i < places; i += 2) {
            lua_rawgeti(L, list, i);
            lua_rawgeti(L, list, i + 1);
            late_put(L, standin, value);
            lua_pop(L, 2);
        }
    }
    lua_pop(L, 1);
    late_forget(L, "places", standin);
}

/* Every table that waits for the metatable described (on top) gets the value at `value`. */
static void late_fill_metatables(lua_State *L, int description, int value)
{
    if (late_get(L, "metatables", description) == LUA_TTABLE) {
        int standin = lua_gettop(L);
        if (late_get(L, "owners", description) == LUA_TTABLE) {
            lua_Integer owners = (lua_Integer)lua_rawlen(L, -1);
            for (lua_Integer i = 1; i <= owners; i++) {
                lua_rawgeti(L, -1, i);
                if (lua_getmetatable(L, -1)) {
                    int waits = lua_rawequal(L, -1, standin);
                    lua_pop(L, 1);
                    if (waits) {
                        lua_pushvalue(L, value);
                        lua_setmetatable(L, -2);
                    }
                }
                lua_pop(L, 1);
            }
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    late_forget(L, "owners", description);
    late_forget(L, "metatables", description);
}

void late_resolve(lua_State *L, const char *description)
{
    int value = lua_gettop(L);
    luaL_checkstack(L, 16, NULL);
    lua_pushstring(L, description);
    if (lua_type(L, value) == LUA_TTABLE)
        late_fill_metatables(L, value + 1, value);
    if (late_get(L, "standins", value + 1) != LUA_TNIL) {
        late_fill_places(L, value + 2, value);
        late_forget(L, "standins", value + 1);
    }
    lua_settop(L, value - 1);
}

/* Makes the object of the stand-in on top, if its class has a loader, and puts it in place. */
static void late_make_object(lua_State *L)
{
    int standin = lua_gettop(L);
    late_describe_object(L, standin);
    registry_push_loader(L, lua_tostring(L, standin + 1));
    if (lua_isfunction(L, -1)) {
        lua_insert(L, -2);
        lua_call(L, 1, 1);
        if (lua_isnil(L, -1))
            luaL_error(L, "the load function of class '%s' gave nil", lua_tostring(L, standin + 1));
        late_fill_places(L, standin, lua_gettop(L));
        late_forget(L, "objects", standin);
    }
    lua_settop(L, standin);
}

/* Appends the value on top to the list at `work` if it can lead to objects that wait and was not
 * seen yet. Pops it. */
static void late_work_add(lua_State *L, int work)
{
    int seen = work + 1, type = lua_type(L, -1), wanted = type == LUA_TTABLE;
    if (type == LUA_TUSERDATA && late_describe_object(L, -1)) {
        lua_pop(L, 2);
        wanted = 1;
    }
    if (wanted) {
        lua_pushvalue(L, -1);
        wanted = lua_rawget(L, seen) == LUA_TNIL;
        lua_pop(L, 1);
    }
    if (wanted)
        lua_rawseti(L, work, (lua_Integer)lua_rawlen(L, work) + 1);
    else
        lua_pop(L, 1);
}

/* Goes one step on: the last of the list at `work` is an object that waits, or a table. An object
 * stays there, seen, until all behind it is done, so that its parts are made before it. */
static void late_work_step(lua_State *L, int work)
{
    int item = lua_gettop(L) + 1, seen = work + 1;
    lua_Integer last = (lua_Integer)lua_rawlen(L, work);
    lua_rawgeti(L, work, last);
    int is_object = lua_type(L, item) == LUA_TUSERDATA;
    lua_pushvalue(L, item);
    int was_seen = lua_rawget(L, seen) != LUA_TNIL;
    lua_pop(L, 1);
    if (!is_object || was_seen) {
        lua_pushnil(L);
        lua_rawseti(L, work, last);
    }
    if (!was_seen) {
        lua_pushvalue(L, item);
        lua_pushboolean(L, 1);
        lua_rawset(L, seen);
    }
    if (is_object && late_describe_object(L, item)) {
        if (was_seen) {
            lua_settop(L, item);
            late_make_object(L);
        } else {
            late_work_add(L, work);
        }
    } else if (!is_object && !was_seen) {
        for (lua_pushnil(L); lua_next(L, item) != 0;) {
            lua_pushvalue(L, -2);
            late_work_add(L, work);
            late_work_add(L, work);
        }
        if (lua_getmetatable(L, item))
            late_work_add(L, work);
    }
    lua_settop(L, item - 1);
}

static int late_has_loader(lua_State *L, int standin)
{
    if (!late_describe_object(L, standin))
        return 0;
    registry_push_loader(L, lua_tostring(L, -2));
    int has = lua_isfunction(L, -1);
    lua_pop(L, 3);
    return has;
}

/* Makes the objects whose class has a loader, those in the data of others before these. */
static void late_make_objects(lua_State *L)
{
    int top = lua_gettop(L), order = top + 1, work = top + 2, seen = top + 3, left = top + 4;
    luaL_checkstack(L, 20, NULL);
    late_push_table(L, "order");
    lua_Integer count = (lua_Integer)lua_rawlen(L, order), kept = 0;
    if (count == 0) {
        lua_settop(L, top);
        return;
    }
    lua_newtable(L);
    lua_newtable(L);
    lua_newtable(L);
    /* No object waits in the base environment. */
    names_push_all(L);
    for (lua_pushnil(L); lua_next(L, left + 1) != 0;) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, seen);
    }
    lua_settop(L, left);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, order, i);
        if (late_has_loader(L, -1))
            late_work_add(L, work);
        while (lua_rawlen(L, work) > 0)
            late_work_step(L, work);
        lua_rawgeti(L, order, i);
        if (late_describe_object(L, -1)) {
            lua_pop(L, 2);
            lua_rawseti(L, left, ++kept);
        }
        lua_settop(L, left);
    }
    lua_rawgetp(L, LUA_REGISTRYINDEX, &late_tables);
    lua_insert(L, left);
    lua_setfield(L, left, "order");
    lua_settop(L, top);
}

void late_resolve_class(lua_State *L, const char *name)
{
    luaL_checkstack(L, 16, NULL);
    int top = lua_gettop(L);
    lua_pushfstring(L, "class:%s", name);
    registry_push_class(L, name);
    late_resolve(L, lua_tostring(L, top + 1));
    late_make_objects(L);
    lua_settop(L, top);
}

void late_sweep(lua_State *L)
{
    luaL_checkstack(L, 8, NULL);
    int top = lua_gettop(L);
    lua_newtable(L); /* resolving changes the table that would be gone through */
    late_push_table(L, "standins");
    lua_Integer count = 0;
    for (lua_pushnil(L); lua_next(L, top + 2) != 0; lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_rawseti(L, top + 1, ++count);
    }
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, top + 1, i);
        const char *description = lua_tostring(L, -1);
        if (late_push_present(L, description) != LUA_TNIL)
            late_resolve(L, description);
        lua_settop(L, top + 2);
    }
    lua_settop(L, top);
    late_make_objects(L);
}
