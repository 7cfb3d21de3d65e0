/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A table as kubectl prints it: a heading in capitals, columns as wide as they must be, three
 * blanks between them; on a terminal too narrow for it cells go on in further lines.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct table;

/* `headings`: names separated by '|'. */
struct table *table_new(const char *headings);
void table_free(struct table *table);

/* Adds a row of as many cells as there are headings (char *, taken over; NULL: "<none>"). Cells are
 * cleaned here. */
void table_row(struct table *table, char *first, ...);

/* Adds a row from an array, whose cells stay the caller's. */
void table_row_array(struct table *table, char *const *cells);

/* Sorts rows by their columns from left to right, numbers in names in their order. */
void table_sort(struct table *table);

/* Number of rows. */
unsigned table_size(const struct table *table);

/* Prints the rows to standard output and forgets them; later ones will not be narrower. */
void table_flush(struct table *table, bool headings);

/* Prints to standard output and frees. */
void table_print(struct table *table, bool headings);
