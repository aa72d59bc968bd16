/* Cuts a head up as the library would, line by line, but takes nothing for granted: what is
 * malformed ends here with its fault. */
#include "httpserver/preview.h"

#include <string.h>

#include "base/str.h"

/* What libmicrohttpd (0.9.75, 1.0.1) allocates for each field, cookie and query parameter: seven
 * words, aligned to sixteen bytes. */
enum { PART_MEMORY = 64 };

static bool is_line_end(char character)
{
    return character == '\r' || character == '\n';
}

size_t koa_http_head_size(struct koa_str bytes, size_t seen)
{
    size_t start = 0;
    const char *end = bytes.data + bytes.size;

    while (start < bytes.size && is_line_end(bytes.data[start]))
        start++;
    /* The end is "\n\n" or "\n\r\n"; two of its bytes may have been seen. */
    if (seen > start + 2)
        start = seen - 2;
    for (const char *at = bytes.data + start; at < end; at++) {
        at = memchr(at, '\n', (size_t) (end - at));
        if (at == NULL)
            return 0;
        if (at + 1 < end && at[1] == '\n')
            return (size_t) (at + 2 - bytes.data);
        if (at + 2 < end && at[1] == '\r' && at[2] == '\n')
            return (size_t) (at + 3 - bytes.data);
    }
    return 0;
}

/* The next line without its end, which becomes NUL; the rest is `*at`. */
static struct koa_str next_line(char **at, const char *end)
{
    char *start = *at;
    char *stop = memchr(start, '\n', (size_t) (end - start));

    *at = stop + 1; /* the last line has one too */
    *stop = '\0';
    if (stop > start && stop[-1] == '\r')
        *--stop = '\0';
    return (struct koa_str){.data = start, .size = (size_t) (stop - start)};
}

/* A part of a line, ended by a NUL: the byte behind it is a separator or the line's end. */
static struct koa_str cut(char *start, char *stop)
{
    *stop = '\0';
    return (struct koa_str){.data = start, .size = (size_t) (stop - start)};
}

struct request_line {
    struct koa_str method, target, version;
};

static void split_request_line(struct koa_str line, char *text, struct request_line *ret_line)
{
    char *end = text + line.size;
    char *space = memchr(text, ' ', line.size);
    char *target = space != NULL ? space : end;
    char *last;

    ret_line->method = cut(text, target);
    while (target < end && (target == space || *target == ' '))
        target++;
    last = memrchr(target, ' ', (size_t) (end - target));
    ret_line->version = last != NULL ? cut(last + 1, end) : (struct koa_str){.data = "", .size = 0};
    ret_line->target = cut(target, last != NULL ? last : end);
}

/* A part with a NUL inside would end there for whoever reads it as a text. */
static bool has_nul(struct koa_str part)
{
    return memchr(part.data, '\0', part.size) != NULL;
}

static size_t count_of(struct koa_str text, char character)
{
    size_t count = 0;

    for (size_t i = 0; i < text.size; i++)
        count += text.data[i] == character;
    return count;
}

static enum koa_http_fault take_line(struct koa_str line, char *text, struct koa_http_head *head,
                                     struct koa_http_preview *preview)
{
    char *colon = memchr(text, ':', line.size);
    char *value;
    char *end = text + line.size;
    struct koa_str name;
    struct koa_str content;

    if (text[0] == ' ' || text[0] == '\t')
        return KOA_HTTP_FAULT_LAYOUT;
    if (colon == NULL)
        return KOA_HTTP_FAULT_NAME;
    value = colon + 1;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    name = cut(text, colon);
    content = cut(value, end);
    preview->memory += PART_MEMORY;
    /* Each is copied and taken apart. */
    if (koa_text_equal_nocase(name.data, "cookie")) {
        preview->memory += content.size + 1;
        preview->memory += PART_MEMORY * (1 + count_of(content, ';') + count_of(content, ','));
    }
    return koa_http_head_field(head, name, content) ? KOA_HTTP_FAULT_NONE : head->fault;
}

static enum koa_http_fault judge_target(struct koa_str target, char *scratch)
{
    struct koa_http_target parsed;

    if (target.size > KOA_HTTP_TARGET_SIZE)
        return KOA_HTTP_FAULT_TARGET_SIZE;
    return koa_http_fault_of_target(koa_http_target_parse(target, scratch, &parsed));
}

enum koa_http_fault koa_http_preview(char *head, size_t size, char *scratch,
                                     struct koa_http_preview *ret_preview)
{
    const char *end = head + size;
    struct koa_http_head fields;
    struct request_line first;
    struct koa_str line;
    enum koa_http_fault fault = KOA_HTTP_FAULT_NONE;
    char *text;

    while (is_line_end(*head))
        head++;
    text = head;
    line = next_line(&head, end);
    split_request_line(line, text, &first);
    *ret_preview =
        (struct koa_http_preview){.method = first.method.data,
                                  .memory = size + PART_MEMORY * (1 + count_of(first.target, '&'))};
    koa_http_head_begin(&fields);
    do {
        text = head;
        line = next_line(&head, end);
        if (line.size > 0)
            fault = take_line(line, text, &fields, ret_preview);
    } while (line.size > 0 && fault == KOA_HTTP_FAULT_NONE);
    if (fault == KOA_HTTP_FAULT_NONE && has_nul(first.method))
        fault = KOA_HTTP_FAULT_METHOD;
    if (fault == KOA_HTTP_FAULT_NONE && has_nul(first.version))
        fault = KOA_HTTP_FAULT_VERSION;
    if (fault == KOA_HTTP_FAULT_NONE)
        fault = koa_http_head_end(&fields, first.method.data, first.version.data);
    return fault != KOA_HTTP_FAULT_NONE ? fault : judge_target(first.target, scratch);
}

enum koa_http_fault koa_http_fault_of_overlong(struct koa_str bytes)
{
    return memchr(bytes.data, '\n', bytes.size) != NULL ? KOA_HTTP_FAULT_SIZE
                                                        : KOA_HTTP_FAULT_TARGET_SIZE;
}
