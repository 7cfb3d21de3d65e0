/*
 * The rules, for those who read them or turn one off. What each of them does is where it is
 * checked.
 */
#include "rules.h"

#include <string.h>

#include "lib/util/near.h"

static const struct rule {
    const char *word, *meaning;
} rules[] = {
    {"address-mismatch", "clusterIP and clusterIPs say different things"},
    {"alias-expansion", "YAML aliases stand for too much"},
    {"bad-value", "a field holds a value that it cannot have"},
    {"duplicate-address", "two Services have one cluster IP"},
    {"duplicate-container", "two containers of a pod have one name"},
    {"duplicate-object", "the same object is said twice; the later one counts"},
    {"duplicate-port", "two ports have one name, or one number and protocol"},
    {"encoding", "bytes that are not valid UTF-8 or UTF-16, read as U+FFFD"},
    {"external-address", "an externalName is an address"},
    {"external-name", "an externalName is no name in DNS"},
    {"family-policy", "two families without the ipFamilyPolicy that they need"},
    {"forbidden-field", "a field that the type of the Service must not have"},
    {"fqdn-slice", "an EndpointSlice of names instead of addresses, which publishes nothing"},
    {"headless-type", "a NodePort or LoadBalancer with clusterIP None"},
    {"invalid-address", "what must be an address is none"},
    {"invalid-label", "the key or value of a label is none"},
    {"invalid-name", "what must be a name is none"},
    {"left-out-job", "a Service's selector matches a Job that has no pods, such as a Helm hook"},
    {"load-balancer-ip", "loadBalancerIP None, where clusterIP None was meant"},
    {"localhost", "a Service is called localhost"},
    {"missing-field", "a field that must be there is not"},
    {"no-api-version", "an object without apiVersion"},
    {"no-name", "an object without a name"},
    {"no-ports", "a Service without ports that is not headless"},
    {"no-selector", "a workload without a selector, which the API refuses"},
    {"no-service-name", "a StatefulSet without serviceName: its pods have no names"},
    {"no-such-kind", "a kind that its apiVersion does not have"},
    {"numeric-name", "a name of digits, which libc takes for an address"},
    {"openshift-template", "an OpenShift Template, which is to be processed first"},
    {"pod-name", "a workload whose pods would need a name that no pod can have"},
    {"public-domain", "a namespace that is a domain of public DNS (dev, app): api.dev is hidden"},
    {"removed-version", "an apiVersion that Kubernetes no longer has"},
    {"repeated-field", "a field is there twice; the last one counts"},
    {"restart-policy", "a restartPolicy that the pods of a workload cannot have"},
    {"selector-mismatch", "a workload's selector does not match its own template"},
    {"selects-nothing", "a Service's selector matches no pod and no template"},
    {"service-not-headless", "a StatefulSet's serviceName names a Service that is not headless"},
    {"syntax", "no valid YAML or JSON"},
    {"target-port", "a Service leads to a port that no container has"},
    {"template", "a template (Helm, Go, Jinja), which is to be rendered first"},
    {"too-deep", "too many levels of nesting"},
    {"too-large", "a file or an object that is too large"},
    {"too-long", "a text or a key that is too long"},
    {"too-many", "a file with more problems than are listed"},
    {"too-many-replicas", "more replicas than are counted"},
    {"unknown-field", "a field that does not exist, near to one that does"},
    {"unknown-kind", "a kind or apiVersion that does not exist, near to one that does"},
    {"unknown-rule", "a kubesvc-ignore comment names a rule that does not exist"},
    {"unknown-service", "a serviceName or subdomain that names no Service"},
    {"unnamed-port", "one of several ports has no name"},
    {"unreadable", "a file that cannot be read"},
    {"unresolved-variable", "a name holds ${...}, which is to be substituted first"},
    {"wrong-family", "an address is not of the family that is said"},
    {"wrong-type", "a field is of another type than it must be"},
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
    return near_word(word, words, 3);
}
