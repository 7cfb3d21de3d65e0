/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A Service's own addresses, those of its unnamed endpoints and those of its ports are mostly the
 * same; so arrays of addresses are looked up before they are appended, and a stored one is not even
 * sorted again. Texts are short and mostly different: they are just appended.
 */
#include "record_builder.h"

#include <endian.h>
#include <string.h>

/* Makes the record `size` bytes long, the new ones zero. */
static void extend(struct record_builder *builder, size_t size)
{
    guint old = builder->bytes->len;

    g_byte_array_set_size(builder->bytes, (guint)size);
    memset(builder->bytes->data + old, 0, size - old);
}

void record_builder_begin(struct record_builder *builder, size_t size)
{
    *builder = (struct record_builder){.bytes = g_byte_array_sized_new(128)};
    extend(builder, size);
}

GByteArray *record_builder_end(struct record_builder *builder, const void *head, size_t size)
{
    GByteArray *bytes = builder->bytes;

    memcpy(bytes->data, head, size);
    g_clear_pointer(&builder->arrays, g_hash_table_unref);
    g_clear_pointer(&builder->sets, g_hash_table_unref);
    g_clear_pointer(&builder->kept, g_ptr_array_unref);
    g_free(builder->united);
    *builder = (struct record_builder){0};
    return bytes;
}

struct kubesvc_span record_builder_table(struct record_builder *builder, size_t size)
{
    guint aligned = (builder->bytes->len + 3) & ~3u;

    extend(builder, aligned + size);
    return (struct kubesvc_span){htole32(aligned), htole32((uint32_t)size)};
}

void record_builder_fill(struct record_builder *builder, struct kubesvc_span table,
                         const void *rows)
{
    if (table.length != 0)
        memcpy(builder->bytes->data + le32toh(table.offset), rows, le32toh(table.length));
}

struct kubesvc_span record_builder_text(struct record_builder *builder, const char *text,
                                        size_t length)
{
    guint offset = builder->bytes->len;

    g_byte_array_append(builder->bytes, (const guint8 *)text, (guint)length);
    return (struct kubesvc_span){htole32(offset), htole32((uint32_t)length)};
}

struct kubesvc_span record_builder_lower(struct record_builder *builder, const char *text)
{
    size_t length = strlen(text);
    struct kubesvc_span span = record_builder_text(builder, text, length);

    for (guint8 *at = builder->bytes->data + builder->bytes->len - length; length > 0;
         length--, at++)
        *at = (guint8)g_ascii_tolower((gchar)*at);
    return span;
}

/* The offset of an array of addresses, stored once. */
static uint32_t add_array(struct record_builder *builder, const void *data, size_t length)
{
    GBytes *array;
    gpointer offset;

    if (length == 0)
        return 0;
    if (builder->arrays == NULL)
        builder->arrays =
            g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
    array = g_bytes_new(data, length);
    if (g_hash_table_lookup_extended(builder->arrays, array, NULL, &offset)) {
        g_bytes_unref(array);
        return GPOINTER_TO_UINT(offset);
    }
    offset = GUINT_TO_POINTER(builder->bytes->len);
    g_byte_array_append(builder->bytes, data, (guint)length);
    g_hash_table_insert(builder->arrays, array, offset);
    return GPOINTER_TO_UINT(offset);
}

void record_builder_keep(struct record_builder *builder, GArray *addresses)
{
    if (builder->kept == NULL)
        builder->kept = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    g_ptr_array_add(builder->kept, addresses);
}

int record_compare_addresses(const void *a, const void *b)
{
    return address_compare(a, b);
}

static bool is_ascending(const GArray *addresses)
{
    for (guint i = 1; i < addresses->len; i++)
        if (address_compare(&g_array_index(addresses, struct address, i - 1),
                            &g_array_index(addresses, struct address, i)) >= 0)
            return false;
    return true;
}

/* Each address once (rule 5). */
void record_sort_addresses(GArray *addresses)
{
    guint n = 0;

    if (is_ascending(addresses))
        return;
    g_array_sort(addresses, record_compare_addresses);
    for (guint i = 0; i < addresses->len; i++) {
        const struct address *address = &g_array_index(addresses, struct address, i);

        if (n == 0 ||
            address_compare(&g_array_index(addresses, struct address, n - 1), address) != 0)
            g_array_index(addresses, struct address, n++) = *address;
    }
    g_array_set_size(addresses, n);
}

static struct kubesvc_set add_sorted(struct record_builder *builder, const GArray *addresses)
{
    g_autoptr(GByteArray) inet = g_byte_array_new(), inet6 = g_byte_array_new();

    for (guint i = 0; i < addresses->len; i++) {
        const struct address *address = &g_array_index(addresses, struct address, i);

        if (address_is_inet(address))
            g_byte_array_append(inet, address->bytes + 12, 4);
        else
            g_byte_array_append(inet6, address->bytes, 16);
    }
    return (struct kubesvc_set){
        .inet = htole32(add_array(builder, inet->data, inet->len)),
        .n_inet = htole32(inet->len / 4),
        .inet6 = htole32(add_array(builder, inet6->data, inet6->len)),
        .n_inet6 = htole32(inet6->len / 16),
    };
}

static struct kubesvc_set unite(struct record_builder *builder, const GArray *const *arrays,
                                size_t n)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct address));

    for (size_t i = 0; i < n; i++) {
        if (arrays[i] != NULL && arrays[i]->len > 0)
            g_array_append_vals(all, arrays[i]->data, arrays[i]->len);
    }
    record_sort_addresses(all);
    return add_sorted(builder, all);
}

struct kubesvc_set record_builder_union(struct record_builder *builder, const GArray *const *arrays,
                                        size_t n)
{
    size_t size = n * sizeof(gpointer);

    if (n != builder->n_united || memcmp(arrays, builder->united, size) != 0) {
        g_free(builder->united);
        builder->united = g_memdup2(arrays, size);
        builder->n_united = n;
        builder->last_union = unite(builder, arrays, n);
    }
    return builder->last_union;
}

/* One address is shorter than what it takes to remember it, and most endpoints have one. */
static struct kubesvc_set add_single(struct record_builder *builder, const struct address *address)
{
    bool inet = address_is_inet(address);
    uint32_t offset = htole32(builder->bytes->len);

    g_byte_array_append(builder->bytes, address->bytes + (inet ? 12 : 0), inet ? 4 : 16);
    return inet ? (struct kubesvc_set){.inet = offset, .n_inet = htole32(1)}
                : (struct kubesvc_set){.inet6 = offset, .n_inet6 = htole32(1)};
}

struct kubesvc_set record_builder_set(struct record_builder *builder, const GArray *addresses)
{
    struct kubesvc_set *known;

    if (addresses == NULL)
        return (struct kubesvc_set){0};
    if (addresses->len == 1)
        return add_single(builder, &g_array_index(addresses, struct address, 0));
    if (builder->sets == NULL)
        builder->sets = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    known = g_hash_table_lookup(builder->sets, addresses);
    if (known == NULL) {
        known = g_new(struct kubesvc_set, 1);
        *known = unite(builder, &addresses, 1);
        g_hash_table_insert(builder->sets, (gpointer)addresses, known);
    }
    return *known;
}
