/*
 * Whether tables that are made by nodes.h have the order of the original, now and later.
 */
#ifndef CKPTLUA_EXACT_NODES_CHECK_H
#define CKPTLUA_EXACT_NODES_CHECK_H

#include "base/error.h"
#include "exact/heap.h"

/* Makes some tables in one state, and again in another, and goes on with both. ERROR_INVALID and
 * what differs, if anything does. vm_check has been passed. The states take their memory from this
 * open heap and give it back: what is made there afterwards uses the same pages. */
int nodes_check_order(struct heap *heap, struct error *error);

#endif
