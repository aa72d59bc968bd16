/* SQLite, blocking. Decides how the file is opened, found damaged and moved aside; when something
 * is written is store.c's decision. */
#include "store/database.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/num.h"
#include "base/str.h"

enum {
    SCHEMA_VERSION = 1,
    BUSY_MS = 5000, /* somebody has the file open in a shell */
    PATH_SIZE = 4096
};

enum statement { PUT, DELETE, TRIM, SCAN, STATEMENT_COUNT };

static const char *const statements[STATEMENT_COUNT] = {
    [PUT] = "INSERT INTO rows(tbl, key, time, bytes) VALUES(?1, ?2, ?3, ?4) "
            "ON CONFLICT(tbl, key) DO UPDATE SET time = ?3, bytes = ?4",
    [DELETE] = "DELETE FROM rows WHERE tbl = ?1 AND key = ?2",
    [TRIM] = "DELETE FROM rows WHERE tbl = ?1 AND (time, key) < (SELECT time, key FROM rows "
             "WHERE tbl = ?1 ORDER BY time DESC, key DESC LIMIT 1 OFFSET ?2 - 1)",
    [SCAN] = "SELECT key, time, bytes FROM rows WHERE tbl = ?1 ORDER BY time, key",
};

/* FULL: a commit is on disk, so a power cut loses nothing that `done` has promised. */
static const char setup[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                            "PRAGMA journal_size_limit = 1048576;";
static const char schema[] = "BEGIN IMMEDIATE;"
                             "CREATE TABLE IF NOT EXISTS rows(tbl TEXT NOT NULL, key BLOB NOT NULL,"
                             " time INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY(tbl, key))"
                             " WITHOUT ROWID;"
                             "CREATE INDEX IF NOT EXISTS rows_by_time ON rows(tbl, time, key);"
                             "PRAGMA user_version = 1;"
                             "COMMIT;";

struct koa_database {
    struct koa_object object;
    sqlite3 *sqlite;
    sqlite3_stmt *prepared[STATEMENT_COUNT];
    char path[PATH_SIZE];
};

/* A full or refusing disk is the system's matter; all else is the database's. */
static enum koa_err error_code(int code)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
        return KOA_ERR_IO;
    default:
        return KOA_ERR_STORE;
    }
}

static enum koa_err fail(const struct koa_database *database, const char *what,
                         struct koa_error *reterr)
{
    int code = database->sqlite != NULL ? sqlite3_errcode(database->sqlite) : 0;
    enum koa_err err =
        koa_fail(reterr, error_code(code), "%s: cannot %s: %s",
                 database->path[0] != '\0' ? database->path : "state in memory", what,
                 database->sqlite != NULL ? sqlite3_errmsg(database->sqlite) : "out of memory");

    if (reterr != NULL)
        reterr->foreign = code;
    return err;
}

static enum koa_err execute(struct koa_database *database, const char *sql, const char *what,
                            struct koa_error *reterr)
{
    if (sqlite3_exec(database->sqlite, sql, NULL, NULL, NULL) == SQLITE_OK)
        return KOA_OK;
    return fail(database, what, reterr);
}

static void destroy(struct koa_object *object)
{
    struct koa_database *database = KOA_CONTAINER_OF(object, struct koa_database, object);

    for (int i = 0; i < STATEMENT_COUNT; i++)
        (void) sqlite3_finalize(database->prepared[i]);
    (void) sqlite3_close(database->sqlite);
    koa_free(database);
}

struct koa_database *koa_database_ref(struct koa_database *database)
{
    koa_object_ref(&database->object);
    return database;
}

void koa_database_unref(struct koa_database *database)
{
    if (database != NULL)
        koa_object_unref(&database->object);
}

/* One number of a query, or -1. */
static int query_int(struct koa_database *database, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int number = -1;

    if (sqlite3_prepare_v2(database->sqlite, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int(statement, 0);
    (void) sqlite3_finalize(statement);
    return number;
}

/* SQLite's own word for a sound file is "ok". */
static enum koa_err check_sound(struct koa_database *database, struct koa_error *reterr)
{
    sqlite3_stmt *statement = NULL;
    enum koa_err err = KOA_OK;
    const unsigned char *answer;

    if (sqlite3_prepare_v2(database->sqlite, "PRAGMA quick_check(1)", -1, &statement, NULL) !=
            SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        err = fail(database, "check", reterr);
    } else {
        answer = sqlite3_column_text(statement, 0);
        if (answer == NULL || strcmp((const char *) answer, "ok") != 0) {
            err = koa_fail(reterr, KOA_ERR_STORE, "%s: damaged: %s", database->path,
                           answer != NULL ? (const char *) answer : "no answer");
            if (reterr != NULL)
                reterr->foreign = SQLITE_CORRUPT;
        }
    }
    (void) sqlite3_finalize(statement);
    return err;
}

static enum koa_err check_version(struct koa_database *database, struct koa_error *reterr)
{
    int version = query_int(database, "PRAGMA user_version");

    if (version < 0)
        return fail(database, "read", reterr);
    if (version > SCHEMA_VERSION) {
        return koa_fail(reterr, KOA_ERR_UNSUPPORTED,
                        "%s: written by a newer agent (format %d, this one knows %d)",
                        database->path, version, SCHEMA_VERSION);
    }
    return KOA_OK;
}

static enum koa_err open_file(struct koa_database *database, struct koa_error *reterr)
{
    static const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
    enum koa_err err = KOA_OK;

    if (sqlite3_open_v2(database->path[0] != '\0' ? database->path : ":memory:", &database->sqlite,
                        flags, NULL) != SQLITE_OK)
        return fail(database, "open", reterr);
    (void) sqlite3_extended_result_codes(database->sqlite, 0);
    (void) sqlite3_busy_timeout(database->sqlite, BUSY_MS);
    err = check_version(database, reterr);
    if (err == KOA_OK)
        err = check_sound(database, reterr);
    if (err == KOA_OK)
        err = execute(database, setup, "set up", reterr);
    if (err == KOA_OK)
        err = execute(database, schema, "set up", reterr);
    for (int i = 0; err == KOA_OK && i < STATEMENT_COUNT; i++) {
        if (sqlite3_prepare_v3(database->sqlite, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &database->prepared[i], NULL) != SQLITE_OK)
            err = fail(database, "prepare statements for", reterr);
    }
    return err;
}

static enum koa_err make(const char *path, struct koa_database **ret_database,
                         struct koa_error *reterr)
{
    struct koa_database *database = koa_calloc(1, sizeof(*database));
    enum koa_err err = koa_require_memory(database, reterr);

    if (err != KOA_OK)
        return err;
    koa_object_init(&database->object, destroy);
    if (path != NULL && !koa_str_copy(database->path, sizeof(database->path), koa_str_from(path)))
        err = koa_fail(reterr, KOA_ERR_INVALID, "the path of the state directory is too long");
    if (err == KOA_OK)
        err = open_file(database, reterr);
    if (err == KOA_OK)
        *ret_database = KOA_MOVE(database);
    koa_database_unref(database);
    return err;
}

/* The file and the two that SQLite keeps beside it, so that nothing of them is applied to the new
 * one. */
static enum koa_err move_aside(const char *path, struct koa_wall now, struct koa_log *log,
                               const struct koa_error *reason, struct koa_error *reterr)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char stamp[KOA_NUM_TEXT_SIZE];
    char from[PATH_SIZE + 8];
    char to[PATH_SIZE + 64];

    (void) koa_format_int(now.ms, stamp);
    for (size_t i = 0; i < KOA_ARRAY_COUNT(suffixes); i++) {
        (void) snprintf(from, sizeof(from), "%s%s", path, suffixes[i]);
        (void) snprintf(to, sizeof(to), "%s.damaged-%s%s", path, stamp, suffixes[i]);
        if (rename(from, to) != 0 && i == 0) {
            return koa_fail(reterr, KOA_ERR_STORE, "%s, and it cannot be moved aside",
                            reason->text);
        }
    }
    koa_log_warn(log, "store.damaged", "%s; moved aside to %s.damaged-%s, alert states begin anew",
                 reason->text, path, stamp);
    return KOA_OK;
}

enum koa_err koa_database_create(const char *path, struct koa_wall now, struct koa_log *log,
                                 struct koa_database **ret_database, struct koa_error *reterr)
{
    struct koa_error error = {0};
    enum koa_err err = make(path, ret_database, &error);

    if (err == KOA_OK)
        return KOA_OK;
    if (path == NULL || (error.foreign != SQLITE_CORRUPT && error.foreign != SQLITE_NOTADB)) {
        if (reterr != NULL)
            *reterr = error;
        return err;
    }
    err = move_aside(path, now, log, &error, reterr);
    return err == KOA_OK ? make(path, ret_database, reterr) : err;
}

static void bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    (void) sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

/* An empty view is an empty blob, never NULL. */
static void bind_bytes(sqlite3_stmt *statement, int index, struct koa_str bytes)
{
    (void) sqlite3_bind_blob64(statement, index, bytes.size > 0 ? bytes.data : "", bytes.size,
                               SQLITE_STATIC);
}

enum koa_err koa_database_begin(struct koa_database *database, struct koa_error *reterr)
{
    return execute(database, "BEGIN IMMEDIATE", "begin to write", reterr);
}

enum koa_err koa_database_commit(struct koa_database *database, struct koa_error *reterr)
{
    return execute(database, "COMMIT", "write", reterr);
}

void koa_database_rollback(struct koa_database *database)
{
    /* Some errors have already rolled back. */
    if (sqlite3_get_autocommit(database->sqlite) == 0)
        (void) sqlite3_exec(database->sqlite, "ROLLBACK", NULL, NULL, NULL);
}

enum koa_err koa_database_change(struct koa_database *database, const struct koa_change *change,
                                 struct koa_error *reterr)
{
    static const enum statement by_type[] = {
        [KOA_CHANGE_PUT] = PUT,
        [KOA_CHANGE_DELETE] = DELETE,
        [KOA_CHANGE_TRIM] = TRIM,
    };
    sqlite3_stmt *statement = database->prepared[by_type[change->type]];
    int result;

    bind_text(statement, 1, change->table);
    if (change->type == KOA_CHANGE_TRIM) {
        (void) sqlite3_bind_int64(statement, 2, change->keep);
    } else {
        bind_bytes(statement, 2, change->key);
    }
    if (change->type == KOA_CHANGE_PUT) {
        (void) sqlite3_bind_int64(statement, 3, change->time.ms);
        bind_bytes(statement, 4, change->bytes);
    }
    result = sqlite3_step(statement);
    (void) sqlite3_reset(statement);
    (void) sqlite3_clear_bindings(statement);
    return result == SQLITE_DONE ? KOA_OK : fail(database, "write", reterr);
}

static struct koa_str column_bytes(sqlite3_stmt *statement, int index)
{
    struct koa_str bytes = {.data = sqlite3_column_blob(statement, index)};

    bytes.size = (size_t) sqlite3_column_bytes(statement, index);
    return bytes;
}

enum koa_err koa_database_scan(struct koa_database *database, const char *table,
                               koa_store_row_fn *row, void *context, struct koa_error *reterr)
{
    sqlite3_stmt *statement = database->prepared[SCAN];
    int result;

    bind_text(statement, 1, table);
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        row(context, column_bytes(statement, 0),
            (struct koa_wall){.ms = sqlite3_column_int64(statement, 1)},
            column_bytes(statement, 2));
    }
    (void) sqlite3_reset(statement);
    return result == SQLITE_DONE ? KOA_OK : fail(database, "read", reterr);
}

struct probe {
    struct koa_str expected;
    bool found;
};

static void compare(void *context, struct koa_str key, struct koa_wall time, struct koa_str bytes)
{
    struct probe *probe = context;

    (void) key;
    (void) time;
    probe->found = koa_str_equal(bytes, probe->expected);
}

enum koa_err koa_database_probe(struct koa_database *database, struct koa_wall now,
                                struct koa_error *reterr)
{
    char text[KOA_NUM_TEXT_SIZE];
    struct probe probe = {.expected.data = text};
    struct koa_change change = {
        .type = KOA_CHANGE_PUT, .table = "probe", .key = KOA_STR("probe"), .time = now};
    enum koa_err err = koa_database_begin(database, reterr);

    probe.expected.size = koa_format_int(now.ms, text);
    change.bytes = probe.expected;
    if (err == KOA_OK)
        err = koa_database_change(database, &change, reterr);
    if (err == KOA_OK)
        err = koa_database_commit(database, reterr);
    if (err == KOA_OK)
        err = koa_database_scan(database, "probe", compare, &probe, reterr);
    if (err == KOA_OK && !probe.found) {
        err = koa_fail(reterr, KOA_ERR_STORE, "%s: what was written was not read back",
                       database->path);
    }
    if (err != KOA_OK)
        koa_database_rollback(database);
    return err;
}

enum koa_err koa_sqlite_probe(const char *path, int64_t timeout_ms, struct koa_error *reterr)
{
    static const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_FULLMUTEX;
    static const char sql[] = "PRAGMA schema_version; SELECT count(*) FROM sqlite_master;";
    sqlite3 *sqlite = NULL;
    enum koa_err err = KOA_OK;

    if (sqlite3_open_v2(path, &sqlite, flags, NULL) == SQLITE_OK)
        (void) sqlite3_busy_timeout(sqlite, (int) timeout_ms);
    if (sqlite == NULL || sqlite3_errcode(sqlite) != SQLITE_OK ||
        sqlite3_exec(sqlite, sql, NULL, NULL, NULL) != SQLITE_OK) {
        err = koa_fail(reterr, KOA_ERR_STORE, "%s: %s", path,
                       sqlite != NULL ? sqlite3_errmsg(sqlite) : "out of memory");
    }
    (void) sqlite3_close(sqlite);
    return err;
}
