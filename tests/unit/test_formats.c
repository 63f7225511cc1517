#include "lib/rules/formats.h"
#include "unit.h"

/* --- images --- */

#define HEX32 "0123456789abcdef0123456789abcdef"

static const struct image_row {
    const char *name, *text;
    bool ok;
} images[] = {
    {"a name", "busybox", true},
    {"a tag", "busybox:1.36", true},
    {"registry, path and tag", "quay.io/konveyor/hook-runner:latest", true},
    {"a registry with a port", "localhost:5000/hooks/run", true},
    {"a registry in capitals", "REGISTRY.example.com/run", true},
    {"a registry that is only a path", "a__b/run", true},
    {"a digest", "quay.io/a/b@sha256:" HEX32, true},
    {"tag and digest", "quay.io/a/b:v1@sha256:" HEX32, true},
    {"an algorithm in parts", "a@sha256+b64u.x:" HEX32, true},
    {"separators", "a.b_c__d---e/f", true},
    {"a tag that looks like a port", "localhost:5000", true},
    {"nothing", "", false},
    {"a scheme", "docker://quay.io/a/b", false},
    {"capitals in the path", "quay.io/Konveyor/run", false},
    {"a space", "quay.io/a b", false},
    {"two dots", "a..b", false},
    {"three underscores", "a___b", false},
    {"a dash at the end", "a-", false},
    {"an empty component", "quay.io//run", false},
    {"a slash at the end", "quay.io/run/", false},
    {"a slash at the beginning", "/run", false},
    {"a port that is no number", "localhost:port/run", false},
    {"a port in the middle", "quay.io/a:1/run", false},
    {"an empty port", "quay.io:/run", false},
    {"a domain with an empty label", "quay..io/run", false},
    {"an empty tag", "run:", false},
    {"a tag that begins with a dash", "run:-1", false},
    {"two tags", "run:1:2", false},
    {"a digest of 31 digits", "run@sha256:0123456789abcdef0123456789abcde", false},
    {"a digest without an algorithm", "run@:" HEX32, false},
    {"an algorithm that ends early", "run@sha256+:" HEX32, false},
    {"two digests", "run@sha256:" HEX32 "@sha256:" HEX32, false},
    {"a digest that is no hex", "run@sha256:" HEX32 "g", false},
};

static void check_image(void **state)
{
    const struct image_row *t = *state;

    assert_int_equal(wm_is_image_reference(wm_str_of(t->text)), t->ok);
}

static void tags_have_at_most_128_characters(void **state)
{
    char text[4 + 129 + 1] = "run:";

    (void)state;
    memset(text + 4, 'a', 129);
    assert_false(wm_is_image_reference((struct wm_str){text, 4 + 129}));
    assert_true(wm_is_image_reference((struct wm_str){text, 4 + 128}));
}

/* --- base64 --- */

static const struct base64_row {
    const char *name, *json;
    bool ok;
} base64s[] = {
    {"with line breaks", "\"LS0tCi0g\\naG9zdHM=\\r\\n\"", true},
    {"empty", "\"\"", true},
    {"plain yaml", "\"- hosts: all\"", false},
    {"the URL alphabet", "\"-_-_\"", false},
    {"no padding", "\"LS0tCg\"", false},
    {"not a string", "17", false},
};

static struct wm_json_span span_of(const char *json)
{
    return (struct wm_json_span){json[0] == '"' ? WM_JSON_STRING : WM_JSON_NUMBER, wm_str_of(json)};
}

static void check_base64(void **state)
{
    const struct base64_row *t = *state;

    assert_int_equal(wm_is_base64(span_of(t->json)), t->ok);
}

/* --- URLs --- */

static const struct url_row {
    const char *name, *json;
    bool ok;
} urls[] = {
    {"https", "\"https://api.example.com:6443\"", true},
    {"http", "\"http://api.example.com\"", true},
    {"capitals in the scheme", "\"HTTPS://api.example.com\"", true},
    {"a path and a query", "\"https://s3.example.com/a?b=c\\u0026d#e\"", true},
    {"an IPv6 address", "\"https://[fd00::1]:6443/\"", true},
    {"an IPv6 address without a port", "\"https://[fd00::1]\"", true},
    {"a user", "\"https://me@api.example.com:6443\"", true},
    {"an empty port", "\"https://api.example.com:\"", true},
    {"empty", "\"\"", false},
    {"not a string", "17", false},
    {"no scheme", "\"api.example.com:6443\"", false},
    {"no scheme, an address", "\"10.0.0.1:6443\"", false},
    {"another scheme", "\"ftp://api.example.com\"", false},
    {"no slashes", "\"https:api.example.com\"", false},
    {"no host", "\"https://\"", false},
    {"a port, but no host", "\"https://:6443\"", false},
    {"a port that is no number", "\"https://api.example.com:64a\"", false},
    {"brackets that do not end", "\"https://[fd00::1\"", false},
    {"letters behind the brackets", "\"https://[fd00::1]x\"", false},
    {"a space", "\"https://api.example.com \"", false},
    {"a line break", "\"https://api.example.com\\n\"", false},
};

static void check_url(void **state)
{
    const struct url_row *t = *state;

    assert_int_equal(wm_url_fault(span_of(t->json)) == NULL, t->ok);
}

/* --- durations --- */

static const struct duration_row {
    const char *name, *text;
    bool ok;
} durations[] = {
    {"minutes", "10m", true},      {"parts", "1h30m", true},   {"a fraction", "1.5h", true},
    {"no whole", ".5s", true},     {"zero", "0", true},        {"signed", "-3ms", true},
    {"micro", "3\xc2\xb5s", true}, {"empty", "", false},       {"only a sign", "-", false},
    {"no unit", "10", false},      {"no number", "m", false},  {"only a dot", ".s", false},
    {"days", "1d", false},         {"a space", "10 m", false},
};

static void check_duration(void **state)
{
    const struct duration_row *t = *state;

    assert_int_equal(wm_is_go_duration(wm_str_of(t->text)), t->ok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tags_have_at_most_128_characters)};

    return RUN_TABLE("images", images, check_image) + RUN_TABLE("base64", base64s, check_base64) +
           RUN_TABLE("URLs", urls, check_url) + RUN_TABLE("durations", durations, check_duration) +
           cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
