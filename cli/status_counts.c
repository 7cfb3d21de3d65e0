/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers for people: rounded, with a unit, and only those that are not 0 where there are many.
 */
#include "status_counts.h"

#include "print_fields.h"
#include "value.h"

static char *duration(int64_t seconds)
{
    int64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
    if (days > 0)
        return g_strdup_printf("%" G_GINT64_FORMAT "d %" G_GINT64_FORMAT "h", days, hours % 24);
    if (hours > 0)
        return g_strdup_printf("%" G_GINT64_FORMAT "h %" G_GINT64_FORMAT "min", hours,
                               minutes % 60);
    if (minutes > 0)
        return g_strdup_printf("%" G_GINT64_FORMAT "min %" G_GINT64_FORMAT "s", minutes,
                               seconds % 60);
    return g_strdup_printf("%" G_GINT64_FORMAT "s", seconds);
}

void status_print_uptime(yajl_val status)
{
    g_autofree char *text = duration(value_number(status, "uptimeSeconds"));
    field("Running for", text);
}

static void print_leases(yajl_val status)
{
    for (size_t i = 0; i < value_length(status, "leases"); i++) {
        yajl_val leases = value_element(status, "leases", i);
        int64_t held = value_number(leases, "held"), size = value_number(leases, "size");
        g_autofree char *text =
            g_strdup_printf("%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " given to %s", held, size,
                            value_text_or(leases, "use", ""));
        field_styled(i == 0 ? "Addresses" : "", text,
                     size > 0 && held >= size ? STYLE_BAD : STYLE_PLAIN);
    }
}

static void print_snapshot(yajl_val status)
{
    yajl_val snapshot = value_get(status, "snapshot");
    g_autofree char *age = duration(value_number(snapshot, "ageSeconds"));
    g_autofree char *bytes =
        g_format_size_full((guint64)value_number(snapshot, "bytes"), G_FORMAT_SIZE_IEC_UNITS);
    /* It parts number and unit by a blank that does not break. */
    g_auto(GStrv) parts = g_strsplit(bytes, "\u00a0", 2);
    g_autofree char *records = text_plural(value_number(snapshot, "records"), "record");
    field_format("Snapshot", "%s in %s%s%s, published %s ago", records, parts[0],
                 parts[1] ? " " : "", parts[1] ? parts[1] : "", age);
}

static void print_questions(yajl_val status)
{
    static const char *const keys[][2] = {
        {"found", "found"},        {"noData", "without such an address"},
        {"notFound", "not found"}, {"notOurs", "not ours"},
        {"tryAgain", "try again"}, {"refused", "refused"},
    };
    yajl_val questions = value_get(status, "questions");
    g_autoptr(GString) text = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        int64_t n = value_number(questions, keys[i][0]);
        if (n > 0)
            g_string_append_printf(text, "%s%" G_GINT64_FORMAT " %s", text->len > 0 ? ", " : ": ",
                                   n, keys[i][1]);
    }
    field_format("Questions", "%" G_GINT64_FORMAT "%s", value_number(questions, "total"),
                 text->str);
}

/* The smallest limit below which `share` percent of the answers were, 0 if none is. */
static int64_t quantile(yajl_val status, int64_t total, int64_t share)
{
    int64_t below = 0;
    for (size_t i = 0; i < value_length(status, "latencyMicroseconds"); i++) {
        yajl_val bucket = value_element(status, "latencyMicroseconds", i);
        below += value_number(bucket, "count");
        if (below * 100 >= total * share)
            return value_number(bucket, "le");
    }
    return 0;
}

static void print_latency(yajl_val status)
{
    int64_t total = 0;
    for (size_t i = 0; i < value_length(status, "latencyMicroseconds"); i++)
        total += value_number(value_element(status, "latencyMicroseconds", i), "count");
    if (total == 0)
        return;
    g_autoptr(GString) text = g_string_new(NULL);
    static const int64_t shares[] = {50, 99};
    for (size_t i = 0; i < G_N_ELEMENTS(shares); i++) {
        int64_t limit = quantile(status, total, shares[i]);
        if (limit > 0)
            g_string_append_printf(text, "%s%" G_GINT64_FORMAT "%% within %g ms",
                                   text->len > 0 ? ", " : "", shares[i], (double)limit / 1000);
    }
    field("Answered", text->str);
}

void status_print_counts(yajl_val status)
{
    print_leases(status);
    print_snapshot(status);
    print_questions(status);
    print_latency(status);
}
