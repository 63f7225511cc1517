/* The configuration file: what is accepted prints as a file that reads back to the same. */
#include "fuzz.h"

#include <string.h>
#include <unistd.h>

#include "settings.h"

static char *print(const struct wm_settings *s)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    wm_options_print(&wm_serve_options, s, f);
    fclose(f);
    return text;
}

static int load(const char *path, struct wm_settings *s, struct wm_error *err)
{
    char flag[] = "--config", file[64];
    char *argv[] = {flag, file}, *env[] = {NULL};
    enum wm_options_wish wish;

    snprintf(file, sizeof file, "%s", path);
    return wm_options_load(&wm_serve_options, 2, argv, env, s, &wish, err);
}

static void write_file(const char *path, const void *p, size_t n)
{
    FILE *f = fopen(path, "w");

    MUST(f && fwrite(p, 1, n, f) == n && fclose(f) == 0, "the file can be written");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[64];
    struct wm_settings a = {0}, b = {0};
    struct wm_error err = {0};

    if (!path[0])
        snprintf(path, sizeof path, "/dev/shm/waymark-fuzz-config.%d", (int)getpid());
    write_file(path, data, size);
    if (load(path, &a, &err) < 0) {
        MUST(err.msg[0], "an error has a message");
    } else {
        char *once = print(&a);

        write_file(path, once, strlen(once));
        MUST(load(path, &b, &err) == 0, err.msg);
        char *twice = print(&b);

        MUST(strcmp(once, twice) == 0, "printed configuration reads back to the same");
        free(once);
        free(twice);
    }
    wm_options_done(&wm_serve_options, &a);
    wm_options_done(&wm_serve_options, &b);
    unlink(path);
    return 0;
}
