// Copies with casts, sums of tensors, rows of one vector, sums over rows.
#include "device.cuh"

// ---- copy: y = x, cast; rows may be strided. One thread, eight elements of a row. ----

struct CopyArguments {
    void *y;
    const void *x;
    int64 rows, columns, y_stride, x_stride;
};

template <class Y, class X> DEVICE void copy(const CopyArguments &a) {
    int64 pieces = (a.columns + EIGHT - 1) / EIGHT;
    int64 piece = global_thread();
    if (piece >= a.rows * pieces) {
        return;
    }
    int64 row = piece / pieces;
    int64 column = piece % pieces * EIGHT;
    Y *y = (Y *)a.y;
    const X *x = (const X *)a.x;
    float values[EIGHT];
    load8(x + row * a.x_stride + column, a.columns - column, aligned_rows(x, a.x_stride), values);
    store8(y + row * a.y_stride + column, a.columns - column, aligned_rows(y, a.y_stride), values);
}

KERNEL(copy_f32_f32, 256, CopyArguments) { copy<float, float>(a); }
KERNEL(copy_f32_bf16, 256, CopyArguments) { copy<float, bf16>(a); }
KERNEL(copy_bf16_f32, 256, CopyArguments) { copy<bf16, float>(a); }
KERNEL(copy_bf16_bf16, 256, CopyArguments) { copy<bf16, bf16>(a); }
KERNEL(copy_f32_f16, 256, CopyArguments) { copy<float, f16>(a); }
KERNEL(copy_f16_f32, 256, CopyArguments) { copy<f16, float>(a); }
KERNEL(copy_bf16_f16, 256, CopyArguments) { copy<bf16, f16>(a); }
KERNEL(copy_f16_bf16, 256, CopyArguments) { copy<f16, bf16>(a); }
KERNEL(copy_f16_f16, 256, CopyArguments) { copy<f16, f16>(a); }

// ---- add: y += x, contiguous ----

struct AddArguments {
    void *y;
    const void *x;
    int64 elements;
};

template <class Y, class X> DEVICE void add(const AddArguments &a) {
    int64 i = global_thread() * EIGHT;
    if (i >= a.elements) {
        return;
    }
    Y *y = (Y *)a.y;
    const X *x = (const X *)a.x;
    float sums[EIGHT], values[EIGHT];
    load8(y + i, a.elements - i, aligned16(y), sums);
    load8(x + i, a.elements - i, aligned16(x), values);
#pragma unroll
    for (int j = 0; j < EIGHT; j++) {
        sums[j] += values[j];
    }
    store8(y + i, a.elements - i, aligned16(y), sums);
}

KERNEL(add_f32_f32, 256, AddArguments) { add<float, float>(a); }
KERNEL(add_f32_bf16, 256, AddArguments) { add<float, bf16>(a); }
KERNEL(add_bf16_f32, 256, AddArguments) { add<bf16, float>(a); }
KERNEL(add_bf16_bf16, 256, AddArguments) { add<bf16, bf16>(a); }
KERNEL(add_f32_f16, 256, AddArguments) { add<float, f16>(a); }
KERNEL(add_f16_f32, 256, AddArguments) { add<f16, float>(a); }
KERNEL(add_bf16_f16, 256, AddArguments) { add<bf16, f16>(a); }
KERNEL(add_f16_bf16, 256, AddArguments) { add<f16, bf16>(a); }
KERNEL(add_f16_f16, 256, AddArguments) { add<f16, f16>(a); }

// ---- the sum of several, contiguous, in f32 and rounded once; y may be one of them ----

const int MOST_TERMS = 64;

struct AddAllArguments {
    void *y;
    int64 elements, count;
    const void *terms[MOST_TERMS];
};

template <class T> DEVICE void add_all(const AddAllArguments &a) {
    int64 i = global_thread() * EIGHT;
    if (i >= a.elements) {
        return;
    }
    const T *first = (const T *)a.terms[0];
    float sums[EIGHT], values[EIGHT];
    load8(first + i, a.elements - i, aligned16(first), sums);
#pragma unroll 1
    for (int64 term = 1; term < a.count; term++) {
        const T *x = (const T *)a.terms[term];
        load8(x + i, a.elements - i, aligned16(x), values);
#pragma unroll
        for (int j = 0; j < EIGHT; j++) {
            sums[j] += values[j];
        }
    }
    T *y = (T *)a.y;
    store8(y + i, a.elements - i, aligned16(y), sums);
}

KERNEL(add_all_f32, 256, AddAllArguments) { add_all<float>(a); }
KERNEL(add_all_bf16, 256, AddAllArguments) { add_all<bf16>(a); }
KERNEL(add_all_f16, 256, AddAllArguments) { add_all<f16>(a); }

// ---- y[r] = (x[r] or 0) + bias: the bias of a matrix product, before it (f32: it then accumulates) or after it (16-bit types, rounded once) ----

struct BiasArguments {
    void *y;
    const float *x; // rows of `columns`, or null
    const float *bias;
    int64 rows, columns, y_stride;
};

template <class Y> DEVICE void bias_rows(const BiasArguments &a) {
    int64 pieces = (a.columns + EIGHT - 1) / EIGHT;
    int64 piece = global_thread();
    if (piece >= a.rows * pieces) {
        return;
    }
    int64 row = piece / pieces;
    int64 column = piece % pieces * EIGHT;
    int64 count = a.columns - column;
    Y *y = (Y *)a.y;
    float values[EIGHT], bias[EIGHT];
    load8(a.bias + column, count, aligned16(a.bias), bias);
    load8(a.x + row * a.columns + column, a.x ? count : 0, aligned_rows(a.x, a.columns), values);
#pragma unroll
    for (int j = 0; j < EIGHT; j++) {
        values[j] += bias[j];
    }
    store8(y + row * a.y_stride + column, count, aligned_rows(y, a.y_stride), values);
}

KERNEL(bias_rows_f32, 256, BiasArguments) { bias_rows<float>(a); }
KERNEL(bias_rows_bf16, 256, BiasArguments) { bias_rows<bf16>(a); }
KERNEL(bias_rows_f16, 256, BiasArguments) { bias_rows<f16>(a); }

// ---- sums over rows, in two steps: slices of rows, then the slices in order ----

struct SliceArguments {
    float *partials; // (slices, columns)
    const void *x;
    int64 rows, columns, stride, rows_per_slice;
};

// Block (column block, slice): 32 columns, 8 threads a column that each take every eighth row of the slice.
template <class X> DEVICE void sum_slices(const SliceArguments &a) {
    float *sums = (float *)shared_memory(); // 8 x 32
    const X *x = (const X *)a.x;
    int64 column = (int64)blockIdx.x * WARP + lane();
    int64 from = (int64)blockIdx.y * a.rows_per_slice;
    int64 to = min(from + a.rows_per_slice, a.rows);
    float sum = 0;
    if (column < a.columns) {
        for (int64 row = from + warp(); row < to; row += 8) {
            sum += widen(x[row * a.stride + column]);
        }
    }
    sums[threadIdx.x] = sum;
    BARRIER();
    if (warp() == 0 && column < a.columns) {
        for (int i = 1; i < 8; i++) {
            sum += sums[i * WARP + lane()];
        }
        a.partials[(int64)blockIdx.y * a.columns + column] = sum;
    }
}

KERNEL(sum_slices_f32, 256, SliceArguments) { sum_slices<float>(a); }
KERNEL(sum_slices_bf16, 256, SliceArguments) { sum_slices<bf16>(a); }
KERNEL(sum_slices_f16, 256, SliceArguments) { sum_slices<f16>(a); }

struct AddSlicesArguments {
    float *y;
    const float *partials; // slices apart by `stride`
    int64 columns, slices, stride;
};

// y[c] += sum over slices of partials[slice][c]
KERNEL(add_slices, 256, AddSlicesArguments) {
    int64 column = global_thread();
    if (column < a.columns) {
        float sum = 0;
        for (int64 i = 0; i < a.slices; i++) {
            sum += a.partials[i * a.stride + column];
        }
        a.y[column] += sum;
    }
}
