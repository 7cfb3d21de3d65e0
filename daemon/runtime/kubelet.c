/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A pod is known by its uid: a directory of that name holds its hosts file, and one whose name ends
 * with it holds its logs and gives its namespace and name. Either may come first or go first; both
 * together are a sighting.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "runtime.h"

#define HOSTS "etc-hosts"
#define HOSTS_MASK                                                                                 \
    (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_ONLYDIR)

struct kubelet_pod {
    struct kubelet *kubelet;
    char *uid;
    char *hosts;  /* its hosts file, in the folder */
    char **names; /* from kubelet_split; NULL: not known */
    struct watch_point *point;
    struct runtime_file *file; /* NULL: it has no directory */
    enum folder_reason due;
};

struct kubelet {
    struct kubelet_callbacks callbacks;
    struct watch *watch;
    struct folder *hosts, *logs;
    GHashTable *pods; /* uid -> struct kubelet_pod */
};

static void wake(void *userdata)
{
    const struct kubelet *kubelet = userdata;

    kubelet->callbacks.wake(kubelet->callbacks.userdata);
}

static void pod_free(gpointer userdata)
{
    struct kubelet_pod *pod = userdata;

    watch_point_free(pod->point);
    if (pod->file)
        runtime_file_free(pod->file);
    g_strfreev(pod->names);
    g_free(pod->uid);
    g_free(pod->hosts);
    g_free(pod);
}

static struct kubelet_pod *need_pod(struct kubelet *kubelet, const char *uid)
{
    struct kubelet_pod *pod = g_hash_table_lookup(kubelet->pods, uid);

    if (pod)
        return pod;
    pod = g_new0(struct kubelet_pod, 1);
    pod->kubelet = kubelet;
    pod->uid = g_strdup(uid);
    pod->hosts = g_strconcat(uid, "/" HOSTS, NULL);
    g_hash_table_insert(kubelet->pods, pod->uid, pod);
    return pod;
}

static void want(struct kubelet_pod *pod, enum folder_reason reason)
{
    pod->due = MAX(pod->due, reason);
}

static void on_hosts(void *userdata, uint32_t mask, const char *name)
{
    struct kubelet_pod *pod = userdata;

    (void)name;
    want(pod, mask & ~(uint32_t)IN_ATTRIB ? FOLDER_CHANGED : FOLDER_TOUCHED);
    wake(pod->kubelet);
}

static bool exists(struct folder *folder, const char *name)
{
    int directory = folder_enter(folder);
    struct stat st;

    return directory >= 0 && fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(st.st_mode);
}

/* A directory of a pod: watched before its file is read. */
static bool on_directory(void *userdata, const char *name, enum folder_reason reason, void **datap)
{
    struct kubelet *kubelet = userdata;
    struct watch_point *before;

    (void)datap;
    bool there = exists(kubelet->hosts, name);
    if (!there && !g_hash_table_contains(kubelet->pods, name))
        return false;
    struct kubelet_pod *pod = need_pod(kubelet, name);
    want(pod, reason);
    before = g_steal_pointer(&pod->point);
    if (there) {
        g_autofree char *path = folder_file(kubelet->hosts, name);
        if (!pod->file)
            pod->file = runtime_file_new(kubelet->hosts, pod->hosts, true);
        if (watch_add(kubelet->watch, &pod->point, path, HOSTS_MASK, HOSTS, on_hosts, pod) != 0)
            pod->point = NULL; /* deleted again, or polled */
    }
    watch_point_free(before);
    return there;
}

static bool on_logs(void *userdata, const char *name, enum folder_reason reason, void **datap)
{
    struct kubelet *kubelet = userdata;
    g_auto(GStrv) names = kubelet_split(name);

    (void)datap;
    if (!names)
        return false;
    bool there = exists(kubelet->logs, name);
    if (!there && !g_hash_table_contains(kubelet->pods, names[KUBELET_UID]))
        return false;
    struct kubelet_pod *pod = need_pod(kubelet, names[KUBELET_UID]);
    bool is_same =
        pod->names && g_strv_equal((const char *const *)names, (const char *const *)pod->names);
    want(pod, is_same == there ? reason : FOLDER_CHANGED);
    if (there == is_same)
        return there;
    g_clear_pointer(&pod->names, g_strfreev);
    if (there) {
        pod->names = g_steal_pointer(&names);
        return true;
    }
    /* one that it had before may still be there */
    folder_rescan(kubelet->logs);
    wake(kubelet);
    return false;
}

struct kubelet *kubelet_new(struct watch *watch, const char *pods, const char *logs,
                            const struct kubelet_callbacks *callbacks)
{
    struct kubelet *kubelet = g_new0(struct kubelet, 1);

    kubelet->callbacks = *callbacks;
    kubelet->watch = watch;
    kubelet->pods = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, pod_free);
    kubelet->hosts = folder_new(watch, pods, true,
                                &(struct folder_callbacks){wake, on_directory, NULL, kubelet});
    kubelet->logs =
        folder_new(watch, logs, true, &(struct folder_callbacks){wake, on_logs, NULL, kubelet});
    return kubelet;
}

struct kubelet *kubelet_free(struct kubelet *kubelet)
{
    if (!kubelet)
        return NULL;
    folder_free(kubelet->hosts);
    folder_free(kubelet->logs);
    g_hash_table_unref(kubelet->pods);
    g_free(kubelet);
    return NULL;
}

void kubelet_rescan(struct kubelet *kubelet)
{
    folder_rescan(kubelet->hosts);
    folder_rescan(kubelet->logs);
}

static int parse(void *userdata, const struct runtime_text *text, GPtrArray *sightings,
                 char **problemp)
{
    const struct kubelet_pod *pod = userdata;

    return kubelet_parse(pod->names[KUBELET_NAMESPACE], pod->names[KUBELET_NAME], text, sightings,
                         problemp);
}

/* Returns false when neither directory knows the pod any longer. */
static bool look(const struct kubelet *kubelet, struct kubelet_pod *pod)
{
    const struct kubelet_callbacks *callbacks = &kubelet->callbacks;

    enum folder_reason reason = pod->due;
    pod->due = FOLDER_NO_REASON;
    if (!pod->file)
        return pod->names != NULL;
    if (!pod->names)
        runtime_file_withdraw(pod->file, callbacks->seen, callbacks->userdata);
    else if (runtime_file_look(pod->file, reason, parse, pod, callbacks->seen, callbacks->userdata))
        return true;
    if (pod->point)
        return true;
    g_clear_pointer(&pod->file, runtime_file_free);
    return pod->names != NULL;
}

void kubelet_run(struct kubelet *kubelet)
{
    GHashTableIter iter;
    gpointer value;

    folder_run(kubelet->logs);
    folder_run(kubelet->hosts);
    g_hash_table_iter_init(&iter, kubelet->pods);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct kubelet_pod *pod = value;
        if (pod->due && !look(kubelet, pod))
            g_hash_table_iter_remove(&iter);
    }
    folder_leave(kubelet->logs);
    folder_leave(kubelet->hosts);
}

const struct folder *kubelet_folder(const struct kubelet *kubelet)
{
    return folder_error(kubelet->hosts) != 0 ? kubelet->hosts : kubelet->logs;
}

void kubelet_files(const struct kubelet *kubelet, void (*each)(void *userdata, void *file),
                   void *userdata)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, kubelet->pods);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct kubelet_pod *pod = value;
        if (pod->file)
            each(userdata, pod->file);
    }
}
