/*
 * What the fuzzer of exact snapshots does with its bytes: a snapshot without its header and trailer
 * (docs/format.md: from the state on; fields of a header may be in the state) is decoded, its
 * stacks are made again and run for some instructions, and what has become of them is captured. Or
 * it is converted to globals, for a script that has one more line now, which runs likewise.
 * Functions that reach outside are replaced by ones that do nothing. There is one module that is
 * not written in Lua, 'native'.
 */
#ifndef CKPTLUA_TESTS_FUZZ_RESUME_H
#define CKPTLUA_TESTS_FUZZ_RESUME_H

#include <stddef.h>
#include <stdint.h>

enum resume_way { RESUME_EXACT, RESUME_GLOBALS };
enum resume_outcome { RESUME_REFUSED, RESUME_RAN };

/* Aborts where the bytes take more memory than they may. *message, if it is not NULL, gets why they
 * were refused, for free(). */
enum resume_outcome resume_bytes(enum resume_way way, const uint8_t *data, size_t size,
                                 char **message);

#endif
