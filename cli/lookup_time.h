/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long a program waits for the daemon: one lookup, made as the NSS module makes it.
 */
#pragma once

/* Asks for a name or an address; `family` as in inspect.h. Milliseconds, or -1 if there was no
 * answer in the time that a program waits. KUBESVC_SOCKET and KUBESVC_NAMESPACE say whom and where.
 */
double lookup_time(const char *name, const char *family);
