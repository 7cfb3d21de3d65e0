/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The arguments of every command: each says which of the shared options it takes, so that an option
 * means the same everywhere.
 */
#pragma once

#include <stdbool.h>

/* Options that a command takes: each of these is one that several take, or all of one command. */
enum {
    TAKES_SOCKET = 1u << 0,
    TAKES_NAMESPACE = 1u << 1,
    TAKES_JSON = 1u << 2, /* -o json */
    TAKES_YAML = 1u << 3,
    TAKES_GET = 1u << 4,
    TAKES_QUERY = 1u << 5,
    TAKES_MONITOR = 1u << 6,
    TAKES_CHECK = 1u << 7,
    TAKES_DOCTOR = 1u << 8,
    TAKES_RUN = 1u << 9,
    TAKES_EXPORT = 1u << 10,
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

struct arguments;

struct command {
    const char *name;
    const char *summary;     /* for the list of commands */
    const char *operands;    /* "KIND [NAME...]" */
    const char *description; /* whole lines */
    char *(*details)(void);  /* more of them, to be freed with g_free; NULL: none */
    const char *examples;    /* whole lines */
    unsigned takes;
    int least, most;                         /* operands; most 0: none, -1: any number */
    int (*run)(struct arguments *arguments); /* returns the exit status */
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
 * or version, and returns the exit status. Options may be anywhere before "--". `argv[0]` is the
 * name of the command. */
int arguments_parse(struct arguments *arguments, const struct command *command, int argc,
                    char **argv);

void arguments_help(const struct command *command);

/* The index of the command: the first argument that is neither an option nor an option's value;
 * argc if there is none. */
int arguments_command(int argc, char **argv);
