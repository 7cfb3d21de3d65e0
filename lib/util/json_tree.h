/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading JSON that someone else has written, as yajl's tree.
 */
#pragma once

#include <yajl/yajl_tree.h>

/* NULL if the text is not JSON in UTF-8, or is nested more than 100 levels deep; free with
 * yajl_tree_free. */
yajl_val json_tree_parse(const char *text);
