/* Splits a target at '?', '/', '&' and '=' before it decodes, so that an escaped separator stays
 * part of its word. Refuses what could be read in two ways; what a word means is its handler's. */
#include "httpserver/target.h"

#include <string.h>
#include <strings.h>

static int hex_digit(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    if (character >= 'A' && character <= 'F')
        return character - 'A' + 10;
    return -1;
}

/* Decodes NUL-ended `text` in place. A plus is a blank in queries only (the form encoding). */
static enum koa_http_target_fault decode(char *text, bool is_query)
{
    char *target = text;

    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '+' && is_query) {
            *target++ = ' ';
            continue;
        }
        if (*at != '%') {
            *target++ = *at;
            continue;
        }
        int high = hex_digit(at[1]);
        int low = high >= 0 ? hex_digit(at[2]) : -1;

        if (low < 0)
            return KOA_HTTP_TARGET_ESCAPE;
        if (high == 0 && low == 0)
            return KOA_HTTP_TARGET_NUL;
        *target++ = (char) (high * 16 + low);
        at += 2;
    }
    *target = '\0';
    return KOA_HTTP_TARGET_OK;
}

/* RFC 9112 3.2.2: a server accepts the absolute form too; its host says nothing new to us. */
static struct koa_str without_authority(struct koa_str raw)
{
    static const char *const schemes[] = {"http://", "https://"};

    for (size_t i = 0; i < KOA_ARRAY_COUNT(schemes); i++) {
        size_t size = strlen(schemes[i]);

        if (raw.size <= size || strncasecmp(raw.data, schemes[i], size) != 0)
            continue;
        for (size_t at = size; at < raw.size; at++) {
            if (raw.data[at] == '/' || raw.data[at] == '?')
                return (struct koa_str){.data = raw.data + at, .size = raw.size - at};
        }
        return KOA_STR("/");
    }
    return raw;
}

static bool has_bad_character(struct koa_str raw)
{
    for (size_t i = 0; i < raw.size; i++) {
        if (raw.data[i] <= 0x20 || raw.data[i] >= 0x7f)
            return true;
    }
    return false;
}

static enum koa_http_target_fault parse_path(char *text, struct koa_http_target *target)
{
    enum koa_http_target_fault fault = KOA_HTTP_TARGET_OK;
    char *segment = text[1] != '\0' ? text + 1 : NULL;

    while (segment != NULL && fault == KOA_HTTP_TARGET_OK) {
        char *next = strchr(segment, '/');

        if (next != NULL)
            *next++ = '\0';
        fault = decode(segment, false);
        if (target->segment_count < KOA_HTTP_PATH_SEGMENTS)
            target->segments[target->segment_count] = segment;
        if (target->segment_count <= KOA_HTTP_PATH_SEGMENTS)
            target->segment_count++;
        segment = next;
    }
    return fault;
}

static enum koa_http_target_fault parse_pair(char *text, struct koa_http_target *target)
{
    char *value = strchr(text, '=');
    enum koa_http_target_fault fault;

    if (target->query_count == KOA_HTTP_QUERY_PAIRS)
        return KOA_HTTP_TARGET_TOO_MANY_PAIRS;
    if (value != NULL)
        *value++ = '\0';
    fault = decode(text, true);
    if (fault == KOA_HTTP_TARGET_OK && value != NULL)
        fault = decode(value, true);
    if (fault != KOA_HTTP_TARGET_OK)
        return fault;
    target->query[target->query_count].name = text;
    target->query[target->query_count].value = value != NULL ? value : "";
    target->query_count++;
    return KOA_HTTP_TARGET_OK;
}

static enum koa_http_target_fault parse_query(char *text, struct koa_http_target *target)
{
    enum koa_http_target_fault fault = KOA_HTTP_TARGET_OK;

    while (text != NULL && fault == KOA_HTTP_TARGET_OK) {
        char *next = strchr(text, '&');

        if (next != NULL)
            *next++ = '\0';
        if (*text != '\0')
            fault = parse_pair(text, target);
        text = next;
    }
    return fault;
}

/* Copies the path twice: to keep, and to cut up. */
static char *lay_out(struct koa_str raw, char *memory, const char **ret_path, char **ret_query)
{
    const char *mark = memchr(raw.data, '?', raw.size);
    size_t path_size = mark != NULL ? (size_t) (mark - raw.data) : raw.size;
    char *work = memory + path_size + 1;

    memcpy(memory, raw.data, path_size);
    memory[path_size] = '\0';
    memcpy(work, raw.data, raw.size);
    work[raw.size] = '\0';
    work[path_size] = '\0';
    *ret_path = memory;
    *ret_query = mark != NULL ? work + path_size + 1 : NULL;
    return work;
}

enum koa_http_target_fault koa_http_target_parse(struct koa_str raw, char *memory,
                                                 struct koa_http_target *target)
{
    enum koa_http_target_fault fault;
    char *path;
    char *query;

    target->path = "";
    target->segment_count = 0;
    target->query_count = 0;
    if (has_bad_character(raw))
        return KOA_HTTP_TARGET_CHARACTER;
    raw = without_authority(raw);
    if (raw.size > 0 && raw.data[0] == '?') /* "http://host?query" */
        return KOA_HTTP_TARGET_NOT_A_PATH;
    if (raw.size == 0 || raw.data[0] != '/')
        return KOA_HTTP_TARGET_NOT_A_PATH;
    path = lay_out(raw, memory, &target->path, &query);
    fault = parse_path(path, target);
    return fault != KOA_HTTP_TARGET_OK ? fault : parse_query(query, target);
}

const char *koa_http_target_find(const struct koa_http_target *target, const char *name)
{
    for (size_t i = 0; i < target->query_count; i++) {
        if (strcmp(target->query[i].name, name) == 0)
            return target->query[i].value;
    }
    return NULL;
}
