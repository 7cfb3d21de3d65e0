/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rules, for listing them or turning one off. Each is implemented where it is checked.
 */
#include "rules.h"

#include <string.h>

#include "lib/util/suggest.h"

static const struct rule {
    const char *word, *meaning;
} rules[] = {
    {"address-mismatch", "clusterIP and clusterIPs contradict each other"},
    {"alias-expansion", "YAML aliases expand to too much"},
    {"bad-value", "invalid value of a field"},
    {"bare-list", "a list of objects that is not in an object of kind List"},
    {"duplicate-address", "two Services with the same cluster IP"},
    {"duplicate-container", "two containers of a pod with the same name"},
    {"duplicate-object", "object defined more than once; the later definition counts"},
    {"duplicate-port", "two ports with the same name, or the same number and protocol"},
    {"encoding", "invalid UTF-8 or UTF-16, read as U+FFFD"},
    {"external-address", "an externalName that is an address"},
    {"external-name", "an externalName that is not a DNS name"},
    {"family-policy", "two families without the ipFamilyPolicy they require"},
    {"forbidden-field", "a field not allowed for the type of the Service"},
    {"fqdn-slice", "an EndpointSlice of names instead of addresses, which publishes nothing"},
    {"headless-type", "a NodePort or LoadBalancer with clusterIP None"},
    {"invalid-address", "invalid address"},
    {"invalid-label", "invalid key or value of a label"},
    {"invalid-name", "invalid name"},
    {"left-out-job", "a Service's selector matches a Job that has no pods, such as a Helm hook"},
    {"load-balancer-ip", "loadBalancerIP None, where clusterIP None was meant"},
    {"localhost", "a Service named localhost"},
    {"missing-field", "a required field is missing"},
    {"no-api-version", "an object without apiVersion"},
    {"no-kind", "an object without kind"},
    {"no-manifests", "a directory without manifests, or an input that is empty"},
    {"no-name", "an object without a name"},
    {"no-ports", "a Service without ports that is not headless"},
    {"no-selector", "a workload without a selector, which the API server rejects"},
    {"no-service-name", "a StatefulSet without serviceName: its pods have no names"},
    {"no-such-kind", "a kind unknown to its apiVersion"},
    {"numeric-name", "a name of digits, which libc takes for an address"},
    {"openshift-template", "an OpenShift Template that must be processed first"},
    {"pod-name", "a workload whose pods would need an invalid name"},
    {"public-domain",
     "a namespace that is a domain of public DNS (dev, app), hiding hosts such as api.dev"},
    {"removed-version", "an apiVersion that Kubernetes has removed"},
    {"repeated-field", "duplicate field; the last one counts"},
    {"restart-policy", "a restartPolicy not allowed for the workload's pods"},
    {"selector-mismatch", "a workload's selector does not match its own template"},
    {"selects-nothing", "a Service's selector matches no pod and no template"},
    {"service-not-headless", "a StatefulSet's serviceName names a Service that is not headless"},
    {"syntax", "invalid YAML or JSON"},
    {"target-port", "a Service leads to a port that no container has"},
    {"template", "a template (Helm, Go, Jinja) that must be rendered first"},
    {"too-deep", "too many levels of nesting"},
    {"too-large", "a file or an object that is too large"},
    {"too-long", "a text or a key that is too long"},
    {"too-many", "more problems in a file than are listed"},
    {"too-many-replicas", "more replicas than are counted"},
    {"unknown-field", "an unknown field, similar to a known one"},
    {"unknown-kind", "an unknown kind or apiVersion, similar to a known one"},
    {"unknown-rule", "a kubesvc-ignore comment names an unknown rule"},
    {"unknown-service", "a serviceName or subdomain that names no Service"},
    {"unnamed-port", "one of several ports has no name"},
    {"unreadable", "a file that cannot be read"},
    {"unresolved-variable", "a name with ${...} that must be substituted first"},
    {"wrong-family", "an address of another family than stated"},
    {"wrong-type", "a field of the wrong type"},
};

char *rules_describe(void)
{
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
        g_string_append_printf(text, "  %-21s %s\n", rules[i].word, rules[i].meaning);
    return g_string_free(text, FALSE);
}

const char *rules_find(const char *word)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
        if (strcmp(rules[i].word, word) == 0)
            return rules[i].word;
    return NULL;
}

const char *rules_suggest(const char *word)
{
    const char *words[G_N_ELEMENTS(rules) + 1] = {NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
        words[i] = rules[i].word;
    return suggest_word(word, words, 3);
}
