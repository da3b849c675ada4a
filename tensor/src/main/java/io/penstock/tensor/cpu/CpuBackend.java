package io.penstock.tensor.cpu;

import io.penstock.tensor.AttentionChecks;
import io.penstock.tensor.AttentionShape;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.DeviceMemory;
import io.penstock.tensor.HostMemory;
import io.penstock.tensor.LlamaChecks;
import io.penstock.tensor.OperationChecks;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.VocabularyChecks;
import io.penstock.tensor.Write;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Computes F32, BF16 and F16 on the cores of this machine: the caller's thread and {@code threads - 1} workers of its own, so that backends of several ranks in one
 * JVM share the cores as they are told. Matrix products are oneDNN's, or plain Java where it does not load, as {@link #description()} says.
 */
public final class CpuBackend implements Backend {
    private final Workers workers;
    private final Workspace workspace;
    private final MatmulKernels kernels;
    private final Moves moves;
    private final Matmul matmul;
    private final RowSums rowSums;
    private final Embedding embedding;
    private final LayerNorm layerNorm;
    private final LayerNormGradient layerNormGradient;
    private final RmsNorm rmsNorm;
    private final RmsNormGradient rmsNormGradient;
    private final Rotary rotary;
    private final Attention attention;
    private final AttentionGradient attentionGradient;
    private final Gelu gelu;
    private final SwiGlu swiGlu;
    private final CrossEntropy crossEntropy;
    private final EmbeddingPart embeddingPart;
    private final CrossEntropyPart crossEntropyPart;
    private final SumOfSquares sumOfSquares;
    private final AdamW adamW;
    private final int slowLoops;
    private boolean closed;

    /** {@code threads} is the number of cores that this backend may keep busy; at least 1. */
    public CpuBackend(int threads) {
        this(threads, EnumSet.of(DType.F32, DType.BF16, DType.F16));
    }

    /**
     * A backend that starts sooner.
     *
     * @param threads as above
     * @param types what it will mostly compute in: the loops of other types are compiled when they are used, and slow until then
     */
    public CpuBackend(int threads, Set<DType> types) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads=" + threads + ", expected at least 1");
        }
        slowLoops = WarmUp.await(types);
        workspace = new Workspace(threads);
        String problem = OneDnnLibrary.PROBLEM;
        kernels = new MatmulKernels(
                problem == null ? new OneDnnMatmuls(workspace, threads) : new JavaMatmuls(workspace, problem));
        workers = new Workers(threads);
        RowBlocks blocks = new RowBlocks(workers, workspace);
        moves = new Moves(workers, workspace);
        matmul = new Matmul(workers, kernels);
        rowSums = new RowSums(workers, blocks);
        embedding = new Embedding(workers, workspace);
        layerNorm = new LayerNorm(workers, workspace);
        layerNormGradient = new LayerNormGradient(workers, workspace, blocks);
        rmsNorm = new RmsNorm(workers, workspace);
        rmsNormGradient = new RmsNormGradient(workers, workspace, blocks);
        rotary = new Rotary(workers, workspace);
        attention = new Attention(workers, kernels, workspace);
        attentionGradient = new AttentionGradient(workers, kernels, workspace);
        gelu = new Gelu(workers, workspace);
        swiGlu = new SwiGlu(workers, workspace);
        crossEntropy = new CrossEntropy(workers, workspace);
        embeddingPart = new EmbeddingPart(workers, workspace);
        crossEntropyPart = new CrossEntropyPart(workers, workspace);
        sumOfSquares = new SumOfSquares(workers, workspace);
        adamW = new AdamW(workers);
    }

    @Override
    public String description() {
        return "cpu (" + kernels.description() + ", vectors of " + Lanes.FLOATS.vectorBitSize() + " bits, "
                + workers.threads() + (workers.threads() == 1 ? " thread" : " threads") + WarmUp.remark(slowLoops)
                + ")";
    }

    @Override
    public DeviceMemory allocate(long bytes) {
        return new HostMemory(bytes);
    }

    @Override
    public long workspaceBytes() {
        return workspaceBytes(workers.threads());
    }

    /** {@link #workspaceBytes()} of a backend of so many threads, for plans: without making one, which has its loops compiled. */
    public static long workspaceBytes(int threads) {
        return Workspace.bytes(threads);
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
        matmul.run(c_MN, a, transposeA, b, transposeB, bias_N, write);
    }

    @Override
    public void sumRows(Tensor db_N, Tensor dy_RN) {
        OperationChecks.sumRows(db_N, dy_RN);
        rowSums.run(db_N, dy_RN);
    }

    @Override
    public void embedding(Tensor y_RC, Tensor tokens_R, Tensor wte_VC, @Nullable Tensor wpe_TC, int sequence) {
        VocabularyChecks.embedding(y_RC, tokens_R, wte_VC, wpe_TC, sequence);
        VocabularyChecks.indices("tokens", tokens_R, wte_VC.shape().rows(), false);
        embedding.forward(y_RC, tokens_R, wte_VC, wpe_TC, sequence);
    }

    @Override
    public void embeddingBackward(
            Tensor dwte_VC, @Nullable Tensor dwpe_TC, Tensor dy_RC, Tensor tokens_R, int sequence) {
        VocabularyChecks.embeddingBackward(dwte_VC, dwpe_TC, dy_RC, tokens_R, sequence);
        VocabularyChecks.indices("tokens", tokens_R, dwte_VC.shape().rows(), false);
        embedding.backward(dwte_VC, dwpe_TC, dy_RC, tokens_R, sequence);
    }

    @Override
    public void layerNorm(
            Tensor y_RC, Tensor mean_R, Tensor rstd_R, Tensor x_RC, Tensor gain_C, Tensor bias_C, float eps) {
        OperationChecks.layerNorm(y_RC, mean_R, rstd_R, x_RC, gain_C, bias_C);
        layerNorm.forward(y_RC, mean_R, rstd_R, x_RC, gain_C, bias_C, eps);
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
        layerNorm.addForward(sum_RC, y_RC, mean_R, rstd_R, x_RC, residual_RC, gain_C, bias_C, eps);
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
        layerNormGradient.run(dx_RC, dgain_C, dbias_C, dy_RC, dresidual_RC, x_RC, gain_C, mean_R, rstd_R);
    }

    @Override
    public void rmsNorm(Tensor y_RC, Tensor rstd_R, Tensor x_RC, Tensor gain_C, float eps) {
        LlamaChecks.rmsNorm(y_RC, rstd_R, x_RC, gain_C);
        rmsNorm.forward(y_RC, rstd_R, x_RC, gain_C, eps);
    }

    @Override
    public void addRmsNorm(
            Tensor sum_RC, Tensor y_RC, Tensor rstd_R, Tensor x_RC, Tensor residual_RC, Tensor gain_C, float eps) {
        LlamaChecks.addRmsNorm(sum_RC, y_RC, rstd_R, x_RC, residual_RC, gain_C);
        rmsNorm.addForward(sum_RC, y_RC, rstd_R, x_RC, residual_RC, gain_C, eps);
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
        rmsNormGradient.run(dx_RC, dgain_C, dy_RC, dresidual_RC, x_RC, gain_C, rstd_R);
    }

    @Override
    public void rotary(Tensor y_RC, Tensor x_RC, int headSize, int sequence, double theta) {
        LlamaChecks.rotary(y_RC, x_RC, headSize, sequence, theta);
        rotary.run(y_RC, x_RC, headSize, sequence, theta, false);
    }

    @Override
    public void rotaryBackward(Tensor dx_RC, Tensor dy_RC, int headSize, int sequence, double theta) {
        LlamaChecks.rotary(dx_RC, dy_RC, headSize, sequence, theta);
        rotary.run(dx_RC, dy_RC, headSize, sequence, theta, true);
    }

    @Override
    public void attention(Tensor o_RC, Tensor lse_BNT, Tensor q_RC, Tensor k_RC, Tensor v_RC, AttentionShape shape) {
        AttentionChecks.attention(o_RC, lse_BNT, q_RC, k_RC, v_RC, shape);
        attention.forward(o_RC, lse_BNT, q_RC, k_RC, v_RC, shape);
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
        attentionGradient.run(dq_RC, dk_RC, dv_RC, do_RC, o_RC, lse_BNT, q_RC, k_RC, v_RC, shape);
    }

    @Override
    public void gelu(Tensor y, Tensor x) {
        OperationChecks.gelu(y, x);
        gelu.forward(y, x);
    }

    @Override
    public void geluBackward(Tensor dx, Tensor dy, Tensor x) {
        OperationChecks.geluBackward(dx, dy, x);
        gelu.backward(dx, dy, x);
    }

    @Override
    public void swiglu(Tensor y, Tensor gate, Tensor up) {
        LlamaChecks.swiglu(y, gate, up);
        swiGlu.forward(y, gate, up);
    }

    @Override
    public void swigluBackward(Tensor dgate, Tensor dup, Tensor dy, Tensor gate, Tensor up) {
        LlamaChecks.swigluBackward(dgate, dup, dy, gate, up);
        swiGlu.backward(dgate, dup, dy, gate, up);
    }

    @Override
    public void crossEntropy(
            Tensor loss_R, @Nullable Tensor dlogits_RV, Tensor logits_RV, Tensor targets_R, float scale) {
        VocabularyChecks.crossEntropy(loss_R, dlogits_RV, logits_RV, targets_R);
        VocabularyChecks.indices("targets", targets_R, logits_RV.shape().last(), true);
        crossEntropy.run(loss_R, dlogits_RV, logits_RV, targets_R, scale);
    }

    @Override
    public void embeddingPart(Tensor y_RC, Tensor tokens_R, Tensor wte_VC, int first) {
        VocabularyChecks.embeddingPart(y_RC, tokens_R, wte_VC, first);
        embeddingPart.forward(y_RC, tokens_R, wte_VC, first);
    }

    @Override
    public void embeddingPartBackward(Tensor dwte_VC, Tensor dy_RC, Tensor tokens_R, int first) {
        VocabularyChecks.embeddingPartBackward(dwte_VC, dy_RC, tokens_R, first);
        embeddingPart.backward(dwte_VC, dy_RC, tokens_R, first);
    }

    @Override
    public void softmaxPart(Tensor statistics_R3, Tensor logits_RV, Tensor targets_R, int first) {
        VocabularyChecks.softmaxPart(statistics_R3, logits_RV, targets_R, first);
        crossEntropyPart.statistics(statistics_R3, logits_RV, targets_R, first);
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
        crossEntropyPart.run(loss_R, dlogits_RV, logits_RV, targets_R, statistics_PR3, first, scale);
    }

    @Override
    public void sum(Tensor sum_1, Tensor x) {
        OperationChecks.sum(sum_1, x);
        double sum = 0;
        for (long i = 0; i < x.elements(); i++) {
            sum += x.get(i);
        }
        sum_1.set(0, sum);
    }

    @Override
    public void sumOfSquares(Tensor sum_1, Tensor x) {
        OperationChecks.sum(sum_1, x);
        sum_1.set(0, sumOfSquares.run(x));
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
        adamW.run(
                weight,
                m,
                v,
                gradient,
                working,
                learningRate,
                beta1,
                beta2,
                eps,
                weightDecay,
                correction1,
                correction2,
                gradientScale);
    }

    /** Nothing to wait for: every operation returns when it is done. */
    @Override
    public void synchronize() {}

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        workers.close();
        kernels.close();
        workspace.close();
    }
}
