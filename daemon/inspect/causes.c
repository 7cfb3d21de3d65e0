/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The contents of an unread file are unknown, and explaining must not reveal them either: the
 * caller may not be allowed to read the file. So files are judged by their names and by what is
 * wrong with them, and the likeliest come first.
 */
#include "causes.h"

#include <string.h>

#include "passed_over.h"

#define CAUSES_MAX 8u

enum likelihood { THE_CAUSE, LIKELY, POSSIBLE };

struct cause {
    enum likelihood likelihood;
    char *path, *text;
    unsigned line, column;
};

struct cause_collection {
    const GArray *refs; /* struct service_ref */
    bool is_service;    /* the name may be a Service's own: not that of a host in another domain */
    GArray *found;      /* struct cause */
};

static void cause_clear(void *data)
{
    struct cause *cause = data;

    g_free(cause->path);
    g_free(cause->text);
}

static void add(const struct cause_collection *collection, enum likelihood likelihood, char *path,
                const struct diagnostic *diagnostic, char *text)
{
    if (likelihood == POSSIBLE && !collection->is_service) {
        g_free(path);
        g_free(text);
        return;
    }
    struct cause cause = {
        .likelihood = likelihood,
        .path = path,
        .text = text,
        .line = diagnostic ? diagnostic->line : 0,
        .column = diagnostic ? diagnostic->column : 0,
    };

    g_array_append_val(collection->found, cause);
}

static const struct service_ref *service_ref_at(const struct cause_collection *collection, guint i)
{
    return &g_array_index(collection->refs, struct service_ref, i);
}

/* "web.yaml", "30-web.txt", ".web.yaml.swp": is the Service's name a component of the file's? */
static bool names_it(const char *file, const char *service)
{
    size_t length = strlen(service);

    for (const char *at = file; (at = strcasestr(at, service)); at++) {
        bool begins = at == file || !g_ascii_isalnum(at[-1]);
        if (begins && !g_ascii_isalnum(at[length]))
            return true;
    }
    return false;
}

static bool is_named(const struct cause_collection *collection, const char *path)
{
    const char *slash = strrchr(path, '/');

    for (guint i = 0; i < collection->refs->len; i++)
        if (names_it(slash ? slash + 1 : path, service_ref_at(collection, i)->service))
            return true;
    return false;
}

/* The diagnostic is of the Service, or of an object that cannot have the name it gives itself. */
static bool is_about(const struct cause_collection *collection, const struct diagnostic *diagnostic)
{
    for (guint i = 0; i < collection->refs->len; i++) {
        const struct service_ref *ref = service_ref_at(collection, i);
        g_autofree char *object = g_strdup_printf("Service %s/%s", ref->ns, ref->service);
        g_autofree char *quoted = g_strdup_printf("\"%s\"", ref->service);

        if (!diagnostic->object)
            continue;
        if (strcasecmp(diagnostic->object, object) == 0 ||
            (!strchr(diagnostic->object, '/') && strcasestr(diagnostic->message, quoted)))
            return true;
    }
    return false;
}

static void add_diagnostics(void *userdata, const struct loader_file_status *status)
{
    const struct cause_collection *collection = userdata;

    for (guint i = 0; status->diagnostics && i < status->diagnostics->len; i++) {
        const struct diagnostic *diagnostic = status->diagnostics->pdata[i];
        g_autofree char *what = g_strdup_printf("%s [%s]", diagnostic->message, diagnostic->rule);

        if (is_about(collection, diagnostic)) {
            add(collection, THE_CAUSE, g_strdup(status->path), diagnostic,
                g_strdup_printf("%s: %s", diagnostic->object, what));
        } else if (!diagnostic->object && diagnostic->severity == DIAGNOSTIC_ERROR) {
            bool is_likely = is_named(collection, status->path);
            add(collection, is_likely ? LIKELY : POSSIBLE, g_strdup(status->path), diagnostic,
                g_steal_pointer(&what));
        }
    }
}

static void add_passed_over(void *userdata, const char *directory, const char *name,
                            enum loader_why why)
{
    const struct cause_collection *collection = userdata;
    bool is_likely = is_named(collection, name);

    if (is_likely || why == LOADER_NOT_RECURSIVE)
        add(collection, is_likely ? LIKELY : POSSIBLE, g_strdup_printf("%s/%s", directory, name),
            NULL, g_strdup_printf("%s; not read", passed_over_text(why)));
}

static void add_directory(void *userdata, const struct loader_directory_status *status)
{
    const struct cause_collection *collection = userdata;

    if (status->missing)
        add(collection, POSSIBLE, g_strdup(status->path), NULL, g_strdup("does not exist"));
    else if (status->n_files == 0)
        add(collection, POSSIBLE, g_strdup(status->path), NULL, g_strdup("holds no manifest"));
}

static gint compare(gconstpointer a, gconstpointer b)
{
    const struct cause *x = a, *y = b;

    if (x->likelihood != y->likelihood)
        return x->likelihood < y->likelihood ? -1 : 1;
    int order = strcmp(x->path, y->path);
    return order != 0 ? order : x->line < y->line ? -1 : x->line > y->line;
}

static void write_cause(struct json *json, const struct cause *cause)
{
    json_open(json, NULL);
    json_text(json, "step", "cause");
    json_text(json, "name", cause->path);
    json_text(json, "text", cause->text);
    if (cause->line > 0) {
        json_open(json, "position");
        json_text(json, "file", cause->path);
        json_number(json, "line", cause->line);
        json_number(json, "column", cause->column);
        json_close(json);
    }
    json_close_line(json);
}

static void write_rest(struct json *json, guint n)
{
    json_open(json, NULL);
    json_text(json, "step", "cause");
    json_format(json, "text", "and %u more; 'kubesvc status' shows what is wrong with files", n);
    json_close_line(json);
}

static GArray *missing_services(const struct report *report, const GPtrArray *tried)
{
    GArray *refs = g_array_new(FALSE, FALSE, sizeof(struct service_ref));

    g_array_set_clear_func(refs, (GDestroyNotify)service_ref_clear);
    for (guint i = 0; i < tried->len; i++) {
        struct service_ref ref;

        if (service_ref_find(&ref, report, tried->pdata[i]) && !ref.state)
            g_array_append_val(refs, ref);
        else
            service_ref_clear(&ref);
    }
    return refs;
}

void causes_write(const struct report *report, const GPtrArray *tried)
{
    const struct loader *loader = report->context->loader;
    g_autoptr(GArray) refs = missing_services(report, tried);
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(struct cause));
    struct cause_collection collection = {.refs = refs, .found = found};

    bool is_empty = cluster_size(report->context->cluster) == 0; /* then nothing is tried */
    if (refs->len == 0 && !is_empty)
        return;
    collection.is_service = is_empty;
    for (guint i = 0; i < refs->len; i++)
        collection.is_service |= !service_ref_at(&collection, i)->below;
    g_array_set_clear_func(found, cause_clear);
    loader_status(loader, add_diagnostics, &collection);
    loader_ignored(loader, add_passed_over, &collection);
    if (is_empty && report->context->loaded)
        loader_directories(loader, add_directory, &collection);
    g_array_sort(found, compare);
    for (guint i = 0; i < found->len && i < CAUSES_MAX; i++)
        write_cause(report->json, &g_array_index(found, struct cause, i));
    if (found->len > CAUSES_MAX)
        write_rest(report->json, found->len - CAUSES_MAX);
}
