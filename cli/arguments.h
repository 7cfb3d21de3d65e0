/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The arguments of every command: each says which of the shared options it takes, so that an option
 * means the same everywhere.
 */
#pragma once

#include <stdbool.h>

enum {
    TAKES_SOCKET = 1u << 0,
    TAKES_NAMESPACE = 1u << 1,
    TAKES_ALL = 1u << 2, /* -A */
    TAKES_LABELS = 1u << 3,
    TAKES_HEADINGS = 1u << 4,
    TAKES_WATCH = 1u << 5,
    TAKES_FAMILY = 1u << 6, /* -4, -6 */
    TAKES_NSS = 1u << 7,
    TAKES_QUESTIONS = 1u << 8,
    TAKES_STRICT = 1u << 9,
    TAKES_WIDE = 1u << 10, /* -o wide, and so on; json is always taken with one of these */
    TAKES_JSON = 1u << 11,
    TAKES_YAML = 1u << 12,
    TAKES_NAME = 1u << 13,
    TAKES_RECURSIVE = 1u << 14,
    TAKES_IGNORE = 1u << 15,
    TAKES_ROOT = 1u << 16,
    TAKES_PATHS = 1u << 17,         /* -o jsonpath=, custom-columns= */
    TAKES_LABEL_COLUMNS = 1u << 18, /* --show-labels, -L */
    TAKES_DNS = 1u << 19,
    TAKES_RUN = 1u << 20, /* -c, --manifests, --no-namespaces */
};

#define ARGUMENTS_REPEATED_MAX 256u

enum format {
    FORMAT_TEXT,
    FORMAT_WIDE,
    FORMAT_JSON,
    FORMAT_YAML,
    FORMAT_NAME,
    FORMAT_PATH,
    FORMAT_COLUMNS
};

/* A command as --help shows it. */
struct synopsis {
    const char *name;
    const char *operands;    /* "KIND [NAME...]" */
    const char *description; /* whole lines */
    const char *examples;    /* whole lines */
    unsigned takes;
    int least, most; /* operands; most 0: none, -1: any number */
};

struct arguments {
    const char *socket; /* where the daemon is, whatever was given */
    const char *ns;     /* NULL: none given */
    const char *labels; /* NULL: none given */
    const char *family; /* "any", "inet" or "inet6" */
    /* each as it was given, NULL-terminated */
    const char *ignore[ARGUMENTS_REPEATED_MAX + 1], *manifests[ARGUMENTS_REPEATED_MAX + 1];
    const char *container;     /* NULL: none given */
    const char *dns;           /* the nameserver to compare with, "": kubesvc-dns, NULL: none */
    const char *root;          /* of the file system that is looked at; "" is this one */
    const char *label_columns; /* labels, separated by commas; NULL: none given */
    const char *template;      /* of FORMAT_PATH and FORMAT_COLUMNS */
    enum format format;
    bool show_labels, no_namespaces;
    bool all, no_headings, watch, nss, questions, strict, recursive, skip_templates;
    bool json; /* errors, too, are JSON */
    char **operands;
    int n;
};

#define ARGUMENTS_GO_ON (-1)

/* Fills `arguments` and returns ARGUMENTS_GO_ON; or reports an error, or prints the requested help
 * or version, and returns the exit status. Options may be anywhere before "--". */
int arguments_parse(struct arguments *arguments, const struct synopsis *synopsis, int argc,
                    char **argv);

/* The index of the command: the first argument that is neither an option nor an option's value;
 * argc if there is none. */
int arguments_command(int argc, char **argv);
