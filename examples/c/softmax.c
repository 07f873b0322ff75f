/* Calls a we3 program from C: rows of a matrix through softmax, then what happens when arguments do not fit.
 *
 *     cc -Iruntime/capi/include examples/c/softmax.c -Ltarget/release -lwe3 -lm -o softmax && ./softmax
 */
#include <math.h>
#include <stdio.h>
#include <we3.h>

static const char *SOURCE =
    "pub fn softmax(x: f64[n, m]) -> f64[n, m] =\n"
    "    [{ let e = [exp(v - max(x[i])) for v in x[i]]; e / sum(e) } for i];\n"
    "pub fn spread(x: f64[n]) -> (f64, f64, i64) = (min(x), max(x), n);\n"
    "pub fn at(x: f64[n], i: i64) -> f64 = x[i];\n";

static int fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, we3_error());
    return 1;
}

int main(void) {
    we3_program *program = NULL;
    we3_result *result = NULL;
    we3_part part;
    size_t softmax, spread, at;
    double x[2][3] = {{1.0, 2.0, 3.0}, {0.0, 0.0, 0.0}}, y[2][3];
    const uint64_t sizes[2] = {2, 3}, length[1] = {3};
    we3_argument matrix = we3_array(x, 2, sizes), row = we3_array(x[0], 1, length);
    we3_argument past_the_end[2];
    we3_output output = {y, sizeof y};

    if (we3_compile("softmax.we3", SOURCE, NULL, &program) != WE3_OK) return fail("compile");
    printf("%zu functions, the first is %s\n", we3_entry_count(program), we3_entry_signature(program, 0));
    if (we3_entry(program, "softmax", &softmax) != WE3_OK || we3_entry(program, "spread", &spread) != WE3_OK ||
        we3_entry(program, "at", &at) != WE3_OK)
        return fail("entry");

    /* The result goes into memory of ours. */
    if (we3_call(program, softmax, &matrix, 1, &output, 1, 0, &result) != WE3_OK) return fail("softmax");
    if (we3_result_part(result, 0, &part) != WE3_OK || part.data != (const void *)y || part.type != WE3_F64) return fail("part");
    printf("softmax %.6f %.6f %.6f\n", y[0][0], y[0][1], y[0][2]);
    if (fabs(y[0][0] + y[0][1] + y[0][2] - 1.0) > 1e-12 || y[1][0] != y[1][2]) return fail("sum");
    we3_result_free(result);

    /* Several results. */
    if (we3_call(program, spread, &row, 1, NULL, 0, 1, &result) != WE3_OK) return fail("spread");
    for (size_t number = 0; number < we3_part_count(result); number++) {
        if (we3_result_part(result, number, &part) != WE3_OK) return fail("part");
        if (part.type == WE3_F64) printf("spread %g\n", we3_part_f64(&part));
        if (part.type == WE3_I64) printf("of %lld\n", (long long)part.bits);
    }
    we3_result_free(result);

    /* What does not fit is said, and nothing breaks. */
    past_the_end[0] = row;
    past_the_end[1] = we3_i64(3);
    if (we3_call(program, at, past_the_end, 2, NULL, 0, 0, &result) != WE3_STOPPED) return fail("a check should have failed");
    printf("%s", we3_error());
    if (we3_call(program, at, &row, 1, NULL, 0, 0, &result) != WE3_ARGUMENT) return fail("an argument was missing");
    if (we3_entry(program, "softmaxx", &at) != WE3_ARGUMENT) return fail("there is no such function");
    printf("%s\n", we3_error());
    we3_program_free(program);
    if (we3_compile("bad.we3", "pub fn f(x: f64[n]) -> f64[n + 1] = x;", NULL, &program) != WE3_PROGRAM)
        return fail("the program has an error");
    return 0;
}
