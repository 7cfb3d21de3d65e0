/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Programs that make life hard for a module: `stress COMMAND NAME ...`. Each looks NAME up through
 * glibc (hosts line from STRESS_HOSTS) while it forks, jumps out, closes descriptors, runs out of
 * them or is cancelled, and exits 0 if every lookup gave what it had to. With STRESS_MAPPED the
 * daemon's snapshot must then be mapped, and once only.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "guest.h"

#define THREADS 8
#define MIN_STACK (PTHREAD_STACK_MIN + 16384)

typedef enum nss_status lookup_function(const char *, int, struct hostent *, char *, size_t, int *,
                                        int *);

static const char *name; /* what is looked up; set once at start */
static atomic_bool stop;
static atomic_int found, failed, wrong;

static bool lookup(void)
{
    return guest_lookup(name, AF_INET) > 0;
}

static void *lookup_until_stopped(void *data)
{
    (void)data;
    while (!stop) {
        int n = guest_lookup(name, AF_INET);

        if (n > 0)
            found++;
        else if (n == EAI_NONAME || n == EAI_AGAIN || n == EAI_NODATA)
            failed++;
        else
            wrong++;
    }
    return NULL;
}

static void threads_start(pthread_t threads[THREADS], void *(*run)(void *))
{
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, run, NULL) == 0);
}

static void threads_join(pthread_t threads[THREADS])
{
    stop = true;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* threads NAME: eight threads resolve until stdin ends; prints how often it was found and not. */
static void command_threads(char **arguments)
{
    pthread_t threads[THREADS];
    int descriptors = guest_descriptors();
    char byte;

    (void)arguments;
    threads_start(threads, lookup_until_stopped);
    printf("started\n");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    threads_join(threads);
    printf("{\"found\": %d, \"failed\": %d, \"wrong\": %d}\n", found, failed, wrong);
    CHECK(guest_descriptors() == descriptors);
}

/* short-threads NAME TIMES: threads that end after one lookup. */
static void *lookup_once(void *data)
{
    (void)data;
    return lookup() ? NULL : (void *)-1;
}

static void command_short_threads(char **arguments)
{
    int descriptors = guest_descriptors();

    for (int i = atoi(arguments[0]); i > 0; i--) {
        pthread_t thread;
        void *result;

        CHECK(pthread_create(&thread, NULL, lookup_once, NULL) == 0);
        CHECK(pthread_join(thread, &result) == 0 && !result);
    }
    CHECK(guest_descriptors() == descriptors);
}

/* crowd NAME THREADS: that many lookups at the same time. */
static pthread_barrier_t gathered;

static void *lookup_in_a_crowd(void *data)
{
    pthread_barrier_wait(&gathered);
    for (int i = 0; i < 20; i++)
        if (!lookup())
            wrong++;
    return data;
}

static void command_crowd(char **arguments)
{
    int n = atoi(arguments[0]), descriptors = guest_descriptors();
    pthread_t *threads = calloc((size_t)n, sizeof(*threads));
    pthread_attr_t attributes;

    CHECK(threads != NULL);
    CHECK(lookup() && lookup()); /* maps the snapshot of a daemon that has one */
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, 256 << 10) == 0);
    CHECK(pthread_barrier_init(&gathered, NULL, (unsigned)n) == 0);
    for (int i = 0; i < n; i++)
        CHECK(pthread_create(&threads[i], &attributes, lookup_in_a_crowd, NULL) == 0);
    for (int i = 0; i < n; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    free(threads);
    CHECK(wrong == 0);
    CHECK(guest_descriptors() == descriptors);
}

/* Where lookups are broken off, glibc is left out: its own lock around resolv.conf stays locked in
 * a child that was forked meanwhile, or behind a jump. The module has none. */
static lookup_function *module_lookup;

static void module_open(void)
{
    void *handle = dlopen("libnss_kubesvc.so.2", RTLD_NOW);

    CHECK(handle != NULL);
    module_lookup = (lookup_function *)dlsym(handle, "_nss_kubesvc_gethostbyname2_r");
    CHECK(module_lookup != NULL);
}

static bool lookup_directly(void)
{
    struct hostent host;
    char buffer[1024];
    int error, host_error;

    return module_lookup(name, AF_INET, &host, buffer, sizeof(buffer), &error, &host_error) ==
           NSS_STATUS_SUCCESS;
}

static void *lookup_directly_until_stopped(void *data)
{
    (void)data;
    while (!stop) {
        if (lookup_directly())
            found++;
        else
            wrong++;
    }
    return NULL;
}

/* forks NAME TIMES: children that resolve, of a parent whose threads do. */
static void command_forks(char **arguments)
{
    pthread_t threads[THREADS];

    module_open();
    threads_start(threads, lookup_directly_until_stopped);
    for (int i = atoi(arguments[0]); i > 0; i--) {
        pid_t child = fork();
        int status;

        CHECK(child >= 0);
        if (child == 0) {
            alarm(20); /* a lock that no thread holds any more would hang us */
            _exit(lookup_directly() ? 0 : 1);
        }
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    threads_join(threads);
    CHECK(wrong == 0 && found > 0);
}

/* execs NAME TIMES: no descriptor of a lookup gets through exec. */
static void command_execs(char **arguments)
{
    pthread_t threads[THREADS];

    threads_start(threads, lookup_until_stopped);
    for (int i = atoi(arguments[0]); i > 0; i--) {
        pid_t child = fork();
        int status;

        CHECK(child >= 0);
        if (child == 0) {
            execl("/proc/self/exe", "stress", "descriptors", "3", NULL);
            _exit(2);
        }
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    threads_join(threads);
    CHECK(wrong == 0 && found > 0);
}

/* jumps NAME TIMES: out of a lookup by alarm and longjmp, as old ping does. Nothing is left open.
 */
static sigjmp_buf jump;

static int cancel_state(void)
{
    int state;

    CHECK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state) == 0);
    return state;
}

static void jump_out(int number)
{
    (void)number;
    siglongjmp(jump, 1);
}

static void command_jumps(char **arguments)
{
    const struct sigaction action = {.sa_handler = jump_out};
    volatile int jumped = 0, times = atoi(arguments[0]);

    module_open();
    int descriptors = guest_descriptors();
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    while (times-- > 0) {
        struct itimerval timer = {.it_value.tv_usec = 50 + times % 40 * 10};

        if (sigsetjmp(jump, 1) != 0) {
            jumped++;
            continue;
        }
        CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
        for (;;)
            lookup_directly();
    }
    CHECK(jumped == atoi(arguments[0]));
    CHECK(cancel_state() == PTHREAD_CANCEL_ENABLE);
    CHECK(guest_descriptors() == descriptors);
    CHECK(lookup());
}

/* alarm NAME: jumps out of a lookup that waits; its time is printed in milliseconds. */
static void command_alarm(char **arguments)
{
    const struct sigaction action = {.sa_handler = jump_out};
    const struct itimerval timer = {.it_value.tv_usec = 20000};
    struct timespec start, end;
    sigset_t before = {0}, after = {0}; /* the system sets part of it */

    (void)arguments;
    module_open();
    int descriptors = guest_descriptors();
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(sigprocmask(SIG_SETMASK, NULL, &before) == 0);
    clock_gettime(CLOCK_MONOTONIC_RAW, &start);
    if (sigsetjmp(jump, 1) == 0) {
        CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
        lookup_directly();
        _exit(2); /* the alarm jumps out of the lookup */
    }
    clock_gettime(CLOCK_MONOTONIC_RAW, &end);
    CHECK(sigprocmask(SIG_SETMASK, NULL, &after) == 0);
    CHECK(memcmp(&before, &after, sizeof(before)) == 0);
    CHECK(cancel_state() == PTHREAD_CANCEL_ENABLE);
    CHECK(guest_descriptors() == descriptors);
    printf("%ld\n", (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000);
}

/* blocked NAME: a signal that the program has blocked itself stays so, and breaks nothing off. */
static void command_blocked(char **arguments)
{
    sigset_t set, pending;

    (void)arguments;
    module_open();
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    CHECK(raise(SIGUSR1) == 0);
    CHECK(lookup_directly());
    CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1) == 1);
}

/* cancels NAME TIMES: threads cancelled in the middle of a lookup. */
static void *lookup_until_cancelled(void *data)
{
    (void)data;
    for (;;) {
        lookup_directly();
        pthread_testcancel();
    }
    return NULL;
}

static void command_cancels(char **arguments)
{
    module_open();
    int descriptors = guest_descriptors();

    for (int i = atoi(arguments[0]); i > 0; i--) {
        struct timespec pause = {.tv_nsec = i % 50 * 20000};
        pthread_t thread;
        void *result;

        CHECK(pthread_create(&thread, NULL, lookup_until_cancelled, NULL) == 0);
        nanosleep(&pause, NULL);
        CHECK(pthread_cancel(thread) == 0);
        CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
    }
    CHECK(guest_descriptors() == descriptors);
    CHECK(lookup());
}

/* signals NAME TIMES: a handler without SA_RESTART a thousand times a second. */
static atomic_int signals;

static void count_signal(int number)
{
    (void)number;
    signals++;
}

static void command_signals(char **arguments)
{
    const struct sigaction action = {.sa_handler = count_signal};
    const struct itimerval timer = {{.tv_usec = 1000}, {.tv_usec = 1000}};
    const struct itimerval none = {{0}, {0}};
    struct hostent host, *result;
    char buffer[1024];
    int error;

    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    for (int i = atoi(arguments[0]); i > 0; i--) {
        CHECK(gethostbyname2_r(name, AF_INET, &host, buffer, sizeof(buffer), &result, &error) ==
                  0 &&
              result);
    }
    CHECK(setitimer(ITIMER_REAL, &none, NULL) == 0);
    CHECK(signals > 0);
}

/* closed NAME: a program without standard descriptors; the daemon's side looks at it meanwhile. */
static void command_closed(char **arguments)
{
    (void)arguments;
    for (int fd = 0; fd < 3; fd++)
        close(fd);
    bool ok = lookup();

    for (int fd = 0; fd < 3; fd++)
        ok = ok && fcntl(fd, F_GETFD) < 0 && errno == EBADF;
    _exit(ok ? 0 : 1);
}

/* closing NAME TIMES: everything above 2 is closed between lookups, and numbers are used again. */
static void command_closing(char **arguments)
{
    for (int i = atoi(arguments[0]); i > 0; i--) {
        int ends[2];
        char byte = 0;

        CHECK(lookup());
        for (int fd = 3; fd < 1024; fd++)
            close(fd);
        CHECK(pipe(ends) == 0 && ends[0] == 3 && ends[1] == 4);
        CHECK(lookup());
        CHECK(write(ends[1], "x", 1) == 1 && read(ends[0], &byte, 1) == 1 && byte == 'x');
    }
}

/* exhausted NAME: no descriptor left, from none at all to one too few; then enough again. */
static void command_exhausted(char **arguments)
{
    struct rlimit limit, before;
    int descriptors = guest_descriptors();

    (void)arguments;
    CHECK(lookup()); /* loads the module */
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    for (int free = -descriptors; free < 1; free++) {
        limit = before;
        limit.rlim_cur = (rlim_t)(descriptors + free);
        CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        CHECK(guest_lookup(name, AF_INET) == EAI_AGAIN);
    }
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(lookup());
    for (int fd = 0; fd < 3; fd++) /* now a low number is free, and none above */
        close(fd);
    limit.rlim_cur = 3;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    _exit(guest_lookup(name, AF_INET) == EAI_AGAIN ? 0 : 1);
}

/* small-stack NAME */
static void command_small_stack(char **arguments)
{
    pthread_attr_t attributes;
    pthread_t thread;
    void *result;

    (void)arguments;
    CHECK(lookup()); /* loading the module takes the dynamic linker more than this stack */
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, (size_t)MIN_STACK) == 0);
    CHECK(pthread_create(&thread, &attributes, lookup_once, NULL) == 0);
    CHECK(pthread_join(thread, &result) == 0 && !result);
}

/* broken-pipe NAME TIMES: whatever the daemon does, SIGPIPE would end us; no descriptor leaks. */
static void command_broken_pipe(char **arguments)
{
    CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    CHECK(!lookup());
    int descriptors = guest_descriptors();

    for (int i = atoi(arguments[0]); i > 0; i--)
        CHECK(!lookup());
    CHECK(guest_descriptors() == descriptors);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(char **);
    } commands[] = {
        {"threads", command_threads},
        {"short-threads", command_short_threads},
        {"crowd", command_crowd},
        {"forks", command_forks},
        {"execs", command_execs},
        {"jumps", command_jumps},
        {"alarm", command_alarm},
        {"blocked", command_blocked},
        {"cancels", command_cancels},
        {"signals", command_signals},
        {"closed", command_closed},
        {"closing", command_closing},
        {"exhausted", command_exhausted},
        {"small-stack", command_small_stack},
        {"broken-pipe", command_broken_pipe},
    };
    const char *hosts = getenv("STRESS_HOSTS");

    CHECK(argc >= 3);
    if (strcmp(argv[1], "descriptors") == 0)
        return guest_descriptors() == atoi(argv[2]) ? 0 : 1;
    name = argv[2];
    guest_configure(hosts ? hosts : "kubesvc");
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            commands[i].run(argv + 3);
            CHECK(!getenv("STRESS_MAPPED") || guest_mappings() == 1);
            return 0;
        }
    }
    return 2;
}
