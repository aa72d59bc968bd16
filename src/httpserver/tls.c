/* Certificate and key from PEM files, read whole; the library judges them when it starts. Notices
 * when the files change. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "config/file.h"
#include "httpserver/internal.h"

enum { PEM_LIMIT = 1 << 20 };

bool koa_http_tls_is_on(const struct koa_http_settings *settings)
{
    return settings->cert_file != NULL && settings->cert_file[0] != '\0';
}

static enum koa_err read_whole(int descriptor, const char *path, struct koa_buf *text,
                               struct koa_error *reterr)
{
    ssize_t count;

    do {
        char *target = koa_buf_reserve(text, 4096);

        if (target == NULL)
            return koa_buf_status(text, path, reterr);
        count = read(descriptor, target, 4096);
        if (count < 0 && errno != EINTR)
            return koa_fail_errno(reterr, KOA_ERR_IO, errno, "cannot read '%s'", path);
        if (count > 0)
            koa_buf_advance(text, (size_t) count);
    } while (count != 0);
    if (text->size == 0 || memchr(text->data, '\0', text->size) != NULL)
        return koa_fail(reterr, KOA_ERR_TLS, "'%s' is not a PEM file", path);
    return KOA_OK;
}

static enum koa_err read_pem(const char *path, char **ret_text, struct koa_error *reterr)
{
    struct koa_buf text = {.limit = PEM_LIMIT};
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    enum koa_err err;

    if (descriptor < 0)
        return koa_fail_errno(reterr, KOA_ERR_IO, errno, "cannot open '%s'", path);
    err = read_whole(descriptor, path, &text, reterr);
    (void) close(descriptor);
    if (err == KOA_OK) {
        *ret_text = koa_buf_take(&text);
        err = koa_require_memory(*ret_text, reterr);
    }
    koa_buf_deinit(&text);
    return err;
}

enum koa_err koa_http_tls_load(const struct koa_http_settings *settings, char **ret_certificate,
                               char **ret_key, struct koa_error *reterr)
{
    enum koa_err err;

    if (!koa_http_tls_is_on(settings))
        return KOA_OK;
    if (settings->key_file == NULL || settings->key_file[0] == '\0') {
        return koa_fail(reterr, KOA_ERR_INVALID,
                        "web.tls.cert_file is set, but web.tls.key_file is not");
    }
    err = read_pem(settings->cert_file, ret_certificate, reterr);
    return err != KOA_OK ? err : read_pem(settings->key_file, ret_key, reterr);
}

uint64_t koa_http_tls_signature(const struct koa_http_settings *settings)
{
    const char *const paths[] = {settings->cert_file, settings->key_file};

    return koa_http_tls_is_on(settings) ? koa_file_signature(paths, KOA_ARRAY_COUNT(paths)) : 0;
}

void koa_http_tls_look(struct koa_http_server *server)
{
    const struct koa_http_settings *settings;
    uint64_t signature;
    struct koa_error error;

    (void) pthread_mutex_lock(&server->reload_mutex);
    settings = &server->policy->settings;
    signature = koa_http_tls_signature(settings);
    if (signature != server->tls_signature) {
        /* Kept also when the files are bad: they are looked at again when they change again. */
        server->tls_signature = signature;
        if (koa_http_generation_start(server, server->policy, &error) == KOA_OK) {
            koa_log_notice(server->opts.log, "http.certificate",
                           "the changed certificate '%s' is in use", settings->cert_file);
        } else {
            koa_log_error(server->opts.log, "http.certificate",
                          "the changed certificate cannot be used, the previous one stays: %s",
                          error.text);
        }
    }
    (void) pthread_mutex_unlock(&server->reload_mutex);
}
