/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The format is that of glibc since 2.32, of which ldconfig writes no other: a header, entries in
 * descending order of their names, the names and paths, and an extension. All offsets count from
 * the beginning of the file. The new entry moves everything behind it by its own size; its texts
 * come last.
 */
#include "library_cache.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "glibc-ld.so.cache1.1" /* without a NUL */
#define EXTENSION_MAGIC 0xeaa42174u
#define SECTION_HWCAPS 1u /* a list of offsets of names */
#define SIZE_MAX_BYTES (64u << 20)

struct header {
    char magic[sizeof MAGIC - 1];
    uint32_t n, texts_size;
    uint8_t flags, padding[3];
    uint32_t extension; /* offset; 0: none */
    uint32_t unused[3];
};

struct cache_entry {
    int32_t flags; /* the architecture */
    uint32_t name, path;
    uint32_t unused;
    uint64_t hwcap;
};

struct extension {
    uint32_t magic, n;
};

struct section {
    uint32_t tag, flags, offset, size;
};

/* How ldconfig orders names: numbers in them by their value. */
static int compare(const char *a, const char *b)
{
    while (*a) {
        bool number = g_ascii_isdigit(*a), other = g_ascii_isdigit(*b);
        if (number != other)
            return number ? 1 : -1;
        if (number) {
            char *a_end, *b_end;
            uint64_t x = g_ascii_strtoull(a, &a_end, 10), y = g_ascii_strtoull(b, &b_end, 10);
            if (x != y)
                return x < y ? -1 : 1;
            a = a_end;
            b = b_end;
        } else if (*a != *b) {
            return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        } else {
            a++;
            b++;
        }
    }
    return *b ? -1 : 0;
}

struct cache {
    const char *bytes;
    gsize size;
    struct header header;
};

/* NULL: it lies outside, or has no end. */
static const char *text_at(const struct cache *cache, uint32_t offset)
{
    if (offset >= cache->size || !memchr(cache->bytes + offset, '\0', cache->size - offset))
        return NULL;
    return cache->bytes + offset;
}

static struct cache_entry entry_at(const struct cache *cache, uint32_t index)
{
    struct cache_entry entry;
    memcpy(&entry, cache->bytes + sizeof(struct header) + index * sizeof entry, sizeof entry);
    return entry;
}

static bool read_header(struct cache *cache)
{
    struct header *header = &cache->header;
    if (cache->size < sizeof *header || cache->size > SIZE_MAX_BYTES)
        return false;
    memcpy(header, cache->bytes, sizeof *header);
    return memcmp(header->magic, MAGIC, sizeof header->magic) == 0 &&
           header->n <= (cache->size - sizeof *header) / sizeof(struct cache_entry) &&
           header->extension <= cache->size;
}

/* Where an entry of this name belongs, before those that it has already, and what is like it: the
 * flags of libc. False: libc is not there, or a name is broken. */
static bool find_place(const struct cache *cache, const char *name, const char *libc,
                       uint32_t *index, int32_t *flags)
{
    g_autofree char *libc_name = g_path_get_basename(libc);
    bool found = false;
    *index = cache->header.n;
    for (uint32_t i = cache->header.n; i > 0; i--) {
        struct cache_entry entry = entry_at(cache, i - 1);
        const char *key = text_at(cache, entry.name), *path = text_at(cache, entry.path);
        if (!key || !path)
            return false;
        if (compare(name, key) >= 0)
            *index = i - 1;
        if (found || strcmp(key, libc_name) != 0)
            continue;
        g_autofree char *real = realpath(path, NULL), *wanted = realpath(libc, NULL);
        found = real && g_strcmp0(real, wanted) == 0;
        *flags = entry.flags;
    }
    return found;
}

/* The entries, moved, with the new one among them. */
static void write_entries(GByteArray *out, const struct cache *cache, uint32_t index,
                          const struct cache_entry *added)
{
    for (uint32_t i = 0; i <= cache->header.n; i++) {
        struct cache_entry entry = *added;
        if (i != index) {
            entry = entry_at(cache, i < index ? i : i - 1);
            entry.name += (uint32_t)sizeof entry;
            entry.path += (uint32_t)sizeof entry;
        }
        g_byte_array_append(out, (const guint8 *)&entry, sizeof entry);
    }
}

/* The lists of the extension, in `out`, count from its beginning as well. */
static bool move_section(GByteArray *out, const struct section *section)
{
    if (section->tag != SECTION_HWCAPS)
        return true;
    if (section->offset > out->len || section->size > out->len - section->offset)
        return false;
    for (uint32_t at = 0; at + sizeof at <= section->size; at += (uint32_t)sizeof at) {
        uint32_t name;
        memcpy(&name, out->data + section->offset + at, sizeof name);
        name += (uint32_t)sizeof(struct cache_entry);
        memcpy(out->data + section->offset + at, &name, sizeof name);
    }
    return true;
}

static bool move_extension(GByteArray *out, uint32_t at)
{
    struct extension extension;
    if (at > out->len || out->len - at < sizeof extension)
        return false;
    memcpy(&extension, out->data + at, sizeof extension);
    at += (uint32_t)sizeof extension;
    if (extension.magic != EXTENSION_MAGIC ||
        extension.n > (out->len - at) / sizeof(struct section))
        return false;
    for (uint32_t i = 0; i < extension.n; i++, at += (uint32_t)sizeof(struct section)) {
        struct section section;
        memcpy(&section, out->data + at, sizeof section);
        section.offset += (uint32_t)sizeof(struct cache_entry);
        memcpy(out->data + at, &section, sizeof section);
        if (!move_section(out, &section))
            return false;
    }
    return true;
}

GBytes *library_cache_add(GBytes *bytes, const char *name, const char *path, const char *libc)
{
    struct cache cache = {0};
    struct cache_entry added = {0};
    uint32_t index;
    cache.bytes = g_bytes_get_data(bytes, &cache.size);
    if (!read_header(&cache) || !find_place(&cache, name, libc, &index, &added.flags))
        return NULL;
    struct header header = cache.header;
    gsize entries = sizeof header + header.n * sizeof(struct cache_entry);
    added.name = (uint32_t)(cache.size + sizeof added);
    added.path = added.name + (uint32_t)strlen(name) + 1;
    header.n++;
    if (header.extension != 0)
        header.extension += (uint32_t)sizeof added;
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_byte_array_append(out, (const guint8 *)&header, sizeof header);
    write_entries(out, &cache, index, &added);
    g_byte_array_append(out, (const guint8 *)cache.bytes + entries, (guint)(cache.size - entries));
    if (header.extension != 0 && !move_extension(out, header.extension))
        return NULL;
    g_byte_array_append(out, (const guint8 *)name, (guint)strlen(name) + 1);
    g_byte_array_append(out, (const guint8 *)path, (guint)strlen(path) + 1);
    return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}
