/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fields of a HorizontalPodAutoscaler: which workload it scales, and how far down. Its metrics
 * decide nothing here.
 */
#include "decode.h"

static uint8_t target_kind(const char *kind, const char *version)
{
    enum object_kind known = kind ? decode_kind(kind, version) : OBJECT_KINDS;

    switch (known) {
    case OBJECT_DEPLOYMENT:
    case OBJECT_REPLICA_SET:
    case OBJECT_REPLICATION_CONTROLLER:
    case OBJECT_STATEFUL_SET: return (uint8_t)known;
    default: return OBJECT_KINDS;
    }
}

static void read_autoscaler(struct fields *fields, const struct yaml_node *root,
                            struct object *object)
{
    struct autoscaler *autoscaler = (struct autoscaler *)object;
    const struct yaml_node *spec = fields_map(fields, root, "spec");
    const struct yaml_node *target = fields_map(fields, spec, "scaleTargetRef");
    int64_t least = 1;

    autoscaler->target.kind = target_kind(fields_string(fields, target, "kind"),
                                          fields_string(fields, target, "apiVersion"));
    autoscaler->target.name = decode_name(fields, target, "name");
    fields_integer(fields, spec, "minReplicas", 0, INT32_MAX, &least);
    /* 0 lets it scale down to none, but only once something was measured */
    autoscaler->replicas = (uint32_t)CLAMP(least, 1, REPLICAS_MAX);
}

const struct decoder autoscaler_decoder = {.read = read_autoscaler};
