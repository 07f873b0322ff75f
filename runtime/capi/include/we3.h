/* we3 from C: programs are checked once, their functions compiled when first called, arrays passed where they lie.
 *
 * All functions may be called from any thread; a program may be used by several threads at a time. What fails says why
 * in `we3_error()`, until the next call on the same thread. Nothing here prints, and nothing ends the process.
 *
 * Link with -lwe3. Licence: MIT OR Apache-2.0.
 */
#ifndef WE3_H
#define WE3_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How a call ended. */
typedef enum we3_status {
    WE3_OK = 0,
    WE3_PROGRAM = 1,     /* the program has errors: `we3_error` shows them in the source */
    WE3_STOPPED = 2,     /* a check in the kernel failed: `we3_error` shows it in the source */
    WE3_ARGUMENT = 3,    /* the arguments do not fit */
    WE3_MEMORY = 4,      /* more memory than there is or is allowed */
    WE3_UNAVAILABLE = 5  /* not supported or not installed, or a bug of we3 */
} we3_status;

/* What an element of an array or a scalar is. An array of records has its parts one after the other as C lays
 * out the record; its type is WE3_RECORD. */
typedef enum we3_type {
    WE3_BOOL = 0,
    WE3_I8 = 1, WE3_I16 = 2, WE3_I32 = 3, WE3_I64 = 4,
    WE3_U8 = 5, WE3_U16 = 6, WE3_U32 = 7, WE3_U64 = 8,
    WE3_F16 = 9, WE3_BF16 = 10, WE3_F32 = 11, WE3_F64 = 12,
    WE3_RECORD = 13
} we3_type;

/* A checked program. */
typedef struct we3_program we3_program;

/* What a call gave. */
typedef struct we3_result we3_result;

/* An argument. Those of a tuple or record stand one after the other, field by field. Make them with the functions below. */
typedef struct we3_argument {
    uint64_t bits;          /* of a scalar (rank 0), zero-extended */
    const void *data;       /* of an array: row-major, in C layout */
    const uint64_t *sizes;  /* of its axes */
    size_t rank;            /* number of its axes, at least 1 */
} we3_argument;

/* Memory for an array of the result; data NULL: the call finds some. It must not overlap an argument. */
typedef struct we3_output {
    void *data;
    size_t bytes;
} we3_output;

/* A scalar or an array of a result. Pointers are good until `we3_result_free` (or as long as the caller's own memory). */
typedef struct we3_part {
    we3_type type;
    uint64_t bits;
    const void *data;
    const uint64_t *sizes;
    size_t rank;
} we3_part;

/* Checks the program in a file. `backend` is "cranelift" (compiles in milliseconds), "llvm" (fastest code; needs the worker program
 * we3-llvm, see WE3_LLVM_WORKER), "interp" (the reference) or NULL for the first. */
we3_status we3_load(const char *path, const char *backend, we3_program **program);

/* Checks a program from its text; `name` stands in messages. */
we3_status we3_compile(const char *name, const char *source, const char *backend, we3_program **program);

/* Gives a program back; no call of it may be running. NULL is fine. */
void we3_program_free(we3_program *program);

/* The number of its functions, and their signatures as the source has them; NULL past the end. */
size_t we3_entry_count(const we3_program *program);
const char *we3_entry_signature(const we3_program *program, size_t entry);

/* The number of the function with this name. */
we3_status we3_entry(const we3_program *program, const char *name, size_t *entry);

/* Compiles a function now, and not when it is first called. */
we3_status we3_prepare(const we3_program *program, size_t entry);

/* Calls a function. `outputs` may be NULL; else it has one element for each array of the result, and memory that is just
 * as long as an array receives it. `threads` 0: all cores, or what WE3_THREADS says. */
we3_status we3_call(const we3_program *program, size_t entry, const we3_argument *arguments, size_t count,
                    const we3_output *outputs, size_t output_count, size_t threads, we3_result **result);

/* The scalars and arrays of a result, in order; records and tuples are their parts. */
size_t we3_part_count(const we3_result *result);
we3_status we3_result_part(const we3_result *result, size_t number, we3_part *part);

/* Gives a result back. NULL is fine. */
void we3_result_free(we3_result *result);

/* Why the last call on this thread did not end with WE3_OK; never NULL. */
const char *we3_error(void);

/* The version of the library. */
const char *we3_version(void);

static inline we3_argument we3_array(const void *data, size_t rank, const uint64_t *sizes) {
    we3_argument argument = {0, data, sizes, rank};
    return argument;
}

static inline we3_argument we3_bits(uint64_t bits) {
    we3_argument argument = {bits, NULL, NULL, 0};
    return argument;
}

static inline we3_argument we3_f64(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return we3_bits(bits);
}

static inline we3_argument we3_f32(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return we3_bits(bits);
}

static inline we3_argument we3_i64(int64_t value) { return we3_bits((uint64_t)value); }
static inline we3_argument we3_i32(int32_t value) { return we3_bits((uint32_t)value); }
static inline we3_argument we3_u64(uint64_t value) { return we3_bits(value); }
static inline we3_argument we3_bool(int value) { return we3_bits(value != 0); }

static inline double we3_part_f64(const we3_part *part) {
    double value;
    memcpy(&value, &part->bits, sizeof value);
    return value;
}

static inline float we3_part_f32(const we3_part *part) {
    uint32_t bits = (uint32_t)part->bits;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#ifdef __cplusplus
}
#endif
#endif
