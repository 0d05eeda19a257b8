/* Loads a model, asks it, and uses the library wrongly: asks MODEL.keras ROWS.txt
 *
 * ROWS.txt has the numbers of rows and of what they give: ROWS, then all x, then all y. */
#include "gradus.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(what) \
    do { \
        if (!(what)) { \
            fprintf(stderr, "line %d: %s (%s)\n", __LINE__, #what, gradus_error()); \
            return 1; \
        } \
    } while (0)

/* True if the last error has this text in it. */
static bool says(const char *text) {
    return strstr(gradus_error(), text) != NULL;
}

static float *numbers(FILE *file, size_t count) {
    float *all = malloc(count * sizeof *all);
    for (size_t i = 0; all && i < count; i++) {
        if (fscanf(file, "%f", &all[i]) != 1) {
            return NULL;
        }
    }
    return all;
}

static bool close_to(const float *found, const float *expected, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!(fabsf(found[i] - expected[i]) < 2e-5f)) {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv) {
    CHECK(argc == 3);
    CHECK(strlen(gradus_error()) == 0);
    gradus_model *model = gradus_load(argv[1]);
    CHECK(model);
    size_t in = gradus_input_size(model), out = gradus_output_size(model);

    FILE *file = fopen(argv[2], "r");
    size_t rows;
    CHECK(file && fscanf(file, "%zu", &rows) == 1 && rows > 1);
    float *x = numbers(file, rows * in), *expected = numbers(file, rows * out);
    float *y = calloc(rows * out, sizeof *y);
    CHECK(x && expected && y);
    fclose(file);

    CHECK(gradus_predict(model, x, rows * in, y, rows * out));
    CHECK(close_to(y, expected, rows * out));
    memset(y, 0, rows * out * sizeof *y);
    gradus_set_threads(1);
    CHECK(gradus_predict(model, x, in, y, out));
    CHECK(close_to(y, expected, out) && y[out] == 0);

    /* Wrong lengths, and nothing at all: an error each, and the model is as it was. */
    CHECK(!gradus_predict(model, x, in - 1, y, out) && says("a multiple of"));
    CHECK(!gradus_predict(model, x, in, y, out - 1) && says("room for"));
    CHECK(!gradus_predict(model, x, 0, y, 0));
    CHECK(!gradus_predict(model, NULL, in, y, out) && says("x"));
    CHECK(!gradus_predict(model, x, in, NULL, out) && says("y"));
    CHECK(!gradus_predict(NULL, x, in, y, out) && says("NULL"));
    CHECK(gradus_input_size(NULL) == 0 && gradus_output_size(NULL) == 0);
    CHECK(!gradus_load(NULL) && says("path"));
    CHECK(!gradus_load("no such file.keras") && says("no such file.keras"));
    CHECK(!gradus_load("\xff.keras") && says("UTF-8"));
    CHECK(!gradus_load_bytes(NULL, 5) && says("bytes"));
    CHECK(!gradus_load_bytes((const uint8_t *)"<html>", 6) && says("HTML"));
    CHECK(gradus_predict(model, x, rows * in, y, rows * out));
    CHECK(close_to(y, expected, rows * out));
    gradus_free(model);
    gradus_free(NULL);

    /* The same model from memory. */
    file = fopen(argv[1], "rb");
    CHECK(file && fseek(file, 0, SEEK_END) == 0);
    size_t length = (size_t)ftell(file);
    uint8_t *bytes = malloc(length);
    rewind(file);
    CHECK(bytes && fread(bytes, 1, length, file) == length);
    fclose(file);
    model = gradus_load_bytes(bytes, length);
    CHECK(model);
    CHECK(!gradus_load_bytes(bytes, length / 2));
    free(bytes);
    memset(y, 0, rows * out * sizeof *y);
    CHECK(gradus_predict(model, x, rows * in, y, rows * out));
    CHECK(close_to(y, expected, rows * out));
    gradus_free(model);
    free(x);
    free(y);
    free(expected);
    printf("%s: %zu rows of %zu numbers give %zu each\n", argv[1], rows, in, out);
    return 0;
}
