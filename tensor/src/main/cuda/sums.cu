// Sums in double: of a few elements in their order, of many squares by blocks.
#include "device.cuh"

const int SUM_THREADS = 256;
const int SUM_TILE = SUM_THREADS * EIGHT;

struct SumArguments {
    double *sum;
    const void *x;
    int64 elements;
};

// One block: all threads bring a tile, the first adds it.
template <class T> DEVICE void sum_in_order(const SumArguments &a) {
    const T *x = (const T *)a.x;
    float *tile = (float *)shared_memory();
    double sum = 0;
    for (int64 from = 0; from < a.elements; from += SUM_TILE) {
        int mine = threadIdx.x * EIGHT;
        float values[EIGHT];
        load8(x + from + mine, a.elements - from - mine, aligned16(x), values);
#pragma unroll
        for (int j = 0; j < EIGHT; j++) {
            tile[mine + j] = values[j];
        }
        BARRIER();
        if (threadIdx.x == 0) {
            int count = (int)min((int64)SUM_TILE, a.elements - from);
            for (int i = 0; i < count; i++) {
                sum += (double)tile[i];
            }
        }
        BARRIER();
    }
    if (threadIdx.x == 0) {
        *a.sum = sum;
    }
}

KERNEL(sum_f32, SUM_THREADS, SumArguments) { sum_in_order<float>(a); }
KERNEL(sum_bf16, SUM_THREADS, SumArguments) { sum_in_order<bf16>(a); }
KERNEL(sum_f16, SUM_THREADS, SumArguments) { sum_in_order<f16>(a); }

struct SquaresArguments {
    double *partials; // one a block
    const void *x;
    int64 elements;
    int64 elements_of_block;
};

DEVICE double block_sum(double x) {
    double *sums = (double *)shared_memory(); // one a warp of 8
    x = warp_sum(x);
    if (lane() == 0) {
        sums[warp()] = x;
    }
    BARRIER();
    x = 0;
    for (int i = 0; i < 8; i++) {
        x += sums[i];
    }
    return x;
}

template <class T> DEVICE void squares(const SquaresArguments &a) {
    const T *x = (const T *)a.x;
    int64 from = blockIdx.x * a.elements_of_block;
    int64 to = min(from + a.elements_of_block, a.elements);
    double sum = 0;
    for (int64 i = from + threadIdx.x * EIGHT; i < to; i += 256 * EIGHT) {
        float values[EIGHT];
        load8(x + i, to - i, aligned16(x), values);
#pragma unroll
        for (int j = 0; j < EIGHT; j++) {
            sum += (double)values[j] * values[j];
        }
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) {
        a.partials[blockIdx.x] = sum;
    }
}

KERNEL(squares_f32, 256, SquaresArguments) { squares<float>(a); }
KERNEL(squares_bf16, 256, SquaresArguments) { squares<bf16>(a); }
KERNEL(squares_f16, 256, SquaresArguments) { squares<f16>(a); }

struct AddSquaresArguments {
    double *sum;
    const double *partials;
    int64 count;
};

// One block.
KERNEL(add_squares, 256, AddSquaresArguments) {
    double sum = 0;
    for (int64 i = threadIdx.x; i < a.count; i += 256) {
        sum += a.partials[i];
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) {
        *a.sum = sum;
    }
}
