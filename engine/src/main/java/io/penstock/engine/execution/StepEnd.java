package io.penstock.engine.execution;

import io.penstock.engine.optimizer.AdamW;
import io.penstock.engine.optimizer.LearningRateSchedule;
import io.penstock.engine.optimizer.StepStatistics;
import io.penstock.engine.state.ParameterState;
import io.penstock.engine.state.ParameterStore;
import io.penstock.tensor.Backend;
import io.penstock.tensor.Tensor;
import io.penstock.transport.Collectives;
import io.penstock.transport.Endpoint;
import io.penstock.transport.Kind;
import io.penstock.transport.Tag;
import io.penstock.transport.Transfer;
import java.util.List;

/**
 * The end of a step on one rank: the sum of tied gradients, the global gradient norm and the update. The tied sum is embedding side + head side on every layout.
 */
public final class StepEnd {
    private static final Tag TIED = new Tag(Kind.TIED_GRADIENT, 0);

    private final int rank;
    private final int tiedPeer;
    private final Backend backend;
    private final Endpoint endpoint;
    private final Collectives collectives;
    private final ParameterStore store;
    private final List<ParameterState> states;
    private final int[] canonicalIndex;
    private final StepStatistics statistics;
    private final AdamW optimizer;
    private final LearningRateSchedule learningRates;

    private double lossSum;
    private double gradientNorm;
    private double learningRate;

    /**
     * @param tiedPeer the rank with the other copy of a tied parameter; this rank where there is none
     * @param canonicalIndex place in the model's canonical order of each of the store's parameters
     */
    public StepEnd(
            int rank,
            int tiedPeer,
            Backend backend,
            Endpoint endpoint,
            Collectives collectives,
            ParameterStore store,
            int[] canonicalIndex,
            StepStatistics statistics,
            AdamW optimizer,
            LearningRateSchedule learningRates) {
        this.rank = rank;
        this.tiedPeer = tiedPeer;
        this.backend = backend;
        this.endpoint = endpoint;
        this.collectives = collectives;
        this.store = store;
        this.states = store.states();
        this.canonicalIndex = canonicalIndex.clone();
        this.statistics = statistics;
        this.optimizer = optimizer;
        this.learningRates = learningRates;
    }

    void reduceTiedGradients(int step) {
        for (int i = 0; i < states.size(); i++) {
            Tensor other = states.get(i).tiedGradient();
            if (other != null) {
                sumTied(states.get(i).gradient(), other, step);
            }
        }
    }

    private void sumTied(Tensor gradient, Tensor other, int step) {
        if (!store.holdsBothTiedSides()) {
            Transfer receive = endpoint.receive(tiedPeer, TIED, step, 0, other.segment());
            Transfer send = endpoint.send(tiedPeer, TIED, step, 0, gradient.segment());
            endpoint.await(receive);
            endpoint.await(send);
        }
        // The sum of two is the same in either order, so both ranks come to the bits of one.
        backend.add(gradient, other);
        if (store.holdsBothTiedSides()) {
            backend.zero(other);
        }
    }

    void optimizerStep(int step, double loss) {
        statistics.loss(loss);
        for (int i = 0; i < states.size(); i++) {
            if (statistics.owns(rank, canonicalIndex[i])) {
                statistics.squares(
                        canonicalIndex[i], backend.sumOfSquares(states.get(i).gradient()));
            }
        }
        collectives.allGather(statistics.own(), statistics.gathered());
        lossSum = statistics.lossSum();
        gradientNorm = statistics.gradientNorm();
        learningRate = learningRates.at(step);
        if (!Double.isFinite(gradientNorm) || !Double.isFinite(lossSum)) {
            throw new DivergedException(step, lossSum, gradientNorm);
        }
        optimizer.update(backend, states, step, learningRate, optimizer.clipScale(gradientNorm));
    }

    /** The loss sum that the rank with the head found, on every rank; called by all ranks. */
    public double share(double loss) {
        statistics.loss(loss);
        collectives.allGather(statistics.own(), statistics.gathered());
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

    /** Of the last step, before clipping. */
    public double gradientNorm() {
        return gradientNorm;
    }

    public double learningRate() {
        return learningRate;
    }
}
