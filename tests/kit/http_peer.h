/* A tiny HTTP peer on a thread of its own, good or bad: it answers, hangs, trickles, floods, closes
 * early. One connection at a time. */
#ifndef KIT_HTTP_PEER_H
#define KIT_HTTP_PEER_H

#include <stdbool.h>
#include <stddef.h>

enum kit_http_manner {
    KIT_HTTP_ANSWERS,       /* with `answer`, then closes */
    KIT_HTTP_HANGS,         /* reads the request and says nothing */
    KIT_HTTP_TRICKLES,      /* a header that never ends, a byte every 5 ms */
    KIT_HTTP_CLOSES,        /* at once */
    KIT_HTTP_FLOODS_BODY,   /* `answer`, then a body without end */
    KIT_HTTP_FLOODS_HEADERS /* headers without end */
};

struct kit_http_peer;

/* `cert_file` and `key_file` NULL: plain HTTP. Both are PEM. */
struct kit_http_peer *kit_http_peer_start(enum kit_http_manner manner, const char *answer,
                                          const char *cert_file, const char *key_file);
int kit_http_peer_port(const struct kit_http_peer *peer);
/* Ends it; what it received of all connections, up to 64 KiB, goes to `requests` (may be NULL). */
void kit_http_peer_end(struct kit_http_peer *peer, char *requests, size_t size);
/* Connections accepted so far. */
int kit_http_peer_connections(struct kit_http_peer *peer);

#endif
