/* Pages of health and metrics: whole, or an error. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "waymark/pages.h"

enum { ANSWER_MAX = 16 << 20 };

/* Prints as many bytes as the context says. */
static unsigned print_bytes(void *ctx, struct wm_buf *out)
{
    static const char row[] = "waymark_objects{cluster=\"host\",namespace=\"shop\",resource=\"pods\"} 12\n";

    for (size_t n = 0; n < *(size_t *)ctx; n += sizeof row - 1)
        wm_buf_puts(out, row);
    return 200;
}

static void read_all(int fd, struct wm_buf *ret)
{
    char chunk[65536];
    ssize_t n;

    while ((n = read(fd, chunk, sizeof chunk)) > 0)
        wm_buf_add(ret, chunk, (size_t)n);
}

static void get(int port, struct wm_buf *ret)
{
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
    assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(write(fd, request, sizeof request - 1), sizeof request - 1);
    read_all(fd, ret);
    close(fd);
}

/* The answer to a page of `n` bytes. */
static void answer(size_t n, struct wm_buf *ret)
{
    static const struct wm_page table[] = {{"/metrics", WM_PAGE_METRICS, print_bytes}};
    struct wm_pages *pages = NULL;

    assert_int_equal(wm_pages_new("127.0.0.1", 0, table, 1, &n, &pages, NULL), WM_OK);
    get(wm_pages_port(pages), ret);
    wm_pages_free(pages);
}

static void a_page_of_many_watches_is_whole(void **state)
{
    wm_auto_buf struct wm_buf got = WM_BUF_MAX(ANSWER_MAX);

    (void)state;
    answer(3 << 20, &got);
    assert_memory_equal(got.p, "HTTP/1.1 200", 12);
    assert_true(got.n > 3 << 20);
}

static void a_page_that_is_too_long_is_an_error(void **state)
{
    wm_auto_buf struct wm_buf got = WM_BUF_MAX(ANSWER_MAX);

    (void)state;
    answer(5 << 20, &got);
    assert_memory_equal(got.p, "HTTP/1.1 500", 12);
    assert_non_null(strstr(got.p, "the page is too long"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_of_many_watches_is_whole),
        cmocka_unit_test(a_page_that_is_too_long_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
