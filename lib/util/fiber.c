/*
 * Two contexts of ucontext(3) that switch to each other, and a clock. The stack is a mapping with a
 * page below it that nothing may touch; its pages come into being when they are used. The loop at
 * the bottom of it never ends, so that one stack serves for all work there ever is.
 */
#include "fiber.h"

#include <errno.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

/* Far more than is used. Valgrind takes a leap of less than 2 MB for one stack that grows. */
#define STACK_SIZE ((size_t)4 * 1024 * 1024)

/* Rounds of a loop between two looks at the clock, and elements freed between them. */
#define TICKS 64u

#if defined __SANITIZE_ADDRESS__
#define ADDRESS_SANITIZER 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZER 1
#endif
#endif

struct side {
    ucontext_t context;
    const void *stack; /* its lowest byte, and how many there are: for the sanitizer */
    size_t stack_size;
    void *fake_stack;
};

struct fiber {
    struct side caller, own;
    void *mapping;
    size_t mapping_size;
    fiber_work work;
    void *userdata;
    int64_t deadline;
    unsigned ticks;
    bool running; /* its stack is the one in use */
    bool amid;
};

#ifdef ADDRESS_SANITIZER
#include <sanitizer/common_interface_defs.h>

static void leave(struct side *from, const struct side *to)
{
    __sanitizer_start_switch_fiber(&from->fake_stack, to->stack, to->stack_size);
}

/* `from` is where the switch came from; of the thread's own stack only this tells the bounds. */
static void arrive(const struct side *at, struct side *from)
{
    __sanitizer_finish_switch_fiber(at->fake_stack, &from->stack, &from->stack_size);
}
#else
static void leave(struct side *from, const struct side *to)
{
    (void)from, (void)to;
}

static void arrive(const struct side *at, struct side *from)
{
    (void)at, (void)from;
}
#endif

/* Fails only where the signal mask cannot be set, which is always possible. */
static void change_over(struct side *from, struct side *to)
{
    leave(from, to);
    (void)swapcontext(&from->context, &to->context);
    arrive(from, to);
}

static void give_way(struct fiber *fiber)
{
    fiber->running = false;
    change_over(&fiber->own, &fiber->caller);
}

static void bottom(unsigned high, unsigned low)
{
    /* makecontext passes ints. */
    struct fiber *fiber = (struct fiber *)(uintptr_t)((uint64_t)high << 32 | low);

    arrive(&fiber->own, &fiber->caller);
    for (;;) {
        fiber->work(fiber->userdata);
        fiber->amid = false;
        give_way(fiber);
    }
}

static int make_stack(struct fiber *fiber)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = STACK_SIZE + page;
    void *mapping =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

    if (mapping == MAP_FAILED)
        return -errno;
    fiber->mapping = mapping;
    fiber->mapping_size = size;
    fiber->own.stack = (const char *)mapping + page;
    fiber->own.stack_size = STACK_SIZE;
    return mprotect(mapping, page, PROT_NONE) < 0 ? -errno : 0;
}

int fiber_new(struct fiber **fiberp)
{
    struct fiber *fiber = g_new0(struct fiber, 1);
    uint64_t self = (uintptr_t)fiber;
    int r = make_stack(fiber);

    if (r == 0 && getcontext(&fiber->own.context) < 0)
        r = -errno;
    if (r < 0) {
        fiber_free(fiber);
        return r;
    }
    fiber->own.context.uc_stack.ss_sp = (void *)fiber->own.stack;
    fiber->own.context.uc_stack.ss_size = fiber->own.stack_size;
    makecontext(&fiber->own.context, (void (*)(void))bottom, 2, (unsigned)(self >> 32),
                (unsigned)self);
    *fiberp = fiber;
    return 0;
}

struct fiber *fiber_free(struct fiber *fiber)
{
    if (!fiber)
        return NULL;
    if (fiber->mapping)
        munmap(fiber->mapping, fiber->mapping_size);
    g_free(fiber);
    return NULL;
}

bool fiber_run(struct fiber *fiber, fiber_work work, void *userdata, int64_t deadline)
{
    if (!fiber) {
        work(userdata);
        return true;
    }
    fiber->work = work;
    fiber->userdata = userdata;
    fiber->deadline = deadline;
    fiber->running = fiber->amid = true;
    change_over(&fiber->caller, &fiber->own);
    return !fiber->amid;
}

bool fiber_is_amid(const struct fiber *fiber)
{
    return fiber && fiber->amid;
}

void fiber_breathe(struct fiber *fiber)
{
    if (fiber && fiber->running && g_get_monotonic_time() >= fiber->deadline)
        give_way(fiber);
}

void fiber_tick(struct fiber *fiber)
{
    if (fiber && ++fiber->ticks % TICKS == 0)
        fiber_breathe(fiber);
}

struct order {
    GCompareFunc compare;
    struct fiber *fiber;
};

static gint compare_and_tick(gconstpointer a, gconstpointer b, gpointer userdata)
{
    const struct order *order = userdata;

    fiber_tick(order->fiber);
    return order->compare(a, b);
}

void fiber_sort(struct fiber *fiber, GArray *array, GCompareFunc compare)
{
    struct order order = {compare, fiber};

    g_array_sort_with_data(array, compare_and_tick, &order);
}

void fiber_sort_pointers(struct fiber *fiber, GPtrArray *array, GCompareFunc compare)
{
    struct order order = {compare, fiber};

    g_ptr_array_sort_with_data(array, compare_and_tick, &order);
}

void fiber_empty(struct fiber *fiber, GArray *array)
{
    while (array->len > 0) {
        g_array_set_size(array, array->len - MIN(array->len, TICKS));
        fiber_breathe(fiber);
    }
}

void fiber_truncate_pointers(struct fiber *fiber, GPtrArray *array, guint length)
{
    while (array->len > length) {
        g_ptr_array_set_size(array, (gint)(array->len - MIN(array->len - length, TICKS)));
        fiber_breathe(fiber);
    }
}

void fiber_empty_table(struct fiber *fiber, GHashTable *table)
{
    GHashTableIter iter;

    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, NULL, NULL)) {
        g_hash_table_iter_remove(&iter);
        fiber_tick(fiber);
    }
}
