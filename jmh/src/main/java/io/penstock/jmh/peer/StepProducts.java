package io.penstock.jmh.peer;

import io.penstock.models.ModelConfig;
import io.penstock.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The matrix products of one training step and nothing else, whole and into tensors that are there: what the library that multiplies (oneDNN, by libtorch) makes of the
 * step's own shapes. Attention's are whole products over half of the keys, which is as many operations as causality leaves.
 */
public final class StepProducts implements AutoCloseable {
    private record Product(Tensor out, Tensor a, Tensor b, boolean batched, int times) {
        void run() {
            for (int i = 0; i < times; i++) {
                if (batched) {
                    torch.bmm_out(out, a, b);
                } else {
                    torch.mm_out(out, a, b);
                }
            }
        }
    }

    private final PointerScope scope = new PointerScope();
    private final DType dtype;
    private final List<Product> products = new ArrayList<>();

    public StepProducts(ModelConfig config, DType dtype, int batch, int sequence) {
        this.dtype = dtype;
        long rows = (long) batch * sequence;
        int layers = config.numHiddenLayers();
        int c = config.hiddenSize();
        int f = config.intermediateSize();
        linear(rows, c, 3L * c, layers);
        linear(rows, c, c, layers);
        linear(rows, c, f, layers);
        linear(rows, f, c, layers);
        linear(rows, c, config.vocabSize(), 1);
        attention((long) batch * config.numAttentionHeads(), sequence, config.headSize(), layers);
    }

    /** y = x w, dx = dy w', dw = x' dy. */
    private void linear(long rows, long in, long out, int times) {
        Tensor x = normal(rows, in);
        Tensor w = normal(in, out);
        Tensor y = normal(rows, out);
        products.add(new Product(normal(rows, out), x, w, false, times));
        products.add(new Product(normal(rows, in), y, w.t(), false, times));
        products.add(new Product(normal(in, out), x.t(), y, false, times));
    }

    /** Forward s = q k' and o = p v; backward s and dp = do v', dq = ds k, dk = ds' q and dv = p' do. */
    private void attention(long heads, long sequence, long size, int times) {
        Tensor q = normal(heads, sequence, size);
        Tensor k = normal(heads, sequence / 2, size);
        Tensor p = normal(heads, sequence, sequence / 2);
        Product scores = new Product(normal(heads, sequence, sequence / 2), q, k.transpose(1, 2), true, 3 * times);
        Product queries = new Product(normal(heads, sequence, size), p, k, true, 2 * times);
        Product keys = new Product(normal(heads, sequence / 2, size), p.transpose(1, 2), q, true, 2 * times);
        products.addAll(List.of(scores, queries, keys));
    }

    private Tensor normal(long... shape) {
        return Libtorch.normal(1, dtype, shape);
    }

    public void run() {
        try (var _ = new PointerScope()) {
            products.forEach(Product::run);
        }
    }

    @Override
    public void close() {
        scope.close();
    }
}
