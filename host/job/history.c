#include "job/history.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>

#include "base/clock.h"

static struct history_run *history_add(struct history *history)
{
    if (history->count == HISTORY_LENGTH) {
        memmove(history->runs, history->runs + 1, (HISTORY_LENGTH - 1) * sizeof *history->runs);
        history->count--;
        history->earlier++;
    }
    struct history_run *run = &history->runs[history->count++];
    memset(run, 0, sizeof *run);
    run->lost = HISTORY_UNKNOWN;
    return run;
}

static struct history_run *history_last(struct history *history)
{
    return history->count > 0 ? &history->runs[history->count - 1] : NULL;
}

/* The last run ended without a word. */
static void history_end_last(struct history *history)
{
    struct history_run *last = history_last(history);
    if (last != NULL && *last->ended == '\0')
        snprintf(last->ended, sizeof last->ended, "killed");
}

void history_begin(struct history *history)
{
    history_end_last(history);
    struct history_run *run = history_add(history);
    run->start = clock_wall();
    if (gethostname(run->host, sizeof run->host - 1) != 0)
        run->host[0] = '\0';
}

int history_add_end(struct history *history, long number, const struct history_run *seen)
{
    long newest = history_number(history);
    if (number < newest || (number == newest && history_has_ended(history)))
        return 0;
    if (number > newest) {
        history_end_last(history);
        *history_add(history) = *seen;
    } else {
        struct history_run *last = history_last(history);
        last->end = seen->end >= last->start ? seen->end : 0;
        last->lost = seen->lost;
        snprintf(last->ended, sizeof last->ended, "%s", seen->ended);
    }
    history_end_last(history);
    return 1;
}

void history_end(struct history *history, const char *how)
{
    struct history_run *run = &history->runs[history->count - 1];
    run->end = *how == '\0' ? 0 : clock_wall();
    snprintf(run->ended, sizeof run->ended, "%s", how);
}

int history_has_ended(const struct history *history)
{
    return history->count > 0 && *history->runs[history->count - 1].ended != '\0';
}

int history_interruptions(const struct history *history)
{
    int count = 0;
    for (int i = 0; i < history->count; i++)
        count += strcmp(history->runs[i].ended, "killed") == 0 ||
                 strncmp(history->runs[i].ended, "evicted", 7) == 0;
    return count;
}

double history_lost(const struct history *history)
{
    double lost = 0;
    for (int i = 0; i < history->count; i++)
        lost += fmax(history->runs[i].lost, 0);
    return lost;
}

long history_number(const struct history *history)
{
    return history->earlier + history->count;
}

static void history_set_time(lua_State *L, const char *name, double time)
{
    if (time > 0) {
        lua_pushnumber(L, time);
        lua_setfield(L, -2, name);
    }
}

void history_push(lua_State *L, const struct history *history)
{
    lua_createtable(L, history->count, 0);
    for (int i = 0; i < history->count; i++) {
        const struct history_run *run = &history->runs[i];
        lua_createtable(L, 0, 5);
        history_set_time(L, "start", run->start);
        history_set_time(L, "end", run->end);
        if (run->lost >= 0) {
            lua_pushnumber(L, run->lost);
            lua_setfield(L, -2, "lost");
        }
        lua_pushstring(L, run->host);
        lua_setfield(L, -2, "host");
        if (*run->ended != '\0') {
            lua_pushstring(L, run->ended);
            lua_setfield(L, -2, "ended");
        }
        lua_rawseti(L, -2, i + 1);
    }
}

static void history_read_text(lua_State *L, const char *name, char *out, size_t size)
{
    if (lua_getfield(L, -1, name) == LUA_TSTRING)
        snprintf(out, size, "%s", lua_tostring(L, -1));
    lua_pop(L, 1);
}

/* A finite number that is not negative, or `otherwise`. */
static double history_read_number(lua_State *L, const char *name, double otherwise)
{
    int is_number;
    lua_getfield(L, -1, name);
    double number = lua_tonumberx(L, -1, &is_number);
    lua_pop(L, 1);
    return is_number && isfinite(number) && number >= 0 ? number : otherwise;
}

void history_read(lua_State *L, int index, struct history *history)
{
    if (lua_type(L, index) != LUA_TTABLE)
        return;
    index = lua_absindex(L, index);
    for (lua_Integer i = 1; lua_rawgeti(L, index, i) == LUA_TTABLE; i++) {
        struct history_run *run = history_add(history);
        run->start = history_read_number(L, "start", 0);
        run->end = history_read_number(L, "end", 0);
        run->lost = history_read_number(L, "lost", HISTORY_UNKNOWN);
        history_read_text(L, "host", run->host, sizeof run->host);
        history_read_text(L, "ended", run->ended, sizeof run->ended);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}
