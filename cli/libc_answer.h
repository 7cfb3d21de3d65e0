/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libc answers, by way of /etc/nsswitch.conf, as any program gets it.
 */
#pragma once

#include "other_answer.h"

/* `family` as in inspect.h; `service`: of nsswitch.conf(5), the one to ask; NULL: those of the
 * file. */
struct other_answer *libc_answer_new(const char *name, const char *family, const char *service);

/* What is wrong with the hosts line of /etc/nsswitch.conf, NULL if nothing is. To be freed with
 * g_free. */
char *libc_answer_complaint(void);
