/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One of each kind is kept, the newest: a disk that damages the journal again and again must not
 * fill up with copies.
 */
#include "kept_journal.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lease_compaction.h"
#include "lease_line.h"
#include "lib/util/log.h"

#define KEPT_NAME LEASE_JOURNAL_NAME ".damaged"
#define VERSION_DIGITS_MAX 9u

char *kept_journal_version(const char *text, size_t size)
{
    static const char start[] = "kubesvc leases ";
    const char *version = text + strlen(start);

    if (size < strlen(start) || memcmp(text, start, strlen(start)) != 0)
        return NULL;
    /* The caller's text ends with a NUL. */
    size_t digits = strspn(version, "0123456789");
    if (digits == 0 || digits > VERSION_DIGITS_MAX || version[digits] != '\n' ||
        g_str_has_prefix(text, LEASE_JOURNAL_TITLE))
        return NULL;
    return g_strndup(version, digits);
}

int kept_journal_put_aside(int directory_fd, const char *directory, const char *version)
{
    g_autofree char *name = g_strconcat(LEASE_JOURNAL_NAME ".version-", version, NULL);

    if (renameat(directory_fd, LEASE_JOURNAL_NAME, directory_fd, name) < 0)
        return -errno;
    log_warning(
        "%s/%s: unknown format version %s; kept as %s, starting without leases: addresses change",
        directory, LEASE_JOURNAL_NAME, version, name);
    return 0;
}

void kept_journal_keep(int directory_fd, const char *directory)
{
    (void)unlinkat(directory_fd, KEPT_NAME, 0);
    if (linkat(directory_fd, LEASE_JOURNAL_NAME, directory_fd, KEPT_NAME, 0) < 0)
        log_warning("%s/%s: cannot be kept as %s: %s", directory, LEASE_JOURNAL_NAME, KEPT_NAME,
                    strerrordesc_np(errno));
    else
        log_notice("%s/%s: kept as %s", directory, LEASE_JOURNAL_NAME, KEPT_NAME);
}
