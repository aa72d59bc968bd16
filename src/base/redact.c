/* Masks secrets: first the registered values, then what URLs carry by their form. */
#include "base/redact.h"

#include <pthread.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/str.h"

enum {
    SECRET_LIMIT = 1024, /* far beyond what a configuration holds */
    SECRET_MIN = 4,
};

static const char mask[] = "***";

/* Written at load time, read by every message; values are never removed, so that a reload cannot
 * unmask what the old configuration knew. */
static struct {
    pthread_rwlock_t lock;
    char *rows[SECRET_LIMIT]; /* the longest first */
    size_t count;
} secrets = {.lock = PTHREAD_RWLOCK_INITIALIZER};

static bool is_known_locked(const char *secret)
{
    for (size_t i = 0; i < secrets.count; i++) {
        if (strcmp(secrets.rows[i], secret) == 0)
            return true;
    }
    return false;
}

/* Longer ones first: one that contains another must be masked whole. */
static void add_locked(char *secret)
{
    size_t at = secrets.count++;

    while (at > 0 && strlen(secrets.rows[at - 1]) < strlen(secret)) {
        secrets.rows[at] = secrets.rows[at - 1];
        at--;
    }
    secrets.rows[at] = secret;
}

bool koa_redact_register(const char *secret)
{
    char *copy;
    bool is_kept;

    if (secret == NULL || strlen(secret) < SECRET_MIN)
        return true;
    copy = koa_strdup(secret);
    (void) pthread_rwlock_wrlock(&secrets.lock);
    is_kept = is_known_locked(secret);
    if (!is_kept && copy != NULL && secrets.count < SECRET_LIMIT) {
        add_locked(KOA_MOVE(copy));
        is_kept = true;
    }
    (void) pthread_rwlock_unlock(&secrets.lock);
    koa_free_secret(copy);
    return is_kept;
}

/* Puts the mask in place of `size` bytes at `at`; returns what follows it. A part shorter than the
 * mask gets as much of it as fits. */
static char *replace(char *at, size_t size)
{
    size_t masked = size < sizeof(mask) - 1 ? size : sizeof(mask) - 1;

    memcpy(at, mask, masked);
    memmove(at + masked, at + size, strlen(at + size) + 1);
    return at + masked;
}

static int hex_digit(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    return character >= 'A' && character <= 'F' ? character - 'A' + 10 : -1;
}

/* How many bytes of `text` are `secret` with any of its bytes URL-encoded; 0: it is another. Who
 * encodes chooses which bytes and which case, so no single encoded form could be looked for. */
static size_t match_encoded(const char *text, const char *secret)
{
    size_t at = 0;

    for (; *secret != '\0'; secret++) {
        if (text[at] == '%') {
            int high = hex_digit(text[at + 1]);
            int low = high >= 0 ? hex_digit(text[at + 2]) : -1;

            if (low < 0 || (char) (high * 16 + low) != *secret)
                return 0;
            at += 3;
        } else if (text[at] == *secret || (text[at] == '+' && *secret == ' ')) {
            at++;
        } else {
            return 0;
        }
    }
    return at;
}

static void redact_encoded(char *text, const char *secret)
{
    while (*text != '\0') {
        size_t size = match_encoded(text, secret);

        text = size > 0 ? replace(text, size) : text + 1;
    }
}

static void redact_registered(char *text)
{
    bool is_encoded = strpbrk(text, "%+") != NULL;

    (void) pthread_rwlock_rdlock(&secrets.lock);
    for (size_t i = 0; i < secrets.count; i++) {
        char *found = text;

        while ((found = strstr(found, secrets.rows[i])) != NULL)
            found = replace(found, strlen(secrets.rows[i]));
        if (is_encoded)
            redact_encoded(text, secrets.rows[i]);
    }
    (void) pthread_rwlock_unlock(&secrets.lock);
}

/* Behind "://": the password of user:password@. The authority ends at / ? # or white space. The
 * last '@' in it ends the user part: passwords with a raw '@' are masked whole. */
static char *redact_authority(char *authority)
{
    size_t size = strcspn(authority, "/?# \t\r\n\"'<>");
    char *at_sign = NULL;
    char *colon;

    for (size_t i = 0; i < size; i++) {
        if (authority[i] == '@')
            at_sign = authority + i;
    }
    if (at_sign == NULL)
        return authority;
    colon = memchr(authority, ':', (size_t) (at_sign - authority));
    if (colon == NULL || colon + 1 == at_sign)
        return at_sign;
    return replace(colon + 1, (size_t) (at_sign - colon - 1));
}

static bool is_secret_parameter(const char *name, size_t size)
{
    static const char *const names[] = {"password", "token",     "secret",       "key",
                                        "sig",      "signature", "access_token", "sslpassword"};

    for (size_t i = 0; i < KOA_ARRAY_COUNT(names); i++) {
        if (strlen(names[i]) == size && strncasecmp(name, names[i], size) == 0)
            return true;
    }
    return false;
}

/* From '?' on: the values of parameters with a telling name, or of all. */
static void redact_query(char *query, bool all)
{
    while (*query == '?' || *query == '&') {
        char *name = query + 1;
        size_t name_size = strcspn(name, "=&# \t\r\n\"'<>");
        char *value = name + name_size;

        if (*value == '=') {
            size_t size = strcspn(value + 1, "&# \t\r\n\"'<>");

            query = value + 1 + size;
            if (size > 0 && (all || is_secret_parameter(name, name_size)))
                query = replace(value + 1, size);
        } else {
            query = value;
        }
    }
}

static void redact_urls(char *text)
{
    char *found = text;

    while ((found = strstr(found, "://")) != NULL) {
        char *rest = redact_authority(found + 3);
        size_t path = strcspn(rest, "? \t\r\n\"'<>");

        redact_query(rest + path, false);
        found = rest;
    }
}

void koa_redact(char *text)
{
    redact_registered(text);
    redact_urls(text);
}

void koa_redact_url(const char *url, char *target, size_t size)
{
    char *copy = koa_strdup(url);

    if (copy == NULL) {
        (void) koa_str_copy(target, size, KOA_STR("(a URL)"));
        return;
    }
    koa_redact(copy);
    redact_query(copy + strcspn(copy, "?"), true);
    (void) koa_str_copy(target, size, koa_str_from(copy));
    koa_free(copy);
}
