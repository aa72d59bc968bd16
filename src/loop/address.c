/* Numeric addresses: from text and to text. Names are the resolver's. */
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "loop/resolver.h"

bool koa_address_parse(const char *host, int port, struct koa_address *ret_address)
{
    struct koa_str text = koa_str_from(host);
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char plain[INET6_ADDRSTRLEN + IF_NAMESIZE + 2];

    if (text.size > 2 && text.data[0] == '[' && text.data[text.size - 1] == ']')
        text = (struct koa_str){.data = text.data + 1, .size = text.size - 2};
    /* getaddrinfo() also reads "10.1" and "0x7f000001" as addresses; a person means a name. */
    if (!koa_str_copy(plain, sizeof(plain), text) ||
        (strchr(plain, ':') == NULL && inet_pton(AF_INET, plain, &(struct in_addr){0}) != 1))
        return false;
    if (getaddrinfo(plain, NULL, &hints, &found) != 0)
        return false;
    *ret_address = koa_address_from(found->ai_addr, found->ai_addrlen, port);
    freeaddrinfo(found);
    return true;
}

struct koa_address koa_address_from(const struct sockaddr *socket, socklen_t size, int port)
{
    struct koa_address address = {0};

    if (size > sizeof(address.socket))
        size = sizeof(address.socket);
    address.size = size;
    memcpy(&address.socket, socket, size);
    koa_address_set_port(&address, port);
    return address;
}

void koa_address_set_port(struct koa_address *address, int port)
{
    if (address->socket.any.sa_family == AF_INET)
        address->socket.v4.sin_port = htons((uint16_t) port);
    if (address->socket.any.sa_family == AF_INET6)
        address->socket.v6.sin6_port = htons((uint16_t) port);
}

int koa_address_port(const struct koa_address *address)
{
    if (address->socket.any.sa_family == AF_INET)
        return ntohs(address->socket.v4.sin_port);
    return address->socket.any.sa_family == AF_INET6 ? ntohs(address->socket.v6.sin6_port) : 0;
}

void koa_address_format_host(const struct koa_address *address, char *text, size_t size)
{
    if (getnameinfo(&address->socket.any, address->size, text, (socklen_t) size, NULL, 0,
                    NI_NUMERICHOST) != 0)
        (void) koa_str_copy(text, size, KOA_STR("?"));
}

void koa_address_format(const struct koa_address *address, char *text, size_t size)
{
    char host[KOA_ADDRESS_TEXT_SIZE];
    bool is_v6 = address->socket.any.sa_family == AF_INET6;

    koa_address_format_host(address, host, sizeof(host));
    (void) snprintf(text, size, "%s%s%s:%d", is_v6 ? "[" : "", host, is_v6 ? "]" : "",
                    koa_address_port(address));
}
