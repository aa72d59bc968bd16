/* What a cluster's certificate and secret files hold now. */
#ifndef KAFKA_MATERIAL_H
#define KAFKA_MATERIAL_H

#include "crypto/tls.h"
#include "kafka/security.h"

struct koa_kafka_material {
    uint64_t signature;                     /* of the files it was read from */
    struct koa_tls_client *tls;             /* NULL: plaintext */
    char *password, *token, *client_secret; /* from the file or the setting; NULL: none */
};

/* Changes when one of the files does. Looks at the disk: on a worker. */
uint64_t koa_kafka_material_signature(const struct koa_kafka_security *security);
/* Reads all of them, or says which one is no good. On a worker. */
KOA_MUST_USE enum koa_err koa_kafka_material_create(const struct koa_kafka_security *security,
                                                    struct koa_kafka_material **ret_material,
                                                    struct koa_error *reterr);
void koa_kafka_material_destroy(struct koa_kafka_material *material); /* NULL is nothing */

#endif
