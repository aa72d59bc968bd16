/* The client's side of TLS 1.2 and 1.3 without I/O: a session eats the bytes that came from the
 * wire, and emits those that go there. Who the peer must be is always verified. */
#ifndef CRYPTO_TLS_H
#define CRYPTO_TLS_H

#include <koa/error.h>

#include "base/buf.h"

struct koa_tls_client;
struct koa_tls_session;

/* PEM files; NULL or "": none. */
struct koa_tls_client_opts {
    const char *ca_file;   /* whom to trust; default: the system's authorities */
    const char *cert_file; /* our own certificate, with those of its issuers behind it */
    const char *key_file;  /* its key */
    const char *key_password;
};

/* What sessions have in common. Reads the files now, so it belongs on a worker; it never changes
 * afterwards. KOA_ERR_TLS names the file and what is wrong with it. */
KOA_MUST_USE enum koa_err koa_tls_client_create(const struct koa_tls_client_opts *opts,
                                                struct koa_tls_client **ret_client,
                                                struct koa_error *reterr);
/* Any thread. */
struct koa_tls_client *koa_tls_client_ref(struct koa_tls_client *client);
void koa_tls_client_unref(struct koa_tls_client *client); /* NULL is nothing */

/* `peer`: the host name or numeric address that the certificate must be for. The first bytes of the
 * handshake wait in the output. */
KOA_MUST_USE enum koa_err koa_tls_session_create(struct koa_tls_client *client, const char *peer,
                                                 struct koa_tls_session **ret_session,
                                                 struct koa_error *reterr);
void koa_tls_session_destroy(struct koa_tls_session *session);

/* Bytes from the wire, at most INT_MAX: koa_tls_session_handshake() or koa_tls_session_read() then
 * looks at them. */
KOA_MUST_USE enum koa_err koa_tls_session_feed(struct koa_tls_session *session,
                                               struct koa_str bytes, struct koa_error *reterr);
/* KOA_OK also when the peer has to go on first. KOA_ERR_TLS: what is wrong, in words that complete
 * "TLS with HOST: ..."; the output may then hold an alert for the peer. */
KOA_MUST_USE enum koa_err koa_tls_session_handshake(struct koa_tls_session *session,
                                                    struct koa_error *reterr);
/* Once the handshake is done (asserted): plain bytes into `data`; 0 of them: more must come first.
 * KOA_ERR_CLOSED: the peer ended the session in order. KOA_ERR_TLS as above: with TLS 1.3 a peer
 * refuses our certificate only now. */
KOA_MUST_USE enum koa_err koa_tls_session_read(struct koa_tls_session *session, void *data,
                                               size_t size, size_t *ret_size,
                                               struct koa_error *reterr);
/* Only once the handshake is done (asserted). */
KOA_MUST_USE enum koa_err koa_tls_session_write(struct koa_tls_session *session,
                                                struct koa_str bytes, struct koa_error *reterr);
/* Says goodbye: the last bytes of the output. */
void koa_tls_session_close(struct koa_tls_session *session);
/* Moves what is to be written to the end of `buf`; look at its state afterwards. */
void koa_tls_session_take_output(struct koa_tls_session *session, struct koa_buf *buf);

/* The handshake is done and the peer is who it must be. */
bool koa_tls_session_is_ready(const struct koa_tls_session *session);

#endif
