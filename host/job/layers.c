#include "job/layers.h"

#include <stdio.h>
#include <string.h>

#include "job/say.h"

static const struct {
    const char *name, *shown;
} layers_names[] = {{"calls", "calls"},
                    {"seed", "hash seed"},
                    {"layout", "layout of tables"},
                    {"addresses", "addresses"},
                    {"collector", "moments of the collector"}};

enum { LAYERS_COUNT = sizeof layers_names / sizeof *layers_names };

static unsigned layers_of_run(const struct job *job)
{
    const struct exact *exact = &job->exact;
    const struct addresses *addresses = &exact->addresses;
    unsigned layers = 0;
    if (!job->exact_mode)
        return 0;
    layers |= LAYERS_CALLS;
    if (job->heap.seeded)
        layers |= LAYERS_SEED;
    if (exact->keeps_layout && exact->orders_count == 0)
        layers |= LAYERS_LAYOUT;
    if (job->heap.zone.where == ZONE_HOME && addresses->base.count > 0 &&
        (!job->continued || (addresses->used && addresses->missed == 0)))
        layers |= LAYERS_ADDRESSES;
    if (exact->collections.on)
        layers |= LAYERS_COLLECTOR;
    return layers;
}

/* Appends the names of those that are in `layers`, or "nothing". */
static void layers_list(unsigned layers, char *out, size_t size)
{
    size_t used = 0;
    if (layers == 0)
        snprintf(out, size, "nothing");
    for (int i = 0; i < LAYERS_COUNT; i++)
        if ((layers >> i & 1) != 0 && used < size)
            used += (size_t)snprintf(out + used, size - used, "%s%s", used == 0 ? "" : ", ",
                                     layers_names[i].shown);
}

void layers_begin(struct job *job)
{
    char kept[200], lost[200];
    job->layers &= layers_of_run(job);
    if (!job->exact_mode)
        return;
    layers_list(job->layers, kept, sizeof kept);
    layers_list(LAYERS_ALL & ~job->layers, lost, sizeof lost);
    say_detail(job, "kept exactly: %s; not kept: %s", kept, lost);
}

void layers_push(lua_State *L, const struct job *job)
{
    lua_createtable(L, 0, LAYERS_COUNT);
    for (int i = 0; i < LAYERS_COUNT; i++) {
        lua_pushboolean(L, job->layers >> i & 1);
        lua_setfield(L, -2, layers_names[i].name);
    }
}

unsigned layers_read(lua_State *L, int index)
{
    unsigned layers = 0;
    for (int i = 0; i < LAYERS_COUNT; i++) {
        lua_getfield(L, index, layers_names[i].name);
        layers |= (unsigned)lua_toboolean(L, -1) << i;
        lua_pop(L, 1);
    }
    return layers;
}
