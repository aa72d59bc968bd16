/* Reads Accept and Accept-Encoding (RFC 9110, section 12.5). What cannot be read is passed over: a
 * scraper with an odd header still gets its metrics. */
#include <math.h>

#include "base/num.h"
#include "base/str.h"
#include "export/encoder.h"

/* A media range names a format, a version of it, its type, or anything. */
enum { MATCH_NONE, MATCH_ANY, MATCH_TYPE, MATCH_NAME, MATCH_VERSION };

static const struct {
    const char *type, *subtype;
    const char *versions[2];
} offers[KOA_FORMAT_COUNT] = {
    [KOA_FORMAT_PROMETHEUS] = {"text", "plain", {"0.0.4"}},
    [KOA_FORMAT_OPENMETRICS] = {"application", "openmetrics-text", {"1.0.0", "0.0.1"}},
    [KOA_FORMAT_JSON] = {"application", "json", {0}},
};

/* One item of a header: what it names, its version, its quality. */
struct item {
    struct koa_str name;
    struct koa_str version;
    double quality;
};

static struct koa_str unquote(struct koa_str text)
{
    if (text.size >= 2 && text.data[0] == '"' && text.data[text.size - 1] == '"')
        return (struct koa_str){text.data + 1, text.size - 2};
    return text;
}

static bool equals_nocase(struct koa_str a, const char *b)
{
    size_t i = 0;

    for (; i < a.size && b[i] != '\0'; i++) {
        char c = a.data[i];

        if (c >= 'A' && c <= 'Z')
            c = (char) (c - 'A' + 'a');
        if (c != b[i])
            return false;
    }
    return i == a.size && b[i] == '\0';
}

/* A quality that cannot be read counts as 0, so that nothing unreadable is preferred. */
static double read_quality(struct koa_str text)
{
    double quality;

    if (koa_parse_double(text, &quality) != KOA_OK || !(quality >= 0))
        return 0;
    return fmin(quality, 1);
}

static struct item next_item(struct koa_str *rest)
{
    struct koa_str text = koa_str_split(*rest, ',', rest);
    struct item item = {.quality = 1};

    item.name = koa_str_trim(koa_str_split(text, ';', &text));
    while (text.size > 0) {
        struct koa_str value;
        struct koa_str parameter = koa_str_split(text, ';', &text);
        struct koa_str name = koa_str_trim(koa_str_split(parameter, '=', &value));

        value = unquote(koa_str_trim(value));
        if (equals_nocase(name, "q")) {
            item.quality = read_quality(value);
        } else if (equals_nocase(name, "version")) {
            item.version = value;
        }
    }
    return item;
}

static int match_range(const struct item *item, enum koa_format format)
{
    struct koa_str subtype;
    struct koa_str type = koa_str_split(item->name, '/', &subtype);

    if (koa_str_equal_text(type, "*"))
        return koa_str_equal_text(subtype, "*") ? MATCH_ANY : MATCH_NONE;
    if (!equals_nocase(type, offers[format].type))
        return MATCH_NONE;
    if (koa_str_equal_text(subtype, "*"))
        return MATCH_TYPE;
    if (!equals_nocase(subtype, offers[format].subtype))
        return MATCH_NONE;
    if (item->version.size == 0)
        return MATCH_NAME;
    for (size_t i = 0; i < KOA_ARRAY_COUNT(offers[format].versions); i++) {
        if (offers[format].versions[i] != NULL &&
            koa_str_equal_text(item->version, offers[format].versions[i]))
            return MATCH_VERSION;
    }
    return MATCH_NONE;
}

/* The quality of one format: that of the most specific range that matches it. */
static double quality_of(const char *accept, enum koa_format format, int *ret_match)
{
    struct koa_str rest = koa_str_from(accept);
    double quality = 0;

    *ret_match = MATCH_NONE;
    while (rest.size > 0) {
        struct item item = next_item(&rest);
        int match = match_range(&item, format);

        if (match > *ret_match || (match == *ret_match && match > 0 && item.quality > quality)) {
            quality = item.quality;
            *ret_match = match;
        }
    }
    return quality;
}

enum koa_format koa_format_choose(const char *accept, enum koa_format fallback)
{
    enum koa_format best = fallback;
    int best_match;
    double best_quality = quality_of(accept, fallback, &best_match);

    for (int i = 0; i < KOA_FORMAT_COUNT; i++) {
        enum koa_format format = (enum koa_format) i;
        int match;
        double quality = quality_of(accept, format, &match);

        if (quality > best_quality ||
            (quality > 0 && !(quality < best_quality) && match > best_match)) {
            best = format;
            best_quality = quality;
            best_match = match;
        }
    }
    return best;
}

bool koa_accepts_gzip(const char *accept_encoding)
{
    struct koa_str rest = koa_str_from(accept_encoding);
    bool is_named = false;
    bool accepts = false;

    while (rest.size > 0) {
        struct item item = next_item(&rest);

        if (equals_nocase(item.name, "gzip") || equals_nocase(item.name, "x-gzip")) {
            accepts = item.quality > 0;
            is_named = true;
        } else if (koa_str_equal_text(item.name, "*") && !is_named) {
            accepts = item.quality > 0;
        }
    }
    return accepts;
}
