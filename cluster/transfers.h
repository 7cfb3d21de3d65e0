/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libcurl's transfers on the event loop.
 */
#pragma once

#include <curl/curl.h>
#include <systemd/sd-event.h>

#include "lib/util/error.h"

struct transfers;

/* The transfer of that handle is over, and the handle no longer in use. */
typedef void (*transfers_done)(void *userdata, CURL *handle, CURLcode result);

struct transfers *transfers_new(sd_event *event, transfers_done done, void *userdata);
/* All handles must have been removed. Returns NULL. */
struct transfers *transfers_free(struct transfers *transfers);

/* Both not from within a callback of libcurl. */
MUST_USE int transfers_add(struct transfers *transfers, CURL *handle);
/* Nothing happens if it is over, or was never added. */
void transfers_remove(struct transfers *transfers, CURL *handle);
