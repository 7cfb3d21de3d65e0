/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host. Only a daemon that is there is asked, and it is not waited for: a check must not depend
 * on it, nor its exit status.
 */
#include "check_host.h"

#include "ask.h"
#include "inspect_client.h"
#include "lint.h"
#include "value.h"

#define TIMEOUT_MS 1000

static unsigned count_cluster_ips(struct lint_model *model)
{
    const GPtrArray *records = lint_model_records(model);
    unsigned n = 0;

    for (guint i = 0; i < records->len; i++) {
        const struct lint_record *record = records->pdata[i];

        n += lint_model_is_in_force(model, record) && lint_gets_cluster_ip(model, record);
    }
    return n;
}

static bool keep(void *userdata, const char *line)
{
    *(yajl_val *)userdata = value_parse(line);
    return false;
}

/* The first line of an answer, NULL if there is none. */
static yajl_val first_line(const char *socket, const char *word)
{
    const char *words[] = {word, NULL};
    inspect_client_auto struct inspect_client *client = NULL;
    yajl_val line = NULL;

    if (inspect_client_open(&client, socket, words) == 0)
        (void)inspect_client_read(client, TIMEOUT_MS, keep, &line);
    return line;
}

static bool allocates(const char *socket)
{
    value_auto yajl_val config = first_line(socket, "config");

    return value_bool(value_setting(config, "allocate"), "value");
}

static bool lacks_forwarder(const char *socket)
{
    value_auto yajl_val status = first_line(socket, "status");

    return status && value_length(status, "forwarders") == 0 && allocates(socket);
}

char *check_host_note(const struct input_set *inputs, const char *socket)
{
    unsigned n = count_cluster_ips(inputs->model);

    if (n == 0 || !lacks_forwarder(socket))
        return NULL;
    return g_strdup_printf("%u Service%s a cluster IP on this host, but no kubesvc-proxy is "
                           "running, so nothing forwards connections to %s",
                           n, n == 1 ? " gets" : "s get", n == 1 ? "it" : "them");
}
