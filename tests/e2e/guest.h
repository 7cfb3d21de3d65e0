/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the test clients share: the hosts line they resolve by, the clock of the module, and what a
 * module must leave alone in the program that it is a guest of.
 */
#pragma once

#include <dirent.h>
#include <dlfcn.h>
#include <locale.h>
#include <netdb.h>
#include <nss.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* glibc exports it and declares it nowhere. */
int __nss_configure_lookup(const char *database, const char *line);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s: not so: %s\n", __FILE__, __LINE__, __func__, #condition);  \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

/* The module measures its deadlines with a program's clock_gettime, if the program has one. With
 * $GUEST_CLOCK, CLOCK_MONOTONIC is that many times slower here, and the result of a test does not
 * depend on when a busy machine lets the daemon run. */
typedef int guest_clock_function(clockid_t, struct timespec *);

static guest_clock_function *guest_real_clock;
static long long guest_slowness = 1;

__attribute__((constructor)) static void guest_set_clock(void)
{
    const char *slowness = getenv("GUEST_CLOCK");

    guest_real_clock = (guest_clock_function *)dlsym(RTLD_NEXT, "clock_gettime");
    CHECK(guest_real_clock != NULL);
    if (slowness)
        guest_slowness = atoll(slowness);
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int r = guest_real_clock(clock, time);

    if (r == 0 && clock == CLOCK_MONOTONIC) {
        long long ns = (time->tv_sec * 1000000000LL + time->tv_nsec) / guest_slowness;

        time->tv_sec = (time_t)(ns / 1000000000);
        time->tv_nsec = (long)(ns % 1000000000);
    }
    return r;
}

struct guest_state {
    int descriptors;
    sigset_t blocked;
    struct sigaction actions[65];
    char locale[256];
    mode_t umask;
};

static inline void guest_configure(const char *line)
{
    CHECK(__nss_configure_lookup("hosts", line) == 0);
}

/* Open descriptors, without the one that counts them. */
static inline int guest_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int n = 0;

    CHECK(directory != NULL);
    while (readdir(directory))
        n++;
    closedir(directory);
    return n - 3;
}

/* How often a snapshot of the daemon's is mapped. */
static inline int guest_mappings(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    int n = 0;

    CHECK(maps != NULL);
    while (fgets(line, sizeof(line), maps))
        n += strstr(line, "memfd:") != NULL;
    fclose(maps);
    return n;
}

static inline void guest_observe(struct guest_state *state)
{
    memset(state, 0, sizeof(*state));
    state->descriptors = guest_descriptors();
    CHECK(sigprocmask(SIG_SETMASK, NULL, &state->blocked) == 0);
    for (int i = 1; i <= 64; i++)
        (void)sigaction(i, NULL, &state->actions[i]); /* two of them are the threads library's */
    snprintf(state->locale, sizeof(state->locale), "%s", setlocale(LC_ALL, NULL));
    state->umask = umask(0);
    umask(state->umask);
}

/* NULL if nothing has changed. */
static inline const char *guest_difference(const struct guest_state *before,
                                           const struct guest_state *now)
{
    if (before->descriptors != now->descriptors)
        return "open descriptors";
    if (memcmp(&before->blocked, &now->blocked, sizeof(before->blocked)) != 0)
        return "blocked signals";
    for (int i = 1; i <= 64; i++) {
        if (before->actions[i].sa_handler != now->actions[i].sa_handler)
            return "signal handlers";
    }
    if (strcmp(before->locale, now->locale) != 0)
        return "locale";
    return before->umask != now->umask ? "umask" : NULL;
}

/* The number of addresses that getaddrinfo finds, or its error, which is negative. */
static inline int guest_lookup(const char *name, int family)
{
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(name, NULL, &hints, &found);
    int n = 0;

    if (error)
        return error;
    for (const struct addrinfo *i = found; i; i = i->ai_next)
        n++;
    freeaddrinfo(found);
    return n;
}
