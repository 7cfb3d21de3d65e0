/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc doctor: is everything in place for programs of this host to find the names; and if not,
 * what to do.
 */
#include <stdio.h>

#include "checks.h"
#include "commands.h"

static int run(struct arguments *arguments)
{
    struct checks checks;
    checks_init(&checks, arguments);
    examine_host(&checks);
    examine_network(&checks);
    examine_daemon(&checks);
    if (arguments->format == FORMAT_JSON)
        checks_print_json(&checks);
    else
        checks_print(&checks);
    int status = checks_count(&checks, VERDICT_BAD) > 0 ? STATUS_FAILED : STATUS_DONE;
    checks_clear(&checks);
    return status;
}

const struct command command_doctor = {
    .name = "doctor",
    .summary = "check whether this host is set up, and say what to do if not",
    .operands = "",
    .description =
        "Checks whether programs on this host can resolve the names: the module, the hosts line\n"
        "of /etc/nsswitch.conf, the daemon, its socket and manifests, a lookup through libc,\n"
        "other caches, the host's addresses, DNS if kubesvc-dns is used, and, if no daemon\n"
        "answers, its unit and its configuration. Says for each problem what to do.\n"
        "Exit status: 1 if anything is bad, else 0.\n",
    .examples = "  kubesvc doctor\n"
                "  sudo -u www-data kubesvc doctor    as another user\n"
                "  kubesvc doctor -o json | jq '.checks[] | select(.verdict != \"ok\")'\n",
    .takes = TAKES_SOCKET | TAKES_JSON | TAKES_DOCTOR,
    .run = run,
};
