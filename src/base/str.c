/* Views of text, UTF-8, and the distance between words. Pure; owns nothing. */
#include "base/str.h"

#include <string.h>

struct koa_str koa_str_from(const char *text)
{
    return (struct koa_str){.data = text, .size = text != NULL ? strlen(text) : 0};
}

bool koa_str_equal(struct koa_str a, struct koa_str b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool koa_str_equal_text(struct koa_str a, const char *text)
{
    return koa_str_equal(a, koa_str_from(text));
}

int koa_str_compare(struct koa_str a, struct koa_str b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common > 0 ? memcmp(a.data, b.data, common) : 0;

    if (order != 0 || a.size == b.size)
        return order;
    return a.size < b.size ? -1 : 1;
}

bool koa_str_starts(struct koa_str text, struct koa_str prefix)
{
    return text.size >= prefix.size &&
           (prefix.size == 0 || memcmp(text.data, prefix.data, prefix.size) == 0);
}

static bool is_blank(char character)
{
    return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

struct koa_str koa_str_trim(struct koa_str text)
{
    while (text.size > 0 && is_blank(text.data[0])) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && is_blank(text.data[text.size - 1]))
        text.size--;
    return text;
}

struct koa_str koa_str_split(struct koa_str text, char separator, struct koa_str *rest)
{
    const char *at = text.size > 0 ? memchr(text.data, separator, text.size) : NULL;
    size_t before;

    *rest = (struct koa_str){0};
    if (at == NULL)
        return text;
    before = (size_t) (at - text.data);
    *rest = (struct koa_str){.data = at + 1, .size = text.size - before - 1};
    return (struct koa_str){.data = text.data, .size = before};
}

bool koa_str_copy(char *target, size_t size, struct koa_str text)
{
    size_t kept = text.size < size ? text.size : size - 1;

    /* Step back from the middle of a character: continuation bytes are 10xxxxxx. */
    if (kept < text.size) {
        size_t at = kept;

        while (at > 0 && kept - at < 3 && ((unsigned char) text.data[at] & 0xc0) == 0x80)
            at--;
        if (((unsigned char) text.data[at] & 0xc0) != 0x80)
            kept = at;
    }
    if (kept > 0)
        memcpy(target, text.data, kept);
    target[kept] = '\0';
    return kept == text.size;
}

bool koa_text_equal(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return strcmp(a, b) == 0;
}

static char lower(char character)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";

    if (character < 'A' || character > 'Z')
        return character;
    return letters[character - 'A'];
}

bool koa_text_equal_nocase(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    while (*a != '\0' && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return *a == '\0' && *b == '\0';
}

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* The second byte decides about overlong forms, surrogates and the upper end (RFC 3629, 4). */
static bool is_second_allowed(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xe0:
        return second >= 0xa0;
    case 0xed:
        return second <= 0x9f;
    case 0xf0:
        return second >= 0x90;
    case 0xf4:
        return second <= 0x8f;
    default:
        return true;
    }
}

size_t koa_utf8_character(struct koa_str text)
{
    const unsigned char *bytes = (const unsigned char *) text.data;
    size_t length;

    if (text.size == 0)
        return 0;
    if (bytes[0] < 0x80)
        return 1;
    if (bytes[0] >= 0xc2 && bytes[0] <= 0xdf) {
        length = 2;
    } else if (bytes[0] >= 0xe0 && bytes[0] <= 0xef) {
        length = 3;
    } else if (bytes[0] >= 0xf0 && bytes[0] <= 0xf4) {
        length = 4;
    } else {
        return 0;
    }
    if (text.size < length || !is_second_allowed(bytes[0], bytes[1]))
        return 0;
    for (size_t i = 1; i < length; i++) {
        if (!is_continuation(bytes[i]))
            return 0;
    }
    return length;
}

bool koa_utf8_valid(struct koa_str text)
{
    while (text.size > 0) {
        size_t length = koa_utf8_character(text);

        if (length == 0)
            return false;
        text.data += length;
        text.size -= length;
    }
    return true;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

int koa_text_distance(const char *a, const char *b, int cap)
{
    enum { LONGEST = 63 }; /* names of options are shorter; longer text is no misspelt name */
    int row[LONGEST + 1];
    int a_length = (int) strnlen(a, LONGEST + 1);
    int b_length = (int) strnlen(b, LONGEST + 1);

    if (a_length > LONGEST || b_length > LONGEST)
        return cap;
    for (int j = 0; j <= b_length; j++)
        row[j] = j;
    for (int i = 1; i <= a_length; i++) {
        int diagonal = row[0];

        row[0] = i;
        for (int j = 1; j <= b_length; j++) {
            int above = row[j];
            int replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);

            row[j] = smaller(replaced, smaller(above, row[j - 1]) + 1);
            diagonal = above;
        }
    }
    return smaller(row[b_length], cap);
}
