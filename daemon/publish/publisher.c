/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Turns the model's descriptions into records. Holds nothing but the settings and what could not be
 * written for lack of memory: a sink cannot refuse, and the model never repeats itself, so that
 * waits here, and nothing is published before it is written.
 */
#include "publisher.h"

#include "record.h"

struct publisher {
    struct snapshot_writer *writer;
    struct zone_sink sink;
    const struct config *config;
    GHashTable *waiting; /* key (GBytes) -> record (GByteArray), NULL if it must be removed */
};

static int apply(const struct publisher *publisher, const void *key, size_t length,
                 const GByteArray *record)
{
    return record ? snapshot_writer_put(publisher->writer, key, length, record->data, record->len)
                  : snapshot_writer_remove(publisher->writer, key, length);
}

static void unref_record(gpointer record)
{
    if (record)
        g_byte_array_unref(record);
}

/* `record` NULL: remove it. */
static void emit(struct publisher *publisher, const struct record_key *key, GByteArray *record)
{
    int r = apply(publisher, key->bytes, key->length, record);

    if (r >= 0 && g_hash_table_size(publisher->waiting) == 0) {
        unref_record(record);
        return;
    }
    g_autoptr(GBytes) bytes = g_bytes_new(key->bytes, key->length);
    g_hash_table_remove(publisher->waiting, bytes);
    if (r < 0)
        g_hash_table_insert(publisher->waiting, g_steal_pointer(&bytes), record);
    else
        unref_record(record);
}

static int tell_waiting(struct publisher *publisher)
{
    GHashTableIter iter;
    gpointer key, record;

    g_hash_table_iter_init(&iter, publisher->waiting);
    while (g_hash_table_iter_next(&iter, &key, &record)) {
        gsize length;
        const void *bytes = g_bytes_get_data(key, &length);
        int r = apply(publisher, bytes, length, record);
        if (r < 0)
            return r;
        g_hash_table_iter_remove(&iter);
    }
    return 0;
}

static void on_namespace(void *userdata, const char *name, bool exists, bool exposed)
{
    struct record_key key;
    if (!record_key_namespace(&key, name))
        return;
    emit(userdata, &key,
         exists ? record_namespace_new(exposed ? KUBESVC_NAMESPACE_EXPOSED : 0) : NULL);
}

static void on_service(void *userdata, const struct zone_service *service)
{
    struct record_key key;
    if (record_key_service(&key, service->name, service->ns))
        emit(userdata, &key, record_service_new(service));
}

static void on_service_gone(void *userdata, const char *ns, const char *name)
{
    struct record_key key;
    if (record_key_service(&key, name, ns))
        emit(userdata, &key, NULL);
}

static void on_address(void *userdata, const struct zone_address *address)
{
    struct record_key key;
    record_key_address(&key, &address->address);
    emit(userdata, &key, record_address_new(address));
}

static void on_address_gone(void *userdata, const struct address *address)
{
    struct record_key key;
    record_key_address(&key, address);
    emit(userdata, &key, NULL);
}

struct publisher *publisher_new(struct snapshot_writer *writer)
{
    struct publisher *publisher = g_new0(struct publisher, 1);
    publisher->writer = writer;
    publisher->waiting = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
                                               (GDestroyNotify)g_bytes_unref, unref_record);
    publisher->sink = (struct zone_sink){
        .ns = on_namespace,
        .service = on_service,
        .service_gone = on_service_gone,
        .address = on_address,
        .address_gone = on_address_gone,
        .userdata = publisher,
    };
    return publisher;
}

struct publisher *publisher_free(struct publisher *publisher)
{
    if (!publisher)
        return NULL;
    g_hash_table_unref(publisher->waiting);
    g_free(publisher);
    return NULL;
}

const struct zone_sink *publisher_sink(struct publisher *publisher)
{
    return &publisher->sink;
}

void publisher_configure(struct publisher *publisher, const struct config *config)
{
    publisher->config = config;
}

static GByteArray *settings_new(const struct config *config, bool empty)
{
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(struct address_range));
    if (config_allocates(config)) {
        g_array_append_vals(ranges, config->service_cidrs->data, config->service_cidrs->len);
        g_array_append_vals(ranges, config->pod_cidrs->data, config->pod_cidrs->len);
    }
    return record_settings_new(&(struct record_settings){
        .flags = (empty ? KUBESVC_SETTINGS_EMPTY : 0) |
                 (config->fallthrough ? KUBESVC_SETTINGS_FALLTHROUGH : 0),
        .pods = config->pods,
        .ndots = config->ndots,
        .zone = config->zone,
        .zones = (const char *const *)config->zones + 1,
        .default_namespace = config->ns,
        .search = (const char *const *)config->search,
        .ranges = (const struct address_range *)(const void *)ranges->data,
        .n_ranges = ranges->len,
    });
}

GByteArray *publisher_settings(const struct config *config)
{
    return settings_new(config, false);
}

int publisher_publish(struct publisher *publisher, bool empty)
{
    struct record_key key;
    record_key_settings(&key);
    emit(publisher, &key, settings_new(publisher->config, empty));
    int r = tell_waiting(publisher);
    if (r < 0)
        return r;
    snapshot_writer_publish(publisher->writer);
    return 0;
}
