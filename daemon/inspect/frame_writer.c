/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Frames: a list of them, each freed as soon as it is sent, so that a long report takes only the
 * memory of what is left.
 */
#include "frame_writer.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static void make_header(struct kubesvc_header *header, uint8_t type, size_t size)
{
    *header = (struct kubesvc_header){
        .magic = htole32(KUBESVC_MAGIC),
        .version = 1,
        .type = type,
        .length = htole32((uint32_t)size),
    };
}

void frame_writer_make_end(uint8_t frame[static FRAME_WRITER_END_SIZE],
                           enum kubesvc_inspect_result result)
{
    struct kubesvc_header header;
    struct kubesvc_inspect_end end = {.result = htole32((uint32_t)result)};

    make_header(&header, KUBESVC_RESPONSE_END, sizeof end);
    memcpy(frame, &header, sizeof header);
    memcpy(frame + sizeof header, &end, sizeof end);
}

void frame_writer_init(struct frame_writer *frames)
{
    *frames = (struct frame_writer){.whole = G_QUEUE_INIT};
}

void frame_writer_clear(struct frame_writer *frames)
{
    g_queue_clear_full(&frames->whole, (GDestroyNotify)g_byte_array_unref);
    g_clear_pointer(&frames->open, g_byte_array_unref);
}

/* Thousands of small ones may wait: each then takes no more memory than it must. */
void frame_writer_flush(struct frame_writer *frames)
{
    struct kubesvc_header header;
    g_autoptr(GByteArray) open = g_steal_pointer(&frames->open);

    if (!open)
        return;
    make_header(&header, KUBESVC_RESPONSE_TEXT, open->len - sizeof header);
    memcpy(open->data, &header, sizeof header);
    if (open->len > KUBESVC_INSPECT_FRAME / 2)
        g_queue_push_tail(&frames->whole, g_steal_pointer(&open));
    else
        g_queue_push_tail(&frames->whole, g_byte_array_append(g_byte_array_sized_new(open->len),
                                                              open->data, open->len));
}

static GByteArray *get_open(struct frame_writer *frames)
{
    if (frames->open)
        return frames->open;
    frames->open = g_byte_array_sized_new(sizeof(struct kubesvc_header) + KUBESVC_INSPECT_FRAME);
    g_byte_array_set_size(frames->open, sizeof(struct kubesvc_header));
    frames->size += sizeof(struct kubesvc_header);
    return frames->open;
}

void frame_writer_write(struct frame_writer *frames, const void *text, size_t size)
{
    const uint8_t *data = text;

    if (size > FRAME_WRITER_SIZE_MAX - MIN(frames->size, FRAME_WRITER_SIZE_MAX))
        frames->too_large = true;
    while (size > 0 && !frames->too_large) {
        GByteArray *open = get_open(frames);
        size_t room = sizeof(struct kubesvc_header) + KUBESVC_INSPECT_FRAME - open->len;
        size_t n = MIN(size, room);

        g_byte_array_append(open, data, (guint)n);
        frames->size += n;
        data += n;
        size -= n;
        if (n == room)
            frame_writer_flush(frames);
    }
}

void frame_writer_write_empty(struct frame_writer *frames)
{
    (void)get_open(frames);
    frame_writer_flush(frames);
}

void frame_writer_end(struct frame_writer *frames, enum kubesvc_inspect_result result)
{
    GByteArray *end = g_byte_array_sized_new(FRAME_WRITER_END_SIZE);

    if (frames->too_large) {
        frame_writer_clear(frames);
        frames->size = 0;
        result = KUBESVC_INSPECT_TOO_LARGE;
    }
    frame_writer_flush(frames);
    g_byte_array_set_size(end, FRAME_WRITER_END_SIZE);
    frame_writer_make_end(end->data, result);
    frames->size += end->len;
    g_queue_push_tail(&frames->whole, end);
}

int frame_writer_send(struct frame_writer *frames, int fd)
{
    GByteArray *frame;

    while ((frame = g_queue_peek_head(&frames->whole))) {
        ssize_t n = send(fd, frame->data + frames->sent, frame->len - frames->sent,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? FRAME_WRITER_LEFT : -errno;
        frames->size -= (size_t)n;
        frames->sent += (size_t)n;
        if (frames->sent == frame->len) {
            g_byte_array_unref(g_queue_pop_head(&frames->whole));
            frames->sent = 0;
        }
    }
    return 0;
}
