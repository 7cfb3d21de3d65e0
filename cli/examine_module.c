/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The module: can libc load it from where it looks for it. That is tried in a child process, which
 * a damaged module kills; and why it cannot is looked up in the file, as ld.so passes over some
 * without saying so.
 */
#include "checks.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include <kubesvc/limits.h>

#define AGAIN "install libnss-kubesvc again"
#define PREFIX "_nss_kubesvc_"

/* What the child process says, before the text. */
#define SAYS_PATH 'p'
#define SAYS_LACKS 'l'
#define SAYS_ERROR 'e'

/* As glibc does it, by name alone. */
static void load(FILE *out, const void *userdata)
{
    static const char *const entries[] = {PREFIX "gethostbyname4_r", PREFIX "gethostbyname3_r",
                                          PREFIX "gethostbyname2_r", PREFIX "gethostbyname_r",
                                          PREFIX "gethostbyaddr2_r", PREFIX "gethostbyaddr_r"};
    void *module = dlopen(KUBESVC_MODULE, RTLD_NOW | RTLD_LOCAL);
    const struct link_map *map = NULL;
    (void)userdata;
    if (!module) {
        fprintf(out, "%c%s", SAYS_ERROR, dlerror());
        return;
    }
    (void)dlinfo(module, RTLD_DI_LINKMAP, &map);
    const char *path = map ? map->l_name : KUBESVC_MODULE;
    for (size_t i = 0; i < G_N_ELEMENTS(entries); i++)
        if (!dlsym(module, entries[i])) {
            fprintf(out, "%c%s has no %s", SAYS_LACKS, path, entries[i]);
            return;
        }
    fprintf(out, "%c%s", SAYS_PATH, path);
}

bool examine_has_module(void)
{
    g_autofree char *failure = NULL, *said = child_output(load, NULL, &failure);
    return said && *said == SAYS_PATH;
}

/* The first file of this name in the directories of ld.so; its cache may lead to others. NULL:
 * there is none. */
static char *find_file(void)
{
    Dl_serinfo size;
    void *self = dlopen(NULL, RTLD_LAZY);
    char *found = NULL;
    if (!self || dlinfo(self, RTLD_DI_SERINFOSIZE, &size) != 0)
        return NULL;
    g_autofree Dl_serinfo *directories = g_malloc0(size.dls_size);
    *directories = size;
    if (dlinfo(self, RTLD_DI_SERINFO, directories) != 0)
        return NULL;
    for (unsigned i = 0; i < directories->dls_cnt && !found; i++) {
        struct stat st;
        g_autofree char *path =
            g_build_filename(directories->dls_serpath[i].dls_name, KUBESVC_MODULE, NULL);
        if (lstat(path, &st) == 0)
            found = g_steal_pointer(&path);
    }
    dlclose(self);
    return found;
}

static bool read_header(const char *path, Elf32_Ehdr *header)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, header, sizeof *header);
    close(fd);
    return n == sizeof *header && memcmp(header->e_ident, ELFMAG, SELFMAG) == 0;
}

/* The fields compared are at the same place in both classes. */
static bool is_foreign(const char *path)
{
    Elf32_Ehdr ours, its;
    return read_header("/proc/self/exe", &ours) && read_header(path, &its) &&
           (ours.e_ident[EI_CLASS] != its.e_ident[EI_CLASS] ||
            ours.e_ident[EI_DATA] != its.e_ident[EI_DATA] || ours.e_machine != its.e_machine);
}

static char *chmod_of(const char *path)
{
    return g_strdup_printf("chmod a+r %s", path);
}

/* libc passes over a file that it cannot open. */
static void add_unopenable(struct checks *checks, const char *path, int error)
{
    g_autofree char *target = g_file_read_link(path, NULL), *remedy = chmod_of(path);
    if (target && error == ENOENT)
        checks_add(checks, VERDICT_BAD, "module", AGAIN,
                   "libc cannot load %s: it is a link to %s, which does not exist", path, target);
    else
        checks_add(checks, VERDICT_BAD, "module", error == EACCES ? remedy : AGAIN,
                   "libc cannot load %s: %s", path, g_strerror(error));
}

/* ld.so's words, without the name of the file before them. */
static const char *without_name(const char *error, const char *path)
{
    const char *const names[] = {path, KUBESVC_MODULE};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        size_t length = strlen(names[i]);
        if (strncmp(error, names[i], length) == 0 && strncmp(error + length, ": ", 2) == 0)
            return error + length + 2;
    }
    return error;
}

static void add_unloadable(struct checks *checks, const char *error)
{
    g_autofree char *path = find_file();
    if (!path)
        checks_add(checks, VERDICT_BAD, "module",
                   "install libnss-kubesvc; new processes then find it",
                   "libc cannot load " KUBESVC_MODULE ": %s", error);
    else if (access(path, R_OK) < 0)
        add_unopenable(checks, path, errno);
    else
        checks_add(checks, VERDICT_BAD, "module", AGAIN, "libc cannot load %s: %s", path,
                   is_foreign(path) ? "it is for programs of another architecture"
                                    : without_name(error, path));
}

static void add_loaded(struct checks *checks, const char *path)
{
    struct stat st;
    g_autofree char *remedy = chmod_of(path);
    if (stat(path, &st) == 0 && !(st.st_mode & S_IROTH)) /* root can read it */
        checks_add(checks, VERDICT_BAD, "module", remedy,
                   "%s has mode %04o: not every program can load it", path,
                   (unsigned)st.st_mode & 07777);
    else
        checks_add(checks, VERDICT_OK, "module", NULL, "%s", path);
}

static void add_killer(struct checks *checks, const char *failure)
{
    g_autofree char *path = find_file();
    checks_add(
        checks, VERDICT_BAD, "module",
        "install libnss-kubesvc again at once: programs that look up host names fare the same",
        "the process that loads %s %s", path ? path : KUBESVC_MODULE, failure);
}

void examine_module(struct checks *checks)
{
    g_autofree char *failure = NULL, *said = child_output(load, NULL, &failure);
    if (failure)
        add_killer(checks, failure);
    else if (*said == SAYS_ERROR)
        add_unloadable(checks, said + 1);
    else if (*said == SAYS_LACKS)
        checks_add(checks, VERDICT_BAD, "module", AGAIN, "%s, so it is not a module for host names",
                   said + 1);
    else
        add_loaded(checks, said + 1);
}
