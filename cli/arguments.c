/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One table of options for all commands, over getopt_long. It knows what options mean and nothing
 * about what commands do with them.
 */
#include "arguments.h"

#include <getopt.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "inspect_client.h"
#include "lib/resolve/name.h"
#include "suggest.h"
#include "text.h"
#include <kubesvc/limits.h>

enum {
    OPTION_SOCKET = 256,
    OPTION_HEADINGS,
    OPTION_LABELS,
    OPTION_NSS,
    OPTION_DNS,
    OPTION_QUESTIONS,
    OPTION_STRICT,
    OPTION_IGNORE,
    OPTION_TEMPLATES,
    OPTION_ROOT,
    OPTION_MANIFESTS,
    OPTION_NO_NAMESPACES,
    OPTION_VERSION
};

static const struct {
    const char *name;
    int value;         /* of getopt_long: its letter, or beyond them */
    const char *given; /* its own value, as --help calls it; "[=...]": optional; NULL: none */
    const char *meaning;
    unsigned needs; /* 0: taken by every command */
} options[] = {
    {"namespace", 'n', "NAMESPACE", "the namespace (default: KUBESVC_NAMESPACE, else the daemon's)",
     TAKES_NAMESPACE},
    {"namespace", 'n', "NAMESPACE", "of objects that name none (default: default)", TAKES_CHECK},
    {"namespace", 'n', "NAMESPACE", "only this namespace (default: all)", TAKES_EXPORT},
    {"all-namespaces", 'A', NULL, "in all namespaces", TAKES_GET},
    {"selector", 'l', "LABELS",
     "show only objects with these labels: a=b, a!=b, 'a in (b,c)', 'a notin (b)', a, '!a'; "
     "separated by commas",
     TAKES_GET},
    {"output", 'o', "FORMAT", NULL, TAKES_JSON | TAKES_YAML},
    {"show-labels", OPTION_LABELS, NULL, "show all labels in a column", TAKES_GET},
    {"label-columns", 'L', "LABELS", "show a column for each of these labels", TAKES_GET},
    {"no-headers", OPTION_HEADINGS, NULL, "print no headings", TAKES_GET},
    {"watch", 'w', NULL, "keep running and print rows as they change", TAKES_GET},
    {"ipv4", '4', NULL, "IPv4 only", TAKES_QUERY},
    {"ipv6", '6', NULL, "IPv6 only", TAKES_QUERY},
    {"nss", OPTION_NSS, NULL, "also ask libc, as programs do, and report differences", TAKES_QUERY},
    {"dns", OPTION_DNS, "[=SERVER]",
     "also ask libc and a nameserver (default: kubesvc-dns), and compare", TAKES_QUERY},
    {"questions", OPTION_QUESTIONS, NULL,
     "also show every lookup (root and the daemon's user only)", TAKES_MONITOR},
    {"strict", OPTION_STRICT, NULL, "fail on warnings as well", TAKES_CHECK},
    {"recursive", 'R', NULL, "enter subdirectories", TAKES_CHECK},
    {"ignore", OPTION_IGNORE, "WHAT",
     "ignore findings of RULE,... or files of PATH, which may be a pattern; repeatable",
     TAKES_CHECK},
    {"skip-templates", OPTION_TEMPLATES, NULL,
     "skip templates, and do not read those of Helm charts", TAKES_CHECK},
    {"root", OPTION_ROOT, "DIR", "examine the files below this directory", TAKES_DOCTOR},
    {"container", 'c', "NAME",
     "the container whose variables are set (default: as kubectl chooses)", TAKES_RUN},
    {"manifests", OPTION_MANIFESTS, "PATH",
     "start a kubesvcd that reads these manifests and ends with the command; repeatable",
     TAKES_RUN},
    {"no-namespaces", OPTION_NO_NAMESPACES, NULL,
     "leave the command in the namespaces of its caller", TAKES_RUN},
    {"socket", OPTION_SOCKET, "PATH",
     "the daemon's socket (default: KUBESVC_SOCKET, else " KUBESVC_SOCKET_PATH ")", TAKES_SOCKET},
    {"help", 'h', NULL, "show this", 0},
    {"version", OPTION_VERSION, NULL, "show the version", 0},
};

static const struct {
    const char *name;
    enum format format;
    unsigned needs;
} formats[] = {
    {"wide", FORMAT_WIDE, TAKES_GET},
    {"json", FORMAT_JSON, TAKES_JSON},
    {"yaml", FORMAT_YAML, TAKES_YAML},
    {"name", FORMAT_NAME, TAKES_GET},
    {"jsonpath=TEMPLATE", FORMAT_PATH, TAKES_GET},
    {"custom-columns=HEADING:PATH,...", FORMAT_COLUMNS, TAKES_GET},
};

static char *format_names(unsigned takes)
{
    GString *names = g_string_new(NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++)
        if (takes & formats[i].needs)
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", formats[i].name);
    return g_string_free(names, FALSE);
}

static void print_option(size_t i, unsigned takes)
{
    g_autofree char *formats_taken = format_names(takes), *left = NULL;
    const char *meaning = options[i].meaning ? options[i].meaning : formats_taken;
    const char *given = options[i].given ? options[i].given : "";
    char letter[] = "    ";
    if (options[i].value < 256)
        g_snprintf(letter, sizeof letter, "-%c, ", options[i].value);
    left = g_strdup_printf("  %.4s--%s%s%s", letter, options[i].name,
                           g_ascii_isalpha(*given) ? " " : "", given);
    printf("%-29s %s\n", left, meaning);
}

void arguments_help(const struct command *command)
{
    g_autofree char *details = command->details ? command->details() : NULL;
    printf("usage: kubesvc %s [OPTION...]%s%s\n\n%s%s\nOptions:\n", command->name,
           *command->operands ? " " : "", command->operands, command->description,
           details ? details : "");
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
        if (options[i].needs == 0 || (options[i].needs & command->takes))
            print_option(i, command->takes);
    printf("\nExamples:\n%s", command->examples);
}

/* Those that are taken, for getopt_long; `letters` are appended to. */
static void fill_options(struct option *longs, GString *letters, unsigned takes)
{
    size_t n = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
        if (options[i].needs != 0 && !(options[i].needs & takes))
            continue;
        const char *given = options[i].given;
        int takes_value = !given          ? no_argument
                          : *given == '[' ? optional_argument
                                          : required_argument;
        longs[n++] = (struct option){options[i].name, takes_value, NULL, options[i].value};
        if (options[i].value < 256)
            g_string_append_printf(letters, "%c%s", options[i].value, given ? ":" : "");
    }
    longs[n] = (struct option){0};
}

static bool take_format(struct arguments *arguments, const struct command *command,
                        const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++) {
        const char *equals = strchr(formats[i].name, '=');
        size_t length = equals ? (size_t)(equals - formats[i].name) + 1 : 0;
        bool same = equals ? strncmp(formats[i].name, name, length) == 0
                           : strcmp(formats[i].name, name) == 0;
        if (!(command->takes & formats[i].needs) || !same)
            continue;
        arguments->template = name + length;
        arguments->format = formats[i].format;
        arguments->json = formats[i].format == FORMAT_JSON;
        return true;
    }
    g_autofree char *names = format_names(command->takes), *remedy = NULL;
    bool query = !(command->takes & TAKES_GET) &&
                 (g_str_has_prefix(name, "jsonpath") || g_str_has_prefix(name, "custom-columns") ||
                  g_str_has_prefix(name, "go-template"));
    remedy = query ? g_strdup("use -o json, and jq to choose from it")
                   : g_strdup_printf("'%s' supports: %s", command->name, names);
    text_error(arguments->json, remedy, "unknown output format '%s'", name);
    return false;
}

/* `where` it is given, if that is not obvious. */
static bool check_namespace(const struct arguments *arguments, const char *where, const char *name)
{
    size_t length = strlen(name);
    bool good = length <= KUBESVC_NAMESPACE_MAX && name_is_namespace(name, length);
    if (!good)
        text_error(arguments->json,
                   "it is at most 63 letters, digits and hyphens; NAMESPACE@ZONE is one of "
                   "another zone",
                   "%s'%s' is not a valid namespace", where, name);
    return good;
}

static bool take_namespace(struct arguments *arguments, const char *name)
{
    arguments->ns = name;
    return check_namespace(arguments, "", name);
}

static bool check_environment(const struct arguments *arguments, const struct command *command)
{
    const char *name = getenv("KUBESVC_NAMESPACE");
    bool is_used = (command->takes & TAKES_NAMESPACE) && !arguments->ns && !arguments->all;
    return !is_used || !name || *name == '\0' ||
           check_namespace(arguments, "KUBESVC_NAMESPACE: ", name);
}

/* One more of an option that may be given several times. */
static bool take_another(const struct arguments *arguments, const char **texts, const char *option,
                         const char *text)
{
    unsigned n = 0;
    while (texts[n])
        n++;
    if (n == ARGUMENTS_REPEATED_MAX) {
        text_error(arguments->json, NULL, "more than %u --%s options", n, option);
        return false;
    }
    texts[n] = text;
    return true;
}

static bool take_option(struct arguments *arguments, const struct command *command, int option)
{
    switch (option) {
    case 'n': return take_namespace(arguments, optarg);
    case 'A': arguments->all = true; return true;
    case 'l': arguments->labels = optarg; return true;
    case 'o': return take_format(arguments, command, optarg);
    case 'w': arguments->watch = true; return true;
    case '4':
    case '6':
        if (strcmp(arguments->family, "any") != 0)
            arguments->family = "any";
        else
            arguments->family = option == '4' ? "inet" : "inet6";
        return true;
    case OPTION_LABELS: arguments->show_labels = true; return true;
    case 'L': arguments->label_columns = optarg; return true;
    case OPTION_HEADINGS: arguments->no_headings = true; return true;
    case OPTION_NSS: arguments->nss = true; return true;
    case OPTION_DNS: arguments->dns = optarg ? optarg : ""; return true;
    case OPTION_QUESTIONS: arguments->questions = true; return true;
    case OPTION_STRICT: arguments->strict = true; return true;
    case 'R': arguments->recursive = true; return true;
    case OPTION_IGNORE: return take_another(arguments, arguments->ignore, "ignore", optarg);
    case OPTION_TEMPLATES: arguments->skip_templates = true; return true;
    case 'c': arguments->container = optarg; return true;
    case OPTION_MANIFESTS:
        return take_another(arguments, arguments->manifests, "manifests", optarg);
    case OPTION_NO_NAMESPACES: arguments->no_namespaces = true; return true;
    case OPTION_ROOT: arguments->root = optarg; return true;
    default: arguments->socket = optarg; return true;
    }
}

static void complain_about_option(const struct command *command, char **argv, bool missing,
                                  bool json)
{
    const char *space = *command->name ? " " : "", *given = argv[optind - 1];
    g_autofree char *remedy = g_strdup_printf("see 'kubesvc%s%s --help'", space, command->name);
    char letter[] = {'-', (char)optopt, '\0'};
    bool is_long = strncmp(given, "--", 2) == 0;
    if (!is_long && optopt > 0 && optopt < 256)
        given = letter;
    if (missing)
        text_error(json, remedy, "%s requires a value", given);
    else if (is_long && optopt > 0) /* one that is known */
        text_error(json, remedy, "%.*s takes no value", (int)strcspn(given, "="), given);
    else
        text_error(json, remedy, "unknown option %s", given);
}

static bool count_operands(const struct arguments *arguments, const struct command *command)
{
    bool few = arguments->n < command->least;
    if (!few && (command->most < 0 || arguments->n <= command->most))
        return true;
    g_autofree char *remedy = g_strdup_printf("usage: kubesvc %s%s%s", command->name,
                                              *command->operands ? " " : "", command->operands);
    text_error(arguments->json, remedy,
               few ? "missing arguments for '%s'" : "too many arguments for '%s'", command->name);
    return false;
}

int arguments_parse(struct arguments *arguments, const struct command *command, int argc,
                    char **argv)
{
    struct option longs[G_N_ELEMENTS(options) + 1];
    g_autoptr(GString) letters = g_string_new(":");
    fill_options(longs, letters, command->takes);
    *arguments = (struct arguments){.family = "any", .root = ""};
    optind = 0; /* start over */
    for (int option; (option = getopt_long(argc, argv, letters->str, longs, NULL)) != -1;) {
        if (option == 'h') {
            arguments_help(command);
            return STATUS_DONE;
        }
        if (option == OPTION_VERSION) {
            puts("kubesvc " KUBESVC_VERSION);
            return STATUS_DONE;
        }
        if (option == '?' || option == ':') {
            complain_about_option(command, argv, option == ':', arguments->json);
            return STATUS_FAILED;
        }
        if (!take_option(arguments, command, option))
            return STATUS_FAILED;
    }
    arguments->socket = inspect_client_socket(arguments->socket);
    arguments->operands = argv + optind;
    arguments->n = argc - optind;
    if (!check_environment(arguments, command))
        return STATUS_FAILED;
    return count_operands(arguments, command) ? ARGUMENTS_GO_ON : STATUS_FAILED;
}

int arguments_command(int argc, char **argv)
{
    struct option longs[G_N_ELEMENTS(options) + 1];
    g_autoptr(GString) letters = g_string_new("+:");
    fill_options(longs, letters, ~0u);
    optind = 0;
    while (getopt_long(argc, argv, letters->str, longs, NULL) != -1)
        ; /* what is wrong, the command says */
    return optind;
}
