/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * glibc looks for a module where ld.so(8) looks for libraries. A program of a build directory has
 * its module beside it, and the library cache of the pod leads there: no variable is set that
 * the command hands on, no directory of the system changes, and setuid programs find it, too.
 */
#include "pod_room.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "library_cache.h"
#include "pod_namespaces.h"
#include "text.h"
#include <kubesvc/limits.h>

#define HOSTS "/etc/hosts"
#define HOSTNAME "/etc/hostname"
#define NSSWITCH "/etc/nsswitch.conf"
#define LIBRARY_CACHE "/etc/ld.so.cache"

static GBytes *read_file(const char *path)
{
    char *text;
    gsize size;
    return g_file_get_contents(path, &text, &size, NULL) ? g_bytes_new_take(text, size) : NULL;
}

/* NULL: none next to this program; an installed one is found anyway. */
static char *find_module(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *directory = self ? g_path_get_dirname(self) : NULL;
    g_autofree char *path = directory ? g_build_filename(directory, KUBESVC_MODULE, NULL) : NULL;
    return path && access(path, R_OK) == 0 ? g_steal_pointer(&path) : NULL;
}

static const char *find_libc(void)
{
    Dl_info info;
    return dladdr((const void *)(uintptr_t)&getenv, &info) != 0 ? info.dli_fname : NULL;
}

/* The library cache that leads to `module`; NULL if none can be extended. */
static GBytes *make_cache(const char *module)
{
    g_autoptr(GBytes) old = read_file(LIBRARY_CACHE);
    const char *libc = find_libc();
    return old && libc ? library_cache_add(old, KUBESVC_MODULE, module, libc) : NULL;
}

static void extend_library_path(const char *module)
{
    const char *path = g_getenv("LD_LIBRARY_PATH");
    g_autofree char *directory = g_path_get_dirname(module);
    g_autofree char *longer = g_strjoin(":", directory, path && *path ? path : NULL, NULL);
    g_setenv("LD_LIBRARY_PATH", longer, TRUE);
}

static void add_text(GArray *files, const char *path, char *text)
{
    struct pod_file file = {path, g_bytes_new_take(text, strlen(text))};
    g_array_append_val(files, file);
}

static void add_own_names(GArray *files, const struct pod_identity *identity, const char *aliases)
{
    if (!identity->kernel_name)
        return;
    add_text(files, HOSTS, pod_files_hosts(identity, aliases));
    if (access(HOSTNAME, F_OK) == 0)
        add_text(files, HOSTNAME, g_strdup_printf("%s\n", identity->kernel_name));
}

static void clear_file(gpointer file)
{
    g_clear_pointer(&((struct pod_file *)file)->content, g_bytes_unref);
}

void pod_room_enter(const struct pod_identity *identity, const char *aliases)
{
    g_autoptr(GArray) files = g_array_new(TRUE, FALSE, sizeof(struct pod_file));
    g_autoptr(GBytes) nsswitch = read_file(NSSWITCH);
    const char *remedy;
    g_array_set_clear_func(files, clear_file);
    g_autofree char *text =
        nsswitch ? g_strndup(g_bytes_get_data(nsswitch, NULL), g_bytes_get_size(nsswitch)) : NULL;
    add_text(files, NSSWITCH, pod_files_nsswitch(text ? text : ""));
    add_own_names(files, identity, aliases);
    g_autofree char *module = find_module();
    struct pod_file cache = {LIBRARY_CACHE, module ? make_cache(module) : NULL};
    if (cache.content)
        g_array_append_val(files, cache);
    g_autofree char *why = pod_namespaces_enter(
        identity->kernel_name, (const struct pod_file *)(void *)files->data, &remedy);
    if (why)
        text_error(false, remedy,
                   "host name, hosts file and nsswitch.conf are those of the host: %s", why);
    else if (module && !cache.content)
        extend_library_path(module);
}
