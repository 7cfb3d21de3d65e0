/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Copying a tree: what is copied outlives where it came from, and holds nothing beside it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/yaml/tree.h"

static struct yaml_node *scalar(struct tree *tree, const char *key, const char *text,
                                uint32_t length)
{
    struct yaml_node *node = tree_node(tree);
    node->type = YAML_NODE_SCALAR;
    node->key = key;
    node->text = tree_text(tree, text, length);
    node->length = length;
    return node;
}

static void copies(void **state)
{
    struct tree *from = tree_new(), *to = tree_new();
    struct yaml_node *root = tree_node(from), *list = tree_node(from), *beside = tree_node(from);
    (void)state;
    root->type = YAML_NODE_MAP;
    root->position = (struct position){3, 5};
    root->next = beside;
    root->first = scalar(from, "a", "x\0y", 3);
    root->first->next = list;
    list->type = YAML_NODE_LIST;
    list->key = tree_text(from, "list", 4);
    list->first = scalar(from, NULL, "1", 1);
    list->first->plain = true;
    list->first->next = scalar(from, NULL, "", 0);

    const struct yaml_node *copy = tree_copy(to, root);
    tree_free(from);
    assert_non_null(copy);
    assert_null(copy->next);
    assert_int_equal(copy->position.line, 3);
    assert_memory_equal(yaml_node_get(copy, "a")->text, "x\0y", 4);
    const struct yaml_node *items = yaml_node_get(copy, "list");
    assert_int_equal(items->type, YAML_NODE_LIST);
    assert_string_equal(items->first->text, "1");
    assert_true(items->first->plain);
    assert_string_equal(items->first->next->text, "");
    assert_null(items->first->next->next);
    tree_free(to);
}

static void no_room(void **state)
{
    static const char block[1u << 20];
    struct tree *from = tree_new(), *to = tree_new();
    struct yaml_node *root = tree_node(from);
    (void)state;
    root->type = YAML_NODE_LIST;
    root->first = scalar(from, NULL, "x", 1);
    while (tree_text(to, block, sizeof block - 1))
        ;
    while (tree_node(to))
        ;
    assert_null(tree_copy(to, root));
    tree_free(from);
    tree_free(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(copies), cmocka_unit_test(no_room)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
