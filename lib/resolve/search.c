/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The search list as glibc's resolver walks it (rules 74 to 82), and what its failures mean to a
 * program on this host (docs/nss-status.md). They differ in one point: glibc reports that a short
 * name exists without data as soon as one candidate is a bare namespace, because it takes the DNS
 * behind the list as the only source. Here another service may know a host of that name, so a short
 * name is ours only if a candidate is a Service or something below one.
 */
#include "search.h"

#include <string.h>

#include "name.h"
#include "settings.h"

/* Result for one candidate. */
enum verdict {
    VERDICT_FOUND,
    VERDICT_PENDING,
    VERDICT_NO_DATA,
    VERDICT_BARE, /* the zone, svc, pod or a namespace: no data by nature */
    VERDICT_NOT_FOUND,
    VERDICT_EMPTY, /* a Service with nothing to answer */
    VERDICT_NOT_OURS,
    VERDICT_FAILED, /* a nameserver failed */
    VERDICTS,
};

struct search {
    const struct snapshot_view *view;
    struct settings settings;
    struct text name; /* without final dot */
    struct text ns, zone;
    enum kubesvc_family family;
    search_external external;
    void *userdata;
    search_tried tried;
    void *tried_userdata;
    struct search_result *result;
    bool met[VERDICTS]; /* among the candidates so far */
    bool settled;       /* the result so far stands; only an answer can change it */
};

/* Nothing more to try. */
static bool is_final(enum verdict verdict)
{
    return verdict == VERDICT_FOUND || verdict == VERDICT_PENDING;
}

/* --- One candidate --- */

/* The canonical name so far; there is always one. */
static const char *last_name(const struct resolver_names *names)
{
    const char *nul = memrchr(names->text, '\0', names->size - 1u);

    return nul == NULL ? names->text : nul + 1;
}

static enum verdict ask_external(struct search *search, enum kubesvc_family family,
                                 struct resolver_answer *answer, struct external_answer *external)
{
    answer->outcome = RESOLVER_NODATA;
    search->external(search->userdata, last_name(&search->result->names), family, external);
    switch (external->state) {
    case EXTERNAL_FOUND:
        if (external->n_addresses == 0)
            break;
        answer->outcome = RESOLVER_FOUND;
        answer->addresses = external->addresses;
        answer->n_addresses = external->n_addresses;
        return VERDICT_FOUND;
    case EXTERNAL_PENDING: return VERDICT_PENDING;
    case EXTERNAL_FAILED: return VERDICT_FAILED;
    case EXTERNAL_NODATA: break;
    }
    return VERDICT_NO_DATA; /* rule 60 */
}

static enum verdict ask_family(struct search *search, enum kubesvc_family family,
                               struct resolver_answer *answer, struct external_answer *external)
{
    switch (answer->outcome) {
    case RESOLVER_FOUND: return VERDICT_FOUND;
    case RESOLVER_NODATA:
        return (answer->flags & RESOLVER_BARE) != 0 ? VERDICT_BARE : VERDICT_NO_DATA;
    case RESOLVER_NXDOMAIN:
        return (answer->flags & RESOLVER_SERVICE) != 0 ? VERDICT_EMPTY : VERDICT_NOT_FOUND;
    case RESOLVER_NOT_OURS: return VERDICT_NOT_OURS;
    case RESOLVER_EXTERNAL: return ask_external(search, family, answer, external);
    }
    return VERDICT_NOT_OURS;
}

/* The target's further owner names outside the zone. If there are too many, the last, canonical one
 * is kept. */
static void add_aliases(struct resolver_names *names, const struct external_answer *external)
{
    for (uint32_t i = 0; i < external->n_aliases; i++) {
        const char *alias = external->aliases[i];
        size_t length = strlen(alias);

        if (!name_is_valid(alias, length))
            continue;
        if (names->count >= KUBESVC_NAMES_MAX - 1 && i + 1 < external->n_aliases)
            continue;
        if (names->count >= KUBESVC_NAMES_MAX || length + 1 > (size_t)names->capacity - names->size)
            return;
        memcpy(names->text + names->size, alias, length + 1);
        names->size = (uint16_t)(names->size + length + 1);
        names->count++;
    }
}

/* Both families of one name (rule 78): either is an answer, even if the other fails; but there is
 * no result before both are known. */
static enum verdict ask(struct search *search, struct text name)
{
    struct search_result *result = search->result;
    struct external_answer inet = {.state = EXTERNAL_NODATA}, inet6 = inet;
    enum verdict verdict = VERDICT_NOT_OURS, verdict6 = VERDICT_NOT_OURS;

    resolver_name(search->view, &search->settings, name.data, name.length, &result->inet,
                  &result->inet6, &result->names);
    if (search->family != KUBESVC_FAMILY_INET6)
        verdict = ask_family(search, KUBESVC_FAMILY_INET, &result->inet, &inet);
    else
        result->inet = (struct resolver_answer){.outcome = RESOLVER_NODATA};
    if (search->family != KUBESVC_FAMILY_INET)
        verdict6 = ask_family(search, KUBESVC_FAMILY_INET6, &result->inet6, &inet6);
    else
        result->inet6 = (struct resolver_answer){.outcome = RESOLVER_NODATA};

    if (verdict == VERDICT_PENDING || verdict6 == VERDICT_PENDING || result->names.full)
        return VERDICT_PENDING;
    if (verdict == VERDICT_FOUND || verdict6 == VERDICT_FOUND) {
        add_aliases(&result->names, verdict == VERDICT_FOUND ? &inet : &inet6);
        return VERDICT_FOUND;
    }
    if (verdict == VERDICT_FAILED || verdict6 == VERDICT_FAILED)
        return VERDICT_FAILED;
    return search->family == KUBESVC_FAMILY_INET6 ? verdict6 : verdict;
}

/* "<name>.<domain>" (a candidate that is too long does not exist) */
static bool join(char buffer[static KUBESVC_NAME_MAX], struct text name, struct text domain,
                 struct text *joined)
{
    if (domain.length > KUBESVC_NAME_MAX || name.length + 1 + domain.length > KUBESVC_NAME_MAX)
        return false;
    memcpy(buffer, name.data, name.length);
    buffer[name.length] = '.';
    memcpy(buffer + name.length + 1, domain.data, domain.length);
    *joined = (struct text){buffer, name.length + 1 + domain.length};
    return name_is_valid(joined->data, joined->length);
}

/* --- The list --- */

static unsigned count_dots(struct text name)
{
    unsigned dots = 0;

    for (size_t i = 0; i < name.length; i++)
        dots += name.data[i] == '.';
    return dots;
}

static enum verdict try_candidate(struct search *search, struct text candidate)
{
    enum verdict verdict;

    if (search->tried != NULL)
        search->tried(search->tried_userdata, candidate.data, candidate.length);
    verdict = ask(search, candidate);
    if (!search->settled)
        search->met[verdict] = true;
    return verdict;
}

static enum verdict try_domain(struct search *search, struct text domain)
{
    char buffer[KUBESVC_NAME_MAX];
    struct text candidate;

    if (!join(buffer, search->name, domain, &candidate))
        return VERDICT_NOT_FOUND;
    return try_candidate(search, candidate);
}

/* The candidates of the default list whose shape allows them to exist (rule 45): a foreign or full
 * name would otherwise be looked up three times in vain. */
struct shape {
    bool own, svc, zone;
};

static struct shape shape_of(const struct search *search)
{
    unsigned labels = count_dots(search->name) + 1;
    const char *name = search->name.data;
    size_t length = search->name.length;

    if (search->tried != NULL) /* report all of them */
        return (struct shape){true, true, true};
    return (struct shape){
        .own = labels <= 3, /* <port>.<proto>.<service> */
        .svc = labels <= 4,
        .zone = name_has_suffix(name, length, "svc", strlen("svc")) ||
                name_has_suffix(name, length, "pod", strlen("pod")),
    };
}

/* <namespace>.svc.<zone>, svc.<zone>, <zone> (rule 74) */
static enum verdict try_default_list(struct search *search)
{
    struct text zone = search->zone, svc_zone, whole;
    char svc_buffer[KUBESVC_NAME_MAX], buffer[KUBESVC_NAME_MAX];
    struct shape shape = shape_of(search);
    enum verdict verdict = VERDICT_NOT_FOUND;

    if (!join(svc_buffer, (struct text){"svc", strlen("svc")}, zone, &svc_zone))
        return verdict;
    if (shape.own && join(buffer, search->ns, svc_zone, &whole))
        verdict = try_domain(search, whole);
    if (shape.svc && !is_final(verdict))
        verdict = try_domain(search, svc_zone);
    if (shape.zone && !is_final(verdict))
        verdict = try_domain(search, zone);
    return verdict;
}

static enum verdict try_list(struct search *search)
{
    enum verdict verdict = VERDICT_NOT_FOUND;

    if (search->settings.search_default)
        return try_default_list(search);
    for (uint32_t i = 0; i < search->settings.n_search && !is_final(verdict); i++) {
        uint32_t length;
        const char *domain = settings_search(&search->settings, i, &length);

        if (domain != NULL)
            verdict = try_domain(search, (struct text){domain, length});
    }
    return verdict;
}

/* --- Result --- */

static bool is_in_zone(const struct search *search)
{
    struct settings settings = search->settings;

    return settings_enter(&settings, search->name.data, search->name.length);
}

/* Names that no other service may be asked for: in a zone, or ending in `.svc`. */
static bool is_reserved(const struct search *search)
{
    return is_in_zone(search) ||
           (search->name.length > strlen("svc") &&
            name_has_suffix(search->name.data, search->name.length, "svc", strlen("svc")));
}

/* Is the name in a namespace that `fallthrough` leaves to other services? */
static bool is_left_to_others(struct search *search)
{
    struct text whole = search->name;
    char buffer[KUBESVC_NAME_MAX];

    if ((search->settings.flags & KUBESVC_SETTINGS_FALLTHROUGH) == 0)
        return false;
    if (!is_in_zone(search) && !join(buffer, search->name, search->zone, &whole))
        return false;
    resolver_name(search->view, &search->settings, whole.data, whole.length, &search->result->inet,
                  &search->result->inet6, &search->result->names);
    return search->result->inet.outcome == RESOLVER_NOT_OURS;
}

static enum kubesvc_status conclude(struct search *search)
{
    bool reserved = is_reserved(search);

    if (search->met[VERDICT_NO_DATA] || (reserved && search->met[VERDICT_BARE]))
        return KUBESVC_STATUS_NO_DATA; /* rule 76 */
    if (search->met[VERDICT_FAILED])
        return KUBESVC_STATUS_TRY_AGAIN;
    if (reserved)
        return is_left_to_others(search) ? KUBESVC_STATUS_NOT_OURS : KUBESVC_STATUS_NOT_FOUND;
    return search->met[VERDICT_EMPTY] ? KUBESVC_STATUS_NOT_FOUND : KUBESVC_STATUS_NOT_OURS;
}

/* Rule 75. */
static enum verdict walk(struct search *search, bool absolute)
{
    bool as_is_first = absolute || count_dots(search->name) >= search->settings.ndots;
    enum verdict verdict;

    if (as_is_first) {
        verdict = try_candidate(search, search->name);
        if (absolute || is_final(verdict))
            return verdict;
        /* Rule 77. Nothing is known about a name outside the zone: the result of the list
         * counts. */
        search->settled = verdict != VERDICT_NOT_OURS;
    }
    verdict = try_list(search);
    if (!as_is_first && !is_final(verdict))
        verdict = try_candidate(search, search->name);
    return verdict;
}

/* A caller in a namespace of another zone has that zone's search list. */
static void split_zone(struct search *search)
{
    const char *at = memchr(search->ns.data, '@', search->ns.length);

    if (at == NULL)
        return;
    search->zone = (struct text){at + 1, search->ns.length - (size_t)(at + 1 - search->ns.data)};
    search->ns.length = (size_t)(at - search->ns.data);
}

static void begin_result(struct search_result *result, enum kubesvc_status status)
{
    result->status = status;
    result->pending = result->reserved = false;
    result->names.count = result->names.size = 0;
    result->names.full = false;
    result->inet = result->inet6 = (struct resolver_answer){.outcome = RESOLVER_NODATA};
}

/* The protocol's limit, on both families together. */
static void limit_addresses(struct search_result *result)
{
    struct resolver_answer *inet = &result->inet, *inet6 = &result->inet6;

    if (inet->n_addresses > KUBESVC_ADDRESSES_MAX)
        inet->n_addresses = KUBESVC_ADDRESSES_MAX;
    if (inet6->n_addresses > KUBESVC_ADDRESSES_MAX - inet->n_addresses)
        inet6->n_addresses = KUBESVC_ADDRESSES_MAX - inet->n_addresses;
}

void search_name(const struct snapshot_view *view, const struct search_question *question,
                 search_external external, void *userdata, struct search_result *result)
{
    struct search search = {
        .view = view,
        .name = {question->name, question->name_length},
        .ns = {question->ns, question->namespace_length},
        .family = question->family,
        .external = external,
        .userdata = userdata,
        .tried = question->tried,
        .tried_userdata = question->tried_userdata,
        .result = result,
    };
    bool absolute = search.name.length > 0 && search.name.data[search.name.length - 1] == '.';
    enum verdict verdict;

    begin_result(result, KUBESVC_STATUS_NOT_OURS);
    if (!settings_open(&search.settings, view))
        return;
    search.zone = (struct text){search.settings.zone, search.settings.zone_length};
    if (search.ns.data == NULL || search.ns.length == 0)
        search.ns = (struct text){search.settings.ns, search.settings.namespace_length};
    split_zone(&search);
    if (absolute)
        search.name.length--;
    if (!name_is_valid(search.name.data, search.name.length)) { /* rule 53 */
        if (is_reserved(&search))
            result->status = KUBESVC_STATUS_NOT_FOUND;
        return;
    }
    if ((search.settings.flags & KUBESVC_SETTINGS_EMPTY) != 0 ||
        name_equal(search.name.data, search.name.length, "localhost", strlen("localhost")))
        return;

    verdict = walk(&search, absolute);
    if (verdict == VERDICT_FOUND) {
        result->status = KUBESVC_STATUS_FOUND;
        limit_addresses(result);
        return;
    }
    begin_result(result, verdict == VERDICT_PENDING ? KUBESVC_STATUS_TRY_AGAIN : conclude(&search));
    result->pending = verdict == VERDICT_PENDING;
    result->reserved = result->status == KUBESVC_STATUS_TRY_AGAIN && is_reserved(&search);
}

void search_address(const struct snapshot_view *view, enum kubesvc_family family,
                    const uint8_t address[static 16], struct search_result *result)
{
    begin_result(result, KUBESVC_STATUS_NOT_OURS);
    resolver_address(view, family, address, &result->inet, &result->names);
    if (result->inet.outcome == RESOLVER_FOUND)
        result->status = KUBESVC_STATUS_FOUND;
    else if (result->inet.outcome == RESOLVER_NXDOMAIN)
        result->status = KUBESVC_STATUS_NOT_FOUND;
}
