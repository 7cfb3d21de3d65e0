/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * $(NAME) in the values of a container's variables, as Kubernetes expands it.
 */
#pragma once

/* The value of a name, NULL if it is unknown. */
typedef const char *(*expansion_find)(void *userdata, const char *name);

/* $(NAME) becomes the value of the name, or stays if it is unknown; $$ becomes $; any other $
 * stays, and substituted text is not expanded again. Free with g_free. */
char *expansion_expand(const char *text, expansion_find find, void *userdata);
