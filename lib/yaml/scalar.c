/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The implicit types of YAML 1.1 as sigs.k8s.io/yaml resolves them (rule 96), which is what kubectl
 * sends: null, booleans from y to off, integers of four bases with underscores in them, floats (080
 * is one, because it is not a valid octal number). 80 and 80.0 are the same, as JSON has only one
 * kind of number. Sexagesimal numbers and timestamps stay strings, as there.
 */
#include "scalar.h"

#include <float.h>
#include <glib.h>
#include <math.h>
#include <string.h>

#define NUMBER_MAX 512u /* bytes; what is longer is a string */

/* Is the text the word (which is in small letters) in small letters, in capitals, or with a capital
 * at its beginning? */
static bool spells(const char *text, const char *word)
{
    bool capitals;

    if ((*text | 0x20) != *word)
        return false;
    capitals = g_ascii_isupper(text[0]) && g_ascii_isupper(text[1]);
    while (*word && g_ascii_tolower(*++text) == *++word) {
        if (*word && (bool)g_ascii_isupper(*text) != capitals)
            return false;
    }
    return *word == '\0' && *text == '\0';
}

static unsigned take_base(const char **text)
{
    const char *at = *text;
    char letter;

    if (at[0] != '0')
        return 10;
    letter = at[1] != '\0' && at[2] != '\0' ? (char)(at[1] | 0x20) : '\0';
    if (letter != 'b' && letter != 'o' && letter != 'x')
        return 8;
    *text = at + 2;
    return letter == 'b' ? 2 : letter == 'o' ? 8 : 16;
}

/* False also if it does not fit: an int64_t with a sign, a uint64_t without one. */
static bool read_integer(const char *text, int64_t *value)
{
    bool negative = *text == '-', is_signed = negative || *text == '+';
    uint64_t result = 0, most = is_signed ? (uint64_t)INT64_MAX + negative : UINT64_MAX;
    unsigned base;

    text += is_signed;
    if (*text == '\0')
        return false;
    for (base = take_base(&text); *text; text++) {
        unsigned digit = (unsigned)g_ascii_xdigit_value(*text); /* none: beyond any base */

        if (digit >= base || result > (most - digit) / base)
            return false;
        result = result * base + digit;
    }
    *value = (int64_t)MIN(result, (uint64_t)INT64_MAX);
    if (negative)
        *value = result > INT64_MAX ? INT64_MIN : -*value;
    return true;
}

static size_t count_digits(const char *text)
{
    return strspn(text, "0123456789");
}

static bool is_float(const char *text)
{
    size_t before, after = 0;

    text += *text == '-' || *text == '+';
    before = count_digits(text);
    text += before;
    if (*text == '.') {
        after = count_digits(++text);
        text += after;
    }
    if (before + after == 0)
        return false;
    if (*text == 'e' || *text == 'E') {
        text++;
        text += *text == '-' || *text == '+';
        if (count_digits(text) == 0)
            return false;
        text += count_digits(text);
    }
    return *text == '\0';
}

/* Underscores may be anywhere, but in a number that begins with a point only between digits. */
static bool strip_underscores(const char *text, char plain[NUMBER_MAX])
{
    size_t n = 0;

    for (size_t i = 0; text[i]; i++) {
        bool between = i > 0 && g_ascii_isdigit(text[i - 1]) && g_ascii_isdigit(text[i + 1]);

        if (text[i] != '_')
            plain[n++] = text[i];
        else if (text[0] == '.' && !between)
            return false;
    }
    plain[n] = '\0';
    return true;
}

static int64_t clamp(double real)
{
    if (real >= 0x1p63)
        return INT64_MAX;
    return real < -0x1p63 ? INT64_MIN : (int64_t)real;
}

/* Without libm: compilers may or may not emit a call for trunc(). */
static bool is_whole(double real)
{
    return fabs(real) >= 0x1p53 || (double)(int64_t)real == real;
}

/* In small letters, in capitals, or as it is usually written. */
static bool is_nan(const char *text)
{
    return strcmp(text, "nan") == 0 || strcmp(text, "NaN") == 0 || strcmp(text, "NAN") == 0;
}

static bool is_special(const char *text)
{
    bool has_sign = *text == '-' || *text == '+';

    text += has_sign;
    return *text == '.' && (spells(text + 1, "inf") || (!has_sign && is_nan(text + 1)));
}

static void read_number(const char *text, struct scalar *scalar)
{
    char stripped[NUMBER_MAX];
    const char *plain = text, *point = strchr(text, '.');

    if (point && strchr(point + 1, '.')) /* an address, say */
        return;
    if (is_special(text)) {
        scalar->type = SCALAR_FLOAT;
        return;
    }
    if (strchr(text, '_')) {
        if (!strip_underscores(text, stripped))
            return;
        plain = stripped;
    }
    if (*text != '.' && read_integer(plain, &scalar->integer)) {
        scalar->type = SCALAR_INTEGER;
        return;
    }
    if (!is_float(plain))
        return;
    scalar->real = g_ascii_strtod(plain, NULL);
    if (isinf(scalar->real))
        return;
    scalar->floating = true;
    scalar->integer = clamp(scalar->real);
    scalar->type = is_whole(scalar->real) ? SCALAR_INTEGER : SCALAR_FLOAT;
}

static void read_word(const char *text, struct scalar *scalar)
{
    static const struct {
        const char *word;
        enum scalar_type type;
        bool boolean;
    } words[] = {
        {"null", SCALAR_NULL, false}, {"y", SCALAR_BOOL, true},      {"yes", SCALAR_BOOL, true},
        {"true", SCALAR_BOOL, true},  {"on", SCALAR_BOOL, true},     {"n", SCALAR_BOOL, false},
        {"no", SCALAR_BOOL, false},   {"false", SCALAR_BOOL, false}, {"off", SCALAR_BOOL, false},
    };

    if (*text == '\0' || strcmp(text, "~") == 0)
        scalar->type = SCALAR_NULL;
    for (size_t i = 0; scalar->type == SCALAR_STRING && i < G_N_ELEMENTS(words); i++) {
        if (!spells(text, words[i].word))
            continue;
        scalar->type = words[i].type;
        scalar->boolean = words[i].boolean;
    }
}

/* Most texts can be told by their first character to be strings. */
static bool begins_number(char c)
{
    return g_ascii_isdigit(c) || c == '+' || c == '-' || c == '.';
}

static bool may_be_word(const char *text, size_t length)
{
    return length <= strlen("false") && strchr("~nNyYtTfFoO", *text); /* or "" */
}

/* `text` has no NULs in it. */
static struct scalar resolve(const char *text, size_t length)
{
    struct scalar scalar = {.type = SCALAR_STRING};

    if (begins_number(*text)) {
        if (length < NUMBER_MAX)
            read_number(text, &scalar);
    } else if (may_be_word(text, length)) {
        read_word(text, &scalar);
    }
    return scalar;
}

struct scalar scalar_read(const struct yaml_node *node)
{
    if (!node->plain || node->omitted)
        return (struct scalar){.type = SCALAR_STRING};
    return resolve(node->text, node->length);
}

bool scalar_is_text(const struct yaml_node *node)
{
    if (!node->plain || node->omitted)
        return strlen(node->text) == node->length;
    return !(begins_number(*node->text) || may_be_word(node->text, node->length)) ||
           scalar_read(node).type == SCALAR_STRING;
}

static void format_digits(float real, char conversion, int digits, char text[SCALAR_KEY_MAX])
{
    char format[] = "%.NNNe";

    g_snprintf(format, sizeof format, "%%.%d%c", digits, conversion);
    g_ascii_formatd(text, SCALAR_KEY_MAX, format, (double)real);
}

/* The shortest decimal that is this number in single precision, as Go's strconv.FormatFloat writes
 * it for keys. */
static void format_float(float real, char text[SCALAR_KEY_MAX])
{
    int digits = 0, exponent; /* digits after the first */

    format_digits(real, 'e', digits, text);
    while ((float)g_ascii_strtod(text, NULL) != real && digits < FLT_DECIMAL_DIG - 1)
        format_digits(real, 'e', ++digits, text);
    exponent = (int)g_ascii_strtoll(strchr(text, 'e') + 1, NULL, 10);
    if (exponent >= -4 && exponent < 6)
        format_digits(real, 'f', MAX(digits - exponent, 0), text);
}

bool scalar_key(const char *text, size_t length, char key[SCALAR_KEY_MAX])
{
    char copy[NUMBER_MAX];
    struct scalar scalar;

    if (length == 0 || length >= sizeof copy ||
        (!begins_number(*text) && !may_be_word(text, length)) || memchr(text, '\0', length))
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    scalar = resolve(copy, length);
    if (scalar.type == SCALAR_BOOL)
        g_strlcpy(key, scalar.boolean ? "true" : "false", SCALAR_KEY_MAX);
    else if (scalar.floating && fabs(scalar.real) <= (double)FLT_MAX)
        format_float((float)scalar.real, key);
    else if (scalar.type == SCALAR_INTEGER && !scalar.floating)
        g_snprintf(key, SCALAR_KEY_MAX, "%" G_GINT64_FORMAT, scalar.integer);
    else
        return false;
    return true;
}
