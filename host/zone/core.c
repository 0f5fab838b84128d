#include "zone/core.h"

#include "zone/region.h"

/* What an empty job uses, and some more for a small script. Places depend on it. */
static const struct core_cells {
    uint16_t group, size; /* bytes of a cell */
    uint16_t count;
} core_cells[] = {
    {ZONE_TABLE, 64, 160},   {ZONE_FUNCTION, 32, 4},  {ZONE_FUNCTION, 48, 44},
    {ZONE_FUNCTION, 64, 10}, {ZONE_FUNCTION, 80, 6},  {ZONE_USERDATA, 48, 10},
    {ZONE_USERDATA, 64, 6},  {ZONE_USERDATA, 80, 6},  {ZONE_USERDATA, 96, 6},
    {ZONE_USERDATA, 112, 4}, {ZONE_USERDATA, 128, 4}, {ZONE_USERDATA, 144, 2},
    {ZONE_USERDATA, 160, 2}, {ZONE_USERDATA, 176, 3}, {ZONE_USERDATA, 192, 1},
    {ZONE_USERDATA, 208, 1}, {ZONE_USERDATA, 304, 1}, {ZONE_USERDATA, 320, 1},
    {ZONE_USERDATA, 352, 1}, {ZONE_USERDATA, 640, 2}, {ZONE_USERDATA, 5120, 1},
    {ZONE_THREAD, 208, 4},   {ZONE_THREAD, 1792, 2},  {ZONE_BLOCK, 16, 48},
    {ZONE_BLOCK, 32, 32},    {ZONE_BLOCK, 48, 32},    {ZONE_BLOCK, 64, 24},
    {ZONE_BLOCK, 96, 12},    {ZONE_BLOCK, 128, 6},    {ZONE_BLOCK, 192, 22},
    {ZONE_BLOCK, 256, 4},    {ZONE_BLOCK, 272, 1},    {ZONE_BLOCK, 288, 1},
    {ZONE_BLOCK, 384, 12},   {ZONE_BLOCK, 512, 2},    {ZONE_STRING, 32, 264},
    {ZONE_STRING, 48, 240},  {ZONE_STRING, 64, 24},   {ZONE_STRING, 80, 44},
    {ZONE_STRING, 96, 4},    {ZONE_STRING, 160, 1},   {ZONE_STRING, 240, 1},
    {ZONE_OTHER, 48, 12},    {ZONE_OTHER, 128, 8},
};

enum { CORE_REGIONS = sizeof core_cells / sizeof *core_cells };

/* With slots for a few regions that are not in the core. */
size_t core_size(void)
{
    size_t size = REGION_START + (CORE_REGIONS + 16) * sizeof(struct region);
    return (size + REGION_PAGE - 1) / REGION_PAGE * REGION_PAGE;
}

void core_lay_out(uintptr_t base)
{
    uint16_t *line = region_index(base)->lines;
    uintptr_t at = base + REGION_CORE_START;
    for (size_t i = 0; i < CORE_REGIONS; i++) {
        const struct core_cells *cells = &core_cells[i];
        size_t lines = ((size_t)cells->size * cells->count + REGION_LINE - 1) / REGION_LINE;
        if (at + lines * REGION_LINE > base + REGION_START)
            return;
        struct region *region =
            region_add(base, REGION_FIRST(cells->group) + region_class(cells->size));
        region->core = (uint32_t)(at - base);
        region->core_cells = cells->count;
        at += lines * REGION_LINE;
        for (; lines > 0; lines--)
            *line++ = region_index(base)->count;
    }
}
