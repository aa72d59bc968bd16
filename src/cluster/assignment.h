/* What a member of a classic group is assigned: Kafka's consumer protocol, embedded in the group's
 * own bytes (ConsumerProtocolAssignment.json: version, topics with partitions, user data). */
#ifndef CLUSTER_ASSIGNMENT_H
#define CLUSTER_ASSIGNMENT_H

#include <koa/base.h>

/* For each topic with at least one partition. */
typedef bool koa_assigned_fn(void *context, struct koa_str topic, uint32_t partitions);

/* False when the bytes are no such thing, or `each` said so. Other clients' protocols are. */
bool koa_assignment_read(struct koa_str bytes, koa_assigned_fn *each, void *context);

#endif
