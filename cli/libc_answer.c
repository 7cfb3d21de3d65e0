/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lookup runs in a child process: a broken module kills the process that loads it, which is how
 * programs fare, and which must be told. Lines lead back, each with a letter that says what it is.
 */
#include "libc_answer.h"

#include <errno.h>
#include <netdb.h>
#include <nss.h>
#include <string.h>
#include <sys/socket.h>

#include "child.h"
#include "nsswitch.h"

#define LINE_ERROR 'e'
#define LINE_CANONICAL 'c'
#define LINE_ADDRESS 'a'

struct libc_lookup {
    const char *name, *family, *service;
};

static void write_line(FILE *out, char what, const char *text)
{
    if (text)
        fprintf(out, "%c%s\n", what, text);
}

static void look_up_address(FILE *out, const struct addrinfo *address)
{
    char name[NI_MAXHOST];
    int error =
        getnameinfo(address->ai_addr, address->ai_addrlen, name, sizeof name, NULL, 0, NI_NAMEREQD);
    write_line(out, error ? LINE_ERROR : LINE_CANONICAL, error ? gai_strerror(error) : name);
}

static void write_addresses(FILE *out, const struct addrinfo *found)
{
    char text[NI_MAXHOST];
    write_line(out, LINE_CANONICAL, found->ai_canonname);
    for (; found; found = found->ai_next)
        if (getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0,
                        NI_NUMERICHOST) == 0)
            write_line(out, LINE_ADDRESS, text);
}

static void look_up(FILE *out, const void *userdata)
{
    const struct libc_lookup *lookup = userdata;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST}, *found;
    if (lookup->service && __nss_configure_lookup("hosts", lookup->service) != 0) {
        write_line(out, LINE_ERROR, strerror(errno));
        return;
    }
    if (getaddrinfo(lookup->name, NULL, &hints, &found) == 0) {
        look_up_address(out, found);
        return;
    }
    hints.ai_flags = AI_CANONNAME;
    hints.ai_family = strcmp(lookup->family, "inet") == 0    ? AF_INET
                      : strcmp(lookup->family, "inet6") == 0 ? AF_INET6
                                                             : AF_UNSPEC;
    int error = getaddrinfo(lookup->name, NULL, &hints, &found);
    if (error)
        write_line(out, LINE_ERROR, gai_strerror(error));
    else
        write_addresses(out, found);
}

static void read_line(struct other_answer *answer, const char *line)
{
    switch (*line) {
    case LINE_ERROR: answer->error = g_strdup(line + 1); break;
    case LINE_CANONICAL: answer->canonical = g_strdup(line + 1); break;
    case LINE_ADDRESS: other_answer_add(answer, line + 1); break;
    default: break;
    }
}

struct other_answer *libc_answer_new(const char *name, const char *family, const char *service)
{
    const struct libc_lookup lookup = {name, family, service};
    struct other_answer *answer = other_answer_new("libc");
    g_autofree char *failure = NULL, *output = child_output(look_up, &lookup, &failure);
    if (failure) {
        answer->error = g_strconcat("the process that looked it up ", failure, NULL);
        return answer;
    }
    g_auto(GStrv) lines = g_strsplit(output, "\n", -1);
    for (char **line = lines; *line; line++)
        read_line(answer, *line);
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
