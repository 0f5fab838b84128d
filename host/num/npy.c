#include "num/npy.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "num/array.h"
#include "num/datafile.h"
#include "num/operand.h"

static const char npy_magic[6] = {(char)0x93, 'N', 'U', 'M', 'P', 'Y'};

enum { NPY_HEADER = 64 * 1024 }; /* a longer one is none of an array of numbers */

/* What the header says. */
struct npy {
    char kind; /* f, i, u or b */
    int width; /* bytes of an element */
    int is_big_endian, is_fortran;
    int64_t rows, cols;
};

/* The value of a key in the header, which is a Python dictionary: what comes behind "'key':". */
static const char *npy_find(lua_State *L, const struct datafile *file, const char *header,
                            const char *key)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "'%s'", key);
    const char *at = strstr(header, quoted);
    if (at != NULL) {
        at += strlen(quoted);
        while (isspace((unsigned char)*at) || *at == ':')
            at++;
        return at;
    }
    lua_pushfstring(L, "the header has no %s", quoted);
    datafile_fail_here(L, file, lua_tostring(L, -1));
}

static void npy_read_type(lua_State *L, const struct datafile *file, const char *text,
                          struct npy *npy)
{
    static const char *const types[] = {"f8", "f4", "i1", "i2", "i4", "i8",
                                        "u1", "u2", "u4", "u8", "b1"};
    for (size_t i = 0; *text == '\'' && i < sizeof types / sizeof *types; i++)
        if (strchr("<>|=", text[1]) != NULL && strncmp(text + 2, types[i], 2) == 0 &&
            text[4] == '\'') {
            npy->is_big_endian = text[1] == '>';
            npy->kind = types[i][0];
            npy->width = types[i][1] - '0';
            return;
        }
    lua_pushfstring(L, "elements of type %s are not supported, only floats, integers and booleans",
                    lua_pushlstring(L, text, strcspn(text, ",}")));
    datafile_fail_here(L, file, lua_tostring(L, -1));
}

/* (), (3,) or (3, 4) */
static void npy_read_shape(lua_State *L, const struct datafile *file, const char *text,
                           struct npy *npy)
{
    int64_t extents[2] = {1, 1};
    int count = 0;
    if (*text++ != '(')
        datafile_fail_here(L, file, "the shape is none");
    for (;;) {
        while (isspace((unsigned char)*text) || *text == ',')
            text++;
        if (*text == ')')
            break;
        char *end;
        long long extent = strtoll(text, &end, 10);
        if (count == 2)
            datafile_fail_here(L, file, "an array with more than two dimensions");
        if (end == text || extent < 0 || extent > ARRAY_MOST)
            datafile_fail_here(L, file, "the shape is none");
        extents[count++] = extent;
        text = end;
    }
    npy->rows = extents[0];
    npy->cols = extents[1];
}

/* Pushes the text of the header. */
static const char *npy_push_header(lua_State *L, struct datafile *file)
{
    unsigned char start[8], length[4];
    luaL_Buffer buffer;
    datafile_read(L, file, start, sizeof start);
    if (memcmp(start, npy_magic, sizeof npy_magic) != 0 || start[6] < 1 || start[6] > 3) {
        file->offset = 0;
        datafile_fail_here(L, file, "no .npy file of version 1 to 3");
    }
    size_t width = start[6] == 1 ? 2 : 4, size = 0;
    datafile_read(L, file, length, width);
    for (size_t i = width; i > 0; i--)
        size = size << 8 | length[i - 1];
    if (size > NPY_HEADER)
        datafile_fail_here(L, file, "the header is too long");
    char *text = luaL_buffinitsize(L, &buffer, size);
    datafile_read(L, file, text, size);
    luaL_pushresultsize(&buffer, size);
    return lua_tostring(L, -1);
}

static struct npy npy_read_header(lua_State *L, struct datafile *file)
{
    struct npy npy = {0};
    const char *header = npy_push_header(L, file);
    npy_read_type(L, file, npy_find(L, file, header, "descr"), &npy);
    npy_read_shape(L, file, npy_find(L, file, header, "shape"), &npy);
    npy.is_fortran = strncmp(npy_find(L, file, header, "fortran_order"), "True", 4) == 0;
    if (npy.cols > 0 && npy.rows > (file->size - file->offset) / npy.width / npy.cols)
        datafile_fail_here(L, file, "the file is too short for its shape");
    return npy;
}

/* The element at bytes, the lowest byte first. */
static uint64_t npy_word(const unsigned char *bytes, const struct npy *npy)
{
    uint64_t word = 0;
    for (int i = 0; i < npy->width; i++)
        word |= (uint64_t)bytes[npy->is_big_endian ? npy->width - 1 - i : i] << (8 * i);
    return word;
}

static double npy_element(lua_State *L, const struct datafile *file, const struct npy *npy,
                          const unsigned char *bytes)
{
    uint64_t word = npy_word(bytes, npy);
    if (npy->kind == 'f' && npy->width == 8) {
        double value;
        memcpy(&value, &word, sizeof value);
        return value;
    }
    if (npy->kind == 'f') {
        uint32_t half = (uint32_t)word;
        float value;
        memcpy(&value, &half, sizeof value);
        return value;
    }
    int shift = 64 - 8 * npy->width;
    int64_t integer = npy->kind == 'i' ? (int64_t)(word << shift) >> shift : (int64_t)word;
    if (integer > (int64_t)1 << 53 || integer < -((int64_t)1 << 53))
        datafile_fail_here(L, file, "an integer near here is beyond 2^53, and no double");
    return (double)integer;
}

/* Whether elements are in the file as they are in memory. */
static int npy_is_native(const struct npy *npy)
{
    int is_big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    return npy->kind == 'f' && npy->width == 8 && npy->is_big_endian == is_big_endian;
}

static void npy_read_elements(lua_State *L, struct datafile *file, const struct npy *npy,
                              double *to)
{
    int64_t count = npy->rows * npy->cols, at_once = DATAFILE_LINE / npy->width;
    int in_order = npy->is_fortran || npy->rows == 1 || npy->cols == 1;
    if (in_order && npy_is_native(npy)) {
        datafile_read(L, file, to, (size_t)count * sizeof *to);
        return;
    }
    for (int64_t i = 0; i < count;) {
        int64_t n = count - i < at_once ? count - i : at_once;
        datafile_read(L, file, file->text, (size_t)(n * npy->width));
        for (int64_t k = 0; k < n; k++, i++) {
            int64_t place = in_order ? i : i / npy->cols + i % npy->cols * npy->rows;
            to[place] = npy_element(L, file, npy, (unsigned char *)file->text + k * npy->width);
        }
    }
}

void npy_load(lua_State *L, const char *name)
{
    int top = lua_gettop(L);
    struct datafile *file = datafile_push(L, name);
    struct npy npy = npy_read_header(L, file);
    npy_read_elements(L, file, &npy, array_new(L, npy.rows, npy.cols)->data);
    if (fgetc(file->file) != EOF)
        datafile_fail_here(L, file, "more bytes than the shape says");
    datafile_end(file);
    lua_insert(L, top + 1);
    lua_settop(L, top + 1);
}

/* Numbers with the lowest byte first. */
static void npy_write(FILE *file, const double *data, int64_t count)
{
    if (__BYTE_ORDER__ != __ORDER_BIG_ENDIAN__) {
        fwrite(data, sizeof *data, (size_t)count, file);
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        unsigned char bytes[8];
        uint64_t word;
        memcpy(&word, &data[i], sizeof word);
        for (int k = 0; k < 8; k++)
            bytes[k] = (unsigned char)(word >> (8 * k));
        fwrite(bytes, 1, sizeof bytes, file);
    }
}

void npy_save(lua_State *L, const char *name, int index)
{
    char header[192], shape[64];
    struct operand x = operand_check(L, index);
    luaL_argcheck(L, x.kind != OPERAND_SPARSE, index,
                  "a sparse matrix has no .npy file; write num.full(A), or .mtx");
    const double *data = operand_data(L, &x);
    int top = lua_gettop(L);
    struct datafile *file = datafile_push_new(L, name);
    if (x.kind == OPERAND_NUMBER)
        snprintf(shape, sizeof shape, "()");
    else if (x.cols == 1)
        snprintf(shape, sizeof shape, "(%lld,)", (long long)x.rows);
    else
        snprintf(shape, sizeof shape, "(%lld, %lld)", (long long)x.rows, (long long)x.cols);
    /* 10 bytes come before it; all together a multiple of 64, with a newline at the end. */
    int length = snprintf(header, sizeof header,
                          "{'descr': '<f8', 'fortran_order': True, 'shape': %s, }", shape);
    int size = (10 + length + 1 + 63) / 64 * 64 - 10;
    fwrite(npy_magic, 1, sizeof npy_magic, file->file);
    fprintf(file->file, "%c%c%c%c%-*s\n", 1, 0, size & 0xFF, size >> 8, size - 1, header);
    npy_write(file->file, data, x.rows * x.cols);
    datafile_replace(L, file);
    lua_settop(L, top);
}
