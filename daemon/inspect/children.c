/*
 * Children: forked, counted, watched until they end. What a child may use is limited from outside
 * (time, processor), because it works for anybody who can connect. Limits that the daemon's own
 * sandbox does not let it set are done without: the alarm is always there.
 */
#include "children.h"

#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/util/child.h"
#include "lib/util/log.h"

#define CHILDREN_MAX 4u
#define CHILDREN_USER_MAX 2u
#define CHILD_SECONDS 30u     /* in all */
#define CHILD_CPU_SECONDS 20u /* of processor time */

struct child {
    struct children *children;
    uid_t uid;
    pid_t pid;
    sd_event_source *source;
};

struct children {
    sd_event *event;
    GPtrArray *running; /* struct child * */
    void (*ended)(void *userdata);
    void *userdata;
};

static void child_free(void *data)
{
    struct child *child = data;

    sd_event_source_disable_unref(child->source);
    g_free(child);
}

struct children *children_new(sd_event *event, void (*ended)(void *userdata), void *userdata)
{
    struct children *children = g_new(struct children, 1);

    *children = (struct children){
        .event = sd_event_ref(event),
        .running = g_ptr_array_new_with_free_func(child_free),
        .ended = ended,
        .userdata = userdata,
    };
    return children;
}

struct children *children_free(struct children *children)
{
    if (!children)
        return NULL;
    for (guint i = 0; i < children->running->len; i++) {
        const struct child *child = children->running->pdata[i];

        (void)kill(child->pid, SIGKILL);
    }
    g_ptr_array_unref(children->running);
    sd_event_unref(children->event);
    g_free(children);
    return NULL;
}

/* A child that is killed because it is slow, or by its user, is no news; one that fails is. */
static int on_end(sd_event_source *source, const siginfo_t *info, void *userdata)
{
    struct child *child = userdata;
    struct children *children = child->children;

    (void)source;
    if (info->si_code == CLD_DUMPED || (info->si_code == CLD_EXITED && info->si_status != 0) ||
        (info->si_code == CLD_KILLED && info->si_status == SIGSYS))
        log_warning("a report could not be finished: %s %d",
                    info->si_code == CLD_EXITED ? "status" : "signal", info->si_status);
    g_ptr_array_remove_fast(children->running, child);
    children->ended(children->userdata);
    return 0;
}

static bool is_busy(const struct children *children, uid_t uid)
{
    unsigned of_user = 0;

    for (guint i = 0; i < children->running->len; i++)
        of_user += ((const struct child *)children->running->pdata[i])->uid == uid;
    return children->running->len >= CHILDREN_MAX || of_user >= CHILDREN_USER_MAX;
}

/* The daemon's signals and patience are not the child's. */
static void limit_child(int fd)
{
    const struct rlimit limit = {CHILD_CPU_SECONDS, CHILD_CPU_SECONDS};
    sigset_t none;

    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)alarm(CHILD_SECONDS);
    (void)setrlimit(RLIMIT_CPU, &limit);
    (void)fcntl(fd, F_SETFL, 0);
}

enum children_forked children_fork(struct children *children, uid_t uid, int fd)
{
    struct child *child;
    int r;

    if (is_busy(children, uid))
        return CHILDREN_BUSY;
    child = g_new(struct child, 1);
    *child = (struct child){.children = children, .uid = uid, .pid = child_fork(fd)};
    if (child->pid == 0) {
        limit_child(fd);
        return CHILDREN_CHILD;
    }
    if (child->pid < 0) {
        log_warning("cannot fork for a report: %s", g_strerror(-child->pid));
        g_free(child);
        return CHILDREN_BUSY;
    }
    r = sd_event_add_child(children->event, &child->source, child->pid, WEXITED, on_end, child);
    if (r < 0) { /* it may write, but nobody would count it */
        log_warning("cannot watch a report: %s", g_strerror(-r));
        (void)kill(child->pid, SIGKILL);
        g_free(child);
        return CHILDREN_PARENT;
    }
    g_ptr_array_add(children->running, child);
    return CHILDREN_PARENT;
}
