#include "job/load.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>

#include "exact/address.h"
#include "exact/edited.h"
#include "job/alive.h"
#include "job/config.h"
#include "job/convert.h"
#include "job/exactly.h"
#include "job/filejournal.h"
#include "job/journal.h"
#include "job/random.h"
#include "job/say.h"
#include "store/format.h"
#include "store/generations.h"
#include "value/decode.h"
#include "value/late.h"
#include "value/plain.h"

/* ---------------------------------------------------------------- reading */

static int64_t load_source(void *context, void *data, size_t size)
{
    struct error error; /* unpack tells the place, and that says as much */
    return snapshot_read(context, data, size, &error);
}

/* (reader) -> userdata unpack, header table */
static int load_decode_header(lua_State *L)
{
    struct snapshot_reader *reader = lua_touserdata(L, 1);
    struct source source = {load_source, reader, snapshot_size(reader)};
    unsigned char head[FORMAT_HEAD_SIZE];
    uint16_t pairs;
    struct error error;
    struct unpack *unpack = unpack_new(L, &source);
    unpack_copy(L, unpack, head, sizeof head);
    if (format_get_head(head, &pairs, &error) != 0)
        luaL_error(L, "%s", error.message);
    plain_decode_pairs(L, unpack, pairs - 1u);
    lua_pushinteger(L, FORMAT_VERSION);
    lua_setfield(L, -2, "ckptlua");
    return 2;
}

/* Opens one file and reads its header; pushes the unpack userdata and the header's table. Returns
 * 0, or a code with *error filled and nothing pushed. */
static int load_file(lua_State *L, const char *file, struct snapshot_reader **reader,
                     struct error *error)
{
    *reader = snapshot_open(file, error);
    if (*reader == NULL)
        return error->code;
    lua_pushcfunction(L, load_decode_header);
    lua_pushlightuserdata(L, *reader);
    int status = lua_pcall(L, 1, 2, 0);
    if (status == LUA_OK)
        return 0;
    if (status == LUA_ERRMEM)
        error_set(error, ERROR_MEMORY, "not enough memory to read %s", file);
    else
        error_set(error, ERROR_DAMAGED, "%s is damaged (header: %s)", file, lua_tostring(L, -1));
    lua_pop(L, 1);
    snapshot_close(*reader);
    *reader = NULL;
    return error->code;
}

/* Bytes of a snapshot that are looked at for its seed. A header is shorter. */
enum { LOAD_BEGINNING = 64 * 1024 };

/* The integer of the pair "seed" in the beginning of a file: the last such pair, as the header's
 * strings may have such bytes too. Returns 1 if there is one. */
static int load_find_seed(const unsigned char *bytes, size_t size, int64_t *seed)
{
    static const char key[] = "\xA4seed";
    const unsigned char *end = bytes + size, *found = NULL, *at = bytes;
    while ((at = memmem(at, (size_t)(end - at), key, sizeof key - 1)) != NULL)
        found = at += sizeof key - 1;
    return found != NULL && unpack_peek_integer(found, (size_t)(end - found), seed);
}

int load_peek_seed(const char *file, int64_t *seed)
{
    int found = 0, fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    unsigned char *bytes = fd < 0 ? NULL : malloc(LOAD_BEGINNING);
    if (bytes != NULL) {
        ssize_t size = read(fd, bytes, LOAD_BEGINNING);
        found = size > 0 && load_find_seed(bytes, (size_t)size, seed);
    }
    free(bytes);
    if (fd >= 0)
        close(fd);
    return found;
}

void load_close(struct load *load)
{
    snapshot_close(load->reader);
    load->reader = NULL;
}

/* ---------------------------------------------------------------- which one */

/* Why a snapshot cannot be continued by this job: returns 0, or ERROR_INVALID. */
static int load_check(struct job *job, const char *file, const struct header *header,
                      struct error *error)
{
    if (strcmp(header->kind, "workspace") == 0)
        return error_set(error, ERROR_INVALID,
                         "%s was written by ckpt.save and is no job's snapshot; use --snapshot "
                         "for a different file",
                         file);
    if (strcmp(header->script, job->script.name) != 0)
        return error_set(error, ERROR_INVALID,
                         "%s belongs to another job (%s); use --snapshot for a different file, or "
                         "--fresh to start over",
                         file, header->script);
    if (!header->same_arguments)
        return error_set(error, ERROR_INVALID,
                         "%s belongs to %s with other arguments (%s); use --snapshot for a "
                         "different file, or --fresh to start over",
                         file, header->script, header->arguments);
    int exact = strcmp(header->resume, "exact") == 0;
    if (!exact && strcmp(header->resume, "globals") != 0)
        return error_set(error, ERROR_INVALID,
                         "%s was saved with --resume %s, which this ckptlua cannot continue", file,
                         header->resume);
    if (exact && !job->exact.is_checked)
        return error_set(error, ERROR_INVALID,
                         "%s was saved with exact resume, and %s; continue it on another machine, "
                         "or start over with --fresh",
                         file, job->not_exact.message);
    return 0;
}

/* FILE failed its check with *cause: looks for the newest older generation that is good and this
 * job's, and puts it in FILE's place. */
static int load_fall_back(lua_State *L, struct job *job, struct load *load,
                          const struct error *cause)
{
    struct error error;
    int top = lua_gettop(L);
    int missing = 0; /* in a row: a killed rotation leaves a gap */
    for (int number = 1; missing < 8; number++) {
        char *older = generations_numbered(job->file, number);
        if (older == NULL)
            break;
        int status = load_file(L, older, &load->reader, &error);
        free(older);
        missing = status == ERROR_ABSENT ? missing + 1 : 0;
        if (status != 0)
            continue;
        header_read(L, -1, &job->script, &load->header, &job->history);
        if (load_check(job, job->shown, &load->header, &error) == 0 &&
            generations_fall_back(job->file, number, &error) == 0) {
            char time[32];
            say_time(load->header.saved, time, sizeof time);
            say_note(job, "%s; set aside as %s.bad", cause->message, job->shown);
            say_note(job, "continuing from %s.%d, saved %s", job->shown, number, time);
            return CKPTLUA_OK;
        }
        memset(&job->history, 0, sizeof job->history);
        load_close(load);
        lua_settop(L, top);
    }
    if (cause->code == ERROR_NOT_SNAPSHOT)
        say_failure(job->host, "%s; use --snapshot for a different file", cause->message);
    else
        say_failure(job->host, "%s, and there is no good older generation; --fresh starts over",
                    cause->message);
    return CKPTLUA_UNUSABLE;
}

static int load_is_there(const char *file)
{
    struct stat info;
    return lstat(file, &info) == 0;
}

/* FILE is missing or empty: a fresh start, with a word about what is there. */
static int load_start_fresh(struct job *job)
{
    char *older = generations_numbered(job->file, 1);
    job->old_life = older != NULL && !job->host->options.fresh && load_is_there(older);
    if (job->old_life)
        say_note(job,
                 "%s is not there: a fresh start (%s.1 is there; to continue from it, stop this "
                 "and rename it to %s)",
                 job->shown, job->shown, job->shown);
    free(older);
    return CKPTLUA_OK;
}

/* --fresh */
static int load_set_aside(struct job *job)
{
    struct error error;
    struct stat info;
    if (lstat(job->file, &info) != 0)
        return CKPTLUA_OK;
    if (!S_ISREG(info.st_mode)) {
        say_failure(job->host, "%s is no regular file; use --snapshot for a different one",
                    job->shown);
        return CKPTLUA_UNUSABLE;
    }
    if (generations_set_aside(job->file, "old", &error) != 0) {
        say_failure(job->host, "%s", error.message);
        return CKPTLUA_UNUSABLE;
    }
    return CKPTLUA_OK;
}

/* (unpack) -> text: what the files of a snapshot were before the job, as lines for the journal */
static int load_push_before(lua_State *L)
{
    plain_decode(L, lua_touserdata(L, 1));
    if (lua_type(L, -1) == LUA_TTABLE)
        lua_getfield(L, -1, "files");
    filejournal_push_before(L, -1);
    return 1;
}

/* The newest generation that is good, as load_file opens it. */
static int load_newest(lua_State *L, const struct job *job, struct snapshot_reader **reader)
{
    struct error error;
    int status = ERROR_ABSENT;
    *reader = NULL;
    for (int i = 0; *reader == NULL && i < job->host->options.generations; i++) {
        char *name = generations_numbered(job->file, i);
        if (name == NULL)
            return ERROR_MEMORY;
        status = load_file(L, name, reader, &error);
        free(name);
    }
    return status;
}

/* A mark is to take FILE's place: what the job first appended to behind it is cut back too. FILE
 * tells that, or what there is of it. */
static void load_note_files(lua_State *L, struct job *job, const struct header *mark)
{
    struct header header;
    struct snapshot_reader *reader;
    int top = lua_gettop(L);
    if (load_newest(L, job, &reader) != 0)
        return;
    header_read(L, -1, &job->script, &header, NULL);
    lua_pushcfunction(L, load_push_before);
    lua_pushvalue(L, top + 1);
    if (strcmp(header.id, mark->id) == 0 && lua_pcall(L, 1, 1, 0) == LUA_OK)
        journal_insert(job, mark->id, mark->generation, lua_tostring(L, -1));
    snapshot_close(reader);
    lua_settop(L, top);
}

/* --from MARK: FILE@MARK, if it is a good one of this job, takes FILE's place. */
static int load_take_mark(lua_State *L, struct job *job)
{
    struct error error;
    struct header header;
    struct snapshot_reader *reader;
    char suffix[300];
    snprintf(suffix, sizeof suffix, "@%.256s", job->host->options.from);
    char *mark = generations_name(job->file, suffix);
    if (mark == NULL) {
        say_failure(job->host, "not enough memory");
        return CKPTLUA_FAILED;
    }
    int status = load_file(L, mark, &reader, &error);
    if (status == ERROR_ABSENT)
        error_set(&error, status, "--from %s: there is no %s; ckpt.mark(\"%s\") makes it",
                  job->host->options.from, mark, job->host->options.from);
    if (status == 0) {
        header_read(L, -1, &job->script, &header, NULL);
        lua_pop(L, 2);
        snapshot_close(reader);
        status = load_check(job, mark, &header, &error);
    }
    if (status == 0)
        load_note_files(L, job, &header);
    if (status == 0 && load_is_there(job->file)) /* FILE stays until the mark takes its place */
        status = generations_keep_old(job->file, 0, 1, &error);
    if (status == 0)
        status = generations_keep_as(mark, job->file, &error);
    if (status == 0)
        generations_forget_older(job->file);
    free(mark);
    if (status != 0)
        say_failure(job->host, "%s", error.message);
    return status == 0 ? CKPTLUA_OK : status == ERROR_ABSENT ? CKPTLUA_USAGE : CKPTLUA_UNUSABLE;
}

int load_open_again(lua_State *L, struct job *job, struct load *load)
{
    struct error error;
    int code = CKPTLUA_OK;
    *load = (struct load){0};
    luaL_checkstack(L, 8, NULL);
    int status = load_file(L, job->file, &load->reader, &error);
    if (status == ERROR_ABSENT)
        return load_start_fresh(job);
    if (status == ERROR_DAMAGED || status == ERROR_NOT_SNAPSHOT) {
        code = load_fall_back(L, job, load, &error);
    } else if (status != 0) {
        say_failure(job->host, "%s", error.message);
        return status == ERROR_MEMORY ? CKPTLUA_FAILED : CKPTLUA_UNUSABLE;
    } else {
        header_read(L, -1, &job->script, &load->header, &job->history);
        if (load_check(job, job->shown, &load->header, &error) != 0) {
            say_failure(job->host, "%s", error.message);
            load_close(load);
            return CKPTLUA_UNUSABLE;
        }
    }
    if (code == CKPTLUA_OK)
        load->unpack = lua_gettop(L) - 1;
    return code;
}

int load_open(lua_State *L, struct job *job, struct load *load)
{
    int code = CKPTLUA_OK;
    if (job->host->options.from != NULL)
        code = load_take_mark(L, job);
    else if (job->host->options.fresh)
        code = load_set_aside(job);
    return code == CKPTLUA_OK ? load_open_again(L, job, load) : code;
}

/* ---------------------------------------------------------------- putting back */

struct load_call {
    struct job *job;
    struct load *load;
    const char *journal; /* of the runs that went on from it */
    int changed;         /* the line in which the script has changed; 0: it has not */
    int64_t cut[2];      /* where to cut the streams: see stdio_restore */
    enum stdio_outcome outcome[2];
    struct error error;
};

/* A run that was killed has left output behind the saved position, which is made again. One that
 * saved and ended by itself has not: what is there is somebody else's, such as a line of the shell
 * script that starts the job, up to where the next run began. */
static void load_choose_cuts(struct load_call *call, const struct stdio_state streams[2])
{
    struct stdio_place places[2];
    const struct header *header = &call->load->header;
    journal_places(call->job, header->id, header->generation, places);
    for (int i = 0; i < 2; i++) {
        call->cut[i] = streams[i].position;
        if (history_has_ended(&call->job->history))
            call->cut[i] = places[i].length;
    }
}

/* The state of the job is at index 3. In a snapshot without places nothing tells what of it is the
 * script's own. */
static void load_choose_places(lua_State *L, struct job *job)
{
    int has = lua_getfield(L, 3, "base") == LUA_TNUMBER;
    lua_getfield(L, 3, "code");
    if (has)
        address_restore(L, &job->exact, lua_tointeger(L, -2), lua_tointeger(L, -1));
    else
        exact_own(&job->exact, ZONE_SCRIPTS);
    lua_pop(L, 2);
}

static void load_say_places(struct job *job)
{
    const struct addresses *addresses = &job->exact.addresses;
    if (!addresses->used)
        say_detail(job,
                   "objects have other addresses than those of %s: this ckptlua begins with "
                   "others, or they are not fixed",
                   job->shown);
    else if (addresses->missed > 0)
        say_detail(job, "%" PRIu64 " objects of %s have other addresses than they had",
                   addresses->missed, job->shown);
    else if (addresses->zone->where != ZONE_HOME)
        say_detail(job,
                   "memory lies elsewhere than usual, so addresses are others than those of "
                   "%s; the order of tables is the same",
                   job->shown);
}

/* The stack of calls is that of the script as it was, whose text is on top. */
static void load_exact(lua_State *L, struct load_call *call, struct unpack *unpack)
{
    struct job *job = call->job;
    struct code_reader code;
    size_t size = 0;
    const char *text = lua_tolstring(L, -1, &size);
    call->changed = text == NULL ? 1 : script_difference(&job->script, text, size);
    if (call->changed != 0)
        luaL_error(L, "the script has changed");
    load_choose_places(L, job);
    exact_reader(&job->exact, &code);
    lua_newtable(L);
    decode_exact(L, unpack, -1, &code, 0);
    exact_own(&job->exact, ZONE_HOSTS);
    exactly_take_roots(L, job, -1);
    lua_pop(L, 1);
    files_forget(L);
    address_watch(L, &job->exact);
    load_say_places(job);
}

/* Functions are those of the script as it was, whose text, where it is known, is on top. */
static void load_globals(lua_State *L, struct load_call *call, struct unpack *unpack)
{
    struct job *job = call->job;
    struct code_reader code, *possible = job->exact.is_checked ? &code : NULL;
    struct edited edited = {.exact = &job->exact,
                            .path = job->script.path,
                            .now = job->script.text,
                            .now_size = job->script.size};
    edited.before = lua_tolstring(L, -1, &edited.before_size);
    if (edited.before == NULL) {
        edited.before = edited.now;
        edited.before_size = edited.now_size;
    }
    if (strcmp(call->load->header.resume, "exact") == 0)
        unpack = convert_to_globals(L, job, unpack, edited.before, edited.before_size);
    if (possible != NULL)
        edited_reader(L, &edited, possible);
    lua_pushglobaltable(L);
    exact_own(&job->exact, ZONE_SCRIPTS);
    decode_globals(L, unpack, -1, possible);
    exact_own(&job->exact, ZONE_HOSTS);
    lua_setfield(L, LUA_REGISTRYINDEX, "ckptlua.again");
}

/* (struct load_call *, unpack): the state of the job, then the globals. */
static int load_put_back(lua_State *L)
{
    struct load_call *call = lua_touserdata(L, 1);
    struct job *job = call->job;
    struct unpack *unpack = lua_touserdata(L, 2);
    struct stdio_state streams[2];
    plain_decode(L, unpack);
    if (lua_type(L, 3) != LUA_TTABLE)
        return unpack_fail(L, unpack, "the state of the job is no map");
    lua_getfield(L, 3, "clock");
    job->clock_before = lua_tonumber(L, -1);
    if (lua_getfield(L, 3, "config") == LUA_TTABLE)
        config_set(L, job, -1);
    const char *output = job->host->options.output;
    if (output != NULL && stdio_set_output(job->stdio, output, 1, &call->error) != 0)
        return luaL_error(L, "%s", call->error.message);
    header_read_streams(L, 3, streams);

    /* Before the globals: a handle that is met in them is opened again when it is met. */
    lua_getfield(L, 3, "files");
    int files = lua_gettop(L);
    files_restore(L, files, call->journal);
    lua_getfield(L, 3, "script");
    if (job->exact_mode)
        load_exact(L, call, unpack);
    else
        load_globals(L, call, unpack);
    lua_getfield(L, 3, "random");
    random_set(L, -1);
    /* From here on things outside are changed. */
    load_choose_cuts(call, streams);
    if (stdio_restore(job->stdio, streams, call->cut, call->outcome, &call->error) != 0)
        return luaL_error(L, "%s", call->error.message);
    files_cut(L, files, call->journal);
    return 0;
}

static void load_say_streams(struct job *job, const enum stdio_outcome outcome[2])
{
    static const char *const names[] = {"stdout", "stderr"};
    for (int i = 0; i < 2; i++)
        if (outcome[i] == STDIO_EMPTIED)
            say_note(job,
                     "%s has been emptied since %s was saved, so what was written before is gone; "
                     "use >> or --output",
                     names[i], job->shown);
}

static void load_say_differences(struct job *job, const struct header *header)
{
    char machine[256], features[256];
    header_machine(machine, sizeof machine, features, sizeof features);
    if (strcmp(header->hash, job->script.hash) != 0)
        say_note(job,
                 "%s has changed since %s was saved; going on with the saved globals and the new "
                 "script",
                 job->script.path, job->shown);
    if (job->host->options.has_seed && job->host->options.seed != header->seed)
        say_note(job, "--seed is ignored: the job has the seed %" PRId64 " for its whole life",
                 header->seed);
    if (strcmp(header->machine, machine) != 0 || strcmp(header->features, features) != 0)
        say_note(job,
                 "this machine (%s; %s) differs from that of the save (%s; %s): the last bits of "
                 "results may differ",
                 machine, features, header->machine, header->features);
}

static void load_say_continuing(struct job *job, const struct header *header)
{
    char time[32], work[32];
    if (job->host->options.quiet) /* the time zone need not be looked up */
        return;
    say_time(header->saved, time, sizeof time);
    say_duration(header->computed, work, sizeof work);
    say_note(job, "continuing %s from %s (saved %s on %s, %s of work done, run %ld)",
             job->script.path, job->shown, time, header->host, work, history_number(&job->history));
}

/* The function that would start the script, and its coroutine, are not needed: those of the
 * snapshot were in their places. */
static void load_make_way(lua_State *L, struct job *job)
{
    lua_pushnil(L);
    lua_replace(L, 1);
    exact_forget_main(L, &job->exact);
    lua_gc(L, LUA_GCCOLLECT);
    exact_begin(L, &job->exact, 0);
}

int load_restore(lua_State *L, struct job *job, struct load *load)
{
    const struct header *header = &load->header;
    struct load_call call = {.job = job, .load = load};
    if (job->exact_mode)
        load_make_way(L, job);
    call.journal = journal_take(job, header->id, header->generation);
    lua_pushcfunction(L, load_put_back);
    lua_pushlightuserdata(L, &call);
    lua_pushvalue(L, load->unpack);
    int status = lua_pcall(L, 2, 0, 0);
    load_close(load);
    if (call.changed != 0) {
        say_failure(job->host,
                    "%s has changed since %s was saved (first difference: line %d)\n"
                    "         --resume globals   continue with the saved globals and the new "
                    "script\n"
                    "         --fresh            start over (the old snapshot is kept as "
                    "%s.old)",
                    job->script.path, job->shown, call.changed, job->shown);
        return CKPTLUA_UNUSABLE;
    }
    if (status != LUA_OK) {
        say_failure(job->host, "%s cannot be continued: %s", job->shown,
                    luaL_tolstring(L, -1, NULL));
        lua_pop(L, 2);
        return status == LUA_ERRMEM ? CKPTLUA_FAILED : CKPTLUA_UNUSABLE;
    }
    snprintf(job->id, sizeof job->id, "%s", header->id);
    job->seed = header->seed;
    job->layers = header->layers;
    job->continued = 1;
    job->sweep = !job->exact_mode;
    job->has_snapshot = 1;
    job->resumed = header->resumed + 1;
    job->saves = header->saves;
    job->generation = header->generation;
    job->computed_before = header->computed;
    job->saving_before = header->saving;
    job->last_saved = header->saved;
    alive_take(job, header);
    history_begin(&job->history);
    journal_begin(job);
    load_say_continuing(job, header);
    load_say_streams(job, call.outcome);
    load_say_differences(job, header);
    return CKPTLUA_OK;
}

/* (struct job *): takes back what a run that was killed before its first save has appended */
static int load_undo(lua_State *L)
{
    struct job *job = lua_touserdata(L, 1);
    struct stdio_place places[2];
    journal_places(job, NULL, 0, places);
    const char *journal = journal_take(job, NULL, 0);
    files_restore(L, 0, journal);
    files_cut(L, 0, journal);
    stdio_undo(job->stdio, places);
    journal_begin(job);
    return 0;
}

int load_nothing(lua_State *L, struct job *job)
{
    history_begin(&job->history);
    if (job->host->options.fresh) { /* what is there is to stay */
        journal_begin(job);
        return CKPTLUA_OK;
    }
    lua_pushcfunction(L, load_undo);
    lua_pushlightuserdata(L, job);
    if (lua_pcall(L, 1, 0, 0) == LUA_OK)
        return CKPTLUA_OK;
    say_failure(job->host, "%s", luaL_tolstring(L, -1, NULL));
    lua_pop(L, 2);
    return CKPTLUA_UNUSABLE;
}

/* ---------------------------------------------------------------- without a job */

static const char load_reader_type[] = "ckptlua.reader";

/* A reader that is closed when the userdata goes, so that errors may be raised meanwhile. */
static int load_free_reader(lua_State *L)
{
    struct snapshot_reader **reader = lua_touserdata(L, 1);
    snapshot_close(*reader);
    *reader = NULL;
    return 0;
}

/* Raises Lua's own error of that kind, which callers can tell from all others. */
static void load_raise_memory(lua_State *L)
{
    lua_pushliteral(L, "not enough memory");
    lua_error(L);
}

void load_open_type(lua_State *L)
{
    if (luaL_newmetatable(L, load_reader_type)) {
        lua_pushcfunction(L, load_free_reader);
        lua_setfield(L, -2, "__gc");
    }
    lua_pop(L, 1);
}

/* Pushes such a userdata, then the unpack userdata and the header's table. */
static struct snapshot_reader **load_push_reader(lua_State *L, const char *file)
{
    struct error error;
    struct snapshot_reader **reader = lua_newuserdatauv(L, sizeof *reader, 0);
    *reader = NULL;
    load_open_type(L); /* where there is no job it is not there yet */
    luaL_setmetatable(L, load_reader_type);
    if (load_file(L, file, reader, &error) == ERROR_ABSENT)
        luaL_error(L, "%s: no such file, or an empty one", file);
    if (*reader == NULL && error.code == ERROR_MEMORY)
        load_raise_memory(L);
    if (*reader == NULL)
        luaL_error(L, "%s", error.message);
    return reader;
}

/* (unpack, header) -> table of variables */
static int load_decode_variables(lua_State *L)
{
    struct unpack *unpack = lua_touserdata(L, 1);
    lua_getfield(L, 2, "resume");
    int exact = lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "exact") == 0;
    plain_decode(L, unpack); /* the state of a job, or an empty map */
    lua_newtable(L);
    decode_table(L, unpack, -1, exact);
    return 1;
}

void load_variables(lua_State *L, const char *file)
{
    luaL_checkstack(L, 8, NULL);
    int top = lua_gettop(L);
    struct snapshot_reader **reader = load_push_reader(L, file);
    int collects = lua_gc(L, LUA_GCISRUNNING);
    lua_gc(L, LUA_GCSTOP);
    struct job *job = host_job(L);
    struct host_apart before = host_begin_apart(job);
    lua_pushcfunction(L, load_decode_variables);
    lua_insert(L, top + 2);
    int status = lua_pcall(L, 2, 1, 0);
    host_end_apart(job, before);
    if (collects)
        lua_gc(L, LUA_GCRESTART);
    snapshot_close(*reader);
    *reader = NULL;
    if (status == LUA_ERRMEM)
        load_raise_memory(L);
    if (status != LUA_OK)
        luaL_error(L, "%s cannot be read: %s", file, luaL_tolstring(L, -1, NULL));
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
    late_sweep(L);
}

void load_header(lua_State *L, const char *file)
{
    luaL_checkstack(L, 8, NULL);
    int top = lua_gettop(L);
    struct snapshot_reader **reader = load_push_reader(L, file);
    lua_pushinteger(L, (lua_Integer)snapshot_size(*reader) + FORMAT_TRAILER_SIZE);
    lua_setfield(L, -2, "bytes");
    snapshot_close(*reader);
    *reader = NULL;
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
}
