/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A directory may hold tens of thousands of other files, so only a few examples of each kind are
 * kept.
 */
#include "passed_over.h"

#include "lib/util/compare.h"

#define EXAMPLES_MAX 5u

const char *passed_over_text(enum loader_why why)
{
    switch (why) {
    case LOADER_HIDDEN: return "hidden: its name begins with a dot";
    case LOADER_LEFTOVER: return "a backup or other leftover, by its name";
    case LOADER_NOT_RECURSIVE: return "is a directory, and `recursive` is not set";
    case LOADER_SKIPPED: return "a .skip file of this name makes k3s skip it";
    case LOADER_OTHER_ENDING:
    case LOADER_WHYS: break;
    }
    return "does not end in .yaml, .yml or .json";
}

struct passed_over {
    size_t n;
    GPtrArray *first; /* char *: paths, in order */
};

static void add(void *userdata, const char *directory, const char *name, enum loader_why why)
{
    struct passed_over *group = (struct passed_over *)userdata + why;

    group->n++;
    g_ptr_array_add(group->first, g_strdup_printf("%s/%s", directory, name));
    g_ptr_array_sort(group->first, compare_texts);
    if (group->first->len > EXAMPLES_MAX)
        g_ptr_array_set_size(group->first, EXAMPLES_MAX);
}

static void write_group(struct json *json, const char *why, const struct passed_over *group)
{
    json_open(json, NULL);
    json_text(json, "why", why);
    json_number(json, "count", group->n);
    json_text_array(json, "first", group->first);
    json_close(json);
}

void passed_over_write(const struct report *report)
{
    static const char *const whys[LOADER_WHYS] = {
        [LOADER_HIDDEN] = "hidden",
        [LOADER_LEFTOVER] = "leftover",
        [LOADER_OTHER_ENDING] = "other ending",
        [LOADER_NOT_RECURSIVE] = "not recursive",
        [LOADER_SKIPPED] = "skipped",
    };
    struct passed_over groups[LOADER_WHYS];

    for (unsigned i = 0; i < LOADER_WHYS; i++)
        groups[i] = (struct passed_over){.first = g_ptr_array_new_with_free_func(g_free)};
    loader_ignored(report->context->loader, add, groups);
    json_open_list(report->json, "passedOver");
    for (unsigned i = 0; i < LOADER_WHYS; i++) {
        if (groups[i].n > 0)
            write_group(report->json, whys[i], &groups[i]);
        g_ptr_array_unref(groups[i].first);
    }
    json_close_list(report->json);
}
