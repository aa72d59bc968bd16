/* Wall-clock points as RFC 3339 text, both ways. Pure: the calendar is computed here (days and
 * civil dates after Howard Hinnant's "chrono-compatible low-level date algorithms"), no clock and
 * no time zone of the system is read. */
#include <koa/time.h>

#include <stdio.h>

#include "base/num.h"

enum { DAY_MS = 86400000 };

#define FIRST_MS (INT64_C(-62167219200000)) /* 0000-01-01T00:00:00.000Z */
#define LAST_MS (INT64_C(253402300799999))  /* 9999-12-31T23:59:59.999Z */

struct civil {
    int64_t year;
    unsigned month, day;
};

static struct civil civil_from_days(int64_t days)
{
    int64_t shifted = days + 719468; /* from 0000-03-01 */
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    unsigned day_of_era = (unsigned) (shifted - era * 146097);
    unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned shifted_month = (5 * day_of_year + 2) / 153;
    unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;

    return (struct civil){
        .year = (int64_t) year_of_era + era * 400 + (month <= 2 ? 1 : 0),
        .month = month,
        .day = day_of_year - (153 * shifted_month + 2) / 5 + 1,
    };
}

static int64_t days_from_civil(struct civil date)
{
    int64_t year = date.year - (date.month <= 2 ? 1 : 0);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t shifted_month = date.month > 2 ? date.month - 3 : date.month + 9;
    int64_t day_of_year = (153 * shifted_month + 2) / 5 + date.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

void koa_wall_format(struct koa_wall time, char text[KOA_TIME_TEXT_SIZE])
{
    int64_t ms = time.ms < FIRST_MS ? FIRST_MS : time.ms > LAST_MS ? LAST_MS : time.ms;
    int64_t days = ms / DAY_MS - (ms % DAY_MS < 0 ? 1 : 0);
    unsigned rest = (unsigned) (ms - days * DAY_MS);
    struct civil date = civil_from_days(days);
    char whole[64];

    (void) snprintf(whole, sizeof(whole), "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
                    (unsigned) date.year, date.month, date.day, rest / 3600000, rest / 60000 % 60,
                    rest / 1000 % 60, rest % 1000);
    for (size_t i = 0; i < KOA_TIME_TEXT_SIZE; i++)
        text[i] = whole[i];
}

/* Exactly `digits` digits at the start of `*text`, which moves behind them. */
static bool take_number(struct koa_str *text, size_t digits, unsigned *ret_number)
{
    unsigned number = 0;

    if (text->size < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (text->data[i] < '0' || text->data[i] > '9')
            return false;
        number = number * 10 + (unsigned) (text->data[i] - '0');
    }
    *text = (struct koa_str){.data = text->data + digits, .size = text->size - digits};
    *ret_number = number;
    return true;
}

static bool take_any(struct koa_str *text, const char *characters)
{
    for (const char *at = characters; *at != '\0'; at++) {
        if (text->size > 0 && text->data[0] == *at) {
            *text = (struct koa_str){.data = text->data + 1, .size = text->size - 1};
            return true;
        }
    }
    return false;
}

static bool take_date(struct koa_str *text, int64_t *ret_days)
{
    unsigned year;
    struct civil date;

    if (!take_number(text, 4, &year) || !take_any(text, "-") ||
        !take_number(text, 2, &date.month) || !take_any(text, "-") ||
        !take_number(text, 2, &date.day))
        return false;
    date.year = year;
    *ret_days = days_from_civil(date);
    if (date.month < 1 || date.month > 12)
        return false;
    /* The 31st of a short month comes back as another date. */
    return civil_from_days(*ret_days).day == date.day;
}

static bool take_time(struct koa_str *text, int64_t *ret_ms)
{
    unsigned hour;
    unsigned minute;
    unsigned second;
    unsigned fraction = 0;
    unsigned digit;

    if (!take_number(text, 2, &hour) || !take_any(text, ":") || !take_number(text, 2, &minute) ||
        !take_any(text, ":") || !take_number(text, 2, &second) || hour > 23 || minute > 59 ||
        second > 59)
        return false;
    if (take_any(text, ".")) {
        unsigned scale = 100;

        if (!take_number(text, 1, &digit))
            return false;
        do {
            fraction += digit * scale;
            scale /= 10;
        } while (take_number(text, 1, &digit));
    }
    *ret_ms =
        (int64_t) hour * 3600000 + (int64_t) minute * 60000 + (int64_t) second * 1000 + fraction;
    return true;
}

static bool take_zone(struct koa_str *text, int64_t *ret_ms)
{
    bool is_west = text->size > 0 && text->data[0] == '-';
    unsigned hour;
    unsigned minute;

    *ret_ms = 0;
    if (take_any(text, "Zz"))
        return true;
    if (!take_any(text, "+-") || !take_number(text, 2, &hour) || !take_any(text, ":") ||
        !take_number(text, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *ret_ms = ((int64_t) hour * 60 + minute) * (is_west ? -60000 : 60000);
    return true;
}

enum koa_err koa_wall_parse(struct koa_str text, struct koa_wall *ret_time)
{
    int64_t days;
    int64_t day_ms;
    int64_t zone_ms;

    if (!take_date(&text, &days) || !take_any(&text, "Tt ") || !take_time(&text, &day_ms) ||
        !take_zone(&text, &zone_ms) || text.size > 0)
        return KOA_ERR_PARSE;
    ret_time->ms = days * DAY_MS + day_ms - zone_ms;
    return KOA_OK;
}
