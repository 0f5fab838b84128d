/*
 * How values of the script are laid out in the body of a snapshot; shared by encode.c and decode.c.
 * docs/format.md is the specification.
 *
 *     value  nil, boolean, integer, float64, str or bin stand for themselves
 *            extension SHAPE_TABLE      the next new table: sequence u32, others u32, its sizes,
 *                                       and place u64, where it was in memory, if that is kept
 *            extension SHAPE_TABLE_REF  a table that was met before: its number, u32 or u64
 *            extension SHAPE_SHARED_REF a string or other value met before: its number, likewise
 *            ["string", bin, bin, ...]  a string above 1 GiB, in pieces
 *            ["name", N]                an object of the base environment
 *            ["function", N] ["module", N] ["class", N] ["transient", N]
 *                                       what the script makes again when it starts
 *            ["userdata", type, bytes]  a userdata, by its type's saver
 *            ["object", class, value]   an object, by its class's saver
 *
 * Tables are numbered 0, 1, 2, ... in the order in which they are met; each has a record behind the
 * roots, in this order: [[sequence values], {other keys: values}] or with the metatable as a third.
 * A sequence may have holes (nil), but its last value is none. Strings of SHAPE_SHARED_STRING bytes
 * and more, and all values written as arrays, are numbered 0, 1, 2, ... likewise in a sequence of
 * their own (an array counts when it is complete).
 */
#ifndef CKPTLUA_VALUE_SHAPE_H
#define CKPTLUA_VALUE_SHAPE_H

enum { SHAPE_TABLE = 1, SHAPE_TABLE_REF = 2, SHAPE_SHARED_REF = 3 };

/* A shorter string takes no more room than a reference to it. */
enum { SHAPE_SHARED_STRING = 6 };

#endif
