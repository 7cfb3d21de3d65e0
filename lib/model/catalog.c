/*
 * The catalog. One table of identities that leads to the object in force; those that lost to it
 * hang below, best first. One table of sources with their objects. It compares objects as wholes
 * and reports only what changed, so that replacing a large file costs little more than reading it.
 */
#include "catalog.h"

#include <string.h>

#include "lib/util/hash.h"
#include "wide_set.h"

struct job {
    struct source *source;
    GPtrArray *incoming;    /* struct object *, owned; NULL where moved out */
    GPtrArray *old;         /* what the source said until now, the rest of it not in `before` yet */
    struct wide_set before; /* struct object of that, by identity */
    GPtrArray *after;       /* what it says from now on */
    guint done;
    struct wide_set_iter leftovers;
    bool begun, sweeping;
    bool partial; /* the source says more than there was room for */
};

struct catalog {
    catalog_changed changed;
    void *userdata;
    struct fiber *fiber;
    struct wide_set identities; /* struct object: the ones in force */
    GHashTable *sources;        /* struct source * -> GPtrArray of struct object * */
    GQueue *jobs;
    guint settled; /* jobs at the head that may be done */
};

static guint identity_hash(gconstpointer data)
{
    const struct object *object = data;
    return hash_text(object->name) ^ g_direct_hash(object->namespace) ^ object->kind * 0x9e3779b9u;
}

static gboolean identity_equal(gconstpointer a, gconstpointer b)
{
    const struct object *x = a, *y = b;
    return x->kind == y->kind && x->namespace == y->namespace && strcmp(x->name, y->name) == 0;
}

/* Positive when `a` wins over `b`. */
static int precedence(const struct object *a, const struct object *b)
{
    if (a->refused != b->refused)
        return a->refused ? -1 : 1;
    if (a->source->rank != b->source->rank)
        return a->source->rank > b->source->rank ? 1 : -1;
    int order = strcmp(a->source->path, b->source->path);
    if (order != 0)
        return order;
    return a->document > b->document ? 1 : -1;
}

struct catalog *catalog_new(catalog_changed changed, void *userdata, struct fiber *fiber)
{
    struct catalog *catalog = g_new0(struct catalog, 1);
    catalog->changed = changed;
    catalog->userdata = userdata;
    catalog->fiber = fiber;
    wide_set_init(&catalog->identities, identity_hash, identity_equal, NULL);
    catalog->sources =
        g_hash_table_new_full(g_direct_hash, g_direct_equal, (GDestroyNotify)source_unref,
                              (GDestroyNotify)g_ptr_array_unref);
    catalog->jobs = g_queue_new();
    return catalog;
}

static void job_free(struct job *job)
{
    g_ptr_array_unref(job->incoming);
    g_clear_pointer(&job->old, g_ptr_array_unref);
    wide_set_clear(&job->before);
    g_clear_pointer(&job->after, g_ptr_array_unref);
    source_unref(job->source);
    g_free(job);
}

static void free_objects_of(gpointer source, gpointer objects, gpointer userdata)
{
    (void)source, (void)userdata;
    g_ptr_array_foreach(objects, (GFunc)(void (*)(void))object_free, NULL);
}

static void job_discard(gpointer data)
{
    struct job *job = data;
    if (job->old)
        g_ptr_array_foreach(job->old, (GFunc)(void (*)(void))object_free, NULL);
    if (job->after)
        g_ptr_array_foreach(job->after, (GFunc)(void (*)(void))object_free, NULL);
    struct wide_set_iter iter;
    struct object *object;
    wide_set_iter_init(&iter, &job->before);
    while ((object = wide_set_next(&iter)))
        object_free(object);
    job_free(job);
}

struct catalog *catalog_free(struct catalog *catalog)
{
    if (!catalog)
        return NULL;
    g_queue_free_full(catalog->jobs, job_discard);
    g_hash_table_foreach(catalog->sources, free_objects_of, NULL);
    g_hash_table_unref(catalog->sources);
    wide_set_clear(&catalog->identities);
    g_free(catalog);
    return NULL;
}

static void insert(struct catalog *catalog, struct object *object)
{
    struct object *head = wide_set_find(&catalog->identities, object);
    if (!head || precedence(object, head) > 0) {
        object->shadowed = head;
        wide_set_add(&catalog->identities, object);
        catalog->changed(catalog->userdata, head, object);
        return;
    }
    struct object **link = &head->shadowed;
    while (*link && precedence(*link, object) > 0)
        link = &(*link)->shadowed;
    object->shadowed = *link;
    *link = object;
}

static void remove_and_free(struct catalog *catalog, struct object *object)
{
    struct object *head = wide_set_find(&catalog->identities, object);
    if (head == object) {
        if (object->shadowed)
            wide_set_add(&catalog->identities, object->shadowed);
        else
            wide_set_remove(&catalog->identities, object);
        catalog->changed(catalog->userdata, object, object->shadowed);
    } else {
        struct object **link = &head->shadowed;
        while (*link != object)
            link = &(*link)->shadowed;
        *link = object->shadowed;
    }
    object_free_on(catalog->fiber, object);
}

void catalog_replace(struct catalog *catalog, struct source *source, GPtrArray *objects)
{
    struct job *job = g_new0(struct job, 1);
    job->source = source_ref(source);
    job->partial = objects && source->n_refused > 0;
    wide_set_init(&job->before, identity_hash, identity_equal, NULL);
    job->incoming = objects ? objects : g_ptr_array_new_with_free_func((GDestroyNotify)object_free);
    g_queue_push_tail(catalog->jobs, job);
}

/* Takes the source's list of objects. */
static void job_begin(struct catalog *catalog, struct job *job)
{
    job->begun = true;
    job->after = g_ptr_array_sized_new(job->incoming->len);
    gpointer key, objects;
    if (!g_hash_table_steal_extended(catalog->sources, job->source, &key, &objects))
        return;
    source_unref(key);
    job->old = objects;
}

/* Puts an object of the list into the table. Of two with one identity in one file only one can be
 * found again; the other is simply removed and added. */
static void job_index(struct catalog *catalog, struct job *job)
{
    struct object *object = g_ptr_array_remove_index(job->old, job->old->len - 1);
    if (wide_set_find(&job->before, object))
        remove_and_free(catalog, object);
    else
        wide_set_add(&job->before, object);
}

/* Does the object keep its place among its rivals when it moves within its file? */
static bool may_move(const struct catalog *catalog, const struct object *object, uint32_t document)
{
    const struct object *head = wide_set_find(&catalog->identities, object);
    return object->document == document || (head == object && !object->shadowed);
}

static void job_take(struct catalog *catalog, struct job *job, struct object *incoming)
{
    struct object *before = wide_set_find(&job->before, incoming);
    if (before)
        wide_set_remove(&job->before, before);
    if (incoming->broken) {
        if (before)
            g_ptr_array_add(job->after, before);
        object_free_on(catalog->fiber, incoming);
        return;
    }
    if (before && object_equal(before, incoming) && may_move(catalog, before, incoming->document)) {
        before->line = incoming->line;
        before->column = incoming->column;
        before->document = incoming->document;
        g_ptr_array_add(job->after, before);
        object_free_on(catalog->fiber, incoming);
        return;
    }
    insert(catalog, incoming);
    g_ptr_array_add(job->after, incoming);
    if (before)
        remove_and_free(catalog, before);
}

static void job_end(struct catalog *catalog, struct job *job)
{
    if (job->after->len > 0)
        g_hash_table_insert(catalog->sources, source_ref(job->source),
                            g_steal_pointer(&job->after));
    job_free(job);
}

/* A few objects of a job; true when it is complete. */
static bool job_step(struct catalog *catalog, struct job *job)
{
    if (!job->begun)
        job_begin(catalog, job);
    for (unsigned n = 0; n < 64; n++) {
        if (job->old && job->old->len > 0) {
            job_index(catalog, job);
            continue;
        }
        if (job->done < job->incoming->len) {
            struct object *incoming = g_steal_pointer(&job->incoming->pdata[job->done++]);
            job_take(catalog, job, incoming);
            continue;
        }
        if (!job->sweeping) {
            wide_set_iter_init(&job->leftovers, &job->before);
            job->sweeping = true;
        }
        struct object *gone = wide_set_next(&job->leftovers);
        if (!gone)
            return true;
        wide_set_iter_remove(&job->leftovers);
        if (job->partial)
            g_ptr_array_add(job->after, gone); /* it may be one that there was no room for */
        else
            remove_and_free(catalog, gone);
    }
    return false;
}

void catalog_settle(struct catalog *catalog)
{
    catalog->settled = catalog->jobs->length;
}

bool catalog_step(struct catalog *catalog)
{
    if (catalog->settled == 0)
        return false;
    struct job *job = g_queue_peek_head(catalog->jobs);
    if (!job_step(catalog, job))
        return true;
    g_queue_pop_head(catalog->jobs);
    catalog->settled--;
    job_end(catalog, job);
    return true;
}

bool catalog_is_busy(const struct catalog *catalog)
{
    return catalog->settled > 0;
}

struct object *catalog_find(const struct catalog *catalog, enum object_kind kind,
                            const char *namespace, const char *name)
{
    struct object probe = {.kind = (uint8_t)kind, .namespace = namespace, .name = name};
    return wide_set_find(&catalog->identities, &probe);
}

unsigned catalog_size(const struct catalog *catalog)
{
    return wide_set_size(&catalog->identities);
}

void catalog_each(const struct catalog *catalog,
                  void (*each)(void *userdata, struct object *object), void *userdata)
{
    struct wide_set_iter iter;
    struct object *object;
    wide_set_iter_init(&iter, &catalog->identities);
    while ((object = wide_set_next(&iter)))
        each(userdata, object);
}
