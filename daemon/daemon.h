/*
 * The daemon: source, model and serve joined on one event loop. Data goes one way through it, from
 * manifests to answers.
 */
#pragma once

#include "daemon/config/config.h"
#include "lib/util/error.h"

/* Runs until SIGTERM or SIGINT. `config` passes on; `options` are read again for SIGHUP. 0, or the
 * negative errno that ended it (said in the log). */
MUST_USE int daemon_run(struct config *config, const struct config_options *options);

/* Loads the configuration and says in the log what is wrong with it: as config_load_texts. */
MUST_USE int daemon_load_config(struct config **configp, const struct config_options *options,
                                GPtrArray *errors);
