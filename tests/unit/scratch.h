/*
 * A folder of its own for each test, as the current one, and small snapshots in it: each is known
 * by a value from 1 to 255 that fills its body.
 */
#ifndef CKPTLUA_TESTS_SCRATCH_H
#define CKPTLUA_TESTS_SCRATCH_H

#include <stddef.h>

#include "base/error.h"

/* For cmocka_unit_test_setup_teardown. */
int scratch_setup(void **state);
int scratch_teardown(void **state);

/* Removes all that is in the folder. */
void scratch_empty(void);

void scratch_write(const char *name, const void *data, size_t size);
/* For free(). */
unsigned char *scratch_read(const char *name, size_t *size);

/* The names in the folder, sorted, with a space between. */
const char *scratch_list(void);

/* Open descriptors of this process. */
int scratch_descriptors(void);

/* Saves a snapshot with a body of `size` times `value`. */
int scratch_save(const char *file, int value, size_t size, int keep, struct error *error);

/* The value of a whole snapshot, or an error code. Fails the test if it opens but is wrong inside.
 */
int scratch_load(const char *file);

/* CKPTLUA_TEST_SEED, or a new one; printed. */
unsigned long scratch_seed(void);

#endif
