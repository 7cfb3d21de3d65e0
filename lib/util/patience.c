/*
 * Patience. Knows nothing of what is waited for: whoever was refused asks again.
 */
#include "patience.h"

#include <glib.h>

#define PATIENCE_USEC G_USEC_PER_SEC
#define STEP_USEC 20000

bool patience_wait(struct patience *patience)
{
    int64_t now = g_get_monotonic_time();

    if (patience->end == 0)
        patience->end = now + PATIENCE_USEC;
    if (now >= patience->end)
        return false;
    g_usleep(STEP_USEC);
    return true;
}
