package io.penstock.models.gpt2;

import static io.penstock.tensor.DType.BF16;
import static io.penstock.tensor.DType.F32;
import static io.penstock.tensor.DType.F64;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.models.Head;
import io.penstock.models.LayerContext;
import io.penstock.models.LayerMemory;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.parallel.ParallelRegion;
import io.penstock.models.vocabulary.LogitChunks;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.GradientCheck;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TestTensors;
import io.penstock.tensor.reference.ReferenceBackend;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class Gpt2HeadTest {
    private static final int C = 12;
    private static final int V = 29;
    private static final MicroBatchShape MICRO_BATCH = new MicroBatchShape(2, 7);
    private static final float SCALE = 0.25f;

    private final Backend backend = new ReferenceBackend();

    private static Gpt2HeadSpec spec(boolean tied) {
        return new Gpt2HeadSpec(Gpt2Shard.whole(new ModelConfig("gpt2", 1, C, 3, 20, 16, V, 1e-5f, tied, 0.02)));
    }

    /** A head with chunks of its own size, so that small tests cross chunk borders. */
    private final class Bound {
        final LayerMemory memory;
        final Gpt2Head head;
        final Gpt2Head.Saved saved;
        final Tensor x;
        final Tensor dx;
        final Tensor targets = TestTensors.randomInts(3, 0, V, 2, 7);
        final Tensor loss = TestTensors.zeros(F64, 1);

        Bound(Gpt2HeadSpec spec, DType compute, int chunkRows) {
            memory = new LayerMemory(spec, compute, 21);
            var chunks = new LogitChunks(MICRO_BATCH.rows(), chunkRows, 64);
            var scratch = LayerMemory.carve(spec.stash(MICRO_BATCH, compute));
            var context =
                    LayerContext.whole(backend, memory, MICRO_BATCH, compute).withScratch(scratch);
            var region =
                    new ParallelRegion(backend, context.group(), spec.shard().split(), MICRO_BATCH.rows(), scratch, 2);
            head = new Gpt2Head(context, spec.shard(), chunks, region);
            saved = head.saved(LayerMemory.carve(spec.saved(MICRO_BATCH, compute)));
            x = TestTensors.random(1, compute, 2, 7, C);
            dx = TestTensors.zeros(compute, 2, 7, C);
        }

        double forwardBackward() {
            head.forward(x, saved);
            head.backward(loss, dx, x, targets, SCALE, saved);
            return loss.get(0);
        }

        double loss() {
            head.forward(x, saved);
            head.loss(loss, targets, saved);
            return loss.get(0);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldDifferentiateTheHead(boolean tied) {
        Bound bound = new Bound(spec(tied), F64, 4);
        bound.targets.set(5, -1); // not counted
        bound.forwardBackward();
        GradientCheck check =
                GradientCheck.of("head", () -> SCALE * bound.loss()).gradient("x", bound.x, bound.dx);
        bound.memory.parameters().forEach((name, p) -> check.gradient(name, p.value(), p.gradient()));
        check.check(1e-8);
        String projection = tied ? "transformer.wte.weight" : "lm_head.weight";
        assertTrue(
                bound.memory.bound().contains(projection), bound.memory.bound().toString());
    }

    @Test
    void shouldGiveTheSameLossAndGradientsForAnyChunk() {
        Bound whole = new Bound(spec(true), F64, 14);
        double expected = whole.forwardBackward();
        for (int chunkRows : new int[] {1, 4, 13}) {
            Bound chunked = new Bound(spec(true), F64, chunkRows);
            assertEquals(expected, chunked.forwardBackward(), 1e-12);
            TestTensors.assertClose("dx", chunked.dx, whole.dx, 1e-12, 1e-14);
            whole.memory.parameters().forEach((name, p) -> {
                Tensor gradient = chunked.memory.get(name).gradient();
                TestTensors.assertClose(name, gradient, p.gradient(), 1e-12, 1e-12);
            });
        }
    }

    @Test
    void shouldStayNearDoubleInBf16WithGradientsInPlaceOfLogits() {
        Bound exact = new Bound(spec(true), F64, 4);
        Bound rounded = new Bound(spec(true), BF16, 4);
        assertEquals(exact.forwardBackward(), rounded.forwardBackward(), 0.1);
        TestTensors.assertClose("dx", rounded.dx, exact.dx, 0, 0.03 * TestTensors.maxAbs(exact.dx));
        exact.memory.parameters().forEach((name, p) -> {
            Tensor gradient = rounded.memory.get(name).gradient();
            TestTensors.assertClose(name, gradient, p.gradient(), 0, 0.03 * TestTensors.maxAbs(p.gradient()));
        });
    }

    @Test
    void shouldGiveLogitsOfARowThatExplainItsLoss() {
        Bound bound = new Bound(spec(false), F64, 4);
        for (int i = 0; i < 14; i++) {
            bound.targets.set(i, i == 9 ? 17 : -1);
        }
        bound.head.forward(bound.x, bound.saved);
        Tensor logits = TestTensors.zeros(F64, V);
        bound.head.logits(logits, 9, bound.saved);
        double sum = 0;
        for (int v = 0; v < V; v++) {
            sum += Math.exp(logits.get(v));
        }
        double expected = Math.log(sum) - logits.get(17);
        assertEquals(expected, bound.loss(), 1e-12);
    }

    @Test
    void shouldBindExactlyTheTensorsOfItsTables() {
        Gpt2HeadSpec spec = spec(true);
        LayerMemory memory = new LayerMemory(spec, F32, 1);
        var scratch = LayerMemory.carve(spec.stash(MICRO_BATCH, F32));
        var saved = LayerMemory.carve(spec.saved(MICRO_BATCH, F32));
        Head<?> head =
                spec.bind(LayerContext.whole(backend, memory, MICRO_BATCH, F32).withScratch(scratch));
        head.saved(saved);
        assertEquals(Gpt2BlockTest.names(spec.saved(MICRO_BATCH, F32)), saved.names());
        assertEquals(Gpt2BlockTest.names(spec.stash(MICRO_BATCH, F32)), scratch.names());
        assertEquals(memory.parameters().keySet(), memory.bound());
    }

    @Test
    void shouldCutTokensByVocabularyAndRowsAlone() {
        LogitChunks gpt2 = LogitChunks.of(8192, 50257);
        assertEquals(50304, gpt2.rowStride());
        assertEquals(512, gpt2.chunkRows());
        assertTrue(gpt2.chunkRows() * gpt2.rowStride() * 4 <= 100 << 20);
        assertEquals(16, gpt2.count());
        assertEquals(512, gpt2.size(15));
        LogitChunks bytes = LogitChunks.of(1000, 256);
        assertEquals(1, bytes.count());
        assertEquals(1000, bytes.size(0));
        assertEquals(64, LogitChunks.of(1000, 10_000_000).chunkRows());
    }
}
