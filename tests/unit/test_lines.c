/* The pure parts of watching: lines, items of a list, queries, waits, and the table of rules. */
#include <stdio.h>

#include "lib/kube/watch_internal.h"
#include "unit.h"

/* --- lines --- */

static void note_line(void *ctx, struct wm_str line)
{
    wm_buf_str(ctx, line);
    wm_buf_puts(ctx, ";");
}

static const struct line_row {
    const char *name, *text, *want;
} line_rows[] = {
    {"nothing", "", ""},
    {"two lines", "a\nbc\n", "a;bc;"},
    {"CR LF", "a\r\nb\r\n", "a;b;"},
    {"blank lines", "\n\r\na\n\n", "a;"},
    {"no newline at the end: dropped", "a\nb", "a;"},
    {"only a CR inside stays", "a\rb\n", "a\rb;"},
    {"UTF-8", "\xc3\xa9\n\xf0\x9f\x98\x80\n", "\xc3\xa9;\xf0\x9f\x98\x80;"},
};

/* Every line table row, cut at every place, and then a byte at a time. */
static void check_lines(void **state)
{
    const struct line_row *r = *state;
    size_t n = strlen(r->text);

    for (size_t cut = 0; cut <= n + 1; cut++) {
        struct wm_lines l = {WM_BUF_MAX(100)};
        wm_auto_buf struct wm_buf seen = WM_BUF_MAX(1000);

        if (cut <= n) {
            assert_int_equal(wm_lines_feed(&l, (struct wm_str){r->text, cut}, note_line, &seen, NULL), WM_OK);
            assert_int_equal(
                wm_lines_feed(&l, (struct wm_str){r->text + cut, n - cut}, note_line, &seen, NULL), WM_OK);
        } else {
            for (size_t i = 0; i < n; i++)
                wm_lines_feed(&l, (struct wm_str){r->text + i, 1}, note_line, &seen, NULL);
        }
        assert_string_equal(wm_buf_text(&seen).p, r->want);
        wm_lines_done(&l);
    }
}

static void count_bytes(void *ctx, struct wm_str line)
{
    *(size_t *)ctx = line.n;
}

static void a_line_of_the_largest_size_is_taken_and_one_more_byte_is_not(void **state)
{
    enum { MAX = 1 << 20 };
    wm_auto_free char *text = malloc(MAX + 2);

    (void)state;
    memset(text, 'x', MAX + 1);
    for (size_t extra = 0; extra < 2; extra++)
        for (size_t piece = 1000; piece <= MAX + 2; piece += MAX + 2 - 1000) {
            struct wm_lines l = {WM_BUF_MAX(MAX)};
            struct wm_error err = {0};
            size_t got = 0, n = MAX + extra + 1;
            int rc = WM_OK;

            text[n - 1] = '\n';
            for (size_t at = 0; at < n && rc == WM_OK; at += piece)
                rc = wm_lines_feed(&l, (struct wm_str){text + at, n - at < piece ? n - at : piece},
                                   count_bytes, &got, &err);
            assert_int_equal(rc, extra ? WM_E_TOO_BIG : WM_OK);
            assert_int_equal(got, extra ? 0 : MAX);
            text[n - 1] = 'x';
            wm_lines_done(&l);
        }
}

/* --- items --- */

static bool note_item(void *ctx, struct wm_str object, struct wm_error *err)
{
    (void)err;
    note_line(ctx, object);
    return true;
}

static int feed_items(const char *text, size_t cut, struct wm_buf *seen, struct wm_buf *frame)
{
    struct wm_items l = WM_ITEMS(200);
    struct wm_str rest;
    size_t n = strlen(text);
    int rc = wm_items_feed(&l, (struct wm_str){text, cut}, note_item, seen, NULL);

    if (rc == WM_OK)
        rc = wm_items_feed(&l, (struct wm_str){text + cut, n - cut}, note_item, seen, NULL);
    if (rc == WM_OK)
        rc = wm_items_end(&l, &rest, NULL);
    if (rc == WM_OK)
        wm_buf_str(frame, rest);
    wm_items_done(&l);
    return rc;
}

static const struct items_row {
    const char *name, *text, *items, *frame; /* frame NULL = refused */
} items_rows[] = {
    {"two items", "{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[{\"a\":1},{\"b\":[{}]}]}",
     "{\"a\":1};{\"b\":[{}]};", "{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[]}"},
    {"items before the rest", "{\"items\":[{}],\"metadata\":{}}", "{};", "{\"items\":[],\"metadata\":{}}"},
    {"pretty", "{\n \"items\" : [\n {\n\"a\": \"x\"\n}\n ,\n{}\n ]\n}\n", "{\n\"a\": \"x\"\n};{};",
     "{\n \"items\" : []\n}\n"},
    {"no items", "{\"items\":[]}", "", "{\"items\":[]}"},
    {"items are null", "{\"items\":null}", "", "{\"items\":null}"},
    {"no such key", "{\"kind\":\"X\"}", "", "{\"kind\":\"X\"}"},
    {"brackets and quotes in strings", "{\"items\":[{\"a\":\"]}\\\"[{\\\\\"}]}", "{\"a\":\"]}\\\"[{\\\\\"};",
     "{\"items\":[]}"},
    {"items deeper down are no items", "{\"x\":{\"items\":[1,{}]},\"items\":[{}]}", "{};",
     "{\"x\":{\"items\":[1,{}]},\"items\":[]}"},
    {"a string that says items", "{\"x\":\"\\\"items\\\":[\",\"items\":[{}]}", "{};",
     "{\"x\":\"\\\"items\\\":[\",\"items\":[]}"},
    {"a key that ends so", "{\"a\\\"items\":[1]}", "", "{\"a\\\"items\":[1]}"},
    {"an item that is no object", "{\"items\":[1]}", "", NULL},
    {"a comma too many", "{\"items\":[{},]}", "{};", NULL},
    {"a comma first", "{\"items\":[,{}]}", "", NULL},
    {"a comma missing", "{\"items\":[{}{}]}", "{};", NULL},
    {"what is in an item is for its reader", "{\"items\":[{\"a\":01}]}", "{\"a\":01};", "{\"items\":[]}"},
    {"a bracket too many", "{\"items\":[{\"a\":1}}]}", "{\"a\":1};", NULL},
    {"a bracket missing", "{\"items\":[{\"a\":{}]}", "{\"a\":{}];", NULL},
    {"items twice", "{\"items\":[{}],\"items\":[{}]}", "{};{};", NULL},
    {"cut in an item", "{\"items\":[{\"a\":", "", NULL},
    {"cut behind an item", "{\"items\":[{}", "{};", NULL},
    {"cut behind the items", "{\"items\":[{}]", "{};", NULL},
    {"empty", "", "", NULL},
    {"a bare array", "[{}]", "", NULL},
    {"something behind it", "{\"items\":[]}x", "", NULL},
};

static void check_items(void **state)
{
    const struct items_row *r = *state;

    for (size_t cut = 0; cut <= strlen(r->text); cut++) {
        wm_auto_buf struct wm_buf seen = WM_BUF_MAX(1000), frame = WM_BUF_MAX(1000);
        int rc = feed_items(r->text, cut, &seen, &frame);

        assert_string_equal(wm_buf_text(&seen).p, r->items);
        assert_int_equal(rc, r->frame ? WM_OK : WM_E_INVALID);
        if (r->frame)
            assert_string_equal(wm_buf_text(&frame).p, r->frame);
    }
}

static void an_item_over_the_limit_is_refused(void **state)
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(1000), seen = WM_BUF_MAX(1000), frame = WM_BUF_MAX(1000);

    (void)state;
    wm_buf_printf(&text, "{\"items\":[{\"a\":\"%0200d\"}]}", 0);
    assert_int_equal(feed_items(text.p, 30, &seen, &frame), WM_E_TOO_BIG);
}

/* --- both, cut at random: the pieces never matter --- */

static void random_cuts_change_nothing(void **state)
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(1 << 20), whole = WM_BUF_MAX(1 << 20);
    unsigned seed = 20261121;

    (void)state;
    wm_buf_puts(&text, "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[");
    for (int i = 0; i < 200; i++) {
        wm_buf_printf(&text, "%s{\"name\":\"n%d\",\"note\":\"", i ? "," : "", i);
        for (int j = rand_r(&seed) % 60; j > 0; j--)
            wm_buf_puts(&text, (const char *const[]){"a", "\\\"", "\\\\", "\xc3\xa9", "{", "]", "\\u005d",
                                                     "0123456789abcdef"}[rand_r(&seed) % 8]);
        wm_buf_puts(&text, "\"}");
    }
    wm_buf_puts(&text, "]}");
    struct wm_items first = WM_ITEMS(8000);

    assert_int_equal(wm_items_feed(&first, wm_buf_text(&text), note_item, &whole, NULL), WM_OK);
    wm_items_done(&first);
    for (int round = 0; round < 200; round++) {
        struct wm_items l = WM_ITEMS(8000);
        wm_auto_buf struct wm_buf seen = WM_BUF_MAX(1 << 20);
        struct wm_str rest;
        size_t biggest = (size_t)1 << rand_r(&seed) % 12;

        for (size_t at = 0, n; at < text.n; at += n) {
            n = 1 + (size_t)rand_r(&seed) % biggest;
            n = n > text.n - at ? text.n - at : n;
            assert_int_equal(wm_items_feed(&l, (struct wm_str){text.p + at, n}, note_item, &seen, NULL),
                             WM_OK);
        }
        assert_int_equal(wm_items_end(&l, &rest, NULL), WM_OK);
        assert_true(wm_str_eq(wm_buf_text(&seen), wm_buf_text(&whole)));
        wm_items_done(&l);
    }
}

/* --- queries --- */

static const struct url_row {
    const char *name;
    struct wm_watch_query q;
    bool watch;
    const char *want;
} urls[] = {
    {"first list", {.path = "/p", .page_size = 500}, false, "/p?limit=500&resourceVersion=0"},
    {"not older than",
     {.path = "/p", .page_size = 500, .from = WM_FROM_LAST, .rv = "12"},
     false,
     "/p?resourceVersion=12"},
    {"not older than, without a cache",
     {.path = "/p", .page_size = 500, .from = WM_FROM_LAST, .rv = "12", .paginate_always = true},
     false,
     "/p?limit=500&resourceVersion=12"},
    {"from etcd",
     {.path = "/p", .page_size = 500, .from = WM_FROM_QUORUM, .rv = "12"},
     false,
     "/p?limit=500"},
    {"without limit", {.path = "/p", .from = WM_FROM_QUORUM}, false, "/p"},
    {"next page bears no version",
     {.path = "/p", .page_size = 50, .continue_token = "a+/=%"},
     false,
     "/p?limit=50&continue=a%2B%2F%3D%25"},
    {"next page of a list at a version",
     {.path = "/p", .page_size = 50, .continue_token = "t", .from = WM_FROM_LAST, .rv = "3"},
     false,
     "/p?limit=50&continue=t"},
    {"selector",
     {.path = "/p", .selector = "a=b,c in (d)", .from = WM_FROM_QUORUM},
     false,
     "/p?labelSelector=a%3Db%2Cc%20in%20%28d%29"},
    {"selector on pages",
     {.path = "/p", .selector = "x", .continue_token = "t", .page_size = 1},
     false,
     "/p?labelSelector=x&limit=1&continue=t"},
    {"path with a query",
     {.path = "/p?fieldSelector=a", .from = WM_FROM_QUORUM, .page_size = 5},
     false,
     "/p?fieldSelector=a&limit=5"},
    {"watch",
     {.path = "/p", .rv = "12", .bookmarks = true, .timeout_s = 300},
     true,
     "/p?watch=1&resourceVersion=12&allowWatchBookmarks=true&timeoutSeconds=300"},
    {"watch without bookmarks",
     {.path = "/p", .rv = "1", .timeout_s = 300, .selector = "x"},
     true,
     "/p?labelSelector=x&watch=1&resourceVersion=1&timeoutSeconds=300"},
};

static void check_url(void **state)
{
    const struct url_row *r = *state;
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(1000);

    if (r->watch)
        wm_watch_url(&r->q, &out);
    else
        wm_list_url(&r->q, &out);
    assert_string_equal(out.p, r->want);
}

/* --- what an answer is --- */

static const struct class_row {
    const char *name;
    enum wm_watch_op op;
    int status;
    const char *body;
    bool on_page, metadata_only, bookmarks;
    enum wm_watch_outcome want;
} classes[] = {
    {"no answer", WM_OP_LIST, 0, "", .want = WM_OUT_UNREACHABLE},
    {"410", WM_OP_LIST, 410, "", .want = WM_OUT_EXPIRED},
    {"410 for a watch", WM_OP_WATCH, 410, "", .want = WM_OUT_EXPIRED},
    {"410 for a page", WM_OP_LIST, 410, "", .on_page = true, .want = WM_OUT_EXPIRED_PAGE},
    {"400 for a page", WM_OP_LIST, 400, "", .on_page = true, .want = WM_OUT_TOKEN},
    {"400 for a list", WM_OP_LIST, 400, "", .want = WM_OUT_ODD},
    {"400 for a watch with bookmarks", WM_OP_WATCH, 400, "", .bookmarks = true, .want = WM_OUT_OPTION},
    {"422 for a watch with bookmarks", WM_OP_WATCH, 422, "", .bookmarks = true, .want = WM_OUT_OPTION},
    {"422 for a watch without", WM_OP_WATCH, 422, "", .want = WM_OUT_ODD},
    {"401", WM_OP_WATCH, 401, "", .want = WM_OUT_UNAUTHORIZED},
    {"403", WM_OP_LIST, 403, "", .want = WM_OUT_FORBIDDEN},
    {"404", WM_OP_LIST, 404, "404 page not found\n", .want = WM_OUT_ABSENT},
    {"406 for metadata", WM_OP_LIST, 406, "", .metadata_only = true, .want = WM_OUT_FORM},
    {"415 for metadata", WM_OP_WATCH, 415, "", .metadata_only = true, .want = WM_OUT_FORM},
    {"406 for whole objects", WM_OP_LIST, 406, "", .want = WM_OUT_ODD},
    {"429", WM_OP_WATCH, 429, "", .want = WM_OUT_BUSY},
    {"500", WM_OP_LIST, 500, "", .want = WM_OUT_BUSY},
    {"503", WM_OP_WATCH, 503, "", .want = WM_OUT_BUSY},
    {"504 for a list", WM_OP_LIST, 504, "", .want = WM_OUT_SLOW},
    {"504 for a watch", WM_OP_WATCH, 504, "", .want = WM_OUT_BUSY},
    {"504 with a cause", WM_OP_LIST, 504,
     "{\"details\":{\"causes\":[{\"reason\":\"ResourceVersionTooLarge\"}]}}", .want = WM_OUT_AHEAD},
    {"504 with the older sentence", WM_OP_LIST, 504,
     "{\"message\":\"Timeout: Too large resource version: 9, current: 5\"}", .want = WM_OUT_AHEAD},
    {"302", WM_OP_LIST, 302, "", .want = WM_OUT_ODD},
};

static void check_class(void **state)
{
    const struct class_row *r = *state;
    struct wm_answer a = {.status = r->status, .body = wm_str_of(r->body)};

    assert_int_equal(wm_classify_answer(r->op, &a, r->on_page, r->metadata_only, r->bookmarks), r->want);
}

static const struct event_row {
    const char *name, *status;
    enum wm_watch_outcome want;
    int retry_s;
} events[] = {
    {"410", "{\"code\":410,\"reason\":\"Gone\"}", WM_OUT_EXPIRED, -1},
    {"Expired", "{\"reason\":\"Expired\"}", WM_OUT_EXPIRED, -1},
    {"Gone", "{\"code\":200,\"reason\":\"Gone\"}", WM_OUT_EXPIRED, -1},
    {"429", "{\"code\":429,\"details\":{\"retryAfterSeconds\":7}}", WM_OUT_BUSY, 7},
    {"500", "{\"code\":500}", WM_OUT_BROKEN, -1},
    {"InternalError", "{\"reason\":\"InternalError\"}", WM_OUT_BROKEN, -1},
    {"version ahead", "{\"code\":504,\"message\":\"Too large resource version: 1\"}", WM_OUT_AHEAD, -1},
    {"anything else", "{\"code\":418}", WM_OUT_ODD, -1},
    {"nothing", "{}", WM_OUT_ODD, -1},
};

static void check_event(void **state)
{
    const struct event_row *r = *state;
    struct wm_error err = {0};
    int retry_s = 0;

    assert_int_equal(wm_classify_event(wm_str_of(r->status), &retry_s, &err), r->want);
    assert_int_equal(retry_s, r->retry_s);
}

/* --- Retry-After --- */

static const struct retry_row {
    const char *name, *value;
    int want;
} retries[] = {
    {"seconds", "3", 3},
    {"zero", "0", 0},
    {"five minutes", "300", 300},
    {"more than five minutes", "301", -1},
    {"far too much", "99999999999999999999", -1},
    {"none", "", -1},
    {"negative", "-3", -1},
    {"a word", "soon", -1},
    {"a date", "Sat, 21 Nov 2026 07:18:10 GMT", 10},
    {"a date gone by", "Sat, 21 Nov 2026 07:17:00 GMT", 0},
    {"a date far off", "Sat, 21 Nov 2026 09:17:00 GMT", -1},
};

static void check_retry(void **state)
{
    const struct retry_row *r = *state;
    int64_t date_s = curl_getdate("Sat, 21 Nov 2026 07:18:00 GMT", NULL);

    assert_int_equal(wm_retry_after(wm_str_of(r->value), date_s, 0), r->want);
    assert_int_equal(wm_retry_after(wm_str_of(r->value), 0, date_s), r->want);
}

/* --- waits --- */

static void backoff_doubles_to_a_ceiling_with_jitter(void **state)
{
    static const int least[] = {800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(wm_backoff_ms(i, 0), least[i]);
        assert_int_equal(wm_backoff_ms(i, UINT32_MAX), 2 * least[i]);
        assert_in_range(wm_backoff_ms(i, UINT32_MAX / 2), least[i] * 3 / 2 - 1, least[i] * 3 / 2);
    }
    assert_int_equal(wm_backoff_ms(UINT32_MAX, 0), 30000);
}

static void every_end_of_an_attempt_has_a_rule_and_a_name(void **state)
{
    (void)state;
    for (int o = 0; o < WM_N_OUTCOMES; o++) {
        assert_non_null(wm_watch_outcome_name((enum wm_watch_outcome)o));
        assert_non_null(wm_watch_rule(WM_OP_LIST, (enum wm_watch_outcome)o));
        assert_non_null(wm_watch_rule(WM_OP_WATCH, (enum wm_watch_outcome)o));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_of_the_largest_size_is_taken_and_one_more_byte_is_not),
        cmocka_unit_test(an_item_over_the_limit_is_refused),
        cmocka_unit_test(random_cuts_change_nothing),
        cmocka_unit_test(backoff_doubles_to_a_ceiling_with_jitter),
        cmocka_unit_test(every_end_of_an_attempt_has_a_rule_and_a_name),
    };

    return RUN_TABLE("lines", line_rows, check_lines) + RUN_TABLE("items", items_rows, check_items) +
           RUN_TABLE("queries", urls, check_url) + RUN_TABLE("answers", classes, check_class) +
           RUN_TABLE("error events", events, check_event) + RUN_TABLE("retry after", retries, check_retry) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
