/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The comparison with libc. It is made in this process, which has asked nothing before: libc reads
 * /etc/nsswitch.conf now.
 */
#include "libc_answer.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "nsswitch.h"
#include "value.h"

static void add_once(GPtrArray *texts, const char *text)
{
    if (!g_ptr_array_find_with_equal_func(texts, text, g_str_equal, NULL))
        g_ptr_array_add(texts, g_strdup(text));
}

static void look_up_address(struct libc_answer *answer, const struct addrinfo *address)
{
    char name[NI_MAXHOST];
    int error =
        getnameinfo(address->ai_addr, address->ai_addrlen, name, sizeof name, NULL, 0, NI_NAMEREQD);
    if (error)
        answer->error = g_strdup(gai_strerror(error));
    else
        answer->canonical = g_strdup(name);
}

static void take_addresses(struct libc_answer *answer, const struct addrinfo *found)
{
    char text[NI_MAXHOST];
    answer->canonical = g_strdup(found->ai_canonname);
    for (; found; found = found->ai_next)
        if (getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0,
                        NI_NUMERICHOST) == 0)
            add_once(answer->addresses, text);
}

struct libc_answer *libc_answer_new(const char *name, const char *family)
{
    struct libc_answer *answer = g_new0(struct libc_answer, 1);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST}, *found;
    answer->addresses = g_ptr_array_new_with_free_func(g_free);
    if (getaddrinfo(name, NULL, &hints, &found) == 0) {
        look_up_address(answer, found);
        freeaddrinfo(found);
        return answer;
    }
    hints.ai_flags = AI_CANONNAME;
    hints.ai_family = strcmp(family, "inet") == 0    ? AF_INET
                      : strcmp(family, "inet6") == 0 ? AF_INET6
                                                     : AF_UNSPEC;
    int error = getaddrinfo(name, NULL, &hints, &found);
    if (error) {
        answer->error = g_strdup(gai_strerror(error));
        return answer;
    }
    take_addresses(answer, found);
    freeaddrinfo(found);
    return answer;
}

struct libc_answer *libc_answer_free(struct libc_answer *answer)
{
    if (!answer)
        return NULL;
    g_free(answer->error);
    g_free(answer->canonical);
    g_ptr_array_unref(answer->addresses);
    g_free(answer);
    return NULL;
}

static GPtrArray *addresses_of(yajl_val daemons)
{
    GPtrArray *addresses = g_ptr_array_new_with_free_func(g_free);
    const char *const keys[] = {"inet", "inet6"};
    for (size_t k = 0; k < G_N_ELEMENTS(keys); k++) {
        yajl_val list = value_get(daemons, keys[k]);
        for (size_t i = 0; i < value_length(daemons, keys[k]); i++)
            if (YAJL_IS_STRING(list->u.array.values[i]))
                g_ptr_array_add(addresses, g_strdup(YAJL_GET_STRING(list->u.array.values[i])));
    }
    return addresses;
}

static void append_missing(GString *text, const GPtrArray *those, GPtrArray *in, const char *only)
{
    for (guint i = 0; i < those->len; i++)
        if (!g_ptr_array_find_with_equal_func(in, those->pdata[i], g_str_equal, NULL))
            g_string_append_printf(text, "%s%s only from %s", text->len > 0 ? ", " : "",
                                   (char *)those->pdata[i], only);
}

char *libc_answer_compare(const struct libc_answer *answer, yajl_val daemons)
{
    const char *status = value_text(daemons, "status"),
               *canonical = value_text(daemons, "canonical");
    bool found = status && strcmp(status, "FOUND") == 0;
    if (answer->error && !found)
        return NULL;
    if (answer->error)
        return g_strdup_printf("not found by libc: %s", answer->error);
    if (!found)
        return g_strdup("found by libc, not answered by kubesvc");
    g_autoptr(GPtrArray) daemons_addresses = addresses_of(daemons);
    g_autoptr(GString) text = g_string_new(NULL);
    append_missing(text, answer->addresses, daemons_addresses, "libc");
    append_missing(text, daemons_addresses, answer->addresses, "kubesvc");
    if (text->len == 0 && answer->addresses->len == 0 &&
        g_strcmp0(answer->canonical, canonical) != 0)
        g_string_append_printf(text, "%s from libc", answer->canonical);
    return text->len > 0 ? g_strdup(text->str) : NULL;
}

char *libc_answer_complaint(void)
{
    g_autofree char *text = NULL;
    const char *before = NULL;
    char *complaint = NULL;
    /* Without the file its default line counts, and we are not on that. */
    if (!g_file_get_contents("/etc/nsswitch.conf", &text, NULL, NULL))
        text = g_strdup("");
    struct nsswitch *nsswitch = nsswitch_parse(text);
    switch (nsswitch_place(nsswitch, &before)) {
    case NSSWITCH_ABSENT:
        complaint = g_strdup("the hosts line of /etc/nsswitch.conf does not ask kubesvc");
        break;
    case NSSWITCH_CUT_OFF:
        complaint = g_strdup_printf("on the hosts line of /etc/nsswitch.conf '%s' ends the search "
                                    "before kubesvc is asked",
                                    before);
        break;
    case NSSWITCH_LATE:
        complaint = g_strdup_printf("on the hosts line of /etc/nsswitch.conf '%s' is asked before "
                                    "kubesvc",
                                    before);
        break;
    default: break;
    }
    nsswitch_free(nsswitch);
    return complaint;
}
