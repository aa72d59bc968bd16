/* Classifies addresses by the registries of RFC 6890; who may be called is for the caller. */
#include "loop/address_guard.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/memory.h"

struct v4_range {
    uint32_t network;
    int bits;
    enum koa_address_class kind;
};

/* The first that fits. */
static const struct v4_range v4_ranges[] = {
    {0x646464c8, 32, KOA_ADDRESS_LINK_LOCAL}, {0xc00000c0, 32, KOA_ADDRESS_LINK_LOCAL},
    {0x00000000, 8, KOA_ADDRESS_UNSPECIFIED}, {0x0a000000, 8, KOA_ADDRESS_PRIVATE},
    {0x64400000, 10, KOA_ADDRESS_PRIVATE},    {0x7f000000, 8, KOA_ADDRESS_LOOPBACK},
    {0xa9fe0000, 16, KOA_ADDRESS_LINK_LOCAL}, {0xac100000, 12, KOA_ADDRESS_PRIVATE},
    {0xc0a80000, 16, KOA_ADDRESS_PRIVATE},    {0xe0000000, 4, KOA_ADDRESS_MULTICAST},
    {0xffffffff, 32, KOA_ADDRESS_MULTICAST},
};

static enum koa_address_class classify_v4(uint32_t address)
{
    for (size_t i = 0; i < KOA_ARRAY_COUNT(v4_ranges); i++) {
        uint32_t mask = UINT32_MAX << (32 - v4_ranges[i].bits);

        if ((address & mask) == v4_ranges[i].network)
            return v4_ranges[i].kind;
    }
    return KOA_ADDRESS_PUBLIC;
}

static uint32_t v4_at(const unsigned char *bytes)
{
    return (uint32_t) bytes[0] << 24 | (uint32_t) bytes[1] << 16 | (uint32_t) bytes[2] << 8 |
           bytes[3];
}

static enum koa_address_class classify_v6(const unsigned char bytes[16])
{
    static const unsigned char loopback[16] = {[15] = 1};
    static const unsigned char zero[16] = {0};
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const unsigned char nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    static const unsigned char metadata[2][16] = {
        {0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54},
        {0xfd, 0x20, 0x00, 0xce, [14] = 0x02, [15] = 0x54},
    };

    if (memcmp(bytes, zero, 16) == 0)
        return KOA_ADDRESS_UNSPECIFIED;
    if (memcmp(bytes, loopback, 16) == 0)
        return KOA_ADDRESS_LOOPBACK;
    if (memcmp(bytes, mapped, 12) == 0 || memcmp(bytes, nat64, 12) == 0)
        return classify_v4(v4_at(bytes + 12));
    if (bytes[0] == 0x20 && bytes[1] == 0x02)
        return classify_v4(v4_at(bytes + 2));
    if (bytes[0] == 0xff)
        return KOA_ADDRESS_MULTICAST;
    if (memcmp(bytes, metadata[0], 16) == 0 || memcmp(bytes, metadata[1], 16) == 0 ||
        (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80))
        return KOA_ADDRESS_LINK_LOCAL;
    return (bytes[0] & 0xfe) == 0xfc ? KOA_ADDRESS_PRIVATE : KOA_ADDRESS_PUBLIC;
}

enum koa_address_class koa_address_classify(const struct koa_address *address)
{
    if (address->socket.any.sa_family == AF_INET)
        return classify_v4(ntohl(address->socket.v4.sin_addr.s_addr));
    if (address->socket.any.sa_family == AF_INET6)
        return classify_v6(address->socket.v6.sin6_addr.s6_addr);
    return KOA_ADDRESS_UNSPECIFIED;
}

const char *koa_address_class_name(enum koa_address_class kind)
{
    static const char *const names[KOA_ADDRESS_CLASS_COUNT] = {
        [KOA_ADDRESS_PUBLIC] = "public",       [KOA_ADDRESS_PRIVATE] = "private",
        [KOA_ADDRESS_LOOPBACK] = "loopback",   [KOA_ADDRESS_LINK_LOCAL] = "link-local",
        [KOA_ADDRESS_MULTICAST] = "multicast", [KOA_ADDRESS_UNSPECIFIED] = "unspecified",
    };

    KOA_ASSERT(kind < KOA_ADDRESS_CLASS_COUNT);
    return names[kind];
}
