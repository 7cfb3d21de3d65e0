/*
 * Leases on disk. Text, because an administrator will look at it; a checksum in every line, because
 * a machine may stop in the middle of one. The journal itself is the lock: two daemons with one
 * state directory would give one address to two objects.
 */
#include "lease_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../log.h"

#define JOURNAL_NAME "leases"
#define JOURNAL_TITLE "kubesvc leases 1\n"
#define LINE_SIZE_MAX (LEASE_KEY_MAX + 128u)
#define SLACK_SIZE (256u * 1024u) /* a journal smaller than this is never compacted */
#define READ_SIZE_MAX (UINT64_C(1) << 30)

struct lease_journal {
    char *directory;
    int directory_fd, fd, lock_fd;
    GString *noted;
    uint64_t size;   /* of the file */
    uint64_t live;   /* of it when it was last compacted or read */
    bool damaged;    /* not all of it is whole lines: to be written anew */
    bool complained; /* that it cannot be written */
};

static const char *const uses[LEASE_USES] = {[LEASE_POD] = "pod", [LEASE_SERVICE] = "service"};
static const char events[] = {[LEASE_TAKEN] = '+', [LEASE_FREED] = '-', [LEASE_DROPPED] = 'x'};

/* FNV-1a: tells a cut or overwritten line from a whole one; nobody needs to be kept from forging
 * it. */
static uint32_t checksum(const char *text, size_t length)
{
    uint32_t sum = 0x811c9dc5u;
    for (size_t i = 0; i < length; i++)
        sum = (sum ^ (uint8_t)text[i]) * 0x01000193u;
    return sum;
}

static void line_append(GString *out, enum lease_event event, const struct lease *lease)
{
    char text[ADDRESS_TEXT_MAX];
    address_format(&lease->address, text);
    gsize start = out->len;
    g_string_append_printf(out, "%c %s %s %s", events[event], uses[lease->use], text, lease->key);
    g_string_append_printf(out, " %08x\n", checksum(out->str + start, out->len - start));
}

/* Takes a line apart (in place, without its newline); false if it is damaged. */
static bool line_restore(char *line, size_t length, struct leases *leases)
{
    char *fields[5];
    char *sum = strrchr(line, ' ');
    if (!sum || strlen(line) != length || length > LINE_SIZE_MAX)
        return false;
    if (strtoul(sum + 1, NULL, 16) != checksum(line, (size_t)(sum - line)))
        return false;
    char *rest = line;
    for (unsigned i = 0; i < 5; i++)
        fields[i] = rest ? strsep(&rest, " ") : NULL;
    struct address address;
    if (!fields[4] || rest || strlen(fields[0]) != 1 ||
        !address_parse(&address, fields[2], strlen(fields[2])))
        return false;
    for (unsigned event = 0; event < G_N_ELEMENTS(events); event++)
        for (unsigned use = 0; use < LEASE_USES; use++)
            if (fields[0][0] == events[event] && strcmp(fields[1], uses[use]) == 0) {
                leases_restore(leases, event, use, &address, fields[3]);
                return true;
            }
    return false;
}

static void restore(struct lease_journal *journal, char *text, size_t size, struct leases *leases)
{
    unsigned damaged = 0;
    size_t title = strlen(JOURNAL_TITLE);
    bool titled = size >= title && memcmp(text, JOURNAL_TITLE, title) == 0;
    for (size_t at = titled ? title : 0; at < size;) {
        char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - (text + at)) : size - at;
        if (end)
            *end = '\0';
        if (!end || !line_restore(text + at, length, leases))
            damaged++;
        at += length + 1;
    }
    journal->damaged = damaged > 0;
    if (damaged > 0)
        log_warning("%s/%s: %u damaged lines passed over; objects whose address they held may get "
                    "another one",
                    journal->directory, JOURNAL_NAME, damaged);
}

static int read_all(int fd, char **textp, size_t *sizep)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if ((uint64_t)st.st_size > READ_SIZE_MAX)
        return -EFBIG;
    g_autofree char *text = g_malloc((size_t)st.st_size + 1);
    size_t size = 0;
    while (size < (size_t)st.st_size) {
        ssize_t n = pread(fd, text + size, (size_t)st.st_size - size, (off_t)size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        size += (size_t)n;
    }
    text[size] = '\0';
    *textp = g_steal_pointer(&text);
    *sizep = size;
    return 0;
}

static int write_all(int fd, const char *text, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = write(fd, text + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        done += (size_t)n;
    }
    return 0;
}

static int open_directory(struct lease_journal *journal)
{
    const char *directory = journal->directory;
    if (mkdir(directory, 0755) < 0 && errno != EEXIST)
        return -errno;
    journal->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (journal->directory_fd < 0)
        return -errno;
    journal->lock_fd = openat(journal->directory_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (journal->lock_fd < 0)
        return -errno;
    if (flock(journal->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? -EBUSY : -errno;
    return 0;
}

static int open_all(struct lease_journal *journal)
{
    int r = open_directory(journal);
    if (r < 0)
        return r;
    journal->fd = openat(journal->directory_fd, JOURNAL_NAME,
                         O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
    return journal->fd < 0 ? -errno : 0;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_all(struct lease_journal *journal)
{
    close_fd(&journal->fd);
    close_fd(&journal->lock_fd);
    close_fd(&journal->directory_fd);
}

int lease_journal_open(struct lease_journal **journalp, const char *directory,
                       struct leases *leases)
{
    struct lease_journal *journal = g_new0(struct lease_journal, 1);
    journal->directory = g_strdup(directory);
    journal->directory_fd = journal->fd = journal->lock_fd = -1;
    journal->noted = g_string_new(NULL);
    g_autofree char *text = NULL;
    size_t size = 0;
    int r = open_all(journal);
    if (r == 0)
        r = read_all(journal->fd, &text, &size);
    if (r < 0) {
        lease_journal_close(journal);
        return r;
    }
    restore(journal, text, size, leases);
    journal->size = journal->live = size;
    if (size == 0)
        g_string_append(journal->noted, JOURNAL_TITLE);
    *journalp = journal;
    return 0;
}

struct lease_journal *lease_journal_close(struct lease_journal *journal)
{
    if (!journal)
        return NULL;
    close_all(journal);
    g_string_free(journal->noted, TRUE);
    g_free(journal->directory);
    g_free(journal);
    return NULL;
}

void lease_journal_note(struct lease_journal *journal, enum lease_event event,
                        const struct lease *lease)
{
    line_append(journal->noted, event, lease);
}

static void append_lease(void *userdata, const struct lease *lease)
{
    line_append(userdata, lease->freed ? LEASE_FREED : LEASE_TAKEN, lease);
}

/* The journal anew under another name, on disk before it takes the place of the old one. */
static int compact(struct lease_journal *journal, const struct leases *leases)
{
    g_autoptr(GString) text = g_string_new(JOURNAL_TITLE);
    leases_each(leases, append_lease, text);
    int fd = openat(journal->directory_fd, JOURNAL_NAME ".new",
                    O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return -errno;
    int r = write_all(fd, text->str, text->len);
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    if (r == 0 && renameat(journal->directory_fd, JOURNAL_NAME ".new", journal->directory_fd,
                           JOURNAL_NAME) < 0)
        r = -errno;
    if (r < 0) {
        unlinkat(journal->directory_fd, JOURNAL_NAME ".new", 0);
        close(fd);
        return r;
    }
    close(journal->fd);
    journal->fd = fd;
    journal->size = journal->live = text->len;
    return 0;
}

static void complain(struct lease_journal *journal, int error)
{
    if (!journal->complained)
        log_error("%s/%s: cannot be written: %s; addresses stay as they are while the daemon runs, "
                  "and may change when it starts again",
                  journal->directory, JOURNAL_NAME, g_strerror(-error));
    journal->complained = true;
}

/* What is written to a file that was removed is lost at the next start. Made anew, it is written as
 * a whole. True: it cannot be made. */
static bool was_removed(struct lease_journal *journal)
{
    struct stat st;
    if (journal->fd >= 0 && fstat(journal->fd, &st) == 0 && st.st_nlink > 0)
        return false;
    if (!journal->complained)
        log_warning("%s/%s: was removed; it is made again", journal->directory, JOURNAL_NAME);
    close_all(journal);
    int r = open_all(journal);
    journal->damaged = true;
    if (r < 0)
        complain(journal, r);
    return r < 0;
}

void lease_journal_write(struct lease_journal *journal, const struct leases *leases)
{
    if (journal->noted->len == 0)
        return;
    if (was_removed(journal))
        return;
    bool anew = journal->damaged || journal->size > 2 * journal->live + SLACK_SIZE;
    int r = anew ? compact(journal, leases)
                 : write_all(journal->fd, journal->noted->str, journal->noted->len);
    /* Some of the lines may be in the file now, the last one cut off. */
    journal->damaged = r < 0;
    if (r < 0) {
        complain(journal, r);
        return;
    }
    if (!anew)
        journal->size += journal->noted->len;
    journal->complained = false;
    g_string_truncate(journal->noted, 0);
}
