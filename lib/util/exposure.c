/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checks the directory itself only. A user who may write to a parent could replace it, unless the
 * parent is sticky, like /tmp; but then it already belongs to that user, or did not exist when the
 * daemon created its own.
 */
#include "exposure.h"

#include <errno.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

char *exposure_of_directory(const char *path, uid_t user)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return NULL;
    if (status.st_uid != user && status.st_uid != 0)
        return g_strdup_printf("the directory belongs to another user (uid %u)", status.st_uid);
    if (status.st_mode & (S_IWGRP | S_IWOTH))
        return g_strdup_printf("others can write to the directory (mode %04o)",
                               status.st_mode & 07777);
    return NULL;
}

int exposure_refuse(const char *path, const char *purpose)
{
    g_autofree char *exposure = exposure_of_directory(path, geteuid());
    if (exposure)
        log_error("%s: %s; not using it for %s", path, exposure, purpose);
    return exposure ? -EPERM : 0;
}
