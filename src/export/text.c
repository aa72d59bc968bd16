/* The two text formats. They differ in how counters are named, in how numbers and help are written,
 * and in what OpenMetrics adds: units and an end mark.
 *
 * Prometheus text exposition 0.0.4; OpenMetrics 1.0.0. */
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"
#include "export/format.h"

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

enum {
    ESCAPE_GROWTH = 3, /* a bad byte becomes three, an escaped one two */
    WIDE = 32,         /* bytes copied at once */
    /* Behind name and labels: braces, `,le=""`, a blank, the value, a newline, and what a wide copy
     * writes too much. */
    LINE_SLACK = KOA_NUM_TEXT_SIZE + WIDE + 16,
};

static const char *const type_words[KOA_METRIC_TYPE_COUNT] = {"counter", "gauge", "histogram",
                                                              "histogram"};

static char *put(char *at, const char *data, size_t size)
{
    memcpy(at, data, size);
    return at + size;
}

static char *put_str(char *at, struct koa_str text)
{
    if (text.size > 0)
        memcpy(at, text.data, text.size);
    return at + text.size;
}

static char escape_of(char c, bool with_quote)
{
    if (c == '\n')
        return 'n';
    if (c == '\\' || (c == '"' && with_quote))
        return c;
    return '\0';
}

/* Eight bytes that can be copied as they are: ASCII without quote, backslash and newline. A byte
 * below 0x80 minus one has its high bit set only when it was zero, which is when it was the one
 * looked for. */
static bool is_plain(uint64_t bytes)
{
    static const uint64_t ones = 0x0101010101010101U;
    static const uint64_t highs = 0x8080808080808080U;
    uint64_t quote = bytes ^ (ones * '"');
    uint64_t backslash = bytes ^ (ones * '\\');
    uint64_t newline = bytes ^ (ones * '\n');

    return ((bytes | (quote - ones) | (backslash - ones) | (newline - ones)) & highs) == 0;
}

/* Digits and letters above all: what neither is escaped nor begins a longer character. */
static bool is_plain_char(char c)
{
    return (c > '"' && c < '\\') || (c > '\\' && c <= '~');
}

/* Not inlined: what is plain must not pay for what this needs. */
__attribute__((noinline)) static char *put_unusual(char *at, struct koa_str text, bool with_quote)
{
    size_t i = 0;

    while (i < text.size) {
        char c = text.data[i];
        size_t length = 1;

        if ((unsigned char) c >= 0x80) {
            length = koa_utf8_character((struct koa_str){text.data + i, text.size - i});
            at = length > 0 ? put(at, text.data + i, length)
                            : put(at, replacement, sizeof(replacement) - 1);
            i += length > 0 ? length : 1;
            continue;
        }
        if (escape_of(c, with_quote) != '\0') {
            *at++ = '\\';
            c = escape_of(c, with_quote);
        }
        *at++ = c;
        i++;
    }
    return at;
}

/* Escapes \, newline and, where asked, "; repairs UTF-8. Up to ESCAPE_GROWTH times the size. */
static char *put_escaped(char *at, struct koa_str text, bool with_quote)
{
    size_t i = 0;

    for (uint64_t bytes; text.size - i >= sizeof(bytes); i += sizeof(bytes)) {
        memcpy(&bytes, text.data + i, sizeof(bytes));
        if (!is_plain(bytes))
            break;
        memcpy(at + i, &bytes, sizeof(bytes));
    }
    for (; i < text.size && is_plain_char(text.data[i]); i++)
        at[i] = text.data[i];
    at += i;
    return i == text.size
               ? at
               : put_unusual(at, (struct koa_str){text.data + i, text.size - i}, with_quote);
}

/* The same, with quotes escaped, for values that are mostly short numbers. */
static char *put_value(char *at, struct koa_str text)
{
    size_t i = 0;

    if (text.size >= sizeof(uint64_t))
        return put_escaped(at, text, true);
    for (; i < text.size && is_plain_char(text.data[i]); i++)
        at[i] = text.data[i];
    return i == text.size
               ? at + i
               : put_escaped(at + i, (struct koa_str){text.data + i, text.size - i}, true);
}

/* For copies inside the output buffer: up to WIDE - 1 bytes more are read and written, so that
 * short copies of unforeseen sizes need no call. Both sides lie in the output buffer, where the
 * room for a line includes them. */
static char *put_wide(char *at, const char *data, size_t size)
{
    char block[WIDE]; /* what is read too much may be where it is written */

    for (size_t i = 0; i < size; i += WIDE) {
        memcpy(block, data + i, WIDE);
        memcpy(at + i, block, WIDE);
    }
    return at + size;
}

/* Most the labels can take, with their commas. */
static size_t room_for_labels(const struct koa_sample *sample)
{
    size_t room = 0;

    for (size_t i = 0; i < sample->label_count; i++)
        room += sample->labels[i].name.size + 4 + sample->labels[i].value.size * ESCAPE_GROWTH;
    return room;
}

/* `name="value",...` of all labels, without braces. Where the values stand is remembered, as
 * positions from `line`. */
static char *put_labels(char *at, const struct koa_sample *sample, const char *line,
                        struct koa_line_memory *memory)
{
    for (size_t i = 0; i < sample->label_count; i++) {
        const struct koa_label_view *label = &sample->labels[i];
        const char *value;

        if (i > 0)
            *at++ = ',';
        at = put_str(at, label->name);
        value = at = put(at, "=\"", 2);
        at = put_escaped(at, label->value, true);
        if (i < KOA_LINE_LABELS) {
            memory->starts[i] = (size_t) (value - line);
            memory->ends[i] = (size_t) (at - line);
        }
        *at++ = '"';
    }
    memory->label_count = sample->label_count <= KOA_LINE_LABELS ? sample->label_count : 0;
    memory->all = ((uint32_t) 1 << memory->label_count) - 1;
    return at;
}

static void end_line(struct koa_encoding *encoding, char *at)
{
    struct koa_buf *out = &encoding->out;

    *at++ = '\n';
    koa_buf_advance(out, (size_t) (at - out->data) - out->size);
}

/* A counter's or gauge's line up to its value, with room for that; NULL when memory is out. */
static char *begin_scalar(struct koa_encoding *encoding, const struct koa_sample *sample,
                          struct koa_str name, struct koa_str suffix)
{
    struct koa_line_memory *memory = &encoding->line;
    char *line = koa_buf_reserve(&encoding->out,
                                 name.size + suffix.size + room_for_labels(sample) + LINE_SLACK);
    char *at = line;

    if (line == NULL)
        return NULL;
    memory->label_count = 0;
    memory->stale = 0;
    at = put_str(at, name);
    at = put_str(at, suffix);
    if (sample->label_count > 0) {
        *at++ = '{';
        at = put_labels(at, sample, line, memory);
        *at++ = '}';
    }
    *at++ = ' ';
    memory->at = (size_t) (line - encoding->out.data);
    memory->size = (size_t) (at - line);
    return at;
}

/* The remembered line has all the values that the sample says it shares with the one before it. */
static bool can_repeat(const struct koa_line_memory *memory, const struct koa_sample *sample)
{
    return sample->same_values != 0 && memory->label_count == sample->label_count &&
           (sample->same_values & memory->stale) == 0;
}

/* The same as begin_scalar(): the remembered line, in which the other values are replaced. What is
 * copied was written some lines ago: bytes just written are slow to read. */
static char *repeat_scalar(struct koa_encoding *encoding, const struct koa_sample *sample)
{
    struct koa_line_memory *memory = &encoding->line;
    uint32_t changed = memory->all & ~sample->same_values;
    size_t room = memory->size + LINE_SLACK;
    size_t copied = 0; /* of the remembered line */
    const char *line;
    char *at;

    for (uint32_t rest = changed; rest != 0; rest &= rest - 1)
        room += sample->labels[__builtin_ctz(rest)].value.size * ESCAPE_GROWTH;
    at = koa_buf_reserve(&encoding->out, room);
    if (at == NULL)
        return NULL;
    line = encoding->out.data + memory->at;
    for (uint32_t rest = changed; rest != 0; rest &= rest - 1) {
        int i = __builtin_ctz(rest);

        at = put_wide(at, line + copied, memory->starts[i] - copied);
        at = put_value(at, sample->labels[i].value);
        copied = memory->ends[i];
    }
    memory->stale |= changed;
    return put_wide(at, line + copied, memory->size - copied);
}

/* A histogram's lines. Its labels' text is in the scratch buffer. */
struct line {
    struct koa_str name;
    struct koa_str suffix;
    struct koa_str bound; /* of a bucket; empty: none */
};

/* The line up to its value, with room for that; NULL when memory is out. */
static char *begin_line(struct koa_encoding *encoding, const struct line *line)
{
    struct koa_str labels = {encoding->scratch.data, encoding->scratch.size};
    char *at = koa_buf_reserve(&encoding->out, line->name.size + line->suffix.size + labels.size +
                                                   line->bound.size + LINE_SLACK);

    if (at == NULL)
        return NULL;
    at = put_str(at, line->name);
    at = put_str(at, line->suffix);
    if (labels.size > 0 || line->bound.size > 0) {
        *at++ = '{';
        at = put_str(at, labels);
        if (line->bound.size > 0) {
            at = put(at, labels.size > 0 ? ",le=\"" : "le=\"", labels.size > 0 ? 5 : 4);
            at = put_str(at, line->bound);
            *at++ = '"';
        }
        *at++ = '}';
    }
    *at++ = ' ';
    return at;
}

static void write_number(struct koa_encoding *encoding, const struct line *line, double number)
{
    char *at = begin_line(encoding, line);

    if (at != NULL)
        end_line(encoding, at + koa_format_double(number, at));
}

static void write_count(struct koa_encoding *encoding, const struct line *line, uint64_t count)
{
    char *at = begin_line(encoding, line);

    if (at != NULL)
        end_line(encoding, at + koa_format_uint(count, at));
}

/* OpenMetrics writes whole bounds as floats: "1.0". */
static struct koa_str format_bound(double bound, bool is_openmetrics, char text[KOA_NUM_TEXT_SIZE])
{
    size_t size = koa_format_double(bound, text);

    if (is_openmetrics && strpbrk(text, ".e") == NULL && size + 2 < KOA_NUM_TEXT_SIZE) {
        memcpy(text + size, ".0", 3);
        size += 2;
    }
    return (struct koa_str){text, size};
}

static void write_buckets(struct koa_encoding *encoding, struct koa_str name,
                          const struct koa_histogram_view *histogram, bool is_openmetrics)
{
    uint64_t sum = 0;
    char text[KOA_NUM_TEXT_SIZE];

    for (size_t i = 0; i <= histogram->bound_count; i++) {
        struct line line = {.name = name, .suffix = KOA_STR("_bucket"), .bound = KOA_STR("+Inf")};

        sum += histogram->buckets[i];
        if (i < histogram->bound_count)
            line.bound = format_bound(histogram->bounds[i], is_openmetrics, text);
        write_count(encoding, &line, sum);
    }
}

/* A family's exported name, and what stands between it and a sample's own suffix. */
struct text_name {
    struct koa_str family;
    struct koa_str middle;
};

static bool ends_with(struct koa_str text, struct koa_str end)
{
    return text.size > end.size &&
           memcmp(text.data + text.size - end.size, end.data, end.size) == 0;
}

static struct text_name name_of(const struct koa_family_view *family, bool is_openmetrics)
{
    struct text_name name = {.family = family->name};

    if (family->type == KOA_TIMER)
        name.middle = KOA_STR("_seconds");
    if (is_openmetrics && family->type == KOA_COUNTER && ends_with(family->name, KOA_STR("_total")))
        name.family.size -= 6;
    return name;
}

/* The labels' text, once for all lines of a histogram. False when memory is out. */
static bool write_labels(struct koa_encoding *encoding, const struct koa_sample *sample)
{
    struct koa_buf *scratch = &encoding->scratch;
    char *start;

    koa_buf_clear(scratch);
    start = koa_buf_reserve(scratch, room_for_labels(sample));
    if (start == NULL) {
        encoding->out.failed = true;
        return false;
    }
    koa_buf_advance(scratch, (size_t) (put_labels(start, sample, start, &encoding->line) - start));
    encoding->line.label_count = 0;
    return true;
}

static void write_histogram(struct koa_encoding *encoding, const struct koa_sample *sample,
                            bool is_openmetrics)
{
    const struct koa_histogram_view *histogram = sample->histogram;
    char full[512];
    struct koa_str name = sample->family->name;
    struct line line;

    if (sample->family->type == KOA_TIMER && name.size + sizeof("_seconds") <= sizeof(full)) {
        memcpy(put_str(full, name), "_seconds", sizeof("_seconds") - 1);
        name = (struct koa_str){full, name.size + sizeof("_seconds") - 1};
    }
    if (!write_labels(encoding, sample))
        return;
    write_buckets(encoding, name, histogram, is_openmetrics);
    /* OpenMetrics: the sum of what may be negative is no counter, and without a sum there is no
     * count either. */
    if (is_openmetrics && (isnan(histogram->sum) || histogram->sum < 0 || histogram->bounds[0] < 0))
        return;
    line = (struct line){.name = name, .suffix = KOA_STR("_sum")};
    write_number(encoding, &line, histogram->sum);
    line.suffix = KOA_STR("_count");
    write_count(encoding, &line, histogram->count);
}

/* False when `out` has failed; it has nothing of the sample then. */
static bool write_sample(struct koa_encoding *encoding, const struct koa_sample *sample,
                         bool is_openmetrics)
{
    size_t size = encoding->out.size;
    char *at;

    if (sample->histogram != NULL) {
        write_histogram(encoding, sample, is_openmetrics);
        if (encoding->out.failed)
            encoding->out.size = size;
        return !encoding->out.failed;
    }
    if (is_openmetrics && sample->family->type == KOA_COUNTER) {
        at =
            begin_scalar(encoding, sample, name_of(sample->family, true).family, KOA_STR("_total"));
    } else {
        at = begin_scalar(encoding, sample, sample->family->name, KOA_STR(""));
    }
    if (at == NULL)
        return false;
    end_line(encoding, at + koa_format_double(sample->value, at));
    return true;
}

static size_t write_samples(struct koa_encoding *encoding, const struct koa_sample *samples,
                            size_t count, bool is_openmetrics)
{
    for (size_t i = 0; i < count; i++) {
        const struct koa_sample *sample = &samples[i];
        char *at;

        if (!can_repeat(&encoding->line, sample)) {
            if (!write_sample(encoding, sample, is_openmetrics))
                return i;
            continue;
        }
        at = repeat_scalar(encoding, sample);
        if (at == NULL)
            return i;
        end_line(encoding, at + koa_format_double(sample->value, at));
    }
    return count;
}

/* `# WORD name rest` */
static void write_comment(struct koa_encoding *encoding, const char *word, struct text_name name,
                          struct koa_str rest, bool with_quote)
{
    size_t word_size = strlen(word);
    char *start = koa_buf_reserve(&encoding->out, word_size + name.family.size + name.middle.size +
                                                      rest.size * ESCAPE_GROWTH + 8);
    char *at = start;

    if (start == NULL)
        return;
    at = put(at, word, word_size);
    at = put_str(at, name.family);
    at = put_str(at, name.middle);
    *at++ = ' ';
    at = put_escaped(at, rest, with_quote);
    *at++ = '\n';
    koa_buf_advance(&encoding->out, (size_t) (at - start));
}

static void write_family_prometheus(struct koa_encoding *encoding,
                                    const struct koa_family_view *family)
{
    struct text_name name = name_of(family, false);

    if (family->help.size > 0)
        write_comment(encoding, "# HELP ", name, family->help, false);
    write_comment(encoding, "# TYPE ", name, koa_str_from(type_words[family->type]), false);
}

/* The name must end with the unit: a unit that it does not end with cannot be told. */
static bool has_unit(struct text_name name, struct koa_str unit)
{
    struct koa_str end = name.middle.size > 0 ? name.middle : name.family;

    return unit.size > 0 && ends_with(end, unit) && end.data[end.size - unit.size - 1] == '_';
}

static void write_family_openmetrics(struct koa_encoding *encoding,
                                     const struct koa_family_view *family)
{
    struct text_name name = name_of(family, true);
    struct koa_str unit = family->type == KOA_TIMER ? KOA_STR("seconds") : family->unit;

    write_comment(encoding, "# TYPE ", name, koa_str_from(type_words[family->type]), false);
    if (has_unit(name, unit))
        write_comment(encoding, "# UNIT ", name, unit, false);
    if (family->help.size > 0)
        write_comment(encoding, "# HELP ", name, family->help, true);
}

static size_t write_samples_prometheus(struct koa_encoding *encoding,
                                       const struct koa_sample *samples, size_t count)
{
    return write_samples(encoding, samples, count, false);
}

static size_t write_samples_openmetrics(struct koa_encoding *encoding,
                                        const struct koa_sample *samples, size_t count)
{
    return write_samples(encoding, samples, count, true);
}

static void write_end_openmetrics(struct koa_encoding *encoding)
{
    koa_buf_append_text(&encoding->out, "# EOF\n");
}

const struct koa_format_ops koa_format_prometheus = {
    .content_type = "text/plain; version=0.0.4; charset=utf-8",
    .pass_count = 1,
    .family = write_family_prometheus,
    .samples = write_samples_prometheus,
};

const struct koa_format_ops koa_format_openmetrics = {
    .content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8",
    .pass_count = 1,
    .family = write_family_openmetrics,
    .samples = write_samples_openmetrics,
    .end = write_end_openmetrics,
};
