/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls the module's functions as glibc would, without glibc in between: `direct MODULE COMMAND
 * ...`. So a test can hand in what glibc never does: every length and alignment of buffer, odd
 * families, poisoned results; and can see every system call of a lookup, because there are no
 * others.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "guest.h"

typedef enum nss_status name4_function(const char *, struct gaih_addrtuple **, char *, size_t,
                                       int *, int *, int32_t *);
typedef enum nss_status name3_function(const char *, int, struct hostent *, char *, size_t, int *,
                                       int *, int32_t *, char **);
typedef enum nss_status name2_function(const char *, int, struct hostent *, char *, size_t, int *,
                                       int *);
typedef enum nss_status name_function(const char *, struct hostent *, char *, size_t, int *, int *);
typedef enum nss_status addr2_function(const void *, socklen_t, int, struct hostent *, char *,
                                       size_t, int *, int *, int32_t *);
typedef enum nss_status addr_function(const void *, socklen_t, int, struct hostent *, char *,
                                      size_t, int *, int *);

static struct {
    name4_function *name4;
    name3_function *name3;
    name2_function *name2;
    name_function *name;
    addr2_function *addr2;
    addr_function *addr;
} module;

static void *symbol(void *handle, const char *name)
{
    void *found = dlsym(handle, name);

    CHECK(found != NULL);
    return found;
}

static void module_open(const char *path)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    if (!handle) {
        fprintf(stderr, "%s\n", dlerror());
        _exit(1);
    }
    module.name4 = (name4_function *)symbol(handle, "_nss_kubesvc_gethostbyname4_r");
    module.name3 = (name3_function *)symbol(handle, "_nss_kubesvc_gethostbyname3_r");
    module.name2 = (name2_function *)symbol(handle, "_nss_kubesvc_gethostbyname2_r");
    module.name = (name_function *)symbol(handle, "_nss_kubesvc_gethostbyname_r");
    module.addr2 = (addr2_function *)symbol(handle, "_nss_kubesvc_gethostbyaddr2_r");
    module.addr = (addr_function *)symbol(handle, "_nss_kubesvc_gethostbyaddr_r");
}

enum form { NAME4, NAME3_INET, NAME3_INET6, NAME2_INET, NAME2_INET6, NAME_INET, ADDR, FORMS };

struct call {
    enum form form;
    const char *name;
    uint8_t address[4];
    enum nss_status status;
    int error;
    int host_error;
    struct hostent host;
    struct gaih_addrtuple *tuples;
    int32_t ttl;
    char *canonical;
};

static void call_run(struct call *call, char *buffer, size_t size)
{
    const char *name = call->name;

    call->error = 0;
    call->host_error = -2;
    call->tuples = NULL;
    switch (call->form) {
    case NAME4:
        call->status = module.name4(name, &call->tuples, buffer, size, &call->error,
                                    &call->host_error, &call->ttl);
        break;
    case NAME3_INET:
    case NAME3_INET6:
        call->status =
            module.name3(name, call->form == NAME3_INET ? AF_INET : AF_INET6, &call->host, buffer,
                         size, &call->error, &call->host_error, &call->ttl, &call->canonical);
        break;
    case NAME2_INET:
    case NAME2_INET6:
        call->status = module.name2(name, call->form == NAME2_INET ? AF_INET : AF_INET6,
                                    &call->host, buffer, size, &call->error, &call->host_error);
        break;
    case NAME_INET:
        call->status =
            module.name(name, &call->host, buffer, size, &call->error, &call->host_error);
        break;
    default:
        call->status = module.addr2(call->address, 4, AF_INET, &call->host, buffer, size,
                                    &call->error, &call->host_error, &call->ttl);
        break;
    }
}

static void check_inside(const void *part, size_t part_size, const char *buffer, size_t size)
{
    const char *start = part;

    CHECK(start >= buffer && (size_t)(start - buffer) + part_size <= size);
}

static void check_aligned(const void *pointer, size_t alignment)
{
    CHECK((uintptr_t)pointer % alignment == 0);
}

/* Reads everything that an answer points to, and finds it inside the buffer. */
static size_t check_host(const struct hostent *host, const char *buffer, size_t size)
{
    size_t n = 0;

    check_inside(host->h_name, strlen(host->h_name) + 1, buffer, size);
    check_aligned(host->h_aliases, sizeof(char *));
    check_aligned(host->h_addr_list, sizeof(char *));
    for (char **alias = host->h_aliases;; alias++) {
        check_inside(alias, sizeof(*alias), buffer, size);
        if (!*alias)
            break;
        check_inside(*alias, strlen(*alias) + 1, buffer, size);
    }
    for (char **address = host->h_addr_list;; address++, n++) {
        check_inside(address, sizeof(*address), buffer, size);
        if (!*address)
            break;
        check_inside(*address, (size_t)host->h_length, buffer, size);
        check_aligned(*address, 4);
    }
    return n;
}

static size_t check_tuples(const struct gaih_addrtuple *tuple, const char *buffer, size_t size)
{
    size_t n = 0;

    for (; tuple; tuple = tuple->next, n++) {
        check_inside(tuple, sizeof(*tuple), buffer, size);
        check_aligned(tuple, _Alignof(struct gaih_addrtuple));
        check_inside(tuple->name, strlen(tuple->name) + 1, buffer, size);
        CHECK(tuple->scopeid == 0 && (tuple->family == AF_INET || tuple->family == AF_INET6));
    }
    return n;
}

/* Calls with `size` bytes at `buffer`; true if they were enough. */
static bool try_size(struct call *call, char *buffer, size_t size, size_t expected)
{
    call_run(call, buffer, size);
    if (call->status == NSS_STATUS_TRYAGAIN) {
        CHECK(call->error == ERANGE && call->host_error == NETDB_INTERNAL);
        return false;
    }
    CHECK(call->status == NSS_STATUS_SUCCESS && call->host_error == NETDB_SUCCESS);
    size_t n = call->form == NAME4 ? check_tuples(call->tuples, buffer, size)
                                   : check_host(&call->host, buffer, size);

    CHECK(n == expected && n > 0);
    return true;
}

/* Every length from 0 until a good deal more than enough, the end of the buffer at the end of the
 * mapped memory, so that its start has every alignment; then every offset with a canary behind. */
static void every_length(struct call *call, size_t expected)
{
    static const char canary[16] = "0123456789abcdef";
    size_t page = (size_t)sysconf(_SC_PAGESIZE), area = 64 * page, need = 0;
    char *memory =
        mmap(NULL, area + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(memory != MAP_FAILED && mprotect(memory + area, page, PROT_NONE) == 0);
    char *end = memory + area;

    for (size_t enough = 0, size = 0; enough < 48; size++) {
        CHECK(size < area);
        memcpy(end - size - sizeof(canary), canary, sizeof(canary));
        bool fits = try_size(call, end - size, size, expected);

        CHECK(memcmp(end - size - sizeof(canary), canary, sizeof(canary)) == 0);
        if ((uintptr_t)(end - size) % 16 == 0 && fits && !need)
            need = size; /* within 15 bytes */
        CHECK(fits || !need);
        enough += need != 0;
    }
    for (size_t offset = 0; offset < 16; offset++) {
        for (size_t size = need > 40 ? need - 40 : 0; size < need + 24; size++) {
            char *buffer = memory + offset;

            memset(memory, 0x5a, need + 256);
            memcpy(buffer + size, canary, sizeof(canary));
            try_size(call, buffer, size, expected);
            CHECK(memcmp(buffer + size, canary, sizeof(canary)) == 0);
            for (size_t i = 0; i < offset; i++)
                CHECK(memory[i] == 0x5a);
        }
    }
    munmap(memory, area + page);
}

/* buffers NAME INET-COUNT INET6-COUNT ADDRESS */
static int command_buffers(char **arguments)
{
    size_t inet = (size_t)atoi(arguments[1]), inet6 = (size_t)atoi(arguments[2]);
    const size_t expected[FORMS] = {inet + inet6, inet, inet6, inet, inet6, inet, 1};

    for (enum form form = 0; form < FORMS; form++) {
        struct call call = {.form = form, .name = arguments[0]};

        CHECK(inet_pton(AF_INET, arguments[3], call.address) == 1);
        if (expected[form])
            every_length(&call, expected[form]);
        call_run(&call, NULL, 0);
        CHECK(!expected[form] || (call.status == NSS_STATUS_TRYAGAIN && call.error == ERANGE &&
                                  call.host_error == NETDB_INTERNAL));
    }
    return 0;
}

struct expectation {
    enum nss_status status;
    int error;
    int host_error;
};

/* The same whether errnop is errno or not, and whatever was in errno and h_errno before. */
static void expect(const char *name, int family, struct expectation expected)
{
    static const int poisons[] = {NETDB_INTERNAL, NETDB_SUCCESS, HOST_NOT_FOUND,
                                  TRY_AGAIN,      NO_RECOVERY,   NO_DATA};
    char buffer[1024];
    struct hostent host;

    for (size_t i = 0; i < sizeof(poisons) / sizeof(*poisons); i++) {
        int host_error = poisons[i], error = ERANGE;

        errno = EBADMSG;
        CHECK(module.name2(name, family, &host, buffer, sizeof(buffer), &error, &host_error) ==
              expected.status);
        CHECK(errno == EBADMSG && host_error == expected.host_error);
        CHECK(error == (expected.error ? expected.error : ERANGE));

        h_errno = poisons[i];
        errno = EBADMSG;
        CHECK(module.name2(name, family, &host, buffer, sizeof(buffer), &errno, &h_errno) ==
              expected.status);
        CHECK(errno == (expected.error ? expected.error : EBADMSG));
        CHECK(h_errno == expected.host_error);
    }
}

/* expect NAME FAMILY STATUS ERRNO H_ERRNO ... */
static int command_expect(char **arguments)
{
    for (; *arguments; arguments += 5) {
        struct expectation expected = {(enum nss_status)atoi(arguments[2]), atoi(arguments[3]),
                                       atoi(arguments[4])};

        expect(arguments[0], atoi(arguments[1]), expected);
    }
    return 0;
}

/* arguments NAME ADDRESS: optional parameters, and what only a wrong caller hands in. */
static int command_arguments(char **arguments)
{
    char buffer[2048], *canonical = NULL;
    struct hostent host, again;
    struct gaih_addrtuple own = {0}, *first = &own;
    int error = 0, host_error = 0;
    int32_t ttl = 77;
    uint8_t address[16];
    const char *name = arguments[0];

    CHECK(inet_pton(AF_INET, arguments[1], address) == 1);
    CHECK(module.name4(name, &first, buffer, sizeof(buffer), &error, &host_error, &ttl) ==
          NSS_STATUS_SUCCESS);
    CHECK(first == &own && own.name && own.family == AF_INET && ttl == 0);
    CHECK(check_tuples(own.next, buffer, sizeof(buffer)) > 0);
    first = NULL;
    CHECK(module.name4(name, &first, buffer, sizeof(buffer), &error, &host_error, NULL) ==
          NSS_STATUS_SUCCESS);
    CHECK(first && strcmp(first->name, own.name) == 0);

    ttl = 77;
    CHECK(module.name3(name, AF_INET, &host, buffer, sizeof(buffer), &error, &host_error, &ttl,
                       &canonical) == NSS_STATUS_SUCCESS);
    CHECK(ttl == 0 && canonical && strcmp(canonical, host.h_name) == 0);
    CHECK(module.name3(name, AF_UNSPEC, &host, buffer, sizeof(buffer), &error, &host_error, NULL,
                       NULL) == NSS_STATUS_SUCCESS);
    CHECK(host.h_addrtype == AF_INET);

    ttl = 77;
    CHECK(module.addr2(address, 4, AF_INET, &host, buffer, sizeof(buffer), &error, &host_error,
                       &ttl) == NSS_STATUS_SUCCESS);
    CHECK(ttl == 0 && host.h_length == 4 && memcmp(host.h_addr_list[0], address, 4) == 0);
    CHECK(module.addr(address, 4, AF_INET, &again, buffer, sizeof(buffer), &error, &host_error) ==
          NSS_STATUS_SUCCESS);
    CHECK(!again.h_aliases[0] && !again.h_addr_list[1]);

    /* The caller gets back the address that it asked for, mapped or not. */
    memmove(address + 12, address, 4);
    memset(address, 0, 10);
    memset(address + 10, 0xff, 2);
    CHECK(module.addr(address, 16, AF_INET6, &host, buffer, sizeof(buffer), &error, &host_error) ==
          NSS_STATUS_SUCCESS);
    CHECK(host.h_addrtype == AF_INET6 && host.h_length == 16);
    CHECK(memcmp(host.h_addr_list[0], address, 16) == 0);

    CHECK(module.addr(address, 4, AF_INET6, &host, buffer, sizeof(buffer), &error, &host_error) ==
          NSS_STATUS_UNAVAIL);
    CHECK(error == EINVAL && host_error == NO_RECOVERY);
    CHECK(module.addr(address, 16, AF_INET, &host, buffer, sizeof(buffer), &error, &host_error) ==
          NSS_STATUS_UNAVAIL);
    CHECK(module.addr(address, 6, AF_PACKET, &host, buffer, sizeof(buffer), &error, &host_error) ==
          NSS_STATUS_UNAVAIL);
    CHECK(error == EAFNOSUPPORT && host_error == NO_DATA);
    return 0;
}

/* trace NAME...: asks for each name, between two system calls that no lookup makes. */
static int command_trace(char **arguments)
{
    for (; *arguments; arguments++) {
        struct call call = {.form = NAME4, .name = *arguments};
        char buffer[2048];

        syscall(SYS_getppid);
        call_run(&call, buffer, sizeof(buffer));
        syscall(SYS_getpgid, 0);
    }
    return 0;
}

#define ALLOW(name)                                                                                \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1),                                         \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* What a sandbox that knows glibc's nscd client allows, and signals to be blocked; `verdict` on all
 * else. */
static void sandbox_enter(unsigned verdict)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(socket),
        ALLOW(connect),
        ALLOW(sendto),
#ifdef SYS_poll
        ALLOW(poll),
#else
        ALLOW(ppoll),
#endif
        ALLOW(read),
        ALLOW(recvmsg),
        ALLOW(mmap),
        ALLOW(close),
        ALLOW(rt_sigprocmask),
        ALLOW(exit_group),
        BPF_STMT(BPF_RET | BPF_K, verdict),
    };
    struct sock_fprog program = {sizeof(filter) / sizeof(*filter), filter};

    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/* sandbox NAME: found although anything unusual is death. */
static int command_sandbox(char **arguments)
{
    struct call call = {.form = NAME4, .name = arguments[0]};
    static char buffer[4096];

    sandbox_enter(SECCOMP_RET_KILL_PROCESS);
    call_run(&call, buffer, sizeof(buffer));
    _exit(call.status == NSS_STATUS_SUCCESS ? 0 : 1);
}

/* From now on this system call fails with EPERM. */
static void refuse(const char *name)
{
    static const struct {
        const char *name;
        unsigned number;
    } calls[] = {
        {"socket", SYS_socket},   {"connect", SYS_connect},       {"fcntl", SYS_fcntl},
        {"recvmsg", SYS_recvmsg}, {"lseek", SYS_lseek},           {"mmap", SYS_mmap},
        {"madvise", SYS_madvise}, {"setsockopt", SYS_setsockopt},
    };
    size_t i = 0;

    while (strcmp(calls[i].name, name) != 0)
        CHECK(++i < sizeof(calls) / sizeof(*calls));
    unsigned number = calls[i].number;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(filter) / sizeof(*filter), filter};

    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/* refused NAME CALL: there is no way to the daemon. */
static int command_refused(char **arguments)
{
    struct call call = {.form = NAME4, .name = arguments[0]};
    static char buffer[4096];

    refuse(arguments[1]);
    call_run(&call, buffer, sizeof(buffer));
    CHECK(call.status == NSS_STATUS_UNAVAIL && call.host_error == NO_RECOVERY);
    return 0;
}

/* No address space for anything more. */
static void fill_address_space(void)
{
    struct rlimit limit = {0};

    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

/* No descriptor but one. */
static void leave_one_descriptor(void)
{
    int lowest = dup(0);
    struct rlimit limit = {(rlim_t)lowest + 1, (rlim_t)lowest + 1};

    CHECK(lowest > 2);
    close(lowest);
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

/* All that is mapped from now on must be in memory, and may not. */
static void lock_memory(void)
{
    struct rlimit limit = {65536, 65536};
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};

    CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
    CHECK(syscall(SYS_capset, &header, none) == 0);
    CHECK(mlockall(MCL_FUTURE) == 0);
}

/* hindered NAME HOW: three lookups of a process that can map nothing, or not know what it maps. */
static int command_hindered(char **arguments)
{
    static char buffer[4096];

    if (strcmp(arguments[1], "memory") == 0)
        fill_address_space();
    else if (strcmp(arguments[1], "descriptors") == 0)
        leave_one_descriptor();
    else if (strcmp(arguments[1], "locked") == 0)
        lock_memory();
    else
        refuse(arguments[1]);
    for (int i = 0; i < 3; i++) {
        struct call call = {.form = NAME4, .name = arguments[0]};

        errno = EBADMSG;
        call_run(&call, buffer, sizeof(buffer));
        CHECK(call.status == NSS_STATUS_SUCCESS && errno == EBADMSG);
    }
    return 0;
}

/* severed NAME OUTSIDE: a process that has the snapshot mapped and can then reach no socket, as in
 * a chroot. Between two lookups of NAME one of OUTSIDE, whose result is printed; stdin says when.
 */
static int command_severed(char **arguments)
{
    struct call inside = {.form = NAME4, .name = arguments[0]}, outside = {.form = NAME4};
    char buffer[4096];

    outside.name = arguments[1];
    for (int i = 0; i < 2; i++)
        call_run(&inside, buffer, sizeof(buffer));
    CHECK(inside.status == NSS_STATUS_SUCCESS && guest_mappings() == 1);
    refuse("socket");
    while (getchar() != EOF) {
        call_run(&outside, buffer, sizeof(buffer));
        call_run(&inside, buffer, sizeof(buffer));
        printf("%d %d %d\n", inside.status, outside.status, outside.host_error);
        fflush(stdout);
    }
    return 0;
}

/* exhausted NAME: what the functions themselves say without a descriptor to be had. */
static int command_exhausted(char **arguments)
{
    struct rlimit limit = {3, 3};

    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    expect(arguments[0], AF_INET, (struct expectation){NSS_STATUS_TRYAGAIN, EAGAIN, TRY_AGAIN});
    close(0); /* now there is one, and none above the standard descriptors */
    expect(arguments[0], AF_INET, (struct expectation){NSS_STATUS_TRYAGAIN, EAGAIN, TRY_AGAIN});
    return 0;
}

/* status NAME: prints the status, for a program that runs with other privileges. */
static int command_status(char **arguments)
{
    struct call call = {.form = NAME2_INET, .name = arguments[0]};
    char buffer[2048];

    call_run(&call, buffer, sizeof(buffer));
    printf("%d\n", call.status);
    fflush(stdout);
    _exit(0); /* a leak checker cannot look at a program with privileges */
}

/* reopen NAME TIMES: the module stays mapped while handles come and go. */
static int command_reopen(const char *path, char **arguments)
{
    for (int i = atoi(arguments[1]); i > 0; i--) {
        struct call call = {.form = NAME4, .name = arguments[0]};
        char buffer[2048];
        void *handle = dlopen(path, RTLD_NOW);

        CHECK(handle != NULL);
        call_run(&call, buffer, sizeof(buffer));
        CHECK(call.status == NSS_STATUS_SUCCESS);
        dlclose(handle);
        dlclose(handle); /* the one of module_open as well, the first time */
        handle = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
        CHECK(handle != NULL);
    }
    CHECK(guest_mappings() <= 1);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(char **);
    } commands[] = {
        {"buffers", command_buffers},     {"expect", command_expect},
        {"arguments", command_arguments}, {"trace", command_trace},
        {"sandbox", command_sandbox},     {"refused", command_refused},
        {"status", command_status},       {"exhausted", command_exhausted},
        {"hindered", command_hindered},   {"severed", command_severed},
    };

    CHECK(argc >= 4);
    module_open(argv[1]);
    if (strcmp(argv[2], "reopen") == 0)
        return command_reopen(argv[1], argv + 3);
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        if (strcmp(argv[2], commands[i].name) == 0)
            return commands[i].run(argv + 3);
    }
    return 2;
}
