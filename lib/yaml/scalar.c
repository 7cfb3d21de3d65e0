/*
 * The implicit types of YAML 1.1 as Kubernetes sees them (rule 96): null, booleans
 * with yes, no, on and off, integers of four bases, floats. Sexagesimal numbers and timestamps stay
 * strings, as they do there; so do y and n, which YAML 1.1 calls booleans and which people mean as
 * names.
 */
#include "scalar.h"

#include <string.h>

static bool listed(const struct node *node, const char *const list[])
{
    for (; *list; list++) {
        if (strcmp(node->text, *list) == 0)
            return true;
    }
    return false;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

static bool read_integer(const char *text, int64_t *value)
{
    bool negative = *text == '-', any = false;
    int64_t result = 0;
    int base = 10;

    if (*text == '-' || *text == '+')
        text++;
    if (text[0] == '0' && text[1] != '\0') {
        char letter = text[1];

        base = letter == 'x' ? 16 : letter == 'b' ? 2 : 8;
        text += letter == 'x' || letter == 'b' || letter == 'o' ? 2 : 1;
    }
    for (; *text; text++) {
        int digit = digit_value(*text);

        if (*text == '_' && any)
            continue;
        if (digit >= base)
            return false;
        any = true;
        result = result > (INT64_MAX - digit) / base ? INT64_MAX : result * base + digit;
    }
    *value = negative ? -result : result;
    return any;
}

static bool is_float(const char *text)
{
    static const char *const special[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN", NULL};
    bool digits = false;

    if (*text == '-' || *text == '+')
        text++;
    for (const char *const *name = special; *name; name++) {
        if (strcmp(text, *name) == 0)
            return true;
    }
    for (; *text >= '0' && *text <= '9'; text++)
        digits = true;
    if (*text == '.') {
        for (text++; *text >= '0' && *text <= '9'; text++)
            digits = true;
    }
    if (digits && (*text == 'e' || *text == 'E')) {
        text++;
        if (*text == '-' || *text == '+')
            text++;
        for (digits = false; *text >= '0' && *text <= '9'; text++)
            digits = true;
    }
    return digits && *text == '\0';
}

struct scalar scalar_read(const struct node *node)
{
    static const char *const null[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const yes[] = {"true", "True", "TRUE", "yes", "Yes",
                                      "YES",  "on",   "On",   "ON",  NULL};
    static const char *const no[] = {"false", "False", "FALSE", "no",  "No",
                                     "NO",    "off",   "Off",   "OFF", NULL};
    struct scalar scalar = {.type = SCALAR_STRING};

    if (!node->plain || strlen(node->text) != node->length)
        return scalar;
    if (strchr("+-.0123456789", node->text[0]) && node->length > 0) {
        if (read_integer(node->text, &scalar.integer))
            scalar.type = SCALAR_INTEGER;
        else if (is_float(node->text))
            scalar.type = SCALAR_FLOAT;
    } else if (node->length <= 5) {
        scalar.boolean = listed(node, yes);
        if (scalar.boolean || listed(node, no))
            scalar.type = SCALAR_BOOL;
        else if (listed(node, null))
            scalar.type = SCALAR_NULL;
    }
    return scalar;
}
