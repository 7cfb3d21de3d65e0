/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files, directories and standard input -> the world that they describe, and what their reading
 * finds wrong.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "check_report.h"
#include "lint_model.h"

struct input_set {
    struct lint_model *model;
    struct check_report *report;
    const char *ns;             /* for objects that name none */
    bool recursive;             /* directories below directories, too */
    bool skip_templates;        /* templates are not reported, and those of charts are not read */
    const char *const *ignored; /* patterns of ignore.h, NULL-terminated */
    GPtrArray *files;           /* struct input_file *, in the order in which they were read */
    GHashTable *seen;           /* private: "device:inode" of files that were read */
    GHashTable *charts;         /* private: path -> struct chart * */
    struct chart *chart;        /* private: what the directory at hand belongs to; NULL: nothing */
    const char *top;            /* private: the path among those given that is being read */
    unsigned rank;              /* private: its place among them */
    unsigned met;               /* private: manifests in it, whether they are read or not */
    bool has_below;             /* private: it has subdirectories that are not entered */
};

struct input_file {
    char *path;
    unsigned objects, services, pods, workloads;
};

void input_set_init(struct input_set *inputs, struct check_report *report);
void input_set_clear(struct input_set *inputs);

/* Reads a file, all manifests of a directory, or standard input ("-"). What cannot be read is a
 * finding; and so is a directory without manifests, or a pipe through which nothing came. */
void input_set_add(struct input_set *inputs, const char *path);

/* After the last of them: reports on charts as wholes. */
void input_set_end(struct input_set *inputs);
