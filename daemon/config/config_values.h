/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The values of the configuration as text, from the file or the command line -> checked. Each
 * function returns NULL, or what the value must be; then nothing is set.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "lib/util/address.h"

/* A DNS name, made lower case, without its final dot. */
const char *config_parse_name(const char *text, char **namep);

/* Is it the zone or below it? */
bool config_lies_in(const char *name, const char *zone);

/* A DNS name that can be a zone, likewise. */
const char *config_parse_zone(const char *text, char **zonep);

/* A namespace. */
const char *config_parse_namespace(const char *text, char **namespacep);

/* A namespace, or NAMESPACE@ZONE for one of another zone than the main one. */
const char *config_parse_zoned(const char *text, char **nsp);

/* A path, which must be absolute. */
const char *config_parse_path(const char *text, char **pathp);

/* An address range. Its addresses are given to objects, so it must not contain any with a special
 * meaning. */
const char *config_parse_range(const char *text, struct address_range *range);

/* Bytes, with or without Ki, Mi or Gi. */
const char *config_parse_size(const char *text, uint64_t *size);

/* "; did you mean X?" if `text` may be a misspelling of one of `words` (NULL-terminated), else "";
 * to be freed. */
char *config_suggest(const char *text, const char *const words[]);
