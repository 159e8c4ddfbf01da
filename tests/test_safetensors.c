/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "nn/file.h"
#include "nn/safetensors.h"

static char *path;

static int make_path(void **state) {
    (void)state;
    const char *tmp = getenv("TMPDIR");
    path = at_format("%s/st.%d", tmp ? tmp : "/tmp", (int)getpid());
    return !path;
}

static int remove_path(void **state) {
    (void)state;
    unlink(path);
    free(path);
    return 0;
}

/* ---- good files ---- */

static void round_trip(void **state) {
    (void)state;
    const float matrix[6] = {1, -2, 3.5f, 0, 1e-30f, INFINITY};
    const double scalar = 0.1;
    const unsigned char bytes[3] = {1, 2, 255};
    const int64_t step = -7;
    const at_st_tensor tensors[] = {
        {"bytes", AT_ST_U8, 1, {3}, bytes, 3},
        {"a.weight", AT_ST_F32, 2, {2, 3}, matrix, 24},
        {"scalar", AT_ST_F64, 0, {0}, &scalar, 8},
        {"empty", AT_ST_F32, 2, {0, 4}, NULL, 0},
        {"quote\" back\\ \xc3\xa9\n", AT_ST_I64, 1, {1}, &step, 8},
    };
    json_t *metadata = json_pack("{s:s}", "classes", "{\"a\": 1}");
    at_error err = {0};
    if (at_st_write(path, tensors, 5, metadata, &err)) fail_msg("%s", err.text);
    json_decref(metadata);

    at_st_file f;
    if (at_st_open(&f, path, &err)) fail_msg("%s", err.text);
    assert_int_equal(f.count, 5);
    assert_string_equal(json_string_value(json_object_get(f.metadata, "classes")), "{\"a\": 1}");
    for (int i = 0; i < 5; i++) {
        const at_st_tensor *t = at_st_find(&f, tensors[i].name);
        assert_non_null(t);
        assert_int_equal(t->dtype, tensors[i].dtype);
        assert_int_equal(t->rank, tensors[i].rank);
        assert_memory_equal(t->shape, tensors[i].shape, sizeof t->shape[0] * (size_t)t->rank);
        assert_int_equal(t->bytes, tensors[i].bytes);
        if (t->bytes) assert_memory_equal(t->data, tensors[i].data, t->bytes);
        /* aligned in the file, as other readers want it */
        size_t element = t->bytes ? t->bytes / (size_t)at_st_count(t) : 1;
        assert_int_equal((size_t)((const char *)t->data - f.buffer) % element, 0);
    }
    assert_null(at_st_find(&f, "a.weigh"));
    assert_int_equal(at_st_count(at_st_find(&f, "scalar")), 1);
    at_st_close(&f);
    at_st_close(&f);
}

static void without_metadata_or_tensors(void **state) {
    (void)state;
    at_st_file f;
    assert_int_equal(at_st_write(path, NULL, 0, NULL, NULL), AT_OK);
    assert_int_equal(at_st_open(&f, path, NULL), AT_OK);
    assert_int_equal(f.count, 0);
    assert_int_equal(json_object_size(f.metadata), 0);
    at_st_close(&f);
}

static void writer_refuses(void **state) {
    (void)state;
    const float x = 1;
    at_error err = {0};
    at_st_tensor t[2] = {{"x", AT_ST_F32, 0, {0}, &x, 4}, {"x", AT_ST_F32, 0, {0}, &x, 4}};
    assert_int_equal(at_st_write(path, t, 2, NULL, &err), AT_ERR_INPUT);
    assert_non_null(strstr(err.text, "'x' is taken"));
    t[1].name = "__metadata__";
    assert_int_equal(at_st_write(path, t, 2, NULL, &err), AT_ERR_INPUT);
    t[1].name = "\xff\xfe";
    assert_int_equal(at_st_write(path, t, 2, NULL, &err), AT_ERR_INPUT);
    assert_non_null(strstr(err.text, "UTF-8"));
}

/* ---- files made by hand ---- */

static at_status parse(at_st_file *f, uint64_t length, const char *header, size_t header_size,
                       const void *data, size_t size, at_error *err) {
    char *buffer = malloc(8 + header_size + size); /* exactly: the sanitizer watches its end */
    memcpy(buffer, &length, 8);
    memcpy(buffer + 8, header, header_size);
    if (size) memcpy(buffer + 8 + header_size, data, size);
    return at_st_parse(f, "bad.safetensors", buffer, 8 + header_size + size, err);
}

/* All floating dtypes as fp32; values from the formats' definitions. */
static void conversions(void **state) {
    (void)state;
    const char *header = "{\"h\":{\"dtype\":\"F16\",\"shape\":[8],\"data_offsets\":[0,16]},"
                         "\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[16,20]},"
                         "\"d\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[20,28]},"
                         "\"i\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[28,32]}}   ";
    char data[32] = {0};
    const uint16_t h[8] = {0x3c00, 0xc000, 0x7bff, 0x0001, 0x8400, 0x7c00, 0x7e00, 0x8000};
    const uint16_t b[2] = {0x3f80, 0xc049};
    const double d = 0.1;
    memcpy(data, h, 16);
    memcpy(data + 16, b, 4);
    memcpy(data + 20, &d, 8);
    at_st_file f;
    at_error err = {0};
    if (parse(&f, strlen(header), header, strlen(header), data, 32, &err)) fail_msg("%s", err.text);
    float v[8];
    assert_int_equal(at_st_read_f32(&f, at_st_find(&f, "h"), v, NULL), AT_OK);
    const float expected[6] = {1, -2, 65504, 0x1p-24f, -0x1p-14f, INFINITY};
    for (int i = 0; i < 6; i++) assert_true(v[i] == expected[i]);
    assert_true(isnan(v[6]) && v[7] == 0 && signbit(v[7]));
    assert_int_equal(at_st_read_f32(&f, at_st_find(&f, "b"), v, NULL), AT_OK);
    assert_true(v[0] == 1 && v[1] == -3.140625f);
    assert_int_equal(at_st_read_f32(&f, at_st_find(&f, "d"), v, NULL), AT_OK);
    assert_true(v[0] == 0.1f);
    assert_int_equal(at_st_read_f32(&f, at_st_find(&f, "i"), v, &err), AT_ERR_INPUT);
    assert_non_null(strstr(err.text, "'i' has dtype I32"));
    at_st_close(&f);
}

static void refuses_raw(uint64_t length, const char *header, size_t header_size, size_t size,
                        const char *message) {
    static const char data[64];
    at_st_file f;
    at_error err = {0};
    assert_int_equal(parse(&f, length, header, header_size, data, size, &err), AT_ERR_INPUT);
    assert_null(f.buffer);
    at_st_close(&f);
    if (!strstr(err.text, message)) fail_msg("'%s' is not in '%s'", message, err.text);
    assert_non_null(strstr(err.text, "'bad.safetensors'"));
}

static void refuses(const char *header, size_t size, const char *message) {
    refuses_raw(strlen(header), header, strlen(header), size, message);
}

static void bad_containers(void **state) {
    (void)state;
    refuses_raw(0, "", 0, 0, "not a safetensors file");
    refuses_raw(2, "", 0, 0, "not a safetensors file");
    refuses_raw(2, "[]", 2, 0, "not a safetensors file");
    refuses_raw(UINT64_MAX, "{}", 2, 0, "not a safetensors file");
    refuses_raw(100000001, "{}", 2, 0, "not a safetensors file");
    refuses_raw(100, "{}", 2, 0, "cut short");
    refuses("{\"a\":", 0, "header");
    refuses("{} x", 0, "header");
    refuses("{}", 1, "1 bytes that belong to no tensor");
    refuses("{\"__metadata__\":{\"a\":1}}", 0, "__metadata__");
    refuses("{\"__metadata__\":[]}", 0, "__metadata__");
    refuses("{\"\xff\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", 1,
            "decode byte 0xff");
    at_error err = {0};
    at_st_file f;
    assert_int_equal(at_st_parse(&f, "tiny", NULL, 0, &err), AT_ERR_INPUT);
    assert_int_equal(at_st_parse(&f, "tiny", calloc(1, 8), 8, &err), AT_ERR_INPUT);
    assert_int_equal(at_st_open(&f, "/no/such", &err), AT_ERR_IO);
}

#define T(dtype, shape, offsets)                                                                   \
    "{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void bad_tensors(void **state) {
    (void)state;
    refuses("{\"a\":" T("\"Q4\"", "[1]", "[0,4]") "}", 4, "'a' has dtype Q4");
    refuses("{\"a\":" T("4", "[1]", "[0,4]") "}", 4, "'a' has dtype (none)");
    refuses("{\"a\":7}", 0, "'a' has dtype (none)");
    refuses("{\"a\":" T("\"F32\"", "[-1]", "[0,4]") "}", 4, "shape of tensor 'a'");
    refuses("{\"a\":" T("\"F32\"", "[1.0]", "[0,4]") "}", 4, "shape of tensor 'a'");
    refuses("{\"a\":" T("\"F32\"", "1", "[0,4]") "}", 4, "shape of tensor 'a'");
    refuses("{\"a\":" T("\"F32\"", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, "shape of tensor 'a'");
    refuses("{\"a\":" T("\"F32\"", "[4294967296,4294967296]", "[0,0]") "}", 0, "overflows");
    refuses("{\"a\":" T("\"F32\"", "[1]", "[0,4,4]") "}", 4, "data_offsets of tensor 'a'");
    refuses("{\"a\":" T("\"F32\"", "[1]", "[0,4.0]") "}", 4, "data_offsets of tensor 'a'");
    refuses("{\"a\":" T("\"F32\"", "[1]", "[-4,0]") "}", 4, "bytes -4 to 0");
    refuses("{\"a\":" T("\"F32\"", "[1]", "[4,0]") "}", 4, "bytes 4 to 0");
    refuses("{\"a\":" T("\"F32\"", "[2]", "[0,8]") "}", 7, "cut short");
    refuses("{\"a\":" T("\"F32\"", "[2]", "[0,4]") "}", 4,
            "takes 4 bytes, its dtype and shape need 8");
    refuses("{\"a\":" T("\"U8\"", "[]", "[0,1]") ",\"a\":" T("\"U8\"", "[]", "[1,2]") "}", 2,
            "duplicate");
    refuses("{\"a\":" T("\"U8\"", "[4]", "[0,4]") ",\"b\":" T("\"U8\"", "[4]", "[3,7]") "}", 7,
            "'b' overlaps");
    refuses("{\"b\":" T("\"U8\"", "[4]", "[0,4]") ",\"a\":" T("\"U8\"", "[4]", "[0,4]") "}", 4,
            "overlaps");
    refuses("{\"a\":" T("\"U8\"", "[4]", "[0,4]") ",\"b\":" T("\"U8\"", "[2]", "[5,7]") "}", 7,
            "unused bytes before");
    refuses("{\"a\":" T("\"U8\"", "[4]", "[1,5]") "}", 5, "unused bytes before");
    refuses("{\"a\":" T("\"U8\"", "[4]", "[0,4]") "}", 5, "1 bytes that belong to no tensor");
    refuses("{\"a\\u0000b\":" T("\"U8\"", "[4]", "[0,4]") "}", 4, "header");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),     cmocka_unit_test(without_metadata_or_tensors),
        cmocka_unit_test(writer_refuses), cmocka_unit_test(conversions),
        cmocka_unit_test(bad_containers), cmocka_unit_test(bad_tensors),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
