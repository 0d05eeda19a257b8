/* gradus: loads Keras models and asks them.
 *
 * A model may be asked by any number of threads at the same time; it is freed once, when nobody asks it
 * any more. Nothing that is passed in is kept. What fails says why in gradus_error, which each thread
 * has for itself.
 */

#ifndef GRADUS_H
#define GRADUS_H

/* Made by cbindgen of crates/gradus-c/src: `.ci/c --write` makes it anew. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 A model, prepared for predictions. A row is all inputs' numbers, one input after the other; what
 it gives is all outputs' numbers.
 */
typedef struct gradus_model gradus_model;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 Loads a model from a `.keras` file, or a whole-model `.h5` file. Null if that fails.

 # Safety
 `path` is a text in UTF-8 that ends with 0.
 */
gradus_model *gradus_load(const char *path);

/*
 Loads a model from the bytes of such a file. Null if that fails.

 # Safety
 `bytes` has `length` bytes.
 */
gradus_model *gradus_load_bytes(const uint8_t *bytes, size_t length);

/*
 The numbers of a row that the model takes: of several inputs, those of one after the other. 0 for null.

 # Safety
 `model` is null, or was loaded and is not freed.
 */
size_t gradus_input_size(const gradus_model *model);

/*
 The numbers that the model gives for a row: of several outputs, those of one after the other. 0 for
 null.

 # Safety
 `model` is null, or was loaded and is not freed.
 */
size_t gradus_output_size(const gradus_model *model);

/*
 Predicts rows: `x` has `x_length` numbers, whole rows of `gradus_input_size` each, one row after
 the other, and `y` has room for `y_length`, which must be as many rows of `gradus_output_size`. False
 if that fails; `y` may then hold anything.

 # Safety
 `model` was loaded and is not freed; `x` has `x_length` numbers, `y` has room for `y_length`, and they
 do not overlap.
 */
bool gradus_predict(const gradus_model *model,
                    const float *x,
                    size_t x_length,
                    float *y,
                    size_t y_length);

/*
 Sets the number of threads of predictions of many rows that begin from now on; 0, the default, is
 one per core. Results do not depend on it.
 */
void gradus_set_threads(size_t threads);

/*
 The text of this thread's last error, in UTF-8; empty if nothing has failed. It is there until
 the thread's next error.
 */
const char *gradus_error(void);

/*
 Frees a model. Null is none.

 # Safety
 `model` was loaded, is not freed yet, and is not asked at the same time.
 */
void gradus_free(gradus_model *model);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* GRADUS_H */
