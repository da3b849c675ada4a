// Rotary position embedding: pair (h, h + H/2) of every head of row r turns by (r mod T) theta^(-2h/H). Su et al. 2021, in Hugging Face's order.
// A thread finds one cosine and sine and turns that pair of all heads.
#include "device.cuh"

const double TURNS_OF_RADIAN = 0.15915494309189533577;

struct RotaryArguments {
    void *y; // may be x
    const void *x;
    int64 y_stride, x_stride, rows;
    double log2_theta;
    int heads, head_size, sequence;
    int direction; // 1, or -1 to turn back
};

template <class T> DEVICE void rotary(const RotaryArguments &a) {
    int pairs = a.head_size / 2;
    int64 thread = global_thread();
    int64 row = thread / pairs;
    int h = (int)(thread % pairs);
    if (row >= a.rows) {
        return;
    }
    // The part of a turn is taken in double: it is good for any position.
    double turn = (double)(row % a.sequence) * exp2(-2.0 * h / a.head_size * a.log2_theta) * TURNS_OF_RADIAN;
    float angle = 2 * (float)(turn - rint(turn));
    float cosine = cospif(angle), sine = a.direction * sinpif(angle);
    const T *x = (const T *)a.x + row * a.x_stride + h;
    T *y = (T *)a.y + row * a.y_stride + h;
    for (int head = 0; head < a.heads; head++) {
        float first = widen(x[0]), second = widen(x[pairs]);
        put(y, first * cosine - second * sine);
        put(y + pairs, second * cosine + first * sine);
        x += a.head_size;
        y += a.head_size;
    }
}

KERNEL(rotary_f32, 256, RotaryArguments) { rotary<float>(a); }
KERNEL(rotary_bf16, 256, RotaryArguments) { rotary<bf16>(a); }
KERNEL(rotary_f16, 256, RotaryArguments) { rotary<f16>(a); }
