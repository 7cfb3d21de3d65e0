/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Roster: clients grouped by the uid of their peer. Limits are for all together; who pays when one
 * is passed is found by looking through the users, which are few, and only then.
 */
#include "roster.h"

#include <stdbool.h>

#define ROSTER_USERS_MIN 64u

struct roster {
    size_t clients_max, bytes_max;
    size_t n_clients, n_bytes;
    GHashTable *users; /* uid -> struct roster_user */
    guint users_max;   /* at so many, those without clients are forgotten */
};

struct roster *roster_new(size_t clients_max, size_t bytes_max)
{
    struct roster *roster = g_new0(struct roster, 1);

    roster->clients_max = clients_max;
    roster->bytes_max = bytes_max;
    roster->users_max = ROSTER_USERS_MIN;
    roster->users = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    return roster;
}

struct roster *roster_free(struct roster *roster)
{
    if (!roster)
        return NULL;
    g_hash_table_unref(roster->users);
    g_free(roster);
    return NULL;
}

static gboolean roster_is_idle(gpointer key, gpointer user, gpointer userdata)
{
    (void)key;
    (void)userdata;
    return ((const struct roster_user *)user)->clients.length == 0;
}

struct roster_user *roster_user(struct roster *roster, uid_t uid)
{
    struct roster_user *user = g_hash_table_lookup(roster->users, GUINT_TO_POINTER(uid));

    if (user)
        return user;
    if (g_hash_table_size(roster->users) >= roster->users_max) {
        g_hash_table_foreach_remove(roster->users, roster_is_idle, NULL);
        roster->users_max = MAX(ROSTER_USERS_MIN, 2 * g_hash_table_size(roster->users));
    }
    user = g_new(struct roster_user, 1);
    *user = (struct roster_user){
        .uid = uid, .clients = G_QUEUE_INIT, .ready = G_QUEUE_INIT, .turn = {.data = user}};
    g_hash_table_insert(roster->users, GUINT_TO_POINTER(uid), user);
    return user;
}

void roster_add(struct roster *roster, struct roster_user *user, struct client *client)
{
    client->user = user;
    g_queue_push_tail_link(&client->user->clients, &client->by_user);
    roster->n_clients++;
    roster_update(roster, client);
}

static void roster_charge(struct roster *roster, struct client *client, size_t bytes)
{
    roster->n_bytes += bytes - client->charged;
    client->user->bytes += bytes - client->charged;
    client->charged = bytes;
}

void roster_remove(struct roster *roster, struct client *client)
{
    struct roster_user *user = client->user;

    roster_charge(roster, client, 0);
    g_queue_unlink(&user->clients, &client->by_user);
    roster->n_clients--;
    client->user = NULL;
}

void roster_update(struct roster *roster, struct client *client)
{
    roster_charge(roster, client, client->rest_size);
    g_queue_unlink(&client->user->clients, &client->by_user);
    g_queue_push_tail_link(&client->user->clients, &client->by_user);
}

static struct roster_user *roster_largest(const struct roster *roster, bool by_bytes)
{
    struct roster_user *user, *largest = NULL;
    GHashTableIter iter;

    g_hash_table_iter_init(&iter, roster->users);
    while (g_hash_table_iter_next(&iter, NULL, (void **)&user))
        if (!largest || (by_bytes ? user->bytes > largest->bytes
                                  : user->clients.length > largest->clients.length))
            largest = user;
    return largest;
}

/* Only a client that makes others wait for its memory is worth dropping for it. */
static struct client *roster_oldest_charged(const struct roster_user *user)
{
    for (GList *link = user->clients.head; link; link = link->next) {
        struct client *client = link->data;

        if (client->charged > 0)
            return client;
    }
    return NULL;
}

struct client *roster_oldest(const struct roster *roster)
{
    const struct roster_user *user = roster_largest(roster, false);

    return user ? user->clients.head->data : NULL;
}

struct client *roster_excess(const struct roster *roster)
{
    const struct roster_user *user;

    if (roster->n_clients > roster->clients_max)
        return roster_oldest(roster);
    if (roster->n_bytes <= roster->bytes_max / 2)
        return NULL;
    user = roster_largest(roster, true);
    if (roster->n_bytes > roster->bytes_max || user->bytes > roster->bytes_max / 2)
        return roster_oldest_charged(user);
    return NULL;
}

size_t roster_count(const struct roster *roster)
{
    return roster->n_clients;
}
