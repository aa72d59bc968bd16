/* Replaces names in double braces. A template is text of the configuration; what is put in comes
 * from outside and is never read as a template. */
#include "alerts/template.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alerts/identity.h"
#include "base/num.h"
#include "base/str.h"

static bool append_number(struct koa_buf *buf, bool is_known, double number)
{
    char text[KOA_NUM_TEXT_SIZE];

    if (is_known)
        koa_buf_append(buf, text, koa_format_double(number, text));
    return is_known;
}

static bool append_label(struct koa_buf *buf, const struct koa_labels *labels, struct koa_str name)
{
    for (size_t i = 0; i < labels->count; i++) {
        if (koa_str_equal_text(name, labels->rows[i].name)) {
            koa_buf_append_text(buf, labels->rows[i].value);
            return true;
        }
    }
    return false;
}

static bool append_name(struct koa_buf *buf, const struct koa_alert_record *record,
                        struct koa_str name)
{
    if (koa_str_equal_text(name, "value"))
        return append_number(buf, record->has_value, record->value);
    if (koa_str_equal_text(name, "threshold"))
        return append_number(buf, record->has_threshold, record->threshold);
    if (append_label(buf, &record->labels, name))
        return true;
    if (koa_str_equal_text(name, "rule")) {
        koa_buf_append_text(buf, record->rule);
        return true;
    }
    if (koa_str_equal_text(name, "severity")) {
        koa_buf_append_text(buf, koa_severity_name(record->severity));
        return true;
    }
    if (koa_str_equal_text(name, "message") && record->message != NULL) {
        koa_buf_append_text(buf, record->message);
        return true;
    }
    return false;
}

void koa_template_expand(const char *template, const struct koa_alert_record *record,
                         struct koa_buf *buf)
{
    const char *rest = template;

    for (;;) {
        const char *open = strstr(rest, "{{");
        const char *close = open != NULL ? strstr(open, "}}") : NULL;
        struct koa_str name;

        if (close == NULL) {
            koa_buf_append_text(buf, rest);
            return;
        }
        koa_buf_append(buf, rest, (size_t) (open - rest));
        name = (struct koa_str){.data = open + 2, .size = (size_t) (close - open - 2)};
        if (!append_name(buf, record, koa_str_trim(name)))
            koa_buf_append(buf, open, (size_t) (close + 2 - open));
        rest = close + 2;
    }
}

const char *koa_alert_number(double number, char text[KOA_ALERT_NUMBER_SIZE])
{
    double size = fabs(number);
    int length;

    if (isnan(number) || size >= 1e15 || (size > 0 && size < 0.0005)) {
        (void) koa_format_double(number, text);
        return text;
    }
    /* Thousandths as a whole number: at most 19 digits. */
    length = snprintf(text, KOA_ALERT_NUMBER_SIZE, "%s%lld.%03lld", number < 0 ? "-" : "",
                      llround(size * 1000) / 1000, llround(size * 1000) % 1000);
    while (length > 2 && text[length - 1] == '0' && text[length - 2] != '.')
        text[--length] = '\0';
    return text;
}
