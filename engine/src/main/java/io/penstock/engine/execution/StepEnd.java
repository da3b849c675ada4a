package io.penstock.engine.execution;

import io.penstock.engine.optimizer.AdamW;
import io.penstock.engine.optimizer.LearningRateSchedule;
import io.penstock.engine.optimizer.LossScale;
import io.penstock.engine.optimizer.StepStatistics;
import io.penstock.engine.sharding.SharedStates;
import io.penstock.engine.state.GradientSum;
import io.penstock.engine.state.ParameterState;
import io.penstock.engine.state.ParameterStore;
import io.penstock.engine.state.Residency;
import io.penstock.models.parallel.Distribution;
import io.penstock.models.parallel.TensorGroup;
import io.penstock.partitioner.memory.Segments;
import io.penstock.partitioner.memory.StateLayout;
import io.penstock.tensor.Backend;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.transport.Collectives;
import io.penstock.transport.Endpoint;
import io.penstock.transport.Kind;
import io.penstock.transport.Tag;
import io.penstock.transport.Transfer;
import java.util.ArrayList;
import java.util.List;

/**
 * The end of a step on one rank: the sum of tied gradients, the global gradient norm and the update. The tied sum is embedding side + head side on every layout.
 */
public final class StepEnd {
    private static final Tag TIED = new Tag(Kind.TIED_GRADIENT, 0);

    private final int tiedPeer;
    private final Backend backend;
    private final Endpoint endpoint;
    private final Collectives collectives;
    private final SharedStates shared;
    private final List<ParameterState> states;
    private final Residency residency;
    private final List<SquaredSegment> squared;
    private final TensorGroup group;
    /** Gradients of which each rank of the tensor group has found what its own tokens give. */
    private final List<Tensor> byTokens = new ArrayList<>();

    private final StepStatistics statistics;
    private final AdamW optimizer;
    private final LearningRateSchedule learningRates;
    private final LossScale lossScale;
    private double lossSum;
    private double gradientNorm;
    private double learningRate;
    private double usedScale = 1;
    private boolean skipped;

    /** A piece of a gradient whose squares this rank sums for all. */
    private record SquaredSegment(Tensor sum_1, Tensor gradient) {}

    /**
     * @param tiedPeer the rank with the other copy of a tied parameter; this rank where there is none
     * @param replica the place of this rank among its replicas
     * @param group the ranks that share each layer
     * @param canonicalIndex place in the model's canonical order of each of the store's parameters
     */
    public StepEnd(
            int tiedPeer,
            int replica,
            Backend backend,
            Endpoint endpoint,
            Collectives collectives,
            SharedStates shared,
            TensorGroup group,
            ParameterStore store,
            int[] canonicalIndex,
            StepStatistics statistics,
            AdamW optimizer,
            LearningRateSchedule learningRates,
            LossScale lossScale) {
        this.tiedPeer = tiedPeer;
        this.backend = backend;
        this.endpoint = endpoint;
        this.collectives = collectives;
        this.shared = shared;
        this.states = store.states();
        this.residency = store.residency();
        this.statistics = statistics;
        this.optimizer = optimizer;
        this.learningRates = learningRates;
        this.lossScale = lossScale;
        this.group = group;
        this.squared = new ArrayList<>();
        for (int i = 0; i < states.size(); i++) {
            if (statistics.owns(endpoint.rank(), canonicalIndex[i])) {
                addSegments(store.layout(), states.get(i), canonicalIndex[i], replica);
            }
            if (states.get(i).spec().distribution() instanceof Distribution.Replicated replicated
                    && replicated.partialGradient()) {
                byTokens.add(states.get(i).gradient().total());
            }
        }
    }

    private void addSegments(StateLayout layout, ParameterState state, int parameter, int replica) {
        long elements = state.spec().shape().elements();
        Segments segments = new Segments(elements, layout.sharding().data());
        int first = replica * segments.perReplica();
        long base = segments.begin(first);
        Tensor total = state.gradient().total();
        Tensor flat = total.reshape(Shape.of(total.elements()));
        for (int segment = first; segment < first + segments.perReplica(); segment++) {
            long begin = segments.begin(segment);
            long end = segments.begin(segment + 1);
            squared.add(
                    new SquaredSegment(statistics.squares(parameter, segment), flat.slice(begin - base, end - begin)));
        }
    }

    void reduceTiedGradients(int step) {
        shared.finishReductions();
        for (int i = 0; i < states.size(); i++) {
            ParameterState state = states.get(i);
            Tensor total = state.gradient().total();
            GradientSum head = state.headGradient();
            Tensor other = state.otherSide();
            // The sum of two is the same in either order, so both ranks come to the bits of one.
            if (head != null) {
                backend.add(total, head.total());
                head.discard(backend);
            } else if (other != null) {
                exchange(total, other, step);
                backend.add(total, other);
            }
        }
    }

    private void exchange(Tensor mine, Tensor other, int step) {
        Transfer receive = endpoint.receive(tiedPeer, TIED, step, 0, other.segment());
        Transfer send = endpoint.send(tiedPeer, TIED, step, 0, mine.segment());
        endpoint.await(receive);
        endpoint.await(send);
    }

    private void sumByTokens() {
        for (int i = 0; i < byTokens.size(); i++) {
            group.startAllReduce(byTokens.get(i));
        }
        group.await();
    }

    void optimizerStep(int step, MicroBatchLosses losses) {
        shared.finishReductions();
        sumByTokens();
        for (int i = 0; i < squared.size(); i++) {
            SquaredSegment segment = squared.get(i);
            backend.sumOfSquares(segment.sum_1(), segment.gradient());
        }
        statistics.readSquares();
        gather(losses);
        lossSum = statistics.lossSum();
        usedScale = lossScale.factor();
        gradientNorm = statistics.gradientNorm() / usedScale;
        learningRate = learningRates.at(step);
        skipped = !Double.isFinite(gradientNorm) || !Double.isFinite(lossSum);
        if (skipped) {
            if (!lossScale.skip()) {
                throw new DivergedException(step, lossSum, gradientNorm, lossScale);
            }
            shared.withoutUpdate();
            return;
        }
        shared.gatherGradients();
        int update = lossScale.updates(step);
        double gradientScale = optimizer.clipScale(gradientNorm) / usedScale;
        optimizer.update(backend, states, residency, update, learningRate, gradientScale);
        shared.afterUpdate();
        lossScale.keep();
    }

    private void gather(MicroBatchLosses losses) {
        statistics.loss(losses.sum());
        collectives.allGather(statistics.own(), statistics.gathered());
    }

    /** The loss sum over all ranks that met the head, on every rank; called by all ranks. */
    public double share(MicroBatchLosses losses) {
        gather(losses);
        return statistics.lossSum();
    }

    /** Returns when all ranks have called it. */
    public void barrier() {
        collectives.barrier();
    }

    /** Of the last step, over all tokens of it. */
    public double lossSum() {
        return lossSum;
    }

    /** Of the last step, before clipping and without the loss scale. */
    public double gradientNorm() {
        return gradientNorm;
    }

    public double learningRate() {
        return learningRate;
    }

    /** That the last step's gradients were multiplied by. */
    public double usedScale() {
        return usedScale;
    }

    /** Whether the last step left the weights as they were, for its gradients overflowed. */
    public boolean skipped() {
        return skipped;
    }
}
