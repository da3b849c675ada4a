// SwiGLU: y = silu(gate) * up, silu(x) = x / (1 + e^-x). Shazeer 2020.
#include "device.cuh"

struct SwigluArguments {
    void *y;
    const void *gate;
    const void *up;
    int64 elements;
};

// 1 / (1 + e^-x): 0 where e^-x overflows.
DEVICE float logistic(float x) { return 1 / (1 + expf(-x)); }

template <class T> DEVICE void swiglu_forward(const SwigluArguments &a) {
    int64 i = global_thread() * EIGHT;
    if (i >= a.elements) {
        return;
    }
    T *y = (T *)a.y;
    const T *gate = (const T *)a.gate;
    const T *up = (const T *)a.up;
    float gates[EIGHT], ups[EIGHT];
    load8(gate + i, a.elements - i, aligned16(gate), gates);
    load8(up + i, a.elements - i, aligned16(up), ups);
#pragma unroll
    for (int j = 0; j < EIGHT; j++) {
        ups[j] *= gates[j] * logistic(gates[j]);
    }
    store8(y + i, a.elements - i, aligned16(y), ups);
}

KERNEL(swiglu_f32, 256, SwigluArguments) { swiglu_forward<float>(a); }
KERNEL(swiglu_bf16, 256, SwigluArguments) { swiglu_forward<bf16>(a); }
KERNEL(swiglu_f16, 256, SwigluArguments) { swiglu_forward<f16>(a); }

struct SwigluGradientArguments {
    void *dgate; // one of them may be dy
    void *dup;
    const void *dy;
    const void *gate;
    const void *up;
    int64 elements;
};

template <class T> DEVICE void swiglu_gradient(const SwigluGradientArguments &a) {
    int64 i = global_thread() * EIGHT;
    if (i >= a.elements) {
        return;
    }
    T *dgate = (T *)a.dgate;
    T *dup = (T *)a.dup;
    const T *dy = (const T *)a.dy;
    const T *gate = (const T *)a.gate;
    const T *up = (const T *)a.up;
    float gates[EIGHT], ups[EIGHT], gradients[EIGHT];
    load8(gate + i, a.elements - i, aligned16(gate), gates);
    load8(up + i, a.elements - i, aligned16(up), ups);
    load8(dy + i, a.elements - i, aligned16(dy), gradients);
#pragma unroll
    for (int j = 0; j < EIGHT; j++) {
        // forward: y = x s up, s = 1 / (1 + e^-x)
        float s = logistic(gates[j]);
        float activated = gates[j] * s;
        gates[j] = gradients[j] * ups[j] * (s + activated * (1 - s));
        ups[j] = gradients[j] * activated;
    }
    store8(dgate + i, a.elements - i, aligned16(dgate), gates);
    store8(dup + i, a.elements - i, aligned16(dup), ups);
}

KERNEL(swiglu_gradient_f32, 256, SwigluGradientArguments) { swiglu_gradient<float>(a); }
KERNEL(swiglu_gradient_bf16, 256, SwigluGradientArguments) { swiglu_gradient<bf16>(a); }
KERNEL(swiglu_gradient_f16, 256, SwigluGradientArguments) { swiglu_gradient<f16>(a); }
