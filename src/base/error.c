/* Fills a caller's error: one line, never empty, cut at a character's boundary. What to say is the
 * caller's; whether to log it the owner's. */
#include <koa/error.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* Text is made in a draft first, because arguments may point into the caller's error. It has room
 * to see the character at the cut whole. */
enum { DRAFT_SIZE = KOA_ERROR_TEXT_SIZE + 4 };

static const char *const names[] = {
#define NAME_ROW(code, name, meaning) [code] = (name),
    KOA_ERR_ROWS(NAME_ROW)
#undef NAME_ROW
};

const char *koa_err_name(enum koa_err code)
{
    return (unsigned) code < KOA_ERR_COUNT ? names[code] : "unknown";
}

/* Texts from peers and files may hold anything; an error stays one line. */
static void make_one_line(char *text)
{
    for (char *at = text; *at != '\0'; at++) {
        if ((unsigned char) *at < 0x20 || *at == 0x7f)
            *at = ' ';
    }
}

static void fill(struct koa_error *reterr, enum koa_err code, int foreign, char *text)
{
    if (text[0] == '\0')
        (void) snprintf(text, KOA_ERROR_TEXT_SIZE, "%s", koa_err_name(code));
    make_one_line(text);
    (void) koa_str_copy(reterr->text, sizeof(reterr->text), koa_str_from(text));
    reterr->code = code;
    reterr->foreign = foreign;
    reterr->is_logged = false;
    reterr->retriable = code == KOA_ERR_LIMIT || code == KOA_ERR_TIMEOUT || code == KOA_ERR_CLOSED;
}

enum koa_err koa_fail(struct koa_error *reterr, enum koa_err code, const char *format, ...)
{
    char text[DRAFT_SIZE] = "";
    va_list args;

    if (reterr == NULL)
        return code;
    va_start(args, format);
    (void) vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    fill(reterr, code, 0, text);
    return code;
}

enum koa_err koa_fail_errno(struct koa_error *reterr, enum koa_err code, int error_number,
                            const char *format, ...)
{
    char text[DRAFT_SIZE] = "";
    char storage[128];
    const char *reason;
    size_t used;
    va_list args;

    if (reterr == NULL)
        return code;
    va_start(args, format);
    (void) vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    fill(reterr, code, error_number, text);
    reason = strerror_r(error_number, storage, sizeof(storage));
    /* The reason is what helps most: a text that is too long gives way to it. */
    used = strlen(reterr->text);
    if (used + strlen(reason) + 3 > sizeof(reterr->text)) {
        struct koa_str whole = {.data = reterr->text, .size = used};
        char kept[KOA_ERROR_TEXT_SIZE];

        (void) koa_str_copy(kept, sizeof(kept) - strlen(reason) - 2, whole);
        (void) koa_str_copy(reterr->text, sizeof(reterr->text), koa_str_from(kept));
        used = strlen(reterr->text);
    }
    (void) snprintf(reterr->text + used, sizeof(reterr->text) - used, ": %s", reason);
    return code;
}
