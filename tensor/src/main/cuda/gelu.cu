// GELU, tanh form: y = 0.5 x (1 + tanh(u)), u = sqrt(2/pi) (x + 0.044715 x^3). Hendrycks and Gimpel 2016.
#include "device.cuh"

const float SQRT_2_OVER_PI = 0.79788456080286535588f;
const float CUBE = 0.044715f;

struct GeluArguments {
    void *y;
    const void *x;
    int64 elements;
};

template <class T> DEVICE void gelu_forward(const GeluArguments &a) {
    int64 i = global_thread() * EIGHT;
    if (i >= a.elements) {
        return;
    }
    T *y = (T *)a.y;
    const T *x = (const T *)a.x;
    float values[EIGHT];
    load8(x + i, a.elements - i, aligned16(x), values);
#pragma unroll
    for (int j = 0; j < EIGHT; j++) {
        float v = values[j];
        values[j] = 0.5f * v * (1 + tanhf(SQRT_2_OVER_PI * (v + CUBE * v * v * v)));
    }
    store8(y + i, a.elements - i, aligned16(y), values);
}

KERNEL(gelu_f32, 256, GeluArguments) { gelu_forward<float>(a); }
KERNEL(gelu_bf16, 256, GeluArguments) { gelu_forward<bf16>(a); }
KERNEL(gelu_f16, 256, GeluArguments) { gelu_forward<f16>(a); }

struct GeluGradientArguments {
    void *dx; // may be dy
    const void *dy;
    const void *x;
    int64 elements;
};

template <class T> DEVICE void gelu_gradient(const GeluGradientArguments &a) {
    int64 i = global_thread() * EIGHT;
    if (i >= a.elements) {
        return;
    }
    T *dx = (T *)a.dx;
    const T *dy = (const T *)a.dy;
    const T *x = (const T *)a.x;
    float values[EIGHT], gradients[EIGHT];
    load8(x + i, a.elements - i, aligned16(x), values);
    load8(dy + i, a.elements - i, aligned16(dy), gradients);
#pragma unroll
    for (int j = 0; j < EIGHT; j++) {
        float v = values[j];
        // forward: u = sqrt(2/pi) (x + 0.044715 x^3), y = 0.5 x (1 + tanh(u))
        float t = tanhf(SQRT_2_OVER_PI * (v + CUBE * v * v * v));
        float du = SQRT_2_OVER_PI * (1 + 3 * CUBE * v * v);
        // 1 - t^2 is 0 far out, where du overflows
        float slope = (1 - t) * (1 + t);
        gradients[j] *= 0.5f * (1 + t) + (slope == 0 ? 0 : 0.5f * v * slope * du);
    }
    store8(dx + i, a.elements - i, aligned16(dx), gradients);
}

KERNEL(gelu_gradient_f32, 256, GeluGradientArguments) { gelu_gradient<float>(a); }
KERNEL(gelu_gradient_bf16, 256, GeluGradientArguments) { gelu_gradient<bf16>(a); }
KERNEL(gelu_gradient_f16, 256, GeluGradientArguments) { gelu_gradient<f16>(a); }
