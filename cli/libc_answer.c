/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The comparison with libc. It runs in this process, which has looked up nothing before: libc reads
 * /etc/nsswitch.conf now.
 */
#include "libc_answer.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "nsswitch.h"

static void look_up_address(struct other_answer *answer, const struct addrinfo *address)
{
    char name[NI_MAXHOST];
    int error =
        getnameinfo(address->ai_addr, address->ai_addrlen, name, sizeof name, NULL, 0, NI_NAMEREQD);
    if (error)
        answer->error = g_strdup(gai_strerror(error));
    else
        answer->canonical = g_strdup(name);
}

static void take_addresses(struct other_answer *answer, const struct addrinfo *found)
{
    char text[NI_MAXHOST];
    answer->canonical = g_strdup(found->ai_canonname);
    for (; found; found = found->ai_next)
        if (getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0,
                        NI_NUMERICHOST) == 0)
            other_answer_add(answer, text);
}

struct other_answer *libc_answer_new(const char *name, const char *family)
{
    struct other_answer *answer = other_answer_new("libc");
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST}, *found;
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
