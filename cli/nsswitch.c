/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The hosts line. Only what decides whether our module is called is kept; other databases are
 * irrelevant.
 */
#include "nsswitch.h"

#include <string.h>

#define DEFAULT_LINE "files dns"
#define OURS "kubesvc"

static void service_free(gpointer data)
{
    struct nsswitch_service *service = data;
    g_free(service->name);
    g_free(service);
}

static int status_of(const char *name)
{
    static const char *const names[NSSWITCH_STATUSES] = {"TRYAGAIN", "UNAVAIL", "NOTFOUND",
                                                         "SUCCESS"};
    for (int i = 0; i < NSSWITCH_STATUSES; i++)
        if (g_ascii_strcasecmp(name, names[i]) == 0)
            return i;
    return -1;
}

/* "[!UNAVAIL=return SUCCESS=merge]" without its brackets, for the service before it. */
static void take_actions(struct nsswitch_service *service, const char *text)
{
    g_auto(GStrv) words = g_strsplit_set(text, " \t", -1);
    for (char **word = words; *word; word++) {
        bool negated = **word == '!';
        g_auto(GStrv) parts = g_strsplit(*word + negated, "=", 2);
        if (g_strv_length(parts) != 2)
            continue;
        int status = status_of(parts[0]);
        bool stops = g_ascii_strcasecmp(parts[1], "return") == 0;
        for (int i = 0; status >= 0 && i < NSSWITCH_STATUSES; i++)
            if ((i == status) != negated)
                service->stops[i] = stops;
    }
}

static void take_services(struct nsswitch *nsswitch, const char *text)
{
    g_ptr_array_set_size(nsswitch->services, 0);
    for (;;) {
        text += strspn(text, " \t\r");
        if (*text == '\0')
            return;
        if (*text == '[') {
            const char *end = strchrnul(text, ']');
            g_autofree char *actions = g_strndup(text + 1, (gsize)(end - text - 1));
            if (nsswitch->services->len > 0)
                take_actions(nsswitch->services->pdata[nsswitch->services->len - 1], actions);
            text = *end ? end + 1 : end;
            continue;
        }
        size_t length = strcspn(text, " \t\r[");
        struct nsswitch_service *service = g_new0(struct nsswitch_service, 1);
        service->name = g_strndup(text, length);
        service->stops[NSSWITCH_SUCCESS] = true;
        g_ptr_array_add(nsswitch->services, service);
        text += length;
    }
}

struct nsswitch *nsswitch_parse(const char *text)
{
    struct nsswitch *nsswitch = g_new0(struct nsswitch, 1);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    nsswitch->services = g_ptr_array_new_with_free_func(service_free);
    take_services(nsswitch, DEFAULT_LINE);
    for (unsigned i = 0; lines[i]; i++) {
        char *comment = strchr(lines[i], '#');
        if (comment)
            *comment = '\0';
        const char *name = lines[i] + strspn(lines[i], " \t");
        if (g_ascii_strncasecmp(name, "hosts", 5) != 0)
            continue;
        name += 5;
        name += strspn(name, " \t");
        if (*name != ':')
            continue;
        nsswitch->line = i + 1;
        take_services(nsswitch, name + 1);
    }
    return nsswitch;
}

struct nsswitch *nsswitch_free(struct nsswitch *nsswitch)
{
    if (!nsswitch)
        return NULL;
    g_ptr_array_unref(nsswitch->services);
    g_free(nsswitch);
    return NULL;
}

/* Do they ask others for names that they do not know themselves? mdns takes every name of two
 * labels under .local for its own. */
static bool asks_the_network(const char *name)
{
    return strcmp(name, "dns") == 0 || strcmp(name, "resolve") == 0 || strcmp(name, "wins") == 0 ||
           g_str_has_prefix(name, "mdns");
}

enum nsswitch_place nsswitch_place(const struct nsswitch *nsswitch, const char **before)
{
    const struct nsswitch_service *const *services = (void *)nsswitch->services->pdata;
    const char *end = NULL, *late = NULL;
    guint i = 0, n = nsswitch->services->len;
    for (; i < n && strcmp(services[i]->name, OURS) != 0; i++) {
        const struct nsswitch_service *service = services[i];
        /* mdns4_minimal knows that most names are not its own, and says UNAVAIL to them */
        if (!end && service->stops[NSSWITCH_NOTFOUND] && !g_str_has_prefix(service->name, "mdns"))
            end = service->name;
        if (!late && asks_the_network(service->name))
            late = service->name;
    }
    *before = NULL;
    if (i == n)
        return NSSWITCH_ABSENT;
    *before = end ? end : late;
    if (*before)
        return end ? NSSWITCH_CUT_OFF : NSSWITCH_LATE;
    if (i + 1 == n || services[i]->stops[NSSWITCH_NOTFOUND])
        return NSSWITCH_GOOD;
    *before = services[i + 1]->name;
    return NSSWITCH_NO_RETURN;
}
