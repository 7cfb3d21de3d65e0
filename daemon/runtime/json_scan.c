/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * By recursion, which `begin` limits. The C library finds the ends of texts, and what is in them is
 * examined by eight bytes, because most of a file is one text that is not needed.
 */
#include "json_scan.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS (ONES << 7)

struct scan {
    const char *at, *end;
    const struct json_events *events;
    void *userdata;
    char unescaped[JSON_ESCAPED_MAX];
};

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\t' || *scan->at == '\r'))
        scan->at++;
}

/* Is this the next character? Then it is taken. */
static bool comes(struct scan *scan, char c)
{
    skip_space(scan);
    if (scan->at == scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}

/* --- Texts --- */

/* How many bytes are neither beyond ASCII nor control characters, but for a few. */
static size_t plain_length(const char *bytes, size_t size)
{
    size_t length = 0;

    for (uint64_t word; length + sizeof word <= size; length += sizeof word) {
        memcpy(&word, bytes + length, sizeof word);
        if (((word | (word - ONES * ' ')) & HIGHS) != 0)
            break;
    }
    return length;
}

static bool is_valid(const char *bytes, size_t size)
{
    size_t plain = plain_length(bytes, size);

    for (size_t i = plain; i < size; i++)
        if ((unsigned char)bytes[i] < ' ')
            return false;
    return g_utf8_validate_len(bytes + plain, size - plain, NULL);
}

/* The quote that ends the text which begins at `at`; NULL: there is none. */
static const char *end_of_text(const char *at, const char *end, bool *escaped)
{
    const char *quote = memchr(at, '"', (size_t)(end - at));
    const char *slash;

    while (quote && (slash = memchr(at, '\\', (size_t)(quote - at)))) {
        *escaped = true;
        at = slash + 2;
        if (at > quote)
            quote = memchr(at, '"', (size_t)(end - at));
    }
    return quote;
}

/* Four hexadecimal digits; negative: they are not. */
static int32_t hex(const char *at, const char *end)
{
    int32_t value = 0;

    if (end - at < 4)
        return -1;
    for (unsigned i = 0; i < 4; i++) {
        int digit = g_ascii_xdigit_value(at[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* What a backslash before `at` stands for. Returns what follows; NULL: nothing. */
static const char *unescape_one(const char *at, const char *end, char utf8[static 6], size_t *size)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *found = memchr(from, *at, sizeof from - 1);
    int32_t c, low;

    if (found) {
        utf8[0] = to[found - from];
        *size = 1;
        return at + 1;
    }
    if (*at != 'u' || (c = hex(at + 1, end)) < 0)
        return NULL;
    at += 5;
    bool is_high = (c & 0xfc00) == 0xd800 && end - at >= 2 && at[0] == '\\' && at[1] == 'u';
    low = is_high ? hex(at + 2, end) : -1;
    if ((low & 0xfc00) == 0xdc00) {
        c = 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ff);
        at += 6;
    } else if ((c & 0xf800) == 0xd800) {
        c = 0xfffd;
    }
    *size = (size_t)g_unichar_to_utf8((gunichar)c, utf8);
    return at;
}

/* False: something is no escape. */
static bool unescape(struct scan *scan, const char *at, const char *end, size_t *lengthp)
{
    size_t length = 0;
    bool fits = true;

    while (at < end) {
        char utf8[6] = {*at};
        size_t size = 1;
        at = *at == '\\' ? unescape_one(at + 1, end, utf8, &size) : at + 1;
        if (!at)
            return false;
        fits = fits && size <= sizeof scan->unescaped - length;
        if (fits)
            memcpy(scan->unescaped + length, utf8, size);
        length += size;
    }
    *lengthp = fits ? length : 0;
    return true;
}

static bool take_text(struct scan *scan,
                      void (*event)(void *userdata, const char *text, size_t length))
{
    const char *text = scan->at;
    bool escaped = false;
    const char *quote = end_of_text(text, scan->end, &escaped);
    size_t length = quote ? (size_t)(quote - text) : 0;

    if (!quote || !is_valid(text, length))
        return false;
    scan->at = quote + 1;
    if (escaped && !unescape(scan, text, quote, &length))
        return false;
    event(scan->userdata, escaped ? scan->unescaped : text, length);
    return true;
}

/* --- The rest --- */

static bool take_word(struct scan *scan, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, word, length) != 0)
        return false;
    scan->at += length;
    return true;
}

static bool take_digits(struct scan *scan)
{
    const char *start = scan->at;

    while (scan->at < scan->end && g_ascii_isdigit(*scan->at))
        scan->at++;
    return scan->at > start;
}

static bool take_one_of(struct scan *scan, const char *characters)
{
    if (scan->at == scan->end || *scan->at == '\0' || !strchr(characters, *scan->at))
        return false;
    scan->at++;
    return true;
}

static bool take_number(struct scan *scan)
{
    (void)take_one_of(scan, "-");
    if (!take_one_of(scan, "0") && !take_digits(scan))
        return false;
    if (take_one_of(scan, ".") && !take_digits(scan))
        return false;
    if (take_one_of(scan, "eE")) {
        (void)take_one_of(scan, "+-");
        if (!take_digits(scan))
            return false;
    }
    scan->events->number(scan->userdata);
    return true;
}

static bool take_value(struct scan *scan);

static bool take_key(struct scan *scan)
{
    return comes(scan, '"') && take_text(scan, scan->events->key) && comes(scan, ':');
}

/* An object, whose values have keys, or a list. */
static bool take_group(struct scan *scan, bool has_keys, char close)
{
    if (!scan->events->begin(scan->userdata))
        return false;
    if (!comes(scan, close)) {
        do {
            if ((has_keys && !take_key(scan)) || !take_value(scan))
                return false;
        } while (comes(scan, ','));
        if (!comes(scan, close))
            return false;
    }
    scan->events->end(scan->userdata);
    return true;
}

static bool take_value(struct scan *scan)
{
    if (comes(scan, '"'))
        return take_text(scan, scan->events->text);
    if (comes(scan, '{'))
        return take_group(scan, true, '}');
    if (comes(scan, '['))
        return take_group(scan, false, ']');
    return take_word(scan, "null") || take_word(scan, "true") || take_word(scan, "false") ||
           take_number(scan);
}

bool json_scan(const char *text, size_t length, const struct json_events *events, void *userdata)
{
    struct scan scan;

    scan.at = text;
    scan.end = text + length;
    scan.events = events;
    scan.userdata = userdata;
    if (!take_value(&scan))
        return false;
    skip_space(&scan);
    return scan.at == scan.end;
}
