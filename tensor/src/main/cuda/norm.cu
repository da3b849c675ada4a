// Layer norm over C: y = (x - mean) * rstd * gain + bias, rstd = 1 / sqrt(mean((x - mean)^2) + eps). Ba, Kiros and Hinton 2016.
// A warp takes a row; it passes the row three times, which stays in the first cache.
#include "device.cuh"

const int ROWS_OF_BLOCK = 8; // warps

struct NormArguments {
    void *sum; // null unless x + residual is to be kept and normalised; may be x or residual
    void *y;
    float *mean;
    float *rstd;
    const void *x;
    const void *residual;
    const float *gain;
    const float *bias;
    int64 rows, columns;
    float eps;
    int unused;
};

template <class T> DEVICE void norm_forward(const NormArguments &a) {
    int64 row = (int64)blockIdx.x * ROWS_OF_BLOCK + warp();
    if (row >= a.rows) {
        return; // a whole warp
    }
    int64 from = row * a.columns;
    bool wide = aligned_rows((const T *)a.y, a.columns) && aligned16(a.x) && aligned16(a.gain) && aligned16(a.bias);
    const T *x = (const T *)a.x + from;
    float mean = 0;
    float values[EIGHT];
    if (a.sum) {
        // sum = x + residual, rounded, and then the norm of that
        wide = wide && aligned16(a.sum) && aligned16(a.residual);
        const T *residual = (const T *)a.residual + from;
        T *sum = (T *)a.sum + from;
        for (int64 c = lane() * EIGHT; c < a.columns; c += WARP * EIGHT) {
            float others[EIGHT];
            load8(x + c, a.columns - c, wide, values);
            load8(residual + c, a.columns - c, wide, others);
#pragma unroll
            for (int j = 0; j < EIGHT; j++) {
                values[j] = rounded(sum, values[j] + others[j]);
                mean += values[j];
            }
            store8(sum + c, a.columns - c, wide, values);
        }
        x = sum; // each lane reads back what it wrote itself
    } else {
        for (int64 c = lane() * EIGHT; c < a.columns; c += WARP * EIGHT) {
            load8(x + c, a.columns - c, wide, values);
#pragma unroll
            for (int j = 0; j < EIGHT; j++) {
                mean += values[j];
            }
        }
    }
    mean = warp_sum(mean) / a.columns;
    float variance = 0;
    for (int64 c = lane() * EIGHT; c < a.columns; c += WARP * EIGHT) {
        load8(x + c, a.columns - c, wide, values);
#pragma unroll
        for (int j = 0; j < EIGHT; j++) {
            float d = c + j < a.columns ? values[j] - mean : 0;
            variance += d * d;
        }
    }
    float rstd = 1 / sqrtf(warp_sum(variance) / a.columns + a.eps);
    T *y = (T *)a.y + from;
    for (int64 c = lane() * EIGHT; c < a.columns; c += WARP * EIGHT) {
        float gain[EIGHT], bias[EIGHT];
        load8(x + c, a.columns - c, wide, values);
        load8(a.gain + c, a.columns - c, wide, gain);
        load8(a.bias + c, a.columns - c, wide, bias);
#pragma unroll
        for (int j = 0; j < EIGHT; j++) {
            values[j] = (values[j] - mean) * rstd * gain[j] + bias[j];
        }
        store8(y + c, a.columns - c, wide, values);
    }
    if (lane() == 0) {
        a.mean[row] = mean;
        a.rstd[row] = rstd;
    }
}

KERNEL(norm_f32, 256, NormArguments) { norm_forward<float>(a); }
KERNEL(norm_bf16, 256, NormArguments) { norm_forward<bf16>(a); }
KERNEL(norm_f16, 256, NormArguments) { norm_forward<f16>(a); }

struct NormGradientArguments {
    void *dx; // may be dy or dresidual
    const void *dy;
    const void *dresidual; // or null
    const void *x;
    const float *gain;
    const float *mean;
    const float *rstd;
    int64 rows, columns;
};

template <class T> DEVICE void norm_gradient(const NormGradientArguments &a) {
    int64 row = (int64)blockIdx.x * ROWS_OF_BLOCK + warp();
    if (row >= a.rows) {
        return;
    }
    int64 from = row * a.columns;
    bool wide = aligned_rows((const T *)a.dx, a.columns) && aligned16(a.dy) && aligned16(a.x) && aligned16(a.gain) && aligned16(a.dresidual);
    const T *x = (const T *)a.x + from;
    const T *dy = (const T *)a.dy + from;
    float mean = a.mean[row], rstd = a.rstd[row];
    float values[EIGHT], gradients[EIGHT], gain[EIGHT];
    // forward: n = (x - mean) * rstd, y = n * gain + bias; so dn = dy * gain
    float mean_dn = 0, mean_dn_n = 0;
    for (int64 c = lane() * EIGHT; c < a.columns; c += WARP * EIGHT) {
        load8(x + c, a.columns - c, wide, values);
        load8(dy + c, a.columns - c, wide, gradients);
        load8(a.gain + c, a.columns - c, wide, gain);
#pragma unroll
        for (int j = 0; j < EIGHT; j++) {
            float dn = gradients[j] * gain[j];
            mean_dn += dn;
            mean_dn_n += dn * (values[j] - mean) * rstd;
        }
    }
    mean_dn = warp_sum(mean_dn) / a.columns;
    mean_dn_n = warp_sum(mean_dn_n) / a.columns;
    T *dx = (T *)a.dx + from;
    const T *dresidual = (const T *)a.dresidual + from;
    for (int64 c = lane() * EIGHT; c < a.columns; c += WARP * EIGHT) {
        float residual[EIGHT];
        load8(x + c, a.columns - c, wide, values);
        load8(dy + c, a.columns - c, wide, gradients);
        load8(a.gain + c, a.columns - c, wide, gain);
        load8(dresidual + c, a.dresidual ? a.columns - c : 0, wide, residual);
#pragma unroll
        for (int j = 0; j < EIGHT; j++) {
            float n = (values[j] - mean) * rstd;
            gradients[j] = residual[j] + rstd * (gradients[j] * gain[j] - mean_dn - n * mean_dn_n);
        }
        store8(dx + c, a.columns - c, wide, gradients);
    }
}

KERNEL(norm_gradient_f32, 256, NormGradientArguments) { norm_gradient<float>(a); }
KERNEL(norm_gradient_bf16, 256, NormGradientArguments) { norm_gradient<bf16>(a); }
KERNEL(norm_gradient_f16, 256, NormGradientArguments) { norm_gradient<f16>(a); }

// Sums over a slice of rows of dy * n and dy, for gain and bias; as sum_slices of moves.cu.
struct NormSlicesArguments {
    float *partials; // (slices, 2, columns): of the gain, then of the bias
    const void *dy;
    const void *x;
    const float *mean;
    const float *rstd;
    int64 rows, columns, rows_per_slice;
};

template <class T> DEVICE void norm_slices(const NormSlicesArguments &a) {
    float *gains = (float *)shared_memory(); // 8 x 32, then the biases'
    float *biases = gains + 256;
    int64 column = (int64)blockIdx.x * WARP + lane();
    int64 from = (int64)blockIdx.y * a.rows_per_slice;
    int64 to = min(from + a.rows_per_slice, a.rows);
    float gain = 0, bias = 0;
    if (column < a.columns) {
        for (int64 row = from + warp(); row < to; row += 8) {
            float dy = widen(((const T *)a.dy)[row * a.columns + column]);
            float x = widen(((const T *)a.x)[row * a.columns + column]);
            gain += dy * (x - a.mean[row]) * a.rstd[row];
            bias += dy;
        }
    }
    gains[threadIdx.x] = gain;
    biases[threadIdx.x] = bias;
    BARRIER();
    if (warp() == 0 && column < a.columns) {
        for (int i = 1; i < 8; i++) {
            gain += gains[i * WARP + lane()];
            bias += biases[i * WARP + lane()];
        }
        float *partials = a.partials + (int64)blockIdx.y * 2 * a.columns;
        partials[column] = gain;
        partials[a.columns + column] = bias;
    }
}

KERNEL(norm_slices_f32, 256, NormSlicesArguments) { norm_slices<float>(a); }
KERNEL(norm_slices_bf16, 256, NormSlicesArguments) { norm_slices<bf16>(a); }
KERNEL(norm_slices_f16, 256, NormSlicesArguments) { norm_slices<f16>(a); }
