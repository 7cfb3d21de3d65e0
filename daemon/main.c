/*
 * kubesvcd: the cache daemon behind libnss_kubesvc.so.2.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon.h"
#include "options.h"

int main(int argc, char **argv)
{
    /* libyaml asks for and gives back small pieces in turn with large ones; with fast bins every
     * large one makes malloc tidy up all the small ones, which doubles the time of a load. */
    (void)mallopt(M_MXFAST, 0);
    struct options options;
    int r = options_parse(&options, argc, argv);
    if (r == OPTIONS_DONE || r == OPTIONS_WRONG) {
        options_clear(&options);
        return r == OPTIONS_DONE ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    struct config *config = NULL;
    r = daemon_load_config(&config, &options.config);
    if (r == 0 && options.check) {
        config_free(config);
        printf("%s: in order\n", options.config.path);
    } else if (r == 0) {
        r = daemon_run(config, &options.config);
    }
    options_clear(&options);
    return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
