/* Numbers from /proc (proc(5)) and getrusage(). */
#include "loop/process_stats.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/num.h"
#include "base/str.h"
#include "loop/clock.h"

enum {
    TEXT_SIZE = 2048,
    /* Fields of /proc/self/stat behind the command's name, counted from its state as 1. */
    FIELD_THREADS = 18,
    FIELD_START_TICKS = 20,
    FIELD_RESIDENT_PAGES = 22,
};

static bool read_text(const char *path, char *text)
{
    FILE *file = fopen(path, "re");
    size_t size;

    if (file == NULL)
        return false;
    size = fread(text, 1, TEXT_SIZE - 1, file);
    text[size] = '\0';
    (void) fclose(file);
    return size > 0;
}

static int64_t field(struct koa_str fields, int number)
{
    int64_t value = 0;
    struct koa_str word = {0};

    for (int i = 0; i < number; i++)
        word = koa_str_split(fields, ' ', &fields);
    return koa_parse_int(word, INT64_MIN, INT64_MAX, &value) == KOA_OK ? value : 0;
}

/* One entry per descriptor, less ".", ".." and the one that reads the directory. */
static int64_t count_open_fds(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int64_t count = -3;

    if (directory == NULL)
        return 0;
    /* The stream is this call's own. */
    while (readdir(directory) != NULL) // NOLINT(concurrency-mt-unsafe)
        count++;
    (void) closedir(directory);
    return count;
}

static double seconds_of(struct timeval time)
{
    return (double) time.tv_sec + (double) time.tv_usec / 1e6;
}

/* The kernel counts ticks since boot; the wall clock less the uptime is when that was. */
static double start_time(int64_t start_ticks)
{
    char text[TEXT_SIZE];
    struct koa_str rest;
    double uptime;

    if (!read_text("/proc/uptime", text) ||
        koa_parse_double(koa_str_split(koa_str_from(text), ' ', &rest), &uptime) != KOA_OK)
        return 0;
    return (double) koa_clock_wall().ms / 1000.0 - uptime +
           (double) start_ticks / (double) sysconf(_SC_CLK_TCK);
}

bool koa_process_stats_read(struct koa_process_stats *ret_stats)
{
    char text[TEXT_SIZE];
    const char *behind_name;
    struct koa_str fields;
    struct rusage usage;
    struct rlimit limit;

    if (!read_text("/proc/self/stat", text))
        return false;
    /* The name stands in brackets and may hold any character, brackets too. */
    behind_name = strrchr(text, ')');
    if (behind_name == NULL || behind_name[1] == '\0')
        return false;
    fields = koa_str_from(behind_name + 2);
    (void) getrusage(RUSAGE_SELF, &usage);
    (void) getrlimit(RLIMIT_NOFILE, &limit);
    *ret_stats = (struct koa_process_stats){
        .cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime),
        .start_time_seconds = start_time(field(fields, FIELD_START_TICKS)),
        .resident_bytes = field(fields, FIELD_RESIDENT_PAGES) * sysconf(_SC_PAGESIZE),
        .open_fds = count_open_fds(),
        .max_fds = (int64_t) limit.rlim_cur,
        .threads = field(fields, FIELD_THREADS),
    };
    return true;
}
