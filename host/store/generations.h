/*
 * The files beside a snapshot FILE: older generations FILE.1, FILE.2, ... (FILE.1 the newest), and
 * FILE.tmp and FILE.1.tmp (a save that was killed), FILE.bad (set aside), FILE.old (--fresh),
 * FILE@NAME (marks). Apart from generations_resolve these take FILE as generations_resolve gives
 * it, and are called with the lock held. At every instant of each, but for generations_set_aside
 * and generations_remove, FILE is a complete file; after a failure the generations are all there,
 * perhaps with a number left out, which the next call copes with.
 */
#ifndef CKPTLUA_STORE_GENERATIONS_H
#define CKPTLUA_STORE_GENERATIONS_H

#include "base/error.h"

/* FILE followed by suffix, in a new string for free(); NULL when out of memory. */
char *generations_name(const char *file, const char *suffix);

/* FILE for number 0, FILE.<number> otherwise; for free(). */
char *generations_numbered(const char *file, int number);

/* Where FILE really is: follows symbolic links, also one that points to nothing yet, so that a
 * link is not replaced by a file. Returns a new string for free(), or NULL. */
char *generations_resolve(const char *file, struct error *error);

/* Makes room for a new FILE: FILE.k becomes FILE.k+1 for the kept ones, FILE is linked to FILE.1
 * (copied where links are not possible), those at or above `keep` go. FILE itself stays. Does
 * nothing where FILE is missing or empty. */
int generations_rotate(const char *file, int keep, struct error *error);

/* FILE is damaged and FILE.<number> is good: FILE becomes FILE.bad too, then FILE.<number> becomes
 * FILE in one step. */
int generations_fall_back(const char *file, int number, struct error *error);

/* Renames FILE to FILE.<suffix> ("old"), replacing what was there. The older generations go. A FILE
 * that is missing or empty replaces nothing, and is no failure. */
int generations_set_aside(const char *file, const char *suffix, struct error *error);

/* Makes FILE.old a second name of FILE.<number>. One that is there is replaced if `replace` is set,
 * or else left alone, which is no failure. */
int generations_keep_old(const char *file, int number, int replace, struct error *error);

/* Makes `target`, on the same file system, a second name of FILE (a copy where links are not
 * possible), in one step. */
int generations_keep_as(const char *file, const char *target, struct error *error);

/* Removes what a killed save left behind: FILE.tmp and the like. Call with the lock held. */
void generations_clean(const char *file);

/* Removes FILE.1, FILE.2, ... but not FILE. */
void generations_forget_older(const char *file);

/* Removes FILE and all generations, FILE last, then syncs the directory. */
int generations_remove(const char *file, struct error *error);

#endif
