/* What kind of place an address is, so that a caller who lets others name targets can refuse some:
 * a webhook to 169.254.169.254 would read a cloud machine's credentials. */
#ifndef LOOP_ADDRESS_GUARD_H
#define LOOP_ADDRESS_GUARD_H

#include "loop/resolver.h"

enum koa_address_class {
    KOA_ADDRESS_PUBLIC,
    KOA_ADDRESS_PRIVATE,     /* RFC 1918, RFC 6598 (shared), fc00::/7 */
    KOA_ADDRESS_LOOPBACK,    /* 127.0.0.0/8, ::1 */
    KOA_ADDRESS_LINK_LOCAL,  /* 169.254.0.0/16, fe80::/10, and what clouds serve their metadata from
                              * elsewhere: 100.100.100.200, 192.0.0.192, fd00:ec2::254,
                              * fd20:ce::254 */
    KOA_ADDRESS_MULTICAST,   /* 224.0.0.0/4, 255.255.255.255, ff00::/8 */
    KOA_ADDRESS_UNSPECIFIED, /* 0.0.0.0/8 and ::, which the system takes for itself */
    KOA_ADDRESS_CLASS_COUNT
};

/* IPv4 inside IPv6 (::ffff:0:0/96, 64:ff9b::/96, 2002::/16) counts as that IPv4 address. Any family
 * but the two is unspecified. */
enum koa_address_class koa_address_classify(const struct koa_address *address);
/* "link-local" and so on, for messages. */
const char *koa_address_class_name(enum koa_address_class kind);

#endif
