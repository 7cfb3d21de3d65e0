/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses spelled as DNS labels: 10-1-2-3 and fd00-90--6 (rules 34, 36 and 64).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DASHED_MAX 47 /* the longest label and its NUL */

/* The label of an address in 16 bytes, IPv4 as ::ffff:a.b.c.d. NUL-terminated; returns its length.
 * An address that begins with :: has a label that begins with '-': no program can look it up. */
size_t dashed_format(const uint8_t address[static 16], char label[static DASHED_MAX]);

/* The address that a label spells, in any case and however abbreviated; false if it is not one. */
bool dashed_parse(const char *label, size_t length, uint8_t address[static 16]);

/* The same, but only for the exact label that dashed_format writes, in any case. */
bool dashed_parse_canonical(const char *label, size_t length, uint8_t address[static 16]);
