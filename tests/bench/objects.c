/* What the bench of `analyze` needs: the reader of objects alone, JSON as YAML, and what a program costs.
 * Usage: bench_objects read FOLDER | yaml FILE | measure PROGRAM ARGUMENT... */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "waymark/clock.h"
#include "waymark/folder.h"
#include "waymark/host.h"
#include "waymark/object_text.h"

enum { FILE_MAX = 256 << 20 };

static size_t n_objects, n_errors;

static int wanted(void *ctx, struct wm_str api_version, struct wm_str kind)
{
    (void)ctx;
    (void)api_version;
    (void)kind;
    n_objects++;
    return 0;
}

static void failed(void *ctx, const struct wm_error *err)
{
    (void)ctx;
    fprintf(stderr, "bench_objects: %s: %s\n", err->where, err->msg);
    n_errors++;
}

static void read_file(void *ctx, const char *path)
{
    static const struct wm_object_sink sink = {wanted, NULL, failed, NULL};
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(FILE_MAX);
    struct wm_error err = {0};

    if (wm_file_read(path, &text, &err) < 0)
        failed(ctx, &err);
    else
        wm_objects_read(wm_buf_text(&text), path, &sink);
}

static int read_all(const char *folder)
{
    wm_folder_each(folder, &(struct wm_folder_walk){wm_is_object_file, read_file, failed, NULL});
    printf("%zu\n", n_objects);
    return n_errors > 0;
}

static int print_yaml(const char *path)
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(FILE_MAX), out = WM_BUF_MAX(FILE_MAX);
    wm_auto_json cJSON *tree = NULL;
    struct wm_error err = {0};

    if (wm_file_read(path, &text, &err) < 0 || wm_json_parse(wm_buf_text(&text), &tree, &err) < 0 ||
        wm_yaml_print(tree, &out, &err) < 0) {
        failed(NULL, &err);
        return 1;
    }
    fputs(wm_buf_text(&out).p, stdout);
    return 0;
}

static long ms_of(struct timeval t)
{
    return t.tv_sec * 1000 + t.tv_usec / 1000;
}

static int measure(char *argv[])
{
    int64_t began = wm_mono_ms();
    struct rusage used;
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execvp(argv[0], argv);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &used) < 0)
        return 1;
    printf("{\"cpu_ms\":%ld,\"wall_ms\":%lld,\"rss_kb\":%ld,\"status\":%d}\n",
           ms_of(used.ru_utime) + ms_of(used.ru_stime), (long long)(wm_mono_ms() - began), used.ru_maxrss,
           WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    return 0;
}

int main(int argc, char *argv[])
{
    if (argc == 3 && strcmp(argv[1], "read") == 0)
        return read_all(argv[2]);
    if (argc == 3 && strcmp(argv[1], "yaml") == 0)
        return print_yaml(argv[2]);
    if (argc > 2 && strcmp(argv[1], "measure") == 0)
        return measure(argv + 2);
    fputs("usage: bench_objects read FOLDER | yaml FILE | measure PROGRAM ARGUMENT...\n", stderr);
    return 2;
}
