/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc export nft.
 */
#pragma once

#include "arguments.h"

/* Prints the ruleset; a status of commands.h. */
int export_nft(const struct arguments *arguments);
