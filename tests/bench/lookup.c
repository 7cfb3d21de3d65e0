/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Times lookups: `lookup HOSTS-LINE` ("-": what /etc/nsswitch.conf says, which is the only way
 * that asks nscd). Each line of stdin is a run, "THREADS COUNT EXPECTED QUESTION [PAUSE]": a name,
 * or an address that is asked for its name, or "!" and a name for a whole process of getent, or "?"
 * and a name for the first lookup of a process, without its start, or "#N:PREFIX#SUFFIX" for
 * a name with a random number below N in it; EXPECTED is the number of addresses to be found (1 for
 * what is not getaddrinfo). COUNT is for each thread; with 0 they ask until the next line. After
 * each lookup they pause for PAUSE microseconds. The answer to a run is a line "SAMPLES WRONG
 * NANOSECONDS" (of the whole run) and so many native uint32_t, the nanoseconds of each lookup.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "ask.h"

#define THREADS_MAX 64

enum kind { NAME, ADDRESS, PROCESS, FIRST, RANDOM };

struct run {
    unsigned n_threads, count, pause;
    int expected;
    enum kind kind;
    char query[256];
};

struct worker {
    pthread_t thread;
    uint32_t *samples;
    size_t n, size;
    unsigned wrong;
};

static struct run run;
static const char *hosts; /* NULL: as configured */
static atomic_bool stop;
static pthread_barrier_t barrier;

static void add_sample(struct worker *worker, uint64_t nanoseconds)
{
    if (worker->n == worker->size) {
        worker->size = worker->size > 0 ? worker->size * 2 : 65536;
        worker->samples = realloc(worker->samples, worker->size * sizeof(uint32_t));
        CHECK(worker->samples != NULL);
    }
    worker->samples[worker->n++] = nanoseconds < UINT32_MAX ? (uint32_t)nanoseconds : UINT32_MAX;
}

/* 1 if getent finds it. */
static int ask_process(char *name)
{
    char service[300];
    char *const as_configured[] = {"getent", "ahosts", name, NULL};
    char *const by_service[] = {"getent", "-s", service, "ahosts", name, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status;

    snprintf(service, sizeof(service), "hosts:%s", hosts ? hosts : "");
    CHECK(posix_spawn_file_actions_init(&actions) == 0);
    CHECK(posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) == 0);
    CHECK(posix_spawnp(&pid, "getent", &actions, NULL, hosts ? by_service : as_configured,
                       environ) == 0);
    CHECK(waitpid(pid, &status, 0) == pid);
    posix_spawn_file_actions_destroy(&actions);
    return status == 0;
}

/* By a child that has looked up nothing yet, in a process where the module is loaded already. Until
 * it knows a daemon better, a process asks over the socket. */
static int ask_first(uint64_t *nanoseconds)
{
    uint64_t result[2] = {0};
    int ends[2];

    CHECK(pipe(ends) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        uint64_t start = now();
        result[1] = (uint64_t)ask_name(run.query + 1, AF_UNSPEC, NULL);
        result[0] = now() - start;
        _exit(write(ends[1], result, sizeof(result)) == sizeof(result) ? 0 : 1);
    }
    CHECK(read(ends[0], result, sizeof(result)) == sizeof(result));
    close(ends[0]);
    close(ends[1]);
    CHECK(waitpid(pid, NULL, 0) == pid);
    *nanoseconds = result[0];
    return (int)result[1];
}

/* What is to be asked now, in `text` unless it is always the same. */
static const char *query(char *text, size_t size, uint64_t *seed)
{
    char *rest;

    if (run.kind != RANDOM)
        return run.query;
    /* Knuth's MMIX generator: the upper bits are random enough for this. */
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    unsigned long n = strtoul(run.query + 1, &rest, 10);
    char *prefix = rest + 1, *hole = strchr(prefix, '#');

    CHECK(n > 0 && *rest == ':' && hole);
    snprintf(text, size, "%.*s%lu%s", (int)(hole - prefix), prefix,
             (unsigned long)(*seed >> 33) % n, hole + 1);
    return text;
}

static int ask(const char *asked)
{
    switch (run.kind) {
    case ADDRESS: return ask_address(asked);
    case PROCESS: return ask_process(run.query + 1);
    case NAME:
    case RANDOM:
    case FIRST: break;
    }
    return ask_name(asked, AF_UNSPEC, NULL);
}

static void *work(void *data)
{
    struct worker *worker = data;
    uint64_t seed = (uintptr_t)worker + now();
    char text[300];

    pthread_barrier_wait(&barrier);
    for (unsigned i = 0; run.count > 0 ? i < run.count : !stop; i++) {
        const char *asked = query(text, sizeof(text), &seed);
        uint64_t start = now(), nanoseconds = 0;
        int n = run.kind == FIRST ? ask_first(&nanoseconds) : ask(asked);
        add_sample(worker, run.kind == FIRST ? nanoseconds : now() - start);
        worker->wrong += n != run.expected;
        if (run.pause > 0)
            usleep(run.pause);
    }
    return NULL;
}

static void report(struct worker *workers, uint64_t nanoseconds)
{
    size_t n = 0;
    unsigned wrong = 0;

    for (unsigned i = 0; i < run.n_threads; i++) {
        n += workers[i].n;
        wrong += workers[i].wrong;
    }
    printf("%zu %u %llu\n", n, wrong, (unsigned long long)nanoseconds);
    for (unsigned i = 0; i < run.n_threads; i++) {
        CHECK(fwrite(workers[i].samples, sizeof(uint32_t), workers[i].n, stdout) == workers[i].n);
        free(workers[i].samples);
    }
    fflush(stdout);
}

/* Returns whether there is another line in `line` already. */
static bool do_run(char *line, int size)
{
    struct worker workers[THREADS_MAX] = {0};
    bool more = false;

    stop = false;
    CHECK(pthread_barrier_init(&barrier, NULL, run.n_threads + 1) == 0);
    for (unsigned i = 0; i < run.n_threads; i++)
        CHECK(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
    pthread_barrier_wait(&barrier);
    uint64_t start = now();
    if (run.count == 0) {
        more = fgets(line, size, stdin) != NULL && line[0] != '\n';
        stop = true;
    }
    for (unsigned i = 0; i < run.n_threads; i++)
        pthread_join(workers[i].thread, NULL);
    report(workers, now() - start);
    pthread_barrier_destroy(&barrier);
    return more;
}

int main(int argc, char **argv)
{
    char line[512];
    bool more;

    CHECK(argc == 2);
    if (strcmp(argv[1], "-") != 0) {
        hosts = argv[1];
        CHECK(__nss_configure_lookup("hosts", hosts) == 0);
    }
    (void)dlopen("libnss_kubesvc.so.2", RTLD_NOW);
    more = fgets(line, sizeof(line), stdin) != NULL;
    while (more) {
        struct in_addr address;
        run.pause = 0;
        CHECK(sscanf(line, "%u %u %d %255s %u", &run.n_threads, &run.count, &run.expected,
                     run.query, &run.pause) >= 4);
        CHECK(run.n_threads > 0 && run.n_threads <= THREADS_MAX);
        run.kind = run.query[0] == '!'                            ? PROCESS
                   : run.query[0] == '?'                          ? FIRST
                   : run.query[0] == '#'                          ? RANDOM
                   : inet_pton(AF_INET, run.query, &address) == 1 ? ADDRESS
                                                                  : NAME;
        more = do_run(line, sizeof(line)) || fgets(line, sizeof(line), stdin) != NULL;
    }
    return 0;
}
