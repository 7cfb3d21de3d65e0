/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A decimal number and a suffix: of 1000, of 1024, or an exponent. As a floating-point number,
 * which holds whole ones up to 2^53 exactly: 8 PiB.
 */
#include "quantity.h"

#include <glib.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

static const struct {
    const char *suffix;
    double factor;
} suffixes[] = {
    {"", 1},        {"n", 1e-9},    {"u", 1e-6},    {"m", 1e-3},    {"k", 1e3},     {"M", 1e6},
    {"G", 1e9},     {"T", 1e12},    {"P", 1e15},    {"E", 1e18},    {"Ki", 0x1p10}, {"Mi", 0x1p20},
    {"Gi", 0x1p30}, {"Ti", 0x1p40}, {"Pi", 0x1p50}, {"Ei", 0x1p60},
};

bool quantity_parse(const char *text, double *value)
{
    const char *digits = text + (*text == '+' || *text == '-');
    size_t length = strspn(digits, "0123456789."), factor;
    g_autofree char *number = g_strndup(text, (gsize)(digits - text) + length);
    const char *suffix = digits + length;
    if (!strpbrk(number, "0123456789") || (strchr(number, '.') != strrchr(number, '.')))
        return false;
    *value = g_ascii_strtod(number, NULL);
    for (factor = 0; factor < G_N_ELEMENTS(suffixes); factor++)
        if (strcmp(suffix, suffixes[factor].suffix) == 0) {
            *value *= suffixes[factor].factor;
            return true;
        }
    char *end;
    bool exponent = (*suffix == 'e' || *suffix == 'E') && suffix[1] != '\0';
    gint64 power = exponent ? g_ascii_strtoll(suffix + 1, &end, 10) : 0;
    if (!exponent || *end != '\0' || g_ascii_isspace(suffix[1]) || power < -18 || power > 18)
        return false;
    *value *= pow(10, (double)power);
    return true;
}
