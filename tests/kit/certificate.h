/* Certificates for tests: good, expired, for other names, from other authorities. */
#ifndef KIT_CERTIFICATE_H
#define KIT_CERTIFICATE_H

#include <stdbool.h>

struct kit_certificate {
    const char *names; /* "DNS:a,IP:127.0.0.1"; NULL: none */
    const char *cert_file, *key_file;
    const char *ca_cert_file, *ca_key_file; /* NULL: signs itself */
    const char *key_password;               /* NULL: the key is not encrypted */
    bool is_authority;
    long from_s, until_s; /* from now; both 0: an hour */
};

/* Writes both PEM files; the common name is that of `cert_file`. */
void kit_make(const struct kit_certificate *certificate);
/* A self-signed certificate for the DNS name `name`, valid for an hour. */
void kit_make_certificate(const char *name, const char *cert_file, const char *key_file);

#endif
