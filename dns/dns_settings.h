/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The settings of kubesvc-dns: its command line, and the key `dns` of kubesvcd's configuration.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "lib/util/endpoint.h"
#include "lib/util/error.h"

#define DNS_PORT 53

struct dns_settings {
    char *socket;
    char **zones;   /* the main one first */
    char *ns;       /* or NAMESPACE@ZONE; NULL: only full names are answered */
    GArray *listen; /* union endpoint */
    char **forward; /* NULL or empty: foreign names are refused */
    uint32_t ttl;
};

/* 0, COMMAND_LINE_DONE, or COMMAND_LINE_WRONG, also if it is the configuration that is wrong. Clear
 * it in every case. */
MUST_USE int dns_settings_read(struct dns_settings *settings, int argc, char **argv);
void dns_settings_clear(struct dns_settings *settings);
