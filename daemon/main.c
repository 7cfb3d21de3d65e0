/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvcd: the cache daemon behind libnss_kubesvc.so.2.
 */
#include <errno.h>
#include <glib.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "daemon.h"
#include "daemon/config/options.h"
#include "lib/util/command_line.h"
#include "lib/util/descriptor.h"
#include "lib/util/log.h"
#include "loader_thread.h"

#define KEPT_MAX (1 << 20) /* bytes that are free at the end of the heap */
#define FILES_LEAST 32u    /* open at once: its own, a manifest being read, a few clients */

/* A reload requested before the loop runs is done when it does, instead of killing the process. */
static void hold_reload(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
}

/* With fewer it would run, but find no manifests, or have no descriptor to say that it is ready. */
static bool has_descriptors(void)
{
    (void)descriptor_raise_limit(SIZE_MAX);
    if (descriptor_has_room(FILES_LEAST))
        return true;
    log_error("cannot start: %s: at least %u more files must be possible to open; raise the limit "
              "(LimitNOFILE= of the unit, 'ulimit -n')",
              g_strerror(errno), FILES_LEAST);
    return false;
}

/* For --check: which files there are. */
static void print_files(const struct config *config)
{
    for (guint i = 0; i < config->files->len; i++)
        printf("%s: configuration OK\n", (const char *)config->files->pdata[i]);
    if (config->files->len == 0)
        puts("no configuration file; the defaults apply");
}

int main(int argc, char **argv)
{
    hold_reload();
    if (!descriptor_occupy_standard(true))
        return EXIT_FAILURE;
    /* What others may do with its files is the caller's choice, what the daemon may do is not. */
    (void)umask(umask(S_IRWXG | S_IRWXO) & (S_IRWXG | S_IRWXO));
    /* libyaml allocates and frees small blocks interleaved with large ones; with fast bins every
     * large one makes malloc consolidate all the small ones, which doubles the time of a load. */
    (void)mallopt(M_MXFAST, 0);
    /* Else malloc raises it with every large block, and keeps tens of megabytes it does not use. */
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_MAX);
    struct options options;
    int r = options_parse(&options, argc, argv);
    if (r == COMMAND_LINE_DONE || r == COMMAND_LINE_WRONG) {
        options_clear(&options);
        return r == COMMAND_LINE_DONE ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    struct config *config = NULL;
    g_autoptr(GPtrArray) errors = g_ptr_array_new_with_free_func(g_free);
    r = config_load_logged(&config, &options.config, errors);
    if (r == 0 && options.check)
        print_files(config);
    else if (r == 0 && !has_descriptors())
        r = -EMFILE;
    else if (r == 0)
        r = daemon_run(g_steal_pointer(&config), &options.config);
    config_free(config);
    options_clear(&options);
    return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
