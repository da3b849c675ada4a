package io.penstock.tensor.reference;

import io.penstock.tensor.AttentionChecks;
import io.penstock.tensor.AttentionShape;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DeviceMemory;
import io.penstock.tensor.HostMemory;
import io.penstock.tensor.LlamaChecks;
import io.penstock.tensor.OperationChecks;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.VocabularyChecks;
import io.penstock.tensor.Write;
import org.jspecify.annotations.Nullable;

/** Naive loops in double on host memory, rounded once at each output; F64, F32, BF16 and F16. Stateless. */
public final class ReferenceBackend implements Backend {
    @Override
    public String description() {
        return "reference (naive loops in double, 1 thread)";
    }

    @Override
    public DeviceMemory allocate(long bytes) {
        return new HostMemory(bytes);
    }

    @Override
    public long workspaceBytes() {
        return 0;
    }

    @Override
    public void zero(Tensor x) {
        OperationChecks.zero(x);
        x.segment().asSlice(0, x.bytes()).fill((byte) 0);
    }

    @Override
    public void copy(Tensor y, Tensor x) {
        OperationChecks.copy(y, x);
        Values.write(y, Values.read(x));
    }

    @Override
    public void add(Tensor y, Tensor x) {
        OperationChecks.add(y, x);
        Values.accumulate(y, Values.read(x));
    }

    @Override
    public void addAll(Tensor y, Tensor[] terms) {
        OperationChecks.addAll(y, terms);
        double[] sums = new double[Math.toIntExact(y.elements())];
        for (Tensor term : terms) {
            double[] values = Values.read(term);
            for (int i = 0; i < sums.length; i++) {
                sums[i] += values[i];
            }
        }
        Values.write(y, sums);
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
        ReferenceMatrix.matmul(c_MN, a, transposeA, b, transposeB, bias_N, write);
    }

    @Override
    public void sumRows(Tensor db_N, Tensor dy_RN) {
        OperationChecks.sumRows(db_N, dy_RN);
        ReferenceMatrix.sumRows(db_N, dy_RN);
    }

    @Override
    public void embedding(Tensor y_RC, Tensor tokens_R, Tensor wte_VC, @Nullable Tensor wpe_TC, int sequence) {
        VocabularyChecks.embedding(y_RC, tokens_R, wte_VC, wpe_TC, sequence);
        VocabularyChecks.indices("tokens", tokens_R, wte_VC.shape().rows(), false);
        ReferenceEmbedding.forward(y_RC, tokens_R, wte_VC, wpe_TC, sequence);
    }

    @Override
    public void embeddingBackward(
            Tensor dwte_VC, @Nullable Tensor dwpe_TC, Tensor dy_RC, Tensor tokens_R, int sequence) {
        VocabularyChecks.embeddingBackward(dwte_VC, dwpe_TC, dy_RC, tokens_R, sequence);
        VocabularyChecks.indices("tokens", tokens_R, dwte_VC.shape().rows(), false);
        ReferenceEmbedding.backward(dwte_VC, dwpe_TC, dy_RC, tokens_R, sequence);
    }

    @Override
    public void layerNorm(
            Tensor y_RC, Tensor mean_R, Tensor rstd_R, Tensor x_RC, Tensor gain_C, Tensor bias_C, float eps) {
        OperationChecks.layerNorm(y_RC, mean_R, rstd_R, x_RC, gain_C, bias_C);
        ReferenceNorm.forward(y_RC, mean_R, rstd_R, x_RC, gain_C, bias_C, eps);
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
        ReferenceNorm.add(sum_RC, x_RC, residual_RC);
        ReferenceNorm.forward(y_RC, mean_R, rstd_R, sum_RC, gain_C, bias_C, eps);
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
        ReferenceNorm.backward(dx_RC, dgain_C, dbias_C, dy_RC, dresidual_RC, x_RC, gain_C, mean_R, rstd_R);
    }

    @Override
    public void rmsNorm(Tensor y_RC, Tensor rstd_R, Tensor x_RC, Tensor gain_C, float eps) {
        LlamaChecks.rmsNorm(y_RC, rstd_R, x_RC, gain_C);
        ReferenceRmsNorm.forward(y_RC, rstd_R, x_RC, gain_C, eps);
    }

    @Override
    public void addRmsNorm(
            Tensor sum_RC, Tensor y_RC, Tensor rstd_R, Tensor x_RC, Tensor residual_RC, Tensor gain_C, float eps) {
        LlamaChecks.addRmsNorm(sum_RC, y_RC, rstd_R, x_RC, residual_RC, gain_C);
        ReferenceNorm.add(sum_RC, x_RC, residual_RC);
        ReferenceRmsNorm.forward(y_RC, rstd_R, sum_RC, gain_C, eps);
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
        ReferenceRmsNorm.backward(dx_RC, dgain_C, dy_RC, dresidual_RC, x_RC, gain_C, rstd_R);
    }

    @Override
    public void rotary(Tensor y_RC, Tensor x_RC, int headSize, int sequence, double theta) {
        LlamaChecks.rotary(y_RC, x_RC, headSize, sequence, theta);
        ReferenceRotary.rotate(y_RC, x_RC, headSize, sequence, theta, 1);
    }

    @Override
    public void rotaryBackward(Tensor dx_RC, Tensor dy_RC, int headSize, int sequence, double theta) {
        LlamaChecks.rotary(dx_RC, dy_RC, headSize, sequence, theta);
        ReferenceRotary.rotate(dx_RC, dy_RC, headSize, sequence, theta, -1);
    }

    @Override
    public void attention(Tensor o_RC, Tensor lse_BNT, Tensor q_RC, Tensor k_RC, Tensor v_RC, AttentionShape shape) {
        AttentionChecks.attention(o_RC, lse_BNT, q_RC, k_RC, v_RC, shape);
        new ReferenceAttention(shape, q_RC, k_RC, v_RC).forward(o_RC, lse_BNT);
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
        new ReferenceAttention(shape, q_RC, k_RC, v_RC).backward(dq_RC, dk_RC, dv_RC, do_RC, o_RC, lse_BNT);
    }

    @Override
    public void gelu(Tensor y, Tensor x) {
        OperationChecks.gelu(y, x);
        ReferenceActivation.gelu(y, x);
    }

    @Override
    public void geluBackward(Tensor dx, Tensor dy, Tensor x) {
        OperationChecks.geluBackward(dx, dy, x);
        ReferenceActivation.geluBackward(dx, dy, x);
    }

    @Override
    public void swiglu(Tensor y, Tensor gate, Tensor up) {
        LlamaChecks.swiglu(y, gate, up);
        ReferenceActivation.swiglu(y, gate, up);
    }

    @Override
    public void swigluBackward(Tensor dgate, Tensor dup, Tensor dy, Tensor gate, Tensor up) {
        LlamaChecks.swigluBackward(dgate, dup, dy, gate, up);
        ReferenceActivation.swigluBackward(dgate, dup, dy, gate, up);
    }

    @Override
    public void crossEntropy(
            Tensor loss_R, @Nullable Tensor dlogits_RV, Tensor logits_RV, Tensor targets_R, float scale) {
        VocabularyChecks.crossEntropy(loss_R, dlogits_RV, logits_RV, targets_R);
        VocabularyChecks.indices("targets", targets_R, logits_RV.shape().last(), true);
        ReferenceLoss.crossEntropy(loss_R, dlogits_RV, logits_RV, targets_R, scale);
    }

    @Override
    public void embeddingPart(Tensor y_RC, Tensor tokens_R, Tensor wte_VC, int first) {
        VocabularyChecks.embeddingPart(y_RC, tokens_R, wte_VC, first);
        ReferenceVocabularyPart.embedding(y_RC, tokens_R, wte_VC, first);
    }

    @Override
    public void embeddingPartBackward(Tensor dwte_VC, Tensor dy_RC, Tensor tokens_R, int first) {
        VocabularyChecks.embeddingPartBackward(dwte_VC, dy_RC, tokens_R, first);
        ReferenceVocabularyPart.embeddingBackward(dwte_VC, dy_RC, tokens_R, first);
    }

    @Override
    public void softmaxPart(Tensor statistics_R3, Tensor logits_RV, Tensor targets_R, int first) {
        VocabularyChecks.softmaxPart(statistics_R3, logits_RV, targets_R, first);
        ReferenceVocabularyPart.softmax(statistics_R3, logits_RV, targets_R, first);
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
        ReferenceVocabularyPart.crossEntropy(loss_R, dlogits_RV, logits_RV, targets_R, statistics_PR3, first, scale);
    }

    @Override
    public void sum(Tensor sum_1, Tensor x) {
        OperationChecks.sum(sum_1, x);
        sum_1.set(0, ReferenceOptimizer.sum(x));
    }

    @Override
    public void sumOfSquares(Tensor sum_1, Tensor x) {
        OperationChecks.sum(sum_1, x);
        sum_1.set(0, ReferenceOptimizer.sumOfSquares(x));
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
        ReferenceOptimizer.adamW(
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

    @Override
    public void synchronize() {}

    @Override
    public void close() {}
}
