/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A batch is taken as a whole: either all files of a projected volume or none of them.
 */
#include "batch.h"

#include <string.h>

#include "projected.h"

static gint by_rank_and_path(gconstpointer a, gconstpointer b)
{
    const struct source *left = (*(const struct statement *const *)a)->source;
    const struct source *right = (*(const struct statement *const *)b)->source;

    if (left->rank != right->rank)
        return left->rank < right->rank ? -1 : 1;
    return strcmp(left->path, right->path);
}

/* 0, BATCH_AGAIN or BATCH_HOLD. A volume's files may lie deeper than the volume. */
static int check(struct worklist *list, struct place *parent)
{
    int worst = BATCH_READY;

    for (struct place *above = parent; above; above = above->parent) {
        if (!above->directory->entered)
            continue;
        if (!projected_is_current(above->directory)) {
            above->rescan = true;
            worklist_mark_now(list, above);
            return BATCH_AGAIN;
        }
        if (!projected_is_complete(above->directory))
            worst = BATCH_HOLD;
    }
    return worst;
}

static void check_all(struct worklist *list, GHashTable *results, int *worst)
{
    for (unsigned i = 0; i < list->news->len; i++) {
        struct place *parent = ((struct place *)list->news->pdata[i])->parent;
        if (g_hash_table_contains(results, parent))
            continue;
        int r = check(list, parent);
        g_hash_table_insert(results, parent, GINT_TO_POINTER(r));
        if (r == BATCH_AGAIN || *worst == BATCH_READY)
            *worst = r;
    }
}

int batch_take(GPtrArray **statementsp, struct worklist *list, bool patient)
{
    g_autoptr(GHashTable) results = g_hash_table_new(NULL, NULL);
    int worst = BATCH_READY;

    check_all(list, results, &worst);
    if (worst != BATCH_READY && patient)
        return worst;

    GPtrArray *kept = g_ptr_array_new();
    GPtrArray *statements = g_ptr_array_new_with_free_func(statement_free);
    for (unsigned i = 0; i < list->news->len; i++) {
        struct place *place = list->news->pdata[i];
        /* An incomplete volume is delivered in the end: nothing more may come. */
        bool again = GPOINTER_TO_INT(g_hash_table_lookup(results, place->parent)) == BATCH_AGAIN;
        place->has_news = again;
        if (again) {
            g_ptr_array_add(kept, place);
            continue;
        }
        file_hand_over(place->file, statements);
        for (struct place *above = place->parent; above; above = above->parent)
            above->directory->data_is_new = false;
    }
    g_ptr_array_unref(list->news);
    list->news = kept;
    g_ptr_array_sort(statements, by_rank_and_path);
    *statementsp = statements;
    return BATCH_READY;
}

void batch_hand_over(GPtrArray *statements, const struct loader_callbacks *callbacks)
{
    for (unsigned i = 0; i < statements->len; i++) {
        struct statement *statement = statements->pdata[i];
        callbacks->file(callbacks->userdata, statement->source,
                        g_steal_pointer(&statement->objects));
    }
    g_ptr_array_unref(statements);
}

static bool is_swept(const struct place *place)
{
    if (place->state != PLACE_IDLE || place->due != 0 || place->has_news)
        return false;
    return !place->directory || g_hash_table_size(place->directory->children) == 0;
}

void batch_sweep(struct worklist *list)
{
    g_autoptr(GPtrArray) absent = list->absent;

    list->absent = g_ptr_array_new();
    for (unsigned i = 0; i < absent->len; i++) {
        struct place *place = absent->pdata[i];
        place->is_absent = false;
        if (!place->absent)
            continue;
        if (!is_swept(place)) {
            worklist_absent(list, place); /* something has happened to it just now */
            continue;
        }
        if (place->parent)
            g_hash_table_remove(place->parent->directory->children, place->name);
        else
            place->file = file_free(place->file);
    }
}
