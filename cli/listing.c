/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows are created as lines arrive, and sorted afterwards: the daemon sends them in no order.
 */
#include "listing.h"

#include <string.h>

#include "ask.h"
#include "commands.h"
#include "json_path.h"
#include "json_text.h"
#include "suggest.h"
#include "text.h"
#include "value.h"
#include "yaml_text.h"

static void row_free(void *pointer)
{
    struct row *row = pointer;
    g_free(row->kind);
    g_free(row->ns);
    g_free(row->name);
    for (char **cell = row->cells; *cell; cell++)
        g_free(*cell);
    g_free(row->cells);
    g_free(row);
}

static void suggestion_free(void *pointer)
{
    struct suggestion *suggestion = pointer;
    g_free(suggestion->nearest);
    g_free(suggestion);
}

struct listing *listing_new(const struct kind *kind)
{
    struct listing *listing = g_new0(struct listing, 1);
    listing->kind = kind;
    listing->names = g_ptr_array_new();
    listing->missing = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, suggestion_free);
    listing->rows = g_ptr_array_new_with_free_func(row_free);
    return listing;
}

struct listing *listing_free(struct listing *listing)
{
    if (!listing)
        return NULL;
    g_strfreev(listing->columns);
    g_strfreev(listing->label_columns);
    g_ptr_array_unref(listing->names);
    g_hash_table_unref(listing->missing);
    g_ptr_array_unref(listing->rows);
    g_free(listing);
    return NULL;
}

/* Of names that resolve, the first labels are enough: "web" or "web.moon". */
static bool is_named(const struct listing *listing, const char *name, const char *wanted)
{
    size_t length = strlen(wanted);
    if (strcmp(listing->kind->verb, "names") != 0)
        return strcmp(name, wanted) == 0;
    if (length > 0 && wanted[length - 1] == '.')
        length--;
    return g_ascii_strncasecmp(name, wanted, length) == 0 &&
           (name[length] == '\0' || name[length] == '.');
}

static bool is_wanted_name(struct listing *listing, const char *name)
{
    bool wanted = listing->names->len == 0;
    for (guint i = 0; i < listing->names->len; i++) {
        const char *candidate = listing->names->pdata[i];
        struct suggestion *suggestion = g_hash_table_lookup(listing->missing, candidate);
        if (is_named(listing, name, candidate)) {
            g_hash_table_remove(listing->missing, candidate);
            wanted = true;
        } else if (suggestion) {
            suggestion_offer(suggestion, name);
        }
    }
    return wanted;
}

static bool is_wanted(struct listing *listing, yajl_val item, const char *name)
{
    const char *only = listing->kind->only;
    return (!only || value_is(item, "kind", only)) && is_wanted_name(listing, name) &&
           (!listing->selector || selector_matches(listing->selector, value_get(item, "labels")));
}

static char *render(const struct listing *listing, yajl_val item)
{
    GString *text = g_string_new(NULL);
    if (listing->format == FORMAT_YAML)
        yaml_text_append(text, item);
    else if (listing->on_one_line || listing->format == FORMAT_PATH)
        json_text_append_line(text, item);
    else
        json_text_append(text, item, listing->indent);
    return g_string_free(text, FALSE);
}

/* NULL where there is nothing. */
static char *path_cell(yajl_val item, const char *path)
{
    g_autofree char *text = json_path_text(item, path, ",");
    return text && *text ? g_steal_pointer(&text) : NULL;
}

static void add_label_cells(const struct listing *listing, GPtrArray *cells, yajl_val item)
{
    yajl_val labels = value_get(item, "labels");
    for (char **label = listing->label_columns; label && *label; label++)
        g_ptr_array_add(cells, g_strdup(value_text(labels, *label)));
    if (!listing->show_labels)
        return;
    g_autofree char *all = value_joined(item, "labels", ",");
    g_ptr_array_add(cells, *all ? g_steal_pointer(&all) : NULL);
}

static char **make_cells(const struct listing *listing, yajl_val item)
{
    g_autoptr(GPtrArray) cells = g_ptr_array_new();
    g_autofree char *name = kind_name(listing->kind, item);
    if (listing->text) {
        g_ptr_array_add(cells, listing->text(item));
    } else if (listing->format == FORMAT_NAME) {
        g_ptr_array_add(cells, text_clean(name));
    } else if (listing->format == FORMAT_JSON || listing->format == FORMAT_YAML ||
               listing->format == FORMAT_PATH) {
        g_ptr_array_add(cells, render(listing, item));
    } else if (listing->format == FORMAT_COLUMNS) {
        for (char **column = listing->columns; *column; column += 2)
            g_ptr_array_add(cells, path_cell(item, column[1]));
    } else {
        if (listing->with_namespace)
            g_ptr_array_add(cells, g_strdup(value_text(item, "namespace")));
        g_ptr_array_add(cells,
                        listing->with_kind ? g_strdup(name) : g_strdup(value_text(item, "name")));
        listing->kind->cells(cells, item, listing->format == FORMAT_WIDE);
        add_label_cells(listing, cells, item);
    }
    for (guint i = 0; i < cells->len; i++)
        if (!cells->pdata[i])
            cells->pdata[i] = text_clean(NULL);
    g_ptr_array_add(cells, NULL);
    return (char **)g_ptr_array_steal(cells, NULL);
}

static bool take(void *userdata, yajl_val item)
{
    struct listing *listing = userdata;
    const char *name = value_text(item, "name");
    if (!name || !is_wanted(listing, item, name))
        return false;
    struct row *row = g_new0(struct row, 1);
    row->kind = g_strdup(value_text(item, "kind"));
    row->ns = g_strdup(value_text_or(item, "namespace", ""));
    row->name = g_strdup(name);
    row->cells = make_cells(listing, item);
    g_ptr_array_add(listing->rows, row);
    return false;
}

static int compare_rows(gconstpointer a, gconstpointer b)
{
    const struct row *x = *(const struct row *const *)a, *y = *(const struct row *const *)b;
    int order = text_compare(x->ns, y->ns);
    if (order == 0)
        order = text_compare(x->name, y->name);
    return order == 0 ? g_strcmp0(x->kind, y->kind) : order;
}

int listing_read(struct listing *listing, const struct arguments *arguments, const char *ns)
{
    g_ptr_array_set_size(listing->rows, 0);
    for (guint i = 0; i < listing->names->len; i++) {
        struct suggestion *suggestion = g_new0(struct suggestion, 1);
        suggestion->word = listing->names->pdata[i];
        g_hash_table_replace(listing->missing, listing->names->pdata[i], suggestion);
    }
    bool everywhere = strcmp(listing->kind->verb, "namespaces") == 0;
    const char *words[] = {listing->kind->verb, everywhere ? NULL : ns, NULL};
    int status = ask(arguments, words, take, listing);
    g_ptr_array_sort(listing->rows, compare_rows);
    return status;
}

void listing_texts(const struct listing *listing, GPtrArray *texts)
{
    for (guint i = 0; i < listing->rows->len; i++)
        g_ptr_array_add(texts, ((const struct row *)listing->rows->pdata[i])->cells[0]);
}

char *listing_headings(const struct listing *listing)
{
    GString *text = g_string_new(NULL);
    for (char **column = listing->columns; column && *column; column += 2)
        g_string_append_printf(text, "%s%s", text->len > 0 ? "|" : "", *column);
    if (listing->columns)
        return g_string_free(text, FALSE);
    g_string_printf(text, "%s%s%s", listing->with_namespace ? "NAMESPACE|" : "",
                    listing->kind->headings,
                    listing->format == FORMAT_WIDE ? listing->kind->wide : "");
    for (char **label = listing->label_columns; label && *label; label++) {
        const char *slash = strrchr(*label, '/');
        g_autofree char *heading = g_ascii_strup(slash ? slash + 1 : *label, -1);
        g_string_append_printf(text, "|%s", g_strdelimit(heading, "|", '?'));
    }
    if (listing->show_labels)
        g_string_append(text, "|LABELS");
    return g_string_free(text, FALSE);
}

bool listing_complain(const struct listing *listing, const char *ns, bool json)
{
    bool good = true;
    for (guint i = 0; i < listing->names->len; i++) {
        const struct suggestion *suggestion =
            g_hash_table_lookup(listing->missing, listing->names->pdata[i]);
        if (!suggestion)
            continue;
        bool inside = *ns && strcmp(listing->kind->verb, "namespaces") != 0;
        g_autofree char *remedy =
            suggestion->nearest ? g_strdup_printf("did you mean %s?", suggestion->nearest)
            : inside ? g_strdup_printf("'kubesvc get %s -A' lists all", listing->kind->plural)
                     : NULL;
        text_error(json, remedy, "%s \"%s\" not found%s%s", listing->kind->plural, suggestion->word,
                   inside ? " in namespace " : "", inside ? ns : "");
        good = false;
    }
    return good;
}
