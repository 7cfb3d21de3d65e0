/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A loader over real directories on a real event loop, and what it has handed over.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "daemon/config/config.h"
#include "daemon/source/loader_status.h"

struct loading {
    pid_t process;
    char *directory; /* temporary */
    sd_event *event;
    struct loader *loader;
    struct config config;
    GHashTable *told; /* struct source * -> char *: its objects' names, by comma */
    GString *calls;   /* every `file` call, a line each, in order: rank, path, objects or "gone" */
    unsigned n_files; /* `file` calls */
    unsigned n_settled; /* `settled` calls */
    unsigned n_first;
    unsigned unordered; /* calls of one batch out of order */
    struct source *last;
    GStringChunk *texts; /* what the functions below have returned */
};

/* A directory of its own; with nothing configured yet. */
struct loading *loading_new(void);
void loading_free(struct loading *loading); /* and removes the directory */

/* Adds to `manifests`; the path is relative to the directory. */
struct config_directory *loading_add(struct loading *loading, const char *path);

/* Starts the loader and runs until the first look is over. */
void loading_start(struct loading *loading);

/* The path below the directory; valid until the end of the test. */
const char *at(struct loading *loading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Runs until the condition holds; fails the test after a minute. */
#define loading_until(loading, condition)                                                          \
    do {                                                                                           \
        gint64 until_ = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;                              \
        while (!(condition)) {                                                                     \
            if (g_get_monotonic_time() > until_)                                                   \
                fail_msg("%s does not come true; known:\n%s", #condition, loading_all(loading));   \
            loading_run(loading, 100000);                                                          \
        }                                                                                          \
    } while (0)

/* One iteration of the loop, of at most `usec` waiting. True: something was done. */
bool loading_run(struct loading *loading, uint64_t usec);

/* Runs until nothing was done for a while: for what must not happen. */
void loading_rest(struct loading *loading);

/* What is known now: "path: names" by rank and path, a line each, paths relative; valid until the
 * next call. */
const char *loading_all(struct loading *loading);

/* What one path says, "" when nothing, NULL when it is not known. */
const char *loading_of(struct loading *loading, const char *path);
bool loading_says(struct loading *loading, const char *path, const char *names);

/* Standing diagnostics of one path, as text; "" if none; NULL if the status does not know it. */
const char *loading_diagnostics(struct loading *loading, const char *path);
bool loading_is_stale(struct loading *loading, const char *path);

/* Files. The content is a Service for every name, comma-separated; "!" is not YAML. */
void write_file(const char *path, const char *names);
void put_file(const char *path, const char *names); /* by rename */
void append_services(GString *text, const char *names);
void make_directory(const char *path);
void remove_tree(const char *path);
