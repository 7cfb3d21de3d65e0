/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The last good content wins: a file's objects change only when it was read well or is gone. The
 * objects themselves go on to the catalog; a file with ten thousand costs no more here than an
 * empty one.
 */
#include "file.h"

#include <stdarg.h>

#include "diagnostics.h"

static struct source *new_source(const char *path, const struct origin *origin,
                                 struct account *account)
{
    struct source *source = source_new(path, origin->rank, origin->allocate, origin->zone);

    source->account = account_ref(account);
    return source;
}

struct file *file_new(const char *path, const struct origin *origin, struct account *account)
{
    struct file *file = g_new0(struct file, 1);

    file->source = new_source(path, origin, account);
    return file;
}

struct file *file_free(struct file *file)
{
    if (!file)
        return NULL;
    g_clear_pointer(&file->objects, g_ptr_array_unref);
    g_clear_pointer(&file->diagnostics, g_ptr_array_unref);
    source_unref(file->source);
    g_free(file);
    return NULL;
}

static bool source_fits(const struct source *source, const struct origin *origin)
{
    return source->rank == origin->rank && source->allocate == origin->allocate &&
           g_strcmp0(source->zone, origin->zone) == 0;
}

/* The catalog has sorted its objects by the old source's data, so that one does not change. What
 * was read and not handed over yet moves, too: the next reading may find the file broken. */
void file_move(struct file *file, const struct origin *origin,
               const struct loader_callbacks *callbacks)
{
    struct source *before = file->source;

    if (source_fits(before, origin))
        return;
    file->source = new_source(before->path, origin, before->account);
    file->source->stamp = before->stamp;
    source_set_refused(file->source, before->n_refused, &before->least);
    for (guint i = 0; file->objects && i < file->objects->len; i++)
        object_move(file->objects->pdata[i], file->source);
    if (file->handed)
        callbacks->moved(callbacks->userdata, before, file->source);
    source_unref(before);
}

/* Do names come from it? */
static bool is_known(const struct file *file)
{
    return (file->handed || file->objects) && !file->gone;
}

static void set_stale(struct file *file)
{
    if (file->stale || !is_known(file))
        return;
    file->stale = true;
    file->stale_since = (uint64_t)g_get_real_time();
}

void file_update(struct file *file, GPtrArray *objects, GPtrArray *diagnostics)
{
    g_clear_pointer(&file->objects, g_ptr_array_unref);
    file->objects = objects;
    file->stale = false;
    file->gone = false;
    diagnostics_replace(&file->diagnostics, diagnostics, file->source->path);
}

/* What the problem means for lookups of the file's names. */
static const char *consequence(const struct file *file)
{
    return is_known(file) ? "its last good content stays in effect"
                          : "none of its objects are known yet";
}

void file_refuse(struct file *file, GPtrArray *diagnostics)
{
    if (diagnostics->len > 0) {
        struct diagnostic *last = diagnostics->pdata[diagnostics->len - 1];
        g_autofree char *message = last->message;
        last->message = g_strdup_printf("%s; %s", message, consequence(file));
    }
    set_stale(file);
    diagnostics_replace(&file->diagnostics, diagnostics, file->source->path);
}

void file_complain(struct file *file, const char *rule, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *reason = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    set_stale(file);
    g_autofree char *message = g_strconcat(reason, "; ", consequence(file), NULL);
    diagnostics_replace_one(&file->diagnostics, file->source->path, DIAGNOSTIC_ERROR, rule,
                            message);
}

const struct diagnostic *file_first_error(const struct file *file)
{
    for (unsigned i = 0; file->diagnostics && i < file->diagnostics->len; i++) {
        const struct diagnostic *diagnostic = file->diagnostics->pdata[i];

        if (diagnostic->severity == DIAGNOSTIC_ERROR)
            return diagnostic;
    }
    return NULL;
}

void file_vanish(struct file *file)
{
    g_clear_pointer(&file->objects, g_ptr_array_unref);
    file->has_seen = file->has_polled = false;
    file->stale = false;
    file->attempts = 0;
    file->gone = file->handed;
}

void source_update_free(void *data)
{
    struct source_update *update = data;

    if (!update)
        return;
    source_unref(update->source);
    if (update->objects)
        g_ptr_array_unref(update->objects);
    g_free(update);
}

static void state(GPtrArray *updates, struct source *source, GPtrArray *objects)
{
    struct source_update *update = g_new0(struct source_update, 1);

    update->source = source_ref(source);
    update->objects = objects;
    g_ptr_array_add(updates, update);
}

static void withdraw(struct file *file, GPtrArray *updates)
{
    if (file->handed)
        state(updates, file->source, NULL);
    file->handed = false;
    file->gone = false;
    file->n_objects = 0;
}

void file_hand_over(struct file *file, GPtrArray *updates)
{
    if (!file->objects) {
        if (file->gone)
            withdraw(file, updates);
        return;
    }
    file->handed = true;
    file->n_objects = file->objects->len;
    state(updates, file->source, g_steal_pointer(&file->objects));
}
