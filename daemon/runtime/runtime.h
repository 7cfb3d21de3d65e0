/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared by the runtimes: where their files are, how one of them is read and what becomes of its
 * content. kubelet's are in two directories, which have to be combined.
 */
#pragma once

#include "folder.h"
#include "lib/util/fingerprint.h"
#include "parse.h"
#include "runtimes.h"

/* The configured directory or the default one of the runtime; free with g_free. */
char *runtime_directory(const struct config_source *source);

/* Is that podman's directory of a user who is not root? Its pods cannot be reached from the host.
 */
bool runtime_is_rootless(const struct config_source *source);

struct runtime_file {
    struct folder *folder;
    const char *name;        /* in the folder */
    struct fingerprint seen; /* when last read */
    char *problem;           /* current, or NULL */
    bool shared;             /* others can write to it, too */
    bool has_seen;           /* a change since it was last read would be visible in `seen` */
    bool unreadable;         /* the last attempt failed */
    bool logged;             /* the problem has been logged */
    bool known;              /* it has been read well at least once */
    bool stated;             /* its sightings have been delivered */
};
/* Keeps `folder` and `name`, a path in it. */
struct runtime_file *runtime_file_new(struct folder *folder, const char *name, bool shared);
void runtime_file_free(gpointer userdata);

typedef int (*runtime_parse)(void *userdata, const struct runtime_text *text, GPtrArray *sightings,
                             char **problemp);
typedef void (*runtime_seen)(void *userdata, const void *file, GPtrArray *sightings);

/* Enters the folder and reads the file, if there is reason to, and delivers its sightings; an
 * incomplete, unreadable or invalid file leaves the previous content in effect. False: the file
 * does not exist, and its sightings are withdrawn. */
bool runtime_file_look(struct runtime_file *file, enum folder_reason reason, runtime_parse parse,
                       void *parse_userdata, runtime_seen seen, void *userdata);

/* Withdraws its sightings. */
void runtime_file_withdraw(struct runtime_file *file, runtime_seen seen, void *userdata);

/* --- kubelet.c --- */

/* kubelet's directories: hosts files below one, names of pods in the other. */
struct kubelet;
struct kubelet_callbacks {
    void (*wake)(void *userdata);
    runtime_seen seen;
    void *userdata;
};
struct kubelet *kubelet_new(struct watch *watch, const char *pods, const char *logs,
                            const struct kubelet_callbacks *callbacks);
struct kubelet *kubelet_free(struct kubelet *kubelet); /* returns NULL */
void kubelet_rescan(struct kubelet *kubelet);
void kubelet_run(struct kubelet *kubelet);

/* The one that cannot be read, or else that of logs. */
const struct folder *kubelet_folder(const struct kubelet *kubelet);

/* Calls `each` with the struct runtime_file of every hosts file. */
void kubelet_files(const struct kubelet *kubelet, void (*each)(void *userdata, void *file),
                   void *userdata);
