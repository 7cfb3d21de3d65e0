/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A job's life; what happens to it is inspect's and report's business.
 */
#include "job.h"

#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct job *job_new(const struct ucred *peer, int fd, const char *payload, size_t size)
{
    struct job *job = g_new0(struct job, 1);

    job->uid = peer->uid;
    job->pid = peer->pid;
    job->fd = fd;
    memcpy(job->payload, payload, size);
    (void)args_parse(&job->args, job->payload, size);
    frame_writer_init(&job->frames);
    return job;
}

struct job *job_free(struct job *job)
{
    if (!job)
        return NULL;
    sd_event_source_disable_unref(job->io);
    sd_event_source_disable_unref(job->timer);
    close(job->fd);
    inspect_query_free(job->query);
    frame_writer_clear(&job->frames);
    g_free(job);
    return NULL;
}
