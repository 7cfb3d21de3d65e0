/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Quota: clients grouped by the uid of their peer. Limits apply to all together; only when one is
 * exceeded are the users, which are few, searched for the one to pay.
 */
#include "quota.h"

#include <stdbool.h>

#define USERS_MIN 64u

struct quota {
    size_t clients_max, bytes_max;
    size_t n_clients, n_bytes;
    GHashTable *users; /* uid -> struct quota_user */
    guint users_max;   /* at this number, users without clients are dropped */
};

struct quota *quota_new(size_t clients_max, size_t bytes_max)
{
    struct quota *quota = g_new0(struct quota, 1);

    quota->clients_max = clients_max;
    quota->bytes_max = bytes_max;
    quota->users_max = USERS_MIN;
    quota->users = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    return quota;
}

struct quota *quota_free(struct quota *quota)
{
    if (!quota)
        return NULL;
    g_hash_table_unref(quota->users);
    g_free(quota);
    return NULL;
}

static gboolean quota_is_idle(gpointer key, gpointer user, gpointer userdata)
{
    (void)key, (void)userdata;
    return ((const struct quota_user *)user)->clients.length == 0;
}

struct quota_user *quota_user(struct quota *quota, uid_t uid)
{
    struct quota_user *user = g_hash_table_lookup(quota->users, GUINT_TO_POINTER(uid));

    if (user)
        return user;
    if (g_hash_table_size(quota->users) >= quota->users_max) {
        g_hash_table_foreach_remove(quota->users, quota_is_idle, NULL);
        quota->users_max = MAX(USERS_MIN, 2 * g_hash_table_size(quota->users));
    }
    user = g_new(struct quota_user, 1);
    *user = (struct quota_user){
        .uid = uid, .clients = G_QUEUE_INIT, .ready = G_QUEUE_INIT, .turn = {.data = user}};
    g_hash_table_insert(quota->users, GUINT_TO_POINTER(uid), user);
    return user;
}

void quota_add(struct quota *quota, struct quota_user *user, struct client *client)
{
    client->user = user;
    g_queue_push_tail_link(&client->user->clients, &client->by_user);
    quota->n_clients++;
    quota_update(quota, client);
}

static void quota_charge(struct quota *quota, struct client *client, size_t bytes)
{
    quota->n_bytes += bytes - client->charged;
    client->user->bytes += bytes - client->charged;
    client->charged = bytes;
}

void quota_remove(struct quota *quota, struct client *client)
{
    struct quota_user *user = client->user;

    quota_charge(quota, client, 0);
    g_queue_unlink(&user->clients, &client->by_user);
    quota->n_clients--;
    client->user = NULL;
}

void quota_update(struct quota *quota, struct client *client)
{
    quota_charge(quota, client, client->rest_size);
    g_queue_unlink(&client->user->clients, &client->by_user);
    g_queue_push_tail_link(&client->user->clients, &client->by_user);
}

static struct quota_user *quota_largest(const struct quota *quota, bool by_bytes)
{
    struct quota_user *user, *largest = NULL;
    GHashTableIter iter;

    g_hash_table_iter_init(&iter, quota->users);
    while (g_hash_table_iter_next(&iter, NULL, (void **)&user))
        if (!largest || (by_bytes ? user->bytes > largest->bytes
                                  : user->clients.length > largest->clients.length))
            largest = user;
    return largest;
}

/* Only a client whose memory keeps others waiting is worth dropping for it. */
static struct client *quota_oldest_charged(const struct quota_user *user)
{
    for (GList *link = user->clients.head; link; link = link->next) {
        struct client *client = link->data;

        if (client->charged > 0)
            return client;
    }
    return NULL;
}

struct client *quota_oldest(const struct quota *quota)
{
    return quota->n_clients > 0 ? quota_largest(quota, false)->clients.head->data : NULL;
}

struct client *quota_excess(const struct quota *quota)
{
    const struct quota_user *user;

    if (quota->n_clients > quota->clients_max)
        return quota_oldest(quota);
    if (quota->n_bytes <= quota->bytes_max / 2)
        return NULL;
    user = quota_largest(quota, true);
    if (quota->n_bytes > quota->bytes_max || user->bytes > quota->bytes_max / 2)
        return quota_oldest_charged(user);
    return NULL;
}

size_t quota_count(const struct quota *quota)
{
    return quota->n_clients;
}
