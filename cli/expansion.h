/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * $(NAME) in the values of a container's variables, as Kubernetes expands it.
 */
#pragma once

/* What a name stands for, NULL if it is unknown. */
typedef const char *(*expansion_find)(void *userdata, const char *name);

/* $(NAME) becomes what the name stands for, or stays if it is unknown; $$ becomes $; every other $
 * stays, and what was put in is not looked at again. To be freed with g_free. */
char *expansion_expand(const char *text, expansion_find find, void *userdata);
