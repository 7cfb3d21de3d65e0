/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The container runtimes that the daemon reads: are their files accessible, and do their pods
 * appear in manifests?
 */
#include <string.h>

#include "checks.h"
#include "text.h"
#include "value.h"

static const char *remedy_for_missing(const char *name)
{
    if (strcmp(name, "podman") == 0)
        return "'systemd-tmpfiles --create kubesvcd.conf' makes it; then 'systemctl restart "
               "kubesvcd', whose unit mounts it";
    return "start the runtime; if its files are elsewhere, `directory` says where "
           "(kubesvcd.yaml(5))";
}

static const char *remedy_for_unreadable(const char *name)
{
    if (strcmp(name, "podman") == 0)
        return "'systemctl restart kubesvcd': its unit mounts "
               "/run/containers/networks/aardvark-dns";
    return "it is root's: examples/runtimes/runtimes.conf in the documentation is a drop-in for "
           "kubesvcd.service that grants access";
}

/* Returns false if its files cannot be read, which has been reported. */
static bool examine_access(struct checks *checks, const char *name, const char *directory,
                           const char *watch)
{
    if (g_strcmp0(watch, "missing") == 0)
        checks_add(checks, VERDICT_WARN, "runtime", remedy_for_missing(name),
                   "%s: %s does not exist", name, directory);
    else if (g_strcmp0(watch, "removed") == 0)
        checks_add(checks, VERDICT_BAD, "runtime",
                   "'systemctl restart kubesvcd' mounts the new one",
                   "%s: %s was removed after the daemon had started", name, directory);
    else if (g_strcmp0(watch, "unreadable") == 0)
        checks_add(checks, VERDICT_BAD, "runtime", remedy_for_unreadable(name),
                   "%s: the daemon cannot read %s", name, directory);
    else if (g_strcmp0(watch, "polling") == 0)
        checks_add(checks, VERDICT_WARN, "runtime", "raise fs.inotify.max_user_watches with sysctl",
                   "%s: %s is polled: there are no inotify watches left", name, directory);
    else
        return true;
    return false;
}

static void examine_pods(struct checks *checks, const char *name, yajl_val runtime)
{
    int64_t seen = value_number(runtime, "seen"), taken = value_number(runtime, "taken");
    g_autofree char *pods = text_plural(seen, "pod");

    if (seen > 0 && taken == 0)
        checks_add(checks, VERDICT_WARN, "runtime",
                   "put their manifests where the daemon reads them; "
                   "docs/runtimes.md lists the names that pods must have",
                   "%s: %s running, none of them in manifests", name, pods);
    else
        checks_add(checks, VERDICT_OK, "runtime", NULL,
                   "%s: %s running, %" G_GINT64_FORMAT " of them in manifests", name, pods, taken);
}

void examine_runtimes(struct checks *checks, yajl_val status)
{
    for (size_t i = 0; i < value_length(status, "runtimes"); i++) {
        yajl_val runtime = value_element(status, "runtimes", i);
        const char *name = value_text(runtime, "runtime"),
                   *directory = value_text(runtime, "directory");

        if (name && directory &&
            examine_access(checks, name, directory, value_text(runtime, "watch")) &&
            value_get(runtime, "seen"))
            examine_pods(checks, name, runtime);
    }
}
