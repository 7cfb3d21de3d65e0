/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signals are blocked, for 40 us as a rule. Where the daemon does not answer at once, a lookup may
 * take 250 ms, and 30 seconds where it asks for more time; no program may be deaf to its alarm or
 * to Ctrl-C for so long. So whoever waits looks every GUARD_MS milliseconds whether a signal is
 * waiting; if so, the lookup hangs up, lets it be delivered while nothing is open, and asks again,
 * against the same deadline.
 *
 * The alternatives are worse. To let handlers run while a descriptor is open and remember it, so as
 * to close it the next time, would close whatever the program has opened under that number since.
 * Breaking off lookups for a signal would make them fail in every program with a profiler.
 *
 * Signals that the thread causes itself are left alone: blocked, they would kill the program
 * without its handler, and a sandbox answers system calls by SIGSYS. glibc itself never blocks the
 * two that it keeps for its own use.
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
    /* pthread_sigmask is the same in glibc, which had it elsewhere before 2.32. It fails only in a
     * sandbox that refuses it; then the program has what it wants. */
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
