/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The key `dns`: how kubesvc-dns answers. kubesvcd only checks it.
 */
#pragma once

#include "lib/yaml/fields.h"

#define CONFIG_DNS_TTL_MAX 3600 /* seconds */

struct config_dns {
    char **listen;  /* "ADDRESS", "ADDRESS:PORT" or "[ADDRESS]:PORT" */
    char **forward; /* the same, or "resolv.conf"; NULL: foreign names are refused */
    char *ns;       /* namespace whose search list applies to short names; NULL: none */
    unsigned ttl;   /* seconds */
};

/* ADDRESS, ADDRESS:PORT, [IPV6] or [IPV6]:PORT; a config_parse (config_fields.h). */
const char *config_parse_nameserver(const char *text, char **nameserverp);

void config_dns_init(struct config_dns *dns); /* the defaults */
void config_dns_clear(struct config_dns *dns);

/* Reads the mapping under `dns` of `root`. */
void config_dns_read(struct config_dns *dns, struct fields *fields, const struct yaml_node *root);
