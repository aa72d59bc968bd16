/* Gives every file of a folder to a fuzz target once: what was found before stays found, in every
 * build and without a fuzzing compiler. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* NOLINTNEXTLINE(readability-identifier-naming): the fuzzer calls it by this name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_LIMIT = 1 << 20 };

static int replay(const char *folder, const char *name)
{
    /* Exactly as large as the input, so that a sanitizer sees a read beyond it. */
    static uint8_t all[INPUT_LIMIT];
    char path[4096];
    uint8_t *input;
    FILE *file;
    size_t size;

    (void) snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "rbe");
    if (file == NULL)
        return 1;
    size = fread(all, 1, sizeof(all), file);
    (void) fclose(file);
    input = malloc(size > 0 ? size : 1);
    if (input == NULL)
        return 1;
    for (size_t i = 0; i < size; i++)
        input[i] = all[i];
    (void) LLVMFuzzerTestOneInput(input, size);
    free(input);
    return 0;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    int failures = 0;
    int count = 0;
    const struct dirent *entry;

    if (folder == NULL) {
        (void) fprintf(stderr, "usage: replay FOLDER\n");
        return 2;
    }
    while ((entry = readdir(folder)) != NULL) { /* NOLINT(concurrency-mt-unsafe): one thread */
        if (entry->d_name[0] == '.')
            continue;
        failures += replay(argv[1], entry->d_name);
        count++;
    }
    (void) closedir(folder);
    (void) printf("%d inputs\n", count);
    return failures > 0 || count == 0;
}
