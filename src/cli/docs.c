/* `docs`: prints a generated document from the program's own rows, so that text and behaviour
 * cannot differ. For the build's checks; hidden from the list of commands. */
#include <stdio.h>

#include "agent/check.h"
#include "api/api.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/doctor_features.h"
#include "metrics/catalog.h"
#include "sim/scenario.h"

enum { DOCUMENT_LIMIT = 4 << 20 };

static void document_errors(struct koa_buf *buf)
{
    koa_buf_append_text(buf, "# Errors\n\nThe codes of `enum koa_err` (`include/koa/error.h`).\n\n"
                             "| code | name | meaning |\n|---|---|---|\n");
#define ERROR_ROW(code, name, meaning)                                                             \
    koa_buf_append_text(buf, "| `" #code "` | `" name "` | " meaning " |\n");
    KOA_ERR_ROWS(ERROR_ROW)
#undef ERROR_ROW
}

static const struct {
    const char *name;
    void (*write)(struct koa_buf *buf);
} documents[] = {
    {"config", koa_configuration_document},
    {"metrics", koa_catalog_write_markdown},
    {"errors", document_errors},
    {"http-api", koa_api_document},
    {"simulate", koa_sim_scenario_document},
    {"permissions", cli_permissions_document},
};

static int docs(const struct cli_arguments *arguments)
{
    for (size_t i = 0; i < KOA_ARRAY_COUNT(documents); i++) {
        if (koa_text_equal(documents[i].name, arguments->operand)) {
            struct koa_buf buf = {.limit = DOCUMENT_LIMIT};

            documents[i].write(&buf);
            (void) fputs(koa_buf_text(&buf), stdout);
            koa_buf_deinit(&buf);
            return CLI_OK;
        }
    }
    (void) fprintf(stderr,
                   "kafka-ops-agent docs: there are config, metrics, errors, http-api, simulate, "
                   "permissions; not '%s'\n",
                   arguments->operand);
    return CLI_USAGE;
}

static const struct cli_flag flags[] = {{0}};

const struct cli_command cli_docs = {
    .name = "docs",
    .operand = "NAME",
    .summary =
        "Print a generated document: config, metrics, errors, http-api, simulate or permissions",
    .flag_tables = (const struct cli_flag *const[]){flags, NULL},
    .is_hidden = true,
    .run = docs,
};
