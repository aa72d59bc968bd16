/* Option rows: one row per setting parses, validates, masks and documents it. Checks, rules and
 * notifiers, ours or a host's, describe their config struct with them; the same rows serve YAML and
 * settings given from C. A table ends with an all-zero row. */
#ifndef KOA_OPTION_H
#define KOA_OPTION_H

#include <koa/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The member's C type is named beside each; the macros below refuse any other at compile time. */
enum koa_option_type {
    KOA_OPTION_NONE,     /* ends a table */
    KOA_OPTION_BOOL,     /* bool: true false yes no on off */
    KOA_OPTION_COUNT,    /* int64_t: a whole number */
    KOA_OPTION_NUMBER,   /* double */
    KOA_OPTION_SIZE,     /* int64_t bytes: 65536, 64KiB, 10MiB, 1GB */
    KOA_OPTION_DURATION, /* int64_t milliseconds: 500ms, 30s, 1m30s, 24h, 7d; a bare number: seconds
                          */
    KOA_OPTION_TEXT,     /* const char * */
    KOA_OPTION_SECRET,   /* const char *: masked everywhere, and also given as <key>_file */
    KOA_OPTION_CHOICE,   /* int: one word of `choices` */
    KOA_OPTION_TEXTS,    /* struct koa_texts: a list; one scalar is a list of one */
    KOA_OPTION_COUNTS,   /* struct koa_counts: a list of whole numbers */
    KOA_OPTION_CHOICES,  /* unsigned: a set of words of `choices`, bit 1 << value */
    KOA_OPTION_PAIRS,    /* struct koa_pairs: a mapping of text to text */
    KOA_OPTION_GROUP,    /* a struct with rows of its own */
    KOA_OPTION_LIST,     /* struct koa_list: a list of structs with rows of their own */
    KOA_OPTION_SUBTREE,  /* const struct koa_node *: parsed later, by whoever knows its rows */
    KOA_OPTION_TYPE_COUNT
};

/* Parsed lists and mappings. They and their text live in the memory of the configuration. */
struct koa_texts {
    const char *const *rows;
    size_t count;
};

struct koa_counts {
    const int64_t *rows;
    size_t count;
};

struct koa_pair {
    const char *key;
    const char *value;
};

struct koa_pairs {
    const struct koa_pair *rows;
    size_t count;
};

struct koa_list {
    void *rows; /* `count` structs, each of the row's `item_size` */
    size_t count;
};

struct koa_node;

/* One word of a choice and the value stored for it. Ends with a NULL word. Several words may share
 * a value ("greater_than" and ">"); the first is the one that is printed. */
struct koa_choice {
    const char *word;
    int value;
};

/* Checks one parsed member beyond type and range, such as "a URL" or "a regular expression".
 * Returns NULL when it is right, else a constant text that completes "must be ...". */
typedef const char *koa_option_validate_fn(const char *value);

struct koa_option {
    const char *key;
    enum koa_option_type type;
    bool required;
    bool restart;         /* a reload cannot change it */
    size_t offset;        /* of the member */
    const char *fallback; /* default, in the file's own syntax; NULL: zero, NULL or empty */
    const char *also;     /* what else may stand here that is not this row's, for texts; or NULL */
    double minimum, maximum;          /* for numbers, sizes, durations (ms); both 0: no limit */
    const struct koa_choice *choices; /* for CHOICE and CHOICES */
    koa_option_validate_fn *validate; /* for TEXT, SECRET, each of TEXTS, each value of PAIRS */
    const struct koa_option *rows;    /* for GROUP and LIST */
    size_t item_size;                 /* for LIST: sizeof of one struct */
    const char *environment;          /* variable that outranks the file, or NULL */
    const char *bare_unit; /* for DURATION from the environment: "h" when a bare number is hours */
    const char *help;      /* one line for docs/config.md, no full stop */
};

#define KOA_OPTION_OFFSET(structure, member, type)                                                 \
    (offsetof(structure, member) +                                                                 \
     0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((structure *) 0)->member), type)     \
                         ? 1                                                                       \
                         : -1]))
#define KOA_OPTION_ROW(structure, member, kind, ctype)                                             \
    .key = #member, .type = (kind), .offset = KOA_OPTION_OFFSET(structure, member, ctype)

/* Member name and key are one word; set .key after the macro where they differ. */
#define KOA_BOOL(s, m) KOA_OPTION_ROW(s, m, KOA_OPTION_BOOL, bool)
#define KOA_COUNT(s, m) KOA_OPTION_ROW(s, m, KOA_OPTION_COUNT, int64_t)
#define KOA_NUMBER(s, m) KOA_OPTION_ROW(s, m, KOA_OPTION_NUMBER, double)
#define KOA_SIZE(s, m) KOA_OPTION_ROW(s, m, KOA_OPTION_SIZE, int64_t)
#define KOA_DURATION(s, m) KOA_OPTION_ROW(s, m, KOA_OPTION_DURATION, int64_t)
#define KOA_TEXT(s, m) KOA_OPTION_ROW(s, m, KOA_OPTION_TEXT, const char *)
#define KOA_SECRET(s, m) KOA_OPTION_ROW(s, m, KOA_OPTION_SECRET, const char *)
#define KOA_CHOICE(s, m, words) KOA_OPTION_ROW(s, m, KOA_OPTION_CHOICE, int), .choices = (words)
#define KOA_TEXTS(s, m) KOA_OPTION_ROW(s, m, KOA_OPTION_TEXTS, struct koa_texts)
#define KOA_COUNTS(s, m) KOA_OPTION_ROW(s, m, KOA_OPTION_COUNTS, struct koa_counts)
#define KOA_CHOICES(s, m, words)                                                                   \
    KOA_OPTION_ROW(s, m, KOA_OPTION_CHOICES, unsigned), .choices = (words)
#define KOA_PAIRS(s, m) KOA_OPTION_ROW(s, m, KOA_OPTION_PAIRS, struct koa_pairs)
#define KOA_GROUP(s, m, table)                                                                     \
    .key = #m, .type = KOA_OPTION_GROUP, .offset = offsetof(s, m), .rows = (table)
#define KOA_LIST(s, m, item, table)                                                                \
    KOA_OPTION_ROW(s, m, KOA_OPTION_LIST, struct koa_list), .item_size = sizeof(item),             \
                                                            .rows = (table)
#define KOA_SUBTREE(s, m) KOA_OPTION_ROW(s, m, KOA_OPTION_SUBTREE, const struct koa_node *)

/* Settings from C: keys as in the file, values as they would stand there. A list is written in flow
 * form ("[a, b]"), a nested key with dots ("tls.ca_file"). Borrowed by the call that takes them. */
struct koa_setting {
    const char *key;
    const char *value;
};

struct koa_settings {
    const struct koa_setting *rows;
    size_t count;
    const char *const *origins; /* what errors call each row, such as "--port"; NULL, also of one
                                   row: "settings" */
    void
        *context; /* handed to the host's functions; the host keeps it alive until the agent ends */
};

#define KOA_CONTEXT_SETTINGS(pointer, ...)                                                         \
    (&(const struct koa_settings){.rows = (const struct koa_setting[]){__VA_ARGS__},               \
                                  .count = sizeof((const struct koa_setting[]){__VA_ARGS__}) /     \
                                           sizeof(struct koa_setting),                             \
                                  .context = (pointer)})
#define KOA_SETTINGS(...) KOA_CONTEXT_SETTINGS(NULL, __VA_ARGS__)
#define KOA_CONTEXT(pointer) (&(const struct koa_settings){.context = (pointer)})
#define KOA_NO_SETTINGS ((const struct koa_settings *) NULL)

#ifdef __cplusplus
}
#endif

#endif
