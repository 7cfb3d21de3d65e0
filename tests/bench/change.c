/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Times changes: `change TEMPLATE FILE NAME COUNT RATE`. Puts TEMPLATE, with another address for
 * "@" each time, in the place of FILE by rename, and asks for NAME until it has that address: COUNT
 * times, some 20 ms apart, printing the microseconds from each rename to the answer. With a RATE
 * (changes a second, not 0) only the last change is asked for. "%d" in FILE and NAME and "#" in
 * TEMPLATE go round from 0 to 99; printed are the microseconds of the last change and of all until
 * then.
 */
#include <stdbool.h>

#include "ask.h"

#define FILES 100

struct event {
    char *text; /* of the template */
    const char *file, *name;
};

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;

    CHECK(file != NULL && getdelim(&text, &size, '\0', file) > 0);
    fclose(file);
    return text;
}

static void write_file(const struct event *change, const char *path, const char *address,
                       unsigned number)
{
    FILE *file = fopen(path, "we");

    CHECK(file != NULL);
    for (const char *c = change->text; *c; c++) {
        if (*c == '@')
            fputs(address, file);
        else if (*c == '#')
            fprintf(file, "%u", number);
        else
            fputc(*c, file);
    }
    CHECK(fclose(file) == 0);
}

static void number_into(char *text, size_t size, const char *pattern, unsigned number)
{
    const char *mark = strstr(pattern, "%d");

    if (mark)
        snprintf(text, size, "%.*s%u%s", (int)(mark - pattern), pattern, number, mark + 2);
    else
        snprintf(text, size, "%s", pattern);
}

/* Puts change number i in place; returns when that was. */
static uint64_t put(const struct event *change, unsigned i, struct in_addr *address)
{
    char path[4096], hidden[4112], text[INET_ADDRSTRLEN];

    address->s_addr = htonl(0x7fc90000u + i % 50000 + 1);
    inet_ntop(AF_INET, address, text, sizeof(text));
    number_into(path, sizeof(path), change->file, i % FILES);
    snprintf(hidden, sizeof(hidden), "%s.tmp", path);
    write_file(change, hidden, text, i % FILES);
    uint64_t at = now();
    CHECK(rename(hidden, path) == 0);
    return at;
}

/* Asks until it is there; returns when that was. */
static uint64_t wait_for(const struct event *change, unsigned i, const struct in_addr *address)
{
    char name[256];
    uint64_t start = now();

    number_into(name, sizeof(name), change->name, i % FILES);
    for (;;) {
        uint32_t first = 0;
        if (ask_name(name, AF_INET, &first) > 0 && first == address->s_addr)
            return now();
        CHECK(now() - start < UINT64_C(60000000000));
        usleep(50); /* the daemon needs a processor as well */
    }
}

static void one_by_one(const struct event *change, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct in_addr address;
        usleep(15000 + (i * 7919) % 10000);
        uint64_t at = put(change, i, &address);
        printf("%.1f\n", (double)(wait_for(change, i, &address) - at) / 1000);
    }
}

static void sleep_until(uint64_t at)
{
    struct timespec time = {(time_t)(at / 1000000000), (long)(at % 1000000000)};

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static void at_a_rate(const struct event *change, unsigned count, unsigned rate)
{
    struct in_addr address = {0};
    uint64_t start = now(), last = 0;

    for (unsigned i = 0; i < count; i++) {
        sleep_until(start + (uint64_t)i * 1000000000 / rate);
        last = put(change, i, &address);
    }
    printf("%.1f\n", (double)(wait_for(change, count - 1, &address) - last) / 1000);
    printf("%.1f\n", (double)(last - start) / 1000);
}

int main(int argc, char **argv)
{
    CHECK(argc == 6);
    struct event change = {read_file(argv[1]), argv[2], argv[3]};
    unsigned count = (unsigned)atoi(argv[4]), rate = (unsigned)atoi(argv[5]);

    CHECK(__nss_configure_lookup("hosts", "kubesvc") == 0);
    if (rate > 0)
        at_a_rate(&change, count, rate);
    else
        one_by_one(&change, count);
    free(change.text);
    return 0;
}
