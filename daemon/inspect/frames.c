/*
 * Frames: one buffer of the greatest frame, sent when it is full. A peer that is gone makes the
 * rest of the report go nowhere; there is nobody left to tell.
 */
#include "frames.h"

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

void frames_make_text(struct kubesvc_header *header, size_t size)
{
    make_header(header, KUBESVC_RESPONSE_TEXT, size);
}

void frames_make_end(uint8_t frame[static FRAMES_END_SIZE], enum kubesvc_inspect_result result)
{
    struct kubesvc_header header;
    struct kubesvc_inspect_end end = {.result = htole32((uint32_t)result)};

    make_header(&header, KUBESVC_RESPONSE_END, sizeof end);
    memcpy(frame, &header, sizeof header);
    memcpy(frame + sizeof header, &end, sizeof end);
}

void frames_init(struct frames *frames, int fd)
{
    frames->fd = fd;
    frames->broken = false;
    frames->used = 0;
}

static void send_all(struct frames *frames, const uint8_t *data, size_t size)
{
    while (size > 0 && !frames->broken) {
        ssize_t n = send(frames->fd, data, size, MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR)
            frames->broken = true;
        if (n <= 0)
            continue;
        data += n;
        size -= (size_t)n;
    }
}

static void flush(struct frames *frames)
{
    struct kubesvc_header header;

    if (frames->used == 0)
        return;
    frames_make_text(&header, frames->used);
    memcpy(frames->buffer, &header, sizeof header);
    send_all(frames, frames->buffer, sizeof header + frames->used);
    frames->used = 0;
}

void frames_write(struct frames *frames, const void *text, size_t size)
{
    const uint8_t *data = text;

    while (size > 0 && !frames->broken) {
        size_t room = KUBESVC_INSPECT_FRAME - frames->used, n = size < room ? size : room;

        memcpy(frames->buffer + sizeof(struct kubesvc_header) + frames->used, data, n);
        frames->used += (uint32_t)n;
        data += n;
        size -= n;
        if (frames->used == KUBESVC_INSPECT_FRAME)
            flush(frames);
    }
}

void frames_end(struct frames *frames, enum kubesvc_inspect_result result)
{
    uint8_t end[FRAMES_END_SIZE];

    flush(frames);
    frames_make_end(end, result);
    send_all(frames, end, sizeof end);
}
