/* Numbers, durations and sizes from text and to text: whole or not at all, the same in every
 * locale. What a number means and what to say about a bad one is the caller's. */
#include "base/num.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* Longer is a typing error, and sums of a point in time and a duration stay far from overflow. */
#define LONGEST_MS (INT64_C(100) * 36525 * 864000)

/* A host program may have set a locale with a decimal comma; numbers here never use it. */
static locale_t plain_locale;
static pthread_once_t plain_locale_once = PTHREAD_ONCE_INIT;

static void make_plain_locale(void)
{
    plain_locale = newlocale(LC_ALL_MASK, "C", (locale_t) 0);
}

static double read_double(const char *text)
{
    (void) pthread_once(&plain_locale_once, make_plain_locale);
    /* newlocale() of "C" needs no memory in glibc and musl; still, never pass on a null locale. */
    return plain_locale != (locale_t) 0 ? strtod_l(text, NULL, plain_locale) : strtod(text, NULL);
}

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

static size_t count_digits(struct koa_str text, size_t from)
{
    size_t at = from;

    while (at < text.size && is_digit(text.data[at]))
        at++;
    return at - from;
}

/* Digits only, at least one. KOA_ERR_RANGE beyond `maximum`. */
static enum koa_err parse_digits(struct koa_str text, uint64_t maximum, uint64_t *ret_number)
{
    uint64_t number = 0;
    bool is_large = false;

    if (text.size == 0 || count_digits(text, 0) != text.size)
        return KOA_ERR_PARSE;
    for (size_t i = 0; i < text.size; i++) {
        uint64_t digit = (uint64_t) (text.data[i] - '0');

        if (number > (maximum - digit) / 10 || digit > maximum) {
            is_large = true;
        } else {
            number = number * 10 + digit;
        }
    }
    if (is_large)
        return KOA_ERR_RANGE;
    *ret_number = number;
    return KOA_OK;
}

enum koa_err koa_parse_int(struct koa_str text, int64_t minimum, int64_t maximum,
                           int64_t *ret_number)
{
    bool is_negative = text.size > 0 && text.data[0] == '-';
    uint64_t magnitude;
    int64_t number;
    enum koa_err err;

    if (is_negative)
        text = (struct koa_str){.data = text.data + 1, .size = text.size - 1};
    err = parse_digits(text, (uint64_t) INT64_MAX + (is_negative ? 1 : 0), &magnitude);
    if (err != KOA_OK)
        return err;
    if (is_negative) {
        number = magnitude > 0 ? -(int64_t) (magnitude - 1) - 1 : 0;
    } else {
        number = (int64_t) magnitude;
    }
    if (number < minimum || number > maximum)
        return KOA_ERR_RANGE;
    *ret_number = number;
    return KOA_OK;
}

/* -?(digits[.digits]|.digits)([eE][+-]?digits)? and nothing else: strtod() alone would also take
 * blanks, hexadecimal, "inf" and "nan". */
static bool is_decimal(struct koa_str text)
{
    size_t at = text.size > 0 && text.data[0] == '-' ? 1 : 0;
    size_t whole = count_digits(text, at);
    size_t fraction = 0;
    size_t exponent;

    at += whole;
    if (at < text.size && text.data[at] == '.') {
        fraction = count_digits(text, at + 1);
        at += 1 + fraction;
    }
    if (whole + fraction == 0)
        return false;
    if (at < text.size && (text.data[at] == 'e' || text.data[at] == 'E')) {
        at++;
        if (at < text.size && (text.data[at] == '-' || text.data[at] == '+'))
            at++;
        exponent = count_digits(text, at);
        if (exponent == 0)
            return false;
        at += exponent;
    }
    return at == text.size;
}

enum koa_err koa_parse_double(struct koa_str text, double *ret_number)
{
    char copy[128]; /* no sensible number is longer */
    double number;

    if (!is_decimal(text) || !koa_str_copy(copy, sizeof(copy), text))
        return KOA_ERR_PARSE;
    number = read_double(copy);
    if (!isfinite(number))
        return KOA_ERR_RANGE;
    *ret_number = number;
    return KOA_OK;
}

struct unit {
    const char *name;
    int64_t factor;
};

/* From large to small: a duration names its units in this order, each at most once. */
static const struct unit duration_units[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
};

static const struct unit size_units[] = {
    {"B", 1},
    {"KiB", INT64_C(1) << 10},
    {"MiB", INT64_C(1) << 20},
    {"GiB", INT64_C(1) << 30},
    {"TiB", INT64_C(1) << 40},
    {"kB", 1000},
    {"MB", 1000000},
    {"GB", 1000000000},
    {"TB", 1000000000000},
};

/* `whole`[.`fraction`] times `factor`, when that is a whole number within `maximum`. */
static enum koa_err scale(struct koa_str whole, struct koa_str fraction, int64_t factor,
                          int64_t *ret_number)
{
    uint64_t number;
    uint64_t part = 0;
    uint64_t divisor = 1;
    enum koa_err err = parse_digits(whole, (uint64_t) (LONGEST_MS / factor), &number);

    if (err != KOA_OK)
        return err;
    if (fraction.size > 9)
        return KOA_ERR_PARSE;
    for (size_t i = 0; i < fraction.size; i++)
        divisor *= 10;
    if (fraction.size > 0 && parse_digits(fraction, UINT64_MAX, &part) != KOA_OK)
        return KOA_ERR_PARSE;
    /* At most 10^9 * 86400000: fits. */
    if (part * (uint64_t) factor % divisor != 0)
        return KOA_ERR_PARSE;
    *ret_number = (int64_t) (number * (uint64_t) factor + part * (uint64_t) factor / divisor);
    return KOA_OK;
}

/* Takes digits[.digits] from the start of `*text`. */
static bool take_decimal(struct koa_str *text, struct koa_str *ret_whole,
                         struct koa_str *ret_fraction)
{
    size_t whole = count_digits(*text, 0);
    size_t at = whole;
    size_t fraction = 0;

    if (whole == 0)
        return false;
    if (at < text->size && text->data[at] == '.') {
        fraction = count_digits(*text, at + 1);
        if (fraction == 0)
            return false;
        at += 1 + fraction;
    }
    *ret_whole = (struct koa_str){.data = text->data, .size = whole};
    *ret_fraction = (struct koa_str){.data = text->data + at - fraction, .size = fraction};
    *text = (struct koa_str){.data = text->data + at, .size = text->size - at};
    return true;
}

/* Takes a unit's name from the start of `*text`, looking from row `from` on. The count of rows when
 * there is none. */
static size_t take_duration_unit(struct koa_str *text, size_t from)
{
    size_t letters = 0;

    while (letters < text->size && !is_digit(text->data[letters]))
        letters++;
    for (size_t i = from; i < KOA_ARRAY_COUNT(duration_units); i++) {
        struct koa_str name = {.data = text->data, .size = letters};

        if (koa_str_equal_text(name, duration_units[i].name)) {
            *text = (struct koa_str){.data = text->data + letters, .size = text->size - letters};
            return i;
        }
    }
    return KOA_ARRAY_COUNT(duration_units);
}

enum koa_err koa_parse_duration(struct koa_str text, int64_t bare_unit_ms, int64_t *ret_ms)
{
    struct koa_str whole;
    struct koa_str fraction;
    int64_t sum = 0;
    size_t next_unit = 0;
    bool is_first = true;

    do {
        int64_t factor = bare_unit_ms;
        int64_t part;
        enum koa_err err;

        if (!take_decimal(&text, &whole, &fraction))
            return KOA_ERR_PARSE;
        if (text.size > 0 || !is_first) {
            size_t unit = take_duration_unit(&text, next_unit);

            /* Only the last part may have a fraction. */
            if (unit == KOA_ARRAY_COUNT(duration_units) || (fraction.size > 0 && text.size > 0))
                return KOA_ERR_PARSE;
            factor = duration_units[unit].factor;
            next_unit = unit + 1;
        }
        err = scale(whole, fraction, factor, &part);
        if (err != KOA_OK)
            return err;
        sum += part; /* at most five parts, each far below the type's end */
        is_first = false;
    } while (text.size > 0);
    if (sum > LONGEST_MS)
        return KOA_ERR_RANGE;
    *ret_ms = sum;
    return KOA_OK;
}

enum koa_err koa_parse_size(struct koa_str text, int64_t *ret_bytes)
{
    size_t digits = count_digits(text, 0);
    struct koa_str number = {.data = text.data, .size = digits};
    struct koa_str name = {.data = text.data + digits, .size = text.size - digits};

    if (digits == 0)
        return KOA_ERR_PARSE;
    for (size_t i = 0; i < KOA_ARRAY_COUNT(size_units); i++) {
        if (koa_str_equal_text(name, size_units[i].name) || (name.size == 0 && i == 0)) {
            uint64_t count;
            enum koa_err err =
                parse_digits(number, (uint64_t) (INT64_MAX / size_units[i].factor), &count);

            if (err == KOA_OK)
                *ret_bytes = (int64_t) count * size_units[i].factor;
            return err;
        }
    }
    return KOA_ERR_PARSE;
}

enum koa_err koa_parse_bool(struct koa_str text, bool *ret_value)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};

    for (size_t i = 0; i < KOA_ARRAY_COUNT(words); i++) {
        if (koa_str_equal_text(text, words[i])) {
            *ret_value = i % 2 == 1;
            return KOA_OK;
        }
    }
    return KOA_ERR_PARSE;
}

static size_t put_text(char text[KOA_NUM_TEXT_SIZE], const char *word)
{
    size_t size = strlen(word);

    memcpy(text, word, size + 1);
    return size;
}

/* Numbers with up to six places: most durations and ratios. 0 when `number` is not one. Division
 * rounds correctly and 15 digits are told apart by a double, so a quotient that is the number
 * proves these digits to be those that printf finds. */
static size_t format_decimal(double number, char text[KOA_NUM_TEXT_SIZE])
{
    static const double scale = 1e6;
    double size = fabs(number);
    uint64_t scaled;
    size_t length = 0;

    if (size < 1e-4 || size >= 1e9)
        return 0;
    scaled = (uint64_t) (size * scale + 0.5);
    if (fabs((double) scaled / scale - size) > 0)
        return 0;
    if (number < 0)
        text[length++] = '-';
    length += koa_format_uint(scaled / 1000000, text + length);
    /* A one in front keeps the zeros; the point takes its place. */
    (void) koa_format_uint(1000000 + scaled % 1000000, text + length);
    text[length] = '.';
    length += 7;
    while (text[length - 1] == '0')
        length--;
    text[length] = '\0';
    return length;
}

/* What is not whole, or too large to show that it is. Not inlined: whole numbers must not pay for
 * what this needs. */
__attribute__((noinline)) static size_t format_other(double number, char text[KOA_NUM_TEXT_SIZE])
{
    locale_t previous;
    int length;

    if (isnan(number))
        return put_text(text, "NaN");
    if (isinf(number))
        return put_text(text, number > 0 ? "+Inf" : "-Inf");
    length = (int) format_decimal(number, text);
    if (length > 0)
        return (size_t) length;
    (void) pthread_once(&plain_locale_once, make_plain_locale);
    previous = plain_locale != (locale_t) 0 ? uselocale(plain_locale) : (locale_t) 0;
    for (int digits = 15; digits <= 17; digits++) {
        double back;

        length = snprintf(text, KOA_NUM_TEXT_SIZE, "%.*g", digits, number);
        back = strtod(text, NULL);
        if (back <= number && back >= number)
            break;
    }
    if (previous != (locale_t) 0)
        (void) uselocale(previous);
    return (size_t) length;
}

static size_t length_of(uint64_t number)
{
    size_t length = 1;

    for (; number >= 10000; number /= 10000)
        length += 4;
    return length + (number >= 10) + (number >= 100) + (number >= 1000);
}

static size_t print_digits(uint64_t number, char *text)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233"
        "34353637383940414243444546474849505152535455565758596061626364656667"
        "6869707172737475767778798081828384858687888990919293949596979899";
    size_t length;
    char *at;

    if (number < 10) { /* most are */
        text[0] = (char) ('0' + number);
        text[1] = '\0';
        return 1;
    }
    length = length_of(number);
    at = text + length;
    *at = '\0';
    for (; number >= 100; number /= 100) {
        at -= 2;
        memcpy(at, pairs + number % 100 * 2, 2);
    }
    if (number >= 10) {
        memcpy(at - 2, pairs + number * 2, 2);
    } else {
        at[-1] = (char) ('0' + number);
    }
    return length;
}

size_t koa_format_uint(uint64_t number, char text[KOA_NUM_TEXT_SIZE])
{
    return print_digits(number, text);
}

size_t koa_format_int(int64_t number, char text[KOA_NUM_TEXT_SIZE])
{
    if (number >= 0)
        return print_digits((uint64_t) number, text);
    text[0] = '-';
    return 1 + print_digits(~(uint64_t) number + 1, text + 1); /* 2^63 has 19 digits: it fits */
}

size_t koa_format_double(double number, char text[KOA_NUM_TEXT_SIZE])
{
    static const double exact = 9007199254740992.0; /* 2^53 */

    if (number > -exact && number < exact) {
        int64_t whole = (int64_t) number;

        if (number >= (double) whole && number <= (double) whole)
            return koa_format_int(whole, text);
    }
    return format_other(number, text);
}

size_t koa_format_duration(int64_t duration_ms, char text[KOA_NUM_TEXT_SIZE])
{
    uint64_t rest = duration_ms < 0 ? ~(uint64_t) duration_ms + 1 : (uint64_t) duration_ms;
    size_t length = 0;

    if (rest == 0)
        return put_text(text, "0s");
    if (duration_ms < 0)
        text[length++] = '-';
    /* Days are read but not written: 24h is what people set and want to see again. */
    for (size_t i = 1; i < KOA_ARRAY_COUNT(duration_units); i++) {
        uint64_t factor = (uint64_t) duration_units[i].factor;

        if (rest < factor)
            continue;
        length += koa_format_uint(rest / factor, text + length);
        length += put_text(text + length, duration_units[i].name);
        rest %= factor;
    }
    return length;
}

size_t koa_format_size(int64_t bytes, char text[KOA_NUM_TEXT_SIZE])
{
    size_t unit = 0;
    size_t length;

    /* Rows 1 to 4 are the binary units. */
    while (bytes != 0 && unit < 4 && bytes % size_units[unit + 1].factor == 0)
        unit++;
    length = koa_format_int(bytes / size_units[unit].factor, text);
    return unit > 0 ? length + put_text(text + length, size_units[unit].name) : length;
}
