/* The authenticator contract: from a request's credentials to what it may do. */
#ifndef KOA_AUTH_H
#define KOA_AUTH_H

#include <koa/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bits. `admin` implies all, `read` implies metrics. */
enum koa_scope { KOA_SCOPE_METRICS = 1, KOA_SCOPE_READ = 2, KOA_SCOPE_ADMIN = 4 };

/* Borrowed for the call. `authorization` is the header's whole value, or NULL. */
struct koa_credentials {
    const char *authorization;
    const char *peer; /* address without port */
    const char *method;
    const char *path;
};

enum koa_auth_result {
    KOA_AUTH_NONE,    /* not credentials of this kind: ask the next authenticator */
    KOA_AUTH_DENIED,  /* of this kind, and wrong: 401, counted against the address */
    KOA_AUTH_ACCEPTED /* `ret_scopes` is set */
};

/* Called on an HTTP thread, several at once; must be quick (a password hash takes a worker: see the
 * built-in one). */
typedef enum koa_auth_result
koa_authenticate_fn(void *context, const struct koa_credentials *credentials, unsigned *ret_scopes);

struct koa_authenticator {
    size_t struct_size;
    const char *name;
    const char *challenge; /* for WWW-Authenticate: `Basic realm="x"`; NULL: none */
    koa_authenticate_fn *authenticate;
    void *context;
};

#ifdef __cplusplus
}
#endif

#endif
