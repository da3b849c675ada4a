// The gradient norm, and clip + AdamW + cast in one pass.
#include "device.cuh"

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

struct AdamWArguments {
    float *weight;
    float *m;
    float *v;
    float *gradient;
    void *working; // or null
    int64 elements;
    float learning_rate, beta1, beta2, eps, weight_decay, correction1, correction2, gradient_scale;
};

// Loshchilov and Hutter 2019, algorithm 2; the gradient is scaled (clipped) on the way in and zeroed.
template <class T> DEVICE void adamw(const AdamWArguments &a) {
    int64 i = global_thread() * EIGHT;
    if (i >= a.elements) {
        return;
    }
    int64 count = a.elements - i;
    float weight[EIGHT], m[EIGHT], v[EIGHT], gradient[EIGHT];
    load8(a.weight + i, count, aligned16(a.weight), weight);
    load8(a.m + i, count, aligned16(a.m), m);
    load8(a.v + i, count, aligned16(a.v), v);
    load8(a.gradient + i, count, aligned16(a.gradient), gradient);
#pragma unroll
    for (int j = 0; j < EIGHT; j++) {
        float g = a.gradient_scale * gradient[j];
        m[j] = a.beta1 * m[j] + (1 - a.beta1) * g;
        v[j] = a.beta2 * v[j] + (1 - a.beta2) * g * g;
        float step = m[j] / a.correction1 / (sqrtf(v[j] / a.correction2) + a.eps) + a.weight_decay * weight[j];
        weight[j] -= a.learning_rate * step;
        gradient[j] = 0;
    }
    store8(a.weight + i, count, aligned16(a.weight), weight);
    store8(a.m + i, count, aligned16(a.m), m);
    store8(a.v + i, count, aligned16(a.v), v);
    store8(a.gradient + i, count, aligned16(a.gradient), gradient);
    if (a.working) {
        store8((T *)a.working + i, count, aligned16(a.working), weight);
    }
}

KERNEL(adamw_f32, 256, AdamWArguments) { adamw<float>(a); }
KERNEL(adamw_bf16, 256, AdamWArguments) { adamw<bf16>(a); }
KERNEL(adamw_f16, 256, AdamWArguments) { adamw<f16>(a); }
