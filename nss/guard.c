/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signals are usually blocked for 40 us. If the daemon does not answer at once, a lookup may take
 * 250 ms, or 30 seconds if the daemon asks for more time; an alarm or Ctrl-C must not be delayed
 * that long. So a waiting lookup checks every GUARD_MS milliseconds for a pending signal; if there
 * is one, it hangs up, lets the signal be delivered while nothing is open, and asks again, against
 * the same deadline.
 *
 * The alternatives are worse. Letting handlers run while a descriptor is open, and remembering it
 * to close it the next time, would close whatever the program has opened under that number since.
 * Aborting lookups on a signal would make them fail in every program with a profiler.
 *
 * Signals that the thread raises itself are not blocked: blocked, they would kill the program
 * without running its handler, and a sandbox answers system calls with SIGSYS. glibc itself never
 * blocks the two that it reserves.
 */
#include "guard.h"

#include <pthread.h>
#include <stddef.h>

static const int synchronous[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};

void guard_enter(struct guard *guard)
{
    sigset_t blocked;

    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof(synchronous) / sizeof(synchronous[0]); i++)
        sigdelset(&blocked, synchronous[i]);
    /* The same as pthread_sigmask, which moved between libraries in glibc 2.32. It fails only in a
     * sandbox that refuses it; then the program gets what it asked for. */
    guard->blocks = sigprocmask(SIG_BLOCK, &blocked, &guard->before) == 0;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &guard->cancel_state);
}

void guard_leave(const struct guard *guard)
{
    int disabled;

    pthread_setcancelstate(guard->cancel_state, &disabled);
    if (guard->blocks)
        sigprocmask(SIG_SETMASK, &guard->before, NULL);
}

bool guard_is_urged(const struct guard *guard)
{
    sigset_t pending;

    if (!guard->blocks || sigpending(&pending) < 0)
        return false;
    for (int number = 1; number < NSIG; number++)
        if (sigismember(&pending, number) == 1 && sigismember(&guard->before, number) == 0)
            return true;
    return false;
}
