/* base64url: the vectors of RFC 4648 and everything that is not the one canonical spelling. */
#include "check_main.h"
#include "jose/b64url.h"

static const struct {
    const char *plain, *text;
} vectors[] = {
    {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
    {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xbf", "-_-_"},
    {"\xff", "_w"},
};

START_TEST(bytes_are_written_without_padding_and_read_back)
{
    const span plain = span_of(vectors[_i].plain);
    auto_buf buf b = buf_make(100);
    b64url_encode(&b, plain.p, plain.n);
    ck_assert(span_eq_str(buf_view(&b), vectors[_i].text));
    uint8_t out[100];
    size_t n = 0;
    ck_assert(b64url_decode(span_of(vectors[_i].text), out, &n));
    ck_assert(span_eq((span){(const char *)out, n}, plain));
}
END_TEST

static const struct {
    const char *text;
    size_t n; /* 0: strlen */
} refused[] = {
    {"Zg==", 0},
    {"Zg=", 0},
    {"Zm8=", 0},
    {"Zm9v=", 0},
    {"Zh", 0},
    {"Zm9", 0},
    {"_x", 0},
    {"__-", 0},
    {"Z", 0},
    {"Zm9vY", 0},
    {"Zm 9v", 0},
    {"Zm9v\n", 0},
    {" Zm9v", 0},
    {"Zm+v", 0},
    {"Zm/v", 0},
    {"Zm9v.Zg", 0},
    {"Zm9\xc3", 0},
    {"Zg\0\0", 4},
    {"Z\0", 2},
    {"Zm9vZ\x80", 0},
    {"====", 0},
    {"\xff\xff\xff\xff", 0},
    {"Zm9vYmFy\r\n", 0},
    {"Zm9[", 0},
    {"Zm@v", 0},
    {"Zm`v", 0},
    {"Zm{v", 0},
    {"Zm:v", 0},
    {"Zm,v", 0},
};

START_TEST(any_other_spelling_is_refused)
{
    const span text = {refused[_i].text, refused[_i].n ? refused[_i].n : strlen(refused[_i].text)};
    uint8_t out[100];
    size_t n = 12345;
    ck_assert_msg(!b64url_decode(text, out, &n), "row %d was accepted", _i);
    ck_assert_uint_eq(n, 12345);
}
END_TEST

START_TEST(every_byte_value_survives_at_every_length)
{
    uint8_t in[256];
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)(i * 7 + 3);
    for (size_t length = 0; length <= sizeof in; length++) {
        auto_buf buf b = buf_make(1000);
        b64url_encode(&b, in, length);
        ck_assert_uint_eq(b.n, (length * 4 + 2) / 3);
        uint8_t *out = malloc(b64url_decoded_max(b.n));
        size_t n = 0;
        ck_assert(b64url_decode(buf_view(&b), out, &n));
        ck_assert_uint_eq(n, length);
        ck_assert(memcmp(in, out, n) == 0);
        free(out);
    }
}
END_TEST

START_TEST(exactly_the_64_characters_of_the_alphabet_have_a_value)
{
    int accepted = 0;
    for (int c = 0; c < 256; c++) {
        const char text[4] = {'A', 'A', 'A', (char)c};
        uint8_t out[6];
        size_t n = 0;
        accepted += b64url_decode((span){text, 4}, out, &n);
    }
    ck_assert_int_eq(accepted, 64);
}
END_TEST

START_TEST(one_byte_has_one_spelling_only)
{
    int accepted = 0;
    for (int c = 0; c < 256; c++) {
        const char text[2] = {'Z', (char)c};
        uint8_t out[6];
        size_t n = 0;
        accepted += b64url_decode((span){text, 2}, out, &n);
    }
    ck_assert_int_eq(accepted, 4); /* 64 characters, of which 4 leave the spare bits zero */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("b64url");
    TCase *c = tcase_create("all");
    tcase_add_loop_test(c, bytes_are_written_without_padding_and_read_back, 0,
                        (int)countof(vectors));
    tcase_add_loop_test(c, any_other_spelling_is_refused, 0, (int)countof(refused));
    tcase_add_test(c, every_byte_value_survives_at_every_length);
    tcase_add_test(c, exactly_the_64_characters_of_the_alphabet_have_a_value);
    tcase_add_test(c, one_byte_has_one_spelling_only);
    suite_add_tcase(s, c);
    return check_main(s);
}
