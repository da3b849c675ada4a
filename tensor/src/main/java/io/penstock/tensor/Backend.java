package io.penstock.tensor;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The operations of training on one device. Every operation says which outputs it overwrites and which it accumulates into (+=); inputs are never
 * changed. Letters are those of {@code docs/shapes.md}; R stands for rows (B*T tokens). <i>Compute type</i> means F32, BF16 or F16 (F64 too on the reference
 * backend); accumulators are {@link DType#accumulator()} of it. Unless a line says "strided", tensors are contiguous. An output aliases an input only
 * where the line allows it.
 *
 * <p>Same bits: a result depends on the inputs alone, never on the number of threads, on timing or on whether code is compiled yet. Nothing is allocated
 * by an operation whose sizes have been seen before (the reference backend excepted). Shapes, dtypes, strides and overlaps are checked by {@link
 * OperationChecks} when {@link Checks#ENABLED}, with {@link IllegalStateException}.
 * One thread at a time calls a backend.
 */
public interface Backend extends AutoCloseable {
    /** "reference", "cpu" or "cuda", with what it found, for logs: {@code cpu (oneDNN 3.11, avx512_core_bf16, 2 threads)}. */
    String description();

    /** Zeroed memory of the device. Owners ask through a {@link MemoryLedger}. */
    DeviceMemory allocate(long bytes);

    /** Bytes that the backend itself holds for its kernels, allocated with it: part of a rank's plan. */
    long workspaceBytes();

    /** What brings bytes to and from tensors that the host cannot address; empty where it can. */
    default Optional<DeviceCopies> copies() {
        return Optional.empty();
    }

    /** A clock with so many stamps; empty where operations are done when they return. */
    default Optional<DeviceClock> clock(int stamps) {
        return Optional.empty();
    }

    // ---- moving ----

    void zero(Tensor x);

    /** Overwrites y with x, cast to y's dtype (F32, BF16, F16, F64). Both may be strided. */
    void copy(Tensor y, Tensor x);

    /** Accumulates y += x, computed in the accumulator type; dtypes may differ. */
    void add(Tensor y, Tensor x);

    /**
     * Overwrites y with the sum of one or more tensors of its dtype and size, all contiguous: added one after another in the accumulator type, and rounded once. y may alias one of them.
     */
    void addAll(Tensor y, Tensor[] terms);

    // ---- matrix products ----

    /**
     * c_MN = op(a)_MK op(b)_KN (+ bias_N), summed in the accumulator type; {@code transposeA} says that a is stored (K, M), {@code transposeB} that b is
     * stored (N, K). All may be strided; tensors of more dims count as matrices of {@link Shape#rows()} rows. a and b have one compute type, c that
     * type or its accumulator; bias is of the accumulator type and only with {@link Write#OVERWRITE}. {@link Write#ACCUMULATE} needs c of the
     * accumulator type.
     */
    void matmul(
            Tensor c_MN,
            Tensor a,
            boolean transposeA,
            Tensor b,
            boolean transposeB,
            @Nullable Tensor bias_N,
            Write write);

    /** Accumulates db_N += sum over rows of dy_RN (compute type, may be strided) into the accumulator type: the bias gradient. */
    void sumRows(Tensor db_N, Tensor dy_RN);

    // ---- embedding ----

    /** Overwrites y_RC[r] = wte_VC[tokens[r]] + wpe_TC[r mod T] where {@code sequence} is T; wpe may be absent. tokens_R is I32. */
    void embedding(Tensor y_RC, Tensor tokens_R, Tensor wte_VC, @Nullable Tensor wpe_TC, int sequence);

    /** Accumulates dwte_VC and dwpe_TC (accumulator type) in row order. */
    void embeddingBackward(Tensor dwte_VC, @Nullable Tensor dwpe_TC, Tensor dy_RC, Tensor tokens_R, int sequence);

    // ---- norm ----

    /**
     * Layer norm over C (Ba, Kiros and Hinton 2016): y = (x - mean) * rstd * gain + bias, rstd = 1 / sqrt(var + eps). Overwrites y_RC, mean_R and rstd_R;
     * statistics, gain and bias are of the accumulator type.
     */
    void layerNorm(Tensor y_RC, Tensor mean_R, Tensor rstd_R, Tensor x_RC, Tensor gain_C, Tensor bias_C, float eps);

    /** Overwrites sum_RC = x + residual (rounded to its dtype), then {@link #layerNorm} of sum_RC. sum_RC may alias x_RC or residual_RC. */
    void addLayerNorm(
            Tensor sum_RC,
            Tensor y_RC,
            Tensor mean_R,
            Tensor rstd_R,
            Tensor x_RC,
            Tensor residual_RC,
            Tensor gain_C,
            Tensor bias_C,
            float eps);

    /**
     * Overwrites dx_RC = dresidual + gradient through the norm (dresidual may be absent; dx_RC may alias it or dy_RC). Accumulates dgain_C and dbias_C.
     */
    void layerNormBackward(
            Tensor dx_RC,
            Tensor dgain_C,
            Tensor dbias_C,
            Tensor dy_RC,
            @Nullable Tensor dresidual_RC,
            Tensor x_RC,
            Tensor gain_C,
            Tensor mean_R,
            Tensor rstd_R);

    /** RMS norm over C (Zhang and Sennrich 2019): y = x * rstd * gain, rstd = 1 / sqrt(mean(x^2) + eps). Overwrites y_RC and rstd_R; rstd and gain are of the accumulator type. */
    void rmsNorm(Tensor y_RC, Tensor rstd_R, Tensor x_RC, Tensor gain_C, float eps);

    /** Overwrites sum_RC = x + residual (rounded to its dtype), then {@link #rmsNorm} of sum_RC. sum_RC may alias x_RC or residual_RC. */
    void addRmsNorm(
            Tensor sum_RC, Tensor y_RC, Tensor rstd_R, Tensor x_RC, Tensor residual_RC, Tensor gain_C, float eps);

    /** Overwrites dx_RC = dresidual + gradient through the norm (dresidual may be absent; dx_RC may alias it or dy_RC). Accumulates dgain_C. */
    void rmsNormBackward(
            Tensor dx_RC,
            Tensor dgain_C,
            Tensor dy_RC,
            @Nullable Tensor dresidual_RC,
            Tensor x_RC,
            Tensor gain_C,
            Tensor rstd_R);

    // ---- attention ----

    /**
     * Rotary position embedding (Su et al. 2021), in the half-rotation order of Hugging Face's Llama. Each of a row's heads of H = {@code headSize} columns (even) is a vector
     * of pairs (h, h + H/2), and pair h of row r is turned by the angle t * theta^(-2h/H), where t = r mod T, {@code sequence} is T: overwrites y_RC[h] = x[h] cos - x[h + H/2] sin,
     * y_RC[h + H/2] = x[h + H/2] cos + x[h] sin. Both may be strided; y_RC may be x_RC.
     */
    void rotary(Tensor y_RC, Tensor x_RC, int headSize, int sequence, double theta);

    /** Overwrites dx_RC with dy turned back by the same angles: {@link #rotary} is a rotation. dx_RC may be dy_RC; both may be strided. */
    void rotaryBackward(Tensor dx_RC, Tensor dy_RC, int headSize, int sequence, double theta);

    /**
     * Causal attention of each sequence and head, softmax(q k' / sqrt(H)) v, in tiles: no T x T matrix is kept (Dao et al. 2022). q_RC is (B*T, N*H), k and
     * v are (B*T, Nkv*H), all may be strided; query head n reads key and value head n / (N / Nkv). Overwrites o_RC (B*T, N*H) and lse (B, N, T) of the
     * accumulator type: the natural logarithm of the sum of exponentials of a row's scaled scores.
     */
    void attention(Tensor o_RC, Tensor lse_BNT, Tensor q_RC, Tensor k_RC, Tensor v_RC, AttentionShape shape);

    /** Overwrites dq, dk and dv (shaped as q, k and v); they and q, k, v may be strided. */
    void attentionBackward(
            Tensor dq_RC,
            Tensor dk_RC,
            Tensor dv_RC,
            Tensor do_RC,
            Tensor o_RC,
            Tensor lse_BNT,
            Tensor q_RC,
            Tensor k_RC,
            Tensor v_RC,
            AttentionShape shape);

    // ---- activation ----

    /** Overwrites y = gelu(x), tanh form (Hendrycks and Gimpel 2016; "gelu_new"): 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). */
    void gelu(Tensor y, Tensor x);

    /** Overwrites dx = dy * gelu'(x); dx may alias dy. */
    void geluBackward(Tensor dx, Tensor dy, Tensor x);

    /** Overwrites y = silu(gate) * up, silu(x) = x / (1 + e^-x) (Shazeer 2020, SwiGLU). */
    void swiglu(Tensor y, Tensor gate, Tensor up);

    /** Overwrites dgate = dy * up * silu'(gate) and dup = dy * silu(gate); dgate or dup may alias dy. */
    void swigluBackward(Tensor dgate, Tensor dup, Tensor dy, Tensor gate, Tensor up);

    // ---- loss ----

    /**
     * Softmax cross-entropy of rows. Overwrites loss_R[r] = logsumexp(logits[r]) - logits[r][target] and, if dlogits is given, dlogits_RV = scale *
     * (softmax(logits) - onehot). logits_RV and loss_R are of the accumulator type, logits may be strided. dlogits_RV is of a compute type, may be
     * strided, and its row r may lie at the start of logits' row r (in place; what it leaves of the logits' elements is then undefined). targets_R is I32;
     * a negative target is not counted: loss 0, gradient 0.
     */
    void crossEntropy(Tensor loss_R, @Nullable Tensor dlogits_RV, Tensor logits_RV, Tensor targets_R, float scale);

    // ---- parts of a vocabulary ----

    /**
     * {@link #embedding} by one part of a table that is split by rows: wte_VC holds its rows {@code first} and on. Overwrites y_RC[r] = wte_VC[tokens[r] - first],
     * zeros where that row is in another part, so that the y of all parts add up to the whole table's. tokens_R is I32.
     */
    void embeddingPart(Tensor y_RC, Tensor tokens_R, Tensor wte_VC, int first);

    /** Accumulates dwte_VC (accumulator type) in row order, from the tokens whose row is in this part. */
    void embeddingPartBackward(Tensor dwte_VC, Tensor dy_RC, Tensor tokens_R, int first);

    /**
     * What one part of the columns contributes to {@link #crossEntropy}: logits_RV holds columns {@code first} and on. Overwrites statistics_R3 (accumulator
     * type): the row's maximum, the sum of exp(logits - maximum), and the target's logit, 0 if it is in another part or not counted. logits may be strided.
     */
    void softmaxPart(Tensor statistics_R3, Tensor logits_RV, Tensor targets_R, int first);

    /**
     * {@link #crossEntropy} of one part of the columns, from the statistics of all P parts in order: the loss of the whole rows, the gradient of this part's
     * columns. Types, strides, targets and the place of dlogits are as there.
     */
    void crossEntropyPart(
            Tensor loss_R,
            @Nullable Tensor dlogits_RV,
            Tensor logits_RV,
            Tensor targets_R,
            Tensor statistics_PR3,
            int first,
            float scale);

    // ---- optimizer ----

    /** Overwrites sum_1 (F64) with the sum of a contiguous tensor of a compute type, one element after another, so that all backends agree on the bits: for short ones. */
    void sum(Tensor sum_1, Tensor x);

    /** Overwrites sum_1 (F64) with the sum of the squares of a contiguous tensor of a compute type, by a fixed order. */
    void sumOfSquares(Tensor sum_1, Tensor x);

    /**
     * One AdamW update (Loshchilov and Hutter 2019, algorithm 2) of contiguous tensors of one size, of the accumulator type: g = gradientScale * gradient; m and v by
     * beta1, beta2; weight -= learningRate * (m / correction1 / (sqrt(v / correction2) + eps) + weightDecay * weight), correction_i = 1 - beta_i^t.
     * Overwrites weight, m, v, and working (the compute type's rounding of weight) if given; zeroes gradient.
     */
    void adamW(
            Tensor weight,
            Tensor m,
            Tensor v,
            Tensor gradient,
            @Nullable Tensor working,
            float learningRate,
            float beta1,
            float beta2,
            float eps,
            float weightDecay,
            float correction1,
            float correction2,
            float gradientScale);

    /** Waits until the device has done all it was asked. */
    void synchronize();

    @Override
    void close();
}
