/* An intrusive, circular, doubly linked list. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <koa/base.h>

#include "base/memory.h"

struct koa_list_node {
    struct koa_list_node *next, *previous;
};

static inline void koa_list_init(struct koa_list_node *head)
{
    head->next = head->previous = head;
}

static inline bool koa_list_is_empty(const struct koa_list_node *head)
{
    return head->next == head || head->next == NULL;
}

static inline void koa_list_push_back(struct koa_list_node *head, struct koa_list_node *node)
{
    node->next = head;
    node->previous = head->previous;
    head->previous->next = node;
    head->previous = node;
}

/* Safe for a node that is in no list and zeroed. */
static inline void koa_list_remove(struct koa_list_node *node)
{
    if (node->next == NULL)
        return;
    node->next->previous = node->previous;
    node->previous->next = node->next;
    node->next = node->previous = NULL;
}

/* The first node, removed, or NULL. */
static inline struct koa_list_node *koa_list_pop_front(struct koa_list_node *head)
{
    struct koa_list_node *node = koa_list_is_empty(head) ? NULL : head->next;

    if (node != NULL)
        koa_list_remove(node);
    return node;
}

/* The body may remove `node`. A declared name cannot stand in parentheses. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
#define KOA_LIST_FOREACH(node, head)                                                               \
    for (struct koa_list_node *node = (head)->next, *node##_next = node->next; node != (head);     \
         node = node##_next, node##_next = node->next)
/* NOLINTEND(bugprone-macro-parentheses) */

#endif
