// Clip + AdamW + cast in one pass.
#include "device.cuh"

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
