/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Following changes. The daemon reports that something has changed, not the result: the rows are
 * read again then, and those that differ are printed. Changes in quick succession are read once.
 */
#include "watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "inspect_client.h"
#include "json_text.h"
#include "table.h"
#include "value.h"
#include "yaml_text.h"

#define QUIET_MS 50
#define BUSY_US (500 * G_TIME_SPAN_MILLISECOND) /* longer than this nothing is held back */

struct listing_watcher {
    struct listing *listing;
    struct table *table; /* NULL: another format */
    GHashTable *known;   /* key -> the row's cells in one text */
    bool headings;
};

static char *row_key(const struct row *row)
{
    return g_strdup_printf("%s\n%s\n%s", row->kind ? row->kind : "", row->ns, row->name);
}

static void print_text(const struct listing_watcher *follower, const char *text)
{
    bool yaml = follower->listing->format == FORMAT_YAML;
    printf("%s%s%s", yaml ? "---\n" : "", text, yaml ? "" : "\n");
}

static void print_row(const struct listing_watcher *follower, const struct row *row)
{
    if (follower->table)
        table_row_array(follower->table, row->cells);
    else
        print_text(follower, row->cells[0]);
}

/* In a table the row as it was is shown once more, its last cell saying so. */
static void print_gone(const struct listing_watcher *follower, const char *key, const char *cells)
{
    g_auto(GStrv) parts = g_strsplit(key, "\n", 3), texts = g_strsplit(cells, "\n", -1);
    if (follower->table) {
        char **last = &texts[g_strv_length(texts) - 1];
        g_free(*last);
        *last = g_strdup("(gone)");
        table_row_array(follower->table, texts);
        return;
    }
    if (follower->listing->format == FORMAT_NAME)
        return;
    static const char *const keys[] = {"kind", "namespace", "name"};
    g_autoptr(GString) text = g_string_new(NULL);
    struct json *json = json_new(false, json_text_to_string, text);
    json_open(json, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        json_text(json, keys[i], *parts[i] ? parts[i] : NULL);
    json_bool(json, "deleted", true);
    json_close(json);
    json_free(json);
    if (follower->listing->format == FORMAT_YAML) {
        value_auto yajl_val value = value_parse(text->str);
        g_string_truncate(text, 0);
        yaml_text_append(text, value);
    }
    print_text(follower, text->str);
}

/* What is left in `known` when all rows have been looked at is gone. */
static void print_changes(struct listing_watcher *follower)
{
    g_autoptr(GHashTable) now = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (guint i = 0; i < follower->listing->rows->len; i++) {
        const struct row *row = follower->listing->rows->pdata[i];
        g_autofree char *key = row_key(row);
        char *cells = g_strjoinv("\n", row->cells);
        const char *before = g_hash_table_lookup(follower->known, key);
        if (!before || strcmp(before, cells) != 0)
            print_row(follower, row);
        g_hash_table_remove(follower->known, key);
        g_hash_table_insert(now, g_steal_pointer(&key), cells);
    }
    GHashTableIter iterator;
    gpointer key, cells;
    g_hash_table_iter_init(&iterator, follower->known);
    while (g_hash_table_iter_next(&iterator, &key, &cells))
        print_gone(follower, key, cells);
    g_hash_table_unref(follower->known);
    follower->known = g_steal_pointer(&now);
    if (follower->table && table_size(follower->table) > 0) {
        table_flush(follower->table, follower->headings);
        follower->headings = false;
    }
    fflush(stdout);
}

static bool until_late(void *userdata, const char *line)
{
    const gint64 *end = userdata;
    (void)line;
    return g_get_monotonic_time() < *end;
}

static int wait_for_change(struct inspect_client *link)
{
    gint64 end = 0;
    int r = inspect_client_read(link, -1, until_late, &end);
    if (r != INSPECT_CLIENT_STOPPED)
        return r;
    end = g_get_monotonic_time() + BUSY_US;
    r = inspect_client_read(link, QUIET_MS, until_late, &end);
    return r == -ETIMEDOUT ? INSPECT_CLIENT_STOPPED : r;
}

static int read_and_wait(struct listing_watcher *follower, struct inspect_client *link,
                         const struct arguments *arguments, const char *ns)
{
    for (;;) {
        int status = listing_read(follower->listing, arguments, ns);
        if (status != STATUS_DONE)
            return status;
        print_changes(follower);
        if (ferror(stdout))
            return STATUS_FAILED;
        int r = wait_for_change(link);
        if (r != INSPECT_CLIENT_STOPPED) {
            inspect_client_complain(arguments->socket, r, arguments->json);
            return STATUS_FAILED;
        }
    }
}

int watch_listing(struct listing *listing, const struct arguments *arguments, const char *ns)
{
    inspect_client_auto struct inspect_client *link = NULL;
    /* Before the first reading, so that no change falls between the two. */
    int r = inspect_client_watch(&link, arguments->socket, false);
    if (r != KUBESVC_INSPECT_DONE) {
        inspect_client_complain(arguments->socket, r, arguments->json);
        return STATUS_FAILED;
    }
    g_autofree char *headings = listing_headings(listing);
    bool table = listing->format == FORMAT_TEXT || listing->format == FORMAT_WIDE;
    struct listing_watcher follower = {
        .listing = listing,
        .table = table ? table_new(headings) : NULL,
        .known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
        .headings = !arguments->no_headings,
    };
    int status = read_and_wait(&follower, link, arguments, ns);
    g_hash_table_unref(follower.known);
    if (table)
        table_free(follower.table);
    return status;
}
