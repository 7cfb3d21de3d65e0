/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rules of `kubesvc check` beyond those of the reader: what is well read and still not meant.
 */
#pragma once

#include "check_report.h"
#include "lib/yaml/tree.h"
#include "lint_model.h"

/* As an object is read: keeps of its tree what the other rules need, and says in the record what is
 * wrong in the tree itself. */
void lint_tree(struct lint_record *record, const struct yaml_node *root);

/* A tree that no object was read from; NULL, or what is wrong with it. */
struct diagnostic *lint_foreign_tree(const struct yaml_node *root);

/* The same tree as a custom resource for which an operator may create pods; NULL if it is not
 * one. */
struct maker *lint_maker(const struct yaml_node *root);

/* Judging by the labels, does a selector match pods created by an operator? */
bool lint_is_operated(const struct labels *selector);

/* Rules of a tree, called by lint_tree. */
void lint_fields(struct lint_record *record, const struct yaml_node *root);

/* Rules of the whole world. */
void lint_world(struct lint_model *model, struct check_report *report);

/* One record in force each, called by lint_world. */
void lint_service(struct lint_model *model, const struct lint_record *record,
                  struct check_report *report);
void lint_ports(const struct lint_record *record, const GPtrArray *selected,
                struct check_report *report); /* `selected`: struct object * */
void lint_workload(struct lint_model *model, const struct lint_record *record,
                   struct check_report *report);
void lint_pod_spec(struct lint_model *model, const struct lint_record *record,
                   struct check_report *report);

/* Is it a domain at the top of public DNS? */
bool lint_is_public_domain(const char *name);

/* Would the daemon allocate a cluster IP for this Service, with pods of these files behind it? Not
 * where it has endpoints with addresses of their own. After lint_model_index. */
bool lint_gets_cluster_ip(struct lint_model *model, const struct lint_record *record);
