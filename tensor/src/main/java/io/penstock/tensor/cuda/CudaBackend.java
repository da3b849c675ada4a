package io.penstock.tensor.cuda;

import io.penstock.tensor.AttentionChecks;
import io.penstock.tensor.AttentionShape;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DeviceClock;
import io.penstock.tensor.DeviceCopies;
import io.penstock.tensor.DeviceMemory;
import io.penstock.tensor.LlamaChecks;
import io.penstock.tensor.OperationChecks;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.VocabularyChecks;
import io.penstock.tensor.Write;
import io.penstock.tensor.cuda.Launcher.Typed;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Computes F32, BF16 and F16 on one NVIDIA GPU. Operations return before the device has done them; {@link #synchronize} waits. Tokens and targets are judged on the device: one out of range counts as zeros and is reported by the next
 * {@link #synchronize}.
 */
public final class CudaBackend implements Backend {
    /** Of kernels: holds a piece of a product in F32, partial sums, a row statistic of attention. */
    private static final long SCRATCH_BYTES = 32 << 20;
    /** What NVIDIA advises for Hopper. */
    private static final long MATMUL_BYTES = 32 << 20;
    /** What {@link #workspaceBytes} of a backend of {@link #open} will be. */
    public static final long WORKSPACE_BYTES = Launcher.HEADER_BYTES + SCRATCH_BYTES + MATMUL_BYTES;

    /** Of a sum, which are arguments of its kernel. */
    public static final int MOST_TERMS = 64;

    private final Gpu gpu;
    private final Optional<DeviceCopies> copies;
    private final Launcher launcher;
    private final Moves moves;
    private final Products products;
    private final Embeddings embeddings;
    private final Norms norms;
    private final RmsNorms rmsNorms;
    private final Rotaries rotaries;
    private final SwiGlus swiGlus;
    private final Attentions attentions;
    private final Losses losses;
    private final Sums sums;
    private final Typed gelu;
    private final Typed geluGradient;
    private final Typed adamW;
    private boolean closed;

    /**
     * Device {@code device} of this process.
     *
     * @throws CudaUnavailableException with what is missing and its mend
     */
    public static CudaBackend open(int device) {
        return new CudaBackend(JCudaGpu.open(device), SCRATCH_BYTES, MATMUL_BYTES);
    }

    CudaBackend(Gpu gpu, long scratchBytes, long matmulBytes) {
        this.gpu = gpu;
        copies = Optional.of(new Copies(gpu));
        launcher = new Launcher(gpu, scratchBytes, matmulBytes);
        Slices slices = new Slices(launcher);
        moves = new Moves(launcher);
        products = new Products(launcher, slices);
        embeddings = new Embeddings(launcher);
        norms = new Norms(launcher, slices);
        rmsNorms = new RmsNorms(launcher, slices);
        rotaries = new Rotaries(launcher);
        swiGlus = new SwiGlus(launcher);
        attentions = new Attentions(launcher);
        losses = new Losses(launcher);
        sums = new Sums(launcher);
        gelu = Typed.of(gpu, "gelu", "gelu");
        geluGradient = Typed.of(gpu, "gelu", "gelu_gradient");
        adamW = Typed.of(gpu, "optimizer", "adamw");
    }

    @Override
    public String description() {
        return "cuda (" + gpu.description() + ")";
    }

    @Override
    public DeviceMemory allocate(long bytes) {
        return gpu.allocate(bytes);
    }

    @Override
    public long workspaceBytes() {
        return launcher.bytes();
    }

    @Override
    public Optional<DeviceCopies> copies() {
        return copies;
    }

    @Override
    public Optional<DeviceClock> clock(int stamps) {
        return Optional.of(gpu.clock(stamps));
    }

    @Override
    public void zero(Tensor x) {
        OperationChecks.zero(x);
        moves.zero(x);
    }

    @Override
    public void copy(Tensor y, Tensor x) {
        OperationChecks.copy(y, x);
        moves.copy(y, x);
    }

    @Override
    public void add(Tensor y, Tensor x) {
        OperationChecks.add(y, x);
        moves.add(y, x);
    }

    @Override
    public void addAll(Tensor y, Tensor[] terms) {
        OperationChecks.addAll(y, terms);
        moves.addAll(y, terms);
    }

    @Override
    public void matmul(
            Tensor c_MN,
            Tensor a,
            boolean transposeA,
            Tensor b,
            boolean transposeB,
            @Nullable Tensor bias_N,
            Write write) {
        OperationChecks.matmul(c_MN, a, transposeA, b, transposeB, bias_N, write);
        products.matmul(c_MN, a, transposeA, b, transposeB, bias_N, write);
    }

    @Override
    public void sumRows(Tensor db_N, Tensor dy_RN) {
        OperationChecks.sumRows(db_N, dy_RN);
        products.sumRows(db_N, dy_RN);
    }

    @Override
    public void embedding(Tensor y_RC, Tensor tokens_R, Tensor wte_VC, @Nullable Tensor wpe_TC, int sequence) {
        VocabularyChecks.embedding(y_RC, tokens_R, wte_VC, wpe_TC, sequence);
        embeddings.forward(y_RC, tokens_R, wte_VC, wpe_TC, sequence);
    }

    @Override
    public void embeddingBackward(
            Tensor dwte_VC, @Nullable Tensor dwpe_TC, Tensor dy_RC, Tensor tokens_R, int sequence) {
        VocabularyChecks.embeddingBackward(dwte_VC, dwpe_TC, dy_RC, tokens_R, sequence);
        embeddings.backward(dwte_VC, dwpe_TC, dy_RC, tokens_R, sequence);
    }

    @Override
    public void layerNorm(
            Tensor y_RC, Tensor mean_R, Tensor rstd_R, Tensor x_RC, Tensor gain_C, Tensor bias_C, float eps) {
        OperationChecks.layerNorm(y_RC, mean_R, rstd_R, x_RC, gain_C, bias_C);
        norms.forward(null, y_RC, mean_R, rstd_R, x_RC, null, gain_C, bias_C, eps);
    }

    @Override
    public void addLayerNorm(
            Tensor sum_RC,
            Tensor y_RC,
            Tensor mean_R,
            Tensor rstd_R,
            Tensor x_RC,
            Tensor residual_RC,
            Tensor gain_C,
            Tensor bias_C,
            float eps) {
        OperationChecks.addLayerNorm(sum_RC, y_RC, mean_R, rstd_R, x_RC, residual_RC, gain_C, bias_C);
        norms.forward(sum_RC, y_RC, mean_R, rstd_R, x_RC, residual_RC, gain_C, bias_C, eps);
    }

    @Override
    public void layerNormBackward(
            Tensor dx_RC,
            Tensor dgain_C,
            Tensor dbias_C,
            Tensor dy_RC,
            @Nullable Tensor dresidual_RC,
            Tensor x_RC,
            Tensor gain_C,
            Tensor mean_R,
            Tensor rstd_R) {
        OperationChecks.layerNormBackward(dx_RC, dgain_C, dbias_C, dy_RC, dresidual_RC, x_RC, gain_C, mean_R, rstd_R);
        norms.backward(dx_RC, dgain_C, dbias_C, dy_RC, dresidual_RC, x_RC, gain_C, mean_R, rstd_R);
    }

    @Override
    public void rmsNorm(Tensor y_RC, Tensor rstd_R, Tensor x_RC, Tensor gain_C, float eps) {
        LlamaChecks.rmsNorm(y_RC, rstd_R, x_RC, gain_C);
        rmsNorms.forward(null, y_RC, rstd_R, x_RC, null, gain_C, eps);
    }

    @Override
    public void addRmsNorm(
            Tensor sum_RC, Tensor y_RC, Tensor rstd_R, Tensor x_RC, Tensor residual_RC, Tensor gain_C, float eps) {
        LlamaChecks.addRmsNorm(sum_RC, y_RC, rstd_R, x_RC, residual_RC, gain_C);
        rmsNorms.forward(sum_RC, y_RC, rstd_R, x_RC, residual_RC, gain_C, eps);
    }

    @Override
    public void rmsNormBackward(
            Tensor dx_RC,
            Tensor dgain_C,
            Tensor dy_RC,
            @Nullable Tensor dresidual_RC,
            Tensor x_RC,
            Tensor gain_C,
            Tensor rstd_R) {
        LlamaChecks.rmsNormBackward(dx_RC, dgain_C, dy_RC, dresidual_RC, x_RC, gain_C, rstd_R);
        rmsNorms.backward(dx_RC, dgain_C, dy_RC, dresidual_RC, x_RC, gain_C, rstd_R);
    }

    @Override
    public void rotary(Tensor y_RC, Tensor x_RC, int headSize, int sequence, double theta) {
        LlamaChecks.rotary(y_RC, x_RC, headSize, sequence, theta);
        rotaries.rotate(y_RC, x_RC, headSize, sequence, theta, 1);
    }

    @Override
    public void rotaryBackward(Tensor dx_RC, Tensor dy_RC, int headSize, int sequence, double theta) {
        LlamaChecks.rotary(dx_RC, dy_RC, headSize, sequence, theta);
        rotaries.rotate(dx_RC, dy_RC, headSize, sequence, theta, -1);
    }

    @Override
    public void attention(Tensor o_RC, Tensor lse_BNT, Tensor q_RC, Tensor k_RC, Tensor v_RC, AttentionShape shape) {
        AttentionChecks.attention(o_RC, lse_BNT, q_RC, k_RC, v_RC, shape);
        attentions.forward(o_RC, lse_BNT, q_RC, k_RC, v_RC, shape);
    }

    @Override
    public void attentionBackward(
            Tensor dq_RC,
            Tensor dk_RC,
            Tensor dv_RC,
            Tensor do_RC,
            Tensor o_RC,
            Tensor lse_BNT,
            Tensor q_RC,
            Tensor k_RC,
            Tensor v_RC,
            AttentionShape shape) {
        AttentionChecks.attentionBackward(dq_RC, dk_RC, dv_RC, do_RC, o_RC, lse_BNT, q_RC, k_RC, v_RC, shape);
        attentions.backward(dq_RC, dk_RC, dv_RC, do_RC, o_RC, lse_BNT, q_RC, k_RC, v_RC, shape);
    }

    @Override
    public void gelu(Tensor y, Tensor x) {
        OperationChecks.gelu(y, x);
        launcher.begin().put(y).put(x).put(x.elements()).launchOverEights(gelu.of(x.dtype()), x.elements());
    }

    @Override
    public void geluBackward(Tensor dx, Tensor dy, Tensor x) {
        OperationChecks.geluBackward(dx, dy, x);
        launcher.begin()
                .put(dx)
                .put(dy)
                .put(x)
                .put(x.elements())
                .launchOverEights(geluGradient.of(x.dtype()), x.elements());
    }

    @Override
    public void swiglu(Tensor y, Tensor gate, Tensor up) {
        LlamaChecks.swiglu(y, gate, up);
        swiGlus.forward(y, gate, up);
    }

    @Override
    public void swigluBackward(Tensor dgate, Tensor dup, Tensor dy, Tensor gate, Tensor up) {
        LlamaChecks.swigluBackward(dgate, dup, dy, gate, up);
        swiGlus.backward(dgate, dup, dy, gate, up);
    }

    @Override
    public void crossEntropy(
            Tensor loss_R, @Nullable Tensor dlogits_RV, Tensor logits_RV, Tensor targets_R, float scale) {
        VocabularyChecks.crossEntropy(loss_R, dlogits_RV, logits_RV, targets_R);
        losses.crossEntropy(loss_R, dlogits_RV, logits_RV, targets_R, null, 0, scale);
    }

    @Override
    public void embeddingPart(Tensor y_RC, Tensor tokens_R, Tensor wte_VC, int first) {
        VocabularyChecks.embeddingPart(y_RC, tokens_R, wte_VC, first);
        embeddings.forwardPart(y_RC, tokens_R, wte_VC, first);
    }

    @Override
    public void embeddingPartBackward(Tensor dwte_VC, Tensor dy_RC, Tensor tokens_R, int first) {
        VocabularyChecks.embeddingPartBackward(dwte_VC, dy_RC, tokens_R, first);
        embeddings.backwardPart(dwte_VC, dy_RC, tokens_R, first);
    }

    @Override
    public void softmaxPart(Tensor statistics_R3, Tensor logits_RV, Tensor targets_R, int first) {
        VocabularyChecks.softmaxPart(statistics_R3, logits_RV, targets_R, first);
        losses.softmaxPart(statistics_R3, logits_RV, targets_R, first);
    }

    @Override
    public void crossEntropyPart(
            Tensor loss_R,
            @Nullable Tensor dlogits_RV,
            Tensor logits_RV,
            Tensor targets_R,
            Tensor statistics_PR3,
            int first,
            float scale) {
        VocabularyChecks.crossEntropyPart(loss_R, dlogits_RV, logits_RV, targets_R, statistics_PR3, first);
        losses.crossEntropy(loss_R, dlogits_RV, logits_RV, targets_R, statistics_PR3, first, scale);
    }

    @Override
    public void sum(Tensor sum_1, Tensor x) {
        OperationChecks.sum(sum_1, x);
        sums.inOrder(sum_1, x);
    }

    @Override
    public void sumOfSquares(Tensor sum_1, Tensor x) {
        OperationChecks.sum(sum_1, x);
        sums.ofSquares(sum_1, x);
    }

    @Override
    public void adamW(
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
            float gradientScale) {
        OperationChecks.adamW(weight, m, v, gradient, working);
        launcher.begin()
                .put(weight)
                .put(m)
                .put(v)
                .put(gradient)
                .put(working)
                .put(weight.elements())
                .put(learningRate)
                .put(beta1)
                .put(beta2)
                .put(eps)
                .put(weightDecay)
                .put(correction1)
                .put(correction2)
                .put(gradientScale)
                .launchOverEights(adamW.of(working == null ? weight.dtype() : working.dtype()), weight.elements());
    }

    @Override
    public void synchronize() {
        launcher.check();
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            launcher.close();
            gpu.close();
        }
    }
}
